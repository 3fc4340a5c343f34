// SPDX-License-Identifier: MIT
// The text trace format, version 1: made for reading, writing by hand and diff. traces/README.md has the grammar.
//
//   smmusim-trace text 1
//   # a comment
//   0 config all
//   1000 read sid=0x8 addr=0xffffd000 size=64 pa=0x41387000 perm=rw
//   2000 invalidate range asid=2 addr=0xffffd000 granule=4K pages=1 leaf ttl=3
//   end 3
//
// The line `end` closes the file (the count may be left out), so that a file cut off between lines is noticed.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "platform/trace/bytes.h"
#include "platform/trace/record.h"

namespace smmusim::trace {

inline constexpr std::string_view text_magic = "smmusim-trace ";
inline constexpr std::string_view text_header = "smmusim-trace text 1";

/// Appends the record, which must be legal, as one line without its newline.
void append_line(const Record& record, std::string& to);

/// Parses one line that is neither empty, a comment, the header nor the end. Returns "" or the error as a sentence.
std::string parse_line(std::string_view line, Record& record);

/// Reads the records of a text trace whose source stands at its first byte.
class TextDecoder {
 public:
  /// Reads the header line. Throws TraceError.
  explicit TextDecoder(ByteSource& source);
  /// Up to records.size() records; fewer only at the end. Throws TraceError naming the line.
  std::size_t next(std::span<Record> records);
  /// Number of the line of the record given last, from 1; 0: none was given.
  std::uint64_t line() const { return record_line_; }

 private:
  bool next(Record& record);
  void read_end(std::string_view line);
  [[noreturn]] void fail(const std::string& sentence) const;

  const std::string path_;
  LineSource lines_;
  std::uint64_t records_ = 0, last_time_ps_ = 0;
  std::uint64_t record_line_ = 0;
  bool ended_ = false;
};

/// Writes records, which the caller has checked, as a text trace.
class TextEncoder {
 public:
  explicit TextEncoder(ByteSink& sink);
  void write(const Record& record);
  /// Writes the end line; the sink is not closed.
  void finish();

 private:
  ByteSink* sink_;
  std::string buffer_;
  std::uint64_t records_ = 0;
};

}  // namespace smmusim::trace
