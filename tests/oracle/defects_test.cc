// SPDX-License-Identifier: MIT
// The comparison can fail: a bit changed in the memory image, or a line changed in the log, is found, and found for
// what it is. Addresses are those of the shipped data; the streams and commands they belong to are in the rows.
#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>

#include "tests/oracle/replay.h"
#include "tests/oracle/shipped.h"

namespace smmusim::oracle {
namespace {

Report replay_with(const LogSteps& log, const std::vector<Flip>& flips) {
  ReplayOptions options;
  options.config.timed = false;
  options.flips = flips;
  return replay(log, shipped_image(), options);
}

bool has_finding(const Report& report, const std::string& part) {
  for (const std::string& finding : report.findings) {
    if (finding.find(part) != std::string::npos) return true;
  }
  return false;
}

struct FlipRow {
  const char* name;
  Flip flip;
  const char* finding;
};
void PrintTo(const FlipRow& row, std::ostream* out) {
  *out << row.name;
}

constexpr std::uint64_t l1std = 0x4195d000, ste = 0x412c8200, cd = 0x41964000;
constexpr std::uint64_t level0 = 0x41963000, level2 = 0x413f0ff8, leaf = 0x413f1fe8;
constexpr std::uint64_t cfgi_ste = 0x41c00080, tlbi = 0x41c00160, sync = 0x41c00170;  // slots 8, 0x16, 0x17
constexpr std::uint64_t bit(unsigned n) {
  return std::uint64_t{1} << n;
}

constexpr FlipRow flip_rows[] = {
    {"L1stdL2Ptr", {l1std, bit(24)}, "does not proceed: event 0x04"},
    {"L1stdSpanTooWide", {l1std, 3}, "does not proceed: event 0x02"},
    {"SteIsBypass", {ste, bit(1)}, "output address"},
    {"SteS1ContextPtr", {ste, bit(6)}, "does not proceed: event 0x0a"},
    {"CdT0SZ", {cd, 1}, "CD.T0SZ is 0x11, logged 0x10"},
    {"CdIPS", {cd, 7 * bit(32)}, "CD.IPS in bits, at most OAS is 0x2a, logged 0x2c"},
    {"CdAsid", {cd, bit(48)}, "output address"},
    {"CdTTB0", {cd + 8, bit(12)}, "descriptor of level 0"},
    {"TableOfLevel0IsReadOnly", {level0, bit(62)}, "does not proceed: event 0x13"},
    {"TableOfLevel0InDescriptor", {level0, bit(62)}, "descriptor of level 0"},
    {"TableOfLevel2Address", {level2, bit(12)}, "descriptor of level 2"},
    {"LeafIsReadOnly", {leaf, bit(7)}, "does not proceed: event 0x13"},
    {"LeafAddress", {leaf, bit(12)}, "output address"},
    {"LeafAccessFlag", {leaf, bit(10)}, "does not proceed: event 0x12"},
    {"LeafAttributesOnly", {leaf, bit(2)}, "descriptor of level 3"},
    {"CommandOpcode", {tlbi, 1}, "opcode 0x13, logged 0x12"},
    {"CommandAsid", {tlbi, bit(48)}, "ASID 0x3, logged 0x2"},
    {"CommandAsidLeavesAStaleEntry", {tlbi, bit(48)}, "smmusim hits a TLB without a walk since the last invalidation"},
    {"CommandScale", {tlbi, bit(20)}, "number of pages 0x2, logged 0x1"},
    {"CommandAddress", {tlbi + 8, bit(12)}, "address 0xffffd000, logged 0xffffc000"},
    {"CommandTtl", {tlbi + 8, bit(8)}, "TTL 0x2, logged 0x3"},
    {"CommandLeaf", {tlbi + 8, bit(0)}, "Leaf 0x0, logged 0x1"},
    {"CommandStreamId", {cfgi_ste, bit(32)}, "StreamID 0x1, logged 0x0"},
    {"CommandIllegal", {sync, bit(7)}, "CMDQ_CONS is"},
};

class FlippedBit : public testing::TestWithParam<FlipRow> {};

TEST_P(FlippedBit, IsFound) {
  const Report report = replay_with(shipped_log(), {GetParam().flip});
  EXPECT_GT(report.unexplained, 0u);
  EXPECT_TRUE(has_finding(report, GetParam().finding)) << report.text();
}

INSTANTIATE_TEST_SUITE_P(Memory, FlippedBit, testing::ValuesIn(flip_rows),
                         [](const auto& row) { return std::string(row.param.name); });

/// The shipped log with the first `from` at or after the line that contains `anchor` replaced.
LogSteps edited(const std::string& anchor, const std::string& from, const std::string& to) {
  std::string text = shipped_text();
  const std::size_t start = text.find(anchor);
  const std::size_t at = text.find(from, start);
  if (start == std::string::npos || at == std::string::npos) throw std::logic_error("the log has no " + from);
  text.replace(at, from.size(), to);
  return group("edited", parse_lines("edited", text));
}

struct EditRow {
  const char* name;
  const char *anchor, *from, *to;
  const char* finding;
};
void PrintTo(const EditRow& row, std::ostream* out) {
  *out << row.name;
}

constexpr EditRow edit_rows[] = {
    {"ConsReadsAnotherValue", "addr: 0x9c", "addr: 0x9c val:0x18 ", "addr: 0x9c val:0x17 ",
     "register 0x9c reads 0x18, logged 0x17"},
    {"IdRegisterHasAReservedBit", "addr: 0x0", "val:0xd44101a", "val:0x8d44101a",
     "register 0x0 reads 0xd44101a, logged 0x8d44101a"},
    {"ProdStopsShort", "addr: 0x98", "addr: 0x98 val:0x18 ", "addr: 0x98 val:0x17 ", "number of commands consumed"},
    {"AnotherOpcode", "addr: 0x98", "SMMU_CMD_PREFETCH_CONFIG", "SMMU_CMD_SYNC", "opcode 0x1, logged 0x46"},
    {"AnotherOutput", "iova=0xffffd040", "translated=0x413f3040", "translated=0x413f4040", "output address"},
    {"AnotherPermission", "iova=0xffffd040", "perm=0x3", "perm=0x1", "write permission is 0x1, logged 0x0"},
    {"AnotherSteAddress", "smmuv3_get_ste", "STE addr: 0x412c8200", "STE addr: 0x412c8240", "address of the STE"},
    {"AnotherCdAddress", "smmuv3_get_cd", "CD addr: 0x41964000", "CD addr: 0x41964040", "address of the CD"},
    {"AnotherLevel2Bound", "smmuv3_find_ste_2lvl", "max_l2_ste:511", "max_l2_ste:510", "last index"},
    {"AnotherAddressSize", "smmuv3_decode_cd", "oas=44", "oas=48", "CD.IPS"},
};

class EditedLine : public testing::TestWithParam<EditRow> {};

TEST_P(EditedLine, IsFound) {
  const EditRow& row = GetParam();
  const Report report = replay_with(edited(row.anchor, row.from, row.to), {});
  EXPECT_GT(report.unexplained, 0u);
  EXPECT_TRUE(has_finding(report, row.finding)) << report.text();
}

INSTANTIATE_TEST_SUITE_P(Log, EditedLine, testing::ValuesIn(edit_rows),
                         [](const auto& row) { return std::string(row.param.name); });

/// QEMU's side is judged too: without the walk's lines its next answer for that page is a hit that nothing explains.
TEST(EditedLog, AHitOfQemuWithoutItsWalkIsFound) {
  LogSteps log = shipped_log();
  const auto walked = [](const LogStep& step) { return !step.walk.empty(); };
  const auto first = std::find_if(log.steps.begin(), log.steps.end(), walked);
  ASSERT_NE(first, log.steps.end());
  first->walk.clear();
  EXPECT_TRUE(has_finding(replay_with(log, {}), "QEMU hits its TLB without a walk"));
}

TEST(EditedLog, AMappingChangedWithoutInvalidationIsFound) {
  LogSteps log = shipped_log();
  for (LogStep& step : log.steps) {
    if (step.walk.empty()) continue;
    LogStep again = step;
    again.walk.back().value ^= 0x1000;
    log.steps.insert(log.steps.begin() + (&step - log.steps.data()) + 1, again);
    break;
  }
  EXPECT_TRUE(has_finding(replay_with(log, {}), "without an invalidation"));
}

/// An unmapping that the log lost shows in the image, too.
TEST(EditedLog, ALostInvalidationIsFound) {
  LogSteps log = shipped_log();
  const auto invalidates = [](const LogStep& step) {
    return !step.commands.empty() && step.commands[0].opcode == spec::Opcode::CMD_TLBI_NH_VA;
  };
  const auto last = std::find_if(log.steps.rbegin(), log.steps.rend(), invalidates);
  ASSERT_NE(last, log.steps.rend());
  last->commands.erase(last->commands.begin());
  const Report report = replay_with(log, {});
  EXPECT_TRUE(has_finding(report, "number of commands consumed")) << report.text();
  EXPECT_TRUE(has_finding(report, "in the image")) << report.text();
}

}  // namespace
}  // namespace smmusim::oracle
