// SPDX-License-Identifier: MIT
// What AccessStatistics makes of completions: classes, sums of times, intervals of the run.
#include "platform/system/access_statistics.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace smmusim {
namespace {

using platform::DmaCompletion;
using platform::DmaStatus;
using platform::DmaWork;

struct Access {
  DmaWork work{};
  platform::RequestResult smmu{};
  platform::AtcUse atc = platform::AtcUse::none;
  DmaStatus status = DmaStatus::ok;
  Time issued = 0, completed = 0;
  DmaCompletion completion() const { return {work, status, issued, completed, smmu, atc, {}}; }
};

struct Row {
  Reach reach;
  AccessClass expect;
};

TEST(AccessStatistics, ClassIsHowFarTheTranslationWent) {
  constexpr Row rows[] = {{Reach::tbu, AccessClass::micro_tlb},
                          {Reach::tcu, AccessClass::tlb},
                          {Reach::joined, AccessClass::joined_walk},
                          {Reach::walk, AccessClass::walk},
                          {Reach::configuration, AccessClass::configuration}};
  for (const Row& row : rows) {
    Access access;
    access.smmu.reach = row.reach;
    EXPECT_EQ(class_of(access.completion()), row.expect) << name_of(row.expect);
  }
}

TEST(AccessStatistics, FailedAccessIsAFaultWhateverItTook) {
  Access access;
  access.smmu.reach = Reach::walk;
  access.status = DmaStatus::aborted;
  EXPECT_EQ(class_of(access.completion()), AccessClass::fault);
}

TEST(AccessStatistics, TranslatedAccessIsTheDevices) {
  Access access;
  access.work.ats = AtsType::translated;
  EXPECT_EQ(class_of(access.completion()), AccessClass::translated);
}

TEST(AccessStatistics, WhatTheAtcDidIsTheClassOfItsAccesses) {
  Access access;
  access.smmu.reach = Reach::walk;  // of a translated access the SMMU has nothing to walk
  access.atc = platform::AtcUse::hit;
  EXPECT_EQ(class_of(access.completion()), AccessClass::atc);
  access.atc = platform::AtcUse::requested;
  EXPECT_EQ(class_of(access.completion()), AccessClass::translation_request);
  access.atc = platform::AtcUse::paged;
  EXPECT_EQ(class_of(access.completion()), AccessClass::page_request);
}

TEST(AccessStatistics, WhatIsNeitherTranslationNorMemoryIsLink) {
  Access access;
  access.issued = 100;
  access.completed = 1100;
  access.smmu.translation_time = 300;
  access.smmu.memory_time = 200;
  AccessStatistics statistics;
  statistics.add(access.completion(), 0);
  statistics.add(access.completion(), 0);
  const ClassStatistics& hits = statistics.of(AccessClass::micro_tlb);
  EXPECT_EQ(hits.latency.sum(), 2000u);
  EXPECT_EQ(hits.translation, 600u);
  EXPECT_EQ(hits.memory, 400u);
  EXPECT_EQ(hits.link(), 1000u);
}

TEST(AccessStatistics, TotalIsAllClassesTogether) {
  AccessStatistics statistics;
  Access access;
  for (const Time latency : {Time{50}, Time{5000}, Time{700}}) {
    access.completed = latency;
    access.smmu.reach = latency > 60 ? Reach::walk : Reach::tbu;
    statistics.add(access.completion(), 0);
  }
  const LatencyHistogram& all = statistics.total().latency;
  EXPECT_EQ(all.count(), 3u);
  EXPECT_EQ(all.min(), 50u);
  EXPECT_EQ(all.max(), 5000u);
  EXPECT_EQ(all.sum(), 5750u);
  EXPECT_EQ(all.percentile(1), 50u);
  EXPECT_EQ(all.percentile(1000), 5000u);
}

TEST(Timeline, AccessBelongsToTheIntervalOfItsEnd) {
  Timeline timeline;
  timeline.add(0, 64, 10);
  timeline.add(timeline.width() - 1, 64, 20);
  timeline.add(3 * timeline.width(), 32, 5);
  ASSERT_EQ(timeline.intervals().size(), 4u);
  EXPECT_EQ(timeline.intervals()[0].bytes, 128u);
  EXPECT_EQ(timeline.intervals()[0].latency, 30u);
  EXPECT_EQ(timeline.intervals()[1].transactions, 0u);
  EXPECT_EQ(timeline.intervals()[3].bytes, 32u);
}

/// Each access stays in the interval that covers its time, however often the intervals were joined.
TEST(Timeline, IntervalsGrowWithTheRun) {
  Timeline timeline;
  constexpr Time step = 700;
  constexpr unsigned accesses = 10'000;
  for (unsigned i = 0; i != accesses; ++i) timeline.add(i * step, 1, 0);
  EXPECT_LE(timeline.intervals().size(), Timeline::intervals_max);
  EXPECT_GT(timeline.intervals().size(), Timeline::intervals_max / 2);
  for (std::size_t interval = 0; interval != timeline.intervals().size(); ++interval) {
    const Time begin = interval * timeline.width(), end = begin + timeline.width();
    const auto first_at = [](Time time) { return std::min<Time>((time + step - 1) / step, accesses); };
    EXPECT_EQ(timeline.intervals()[interval].bytes, first_at(end) - first_at(begin)) << interval;
  }
}

TEST(Timeline, LongPauseCostsNoMemory) {
  Timeline timeline;
  timeline.add(0, 1, 0);
  timeline.add(Time{1} << 50, 1, 0);
  EXPECT_LE(timeline.intervals().size(), Timeline::intervals_max);
  EXPECT_EQ(timeline.intervals().front().bytes, 1u);
  EXPECT_EQ(timeline.intervals().back().bytes, 1u);
}

}  // namespace
}  // namespace smmusim
