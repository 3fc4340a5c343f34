// SPDX-License-Identifier: MIT
// Caches and counters around a walk (IHI 0070 section 3.17 for the tags).
#include "model/smmu/table_walk.h"

#include "model/smmu/core.h"

namespace smmusim {
spec::EventType event_of(WalkStep step) {
  switch (step) {
    case WalkStep::address_size_fault:
      return spec::EventType::F_ADDR_SIZE;
    case WalkStep::access_fault:
      return spec::EventType::F_ACCESS;
    default:
      return spec::EventType::F_TRANSLATION;
  }
}

namespace table_walk {

unsigned contiguous_or_page(const StageWalk& walk, const TTWState& state) {
  const std::uint64_t run = low_mask(state.contiguous_bits) & ~low_mask(state.page_bits);
  return (state.output & run) == (walk.input & run) ? state.contiguous_bits : state.page_bits;
}

void start_from_walk_cache(Core& core, const TranslationOp& op, const StageWalk& walk, const TTWParams& params,
                           TTWState& state) {
  const bool use = op.effects.fill;
  const TlbEntry* table = core.tcu.walk_cache.find_table(walk.context, walk.input, params.granule_bits, use);
  if (use && core.observer != nullptr) core.observer->lookup(CacheId::walk_cache, table != nullptr);
  if (table == nullptr || table->level < state.level) return;
  ttw::enter_table(params, state, table->level + 1, table->pa.value);
  state.hierarchical = table->hierarchical;
}

void keep_table(Core& core, const TranslationOp& op, const StageWalk& walk, const TTWParams& params,
                const TTWState& state) {
  const int level = state.level - 1;
  TlbEntry entry;
  set_place(entry, walk, params, level, descriptor_bits(params.granule_bits, level));
  entry.pa = Pa(state.base);
  entry.table = true;
  entry.hierarchical = state.hierarchical;
  keep(core, op, core.tcu.walk_cache, CacheId::walk_cache, entry);
}

void count(Core& core, const StageWalk& walk, int level, unsigned fetches, bool aborted) {
  SmmuCounters& counters = core.counters;
  counters.reads_by_purpose[static_cast<std::size_t>(Purpose::TTD)] += fetches;
  counters.walk_fetches += fetches;
  if (aborted) [[unlikely]]
    ++counters.external_aborts;
  std::uint64_t* last = &counters.fetches_by_stage_level[walk.stage - 1u][static_cast<std::size_t>(level + 1)];
  if (fetches == 4) [[likely]] {
    for (unsigned n = 0; n != 4; ++n) ++last[-static_cast<std::ptrdiff_t>(n)];
    return;
  }
  for (; fetches != 0; --fetches) ++*last--;
}

void tell_fetch(Core& core, const StageWalk& walk, const TTWState& state, const MemoryRequest& read, WalkStep step) {
  core.observer->access(read);
  tell_descriptor(core, walk, state, read, step);
}

void tell_descriptor(Core& core, const StageWalk& walk, const TTWState& state, const MemoryRequest& read,
                     WalkStep step) {
  if (read.status != MemoryStatus::ok) {
    core.observer->step(Step::external_abort, read.address.value, static_cast<std::uint64_t>(Purpose::TTD));
    return;
  }
  const std::uint64_t stage = walk.stage;
  const auto level = static_cast<std::uint64_t>(state.level + 1);
  if (step == WalkStep::table) {
    core.observer->step(Step::table, state.base, stage << 8 | level);
  } else if (step == WalkStep::leaf) {
    core.observer->step(Step::leaf, state.output, stage << 16 | level << 8 | state.page_bits);
  } else {
    core.observer->step(Step::walk_fault, static_cast<std::uint64_t>(event_of(step)), stage << 8 | level);
  }
}

}  // namespace table_walk

void keep(Core& core, const TranslationOp& op, TranslationCache& cache, CacheId id, const TlbEntry& entry) {
  if (!op.effects.fill || !cache.present() || !entry.cacheable) return;
  if (!may_fill(core.tcu.in_flight, op, entry)) {
    cache.count_dropped_fill();
    return;
  }
  cache.fill(entry);
  if (core.observer != nullptr) core.observer->fill(id);
}

}  // namespace smmusim
