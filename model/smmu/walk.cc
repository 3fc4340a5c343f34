// SPDX-License-Identifier: MIT
// The walk of an access: stage 1 alone, stage 2 alone, or nested, where stage 2 translates every address that stage 1
// gives: of its own tables and at last of the access (IHI 0070 sections 3.3.2 and 7.3.22). What each descriptor means
// is decided in vmsa/s1_walk.cc.
#include <algorithm>

#include "model/smmu/ats.h"
#include "model/smmu/attributes.h"
#include "model/smmu/core.h"
#include "model/smmu/table_walk.h"

namespace smmusim {
namespace {

using spec::EventClass;
using spec::EventType;

/// Makes of `entry`, the leaf of stage 1, that of both stages for what both cover.
void combine_with_stage2(const TranslationOp& op, TlbEntry& entry, std::uint64_t ipa) {
  const TlbEntry& stage2 = op.stage2_leaf;
  const MemoryAttributes stage1 = entry.attributes;
  const unsigned bits = std::min(entry.page_bits, stage2.page_bits);
  entry.stage1_bits = entry.page_bits;
  entry.page_bits = static_cast<std::uint8_t>(bits);
  entry.va_page = op.canonical & ~low_mask(bits);
  entry.ipa_page = ipa & ~low_mask(bits);
  entry.pa = Pa(op.stage2_output(ipa) & ~low_mask(bits));
  entry.stage1_permissions = entry.permissions;
  entry.permissions = entry.permissions & stage2.permissions;
  entry.cacheable = entry.cacheable && stage2.cacheable;
  entry.clean = entry.clean || stage2.clean;
  const TypeAndShareability both = s2_combined(stage1.type, stage1.shareability, stage2_attributes(op));
  entry.attributes = {both.type, both.sh};
  entry.fixed_hints = hints_fixed_by_stage2(stage1.type, both.type) & 3;
}

/// A prefetch has no permissions to be checked; it is a read.
bool is_prefetch(const TranslationOp& op) {
  return op.effects.fill && !op.effects.record;
}

/// Stage 1's permissions, which count before stage 2 sees the access.
bool stage1_permits(const Core& core, TranslationOp& op) {
  if (is_prefetch(op)) return true;
  const std::uint8_t granted = op.own_leaf->permissions;
  const bool request = is_translation_request(op.transaction);
  const Denied missing = request ? Denied{!grants_request(op, granted), false} : denied(op, granted);
  if (!missing) return true;
  tell(core, Step::denied, granted, 1);
  op.fault.read_failed = !missing.write;
  op.fault.type = EventType::F_PERMISSION;
  return false;
}

/// The end of stage 1: op.own_leaf or op.fault.
void conclude_stage1(TranslationOp& op, TableWalk<S1TTWParams>& walk) {
  if (walk.aborted()) {
    op.fault.type = EventType::F_WALK_EABT;
    op.fault.klass = EventClass::TT;
    op.fault.fetch_address = walk.read().address.value;
  } else if (walk.step() != WalkStep::leaf) {
    op.fault.type = event_of(walk.step());
  } else {
    walk.set_leaf(op.own_leaf.emplace());
    op.own_leaf->stage1_permissions = op.own_leaf->permissions;
    op.own_leaf->attributes = {walk.state().attr, walk.state().sh};
  }
}

/// Updates the descriptor that `walk` has in hand (section 3.13). With stage 2 that is a write to its IPA, and may fail
/// there: op.fault. True if the walk has ended.
Task<bool> mark_stage1(Core& core, TranslationOp& op, TableWalk<S1TTWParams>& walk, std::uint64_t address,
                       LeafUse use) {
  const S1TTWParams& params = op.context->s1[(op.canonical >> 55) & 1];
  MemoryAttributes attributes{params.walk_attr, params.walk_sh};
  if (op.context->translates_stage2()) {
    IpaTranslation stage2(core, op, address, EventClass::TT, true);
    co_await stage2;
    walk.take_over();
    if (op.failed()) co_return true;
    attributes = walk_attributes(attributes, core, op);
  }
  OwnAccess swap = walk.mark(use, attributes);
  if (op.effects.httu) co_await swap;
  co_return walk.take_mark(swap);
}

Task<> walk_stage1(Core& core, TranslationOp& op) {
  const S1TTWParams& params = op.context->s1[(op.canonical >> 55) & 1];
  if (params.epd) {
    tell(core, Step::stage1_walk_disabled);
    op.fault.type = EventType::F_TRANSLATION;
    co_return;
  }
  core.counters.walks += op.effects.count ? 1 : 0;
  const bool nested = op.context->translates_stage2();
  if (op.timed && core.tcu.walk_cache.present()) co_await delay(core.lifetime, core.walk_cache_time);
  const ttw::WalkPlan& plan = op.context->s1_plan[(op.canonical >> 55) & 1];
  TableWalk<S1TTWParams> walk(core, op, {1, op.canonical, op.context->tlb}, params, plan);
  walk.begin();
  bool ended = false;
  while (!ended) {
    std::uint64_t address = walk.descriptor_address();
    if (nested) {
      IpaTranslation stage2(core, op, address, EventClass::TT);
      co_await stage2;
      if (op.failed()) {
        walk.abandon();
        co_return;
      }
      walk.take_over();
      address = op.stage2_output(address);
    }
    if (!walk.fetch_at_once(Pa(address))) {
      if (nested) walk.read().attributes = walk_attributes({params.walk_attr, params.walk_sh}, core, op);
      if (!walk.start_fetch()) co_await Started{walk.read()};
    }
    ended = walk.digest();
    while (ended && walk.may_mark()) {
      const LeafUse use = use_of_leaf(op, walk.state().permissions, walk.state().gain);
      if (!walk.must_mark(use)) break;
      ended = co_await mark_stage1(core, op, walk, walk.descriptor_address(), use);
      if (op.failed()) {
        walk.abandon_mark();
        co_return;
      }
    }
  }
  conclude_stage1(op, walk);
  if (!nested || op.failed() || !stage1_permits(core, op)) co_return;
  const std::uint64_t ipa = op.own_leaf->pa.value + (op.canonical - op.own_leaf->va_page);
  IpaTranslation stage2(core, op, ipa, EventClass::IN);
  co_await stage2;
  if (!op.failed()) combine_with_stage2(op, *op.own_leaf, ipa);
}

/// Stage 2 alone: the access gives the IPA.
Task<> walk_stage2_only(Core& core, TranslationOp& op) {
  core.counters.walks += op.effects.count ? 1 : 0;
  IpaTranslation stage2(core, op, op.canonical, EventClass::IN);
  co_await stage2;
  if (!op.failed()) op.own_leaf = op.stage2_leaf;
}

}  // namespace

LeafUse use_of_leaf(const TranslationOp& op, std::uint8_t granted, std::uint8_t gain) {
  if (is_prefetch(op)) return {true, false};
  if (is_translation_request(op.transaction)) {
    // It gets what both stages grant, and makes a page dirty only if it is granted writes (section 3.13.7.1).
    const std::uint8_t stage1 = op.own_leaf ? op.own_leaf->permissions : permission::all;
    const bool dirties = op.transaction.may_dirty() && (gain & stage1 & permission::write_bit(op.privileged)) != 0;
    return {grants_request(op, (dirties ? granted | gain : granted) & stage1), dirties};
  }
  const bool writes = op.transaction.writes();
  return {!denied(op, writes ? granted | gain : granted), writes};
}

Task<> walk(Core& core, TranslationOp& op) {
  return op.context->translates_stage1() ? walk_stage1(core, op) : walk_stage2_only(core, op);
}

void conclude_walk(Core& core, const TranslationOp& op, Time begin) {
  if (!op.failed()) keep(core, op, core.tcu.tlb, CacheId::tlb, *op.own_leaf);
  if (op.effects.count) core.counters.walk_time += core.lifetime.engine().now() - begin;
}

}  // namespace smmusim
