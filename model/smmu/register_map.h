// SPDX-License-Identifier: MIT
// The programming interface as a table (IHI 0070 sections 6.2 and 6.3): for each register what a read gives, which
// bits a write may change now (features and guards decide), and what a write sets off. SMMUv3.2's rule for guarded
// registers holds for every version: a write that the guard forbids is ignored.
#pragma once

#include <cstdint>

namespace smmusim {

struct Core;
struct RegisterFile;

struct RegisterBehaviour {
  std::uint32_t offset;
  unsigned width_bits;  ///< 32 or 64
  std::uint64_t (*read)(const Core&);
  std::uint64_t& (*storage)(RegisterFile&);      ///< null: read-only
  std::uint64_t (*writable)(const Core&);        ///< bits that a write may change now
  void (*written)(Core&, std::uint64_t before);  ///< null: nothing follows
};

/// The register that holds byte `offset`, or null where the map is RES0.
const RegisterBehaviour* find_register_behaviour(std::uint32_t offset);

std::uint64_t read_mmio(Core& core, std::uint32_t offset, unsigned size);
void write_mmio(Core& core, std::uint32_t offset, std::uint64_t value, unsigned size);
/// Values after reset; fields whose reset is UNKNOWN are 0.
void reset_registers(Core& core);

}  // namespace smmusim
