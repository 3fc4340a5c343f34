// SPDX-License-Identifier: MIT
// The case generator: case `index` of seed `seed` is the same on every machine.
// Most cases start out valid and are then mutated; which way is in Case::notes.
#pragma once

#include <cstdint>

#include "tests/peer/qemu/case.h"
#include "tests/peer/qemu/scenario.h"
#include "tests/peer/qemu/tables.h"

namespace smmusim::peer {

/// `kind` is walk or structures. `attempt` counts from 0 for the cases that had to be replaced because they
/// left the machine that both sides have.
Case generate(Kind kind, std::uint64_t seed, std::uint64_t index, unsigned attempt, Stages stages, bool may_kill);

/// Where the structures of a case stand; 0 if there is none.
struct Places {
  std::uint64_t ste = 0;
  std::uint64_t cd = 0;  ///< physical
};

/// Changes one thing of a case, chosen at random, and notes it. `may_kill`:
/// also what makes QEMU abort.
void mutate(Workshop& shop, const Places& places, bool may_kill);
/// Changes a few of the STE's and CD's fields that no address depends on: faults, attributes, substreams, ATS, HTTU.
void mutate_structures(Workshop& shop, const Places& places);

}  // namespace smmusim::peer
