// SPDX-License-Identifier: MIT
// Stream Table Entry, 64 bytes (IHI 0070 section 5.2): where each field lies, and the values of its enumerated fields.
// Legality, feature dependence and effective values are not decided here: model/smmu does that.
#pragma once

#include <cstdint>

#include "model/base/field.h"
#include "model/spec/codes.h"

namespace smmusim::spec {

/// STE.Config. Values 0 to 3 all abort; with V=1 such an STE is never illegal.
enum class SteConfig : unsigned {
  abort = 0,
  abort_1 = 1,
  abort_2 = 2,
  abort_3 = 3,
  bypass = 4,
  stage1 = 5,
  stage2 = 6,
  nested = 7,
};
constexpr bool aborts(SteConfig config) {
  return (static_cast<unsigned>(config) & 4) == 0;
}
constexpr bool has_stage1(SteConfig config) {
  return (static_cast<unsigned>(config) & 5) == 5;
}
constexpr bool has_stage2(SteConfig config) {
  return (static_cast<unsigned>(config) & 6) == 6;
}

/// STE.S1Fmt; 3 acts as linear.
enum class S1Format : unsigned { linear = 0, two_level_4k = 1, two_level_64k = 2, reserved = 3 };

/// STE.S1DSS, traffic without a SubstreamID on a stream with substreams; 3 acts as terminate.
enum class S1Dss : unsigned { terminate = 0, bypass = 1, substream0 = 2, reserved = 3 };

/// STE.EATS as stored; the effective value depends on features and CR0.ATSCHK (section 3.9).
enum class Eats : unsigned { none = 0, full = 1, split_stage = 2, full_dpt = 3 };

/// STE.STRW as stored. For Non-secure and Realm streams el3 is illegal and el2 is NS-EL2 or NS-EL2-E2H.
enum class Strw : unsigned { el1 = 0, el3 = 1, el2 = 2, reserved = 3 };

struct Ste : Words<Ste, 8> {
  using V = Field<0, 0, bool>;
  using Config = Field<3, 1, SteConfig>;
  using S1Fmt = Field<5, 4, S1Format>;
  using S1ContextPtr = Field<55, 6, std::uint64_t, 6>;  ///< PA, or IPA when stage 2 is enabled
  using S1CDMax = Field<63, 59, unsigned>;              ///< log2 of the number of CDs; 0 = no substreams
  using S1DSS = Field<65, 64, S1Dss>;
  using S1CIR = Field<67, 66, unsigned>;
  using S1COR = Field<69, 68, unsigned>;
  using S1CSH = Field<71, 70, Shareability>;
  using S2HWU59 = Field<72, 72, bool>;
  using S2HWU60 = Field<73, 73, bool>;
  using S2HWU61 = Field<74, 74, bool>;
  using S2HWU62 = Field<75, 75, bool>;
  using DRE = Field<76, 76, bool>;
  using CONT = Field<80, 77, unsigned>;  ///< 2^CONT equal STEs, a hint
  using DCP = Field<81, 81, bool>;
  using PPAR = Field<82, 82, bool>;
  using MEV = Field<83, 83, bool>;  ///< 1 = similar events may be merged
  using SW_RESERVED = Field<87, 84, unsigned>;
  using S1PIE = Field<88, 88, bool>;
  using S2FWB = Field<89, 89, bool>;
  using S1MPAM = Field<90, 90, bool>;
  using S1STALLD = Field<91, 91, bool>;  ///< 1 = CDs of this stream may not stall
  using EATS = Field<93, 92, Eats>;
  using STRW = Field<95, 94, Strw>;
  using MemAttr = Field<99, 96, unsigned>;  ///< stage-2 MemAttr[3:0] encoding, used if MTCFG is 1
  using MTCFG = Field<100, 100, bool>;
  using ALLOCCFG = Field<104, 101, unsigned>;  ///< 0xxx = incoming, 1rwt = read-, write-allocate, transient
  using SHCFG = Field<109, 108, unsigned>;
  using NSCFG = Field<111, 110, unsigned>;
  using PRIVCFG = Field<113, 112, unsigned>;
  using INSTCFG = Field<115, 114, unsigned>;
  using IMPDEF1 = Field<127, 116, unsigned>;
  using S2VMID = Field<143, 128, std::uint16_t>;
  using IMPDEF2 = Field<159, 144, unsigned>;
  using S2T0SZ = Field<165, 160, unsigned>;
  using S2SL0 = Field<167, 166, unsigned>;
  using S2IR0 = Field<169, 168, unsigned>;
  using S2OR0 = Field<171, 170, unsigned>;
  using S2SH0 = Field<173, 172, Shareability>;
  using S2TG = Field<175, 174, Tg0>;
  using S2PS = Field<178, 176, unsigned>;
  using S2AA64 = Field<179, 179, bool>;
  using S2ENDI = Field<180, 180, bool>;
  using S2AFFD = Field<181, 181, bool>;
  using S2PTW = Field<182, 182, bool>;
  using S2HD = Field<183, 183, bool>;
  using S2HA = Field<184, 184, bool>;
  using S2S = Field<185, 185, bool>;
  using S2R = Field<186, 186, bool>;
  using S2HAFT = Field<187, 187, bool>;
  using S2PIE = Field<188, 188, bool>;
  using S2POE = Field<189, 189, bool>;
  using DPT_VMATCH = Field<191, 190, unsigned>;
  using S2NSW = Field<192, 192, bool>;
  using S2NSA = Field<193, 193, bool>;
  using S2SL0_2 = Field<194, 194, bool>;  ///< bit 2 of the start level, 4 KiB granule with S2DS
  using S2DS = Field<195, 195, bool>;
  using S2TTB = Field<247, 196, std::uint64_t, 4>;
  using S2SKL = Field<254, 253, unsigned>;
  using IMPDEF3 = Field<271, 256, unsigned>;
  using PARTID = Field<287, 272, unsigned>;
  using S_S2T0SZ = Field<293, 288, unsigned>;
  using S_S2SL0 = Field<295, 294, unsigned>;
  using S_S2TG = Field<303, 302, Tg0>;
  using MECID = Field<319, 304, unsigned>;
  using PMG = Field<327, 320, unsigned>;
  using MPAM_NS = Field<328, 328, bool>;
  using AssuredOnly = Field<329, 329, bool>;
  using TL0 = Field<330, 330, bool>;
  using TL1 = Field<331, 331, bool>;
  using VMSPtr = Field<375, 332, std::uint64_t, 12>;
  using S2SW = Field<384, 384, bool>;
  using S2SA = Field<385, 385, bool>;
  using S_S2SL0_2 = Field<386, 386, bool>;
  using S_S2TTB = Field<439, 388, std::uint64_t, 4>;
  using S_S2SKL = Field<446, 445, unsigned>;
  using S2POI_all = Field<511, 448>;  ///< 16 values of 4 bits, see S2POI<p>

