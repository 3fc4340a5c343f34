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

/// IRx/ORx, S1CIR/S1COR and S2IR0/S2OR0: 0 NC, 1 WB, 2 WT, 3 WB without write-allocate.
constexpr std::uint8_t cacheability_to_mair(unsigned inner, unsigned outer) {
  constexpr std::uint8_t nibble[4] = {0x4, 0xf, 0xb, 0xe};
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

}  // namespace smmusim
