// SPDX-License-Identifier: MIT
// Reading a full log: lines that are not understood, or that do not fit the lines before them, are refused with their
// number; nothing is skipped.
#include <gtest/gtest.h>

#include "platform/trace/error.h"
#include "tests/oracle/log_steps.h"

namespace smmusim::oracle {
namespace {

constexpr const char* write_prod = "smmuv3_write_mmio addr: 0x98 val:0x2 size: 0x4(0)\n";
constexpr const char* sync = "smmuv3_cmdq_opcode <--- SMMU_CMD_SYNC\n";
constexpr const char* success = "smmuv3_translate_success R sid=0x8 iova=0x1040 translated=0x5040 perm=0x3 stage=1\n";
constexpr const char* nvme = "pci_nvme_read cid 1 nsid 1 nlb 8 count 4096 lba 0x0\n";

std::string level(int n, const char* pte, const char* level_pte) {
  const std::string shifts[4] = {"0x8000000000", "0x40000000", "0x200000", "0x1000"};
  return "smmu_get_pte baseaddr=0x4000 index=0x1, pteaddr=0x4008, pte=" + std::string(pte) +
         "\nsmmu_ptw_level stage=1 level=" + std::to_string(n) +
         " iova=0x1040 subpage_sz=" + shifts[static_cast<std::size_t>(n)] +
         " baseaddr=0x4000 offset=1 => pte=" + level_pte + "\n";
}
std::string walk() {
  std::string text;
  for (int n = 0; n < levels; ++n) text += level(n, "0x5003", "0x5003");
  return text +
         "smmu_ptw_page_pte stage=1 level=3 iova=0x1040 base@=0x4000 pte@=0x4008 pte=0x5003 page address = 0x5000\n";
}

LogSteps parse(const std::string& text) {
  return group("log", parse_lines("log", text));
}

TEST(FullLogReading, GroupsAWalkWithItsTranslation) {
  const LogSteps log = parse(walk() + success + nvme + success);
  ASSERT_EQ(log.steps.size(), 2u);
  ASSERT_EQ(log.steps[0].walk.size(), 4u);
  EXPECT_EQ(log.steps[0].walk[3].address, 0x4008u);
  EXPECT_EQ(log.steps[0].access.output, 0x5040u);
  EXPECT_TRUE(log.steps[1].walk.empty());
  EXPECT_EQ(log.device_lines, 1u);
}

TEST(FullLogReading, GroupsCommandsWithTheRegisterWrite) {
  const LogSteps log =
      parse(std::string("smmuv3_cmdq_opcode <--- SMMU_CMD_TLBI_NH_VA\n"
                        "smmuv3_range_inval vmid=-1 asid=2 addr=0xffffc000 tg=1 num_pages=0x1 ttl=3 leaf=1 stage=1\n") +
            sync + write_prod);
  ASSERT_EQ(log.steps.size(), 1u);
  ASSERT_EQ(log.steps[0].commands.size(), 2u);
  EXPECT_EQ(log.steps[0].commands[0].details.at(0).asid, 2u);
  EXPECT_EQ(log.steps[0].commands[1].opcode, spec::Opcode::CMD_SYNC);
}

TEST(FullLogReading, GivesPageOneItsOffsets) {
  EXPECT_EQ(parse("smmuv3_write_mmio addr: 0xac val:0x0 size: 0x4(0)\n").steps.at(0).offset, 0x100acu);
}

struct RefusedRow {
  const char* name;
  std::string text;
  std::uint64_t line;
};
void PrintTo(const RefusedRow& row, std::ostream* out) {
  *out << row.name;
}

class RefusedLog : public testing::TestWithParam<RefusedRow> {};

TEST_P(RefusedLog, NamesTheLine) {
  try {
    parse(GetParam().text);
    FAIL() << "was accepted";
  } catch (const trace::TraceError& error) {
    EXPECT_EQ(error.line(), GetParam().line) << error.what();
  }
}

const std::string prod = write_prod, done = success;

INSTANTIATE_TEST_SUITE_P(
    Rows, RefusedLog,
    testing::Values(
        RefusedRow{"UnknownEvent", prod + "smmuv3_record_event C_BAD_STE sid=0x8\n" + prod, 2},
        RefusedRow{"NoEvent", prod + "hello\n", 2}, RefusedRow{"EmptyLine", prod + "\n" + prod, 2},
        RefusedRow{"BrokenNumber", "smmuv3_write_mmio addr: 0x98 val:x size: 0x4(0)\n", 1},
        RefusedRow{"TextAfterTheLastNumber", "smmuv3_get_ste STE addr: 0x1000 more\n", 1},
        RefusedRow{"UnknownOpcode", "smmuv3_cmdq_opcode <--- SMMU_CMD_NEW\n", 1},
        RefusedRow{"CutOff", prod + "smmuv3_get_ste STE addr: 0x1000", 2},
        RefusedRow{"FailedAccess", "smmuv3_write_mmio addr: 0x98 val:0x2 size: 0x4(2)\n", 1},
        RefusedRow{"CommandWithoutWrite", std::string(sync) + "smmuv3_read_mmio addr: 0x9c val:0x1 size: 0x4(0)\n", 2},
        RefusedRow{"TranslationWithinACommand", sync + done, 2},
        RefusedRow{"OperandsMissing", "smmuv3_cmdq_opcode <--- SMMU_CMD_CFGI_CD\n" + prod, 2},
        RefusedRow{"OperandsOfAnother", std::string(sync) + "smmuv3_cmdq_cfgi_cd sid=0x8\n", 2},
        RefusedRow{"WalkWithoutLeaf", level(0, "0x5003", "0x5003") + done, 3},
        RefusedRow{"WalkSkipsALevel", level(1, "0x5003", "0x5003"), 2},
        RefusedRow{"LinesOfALevelDisagree", level(0, "0x5003", "0x6003"), 2},
        RefusedRow{"WalkOfAnotherAddress",
                   walk() + "smmuv3_translate_success R sid=0x8 iova=0x2040 translated=0x5040 perm=0x3 stage=1\n", 10},
        RefusedRow{"WalkToAnotherPage",
                   walk() + "smmuv3_translate_success R sid=0x8 iova=0x1040 translated=0x6040 perm=0x3 stage=1\n", 10},
        RefusedRow{"EndsWithinAWalk", walk(), 9},
        RefusedRow{"ConfigurationOutOfOrder", "smmuv3_get_cd CD addr: 0x41964000\n", 1},
        RefusedRow{"ConfigurationIncomplete", "smmuv3_find_ste sid=0x8 features:0x1, sid_split:0x8\n" + done, 2}),
    [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace smmusim::oracle
