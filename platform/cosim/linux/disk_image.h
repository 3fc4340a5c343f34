// SPDX-License-Identifier: MIT
// A disk whose contents the launcher knows: what the guest reads from it can be checked without a second copy.
#pragma once

#include <cstdint>
#include <string>

namespace smmusim::cosim {

struct DiskPlan {
  static constexpr std::uint64_t block_bytes = 4096;
  static constexpr std::uint64_t known_bytes = 16 << 20;  ///< pseudo-random, only read by the guest
  static constexpr std::uint64_t free_bytes = 16 << 20;   ///< behind it, for the guest to write
  static constexpr unsigned groups = 256;
  static constexpr unsigned reads_of_group = 64;

  std::string contents;    ///< of the known part
  std::string md5;         ///< of the known part
  std::string read_lists;  ///< a line a group: the MD5 of its blocks one after the other, then their numbers
};

/// All of it follows from the seed.
DiskPlan plan_disk(std::uint64_t seed);

/// Writes the known part and the hole behind it. Throws InputError.
void write_disk(const DiskPlan& plan, const std::string& path);

}  // namespace smmusim::cosim
