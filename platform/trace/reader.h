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
#include "platform/trace/record.h"
#include "platform/trace/text.h"

namespace smmusim::trace {

enum class Encoding : std::uint8_t { text, binary };

struct TraceInfo {
  Encoding encoding = Encoding::binary;
  bool compressed = false;  ///< zstd
  std::uint32_t version = 1;
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

  const TraceInfo& info() const { return info_; }
  const std::string& path() const { return source_.path(); }

 private:
  explicit Reader(const std::string& path);

  ByteSource source_;
  TraceInfo info_;
  std::variant<std::monostate, TextDecoder, BinaryDecoder> decoder_;
};

}  // namespace smmusim::trace
