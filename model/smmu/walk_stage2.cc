// SPDX-License-Identifier: MIT
// Stage 2 (IHI 0070 sections 3.3.2, 3.4 and 7.3.22): of an access without stage 1, of what stage 1 gives, and of the
// SMMU's own reads of CDs and stage-1 descriptors. What each descriptor means is decided in vmsa/s2_walk.cc.
#include "model/smmu/core.h"
#include "model/smmu/table_walk.h"

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
  if (op.timed && core.tcu.walk_cache.present()) co_await delay(core.lifetime, core.walk_cache_time);
  TableWalk<S2TTWParams> walk(core, op, {2, ipa, op.context->stage2_tlb()}, op.context->s2);
  walk.begin();
  bool ended = false;
  while (!ended && !walk.advance()) {
    co_await Started{walk.read()};
    ended = walk.digest();
  }
  if (walk.aborted()) {
    fault(op, EventType::F_WALK_EABT, klass, ipa);
    op.fault.fetch_address = walk.read().address.value;
    co_return;
  }
  if (walk.step() != WalkStep::leaf) {
    fault(op, event_of(walk.step()), klass, ipa);
    co_return;
  }
  op.stage2_leaf = walk.leaf();
  op.stage2_leaf.ipa_page = op.stage2_leaf.va_page;
  op.stage2_leaf.attributes = {walk.state().memattr, walk.state().sh};
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
    tell(core, Step::stage2_out_of_range, ipa, op.context->s2.txsz);
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
