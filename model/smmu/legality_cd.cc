// SPDX-License-Identifier: MIT
// What makes a CD of a Non-secure stream ILLEGAL (IHI 0070 sections 5.4, 5.4.1.1, 5.4.2, 5.5). A field that is ignored
// or RES0 never makes a structure illegal: the fields of a half count if the half can be reached and its EPDx is 0.
// A broken half makes the CD illegal for accesses to either. Nothing here reads memory.
#include "model/smmu/legality.h"
#include "model/smmu/legality_rows.h"
#include "model/vmsa/s1_walk.h"

namespace smmusim {
namespace {

using legality::TableFormat;
using spec::Cd;
using spec::Features;
using spec::Httu;
using spec::StallModel;
using spec::Ste;

/// EL1 and EL2-E2H have ASIDs, two privileges and two halves; EL2 has none of that.
bool has_unprivileged(StreamWorld world) {
  return world != StreamWorld::ns_el2;
}
TableFormat format_of(const Cd& cd, const Features& f) {
  return legality::table_format(cd.get<Cd::AA64>(), f);
}
bool is_lpae(const Cd& cd, const CdSurroundings& s) {
  return format_of(cd, s.features) == TableFormat::vmsav8_32_lpae;
}
bool is_d128(const Cd& cd, const CdSurroundings& s) {
  return format_of(cd, s.features) == TableFormat::vmsav9_128;
}

/// One half of the input range as the CD describes it.
struct Half {
  bool walked;  ///< reachable, and the effective EPDx is 0
  unsigned txsz;
  unsigned granule;  ///< log2; 0 if reserved, which has a row of its own
  unsigned skl;
  std::uint64_t ttb;
};
Half half_of(const Cd& cd, unsigned n, const CdSurroundings& s) {
  const bool two = has_unprivileged(s.world);
  const std::uint64_t ttb = s1_ttb(cd, n, s.features);
  if (n == 0) {
    return {!(two && cd.get<Cd::EPD0>()), cd.get<Cd::T0SZ>(), legality::granule_bits(cd.get<Cd::TG0>()),
            cd.get<Cd::SKL0>(), ttb};
  }
  return {two && !cd.get<Cd::EPD1>(), cd.get<Cd::T1SZ>(), legality::granule_bits(cd.get<Cd::TG1>()), cd.get<Cd::SKL1>(),
          ttb};
}
template <class Predicate>
bool any_walked_half(const Cd& cd, const CdSurroundings& s, Predicate broken) {
  for (unsigned n = 0; n < 2; ++n) {
    const Half half = half_of(cd, n, s);
    if (half.walked && broken(half)) return true;
  }
  return false;
}
/// The same for fields that VMSAv8-32 LPAE does not have and that mean nothing with a reserved granule.
template <class Predicate>
bool any_wide_half(const Cd& cd, const CdSurroundings& s, Predicate broken) {
  return !is_lpae(cd, s) && any_walked_half(cd, s, [&](const Half& half) { return half.granule != 0 && broken(half); });
}

unsigned least_txsz(const Half& half, const Cd& cd, const Features& f) {
  if (format_of(cd, f) == TableFormat::vmsav9_128) return f.vax == 56 ? 9 : f.vax == 52 ? 12 : 16;
  return f.vax > 48 && (half.granule == 16 || (f.ds && cd.get<Cd::DS>())) ? 12 : 16;
}
bool txsz_out_of_range(const Half& half, const Cd& cd, const Features& f) {
  return half.txsz < least_txsz(half, cd, f) || half.txsz > legality::largest_txsz(half.granule, f);
}

/// Permissions come from PIIP and PIIU instead of the descriptors.
bool s1_indirect(const Cd& cd, const CdSurroundings& s) {
  if (is_d128(cd, s)) return true;
  return cd.get<Cd::AA64>() && s.features.s1pi && s.ste.get<Ste::S1PIE>() && cd.get<Cd::PIE>();
}
/// Three bits of PIIP or PIIU. Bit 2 grants write, bit 1 execute; write without read is reserved.
unsigned interpretation(std::uint64_t all, unsigned p) {
  return static_cast<unsigned>(all >> (3 * p)) & 7;
}
bool has_reserved_interpretation(std::uint64_t all) {
  for (unsigned p = 0; p < 16; ++p) {
    const unsigned value = interpretation(all, p);
    if (value == 4 || value == 6) return true;
  }
  return false;
}
bool executes_what_others_write(const Cd& cd) {
  for (unsigned p = 0; p < 16; ++p) {
    const bool privileged_execute = (interpretation(cd.get<Cd::PIIP_all>(), p) & 2) != 0;
    const bool unprivileged_write = (interpretation(cd.get<Cd::PIIU_all>(), p) & 4) != 0;
    if (privileged_execute && unprivileged_write) return true;
  }
  return false;
}

constexpr CdRule cd_table[] = {
    {"V is 0 (5.4, V)", "SM-CD-001", [](const Cd& cd, const CdSurroundings&) { return !cd.get<Cd::V>(); }},

    // Fault model.
    {"S is 1 and STE.S1STALLD is 1 (5.4.2; 5.5)", "SM-CD-012",
     [](const Cd& cd, const CdSurroundings& s) { return cd.get<Cd::S>() && s.ste.get<Ste::S1STALLD>(); }},
    {"S is 1 and IDR0.STALL_MODEL is 0b01 (5.4.2; 5.5)", "SM-CD-012",
     [](const Cd& cd, const CdSurroundings& s) {
       return cd.get<Cd::S>() && s.features.stall_model == StallModel::terminate;
     }},
    {"S is 0 and IDR0.STALL_MODEL is 0b10 (5.4.2; 5.5)", "SM-CD-012",
     [](const Cd& cd, const CdSurroundings& s) {
       return !cd.get<Cd::S>() && s.features.stall_model == StallModel::stall_forced;
     }},
    {"A is 0 and IDR0.TERM_MODEL is 1 (5.4.2; 5.5)", "SM-CD-012",
     [](const Cd& cd, const CdSurroundings& s) { return !cd.get<Cd::A>() && s.features.term_model; }},

    // Format.
    {"ENDI names an endianness that IDR0.TTENDIAN lacks (5.4, ENDI)", "SM-CD-006",
     [](const Cd& cd, const CdSurroundings& s) {
       const bool lacks = s.features.ttendian == (cd.get<Cd::ENDI>() ? spec::Ttendian::little : spec::Ttendian::big);
       return lacks && any_walked_half(cd, s, [](const Half&) { return true; });
     }},
    {"AA64 is 0 and IDR0.TTF lacks VMSAv8-32 LPAE (5.4, AA64)", "SM-CD-007",
     [](const Cd& cd, const CdSurroundings& s) { return is_lpae(cd, s) && !s.features.ttf_lpae; }},
    {"AA64 selects VMSAv8-32 LPAE and the StreamWorld is EL2-E2H (5.4, AA64; 3.3.3)", "SM-TR-003",
     [](const Cd& cd, const CdSurroundings& s) { return is_lpae(cd, s) && s.world == StreamWorld::ns_el2_e2h; }},
    {"AA64 is 1 and IDR0.TTF lacks VMSAv8-64 (5.4, AA64)", "SM-CD-007",
     [](const Cd& cd, const CdSurroundings& s) { return cd.get<Cd::AA64>() && !s.features.ttf_vmsav8_64; }},
    {"AA64 is 1 and stage 2 uses VMSAv8-32 LPAE (5.4, AA64)", "SM-CD-007",
     [](const Cd& cd, const CdSurroundings& s) {
       return cd.get<Cd::AA64>() && spec::has_stage2(s.ste.get<Ste::Config>()) && !s.ste.get<Ste::S2AA64>() &&
              !s.features.d128;
     }},
    {"AA64 selects VMSAv9-128 and the StreamWorld is EL2 (5.4, AA64)", "SM-CD-007",
     [](const Cd& cd, const CdSurroundings& s) { return is_d128(cd, s) && s.world == StreamWorld::ns_el2; }},
    {"AA64 selects VMSAv9-128 and STE.S1PIE is 0 (5.4, AA64)", "SM-CD-007",
     [](const Cd& cd, const CdSurroundings& s) { return is_d128(cd, s) && !s.ste.get<Ste::S1PIE>(); }},

    // Hardware update and tags.
    {"HA is 1 and IDR0.HTTU is 0b00 (5.4, HA)", "SM-HT-022",
     [](const Cd& cd, const CdSurroundings& s) {
       return !is_lpae(cd, s) && cd.get<Cd::HA>() && s.features.httu == Httu::none;
     }},
    {"HD is 1 and IDR0.HTTU is 0b00 or 0b01 (5.4, HA)", "SM-HT-022",
     [](const Cd& cd, const CdSurroundings& s) {
       return !is_lpae(cd, s) && cd.get<Cd::HD>() && (s.features.httu == Httu::none || s.features.httu == Httu::access);
     }},
    {"HAFT is 1 and HA is 0 (5.4, HAFT)", "SM-HT-023",
     [](const Cd& cd, const CdSurroundings& s) {
       return !is_lpae(cd, s) && s.features.httu == Httu::access_dirty_table && cd.get<Cd::HAFT>() && !cd.get<Cd::HA>();
     }},
    {"ASID[15:8] is not 0 and IDR0.ASID16 is 0 (5.4, ASID)", "SM-CD-008",
     [](const Cd& cd, const CdSurroundings& s) {
       return has_unprivileged(s.world) && !s.features.asid16 && (cd.get<Cd::ASID>() >> 8) != 0;
     }},

    // Geometry and addresses of each half.
    {"TGx is reserved or not in IDR5 (5.4, TG0, TG1)", "SM-CD-004",
     [](const Cd& cd, const CdSurroundings& s) {
       return !is_lpae(cd, s) && any_walked_half(cd, s, [&s](const Half& half) {
         return !legality::granule_supported(half.granule, s.features);
       });
     }},
    {"TxSZ is out of range (5.4, T0SZ, T1SZ; 3.4.1)", "SM-CD-002",
     [](const Cd& cd, const CdSurroundings& s) {
       return any_wide_half(cd, s, [&](const Half& half) { return txsz_out_of_range(half, cd, s.features); });
     }},
    {"SKLx skips levels that a walk of TxSZ lacks (5.4, SKL0, SKL1)", "SM-CD-013",
     [](const Cd& cd, const CdSurroundings& s) {
       return is_d128(cd, s) && any_wide_half(cd, s, [](const Half& half) {
                return legality::skips_too_far(half.granule, half.txsz, half.skl);
              });
     }},
    {"TTBx is outside the effective IPS (5.4, TTB0, TTB1; 3.4.3)", "SM-AS-031",
     [](const Cd& cd, const CdSurroundings& s) {
       const unsigned bits = legality::output_bits(cd.get<Cd::IPS>(), format_of(cd, s.features), s.features);
       return any_walked_half(cd, s, [bits](const Half& half) { return !fits(half.ttb, bits); });
     }},
    {"TTBx needs more than 48 bits and DS is 0 (5.4, TTB0, TTB1)", "SM-AS-031",
     [](const Cd& cd, const CdSurroundings& s) {
       const TableFormat format = format_of(cd, s.features);
       return any_walked_half(cd, s, [&](const Half& half) {
         return legality::limited_to_48_bits(format, half.granule, cd.get<Cd::DS>(), s.features) && !fits(half.ttb, 48);
       });
     }},

    // Permission indirection.
    {"PIIP has a reserved value (5.4, PIIP)", "SM-PI-007",
     [](const Cd& cd, const CdSurroundings& s) {
       return s1_indirect(cd, s) && has_reserved_interpretation(cd.get<Cd::PIIP_all>());
     }},
    {"PIIU has a reserved value (5.4, PIIU)", "SM-PI-007",
     [](const Cd& cd, const CdSurroundings& s) {
       return s1_indirect(cd, s) && has_unprivileged(s.world) && has_reserved_interpretation(cd.get<Cd::PIIU_all>());
     }},
    {"PIIP grants execution where PIIU grants writing (5.4, PIIP)", "SM-PI-007",
     [](const Cd& cd, const CdSurroundings& s) {
       return s1_indirect(cd, s) && has_unprivileged(s.world) && executes_what_others_write(cd);
     }},
};

}  // namespace

std::span<const CdRule> cd_rules() {
  return cd_table;
}

}  // namespace smmusim
