// SPDX-License-Identifier: MIT
// The statistics' `host`: what accelerated nested mode asked of its host and what came of it, all vSMMUs together.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "platform/nested/nested_machine.h"

namespace smmusim::nested {

/// {ioctls{name: {count, mean_ns, errors, ...}}, batches, batched_commands, hwpts, attaches, ..., veventq{...}}.
nlohmann::ordered_json host_json(NestedMachine& machine);

/// The same in a few lines, for the summary of a run.
std::string host_text(const nlohmann::ordered_json& host);

}  // namespace smmusim::nested
