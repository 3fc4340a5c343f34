// SPDX-License-Identifier: MIT
// LatencyPort: a timed MemoryPort without SystemC, for tests and benchmarks. An access takes effect in memory when
// it starts and is answered a latency later, plus a seeded jitter, not before the bandwidth lets it. With jitter
// answers may overtake each other; effects never do.
#pragma once

#include <cstdint>

#include "model/sim/memory_port.h"
#include "platform/memory/sparse_memory.h"
#include "platform/memory/transfer_time.h"

namespace smmusim {

struct LatencyPortConfig {
  Time latency_ps = 60'000;                ///< from start to answer
  Time jitter_ps = 0;                      ///< added to it: uniform in [0, jitter_ps]
  std::uint64_t seed = 1;                  ///< of the jitter; same seed, same times
  std::uint64_t bandwidth_gbit_per_s = 0;  ///< 0: unlimited
};

class LatencyPort final : public MemoryPort {
 public:
  LatencyPort(Engine& engine, SparseMemory& memory, const LatencyPortConfig& config = {});

  bool start(MemoryRequest& request) override;
  /// The requests under way are nodes of the Engine; this cancels them there.
  void abandon(const Scope& scope) override;

 private:
  Time jitter();

  Engine& engine_;
  SparseMemory& memory_;
  LatencyPortConfig config_;
  std::uint64_t random_;
  TransferRate rate_;
  Time free_at_ = 0;  // when the last transfer leaves the channel
};

}  // namespace smmusim
