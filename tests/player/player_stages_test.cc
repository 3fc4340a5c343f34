// SPDX-License-Identifier: MIT
// The player on stage 2 alone and on nested stages: the shipped traces agree and can fail to, invalidations become
// those of a hypervisor, and the plan knows the outputs that a stage 2 must map beyond main memory.
#include "tests/player/direct_machine.h"

namespace smmusim::player_test {
namespace {

using trace::InvalidateScope;
using trace::make_access;
using trace::make_range_invalidation;
using trace::Record;

struct TraceRow {
  const char* name;
  std::uint64_t accesses;
  std::uint64_t mismatches_when_stripped;
};
constexpr TraceRow traces[] = {{"randread", 50256, 21955}, {"seqwrite", 8185, 6704}, {"mixed", 23728, 12162}};

std::string path_of(const TraceRow& row) {
  return std::string(SMMUSIM_SOURCE_DIR "/traces/linux72-nvme-") + row.name + ".trace";
}

using Row = std::tuple<TraceRow, DriverStages, bool>;
class StagesOfTraces : public ::testing::TestWithParam<Row> {
 protected:
  const TraceRow& row() const { return std::get<0>(GetParam()); }
  DirectConfig config() const {
    DirectConfig config;
    config.stages = std::get<1>(GetParam());
    config.timed = std::get<2>(GetParam());
    return config;
  }
};
INSTANTIATE_TEST_SUITE_P(All, StagesOfTraces,
                         ::testing::Combine(::testing::ValuesIn(traces),
                                            ::testing::Values(DriverStages::two, DriverStages::nested),
                                            ::testing::Bool()),
                         [](const auto& made) {
                           return std::string(std::get<0>(made.param).name) +
                                  (std::get<1>(made.param) == DriverStages::two ? "_two" : "_nested") +
                                  (std::get<2>(made.param) ? "_timed" : "_untimed");
                         });

TEST_P(StagesOfTraces, AgreeWithTheSource) {
  DirectMachine machine(path_of(row()), config());
  machine.play();
  EXPECT_EQ(machine.counters().checked, row().accesses);
  EXPECT_EQ(machine.counters().mismatches, 0U);
  EXPECT_EQ(machine.counters().refused_batches, 0U);
}

TEST_P(StagesOfTraces, WithoutInvalidationsTheKnownNumberOfMismatchesAppears) {
  std::vector<Record> records = read_trace(path_of(row()));
  std::erase_if(records, [](const Record& record) { return record.kind == trace::Kind::invalidate; });
  const TraceFile file(records);
  DirectConfig without_end = config();
  without_end.smmu.tcu.tlb = {16384, 16, Replacement::lru};
  without_end.smmu.tbu.micro_tlb = {4096, 16, Replacement::lru};
  DirectMachine machine(file.path(), without_end);
  machine.play();
  EXPECT_EQ(machine.counters().mismatches, row().mismatches_when_stripped);
}

constexpr std::uint16_t asid = 5;

Record invalidation(InvalidateScope scope, std::optional<std::uint16_t> of_asid, std::optional<std::uint16_t> vmid) {
  Record record = make_range_invalidation(0, of_asid.value_or(0), 0x5000, 1);
  record.invalidate_scope = scope;
  record.has_asid = of_asid.has_value();
  record.has_vmid = vmid.has_value();
  record.vmid = vmid.value_or(0);
  if (record.is_range()) return record;
  record.address = 0;
  record.pages = 0;
  record.granule_log2 = 0;
  record.ttl = 0;
  record.leaf = false;
  return record;
}

struct ScopeRow {
  const char* what;
  InvalidateScope scope;
  std::optional<std::uint16_t> asid, vmid;
  std::uint8_t opcode;     // that stage 2 alone issues
  std::uint64_t commands;  // how many of it
  bool removes;            // the space's mapping
};
constexpr std::uint8_t s12_vmall = 0x28, s2_ipa = 0x2a, nsnh_all = 0x30;

class StageTwoScopes : public ::testing::TestWithParam<ScopeRow> {};
INSTANTIATE_TEST_SUITE_P(
    Rows, StageTwoScopes,
    ::testing::Values(ScopeRow{"range", InvalidateScope::range, asid, {}, s2_ipa, 1, true},
                      ScopeRow{"range_of_another", InvalidateScope::range, 9, {}, s2_ipa, 1, false},
                      ScopeRow{"range_of_all", InvalidateScope::range, {}, {}, s2_ipa, 2, true},
                      ScopeRow{"range_of_another_vmid", InvalidateScope::range, asid, 3, s2_ipa, 1, false},
                      ScopeRow{"ipa_range", InvalidateScope::ipa_range, {}, 3, s2_ipa, 1, false},
                      ScopeRow{"asid", InvalidateScope::asid, asid, {}, s12_vmall, 1, true},
                      ScopeRow{"asid_of_another", InvalidateScope::asid, 9, {}, s12_vmall, 1, false},
                      ScopeRow{"vmid_s1", InvalidateScope::vmid_s1, {}, {}, nsnh_all, 1, true},
                      ScopeRow{"vmid_zero", InvalidateScope::vmid, {}, 0, nsnh_all, 1, true},
                      ScopeRow{"vmid_of_another", InvalidateScope::vmid, {}, 3, s12_vmall, 1, false},
                      ScopeRow{"all", InvalidateScope::all, {}, {}, nsnh_all, 1, true}),
    [](const auto& made) { return std::string(made.param.what); });

/// Two streams, two spaces: 8 is named by ASID 5, 9 by ASID 6. Then `last`, and the page of stream 8 without a pair.
std::vector<Record> trace_with(const Record& last) {
  std::vector<Record> records{make_access(0, trace::Op::read, 8, 0x5000, 64, 0x80005000, 3),
                              make_access(0, trace::Op::read, 9, 0x6000, 64, 0x80006000, 3),
                              make_range_invalidation(0, asid, 0x5000, 1),
                              make_range_invalidation(0, 6, 0x6000, 1),
                              make_access(0, trace::Op::read, 8, 0x5000, 64, 0x80005000, 3),
                              last};
  Record again = make_access(0, trace::Op::read, 8, 0x5000, 64, 0x80005000, 3);
  again.has_expected = false;
  again.output = 0;
  again.perm = 0;
  records.push_back(again);
  return records;
}

TEST_P(StageTwoScopes, AreThoseOfStageOneByVmid) {
  const ScopeRow& row = GetParam();
  const TraceFile file(trace_with(invalidation(row.scope, row.asid, row.vmid)));
  DirectConfig config;
  config.stages = DriverStages::two;
  DirectMachine machine(file.path(), config);
  machine.play();
  const std::uint64_t usual = row.opcode == s2_ipa ? 2 : row.opcode == nsnh_all ? 1 : 0;  // the ranges; enabling
  EXPECT_EQ(machine.smmu().counters().commands[row.opcode], usual + row.commands);
  for (const unsigned stage1_only : {0x10U, 0x11U, 0x12U, 0x13U, 0x05U, 0x06U}) {
    EXPECT_EQ(machine.smmu().counters().commands[stage1_only], 0U) << stage1_only;
  }
  EXPECT_EQ(machine.counters().refused_batches, 0U);
  EXPECT_EQ(machine.counters().failed, row.removes ? 1U : 0U);
}

TEST(StageTwo, RangeThatWrapsRemovesBothEnds) {
  Record wrapping = make_range_invalidation(0, asid, ~std::uint64_t{0xfff}, 16);
  const TraceFile file(trace_with(wrapping));
  DirectConfig config;
  config.stages = DriverStages::two;
  DirectMachine machine(file.path(), config);
  machine.play();
  EXPECT_EQ(machine.counters().refused_batches, 0U);
  EXPECT_EQ(machine.counters().failed, 1U);  // page 5 lies after the wrap
}

TEST(StageTwo, RangeWithoutIpasIsNoCommand) {
  const TraceFile file(trace_with(make_range_invalidation(0, asid, std::uint64_t{1} << 52, 16)));
  DirectConfig config;
  config.stages = DriverStages::two;
  DirectMachine machine(file.path(), config);
  machine.play();
  EXPECT_EQ(machine.smmu().counters().commands[s2_ipa], 2U);  // those before it
  EXPECT_EQ(machine.counters().failed, 0U);
}

TEST(StageTwo, ContextsBecomeStreamTableEntries) {
  std::vector<Record> records = trace_with(invalidation(InvalidateScope::all, {}, {}));
  for (const trace::ConfigScope scope : {trace::ConfigScope::cd, trace::ConfigScope::cd_all}) {
    Record record;
    record.kind = trace::Kind::config;
    record.config_scope = scope;
    record.stream = 8;
    records.push_back(record);
  }
  const TraceFile file(records);
  for (const bool alone : {false, true}) {
    DirectConfig config;
    config.stages = alone ? DriverStages::two : DriverStages::nested;
    DirectMachine machine(file.path(), config);
    machine.play();
    const auto& commands = machine.smmu().counters().commands;
    EXPECT_EQ(commands[0x03], alone ? 2U : 0U);
    EXPECT_EQ(commands[0x05] + commands[0x06], alone ? 0U : 2U);
    EXPECT_EQ(machine.counters().refused_batches, 0U);
  }
}

TEST(PlayPlan, KnowsTheOutputsThatAreNotUsual) {
  Record map;
  map.kind = trace::Kind::map;
  map.stream = 8;
  map.address = 0x10000;
  map.output = 0x4fff'e000;
  map.pages = 4;
  map.granule_log2 = 12;
  map.perm = 3;
  const TraceFile file({make_access(0, trace::Op::read, 8, 0x1040, 64, 0x2000'0040, 3), map,
                        make_access(0, trace::Op::write, 8, 0x2000, 64, 0x809'0000, 3),
                        make_access(0, trace::Op::read, 8, 0x3000, 64, 0x2000'0000, 3)});
  ReservedMemory memory;
  EXPECT_TRUE(plan_play(file.path(), memory).unusual_pages.empty());
  memory.usual = {{0x4000'0000, 0x1000'0000}, {0x809'0000, 0x1000}};
  EXPECT_EQ(plan_play(file.path(), memory).unusual_pages,
            (std::vector<std::uint64_t>{0x2000'0000, 0x5000'0000, 0x5000'1000}));
}

TEST(PlayPlan, BoundsWhatItRemembersOfOutputs) {
  Record map;
  map.kind = trace::Kind::map;
  map.stream = 8;
  map.pages = std::uint64_t{1} << 36;
  map.granule_log2 = 12;
  map.perm = 3;
  const TraceFile file({map});
  ReservedMemory memory;
  memory.usual = {{0x4000'0000, 0x1000'0000}};
  EXPECT_EQ(plan_play(file.path(), memory).unusual_pages.size(), unusual_pages_max);
}

}  // namespace
}  // namespace smmusim::player_test
