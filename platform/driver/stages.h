// SPDX-License-Identifier: MIT
// DriverStages: which stages of translation the simulated driver uses. A value; what follows from it is decided where
// tables are built (MachineSetup) and commands are issued (Player).
#pragma once

#include <cstdint>

namespace smmusim {

enum class DriverStages : std::uint8_t {
  one,     ///< stage 1, as an operating system for its own devices
  two,     ///< stage 2 alone, as a hypervisor for the devices of its guests: an address space is a VMID
  nested,  ///< stage 1 as a guest has it, over a stage 2 that maps every guest address to itself
};

constexpr bool uses_stage1(DriverStages stages) {
  return stages != DriverStages::two;
}
constexpr bool uses_stage2(DriverStages stages) {
  return stages != DriverStages::one;
}

}  // namespace smmusim
