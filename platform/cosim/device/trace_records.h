// SPDX-License-Identifier: MIT
// What a command of the guest's driver is in a trace: the record that tells a player to do the same.
#pragma once

#include <optional>

#include "model/spec/command.h"
#include "model/spec/features.h"
#include "platform/trace/record.h"

namespace smmusim::cosim {

/// The record of an invalidation command, without a time. VMIDs are left out where the SMMU has no stage 2. Where it
/// has no stage 1, the addresses of devices are IPAs and a VMID names what an ASID names elsewhere: S2_IPA and
/// S12_VMALL are then ranges and spaces by ASID, so that the trace plays at any stage. Nothing for the commands that a
/// trace has no record for (CMD_SYNC, which every record implies, prefetches, ATS, PRI, faults).
std::optional<trace::Record> record_of(const spec::Command& command, const spec::Features& features);

}  // namespace smmusim::cosim
