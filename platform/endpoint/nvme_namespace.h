// SPDX-License-Identifier: MIT
// NvmeNamespace: the blocks of an NVMe namespace, in host memory or in a file. It has contents and no time.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace smmusim::platform {

class NvmeNamespace {
 public:
  /// Blocks of 2^`block_bits` bytes (9 to 12). All zeros, in memory that grows with what is written. Throws
  /// std::invalid_argument for sizes that can't be.
  NvmeNamespace(unsigned block_bits, std::uint64_t blocks);
  /// The file's blocks, which it keeps; opened for reading and writing. Throws std::invalid_argument, with the file's
  /// name, if it is no regular file that can be opened so, is empty, or ends within a block.
  NvmeNamespace(unsigned block_bits, const std::string& file);
  ~NvmeNamespace();
  NvmeNamespace(const NvmeNamespace&) = delete;
  NvmeNamespace& operator=(const NvmeNamespace&) = delete;

  unsigned block_bits() const { return block_bits_; }
  std::uint64_t blocks() const { return blocks_; }
  std::uint64_t bytes_of(std::uint64_t blocks) const { return blocks << block_bits_; }

  /// Whole blocks from `first` on, all of which exist. False: the file can't be read or written there.
  bool read(std::uint64_t first, std::span<unsigned char> into) const;
  bool write(std::uint64_t first, std::span<const unsigned char> from);
  /// What was written is in the file. False: it is not.
  bool flush();

 private:
  static constexpr std::uint64_t chunk_bytes = 1U << 16;

  unsigned block_bits_;
  std::uint64_t blocks_ = 0;
  int file_ = -1;                                                     // none: in memory
  std::map<std::uint64_t, std::unique_ptr<unsigned char[]>> chunks_;  // by number
};

}  // namespace smmusim::platform
