// SPDX-License-Identifier: MIT
// Files as streams of bytes, plain or zstd-compressed, with bounded memory. Knows nothing of traces.
// Whether a file is compressed is decided by its first four bytes, never by its name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct ZSTD_DCtx_s;
struct ZSTD_CCtx_s;

namespace smmusim::trace {

struct FileCloser {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

class ByteSource {
 public:
  /// Opens the file. Throws TraceError if that fails.
  explicit ByteSource(std::string path);
  ~ByteSource();
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;

  /// The next bytes without consuming them: at least `n` (64 KiB at most) unless the contents end before.
  std::string_view peek(std::size_t n);
  void consume(std::size_t n);
  /// Fills `to`; fewer than `n` bytes only at the end. Throws TraceError if reading or decompressing fails.
  std::size_t read(char* to, std::size_t n);

  std::uint64_t offset() const { return offset_; }  ///< (decompressed) bytes consumed so far
  bool compressed() const { return decompressor_ != nullptr; }
  const std::string& path() const { return path_; }

 private:
  bool refill();
  bool refill_plain();
  bool refill_compressed();
  std::size_t read_file(char* to, std::size_t room);

  std::string path_;
  std::unique_ptr<std::FILE, FileCloser> file_;
  ZSTD_DCtx_s* decompressor_ = nullptr;
  std::vector<char> input_, output_;          // of the file; of the (decompressed) contents
  std::size_t input_at_ = 0, input_end_ = 0;  // unread part of input_
  std::size_t output_at_ = 0, output_end_ = 0;
  std::uint64_t offset_ = 0, file_offset_ = 0;  // file_offset_: bytes read from the file
  bool frame_open_ = false;
};

/// Splits a source into lines. A line longer than 4096 bytes is an error (hostile input must not fill memory).
class LineSource {
 public:
  explicit LineSource(ByteSource& source) : source_(&source) {}
  /// The next line without its newline, valid until the next call; false at the end.
  bool next(std::string_view& line);
  std::uint64_t line_number() const { return line_number_; }  ///< of the last line given, from 1
  bool newline_missing() const { return newline_missing_; }   ///< the last line given was not closed by a newline

  static constexpr std::size_t line_bytes_max = 4096;

 private:
  ByteSource* source_;
  std::size_t pending_ = 0;  // bytes of the line given last, not yet consumed
  std::uint64_t line_number_ = 0;
  bool newline_missing_ = false;
};

/// Writes to a temporary file beside `path` and renames it when close() is called, so that a failed run leaves
/// nothing behind. A path that exists and is no regular file (/dev/stdout) is written directly.
class ByteSink {
 public:
  ByteSink(std::string path, bool compress, int level);
  ~ByteSink();
  ByteSink(const ByteSink&) = delete;
  ByteSink& operator=(const ByteSink&) = delete;

  void write(const char* from, std::size_t n);
  void write(std::string_view text) { write(text.data(), text.size()); }
  void close();

 private:
  void write_file(const char* from, std::size_t n);
  void compress(const char* from, std::size_t n, bool last);

  std::string path_, temporary_;
  std::unique_ptr<std::FILE, FileCloser> file_;
  ZSTD_CCtx_s* compressor_ = nullptr;
  std::vector<char> output_;
};

}  // namespace smmusim::trace
