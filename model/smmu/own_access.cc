// SPDX-License-Identifier: MIT
#include "model/smmu/own_access.h"

#include "model/smmu/core.h"

namespace smmusim {
namespace {

/// Addresses that no access of the SMMU's own may reach: beyond the OAS (section 3.4.3), its own registers.
bool reachable(const SmmuConfig& config, const MemoryRequest& request) {
  const std::uint64_t first = request.address.value;
  const std::uint64_t last = first + request.size - 1;
  if (last < first || !fits(last, config.features.oas)) return false;
  return last < config.frame_base.value || first - config.frame_base.value >= config.frame_bytes;
}

}  // namespace

bool start_own_access(Core& core, MemoryPort& port, MemoryRequest& request) {
  if (reachable(core.config, request)) return port.start(request);
  request.status = MemoryStatus::external_abort;
  return true;
}

void finish_own_access(Core& core, const MemoryRequest& request) {
  const auto purpose = static_cast<std::size_t>(request.purpose);
  ++(request.op == MemoryOp::read ? core.counters.reads_by_purpose : core.counters.writes_by_purpose)[purpose];
  core.counters.external_aborts += request.status == MemoryStatus::external_abort ? 1 : 0;
  if (core.observer != nullptr) core.observer->access(request);
}

OwnAccess own_write(Core& core, Purpose purpose, Pa address, void* data, std::uint32_t size,
                    MemoryAttributes attributes) {
  return own_access(core, core.memory, MemoryOp::write, purpose, address, data, size, attributes);
}

Scope& scope_of(Core& core) {
  return core.lifetime;
}

const char* name_of(Purpose purpose) {
  constexpr const char* names[purposes] = {"L1STD", "STE", "L1CD", "CD", "TTD", "CMD", "EVENT", "PRI", "MSI", "VMS"};
  return names[static_cast<std::size_t>(purpose)];
}

}  // namespace smmusim
