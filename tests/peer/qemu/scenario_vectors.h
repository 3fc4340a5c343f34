// SPDX-License-Identifier: MIT
// Hand-made scenarios: one minimal one for each row of scenario_rows.cc, and what a driver most relies on.
#pragma once

#include <span>

#include "tests/peer/qemu/scenario_run.h"

namespace smmusim::peer {

struct ScenarioVector {
  const char* name;
  unsigned config;  ///< STE.Config
  void (*edit)(Scenario&);
  /// The right answer: what the model gave in the last step, and its registers then.
  bool (*right)(const Observation&, const Snapshot&);
  const char* row;  ///< the row that has to explain a difference; null: the sides have to agree
};

std::span<const ScenarioVector> scenario_vectors();
Scenario scenario_of(const ScenarioVector& vector);

}  // namespace smmusim::peer
