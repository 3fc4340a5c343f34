// SPDX-License-Identifier: MIT
// The run of a DrivenMachine, from options to summary, JSON and exit code: what runs of all devices share that a
// simulated driver uses.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "platform/system/driven_machine.h"
#include "platform/system/run_options.h"

namespace smmusim {

/// What a run has to say.
struct DrivenReport {
  nlohmann::ordered_json json;
  std::string summary;
  bool holds = false;  ///< everything that the drivers check
};

/// The statistics of any such machine, with `devices` under the key `name`.
nlohmann::ordered_json driven_json(DrivenMachine& machine, std::string_view name, nlohmann::ordered_json devices);

/// Calls `simulate`, writes what it reports where `options` want it; the exit code. `model`: of endpoint.model, for
/// messages. Throws InputError for options that only a replay has, and for what the machine refuses.
int run_driven(const RunOptions& options, std::string_view model, const std::function<DrivenReport()>& simulate);

}  // namespace smmusim
