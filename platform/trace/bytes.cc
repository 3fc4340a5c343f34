// SPDX-License-Identifier: MIT
// Files as streams of bytes, plain or zstd-compressed: see bytes.h.
#include "platform/trace/bytes.h"

#include <unistd.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "platform/trace/error.h"

namespace smmusim::trace {
namespace {

constexpr std::size_t chunk = std::size_t{1} << 18;

std::string reason() {
  return std::generic_category().message(errno);
}

}  // namespace

ByteSource::ByteSource(std::string path) : path_(std::move(path)), input_(chunk), output_(2 * chunk) {
  file_.reset(std::fopen(path_.c_str(), "rb"));
  if (!file_) throw TraceError::in_file(path_, "it can't be opened (" + reason() + "); name a file that can be read");
  input_end_ = read_file(input_.data(), input_.size());
  constexpr unsigned char magic[4] = {0x28, 0xb5, 0x2f, 0xfd};
  if (input_end_ >= sizeof magic && std::memcmp(input_.data(), magic, sizeof magic) == 0) {
    decompressor_ = ZSTD_createDCtx();
    if (decompressor_ == nullptr) throw std::bad_alloc();
  }
}

ByteSource::~ByteSource() {
  ZSTD_freeDCtx(decompressor_);
}

std::size_t ByteSource::read_file(char* to, std::size_t room) {
  const std::size_t n = std::fread(to, 1, room, file_.get());
  if (n < room && std::ferror(file_.get()) != 0) {
    throw TraceError::at_byte(path_, file_offset_ + n, "it can't be read (" + reason() + "); name a readable file");
  }
  file_offset_ += n;
  return n;
}

bool ByteSource::refill_plain() {
  if (input_at_ != input_end_) {  // what the constructor read to see the magic
    std::memcpy(output_.data(), input_.data(), input_end_);
    input_at_ = output_end_ = input_end_;
    return true;
  }
  const std::size_t n = read_file(output_.data() + output_end_, output_.size() - output_end_);
  output_end_ += n;
  return n != 0;
}

bool ByteSource::refill_compressed() {
  for (;;) {
    if (input_at_ == input_end_) {
      input_at_ = 0;
      input_end_ = read_file(input_.data(), input_.size());
      if (input_end_ == 0) {
        if (!frame_open_) return false;
        throw TraceError::at_byte(path_, file_offset_, "the compressed data ends early; the file was cut off here");
      }
    }
    ZSTD_inBuffer in{input_.data(), input_end_, input_at_};
    ZSTD_outBuffer out{output_.data(), output_.size(), output_end_};
    const std::size_t result = ZSTD_decompressStream(decompressor_, &out, &in);
    input_at_ = in.pos;
    if (ZSTD_isError(result) != 0) {
      throw TraceError::at_byte(path_, file_offset_ - input_end_ + input_at_,
                                std::string("the compressed data is corrupt (") + ZSTD_getErrorName(result) +
                                    "); fetch or import the file again");
    }
    frame_open_ = result != 0;
    if (out.pos != output_end_) {
      output_end_ = out.pos;
      return true;
    }
  }
}

bool ByteSource::refill() {
  if (output_at_ != 0) {
    std::memmove(output_.data(), output_.data() + output_at_, output_end_ - output_at_);
    output_end_ -= output_at_;
    output_at_ = 0;
  }
  return compressed() ? refill_compressed() : refill_plain();
}

std::string_view ByteSource::peek(std::size_t n) {
  while (output_end_ - output_at_ < n && refill()) {
  }
  return {output_.data() + output_at_, output_end_ - output_at_};
}

void ByteSource::consume(std::size_t n) {
  output_at_ += n;
  offset_ += n;
}

std::size_t ByteSource::read(char* to, std::size_t n) {
  std::size_t done = 0;
  while (done < n) {
    const std::string_view have = peek(1);
    if (have.empty()) break;
    const std::size_t part = std::min(n - done, have.size());
    std::memcpy(to + done, have.data(), part);
    consume(part);
    done += part;
  }
  return done;
}

bool LineSource::next(std::string_view& line) {
  source_->consume(pending_);
  pending_ = 0;
  std::string_view have = source_->peek(1);
  if (have.empty()) return false;
  ++line_number_;
  std::size_t end = have.find('\n');
  if (end == std::string_view::npos) {
    have = source_->peek(line_bytes_max + 1);
    end = have.find('\n');
  }
  newline_missing_ = end == std::string_view::npos;
  const std::size_t length = newline_missing_ ? have.size() : end;
  if (length > line_bytes_max) {
    throw TraceError::at_line(source_->path(), line_number_, "a line of more than 4096 bytes; is this a text file?");
  }
  line = have.substr(0, length);
  pending_ = length + (newline_missing_ ? 0 : 1);
  return true;
}

ByteSink::ByteSink(std::string path, bool compress, int level) : path_(std::move(path)) {
  std::error_code ignored;
  // A device, a pipe or a link (/dev/stdout is one) is written in place: renaming over it would replace it.
  const auto status = std::filesystem::symlink_status(path_, ignored);
  const bool direct = std::filesystem::exists(status) && !std::filesystem::is_regular_file(status);
  if (!direct) temporary_ = path_ + ".partial." + std::to_string(::getpid());
  file_.reset(std::fopen(direct ? path_.c_str() : temporary_.c_str(), "wb"));
  if (!file_) {
    throw TraceError::in_file(path_, "it can't be written (" + reason() + "); name a file in a writable folder");
  }
  if (!compress) return;
  compressor_ = ZSTD_createCCtx();
  if (compressor_ == nullptr) throw std::bad_alloc();
  ZSTD_CCtx_setParameter(compressor_, ZSTD_c_compressionLevel, level);
  ZSTD_CCtx_setParameter(compressor_, ZSTD_c_checksumFlag, 1);
  output_.resize(ZSTD_CStreamOutSize());
}

ByteSink::~ByteSink() {
  ZSTD_freeCCtx(compressor_);
  if (file_ && !temporary_.empty()) {
    file_.reset();
    std::error_code ignored;
    std::filesystem::remove(temporary_, ignored);
  }
}

void ByteSink::write_file(const char* from, std::size_t n) {
  if (std::fwrite(from, 1, n, file_.get()) != n) {
    throw TraceError::in_file(path_, "it can't be written (" + reason() + "); is the disk full?");
  }
}

void ByteSink::compress(const char* from, std::size_t n, bool last) {
  ZSTD_inBuffer in{from, n, 0};
  std::size_t left = 0;
  do {
    ZSTD_outBuffer out{output_.data(), output_.size(), 0};
    left = ZSTD_compressStream2(compressor_, &out, &in, last ? ZSTD_e_end : ZSTD_e_continue);
    if (ZSTD_isError(left) != 0)
      throw TraceError::in_file(path_, std::string("zstd failed: ") + ZSTD_getErrorName(left));
    write_file(output_.data(), out.pos);
  } while (last ? left != 0 : in.pos != in.size);
}

void ByteSink::write(const char* from, std::size_t n) {
  if (compressor_ != nullptr) {
    compress(from, n, false);
  } else {
    write_file(from, n);
  }
}

void ByteSink::close() {
  if (compressor_ != nullptr) compress(nullptr, 0, true);
  std::FILE* file = file_.release();
  const bool closed = std::fclose(file) == 0;
  std::error_code error;
  if (!temporary_.empty()) {
    if (closed) std::filesystem::rename(temporary_, path_, error);
    if (!closed || error) {
      std::error_code ignored;
      std::filesystem::remove(temporary_, ignored);
    }
  }
  if (!closed || error) throw TraceError::in_file(path_, "it can't be written; is the disk full?");
}

}  // namespace smmusim::trace
