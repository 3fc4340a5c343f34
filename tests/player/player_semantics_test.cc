// SPDX-License-Identifier: MIT
// What the player waits for and what it does not, on small traces: closed loop, recorded, maps, invalidations.
#include "tests/player/direct_machine.h"

namespace smmusim::player_test {
namespace {

using trace::make_access;
using trace::make_range_invalidation;
using trace::Op;
using trace::Record;

constexpr std::uint32_t stream = 8;
constexpr std::uint64_t pa_a = 0x80000000;
constexpr std::uint64_t pa_b = 0x80010000;

Record access(std::uint64_t page, std::uint64_t pa, std::uint64_t time_ps = 0) {
  return make_access(time_ps, Op::read, stream, page << 12, 64, pa, 3);
}
Record invalidation(std::uint64_t page, std::uint64_t time_ps = 0) {
  return make_range_invalidation(time_ps, 1, page << 12, 1);
}

struct PlayerSemantics : ::testing::Test {
  DirectMachine& play(const std::vector<Record>& records, DirectConfig config = {}) {
    file = std::make_unique<TraceFile>(records);
    machine = std::make_unique<DirectMachine>(file->path(), config);
    machine->keep_events = true;
    machine->play();
    return *machine;
  }
  static DirectConfig timed() {
    DirectConfig config;
    config.timed = true;
    return config;
  }
  /// The n-th access of the trace to `page`, as it happened.
  DirectMachine::Event event(std::uint64_t page, std::size_t n) {
    std::vector<DirectMachine::Event> of_page;
    for (const auto& e : machine->events) {
      if (e.record.address >> 12 == page) of_page.push_back(e);
    }
    std::stable_sort(of_page.begin(), of_page.end(),
                     [](const auto& a, const auto& b) { return a.started < b.started; });
    return of_page.at(n);
  }
  std::unique_ptr<TraceFile> file;
  std::unique_ptr<DirectMachine> machine;
};

TEST_F(PlayerSemantics, AccessIsTranslatedThroughTheTableThatThePairWrote) {
  const auto& m = play({access(5, pa_a)});
  EXPECT_EQ(m.counters().checked, 1U);
  EXPECT_EQ(m.counters().mismatches, 0U);
  EXPECT_EQ(m.counters().maps, 1U);
  EXPECT_EQ(m.events.at(0).result.address, Pa(pa_a));
}

TEST_F(PlayerSemantics, EqualPairWritesTheTableOnce) {
  EXPECT_EQ(play({access(5, pa_a), access(5, pa_a), access(5, pa_a)}).counters().maps, 1U);
}

TEST_F(PlayerSemantics, ChangedPairWithoutInvalidationIsAMismatch) {
  for (const bool is_timed : {false, true}) {
    const auto& m = play({access(5, pa_a), access(5, pa_b)}, is_timed ? timed() : DirectConfig{});
    EXPECT_EQ(m.counters().checked, 2U);
    EXPECT_EQ(m.counters().mismatches, 1U);
    ASSERT_EQ(m.player().mismatches().size(), 1U);
    EXPECT_EQ(m.player().mismatches()[0].record_number, 2U);
    EXPECT_EQ(m.player().mismatches()[0].result.address, Pa(pa_a));
  }
}

TEST_F(PlayerSemantics, ChangedPairAfterItsInvalidationIsNone) {
  for (const bool is_timed : {false, true}) {
    const auto& m = play({access(5, pa_a), invalidation(5), access(5, pa_b)}, is_timed ? timed() : DirectConfig{});
    EXPECT_EQ(m.counters().mismatches, 0U);
    EXPECT_EQ(m.counters().maps, 2U);
  }
}

TEST_F(PlayerSemantics, InvalidationOfAnotherPageDoesNotHelp) {
  EXPECT_EQ(play({access(5, pa_a), access(6, pa_a), invalidation(6), access(5, pa_b)}).counters().mismatches, 1U);
}

TEST_F(PlayerSemantics, InvalidatedPageIsUnmapped) {
  Record bare = access(5, 0);
  bare.has_expected = false;
  bare.output = 0;
  bare.perm = 0;
  const auto& m = play({access(5, pa_a), invalidation(5), bare});
  EXPECT_EQ(m.counters().failed, 1U);
  EXPECT_EQ(m.counters().checked, 1U);
}

TEST_F(PlayerSemantics, WriteToAReadOnlyPairFails) {
  Record write = access(5, pa_a);
  write.op = Op::write;
  write.perm = trace::perm_read;
  const auto& m = play({write});
  EXPECT_EQ(m.counters().failed, 1U);
  EXPECT_EQ(m.counters().mismatches, 1U);
}

TEST_F(PlayerSemantics, CheckCanBeLeftOut) {
  DirectConfig config;
  config.player.check = false;
  const auto& m = play({access(5, pa_a), access(5, pa_b)}, config);
  EXPECT_EQ(m.counters().checked, 0U);
  EXPECT_EQ(m.counters().mismatches, 0U);
}

TEST_F(PlayerSemantics, LaterAccessToAnInvalidatedPageWaitsForTheSync) {
  play({access(5, pa_a), invalidation(5), access(5, pa_b)}, timed());
  const Time sync_wait = machine->counters().invalidation_time;
  EXPECT_GT(sync_wait, 0U);
  EXPECT_GE(event(5, 1).started, event(5, 0).completed + sync_wait);
}

TEST_F(PlayerSemantics, AccessToAnotherPageDoesNotWaitForAnInvalidation) {
  play({access(5, pa_a), invalidation(5), access(6, pa_b)}, timed());
  EXPECT_EQ(event(6, 0).started, event(5, 0).started);
}

TEST_F(PlayerSemantics, InvalidationOfEverythingHoldsUpEveryPage) {
  Record all;
  all.kind = trace::Kind::invalidate;
  all.invalidate_scope = trace::InvalidateScope::all;
  play({access(5, pa_a), all, access(6, pa_b)}, timed());
  EXPECT_GE(event(6, 0).started, event(5, 0).completed);
}

TEST_F(PlayerSemantics, MapOfAPageWaitsForAccessesInFlightToIt) {
  play({access(5, pa_a), access(5, pa_b), access(6, pa_b)}, timed());
  EXPECT_EQ(event(5, 1).started, event(5, 0).completed);
  EXPECT_EQ(event(6, 0).started, event(5, 0).started);
}

TEST_F(PlayerSemantics, OutstandingLimitOfTheDeviceIsKept) {
  DirectConfig config = timed();
  config.outstanding = 3;
  std::vector<Record> records;
  for (std::uint64_t i = 0; i != 20; ++i) records.push_back(access(i, pa_a));
  EXPECT_EQ(play(records, config).most_in_flight, 3U);
}

TEST_F(PlayerSemantics, LookAheadEndsAtTheWindow) {
  DirectConfig config = timed();
  config.player.window = 4;
  std::vector<Record> records;
  for (std::uint64_t i = 0; i != 20; ++i) records.push_back(access(i, pa_a));
  EXPECT_LE(play(records, config).most_in_flight, 4U);
}

TEST_F(PlayerSemantics, ClosedLoopIgnoresTimeStamps) {
  play({access(5, pa_a), access(6, pa_a, 1'000'000'000)}, timed());
  EXPECT_EQ(event(6, 0).started, event(5, 0).started);
}

TEST_F(PlayerSemantics, RecordedKeepsTimeStampsAsEarliestTimes) {
  DirectConfig config = timed();
  config.player.recorded = true;
  const Time second = 5'000'000;
  const Time third = 5'000'100;
  play({access(5, pa_a), access(6, pa_a, second), invalidation(6, second), access(6, pa_b, third)}, config);
  EXPECT_EQ(event(6, 0).started - event(5, 0).started, second);
  EXPECT_GT(event(6, 1).started, event(6, 0).completed);
  EXPECT_EQ(machine->counters().mismatches, 0U);
}

TEST_F(PlayerSemantics, MapAndUnmapRecordsWriteTheTable) {
  Record map;
  map.kind = trace::Kind::map;
  map.stream = stream;
  map.address = 0x40000000;
  map.output = pa_b;
  map.pages = 40;
  map.granule_log2 = 12;
  map.perm = 3;
  Record unmap = map;
  unmap.kind = trace::Kind::unmap;
  unmap.output = 0;
  unmap.perm = 0;
  Record probe = access(0x40027, 0);
  probe.has_expected = false;
  probe.output = 0;
  probe.perm = 0;
  play({map, probe, unmap, invalidation(0x40027), probe});
  EXPECT_TRUE(machine->events.at(0).result.completed);
  EXPECT_EQ(machine->events.at(0).result.address, Pa(pa_b + 0x27000));
  EXPECT_FALSE(machine->events.at(1).result.completed);
}

TEST_F(PlayerSemantics, AnExpectedAddressThatCanNotBeMappedIsAnError) {
  EXPECT_THROW(play({access(std::uint64_t{1} << 40, pa_a)}), trace::TraceError);
  EXPECT_THROW(play({access(5, std::uint64_t{1} << 50)}), trace::TraceError);
}

TEST_F(PlayerSemantics, EmptyTraceEndsAtOnce) {
  EXPECT_EQ(play({}).counters().records, 0U);
}

TEST_F(PlayerSemantics, TwoStreamsWithTheSameAddressesKeepTheirOwnTables) {
  std::vector<Record> records;
  for (std::uint64_t i = 0; i != 30; ++i) {
    Record other = access(5, pa_b + (i << 12));
    other.stream = 9;
    records.push_back(access(5, pa_a + (i << 12)));
    records.push_back(other);
    records.push_back(make_range_invalidation(0, 1, 5 << 12, 1));
    records.push_back(make_range_invalidation(0, 2, 5 << 12, 1));
  }
  for (const bool is_timed : {false, true}) {
    EXPECT_EQ(play(records, is_timed ? timed() : DirectConfig{}).counters().mismatches, 0U);
  }
}

}  // namespace
}  // namespace smmusim::player_test
