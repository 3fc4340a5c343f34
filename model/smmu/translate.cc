// SPDX-License-Identifier: MIT
// consult() and the TCU's part. The order is that of the flow in chapter 15: SMMUEN, configuration, bypass, input
// range, TLB, walk, permissions.
#include "model/smmu/translate.h"

#include <algorithm>

#include "model/smmu/ats.h"
#include "model/smmu/attributes.h"
#include "model/smmu/core.h"
#include "model/smmu/operations.h"
#include "model/smmu/smmu.h"
#include "model/vmsa/permissions.h"

namespace smmusim {

void override_permissions(const Core& core, Consultation& op, const AttributeOverrides& overrides) {
  op.privileged = op.transaction.privileged;
  op.instruction = op.transaction.instruction;
  if (core.config.features.attr_perms_ovr) {
    if (overrides.privcfg >= 2) op.privileged = overrides.privcfg == 3;
    if (overrides.instcfg >= 2) op.instruction = overrides.instcfg == 3;
  }
  if (op.transaction.writes() || op.transaction.operation == Operation::prefetch) op.instruction = false;
}

namespace {

// What consult_here() calls with its Consultation is always_inline, seldom as it may be needed: one call that took the
// address would keep all of it in memory on every hit.

using spec::EventType;

AttributeOverrides gbpa_overrides(const RegisterFile& regs) {
  const auto gbpa = as<spec::GBPA>(regs.gbpa);
  AttributeOverrides overrides;
  overrides.mtcfg = gbpa.get<spec::GBPA::MTCFG>();
  overrides.memattr = static_cast<std::uint8_t>(gbpa.get<spec::GBPA::MemAttr>());
  overrides.alloccfg = static_cast<std::uint8_t>(gbpa.get<spec::GBPA::ALLOCCFG>());
  overrides.shcfg = static_cast<std::uint8_t>(gbpa.get<spec::GBPA::SHCFG>());
  overrides.privcfg = static_cast<std::uint8_t>(gbpa.get<spec::GBPA::PRIVCFG>());
  overrides.instcfg = static_cast<std::uint8_t>(gbpa.get<spec::GBPA::INSTCFG>());
  return overrides;
}

[[gnu::always_inline]] inline Progress answer(Consultation& op, Outcome outcome) {
  op.response.outcome = outcome;
  return Progress::answered;
}

/// What an access that goes on is labelled with (sections 13.1.2 and 17.2).
[[gnu::always_inline]] inline void label(const Core& core, Consultation& op, MpamIds mpam) {
  op.response.mpam = mpam;
  op.response.instruction = op.instruction && core.shows_access;
  op.response.privileged = op.privileged || !core.shows_access;
}

/// Output = input, cut to the OAS: what an IAS lets through may have more. Everything is permitted.
[[gnu::always_inline]] inline Progress pass_through(Core& core, Consultation& op, const AttributeOverrides& overrides,
                                                    MpamIds mpam) {
  label(core, op, mpam);
  op.response.address = Pa(op.transaction.address.value & ~core.beyond_oas);
  op.response.attributes = bypass_attributes(op.transaction.attributes, overrides, core.config.features.attr_types_ovr);
  op.response.read_allowed = true;
  op.response.write_allowed = true;
  return answer(op, Outcome::proceed);
}

/// SMMUEN=0 (sections 3.11 and 6.3.14): GBPA decides; an address beyond the OAS aborts without an event.
[[gnu::always_inline]] inline Progress disabled(Core& core, Consultation& op) {
  const bool abort = as<spec::GBPA>(core.regs.gbpa).get<spec::GBPA::ABORT>();
  tell(core, Step::disabled, abort);
  if (abort || !fits(op.transaction.address.value, core.config.features.oas)) return answer(op, Outcome::abort);
  const AttributeOverrides overrides = gbpa_overrides(core.regs);
  override_permissions(core, op, overrides);
  return pass_through(core, op, overrides, core.bypass_mpam);
}

/// What this implementation can't take at all (F_UUT, section 7.3.2): page-crossing accesses (the TLM adaptor splits
/// them before they come here), and security states that it does not have.
bool unsupported(const Transaction& t) {
  const std::uint64_t offset = t.address.value & low_mask(12);
  return t.security != SecurityState::non_secure || offset + t.size > 4096;
}

/// What bypasses a stage is checked there too; a violation is a fault of stage 1, and terminates whatever the STE says.
[[gnu::always_inline]] inline Progress input_too_large(const Core& core, Consultation& op) {
  tell(core, Step::input_too_large, op.transaction.address.value);
  op.fault.terminate_always = true;
  return fail(op, EventType::F_ADDR_SIZE);
}

/// No stage translates (Config=100, or S1DSS=01 without stage 2).
[[gnu::always_inline]] inline Progress bypass(Core& core, Consultation& op, const StreamContext& context) {
  const spec::Features& features = core.config.features;
  const std::uint64_t address = op.transaction.address.value;
  const unsigned limit =
      context.config == spec::SteConfig::bypass ? features.oas : spec::intermediate_address_size(features);
  tell(core, Step::bypassed, limit);
  if (!fits(address, limit)) return input_too_large(core, op);
  return pass_through(core, op, context.overrides, context.mpam);
}

/// The access goes to stage 2 as it came (sections 3.4 and 13.4).
[[gnu::always_inline]] inline Progress enter_stage2(Core& core, Consultation& op, const StreamContext& context) {
  op.canonical = op.transaction.address.value;
  if (!fits(op.canonical, spec::intermediate_address_size(core.config.features))) return input_too_large(core, op);
  if (s2_in_range(context.s2, op.canonical)) return Progress::answered;
  tell(core, Step::stage2_out_of_range, op.canonical, context.s2.txsz);
  op.fault.stage2 = true;
  op.fault.ipa = op.canonical;
  return fail(op, EventType::F_TRANSLATION);
}

void show_lookup(Core& core, const StreamCache& cache, bool used, bool hit) {
  if (core.observer == nullptr || !used) [[likely]]
    return;
  core.observer->lookup(&cache == &core.tcu.config_cache ? CacheId::config_cache : CacheId::stream_cache, hit);
}

void show_lookup(Core& core, const TranslationCache& cache, bool used, bool hit) {
  if (core.observer == nullptr || !used) [[likely]]
    return;
  core.observer->lookup(&cache == &core.tcu.tlb ? CacheId::tlb : CacheId::micro_tlb, hit);
}

/// Which stage refuses the access, and what (sections 3.3.2 and 7.3.16): stage 1 comes first.
[[gnu::always_inline]] inline Progress refuse(const Core& core, Consultation& op, const TlbEntry& entry) {
  Denied missing = denied(op, entry.stage1_permissions);
  if (!missing) {
    missing = denied(op, entry.permissions);
    // A walk would have marked a clean page for the write: what an atomic lacks there is the read (section 13.1.1).
    missing.write = missing.write && !entry.clean;
    op.fault.stage2 = true;
    op.fault.ipa = entry.ipa_page + (op.canonical - entry.va_page);
  }
  op.fault.read_failed = !missing.write;
  tell(core, Step::denied, op.fault.stage2 ? entry.permissions : entry.stage1_permissions, op.fault.stage2 ? 2 : 1);
  return fail(op, EventType::F_PERMISSION);
}

/// Output of a translated access that `entry` permits.
[[gnu::always_inline]] inline Progress permit(Core& core, Consultation& op, const TlbEntry& entry) {
  label(core, op, op.context->mpam);
  op.response.address = entry.pa + (op.canonical - entry.va_page);
  tell(core, Step::permitted, entry.permissions, op.response.address.value);
  op.response.attributes = translated_attributes(op.transaction.attributes, *op.context, core.config.features, entry);
  return answer(op, Outcome::proceed);
}

// The text of a translation, for untranslated traffic alone or (`ats`) for any. Untranslated traffic, whose hits must
// be fast, then has nothing of ATS in its way. What begins ATS traffic, and what ends it, is in ats.h.

/// Permission check of a translated access, which `entry` covers, and its output.
template <bool ats>
[[gnu::always_inline]] inline Progress finish(Core& core, Consultation& op, const TlbEntry& entry) {
  using namespace permission;
  const unsigned granted = of_privilege(entry.permissions, op.privileged);
  op.leaf = &entry;
  if constexpr (ats) {
    if (is_translation_request(op.transaction)) return complete_request(core, op, entry);
  }
  op.response.page_bits = entry.page_bits;
  op.response.read_allowed = (granted & (op.instruction ? unprivileged_execute : unprivileged_read)) != 0;
  op.response.write_allowed = (granted & unprivileged_write) != 0;
  const bool needs_write = op.transaction.writes();
  const bool needs_read = op.transaction.access != AccessType::write;
  if ((needs_write && !op.response.write_allowed) || (needs_read && !op.response.read_allowed)) [[unlikely]]
    return refuse(core, op, entry);
  return permit(core, op, entry);
}

[[gnu::noinline]] void tell_range(const Core& core, bool in_range, std::uint64_t canonical, unsigned txsz) {
  tell(core, in_range ? Step::stage1_range : Step::stage1_out_of_range, canonical, ((canonical >> 55) & 1) << 8 | txsz);
}

/// Input checks of stage 1. Progress::answered if it may be looked up.
[[gnu::always_inline]] inline Progress enter_stage1(const Core& core, Consultation& op, const StreamContext& context) {
  op.canonical = op.transaction.address.value;
  const S1TTWParams& params = context.s1[(op.canonical >> 55) & 1];
  // A branch, which the host predicts: a computed address would wait for the load of `params` in every lookup.
  if (params.tag != 0) [[unlikely]]
    op.canonical = s1_canonical(params, op.canonical);
  const bool in_range = s1_in_range(params, op.canonical);
  if (core.observer != nullptr) [[unlikely]]
    tell_range(core, in_range, op.canonical, params.txsz);
  if (!in_range) [[unlikely]]
    return fail(op, EventType::F_TRANSLATION);
  if (params.e0pd && !op.privileged) {
    tell(core, Step::stage1_e0pd);
    return fail(op, EventType::F_TRANSLATION);
  }
  return Progress::answered;
}

/// Whether `entry`, of a page that may be clean, does not give the write permission that the access wants.
template <bool ats>
[[gnu::always_inline]] inline bool lacks_write(const Consultation& op, const TlbEntry& entry) {
  if constexpr (ats) {
    if (is_translation_request(op.transaction))
      return op.transaction.may_dirty() && (entry.permissions & permission::write_bit(op.privileged)) == 0;
  }
  return denied(op, entry.permissions).write;
}

/// consult() from the point where the configuration is known.
template <bool ats>
[[gnu::always_inline]] inline Progress consult_with(Core& core, Consultation& op, const StreamContext& context,
                                                    TranslationCache& translations) {
  op.context = &context;
  if constexpr (ats) {
    if (op.transaction.ats != AtsType::untranslated) {
      if (const std::optional<Progress> ends = enter_ats(core, op, context)) return *ends;
    }
  }
  if (spec::aborts(context.config)) [[unlikely]]
    return answer(op, Outcome::abort);
  override_permissions(core, op, context.overrides);
  if (context.translates_stage1()) [[likely]] {
    if (enter_stage1(core, op, context) != Progress::answered) return Progress::faulted;
  } else if (context.translates_stage2()) {
    if (enter_stage2(core, op, context) != Progress::answered) return Progress::faulted;
  } else {
    const Progress progress = bypass(core, op, context);
    if constexpr (ats) {
      if (progress == Progress::answered && is_translation_request(op.transaction))
        return complete_identity(core, op, context);
    }
    return progress;
  }
  const TlbEntry* entry = translations.find(context.tlb, op.canonical, op.count_tlb);
  // A writable-clean page cannot be marked dirty from here: the walk does that (section 3.13.3).
  if (entry != nullptr && entry->clean && lacks_write<ats>(op, *entry)) [[unlikely]] {
    if (op.count_tlb) translations.recount_as_miss();
    entry = nullptr;
  }
  show_lookup(core, translations, op.count_tlb, entry != nullptr);
  op.count_tlb = false;
  return entry != nullptr ? finish<ats>(core, op, *entry) : Progress::needs_walk;
}

/// consult(), for callers that keep the Consultation in registers.
template <bool ats>
[[gnu::always_inline]] inline Progress consult_here(Core& core, Consultation& op, StreamCache& streams,
                                                    TranslationCache& translations) {
  const Transaction& t = op.transaction;
  op.context = nullptr;
  if constexpr (ats) {
    if (t.ats != AtsType::untranslated) {
      if (const std::optional<Progress> ends = begin_ats(core, op)) return *ends;
    }
  }
  if (!core.regs.smmuen()) [[unlikely]]
    return disabled(core, op);
  if (unsupported(t)) [[unlikely]] {
    tell(core, Step::unsupported);
    return fail(op, EventType::F_UUT);
  }
  const StreamContext* context =
      ats && is_translated(t) ? streams.find_translated(t.stream_id, t.substream_valid, t.substream_id, op.count_config)
                              : streams.find(t.stream_id, t.substream_valid, t.substream_id, op.count_config);
  show_lookup(core, streams, op.count_config, context != nullptr);
  op.count_config = false;
  return context != nullptr ? consult_with<ats>(core, op, *context, translations) : Progress::needs_configuration;
}

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

/// What `progress` means for an access that is unusual(). May be asked again.
Progress settled(Core& core, Consultation& op, Progress progress) {
  // A prefetch alone was refused as the read that it counts as; any other permission will do.
  const bool prefetch = op.transaction.operation == Operation::prefetch;
  if (prefetch && progress == Progress::faulted && op.fault.type == EventType::F_PERMISSION && op.leaf != nullptr) {
    if (!denied(op, op.leaf->permissions)) {
      op.fault = {};
      progress = permit(core, op, *op.leaf);
    } else {
      op.leaf = nullptr;
    }
  }
  if (progress == Progress::answered) settle_operation(core, op);
  return progress;
}

bool needs_memory(Progress progress) {
  return progress == Progress::needs_configuration || progress == Progress::needs_walk;
}

/// What the TBU's caches could not answer, untimed.
[[gnu::noinline]] void translate_missing(Core& core, Tbu& tbu, const Consultation start, Effects effects, bool parks) {
  TranslationOp op(core, start, effects, effects.fill ? core.memory : core.debug_memory, false);
  op.parks = parks;
  if (op.failed() && op.context != nullptr) op.keep_context();
  Task<> task = translate_in_tcu(core, op);
  SMMUSIM_CHECK(task.run_to_completion());
  tbu.keep(op);
}

}  // namespace

Progress consult(Core& core, Consultation& op, StreamCache& streams, TranslationCache& translations) {
  const bool unusual = op.transaction.unusual();
  if (unusual && ends_on_entry(op.transaction)) return answer(op, Outcome::abort);
  const Progress progress = consult_here<true>(core, op, streams, translations);
  return unusual ? settled(core, op, progress) : progress;
}

namespace {

/// translate_here() of a transaction that is unusual().
[[gnu::noinline]] void translate_unusual(Core& core, Tbu& tbu, const Transaction& presented, Effects effects,
                                         bool parks, Response& response) {
  const Transaction transaction = taken(core, as_it_counts(presented));
  Consultation start(transaction, response, effects.fill);
  const Progress progress = consult(core, start, tbu.stream_cache, tbu.micro_tlb);
  if (progress != Progress::answered) translate_missing(core, tbu, start, effects, parks);
}

}  // namespace

/// The untimed path; `parks`: the client waits for the end of a stall.
[[gnu::always_inline]] inline Response translate_here(Core& core, Tbu& tbu, const Transaction& transaction,
                                                      Effects effects, bool parks) {
  Response response;
  if (transaction.unusual()) [[unlikely]] {
    translate_unusual(core, tbu, transaction, effects, parks, response);
    return response;
  }
  Consultation start(transaction, response, effects.fill);
  const Progress progress = consult_here<false>(core, start, tbu.stream_cache, tbu.micro_tlb);
  if (progress != Progress::answered) [[unlikely]]
    translate_missing(core, tbu, start, effects, parks);
  return response;
}

Response translate_now(Core& core, Tbu& tbu, const Transaction& transaction) {
  return translate_here(core, tbu, transaction, ordinary_effects, true);
}

Response Smmu::translate(unsigned tbu, const Transaction& transaction, Effects effects) {
  Core& core = *core_;
  SMMUSIM_CHECK(tbu < core.config.tbus);  // as many as core.tbus holds
  const Response response = translate_here(core, *core.tbus[tbu], transaction, effects, false);
  if (effects.count) count_response(core, transaction, response);
  return response;
}

Task<> translate_in_tcu(Core& core, TranslationOp& op) {
  Tcu& tcu = core.tcu;
  Progress progress = Progress::faulted;
  op.response.reach = Reach::tcu;
  if (!op.failed()) {
    op.count_config = op.effects.fill;
    op.count_tlb = op.effects.fill;
    progress = consult(core, op, tcu.config_cache, tcu.tlb);
  }
  while (op.overtakable && needs_memory(progress) && on_its_way(core, op, progress)) {
    op.response.reach = Reach::joined;
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
      op.response.reach = Reach::configuration;
      co_await fetch_configuration(core, op);
      progress = op.failed() ? Progress::faulted : consult_with<true>(core, op, *op.own_context, tcu.tlb);
    }
    if (progress == Progress::needs_walk) {
      op.response.reach = std::max(op.response.reach, Reach::walk);
      if (op.timed) op.keep_context();
      if (op.overtakable) announce(core, op, progress);
      const Time begin = core.lifetime.engine().now();
      co_await walk(core, op);
      conclude_walk(core, op, begin);
      progress = op.failed() ? Progress::faulted : finish<true>(core, op, *op.own_leaf);
    }
    slot.release();
    if (op.overtakable) {
      tcu.in_flight.finished(op.token);
      tcu.walk_done.open();
    }
  }
  if (op.transaction.unusual()) progress = settled(core, op, progress);
  if (op.timed) {  // what was found lies in caches that the next wait may change
    if (op.context != nullptr) op.keep_context();
    op.keep_leaf();
  }
  if (progress == Progress::faulted) co_await report_fault(core, op);
}

}  // namespace smmusim