  template <unsigned P>
  using S2POI = Field<4 * P + 451, 4 * P + 448, unsigned>;  ///< P is 0 to 15
};

/// Every field of the STE; what no row covers is RES0.
inline constexpr FieldRow ste_fields[] = {
    field_row<Ste::V>("V", "0=invalid 1=valid"),
    field_row<Ste::Config>("Config", "0=abort 1=abort 2=abort 3=abort 4=bypass 5=stage1 6=stage2 7=stage1+stage2"),
    field_row<Ste::S1Fmt>("S1Fmt", "0=linear 1=two-level-4KiB 2=two-level-64KiB 3=reserved"),
    field_row<Ste::S1ContextPtr>("S1ContextPtr"),
    field_row<Ste::S1CDMax>("S1CDMax"),
    field_row<Ste::S1DSS>("S1DSS", "0=terminate 1=bypass 2=substream0 3=reserved"),
    field_row<Ste::S1CIR>("S1CIR", meaning::fetch_cache),
    field_row<Ste::S1COR>("S1COR", meaning::fetch_cache),
    field_row<Ste::S1CSH>("S1CSH", meaning::sh),
    field_row<Ste::S2HWU59>("S2HWU59"),
    field_row<Ste::S2HWU60>("S2HWU60"),
    field_row<Ste::S2HWU61>("S2HWU61"),
    field_row<Ste::S2HWU62>("S2HWU62"),
    field_row<Ste::DRE>("DRE"),
    field_row<Ste::CONT>("CONT"),
    field_row<Ste::DCP>("DCP"),
    field_row<Ste::PPAR>("PPAR"),
    field_row<Ste::MEV>("MEV"),
    field_row<Ste::SW_RESERVED>("SW_RESERVED"),
    field_row<Ste::S1PIE>("S1PIE"),
    field_row<Ste::S2FWB>("S2FWB"),
    field_row<Ste::S1MPAM>("S1MPAM"),
    field_row<Ste::S1STALLD>("S1STALLD"),
    field_row<Ste::EATS>("EATS", "0=none 1=full 2=split-stage 3=full+DPT"),
    field_row<Ste::STRW>("STRW", "0=EL1 1=EL3 2=EL2 3=reserved"),
    field_row<Ste::MemAttr>("MemAttr"),
    field_row<Ste::MTCFG>("MTCFG", "0=incoming 1=MemAttr"),
    field_row<Ste::ALLOCCFG>("ALLOCCFG"),
    field_row<Ste::SHCFG>("SHCFG", meaning::shcfg),
    field_row<Ste::NSCFG>("NSCFG", "0=incoming 1=reserved 2=secure 3=non-secure"),
    field_row<Ste::PRIVCFG>("PRIVCFG", meaning::privcfg),
    field_row<Ste::INSTCFG>("INSTCFG", meaning::instcfg),
    field_row<Ste::IMPDEF1>("IMPLEMENTATION_DEFINED[127:116]"),
    field_row<Ste::S2VMID>("S2VMID"),
    field_row<Ste::IMPDEF2>("IMPLEMENTATION_DEFINED[159:144]"),
    field_row<Ste::S2T0SZ>("S2T0SZ"),
    field_row<Ste::S2SL0>("S2SL0"),
    field_row<Ste::S2IR0>("S2IR0", meaning::walk_cache),
    field_row<Ste::S2OR0>("S2OR0", meaning::walk_cache),
    field_row<Ste::S2SH0>("S2SH0", meaning::sh),
    field_row<Ste::S2TG>("S2TG", meaning::tg0),
    field_row<Ste::S2PS>("S2PS", meaning::address_size),
    field_row<Ste::S2AA64>("S2AA64", "0=LPAE 1=VMSAv8-64"),
    field_row<Ste::S2ENDI>("S2ENDI", meaning::endian),
    field_row<Ste::S2AFFD>("S2AFFD"),
    field_row<Ste::S2PTW>("S2PTW"),
    field_row<Ste::S2HD>("S2HD"),
    field_row<Ste::S2HA>("S2HA"),
    field_row<Ste::S2S>("S2S"),
    field_row<Ste::S2R>("S2R"),
    field_row<Ste::S2HAFT>("S2HAFT"),
    field_row<Ste::S2PIE>("S2PIE"),
    field_row<Ste::S2POE>("S2POE"),
    field_row<Ste::DPT_VMATCH>("DPT_VMATCH"),
    field_row<Ste::S2NSW>("S2NSW"),
    field_row<Ste::S2NSA>("S2NSA"),
    field_row<Ste::S2SL0_2>("S2SL0_2"),
    field_row<Ste::S2DS>("S2DS"),
    field_row<Ste::S2TTB>("S2TTB"),
    field_row<Ste::S2SKL>("S2SKL"),
    field_row<Ste::IMPDEF3>("IMPLEMENTATION_DEFINED[271:256]"),
    field_row<Ste::PARTID>("PARTID"),
    field_row<Ste::S_S2T0SZ>("S_S2T0SZ"),
    field_row<Ste::S_S2SL0>("S_S2SL0"),
    field_row<Ste::S_S2TG>("S_S2TG", meaning::tg0),
    field_row<Ste::MECID>("MECID"),
    field_row<Ste::PMG>("PMG"),
    field_row<Ste::MPAM_NS>("MPAM_NS"),
    field_row<Ste::AssuredOnly>("AssuredOnly"),
    field_row<Ste::TL0>("TL0"),
    field_row<Ste::TL1>("TL1"),
    field_row<Ste::VMSPtr>("VMSPtr"),
    field_row<Ste::S2SW>("S2SW"),
    field_row<Ste::S2SA>("S2SA"),
    field_row<Ste::S_S2SL0_2>("S_S2SL0_2"),
    field_row<Ste::S_S2TTB>("S_S2TTB"),
    field_row<Ste::S_S2SKL>("S_S2SKL"),
    field_row<Ste::S2POI_all>("S2POI<0..15>"),
};

}  // namespace smmusim::spec
