// SPDX-License-Identifier: MIT
// Reader: the records of a trace file, one by one or in bulk, in bounded memory whatever the size of the file.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <variant>

#include "platform/trace/binary.h"
#include "platform/trace/bytes.h"
#include "platform/trace/error.h"
#include "platform/trace/record.h"
#include "platform/trace/text.h"

namespace smmusim::trace {

enum class Encoding : std::uint8_t { text, binary };

struct TraceInfo {
  Encoding encoding = Encoding::binary;
  bool compressed = false;  ///< zstd
  std::uint32_t version = 1;
};

/// Where a record stands in its file: for a message about it after it was read.
struct RecordPlace {
  Encoding encoding = Encoding::binary;
  bool compressed = false;
  std::uint64_t position = 0;  ///< text: the line, from 1; binary: the byte offset in the (decompressed) contents

  /// `FILE:LINE: sentence` or `FILE: byte N: sentence`.
  TraceError error(const std::string& file, const std::string& sentence) const;
};

class Reader {
 public:
  /// Opens a trace; format and compression are decided by its first bytes. Throws TraceError.
  static std::unique_ptr<Reader> open(const std::string& path);

  /// The next record; false after the last. Throws TraceError (file, and line or byte offset) for a truncated,
  /// corrupt or illegal trace; records given before may then be good, but the trace as a whole is not.
  bool next(Record& record);
  /// Fills `records`; fewer than records.size() only at the end.
  std::size_t next(std::span<Record> records);

  /// Of the record given last.
  RecordPlace place() const;

  const TraceInfo& info() const { return info_; }
  const std::string& path() const { return source_.path(); }

 private:
  explicit Reader(const std::string& path);

  ByteSource source_;
  TraceInfo info_;
  std::variant<std::monostate, TextDecoder, BinaryDecoder> decoder_;
};

/// Throws the TraceError `record NUMBER: sentence` with the place of that record, counted from 1, which it looks up by
/// reading the trace once more.
[[noreturn]] void fail_at_record(const std::string& path, std::uint64_t number, const std::string& sentence);

}  // namespace smmusim::trace
