// SPDX-License-Identifier: MIT
// What each part of a TlbInvalidation removes (IHI 0070 section 4.4), row by row and, over random contents and random
// invalidations, against a plain list with a formula of its own.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "model/smmu/tlb.h"

namespace smmusim {
namespace {

constexpr auto el1 = StreamWorld::ns_el1;
constexpr auto el2 = StreamWorld::ns_el2;
constexpr auto e2h = StreamWorld::ns_el2_e2h;

/// The entry that the rows vary: EL1, ASID 5, VMID 3, a 4 KiB page.
TlbEntry base_entry() {
  TlbEntry entry;
  entry.context = {el1, false, Asid(5), Vmid(3)};
  entry.va_page = 0x10'0000'2000;
  return entry;
}
TlbEntry edited(void (*edit)(TlbEntry&)) {
  TlbEntry entry = base_entry();
  edit(entry);
  return entry;
}

using Edit = void (*)(TlbEntry&);
using Name = void (*)(TlbInvalidation&);
struct Row {
  const char* what;
  Edit entry;
  Name named;
  bool removed;
};

constexpr Edit as_is = [](TlbEntry&) {};
constexpr Edit global = [](TlbEntry& e) { e.global = true; };
constexpr Edit block = [](TlbEntry& e) {
  e.page_bits = 21;
  e.level = 2;
  e.va_page = 0x10'0000'0000;
};
constexpr Edit as_table = [](TlbEntry& e) {
  e.table = true;
  e.page_bits = 21;
  e.level = 2;
  e.va_page = 0x10'0000'0000;
};
constexpr Edit in_el2 = [](TlbEntry& e) { e.context = {el2, false, Asid(0), Vmid(0)}; };
constexpr Edit in_e2h = [](TlbEntry& e) { e.context = {e2h, false, Asid(5), Vmid(0)}; };

void va_range(TlbInvalidation& what, std::uint64_t first, std::uint64_t last) {
  what.by_va = true;
  what.first = first;
  what.last = last;
}
void el1_asid(TlbInvalidation& what, std::uint16_t asid, bool global_too) {
  what.worlds = world_bit(el1);
  what.by_asid = true;
  what.asid = Asid(asid);
  what.global_too = global_too;
}

constexpr Name no_world = [](TlbInvalidation& w) { w.worlds = 0; };
constexpr Name whole_el1 = [](TlbInvalidation& w) { w.worlds = world_bit(el1); };
constexpr Name whole_el2 = [](TlbInvalidation& w) { w.worlds = world_bit(el2) | world_bit(e2h); };
constexpr Name vmid3 = [](TlbInvalidation& w) { w.worlds = world_bit(el1), w.by_vmid = true, w.vmid = Vmid(3); };
constexpr Name vmid4 = [](TlbInvalidation& w) { w.worlds = world_bit(el1), w.by_vmid = true, w.vmid = Vmid(4); };
constexpr Name vmid2_wild = [](TlbInvalidation& w) {
  w.worlds = world_bit(el1), w.by_vmid = true, w.vmid = Vmid(2), w.vmid_mask = 0xfffe;
};
constexpr Name vmid4_wild = [](TlbInvalidation& w) {
  w.worlds = world_bit(el1), w.by_vmid = true, w.vmid = Vmid(4), w.vmid_mask = 0xfffe;
};
constexpr Name asid5 = [](TlbInvalidation& w) { el1_asid(w, 5, false); };
constexpr Name asid6 = [](TlbInvalidation& w) { el1_asid(w, 6, false); };
constexpr Name asid6_global = [](TlbInvalidation& w) { el1_asid(w, 6, true); };
constexpr Name el2_asid6 = [](TlbInvalidation& w) {
  el1_asid(w, 6, false);
  w.worlds = world_bit(el2) | world_bit(e2h);
};
constexpr Name its_page = [](TlbInvalidation& w) { whole_el1(w), va_range(w, 0x10'0000'2000, 0x10'0000'2fff); };
constexpr Name next_page = [](TlbInvalidation& w) { whole_el1(w), va_range(w, 0x10'0000'3000, 0x10'0000'3fff); };
constexpr Name previous_page = [](TlbInvalidation& w) { whole_el1(w), va_range(w, 0x10'0000'1000, 0x10'0000'1fff); };
constexpr Name leaf_of_page = [](TlbInvalidation& w) { its_page(w), w.leaf_only = true; };
constexpr Name granule64k = [](TlbInvalidation& w) { its_page(w), w.granule_bits = 16; };
constexpr Name granule4k = [](TlbInvalidation& w) { its_page(w), w.granule_bits = 12; };
constexpr Name ttl2 = [](TlbInvalidation& w) { its_page(w), w.ttl = 2; };
constexpr Name ttl3 = [](TlbInvalidation& w) { its_page(w), w.ttl = 3; };
constexpr Name to_the_top = [](TlbInvalidation& w) { whole_el1(w), va_range(w, 0x10'0000'2fff, ~std::uint64_t{0}); };

constexpr Row rows[] = {
    {"no StreamWorld named", as_is, no_world, false},
    {"its StreamWorld", as_is, whole_el1, true},
    {"another StreamWorld", as_is, whole_el2, false},
    {"EL2 by EL1", in_el2, whole_el1, false},
    {"EL2 by EL2", in_el2, whole_el2, true},
    {"EL2-E2H by EL2", in_e2h, whole_el2, true},
    {"its VMID", as_is, vmid3, true},
    {"another VMID", as_is, vmid4, false},
    {"VMID wildcard that covers it", as_is, vmid2_wild, true},
    {"VMID wildcard that does not", as_is, vmid4_wild, false},
    {"its ASID", as_is, asid5, true},
    {"another ASID", as_is, asid6, false},
    {"its ASID, but the entry is global", global, asid5, false},
    {"another ASID by address, the entry is global", global, asid6_global, true},
    {"NS-EL2 has no ASID", in_el2, el2_asid6, true},
    {"EL2-E2H has one", in_e2h, el2_asid6, false},
    {"its page", as_is, its_page, true},
    {"the page behind it", as_is, next_page, false},
    {"the page before it", as_is, previous_page, false},
    {"a page within its block", block, next_page, true},
    {"a table above the page", as_table, its_page, true},
    {"a table above the page, leaf only", as_table, leaf_of_page, false},
    {"a leaf, leaf only", as_is, leaf_of_page, true},
    {"another granule", as_is, granule64k, false},
    {"its granule", as_is, granule4k, true},
    {"TTL of another level", as_is, ttl2, false},
    {"TTL of its level", as_is, ttl3, true},
    {"TTL names leaves, tables go", as_table, ttl3, true},
    {"a range from its last byte to the top", as_is, to_the_top, true},
};

TEST(TlbInvalidation, RemovesWhatItNamesAndNothingElse) {
  for (const Row& row : rows) {
    TranslationCache tlb({64, 4, Replacement::lru}, 1);
    tlb.fill(edited(row.entry));
    TlbInvalidation what;
    row.named(what);
    EXPECT_EQ(what.matches(edited(row.entry)), row.removed) << row.what;
    tlb.invalidate(what);
    EXPECT_EQ(tlb.size(), row.removed ? 0u : 1u) << row.what;
    EXPECT_EQ(tlb.counters().invalidated, row.removed ? 1u : 0u) << row.what;
  }
}

// Random contents and invalidations. Addresses, identifiers and sizes come from few values, so that they often meet.

std::uint64_t random_address(std::mt19937_64& random) {
  constexpr std::uint64_t bases[] = {0, 0x10'0000'0000, low_mask(64) - low_mask(48), low_mask(64) - low_mask(30)};
  return bases[random() % 4] + ((random() % 6) << 30) * (random() % 2) + ((random() % 5) << 21) +
         ((random() % 20) << 12);
}

TlbEntry random_entry(std::mt19937_64& random) {
  struct Kind {
    unsigned bits;
    int level;
    unsigned granule;
  };
  constexpr Kind kinds[] = {{12, 3, 12}, {16, 3, 12}, {21, 2, 12}, {30, 1, 12}, {14, 3, 14},
                            {25, 2, 14}, {16, 3, 16}, {29, 2, 16}, {39, 0, 12}};
  const Kind& kind = kinds[random() % std::size(kinds)];
  TlbEntry entry;
  entry.context.world = static_cast<StreamWorld>(random() % 3);
  entry.context.aset = random() % 2 != 0;
  entry.context.asid = Asid(static_cast<std::uint16_t>(random() % 3));
  entry.context.vmid = Vmid(static_cast<std::uint16_t>(entry.context.world == el1 ? random() % 4 : 0));
  entry.page_bits = static_cast<std::uint8_t>(kind.bits);
  entry.va_page = random_address(random) & ~low_mask(kind.bits);
  entry.level = static_cast<std::int8_t>(kind.level);
  entry.granule_bits = static_cast<std::uint8_t>(kind.granule);
  entry.global = random() % 4 == 0;
  entry.table = kind.level < 3 && random() % 3 == 0;
  entry.pa = Pa(random() & low_mask(48));
  return entry;
}

TlbInvalidation random_invalidation(std::mt19937_64& random) {
  TlbInvalidation what;
  what.worlds = random() % 2 == 0 ? world_bit(el1) : static_cast<unsigned>(random() % 8);
  what.by_vmid = random() % 2 != 0;
  what.vmid = Vmid(static_cast<std::uint16_t>(random() % 4));
  what.vmid_mask = random() % 4 == 0 ? 0xfffe : 0xffff;
  what.by_asid = random() % 2 != 0;
  what.asid = Asid(static_cast<std::uint16_t>(random() % 3));
  what.global_too = random() % 2 != 0;
  what.by_va = random() % 4 != 0;
  if (what.by_va) {
    what.first = random_address(random);
    const std::uint64_t bytes = std::uint64_t{1 + random() % 4} << (12 + random() % 20);
    what.last = what.first + (bytes - 1) < what.first ? ~std::uint64_t{0} : what.first + (bytes - 1);
  }
  what.leaf_only = random() % 3 == 0;
  if (random() % 3 == 0) what.granule_bits = static_cast<std::uint8_t>(12 + 2 * (random() % 3));
  if (random() % 3 == 0) what.ttl = static_cast<std::uint8_t>(random() % 4);
  return what;
}

/// The rule once more, as the reasons for which an entry may stay.
bool may_stay(const TlbInvalidation& what, const TlbEntry& entry) {
  const bool named_world = (what.worlds >> static_cast<unsigned>(entry.context.world)) % 2 == 1;
  const bool other_vm = what.by_vmid && entry.context.world == el1 &&
                        (entry.context.vmid.value & what.vmid_mask) != (what.vmid.value & what.vmid_mask);
  const bool asid_counts = what.by_asid && entry.context.world != el2;
  const bool other_asid = asid_counts && !entry.global && entry.context.asid != what.asid;
  const bool spared_global = asid_counts && entry.global && !what.global_too;
  const std::uint64_t end = entry.va_page + ((std::uint64_t{1} << entry.page_bits) - 1);
  const bool elsewhere = what.by_va && (what.last < entry.va_page || end < what.first);
  const bool other_granule = what.granule_bits != 0 && what.granule_bits != entry.granule_bits;
  const bool spared_table = entry.table && what.leaf_only;
  const bool other_level = !entry.table && what.ttl != 0 && what.ttl != entry.level;
  return !named_world || other_vm || other_asid || spared_global || elsewhere || other_granule || spared_table ||
         other_level;
}

bool same_key(const TlbEntry& a, const TlbEntry& b) {
  return a.context.world == b.context.world && a.context.vmid == b.context.vmid && a.context.asid == b.context.asid &&
         a.context.aset == b.context.aset && a.global == b.global && a.page_bits == b.page_bits &&
         a.va_page == b.va_page;
}
bool translates(const TlbEntry& entry, const TlbContext& asked, std::uint64_t address) {
  if (entry.context.world != asked.world || entry.context.vmid != asked.vmid) return false;
  if (entry.global ? entry.context.aset != asked.aset : entry.context.asid != asked.asid) return false;
  return entry.va_page >> entry.page_bits == address >> entry.page_bits;
}

/// Every entry ever filled and not invalidated since, in a list.
class NaiveTlb {
 public:
  void fill(const TlbEntry& entry) {
    std::erase_if(entries_, [&entry](const TlbEntry& old) { return same_key(old, entry); });
    entries_.push_back(entry);
  }
  void invalidate(const TlbInvalidation& what) {
    std::erase_if(entries_, [&what](const TlbEntry& entry) { return !may_stay(what, entry); });
  }
  std::size_t size() const { return entries_.size(); }
  /// log2 of the smallest page that translates; 0 if none does.
  unsigned smallest(const TlbContext& asked, std::uint64_t address) const {
    unsigned bits = 0;
    for (const TlbEntry& entry : entries_) {
      if (translates(entry, asked, address) && (bits == 0 || entry.page_bits < bits)) bits = entry.page_bits;
    }
    return bits;
  }
  bool holds(const TlbEntry& entry) const {
    return std::any_of(entries_.begin(), entries_.end(),
                       [&entry](const TlbEntry& held) { return same_key(held, entry) && held.pa == entry.pa; });
  }

