// SPDX-License-Identifier: MIT
// How long a translation takes along each path, as a sum of the configuration's parameters: micro TLB hit, TCU hit,
// walks with warm and cold walk cache, configuration misses with linear and two-level stream tables, bypass, abort.
#include <gtest/gtest.h>

#include "tests/support/timing_bench.h"

namespace smmusim {
namespace {

constexpr std::uint64_t va = 0x12'3456'7000;
constexpr std::uint32_t sid = 5;

class Path : public testing::Test {
 protected:
  Path() {
    bench.stage1_stream(sid);
    bench.map_page(sid, va, TimingBench::target);
    bench.map_page(sid, va + 0x1000, TimingBench::target + 0x1000);
    bench.settle();
  }
  /// Everything cached that a translation of `va` needs; nothing recorded.
  void warm() {
    bench.go(sid, va);
    bench.settle();
  }
  void invalidate(const raw::Command& command) {
    bench.issue(command);
    bench.settle();
  }
  TimingBench bench;
  const ExpectedTimes& t = bench.times;
};

TEST_F(Path, MicroTlbHitTakesItsLookup) {
  warm();
  EXPECT_EQ(bench.go(sid, va).took(), t.micro_hit());
  EXPECT_EQ(bench.recorder.accesses.size(), 0u);
}

TEST_F(Path, LookupStartsAtAClockEdge) {
  warm();
  bench.run_for(t.cycle / 4);
  EXPECT_EQ(bench.go(sid, va).took(), t.cycle - t.cycle / 4 + t.micro_hit());
}

TEST_F(Path, ColdTranslationFetchesSteCdAndFourLevels) {
  const auto& request = bench.go(sid, va);
  EXPECT_EQ(request.response.address, Pa(TimingBench::target));
  EXPECT_EQ(request.took(), t.tcu_hit() + 2 * t.memory + t.walk(4));
  expect_gap(bench.port, Purpose::STE, Purpose::CD, t.memory);
  expect_gap(bench.port, Purpose::CD, Purpose::TTD, t.memory + t.walk_cache);
  expect_gap(bench.port, Purpose::TTD, Purpose::TTD, t.memory + t.walk_step);
  EXPECT_EQ(bench.recorder.count(Purpose::TTD), 4u);
}

TEST_F(Path, FirstFetchComesAfterLookupLinkAndTcuLookup) {
  const auto& request = bench.go(sid, va);
  EXPECT_EQ(bench.recorder.done(Purpose::STE), request.submitted_at + t.lookup + t.link + t.tcu_lookup + t.memory);
}

TEST_F(Path, WarmWalkCacheLeavesOneFetch) {
  warm();
  const auto& request = bench.go(sid, va + 0x1000);
  EXPECT_EQ(request.took(), t.tcu_hit() + t.walk(1));
  EXPECT_EQ(bench.recorder.count(Purpose::TTD), 1u);
}

TEST_F(Path, ColdWalkWithWarmConfigurationTakesFourFetches) {
  warm();
  invalidate(raw::command(raw::cmd::TLBI_NSNH_ALL));
  EXPECT_EQ(bench.go(sid, va).took(), t.tcu_hit() + t.walk(4));
  EXPECT_EQ(bench.recorder.count(Purpose::STE), 0u);
}

TEST_F(Path, TableOfLevel1IsUsedForAnother2MiB) {
  bench.map_page(sid, va + 0x20'0000, TimingBench::target);
  warm();
  EXPECT_EQ(bench.go(sid, va + 0x20'0000).took(), t.tcu_hit() + t.walk(2));
}

TEST_F(Path, ConfigurationMissWithWarmTlbFetchesSteAndCd) {
  warm();
  invalidate(raw::command(raw::cmd::CFGI_STE_RANGE, {{raw::cmd::Range, 31}}));
  EXPECT_EQ(bench.go(sid, va).took(), t.tcu_hit() + 2 * t.memory);
  EXPECT_EQ(bench.recorder.count(Purpose::TTD), 0u);
}

TEST_F(Path, StreamThatBypassesNeedsItsSteOnly) {
  bench.put_ste(6, raw::Ste{}.with({{raw::ste::V, 1}, {raw::ste::Config, 4}, {raw::ste::SHCFG, 1}}));
  EXPECT_EQ(bench.go(6, 0x1000).took(), t.tcu_hit() + t.memory);
  EXPECT_EQ(bench.go(6, 0x7000'0000).took(), t.micro_hit());
}

TEST_F(Path, DisabledSmmuAnswersAfterItsLookup) {
  bench.w32(off::CR0, 0);
  EXPECT_EQ(bench.go(sid, va).took(), t.micro_hit());
  EXPECT_EQ(bench.sent.back().response.address, Pa(va));
}

TEST_F(Path, FaultIsAnsweredWithoutWaitingForItsRecord) {
  warm();
  const auto& request = bench.go(sid, va + 0x5000);  // level 3 is invalid
  EXPECT_EQ(request.response.event, spec::EventType::F_TRANSLATION);
  EXPECT_EQ(request.took(), t.tcu_hit() + t.walk(1));
  expect_gap(bench.port, Purpose::TTD, Purpose::EVENT, t.memory + t.walk_step);
}

TEST_F(Path, AddressOutOfRangeIsFoundBeforeAnyWalk) {
  warm();
  const auto& request = bench.go(sid, std::uint64_t{1} << 50);
  EXPECT_EQ(request.response.event, spec::EventType::F_TRANSLATION);
  EXPECT_EQ(bench.recorder.count(Purpose::TTD), 0u);
}

TEST(PathWithoutMicroTlb, WarmTcuAnswersAfterBothLinks) {
  SmmuConfig config = TimingBench::prime_config();
  config.tbu.micro_tlb.entries = 0;
  TimingBench bench(config);
  bench.stage1_stream(sid);
  bench.map_page(sid, va, TimingBench::target);
  bench.go(sid, va);
  bench.settle();
  EXPECT_EQ(bench.go(sid, va).took(), bench.times.tcu_hit());
  EXPECT_EQ(bench.recorder.accesses.size(), 0u);
}

TEST(PathWithoutWalkCache, EveryWalkStartsAtTheTopAndWaitsForNone) {
  SmmuConfig config = TimingBench::prime_config();
  config.tcu.walk_cache.entries = 0;
  TimingBench bench(config);
  bench.stage1_stream(sid);
  bench.map_page(sid, va, TimingBench::target);
  bench.map_page(sid, va + 0x1000, TimingBench::target);
  bench.go(sid, va);
  bench.settle();
  EXPECT_EQ(bench.go(sid, va + 0x1000).took(),
            bench.times.tcu_hit() + 4 * (bench.times.memory + bench.times.walk_step));
  EXPECT_EQ(bench.recorder.count(Purpose::TTD), 4u);
}

TEST(PathTwoLevel, L1stdIsFetchedBeforeTheSte) {
  TimingBench bench;
  bench.stage1_stream(sid);
  bench.map_page(sid, va, TimingBench::target);
  // The same STEs as the second level of a table with SPLIT = 6: one L1STD that spans 2^6 of them.
  constexpr std::uint64_t l1 = TimingBench::msi;
  bench.memory.store64(Pa(l1), TimingBench::strtab | 7);
  bench.w32(off::CR0, 0);
  bench.w64(off::STRTAB_BASE, l1);
  bench.w32(off::STRTAB_BASE_CFG, 1u << 16 | 6u << 6 | 8);
  bench.w32(off::CR0, cr0::SMMUEN | cr0::CMDQEN | cr0::EVENTQEN);
  bench.settle();
  const ExpectedTimes& t = bench.times;
  const auto& request = bench.go(sid, va);
  EXPECT_EQ(request.response.outcome, Outcome::proceed);
  EXPECT_EQ(request.took(), t.tcu_hit() + 3 * t.memory + t.walk(4));
  expect_gap(bench.port, Purpose::L1STD, Purpose::STE, t.memory);
  expect_gap(bench.port, Purpose::STE, Purpose::CD, t.memory);
}

TEST(PathTwoLevel, L1cdIsFetchedBetweenSteAndCd) {
  SmmuConfig config = TimingBench::prime_config();
  config.features.ssidsize = 8;
  config.features.cd2l = true;
  TimingBench bench(config);
  bench.stage1_stream(sid);
  bench.map_page(sid, va, TimingBench::target);
  // One L1CD whose leaf of 64 CDs is the bench's table: SubstreamID n finds the CD of StreamID n.
  bench.memory.store64(Pa(TimingBench::msi), TimingBench::cds | 1);
  using namespace raw;
  bench.put_ste(7, Ste{}.with({{ste::V, 1},
                               {ste::Config, 5},
                               {ste::S1Fmt, 1},
                               {ste::S1ContextPtr, TimingBench::msi >> 6},
                               {ste::S1CDMax, 8},
                               {ste::SHCFG, 1}}));
  bench.settle();
  Transaction t = SmmuBench::transaction(7, va);
  t.substream_valid = true;
  t.substream_id = SubstreamId(sid);
  const auto& request = bench.send(t);
  bench.run();
  EXPECT_EQ(request.response.address, Pa(TimingBench::target));
  EXPECT_EQ(request.took(), bench.times.tcu_hit() + 3 * bench.times.memory + bench.times.walk(4));
  expect_gap(bench.port, Purpose::STE, Purpose::L1CD, bench.times.memory);
  expect_gap(bench.port, Purpose::L1CD, Purpose::CD, bench.times.memory);
}

TEST(PathClock, EveryUnitRunsAtTheConfiguredClock) {
  SmmuConfig config = TimingBench::prime_config();
  config.tcu.clock_mhz = 500;
  TimingBench bench(config);
  bench.stage1_stream(sid);
  bench.map_page(sid, va, TimingBench::target);
  bench.settle();
  EXPECT_EQ(bench.times.cycle, 2000u);
  EXPECT_EQ(bench.go(sid, va).took(), bench.times.tcu_hit() + 2 * bench.times.memory + bench.times.walk(4));
}

TEST_F(Path, ResponseSaysHowFarTheTranslationWent) {
  EXPECT_EQ(bench.go(sid, va).response.reach, Reach::configuration);
  EXPECT_EQ(bench.go(sid, va).response.reach, Reach::tbu);
  EXPECT_EQ(bench.go(sid, va + 0x1000).response.reach, Reach::walk);
}

TEST_F(Path, ResponseOfTheTcusCachesSaysSo) {
  SmmuConfig config = TimingBench::prime_config();
  config.tbu.micro_tlb.entries = 0;
  TimingBench without(config);
  without.stage1_stream(sid);
  without.map_page(sid, va, TimingBench::target);
  without.go(sid, va);
  EXPECT_EQ(without.go(sid, va).response.reach, Reach::tcu);
}

TEST_F(Path, ResponseAfterAnothersWalkSaysSo) {
  warm();
  const auto& first = bench.send(sid, va + 0x1000);
  const auto& second = bench.send(sid, va + 0x1000);
  bench.run();
  EXPECT_EQ(first.response.reach, Reach::walk);
  EXPECT_EQ(second.response.reach, Reach::joined);
  EXPECT_EQ(bench.walks(), 1u);
}

}  // namespace
}  // namespace smmusim
