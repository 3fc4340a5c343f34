// SPDX-License-Identifier: MIT
// The Linux driver's updates of live STEs and CDs, row by row of its own unit tests
// (shared/reference/acs-and-kunit.md), replayed with traffic before, between and after all stores and CMD_SYNCs (IHI
// 0070 sections 3.21.3, 4.3, 5.2.1, 5.4.1). The entry must never look like a third state, and no answer may come from
// one.
#include <gtest/gtest.h>

#include "tests/support/linux_update_bench.h"

namespace smmusim::linux_driver {
namespace {

namespace cd = raw::cd;
constexpr std::uint64_t terminate = 0, bypassed = 1, ssid0 = 2;
constexpr UpdateBench::Flags ats{.ats = true}, stalling{.stalling = true};

struct Row {
  const char* what;
  Change (*change)(UpdateBench&);
  bool hitless;
  std::size_t syncs;
};

const Row ste_rows[] = {
    {"bypass -> abort", [](UpdateBench& b) { return b.ste_change(b.bypass_end(), b.abort_end()); }, true, 2},
    {"abort -> bypass", [](UpdateBench& b) { return b.ste_change(b.abort_end(), b.bypass_end()); }, true, 2},
    {"cdtable -> abort", [](UpdateBench& b) { return b.ste_change(b.cdtable_end(0, ssid0, ats), b.abort_end()); }, true,
     2},
    {"abort -> cdtable", [](UpdateBench& b) { return b.ste_change(b.abort_end(), b.cdtable_end(0, ssid0, ats)); }, true,
     2},
    {"cdtable -> bypass", [](UpdateBench& b) { return b.ste_change(b.cdtable_end(0, ssid0, ats), b.bypass_end()); },
     true, 3},
    {"bypass -> cdtable", [](UpdateBench& b) { return b.ste_change(b.bypass_end(), b.cdtable_end(0, ssid0, ats)); },
     true, 3},
    {"cdtable, S1DSS SSID0 -> bypass",
     [](UpdateBench& b) { return b.ste_change(b.cdtable_end(0, ssid0, ats), b.cdtable_end(0, bypassed, ats)); }, true,
     1},
    {"cdtable, S1DSS bypass -> SSID0",
     [](UpdateBench& b) { return b.ste_change(b.cdtable_end(0, bypassed, ats), b.cdtable_end(0, ssid0, ats)); }, true,
     1},
    {"cdtable with S1DSS bypass -> bypass",
     [](UpdateBench& b) { return b.ste_change(b.cdtable_end(0, bypassed, ats), b.bypass_end()); }, true, 2},
    {"bypass -> cdtable with S1DSS bypass",
     [](UpdateBench& b) { return b.ste_change(b.bypass_end(), b.cdtable_end(0, bypassed, ats)); }, true, 2},
    {"s2 -> abort", [](UpdateBench& b) { return b.ste_change(b.s2_end(ats), b.abort_end()); }, true, 2},
    {"abort -> s2", [](UpdateBench& b) { return b.ste_change(b.abort_end(), b.s2_end(ats)); }, true, 2},
    {"s2 -> bypass", [](UpdateBench& b) { return b.ste_change(b.s2_end(ats), b.bypass_end()); }, true, 2},
    {"bypass -> s2", [](UpdateBench& b) { return b.ste_change(b.bypass_end(), b.s2_end(ats)); }, true, 2},
    {"s1 -> s2", [](UpdateBench& b) { return b.ste_change(b.cdtable_end(0, ssid0, ats), b.s2_end(ats)); }, true, 3},
    {"s2 -> s1", [](UpdateBench& b) { return b.ste_change(b.s2_end(ats), b.cdtable_end(0, ssid0, ats)); }, true, 3},
    {"another CD table and S1DSS at once",
     [](UpdateBench& b) { return b.ste_change(b.cdtable_end(0, bypassed, ats), b.cdtable_end(1, ssid0, ats)); }, false,
     3},
    {"s1 -> s2, stalling",
     [](UpdateBench& b) { return b.ste_change(b.cdtable_end(0, ssid0, stalling), b.s2_end(stalling)); }, true, 3},
    {"s2 -> s1, stalling",
     [](UpdateBench& b) { return b.ste_change(b.s2_end(stalling), b.cdtable_end(0, ssid0, stalling)); }, true, 3},
    {"nested cdtable with S1DSS bypass -> s2",
     [](UpdateBench& b) { return b.ste_change(b.nested_end(bypassed, ats), b.s2_end()); }, true, 3},
    {"s2 -> nested cdtable with S1DSS bypass",
     [](UpdateBench& b) { return b.ste_change(b.s2_end(), b.nested_end(bypassed, ats)); }, true, 2},
    // Not in the driver's tests, but what it does.
    {"cdtable, ATS off",
     [](UpdateBench& b) { return b.ste_change(b.cdtable_end(0, ssid0, ats), b.cdtable_end(0, ssid0)); }, true, 1},
    {"cdtable, ATS on",
     [](UpdateBench& b) { return b.ste_change(b.cdtable_end(0, ssid0), b.cdtable_end(0, ssid0, ats)); }, true, 1},
    {"nested cdtable -> abort", [](UpdateBench& b) { return b.ste_change(b.nested_end(ssid0, ats), b.abort_end()); },
     true, 2},
    {"abort -> nested cdtable", [](UpdateBench& b) { return b.ste_change(b.abort_end(), b.nested_end(ssid0, ats)); },
     true, 2},
    {"cdtable, S1DSS terminate -> another table",
     [](UpdateBench& b) { return b.ste_change(b.cdtable_end(0, terminate), b.cdtable_end(1, terminate)); }, true, 1},
    {"s1 -> s2 of another VMID",
     [](UpdateBench& b) { return b.ste_change(b.cdtable_end(0, ssid0), b.s2_end({.vmid = 7})); }, false, 3},
    {"s1 with ATS -> s2, stalling",
     [](UpdateBench& b) { return b.ste_change(b.cdtable_end(0, ssid0, ats), b.s2_end(stalling)); }, false, 3}};

/// The CD change of `ssid` between two ends; TLB entries of the old one may serve until the driver's TLBI.
Change lagging(UpdateBench& b, std::uint32_t ssid, const End& from, const End& to) {
  Change change = b.cd_change(ssid, from, to);
  change.tlb_lags[ssid] = true;
  return change;
}

const Row cd_rows[] = {
    {"s1 -> cleared", [](UpdateBench& b) { return b.cd_change(0, b.cd_end(0, 30), b.cleared_end(0)); }, false, 2},
    {"cleared -> s1", [](UpdateBench& b) { return b.cd_change(0, b.cleared_end(0), b.cd_end(0, 30)); }, false, 2},
    {"another ASID", [](UpdateBench& b) { return b.cd_change(0, b.cd_end(0, 30), b.cd_end(0, 31)); }, true, 1},
    {"and back", [](UpdateBench& b) { return b.cd_change(0, b.cd_end(0, 31), b.cd_end(0, 30)); }, true, 1},
    {"sva -> cleared", [](UpdateBench& b) { return b.cd_change(1, b.sva_end(1, 40), b.cleared_end(1)); }, false, 2},
    {"cleared -> sva", [](UpdateBench& b) { return b.cd_change(1, b.cleared_end(1), b.sva_end(1, 40)); }, false, 2},
    {"sva -> release", [](UpdateBench& b) { return lagging(b, 1, b.sva_end(1, 40), b.release_end(1, 40)); }, true, 2},
    {"release -> sva", [](UpdateBench& b) { return b.cd_change(1, b.release_end(1, 40), b.sva_end(1, 40)); }, true, 2},
    {"release -> cleared", [](UpdateBench& b) { return b.cd_change(1, b.release_end(1, 40), b.cleared_end(1)); }, false,
     2}};

bool valid(const Change& change, const Entry& entry) {
  return entry.get(change.kind == &stream_table_entry ? raw::ste::V : cd::V) != 0;
}

/// The sequence itself: as many CMD_SYNCs as the driver's tests expect, and no V=0 where both ends are valid.
void expect_sequence(const Row& row) {
  SCOPED_TRACE(row.what);
  UpdateBench bench(update_config());
  const Change change = row.change(bench);
  const Update update = plan_update(*change.kind, change.from.entry, change.to.entry);
  EXPECT_EQ(update.steps.size(), row.syncs);
  Entry entry = change.from.entry;
  bool always_valid = valid(change, entry);
  for (const Step& step : update.steps) {
    for (const Store& store : step) {
      entry.dw[store.word] = store.value;
      always_valid = always_valid && valid(change, entry);
    }
  }
  EXPECT_EQ(entry, change.to.entry);
  EXPECT_EQ(always_valid, row.hitless);
}

/// Traffic at every point, then at each point alone and at each pair of points.
std::vector<std::uint64_t> interleavings(std::size_t points) {
  std::vector<std::uint64_t> all{~std::uint64_t{0}};
  for (std::size_t i = 0; i < points; ++i) {
    for (std::size_t j = i; j < points; ++j) all.push_back(std::uint64_t{1} << i | std::uint64_t{1} << j);
  }
  return all;
}

void replay_everywhere(const Row& row, bool caches) {
  std::size_t points = 1;
  {
    UpdateBench bench(update_config());
    const Change change = row.change(bench);
    points = UpdateBench::points(plan_update(*change.kind, change.from.entry, change.to.entry));
  }
  for (const bool descending : {false, true}) {
    for (const std::uint64_t at : interleavings(points)) {
      SCOPED_TRACE(testing::Message() << row.what << (descending ? ", descending" : "") << ", points 0x" << std::hex
                                      << at);
      UpdateBench bench(update_config(caches));
      bench.replay(row.change(bench), at, descending);
      if (testing::Test::HasFailure()) return;
    }
  }
}

TEST(SpecLinuxDriverUpdate, SequencesAreTheDrivers) {
  for (const Row& row : ste_rows) expect_sequence(row);
  for (const Row& row : cd_rows) expect_sequence(row);
}

TEST(SpecLinuxDriverUpdate, StreamTableEntries) {
  RecordProperty("rule", "SM-CC-001 SM-CC-009 SM-ST-018 SM-ST-030");
  for (const Row& row : ste_rows) replay_everywhere(row, true);
}

TEST(SpecLinuxDriverUpdate, StreamTableEntriesWithoutCaches) {
  RecordProperty("rule", "SM-ST-018 SM-ST-026 SM-ST-019");
  for (const Row& row : ste_rows) replay_everywhere(row, false);
}

TEST(SpecLinuxDriverUpdate, ContextDescriptors) {
  RecordProperty("rule", "SM-CC-004 SM-CC-009 SM-CD-001 SM-CD-005");
  for (const Row& row : cd_rows) replay_everywhere(row, true);
}

TEST(SpecLinuxDriverUpdate, ContextDescriptorsWithoutCaches) {
  RecordProperty("rule", "SM-CD-001 SM-CD-005 SM-CD-011");
  for (const Row& row : cd_rows) replay_everywhere(row, false);
}

void replay_in_flight(const Row& row) {
  for (const bool caches : {true, false}) {
    for (const bool descending : {false, true}) {
      for (Time gap = 0; gap <= 2'400'000; gap += 31'000 + gap / 4) {
        SCOPED_TRACE(testing::Message() << row.what << ", caches " << caches << ", descending " << descending
                                        << ", gap " << gap << " ps");
        UpdateBench bench(update_config(caches, true), 60'000);
        bench.replay_timed(row.change(bench), gap, descending);
        if (testing::Test::HasFailure()) return;
      }
    }
  }
}

TEST(SpecLinuxDriverUpdate, StreamTableEntriesWithWalksUnderWay) {
  RecordProperty("rule", "SM-TL-025 SM-CC-008 SM-CS-005 SM-CC-009");
  for (const Row& row : ste_rows) replay_in_flight(row);
}

TEST(SpecLinuxDriverUpdate, ContextDescriptorsWithWalksUnderWay) {
  RecordProperty("rule", "SM-TL-025 SM-CC-008 SM-CS-005 SM-CC-004");
  for (const Row& row : cd_rows) replay_in_flight(row);
}

}  // namespace
}  // namespace smmusim::linux_driver
