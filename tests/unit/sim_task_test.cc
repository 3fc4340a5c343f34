// SPDX-License-Identifier: MIT
// Task<T>: nested start, suspension, ownership, exceptions, and the three traps of g++ 12 that shape it (design.md,
// toolchain facts 2 to 4).
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "model/base/check.h"
#include "model/sim/resources.h"
#include "model/sim/task.h"

namespace smmusim {
namespace {

// Toolchain fact 2: what may be a parameter of a coroutine.
static_assert(detail::coroutine_parameter_ok<int>);
static_assert(detail::coroutine_parameter_ok<int&>);
static_assert(detail::coroutine_parameter_ok<int*>);
static_assert(detail::coroutine_parameter_ok<std::string&>);
static_assert(!detail::coroutine_parameter_ok<std::string>);
static_assert(!detail::coroutine_parameter_ok<const std::string&>);
static_assert(!detail::coroutine_parameter_ok<const int&>);
static_assert(!detail::coroutine_parameter_ok<int&&>);

/// Counts how often objects in a frame are made and destroyed.
struct Tally {
  int made = 0;
  int destroyed = 0;
};
class Local {
 public:
  explicit Local(Tally& tally) : tally_(tally) { ++tally_.made; }
  ~Local() { ++tally_.destroyed; }
  Local(const Local&) = delete;
  Local& operator=(const Local&) = delete;

