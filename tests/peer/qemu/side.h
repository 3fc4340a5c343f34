// SPDX-License-Identifier: MIT
// Side: one of the two simulators as a driver and devices see it. Register writes may be held back until the next read
// or access; memory is the side's Ram.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tests/peer/qemu/case.h"
#include "tests/peer/qemu/setup.h"

namespace smmusim::peer {

class Side {
 public:
  virtual ~Side() = default;
  /// To a state without active errors, interrupts enabled or queues in use. Caches may hold anything.
  virtual void begin() = 0;
  virtual void write(const RegisterWrite& one) = 0;
  /// 32-bit reads.
  virtual std::vector<std::uint32_t> read(std::span<const std::uint32_t> offsets) = 0;
  /// One access: landed, address, read are filled in. Returns the registers at `offsets` after it.
  virtual std::vector<std::uint32_t> access(const Access& one, std::span<const std::uint32_t> offsets,
                                            Observation& seen) = 0;
  /// The wired interrupts that have pulsed since the last call: bit 0 Event queue, 2 CMD_SYNC, 3 GERROR.
  virtual unsigned wires() = 0;
  virtual Ram& ram() = 0;
};

}  // namespace smmusim::peer
