// SPDX-License-Identifier: MIT
// The binary trace format: see binary.h. Each slot is a plain struct copied with memcpy; hosts are little-endian.
#include "platform/trace/binary.h"

#include <bit>
#include <cstring>

#include "platform/trace/crc.h"
#include "platform/trace/error.h"

namespace smmusim::trace {
namespace {

static_assert(std::endian::native == std::endian::little, "slots are copied as they lie in memory");

struct FileHeader {
  char magic[8];
  std::uint32_t version, slot_bytes;
  std::uint32_t reserved[3];
  std::uint32_t crc;  // of the 28 bytes before
};

struct BlockHeader {
  std::uint32_t magic, slots;
  std::uint64_t first_record;
  std::uint32_t records, payload_crc;
  std::uint32_t reserved;
  std::uint32_t crc;  // of the 28 bytes before
};
constexpr std::uint32_t block_magic = 0x4b4c4254;  // "TBLK"

struct Slot {
  std::uint64_t time_ps, address;
  std::uint32_t size, stream, substream_flags;
  std::uint8_t kind_op_ats, perm_scope_ttl;
  std::uint16_t tag;
};

struct Extension {
  std::uint64_t output, pages;
  std::uint32_t stream_last;
  std::uint16_t asid, vmid;
  std::uint8_t granule_log2, zero[3], kind, zero2[3];
};

static_assert(sizeof(FileHeader) == slot_bytes && sizeof(BlockHeader) == slot_bytes);
static_assert(sizeof(Slot) == slot_bytes && sizeof(Extension) == slot_bytes);

constexpr std::uint32_t substream_mask = 0xfffff;
constexpr std::uint8_t extension_kind = 0xf;
enum Flag : unsigned {
  flag_substream = 20,
  flag_extension,
  flag_expected,
  flag_asid,
  flag_vmid,
  flag_leaf,
  flag_privileged,
  flag_instruction,
};

constexpr std::uint32_t bit(bool value, unsigned position) {
  return static_cast<std::uint32_t>(value) << position;
}

bool needs_extension(const Record& r) {
  return (r.output | r.pages | r.stream_last | r.asid | r.vmid | r.granule_log2) != 0;
}

std::uint8_t scope_of(const Record& r) {
  if (r.kind == Kind::invalidate) return static_cast<std::uint8_t>(r.invalidate_scope);
  return r.kind == Kind::config ? static_cast<std::uint8_t>(r.config_scope) : std::uint8_t{0};
}

Slot encode(const Record& r) {
  const std::uint32_t flags = bit(r.has_substream, flag_substream) | bit(needs_extension(r), flag_extension) |
                              bit(r.has_expected, flag_expected) | bit(r.has_asid, flag_asid) |
                              bit(r.has_vmid, flag_vmid) | bit(r.leaf, flag_leaf) | bit(r.privileged, flag_privileged) |
                              bit(r.instruction, flag_instruction);
  const auto kinds =
      static_cast<unsigned>(r.kind) | static_cast<unsigned>(r.op) << 4 | static_cast<unsigned>(r.ats) << 6;
  const auto scopes =
      static_cast<unsigned>(r.perm) | static_cast<unsigned>(scope_of(r)) << 2 | static_cast<unsigned>(r.ttl) << 5;
  return {r.time_ps,
          r.address,
          r.size,
          r.stream,
          r.substream | flags,
          static_cast<std::uint8_t>(kinds),
          static_cast<std::uint8_t>(scopes),
          r.tag};
}

Extension encode_extension(const Record& r) {
  return {r.output, r.pages, r.stream_last, r.asid, r.vmid, r.granule_log2, {}, extension_kind, {}};
}

Record decode(const Slot& s) {
  Record r;
  r.time_ps = s.time_ps;
  r.address = s.address;
  r.size = s.size;
  r.stream = s.stream;
  r.substream = s.substream_flags & substream_mask;
  const auto flag = [&](unsigned position) { return ((s.substream_flags >> position) & 1) != 0; };
  r.has_substream = flag(flag_substream);
  r.has_expected = flag(flag_expected);
  r.has_asid = flag(flag_asid);
  r.has_vmid = flag(flag_vmid);
  r.leaf = flag(flag_leaf);
  r.privileged = flag(flag_privileged);
  r.instruction = flag(flag_instruction);
  r.kind = static_cast<Kind>(s.kind_op_ats & 0xf);
  r.op = static_cast<Op>((s.kind_op_ats >> 4) & 3);
  r.ats = static_cast<Ats>(s.kind_op_ats >> 6);
  r.perm = s.perm_scope_ttl & 3;
  const auto scope = static_cast<std::uint8_t>((s.perm_scope_ttl >> 2) & 7);
  if (r.kind == Kind::invalidate) r.invalidate_scope = static_cast<InvalidateScope>(scope);
  if (r.kind == Kind::config) r.config_scope = static_cast<ConfigScope>(scope);
  r.ttl = static_cast<std::uint8_t>(s.perm_scope_ttl >> 5);
  r.tag = s.tag;
  return r;
}

void decode_extension(const Extension& e, Record& r) {
  r.output = e.output;
  r.pages = e.pages;
  r.stream_last = e.stream_last;
  r.asid = e.asid;
  r.vmid = e.vmid;
  r.granule_log2 = e.granule_log2;
}

template <class T>
T load(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

template <class T>
void append(std::vector<char>& to, const T& value) {
  const auto* bytes = reinterpret_cast<const char*>(&value);
  to.insert(to.end(), bytes, bytes + sizeof value);
}

template <class Header>
bool crc_holds(const Header& header) {
  return crc32c(&header, sizeof header - sizeof header.crc) == header.crc;
}

bool same(const void* a, const void* b) {
  return std::memcmp(a, b, slot_bytes) == 0;
}

}  // namespace

BinaryDecoder::BinaryDecoder(ByteSource& source) : source_(&source) {
  FileHeader header{};
  char bytes[slot_bytes];
  const std::size_t n = source_->read(bytes, slot_bytes);
  if (n < slot_bytes) fail(n, "the file ends inside its header; it was cut off here");
  header = load<FileHeader>(bytes);
  if (!crc_holds(header)) fail(0, "the file header's check sum is wrong; the file is corrupt");
  if (header.version != binary_version || header.slot_bytes != slot_bytes) {
    fail(8, "version " + std::to_string(header.version) + " of the trace format; this program reads version 1");
  }
  if ((header.reserved[0] | header.reserved[1] | header.reserved[2]) != 0) {
    fail(16, "reserved bytes of the file header are not zero; this program reads version 1");
  }
}

void BinaryDecoder::fail(std::uint64_t offset, const std::string& sentence) const {
  const char* where = source_->compressed() ? "(of the decompressed contents) " : "";
  throw TraceError::at_byte(source_->path(), offset, where + sentence);
}

bool BinaryDecoder::load_block() {
  source_->consume(block_end_);  // the block before, which was used where it lay
  block_at_ = block_end_ = 0;
  const std::uint64_t at = source_->offset();
  char bytes[slot_bytes];
  const std::size_t n = source_->read(bytes, slot_bytes);
  if (n < slot_bytes) fail(at + n, "the trace ends without its end mark; the file was cut off here");
  const auto header = load<BlockHeader>(bytes);
  if (header.magic != block_magic || !crc_holds(header)) fail(at, "no valid block header here; the file is corrupt");
  if (header.first_record != records_before_ || header.reserved != 0 || header.slots > block_slots_max) {
    fail(at, "a block that does not follow the one before; the file is corrupt");
  }
  if (header.records > header.slots || (header.slots != 0 && header.records == 0)) {
    fail(at, "a block whose counts contradict each other; the file is corrupt");
  }
  if (header.slots == 0) {
    if (header.payload_crc != 0) fail(at, "an end mark with a check sum of nothing; the file is corrupt");
    if (!source_->peek(1).empty()) fail(at + slot_bytes, "bytes after the end mark; the file is corrupt");
    return false;
  }
  const std::size_t bytes_of_block = header.slots * slot_bytes;
  const std::string_view payload = source_->peek(bytes_of_block);
  block_offset_ = at + slot_bytes;
  if (payload.size() < bytes_of_block) {
    fail(block_offset_ + payload.size(), "the trace ends inside a block; the file was cut off here");
  }
  if (crc32c(payload.data(), bytes_of_block) != header.payload_crc) {
    fail(block_offset_,
         "the check sum of this block of " + std::to_string(bytes_of_block) + " bytes is wrong; the file is corrupt");
  }
  block_ = payload.data();
  block_end_ = bytes_of_block;
  block_records_left_ = header.records;
  records_before_ += header.records;
  return true;
}

std::size_t BinaryDecoder::next(std::span<Record> records) {
  std::size_t done = 0;
  while (done < records.size() && !ended_) {
    if (block_records_left_ == 0) {
      if (block_at_ != block_end_) fail(block_offset_ + block_at_, "slots without a record; the file is corrupt");
      ended_ = !load_block();
      continue;
    }
    const std::uint64_t at = block_offset_ + block_at_;
    if (block_at_ == block_end_) fail(at, "a block with fewer records than it says; the file is corrupt");
    const char* const from = block_ + block_at_;
    const auto slot = load<Slot>(from);
    Record& r = records[done];
    r = decode(slot);
    block_at_ += slot_bytes;
    bool exact = true;
    if (((slot.substream_flags >> flag_extension) & 1) != 0) {
      if (block_at_ == block_end_) fail(at, "a record whose second slot is missing; the file is corrupt");
      decode_extension(load<Extension>(from + slot_bytes), r);
      const Extension again = encode_extension(r);
      exact = same(&again, from + slot_bytes);
      block_at_ += slot_bytes;
    }
    const Slot again = encode(r);
    if (!exact || !same(&again, from)) fail(at, "a record with reserved bits set; version 1 has them zero");
    if (const char* wrong = check_record(r)) fail(at, wrong);
    if (r.time_ps < last_time_ps_) fail(at, "a time before the record before; times never decrease");
    last_time_ps_ = r.time_ps;
    record_offset_ = at;
    --block_records_left_;
    ++done;
  }
  return done;
}

BinaryEncoder::BinaryEncoder(ByteSink& sink) : sink_(&sink) {
  block_.reserve(block_slots_max * slot_bytes);
  FileHeader header{{}, binary_version, slot_bytes, {}, 0};
  std::memcpy(header.magic, binary_magic.data(), binary_magic.size());
  header.crc = crc32c(&header, sizeof header - sizeof header.crc);
  sink_->write(reinterpret_cast<const char*>(&header), sizeof header);
}

void BinaryEncoder::write(const Record& record) {
  if (block_.size() + 2 * slot_bytes > block_slots_max * slot_bytes) flush();
  append(block_, encode(record));
  if (needs_extension(record)) append(block_, encode_extension(record));
  ++block_records_;
}

void BinaryEncoder::flush() {
  const auto slots = static_cast<std::uint32_t>(block_.size() / slot_bytes);
  const std::uint32_t payload_crc = slots == 0 ? 0 : crc32c(block_.data(), block_.size());
  BlockHeader header{block_magic, slots, records_before_, block_records_, payload_crc, 0, 0};
  header.crc = crc32c(&header, sizeof header - sizeof header.crc);
  sink_->write(reinterpret_cast<const char*>(&header), sizeof header);
  sink_->write(block_.data(), block_.size());
  records_before_ += block_records_;
  block_records_ = 0;
  block_.clear();
}

void BinaryEncoder::finish() {
  if (block_records_ != 0) flush();
  flush();
}

}  // namespace smmusim::trace
