// SPDX-License-Identifier: MIT
// perform(): does what one of the SMMU's memory requests asks for, at once, in SparseMemory. Shared by the ports
// that sit directly on it; they add when the answer comes, and nothing else.
#pragma once

#include "model/sim/memory_port.h"
#include "platform/memory/sparse_memory.h"

namespace smmusim {

/// Executes `request` and sets its status, its data and, for compare_and_swap, `expected`.
void perform(SparseMemory& memory, MemoryRequest& request);

}  // namespace smmusim
