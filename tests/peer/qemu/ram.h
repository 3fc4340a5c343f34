// SPDX-License-Identifier: MIT
// Ram: the RAM of one side. QEMU's is a file in memory that QEMU maps too; the
// model's is private. Both are sparse: only pages that a case touches exist.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>

#include "tests/peer/qemu/layout.h"

namespace smmusim::peer {

class Ram {
 public:
  /// Throws std::runtime_error if the host has no memory for it.
  explicit Ram(const std::string& name);
  ~Ram();
  Ram(const Ram&) = delete;
  Ram& operator=(const Ram&) = delete;

  /// The open file behind it, for QEMU to inherit.
  int file() const { return file_; }

  static bool contains(std::uint64_t address, std::size_t bytes) {
    return address >= ram_base && bytes <= ram_bytes && address - ram_base <= ram_bytes - bytes;
  }
  /// Host address; [address, address + bytes) must be contained.
  std::uint8_t* at(std::uint64_t address) const { return base_ + (address - ram_base); }

  void store(std::uint64_t address, std::uint64_t word);
  std::uint64_t load(std::uint64_t address) const;
  /// Makes the page zero.
  void clear_page(std::uint64_t page);
  /// Makes all of RAM zero and gives its memory back.
  void clear();

 private:
  int file_ = -1;
  std::uint8_t* base_ = nullptr;
};

}  // namespace smmusim::peer
