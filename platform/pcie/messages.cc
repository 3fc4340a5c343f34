// SPDX-License-Identifier: MIT
// Where the fields of the messages of ATS and PRI lie. Headers and data are big endian, as on the wire.
#include "platform/pcie/messages.h"

#include <algorithm>
#include <bit>

#include "model/base/field.h"

namespace smmusim::platform {
namespace {

constexpr std::size_t entry_bytes = 8;
constexpr unsigned page_bits = 12;

// Of an entry, and of an Invalidate Request's data.
using Read = Field<0, 0, bool>;
using Write = Field<1, 1, bool>;
using Untranslated = Field<2, 2, bool>;
using Execute = Field<3, 3, bool>;
using Privileged = Field<4, 4, bool>;
using Global = Field<5, 5, bool>;
using CxlIo = Field<9, 9, bool>;
using NonSnooped = Field<10, 10, bool>;
using Size = Field<11, 11, bool>;
using GlobalInvalidate = Field<0, 0, bool>;
using PageAddress = Field<63, 12, std::uint64_t, page_bits>;

// Of the third and fourth doubleword as one number.
using CompletionCount = Field<34, 32, unsigned>;
using Itags = Field<31, 0, std::uint32_t>;
using PageRead = Field<0, 0, bool>;
using PageWrite = Field<1, 1, bool>;
using PageLast = Field<2, 2, bool>;
using RequestGroup = Field<11, 3, unsigned>;
using ResponseGroup = Field<40, 32, unsigned>;
using ResponseCode = Field<47, 44, unsigned>;

// Of the tag of an Invalidate Request.
using Itag = Field<4, 0, unsigned>;

/// `value` at the place of F, to be or-ed with others.
template <class F>
constexpr std::uint64_t at(typename F::type value) {
  return F::set(0, value);
}

void append(std::vector<unsigned char>& data, std::uint64_t value) {
  for (unsigned shift = 64; shift != 0; shift -= 8) data.push_back(static_cast<unsigned char>(value >> (shift - 8)));
}

std::uint64_t number_at(const std::vector<unsigned char>& data, std::size_t offset) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i != entry_bytes; ++i) value = value << 8 | data[offset + i];
  return value;
}

void begin(Tlp& tlp, TlpType type, MessageCode code, std::uint16_t requester_id) {
  tlp.type = type;
  tlp.message = code;
  tlp.requester_id = requester_id;
  tlp.length_dw = 0;
  tlp.first_be = 0;
}

}  // namespace

std::uint64_t AtsRange::encode() const {
  const std::uint64_t start = address & ~low_mask(std::max(span_bits, page_bits));
  if (span_bits <= page_bits) return start;
  return start | (low_mask(span_bits - 1) & ~low_mask(page_bits)) | at<Size>(true);
}

AtsRange AtsRange::decode(std::uint64_t bits) {
  if (!Size::get(bits)) return {PageAddress::get(bits), page_bits};
  const auto zero = static_cast<unsigned>(std::countr_one(bits | low_mask(page_bits)));
  const unsigned span = std::min(zero + 1, 64U);
  return {bits & ~low_mask(span), span};
}

std::uint64_t TranslationEntry::encode() const {
  return range.encode() | at<NonSnooped>(non_snooped) | at<CxlIo>(cxl_io) | at<Global>(global) |
         at<Privileged>(privileged) | at<Execute>(execute) | at<Untranslated>(untranslated_only) | at<Write>(write) |
         at<Read>(read);
}

TranslationEntry TranslationEntry::decode(std::uint64_t bits) {
  return {.range = AtsRange::decode(bits),
          .non_snooped = NonSnooped::get(bits),
          .cxl_io = CxlIo::get(bits),
          .global = Global::get(bits),
          .privileged = Privileged::get(bits),
          .execute = Execute::get(bits),
          .untranslated_only = Untranslated::get(bits),
          .write = Write::get(bits),
          .read = Read::get(bits)};
}

void put(Tlp& tlp, const InvalidateRequest& message) {
  begin(tlp, TlpType::MsgD, MessageCode::Invalidate_Request, message.requester_id);
  tlp.target_id = message.target_id;
  tlp.tag = static_cast<std::uint16_t>(at<Itag>(message.itag));
  tlp.pasid = message.pasid;
  tlp.length_dw = 2;
  append(tlp.data, message.range.encode() | at<GlobalInvalidate>(message.global));
}

InvalidateRequest invalidate_request(const Tlp& tlp) {
  const std::uint64_t data = number_at(tlp.data, 0);
  return {.requester_id = tlp.requester_id,
          .target_id = tlp.target_id,
          .itag = Itag::get(tlp.tag),
          .pasid = tlp.pasid,
          .range = AtsRange::decode(data),
          .global = GlobalInvalidate::get(data)};
}

void put(Tlp& tlp, const InvalidateCompletion& message) {
  begin(tlp, TlpType::Msg, MessageCode::Invalidate_Completion, message.requester_id);
  tlp.target_id = message.target_id;
  tlp.body = at<CompletionCount>(message.count) | at<Itags>(message.itags);
}

InvalidateCompletion invalidate_completion(const Tlp& tlp) {
  const unsigned count = CompletionCount::get(tlp.body);
  return {.requester_id = tlp.requester_id,
          .target_id = tlp.target_id,
          .itags = Itags::get(tlp.body),
          .count = count == 0 ? 1U << CompletionCount::width : count};
}

void put(Tlp& tlp, const PageRequestMessage& message) {
  begin(tlp, TlpType::Msg, MessageCode::Page_Request, message.requester_id);
  tlp.pasid = message.pasid;
  tlp.body = at<PageAddress>(message.address) | at<RequestGroup>(message.group) | at<PageLast>(message.last) |
             at<PageWrite>(message.write) | at<PageRead>(message.read);
}

PageRequestMessage page_request(const Tlp& tlp) {
  return {.requester_id = tlp.requester_id,
          .pasid = tlp.pasid,
          .address = PageAddress::get(tlp.body),
          .group = RequestGroup::get(tlp.body),
          .last = PageLast::get(tlp.body),
          .write = PageWrite::get(tlp.body),
          .read = PageRead::get(tlp.body)};
}

void put(Tlp& tlp, const PrgResponse& message) {
  begin(tlp, TlpType::Msg, MessageCode::PRG_Response, message.requester_id);
  tlp.target_id = message.target_id;
  tlp.pasid = message.pasid;
  tlp.body = at<ResponseCode>(message.code) | at<ResponseGroup>(message.group);
}

PrgResponse prg_response(const Tlp& tlp) {
  return {.requester_id = tlp.requester_id,
          .target_id = tlp.target_id,
          .pasid = tlp.pasid,
          .group = ResponseGroup::get(tlp.body),
          .code = ResponseCode::get(tlp.body)};
}

void put(Tlp& tlp, std::span<const TranslationEntry> entries) {
  tlp.type = TlpType::CplD;
  tlp.length_dw = static_cast<std::uint16_t>(entries.size() * entry_bytes / 4);
  for (const TranslationEntry& entry : entries) append(tlp.data, entry.encode());
}

std::size_t translation_entries(const Tlp& tlp) {
  return tlp.data.size() / entry_bytes;
}

TranslationEntry translation_entry(const Tlp& tlp, std::size_t index) {
  return TranslationEntry::decode(number_at(tlp.data, index * entry_bytes));
}

}  // namespace smmusim::platform
