// SPDX-License-Identifier: MIT
// Writer: makes a trace file in bounded memory. The file appears under its name only when close() has succeeded.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "platform/trace/binary.h"
#include "platform/trace/bytes.h"
#include "platform/trace/reader.h"
#include "platform/trace/record.h"
#include "platform/trace/text.h"

namespace smmusim::trace {

struct WriteOptions {
  Encoding encoding = Encoding::binary;
  bool compress = true;  ///< zstd
  int level = 9;         ///< zstd's, 1 to 19
};

class Writer {
 public:
  /// Throws TraceError if the file can't be written.
  Writer(const std::string& path, const WriteOptions& options);

  /// Throws TraceError if the record is not legal (check_record) or its time is before the last one's.
  void write(const Record& record);
  /// Completes the file. Without it nothing remains.
  void close();

  std::uint64_t records() const { return records_; }

 private:
  std::string path_;
  ByteSink sink_;
  std::variant<std::monostate, TextEncoder, BinaryEncoder> encoder_;
  std::uint64_t records_ = 0, last_time_ps_ = 0;
};

}  // namespace smmusim::trace
