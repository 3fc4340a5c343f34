// SPDX-License-Identifier: MIT
// What makes a Non-secure STE ILLEGAL (IHI 0070 sections 5.2, 5.2.2, 5.5, 3.4.3). A field that is ignored or RES0 never
// makes a structure illegal, so each predicate first asks whether its field counts. Nothing here reads memory.
#include <algorithm>
#include <optional>

#include "model/smmu/legality.h"
#include "model/smmu/legality_rows.h"
#include "model/smmu/mpam.h"
#include "model/vmsa/s2_walk.h"

namespace smmusim {
namespace {

using legality::TableFormat;
using spec::Eats;
using spec::Features;
using spec::Httu;
using spec::StallModel;
using spec::Ste;
using spec::SteConfig;

SteConfig config_of(const Ste& ste) {
  return ste.get<Ste::Config>();
}
bool stage1_on(const Ste& ste, const Features& f) {
  return f.s1p && spec::has_stage1(config_of(ste));
}
bool stage2_on(const Ste& ste, const Features& f) {
  return f.s2p && spec::has_stage2(config_of(ste));
}
bool substreams_on(const Ste& ste, const Features& f) {
  return stage1_on(ste, f) && f.ssidsize != 0 && ste.get<Ste::S1CDMax>() != 0;
}
/// EATS is ignored without ATS and where nothing translates.
bool eats_is(Eats value, const Ste& ste, const Features& f) {
  return f.ats && config_of(ste) != SteConfig::bypass && ste.get<Ste::EATS>() == value;
}
bool dpt_checked(const Ste& ste, const Features& f) {
  return f.dpt && eats_is(Eats::full_dpt, ste, f);
}

TableFormat s2_format(const Ste& ste, const Features& f) {
  return legality::table_format(ste.get<Ste::S2AA64>(), f);
}
bool s2_is(TableFormat format, const Ste& ste, const Features& f) {
  return stage2_on(ste, f) && s2_format(ste, f) == format;
}
/// Stage 2 is on with 64- or 128-bit descriptors; with VMSAv8-32 LPAE the granule is 4 KiB whatever S2TG says.
bool s2_is_wide(const Ste& ste, const Features& f) {
  return stage2_on(ste, f) && s2_format(ste, f) != TableFormat::vmsav8_32_lpae;
}
/// log2 of S2TG's granule; 0 if reserved, which has a row of its own.
unsigned s2_granule(const Ste& ste) {
  return legality::granule_bits(ste.get<Ste::S2TG>());
}
/// S2DS is RES0 without IDR5.DS and with 64 KiB.
bool s2_ds(const Ste& ste, const Features& f) {
  return f.ds && ste.get<Ste::S2DS>() && s2_granule(ste) != 16;
}
std::optional<int> s2_start(const Ste& ste, const Features& f) {
  return s2_start_level(s2_granule(ste), ste.get<Ste::S2SL0>(), ste.get<Ste::S2SL0_2>(), s2_ds(ste, f), f);
}

bool s2t0sz_out_of_range(const Ste& ste, const Features& f) {
  const unsigned granule = s2_granule(ste);
  const unsigned least = s2_format(ste, f) == TableFormat::vmsav9_128 ? 8 : granule == 16 || s2_ds(ste, f) ? 12 : 16;
  const unsigned t0sz = ste.get<Ste::S2T0SZ>();
  // In v3.0 only the IAS bounds it (5.2, S2T0SZ).
  return t0sz < std::max(f.version_minor == 0 ? 0 : least, 64 - intermediate_address_size(f)) ||
         t0sz > legality::largest_txsz(granule, f);
}

/// VMSAv8-32 LPAE: S2T0SZ is -8 to 7 in four bits, the start level 2 or 1 (Arm ARM G5.5).
bool lpae_walk_inconsistent(const Ste& ste) {
  const unsigned sl0 = ste.get<Ste::S2SL0>();
  if (sl0 > 1) return true;
  const unsigned input_bits = 24 + ((7 - ste.get<Ste::S2T0SZ>()) & 15) + 1;
  return !s2_geometry_consistent(12, 64 - input_bits, 2 - static_cast<int>(sl0));
}

bool s2hwu_any(const Ste& ste) {
  return ste.get<Ste::S2HWU59>() || ste.get<Ste::S2HWU60>() || ste.get<Ste::S2HWU61>() || ste.get<Ste::S2HWU62>();
}
bool s2_indirect(const Ste& ste, const Features& f) {
  const TableFormat format = s2_format(ste, f);
  return format == TableFormat::vmsav9_128 || (format == TableFormat::vmsav8_64 && f.s2pi && ste.get<Ste::S2PIE>());
}
bool s2_overlay(const Ste& ste, const Features& f) {
  return stage2_on(ste, f) && f.s2po && ste.get<Ste::S2POE>();
}
bool s2poi_has_reserved(const Ste& ste) {
  const std::uint64_t all = ste.get<Ste::S2POI_all>();
  for (unsigned p = 0; p < 16; ++p) {
    const std::uint64_t value = (all >> (4 * p)) & 15;
    if (value == 1 || value == 5) return true;
  }
  return false;
}

bool s2vmid_counts(const Ste& ste, const Features& f) {
  return f.s2p && config_of(ste) != SteConfig::bypass && stream_world(ste, f, false) == StreamWorld::ns_el1;
}

constexpr SteRule ste_table[] = {
    {"V is 0 (5.2, V)", "SM-ST-019", [](const Ste& ste, const Features&) { return !ste.get<Ste::V>(); }},
    {"Config enables stage 1 and IDR0.S1P is 0 (5.2, Config)", "SM-ST-021",
     [](const Ste& ste, const Features& f) { return spec::has_stage1(config_of(ste)) && !f.s1p; }},
    {"Config enables stage 2 and IDR0.S2P is 0 (5.2, Config)", "SM-ST-021",
     [](const Ste& ste, const Features& f) { return spec::has_stage2(config_of(ste)) && !f.s2p; }},
    {"STRW is 0bx1 on a Non-secure stream (5.2, STRW)", "SM-ST-023",
     [](const Ste& ste, const Features& f) {
       return strw_counts(ste, f) && (static_cast<unsigned>(ste.get<Ste::STRW>()) & 1) != 0;
     }},

    // Stage 1.
    {"S1STALLD is 1 and IDR0.STALL_MODEL is not 0b00 (5.2, S1STALLD; 5.5)", "SM-FA-031",
     [](const Ste& ste, const Features& f) {
       return stage1_on(ste, f) && ste.get<Ste::S1STALLD>() && f.stall_model != StallModel::stall_and_terminate;
     }},
    {"S1CDMax is above IDR1.SSIDSIZE (5.2, S1CDMax)", "SM-SS-008",
     [](const Ste& ste, const Features& f) {
       return stage1_on(ste, f) && f.ssidsize != 0 && ste.get<Ste::S1CDMax>() > f.ssidsize;
     }},
    {"S1Fmt is a 2-level format and IDR0.CD2L is 0 (5.2, S1Fmt)", "SM-SS-006",
     [](const Ste& ste, const Features& f) {
       const auto format = ste.get<Ste::S1Fmt>();
       return substreams_on(ste, f) && !f.cd2l &&
              (format == spec::S1Format::two_level_4k || format == spec::S1Format::two_level_64k);
     }},
    {"S1ContextPtr is a PA above the OAS (5.2, S1ContextPtr; 3.4.3)", "SM-AS-017",
     [](const Ste& ste, const Features& f) {
       return stage1_on(ste, f) && config_of(ste) == SteConfig::stage1 && !fits(ste.get<Ste::S1ContextPtr>(), f.oas);
     }},
    {"S1ContextPtr is an IPA above the IAS (5.2, S1ContextPtr; 3.4.3)", "SM-AS-018",
     [](const Ste& ste, const Features& f) {
       return stage1_on(ste, f) && stage2_on(ste, f) &&
              !fits(ste.get<Ste::S1ContextPtr>(), intermediate_address_size(f));
     }},

    // ATS.
    {"EATS is 0b01 and S2S is 1 (5.2, EATS)", "SM-PC-044",
     [](const Ste& ste, const Features& f) {
       const bool counts = stage2_on(ste, f) || f.version_minor == 0;
       return eats_is(Eats::full, ste, f) && counts && ste.get<Ste::S2S>();
     }},
    {"EATS is 0b10 and Config is not 0b111 (5.2, EATS)", "SM-PC-045",
     [](const Ste& ste, const Features& f) {
       return eats_is(Eats::split_stage, ste, f) && config_of(ste) != SteConfig::nested;
     }},
    {"EATS is 0b10 and S2S is 1 (5.2, EATS)", "SM-PC-045",
     [](const Ste& ste, const Features& f) {
       return eats_is(Eats::split_stage, ste, f) && stage2_on(ste, f) && ste.get<Ste::S2S>();
     }},
    {"EATS is 0b10 and IDR0.NS1ATS is 1 (5.2, EATS)", "SM-PC-045",
     [](const Ste& ste, const Features& f) { return eats_is(Eats::split_stage, ste, f) && !f.split_stage_ats; }},
    {"EATS is 0b11 and the StreamWorld is not EL1 (5.2, EATS; 3.24)", "SM-PC-046",
     [](const Ste& ste, const Features& f) {
       return dpt_checked(ste, f) && stream_world(ste, f, false) != StreamWorld::ns_el1;
     }},
    {"EATS is 0b11 and S2S is 1 (5.2, EATS)", "SM-PC-046",
     [](const Ste& ste, const Features& f) { return dpt_checked(ste, f) && stage2_on(ste, f) && ste.get<Ste::S2S>(); }},

    // Stage 2: format, geometry, addresses.
    {"S2AA64 is 0 and IDR0.TTF lacks VMSAv8-32 LPAE (5.2, S2AA64)", "SM-TR-009",
     [](const Ste& ste, const Features& f) { return s2_is(TableFormat::vmsav8_32_lpae, ste, f) && !f.ttf_lpae; }},
    {"S2AA64 is 1 and IDR0.TTF lacks VMSAv8-64 (5.2, S2AA64)", "SM-TR-009",
     [](const Ste& ste, const Features& f) { return s2_is(TableFormat::vmsav8_64, ste, f) && !f.ttf_vmsav8_64; }},
    {"S2TG is reserved or not in IDR5 (5.2, S2TG)", "SM-TR-008",
     [](const Ste& ste, const Features& f) {
       return s2_is_wide(ste, f) && !legality::granule_supported(s2_granule(ste), f);
     }},
    {"S2T0SZ is out of range (5.2, S2T0SZ)", "SM-TR-005",
     [](const Ste& ste, const Features& f) {
       return s2_is_wide(ste, f) && s2_granule(ste) != 0 && s2t0sz_out_of_range(ste, f);
     }},
    {"S2SL0 names no start level for S2TG (5.2, S2SL0, S2SL0_2)", "SM-TR-007",
     [](const Ste& ste, const Features& f) {
       return s2_is(TableFormat::vmsav8_64, ste, f) && s2_granule(ste) != 0 && !s2_start(ste, f);
     }},
    {"S2T0SZ does not agree with S2SL0 and S2TG (5.2, S2T0SZ, S2SL0)", "SM-TR-007",
     [](const Ste& ste, const Features& f) {
       if (!s2_is(TableFormat::vmsav8_64, ste, f) || s2_granule(ste) == 0) return false;
       const std::optional<int> start = s2_start(ste, f);
       return start && !s2_geometry_consistent(s2_granule(ste), ste.get<Ste::S2T0SZ>(), *start);
     }},
    {"S2T0SZ does not agree with S2SL0 of VMSAv8-32 LPAE (5.2, S2T0SZ, S2SL0)", "SM-TR-006",
     [](const Ste& ste, const Features& f) {
       return s2_is(TableFormat::vmsav8_32_lpae, ste, f) && lpae_walk_inconsistent(ste);
     }},
    {"S2SKL skips levels that a walk of S2T0SZ lacks (5.2, S2SKL)", "SM-TR-006",
     [](const Ste& ste, const Features& f) {
       return s2_is(TableFormat::vmsav9_128, ste, f) && s2_granule(ste) != 0 &&
              legality::skips_too_far(s2_granule(ste), ste.get<Ste::S2T0SZ>(), ste.get<Ste::S2SKL>());
     }},
    {"S2TTB is outside the effective S2PS (5.2, S2TTB; 3.4.3)", "SM-AS-028",
     [](const Ste& ste, const Features& f) {
       return stage2_on(ste, f) &&
              !fits(s2_table_base(ste, f), legality::output_bits(ste.get<Ste::S2PS>(), s2_format(ste, f), f));
     }},
    {"S2TTB needs more than 48 bits and S2DS is 0 (5.2, S2TTB)", "SM-AS-028",
     [](const Ste& ste, const Features& f) {
       return stage2_on(ste, f) &&
              legality::limited_to_48_bits(s2_format(ste, f), s2_granule(ste), ste.get<Ste::S2DS>(), f) &&
              !fits(s2_table_base(ste, f), 48);
     }},
    {"S2ENDI names an endianness that IDR0.TTENDIAN lacks (5.2, S2ENDI)", "SM-TR-010",
     [](const Ste& ste, const Features& f) {
       return stage2_on(ste, f) &&
              f.ttendian == (ste.get<Ste::S2ENDI>() ? spec::Ttendian::little : spec::Ttendian::big);
     }},

    // Stage 2: faults, hardware update, permissions.
    {"S2S is 1 and IDR0.STALL_MODEL is 0b01 (5.2, S2S; 5.5)", "SM-ST-028",
     [](const Ste& ste, const Features& f) {
       return stage2_on(ste, f) && ste.get<Ste::S2S>() && f.stall_model == StallModel::terminate;
     }},
    {"S2S is 0 and IDR0.STALL_MODEL is 0b10 (5.2, S2S; 5.5)", "SM-ST-028",
     [](const Ste& ste, const Features& f) {
       return stage2_on(ste, f) && !ste.get<Ste::S2S>() && f.stall_model == StallModel::stall_forced;
     }},
    {"S2HA or S2HD is 1 with VMSAv8-32 LPAE (5.2, S2HA)", "SM-HT-019",
     [](const Ste& ste, const Features& f) {
       return s2_is(TableFormat::vmsav8_32_lpae, ste, f) && (ste.get<Ste::S2HA>() || ste.get<Ste::S2HD>());
     }},
    {"S2HA is 1 and IDR0.HTTU is 0b00 (5.2, S2HA)", "SM-HT-019",
     [](const Ste& ste, const Features& f) {
       return stage2_on(ste, f) && ste.get<Ste::S2HA>() && f.httu == Httu::none;
     }},
    {"S2HD is 1 and IDR0.HTTU is 0b00 or 0b01 (5.2, S2HA)", "SM-HT-019",
     [](const Ste& ste, const Features& f) {
       return stage2_on(ste, f) && ste.get<Ste::S2HD>() && (f.httu == Httu::none || f.httu == Httu::access);
     }},
    {"S2HAFT is 1 and S2HA is 0 (5.2, S2HAFT)", "SM-HT-020",
     [](const Ste& ste, const Features& f) {
       return stage2_on(ste, f) && f.httu == Httu::access_dirty_table && ste.get<Ste::S2HAFT>() &&
              !ste.get<Ste::S2HA>();
     }},
    {"S2FWB is 1 with VMSAv8-32 LPAE (5.2, S2FWB)", "SM-AT-012",
     [](const Ste& ste, const Features& f) {
       return s2_is(TableFormat::vmsav8_32_lpae, ste, f) && f.fwb && ste.get<Ste::S2FWB>();
     }},
    {"S2PIE is 1 with VMSAv8-32 LPAE (5.2.2)", "SM-PI-002",
     [](const Ste& ste, const Features& f) {
       return s2_is(TableFormat::vmsav8_32_lpae, ste, f) && f.s2pi && ste.get<Ste::S2PIE>();
     }},
    {"S2POE is 1 with direct permissions (5.2, S2POE; 3.26.2)", "SM-PI-002",
     [](const Ste& ste, const Features& f) { return s2_overlay(ste, f) && !s2_indirect(ste, f); }},
    {"S2POE is 1 and an S2HWU bit is 1 (5.2, S2POE)", "SM-PI-004",
     [](const Ste& ste, const Features& f) { return s2_overlay(ste, f) && f.pbha && s2hwu_any(ste); }},
    {"S2POI has a reserved value (5.2, S2POI)", "SM-PI-005",
     [](const Ste& ste, const Features& f) {
       return s2_overlay(ste, f) && s2_indirect(ste, f) && s2poi_has_reserved(ste);
     }},

    {"VMSPtr is in use and above the OAS (5.2, VMSPtr)", "SM-MP-003",
     [](const Ste& ste, const Features& f) { return uses_vms(ste, f) && !fits(ste.get<Ste::VMSPtr>(), f.oas); }},
    {"S2VMID[15:8] is not 0 and IDR0.VMID16 is 0 (5.2, S2VMID)", "SM-ST-025",
     [](const Ste& ste, const Features& f) {
       return s2vmid_counts(ste, f) && !f.vmid16 && (ste.get<Ste::S2VMID>() >> 8) != 0;
     }},
};

}  // namespace

std::span<const SteRule> ste_rules() {
  return ste_table;
}

}  // namespace smmusim
