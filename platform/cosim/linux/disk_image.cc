// SPDX-License-Identifier: MIT
// DiskPlan; see the header.
#include "platform/cosim/linux/disk_image.h"

#include <filesystem>
#include <random>

#include "platform/config/load.h"
#include "platform/cosim/linux/md5.h"
#include "platform/programs/temporary_folder.h"

namespace smmusim::cosim {

DiskPlan plan_disk(std::uint64_t seed) {
  constexpr std::uint64_t blocks = DiskPlan::known_bytes / DiskPlan::block_bytes;
  DiskPlan plan;
  std::mt19937_64 random(seed);
  plan.contents.reserve(DiskPlan::known_bytes);
  while (plan.contents.size() != DiskPlan::known_bytes) {
    const std::uint64_t word = random();
    for (unsigned i = 0; i != sizeof word; ++i) plan.contents += static_cast<char>(word >> (8 * i) & 0xff);
  }
  plan.md5 = md5(plan.contents);
  for (unsigned group = 0; group != DiskPlan::groups; ++group) {
    std::string read, numbers;
    for (unsigned i = 0; i != DiskPlan::reads_of_group; ++i) {
      const std::uint64_t block = random() % blocks;
      read += plan.contents.substr(block * DiskPlan::block_bytes, DiskPlan::block_bytes);
      numbers += " " + std::to_string(block);
    }
    plan.read_lists += md5(read) + numbers + "\n";
  }
  return plan;
}

void write_disk(const DiskPlan& plan, const std::string& path) {
  programs::write_file(path, plan.contents);
  std::error_code error;
  std::filesystem::resize_file(path, DiskPlan::known_bytes + DiskPlan::free_bytes, error);
  if (error) throw InputError(path + ": can't be made longer (" + error.message() + "); give it room");
}

}  // namespace smmusim::cosim
