// SPDX-License-Identifier: MIT
// The SMMU's own memory accesses: structures, descriptors, queues, MSIs. Every one passes start_own_access(), which
// keeps it inside the OAS and out of the SMMU's own registers (both are external aborts) and counts it.
#pragma once

#include "model/sim/memory_port.h"

namespace smmusim {

struct Core;

/// Starts `request` on `port` (the core's, or the one for debug accesses); as MemoryPort::start.
bool start_own_access(Core& core, MemoryPort& port, MemoryRequest& request);
/// Counts a completed access and shows it to the Observer.
void finish_own_access(Core& core, const MemoryRequest& request);

/// `MemoryStatus status = co_await own_read(...)`.
struct OwnAccess : MemoryRequest {
  Core* core = nullptr;
  MemoryPort* port = nullptr;
  bool await_ready() {
    fire = &Resumption::resume;
    return start_own_access(*core, *port, *this);
  }
  void await_suspend(std::coroutine_handle<> caller) { waiter = caller; }
  MemoryStatus await_resume() {
    finish_own_access(*core, *this);
    return status;
  }
};

OwnAccess own_read(Core& core, MemoryPort& port, Purpose purpose, Pa address, void* data, std::uint32_t size,
                   MemoryAttributes attributes);
OwnAccess own_write(Core& core, Purpose purpose, Pa address, void* data, std::uint32_t size,
                    MemoryAttributes attributes);
/// One descriptor, as 8 bytes in memory order.
OwnAccess own_descriptor_read(Core& core, MemoryPort& port, Pa address, std::uint64_t* descriptor, unsigned stage,
                              int level, MemoryAttributes attributes);

}  // namespace smmusim
