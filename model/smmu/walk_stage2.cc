// SPDX-License-Identifier: MIT
// Stage 2 (IHI 0070 sections 3.3.2, 3.4 and 7.3.22): of an access without stage 1, of what stage 1 gives, and of the
// SMMU's own reads of CDs and stage-1 descriptors. What each descriptor means is decided in vmsa/s2_walk.
#include "model/smmu/core.h"
#include "model/smmu/table_walk.h"

namespace smmusim {

using spec::EventClass;
using spec::EventType;

S2Attributes stage2_attributes(const TranslationOp& op) {
  const MemoryAttributes& leaf = op.stage2_leaf.attributes;
  return {leaf.type, leaf.shareability, op.context->s2.fwb, op.context->s2.mteperm};
}

inline void IpaTranslation::fail(EventType type) {
  op_.fault.type = type;
  op_.fault.klass = klass_;
  op_.fault.stage2 = true;
  op_.fault.ipa = ipa_;
  op_.fault.table_write = writes_;
}

/// Whether `granted` is enough for the SMMU's own access, which is one to data.
inline bool IpaTranslation::own_access_permitted(std::uint8_t granted) const {
  const bool readable = (granted & permission::unprivileged_read) != 0;
  return readable && (!writes_ || (granted & permission::unprivileged_write) != 0);
}

/// Whether a writable-clean page would have to become dirty for it.
inline bool IpaTranslation::writes() const {
  return klass_ == EventClass::IN ? use_of_leaf(op_, 0, permission::all).writes : writes_;
}

/// CDs are never written; of a descriptor's page only the update makes it dirty (3.13.3.1, 3.13.5).
inline LeafUse IpaTranslation::use_of(const TTWState& leaf) const {
  if (klass_ == EventClass::IN) return use_of_leaf(op_, leaf.permissions, leaf.gain);
  const bool kept_off = op_.context->s2.ptw && is_device(leaf.attr);
  return {!kept_off && own_access_permitted(writes_ ? leaf.permissions | leaf.gain : leaf.permissions), writes_};
}

/// The SMMU's own accesses are to data; S2PTW keeps them off Device memory (section 5.2). What the access itself may
/// do is finish()'s business.
[[gnu::always_inline]] inline void IpaTranslation::check() {
  const TlbEntry& leaf = op_.stage2_leaf;
  const bool own = klass_ != EventClass::IN;
  const bool readable = own_access_permitted(leaf.permissions);
  const bool kept_off =
      own && op_.context->s2.ptw && is_device(s2_combined(mair_normal_wb, 0, stage2_attributes(op_)).type);
  if (own && (!readable || kept_off)) {
    tell(core_, Step::stage2_refuses_walk, ipa_, static_cast<std::uint64_t>(klass_) << 8 | (readable ? 2 : 1));
    return fail(EventType::F_PERMISSION);
  }
  tell(core_, Step::stage2_ends, op_.stage2_output(ipa_), static_cast<std::uint64_t>(klass_));
}

[[gnu::always_inline]] inline bool IpaTranslation::enter() {
  tell(core_, Step::stage2_begins, ipa_, static_cast<std::uint64_t>(klass_));
  if (s2_in_range(op_.context->s2, ipa_)) return true;
  tell(core_, Step::stage2_out_of_range, ipa_, op_.context->s2.txsz);
  fail(EventType::F_TRANSLATION);
  return false;
}

/// The IPA cache, which serves nested walks only: leaves of stage 2 alone are in the TLBs.
[[gnu::always_inline]] inline bool IpaTranslation::look_up() {
  TranslationCache& cache = core_.tcu.ipa_cache;
  if (!cache.present() || !op_.context->translates_stage1()) return false;
  const bool use = op_.effects.fill;
  const TlbEntry* entry = cache.find(op_.context->stage2_tlb(), ipa_, use);
  // A page that is clean still, for an access that writes: only a walk can mark it.
  if (entry != nullptr && entry->clean && writes()) {
    if (use) cache.recount_as_miss();
    entry = nullptr;
  }
  if (use && core_.observer != nullptr) core_.observer->lookup(CacheId::ipa_cache, entry != nullptr);
  if (entry == nullptr) return false;
  op_.stage2_leaf = *entry;
  check();
  return true;
}

[[gnu::always_inline]] inline void IpaTranslation::conclude(TableWalk<S2TTWParams>& walk) {
  if (walk.aborted()) {
    fail(EventType::F_WALK_EABT);
    op_.fault.fetch_address = walk.read().address.value;
    return;
  }
  if (walk.step() != WalkStep::leaf) return fail(event_of(walk.step()));
  TlbEntry& leaf = op_.stage2_leaf;
  walk.set_leaf(leaf);
  leaf.ipa_page = leaf.va_page;
  leaf.attributes = {walk.state().memattr, walk.state().sh};
  if (core_.tcu.ipa_cache.present() && op_.context->translates_stage1()) {
    keep(core_, op_, core_.tcu.ipa_cache, CacheId::ipa_cache, leaf);
  }
  check();
}

void IpaTranslation::translate_at_once() {
  if (!enter() || look_up()) return;
  const StreamContext& context = *op_.context;
  TableWalk<S2TTWParams> walk(core_, op_, {2, ipa_, context.stage2_tlb()}, context.s2, context.s2_plan);
  walk.begin();
  SMMUSIM_CHECK(walk.advance());
  while (walk.may_mark()) {
    const LeafUse use = use_of(walk.state());
    if (!walk.must_mark(use)) break;
    OwnAccess swap = walk.mark(use, {op_.context->s2.walk_attr, op_.context->s2.walk_sh});
    if (op_.effects.httu) {
      SMMUSIM_CHECK(swap.await_ready());
      swap.await_resume();
    }
    if (!walk.take_mark(swap)) SMMUSIM_CHECK(walk.advance());
  }
  conclude(walk);
}

/// The same with the waits in between.
Task<> IpaTranslation::translate_in_time(Core& core, IpaTranslation& self) {
  TranslationOp& op = self.op_;
  if (!self.enter()) co_return;
  if (core.tcu.ipa_cache.present() && op.context->translates_stage1()) {
    co_await delay(core.lifetime, core.ipa_cache_time);
  }
  if (self.look_up()) co_return;
  if (core.tcu.walk_cache.present()) co_await delay(core.lifetime, core.walk_cache_time);
  const StreamContext& context = *op.context;
  TableWalk<S2TTWParams> walk(core, op, {2, self.ipa_, context.stage2_tlb()}, context.s2, context.s2_plan);
  walk.begin();
  for (bool ended = false;;) {
    while (!ended && !walk.advance()) {
      co_await Started{walk.read()};
      ended = walk.digest();
    }
    if (!walk.may_mark()) break;
    const LeafUse use = self.use_of(walk.state());
    if (!walk.must_mark(use)) break;
    OwnAccess swap = walk.mark(use, {op.context->s2.walk_attr, op.context->s2.walk_sh});
    if (op.effects.httu) co_await swap;
    ended = walk.take_mark(swap);
  }
  self.conclude(walk);
}

MemoryAttributes walk_attributes(const MemoryAttributes& attributes, const Core& core, const TranslationOp& op) {
  const S2Attributes stage2 = stage2_attributes(op);
  const TypeAndShareability both = s2_combined(attributes.type, attributes.shareability, stage2);
  // PTWNNC: an SMMU that has it reads tables on Device pages as if they were Normal Non-cacheable.
  if (core.config.features.ptwnnc && is_device(both.type)) return {mair_normal_nc, shareability_outer};
  return {both.type, both.sh};
}

}  // namespace smmusim
