// SPDX-License-Identifier: MIT
// What both stages of a VMSAv8-64 walk share (Arm ARM D8.2, D8.3): the state of a walk, the outcome of one descriptor
// and the geometry of tables. The names are those of Arm's pseudocode. Nothing here reads memory.
#pragma once

#include <cstdint>

#include "model/base/types.h"
#include "model/spec/codes.h"
#include "model/spec/features.h"

namespace smmusim {

/// What CD and STE say alike about a translation table.
struct TTWParams {
  std::uint64_t ttb = 0;  ///< as in the structure; low bits below the size of the start table are ignored
  std::uint8_t txsz = 64;
  std::uint8_t granule_bits = 12;  ///< 12, 14 or 16
  std::uint8_t ps_bits = 48;       ///< effective output size: min(IPS or S2PS, OAS)
  std::uint8_t walk_attr = 0x44;   ///< of the descriptor fetches, MAIR encoding
  std::uint8_t walk_sh = 0;        ///< of the same, made consistent with walk_attr
  std::uint8_t leaf_sh = 0;        ///< SHx as stored: shareability of every leaf if `ds`
  bool ds = false;                 ///< effective DS: 52-bit addresses with 4 and 16 KiB, and larger blocks
  bool lpa = false;                ///< 64 KiB granule and OAS of 52: descriptor bits [15:12] are address [51:48]
  bool nt = false;                 ///< the nT bit of blocks is observed (BBML level 1)
  bool affd = false;               ///< AF = 0 is no fault
  bool ha = false;                 ///< AF of a leaf is set by hardware (IHI 0070 section 3.13)
  bool hd = false;                 ///< so is the dirty state of a leaf
  bool haft = false;               ///< and AF of a table descriptor
  bool big_endian = false;
};

/// Hierarchical attributes gathered on the way down stage 1, bits of TTWState::hierarchical.
namespace hierarchical {
inline constexpr std::uint8_t no_unprivileged = 1;  ///< APTable[0]
inline constexpr std::uint8_t no_write = 2;         ///< APTable[1]
inline constexpr std::uint8_t xn = 4;               ///< XNTable
inline constexpr std::uint8_t pxn = 8;              ///< PXNTable
}  // namespace hierarchical

/// Where a walk stands: the table to look in, and at the end the leaf.
struct TTWState {
  std::uint64_t base = 0;          ///< of the table at `level`
  int level = 0;                   ///< -1 to 3
  unsigned shift = 12;             ///< log2 of the bytes that one descriptor of this table covers
  std::uint64_t index_mask = 511;  ///< entries - 1; of a start table, or of several concatenated, it may be any 2^n - 1
  std::uint8_t hierarchical = 0;   ///< stage 1 only
  // of a leaf:
  std::uint8_t page_bits = 12;       ///< log2 of the block or page
  std::uint8_t contiguous_bits = 0;  ///< log2 of the contiguous run it belongs to, 0 if none
  std::uint8_t permissions = 0;      ///< permission::…
  std::uint8_t attr = 0;             ///< MAIR byte, UNPREDICTABLE encodings resolved (5.4, MAIR0)
  std::uint8_t sh = 0;
  std::uint8_t memattr = 0;  ///< stage 2 only: MemAttr[3:0] as stored, for s2_combined()
  bool global = false;       ///< stage 1 only
  bool af_clear = false;     ///< AF is 0, and hardware sets it before the translation is used
  std::uint8_t gain = 0;     ///< writable-clean: the write permissions that marking it dirty gives; `permissions` lacks
  bool nt = false;           ///< a block with nT set, at BBML level 1: must not be cached (IHI 0070 section 3.21.1.2)
  std::uint64_t output = 0;  ///< address of the block or page
};

enum class WalkStep : std::uint8_t { table, leaf, translation_fault, address_size_fault, access_fault };

/// Effective output size of IPS or S2PS (sections 5.2 and 5.4): capped by the OAS; what v3.0 reserves acts as 48 bits.
constexpr unsigned output_bits(unsigned code, const spec::Features& features) {
  constexpr unsigned bits_48 = 5;
  const bool reserved = features.version_minor == 0 && code > bits_48;
  const unsigned bits = spec::address_bits(reserved ? bits_48 : code);
  return bits < features.oas ? bits : features.oas;
}

/// log2 of the bytes that one descriptor at `level` covers.
constexpr unsigned descriptor_bits(unsigned granule_bits, int level) {
  return granule_bits + static_cast<unsigned>(3 - level) * (granule_bits - 3);
}
constexpr unsigned granule_bits_of(spec::Tg0 tg) {
  return tg == spec::Tg0::kib64 ? 16 : tg == spec::Tg0::kib16 ? 14 : 12;
}
constexpr unsigned granule_bits_of(spec::Tg1 tg) {
  return tg == spec::Tg1::kib64 ? 16 : tg == spec::Tg1::kib16 ? 14 : 12;
}

/// The highest bit plus one of a table base in STE and CD (sections 5.2 and 5.4, S2TTB and TTB0). `aa64` is that of the
/// structure: VMSAv9-128 is selected by 0.
constexpr unsigned ttb_width(const spec::Features& features, bool aa64) {
  if (features.version_minor == 0) return 48;
  return features.d128 && !aa64 ? 56 : 52;
}

}  // namespace smmusim
