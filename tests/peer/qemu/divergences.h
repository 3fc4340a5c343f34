// SPDX-License-Identifier: MIT
// Where QEMU is known to differ from the architecture: a predicate over the case's input, the section that says what
// is right, and the events that the two sides may then record. Keyed by QEMU's version. A difference that no row
// covers is unexplained.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tests/peer/qemu/case.h"
#include "tests/peer/qemu/compare.h"
#include "tests/peer/qemu/facts.h"

namespace smmusim::peer {

struct Divergence {
  const char* name;
  const char* section;   ///< of IHI 0070, or of DDI 0487 where it says so
  const char* sentence;  ///< what QEMU does
  bool (*holds)(const Case&, const Facts&);
  /// Event numbers that each side may have recorded first; 0 = none; empty = any.
  std::vector<unsigned> model;
  std::vector<unsigned> qemu;
  /// Bits of the event record that may differ. If there are any, nothing else may.
  EventRecord ignored{};
  bool stops = false;  ///< QEMU stops
};

/// Versions of QEMU whose divergences are known, as "11.1".
bool version_known(const std::string& version);

std::span<const Divergence> divergences();

/// The row that explains a difference between two observations of a case; null if none does.
const Divergence* explain(const Sides& sides);

}  // namespace smmusim::peer
