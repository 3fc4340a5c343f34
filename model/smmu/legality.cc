// SPDX-License-Identifier: MIT
// The rows. Predicates are named after what they find; a field that is ignored never makes a structure illegal, so
// each predicate first asks whether its field counts.
#include "model/smmu/legality.h"

#include <algorithm>

#include "model/base/types.h"
#include "model/vmsa/s1_walk.h"

namespace smmusim {
namespace {

using spec::Cd;
using spec::Features;
using spec::Ste;
using spec::SteConfig;

bool ste_has_stage1(const Ste& ste) {
  return spec::has_stage1(ste.get<Ste::Config>());
}
bool ste_has_stage2(const Ste& ste) {
  return spec::has_stage2(ste.get<Ste::Config>());
}
bool substreams_on(const Ste& ste, const Features& f) {
  return f.ssidsize != 0 && ste.get<Ste::S1CDMax>() != 0;
}

bool strw_used(const Ste& ste, const Features& f) {
  return f.s1p && f.hyp && ste.get<Ste::Config>() == SteConfig::stage1;
}

constexpr SteRule ste_table[] = {
    {"V is 0 (5.2)", "SM-ST-019", [](const Ste& ste, const Features&) { return !ste.get<Ste::V>(); }},
    {"Config enables stage 1 and IDR0.S1P is 0 (5.2, Config)", "SM-ST-021",
     [](const Ste& ste, const Features& f) { return ste_has_stage1(ste) && !f.s1p; }},
    // Whatever IDR0.S2P says: stage 2 is not modelled yet, and passing it by would let traffic through untranslated.
    {"Config enables stage 2 (5.2, Config)", "SM-ST-021",
     [](const Ste& ste, const Features&) { return ste_has_stage2(ste); }},
    {"STRW is 0bx1 on a Non-secure stream (5.2, STRW)", "SM-ST-023",
     [](const Ste& ste, const Features& f) {
       return strw_used(ste, f) && (static_cast<unsigned>(ste.get<Ste::STRW>()) & 1) != 0;
     }},
    {"S1STALLD is 1 and IDR0.STALL_MODEL is not 0b00 (5.2, S1STALLD)", "SM-FA-031",
     [](const Ste& ste, const Features& f) {
       return ste_has_stage1(ste) && ste.get<Ste::S1STALLD>() && f.stall_model != spec::StallModel::stall_and_terminate;
     }},
    {"S1CDMax is above IDR1.SSIDSIZE (5.2, S1CDMax)", "SM-SS-008",
     [](const Ste& ste, const Features& f) {
       return ste_has_stage1(ste) && f.ssidsize != 0 && ste.get<Ste::S1CDMax>() > f.ssidsize;
     }},
    {"S1Fmt is a 2-level format and IDR0.CD2L is 0 (5.2, S1Fmt)", "SM-SS-006",
     [](const Ste& ste, const Features& f) {
       const auto format = ste.get<Ste::S1Fmt>();
       return ste_has_stage1(ste) && substreams_on(ste, f) && !f.cd2l &&
              (format == spec::S1Format::two_level_4k || format == spec::S1Format::two_level_64k);
     }},
    {"S1ContextPtr is above the OAS (5.2, S1ContextPtr; 3.4.3)", "SM-AS-017",
     [](const Ste& ste, const Features& f) {
       return ste.get<Ste::Config>() == SteConfig::stage1 && !fits(ste.get<Ste::S1ContextPtr>(), f.oas);
     }},
    {"S2VMID[15:8] is not 0 and IDR0.VMID16 is 0 (5.2, S2VMID)", "SM-ST-025",
     [](const Ste& ste, const Features& f) {
       const bool used =
           f.s2p && (ste_has_stage1(ste) || ste_has_stage2(ste)) && stream_world(ste, f, false) == StreamWorld::ns_el1;
       return used && !f.vmid16 && (ste.get<Ste::S2VMID>() >> 8) != 0;
     }},
};

bool two_privileges(StreamWorld world) {
  return world != StreamWorld::ns_el2;
}
bool has_asid(StreamWorld world) {
  return world != StreamWorld::ns_el2;
}

/// One half of the input range as the CD describes it.
struct Half {
  bool walked;  ///< reachable, and EPDx is 0
  unsigned txsz;
  unsigned granule;  ///< bits; 0 if reserved
  std::uint64_t ttb;
};
unsigned granule_bits(spec::Tg0 tg) {
  constexpr unsigned bits[4] = {12, 16, 14, 0};
  return bits[static_cast<unsigned>(tg) & 3];
}
unsigned granule_bits(spec::Tg1 tg) {
  constexpr unsigned bits[4] = {0, 14, 12, 16};
  return bits[static_cast<unsigned>(tg) & 3];
}
Half half_of(const Cd& cd, unsigned n, const CdSurroundings& s) {
  const StreamWorld world = s.world;
  const bool epd = two_privileges(world) && (n == 0 ? cd.get<Cd::EPD0>() : cd.get<Cd::EPD1>());
  const bool reachable = n == 0 || two_privileges(world);
  if (n == 0) return {!epd, cd.get<Cd::T0SZ>(), granule_bits(cd.get<Cd::TG0>()), s1_ttb(cd, 0, s.features)};
  return {reachable && !epd, cd.get<Cd::T1SZ>(), granule_bits(cd.get<Cd::TG1>()), s1_ttb(cd, 1, s.features)};
}
template <class Predicate>
bool any_walked_half(const Cd& cd, const CdSurroundings& s, Predicate broken) {
  for (unsigned n = 0; n < 2; ++n) {
    const Half half = half_of(cd, n, s);
    if (half.walked && broken(half)) return true;
  }
  return false;
}

bool granule_supported(unsigned bits, const Features& f) {
  return (bits == 12 && f.gran4k) || (bits == 14 && f.gran16k) || (bits == 16 && f.gran64k);
}
bool txsz_in_range(const Half& half, const Cd& cd, const Features& f) {
  const unsigned largest = !f.stt ? 39 : half.granule == 16 ? 47 : 48;
  const bool wide = f.vax > 48 && (half.granule == 16 || (f.ds && cd.get<Cd::DS>()));
  return half.txsz >= (wide ? 12u : 16u) && half.txsz <= largest;
}
bool ttb_in_range(const Half& half, const Cd& cd, const Features& f) {
  const unsigned ips = std::min(spec::address_bits(cd.get<Cd::IPS>()), f.oas);
  const bool wide = half.granule == 16 || (f.ds && cd.get<Cd::DS>());
  return fits(half.ttb, wide ? ips : std::min(ips, 48u));
}

constexpr CdRule cd_table[] = {
    {"V is 0 (5.4)", "SM-CD-001", [](const Cd& cd, const CdSurroundings&) { return !cd.get<Cd::V>(); }},
    {"S is 1 and STE.S1STALLD is 1 (5.4, S)", "SM-CD-012",
     [](const Cd& cd, const CdSurroundings& s) { return cd.get<Cd::S>() && s.ste.get<Ste::S1STALLD>(); }},
    {"S is 1 and IDR0.STALL_MODEL is 0b01 (5.4, S)", "SM-CD-012",
     [](const Cd& cd, const CdSurroundings& s) {
       return cd.get<Cd::S>() && s.features.stall_model == spec::StallModel::terminate;
     }},
    {"S is 0 and IDR0.STALL_MODEL is 0b10 (5.4, S)", "SM-CD-012",
     [](const Cd& cd, const CdSurroundings& s) {
       return !cd.get<Cd::S>() && s.features.stall_model == spec::StallModel::stall_forced;
     }},
    {"A is 0 and IDR0.TERM_MODEL is 1 (5.4, A)", "SM-CD-012",
     [](const Cd& cd, const CdSurroundings& s) { return !cd.get<Cd::A>() && s.features.term_model; }},
    {"ENDI names an endianness that IDR0.TTENDIAN lacks (5.4, ENDI)", "SM-CD-006",
     [](const Cd& cd, const CdSurroundings& s) {
       const bool wrong = cd.get<Cd::ENDI>() ? s.features.ttendian == spec::Ttendian::little
                                             : s.features.ttendian == spec::Ttendian::big;
       return wrong && any_walked_half(cd, s, [](const Half&) { return true; });
     }},
    {"AA64 is 0 and IDR0.TTF lacks VMSAv8-32 LPAE (5.4, AA64)", "SM-CD-007",
     [](const Cd& cd, const CdSurroundings& s) { return !cd.get<Cd::AA64>() && !s.features.ttf_lpae; }},
    {"AA64 is 1 and IDR0.TTF lacks VMSAv8-64 (5.4, AA64)", "SM-CD-007",
     [](const Cd& cd, const CdSurroundings& s) { return cd.get<Cd::AA64>() && !s.features.ttf_vmsav8_64; }},
    {"HA or HD is 1 and IDR0.HTTU lacks it (5.4, HA, HD)", "SM-HT-022",
     [](const Cd& cd, const CdSurroundings& s) {
       const bool none = s.features.httu == spec::Httu::none;
       return cd.get<Cd::AA64>() &&
              ((cd.get<Cd::HA>() && none) || (cd.get<Cd::HD>() && (none || s.features.httu == spec::Httu::access)));
     }},
    {"ASID[15:8] is not 0 and IDR0.ASID16 is 0 (5.4, ASID)", "SM-CD-008",
     [](const Cd& cd, const CdSurroundings& s) {
       return has_asid(s.world) && !s.features.asid16 && (cd.get<Cd::ASID>() >> 8) != 0;
     }},
    {"TGx is reserved or not in IDR5 (5.4, TG0, TG1)", "SM-CD-004",
     [](const Cd& cd, const CdSurroundings& s) {
       return any_walked_half(cd, s, [&s](const Half& half) { return !granule_supported(half.granule, s.features); });
     }},
    {"TxSZ is out of range (5.4, T0SZ, T1SZ; 3.4.1)", "SM-CD-002",
     [](const Cd& cd, const CdSurroundings& s) {
       return any_walked_half(cd, s, [&](const Half& half) { return !txsz_in_range(half, cd, s.features); });
     }},
    {"TTBx is outside the effective IPS (5.4, TTB0, TTB1; 3.4.3)", "SM-AS-031",
     [](const Cd& cd, const CdSurroundings& s) {
       return any_walked_half(cd, s, [&](const Half& half) { return !ttb_in_range(half, cd, s.features); });
     }},
};

}  // namespace

std::span<const SteRule> ste_rules() {
  return ste_table;
}
std::span<const CdRule> cd_rules() {
  return cd_table;
}

const SteRule* illegal_ste(const Ste& ste, const Features& features) {
  if (ste.get<Ste::V>() && spec::aborts(ste.get<Ste::Config>())) return nullptr;
  for (const SteRule& row : ste_table) {
    if (row.illegal(ste, features)) return &row;
  }
  return nullptr;
}

const CdRule* illegal_cd(const Cd& cd, const CdSurroundings& surroundings) {
  for (const CdRule& row : cd_table) {
    if (row.illegal(cd, surroundings)) return &row;
  }
  return nullptr;
}

StreamWorld stream_world(const Ste& ste, const Features& features, bool e2h) {
  if (!strw_used(ste, features) || ste.get<Ste::STRW>() != spec::Strw::el2) return StreamWorld::ns_el1;
  return e2h ? StreamWorld::ns_el2_e2h : StreamWorld::ns_el2;
}

}  // namespace smmusim
