// SPDX-License-Identifier: MIT
// HazardGraph: who waits for whom, and a random comparison with the definition written out over all pairs.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "platform/player/hazard_graph.h"

namespace smmusim {
namespace {

using Slot = HazardGraph::Slot;

struct HazardGraphTest : ::testing::Test {
  HazardGraph graph{2, 16};

  Slot read(std::uint64_t page, std::size_t space = 0) {
    const Slot slot = graph.open();
    graph.reads(slot, space, page);
    graph.seal(slot);
    return slot;
  }
  Slot write(std::uint64_t page) {
    const Slot slot = graph.open();
    graph.writes(slot, 0, page);
    graph.seal(slot);
    return slot;
  }
  Slot write_range(std::uint64_t first, std::uint64_t last) {
    const Slot slot = graph.open();
    graph.writes_range(slot, 0, first, last);
    graph.seal(slot);
    return slot;
  }
  std::vector<Slot> take_ready() {
    std::vector<Slot> ready;
    ready.swap(graph.ready());
    return ready;
  }
};

TEST_F(HazardGraphTest, ReadersOfAPageDoNotWaitForEachOther) {
  const Slot a = read(7);
  const Slot b = read(7);
  EXPECT_EQ(take_ready(), (std::vector<Slot>{a, b}));
}

TEST_F(HazardGraphTest, WriterWaitsForAllEarlierReaders) {
  const Slot a = read(7);
  const Slot b = read(7);
  const Slot w = write(7);
  EXPECT_EQ(take_ready(), (std::vector<Slot>{a, b}));
  graph.finish(b);
  EXPECT_TRUE(take_ready().empty());
  graph.finish(a);
  EXPECT_EQ(take_ready(), std::vector<Slot>{w});
}

TEST_F(HazardGraphTest, ReaderWaitsForTheEarlierWriter) {
  const Slot w = write(7);
  const Slot a = read(7);
  EXPECT_EQ(take_ready(), std::vector<Slot>{w});
  graph.finish(w);
  EXPECT_EQ(take_ready(), std::vector<Slot>{a});
}

TEST_F(HazardGraphTest, OtherPagesAndOtherSpacesAreNotHeldUp) {
  const Slot w = write(7);
  const Slot a = read(8);
  const Slot b = read(7, 1);
  EXPECT_EQ(take_ready(), (std::vector<Slot>{w, a, b}));
}

TEST_F(HazardGraphTest, RangeHoldsUpLaterReadersOfPagesNobodyKnew) {
  const Slot w = write_range(0, 1000);
  const Slot inside = read(1000);
  const Slot outside = read(1001);
  EXPECT_EQ(take_ready(), (std::vector<Slot>{w, outside}));
  graph.finish(w);
  EXPECT_EQ(take_ready(), std::vector<Slot>{inside});
}

TEST_F(HazardGraphTest, RangeWaitsForReadersInsideAndClearsTheirPairs) {
  graph.page(0, 5).pair = 99;
  graph.page(0, 2000).pair = 99;
  const Slot a = read(5);
  const Slot other = read(2000);
  const Slot w = write_range(0, 1000);
  EXPECT_EQ(take_ready(), (std::vector<Slot>{a, other}));
  EXPECT_EQ(graph.page(0, 5).pair, 0U);
  EXPECT_EQ(graph.page(0, 2000).pair, 99U);
  graph.finish(a);
  EXPECT_EQ(take_ready(), std::vector<Slot>{w});
}

TEST_F(HazardGraphTest, HeldOperationWaitsForItsRelease) {
  const Slot slot = graph.open();
  graph.hold(slot);
  graph.seal(slot);
  EXPECT_TRUE(take_ready().empty());
  graph.release(slot);
  EXPECT_EQ(take_ready(), std::vector<Slot>{slot});
}

TEST_F(HazardGraphTest, RoomComesBackInProgramOrder) {
  std::vector<Slot> slots;
  while (graph.room() != 0) slots.push_back(read(slots.size()));
  EXPECT_EQ(slots.size(), 16U);
  graph.finish(slots[1]);
  EXPECT_EQ(graph.room(), 0U);
  graph.finish(slots[0]);
  EXPECT_EQ(graph.room(), 2U);
}

TEST_F(HazardGraphTest, PagesWithNothingToRememberAreDropped) {
  for (std::uint64_t page = 0; page != 10'000; ++page) {
    graph.finish(read(page));
    graph.collect();
  }
  EXPECT_LE(graph.pages_known(), 4096U);
}

TEST(HazardGraphModel, AgreesWithTheDefinitionOnRandomPrograms) {
  struct Done {
    bool writes;
    std::uint64_t first;
    std::uint64_t last;
    bool finished = false;
  };
  for (unsigned seed = 1; seed != 20; ++seed) {
    std::mt19937_64 random(seed);
    HazardGraph graph(1, 64);
    std::vector<Done> program;  // by order
    std::vector<std::size_t> slot_owner(graph.slots(), ~std::size_t{0});
    std::vector<std::size_t> startable;
    const auto must_wait = [&](std::size_t i) {
      for (std::size_t j = 0; j != i; ++j) {
        const bool conflict = program[i].writes || program[j].writes;
        const bool overlap = program[i].first <= program[j].last && program[j].first <= program[i].last;
        if (!program[j].finished && conflict && overlap) return true;
      }
      return false;
    };
    for (int step = 0; step != 2000; ++step) {
      if (graph.room() != 0 && random() % 2 == 0) {
        const std::uint64_t first = random() % 12;
        const bool is_range = random() % 8 == 0;
        const bool writes = is_range || random() % 3 == 0;
        const std::uint64_t last = is_range ? first + random() % 6 : first;
        const Slot slot = graph.open();
        slot_owner[slot] = program.size();
        program.push_back({writes, first, last});
        if (is_range) {
          graph.writes_range(slot, 0, first, last);
        } else if (writes) {
          graph.writes(slot, 0, first);
        } else {
          graph.reads(slot, 0, first);
        }
        graph.seal(slot);
      } else if (!startable.empty()) {
        const std::size_t pick = random() % startable.size();
        const std::size_t chosen = startable[pick];
        startable.erase(startable.begin() + static_cast<std::ptrdiff_t>(pick));
        program[chosen].finished = true;
        const auto slot =
            static_cast<Slot>(std::find(slot_owner.begin(), slot_owner.end(), chosen) - slot_owner.begin());
        graph.finish(slot);
      }
      for (const Slot slot : graph.ready()) startable.push_back(slot_owner[slot]);
      graph.ready().clear();
      for (std::size_t i = program.size() > 64 ? program.size() - 64 : 0; i != program.size(); ++i) {
        if (program[i].finished) continue;
        const bool ready = std::find(startable.begin(), startable.end(), i) != startable.end();
        ASSERT_EQ(ready, !must_wait(i)) << "seed " << seed << " step " << step << " operation " << i;
      }
    }
  }
}

}  // namespace
}  // namespace smmusim
