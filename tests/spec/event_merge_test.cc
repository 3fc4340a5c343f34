// SPDX-License-Identifier: MIT
// Merging of event records (IHI 0070 sections 3.5.5, 5.2 MEV, 7.3.1). Faults arrive together at a timed SMMU, so that
// all but the first record wait in its buffer.
#include <gtest/gtest.h>

#include <deque>

#include "tests/support/smmu_bench.h"

namespace smmusim {
namespace {

constexpr std::uint64_t beyond = 0x1234'5000;
constexpr unsigned faults = 6;

SmmuConfig merging(bool on) {
  SmmuConfig config = timed_bench_config();
  config.tcu.merge_events = on;
  return config;
}

/// How many records `faults` accesses like `first`, each `stride` bytes further, leave; STE.MEV of stream 1 as given.
/// Once the configuration is cached, they fault without a fetch, faster than records can be written.
std::size_t records(const SmmuConfig& config, bool mev, Transaction first, std::uint64_t stride = 8,
                    bool stalls = false) {
  SmmuBench bench(config, 400'000);
  // `beyond` is out of range.
  bench.put_cd(1, bench.stage1_stream(1).with({{raw::cd::T0SZ, 39}, {raw::cd::S, stalls}}));
  bench.put_ste(1, SmmuBench::stage1_ste(SmmuBench::cd_address(1)).with({{raw::ste::MEV, mev}}));
  bench.push(raw::command(raw::cmd::PREFETCH_CONFIG, {{raw::cmd::StreamID, 1}}));
  bench.kick();
  std::deque<TranslationRequest> requests(faults);
  for (TranslationRequest& request : requests) {
    request.transaction = first;
    request.fire = [](EventNode&) {};
    bench.smmu.submit(0, request);
    first.address = Va(first.address.value + stride);
  }
  bench.run();
  const auto taken = bench.take_events();
  EXPECT_EQ(bench.smmu.counters().events_merged + taken.size(), faults);
  bench.smmu.reset();  // stalled requests are forgotten before they go
  bench.run();
  return taken.size();
}

TEST(SpecEventMerge, OnlyWithMev) {
  RecordProperty("rule", "SM-MRG-001 SM-MRG-003 SM-QU-009 SM-QU-010");
  const Transaction t = SmmuBench::transaction(1, beyond);
  EXPECT_EQ(records(merging(true), false, t), faults);
  EXPECT_LT(records(merging(true), true, t), faults);
  EXPECT_EQ(records(merging(true), true, t, 0x1000), faults) << "another page is another event";
  EXPECT_EQ(records(merging(false), true, t), faults);
}

TEST(SpecEventMerge, EventsBeforeTheSteNeedNoMev) {
  RecordProperty("rule", "SM-MRG-002");
  Transaction t = SmmuBench::transaction(1, beyond + 0xffc);  // F_UUT: across a page
  t.size = 8;
  EXPECT_LT(records(merging(true), false, t, 0), faults);
  EXPECT_EQ(records(merging(true), false, t, 0x1000), faults);
  EXPECT_EQ(records(merging(false), false, t, 0), faults);
}

TEST(SpecEventMerge, StallsAreNeverMerged) {
  RecordProperty("rule", "SM-MRG-003");
  SmmuConfig config = merging(true);
  config.features.stall_model = spec::StallModel::stall_and_terminate;
  config.features.stall_max = 16;
  config.tcu.suppress_duplicate_stalls = false;
  EXPECT_EQ(records(config, true, SmmuBench::transaction(1, beyond), 8, true), faults);
}

}  // namespace
}  // namespace smmusim
