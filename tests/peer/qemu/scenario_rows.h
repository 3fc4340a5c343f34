// SPDX-License-Identifier: MIT
// Where QEMU is known to differ from the architecture over several steps: the counterpart of divergences.h. A row looks
// at the step, the state before it and the parts that differ; which parts may differ is the row's.
#pragma once

#include <span>
#include <vector>

#include "tests/peer/qemu/scenario_run.h"

namespace smmusim::peer {

struct ScenarioRow {
  const char* name;
  const char* section;   ///< of IHI 0070
  const char* sentence;  ///< what QEMU does
  bool (*holds)(const StepView&);
  unsigned parts;       ///< nothing else may differ
  bool parts_for_good;  ///< the scenario ends
  unsigned masks = 0;   ///< parts that are not compared from then on
};

std::span<const ScenarioRow> scenario_rows();

/// The rows that explain the parts that differ: one that explains them all, or several after which the scenario goes
/// on. Empty if none do.
std::vector<const ScenarioRow*> explain(const StepView& view);
/// The same among the rows of divergences.h, which look at one access; null if none does.
const char* explain_access(const StepView& view);

}  // namespace smmusim::peer
