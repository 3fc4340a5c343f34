// SPDX-License-Identifier: MIT
// The core inside another simulator's process: one mutex outside, calls from any thread under it, interrupts taken as
// values and posted after unlock, no exception for whatever the guest does. Two threads take turns call by call; the
// results are those of one thread.
#include <gtest/gtest.h>

#include <array>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "tests/support/timing_bench.h"

namespace smmusim {
namespace {

constexpr std::uint64_t va = 0x12'3440'0000;
constexpr std::uint64_t own_frame_size = 0x20000;
constexpr unsigned streams = 4, pages = 8;

/// What a host sees of a run, call by call, in order.
struct Seen {
  std::vector<std::uint64_t> values;  // registers read
  std::vector<unsigned> interrupts;   // as posted after unlock
  std::vector<std::tuple<Time, Outcome, std::uint64_t, unsigned>> answers;
  std::vector<raw::Record> records;
  friend bool operator==(const Seen&, const Seen&) = default;
};

/// One machine and a seeded series of calls on it.
class Calls {
 public:
  explicit Calls(const SmmuConfig& config) : bench_(config), random_(20) {
    for (std::uint32_t sid = 1; sid <= streams; ++sid) {
      bench_.stage1_stream(sid);
      for (unsigned n = 0; n < pages; ++n) bench_.map_page(sid, page(n), TimingBench::target + 0x1000ull * n);
    }
    bench_.w64(off::EVENTQ_IRQ_CFG0, TimingBench::msi);
    bench_.w32(off::IRQ_CTRL, irq::EVENTQ | irq::GERROR);
    bench_.settle();
  }

