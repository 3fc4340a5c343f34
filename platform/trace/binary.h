// SPDX-License-Identifier: MIT
// The binary trace format, version 1: little-endian slots of 32 bytes. traces/README.md has the byte offsets.
//
// A file is a file header slot, blocks, and an end slot. A block is a block header slot (number of slots and records,
// number of the first record, CRC-32C of the slots, CRC-32C of the header itself) and up to 2048 record slots. A
// record is one slot, or two if it has an output address, a page count, an ASID, a VMID or a stream range; the two
// stay in one block. The end slot is a block header of no slots that holds the total. A reader checks a block before
// it gives out the first of its records, so that every truncation and every changed byte is found.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "platform/trace/bytes.h"
#include "platform/trace/record.h"

namespace smmusim::trace {

inline constexpr std::string_view binary_magic{"\x89SMMUTR\n", 8};
inline constexpr std::uint32_t binary_version = 1;
inline constexpr std::size_t slot_bytes = 32;
inline constexpr std::size_t block_slots_max = 2048;

/// Reads the records of a binary trace whose source stands at its first byte.
class BinaryDecoder {
 public:
  /// Reads the file header. Throws TraceError.
  explicit BinaryDecoder(ByteSource& source);
  /// Up to records.size() records; fewer only at the end. Throws TraceError naming the byte offset.
  std::size_t next(std::span<Record> records);
  /// Byte offset in the (decompressed) contents of the record given last; 0: none was given.
  std::uint64_t offset() const { return record_offset_; }

 private:
  bool load_block();
  [[noreturn]] void fail(std::uint64_t offset, const std::string& sentence) const;

  ByteSource* source_;
  const char* block_ = nullptr;  // in the source's buffer, consumed when the next block is loaded
  std::size_t block_at_ = 0, block_end_ = 0;
  std::uint64_t block_offset_ = 0;  // in the contents, of block_[0]
  std::uint64_t records_before_ = 0, last_time_ps_ = 0;
  std::uint64_t record_offset_ = 0;
  std::uint32_t block_records_left_ = 0;
  bool ended_ = false;
};

/// Writes records, which the caller has checked, as a binary trace.
class BinaryEncoder {
 public:
  explicit BinaryEncoder(ByteSink& sink);
  void write(const Record& record);
  /// Writes the last block and the end slot; the sink is not closed.
  void finish();

 private:
  void flush();

  ByteSink* sink_;
  std::vector<char> block_;
  std::uint64_t records_before_ = 0;
  std::uint32_t block_records_ = 0;
};

}  // namespace smmusim::trace
