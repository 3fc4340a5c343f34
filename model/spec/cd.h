// SPDX-License-Identifier: MIT
// Context Descriptor, 64 bytes (IHI 0070 section 5.4): where each field lies.
// Legality, clamping and what is ignored in which StreamWorld are not decided here: model/smmu does that.
#pragma once

#include <cstdint>

#include "model/base/field.h"
#include "model/spec/codes.h"

namespace smmusim::spec {

struct Cd : Words<Cd, 8> {
  using T0SZ = Field<5, 0, unsigned>;
  using TG0 = Field<7, 6, Tg0>;
  using IR0 = Field<9, 8, unsigned>;
  using OR0 = Field<11, 10, unsigned>;
  using SH0 = Field<13, 12, Shareability>;
  using EPD0 = Field<14, 14, bool>;
  using ENDI = Field<15, 15, bool>;
  using T1SZ = Field<21, 16, unsigned>;
  using TG1 = Field<23, 22, Tg1>;
  using IR1 = Field<25, 24, unsigned>;
  using OR1 = Field<27, 26, unsigned>;
  using SH1 = Field<29, 28, Shareability>;
  using EPD1 = Field<30, 30, bool>;
  using V = Field<31, 31, bool>;
  using IPS = Field<34, 32, unsigned>;
  using AFFD = Field<35, 35, bool>;
  using WXN = Field<36, 36, bool>;
  using UWXN = Field<37, 37, bool>;  ///< VMSAv8-32 LPAE only
  using TBI0 = Field<38, 38, bool>;
  using TBI1 = Field<39, 39, bool>;
  using PAN = Field<40, 40, bool>;
  using AA64 = Field<41, 41, bool>;
  using HD = Field<42, 42, bool>;
  using HA = Field<43, 43, bool>;
  using S = Field<44, 44, bool>;  ///< stall
  using R = Field<45, 45, bool>;  ///< record
  using A = Field<46, 46, bool>;
  using ASET = Field<47, 47, bool>;
  using ASID = Field<63, 48, std::uint16_t>;
  using NSCFG0 = Field<64, 64, bool>;
  using HAD0 = Field<65, 65, bool>;
  using E0PD0 = Field<66, 66, bool>;
  using HAFT = Field<67, 67, bool>;
  using TTB0 = Field<119, 68, std::uint64_t, 4>;
  using PnCH = Field<122, 122, bool>;
  using EPAN = Field<123, 123, bool>;
  using HWU059 = Field<124, 124, bool>;
  using HWU060 = Field<125, 125, bool>;
  using HWU061 = Field<126, 126, bool>;
  using HWU062 = Field<127, 127, bool>;
  using NSCFG1 = Field<128, 128, bool>;
  using HAD1 = Field<129, 129, bool>;
  using E0PD1 = Field<130, 130, bool>;
  using AIE = Field<131, 131, bool>;
  using TTB1 = Field<183, 132, std::uint64_t, 4>;
  using DS = Field<186, 186, bool>;
  using PIE = Field<187, 187, bool>;
  using HWU159 = Field<188, 188, bool>;
  using HWU160 = Field<189, 189, bool>;
  using HWU161 = Field<190, 190, bool>;
  using HWU162 = Field<191, 191, bool>;
  using MAIR0 = Field<223, 192, std::uint32_t>;  ///< attributes 0 to 3, one byte each
  using MAIR1 = Field<255, 224, std::uint32_t>;  ///< attributes 4 to 7
  using AMAIR0 = Field<287, 256, std::uint32_t>;
  using AMAIR1 = Field<319, 288, std::uint32_t>;
  using IMPDEF1 = Field<351, 320, unsigned>;
  using PARTID = Field<367, 352, unsigned>;
  using PMG = Field<375, 368, unsigned>;
  using PIIU_all = Field<431, 384>;  ///< 16 values of 3 bits, see PIIU<p>
  using PIIP_all = Field<495, 448>;

  // What the same bits are called when the CD selects VMSAv9-128 tables (AA64=0 with IDR5.D128).
  using DisCH0 = Field<65, 65, bool>;
  using SKL0 = Field<127, 126, unsigned>;
  using DisCH1 = Field<129, 129, bool>;
  using SKL1 = Field<191, 190, unsigned>;

