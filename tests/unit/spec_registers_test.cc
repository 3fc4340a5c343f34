// SPDX-License-Identifier: MIT
// Register offsets, widths and fields against values written by hand from the register map of the specification.
#include <gtest/gtest.h>

#include "model/spec/register_table.h"
#include "model/spec/rows.h"

namespace smmusim::spec {
namespace {

struct Row {
  const char* name;
  std::uint32_t offset;
  unsigned width;
  std::uint64_t defined;  ///< the bits that are not RES0
};

constexpr Row expected[] = {
    {"IDR0", 0x000, 32, 0x5FFFFFFF},
    {"IDR1", 0x004, 32, 0xFFFFFFFF},
    {"IDR2", 0x008, 32, 0x000003FF},
    {"IDR3", 0x00C, 32, 0x00FFFFBC},
    {"IDR4", 0x010, 32, 0xFFFFFFFF},
    {"IDR5", 0x014, 32, 0xFFFF0DF7},
    {"IIDR", 0x018, 32, 0xFFFFFFFF},
    {"AIDR", 0x01C, 32, 0x000000FF},
    {"CR0", 0x020, 32, 0x000005DF},
    {"CR0ACK", 0x024, 32, 0x000005DF},
    {"CR1", 0x028, 32, 0x00000FFF},
    {"CR2", 0x02C, 32, 0x0000000F},
    {"S2PII", 0x030, 64, 0xFFFFFFFFFFFFFFFF},
    {"STATUSR", 0x040, 32, 0x00000001},
    {"GBPA", 0x044, 32, 0x801F3F1F},
    {"AGBPA", 0x048, 32, 0xFFFFFFFF},
    {"IRQ_CTRL", 0x050, 32, 0x00000007},
    {"IRQ_CTRLACK", 0x054, 32, 0x00000007},
    {"GERROR", 0x060, 32, 0x000007FD},
    {"GERRORN", 0x064, 32, 0x000007FD},
    {"GERROR_IRQ_CFG0", 0x068, 64, 0x00FFFFFFFFFFFFFC},
    {"GERROR_IRQ_CFG1", 0x070, 32, 0xFFFFFFFF},
    {"GERROR_IRQ_CFG2", 0x074, 32, 0x0000003F},
    {"STRTAB_BASE", 0x080, 64, 0x40FFFFFFFFFFFFC0},
    {"STRTAB_BASE_CFG", 0x088, 32, 0x000307FF},
    {"CMDQ_BASE", 0x090, 64, 0x40FFFFFFFFFFFFFF},
    {"CMDQ_PROD", 0x098, 32, 0x000FFFFF},
    {"CMDQ_CONS", 0x09C, 32, 0x7F0FFFFF},
    {"EVENTQ_BASE", 0x0A0, 64, 0x40FFFFFFFFFFFFFF},
    {"EVENTQ_IRQ_CFG0", 0x0B0, 64, 0x00FFFFFFFFFFFFFC},
    {"EVENTQ_IRQ_CFG1", 0x0B8, 32, 0xFFFFFFFF},
    {"EVENTQ_IRQ_CFG2", 0x0BC, 32, 0x0000003F},
    {"PRIQ_BASE", 0x0C0, 64, 0x40FFFFFFFFFFFFFF},
    {"PRIQ_IRQ_CFG0", 0x0D0, 64, 0x00FFFFFFFFFFFFFC},
    {"PRIQ_IRQ_CFG1", 0x0D8, 32, 0xFFFFFFFF},
    {"PRIQ_IRQ_CFG2", 0x0DC, 32, 0x8000003F},
    {"GATOS_CTRL", 0x100, 32, 0x00000001},
    {"GATOS_SID", 0x108, 64, 0x001FFFFFFFFFFFFF},
    {"GATOS_ADDR", 0x110, 64, 0xFFFFFFFFFFFFFFC0},
    {"GATOS_PAR", 0x118, 64, 0xFFFFFFFFFFFFFB01},
    {"MPAMIDR", 0x130, 32, 0x00FFFFFF},
    {"GMPAM", 0x138, 32, 0x80FFFFFF},
    {"GBPMPAM", 0x13C, 32, 0x80FFFFFF},
    {"VATOS_SEL", 0x180, 32, 0x0000FFFF},
    {"IDR6", 0x190, 32, 0x0F0F0000},
    {"DPT_BASE", 0x200, 64, 0x40FFFFFFFFFFF000},
    {"DPT_BASE_CFG", 0x208, 32, 0x00F0C007},
    {"DPT_CFG_FAR", 0x210, 64, 0x00FFFFFFFFFFF0F3},
    {"PIDR4", 0xFD0, 32, 0xFF},
    {"PIDR5", 0xFD4, 32, 0},
    {"PIDR6", 0xFD8, 32, 0},
    {"PIDR7", 0xFDC, 32, 0},
    {"PIDR0", 0xFE0, 32, 0xFF},
    {"PIDR1", 0xFE4, 32, 0xFF},
    {"PIDR2", 0xFE8, 32, 0xFF},
    {"PIDR3", 0xFEC, 32, 0xFF},
    {"CIDR0", 0xFF0, 32, 0xFF},
    {"CIDR1", 0xFF4, 32, 0xFF},
    {"CIDR2", 0xFF8, 32, 0xFF},
    {"CIDR3", 0xFFC, 32, 0xFF},
    {"CMDQ_CONTROL_PAGE_BASE", 0x4000, 64, 0x00FFFFFFFFFF0007},
    {"CMDQ_CONTROL_PAGE_CFG", 0x4008, 32, 1},
    {"CMDQ_CONTROL_PAGE_STATUS", 0x400C, 32, 1},
    {"EVENTQ_PROD", 0x100A8, 32, 0x800FFFFF},
    {"EVENTQ_CONS", 0x100AC, 32, 0x800FFFFF},
    {"PRIQ_PROD", 0x100C8, 32, 0x800FFFFF},
    {"PRIQ_CONS", 0x100CC, 32, 0x800FFFFF},
};

TEST(SpecRegisters, OffsetsAndWidths) {
  ASSERT_EQ(std::size(register_table), std::size(expected));
  for (std::size_t i = 0; i < std::size(expected); ++i) {
    EXPECT_EQ(register_table[i].name, expected[i].name);
    EXPECT_EQ(register_table[i].offset, expected[i].offset) << expected[i].name;
    EXPECT_EQ(register_table[i].width_bits, expected[i].width) << expected[i].name;
  }
}

TEST(SpecRegisters, DefinedBits) {
  for (const Row& row : expected) {
    const RegisterRow* found = find_register(row.name);
    ASSERT_NE(found, nullptr) << row.name;
    EXPECT_EQ(mask_of(found->fields, 0), row.defined) << row.name;
  }
}

TEST(SpecRegisters, QueueBaseHoldsAddressAndSize) {
  const CMDQ_BASE base{{{0x4000000048620008}}};
  EXPECT_EQ(base.get<CMDQ_BASE::ADDR>(), 0x48620000U);
  EXPECT_EQ(base.get<CMDQ_BASE::LOG2SIZE>(), 8U);
  EXPECT_TRUE(base.get<CMDQ_BASE::RA>());
}

TEST(SpecRegisters, StrtabBaseCfgOfATwoLevelTable) {
  STRTAB_BASE_CFG cfg;
  cfg.set<STRTAB_BASE_CFG::FMT>(1).set<STRTAB_BASE_CFG::SPLIT>(8).set<STRTAB_BASE_CFG::LOG2SIZE>(16);
  EXPECT_EQ(cfg.dw[0], 0x10210U);
}

TEST(SpecRegisters, IndexRegisters) {
  EXPECT_EQ((CMDQ_CONS{}.set<CMDQ_CONS::ERR>(CommandError::CERROR_ABT).set<CMDQ_CONS::RD>(0xABCDE).dw[0]), 0x020ABCDEU);
  EXPECT_EQ((EVENTQ_PROD{}.set<EVENTQ_PROD::OVFLG>(true).set<EVENTQ_PROD::WR>(1).dw[0]), 0x80000001U);
}

TEST(SpecRegisters, AFaultingGatosParHasItsOwnFields) {
  EXPECT_EQ(mask_of(gatos_par_fault_fields, 0), 0xF0FFFFFFFFFFFFF7U);
  EXPECT_EQ((GATOS_PAR{}.set<GATOS_PAR::REASON>(3).set<GATOS_PAR::FAULTCODE>(0x10).dw[0]), 0x106U);
}

}  // namespace
}  // namespace smmusim::spec
