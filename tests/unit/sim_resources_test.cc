// SPDX-License-Identifier: MIT
// Slots, Gate, Pipe, Clock and delay: who waits how long, in which order, and that nobody is resumed inside the caller
// (design.md, "Engine and boundary rules").
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "model/sim/resources.h"
#include "model/sim/task.h"

namespace smmusim {
namespace {

struct World {
  explicit World(unsigned slots_max = 2) : slots(lifetime, slots_max) {}
  ~World() { lifetime.cancel(); }  // before the slots that frames give back
  Scope& scope() { return lifetime; }
  void note(const char* what, int who) {
    log.push_back(std::to_string(engine.now()) + " " + what + " " + std::to_string(who));
  }
  using Log = std::vector<std::string>;

  Engine engine;
  Scope lifetime{engine};
  Slots slots;
  Gate gate{lifetime};
  Log log;
};
using Log = World::Log;

Task<> use_slot(World& world, int who, Time hold) {
  co_await world.slots.acquire();
  world.note("got", who);
  co_await delay(world.lifetime, hold);
  world.slots.release();
  world.note("gave", who);
}

TEST(Slots, AtMostSoManyAtATimeFirstComeFirstServed) {
  World world(2);
  for (int who = 0; who < 4; ++who) spawn(world.lifetime, use_slot(world, who, 10));
  EXPECT_EQ(world.slots.in_use(), 2u);
  world.engine.run();
  EXPECT_EQ(world.log,
            (Log{"0 got 0", "0 got 1", "10 gave 0", "10 got 2", "10 gave 1", "10 got 3", "20 gave 2", "20 gave 3"}));
  EXPECT_EQ(world.slots.in_use(), 0u);
}

TEST(Slots, AcquiringAFreeSlotDoesNotSuspend) {
  World world(1);
  spawn(world.lifetime, use_slot(world, 0, 0));
  EXPECT_EQ(world.log, (Log{"0 got 0", "0 gave 0"}));
}

TEST(Slots, WaiterIsNeverResumedInsideRelease) {
  World world(1);
  spawn(world.lifetime, use_slot(world, 0, 10));
  spawn(world.lifetime, use_slot(world, 1, 0));
  world.engine.run();
  // "gave 0" is noted after release(): the waiter comes only then.
  EXPECT_EQ(world.log, (Log{"0 got 0", "10 gave 0", "10 got 1", "10 gave 1"}));
}

TEST(Slots, ReleasedSlotIsHandedOverAndCannotBeSnatched) {
  World world(1);
  spawn(world.lifetime, use_slot(world, 0, 1000));
  spawn(world.lifetime, use_slot(world, 1, 10));
  world.slots.release();  // on behalf of 0: now it is 1's, although 1 has not run yet
  EXPECT_EQ(world.slots.in_use(), 1u);
  spawn(world.lifetime, use_slot(world, 2, 10));
  world.engine.run_until(500);
  EXPECT_EQ(world.log, (Log{"0 got 0", "0 got 1", "10 gave 1", "10 got 2", "20 gave 2"}));
}

TEST(Slots, ExhaustedMeansThatAnAcquireWouldWait) {
  World world(1);
  EXPECT_FALSE(world.slots.exhausted());
  spawn(world.lifetime, use_slot(world, 0, 10));
  EXPECT_TRUE(world.slots.exhausted());
  world.engine.run();
  EXPECT_FALSE(world.slots.exhausted());
}

TEST(Slots, UnlimitedNeverWaits) {
  World world(Slots::unlimited);
  for (int who = 0; who < 1000; ++who) spawn(world.lifetime, use_slot(world, who, 10));
  EXPECT_EQ(world.log.size(), 1000u);
  EXPECT_EQ(world.slots.in_use(), 1000u);
}

Task<> hold_slot(World& world, int who, bool early) {
  co_await world.slots.acquire();
  SlotHold hold(world.slots);
  world.note("got", who);
  co_await delay(world.lifetime, 10);
  if (early) hold.release();
  co_await delay(world.lifetime, 10);
}

TEST(SlotHold, GivesBackAtTheEndOfItsFrame) {
  World world(1);
  spawn(world.lifetime, hold_slot(world, 0, false));
  spawn(world.lifetime, hold_slot(world, 1, false));
  world.engine.run();
  EXPECT_EQ(world.log, (Log{"0 got 0", "20 got 1"}));
  EXPECT_EQ(world.slots.in_use(), 0u);
}

TEST(SlotHold, EarlyReleaseHappensOnce) {
  World world(1);
  for (int who = 0; who < 3; ++who) spawn(world.lifetime, hold_slot(world, who, true));
  world.engine.run();
  EXPECT_EQ(world.log, (Log{"0 got 0", "10 got 1", "20 got 2"}));
  EXPECT_EQ(world.slots.in_use(), 0u);
}

Task<> wait_at_gate(World& world, int who, int times) {
  for (int n = 0; n < times; ++n) {
    co_await world.gate.wait();
    world.note("through", who);
  }
}

TEST(Gate, OpenWakesAllThatWaitInTheirOrderAndNotInline) {
  World world;
  for (int who = 0; who < 3; ++who) spawn(world.lifetime, wait_at_gate(world, who, 1));
  world.gate.open();
  EXPECT_TRUE(world.log.empty());
  world.engine.run();
  EXPECT_EQ(world.log, (Log{"0 through 0", "0 through 1", "0 through 2"}));
}

TEST(Gate, WhoWaitsAgainWaitsForTheNextOpen) {
  World world;
  spawn(world.lifetime, wait_at_gate(world, 0, 2));
  world.gate.open();
  world.engine.run();
  EXPECT_EQ(world.log, Log{"0 through 0"});
  EXPECT_TRUE(world.gate.has_waiters());
  world.gate.open();
  world.engine.run();
  EXPECT_EQ(world.log.size(), 2u);
}

TEST(Gate, OpenWithoutWaitersIsNotRemembered) {
  World world;
  world.gate.open();
  spawn(world.lifetime, wait_at_gate(world, 0, 1));
  world.engine.run();
  EXPECT_TRUE(world.log.empty());
}

Task<> wait_for(World& world, Time length) {
  co_await delay(world.lifetime, length);
  world.note("waited", 0);
}

TEST(Delay, ZeroNeverSuspends) {
  World world;
  spawn(world.lifetime, wait_for(world, 0));
  EXPECT_EQ(world.log, Log{"0 waited 0"});
}

TEST(Delay, WaitsExactlySoLong) {
  World world;
  world.engine.run_until(5);
  spawn(world.lifetime, wait_for(world, 37));
  EXPECT_TRUE(world.log.empty());
  world.engine.run();
  EXPECT_EQ(world.log, Log{"42 waited 0"});
}

TEST(Clock, InstantsAreRoundedUpToTheNextEdge) {
  struct Row {
    Time period, instant, edge;
  };
  constexpr Row rows[] = {{1000, 0, 0},       {1000, 1, 1000}, {1000, 999, 1000}, {1000, 1000, 1000},
                          {1000, 1001, 2000}, {3, 10, 12},     {1, 17, 17},       {0, 17, 17}};
  for (const Row& row : rows) {
    EXPECT_EQ(Clock{row.period}.next_edge(row.instant), row.edge) << row.period << " " << row.instant;
  }
  EXPECT_EQ(Clock{250}.cycles(4), 1000u);
}

Task<> through_pipe(World& world, Pipe& pipe, int who) {
  co_await pipe.pass();
  world.note("left", who);
}

TEST(Pipe, ItemLeavesItsLatencyAfterAnEdge) {
  World world;
  Pipe pipe(world.lifetime, Clock{100}, 3, 1);
  world.engine.run_until(150);  // between two edges
  spawn(world.lifetime, through_pipe(world, pipe, 0));
  world.engine.run();
  EXPECT_EQ(world.log, Log{"500 left 0"});  // enters at 200, three cycles of 100
}

TEST(Pipe, ItemsEnterItsIntervalApart) {
  World world;
  Pipe pipe(world.lifetime, Clock{100}, 5, 2);
  for (int who = 0; who < 3; ++who) spawn(world.lifetime, through_pipe(world, pipe, who));
  world.engine.run();
  EXPECT_EQ(world.log, (Log{"500 left 0", "700 left 1", "900 left 2"}));
}

TEST(Pipe, IsFreeAgainAfterItsInterval) {
  World world;
  Pipe pipe(world.lifetime, Clock{100}, 1, 4);
  spawn(world.lifetime, through_pipe(world, pipe, 0));
  world.engine.run_until(400);
  EXPECT_EQ(pipe.reserve(), 100u);
  EXPECT_EQ(pipe.reserve(), 500u);
}

TEST(Pipe, UntimedNeverSuspends) {
  World world;
  Pipe pipe(world.lifetime, Clock{0}, 5, 5);
  for (int who = 0; who < 3; ++who) spawn(world.lifetime, through_pipe(world, pipe, who));
  EXPECT_EQ(world.log.size(), 3u);
  EXPECT_EQ(world.engine.waiting(), 0u);
}

TEST(Pipe, ResetForgetsWhatWasBooked) {
  World world;
  Pipe pipe(world.lifetime, Clock{100}, 1, 50);
  (void)pipe.reserve();
  pipe.reset();
  EXPECT_EQ(pipe.reserve(), 100u);
}

}  // namespace
}  // namespace smmusim
