// SPDX-License-Identifier: MIT
// payload_access(): what a generic payload asks for, done in SparseMemory. Shared by the transports of the memory
// module.
#pragma once

#include <tlm>

#include "platform/memory/sparse_memory.h"

namespace smmusim::platform {

/// Executes the payload, byte enables and the SMMU's compare-and-swap included, and returns its response status:
/// TLM_ADDRESS_ERROR_RESPONSE outside memory, TLM_GENERIC_ERROR_RESPONSE for an injected abort.
tlm::tlm_response_status payload_access(SparseMemory& memory, tlm::tlm_generic_payload& payload);

/// The same for transport_dbg: counts nothing; returns the number of bytes done.
unsigned payload_debug_access(SparseMemory& memory, tlm::tlm_generic_payload& payload);

}  // namespace smmusim::platform
