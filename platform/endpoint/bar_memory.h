// SPDX-License-Identifier: MIT
// BarMemory: BARs behind which there is memory, as a device's that gives its own to others. What was never written
// reads as zeros.
#pragma once

#include <array>
#include <cstdint>
#include <map>

#include "platform/pcie/bar_handler.h"

namespace smmusim::platform {

class BarMemory final : public BarHandler {
 public:
  std::uint64_t bar_read(unsigned bar, std::uint64_t offset, unsigned size) override;
  void bar_write(unsigned bar, std::uint64_t offset, std::uint64_t value, unsigned size) override;

 private:
  static constexpr std::uint64_t page_bytes = 4096;
  using Page = std::array<unsigned char, page_bytes>;
  std::map<std::uint64_t, Page> pages_;  // by BAR and offset
};

}  // namespace smmusim::platform
