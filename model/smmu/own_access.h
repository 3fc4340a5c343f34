// SPDX-License-Identifier: MIT
// The SMMU's own memory accesses: structures, descriptors, queues, MSIs. Every one passes start_own_access(), which
// keeps it inside the OAS and out of the SMMU's own registers (both are external aborts) and counts it.
#pragma once

#include "model/sim/memory_port.h"
#include "model/smmu/core.h"

namespace smmusim {

/// False beyond the OAS (section 3.4.3) and in the SMMU's own registers.
inline bool reachable(const Core& core, Pa address, std::uint32_t size) {
  const std::uint64_t first = address.value;
  const std::uint64_t last = first + size - 1;
  const bool too_large = ((first | last) & core.beyond_oas) != 0;
  const bool own_registers = first - core.config.frame_base.value < core.config.frame_bytes;
  return !too_large && !own_registers;
}

/// read_window() of `port`, if all of it is reachable.
bool reachable_window(const Core& core, MemoryPort& port, Pa address, ReadWindow& window);

/// Starts `request` on `port` (the core's, or the one for debug accesses); as MemoryPort::start. What is not reachable
/// is an external abort.
inline bool start_own_access(const Core& core, MemoryPort& port, MemoryRequest& request) {
  if (reachable(core, request.address, request.size)) [[likely]]
    return port.start(request);
  request.status = MemoryStatus::external_abort;
  return true;
}
/// Counts a completed access.
inline void count_own_access(Core& core, const MemoryRequest& request) {
  const auto purpose = static_cast<std::size_t>(request.purpose);
  ++(request.op == MemoryOp::read ? core.counters.reads_by_purpose : core.counters.writes_by_purpose)[purpose];
  core.counters.external_aborts += request.status == MemoryStatus::external_abort ? 1 : 0;
}

/// `MemoryStatus status = co_await own_read(...)`. May be awaited again after address and level have changed.
struct OwnAccess : MemoryAccess {
  Core* core = nullptr;
  bool counted = true;  ///< false for accesses that must leave no trace in the counters (debug)
  bool done = false;
  /// Starts it. True: it is done, and await_resume() may be called at once. False: it must be awaited, as Started.
  bool await_ready() {
    done = start_own_access(*core, *port, *this);
    return done && own_time == 0;
  }
  void await_suspend(std::coroutine_handle<> caller) {
    resumes(caller);
    if (done) core->lifetime.engine().schedule_in(own_time, *this);
  }
  MemoryStatus await_resume() {
    if (counted) count_own_access(*core, *this);
    if (core->observer != nullptr) core->observer->access(*this);
    return status;
  }
};

/// `co_await Started{access}` after access.await_ready() was false; await_resume() of the access is the caller's.
struct Started {
  OwnAccess& access;
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> caller) { access.await_suspend(caller); }
  void await_resume() const {}
};

inline OwnAccess own_access(Core& core, MemoryPort& port, MemoryOp op, Purpose purpose, Pa address, void* data,
                            std::uint32_t size, MemoryAttributes attributes) {
  OwnAccess access;
  access.core = &core;
  access.port = &port;
  access.scope = &core.lifetime;
  access.op = op;
  access.purpose = purpose;
  access.address = address;
  access.data = data;
  access.size = size;
  access.attributes = attributes;
  access.mpam = core.own_mpam;  // CD and descriptor reads replace it
  return access;
}
inline OwnAccess own_read(Core& core, MemoryPort& port, Purpose purpose, Pa address, void* data, std::uint32_t size,
                          MemoryAttributes attributes) {
  return own_access(core, port, MemoryOp::read, purpose, address, data, size, attributes);
}
/// Through the core's own port: debug accesses never write.
inline OwnAccess own_write(Core& core, Purpose purpose, Pa address, void* data, std::uint32_t size,
                           MemoryAttributes attributes) {
  return own_access(core, core.memory, MemoryOp::write, purpose, address, data, size, attributes);
}

}  // namespace smmusim
