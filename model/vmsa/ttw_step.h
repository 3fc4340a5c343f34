// SPDX-License-Identifier: MIT
// Table geometry and the descriptor fields that both stages have alike (Arm ARM D8.2, D8.3, D8.5.1, D8.7), for both
// stages alike; inline because a walk is little else. Reads no memory and knows no permissions.
#pragma once

#include <algorithm>
#include <cstdint>

#include "model/spec/descriptors.h"
#include "model/vmsa/ttw.h"

namespace smmusim::ttw {

constexpr bool bit(std::uint64_t word, unsigned n) {
  return ((word >> n) & 1) != 0;
}

/// Address of the next table, of the block or of the page. `lowest` is its lowest bit.
[[gnu::always_inline]] inline std::uint64_t address_of(const TTWParams& params, std::uint64_t descriptor,
                                                       unsigned lowest) {
  if (!params.ds && !params.lpa) [[likely]]
    return spec::descriptor_address(descriptor, lowest & 63, spec::AddressLayout::direct_48);
  return spec::descriptor_address(descriptor, lowest,
                                  params.ds ? spec::AddressLayout::lpa2 : spec::AddressLayout::lpa_64k);
}

/// Levels with block descriptors: D8.2.8 (4 KiB: 1, 2, and 0 with DS), D8.2.9 (16 KiB: 2, and 1 with DS), D8.2.10
/// (64 KiB: 2, and 1 if 52-bit addresses are implemented).
inline bool block_allowed(const TTWParams& params, int level) {
  const int largest = params.granule_bits == 12 ? 1 : 2;
  return level >= largest - (params.ds || params.lpa ? 1 : 0);
}

/// log2 of the run that the Contiguous bit names (table D8-104), 0 where the bit is RES0: in the blocks that only
/// 52-bit addresses have. A run that exceeds the input or the output size is no run: the architecture allows to ignore
/// the bit then (RWMNPV), and it must not let an address beyond the output size through (RXFDVL).
inline unsigned contiguous_bits(const TTWParams& params, int level) {
  const unsigned one = descriptor_bits(params.granule_bits, level);
  unsigned run = 0;
  if (params.granule_bits == 12 && level >= 1) run = one + 4;
  if (params.granule_bits == 14 && level >= 2) run = level == 3 ? one + 7 : one + 5;
  if (params.granule_bits == 16 && level >= 2) run = one + 5;
  return run <= std::min(64u - params.txsz, unsigned{params.ps_bits}) ? run : 0;
}

inline WalkStep leaf_step(const TTWParams& params, TTWState& state, std::uint64_t descriptor) {
  const unsigned bits = state.shift;
  const std::uint64_t output = address_of(params, descriptor, bits);
  if (!fits(output, params.ps_bits)) return WalkStep::address_size_fault;
  state.af_clear = !bit(descriptor, 10) && params.ha;
  if (!bit(descriptor, 10) && !params.affd && !params.ha) return WalkStep::access_fault;
  state.output = output;
  state.page_bits = static_cast<std::uint8_t>(bits);
  // With HTTU every descriptor has flags of its own: the hint is then ignored.
  const bool run = bit(descriptor, 52) && !params.ha;
  state.contiguous_bits = static_cast<std::uint8_t>(run ? contiguous_bits(params, state.level) : 0);
  state.nt = params.nt && state.level < 3 && bit(descriptor, 16);
  return WalkStep::leaf;
}

/// True for a table descriptor that leads on, and whose Access flag hardware must set before the walk does (3.13.6).
inline bool table_af_clear(const TTWParams& params, const TTWState& state, std::uint64_t descriptor) {
  return params.haft && state.level < 3 && (descriptor & 3) == 3 && !bit(descriptor, 10) &&
         fits(address_of(params, descriptor, params.granule_bits), params.ps_bits);
}

/// Moves `state` to the table at `base`, which is no start table, at `level`.
inline void enter_table(const TTWParams& params, TTWState& state, int level, std::uint64_t base) {
  const unsigned stride = params.granule_bits - 3u;
  state.base = base;
  state.level = level;
  state.shift = params.granule_bits + static_cast<unsigned>(3 - level) * stride;
  state.index_mask = (std::uint64_t{1} << stride) - 1;
}

/// The table at which a walk starts at `level`: TTBx or S2TTB aligned to the size of the table, or of all concatenated
/// tables, and to 64 bytes if the effective output size is 52 bits (sections 5.2 and 5.4, S2TTB and TTB0).
inline TTWState start(const TTWParams& params, int level) {
  TTWState state;
  state.level = level;
  state.shift = descriptor_bits(params.granule_bits, level);
  const unsigned index_bits = 64u - params.txsz - state.shift;
  state.index_mask = low_mask(index_bits);
  const std::uint64_t smallest = params.ps_bits >= 52 ? 63 : 15;
  state.base = params.ttb & ~(state.index_mask << 3 | smallest);
  return state;
}

/// Address of the descriptor for `input` in the table of `state`.
inline std::uint64_t descriptor_address(const TTWState& state, std::uint64_t input) {
  return state.base + ((input >> state.shift) & state.index_mask) * 8;
}

/// Type, addresses, Access flag, Contiguous and nT of `descriptor`: `table` moves the state to the next table, `leaf`
/// fills page_bits, contiguous_bits, nt and output; a fault leaves the state as it was.
inline WalkStep step(const TTWParams& params, TTWState& state, std::uint64_t descriptor) {
  if (!bit(descriptor, 0)) return WalkStep::translation_fault;
  const bool two = bit(descriptor, 1);
  if (state.level == 3) return two ? leaf_step(params, state, descriptor) : WalkStep::translation_fault;
  if (!two) {
    return block_allowed(params, state.level) ? leaf_step(params, state, descriptor) : WalkStep::translation_fault;
  }
  const std::uint64_t next = address_of(params, descriptor, params.granule_bits);
  if (!fits(next, params.ps_bits)) return WalkStep::address_size_fault;
  const unsigned stride = params.granule_bits - 3u;
  state.base = next;
  state.shift -= stride;
  state.index_mask = (std::uint64_t{1} << stride) - 1;
  ++state.level;
  return WalkStep::table;
}

/// What every walk with the same parameters begins with, made ready once: its start, and step() as far as it passes
/// table descriptors that lie in the usual way.
struct WalkPlan {
  std::uint64_t base = 0;  ///< of the start table, as the next three in TTWState
  std::uint64_t index_mask = 0;
  std::uint8_t shift = 12;
  std::int8_t level = 3;
  bool plain = false;               ///< pass() is step(); it knows no hierarchical attributes
  std::uint8_t stride = 9;          ///< log2 of a table's entries
  std::uint64_t address = 0;        ///< bits of a descriptor that are the next table's address
  std::uint64_t address_large = 0;  ///< those of them beyond the output size

  WalkPlan() = default;
  WalkPlan(const TTWParams& params, const TTWState& start)
      : base(start.base),
        index_mask(start.index_mask),
        shift(static_cast<std::uint8_t>(start.shift)),
        level(static_cast<std::int8_t>(start.level)),
        plain(!params.ds && !params.lpa && !params.big_endian && !params.haft),
        stride(static_cast<std::uint8_t>(params.granule_bits - 3)),
        address(low_mask(48) & ~low_mask(params.granule_bits)),
        address_large(address & ~low_mask(params.ps_bits)) {}

  TTWState start() const {
    TTWState state;
    state.base = base;
    state.level = level;
    state.shift = shift;
    state.index_mask = index_mask;
    return state;
  }
  /// Moves `state` to the next table if that is what `descriptor` says and step() finds no fault in it.
  [[gnu::always_inline]] bool pass(TTWState& state, std::uint64_t descriptor) const {
    const bool table = (descriptor & 3) == 3 && state.level != 3;
    if (!table || (descriptor & address_large) != 0) return false;
    state.base = descriptor & address;
    state.shift -= stride;
    state.index_mask = (std::uint64_t{1} << stride) - 1;
    ++state.level;
    return true;
  }
};

}  // namespace smmusim::ttw
