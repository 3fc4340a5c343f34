// SPDX-License-Identifier: MIT
// The shipped traces as they are, and with their invalidations removed: the check must hold, and must be able to fail.
// The mismatch counts of the stripped traces were found from the logs by a script that keeps the first pair of a page
// for ever, which is what a TLB without end does.
#include "tests/player/direct_machine.h"

namespace smmusim::player_test {
namespace {

struct TraceRow {
  const char* name;
  std::uint64_t accesses;
  std::uint64_t mismatches_when_stripped;
};
constexpr TraceRow rows[] = {{"randread", 50256, 21955}, {"seqwrite", 8185, 6704}, {"mixed", 23728, 12162}};

std::string path_of(const TraceRow& row) {
  std::string path = SMMUSIM_SOURCE_DIR "/traces/linux72-nvme-";
  return path.append(row.name).append(".trace");
}

/// The trace without what tells TLBs to forget.
std::vector<trace::Record> stripped(const std::string& path) {
  std::vector<trace::Record> records = read_trace(path);
  std::erase_if(records, [](const trace::Record& record) { return record.kind == trace::Kind::invalidate; });
  return records;
}

DirectConfig without_end() {
  DirectConfig config;
  config.smmu.tcu.tlb = {16384, 16, Replacement::lru};
  config.smmu.tbu.micro_tlb = {4096, 16, Replacement::lru};
  return config;
}

class ShippedTraces : public ::testing::TestWithParam<TraceRow> {};
INSTANTIATE_TEST_SUITE_P(All, ShippedTraces, ::testing::ValuesIn(rows),
                         [](const auto& row) { return std::string(row.param.name); });

TEST_P(ShippedTraces, UntimedAgreesWithTheSource) {
  DirectMachine machine(path_of(GetParam()), {});
  machine.play();
  EXPECT_EQ(machine.counters().checked, GetParam().accesses);
  EXPECT_EQ(machine.counters().mismatches, 0U);
}

TEST_P(ShippedTraces, TimedAgreesWithTheSourceWhateverTheLatency) {
  for (const Time latency : {Time{10'000}, Time{137'000}}) {
    DirectConfig config;
    config.timed = true;
    config.memory_latency = latency;
    DirectMachine machine(path_of(GetParam()), config);
    machine.play();
    EXPECT_EQ(machine.counters().checked, GetParam().accesses);
    EXPECT_EQ(machine.counters().mismatches, 0U) << latency;
  }
}

TEST_P(ShippedTraces, WithoutRangeInvalidationAgreesToo) {
  DirectConfig config;
  config.smmu.features.ril = false;
  DirectMachine machine(path_of(GetParam()), config);
  machine.play();
  EXPECT_EQ(machine.counters().mismatches, 0U);
}

TEST_P(ShippedTraces, WithoutInvalidationsTheKnownNumberOfMismatchesAppears) {
  const TraceFile file(stripped(path_of(GetParam())));
  DirectMachine machine(file.path(), without_end());
  machine.play();
  EXPECT_EQ(machine.counters().checked, GetParam().accesses);
  EXPECT_EQ(machine.counters().mismatches, GetParam().mismatches_when_stripped);
}

TEST_P(ShippedTraces, WithoutInvalidationsMismatchesAppearInTimedModeToo) {
  DirectConfig config = without_end();
  config.timed = true;
  const TraceFile file(stripped(path_of(GetParam())));
  DirectMachine machine(file.path(), config);
  machine.play();
  EXPECT_EQ(machine.counters().mismatches, GetParam().mismatches_when_stripped);
}

TEST_P(ShippedTraces, TimedRunsRepeatBitForBit) {
  const auto run = [&] {
    DirectConfig config;
    config.timed = true;
    DirectMachine machine(path_of(GetParam()), config);
    machine.keep_events = true;
    machine.play();
    std::vector<std::pair<Time, Time>> times;
    for (const auto& event : machine.events) times.emplace_back(event.started, event.completed);
    return times;
  };
  EXPECT_EQ(run(), run());
}

}  // namespace
}  // namespace smmusim::player_test
