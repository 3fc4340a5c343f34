// SPDX-License-Identifier: MIT
// Small timed scenarios, cycle by cycle, against traces that are kept in this folder. They change only when somebody
// means to change the timing or the order of the model's accesses.
#include <gtest/gtest.h>

#include "tests/golden/golden_trace.h"
#include "tests/support/timing_bench.h"

namespace smmusim {
namespace {

constexpr std::uint64_t va = 0x12'3456'7000;
constexpr std::uint32_t sid = 5;

/// A trace under way: a writer that knows the bench's engine before the first happening.
class Scenario {
 public:
  Scenario() : bench(TimingBench::prime_config(), TimingBench::prime_memory(), &hush_) {
    bench.smmu = std::make_unique<Smmu>(bench.engine, bench.port, &trace, TimingBench::prime_config());
    trace.engine = &bench.engine;
    bench.set_up();
    bench.stage1_stream(sid);
    bench.map_page(sid, va, TimingBench::target);
    bench.map_page(sid, va + 0x1000, TimingBench::target + 0x5000);
  }
  void compare(const char* name) { expect_golden(name, trace.lines); }

 private:
  Observer hush_;

 public:
  TraceWriter trace;
  TimingBench bench;
};

TEST(Golden, FirstDmaOnAColdMachine) {
  Scenario s;
  s.trace.say("first DMA: nothing is cached");
  s.bench.go(sid, va + 0x123);
  s.compare("first_dma");
}

TEST(Golden, Hits) {
  Scenario s;
  s.bench.go(sid, va);
  s.bench.settle();
  s.trace.lines.clear();
  s.trace.say("three hits back to back, then the next page: one fetch");
  for (unsigned n = 0; n < 3; ++n) s.bench.send(sid, va + 0x40ull * n, AccessType::write);
  s.bench.run();
  s.bench.go(sid, va + 0x1000);
  s.compare("hits");
}

TEST(Golden, InvalidationAndSync) {
  Scenario s;
  s.bench.go(sid, va);
  s.bench.settle();
  s.trace.lines.clear();
  s.trace.say("a write is held; CMD_TLBI_NH_VA and CMD_SYNC with MSI wait for it");
  auto& held = s.bench.send(sid, va, AccessType::write, true);
  s.bench.push(
      raw::command(raw::cmd::TLBI_NH_VA, {{raw::cmd::ASID, sid}, {raw::cmd::Address, va >> 12}, {raw::cmd::Leaf, 1}}));
  s.bench.push(raw::command(raw::cmd::SYNC, {{raw::cmd::CS, 1}, {raw::cmd::MSIAddress, TimingBench::msi >> 2}}));
  s.bench.kick();
  s.bench.run_for(1'000'000);
  s.trace.say("the write is visible");
  s.bench.smmu->retire(held);
  s.bench.run();
  s.trace.say("the page is walked again, from the cached level-2 table");
  s.bench.go(sid, va);
  s.compare("invalidation_and_sync");
}

TEST(Golden, FaultWithEventAndMsi) {
  Scenario s;
  s.bench.w64(off::EVENTQ_IRQ_CFG0, TimingBench::msi);
  s.bench.w32(off::IRQ_CTRL, irq::EVENTQ);
  s.bench.go(sid, va);
  s.bench.settle();
  s.trace.lines.clear();
  s.trace.say("a write to a page that is not mapped, and a stream without an STE");
  s.bench.send(sid, va + 0x8000, AccessType::write);
  s.bench.send(9, 0x1000);
  s.bench.run();
  s.compare("fault_with_event");
}

TEST(Golden, WalkOvertakenByAnInvalidation) {
  Scenario s;
  s.bench.go(sid, va);
  s.bench.settle();
  s.trace.lines.clear();
  s.trace.say("CMD_TLBI_NSNH_ALL executes while two misses of one page wait for its descriptor");
  s.bench.issue(raw::command(raw::cmd::TLBI_NSNH_ALL));
  s.bench.send(sid, va + 0x1000);
  s.bench.send(sid, va + 0x1040);
  s.bench.run();
  s.compare("overtaken_walk");
}

}  // namespace
}  // namespace smmusim
