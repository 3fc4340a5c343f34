// SPDX-License-Identifier: MIT
// Memory types as MAIR bytes (IHI 0070 chapter 13): the encodings that structures use for them and the rules that
// make an output consistent. A byte is 0b0000dd00 for Device (dd: nGnRnE, nGnRE, nGRE, GRE), else outer nibble and
// inner nibble, each 0100 NC, 10rw WT, 11rw WB, 00rw WT transient, 01rw WB transient.
#pragma once

#include <cstdint>

namespace smmusim {

inline constexpr std::uint8_t mair_normal_nc = 0x44;
inline constexpr std::uint8_t mair_normal_wb = 0xff;
inline constexpr std::uint8_t shareability_non = 0;
inline constexpr std::uint8_t shareability_outer = 2;

constexpr bool is_device(unsigned attr) {
  return (attr & 0xf0) == 0;
}

/// A MAIR byte with the UNPREDICTABLE encodings replaced as the SMMU defines them (section 5.4, MAIR0).
constexpr std::uint8_t resolved_mair(unsigned attr) {
  if (is_device(attr)) return static_cast<std::uint8_t>(attr & 0x0c);
  return static_cast<std::uint8_t>((attr & 0x0f) == 0 ? attr | 0x03 : attr);
}

/// Device and iNC-oNC are always output as Outer Shareable; the reserved value 1 acts as Non-shareable (13.1.7).
constexpr std::uint8_t effective_shareability(unsigned attr, unsigned sh) {
  if (is_device(attr) || attr == mair_normal_nc) return shareability_outer;
  return static_cast<std::uint8_t>(sh == 1 ? 0 : sh);
}

/// IRx/ORx and S2IR0/S2OR0: 0 NC, 1 WB, 2 WT, 3 WB without write-allocate.
constexpr std::uint8_t cacheability_to_mair(unsigned inner, unsigned outer) {
  constexpr std::uint8_t nibble[4] = {0x4, 0xf, 0xb, 0xe};
  return static_cast<std::uint8_t>(nibble[outer & 3] << 4 | nibble[inner & 3]);
}

/// S1CIR/S1COR (section 5.2), which is about reads only: 3 is WB without read-allocate. The hint for writes is the
/// implementation's: always write-allocate.
constexpr std::uint8_t cd_cacheability_to_mair(unsigned inner, unsigned outer) {
  constexpr std::uint8_t nibble[4] = {0x4, 0xf, 0xb, 0xd};
  return static_cast<std::uint8_t>(nibble[outer & 3] << 4 | nibble[inner & 3]);
}

/// STE.MemAttr, GBPA.MemAttr, *_IRQ_CFG2.MemAttr and CMD_SYNC.MSIAttr: the stage-2 MemAttr[3:0] encoding. 0100, 1000
/// and 1100 are Device-nGnRnE.
constexpr std::uint8_t memattr_to_mair(unsigned memattr) {
  constexpr std::uint8_t nibble[4] = {0, 0x4, 0xb, 0xf};
  const unsigned outer = (memattr >> 2) & 3;
  const unsigned inner = memattr & 3;
  if (outer == 0) return static_cast<std::uint8_t>(inner << 2);
  if (inner == 0) return 0;
  return static_cast<std::uint8_t>(nibble[outer] << 4 | nibble[inner]);
}

/// What a stage-2 leaf says about memory attributes.
struct S2Attributes {
  std::uint8_t memattr = 0xf;  ///< MemAttr[3:0] as stored (TTWState::memattr)
  std::uint8_t sh = 0;         ///< SH, or S2SH0 with S2DS (TTWState::sh)
  bool fwb = false;            ///< STE.S2FWB
  bool mteperm = false;        ///< IDR3.MTEPERM
};
/// A memory type and a shareability.
struct TypeAndShareability {
  std::uint8_t type;
  std::uint8_t sh;
  friend constexpr bool operator==(const TypeAndShareability&, const TypeAndShareability&) = default;
};

/// Stage-2 MemAttr[3:0] without FWB (Arm ARM table D8-96). Unlike in STE.MemAttr the encodings with an inner 00 are
/// reserved; here the inner attribute is then NC. With MTEPERM 0100 is WB (section 3.23.1).
constexpr std::uint8_t s2_memattr_to_mair(unsigned memattr, bool mteperm) {
  if (mteperm && (memattr & 0xf) == 4) return mair_normal_wb;
  const bool reserved = (memattr & 0xc) != 0 && (memattr & 3) == 0;
  return memattr_to_mair(reserved ? memattr | 1 : memattr);
}

/// The stronger of two types: Device over Normal, then per level NC, WT, WB (D8.6.5.1, D8.6.5.2). Allocation hints are
/// those of `type` (section 13.4.3).
constexpr std::uint8_t stronger_type(std::uint8_t type, std::uint8_t stage2) {
  if (is_device(type) && is_device(stage2)) return type < stage2 ? type : stage2;
  if (is_device(type) || is_device(stage2)) return is_device(type) ? type : stage2;
  const auto nibble = [](unsigned one, unsigned two) -> unsigned {
    if (one == 4 || two == 4) return 4;
    return (two & 4) != 0 ? one : one & ~4u;  // a nibble is WB if bit 2 is set, WT if not
  };
  return static_cast<std::uint8_t>(nibble(type >> 4u, stage2 >> 4u) << 4 | nibble(type & 15u, stage2 & 15u));
}

/// Normal WB with the hints of each cacheable level of `type`; Read-Allocate, Write-Allocate, not transient elsewhere.
constexpr std::uint8_t forced_write_back(std::uint8_t type) {
  if (is_device(type)) return mair_normal_wb;
  const auto nibble = [](unsigned one) -> unsigned { return one == 4 ? 0xf : one | 4; };
  return static_cast<std::uint8_t>(nibble(type >> 4u) << 4 | nibble(type & 15u));
}

/// Stage-2 MemAttr with FWB (tables D8-100 and D8-101; section 3.23.1). Without MTEPERM bit 3 is RES0. The reserved
/// x100, and 110x with MTEPERM, act as 101; 10xx with MTEPERM acts as 00xx.
constexpr std::uint8_t type_with_fwb(std::uint8_t type, unsigned memattr) {
  if ((memattr & 4) == 0) return stronger_type(type, static_cast<std::uint8_t>((memattr & 3) << 2));
  if ((memattr & 3) == 3) return type;
  if ((memattr & 3) == 2) return forced_write_back(type);
  return is_device(type) ? type : mair_normal_nc;
}

/// OSH over ISH over NSH (table D8-103).
constexpr std::uint8_t stronger_shareability(unsigned one, unsigned two) {
  if (one == 2 || two == 2) return 2;
  return one == 3 || two == 3 ? 3 : 0;
}

/// The output of stage 2 for an input of MAIR byte `type` (resolved) and shareability `sh`: of stage 1, or of the
/// access if stage 1 is not there (sections 13.1.5, 13.1.6 and 13.4.3; Arm ARM D8.6.3 to D8.6.7).
constexpr TypeAndShareability s2_combined(std::uint8_t type, std::uint8_t sh, const S2Attributes& stage2) {
  if (stage2.memattr == 0xf && !stage2.fwb) [[likely]]  // Write-Back, which leaves every type as it is
    return {type, effective_shareability(type, stronger_shareability(sh, stage2.sh))};
  const std::uint8_t out = stage2.fwb ? type_with_fwb(type, stage2.memattr)
                                      : stronger_type(type, s2_memattr_to_mair(stage2.memattr, stage2.mteperm));
  return {out, effective_shareability(out, stronger_shareability(sh, stage2.sh))};
}

}  // namespace smmusim