 private:
  std::vector<TlbEntry> entries_;
};

/// `lossless`: the cache is large enough never to evict, so it must hold all that the list holds.
void compare_under_random_operations(const CacheConfig& config, bool lossless, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  TranslationCache tlb(config, seed);
  NaiveTlb naive;
  for (int step = 0; step < 1500; ++step) {
    if (random() % 12 == 0) {
      const TlbInvalidation what = random_invalidation(random);
      tlb.invalidate(what);
      naive.invalidate(what);
    } else if (naive.size() < config.entries || !lossless) {
      const TlbEntry entry = random_entry(random);
      tlb.fill(entry);
      naive.fill(entry);
    }
    const TlbEntry probe = random_entry(random);
    const TlbEntry* found = tlb.find(probe.context, probe.va_page, true);
    if (found != nullptr) {
      ASSERT_TRUE(naive.holds(*found)) << "stale entry at step " << step;
      ASSERT_TRUE(translates(*found, probe.context, probe.va_page)) << "step " << step;
    }
    if (!lossless) continue;
    ASSERT_EQ(found == nullptr ? 0u : found->page_bits, naive.smallest(probe.context, probe.va_page))
        << "step " << step;
    ASSERT_EQ(tlb.size(), naive.size()) << "step " << step;
  }
}

TEST(TlbRandom, FullyAssociativeCacheEqualsAPlainList) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    compare_under_random_operations({512, 512, Replacement::lru}, true, seed);
  }
}

TEST(TlbRandom, SetAssociativeCacheNeverHoldsWhatWasInvalidated) {
  for (const Replacement replacement : {Replacement::lru, Replacement::round_robin, Replacement::random}) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      SCOPED_TRACE("seed " + std::to_string(seed));
      compare_under_random_operations({256, 4, replacement}, false, seed);
    }
  }
}

}  // namespace
}  // namespace smmusim
