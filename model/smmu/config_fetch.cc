// SPDX-License-Identifier: MIT
// From StreamID and SubstreamID to a StreamContext (IHI 0070 sections 3.3.1, 3.3.2, 5.1 to 5.4): stream table, STE,
// CD table, CD, each checked before anything in it is followed.
//
// CONSTRAINED UNPREDICTABLE choices: a stream table address beyond the OAS, and an L1STD.L2Ptr beyond it, are an
// external abort (F_STE_FETCH) rather than a truncation; reserved SPLIT and FMT values act as 6 and linear; table
// pointer bits below the table's alignment are ignored; RES0 bits are ignored.
#include <algorithm>

#include "model/smmu/core.h"
#include "model/smmu/legality.h"
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
  if (!fits(sid, table.log2size)) {
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
    fault(op, EventType::F_STE_FETCH, address);
    co_return 0;
  }
  const unsigned span = l1.get<spec::L1std::Span>();
  const std::uint64_t index = sid & low_mask(table.split);
  if (span == 0 || span > table.split + 1 || span > 11 || index >= std::uint64_t{1} << (span - 1)) {
    fault(op, EventType::C_BAD_STREAMID);
    co_return 0;
  }
  co_return (l1.get<spec::L1std::L2Ptr>() & ~low_mask(5 + span)) + index * 64;
}

Task<> fetch_ste(Core& core, TranslationOp& op, Ste& ste) {
  const std::uint64_t address = co_await locate_ste(core, op);
  if (op.fault.type != EventType{}) co_return;
  OwnAccess read = own_read(core, *op.port, Purpose::STE, Pa(address), ste.dw.data(), 64, core.table_attributes());
  read.counted = op.effects.count;
  const MemoryStatus status = co_await read;
  if (status != MemoryStatus::ok) {
    fault(op, EventType::F_STE_FETCH, address);
  } else if (illegal_ste(ste, core.config.features) != nullptr) {
    fault(op, EventType::C_BAD_STE);
  }
}

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

MemoryAttributes cd_attributes(const Ste& ste) {
  const std::uint8_t type = cacheability_to_mair(ste.get<Ste::S1CIR>(), ste.get<Ste::S1COR>());
  return {type, effective_shareability(type, static_cast<unsigned>(ste.get<Ste::S1CSH>()))};
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
  OwnAccess read = own_read(core, *op.port, Purpose::L1CD, Pa(address), l1.dw.data(), 8, cd_attributes(ste));
  read.counted = op.effects.count;
  const MemoryStatus status = co_await read;
  if (status != MemoryStatus::ok) {
    fault(op, EventType::F_CD_FETCH, address);
    co_return 0;
  }
  const std::uint64_t leaf = l1.get<spec::L1cd::L2Ptr>() & ~low_mask(leaf_log2 + 6);
  if (!l1.get<spec::L1cd::V>() || !fits(leaf, core.config.features.oas)) {
    fault(op, EventType::C_BAD_SUBSTREAMID);
    co_return 0;
  }
  co_return leaf + (index & low_mask(leaf_log2)) * 64;
}

Task<> fetch_cd(Core& core, TranslationOp& op, Ste& ste, Cd& cd) {
  const std::uint64_t address = co_await locate_cd(core, op, ste, op.own_context->cd_index);
  if (op.fault.type != EventType{}) co_return;
  OwnAccess read = own_read(core, *op.port, Purpose::CD, Pa(address), cd.dw.data(), 64, cd_attributes(ste));
  read.counted = op.effects.count;
  const MemoryStatus status = co_await read;
  if (status != MemoryStatus::ok) {
    fault(op, EventType::F_CD_FETCH, address);
  } else if (illegal_cd(cd, {core.config.features, ste, op.own_context->tlb.world}) != nullptr) {
    fault(op, EventType::C_BAD_CD);
  }
}

void decode_ste(const Core& core, const Ste& ste, StreamContext& context) {
  context.config = ste.get<Ste::Config>();
  context.overrides = {ste.get<Ste::MTCFG>(),
                       static_cast<std::uint8_t>(ste.get<Ste::MemAttr>()),
                       static_cast<std::uint8_t>(ste.get<Ste::ALLOCCFG>()),
                       static_cast<std::uint8_t>(ste.get<Ste::SHCFG>()),
                       static_cast<std::uint8_t>(ste.get<Ste::PRIVCFG>()),
                       static_cast<std::uint8_t>(ste.get<Ste::INSTCFG>())};
  const bool e2h = as<spec::CR2>(core.regs.cr2).get<spec::CR2::E2H>();
  context.tlb.world = stream_world(ste, core.config.features, e2h);
  const bool has_vmid = core.config.features.s2p && context.tlb.world == StreamWorld::ns_el1;
  context.tlb.vmid = Vmid(has_vmid ? ste.get<Ste::S2VMID>() : std::uint16_t{0});
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
  }
}

}  // namespace

Task<> fetch_configuration(Core& core, TranslationOp& op) {
  const Transaction& t = op.transaction;
  core.counters.config_fetches += op.effects.count ? 1 : 0;
  op.own_context.emplace();
  StreamContext& context = *op.own_context;
  context.stream_id = t.stream_id;
  context.substream_valid = t.substream_valid;
  context.substream_id = t.substream_valid ? t.substream_id : SubstreamId(0);
  Ste ste;
  co_await fetch_ste(core, op, ste);
  if (op.fault.type != EventType{}) co_return;
  decode_ste(core, ste, context);
  if (!spec::aborts(context.config)) {
    const Substream substream = select_cd(ste, core.config.features, t);
    op.fault.type = substream.fault;
    context.s1_bypassed = substream.bypass;
    context.cd_index = substream.cd_index;
    if (op.fault.type == EventType{} && context.translates_stage1()) {
      Cd cd;
      co_await fetch_cd(core, op, ste, cd);
      if (op.fault.type == EventType{}) decode_cd(core, cd, context);
    }
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
