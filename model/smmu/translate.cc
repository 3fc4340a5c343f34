// SPDX-License-Identifier: MIT
// consult() and the TCU's part. The order is that of the flow in chapter 15: SMMUEN, configuration, bypass, input
// range, TLB, walk, permissions.
#include "model/smmu/translate.h"

#include "model/smmu/attributes.h"
#include "model/smmu/core.h"
#include "model/vmsa/permissions.h"

namespace smmusim {
namespace {

using spec::EventType;

AttributeOverrides gbpa_overrides(const RegisterFile& regs) {
  const auto gbpa = as<spec::GBPA>(regs.gbpa);
  AttributeOverrides overrides;
  overrides.mtcfg = gbpa.get<spec::GBPA::MTCFG>();
  overrides.memattr = static_cast<std::uint8_t>(gbpa.get<spec::GBPA::MemAttr>());
  overrides.alloccfg = static_cast<std::uint8_t>(gbpa.get<spec::GBPA::ALLOCCFG>());
  overrides.shcfg = static_cast<std::uint8_t>(gbpa.get<spec::GBPA::SHCFG>());
  return overrides;
}

Progress answer(TranslationOp& op, Outcome outcome) {
  op.response.outcome = outcome;
  return Progress::answered;
}

/// Output = input. Address and attributes only; everything is permitted.
Progress pass_through(Core& core, TranslationOp& op, const AttributeOverrides& overrides) {
  op.response.address = Pa(op.transaction.address.value);
  op.response.attributes = bypass_attributes(op.transaction.attributes, overrides, core.config.features.attr_types_ovr);
  op.response.read_allowed = true;
  op.response.write_allowed = true;
  return answer(op, Outcome::proceed);
}

/// SMMUEN=0 (sections 3.11 and 6.3.14): GBPA decides; an address beyond the OAS aborts without an event.
Progress disabled(Core& core, TranslationOp& op) {
  const bool abort = as<spec::GBPA>(core.regs.gbpa).get<spec::GBPA::ABORT>();
  if (abort || !fits(op.transaction.address.value, core.config.features.oas)) return answer(op, Outcome::abort);
  return pass_through(core, op, gbpa_overrides(core.regs));
}

/// What this implementation can't take at all (F_UUT, section 7.3.1): page-crossing accesses (the TLM adaptor splits
/// them before they come here), ATS and security states that it does not have.
bool unsupported(const Transaction& t) {
  const std::uint64_t offset = t.address.value & low_mask(12);
  return t.ats != AtsType::untranslated || t.security != SecurityState::non_secure || offset + t.size > 4096;
}

/// Stage 1 is off for this traffic (Config=100, or S1DSS=01): the input is checked against the OAS (which is the IAS
/// too, as long as stage 2 is not in the way), and a violation always terminates.
Progress bypass_stage1(Core& core, TranslationOp& op, const StreamContext& context) {
  if (!fits(op.transaction.address.value, core.config.features.oas)) {
    op.fault.terminate_always = true;
    return fail(op, EventType::F_ADDR_SIZE);
  }
  return pass_through(core, op, context.overrides);
}

/// PRIVCFG and INSTCFG (section 13.5): 0 and 1 keep what came in.
void override_permissions(Core& core, TranslationOp& op, const AttributeOverrides& overrides) {
  op.privileged = op.transaction.privileged;
  op.instruction = op.transaction.instruction;
  if (core.config.features.attr_perms_ovr) {
    if (overrides.privcfg >= 2) op.privileged = overrides.privcfg == 3;
    if (overrides.instcfg >= 2) op.instruction = overrides.instcfg == 3;
  }
  if (op.transaction.writes()) op.instruction = false;
}

void show_lookup(Core& core, CacheId cache, bool used, bool hit) {
  if (core.observer != nullptr && used) core.observer->lookup(cache, hit);
}

bool is_tcu(const Core& core, const StreamCache& cache) {
  return &cache == &core.tcu.config_cache;
}

/// Permission check and output of a translated access; `entry` covers it.
[[gnu::always_inline]] inline Progress finish_stage1(Core& core, TranslationOp& op, const TlbEntry& entry) {
  using namespace permission;
  const std::uint8_t granted = entry.permissions;
  const bool read = (granted & (op.instruction ? execute_bit(op.privileged) : read_bit(op.privileged))) != 0;
  const bool write = (granted & write_bit(op.privileged)) != 0;
  op.leaf = &entry;
  op.response.page_bits = entry.page_bits;
  op.response.read_allowed = read;
  op.response.write_allowed = write;
  const bool needs_write = op.transaction.writes();
  const bool needs_read = op.transaction.access != AccessType::write;
  if ((needs_write && !write) || (needs_read && !read)) {
    op.fault.read_failed = !needs_write || write;
    return fail(op, EventType::F_PERMISSION);
  }
  op.response.address = entry.pa + (op.canonical & ~(~std::uint64_t{0} << entry.page_bits));
  op.response.attributes = stage1_attributes(op.transaction.attributes, op.context->overrides,
                                             core.config.features.attr_types_ovr, entry.attributes);
  return answer(op, Outcome::proceed);
}

/// consult() from the point where the configuration is known.
[[gnu::always_inline]] inline Progress consult_with(Core& core, TranslationOp& op, const StreamContext& context,
                                                    TranslationCache& translations) {
  op.context = &context;
  if (spec::aborts(context.config)) return answer(op, Outcome::abort);
  override_permissions(core, op, context.overrides);
  if (!context.translates_stage1()) return bypass_stage1(core, op, context);
  const S1TTWParams& params = context.s1[(op.transaction.address.value >> 55) & 1];
  op.canonical = s1_canonical(params, op.transaction.address.value);
  if (!params.exists || !s1_in_range(params, op.canonical)) return fail(op, EventType::F_TRANSLATION);
  if (params.e0pd && !op.privileged) return fail(op, EventType::F_TRANSLATION);
  const TlbEntry* entry = translations.find(context.tlb, op.canonical, op.count_tlb);
  show_lookup(core, &translations == &core.tcu.tlb ? CacheId::tlb : CacheId::micro_tlb, op.count_tlb, entry != nullptr);
  op.count_tlb = false;
  return entry != nullptr ? finish_stage1(core, op, *entry) : Progress::needs_walk;
}

}  // namespace

Progress consult(Core& core, TranslationOp& op, StreamCache& streams, TranslationCache& translations) {
  const Transaction& t = op.transaction;
  op.context = nullptr;
  if (!core.regs.smmuen()) return disabled(core, op);
  if (unsupported(t)) return fail(op, EventType::F_UUT);
  const StreamContext* context = streams.find(t.stream_id, t.substream_valid, t.substream_id, op.count_config);
  show_lookup(core, is_tcu(core, streams) ? CacheId::config_cache : CacheId::stream_cache, op.count_config,
              context != nullptr);
  op.count_config = false;
  return context != nullptr ? consult_with(core, op, *context, translations) : Progress::needs_configuration;
}

namespace {

/// True if another translation is already bringing what this one needs.
bool on_its_way(Core& core, const TranslationOp& op, Progress progress) {
  const Transaction& t = op.transaction;
  if (progress == Progress::needs_configuration) {
    return core.tcu.in_flight.other_fetches(op.token, t.stream_id, t.substream_valid, t.substream_id);
  }
  return core.tcu.in_flight.other_walks(op.token, op.context->tlb, op.canonical);
}

void announce(Core& core, const TranslationOp& op, Progress progress) {
  const Transaction& t = op.transaction;
  if (progress == Progress::needs_configuration) {
    core.tcu.in_flight.fetching(op.token, t.stream_id, t.substream_valid, t.substream_id);
  } else {
    core.tcu.in_flight.walking(op.token, op.context->tlb, op.canonical);
  }
}

bool needs_memory(Progress progress) {
  return progress == Progress::needs_configuration || progress == Progress::needs_walk;
}

}  // namespace

Task<> translate_in_tcu(Core& core, TranslationOp& op) {
  Tcu& tcu = core.tcu;
  Progress progress = Progress::faulted;
  if (!op.failed()) {
    op.count_config = op.effects.fill;
    op.count_tlb = op.effects.fill;
    progress = consult(core, op, tcu.config_cache, tcu.tlb);
  }
  while (op.overtakable && needs_memory(progress) && on_its_way(core, op, progress)) {
    co_await tcu.walk_done.wait();
    progress = consult(core, op, tcu.config_cache, tcu.tlb);
  }
  if (needs_memory(progress)) {
    if (op.overtakable) announce(core, op, progress);
    const bool waits = op.timed && tcu.walkers.exhausted();
    if (op.timed) co_await tcu.walkers.acquire();
    SlotHold slot(op.timed ? &tcu.walkers : nullptr);
    if (waits) progress = consult(core, op, tcu.config_cache, tcu.tlb);
    if (progress == Progress::needs_configuration) {
      co_await fetch_configuration(core, op);
      progress = op.failed() ? Progress::faulted : consult_with(core, op, *op.own_context, tcu.tlb);
    }
    if (progress == Progress::needs_walk) {
      op.keep_context();
      if (op.overtakable) announce(core, op, progress);
      co_await walk_stage1(core, op);
      progress = op.failed() ? Progress::faulted : finish_stage1(core, op, *op.own_leaf);
    }
    slot.release();
    if (op.overtakable) {
      tcu.in_flight.finished(op.token);
      tcu.walk_done.open();
    }
  }
  // What was found lies in caches that the next wait may change.
  if (op.context != nullptr) op.keep_context();
  op.keep_leaf();
  if (progress == Progress::faulted) co_await report_fault(core, op);
}

}  // namespace smmusim