 private:
  Tally& tally_;
};

/// What the coroutines below work on; the parameter that frames come from.
struct World {
  Scope& scope() { return lifetime; }
  Engine engine;
  Scope lifetime{engine};
  Gate gate{lifetime};
  Tally tally;
  std::vector<int> log;
};

Task<int> answer_at_once(World&, int value) {
  co_return value;
}
Task<int> answer_later(World& world, int value, Time wait) {
  Local local(world.tally);
  co_await delay(world.lifetime, wait);
  co_return value;
}
Task<> parent(World& world, Time wait) {
  Local local(world.tally);
  world.log.push_back(1);
  const int value = co_await answer_later(world, 2, wait);
  world.log.push_back(value);
}

TEST(Task, ChildThatDoesNotWaitIsANestedCall) {
  World world;
  spawn(world.lifetime, parent(world, 0));
  EXPECT_EQ(world.log, (std::vector<int>{1, 2}));
  EXPECT_EQ(world.engine.waiting(), 0u);
  EXPECT_EQ(world.lifetime.tasks(), 0u);
}

TEST(Task, ChildThatWaitsSuspendsItsParentUntilItIsDone) {
  World world;
  spawn(world.lifetime, parent(world, 100));
  EXPECT_EQ(world.log, std::vector<int>{1});
  EXPECT_EQ(world.lifetime.tasks(), 1u);
  world.engine.run_until(99);
  EXPECT_EQ(world.log, std::vector<int>{1});
  world.engine.run_until(100);
  EXPECT_EQ(world.log, (std::vector<int>{1, 2}));
  EXPECT_EQ(world.lifetime.tasks(), 0u);
}

TEST(Task, FrameOfACoAwaitedTaskIsDestroyedExactlyOnce) {
  for (const Time wait : {Time{0}, Time{5}}) {
    World world;
    spawn(world.lifetime, parent(world, wait));
    world.engine.run();
    EXPECT_EQ(world.tally.made, 2);
    EXPECT_EQ(world.tally.destroyed, 2) << "wait " << wait;
  }
}

TEST(Task, TaskThatIsNeverStartedRunsNothingAndFreesItsFrame) {
  World world;
  { Task<> task = parent(world, 0); }
  EXPECT_TRUE(world.log.empty());
  EXPECT_EQ(world.tally.made, 0);
}

TEST(Task, DestroyingASuspendedTaskDestroysItsChildren) {
  World world;
  spawn(world.lifetime, parent(world, 100));
  EXPECT_EQ(world.tally.destroyed, 0);
  world.lifetime.cancel();
  EXPECT_EQ(world.tally.destroyed, 2);
}

TEST(Task, RunToCompletionTellsWhetherItIsDone) {
  World world;
  Task<int> now = answer_at_once(world, 7);
  EXPECT_TRUE(now.run_to_completion());
  EXPECT_EQ(now.result(), 7);
  Task<int> later = answer_later(world, 8, 10);
  EXPECT_FALSE(later.run_to_completion());
  world.engine.run();
  EXPECT_EQ(later.result(), 8);
}

// Toolchain fact 4: loops and deep nesting must not eat the stack.

Task<> many_children(World& world, int count, Time wait) {
  int sum = 0;
  for (int n = 0; n < count; ++n) {
    const int value = co_await answer_later(world, 1, wait);
    sum += value;
  }
  world.log.push_back(sum);
}

TEST(Task, ManyChildrenOneAfterTheOtherDoNotGrowTheStack) {
  for (const Time wait : {Time{0}, Time{3}}) {
    World world;
    spawn(world.lifetime, many_children(world, 200'000, wait));
    world.engine.run();
    EXPECT_EQ(world.log, std::vector<int>{200'000}) << "wait " << wait;
    EXPECT_EQ(world.engine.now(), 200'000 * wait);
  }
}

Task<int> nested(World& world, int depth) {
  if (depth == 0) {
    co_await delay(world.lifetime, 10);
    co_return 0;
  }
  const int below = co_await nested(world, depth - 1);
  co_return below + 1;
}
Task<> nested_root(World& world, int depth) {
  const int value = co_await nested(world, depth);
  world.log.push_back(value);
}

TEST(Task, ResultTravelsUpThroughManySuspendedLevels) {
  World world;
  spawn(world.lifetime, nested_root(world, 500));
  world.engine.run();
  EXPECT_EQ(world.log, std::vector<int>{500});
}

// Exceptions (an InternalError) leave through whoever resumed the task.

Task<int> throws(World& world, Time wait) {
  Local local(world.tally);
  co_await delay(world.lifetime, wait);
  SMMUSIM_CHECK(wait == time_never);
  co_return 0;
}
Task<> awaits_thrower(World& world, Time wait) {
  Local local(world.tally);
  const int value = co_await throws(world, wait);
  world.log.push_back(value);
}

TEST(Task, ExceptionBeforeAnyWaitLeavesThroughSpawn) {
  World world;
  EXPECT_THROW(spawn(world.lifetime, awaits_thrower(world, 0)), InternalError);
  world.lifetime.cancel();
  EXPECT_EQ(world.lifetime.tasks(), 0u);
  EXPECT_EQ(world.tally.made, world.tally.destroyed);
  EXPECT_TRUE(world.log.empty());
}

TEST(Task, ExceptionAfterAWaitLeavesThroughTheEngine) {
  World world;
  spawn(world.lifetime, awaits_thrower(world, 20));
  EXPECT_THROW(world.engine.run(), InternalError);
  EXPECT_EQ(world.engine.now(), 20u);
  world.lifetime.cancel();
  EXPECT_EQ(world.tally.made, world.tally.destroyed);
  // The world goes on.
  spawn(world.lifetime, parent(world, 5));
  world.engine.run();
  EXPECT_EQ(world.log, (std::vector<int>{1, 2}));
}

Task<> throws_after_child(World& world) {
  Local local(world.tally);
  const int value = co_await answer_later(world, 1, 5);
  SMMUSIM_CHECK(value < 0);
}
Task<> awaits_thrower_after_child(World& world) {
  Local local(world.tally);
  co_await throws_after_child(world);
  world.log.push_back(99);
}

TEST(Task, ExceptionAfterASuspendedChildLeavesThroughTheEngine) {
  World world;
  spawn(world.lifetime, awaits_thrower_after_child(world));
  EXPECT_THROW(world.engine.run(), InternalError);
  EXPECT_EQ(world.lifetime.tasks(), 0u) << "the failed task is gone";
  EXPECT_EQ(world.tally.made, world.tally.destroyed);
  EXPECT_TRUE(world.log.empty());
  world.engine.run();  // thrown once
}

}  // namespace
}  // namespace smmusim
