// SPDX-License-Identifier: MIT
// The ATC of a PCIe function by itself: whose translations it finds, which an invalidation takes, and what it counts.
// How a function uses it is pcie_function_ats_test.cc.
#include "platform/endpoint/atc.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <random>
#include <stdexcept>
#include <vector>

namespace smmusim::platform {
namespace {

constexpr unsigned page = 12, large = 21;

AtcEntry entry(std::uint64_t address, std::uint64_t translated, unsigned bits = page, const AtcContext& context = {}) {
  AtcEntry made;
  made.context = context;
  made.page = address;
  made.translated = translated;
  made.page_bits = static_cast<std::uint8_t>(bits);
  made.read = true;
  return made;
}

AtcEntry global_entry(std::uint64_t address, std::uint64_t translated, const AtcContext& asked) {
  AtcEntry made = entry(address, translated, page, asked);
  made.global = true;
  return made;
}

AtcContext pasid(std::uint32_t value, bool privileged = false) {
  return {true, value, privileged};
}

AtcRange range(std::uint64_t first, unsigned bits) {
  return {first, first | low_mask(bits), false, 0, false};
}
AtcRange range(std::uint64_t first, unsigned bits, std::uint32_t of_pasid) {
  return {first, first | low_mask(bits), true, of_pasid, false};
}
AtcRange global_range(std::uint64_t first, unsigned bits) {
  return {first, first | low_mask(bits), false, 0, true};
}

/// 64 entries; what it finds, as the translated address, 0 for nothing.
struct AtcTest : testing::Test {
  Atc atc{{{64, 4, Replacement::lru}, 63}, 1};

