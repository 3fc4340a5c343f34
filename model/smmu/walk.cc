// SPDX-License-Identifier: MIT
// The stage-1 walk: descriptors fetched one after the other, starting below the deepest cached table. What each
// means is decided in vmsa/s1_walk.cc.
#include <bit>

#include "model/smmu/core.h"
#include "model/smmu/own_access.h"
#include "model/smmu/translate.h"

namespace smmusim {
namespace {

using spec::EventType;

EventType event_of(WalkStep step) {
  switch (step) {
    case WalkStep::address_size_fault:
      return EventType::F_ADDR_SIZE;
    case WalkStep::access_fault:
      return EventType::F_ACCESS;
    default:
      return EventType::F_TRANSLATION;
  }
}

/// Continues from a cached table descriptor if there is one.
void start_from_walk_cache(Core& core, TranslationOp& op, const S1TTWParams& params, TTWState& state) {
  if (!core.tcu.walk_cache.present()) return;
  const bool use = op.effects.fill;
  const TlbEntry* table = core.tcu.walk_cache.find_table(op.context->tlb, op.canonical, params.granule_bits, use);
  if (use && core.observer != nullptr) core.observer->lookup(CacheId::walk_cache, table != nullptr);
  if (table == nullptr || table->level < state.level) return;
  state.base = table->pa.value;
  state.level = table->level + 1;
  state.start_table = false;
  state.hierarchical = table->hierarchical;
}

TlbEntry entry_for(const TranslationOp& op, const S1TTWParams& params, int level, unsigned bits) {
  TlbEntry entry;
  entry.context = op.context->tlb;
  entry.va_page = op.canonical & ~low_mask(bits);
  entry.page_bits = static_cast<std::uint8_t>(bits);
  entry.granule_bits = params.granule_bits;
  entry.level = static_cast<std::int8_t>(level);
  return entry;
}

/// `state` has just moved below the table descriptor at level state.level - 1.
void keep_table(Core& core, TranslationOp& op, const S1TTWParams& params, const TTWState& state) {
  if (!op.effects.fill || !core.tcu.walk_cache.present()) return;
  const int level = state.level - 1;
  TlbEntry entry = entry_for(op, params, level, descriptor_bits(params.granule_bits, level));
  entry.pa = Pa(state.base);
  entry.table = true;
  entry.hierarchical = state.hierarchical;
  if (!may_fill(core.tcu.in_flight, op, entry)) {
    core.tcu.walk_cache.count_dropped_fill();
    return;
  }
  core.tcu.walk_cache.fill(entry);
  if (core.observer != nullptr) core.observer->fill(CacheId::walk_cache);
}

/// The leaf as a TLB entry: of the whole contiguous run if the run is aligned as the Contiguous bit promises.
TlbEntry leaf_entry(const TranslationOp& op, const S1TTWParams& params, const TTWState& state) {
  unsigned bits = state.page_bits;
  const std::uint64_t run = low_mask(state.contiguous_bits) & ~low_mask(bits);
  if (state.contiguous_bits != 0 && (state.output & run) == (op.canonical & run)) bits = state.contiguous_bits;
  TlbEntry entry = entry_for(op, params, state.level, bits);
  entry.pa = Pa(state.output & ~low_mask(bits));
  entry.global = state.global;
  entry.permissions = state.permissions;
  entry.attributes = {state.attr, state.sh};
  return entry;
}

void keep_leaf(Core& core, TranslationOp& op) {
  if (!op.effects.fill) return;
  if (!may_fill(core.tcu.in_flight, op, *op.own_leaf)) {
    core.tcu.tlb.count_dropped_fill();
    return;
  }
  core.tcu.tlb.fill(*op.own_leaf);
  if (core.observer != nullptr) core.observer->fill(CacheId::tlb);
}

void count_fetch(Core& core, int level) {
  ++core.counters.walk_fetches;
  ++core.counters.fetches_by_stage_level[0][static_cast<std::size_t>(level + 1)];
}

}  // namespace

Task<> walk_stage1(Core& core, TranslationOp& op) {
  const S1TTWParams& params = op.context->s1[(op.transaction.address.value >> 55) & 1];
  if (params.epd) {
    op.fault.type = EventType::F_TRANSLATION;
    co_return;
  }
  const Time begin = core.lifetime.engine().now();
  TTWState state = s1_walk_start(params);
  if (op.timed && core.tcu.walk_cache.present()) co_await delay(core.lifetime, core.walk_cache_time);
  start_from_walk_cache(core, op, params, state);
  core.counters.walks += op.effects.count ? 1 : 0;
  std::uint64_t descriptor = 0;
  OwnAccess read =
      own_read(core, *op.port, Purpose::TTD, Pa(), &descriptor, 8, MemoryAttributes{params.walk_attr, params.walk_sh});
  read.stage = 1;
  read.own_time = op.timed ? core.walk_step_time : 0;
  for (;;) {
    read.address = Pa(s1_descriptor_address(params, state, op.canonical));
    read.level = static_cast<std::int8_t>(state.level);
    read.counted = op.effects.count;
    const MemoryStatus status = co_await read;
    if (op.effects.count) count_fetch(core, state.level);
    if (status != MemoryStatus::ok) {
      op.fault.type = EventType::F_WALK_EABT;
      op.fault.klass = spec::EventClass::TT;
      op.fault.fetch_address = read.address.value;
      break;
    }
    if (params.big_endian) descriptor = __builtin_bswap64(descriptor);
    const WalkStep step = s1_walk_step(params, state, descriptor);
    if (step == WalkStep::table) {
      keep_table(core, op, params, state);
      continue;
    }
    if (step == WalkStep::leaf) {
      op.own_leaf = leaf_entry(op, params, state);
      keep_leaf(core, op);
    } else {
      op.fault.type = event_of(step);
    }
    break;
  }
  if (op.effects.count) core.counters.walk_time += core.lifetime.engine().now() - begin;
}

}  // namespace smmusim
