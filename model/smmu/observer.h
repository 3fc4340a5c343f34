// SPDX-License-Identifier: MIT
// Observer: watches the model without changing it. explain, timelines and golden traces are observers; the model
// itself never prints. All calls come in simulated order, on the thread that runs the model.
#pragma once

#include "model/sim/memory_port.h"
#include "model/smmu/transaction.h"
#include "model/spec/command.h"
#include "model/spec/event.h"

namespace smmusim {

enum class CacheId : std::uint8_t { stream_cache, micro_tlb, config_cache, tlb, walk_cache };

class Observer {
 public:
  virtual ~Observer() = default;
  /// One of the SMMU's own accesses has completed; data and status are set.
  virtual void access(const MemoryRequest&) {}
  virtual void lookup(CacheId, bool /*hit*/) {}
  virtual void fill(CacheId) {}
  /// `written` is false if the record was discarded (queue full, disabled or in error).
  virtual void event(const spec::Event&, bool /*written*/) {}
  /// A command was consumed (error 0) or stopped the queue.
  virtual void command(const spec::Command&, spec::CommandError) {}
  virtual void response(const Transaction&, const Response&) {}
};

}  // namespace smmusim
