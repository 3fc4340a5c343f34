// SPDX-License-Identifier: MIT
// Where the fields lie in the doublewords of prefixes and headers. Doublewords are numbers with byte 0 on top.
#include "platform/pcie/tlp_header.h"

#include <array>

#include "model/base/field.h"

namespace smmusim::platform {
namespace {

template <unsigned high, unsigned low>
using Bits = Field<high, low, std::uint32_t>;

/// `value` at the place of F.
template <class F>
constexpr std::uint32_t put(std::uint64_t value) {
  return static_cast<std::uint32_t>(F::set(0, static_cast<std::uint32_t>(value)));
}

// The first doubleword of every header and prefix.
using Fmt = Bits<31, 29>;
using Type = Bits<28, 24>;
using Tag9 = Bits<23, 23>;
using TrafficClass = Bits<22, 20>;
using Tag8 = Bits<19, 19>;
using IdOrdering = Bits<18, 18>;
using Digest = Bits<15, 15>;
using Poisoned = Bits<14, 14>;
using RelaxedOrdering = Bits<13, 13>;
using NoSnoop = Bits<12, 12>;
using AddressTypeBits = Bits<11, 10>;
using Length = Bits<9, 0>;
// The second, of requests and messages.
using Requester = Bits<31, 16>;
using Tag = Bits<15, 8>;
using LastBe = Bits<7, 4>;
using FirstBe = Bits<3, 0>;
using Code = Bits<7, 0>;
// The second and third of completions.
using Completer = Bits<31, 16>;
using Status = Bits<15, 13>;
using ByteCount = Bits<11, 0>;
using LowerAddress = Bits<6, 0>;
// The third of configuration requests, and of messages routed by ID.
using Target = Bits<31, 16>;
using Register = Field<11, 2, std::uint32_t, 2>;
// The last of memory requests.
using LowAddress = Field<31, 2, std::uint32_t, 2>;
using NoWrite = Bits<0, 0>;
// The PASID prefix.
using PrivilegedMode = Bits<21, 21>;
using ExecuteRequested = Bits<20, 20>;
using Pasid = Bits<19, 0>;

constexpr std::uint32_t four_doublewords = 1, with_data = 2, prefix_format = 4;  // in Fmt
constexpr std::uint32_t pasid_type = 0x11, message_type = 0x10, message_type_mask = 0x18, routing_mask = 7;
constexpr std::uint64_t page_mask = 0xfff;
constexpr unsigned target_low = 48;  // of the Target in Tlp::body's place

enum class Shape { memory, configuration, completion, message };

struct TypeRow {
  TlpType type;
  std::uint32_t code;
  bool data;
  Shape shape;
};
// In the order of TlpType.
constexpr std::array<TypeRow, 13> types{{
    {TlpType::MRd, 0x00, false, Shape::memory},
    {TlpType::MWr, 0x00, true, Shape::memory},
    {TlpType::CfgRd0, 0x04, false, Shape::configuration},
    {TlpType::CfgWr0, 0x04, true, Shape::configuration},
    {TlpType::CfgRd1, 0x05, false, Shape::configuration},
    {TlpType::CfgWr1, 0x05, true, Shape::configuration},
    {TlpType::FetchAdd, 0x0c, true, Shape::memory},
    {TlpType::Swap, 0x0d, true, Shape::memory},
    {TlpType::CAS, 0x0e, true, Shape::memory},
    {TlpType::Cpl, 0x0a, false, Shape::completion},
    {TlpType::CplD, 0x0a, true, Shape::completion},
    {TlpType::Msg, message_type, false, Shape::message},
    {TlpType::MsgD, message_type, true, Shape::message},
}};

const TypeRow& row_of(TlpType type) {
  return types[static_cast<std::size_t>(type)];
}

// MRdLk, IORd and IOWr, DMWr.
bool uncarried(std::uint32_t code) {
  return code == 0x01 || code == 0x02 || code == 0x1b;
}

struct Routing {
  MessageCode message;
  std::uint32_t routing;
};
constexpr std::uint32_t to_root_complex = 0, by_id = 2;
constexpr std::array<Routing, 4> routings{{{MessageCode::Invalidate_Request, by_id},
                                           {MessageCode::Invalidate_Completion, by_id},
                                           {MessageCode::Page_Request, to_root_complex},
                                           {MessageCode::PRG_Response, by_id}}};

const Routing* routing_of(std::uint32_t code) {
  for (const Routing& row : routings) {
    if (static_cast<std::uint32_t>(row.message) == code) return &row;
  }
  return nullptr;
}

bool routed_by_id(const Tlp& tlp) {
  const Routing* row = routing_of(static_cast<std::uint32_t>(tlp.message));
  return row != nullptr && row->routing == by_id;
}

// --- Encoding ------------------------------------------------------------------------------------------------------

void append(std::vector<unsigned char>& bytes, std::uint32_t doubleword) {
  for (unsigned shift = 32; shift != 0; shift -= 8) {
    bytes.push_back(static_cast<unsigned char>(doubleword >> (shift - 8)));
  }
}

void append_prefix(std::vector<unsigned char>& bytes, const PasidPrefix& pasid) {
  append(bytes, put<Fmt>(prefix_format) | put<Type>(pasid_type) | put<PrivilegedMode>(pasid.privileged) |
                    put<ExecuteRequested>(pasid.execute) | put<Pasid>(pasid.pasid));
}

std::uint32_t first_doubleword(const Tlp& tlp) {
  const TypeRow& row = row_of(tlp.type);
  const std::uint32_t routing =
      row.shape != Shape::message ? 0 : routing_of(static_cast<std::uint32_t>(tlp.message))->routing;
  const bool has_length = tlp.type != TlpType::Cpl && tlp.type != TlpType::Msg;
  return put<Fmt>((tlp.long_header() ? four_doublewords : 0) | (row.data ? with_data : 0)) |
         put<Type>(row.code | routing) | put<Tag9>(tlp.tag >> 9) | put<Tag8>(tlp.tag >> 8) |
         put<IdOrdering>(tlp.id_ordering) | put<Poisoned>(tlp.poisoned) | put<RelaxedOrdering>(tlp.relaxed_ordering) |
         put<NoSnoop>(tlp.no_snoop) | put<AddressTypeBits>(static_cast<unsigned>(tlp.at)) |
         put<Length>(has_length ? tlp.length_dw : 0);
}

std::uint32_t request_ids(const Tlp& tlp) {
  return put<Requester>(tlp.requester_id) | put<Tag>(tlp.tag);
}

void append_memory(std::vector<unsigned char>& bytes, const Tlp& tlp) {
  const std::uint64_t address = tlp.is_translation_request() ? tlp.address & ~page_mask : tlp.address;
  append(bytes, request_ids(tlp) | put<LastBe>(tlp.last_be) | put<FirstBe>(tlp.first_be));
  if (tlp.long_header()) append(bytes, static_cast<std::uint32_t>(address >> 32));
  append(bytes, put<LowAddress>(address) | put<NoWrite>(tlp.no_write));
}

void append_rest(std::vector<unsigned char>& bytes, const Tlp& tlp) {
  switch (row_of(tlp.type).shape) {
    case Shape::memory:
      append_memory(bytes, tlp);
      break;
    case Shape::configuration:
      append(bytes, request_ids(tlp) | put<FirstBe>(tlp.first_be));
      append(bytes, put<Target>(tlp.target_id) | put<Register>(tlp.address));
      break;
    case Shape::completion:
      append(bytes, put<Completer>(tlp.completer_id) | put<Status>(static_cast<unsigned>(tlp.status)) |
                        put<ByteCount>(tlp.byte_count));
      append(bytes, request_ids(tlp) | put<LowerAddress>(tlp.lower_address));
      break;
    case Shape::message: {
      const std::uint64_t body = routed_by_id(tlp) ? tlp.body | std::uint64_t{tlp.target_id} << target_low : tlp.body;
      append(bytes, request_ids(tlp) | put<Code>(static_cast<unsigned>(tlp.message)));
      append(bytes, static_cast<std::uint32_t>(body >> 32));
      append(bytes, static_cast<std::uint32_t>(body));
      break;
    }
  }
}

// --- Decoding ------------------------------------------------------------------------------------------------------

/// Takes doublewords from the front of some bytes.
class Reader {
 public:
  explicit Reader(std::span<const unsigned char> bytes) : bytes_(bytes) {}
  bool has(std::size_t doublewords) const { return bytes_.size() >= 4 * doublewords; }
  std::uint32_t peek() const {
    return std::uint32_t{bytes_[0]} << 24 | std::uint32_t{bytes_[1]} << 16 | std::uint32_t{bytes_[2]} << 8 | bytes_[3];
  }
  std::uint32_t take() {
    const std::uint32_t doubleword = peek();
    bytes_ = bytes_.subspan(4);
    return doubleword;
  }
  std::span<const unsigned char> rest() const { return bytes_; }

