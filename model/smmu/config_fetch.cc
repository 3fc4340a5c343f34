// SPDX-License-Identifier: MIT
// From StreamID and SubstreamID to a StreamContext (IHI 0070 sections 3.3.1, 3.3.2, 5.1 to 5.4): stream table, STE,
// CD table, CD, each checked before anything in it is followed.
//
// CONSTRAINED UNPREDICTABLE choices: a stream table address beyond the OAS, and an L1STD.L2Ptr beyond it, are an
// external abort (F_STE_FETCH) rather than a truncation; reserved SPLIT and FMT values act as 6 and linear; table
// pointer bits below the table's alignment are ignored; RES0 bits are ignored.
#include <algorithm>
#include <span>

#include "model/smmu/ats.h"
#include "model/smmu/core.h"
#include "model/smmu/legality.h"
#include "model/smmu/mpam.h"
#include "model/smmu/own_access.h"
#include "model/smmu/translate.h"
#include "model/spec/l1.h"
#include "model/vmsa/attributes.h"

namespace smmusim {
namespace {

using spec::Cd;
using spec::EventType;
using spec::Ste;

void fault(TranslationOp& op, EventType type, std::uint64_t fetch_address = 0) {
  op.fault.type = type;
  op.fault.fetch_address = fetch_address;
}

/// STRTAB_BASE and STRTAB_BASE_CFG with their effective values (6.3.24, 6.3.25).
struct StreamTable {
  std::uint64_t base;
  unsigned log2size;  ///< capped at SIDSIZE: what counts for range checks
  unsigned split;
  bool two_level;
};
StreamTable stream_table(const Core& core) {
  const auto cfg = as<spec::STRTAB_BASE_CFG>(core.regs.strtab_base_cfg);
  const unsigned literal = cfg.get<spec::STRTAB_BASE_CFG::LOG2SIZE>();
  StreamTable table{};
  table.log2size = std::min(literal, core.config.features.sidsize);
  table.two_level = core.config.features.st_level != 0 && cfg.get<spec::STRTAB_BASE_CFG::FMT>() == 1;
  const unsigned split = cfg.get<spec::STRTAB_BASE_CFG::SPLIT>();
  table.split = split == 8 || split == 10 ? split : 6;
  const unsigned bytes_log2 =
      table.two_level ? std::max(6u, (literal > table.split ? literal - table.split : 0) + 3) : literal + 6;
  table.base = as<spec::STRTAB_BASE>(core.regs.strtab_base).get<spec::STRTAB_BASE::ADDR>() & ~low_mask(bytes_log2);
  return table;
}

/// Where the STE of `stream` lies; 0 with op.fault set if nowhere.
Task<std::uint64_t> locate_ste(Core& core, TranslationOp& op) {
  const std::uint32_t sid = op.transaction.stream_id.value;
  const StreamTable table = stream_table(core);
  tell(core, Step::stream_table, table.log2size, table.two_level ? table.split : 0);
  if (!fits(sid, table.log2size)) {
    tell(core, Step::stream_out_of_range, table.log2size);
    fault(op, EventType::C_BAD_STREAMID);
    co_return 0;
  }
  if (!table.two_level) co_return table.base + std::uint64_t{sid} * 64;
  const std::uint64_t address = table.base + std::uint64_t{sid >> table.split} * 8;
  spec::L1std l1;
  OwnAccess read = own_read(core, *op.port, Purpose::L1STD, Pa(address), l1.dw.data(), 8, core.table_attributes());
  read.counted = op.effects.count;
  const MemoryStatus status = co_await read;
  if (status != MemoryStatus::ok) {
    tell(core, Step::external_abort, address, static_cast<std::uint64_t>(Purpose::L1STD));
    fault(op, EventType::F_STE_FETCH, address);
    co_return 0;
  }
  const unsigned span = l1.get<spec::L1std::Span>();
  const std::uint64_t index = sid & low_mask(table.split);
  if (span == 0 || span > table.split + 1 || span > 11 || index >= std::uint64_t{1} << (span - 1)) {
    tell(core, Step::stream_not_spanned, span, index);
    fault(op, EventType::C_BAD_STREAMID);
    co_return 0;
  }
  co_return (l1.get<spec::L1std::L2Ptr>() & ~low_mask(5 + span)) + index * 64;
}

}  // namespace

Task<> fetch_ste(Core& core, TranslationOp& op, Ste& ste) {
  const std::uint64_t address = co_await locate_ste(core, op);
  if (op.fault.type != EventType{}) co_return;
  OwnAccess read = own_read(core, *op.port, Purpose::STE, Pa(address), ste.dw.data(), 64, core.table_attributes());
  read.counted = op.effects.count;
  const MemoryStatus status = co_await read;
  if (status != MemoryStatus::ok) {
    fault(op, EventType::F_STE_FETCH, address);
    tell(core, Step::external_abort, address, static_cast<std::uint64_t>(Purpose::STE));
  } else if (const SteRule* row = illegal_ste(ste, core.config.features); row != nullptr) {
    if (core.observer != nullptr) core.observer->illegal(row->sentence, row->rule);
    fault(op, EventType::C_BAD_STE);
  }
}

namespace {

/// How SubstreamID, S1CDMax and S1DSS meet (section 3.3.2, 5.2 S1DSS).
struct Substream {
  EventType fault{};    ///< F_STREAM_DISABLED, C_BAD_SUBSTREAMID or 0
  bool bypass = false;  ///< stage 1 is bypassed
  std::uint32_t cd_index = 0;
};
Substream select_cd(const Ste& ste, const spec::Features& features, const Transaction& t) {
  const unsigned cd_max = features.ssidsize == 0 ? 0 : ste.get<Ste::S1CDMax>();
  if (!spec::has_stage1(ste.get<Ste::Config>()) || cd_max == 0) {
    return {t.substream_valid ? EventType::C_BAD_SUBSTREAMID : EventType{}, false, 0};
  }
  const auto dss = ste.get<Ste::S1DSS>();
  if (!t.substream_valid) {
    if (dss == spec::S1Dss::bypass) return {EventType{}, true, 0};
    return {dss == spec::S1Dss::substream0 ? EventType{} : EventType::F_STREAM_DISABLED, false, 0};
  }
  if (!fits(t.substream_id.value, cd_max)) return {EventType::C_BAD_SUBSTREAMID, false, 0};
  const bool reserved = dss == spec::S1Dss::substream0 && t.substream_id.value == 0;
  return {reserved ? EventType::F_STREAM_DISABLED : EventType{}, false, t.substream_id.value};
}

void tell_substream(const Core& core, const StreamContext& context, const Substream& substream) {
  if (substream.fault != EventType{}) {
    tell(core, Step::substream_refused, static_cast<std::uint64_t>(substream.fault));
  } else if (substream.bypass) {
    tell(core, Step::substream_bypass);
  } else if (context.substream_valid) {
    tell(core, Step::substream_used, substream.cd_index);
  } else if (spec::has_stage1(context.config)) {
    tell(core, Step::substream_none);
  }
}

MemoryAttributes cd_attributes(const Ste& ste) {
  const std::uint8_t type = cd_cacheability_to_mair(ste.get<Ste::S1CIR>(), ste.get<Ste::S1COR>());
  return {type, effective_shareability(type, static_cast<unsigned>(ste.get<Ste::S1CSH>()))};
}

/// Reads an L1CD or a CD. With stage 2, `address` is an IPA (section 3.3.2).
Task<> read_cd_table(Core& core, TranslationOp& op, Ste& ste, Purpose purpose, std::uint64_t address,
                     std::span<std::uint64_t> words) {
  MemoryAttributes attributes = cd_attributes(ste);
  if (op.own_context->translates_stage2()) {
    IpaTranslation stage2(core, op, address, spec::EventClass::CD);
    co_await stage2;
    if (op.failed()) co_return;
    attributes = walk_attributes(attributes, core, op);
    address = op.stage2_output(address);
  }
  const auto bytes = static_cast<std::uint32_t>(words.size_bytes());
  OwnAccess read = own_read(core, *op.port, purpose, Pa(address), words.data(), bytes, attributes);
  read.mpam = op.own_context->ste_mpam;
  read.counted = op.effects.count;
  const MemoryStatus status = co_await read;
  if (status == MemoryStatus::ok) co_return;
  tell(core, Step::external_abort, address, static_cast<std::uint64_t>(purpose));
  fault(op, EventType::F_CD_FETCH, address);
}

/// Where CD `index` lies (section 5.3); 0 with op.fault set if nowhere.
Task<std::uint64_t> locate_cd(Core& core, TranslationOp& op, Ste& ste, std::uint32_t index) {
  const std::uint64_t base = ste.get<Ste::S1ContextPtr>();
  const unsigned cd_max = core.config.features.ssidsize == 0 ? 0 : ste.get<Ste::S1CDMax>();
  const auto format = ste.get<Ste::S1Fmt>();
  const bool two_level =
      cd_max != 0 && (format == spec::S1Format::two_level_4k || format == spec::S1Format::two_level_64k);
  if (!two_level) co_return (base & ~low_mask(6 + cd_max)) + std::uint64_t{index} * 64;
  const unsigned leaf_log2 = format == spec::S1Format::two_level_64k ? 10 : 6;
  const unsigned l1_log2 = cd_max > leaf_log2 ? cd_max - leaf_log2 : 0;
  const std::uint64_t address = (base & ~low_mask(std::max(6u, l1_log2 + 3))) + (std::uint64_t{index} >> leaf_log2) * 8;
  spec::L1cd l1;
  co_await read_cd_table(core, op, ste, Purpose::L1CD, address, l1.dw);
  if (op.failed()) co_return 0;
  const std::uint64_t leaf = l1.get<spec::L1cd::L2Ptr>() & ~low_mask(leaf_log2 + 6);
  const spec::Features& features = core.config.features;
  const unsigned limit = op.own_context->translates_stage2() ? intermediate_address_size(features) : features.oas;
  if (!l1.get<spec::L1cd::V>() || !fits(leaf, limit)) {
    tell(core, Step::cd_not_reachable, leaf, l1.get<spec::L1cd::V>());
    fault(op, EventType::C_BAD_SUBSTREAMID);
    co_return 0;
  }
  co_return leaf + (index & low_mask(leaf_log2)) * 64;
}

Task<> fetch_cd(Core& core, TranslationOp& op, Ste& ste, Cd& cd) {
  const std::uint64_t address = co_await locate_cd(core, op, ste, op.own_context->cd_index);
  if (op.failed()) co_return;
  co_await read_cd_table(core, op, ste, Purpose::CD, address, cd.dw);
  if (op.failed()) co_return;
  const CdRule* row = illegal_cd(cd, {core.config.features, ste, op.own_context->tlb.world});
  if (row == nullptr) co_return;
  if (core.observer != nullptr) core.observer->illegal(row->sentence, row->rule);
  fault(op, EventType::C_BAD_CD);
}

/// VMS.PARTID_MAP (section 5.6): the PARTIDs that the CDs of a VM may name.
Task<> read_partid_map(Core& core, TranslationOp& op, Ste& ste, PartidMap& map) {
  const std::uint64_t address = ste.get<Ste::VMSPtr>();
  OwnAccess read =
      own_read(core, *op.port, Purpose::VMS, Pa(address), map.words.data(), sizeof map.words, core.table_attributes());
  read.counted = op.effects.count;
  const MemoryStatus status = co_await read;
  if (status == MemoryStatus::ok) co_return;
  tell(core, Step::external_abort, address, static_cast<std::uint64_t>(Purpose::VMS));
  fault(op, EventType::F_VMS_FETCH, address);
}

/// STE.S1MPAM (section 17.2): the CD's PARTID and PMG, the PARTID through the VMS if the stream is nested.
Task<> fetch_mpam(Core& core, TranslationOp& op, Ste& ste, Cd& cd) {
  const spec::Features& features = core.config.features;
  StreamContext& context = *op.own_context;
  if (!features.mpam || !ste.get<Ste::S1MPAM>()) co_return;
  unsigned partid = cd.get<Cd::PARTID>();
  if (context.translates_stage2()) {
    PartidMap map;
    context.uses_vms = uses_vms(ste, features);
    if (context.uses_vms) co_await read_partid_map(core, op, ste, map);
    partid = map[partid];
  }
  context.mpam = mpam_ids(features, partid, cd.get<Cd::PMG>());
}

void decode_ste(const Core& core, const Ste& ste, StreamContext& context) {
  context.config = ste.get<Ste::Config>();
  context.dre = ste.get<Ste::DRE>();
  context.dcp = ste.get<Ste::DCP>();
  context.ste_mpam = mpam_ids(core.config.features, ste.get<Ste::PARTID>(), ste.get<Ste::PMG>());
  context.mpam = context.ste_mpam;
  context.overrides = {ste.get<Ste::MTCFG>(),
                       static_cast<std::uint8_t>(ste.get<Ste::MemAttr>()),
                       static_cast<std::uint8_t>(ste.get<Ste::ALLOCCFG>()),
                       static_cast<std::uint8_t>(ste.get<Ste::SHCFG>()),
                       static_cast<std::uint8_t>(ste.get<Ste::PRIVCFG>()),
                       static_cast<std::uint8_t>(ste.get<Ste::INSTCFG>())};
  if (!core.config.features.attr_perms_ovr) context.overrides.privcfg = context.overrides.instcfg = 0;
  context.eats = ste.get<Ste::EATS>();
  context.ppar = ste.get<Ste::PPAR>();
  const bool e2h = as<spec::CR2>(core.regs.cr2).get<spec::CR2::E2H>();
  context.tlb.world = stream_world(ste, core.config.features, e2h);
  const bool tagged = core.config.features.s2p && has_vmid(context.tlb.world);
  context.tlb.vmid = Vmid(tagged ? ste.get<Ste::S2VMID>() : std::uint16_t{0});
  context.mev = ste.get<Ste::MEV>();
  if (!context.translates_stage2()) return;
  context.s2_s = ste.get<Ste::S2S>();
  context.s2 = s2_ttw_params(ste, core.config.features);
  context.s2_plan = ttw::WalkPlan(context.s2, walk_start(context.s2));
  context.s2_r = ste.get<Ste::S2R>();
}

void decode_cd(const Core& core, const Cd& cd, StreamContext& context) {
  const bool two_privileges = context.tlb.world != StreamWorld::ns_el2;
  context.cd_a = cd.get<Cd::A>() || core.config.features.term_model;
  context.cd_r = cd.get<Cd::R>();
  context.cd_s = cd.get<Cd::S>();
  context.tlb.asid = Asid(two_privileges ? cd.get<Cd::ASID>() : std::uint16_t{0});
  context.tlb.aset = cd.get<Cd::ASET>();
  for (unsigned half = 0; half < 2; ++half) {
    context.s1[half] = s1_ttw_params(cd, half, two_privileges, core.config.features);
    context.s1_plan[half] = ttw::WalkPlan(context.s1[half], walk_start(context.s1[half]));
  }
  tell(core, Step::cd_decoded, context.tlb.asid.value, static_cast<std::uint64_t>(context.tlb.world));
}

/// ATS traffic that its STE does not allow ends here: what follows may not be looked at (section 3.9.1.3).
bool refused_by_ats(const Core& core, TranslationOp& op) {
  if (op.transaction.ats == AtsType::untranslated || op.ste_only || spec::aborts(op.context->config)) return false;
  if (effective_eats(core, *op.context) != spec::Eats::none) return false;
  op.fault.type = ats_refusal(op.transaction);
  return true;
}

/// Makes the context one of ATS Translated traffic: stage 1 is done, and types are not overridden (section 13.1.4).
void keep_stage2_only(StreamContext& context) {
  context.s1_bypassed = true;
  context.overrides = {.privcfg = context.overrides.privcfg, .instcfg = context.overrides.instcfg};
  if (context.translates_stage2()) context.tlb = context.stage2_tlb();
}

/// What comes after the STE: the substream, and its CD if there is one.
Task<> fetch_substream(Core& core, TranslationOp& op, Ste& ste, const Transaction t) {
  StreamContext& context = *op.own_context;
  // A Translated transaction is checked, and has its CD read, only if IDR3.PASIDTT lets it have a substream.
  const bool checked = !context.translated || (core.config.features.pasidtt && !op.ste_only);
  const Substream substream = checked ? select_cd(ste, core.config.features, t) : Substream{};
  op.fault.type = substream.fault;
  tell_substream(core, context, substream);
  context.s1_bypassed = substream.bypass;
  context.cd_index = substream.cd_index;
  const bool reads_cd = context.translated ? context.substream_valid : context.translates_stage1();
  if (op.fault.type == EventType{} && reads_cd) {
    Cd cd;
    co_await fetch_cd(core, op, ste, cd);
    if (op.fault.type == EventType{} && !context.translated) decode_cd(core, cd, context);
    if (op.fault.type == EventType{}) co_await fetch_mpam(core, op, ste, cd);
  } else if (context.translates_stage2()) {
    context.tlb = context.stage2_tlb();
  }
  if (context.translated) keep_stage2_only(context);
}

}  // namespace

Task<> fetch_configuration(Core& core, TranslationOp& op) {
  Transaction t = op.transaction;
  t.substream_valid = t.substream_valid && !op.ste_only;
  core.counters.config_fetches += op.effects.count ? 1 : 0;
  op.own_context.emplace();
  StreamContext& context = *op.own_context;
  context.stream_id = t.stream_id;
  context.substream_valid = t.substream_valid;
  context.substream_id = t.substream_valid ? t.substream_id : SubstreamId(0);
  context.translated = is_translated(t) || op.ste_only;
  Ste ste;
  co_await fetch_ste(core, op, ste);
  if (op.fault.type != EventType{}) co_return;
  decode_ste(core, ste, context);
  op.context = &context;
  override_permissions(core, op, context.overrides);
  tell(core, Step::ste_decoded, static_cast<std::uint64_t>(context.config),
       static_cast<std::uint64_t>(context.tlb.world));
  tell(core, Step::access, op.privileged, op.instruction);
  if (refused_by_ats(core, op)) co_return;
  if (!spec::aborts(context.config)) {
    co_await fetch_substream(core, op, ste, t);
    if (op.fault.type != EventType{}) co_return;
  }
  if (!op.effects.fill) co_return;
  if (may_fill(core.tcu.in_flight, op, context)) {
    core.tcu.config_cache.fill(context);
    if (core.observer != nullptr) core.observer->fill(CacheId::config_cache);
  } else {
    core.tcu.config_cache.count_dropped_fill();
  }
}

}  // namespace smmusim
