// SPDX-License-Identifier: MIT
// Tbu: the Translation Buffer Unit of one client socket: micro TLB, stream cache, slots and the link to the TCU.
// Requests: which transactions are inside the SMMU or not yet globally visible, for CMD_SYNC and reset.
#pragma once

#include <cstdint>

#include "model/sim/resources.h"
#include "model/sim/task.h"
#include "model/smmu/config.h"
#include "model/smmu/stream_context.h"
#include "model/smmu/tlb.h"
#include "model/smmu/transaction.h"

namespace smmusim {

struct Core;
struct TranslationOp;

class Tbu {
 public:
  Tbu(Core& core, const TbuConfig& config, std::uint64_t seed);

  /// Translates `request` in its own time, waits out its stalls and answers it. Untimed, the request has stalled.
  Task<> serve(TranslationRequest& request);
  /// Caches here what the TCU has found for `op`.
  void keep(TranslationOp& op);

  void reset();
  Scope& scope();
  StreamCache stream_cache;
  TranslationCache micro_tlb;

 private:
  Core& core_;
  Slots translation_slots_;
  Pipe lookup_;
  Time link_time_;
};

/// Every transaction belongs to an epoch. A CMD_SYNC that follows an invalidation starts a new epoch and waits until
/// the old one is empty: each transaction that could have used the old state is then globally visible (section 4.7).
class Requests {
 public:
  void admit(Core& core, TranslationRequest& request);
  /// A stalled request belongs to no epoch, until it is retried or answered.
  void leave_epoch(Core& core, TranslationRequest& request) { retire(core, request); }
  void enter_epoch(TranslationRequest& request);
  /// Takes an answered request out of the SMMU and posts it. One that does not proceed is retired at once.
  void answered(Core& core, TranslationRequest& request);
  void retire(Core& core, TranslationRequest& request);

  void start_epoch() { epoch_ ^= 1; }
  bool old_epoch_empty() const { return in_epoch_[epoch_ ^ 1] == 0; }
  bool idle() const { return in_epoch_[0] + in_epoch_[1] == 0; }
  /// Reset: answers everything inside with an abort, or CA, and forgets the rest.
  void abort_all(Engine& engine);

 private:
  static constexpr std::uint32_t live_ = 2;  // ticket: generation << 2 | live | epoch
  EventList inside_;
  unsigned epoch_ = 0;
  std::uint32_t generation_ = 0;
  std::uint64_t in_epoch_[2] = {0, 0};
};

}  // namespace smmusim
