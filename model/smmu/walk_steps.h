// SPDX-License-Identifier: MIT
// What the walks of both stages share: fetching a descriptor, walk cache, entries. Internal to walk.cc and
// walk_stage2.cc. What a descriptor means is vmsa's business.
#pragma once

#include <cstdint>

#include "model/smmu/own_access.h"
#include "model/smmu/translate.h"
#include "model/vmsa/ttw.h"

namespace smmusim {

/// One stage's walk: for which input address, in which regime.
struct StageWalk {
  std::uint8_t stage;  ///< 1 or 2
  std::uint8_t granule_bits;
  std::uint64_t input;
  TlbContext context;
};

/// The event of a step that ended a walk.
spec::EventType event_of(WalkStep step);

/// Continues from a cached table descriptor, if there is one.
void start_from_walk_cache(Core& core, const TranslationOp& op, const StageWalk& walk, TTWState& state);
/// Caches the table descriptor that `state` has just passed, at level state.level - 1.
void keep_table(Core& core, const TranslationOp& op, const StageWalk& walk, const TTWState& state);

/// The read of a descriptor; address and level are set before each use.
OwnAccess descriptor_read(Core& core, TranslationOp& op, const StageWalk& walk, std::uint64_t& descriptor,
                          MemoryAttributes attributes);
void count_fetch(Core& core, const TranslationOp& op, const StageWalk& walk, int level);
/// The descriptor in host order.
constexpr std::uint64_t host_order(std::uint64_t descriptor, bool big_endian) {
  return big_endian ? __builtin_bswap64(descriptor) : descriptor;
}

/// Tells what a descriptor, or the failure to read it, has brought.
void tell_step(const Core& core, const StageWalk& walk, const TTWState& state, WalkStep step);
void tell_abort(const Core& core, const OwnAccess& read);

/// The leaf as an entry: of the whole contiguous run if the run is aligned as the Contiguous bit promises.
TlbEntry leaf_entry(const StageWalk& walk, const TTWState& state);
/// Puts `entry` into `cache`, unless an invalidation has overtaken it.
void keep(Core& core, const TranslationOp& op, TranslationCache& cache, CacheId id, const TlbEntry& entry);

}  // namespace smmusim
