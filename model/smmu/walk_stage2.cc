// SPDX-License-Identifier: MIT
// Stage 2 (IHI 0070 sections 3.3.2, 3.4 and 7.3.22): of an access without stage 1, of what stage 1 gives, and of the
// SMMU's own reads of CDs and stage-1 descriptors. What each descriptor means is decided in vmsa/s2_walk.cc.
#include "model/smmu/core.h"
#include "model/smmu/walk_steps.h"

namespace smmusim {
namespace {

using spec::EventClass;
using spec::EventType;

void fault(TranslationOp& op, EventType type, EventClass klass, std::uint64_t ipa) {
  op.fault.type = type;
  op.fault.klass = klass;
  op.fault.stage2 = true;
  op.fault.ipa = ipa;
}

/// The answer of the IPA cache in op.stage2_leaf, if it has one.
bool in_ipa_cache(Core& core, TranslationOp& op, std::uint64_t ipa) {
  TranslationCache& cache = core.tcu.ipa_cache;
  if (!cache.present()) return false;
  const bool use = op.effects.fill;
  const TlbEntry* entry = cache.find(op.context->stage2_tlb(), ipa, use);
  if (use && core.observer != nullptr) core.observer->lookup(CacheId::ipa_cache, entry != nullptr);
  if (entry == nullptr) return false;
  op.stage2_leaf = *entry;
  return true;
}

/// Stage-2 leaf of `ipa`, in range: op.stage2_leaf or op.fault.
Task<> walk_stage2(Core& core, TranslationOp& op, std::uint64_t ipa, EventClass klass) {
  const S2TTWParams& params = op.context->s2;
  const StageWalk walk{2, params.granule_bits, ipa, op.context->stage2_tlb()};
  TTWState state = s2_walk_start(params);
  if (op.timed && core.tcu.walk_cache.present()) co_await delay(core.lifetime, core.walk_cache_time);
  start_from_walk_cache(core, op, walk, state);
  std::uint64_t descriptor = 0;
  OwnAccess read = descriptor_read(core, op, walk, descriptor, {params.walk_attr, params.walk_sh});
  WalkStep step = WalkStep::table;
  while (step == WalkStep::table) {
    read.address = Pa(s2_descriptor_address(params, state, ipa));
    read.level = static_cast<std::int8_t>(state.level);
    const MemoryStatus status = co_await read;
    count_fetch(core, op, walk, state.level);
    if (status != MemoryStatus::ok) {
      tell_abort(core, read);
      fault(op, EventType::F_WALK_EABT, klass, ipa);
      op.fault.fetch_address = read.address.value;
      co_return;
    }
    step = s2_walk_step(params, state, host_order(descriptor, params.big_endian));
    tell_step(core, walk, state, step);
    if (step == WalkStep::table) keep_table(core, op, walk, state);
  }
  if (step != WalkStep::leaf) {
    fault(op, event_of(step), klass, ipa);
    co_return;
  }
  op.stage2_leaf = leaf_entry(walk, state);
  op.stage2_leaf.ipa_page = op.stage2_leaf.va_page;
  op.stage2_leaf.attributes = {state.memattr, state.sh};
  if (op.context->translates_stage1()) keep(core, op, core.tcu.ipa_cache, CacheId::ipa_cache, op.stage2_leaf);
}

/// Whether stage 2 makes Device of a read with these attributes.
bool device_at_stage2(const Core& core, const TranslationOp& op) {
  return is_device(s2_combined(mair_normal_wb, 0, stage2_attributes(core, op)).type);
}

/// The SMMU's own reads are data reads; S2PTW keeps them off Device memory (section 5.2).
void check_own_read(const Core& core, TranslationOp& op, std::uint64_t ipa, EventClass klass) {
  const bool readable = (op.stage2_leaf.permissions & permission::unprivileged_read) != 0;
  if (readable && !(op.context->s2.ptw && device_at_stage2(core, op))) return;
  tell(core, Step::stage2_refuses_walk, ipa, static_cast<std::uint64_t>(klass));
  fault(op, EventType::F_PERMISSION, klass, ipa);
}

}  // namespace

Task<> translate_ipa(Core& core, TranslationOp& op, std::uint64_t ipa, EventClass klass) {
  tell(core, Step::stage2_begins, ipa, static_cast<std::uint64_t>(klass));
  if (!s2_in_range(op.context->s2, ipa)) {
    tell(core, Step::stage2_out_of_range, ipa, op.context->s2.t0sz);
    fault(op, EventType::F_TRANSLATION, klass, ipa);
    co_return;
  }
  const bool own = klass != EventClass::IN;
  const bool cached = op.context->translates_stage1() && core.tcu.ipa_cache.present();
  if (op.timed && cached) co_await delay(core.lifetime, core.ipa_cache_time);
  const bool hit = cached && in_ipa_cache(core, op, ipa);
  if (!hit) co_await walk_stage2(core, op, ipa, klass);
  if (!op.failed() && own) check_own_read(core, op, ipa, klass);
  if (!op.failed()) tell(core, Step::stage2_ends, op.stage2_output(ipa), static_cast<std::uint64_t>(klass));
}

S2Attributes stage2_attributes(const Core& core, const TranslationOp& op) {
  const MemoryAttributes& leaf = op.stage2_leaf.attributes;
  return {leaf.type, leaf.shareability, op.context->s2.fwb, core.config.features.mteperm};
}

MemoryAttributes walk_attributes(const MemoryAttributes& attributes, const Core& core, const TranslationOp& op) {
  const TypeAndShareability both = s2_combined(attributes.type, attributes.shareability, stage2_attributes(core, op));
  // PTWNNC: an SMMU that has it reads tables on Device pages as if they were Normal Non-cacheable.
  if (core.config.features.ptwnnc && is_device(both.type)) return {mair_normal_nc, shareability_outer};
  return {both.type, both.sh};
}

}  // namespace smmusim
