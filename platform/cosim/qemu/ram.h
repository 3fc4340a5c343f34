// SPDX-License-Identifier: MIT
// The RAM of QEMU's machine, as it is when the machine is complete. Reads and compare-and-swaps go to the host's
// memory; writes go through QEMU, so that it forgets code that it has translated from there and marks pages dirty. For
// RAM that takes no big lock.
#pragma once

#include <vector>

#include "platform/cosim/device/guest_port.h"
#include "platform/cosim/qemu/symbols.h"

namespace smmusim::cosim::qemu {

class Ram final : public GuestRam {
 public:
  /// Looks for RAM in the whole system memory. Needs the big lock.
  void discover(const Symbols& qemu);

  std::byte* find(std::uint64_t address, std::uint64_t size) override;
  void write(std::uint64_t address, const void* data, std::uint64_t size) override;

 private:
  struct Range {
    std::uint64_t first, size;
    std::byte* host;
  };
  const Symbols* qemu_ = nullptr;
  std::vector<Range> ranges_;
};

}  // namespace smmusim::cosim::qemu
