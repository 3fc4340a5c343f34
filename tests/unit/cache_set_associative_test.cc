// SPDX-License-Identifier: MIT
// SetAssociative: placement, replacement by LRU, round robin and random, removal and the count of what is held; row by
// row, and against a naive list under random operations.
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "model/smmu/set_associative.h"

namespace smmusim {
namespace {

struct Item {
  std::uint64_t index = 0;
  std::uint64_t key = 0;
  int value = 0;
};
using Cache = SetAssociative<Item>;

constexpr auto any = [](const Item&) { return true; };

/// A cache whose entries are known by (index, key).
class Items {
 public:
  Items(unsigned entries, unsigned ways, Replacement replacement = Replacement::lru, std::uint64_t seed = 1)
      : cache({entries, ways, replacement}, seed) {}

  /// The evicted item, if one had to go.
  std::optional<Item> insert(std::uint64_t index, std::uint64_t key, int value = 0) {
    std::optional<Item> out;
    cache.insert(index, Cache::valid | key, Item{index, key, value}, any, [&out](const Item& item) { out = item; });
    return out;
  }
  const Item* find(std::uint64_t index, std::uint64_t key) { return cache.find(index, Cache::valid | key, false, any); }
  bool use(std::uint64_t index, std::uint64_t key) {
    return cache.find(index, Cache::valid | key, true, any) != nullptr;
  }

