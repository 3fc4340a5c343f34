// SPDX-License-Identifier: MIT
// Geometry: the shape of a VMSAv8-64 translation table (Arm ARM DDI 0487, section D8.2): granule, input and output
// size, and what follows from them. A value; the table builder reads it and decides nothing of this itself.
#pragma once

#include <cstdint>

namespace smmusim {

struct Geometry {
  unsigned granule_bits = 12;  ///< 12, 14 or 16
  unsigned input_bits = 48;    ///< 64 - TxSZ
  unsigned output_bits = 48;   ///< at most 48, or 52 with 64 KiB: descriptors without LPA2
  bool concatenated = false;   ///< stage 2: up to 16 first tables side by side save a level, as Linux does

  friend bool operator==(const Geometry&, const Geometry&) = default;

  static constexpr int last_level = 3;
  constexpr std::uint64_t granule_bytes() const { return std::uint64_t{1} << granule_bits; }
  /// Address bits that one level resolves.
  constexpr unsigned index_bits() const { return granule_bits - 3; }
  constexpr std::uint64_t entries() const { return std::uint64_t{1} << index_bits(); }
  /// log2 of what one entry of `level` spans.
  constexpr unsigned span_bits(int level) const {
    return granule_bits + static_cast<unsigned>(last_level - level) * index_bits();
  }
  constexpr std::uint64_t span_bytes(int level) const { return std::uint64_t{1} << span_bits(level); }
  constexpr int start_level() const {
    const unsigned resolved = input_bits - granule_bits;
    const unsigned levels = (resolved + index_bits() - 1) / index_bits();
    const unsigned top_bits = resolved - (levels - 1) * index_bits();
    const bool saved = concatenated && levels > 1 && top_bits <= 4;
    return last_level + 1 - static_cast<int>(saved ? levels - 1 : levels);
  }
  /// Entries of the first table, which may be smaller than a granule, or of all first tables.
  constexpr std::uint64_t start_entries() const { return std::uint64_t{1} << (input_bits - span_bits(start_level())); }
  /// True if a leaf may stand at `level` (block or page).
  constexpr bool leaf_allowed(int level) const {
    if (level == last_level || level == 2) return true;
    return level == 1 && granule_bits == 12;
  }
  /// How many adjacent leaf entries of `level` the Contiguous bit joins; 1: it is not used there.
  constexpr std::uint64_t contiguous_entries(int level) const {
    if (!leaf_allowed(level)) return 1;
    if (granule_bits == 12) return 16;
    if (granule_bits == 14) return level == last_level ? 128 : 32;
    return 32;
  }
};

}  // namespace smmusim
