// SPDX-License-Identifier: MIT
// What a command of the guest's driver is in a trace: the record that tells a player to do the same.
#pragma once

#include <optional>

#include "model/spec/command.h"
#include "platform/trace/record.h"

namespace smmusim::cosim {

/// The record of an invalidation command, without a time. `with_vmid`: the SMMU has a stage 2, so that VMIDs tell
/// entries apart. Nothing for the commands that a trace has no record for (CMD_SYNC, which every record implies,
/// prefetches, ATS, PRI, faults).
std::optional<trace::Record> record_of(const spec::Command& command, bool with_vmid);

}  // namespace smmusim::cosim
