// SPDX-License-Identifier: MIT
// When an access is answered: after its transfer on the channel, the latency and the jitter. What it does to memory
// is perform()'s.
#include "platform/memory/latency_port.h"

#include <algorithm>

#include "platform/memory/memory_access.h"

namespace smmusim {

LatencyPort::LatencyPort(Engine& engine, SparseMemory& memory, const LatencyPortConfig& config)
    : engine_(engine),
      memory_(memory),
      config_(config),
      random_(config.seed),
      rate_(rate_of_gbit(config.bandwidth_gbit_per_s)) {}

bool LatencyPort::start(MemoryRequest& request) {
  perform(memory_, request);
  const Time begin = std::max(engine_.now(), free_at_);
  free_at_ = begin + rate_.time_of(request.size);
  engine_.schedule_at(free_at_ + config_.latency_ps + jitter() + request.own_time, request);
  return false;
}

void LatencyPort::abandon(const Scope& scope) {
  engine_.cancel(scope);
}

Time LatencyPort::jitter() {
  if (config_.jitter_ps == 0) return 0;
  random_ += 0x9e3779b97f4a7c15;  // splitmix64: small, seedable with any value, good enough for delays
  std::uint64_t mixed = random_;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
  mixed ^= mixed >> 31;
  return config_.jitter_ps == time_never ? mixed : mixed % (config_.jitter_ps + 1);
}

}  // namespace smmusim
