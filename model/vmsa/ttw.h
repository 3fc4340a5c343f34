// SPDX-License-Identifier: MIT
// What both stages of a VMSAv8-64 walk share (Arm ARM D8.2, D8.3, D8.7): the state of a walk, the geometry of tables
// and the part of a descriptor that does not depend on the stage. The names are those of Arm's pseudocode. Nothing
// here reads memory.
#pragma once

#include <cstdint>

#include "model/base/types.h"
#include "model/spec/codes.h"
#include "model/spec/features.h"

namespace smmusim {

/// Hierarchical attributes gathered on the way down stage 1, bits of TTWState::hierarchical.
namespace hierarchical {
inline constexpr std::uint8_t no_unprivileged = 1;  ///< APTable[0]
inline constexpr std::uint8_t no_write = 2;         ///< APTable[1]
inline constexpr std::uint8_t xn = 4;               ///< XNTable
inline constexpr std::uint8_t pxn = 8;              ///< PXNTable
}  // namespace hierarchical

/// Where a walk stands: the table to look in, and at the end the leaf.
struct TTWState {
  std::uint64_t base = 0;         ///< of the table at `level`
  int level = 0;                  ///< -1 to 3
  bool start_table = true;        ///< base comes from TTBx or S2TTB: the index may be narrower or wider
  std::uint8_t hierarchical = 0;  ///< stage 1 only
  // of a leaf:
  std::uint8_t page_bits = 12;       ///< log2 of the block or page
  std::uint8_t contiguous_bits = 0;  ///< log2 of the contiguous run it belongs to, 0 if none
  std::uint8_t permissions = 0;      ///< permission::…
  std::uint8_t attr = 0;             ///< MAIR byte, UNPREDICTABLE encodings resolved (13.1.1)
  std::uint8_t sh = 0;
  std::uint8_t memattr = 0;  ///< stage 2 only: MemAttr[3:0] as stored, for s2_combined()
  bool global = false;       ///< stage 1 only
  bool nt = false;           ///< a block with nT set, at BBML level 1: must not be cached (IHI 0070 section 3.21.1.2)
  std::uint64_t output = 0;  ///< address of the block or page
};

enum class WalkStep : std::uint8_t { table, leaf, translation_fault, address_size_fault, access_fault };

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

/// What decides how a descriptor is read, whatever the stage.
struct TTWFormat {
  std::uint8_t granule_bits;  ///< 12, 14 or 16
  std::uint8_t input_bits;    ///< 64 - TxSZ
  std::uint8_t ps_bits;       ///< effective output size
  bool ds;                    ///< 4 and 16 KiB: 52-bit addresses, and larger blocks
  bool lpa;                   ///< 64 KiB: 52-bit addresses, and larger blocks
  bool affd;                  ///< AF = 0 is no fault
  bool nt;                    ///< the nT bit is observed
};

/// The table at which a walk starts at `level`: `ttb` aligned to the size of the table, or of all concatenated tables,
/// and to 64 bytes if the effective output size is 52 bits (sections 5.2 and 5.4, S2TTB and TTB0).
TTWState ttw_start(const TTWFormat& format, int level, std::uint64_t ttb);
/// Address of the descriptor for `input` in the table of `state`.
std::uint64_t ttw_descriptor_address(const TTWFormat& format, const TTWState& state, std::uint64_t input);
/// Type, addresses, Access flag, Contiguous and nT of `descriptor`: `table` moves the state to the next table, `leaf`
/// fills page_bits, contiguous_bits, nt and output; a fault leaves the state as it was.
WalkStep ttw_step(const TTWFormat& format, TTWState& state, std::uint64_t descriptor);

}  // namespace smmusim
