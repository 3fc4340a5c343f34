// SPDX-License-Identifier: MIT
// Scope::cancel and destruction at every instant, with waiters in each primitive: every frame goes exactly once, every
// resource is as after construction, nothing of it stays in the Engine, and others are not touched. Meant to be run
// under the address sanitizer too.
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "model/sim/memory_port.h"
#include "model/sim/resources.h"
#include "model/sim/scope.h"
#include "model/sim/task.h"

namespace smmusim {
namespace {

/// A port whose requests take `latency`.
class SlowPort final : public MemoryPort {
 public:
  SlowPort(Engine& engine, Time latency) : engine_(engine), latency_(latency) {}
  bool start(MemoryRequest& request) override {
    engine_.schedule_in(latency_, request);
    return false;
  }
  void abandon(const Scope& scope) override { engine_.cancel(scope); }

 private:
  Engine& engine_;
  Time latency_;
};

struct World {
  explicit World(Engine& e) : engine(e), lifetime(e), port(e, 13) {}
  ~World() { lifetime.cancel(); }  // before the slots that frames give back
  Scope& scope() { return lifetime; }

  Engine& engine;
  Scope lifetime;
  Slots slots{lifetime, 2};
  Gate gate{lifetime};
  Pipe pipe{lifetime, Clock{5}, 2, 3};
  SlowPort port;
  int frames = 0;  // locals alive in frames
  int done = 0;
};

class Local {
 public:
  explicit Local(World& world) : world_(world) { ++world_.frames; }
  ~Local() { --world_.frames; }
  Local(const Local&) = delete;
  Local& operator=(const Local&) = delete;

 private:
  World& world_;
};

Task<> reads_memory(World& world) {
  Local local(world);
  std::uint64_t data = 0;
  MemoryAccess access;
  access.scope = &world.lifetime;
  access.port = &world.port;
  access.data = &data;
  access.size = 8;
  const MemoryStatus status = co_await access;
  if (status == MemoryStatus::ok) ++world.done;
}
/// Meets every primitive, nested one below the other.
Task<> everything(World& world, Time start) {
  Local local(world);
  co_await delay(world.lifetime, start);
  co_await world.slots.acquire();
  SlotHold hold(world.slots);
  co_await world.pipe.pass();
  co_await reads_memory(world);
  world.gate.open();
  ++world.done;
}
Task<> at_gate(World& world) {
  Local local(world);
  co_await world.gate.wait();
  ++world.done;
}
void start_all(World& world) {
  for (Time n = 0; n < 6; ++n) spawn(world.lifetime, everything(world, n * 3));
  spawn(world.lifetime, at_gate(world));
  spawn(world.lifetime, at_gate(world));
}
constexpr int all_done = 6 + 6 + 2;

TEST(Scope, WorkloadEndsWhenNobodyCancels) {
  Engine engine;
  World world(engine);
  start_all(world);
  engine.run();
  EXPECT_EQ(world.done, all_done);
  EXPECT_EQ(world.frames, 0);
  EXPECT_EQ(world.lifetime.tasks(), 0u);
}

TEST(Scope, CancelAtEveryInstantLeavesEverythingAsAfterConstruction) {
  for (Time instant = 0; instant <= 100; ++instant) {
    SCOPED_TRACE(instant);
    Engine engine;
    World world(engine);
    start_all(world);
    engine.run_until(instant);
    world.lifetime.cancel();
    EXPECT_EQ(world.frames, 0);
    EXPECT_EQ(world.lifetime.tasks(), 0u);
    EXPECT_EQ(engine.waiting(), 0u);
    EXPECT_EQ(world.slots.in_use(), 0u);
    EXPECT_FALSE(world.slots.has_waiters());
    EXPECT_FALSE(world.gate.has_waiters());
    world.done = 0;
    world.pipe.reset();
    start_all(world);
    engine.run();
    EXPECT_EQ(world.done, all_done);
  }
}

TEST(Scope, DestructionAtEveryInstantLeavesNothingInTheEngine) {
  for (Time instant = 0; instant <= 100; ++instant) {
    SCOPED_TRACE(instant);
    Engine engine;
    {
      World world(engine);
      start_all(world);
      engine.run_until(instant);
    }
    EXPECT_EQ(engine.waiting(), 0u);
    engine.run();
  }
}

TEST(Scope, CancelBetweenWakeUpAndResumptionDropsTheWokenWaiter) {
  Engine engine;
  World world(engine);
  spawn(world.lifetime, at_gate(world));
  world.gate.open();  // it is in the ready list now
  EXPECT_EQ(engine.waiting(), 1u);
  world.lifetime.cancel();
  engine.run();
  EXPECT_EQ(world.done, 0);
  EXPECT_EQ(world.frames, 0);
}

Task<> keeps_a_slot(World& world) {
  Local local(world);
  co_await world.slots.acquire();
  co_await delay(world.lifetime, 1000);
  world.slots.release();
}

TEST(Scope, CancelTakesSlotsBackFromFramesThatCannotGiveThem) {
  Engine engine;
  World world(engine);
  for (int n = 0; n < 3; ++n) spawn(world.lifetime, keeps_a_slot(world));
  engine.run_until(500);
  world.lifetime.cancel();
  EXPECT_EQ(world.slots.in_use(), 0u);
}

TEST(Scope, CancelTakesBackASlotThatWasHandedOverAndNotYetReceived) {
  Engine engine;
  World world(engine);
  for (int n = 0; n < 3; ++n) spawn(world.lifetime, keeps_a_slot(world));
  world.slots.release();  // the third is in the ready list with it
  world.lifetime.cancel();
  EXPECT_EQ(world.slots.in_use(), 0u);
  EXPECT_EQ(engine.waiting(), 0u);
}

TEST(Scope, CancelFromInsideAnEventOfTheSameInstant) {
  struct Canceller : EventNode {
    Scope* victim = nullptr;
  };
  Engine engine;
  World world(engine);
  start_all(world);
  Canceller canceller;
  canceller.victim = &world.lifetime;
  canceller.fire = [](EventNode& node) { static_cast<Canceller&>(node).victim->cancel(); };
  engine.schedule_at(10, canceller);
  engine.run();
  EXPECT_EQ(engine.now(), 10u);
  EXPECT_EQ(world.frames, 0);
}

TEST(Scope, OtherScopesGoOn) {
  Engine engine;
  World cancelled(engine);
  World other(engine);
  start_all(cancelled);
  start_all(other);
  engine.run_until(9);
  cancelled.lifetime.cancel();
  engine.run();
  EXPECT_EQ(cancelled.frames, 0);
  EXPECT_EQ(other.done, all_done);
}

TEST(Scope, TaskThatEndsForgetsItselfWhateverTheOrder) {
  Engine engine;
  World world(engine);
  spawn(world.lifetime, everything(world, 30));
  spawn(world.lifetime, everything(world, 0));
  spawn(world.lifetime, everything(world, 60));
  EXPECT_EQ(world.lifetime.tasks(), 3u);
  engine.run_until(29);
  EXPECT_EQ(world.lifetime.tasks(), 2u);
  engine.run_until(59);
  EXPECT_EQ(world.lifetime.tasks(), 1u);
  engine.run();
  EXPECT_EQ(world.lifetime.tasks(), 0u);
}

}  // namespace
}  // namespace smmusim