  Cache cache;
};

/// The key that inserting `key` evicts; -1 if none.
int evicts(Items& items, std::uint64_t key) {
  const auto out = items.insert(0, key);
  return out ? static_cast<int>(out->key) : -1;
}

TEST(SetAssociative, FillsInvalidWaysBeforeItEvicts) {
  Items items(4, 4);
  for (std::uint64_t key = 1; key <= 4; ++key) EXPECT_EQ(evicts(items, key), -1);
  EXPECT_EQ(items.cache.size(), 4u);
  EXPECT_NE(evicts(items, 5), -1);
  EXPECT_EQ(items.cache.size(), 4u);
}

TEST(SetAssociative, LruEvictsTheLeastRecentlyUsed) {
  Items items(4, 4, Replacement::lru);
  for (std::uint64_t key = 1; key <= 4; ++key) items.insert(0, key);
  EXPECT_TRUE(items.use(0, 1));
  EXPECT_TRUE(items.use(0, 3));
  EXPECT_EQ(evicts(items, 5), 2);
  EXPECT_EQ(evicts(items, 6), 4);
  EXPECT_EQ(evicts(items, 7), 1);
}

TEST(SetAssociative, FindAloneIsNoUse) {
  Items items(2, 2, Replacement::lru);
  items.insert(0, 1);
  items.insert(0, 2);
  EXPECT_NE(items.find(0, 1), nullptr);
  EXPECT_EQ(evicts(items, 3), 1);
}

TEST(SetAssociative, RoundRobinEvictsWayAfterWayWhateverWasUsed) {
  Items items(4, 4, Replacement::round_robin);
  for (std::uint64_t key = 1; key <= 4; ++key) items.insert(0, key);
  EXPECT_TRUE(items.use(0, 1));
  EXPECT_EQ(evicts(items, 5), 1);
  EXPECT_EQ(evicts(items, 6), 2);
  EXPECT_EQ(evicts(items, 7), 3);
  EXPECT_EQ(evicts(items, 8), 4);
  EXPECT_EQ(evicts(items, 9), 5);
}

std::vector<int> random_victims(std::uint64_t seed) {
  Items items(8, 8, Replacement::random, seed);
  for (std::uint64_t key = 1; key <= 8; ++key) items.insert(0, key);
  std::vector<int> victims;
  for (std::uint64_t key = 9; key < 209; ++key) victims.push_back(evicts(items, key));
  return victims;
}

TEST(SetAssociative, RandomVictimsRepeatWithTheirSeedAndDifferBetweenSeeds) {
  EXPECT_EQ(random_victims(4), random_victims(4));
  for (std::uint64_t seed = 0; seed != 8; ++seed) EXPECT_NE(random_victims(seed), random_victims(seed + 1)) << seed;
}

TEST(SetAssociative, RandomReplacementReachesEveryWay) {
  // Way n first holds key n + 1: over 200 victims each of these must have gone.
  std::vector<int> victims = random_victims(1);
  for (int key = 1; key <= 8; ++key) EXPECT_NE(std::find(victims.begin(), victims.end(), key), victims.end()) << key;
}

TEST(SetAssociative, SetsAreIndependent) {
  Items items(8, 2);  // four sets
  EXPECT_EQ(items.cache.sets(), 4u);
  for (std::uint64_t index = 0; index < 4; ++index) {
    items.insert(index, 1);
    items.insert(index, 2);
  }
  const auto out = items.insert(2, 3);
  ASSERT_TRUE(out);
  EXPECT_EQ(out->index, 2u);
  EXPECT_NE(items.find(1, 1), nullptr);
}

TEST(SetAssociative, IndexWrapsOverTheSets) {
  Items items(8, 2);
  items.insert(5, 1);
  EXPECT_NE(items.find(1, 1), nullptr);
  EXPECT_EQ(items.find(2, 1), nullptr);
}

TEST(SetAssociative, FullyAssociativeIgnoresTheIndex) {
  Items items(6, 6);  // no power of two is needed here
  EXPECT_EQ(items.cache.sets(), 1u);
  for (std::uint64_t key = 0; key < 6; ++key) EXPECT_FALSE(items.insert(key * 1234567, key));
  for (std::uint64_t key = 0; key < 6; ++key) EXPECT_NE(items.find(99, key), nullptr);
}

TEST(SetAssociative, DirectMappedHoldsOnePerSet) {
  Items items(4, 1);
  items.insert(1, 10);
  const auto out = items.insert(1, 11);
  ASSERT_TRUE(out);
  EXPECT_EQ(out->key, 10u);
}

TEST(SetAssociative, SameTagIsReplacedInPlaceAndEvictsNobody) {
  Items items(2, 2);
  items.insert(0, 1, 100);
  items.insert(0, 2, 200);
  EXPECT_FALSE(items.insert(0, 1, 101));
  EXPECT_EQ(items.cache.size(), 2u);
  EXPECT_EQ(items.find(0, 1)->value, 101);
  EXPECT_EQ(items.find(0, 2)->value, 200);
}

TEST(SetAssociative, SameTagThatTheUserTellsApartIsAnotherEntry) {
  Items items(4, 4);
  items.insert(0, 1, 100);
  items.cache.insert(
      0, Cache::valid | 1, Item{0, 1, 200}, [](const Item& item) { return item.value == 200; },
      [](const Item&) { ADD_FAILURE() << "evicted"; });
  EXPECT_EQ(items.cache.size(), 2u);
}

TEST(SetAssociative, InvalidWayInFrontOfTheSameTagIsNotTakenInstead) {
  Items items(2, 2);
  items.insert(0, 1, 100);
  items.insert(0, 2, 200);
  items.cache.remove_if([](const Item& item) { return item.key == 1; });
  items.insert(0, 2, 201);
  EXPECT_EQ(items.cache.size(), 1u);
  EXPECT_EQ(items.find(0, 2)->value, 201);
}

TEST(SetAssociative, RemoveInSetLeavesOtherSetsAlone) {
  Items items(8, 2);
  for (std::uint64_t index = 0; index < 4; ++index) items.insert(index, 1);
  EXPECT_EQ(items.cache.remove_in_set(6, any), 1u);  // set 2
  EXPECT_EQ(items.find(2, 1), nullptr);
  EXPECT_EQ(items.cache.size(), 3u);
}

TEST(SetAssociative, CacheOfNoEntriesHoldsNothing) {
  Items items(0, 4);
  EXPECT_FALSE(items.cache.present());
  items.insert(0, 1);
  EXPECT_EQ(items.find(0, 1), nullptr);
  EXPECT_EQ(items.cache.size(), 0u);
  EXPECT_EQ(items.cache.sets(), 0u);
  EXPECT_EQ(items.cache.remove_if(any), 0u);
}

// Against a naive list.

struct Shape {
  unsigned entries;
  unsigned ways;
  Replacement replacement;
};
constexpr Shape shapes[] = {{16, 4, Replacement::lru},         {8, 8, Replacement::lru},
                            {8, 1, Replacement::lru},          {5, 5, Replacement::lru},
                            {16, 4, Replacement::round_robin}, {12, 3, Replacement::round_robin}};

/// A list of sets, each a list of ways in the order of last use (LRU) or of place (round robin).
class NaiveCache {
 public:
  explicit NaiveCache(const Shape& shape) : shape_(shape), sets_(shape.entries / shape.ways) {
    for (Set& set : sets_) set.ways.resize(shape.ways);
  }

