// SPDX-License-Identifier: MIT
// PlayPlan: which streams a trace has and which ASID belongs to each.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>

#include "platform/player/play_plan.h"
#include "platform/trace/error.h"
#include "platform/trace/writer.h"

namespace smmusim {
namespace {

using trace::make_access;
using trace::make_range_invalidation;
using trace::Op;
using trace::Record;

PlayPlan plan_of(const std::vector<Record>& records) {
  const std::string path = ::testing::TempDir() + "plan_" + std::to_string(getpid()) + ".trace";
  trace::Writer writer(path, {.encoding = trace::Encoding::text, .compress = false});
  for (const Record& record : records) writer.write(record);
  writer.close();
  PlayPlan plan = plan_play(path);
  std::remove(path.c_str());
  return plan;
}

Record access(std::uint32_t stream, std::uint64_t page) {
  return make_access(0, Op::read, stream, page << 12, 64, 0x80000000, 3);
}
Record invalidation(std::uint16_t asid, std::uint64_t page) {
  return make_range_invalidation(0, asid, page << 12, 1);
}

TEST(PlayPlan, EmptyTraceHasNoStreams) {
  EXPECT_TRUE(plan_of({}).streams.empty());
}

TEST(PlayPlan, StreamIsNamedByTheInvalidationsOfItsPages) {
  const PlayPlan plan = plan_of({access(8, 1), invalidation(2, 1)});
  ASSERT_EQ(plan.streams.size(), 1U);
  EXPECT_EQ(plan.streams[0].stream, 8U);
  EXPECT_EQ(plan.streams[0].asid, 2U);
  EXPECT_EQ(plan.streams[0].first_record, 1U);
  EXPECT_EQ(plan.records, 2U);
}

TEST(PlayPlan, StreamThatNothingNamesGetsAnAsidOfItsOwn) {
  const PlayPlan plan = plan_of({access(8, 1), invalidation(1, 1), access(9, 50)});
  ASSERT_EQ(plan.streams.size(), 2U);
  EXPECT_EQ(plan.streams[0].asid, 1U);
  EXPECT_EQ(plan.streams[1].asid, 2U);
}

Record access_of(std::uint32_t substream, std::uint64_t page) {
  Record record = access(8, page);
  record.has_substream = true;
  record.substream = substream;
  return record;
}

TEST(PlayPlan, SubstreamsAreAddressSpacesOfTheirOwn) {
  const PlayPlan plan = plan_of({access_of(5, 1), invalidation(3, 1), access_of(2, 9), invalidation(4, 9)});
  ASSERT_EQ(plan.streams.size(), 1U);
  ASSERT_EQ(plan.streams[0].substreams.size(), 2U);
  EXPECT_EQ(plan.streams[0].substreams[0].substream, 2U);
  EXPECT_EQ(plan.streams[0].substreams[0].asid, 4U);
  EXPECT_EQ(plan.streams[0].substreams[1].substream, 5U);
  EXPECT_EQ(plan.streams[0].substreams[1].asid, 3U);
  EXPECT_EQ(plan.streams[0].asid, 1U);  // nothing names it
}

/// Where the trace says whose an ASID is, nothing else counts, before or after the first use.
TEST(PlayPlan, ARecordedContextDecides) {
  const PlayPlan plan = plan_of({access_of(5, 1), invalidation(3, 1), trace::make_context_change(0, 8, 5, 7),
                                 trace::make_context_change(0, 8, 6, 3), access_of(6, 1), invalidation(7, 1)});
  ASSERT_EQ(plan.streams[0].substreams.size(), 2U);
  EXPECT_EQ(plan.streams[0].substreams[0].asid, 7U);
  EXPECT_EQ(plan.streams[0].substreams[1].asid, 3U);
  EXPECT_THROW(plan_of({trace::make_context_change(0, 8, 5, 7), trace::make_context_change(0, 8, 5, 8)}),
               trace::TraceError);
}

/// As a driver does that invalidates lazily: pages get other outputs after an invalidation of all of their ASID.
TEST(PlayPlan, StreamIsNamedByTheAsidAfterWhichItsPagesChange) {
  Record all_of_asid;
  all_of_asid.kind = trace::Kind::invalidate;
  all_of_asid.invalidate_scope = trace::InvalidateScope::asid;
  all_of_asid.has_asid = true;
  std::vector<Record> records;
  for (std::uint64_t i = 0; i != 10; ++i) {
    for (const std::uint32_t stream : {8U, 9U}) {
      all_of_asid.asid = static_cast<std::uint16_t>(stream - 5);
      records.push_back(make_access(0, Op::read, stream, 0x1000, 64, 0x80000000 + (i << 12), 3));
      records.push_back(make_access(0, Op::read, stream, 0x5000, 64, 0x90000000, 3));
      records.push_back(all_of_asid);
    }
    all_of_asid.asid = 7;
    if (i % 2 != 0) records.push_back(all_of_asid);
  }
  const PlayPlan plan = plan_of(records);
  ASSERT_EQ(plan.streams.size(), 2U);
  EXPECT_EQ(plan.streams[0].asid, 3U);
  EXPECT_EQ(plan.streams[1].asid, 4U);
}

TEST(PlayPlan, TwoSpacesWithTheSameAddressesAreToldApart) {
  std::vector<Record> records;
  for (int i = 0; i != 10; ++i) {
    records.push_back(access(8, 1));
    records.push_back(access(9, 1));
    records.push_back(invalidation(3, 1));
    records.push_back(invalidation(4, 1));
  }
  const PlayPlan plan = plan_of(records);
  EXPECT_NE(plan.streams[0].asid, plan.streams[1].asid);
}

TEST(PlayPlan, StreamsOfOneSpaceShareItsAsid) {
  const PlayPlan plan = plan_of({access(8, 1), access(9, 2), invalidation(5, 1), invalidation(5, 2)});
  EXPECT_EQ(plan.streams[0].asid, 5U);
  EXPECT_EQ(plan.streams[1].asid, 5U);
}

}  // namespace
}  // namespace smmusim
