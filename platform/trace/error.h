// SPDX-License-Identifier: MIT
// TraceError: what every function of platform/trace throws for a file that is missing, truncated, corrupt or
// does not parse, and for options that make no sense. The command line turns it into exit code 2.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>

namespace smmusim::trace {

/// what() is `FILE:LINE: sentence`, `FILE: byte N: sentence` or `FILE: sentence`; the parts are kept beside it.
class TraceError : public std::runtime_error {
 public:
  /// The file as a whole (it can't be opened) or an option (then `file` is the option's name).
  static TraceError in_file(const std::string& file, const std::string& sentence) {
    return {file + ": " + sentence, file, std::nullopt, std::nullopt, sentence};
  }
  /// `line` counts from 1.
  static TraceError at_line(const std::string& file, std::uint64_t line, const std::string& sentence) {
    return {file + ":" + std::to_string(line) + ": " + sentence, file, line, std::nullopt, sentence};
  }
  /// `offset` counts bytes from 0: of the file if it is plain or if its compression is what is broken, else of its
  /// decompressed contents (the sentence says which).
  static TraceError at_byte(const std::string& file, std::uint64_t offset, const std::string& sentence) {
    return {file + ": byte " + std::to_string(offset) + ": " + sentence, file, std::nullopt, offset, sentence};
  }

  const std::string& file() const { return file_; }
  std::optional<std::uint64_t> line() const { return line_; }
  std::optional<std::uint64_t> offset() const { return offset_; }
  const std::string& sentence() const { return sentence_; }

 private:
  TraceError(const std::string& text, std::string file, std::optional<std::uint64_t> line,
             std::optional<std::uint64_t> offset, std::string sentence)
      : std::runtime_error(text),
        file_(std::move(file)),
        line_(line),
        offset_(offset),
        sentence_(std::move(sentence)) {}

  std::string file_;
  std::optional<std::uint64_t> line_;
  std::optional<std::uint64_t> offset_;
  std::string sentence_;
};

}  // namespace smmusim::trace