  template <unsigned P>
  using PIIU = Field<3 * P + 386, 3 * P + 384, unsigned>;  ///< P is 0 to 15
  template <unsigned P>
  using PIIP = Field<3 * P + 450, 3 * P + 448, unsigned>;  ///< P is 0 to 15
};

/// Every field of a CD with 64-bit descriptors; what no row covers is RES0.
inline constexpr FieldRow cd_fields[] = {
    field_row<Cd::T0SZ>("T0SZ"),
    field_row<Cd::TG0>("TG0", meaning::tg0),
    field_row<Cd::IR0>("IR0", meaning::walk_cache),
    field_row<Cd::OR0>("OR0", meaning::walk_cache),
    field_row<Cd::SH0>("SH0", meaning::sh),
    field_row<Cd::EPD0>("EPD0", "0=walk 1=no-walk"),
    field_row<Cd::ENDI>("ENDI", meaning::endian),
    field_row<Cd::T1SZ>("T1SZ"),
    field_row<Cd::TG1>("TG1", meaning::tg1),
    field_row<Cd::IR1>("IR1", meaning::walk_cache),
    field_row<Cd::OR1>("OR1", meaning::walk_cache),
    field_row<Cd::SH1>("SH1", meaning::sh),
    field_row<Cd::EPD1>("EPD1", "0=walk 1=no-walk"),
    field_row<Cd::V>("V", "0=invalid 1=valid"),
    field_row<Cd::IPS>("IPS", meaning::address_size),
    field_row<Cd::AFFD>("AFFD"),
    field_row<Cd::WXN>("WXN"),
    field_row<Cd::UWXN>("UWXN"),
    field_row<Cd::TBI0>("TBI0"),
    field_row<Cd::TBI1>("TBI1"),
    field_row<Cd::PAN>("PAN"),
    field_row<Cd::AA64>("AA64", "0=LPAE 1=VMSAv8-64"),
    field_row<Cd::HD>("HD"),
    field_row<Cd::HA>("HA"),
    field_row<Cd::S>("S"),
    field_row<Cd::R>("R"),
    field_row<Cd::A>("A", "0=RAZ/WI 1=abort"),
    field_row<Cd::ASET>("ASET", "0=shared 1=not-shared"),
    field_row<Cd::ASID>("ASID"),
    field_row<Cd::NSCFG0>("NSCFG0"),
    field_row<Cd::HAD0>("HAD0"),
    field_row<Cd::E0PD0>("E0PD0"),
    field_row<Cd::HAFT>("HAFT"),
    field_row<Cd::TTB0>("TTB0"),
    field_row<Cd::PnCH>("PnCH"),
    field_row<Cd::EPAN>("EPAN"),
    field_row<Cd::HWU059>("HWU059"),
    field_row<Cd::HWU060>("HWU060"),
    field_row<Cd::HWU061>("HWU061"),
    field_row<Cd::HWU062>("HWU062"),
    field_row<Cd::NSCFG1>("NSCFG1"),
    field_row<Cd::HAD1>("HAD1"),
    field_row<Cd::E0PD1>("E0PD1"),
    field_row<Cd::AIE>("AIE"),
    field_row<Cd::TTB1>("TTB1"),
    field_row<Cd::DS>("DS"),
    field_row<Cd::PIE>("PIE"),
    field_row<Cd::HWU159>("HWU159"),
    field_row<Cd::HWU160>("HWU160"),
    field_row<Cd::HWU161>("HWU161"),
    field_row<Cd::HWU162>("HWU162"),
    field_row<Cd::MAIR0>("MAIR0"),
    field_row<Cd::MAIR1>("MAIR1"),
    field_row<Cd::AMAIR0>("AMAIR0"),
    field_row<Cd::AMAIR1>("AMAIR1"),
    field_row<Cd::IMPDEF1>("IMPLEMENTATION_DEFINED[351:320]"),
    field_row<Cd::PARTID>("PARTID"),
    field_row<Cd::PMG>("PMG"),
    field_row<Cd::PIIU_all>("PIIU<0..15>"),
    field_row<Cd::PIIP_all>("PIIP<0..15>"),
};

/// The fields that overlay rows of cd_fields when the tables are VMSAv9-128.
inline constexpr FieldRow cd_overlay_fields[] = {
    field_row<Cd::DisCH0>("DisCH0"),
    field_row<Cd::SKL0>("SKL0"),
    field_row<Cd::DisCH1>("DisCH1"),
    field_row<Cd::SKL1>("SKL1"),
};

}  // namespace smmusim::spec
