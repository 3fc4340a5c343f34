// SPDX-License-Identifier: MIT
// What limits throughput: the lookup's issue interval, translation slots, walkers; and what relieves it: misses of one
// page or one stream share one walk or fetch.
#include <gtest/gtest.h>

#include <vector>

#include "tests/support/timing_bench.h"

namespace smmusim {
namespace {

constexpr std::uint64_t va = 0x12'3440'0000;  // 2 MiB aligned: 512 pages share their tables
constexpr std::uint32_t sid = 5;

/// A bench whose stream has `pages` mapped pages from va on, configuration and tables cached, pages not.
class Warm {
 public:
  explicit Warm(const SmmuConfig& config, unsigned pages = 16) : bench(config) {
    bench.stage1_stream(sid);
    for (unsigned n = 0; n < pages; ++n) bench.map_page(sid, page(n), TimingBench::target + 0x1000ull * n);
    bench.map_page(sid, page(511), TimingBench::target);
    bench.go(sid, page(511));
    bench.settle();
  }
  static std::uint64_t page(unsigned n) { return va + 0x1000ull * n; }
  std::vector<TimingBench::Sent*> send_pages(unsigned count) {
    std::vector<TimingBench::Sent*> requests;
    for (unsigned n = 0; n < count; ++n) requests.push_back(&bench.send(sid, page(n)));
    bench.run();
    return requests;
  }
  TimingBench bench;
  const ExpectedTimes& t = bench.times;
};

TEST(Interval, BackToBackHitsLeaveAnIntervalApart) {
  SmmuConfig config = TimingBench::prime_config();
  config.tbu.lookup_cycles = 5;
  config.tbu.lookup_interval_cycles = 3;
  Warm warm(config);
  std::vector<TimingBench::Sent*> requests;
  for (int n = 0; n < 6; ++n) requests.push_back(&warm.bench.send(sid, Warm::page(511)));
  warm.bench.run();
  for (std::size_t n = 0; n < requests.size(); ++n) {
    EXPECT_EQ(requests[n]->took(), warm.t.micro_hit() + n * warm.t.lookup_interval) << n;
  }
}

TEST(Interval, HitsAreNotHeldUpByMissesBeforeThem) {
  Warm warm(TimingBench::prime_config());
  auto& miss = warm.bench.send(sid, Warm::page(0));
  auto& hit = warm.bench.send(sid, Warm::page(511));
  warm.bench.run();
  EXPECT_EQ(hit.took(), warm.t.micro_hit() + warm.t.lookup_interval);
  EXPECT_LT(hit.answered_at, miss.answered_at);
}

TEST(Walkers, SoManyWalkAtATime) {
  for (const unsigned walkers : {1u, 2u, 5u}) {
    SmmuConfig config = TimingBench::prime_config();
    config.tcu.walkers = walkers;
    Warm warm(config);
    warm.send_pages(3 * walkers);
    EXPECT_EQ(warm.bench.port.most_at_once(Purpose::TTD, warm.t.memory), walkers);
    EXPECT_EQ(warm.bench.walks(), 3 * walkers);
  }
}

TEST(Walkers, NextWalkStartsWhenAWalkerIsFree) {
  SmmuConfig config = TimingBench::prime_config();
  config.tcu.walkers = 2;
  Warm warm(config);
  const auto requests = warm.send_pages(6);
  for (std::size_t n = 2; n < requests.size(); ++n) {
    EXPECT_EQ(requests[n]->answered_at - requests[n - 2]->answered_at, warm.t.walk(1)) << n;
  }
}

TEST(Walkers, WalkerIsHeldForTheWholeMissConfigurationIncluded) {
  SmmuConfig config = TimingBench::prime_config();
  config.tcu.walkers = 1;
  TimingBench bench(config);
  for (const std::uint32_t stream : {1u, 2u}) {
    bench.stage1_stream(stream);
    bench.map_page(stream, va, TimingBench::target);
  }
  bench.settle();
  auto& first = bench.send(1, va);
  auto& second = bench.send(2, va);
  bench.run();
  const Time miss = 2 * bench.times.memory + bench.times.walk(4);
  EXPECT_EQ(first.took(), bench.times.tcu_hit() + miss);
  EXPECT_EQ(second.answered_at - first.answered_at, miss);
}

TEST(Walkers, WhatAnotherWalkBroughtMeanwhileIsNotWalkedAgain) {
  SmmuConfig config = TimingBench::prime_config();
  config.tcu.walkers = 1;
  Warm warm(config);
  warm.bench.map(sid, va + 0x4000'0000, raw::block(TimingBench::target), 2);
  auto& first = warm.bench.send(sid, va + 0x4000'0000);
  auto& second = warm.bench.send(sid, va + 0x4000'5000);  // another page of the same block
  warm.bench.run();
  EXPECT_EQ(warm.bench.walks(), 1u);
  EXPECT_EQ(second.answered_at, first.answered_at);
  EXPECT_EQ(second.response.address, Pa(TimingBench::target + 0x5000));
}

TEST(Walkers, TcuHitNeedsNoWalker) {
  SmmuConfig config = TimingBench::prime_config();
  config.tcu.walkers = 1;
  config.tbu.micro_tlb.entries = 0;  // so that a hit reaches the TCU
  Warm warm(config);
  auto& miss = warm.bench.send(sid, Warm::page(0));
  auto& hit = warm.bench.send(sid, Warm::page(511));
  warm.bench.run();
  EXPECT_EQ(hit.took(), warm.t.tcu_hit() + warm.t.lookup_interval);
  EXPECT_LT(hit.answered_at, miss.answered_at);
}

TEST(Walkers, EventRecordNeedsNoWalker) {
  SmmuConfig config = TimingBench::prime_config();
  config.tcu.walkers = 1;
  Warm warm(config);
  auto& faulting = warm.bench.send(sid, Warm::page(100));  // not mapped
  auto& waiting = warm.bench.send(sid, Warm::page(0));
  warm.bench.run();
  EXPECT_EQ(faulting.response.event, spec::EventType::F_TRANSLATION);
  // The second walk runs while the record of the first is being written.
  EXPECT_EQ(waiting.answered_at - faulting.answered_at, warm.t.walk(1));
}

TEST(TranslationSlots, SoManyTranslationsInFlight) {
  SmmuConfig config = TimingBench::prime_config();
  config.tbu.translation_slots = 3;
  Warm warm(config);
  const auto requests = warm.send_pages(6);
  const Time miss = warm.t.tcu_hit() + warm.t.walk(1);
  EXPECT_EQ(requests[0]->took(), miss);
  EXPECT_EQ(requests[2]->took(), miss + 2 * warm.t.lookup_interval);
  // The fourth enters the lookup when the first is answered.
  EXPECT_EQ(requests[3]->answered_at - requests[0]->answered_at, miss);
  EXPECT_EQ(warm.bench.port.most_at_once(Purpose::TTD, warm.t.memory), 3u);
}

TEST(TranslationSlots, OneSlotAnswersInOrder) {
  SmmuConfig config = TimingBench::prime_config();
  config.tbu.translation_slots = 1;
  Warm warm(config);
  const auto requests = warm.send_pages(4);
  for (std::size_t n = 1; n < requests.size(); ++n) {
    EXPECT_EQ(requests[n]->answered_at - requests[n - 1]->answered_at, warm.t.tcu_hit() + warm.t.walk(1));
  }
}

// Merging.

TEST(Merging, TwoMissesOfOnePageMakeOneWalk) {
  Warm warm(TimingBench::prime_config());
  auto& first = warm.bench.send(sid, Warm::page(0));
  auto& second = warm.bench.send(sid, Warm::page(0) + 0x800);
  warm.bench.run();
  EXPECT_EQ(warm.bench.walks(), 1u);
  EXPECT_EQ(warm.bench.recorder.count(Purpose::TTD), 1u);
  EXPECT_EQ(second.response.address, Pa(TimingBench::target + 0x800));
  EXPECT_EQ(second.answered_at, first.answered_at);
}

TEST(Merging, MissThatWaitsForAnothersWalkHoldsNoWalker) {
  SmmuConfig config = TimingBench::prime_config();
  config.tcu.walkers = 2;
  Warm warm(config);
  auto& first = warm.bench.send(sid, Warm::page(0));
  warm.bench.send(sid, Warm::page(0));
  auto& other = warm.bench.send(sid, Warm::page(1));
  warm.bench.run();
  EXPECT_EQ(other.answered_at - first.answered_at, 2 * warm.t.lookup_interval);
}

TEST(Merging, ManyMissesOfOnePageMakeOneWalkAlsoWithOneWalker) {
  SmmuConfig config = TimingBench::prime_config();
  config.tcu.walkers = 1;
  Warm warm(config);
  warm.bench.send(sid, Warm::page(1));
  for (int n = 0; n < 8; ++n) warm.bench.send(sid, Warm::page(0));
  warm.bench.run();
  EXPECT_EQ(warm.bench.walks(), 2u);
}

TEST(Merging, MissesOfOneStreamMakeOneConfigurationFetch) {
  TimingBench bench;
  bench.stage1_stream(sid);
  for (unsigned n = 0; n < 4; ++n) bench.map_page(sid, Warm::page(n), TimingBench::target + 0x1000ull * n);
  bench.settle();
  for (unsigned n = 0; n < 4; ++n) bench.send(sid, Warm::page(n));
  bench.run();
  EXPECT_EQ(bench.recorder.count(Purpose::STE), 1u);
  EXPECT_EQ(bench.recorder.count(Purpose::CD), 1u);
  for (unsigned n = 0; n < 4; ++n) EXPECT_EQ(bench.sent[n].response.address, Pa(TimingBench::target + 0x1000ull * n));
}

TEST(Merging, MissesOfOnePageInTwoAddressSpacesAreNotMerged) {
  TimingBench bench;
  for (const std::uint32_t stream : {1u, 2u}) {
    bench.stage1_stream(stream);
    bench.map_page(stream, va, TimingBench::target + 0x10'0000ull * stream);
  }
  bench.settle();
  auto& first = bench.send(1, va);
  auto& second = bench.send(2, va);
  bench.run();
  EXPECT_EQ(bench.walks(), 2u);
  EXPECT_EQ(first.response.address, Pa(TimingBench::target + 0x10'0000));
  EXPECT_EQ(second.response.address, Pa(TimingBench::target + 0x20'0000));
}

TEST(Merging, FaultingMissesOfOnePageAllGetTheirFault) {
  Warm warm(TimingBench::prime_config());
  for (int n = 0; n < 3; ++n) warm.bench.send(sid, Warm::page(100));
  warm.bench.run();
  for (const auto& request : warm.bench.sent) {
    if (request.transaction.address != Va(Warm::page(100))) continue;
    EXPECT_TRUE(request.answered);
    EXPECT_EQ(request.response.event, spec::EventType::F_TRANSLATION);
  }
  EXPECT_EQ(warm.bench.take_events().size(), 3u);
}

}  // namespace
}  // namespace smmusim