  void add(const AtcEntry& made) { atc.fill(made, made.page); }
  std::uint64_t at(std::uint64_t address, const AtcContext& context = {}) {
    const std::optional<AtcEntry> found = atc.find(context, address);
    return found ? found->translated + (address - found->page) : 0;
  }
};

// --- Lookups ---------------------------------------------------------------------------------------------------------

TEST_F(AtcTest, EveryPasidHasItsOwn_AndWithoutOneIsAnother) {
  add(entry(0x5000, 0x10000));
  add(entry(0x5000, 0x20000, page, pasid(0)));
  add(entry(0x5000, 0x30000, page, pasid(7)));
  EXPECT_EQ(at(0x5123), 0x10123U);
  EXPECT_EQ(at(0x5123, pasid(0)), 0x20123U);
  EXPECT_EQ(at(0x5123, pasid(7)), 0x30123U);
  EXPECT_EQ(at(0x5123, pasid(8)), 0U);
  EXPECT_EQ(at(0x6000), 0U);
}

TEST_F(AtcTest, PrivilegedIsAnother) {
  add(entry(0x5000, 0x10000, page, pasid(7, true)));
  EXPECT_EQ(at(0x5000, pasid(7)), 0U);
  EXPECT_EQ(at(0x5000, pasid(7, true)), 0x10000U);
}

TEST_F(AtcTest, ALargePageHoldsAllOfItsBytes) {
  add(entry(0x400000, 0x80000000, large));
  EXPECT_EQ(at(0x400000), 0x80000000U);
  EXPECT_EQ(at(0x5fffff), 0x801fffffU);
  EXPECT_EQ(at(0x3fffff), 0U);
  EXPECT_EQ(at(0x600000), 0U);
}

TEST_F(AtcTest, TheSmallerPageIsFoundFirst) {
  add(entry(0x400000, 0x80000000, large));
  add(entry(0x401000, 0x10000));
  EXPECT_EQ(at(0x401008), 0x10008U);
  EXPECT_EQ(at(0x402008), 0x80002008U);
}

TEST_F(AtcTest, TheWholeAddressSpaceMayBeOneEntry) {
  add(entry(0, 0, 63));
  EXPECT_EQ(at(0x7fff'ffff'ffff'ffff), 0x7fff'ffff'ffff'ffffU);
  EXPECT_EQ(at(0x8000'0000'0000'0000), 0U);
}

TEST_F(AtcTest, ANewAnswerReplacesTheOld) {
  add(entry(0x5000, 0x10000));
  AtcEntry writable = entry(0x5000, 0x10000);
  writable.write = true;
  add(writable);
  EXPECT_EQ(atc.size(), 1U);
  EXPECT_TRUE(atc.find({}, 0x5000)->write);
  EXPECT_EQ(atc.counters().evictions, 0U);
}

TEST(AtcPageBitsMax, CutsAnswersAroundTheAddress) {
  Atc atc({{64, 4, Replacement::lru}, 16}, 1);
  atc.fill(entry(0x400000, 0x80000000, large), 0x4a5678);
  const std::optional<AtcEntry> found = atc.find({}, 0x4a0000);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->page, 0x4a0000U);
  EXPECT_EQ(found->translated, 0x800a0000U);
  EXPECT_EQ(found->page_bits, 16U);
  EXPECT_TRUE(atc.find({}, 0x4affff).has_value());
  EXPECT_FALSE(atc.find({}, 0x49ffff).has_value());
  EXPECT_FALSE(atc.find({}, 0x4b0000).has_value());
}

TEST(AtcPageBitsMax, OutOfRangeIsRefused) {
  for (const unsigned bits : {0U, 11U, 64U}) {
    EXPECT_THROW(Atc({{64, 4, Replacement::lru}, bits}, 1), std::invalid_argument) << bits;
  }
}

TEST(AtcWithoutEntries, RemembersNothing) {
  Atc atc({{0, 1, Replacement::lru}, 63}, 1);
  atc.fill(entry(0x5000, 0x10000), 0x5000);
  EXPECT_FALSE(atc.find({}, 0x5000).has_value());
  atc.invalidate({});
  atc.invalidate_all();
  EXPECT_EQ(atc.size(), 0U);
  EXPECT_EQ(atc.counters().fills, 0U);
}

// --- Global entries --------------------------------------------------------------------------------------------------

TEST_F(AtcTest, AGlobalEntryIsForEveryPasidOfItsPrivilege) {
  add(global_entry(0x5000, 0x10000, pasid(7)));
  EXPECT_EQ(at(0x5000, pasid(7)), 0x10000U);
  EXPECT_EQ(at(0x5000, pasid(8)), 0x10000U);
  EXPECT_EQ(at(0x5000, pasid(8, true)), 0U);
  EXPECT_EQ(at(0x5000), 0U) << "no PASID is not one of them";
}

/// Else the older one, of what another PASID asked for, would hide that a write is permitted now.
TEST_F(AtcTest, ANewGlobalAnswerReplacesTheOldOfAnotherPasid) {
  add(global_entry(0x5000, 0x10000, pasid(7)));
  AtcEntry writable = global_entry(0x5000, 0x10000, pasid(8));
  writable.write = true;
  add(writable);
  EXPECT_EQ(atc.size(), 1U);
  EXPECT_TRUE(atc.find(pasid(7), 0x5000)->write);
}

TEST_F(AtcTest, InvalidatingOnePasidTakesGlobalEntriesToo) {
  add(global_entry(0x5000, 0x10000, pasid(7)));
  atc.invalidate(range(0x5000, page, 8));
  EXPECT_EQ(at(0x5000, pasid(7)), 0U);
}

TEST_F(AtcTest, InvalidatingWithoutAPasidLeavesGlobalEntries) {
  add(global_entry(0x5000, 0x10000, pasid(7)));
  atc.invalidate(range(0x5000, page));
  EXPECT_EQ(at(0x5000, pasid(7)), 0x10000U);
}

TEST_F(AtcTest, GlobalInvalidateTakesEveryPasidAndNotTheEntriesWithoutOne) {
  add(entry(0x5000, 0x10000));
  add(entry(0x5000, 0x20000, page, pasid(7)));
  add(entry(0x5000, 0x30000, page, pasid(8, true)));
  add(entry(0x6000, 0x40000, page, pasid(7)));
  atc.invalidate(global_range(0x5000, page));
  EXPECT_EQ(at(0x5000), 0x10000U);
  EXPECT_EQ(at(0x5000, pasid(7)), 0U);
  EXPECT_EQ(at(0x5000, pasid(8, true)), 0U);
  EXPECT_EQ(at(0x6000, pasid(7)), 0x40000U);
}

// --- Invalidations ---------------------------------------------------------------------------------------------------

TEST_F(AtcTest, OnePageTakesThatPageOnly) {
  for (const std::uint64_t address : {0x4000U, 0x5000U, 0x6000U}) add(entry(address, address + 0x100000));
  atc.invalidate(range(0x5000, page));
  EXPECT_EQ(at(0x4000), 0x104000U);
  EXPECT_EQ(at(0x5000), 0U);
  EXPECT_EQ(at(0x6000), 0x106000U);
  EXPECT_EQ(atc.counters().invalidated, 1U);
}

TEST_F(AtcTest, OnePageTakesTheLargeEntryAroundIt) {
  add(entry(0x400000, 0x80000000, large));
  atc.invalidate(range(0x455000, page));
  EXPECT_EQ(at(0x400000), 0U);
  EXPECT_EQ(atc.size(), 0U);
}

TEST_F(AtcTest, TwoMibTakeAllSizesInside) {
  add(entry(0x400000, 0x10000));
  add(entry(0x5ff000, 0x20000));
  add(entry(0x410000, 0x30000, 16));
  add(entry(0x3ff000, 0x40000));
  add(entry(0x600000, 0x50000));
  atc.invalidate(range(0x400000, large));
  EXPECT_EQ(atc.size(), 2U);
  EXPECT_EQ(at(0x3ff000), 0x40000U);
  EXPECT_EQ(at(0x600000), 0x50000U);
}

TEST_F(AtcTest, EverythingIsOfOnePasid) {
  for (std::uint64_t i = 0; i != 8; ++i) {
    add(entry(i << page, i << 20));
    add(entry(i << page, i << 20, page, pasid(7)));
  }
  atc.invalidate(range(0, 64, 7));
  EXPECT_EQ(atc.size(), 8U);
  EXPECT_EQ(at(0x3000, pasid(7)), 0U);
  EXPECT_NE(at(0x3000), 0U);
  atc.invalidate(range(0, 64));
  EXPECT_EQ(atc.size(), 0U);
}

TEST_F(AtcTest, BothPrivilegesOfAPasidGoTogether) {
  add(entry(0x5000, 0x10000, page, pasid(7)));
  add(entry(0x5000, 0x20000, page, pasid(7, true)));
  atc.invalidate(range(0x5000, page, 7));
  EXPECT_EQ(atc.size(), 0U);
}

// --- Counts ----------------------------------------------------------------------------------------------------------

TEST(AtcEvictions, TheLeastRecentlyUsedGoesAndIsCounted) {
  Atc atc({{4, 4, Replacement::lru}, 63}, 1);
  for (std::uint64_t i = 0; i != 4; ++i) atc.fill(entry(i << page, 1), i << page);
  EXPECT_EQ(atc.counters().evictions, 0U);
  EXPECT_TRUE(atc.find({}, 0).has_value());
  atc.fill(entry(0x200000, 1, large), 0x200000);
  EXPECT_EQ(atc.counters().evictions, 1U);
  EXPECT_EQ(atc.counters().fills, 5U);
  EXPECT_TRUE(atc.find({}, 0).has_value());
  EXPECT_FALSE(atc.find({}, 1 << page).has_value());
  EXPECT_TRUE(atc.find({}, 0x345678).has_value());
}

TEST_F(AtcTest, LookupsAreHitsAndMisses) {
  atc.count(true);
  atc.count(false);
  atc.count(false);
  EXPECT_EQ(atc.counters().lookups, 3U);
  EXPECT_EQ(atc.counters().hits, 1U);
  EXPECT_EQ(atc.counters().misses, 2U);
}

// --- Against a plain model -------------------------------------------------------------------------------------------

/// The slots of a set-associative LRU cache, looked through one by one.
class PlainAtc {
 public:
  explicit PlainAtc(unsigned sets) : slots_(std::size_t{sets} * ways), sets_(sets) {}

  const AtcEntry* find(const AtcContext& context, std::uint64_t address) {
    Slot* best = nullptr;
    for (Slot& slot : slots_) {
      const AtcEntry& e = slot.entry;
      const bool theirs =
          e.global ? context.pasid_valid && context.privileged == e.context.privileged : context == e.context;
      if (!slot.used || !theirs || address >> e.page_bits != e.page >> e.page_bits) continue;
      if (best == nullptr || e.page_bits <= best->entry.page_bits) best = &slot;  // of equal ones the last
    }
    if (best == nullptr) return nullptr;
    best->last_use = ++clock_;
    return &best->entry;
  }
  void fill(const AtcEntry& e) {
    Slot* const set = &slots_[(e.page >> e.page_bits) % sets_ * ways];
    Slot* place = nullptr;
    for (Slot* slot = set; slot != set + ways; ++slot) {
      const AtcEntry& old = slot->entry;
      const bool same_owner = old.global == e.global && old.context.privileged == e.context.privileged &&
                              (e.global || old.context == e.context);
      if (slot->used && old.page == e.page && old.page_bits == e.page_bits && same_owner) {
        place = slot;
        break;
      }
      if (!slot->used && place == nullptr) place = slot;
    }
    if (place == nullptr) {
      place = set;
      for (Slot* slot = set; slot != set + ways; ++slot) {
        if (slot->last_use < place->last_use) place = slot;
      }
      ++evictions;
    }
    *place = {true, ++clock_, e};
  }
  void invalidate(const AtcRange& r) {
    for (Slot& slot : slots_) {
      const AtcEntry& e = slot.entry;
      const bool inside = e.page <= r.last && (e.page | low_mask(e.page_bits)) >= r.first;
      const bool theirs = e.context.pasid_valid
                              ? r.global || (r.pasid_valid && (e.global || e.context.pasid == r.pasid))
                              : !r.global && !r.pasid_valid;
      if (!slot.used || !inside || !theirs) continue;
      slot.used = false;
      ++invalidated;
    }
  }
  std::size_t size() const {
    return static_cast<std::size_t>(std::count_if(slots_.begin(), slots_.end(), [](const Slot& s) { return s.used; }));
  }

  static constexpr unsigned ways = 4;
  std::uint64_t evictions = 0, invalidated = 0;

 private:
  struct Slot {
    bool used = false;
    std::uint64_t last_use = 0;
    AtcEntry entry{};
  };
  std::vector<Slot> slots_;
  unsigned sets_;
  std::uint64_t clock_ = 0;
};

struct RandomAtc {
  std::mt19937_64 random;
  Atc atc{{{8 * PlainAtc::ways, PlainAtc::ways, Replacement::lru}, 63}, 1};
  PlainAtc plain{8};

  std::uint64_t below(std::uint64_t end) { return random() % end; }
  AtcContext context() {
    return below(4) == 0 ? AtcContext{} : pasid(static_cast<std::uint32_t>(below(3)), below(4) == 0);
  }
  std::uint64_t address() { return below(std::uint64_t{1} << 24) | (below(8) == 0 ? std::uint64_t{1} << 62 : 0); }
  void fill() {
    constexpr unsigned sizes[] = {12, 12, 12, 13, 16, 21, 30};
    const unsigned bits = sizes[below(std::size(sizes))];
    AtcEntry made = entry(address() & ~low_mask(bits), (random() >> 8) & ~low_mask(bits), bits, context());
    made.global = made.context.pasid_valid && below(4) == 0;
    made.write = below(2) == 0;
    atc.fill(made, made.page);
    plain.fill(made);
  }
  void invalidate() {
    constexpr unsigned sizes[] = {12, 12, 12, 14, 16, 21, 22, 64};
    const unsigned bits = sizes[below(std::size(sizes))];
    const AtcContext whose = context();
    AtcRange gone = range(address() & ~low_mask(bits), bits);
    gone.pasid_valid = whose.pasid_valid;
    gone.pasid = whose.pasid;
    gone.global = below(8) == 0;
    atc.invalidate(gone);
    plain.invalidate(gone);
  }
  void look() {
    const AtcContext whose = context();
    const std::uint64_t where = address();
    const std::optional<AtcEntry> found = atc.find(whose, where);
    const AtcEntry* expected = plain.find(whose, where);
    ASSERT_EQ(found.has_value(), expected != nullptr);
    if (!found) return;
    EXPECT_EQ(found->translated, expected->translated);
    EXPECT_EQ(found->page, expected->page);
    EXPECT_EQ(found->write, expected->write);
  }
};

TEST(AtcRandom, DoesWhatAPlainModelDoes) {
  constexpr std::uint64_t seed = 20261130;
  constexpr int steps = 100'000;
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  RandomAtc both{std::mt19937_64(seed)};
  std::uint64_t fills = 0;
  for (int step = 0; step != steps && !testing::Test::HasFailure(); ++step) {
    SCOPED_TRACE(step);
    const std::uint64_t what = both.below(16);
    if (what < 6) {
      both.fill();
      ++fills;
    } else if (what == 6) {
      both.invalidate();
    } else {
      both.look();
    }
    ASSERT_EQ(both.atc.size(), both.plain.size());
  }
  EXPECT_EQ(both.atc.counters().fills, fills);
  EXPECT_EQ(both.atc.counters().evictions, both.plain.evictions);
  EXPECT_EQ(both.atc.counters().invalidated, both.plain.invalidated);
  both.atc.invalidate_all();
  EXPECT_EQ(both.atc.size(), 0U);
  EXPECT_FALSE(both.atc.find({}, 0).has_value());
}

}  // namespace
}  // namespace smmusim::platform
