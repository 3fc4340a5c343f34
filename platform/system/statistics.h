// SPDX-License-Identifier: MIT
// The statistics of a finished Simulation as JSON, with the keys of the contract. Times are nanoseconds of simulated
// time; only the host_* keys and the rate depend on the host.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "platform/system/simulation.h"

namespace smmusim {

/// `host_seconds` is what the run took.
nlohmann::ordered_json statistics_json(Simulation& simulation, double host_seconds);

/// Indented, with a final newline.
std::string to_text(const nlohmann::ordered_json& json);

}  // namespace smmusim
