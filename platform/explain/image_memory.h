// SPDX-License-Identifier: MIT
// ImageMemory: the memory of a dump, behind the MemoryPort of an untimed SMMU: pages of a pages file and single words
// over them. It answers reads at once and refuses everything else: whoever explains changes nothing.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "model/sim/memory_port.h"

namespace smmusim::explain {

class ImageMemory final : public MemoryPort {
 public:
  static constexpr std::uint64_t page_bytes = 4096;
  static constexpr std::size_t pages_max = std::size_t{1} << 20;  ///< 4 GiB: what a small file may unpack to

  /// `strict`: what the dump does not hold is an external abort; else it reads as zero.
  explicit ImageMemory(bool strict = false) : strict_(strict) {}

  /// Adds the pages of a file, plain or zstd: records of a little-endian 64-bit physical address, a multiple of 4096,
  /// and 4096 bytes. Throws trace::TraceError with the byte offset for a truncated record, an address that is no
  /// page's, a page that is there twice, or more than pages_max pages.
  void add_pages(const std::string& path);
  /// Puts the doubleword at `address`, a multiple of 8, over whatever the pages hold there.
  void put_word(std::uint64_t address, std::uint64_t value) { words_[address] = value; }
  void clear_words() { words_.clear(); }

  std::size_t pages() const { return pages_.size(); }
  /// The doubleword at `address`, a multiple of 8. False: the dump does not hold it.
  bool word(std::uint64_t address, std::uint64_t& value) const;

  bool start(MemoryRequest& request) override;
  void abandon(const Scope&) override {}

 private:
  using Page = std::array<std::uint64_t, page_bytes / 8>;
  bool read(const MemoryRequest& request) const;

  bool strict_;
  std::vector<Page> pages_;
  std::unordered_map<std::uint64_t, std::size_t> index_;  // page address -> place in pages_
  std::unordered_map<std::uint64_t, std::uint64_t> words_;
};

}  // namespace smmusim::explain
