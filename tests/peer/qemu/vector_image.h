// SPDX-License-Identifier: MIT
// The memory image of the hand-made cases, and what their edits of it need. The layout is that of QEMU's own test
// (tests/qtest/iommu-smmuv3-test.c). One set of tables serves both stages: L0 4E4D0000, L1 4E4D1000, L2 4E4D2000,
// L3 4E4D3000.
#pragma once

#include <cstdint>

#include "model/spec/cd.h"
#include "model/spec/ste.h"
#include "tests/peer/qemu/case.h"

namespace smmusim::peer::image {

using spec::Cd;
using spec::Ste;

inline constexpr std::uint64_t stream_table = 0x4e179000, cd_at = 0x4e178fc0, tables = 0x4e4d0000;
inline constexpr std::uint64_t iova = 0x8080604564, sid = 0x08, ste_at = stream_table + 64 * sid;
inline constexpr std::uint64_t l0 = tables + 8, l1 = tables + 0x1010, l2 = tables + 0x2018, l3 = tables + 0x3020;
inline constexpr std::uint64_t identity = tables + 0x3000;  ///< level-3 table with the identity mappings of stage 2

/// Sets a field of the structure at `base`.
template <class F>
void put(Case& one, std::uint64_t base, std::uint64_t value) {
  std::uint64_t& word = one.words[base + 8 * F::word];
  word = F::set(word, static_cast<typename F::type>(value));
}
void clear(Case& one, std::uint64_t address, std::uint64_t bits);
void raise(Case& one, std::uint64_t address, std::uint64_t bits);

/// The image with this STE.Config for StreamID 8.
Case make(unsigned config);
/// Lets the device with StreamID 0x10 read instead.
void reads(Case& one);
/// Stage 1 with 16 KiB granule and 36 bits: one table of level 2 at IPA 4F000000, which stage 2 maps with L2[0x78].
void large_tables(Case& one);
/// Stage 2 puts the first table of stage 1 elsewhere.
void move_root(Case& one, std::uint64_t physical);

}  // namespace smmusim::peer::image
