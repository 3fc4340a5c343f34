// SPDX-License-Identifier: MIT
// The walk of an access: stage 1 alone, stage 2 alone, or nested, where stage 2 translates every address that stage 1
// gives: of its own tables and at last of the access (IHI 0070 sections 3.3.2 and 7.3.22). What each descriptor means
// is decided in vmsa/s1_walk.cc.
#include <algorithm>

#include "model/smmu/core.h"
#include "model/smmu/table_walk.h"

namespace smmusim {
namespace {

using spec::EventClass;
using spec::EventType;

/// Stage 1 and stage 2 as one entry for what both cover.
TlbEntry combined(const Core& core, const TranslationOp& op, const TlbEntry& stage1, std::uint64_t ipa) {
  const TlbEntry& stage2 = op.stage2_leaf;
  const unsigned bits = std::min(stage1.page_bits, stage2.page_bits);
  TlbEntry entry = stage1;
  entry.page_bits = static_cast<std::uint8_t>(bits);
  entry.va_page = op.canonical & ~low_mask(bits);
  entry.ipa_page = ipa & ~low_mask(bits);
  entry.pa = Pa(op.stage2_output(ipa) & ~low_mask(bits));
  entry.stage1_permissions = stage1.permissions;
  entry.permissions = stage1.permissions & stage2.permissions;
  entry.cacheable = stage1.cacheable && stage2.cacheable;
  const TypeAndShareability both =
      s2_combined(stage1.attributes.type, stage1.attributes.shareability, stage2_attributes(core, op));
  entry.attributes = {both.type, both.sh};
  return entry;
}

/// Stage 2 of the access itself, after stage 1 has let it pass.
Task<> finish_nested(Core& core, TranslationOp& op, TlbEntry& stage1) {
  const Denied missing = denied(op, stage1.permissions);
  if (missing) {
    tell(core, Step::denied, stage1.permissions, 1);
    op.fault.read_failed = !missing.write;
    op.fault.type = EventType::F_PERMISSION;
    co_return;
  }
  const std::uint64_t ipa = stage1.pa.value + (op.canonical - stage1.va_page);
  co_await translate_ipa(core, op, ipa, EventClass::IN);
  if (!op.failed()) op.own_leaf = combined(core, op, stage1, ipa);
}

/// The next descriptor of a nested stage 1: its IPA goes through stage 2, and is then fetched.
Task<> step_nested(Core& core, TranslationOp& op, TableWalk<S1TTWParams>& walk, bool& ended) {
  const S1TTWParams& params = op.context->s1[(op.canonical >> 55) & 1];
  const std::uint64_t address = walk.descriptor_address();
  co_await translate_ipa(core, op, address, EventClass::TT);
  if (op.failed()) co_return;
  walk.read().attributes = walk_attributes({params.walk_attr, params.walk_sh}, core, op);
  if (!walk.fetch(Pa(op.stage2_output(address)))) co_await Started{walk.read()};
  ended = walk.digest();
}

/// Fetches descriptors until one ends the walk, or op has failed.
Task<> run(Core& core, TranslationOp& op, TableWalk<S1TTWParams>& walk) {
  bool ended = false;
  if (op.context->translates_stage2()) {
    while (!ended && !op.failed()) co_await step_nested(core, op, walk, ended);
    co_return;
  }
  while (!ended && !walk.advance()) {
    co_await Started{walk.read()};
    ended = walk.digest();
  }
}

Task<> walk_stage1(Core& core, TranslationOp& op) {
  const S1TTWParams& params = op.context->s1[(op.canonical >> 55) & 1];
  if (params.epd) {
    tell(core, Step::stage1_walk_disabled);
    op.fault.type = EventType::F_TRANSLATION;
    co_return;
  }
  if (op.timed && core.tcu.walk_cache.present()) co_await delay(core.lifetime, core.walk_cache_time);
  TableWalk<S1TTWParams> walk(core, op, {1, op.canonical, op.context->tlb}, params);
  walk.begin();
  co_await run(core, op, walk);
  if (op.failed()) co_return;
  if (walk.aborted()) {
    op.fault.type = EventType::F_WALK_EABT;
    op.fault.klass = EventClass::TT;
    op.fault.fetch_address = walk.read().address.value;
    co_return;
  }
  if (walk.step() != WalkStep::leaf) {
    op.fault.type = event_of(walk.step());
    co_return;
  }
  TlbEntry leaf = walk.leaf();
  leaf.attributes = {walk.state().attr, walk.state().sh};
  leaf.stage1_permissions = leaf.permissions;
  if (op.context->translates_stage2()) {
    co_await finish_nested(core, op, leaf);
  } else {
    op.own_leaf = leaf;
  }
}

/// Stage 2 alone: the access gives the IPA.
Task<> walk_stage2_only(Core& core, TranslationOp& op) {
  co_await translate_ipa(core, op, op.canonical, EventClass::IN);
  if (!op.failed()) op.own_leaf = op.stage2_leaf;
}

}  // namespace

Task<> walk(Core& core, TranslationOp& op) {
  const Time begin = core.lifetime.engine().now();
  core.counters.walks += op.effects.count ? 1 : 0;
  if (op.context->translates_stage1()) {
    co_await walk_stage1(core, op);
  } else {
    co_await walk_stage2_only(core, op);
  }
  if (!op.failed()) keep(core, op, core.tcu.tlb, CacheId::tlb, *op.own_leaf);
  if (op.effects.count) core.counters.walk_time += core.lifetime.engine().now() - begin;
}

}  // namespace smmusim
