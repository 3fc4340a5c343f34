// SPDX-License-Identifier: MIT
// Blocks in chunks of memory, or in a file through POSIX calls.
#include "platform/endpoint/nvme_namespace.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace smmusim::platform {
namespace {

constexpr unsigned block_bits_min = 9, block_bits_max = 12;
constexpr std::uint64_t bytes_max = std::uint64_t{1} << 62;

void require_block_bits(unsigned bits) {
  if (bits >= block_bits_min && bits <= block_bits_max) return;
  throw std::invalid_argument("NVMe blocks of 2^" + std::to_string(bits) + " bytes; give 512, 1024, 2048 or 4096");
}

/// All of it, whatever the kernel does at a time. False: an error, or the file has become shorter.
template <class Call>
bool all_of(Call call, std::uint64_t bytes) {
  std::uint64_t done = 0;
  while (done != bytes) {
    const ssize_t step = call(done, static_cast<std::size_t>(bytes - done));
    if (step < 0 && errno == EINTR) continue;
    if (step <= 0) return false;
    done += static_cast<std::uint64_t>(step);
  }
  return true;
}

}  // namespace

NvmeNamespace::NvmeNamespace(unsigned block_bits, std::uint64_t blocks) : block_bits_(block_bits), blocks_(blocks) {
  require_block_bits(block_bits);
  if (blocks == 0 || blocks > bytes_max >> block_bits) {
    throw std::invalid_argument("an NVMe namespace of " + std::to_string(blocks) +
                                " blocks; give at least 1, at most " + std::to_string(bytes_max >> block_bits));
  }
}

NvmeNamespace::NvmeNamespace(unsigned block_bits, const std::string& file) : block_bits_(block_bits) {
  require_block_bits(block_bits);
  const auto fail = [&](const std::string& what) {
    if (file_ >= 0) ::close(file_);
    throw std::invalid_argument(file + ": " + what);
  };
  file_ = ::open(file.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK);  // a pipe must not hold us up
  if (file_ < 0) fail(std::string(std::strerror(errno)) + "; an NVMe namespace is a file to read and write");
  struct stat about {};
  if (::fstat(file_, &about) != 0 || !S_ISREG(about.st_mode)) fail("no regular file; an NVMe namespace has to be one");
  const auto bytes = static_cast<std::uint64_t>(about.st_size);
  const std::uint64_t block = std::uint64_t{1} << block_bits;
  if (bytes == 0 || bytes % block != 0) {
    fail("its " + std::to_string(bytes) + " bytes are no whole number of blocks of " + std::to_string(block) +
         "; make it larger, or the blocks smaller");
  }
  blocks_ = bytes >> block_bits;
}

NvmeNamespace::~NvmeNamespace() {
  if (file_ >= 0) ::close(file_);
}

bool NvmeNamespace::read(std::uint64_t first, std::span<unsigned char> into) const {
  const std::uint64_t start = first << block_bits_;
  if (file_ >= 0) {
    return all_of(
        [&](std::uint64_t done, std::size_t left) {
          return ::pread(file_, into.data() + done, left, static_cast<off_t>(start + done));
        },
        into.size());
  }
  for (std::uint64_t done = 0; done != into.size();) {
    const std::uint64_t at = start + done;
    const std::uint64_t step = std::min(into.size() - done, chunk_bytes - at % chunk_bytes);
    const auto chunk = chunks_.find(at / chunk_bytes);
    if (chunk == chunks_.end()) {
      std::memset(into.data() + done, 0, step);
    } else {
      std::memcpy(into.data() + done, chunk->second.get() + at % chunk_bytes, step);
    }
    done += step;
  }
  return true;
}

bool NvmeNamespace::write(std::uint64_t first, std::span<const unsigned char> from) {
  const std::uint64_t start = first << block_bits_;
  if (file_ >= 0) {
    return all_of(
        [&](std::uint64_t done, std::size_t left) {
          return ::pwrite(file_, from.data() + done, left, static_cast<off_t>(start + done));
        },
        from.size());
  }
  for (std::uint64_t done = 0; done != from.size();) {
    const std::uint64_t at = start + done;
    const std::uint64_t step = std::min(from.size() - done, chunk_bytes - at % chunk_bytes);
    auto& chunk = chunks_[at / chunk_bytes];
    if (chunk == nullptr) chunk = std::make_unique<unsigned char[]>(chunk_bytes);
    std::memcpy(chunk.get() + at % chunk_bytes, from.data() + done, step);
    done += step;
  }
  return true;
}

bool NvmeNamespace::flush() {
  return file_ < 0 || ::fdatasync(file_) == 0;
}

}  // namespace smmusim::platform