  std::optional<Item> find(std::uint64_t index, std::uint64_t key) {
    Way* way = way_of(index, key);
    return way == nullptr ? std::nullopt : way->item;
  }
  void use(std::uint64_t index, std::uint64_t key) {
    if (Way* way = way_of(index, key)) way->used_at = ++now_;
  }
  std::optional<Item> insert(const Item& item) {
    Way* way = way_of(item.index, item.key);
    std::optional<Item> out;
    if (way == nullptr) {
      way = &victim(set_of(item.index));
      out = way->item;
    }
    *way = Way{item, ++now_};
    return out;
  }
  std::size_t remove_value(int value) {
    std::size_t removed = 0;
    for (Set& set : sets_) {
      for (Way& way : set.ways) {
        if (!way.item || way.item->value != value) continue;
        way.item.reset();
        ++removed;
      }
    }
    return removed;
  }
  std::size_t size() const {
    std::size_t count = 0;
    for (const Set& set : sets_) {
      count += static_cast<std::size_t>(
          std::count_if(set.ways.begin(), set.ways.end(), [](const Way& way) { return way.item.has_value(); }));
    }
    return count;
  }

 private:
  struct Way {
    std::optional<Item> item;
    int used_at = 0;
  };
  struct Set {
    std::vector<Way> ways;
    std::size_t hand = 0;
  };
  Set& set_of(std::uint64_t index) { return sets_[index % sets_.size()]; }
  Way* way_of(std::uint64_t index, std::uint64_t key) {
    for (Way& way : set_of(index).ways) {
      if (way.item && way.item->key == key) return &way;
    }
    return nullptr;
  }
  Way& victim(Set& set) {
    const auto empty = std::find_if(set.ways.begin(), set.ways.end(), [](const Way& way) { return !way.item; });
    if (empty != set.ways.end()) return *empty;
    if (shape_.replacement == Replacement::round_robin) return set.ways[set.hand++ % set.ways.size()];
    return *std::min_element(set.ways.begin(), set.ways.end(),
                             [](const Way& a, const Way& b) { return a.used_at < b.used_at; });
  }

  Shape shape_;
  std::vector<Set> sets_;
  int now_ = 0;
};

void compare_under_random_operations(const Shape& shape, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  Items items(shape.entries, shape.ways, shape.replacement, seed);
  NaiveCache naive(shape);
  for (int step = 0; step < 3000; ++step) {
    const std::uint64_t key = random() % 24;
    const std::uint64_t index = key * 7;  // a key lives in one set
    const int value = static_cast<int>(random() % 5);
    switch (random() % 8) {
      case 0:
        ASSERT_EQ(items.cache.remove_if([value](const Item& item) { return item.value == value; }),
                  naive.remove_value(value));
        break;
      case 1:
      case 2:
        items.use(index, key);
        naive.use(index, key);
        break;
      default: {
        const auto out = items.insert(index, key, value);
        const auto expected = naive.insert({index, key, value});
        ASSERT_EQ(out.has_value(), expected.has_value()) << "step " << step;
        if (out) {
          ASSERT_EQ(out->key, expected->key) << "step " << step;
        }
      }
    }
    const Item* found = items.find(index, key);
    const auto expected = naive.find(index, key);
    ASSERT_EQ(found != nullptr, expected.has_value()) << "step " << step;
    if (found != nullptr) {
      ASSERT_EQ(found->value, expected->value) << "step " << step;
    }
    ASSERT_EQ(items.cache.size(), naive.size()) << "step " << step;
  }
}

TEST(SetAssociativeRandom, EqualsANaiveList) {
  for (const Shape& shape : shapes) {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
      SCOPED_TRACE(std::to_string(shape.entries) + " entries, " + std::to_string(shape.ways) + " ways, seed " +
                   std::to_string(seed));
      compare_under_random_operations(shape, seed);
    }
  }
}

}  // namespace
}  // namespace smmusim
