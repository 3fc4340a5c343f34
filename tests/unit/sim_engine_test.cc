// SPDX-License-Identifier: MIT
// Engine: order of events, the wheel's horizon, cancellation, re-entry (design.md, "Engine and boundary rules"). The
// random test compares with a std::multimap. It knows nothing of coroutines.
#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "model/base/check.h"
#include "model/sim/engine.h"
#include "model/sim/scope.h"

namespace smmusim {
namespace {

constexpr Time far_away = 5'000'000;  // several times the wheel's horizon of about 1 us

/// An event that runs a function.
struct Call : EventNode {
  explicit Call(std::function<void()> f) : function(std::move(f)) {
    fire = [](EventNode& node) { static_cast<Call&>(node).function(); };
  }
  std::function<void()> function;
};

/// Events that write their number into a log.
class EngineTest : public testing::Test {
 protected:
  Call& logs(int number) {
    calls_.push_back(std::make_unique<Call>([this, number] { log.push_back(number); }));
    return *calls_.back();
  }
  Call& calls(std::function<void()> function) {
    calls_.push_back(std::make_unique<Call>(std::move(function)));
    return *calls_.back();
  }
  using Log = std::vector<int>;

  Engine engine;
  Log log;

 private:
  std::vector<std::unique_ptr<Call>> calls_;
};

TEST_F(EngineTest, EventsRunInOrderOfTime) {
  engine.schedule_at(30, logs(3));
  engine.schedule_at(10, logs(1));
  engine.schedule_at(far_away, logs(4));
  engine.schedule_at(20, logs(2));
  engine.run();
  EXPECT_EQ(log, (Log{1, 2, 3, 4}));
  EXPECT_EQ(engine.now(), far_away);
}

TEST_F(EngineTest, EventsOfOneInstantRunInOrderOfArrival) {
  for (int n = 0; n < 10; ++n) engine.schedule_at(500, logs(n));
  engine.run();
  EXPECT_EQ(log, (Log{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
}

TEST_F(EngineTest, ArrivalOrderHoldsBetweenOverflowAndWheel) {
  engine.schedule_at(far_away, logs(1));                                                    // waits beyond the horizon
  engine.schedule_at(far_away - 1, calls([&] { engine.schedule_at(far_away, logs(3)); }));  // lands in the wheel
  engine.schedule_at(far_away, logs(2));
  engine.run();
  EXPECT_EQ(log, (Log{1, 2, 3}));
}

TEST_F(EngineTest, FarEventsRunInOrderOfTimeThenArrival) {
  engine.schedule_at(3 * far_away, logs(4));
  engine.schedule_at(far_away, logs(1));
  engine.schedule_at(2 * far_away, logs(2));
  engine.schedule_at(2 * far_away, logs(3));
  engine.run();
  EXPECT_EQ(log, (Log{1, 2, 3, 4}));
}

TEST_F(EngineTest, FarEventIsNotOvertakenByALaterOneOfTheWheel) {
  engine.schedule_at(1'100'000, logs(1));  // beyond the horizon at time 0
  engine.schedule_at(900'000, calls([&] { engine.schedule_at(1'200'000, logs(2)); }));
  engine.run();
  EXPECT_EQ(log, (Log{1, 2}));
}

TEST_F(EngineTest, PostedEventsRunFirstInFirstOutInTheSameInstant) {
  engine.schedule_at(100, calls([&] {
                       engine.post(logs(1));
                       engine.post(logs(2));
                       log.push_back(0);  // neither ran inside the caller
                     }));
  engine.schedule_at(101, logs(3));
  engine.run();
  EXPECT_EQ(log, (Log{0, 1, 2, 3}));
}

TEST_F(EngineTest, EventThatPostsItselfForeverDoesNotAdvanceTime) {
  int left = 1000;
  Call* again = nullptr;
  Call& call = calls([&] {
    if (--left > 0) engine.post(*again);
  });
  again = &call;
  engine.schedule_at(70, call);
  engine.run();
  EXPECT_EQ(left, 0);
  EXPECT_EQ(engine.now(), 70u);
}

TEST_F(EngineTest, RunUntilIncludesItsLimitAndEndsThere) {
  engine.schedule_at(100, logs(1));
  engine.schedule_at(101, logs(2));
  engine.run_until(100);
  EXPECT_EQ(log, Log{1});
  EXPECT_EQ(engine.now(), 100u);
  engine.run_until(100 + 2 * far_away);
  EXPECT_EQ(log, (Log{1, 2}));
  EXPECT_EQ(engine.now(), 100 + 2 * far_away);
}

TEST_F(EngineTest, RunEndsAtTheLastEventThatRan) {
  engine.schedule_at(40, logs(1));
  engine.schedule_at(60, logs(2));
  engine.run(50);
  EXPECT_EQ(engine.now(), 40u);
  EXPECT_EQ(log, Log{1});
}

TEST_F(EngineTest, RunNextRunsOneInstant) {
  engine.schedule_at(40, calls([&] {
                       log.push_back(1);
                       engine.post(logs(2));
                       engine.schedule_at(40, logs(3));
                     }));
  engine.schedule_at(41, logs(4));
  EXPECT_TRUE(engine.run_next(1000));
  EXPECT_EQ(log, (Log{1, 2, 3}));
  EXPECT_EQ(engine.now(), 40u);
}

TEST_F(EngineTest, RunNextBeginsWithWhatIsReadyNow) {
  engine.run_until(10);
  engine.post(logs(1));
  engine.schedule_at(20, logs(2));
  EXPECT_FALSE(engine.run_next(9));
  EXPECT_TRUE(engine.run_next(1000));
  EXPECT_EQ(log, Log{1});
  EXPECT_EQ(engine.now(), 10u);
}

TEST_F(EngineTest, RunNextLeavesWhatComesAfterItsLimit) {
  engine.schedule_at(40, logs(1));
  EXPECT_FALSE(engine.run_next(39));
  EXPECT_EQ(engine.now(), 0u);
  EXPECT_TRUE(engine.run_next(40));
  EXPECT_FALSE(engine.run_next(1000));
}

TEST_F(EngineTest, AnEventMayScheduleWhatComesBeforeTheNextOne) {
  engine.schedule_at(10, calls([&] {
                       engine.schedule_at(11, logs(1));
                       engine.schedule_at(10, logs(0));
                     }));
  engine.schedule_at(12, logs(2));
  engine.run();
  EXPECT_EQ(log, (Log{0, 1, 2}));
}

TEST_F(EngineTest, WheelTurnsPastEventsThatWaitInIt) {
  // now() moves by run_until while events are in the wheel and in the overflow: both must still be found.
  engine.schedule_at(1'000'000, logs(1));
  engine.schedule_at(1'500'000, logs(2));
  engine.run_until(999'999);
  engine.schedule_at(1'999'000, logs(3));
  engine.run();
  EXPECT_EQ(log, (Log{1, 2, 3}));
}

TEST_F(EngineTest, RunUntilFromInsideAnEventDoesNothing) {
  engine.schedule_at(10, calls([&] {
                       engine.run_until(1000);
                       engine.run();
                       EXPECT_EQ(engine.now(), 10u);
                       log.push_back(0);
                     }));
  engine.schedule_at(20, logs(1));
  engine.run_until(30);
  EXPECT_EQ(log, (Log{0, 1}));
  EXPECT_EQ(engine.now(), 30u);
}

TEST_F(EngineTest, RunningIsTrueOnlyInsideEvents) {
  EXPECT_FALSE(engine.running());
  engine.schedule_at(1, calls([&] { EXPECT_TRUE(engine.running()); }));
  engine.run();
  EXPECT_FALSE(engine.running());
}

TEST_F(EngineTest, NextEventNamesTheNearestOfAllLists) {
  EXPECT_EQ(engine.next_event(), time_never);
  engine.schedule_at(far_away, logs(1));
  EXPECT_EQ(engine.next_event(), far_away);
  engine.schedule_at(7, logs(2));
  EXPECT_EQ(engine.next_event(), 7u);
  engine.run_until(3);
  EXPECT_EQ(engine.next_event(), 7u);
  engine.post(logs(3));
  EXPECT_EQ(engine.next_event(), 3u);
  engine.run();
  EXPECT_EQ(engine.next_event(), time_never);
}

TEST_F(EngineTest, SchedulingInThePastIsADefect) {
  engine.run_until(100);
  EXPECT_THROW(engine.schedule_at(99, logs(1)), InternalError);
}

TEST_F(EngineTest, RunUntilAnEarlierTimeIsADefect) {
  engine.run_until(100);
  EXPECT_THROW(engine.run_until(99), InternalError);
}

TEST_F(EngineTest, CancelRemovesTheNodesOfOneScopeFromEveryList) {
  Scope mine(engine);
  Scope other(engine);
  std::vector<Call*> nodes;
  for (const Scope* scope : {&mine, &other}) {
    const int base = scope == &mine ? 10 : 20;
    nodes = {&logs(base + 1), &logs(base + 2), &logs(base + 3)};
    for (Call* node : nodes) node->scope = const_cast<Scope*>(scope);
    engine.post(*nodes[0]);
    engine.schedule_at(100, *nodes[1]);
    engine.schedule_at(far_away, *nodes[2]);
  }
  engine.schedule_at(200, logs(1));  // nobody's
  EXPECT_EQ(engine.waiting(), 7u);
  engine.cancel(mine);
  EXPECT_EQ(engine.waiting(), 4u);
  engine.run();
  EXPECT_EQ(log, (Log{21, 22, 1, 23}));
  EXPECT_EQ(engine.waiting(), 0u);
}

TEST_F(EngineTest, WithdrawnNodesDoNotFire) {
  Call& near_by = logs(1);
  Call& far_off = logs(2);
  Call& moved_into_the_wheel = logs(3);
  engine.schedule_at(10, near_by);
  engine.schedule_at(10, logs(4));
  engine.schedule_at(far_away, logs(5));
  engine.schedule_at(far_away + 1, far_off);
  engine.schedule_at(far_away + 2, logs(6));
  engine.schedule_at(2 * far_away, moved_into_the_wheel);
  engine.withdraw(near_by);
  engine.withdraw(far_off);
  engine.run_until(far_away + 100);
  engine.schedule_at(2 * far_away - 1, calls([&] { engine.withdraw(moved_into_the_wheel); }));
  engine.run();
  EXPECT_EQ(log, (Log{4, 5, 6}));
  EXPECT_EQ(engine.now(), 2 * far_away - 1);
  EXPECT_EQ(engine.waiting(), 0u);
  engine.schedule_in(5, near_by);  // it may be used again
  engine.run();
  EXPECT_EQ(log.back(), 1);
}

TEST_F(EngineTest, CancelFromInsideAnEventKeepsTheRestInOrder) {
  Scope mine(engine);
  Call& dropped_now = logs(10);
  Call& dropped_far = logs(11);
  dropped_now.scope = dropped_far.scope = &mine;
  engine.schedule_at(50, calls([&] { engine.cancel(mine); }));
  engine.schedule_at(50, dropped_now);
  engine.schedule_at(50, logs(1));
  engine.schedule_at(far_away, dropped_far);
  engine.schedule_at(far_away, logs(2));
  engine.run();
  EXPECT_EQ(log, (Log{1, 2}));
}

TEST_F(EngineTest, ExceptionOfAnEventLeavesTheEngineUsable) {
  engine.schedule_at(10, calls([] { throw InternalError("on purpose"); }));
  engine.schedule_at(10, logs(1));
  EXPECT_THROW(engine.run(), InternalError);
  EXPECT_FALSE(engine.running());
  EXPECT_EQ(engine.waiting(), 1u);
  engine.run();
  EXPECT_EQ(log, Log{1});
}

// A random schedule against the plainest structure that keeps (time, arrival).

/// The same interface as Engine, over a multimap; equal keys keep their order of insertion.
class Oracle {
 public:
  void schedule_at(Time when, int number) { events_.emplace(when, number); }
  void post(int number) { ready_.push_back(number); }
  /// The next number in order; -1 if none is left.
  int next() {
    if (!ready_.empty()) {
      const int number = ready_.front();
      ready_.pop_front();
      return number;
    }
    if (events_.empty()) return -1;
    now = events_.begin()->first;
    const int number = events_.begin()->second;
    events_.erase(events_.begin());
    return number;
  }
  Time now = 0;

 private:
  std::multimap<Time, int> events_;
  std::deque<int> ready_;
};

/// What event `number` does when it fires: a function of number and seed alone, so that both sides do the same.
struct Action {
  bool post;
  Time delay;
};
std::vector<Action> actions_of(std::uint64_t seed, int number) {
  std::mt19937_64 random(seed * 1'000'003 + static_cast<std::uint64_t>(number));
  std::vector<Action> actions(random() % 3);
  for (Action& action : actions) {
    const std::uint64_t kind = random() % 8;
    const Time range = kind < 3 ? 4 : kind < 6 ? 3000 : kind < 7 ? 1'100'000 : 6'000'000;
    action = {kind == 0, random() % range};
  }
  return actions;
}

constexpr int events_at_most = 600;
constexpr int first_events = 20;

std::vector<std::pair<Time, int>> oracle_run(std::uint64_t seed) {
  Oracle oracle;
  int next_number = 0;
  for (; next_number < first_events; ++next_number)
    oracle.schedule_at(static_cast<Time>(next_number) * 997 % 50, next_number);
  std::vector<std::pair<Time, int>> fired;
  for (int number = oracle.next(); number >= 0; number = oracle.next()) {
    fired.emplace_back(oracle.now, number);
    for (const Action& action : actions_of(seed, number)) {
      if (next_number == events_at_most) break;
      if (action.post) {
        oracle.post(next_number++);
      } else {
        oracle.schedule_at(oracle.now + action.delay, next_number++);
      }
    }
  }
  return fired;
}

class RandomEngineRun {
 public:
  explicit RandomEngineRun(std::uint64_t seed) : seed_(seed) {
    for (int n = 0; n < first_events; ++n) engine_.schedule_at(static_cast<Time>(n) * 997 % 50, make());
  }
  /// `step` 0: one run(); else run_until() in steps.
  std::vector<std::pair<Time, int>> run(Time step) {
    if (step == 0) engine_.run();
    while (engine_.next_event() != time_never) engine_.run_until(engine_.now() + step);
    return fired_;
  }

 private:
  Call& make() {
    const int number = static_cast<int>(calls_.size());
    calls_.push_back(std::make_unique<Call>([this, number] { fire(number); }));
    return *calls_.back();
  }
  void fire(int number) {
    fired_.emplace_back(engine_.now(), number);
    for (const Action& action : actions_of(seed_, number)) {
      if (calls_.size() == events_at_most) break;
      if (action.post) {
        engine_.post(make());
      } else {
        engine_.schedule_in(action.delay, make());
      }
    }
  }

  std::uint64_t seed_;
  Engine engine_;
  std::vector<std::unique_ptr<Call>> calls_;
  std::vector<std::pair<Time, int>> fired_;
};

TEST(EngineRandom, EqualsAMultimapHoweverTheRunIsCutIntoPieces) {
  std::size_t fired = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const auto expected = oracle_run(seed);
    fired += expected.size();
    for (const Time step : {Time{0}, Time{1000}, Time{77'777}, Time{2'000'000}}) {
      ASSERT_EQ(RandomEngineRun(seed).run(step), expected) << "step " << step;
    }
  }
  EXPECT_GT(fired, 60u * 40);  // the schedules did branch
}

}  // namespace
}  // namespace smmusim
