// SPDX-License-Identifier: MIT
// Table geometry and the descriptor fields that both stages have alike (Arm ARM D8.2, D8.3, D8.5.1, D8.7). Reads no
// memory and knows no permissions.
#include "model/vmsa/ttw.h"

#include <algorithm>

#include "model/spec/descriptors.h"

namespace smmusim {
namespace {

constexpr bool bit(std::uint64_t word, unsigned n) {
  return ((word >> n) & 1) != 0;
}

/// Address of the next table, of the block or of the page. `lowest` is its lowest bit.
std::uint64_t address_of(const TTWFormat& format, std::uint64_t descriptor, unsigned lowest) {
  const spec::AddressLayout layout = format.ds    ? spec::AddressLayout::lpa2
                                     : format.lpa ? spec::AddressLayout::lpa_64k
                                                  : spec::AddressLayout::direct_48;
  return spec::descriptor_address(descriptor, lowest, layout);
}

/// Levels with block descriptors: D8.2.8 (4 KiB: 1, 2, and 0 with DS), D8.2.9 (16 KiB: 2, and 1 with DS), D8.2.10
/// (64 KiB: 2, and 1 if 52-bit addresses are implemented).
bool block_allowed(const TTWFormat& format, int level) {
  const int largest = format.granule_bits == 12 ? 1 : 2;
  return level >= largest - (format.ds || format.lpa ? 1 : 0);
}

/// log2 of the run that the Contiguous bit names (table D8-104), 0 where the bit is RES0: in the blocks that only
/// 52-bit addresses have. A run that exceeds the input or the output size is no run: the architecture allows to ignore
/// the bit then (RWMNPV), and it must not let an address beyond the output size through (RXFDVL).
unsigned contiguous_bits(const TTWFormat& format, int level) {
  const unsigned one = descriptor_bits(format.granule_bits, level);
  unsigned run = 0;
  if (format.granule_bits == 12 && level >= 1) run = one + 4;
  if (format.granule_bits == 14 && level >= 2) run = level == 3 ? one + 7 : one + 5;
  if (format.granule_bits == 16 && level >= 2) run = one + 5;
  return run <= std::min(format.input_bits, format.ps_bits) ? run : 0;
}

WalkStep leaf_step(const TTWFormat& format, TTWState& state, std::uint64_t descriptor) {
  const unsigned bits = descriptor_bits(format.granule_bits, state.level);
  const std::uint64_t output = address_of(format, descriptor, bits);
  if (!fits(output, format.ps_bits)) return WalkStep::address_size_fault;
  if (!bit(descriptor, 10) && !format.affd) return WalkStep::access_fault;
  state.output = output;
  state.page_bits = static_cast<std::uint8_t>(bits);
  state.contiguous_bits = static_cast<std::uint8_t>(bit(descriptor, 52) ? contiguous_bits(format, state.level) : 0);
  state.nt = format.nt && state.level < 3 && bit(descriptor, 16);
  return WalkStep::leaf;
}

}  // namespace

TTWState ttw_start(const TTWFormat& format, int level, std::uint64_t ttb) {
  const unsigned index_bits = format.input_bits - descriptor_bits(format.granule_bits, level);
  const unsigned alignment = std::max(index_bits + 3, format.ps_bits >= 52 ? 6u : 4u);
  TTWState state;
  state.level = level;
  state.base = ttb & ~low_mask(alignment);
  return state;
}

std::uint64_t ttw_descriptor_address(const TTWFormat& format, const TTWState& state, std::uint64_t input) {
  const unsigned shift = descriptor_bits(format.granule_bits, state.level);
  const unsigned top = state.start_table ? format.input_bits : shift + format.granule_bits - 3u;
  return state.base + ((input & low_mask(top)) >> shift) * 8;
}

WalkStep ttw_step(const TTWFormat& format, TTWState& state, std::uint64_t descriptor) {
  if (!bit(descriptor, 0)) return WalkStep::translation_fault;
  const bool two = bit(descriptor, 1);
  if (state.level == 3) return two ? leaf_step(format, state, descriptor) : WalkStep::translation_fault;
  if (!two) {
    return block_allowed(format, state.level) ? leaf_step(format, state, descriptor) : WalkStep::translation_fault;
  }
  const std::uint64_t next = address_of(format, descriptor, format.granule_bits);
  if (!fits(next, format.ps_bits)) return WalkStep::address_size_fault;
  state.base = next;
  state.start_table = false;
  ++state.level;
  return WalkStep::table;
}

}  // namespace smmusim
