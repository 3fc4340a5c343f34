// SPDX-License-Identifier: MIT
// explain: one translation told, over whatever machine: a dump or what the driver set up.
#pragma once

#include <string>
#include <vector>

#include "platform/explain/story.h"
#include "platform/explain/untimed_smmu.h"

namespace smmusim::explain {

/// A sentence about the features that the registers advertise and this version does not model; empty if there are none.
std::string missing_features(const spec::Features& features, const RegisterDump& registers);

/// Tells what `transaction` meets at an SMMU of `config` with `registers` over `memory`, which must answer at once.
/// `notes` come before the story's own. Nothing is changed. Throws std::invalid_argument if the configuration, or the
/// features that the registers give it, can't be.
Story tell(const SmmuConfig& config, const RegisterDump& registers, MemoryPort& memory, const Transaction& transaction,
           std::vector<std::string> notes = {});

}  // namespace smmusim::explain
