// SPDX-License-Identifier: MIT
// Entries that are parts of a larger stage-1 leaf: a command by VA that names any of the leaf removes them all
// (IHI 0070 section 16.2.1), also after entries have been replaced in place, evicted and removed.
#include <gtest/gtest.h>

#include "model/smmu/tlb.h"

namespace smmusim {
namespace {

TlbEntry page(std::uint64_t va, std::uint8_t stage1_bits) {
  TlbEntry entry;
  entry.va_page = va;
  entry.page_bits = 12;
  entry.stage1_bits = stage1_bits;
  return entry;
}
TlbInvalidation by_va(std::uint64_t va) {
  TlbInvalidation what;
  what.worlds = world_bit(StreamWorld::ns_el1);
  what.by_vmid = what.by_va = true;
  what.first = va;
  what.last = va | 0xfff;
  return what;
}

TEST(TlbParts, ACommandForOnePartRemovesAll) {
  RecordProperty("rule", "SM-TI-004");
  TranslationCache cache({64, 4}, 1);
  for (std::uint64_t va = 0; va < 0x10000; va += 0x1000) cache.fill(page(va, 16));
  cache.fill(page(0x10000, 12));
  cache.invalidate(by_va(0x3000));
  EXPECT_EQ(cache.size(), 1u);
}

TEST(TlbParts, WithoutPartsOnlyTheNamedPageGoes) {
  TranslationCache cache({64, 4}, 1);
  for (std::uint64_t va = 0; va < 0x10000; va += 0x1000) cache.fill(page(va, 12));
  cache.invalidate(by_va(0x3000));
  EXPECT_EQ(cache.size(), 15u);
}

TEST(TlbParts, TheirCountSurvivesReplacementEvictionAndRemoval) {
  TranslationCache cache({4, 2}, 1);
  cache.fill(page(0x1000, 12));
  cache.fill(page(0x1000, 16));  // in place: now a part
  cache.invalidate(by_va(0x7000));
  EXPECT_EQ(cache.size(), 0u);
  cache.fill(page(0x1000, 16));
  cache.fill(page(0x1000, 12));  // no part any more
  for (std::uint64_t n = 0; n < 20; ++n) cache.fill(page(n << 12, n % 3 == 0 ? 21 : 12));
  cache.clear();
  cache.fill(page(0x2000, 21));
  cache.invalidate(by_va(0x1ff000));
  EXPECT_EQ(cache.size(), 0u);
}

}  // namespace
}  // namespace smmusim
