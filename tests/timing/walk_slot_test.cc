// SPDX-License-Identifier: MIT
// Walk slots when memory does not answer (design: a whole walk holds one slot, configuration fetches included; queue,
// MSI and event writes never wait for one): commands, event records and interrupts go on, and everything else does
// when memory answers again.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "tests/support/timing_bench.h"

namespace smmusim {
namespace {

constexpr std::uint64_t va = 0x12'3440'0000;
constexpr std::uint64_t event_msi = TimingBench::msi, gerror_msi = TimingBench::msi + 0x10;
constexpr std::uint64_t sync_msi = TimingBench::msi + 0x20;
constexpr std::uint32_t sid = 5;
constexpr unsigned walkers = 2;

/// A port that keeps what walks fetch until it is told to let go; everything else passes.
class HoldingPort final : public MemoryPort {
 public:
  explicit HoldingPort(MemoryPort& next) : next_(next) {}

  bool start(MemoryRequest& request) override {
    if (!holding || !of_a_walk(request.purpose)) return next_.start(request);
    held.push_back(&request);
    return false;
  }
  void abandon(const Scope& scope) override {
    std::erase_if(held, [&scope](const MemoryRequest* request) { return request->scope == &scope; });
    next_.abandon(scope);
  }
  /// Passes on what is held; what comes from now on is held only if `holding` stays set.
  void release() {
    for (MemoryRequest* request : std::exchange(held, {})) next_.start(*request);
  }
  std::size_t count(Purpose purpose) const {
    return static_cast<std::size_t>(
        std::count_if(held.begin(), held.end(), [purpose](const MemoryRequest* r) { return r->purpose == purpose; }));
  }

  bool holding = false;
  std::vector<MemoryRequest*> held;

 private:
  static bool of_a_walk(Purpose purpose) {
    return purpose == Purpose::L1STD || purpose == Purpose::STE || purpose == Purpose::L1CD || purpose == Purpose::CD ||
           purpose == Purpose::TTD;
  }
  MemoryPort& next_;
};

SmmuConfig few_walkers() {
  SmmuConfig config = TimingBench::prime_config();
  config.tcu.walkers = walkers;
  return config;
}

/// Stream `sid` has `va` cached read-only, and more pages that are not cached. Interrupts go out as MSIs.
class WalkSlots : public testing::Test {
 protected:
  WalkSlots() : bench(few_walkers()), port(bench.port) {
    bench.smmu.reset();
    bench.smmu = std::make_unique<Smmu>(bench.engine, port, &bench.recorder, few_walkers());
    bench.set_up();
    for (std::uint32_t stream = 1; stream < 9; ++stream) bench.stage1_stream(stream);
    for (unsigned n = 1; n < 9; ++n) bench.map_page(sid, page(n), TimingBench::target + 0x1000ull * n);
    bench.map(sid, va, raw::page(TimingBench::target, raw::af | raw::ng | raw::ap_unprivileged | raw::ap_read_only));
    bench.w64(off::EVENTQ_IRQ_CFG0, event_msi);
    bench.w32(off::EVENTQ_IRQ_CFG1, 0xe1);
    bench.w64(off::GERROR_IRQ_CFG0, gerror_msi);
    bench.w32(off::GERROR_IRQ_CFG1, 0x6e);
    bench.w32(off::IRQ_CTRL, irq::EVENTQ | irq::GERROR);
    bench.go(sid, va);
    bench.settle();
    bench.smmu->take_interrupts();
    port.holding = true;
  }
  static std::uint64_t page(unsigned n) { return va + 0x1000ull * n; }

  /// More misses than walkers, in memory that does not answer.
  void occupy_all_walkers() {
    for (unsigned n = 1; n < walkers + 3; ++n) misses.push_back(&bench.send(sid, page(n)));
    bench.run();
    ASSERT_EQ(port.held.size(), walkers);
    for (const auto* miss : misses) ASSERT_FALSE(miss->answered);
  }
  void expect_all_answered_after_release() {
    port.holding = false;
    port.release();
    bench.run();
    for (const auto& request : bench.sent) EXPECT_TRUE(request.answered);
    for (const auto* miss : misses) EXPECT_EQ(miss->response.outcome, Outcome::proceed);
    EXPECT_TRUE(bench.smmu->idle());
  }
  std::uint32_t word_at(std::uint64_t address) { return static_cast<std::uint32_t>(bench.memory.load64(Pa(address))); }

  ~WalkSlots() override { bench.smmu.reset(); }  // it lets go of its port, which goes before the bench

