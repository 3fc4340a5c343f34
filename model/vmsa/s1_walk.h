// SPDX-License-Identifier: MIT
// Stage 1 of VMSAv8-64 (Arm ARM D8.2 to D8.4; IHI 0070 section 3.4) as pure steps: where a walk starts, which
// descriptor comes next, what a descriptor means. The names are those of Arm's pseudocode. Nothing here reads memory:
// model/smmu/walk.cc fetches the descriptors and knows about caches and time.
#pragma once

#include <cstdint>

#include "model/base/types.h"
#include "model/spec/cd.h"
#include "model/spec/features.h"

namespace smmusim {

/// What a CD says about one half of the input range (TTB0 or TTB1).
struct S1TTWParams {
  std::uint64_t ttb = 0;  ///< as in the CD; low bits below the table's size are ignored
  std::uint32_t mair[2] = {0, 0};
  std::uint8_t txsz = 64;
  std::uint8_t granule_bits = 12;  ///< 12, 14 or 16
  std::uint8_t ps_bits = 48;       ///< effective output size: min(IPS, OAS)
  std::uint8_t walk_attr = 0x44;   ///< of the descriptor fetches, MAIR encoding (IRx, ORx)
  std::uint8_t walk_sh = 0;
  bool exists = false;  ///< the half can be used at all (TTB1: not in NS-EL2)
  bool epd = false;     ///< walks are disabled
  bool tbi = false;
  bool had = false;  ///< hierarchical permissions are ignored
  bool big_endian = false;
  bool affd = false;
  bool wxn = false;
  bool pan = false;
  bool epan = false;              ///< PAN counts unprivileged execute permission too
  bool e0pd = false;              ///< unprivileged accesses are not translated
  bool single_privilege = false;  ///< NS-EL2: AP[1] is treated as 1, PRIV isn't checked, one XN bit
};

/// Decodes half 0 or 1 of `cd`. `two_privileges`: the StreamWorld is EL1 or EL2-E2H.
S1TTWParams s1_ttw_params(const spec::Cd& cd, unsigned half, bool two_privileges, const spec::Features& features);
/// TTBx as an address: bits [55:52] count with VMSAv9-128 only (section 5.4, TTB0).
constexpr std::uint64_t s1_ttb(const spec::Cd& cd, unsigned half, const spec::Features& features) {
  const std::uint64_t field = half == 0 ? cd.get<spec::Cd::TTB0>() : cd.get<spec::Cd::TTB1>();
  return field & low_mask(features.d128 ? 56 : 52);
}

/// Hierarchical attributes gathered on the way down, bits of TTWState::hierarchical.
namespace hierarchical {
inline constexpr std::uint8_t no_unprivileged = 1;  ///< APTable[0]
inline constexpr std::uint8_t no_write = 2;         ///< APTable[1]
inline constexpr std::uint8_t xn = 4;               ///< XNTable
inline constexpr std::uint8_t pxn = 8;              ///< PXNTable
}  // namespace hierarchical

/// Where a walk stands: the table to look in, and at the end the leaf.
struct TTWState {
  std::uint64_t base = 0;  ///< of the table at `level`
  int level = 0;
  bool start_table = true;  ///< base is TTBx itself: its index may be narrower or wider
  std::uint8_t hierarchical = 0;
  // of a leaf:
  std::uint8_t page_bits = 12;       ///< log2 of the block or page
  std::uint8_t contiguous_bits = 0;  ///< log2 of the contiguous run it belongs to, 0 if none
  std::uint8_t permissions = 0;      ///< permission::…
  std::uint8_t attr = 0;             ///< MAIR byte, UNPREDICTABLE encodings resolved (13.1.1)
  std::uint8_t sh = 0;
  bool global = false;
  std::uint64_t output = 0;  ///< address of the block or page
};

enum class WalkStep : std::uint8_t { table, leaf, translation_fault, address_size_fault, access_fault };

/// The address with the tag byte replaced by copies of bit 55 where TBI says so.
constexpr std::uint64_t s1_canonical(const S1TTWParams& params, std::uint64_t va) {
  if (!params.tbi) return va;
  return ((va >> 55) & 1) != 0 ? va | ~low_mask(56) : va & low_mask(56);
}
/// True if `canonical` lies in the range of TxSZ (for TTB0 below 2^(64-T0SZ), for TTB1 at the top).
constexpr bool s1_in_range(const S1TTWParams& params, std::uint64_t canonical) {
  const std::uint64_t above = ~low_mask(64u - params.txsz);
  return (canonical & above) == (((canonical >> 55) & 1) != 0 ? above : 0);
}

TTWState s1_walk_start(const S1TTWParams& params);
/// Address of the descriptor for `canonical` in the table of `state`.
std::uint64_t s1_descriptor_address(const S1TTWParams& params, const TTWState& state, std::uint64_t canonical);
/// log2 of the bytes that one descriptor at `level` covers.
constexpr unsigned descriptor_bits(unsigned granule_bits, int level) {
  return granule_bits + static_cast<unsigned>(3 - level) * (granule_bits - 3);
}
/// Digests `descriptor` (in host order) found in the table of `state`: `table` moves the state to the next table,
/// `leaf` completes it; a fault leaves it at the level where it happened.
WalkStep s1_walk_step(const S1TTWParams& params, TTWState& state, std::uint64_t descriptor);

}  // namespace smmusim
