// SPDX-License-Identifier: MIT
// The summary of a run for people: what was played, what it took, a text histogram of latencies, and the line
// `checked N, mismatches M`.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "platform/system/simulation.h"

namespace smmusim {

/// Lines with newlines. `statistics` is statistics_json() of the same simulation.
std::string summary_text(const Simulation& simulation, const nlohmann::ordered_json& statistics, bool colour);

}  // namespace smmusim