  TimingBench bench;
  HoldingPort port;
  std::vector<TimingBench::Sent*> misses;
};

TEST_F(WalkSlots, InvalidationsAreConsumedWhileEveryWalkHangs) {
  occupy_all_walkers();
  bench.push(raw::command(raw::cmd::CFGI_STE, {{raw::cmd::StreamID, 2}, {raw::cmd::Leaf, 1}}));
  bench.push(raw::command(raw::cmd::CFGI_CD, {{raw::cmd::StreamID, 2}, {raw::cmd::Leaf, 1}}));
  bench.push(raw::command(raw::cmd::TLBI_NH_ASID, {{raw::cmd::ASID, 2}}));
  bench.kick();
  bench.run();
  EXPECT_TRUE(bench.all_consumed());
  expect_all_answered_after_release();
}

TEST_F(WalkSlots, EventRecordAndItsMsiAreWrittenWhileEveryWalkHangs) {
  occupy_all_walkers();
  auto& faulting = bench.send(sid, va, AccessType::write);  // the cached page is read-only: no walk
  bench.run();
  ASSERT_TRUE(faulting.answered);
  EXPECT_EQ(faulting.response.event, spec::EventType::F_PERMISSION);
  const auto records = bench.take_events();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].get(raw::ev::Type), raw::ev::F_PERMISSION);
  EXPECT_EQ(word_at(event_msi), 0xe1u);
  EXPECT_NE(bench.smmu->take_interrupts() & wire_eventq, 0u);
  expect_all_answered_after_release();
}

TEST_F(WalkSlots, CommandErrorAndItsGerrorMsiComeWhileEveryWalkHangs) {
  occupy_all_walkers();
  bench.issue(raw::command(0xff));
  bench.run();
  EXPECT_EQ((bench.r32(off::GERROR) ^ bench.r32(off::GERRORN)) & gerror::CMDQ_ERR, gerror::CMDQ_ERR);
  EXPECT_EQ(word_at(gerror_msi), 0x6eu);
  EXPECT_NE(bench.smmu->take_interrupts() & wire_gerror, 0u);
  expect_all_answered_after_release();
}

TEST_F(WalkSlots, MoreRecordsThanTheBufferHoldsAreWrittenWhileEveryWalkHangs) {
  occupy_all_walkers();
  const unsigned faults = 2 * bench.smmu->config().tcu.event_buffer + 1;
  for (unsigned n = 0; n < faults; ++n) bench.send(sid, va, AccessType::write);
  bench.run();
  EXPECT_EQ(bench.take_events().size(), faults);
  expect_all_answered_after_release();
}

TEST_F(WalkSlots, SyncWithMsiWaitsForTheOlderWalksOnly) {
  occupy_all_walkers();
  const raw::Command sync = raw::command(
      raw::cmd::SYNC, {{raw::cmd::CS, 1}, {raw::cmd::MSIAddress, sync_msi >> 2}, {raw::cmd::MSIData, 0x51}});
  bench.issue(sync);
  bench.run();
  EXPECT_FALSE(bench.all_consumed()) << "older transactions are not complete (section 4.7)";
  // The older ones complete; younger ones take all walkers again, and memory does not answer those.
  for (unsigned n = 5; n < 5 + walkers; ++n) bench.send(sid, page(n));
  while (!std::all_of(misses.begin(), misses.end(), [](const auto* miss) { return miss->answered; })) {
    ASSERT_FALSE(port.held.empty());
    port.release();
    bench.run();
  }
  ASSERT_EQ(port.held.size(), walkers);
  EXPECT_TRUE(bench.all_consumed());
  EXPECT_EQ(word_at(sync_msi), 0x51u);
  expect_all_answered_after_release();
}

TEST_F(WalkSlots, WalkHoldsOneSlotFromItsConfigurationToItsLeaf) {
  for (const std::uint32_t stream : {1u, 2u, 3u, 4u}) {
    bench.map_page(stream, va, TimingBench::target);
    misses.push_back(&bench.send(stream, va));
  }
  bench.run();
  // Six fetches each, one at a time; the two streams that have begun keep their slots all the way.
  const Purpose path[] = {Purpose::STE, Purpose::CD, Purpose::TTD, Purpose::TTD, Purpose::TTD, Purpose::TTD};
  for (const Purpose purpose : path) {
    EXPECT_EQ(port.held.size(), walkers);
    EXPECT_EQ(port.count(purpose), walkers) << name_of(purpose);
    EXPECT_EQ(bench.recorder.responses.size(), 0u);
    port.release();
    bench.run();
  }
  EXPECT_TRUE(misses[0]->answered);
  EXPECT_TRUE(misses[1]->answered);
  EXPECT_FALSE(misses[2]->answered);
  EXPECT_EQ(port.count(Purpose::STE), walkers) << "the next two begin with their configuration";
  expect_all_answered_after_release();
}

TEST_F(WalkSlots, ResetWhileEveryWalkHangsGivesTheSlotsBack) {
  occupy_all_walkers();
  bench.smmu->reset();
  EXPECT_TRUE(port.held.empty());
  bench.run();
  for (const auto* miss : misses) EXPECT_TRUE(miss->answered);
  port.holding = false;
  bench.set_up();
  EXPECT_EQ(bench.go(sid, page(1)).response.outcome, Outcome::proceed);
  EXPECT_TRUE(bench.smmu->idle());
}

}  // namespace
}  // namespace smmusim
