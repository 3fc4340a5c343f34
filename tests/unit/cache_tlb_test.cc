// SPDX-License-Identifier: MIT
// TranslationCache: tags (StreamWorld, VMID, ASID, ASET, global: IHI 0070 sections 3.17 and 6.8 of the house
// reference), page sizes, table entries of a walk cache, counters. Invalidation has its own file.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "model/smmu/tlb.h"

namespace smmusim {
namespace {

constexpr std::uint64_t va = 0x12'3456'7000;

TlbContext context(StreamWorld world, std::uint16_t asid, std::uint16_t vmid, bool aset = false) {
  return {world, aset, Asid(asid), Vmid(vmid)};
}
constexpr auto el1 = StreamWorld::ns_el1;
constexpr auto el2 = StreamWorld::ns_el2;
constexpr auto e2h = StreamWorld::ns_el2_e2h;

TlbEntry page(const TlbContext& where, std::uint64_t address, std::uint64_t output = 0x8000'0000, unsigned bits = 12) {
  TlbEntry entry;
  entry.context = where;
  entry.page_bits = static_cast<std::uint8_t>(bits);
  entry.va_page = address & ~low_mask(bits);
  entry.pa = Pa(output);
  return entry;
}

TranslationCache small() {
  return TranslationCache({64, 4, Replacement::lru}, 1);
}

struct TagRow {
  const char* what;
  TlbContext held;
  bool global;
  TlbContext asked;
  bool hit;
};

TEST(Tlb, LookupComparesTheTagsOfTheArchitecture) {
  RecordProperty("rule", "SM-TL-002 SM-TL-004 SM-TL-009");
  const TagRow rows[] = {
      {"same context", context(el1, 5, 3), false, context(el1, 5, 3), true},
      {"other ASID", context(el1, 5, 3), false, context(el1, 6, 3), false},
      {"other VMID", context(el1, 5, 3), false, context(el1, 5, 4), false},
      {"high byte of the ASID", context(el1, 0x0105, 3), false, context(el1, 0x0205, 3), false},
      {"high byte of the VMID", context(el1, 5, 0x0103), false, context(el1, 5, 0x0203), false},
      {"EL1 for EL2", context(el1, 0, 0), false, context(el2, 0, 0), false},
      {"EL2 for EL2-E2H", context(el2, 0, 0), false, context(e2h, 0, 0), false},
      {"EL2-E2H for EL1", context(e2h, 5, 0), false, context(el1, 5, 0), false},
      {"not global: ASET isn't compared", context(el1, 5, 3, true), false, context(el1, 5, 3, false), true},
      {"global: any ASID", context(el1, 5, 3), true, context(el1, 6, 3), true},
      {"global: VMID counts", context(el1, 5, 3), true, context(el1, 5, 4), false},
      {"global: ASET counts", context(el1, 5, 3, true), true, context(el1, 5, 3, false), false},
      {"global: StreamWorld counts", context(e2h, 5, 0), true, context(el1, 5, 0), false},
  };
  for (const TagRow& row : rows) {
    TranslationCache tlb = small();
    TlbEntry entry = page(row.held, va);
    entry.global = row.global;
    tlb.fill(entry);
    EXPECT_EQ(tlb.find(row.asked, va, false) != nullptr, row.hit) << row.what;
  }
}

TEST(Tlb, EntryCoversExactlyItsPage) {
  for (const unsigned bits : {12u, 14u, 16u, 21u, 25u, 30u, 34u, 39u}) {
    TranslationCache tlb = small();
    const TlbContext here = context(el1, 1, 0);
    const std::uint64_t base = std::uint64_t{0x5a} << 40;
    tlb.fill(page(here, base, 0x8000'0000, bits));
    const std::uint64_t size = std::uint64_t{1} << bits;
    EXPECT_NE(tlb.find(here, base, false), nullptr) << bits;
    EXPECT_NE(tlb.find(here, base + size - 1, false), nullptr) << bits;
    EXPECT_EQ(tlb.find(here, base + size, false), nullptr) << bits;
    EXPECT_EQ(tlb.find(here, base - 1, false), nullptr) << bits;
  }
}

TEST(Tlb, TopOfTheAddressSpaceCanBeHeld) {
  TranslationCache tlb = small();
  const TlbContext here = context(el1, 1, 0);
  tlb.fill(page(here, ~std::uint64_t{0}));
  EXPECT_NE(tlb.find(here, ~std::uint64_t{0}, false), nullptr);
  EXPECT_EQ(tlb.find(here, low_mask(48), false), nullptr);  // the same page number in the other half
}

TEST(Tlb, SmallestPageWinsWhereSeveralSizesOverlap) {
  TranslationCache tlb = small();
  const TlbContext here = context(el1, 1, 0);
  tlb.fill(page(here, va, 0x1'0000'0000, 21));
  tlb.fill(page(here, va, 0x2'0000'0000, 12));
  EXPECT_EQ(tlb.find(here, va, false)->page_bits, 12);
  EXPECT_EQ(tlb.find(here, va + 0x1000, false)->page_bits, 21);
}

TEST(Tlb, SizeThatIsNoLongerHeldIsFoundAgainAfterARefill) {
  TranslationCache tlb = small();
  const TlbContext here = context(el1, 1, 0);
  TlbInvalidation all;
  all.worlds = world_bit(el1);
  for (int round = 0; round < 3; ++round) {
    tlb.fill(page(here, va, 0x1'0000'0000, 21));
    EXPECT_NE(tlb.find(here, va, false), nullptr);
    tlb.invalidate(all);
    EXPECT_EQ(tlb.find(here, va, false), nullptr);
  }
}

TEST(Tlb, SameTagIsReplaced) {
  TranslationCache tlb = small();
  const TlbContext here = context(el1, 1, 0);
  tlb.fill(page(here, va, 0x1000));
  tlb.fill(page(here, va, 0x2000));
  EXPECT_EQ(tlb.size(), 1u);
  EXPECT_EQ(tlb.find(here, va, false)->pa, Pa(0x2000));
  EXPECT_EQ(tlb.counters().evictions, 0u);
}

TEST(Tlb, CountersCountUsesOnly) {
  TranslationCache tlb = small();
  const TlbContext here = context(el1, 1, 0);
  tlb.find(here, va, true);
  tlb.fill(page(here, va));
  tlb.find(here, va, true);
  tlb.find(here, va, false);
  tlb.find(context(el1, 2, 0), va, false);
  EXPECT_EQ(tlb.counters().lookups, 2u);
  EXPECT_EQ(tlb.counters().hits, 1u);
  EXPECT_EQ(tlb.counters().misses(), 1u);
  EXPECT_EQ(tlb.counters().fills, 1u);
  tlb.count_dropped_fill();
  EXPECT_EQ(tlb.counters().dropped_fills, 1u);
  tlb.reset_counters();
  EXPECT_EQ(tlb.counters().lookups + tlb.counters().fills + tlb.counters().dropped_fills, 0u);
}

TEST(Tlb, EvictionIsCountedAndTheEvictedIsGone) {
  TranslationCache tlb({2, 2, Replacement::lru}, 1);
  const TlbContext here = context(el1, 1, 0);
  for (std::uint64_t n = 0; n < 3; ++n) tlb.fill(page(here, n << 12));
  EXPECT_EQ(tlb.counters().evictions, 1u);
  EXPECT_EQ(tlb.size(), 2u);
  EXPECT_EQ(tlb.find(here, 0, false), nullptr);
  EXPECT_NE(tlb.find(here, 2u << 12, false), nullptr);
}

TEST(Tlb, EvictingTheLastEntryOfASizeKeepsOtherSizesFindable) {
  TranslationCache tlb({1, 1, Replacement::lru}, 1);
  const TlbContext here = context(el1, 1, 0);
  tlb.fill(page(here, va, 0, 12));
  tlb.fill(page(here, va, 0, 21));
  EXPECT_EQ(tlb.find(here, va, false)->page_bits, 21);
  tlb.fill(page(here, va, 0, 12));
  EXPECT_EQ(tlb.find(here, va, false)->page_bits, 12);
}

TEST(Tlb, UsedEntryOutlivesAnUnusedOneUnderLru) {
  TranslationCache tlb({2, 2, Replacement::lru}, 1);
  const TlbContext here = context(el1, 1, 0);
  tlb.fill(page(here, 0x1000));
  tlb.fill(page(here, 0x2000));
  tlb.find(here, 0x1000, true);
  tlb.fill(page(here, 0x3000));
  EXPECT_NE(tlb.find(here, 0x1000, false), nullptr);
  EXPECT_EQ(tlb.find(here, 0x2000, false), nullptr);
}

TEST(Tlb, ClearForgetsAllAndCountsNoInvalidation) {
  TranslationCache tlb = small();
  tlb.fill(page(context(el1, 1, 0), va));
  tlb.clear();
  EXPECT_EQ(tlb.size(), 0u);
  EXPECT_EQ(tlb.find(context(el1, 1, 0), va, false), nullptr);
  EXPECT_EQ(tlb.counters().invalidated, 0u);
}

TEST(Tlb, CacheThatIsNotThereMissesAndCountsNothing) {
  TranslationCache tlb({0, 1, Replacement::lru}, 1);
  tlb.fill(page(context(el1, 1, 0), va));
  EXPECT_EQ(tlb.find(context(el1, 1, 0), va, true), nullptr);
  EXPECT_EQ(tlb.counters().lookups, 0u);
  EXPECT_EQ(tlb.counters().fills, 0u);
}

// A walk cache holds table descriptors.

TlbEntry table(const TlbContext& where, std::uint64_t address, int level, unsigned granule_bits, std::uint64_t next) {
  const unsigned bits = granule_bits + static_cast<unsigned>(3 - level) * (granule_bits - 3);
  TlbEntry entry = page(where, address, next, bits);
  entry.table = true;
  entry.level = static_cast<std::int8_t>(level);
  entry.granule_bits = static_cast<std::uint8_t>(granule_bits);
  return entry;
}

TEST(WalkCache, DeepestTableOnTheWayIsFound) {
  TranslationCache cache = small();
  const TlbContext here = context(el1, 1, 0);
  cache.fill(table(here, va, 0, 12, 0x1000));
  cache.fill(table(here, va, 1, 12, 0x2000));
  cache.fill(table(here, va, 2, 12, 0x3000));
  EXPECT_EQ(cache.find_table(here, va, 12, false)->pa, Pa(0x3000));
  const std::uint64_t same_level1 = va ^ (std::uint64_t{1} << 21);
  EXPECT_EQ(cache.find_table(here, same_level1, 12, false)->pa, Pa(0x2000));
  const std::uint64_t same_level0 = va ^ (std::uint64_t{1} << 30);
  EXPECT_EQ(cache.find_table(here, same_level0, 12, false)->pa, Pa(0x1000));
  EXPECT_EQ(cache.find_table(here, va ^ (std::uint64_t{1} << 39), 12, false), nullptr);
}

TEST(WalkCache, TableOfAnotherGranuleDoesNotHelp) {
  TranslationCache cache = small();
  const TlbContext here = context(el1, 1, 0);
  cache.fill(table(here, va, 2, 16, 0x3000));
  EXPECT_EQ(cache.find_table(here, va, 12, false), nullptr);
  EXPECT_NE(cache.find_table(here, va, 16, false), nullptr);
}

TEST(WalkCache, DeeperTableOfAnotherGranuleDoesNotHideOne) {
  TranslationCache cache = small();
  const TlbContext here = context(el1, 1, 0);
  cache.fill(table(here, va, 1, 12, 0x1000));  // covers 2^30
  cache.fill(table(here, va, 2, 14, 0x2000));  // covers 2^25
  const TlbEntry* found = cache.find_table(here, va, 12, false);
  // A miss would be slow and correct; a table of the other granule would be wrong.
  if (found != nullptr) {
    EXPECT_EQ(found->granule_bits, 12);
  }
}

}  // namespace
}  // namespace smmusim
