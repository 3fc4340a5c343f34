// SPDX-License-Identifier: MIT
// The driver's leaf descriptors over time: see driver_tables.h.
#include "tests/oracle/driver_tables.h"

#include <fmt/format.h>

namespace smmusim::oracle {

DriverTables::DriverTables(Machine& machine, const LogSteps& log) : machine_(machine) {
  for (const LogStep& step : log.steps) {
    if (!step.walk.empty()) leaves_[step.walk.back().address] = {step.access.address & ~low_mask(12), 0};
  }
  for (const auto& [address, leaf] : leaves_) machine_.store(address, 0);
  counts_.descriptors = leaves_.size();
}

std::string DriverTables::before(const LogStep& step) {
  if (step.walk.empty()) return {};
  const LoggedFetch& read = step.walk.back();
  Leaf& leaf = leaves_.at(read.address);
  if (leaf.iova != (step.access.address & ~low_mask(12))) {
    return fmt::format("descriptor {:#x} serves two addresses, {:#x} and {:#x}", read.address, leaf.iova,
                       step.access.address);
  }
  if (leaf.value == read.value) return {};
  if (leaf.value != 0) {
    return fmt::format("descriptor {:#x} changes from {:#x} to {:#x} without an invalidation", read.address, leaf.value,
                       read.value);
  }
  leaf.value = read.value;
  machine_.store(read.address, read.value);
  ++counts_.mapped;
  return {};
}

void DriverTables::unmap(const trace::Record& invalidation) {
  if (invalidation.kind != trace::Kind::invalidate) return;
  for (auto& [address, leaf] : leaves_) {
    if (leaf.value == 0 || (invalidation.is_range() && !invalidation.covers(leaf.iova))) continue;
    leaf.value = 0;
    machine_.store(address, 0);
    ++counts_.unmapped;
  }
}

std::vector<std::string> DriverTables::compare_with(const Image& image) {
  std::vector<std::string> findings;
  for (const auto& [address, leaf] : leaves_) {
    const std::uint64_t final_value = image_word(image, address);
    if (leaf.value == final_value) {
      ++counts_.as_in_image;
    } else if (leaf.value == 0) {
      ++counts_.mapped_unused;
    } else {
      findings.push_back(fmt::format("descriptor {:#x} is {:#x} after the log's last line and {:#x} in the image",
                                     address, leaf.value, final_value));
    }
  }
  return findings;
}

}  // namespace smmusim::oracle
