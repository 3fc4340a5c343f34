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

Scope& scope_of(Core& core);

/// `MemoryStatus status = co_await own_read(...)`. May be awaited again after address and level have changed.
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

inline OwnAccess own_access(Core& core, MemoryPort& port, MemoryOp op, Purpose purpose, Pa address, void* data,
                            std::uint32_t size, MemoryAttributes attributes) {
  OwnAccess access;
  access.core = &core;
  access.port = &port;
  access.scope = &scope_of(core);
  access.op = op;
  access.purpose = purpose;
  access.address = address;
  access.data = data;
  access.size = size;
  access.attributes = attributes;
  return access;
}
inline OwnAccess own_read(Core& core, MemoryPort& port, Purpose purpose, Pa address, void* data, std::uint32_t size,
                          MemoryAttributes attributes) {
  return own_access(core, port, MemoryOp::read, purpose, address, data, size, attributes);
}
/// Through the core's own port: debug accesses never write.
OwnAccess own_write(Core& core, Purpose purpose, Pa address, void* data, std::uint32_t size,
                    MemoryAttributes attributes);

}  // namespace smmusim
