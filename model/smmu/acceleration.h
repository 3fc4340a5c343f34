// SPDX-License-Identifier: MIT
// What the guest does, told to the Accelerator (accelerator.h). Every function does nothing where there is none.
#pragma once

#include "model/spec/codes.h"
#include "model/spec/command.h"

namespace smmusim {

struct Core;

/// A legal command, before the SMMU itself carries it out. Anything but CERROR_NONE stops the queue.
spec::CommandError accelerate_command(Core& core, const spec::Command& command);

/// SMMUEN or, while it is 0, GBPA.ABORT has changed, or the SMMU was reset: every stream is set anew.
void accelerate_registers(Core& core);

/// False while the Accelerator is at work.
bool accelerator_settled(const Core& core);

}  // namespace smmusim
