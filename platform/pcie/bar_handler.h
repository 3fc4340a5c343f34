// SPDX-License-Identifier: MIT
// BarHandler: what answers in the BARs of a function. Offsets are in the BAR; values are little-endian.
#pragma once

#include <cstdint>

namespace smmusim::platform {

class BarHandler {
 public:
  virtual ~BarHandler() = default;
  virtual std::uint64_t bar_read(unsigned bar, std::uint64_t offset, unsigned size) = 0;
  virtual void bar_write(unsigned bar, std::uint64_t offset, std::uint64_t value, unsigned size) = 0;
};

}  // namespace smmusim::platform
