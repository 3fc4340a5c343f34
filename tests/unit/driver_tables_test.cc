// SPDX-License-Identifier: MIT
// Stream tables, CD tables and the entries in them: words computed by hand from IHI 0070 chapters 5 and 6.
#include <gtest/gtest.h>

#include "platform/driver/table_builder.h"

namespace smmusim {
namespace {

constexpr std::uint64_t region = 0x50000000;

struct TablesTest : ::testing::Test {
  SparseMemory memory;
  PageAllocator pages{Pa(region), 16 << 20};
};

TEST_F(TablesTest, LinearTableIsRegisteredWithItsSize) {
  const StreamTable table = StreamTable::linear(memory, pages, 6);
  EXPECT_EQ(table.base_register(), region | std::uint64_t{1} << 62);
  EXPECT_EQ(table.base_cfg_register(), 6U);
}

TEST_F(TablesTest, TwoLevelTableIsRegisteredWithSplitAndFormat) {
  const StreamTable table = StreamTable::two_level(memory, pages, 16, 8);
  EXPECT_EQ(table.base_cfg_register(), 16U | 8U << 6 | 1U << 16);
}

TEST_F(TablesTest, LinearTableAbortsEverythingAtFirst) {
  StreamTable::linear(memory, pages, 6);
  for (std::uint64_t sid = 0; sid != 64; ++sid) EXPECT_EQ(memory.load64(Pa(region + sid * 64)), 1U) << sid;
}

TEST_F(TablesTest, SecondLevelAppearsWithTheFirstUseOfItsStreams) {
  StreamTable table = StreamTable::two_level(memory, pages, 16, 8);
  EXPECT_EQ(memory.load64(Pa(region + 8)), 0U);
  table.write(StreamId(0x108), make_bypass_ste());
  const std::uint64_t first_level = memory.load64(Pa(region + 8));
  EXPECT_EQ(first_level & 0x1f, 9U);  // Span 9: 256 STEs
  const std::uint64_t second = first_level & ~std::uint64_t{0x3f};
  EXPECT_EQ(second % (256 * 64), 0U);
  EXPECT_EQ(memory.load64(Pa(second + 8 * 64)), 1U | 4U << 1);
  EXPECT_EQ(memory.load64(Pa(second + 9 * 64)), 1U);  // its neighbours abort
  EXPECT_EQ(memory.load64(Pa(region)), 0U);
}

TEST_F(TablesTest, StreamBeyondTheTableIsRefused) {
  StreamTable table = StreamTable::linear(memory, pages, 6);
  EXPECT_THROW(table.write(StreamId(64), make_abort_ste()), std::invalid_argument);
}

TEST_F(TablesTest, SplitsThatAreNotArchitectedAreRefused) {
  for (const unsigned split : {0U, 7U, 9U, 11U, 16U}) {
    EXPECT_THROW(StreamTable::two_level(memory, pages, 16, split), std::invalid_argument) << split;
  }
  EXPECT_THROW(StreamTable::two_level(memory, pages, 8, 8), std::invalid_argument);
}

TEST_F(TablesTest, StageOneSteNamesItsContexts) {
  const ContextTable contexts(memory, pages, 0);
  const spec::Ste ste = make_stage1_ste(contexts);
  EXPECT_EQ(ste.dw[0], contexts.base().value | 5U << 1 | 1U);
  EXPECT_EQ(ste.dw[1], 1U << 2 | 1U << 4 | 3U << 6);
  EXPECT_EQ(ste.dw[2], 0U);
}

TEST_F(TablesTest, ContextDescribesTheTable) {
  const PageTable table(memory, pages, Geometry{.output_bits = 44});
  const spec::Cd cd = make_stage1_cd(table, Asid(2));
  const std::uint64_t low = 16 | 1 << 8 | 1 << 10 | 3 << 12 | 1 << 30 | std::uint64_t{1} << 31;
  const std::uint64_t high = 4 | 1 << 9 | 1 << 13 | 1 << 14 | 1 << 15 | 2 << 16;
  EXPECT_EQ(cd.dw[0], low | high << 32);
  EXPECT_EQ(cd.dw[1], table.root().value);
  EXPECT_EQ(cd.dw[2], 0U);
  EXPECT_EQ(cd.dw[3], 0x04ff44U);
}

TEST_F(TablesTest, StructuresReadBackAsWritten) {
  StreamTable streams = StreamTable::two_level(memory, pages, 10, 6);
  ContextTable contexts(memory, pages, 2);
  const PageTable table(memory, pages, Geometry{});
  streams.write(StreamId(0x3ff), make_stage1_ste(contexts));
  contexts.write(3, make_stage1_cd(table, Asid(7)));
  EXPECT_EQ(streams.read(StreamId(0x3ff)), make_stage1_ste(contexts));
  EXPECT_EQ(contexts.read(3), make_stage1_cd(table, Asid(7)));
  EXPECT_THROW(contexts.write(4, spec::Cd{}), std::invalid_argument);
}

struct FormatRow {
  spec::S1Format format;
  unsigned code;
  std::uint64_t leaf_bytes;
};

TEST_F(TablesTest, TwoLevelContextTablesGrowWhereTheyAreUsed) {
  for (const FormatRow row :
       {FormatRow{spec::S1Format::two_level_4k, 1, 4096}, {spec::S1Format::two_level_64k, 2, 65536}}) {
    ContextTable contexts(memory, pages, 12, row.format);
    const PageTable table(memory, pages, Geometry{});
    EXPECT_EQ(make_stage1_ste(contexts).dw[0] >> 4 & 3, row.code);
    const std::uint64_t before = pages.used_bytes();
    contexts.write(0xfff, make_stage1_cd(table, Asid(7)));
    EXPECT_GE(pages.used_bytes() - before, row.leaf_bytes);
    contexts.write(0xffe, make_stage1_cd(table, Asid(8)));
    EXPECT_LT(pages.used_bytes() - before, 2 * row.leaf_bytes + row.leaf_bytes);  // alignment apart, one leaf
    EXPECT_EQ(contexts.read(0xfff), make_stage1_cd(table, Asid(7)));
    EXPECT_EQ(contexts.read(0xffe), make_stage1_cd(table, Asid(8)));
    EXPECT_EQ(contexts.read(0), spec::Cd{});
    // L1CD: V and L2Ptr, which is aligned to the leaf's size (section 5.3).
    const std::uint64_t l1 = memory.load64(contexts.base() + (0xfff / (row.leaf_bytes / 64)) * 8);
    EXPECT_EQ(l1 & (row.leaf_bytes - 1), 1U);
    EXPECT_EQ(memory.load64(contexts.base()), 0U);
    EXPECT_THROW(contexts.write(0x1000, spec::Cd{}), std::invalid_argument);
  }
}

}  // namespace
}  // namespace smmusim