  /// One call of the public interface, chosen by the seed.
  void call() {
    switch (random_() % 8) {
      case 0:
      case 1:
      case 2:
        bench_.send(sid(), page(number(pages + 1)), number(2) == 0 ? AccessType::read : AccessType::write);
        break;
      case 3:
        bench_.run_for(1'000 * number(400));
        break;
      case 4:
        seen_.values.push_back(bench_.r32(number(2) == 0 ? off::CMDQ_CONS : off::EVENTQ_PROD));
        break;
      case 5:
        command();
        break;
      case 6:
        explain();
        break;
      default:
        take_events();
        break;
    }
    raised_ = bench_.smmu->take_interrupts();
  }
  /// After unlock: hands the interrupts of the last call on.
  void post() {
    if (raised_ != 0) seen_.interrupts.push_back(raised_);
    raised_ = 0;
  }
  Seen finish() {
    bench_.run();
    take_events();
    EXPECT_TRUE(bench_.smmu->idle());
    for (const auto& request : bench_.sent) {
      EXPECT_TRUE(request.answered);
      seen_.answers.emplace_back(request.answered_at, request.response.outcome, request.response.address.value,
                                 static_cast<unsigned>(request.response.event));
    }
    return seen_;
  }

 private:
  static std::uint64_t page(std::uint64_t n) { return va + 0x1000 * n; }
  std::uint64_t number(std::uint64_t limit) { return random_() % limit; }
  std::uint32_t sid() { return static_cast<std::uint32_t>(1 + number(streams + 1)); }  // the last has no valid STE

  void command() {
    const std::uint64_t target = sid();
    switch (number(3)) {
      case 0:
        bench_.push(raw::command(raw::cmd::TLBI_NH_ASID, {{raw::cmd::ASID, target}}));
        break;
      case 1:
        bench_.push(raw::command(raw::cmd::CFGI_STE, {{raw::cmd::StreamID, target}, {raw::cmd::Leaf, 1}}));
        break;
      default:
        bench_.push(raw::command(raw::cmd::SYNC, {{raw::cmd::CS, 1}}));
        break;
    }
    bench_.kick();
    bench_.run_for(600'000);  // so that the queue never overruns
  }
  /// The answer at once; only possible in between where memory answers at once.
  void explain() {
    if (bench_.smmu->config().timed) return;
    const Response response =
        bench_.smmu->translate(0, SmmuBench::transaction(sid(), page(number(pages))), debug_effects);
    seen_.values.push_back(response.address.value);
  }
  void take_events() {
    for (const raw::Record& record : bench_.take_events()) seen_.records.push_back(record);
  }

  TimingBench bench_;
  std::mt19937_64 random_;
  unsigned raised_ = 0;
  Seen seen_;
};

/// Two threads that alternate: each waits for its turn, calls under the mutex, and acts on the result after unlock.
class Alternating {
 public:
  Alternating(Calls& calls, unsigned count) : calls_(calls), count_(count) {}

  void run() {
    std::thread other([this] { work(1); });
    work(0);
    other.join();
    for (const std::exception_ptr& failure : failures_) EXPECT_FALSE(failure);
  }
  unsigned made_by(unsigned thread) const { return made_[thread]; }

 private:
  void work(unsigned self) {
    for (unsigned n = self; n < count_; n += 2) {
      std::unique_lock<std::mutex> lock(mutex_);
      turn_changed_.wait(lock, [this, n] { return turn_ == n; });
      try {
        calls_.call();
      } catch (...) {
        failures_[self] = std::current_exception();
      }
      lock.unlock();
      calls_.post();
      ++made_[self];
      lock.lock();
      ++turn_;
      lock.unlock();
      turn_changed_.notify_all();
    }
  }

  Calls& calls_;
  unsigned count_;
  std::mutex mutex_;
  std::condition_variable turn_changed_;
  unsigned turn_ = 0;
  std::array<unsigned, 2> made_{};
  std::array<std::exception_ptr, 2> failures_{};
};

void expect_threads_change_nothing(const SmmuConfig& config) {
  constexpr unsigned count = 2'000;
  Calls alone(config);
  for (unsigned n = 0; n < count; ++n) {
    alone.call();
    alone.post();
  }
  const Seen expected = alone.finish();

  Calls shared(config);
  Alternating threads(shared, count);
  threads.run();
  EXPECT_EQ(threads.made_by(0), count / 2);
  EXPECT_EQ(threads.made_by(1), count / 2);
  EXPECT_TRUE(shared.finish() == expected);

  EXPECT_GT(expected.answers.size(), 500u);
  EXPECT_GT(expected.records.size(), 10u);
  EXPECT_GT(expected.interrupts.size(), 10u);
}

TEST(Threads, TimedMachineUnderOneMutexAnswersAsInOneThread) {
  expect_threads_change_nothing(TimingBench::prime_config());
}

TEST(Threads, UntimedMachineUnderOneMutexAnswersAsInOneThread) {
  SmmuConfig config = TimingBench::prime_config();
  config.timed = false;
  expect_threads_change_nothing(config);
}

TEST(Threads, TwoMachinesInTwoThreadsShareNothing) {
  constexpr unsigned count = 500;
  std::array<Seen, 2> seen;
  const auto work = [&seen](std::size_t self) {
    Calls calls(TimingBench::prime_config());
    for (unsigned n = 0; n < count; ++n) {
      calls.call();
      calls.post();
    }
    seen[self] = calls.finish();
  };
  std::thread other(work, 1);
  work(0);
  other.join();
  EXPECT_TRUE(seen[0] == seen[1]);
}

/// Random registers and random tables in a timed machine with traffic under way.
TEST(Threads, NoExceptionLeavesForHostileInput) {
  constexpr std::uint64_t seed = 77;
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  TimingBench bench;
  bench.stage1_stream(1);
  bench.map_page(1, va, TimingBench::target);
  const auto wild_words = [&](std::uint64_t start, unsigned bytes, unsigned count) {
    for (unsigned n = 0; n < count; ++n) bench.memory.store64(Pa(start + (random() % bytes & ~7ull)), random());
  };
  for (unsigned round = 0; round < 1'000; ++round) {
    ASSERT_NO_THROW({
      wild_words(TimingBench::strtab, 64u << TimingBench::strtab_log2, 4);
      wild_words(TimingBench::cds, 0x1000, 4);
      wild_words(TimingBench::tables, 0x8000, 16);
      wild_words(TimingBench::cmdq, 16u << TimingBench::cmdq_log2, 4);
      for (unsigned n = 0; n < 4; ++n) {
        const auto near = static_cast<std::uint32_t>(random() % (random() % 4 == 0 ? own_frame_size + 8 : 0x100));
        bench.smmu->write_register(near, random() >> (random() % 64), random() % 2 == 0 ? 4 : 8);
        bench.smmu->read_register(static_cast<std::uint32_t>(random()), static_cast<unsigned>(random() % 17));
      }
      if (round % 8 == 0) bench.set_up();
      for (unsigned n = 0; n < 4; ++n) {
        Transaction t = SmmuBench::transaction(static_cast<std::uint32_t>(random() >> (random() % 64)),
                                               random() >> (random() % 64), static_cast<AccessType>(random() % 3));
        if (n % 2 == 0) t.stream_id = StreamId(static_cast<std::uint32_t>(random() % 4));
        t.substream_valid = random() % 4 == 0;
        t.substream_id = SubstreamId(static_cast<std::uint32_t>(random() & 0xfffff));
        bench.send(t);
      }
      bench.run_for(1'000 * (random() % 2'000));
    }) << "round "
       << round;
  }
  bench.smmu->reset();
  bench.run();
  std::set<std::pair<Outcome, spec::EventType>> kinds;
  for (const auto& request : bench.sent) {
    ASSERT_TRUE(request.answered);
    kinds.emplace(request.response.outcome, request.response.event);
  }
  EXPECT_GE(kinds.size(), 8u) << "the input is too tame";
  EXPECT_TRUE(bench.smmu->idle());
  bench.set_up();
  for (unsigned at = 0; at < 0x8000; at += 8) bench.memory.store64(Pa(TimingBench::tables + at), 0);
  bench.stage1_stream(2);
  bench.map_page(2, va, TimingBench::target);
  EXPECT_EQ(bench.go(2, va).response.address, Pa(TimingBench::target));
}

}  // namespace
}  // namespace smmusim
