// SPDX-License-Identifier: MIT
// Smmu::reset() and destruction at every cycle of a mixed workload (design.md: legal at any cycle with walks in
// flight). Meant to be run under the address sanitizer too.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/timing_bench.h"

namespace smmusim {
namespace {

constexpr std::uint64_t va = 0x12'3440'0000;
constexpr std::uint64_t own_registers = va + 0x40'0000;

/// Few slots and walkers and a small event buffer, so that somebody waits at each of them.
SmmuConfig tight_config() {
  SmmuConfig config = TimingBench::prime_config();
  config.tbu.translation_slots = 6;
  config.tcu.walkers = 2;
  config.tcu.event_buffer = 1;
  return config;
}
LatencyPortConfig short_latency() {
  LatencyPortConfig port;
  port.latency_ps = 9'000;
  return port;
}

/// Hits, misses, merged misses, faults of several kinds, invalidations, prefetch, CMD_SYNC with MSI, event MSI.
class Workload {
 public:
  Workload() : bench(tight_config(), short_latency()) {
    for (const std::uint32_t sid : {1u, 2u}) {
      bench.stage1_stream(sid);
      for (unsigned n = 0; n < 4; ++n) bench.map_page(sid, va + 0x1000ull * n, TimingBench::target + 0x1000ull * n);
    }
    bench.map(2, own_registers, 0x0905'0000 | 3, 2);  // a walk that ends inside the SMMU
    bench.put_ste(3, raw::Ste{}.with({{raw::ste::V, 1}, {raw::ste::Config, 4}, {raw::ste::SHCFG, 1}}));
    bench.put_ste(4, raw::Ste{}.with({{raw::ste::V, 1}, {raw::ste::Config, 7}}));  // illegal here
  }
  /// Interrupts on, one page cached; idle.
  void prepare() {
    bench.w64(off::EVENTQ_IRQ_CFG0, TimingBench::msi);
    bench.w32(off::IRQ_CTRL, irq::EVENTQ);
    bench.go(1, va);
    bench.settle();
  }
  /// Starts everything at the present instant.
  void start() {
    first_ = bench.sent.size();
    bench.push(raw::command(raw::cmd::TLBI_NH_VA, {{raw::cmd::ASID, 1}, {raw::cmd::Address, (va + 0x1000) >> 12}}));
    bench.push(
        raw::command(raw::cmd::PREFETCH_ADDR, {{raw::cmd::StreamID, 2}, {raw::cmd::Address, (va + 0x3000) >> 12}}));
    bench.push(raw::command(raw::cmd::CFGI_STE, {{raw::cmd::StreamID, 2}, {raw::cmd::Leaf, 1}}));
    bench.push(raw::command(raw::cmd::SYNC, {{raw::cmd::CS, 1}, {raw::cmd::MSIAddress, (TimingBench::msi + 8) >> 2}}));
    bench.kick();
    for (unsigned n = 0; n < 5; ++n) {
      bench.send(1, va + 0x1000ull * n);  // the last one is not mapped
      bench.send(2, va + 0x1000ull * n, AccessType::write);
    }
    bench.send(1, va + 0x1000);
    bench.send(2, own_registers);
    bench.send(3, 0x7777'0000);
    bench.send(4, 0x1000);
    bench.send(60, 0x1000);        // V=0
    bench.send(0x1'0000, 0x1000);  // beyond the stream table
    bench.send(1, std::uint64_t{1} << 50);
  }
  std::vector<Response> responses() const {
    std::vector<Response> all;
    for (std::size_t n = first_; n < bench.sent.size(); ++n) all.push_back(bench.sent[n].response);
    return all;
  }
  bool all_answered() const {
    for (const auto& request : bench.sent) {
      if (!request.answered) return false;
    }
    return true;
  }
  TimingBench bench;

 private:
  std::size_t first_ = 0;
};

void expect_equal(const std::vector<Response>& a, const std::vector<Response>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t n = 0; n < a.size(); ++n) {
    ASSERT_EQ(a[n].outcome, b[n].outcome) << "request " << n;
    ASSERT_EQ(a[n].address, b[n].address) << "request " << n;
    ASSERT_EQ(a[n].event, b[n].event) << "request " << n;
  }
}

/// The undisturbed run.
struct Undisturbed {
  Undisturbed() {
    Workload work;
    work.prepare();
    const Time start = work.bench.engine.now();
    work.start();
    work.bench.run();
    length = work.bench.engine.now() - start;
    responses = work.responses();
    events = work.bench.take_events().size();
    complete = work.all_answered() && work.bench.all_consumed() && work.bench.smmu->idle();
  }
  Time length = 0;
  std::vector<Response> responses;
  std::size_t events = 0;
  bool complete = false;
};

TEST(Reset, UndisturbedWorkloadEndsAndHasFaults) {
  const Undisturbed undisturbed;
  EXPECT_TRUE(undisturbed.complete);
  EXPECT_EQ(undisturbed.events, 7u);
  EXPECT_GT(undisturbed.length, 100'000u);
}

TEST(Reset, AtEveryCycleAnswersWhatWasInsideAndStartsAfresh) {
  const Undisturbed undisturbed;
  for (Time instant = 0; instant <= undisturbed.length; instant += 1000) {
    SCOPED_TRACE("reset after " + std::to_string(instant) + " ps");
    Workload work;
    work.prepare();
    work.start();
    work.bench.run_for(instant);
    work.bench.smmu->reset();
    EXPECT_TRUE(work.bench.smmu->idle());
    EXPECT_EQ(work.bench.r32(off::CR0ACK), 0u);
    work.bench.run();
    ASSERT_TRUE(work.all_answered());
    EXPECT_EQ(work.bench.engine.waiting(), 0u);
    work.bench.set_up();
    work.prepare();
    work.start();
    work.bench.run();
    ASSERT_TRUE(work.all_answered());
    EXPECT_TRUE(work.bench.all_consumed());
    EXPECT_TRUE(work.bench.smmu->idle());
    EXPECT_EQ(work.bench.take_events().size(), undisturbed.events);
    ASSERT_NO_FATAL_FAILURE(expect_equal(work.responses(), undisturbed.responses));
  }
}

TEST(Reset, RequestsInsideAreAborted) {
  Workload work;
  work.prepare();
  auto& inside = work.bench.send(1, va + 0x1000);
  work.bench.run_for(5'000);
  work.bench.smmu->reset();
  EXPECT_FALSE(inside.answered);  // not inside the caller
  work.bench.run();
  EXPECT_TRUE(inside.answered);
  EXPECT_EQ(inside.response.outcome, Outcome::abort);
}

TEST(Reset, RetiringARequestOfBeforeTheResetIsHarmless) {
  Workload work;
  work.prepare();
  auto& old = work.bench.send(1, va, AccessType::read, true);
  work.bench.run();
  ASSERT_EQ(old.response.outcome, Outcome::proceed);
  work.bench.smmu->reset();
  work.bench.set_up();
  auto& fresh = work.bench.send(1, va, AccessType::read, true);
  work.bench.run();
  work.bench.smmu->retire(old);
  work.bench.issue(raw::command(raw::cmd::SYNC));
  work.bench.run();
  EXPECT_FALSE(work.bench.all_consumed());  // the fresh one still counts
  work.bench.smmu->retire(fresh);
  work.bench.run();
  EXPECT_TRUE(work.bench.all_consumed());
}

TEST(Reset, TwiceInARowIsAsOnce) {
  Workload work;
  work.prepare();
  work.start();
  work.bench.run_for(20'000);
  work.bench.smmu->reset();
  work.bench.smmu->reset();
  work.bench.run();
  EXPECT_TRUE(work.all_answered());
  EXPECT_TRUE(work.bench.smmu->idle());
}

TEST(Destruction, AtEveryCycleLeavesNothingOfItInTheEngine) {
  const Undisturbed undisturbed;
  for (Time instant = 0; instant <= undisturbed.length; instant += 1000) {
    SCOPED_TRACE("destroyed after " + std::to_string(instant) + " ps");
    Workload work;
    work.prepare();
    work.start();
    work.bench.run_for(instant);
    work.bench.smmu.reset();
    EXPECT_EQ(work.bench.engine.waiting(), 0u);
    work.bench.run();
  }
}

}  // namespace
}  // namespace smmusim
