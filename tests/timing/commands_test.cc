// SPDX-License-Identifier: MIT
// The Command queue in time: how long commands take, what a CMD_SYNC waits for (IHI 0070 section 4.7), and
// invalidations that overtake walks and configuration fetches (section 3.21).
#include <gtest/gtest.h>

#include "tests/support/timing_bench.h"

namespace smmusim {
namespace {

constexpr std::uint64_t va = 0x12'3440'0000;
constexpr std::uint32_t sid = 5;
const raw::Command sync_command = raw::command(raw::cmd::SYNC);
const raw::Command tlbi_all = raw::command(raw::cmd::TLBI_NSNH_ALL);
const raw::Command cfgi_all = raw::command(raw::cmd::CFGI_STE_RANGE, {{raw::cmd::Range, 31}});

/// One stream; va is cached, the three pages behind it are mapped only.
class Commands : public testing::Test {
 protected:
  Commands() {
    bench.stage1_stream(sid);
    for (unsigned n = 0; n < 4; ++n) bench.map_page(sid, va + 0x1000ull * n, TimingBench::target + 0x1000ull * n);
    bench.go(sid, va);
    bench.settle();
  }
  void tlbi_page(std::uint64_t address) {
    bench.push(raw::command(raw::cmd::TLBI_NH_VA, {{raw::cmd::ASID, sid}, {raw::cmd::Address, address >> 12}}));
  }
  Time consumed(std::size_t nth) const {
    EXPECT_LT(nth, bench.recorder.commands.size());
    return nth < bench.recorder.commands.size() ? bench.recorder.commands[nth].when : 0;
  }
  TimingBench bench;
  const ExpectedTimes& t = bench.times;
};

TEST_F(Commands, EachTakesItsFetchAndItsExecution) {
  const Time start = bench.engine.now();
  bench.push(tlbi_all);
  bench.push(tlbi_all);
  bench.kick();
  bench.run();
  EXPECT_EQ(consumed(0), start + t.memory + t.command);
  EXPECT_EQ(consumed(1), consumed(0) + t.memory + t.command);
}

TEST_F(Commands, SyncAsksTheTbusEvenIfNothingIsUnderWay) {
  const Time start = bench.engine.now();
  bench.issue(sync_command);
  bench.run();
  EXPECT_EQ(consumed(0), start + t.memory + t.command + 2 * t.link);
}

TEST_F(Commands, SyncWaitsUntilAnOlderTransactionIsRetired) {
  RecordProperty("rule", "SM-CS-005 SM-TL-019");
  auto& older = bench.send(sid, va, AccessType::write, true);
  bench.run();
  ASSERT_TRUE(older.answered);
  bench.push(tlbi_all);
  bench.push(sync_command);
  bench.kick();
  bench.run_for(100 * t.memory);
  EXPECT_EQ(bench.recorder.commands.size(), 1u);
  EXPECT_FALSE(bench.all_consumed());
  const Time retired_at = bench.engine.now();
  bench.smmu->retire(older);
  bench.run();
  EXPECT_TRUE(bench.all_consumed());
  EXPECT_EQ(consumed(1), retired_at);
}

TEST_F(Commands, SyncDoesNotWaitForYoungerTransactions) {
  auto& older = bench.send(sid, va, AccessType::read, true);
  bench.run();
  bench.issue(sync_command);
  bench.run_for(2 * t.memory + t.command + 2 * t.link);  // the CMD_SYNC waits now
  auto& younger = bench.send(sid, va, AccessType::read, true);
  bench.run();
  ASSERT_TRUE(younger.answered);
  EXPECT_FALSE(bench.all_consumed());
  bench.smmu->retire(older);
  bench.run();
  EXPECT_TRUE(bench.all_consumed());
  bench.smmu->retire(younger);
}

TEST_F(Commands, SecondSyncWaitsForWhatTheFirstDidNot) {
  auto& older = bench.send(sid, va, AccessType::read, true);
  bench.run();
  bench.issue(sync_command);
  bench.run_for(2 * t.memory + t.command + 2 * t.link);
  auto& younger = bench.send(sid, va, AccessType::read, true);
  bench.run();
  bench.smmu->retire(older);
  bench.run();
  bench.issue(sync_command);
  bench.run();
  EXPECT_EQ(bench.recorder.commands.size(), 1u);
  bench.smmu->retire(younger);
  bench.run();
  EXPECT_EQ(bench.recorder.commands.size(), 2u);
}

TEST_F(Commands, SyncWaitsForATransactionThatIsStillWalking) {
  bench.issue(sync_command);
  bench.run_for(t.memory + t.command);  // before the TBUs have answered
  auto& walking = bench.send(sid, va + 0x1000);
  bench.run();
  EXPECT_EQ(consumed(0), walking.answered_at);
  EXPECT_EQ(bench.smmu->counters().syncs, 1u);
  EXPECT_EQ(bench.smmu->counters().sync_wait, consumed(0) - (walking.submitted_at));
}

TEST_F(Commands, SyncWaitsForEventRecordsOfTerminatedTransactions) {
  RecordProperty("rule", "SM-QU-007");
  const Time fault = bench.engine.now() + t.tcu_hit() + t.walk(1) - t.link;  // found; its record starts
  bench.send(sid, va + 0x5000);                                              // not mapped
  // The CMD_SYNC looks when the client has its abort already and the record is half on its way.
  bench.engine.run_until(fault + t.memory / 2 - (t.memory + t.command + 2 * t.link));
  bench.issue(sync_command);
  bench.run();
  ASSERT_LT(bench.sent.back().answered_at, fault + t.memory / 2);
  EXPECT_EQ(bench.recorder.done(Purpose::EVENT), fault + t.memory);
  EXPECT_EQ(consumed(0), fault + t.memory);
}

TEST_F(Commands, TransactionThatDoesNotProceedNeedsNoRetirement) {
  bench.send(sid, va + 0x5000, AccessType::read, true);
  bench.run();
  bench.issue(sync_command);
  bench.run();
  EXPECT_TRUE(bench.all_consumed());
}

TEST_F(Commands, MsiOfASyncIsWrittenAfterItCompleted) {
  bench.issue(raw::command(
      raw::cmd::SYNC,
      {{raw::cmd::CS, 1}, {raw::cmd::MSIAddress, TimingBench::msi >> 2}, {raw::cmd::MSIData, 0xcafe'f00d}}));
  bench.run();
  EXPECT_EQ(bench.recorder.done(Purpose::MSI), consumed(0) + t.memory);
  EXPECT_EQ(bench.memory.load64(Pa(TimingBench::msi)), 0xcafe'f00du);
}

// Invalidations that overtake.

TEST_F(Commands, InvalidationThatOvertakesAWalkKeepsItsResultOutOfAllCaches) {
  RecordProperty("rule", "SM-TL-019");
  const std::uint64_t page = va + 0x1000;
  tlbi_page(page);
  bench.kick();
  auto& overtaken = bench.send(sid, page);
  const Time fetch_starts = t.lookup + t.link + t.tcu_lookup + t.walk_cache;
  ASSERT_LT(fetch_starts, t.memory + t.command);             // the descriptor is read before the command executes …
  ASSERT_GT(fetch_starts + t.memory, t.memory + t.command);  // … and arrives after it
  bench.run_for(fetch_starts + t.cycle);
  bench.map_page(sid, page, TimingBench::target + 0x9'0000);
  bench.run();
  EXPECT_EQ(overtaken.response.address, Pa(TimingBench::target + 0x1000));
  EXPECT_EQ(bench.smmu->cache_counters(CacheId::tlb).dropped_fills, 1u);
  EXPECT_EQ(bench.smmu->cache_counters(CacheId::micro_tlb).dropped_fills, 1u);
  EXPECT_EQ(bench.smmu->cache_counters(CacheId::tlb).fills, 0u);
  EXPECT_EQ(bench.go(sid, page).response.address, Pa(TimingBench::target + 0x9'0000));
  EXPECT_EQ(bench.walks(), 2u);
}

TEST_F(Commands, InvalidationOfAnotherPageDropsNothing) {
  tlbi_page(va + 0x2000);
  bench.kick();
  bench.send(sid, va + 0x1000);
  bench.run();
  EXPECT_EQ(bench.smmu->cache_counters(CacheId::tlb).dropped_fills, 0u);
  EXPECT_EQ(bench.go(sid, va + 0x1000).took(), t.micro_hit());
}

TEST_F(Commands, InvalidationOnTheWayBackKeepsTheResultOutOfTheMicroTlb) {
  const std::uint64_t page = va + 0x1000;
  const Time start = bench.engine.now();
  const Time answered = start + t.tcu_hit() + t.walk(1);
  auto& request = bench.send(sid, page);
  bench.engine.run_until(answered - t.cycle - t.memory - t.command);
  tlbi_page(page);
  bench.kick();
  bench.run();
  ASSERT_EQ(request.answered_at, answered);
  ASSERT_EQ(consumed(0), answered - t.cycle);
  EXPECT_EQ(bench.smmu->cache_counters(CacheId::tlb).fills, 1u);
  EXPECT_EQ(bench.smmu->cache_counters(CacheId::tlb).invalidated, 1u);
  EXPECT_EQ(bench.smmu->cache_counters(CacheId::micro_tlb).dropped_fills, 1u);
  EXPECT_EQ(bench.go(sid, page).took(), t.tcu_hit() + t.walk(4));  // without Leaf the tables went too
}

TEST_F(Commands, InvalidationThatOvertakesAWalkDropsItsTablesToo) {
  bench.issue(tlbi_all);
  bench.settle();
  bench.send(sid, va);  // four levels
  bench.issue(tlbi_all);
  bench.run();
  // The command executes during the walk: tables that were read before it, or after it by this walk, are not kept.
  EXPECT_GE(bench.smmu->cache_counters(CacheId::walk_cache).dropped_fills, 1u);
  bench.recorder.forget();
  bench.go(sid, va);
  EXPECT_EQ(bench.recorder.count(Purpose::TTD), 4u);
}

TEST_F(Commands, ConfigurationInvalidationThatOvertakesAFetchKeepsItOutOfAllCaches) {
  RecordProperty("rule", "SM-TL-025");
  bench.issue(cfgi_all);
  bench.settle();
  bench.send(sid, va);
  bench.issue(cfgi_all);
  bench.run();
  ASSERT_GT(bench.recorder.done(Purpose::CD), consumed(0));
  EXPECT_EQ(bench.smmu->cache_counters(CacheId::config_cache).dropped_fills, 1u);
  EXPECT_EQ(bench.smmu->cache_counters(CacheId::stream_cache).fills, 0u);
  bench.recorder.forget();
  bench.go(sid, va);
  EXPECT_EQ(bench.recorder.count(Purpose::STE), 1u);
}

TEST_F(Commands, MissThatWaitedForAnOvertakenWalkWalksItself) {
  const std::uint64_t page = va + 0x1000;
  tlbi_page(page);
  bench.kick();
  bench.send(sid, page);
  auto& merged = bench.send(sid, page);
  bench.run();
  EXPECT_EQ(bench.walks(), 2u);
  EXPECT_EQ(merged.response.address, Pa(TimingBench::target + 0x1000));
}

TEST_F(Commands, ManyInvalidationsDuringAWalkDropItsResult) {
  SmmuConfig config = TimingBench::prime_config();
  LatencyPortConfig slow = TimingBench::prime_memory();
  config.tcu.walk_step_cycles = 5000;  // a long walk, during which more commands execute than are remembered
  TimingBench other(config, slow);
  other.stage1_stream(sid);
  other.map_page(sid, va, TimingBench::target);
  other.settle();
  for (int n = 0; n < 6; ++n) other.push(raw::command(raw::cmd::TLBI_NH_VA, {{raw::cmd::Address, 0x999}}));
  other.kick();
  other.send(sid, va);
  other.run();
  EXPECT_EQ(other.smmu->cache_counters(CacheId::tlb).fills, 0u);
  EXPECT_EQ(other.smmu->cache_counters(CacheId::tlb).dropped_fills, 1u);
}

}  // namespace
}  // namespace smmusim