 private:
  std::span<const unsigned char> bytes_;
};

TlpFault take_prefixes(Reader& reader, Tlp& tlp) {
  while (reader.has(1) && (Fmt::get(reader.peek()) & prefix_format) != 0) {
    const std::uint32_t prefix = reader.take();
    if (Fmt::get(prefix) != prefix_format) return TlpFault::reserved_format;
    if (Type::get(prefix) != pasid_type || tlp.pasid.present) return TlpFault::foreign_prefix;
    tlp.pasid.present = true;
    tlp.pasid.privileged = PrivilegedMode::get(prefix) != 0;
    tlp.pasid.execute = ExecuteRequested::get(prefix) != 0;
    tlp.pasid.pasid = Pasid::get(prefix);
  }
  return TlpFault::none;
}

TlpFault find_type(std::uint32_t first, Tlp& tlp) {
  const std::uint32_t code = Type::get(first);
  const bool data = (Fmt::get(first) & with_data) != 0, four = (Fmt::get(first) & four_doublewords) != 0;
  const std::uint32_t kind = (code & message_type_mask) == message_type ? message_type : code;
  if (uncarried(code)) return TlpFault::uncarried_type;
  TlpFault fault = TlpFault::reserved_type;
  for (const TypeRow& row : types) {
    if (row.code != kind) continue;
    const bool either = row.shape == Shape::memory;
    if (row.data == data && (either || four == (row.shape == Shape::message))) {
      tlp.type = row.type;
      return TlpFault::none;
    }
    fault = TlpFault::reserved_format;
  }
  return fault;
}

void read_first(std::uint32_t first, Tlp& tlp) {
  const bool has_length = tlp.type != TlpType::Cpl && tlp.type != TlpType::Msg;
  const std::uint32_t length = Length::get(first);
  tlp.length_dw = static_cast<std::uint16_t>(!has_length ? 0 : length == 0 ? Length::mask + 1 : length);
  tlp.tag = static_cast<std::uint16_t>(Tag9::get(first) << 9 | Tag8::get(first) << 8);
  tlp.id_ordering = IdOrdering::get(first) != 0;
  tlp.relaxed_ordering = RelaxedOrdering::get(first) != 0;
  tlp.no_snoop = NoSnoop::get(first) != 0;
  tlp.poisoned = Poisoned::get(first) != 0;
  tlp.at = static_cast<AddressType>(AddressTypeBits::get(first));
}

void read_request_ids(std::uint32_t doubleword, Tlp& tlp) {
  tlp.requester_id = static_cast<std::uint16_t>(Requester::get(doubleword));
  tlp.tag = static_cast<std::uint16_t>(tlp.tag | Tag::get(doubleword));
}

void read_byte_enables(std::uint32_t doubleword, Tlp& tlp) {
  tlp.first_be = static_cast<std::uint8_t>(FirstBe::get(doubleword));
  tlp.last_be = static_cast<std::uint8_t>(LastBe::get(doubleword));
}

TlpFault read_memory(Reader& reader, bool four, Tlp& tlp) {
  const std::uint32_t second = reader.take();
  read_request_ids(second, tlp);
  read_byte_enables(second, tlp);
  const std::uint64_t high = four ? reader.take() : 0;
  const std::uint32_t low = reader.take();
  tlp.address = high << 32 | LowAddress::get(low);
  if (tlp.is_translation_request()) {
    tlp.address &= ~page_mask;
    tlp.no_write = NoWrite::get(low) != 0;
  }
  return four && high == 0 ? TlpFault::short_address_in_long_format : TlpFault::none;
}

void read_configuration(Reader& reader, Tlp& tlp) {
  const std::uint32_t second = reader.take(), third = reader.take();
  read_request_ids(second, tlp);
  read_byte_enables(second, tlp);
  tlp.target_id = static_cast<std::uint16_t>(Target::get(third));
  tlp.address = Register::get(third);
}

void read_completion(Reader& reader, Tlp& tlp) {
  const std::uint32_t second = reader.take(), third = reader.take();
  tlp.completer_id = static_cast<std::uint16_t>(Completer::get(second));
  const auto status = static_cast<CplStatus>(Status::get(second));
  // Reserved codes, and a retry where there is no configuration request, count as Unsupported Request (2.2.9).
  tlp.status = status == CplStatus::SC || status == CplStatus::CA ? status : CplStatus::UR;
  const std::uint32_t count = ByteCount::get(second);
  tlp.byte_count = static_cast<std::uint16_t>(count == 0 ? ByteCount::mask + 1 : count);
  read_request_ids(third, tlp);
  tlp.lower_address = static_cast<std::uint8_t>(LowerAddress::get(third));
}

TlpFault read_message(Reader& reader, std::uint32_t routing, Tlp& tlp) {
  const std::uint32_t second = reader.take();
  read_request_ids(second, tlp);
  const std::uint64_t high = reader.take();
  tlp.body = high << 32 | reader.take();
  tlp.first_be = 0;
  const Routing* row = routing_of(Code::get(second));
  if (row == nullptr) return TlpFault::message_code;
  tlp.message = row->message;
  if (row->routing == by_id) {
    tlp.target_id = static_cast<std::uint16_t>(tlp.body >> target_low);
    tlp.body &= (std::uint64_t{1} << target_low) - 1;
  }
  return row->routing == routing ? TlpFault::none : TlpFault::message_routing;
}

TlpFault read_rest(Reader& reader, std::uint32_t first, Tlp& tlp) {
  switch (row_of(tlp.type).shape) {
    case Shape::memory:
      return read_memory(reader, (Fmt::get(first) & four_doublewords) != 0, tlp);
    case Shape::configuration:
      read_configuration(reader, tlp);
      break;
    case Shape::completion:
      read_completion(reader, tlp);
      break;
    case Shape::message:
      return read_message(reader, Type::get(first) & routing_mask, tlp);
  }
  return TlpFault::none;
}

}  // namespace

std::vector<unsigned char> encode(const Tlp& tlp) {
  std::vector<unsigned char> bytes;
  if (tlp.pasid.present) append_prefix(bytes, tlp.pasid);
  append(bytes, first_doubleword(tlp));
  append_rest(bytes, tlp);
  if (tlp.has_data()) bytes.insert(bytes.end(), tlp.data.begin(), tlp.data.end());
  return bytes;
}

TlpFault decode(std::span<const unsigned char> bytes, const TlpLimits& limits, Tlp& tlp) {
  Reader reader(bytes);
  if (const TlpFault fault = take_prefixes(reader, tlp); fault != TlpFault::none) return fault;
  if (!reader.has(1)) return TlpFault::truncated;
  const std::uint32_t first = reader.take();
  if (const TlpFault fault = find_type(first, tlp); fault != TlpFault::none) return fault;
  const unsigned doublewords_left = (Fmt::get(first) & four_doublewords) != 0 ? 3 : 2;
  if (!reader.has(doublewords_left)) return TlpFault::truncated;
  if (TrafficClass::get(first) != 0) return TlpFault::traffic_class;
  read_first(first, tlp);
  if (const TlpFault fault = read_rest(reader, first, tlp); fault != TlpFault::none) return fault;
  std::span<const unsigned char> data = reader.rest();
  if (Digest::get(first) != 0) {
    if (!reader.has(1)) return TlpFault::truncated;
    data = data.first(data.size() - 4);
  }
  tlp.data.assign(data.begin(), data.end());
  return judge(tlp, limits);
}

}  // namespace smmusim::platform
