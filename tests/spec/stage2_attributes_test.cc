// SPDX-License-Identifier: MIT
// Memory types and shareability through stage 2: combination, S2FWB, and the attributes of the SMMU's own fetches
// (IHI 0070 sections 13.1.5, 13.1.6, 13.8; Arm ARM D8.6). Types are bytes as in MAIR.
#include <gtest/gtest.h>

#include "tests/support/stage2_bench.h"

namespace smmusim {
namespace {

namespace ste = raw::ste;
namespace cd = raw::cd;
constexpr std::uint64_t target = SmmuBench::target;
constexpr std::uint8_t nsh = 0, osh = 2, ish = 3;

constexpr std::uint64_t s2_flags(std::uint64_t mem_attr, std::uint64_t sh) {
  return s2_read | s2_write | raw::af | mem_attr << 2 | sh << 8;
}

struct TypeRow {
  std::uint8_t stage1;  // MAIR byte
  std::uint64_t mem_attr;
  std::uint8_t expected;
};
// The stronger of both, inner and outer apart; allocation hints are those of stage 1.
constexpr TypeRow combine_rows[] = {
    {0xff, 0b1111, 0xff}, {0xff, 0b1011, 0xbf}, {0xff, 0b1110, 0xfb}, {0xff, 0b1010, 0xbb}, {0xff, 0b0101, 0x44},
    {0xff, 0b0111, 0x4f}, {0xff, 0b1101, 0xf4}, {0xff, 0b0000, 0x00}, {0xff, 0b0001, 0x04}, {0xff, 0b0010, 0x08},
    {0xff, 0b0011, 0x0c}, {0xbb, 0b1111, 0xbb}, {0xbb, 0b1010, 0xbb}, {0xbb, 0b0101, 0x44}, {0x44, 0b1111, 0x44},
    {0x44, 0b0011, 0x0c}, {0x4f, 0b1111, 0x4f}, {0xf4, 0b0111, 0x44}, {0xee, 0b1111, 0xee}, {0xdd, 0b1111, 0xdd},
    {0x00, 0b1111, 0x00}, {0x04, 0b1111, 0x04}, {0x08, 0b1111, 0x08}, {0x0c, 0b1111, 0x0c}, {0x04, 0b0010, 0x04},
    {0x04, 0b0000, 0x00}, {0x08, 0b0001, 0x04}, {0x0c, 0b0010, 0x08}, {0x0c, 0b0101, 0x0c}, {0x00, 0b0011, 0x00},
    {0xee, 0b1110, 0xea}, {0xed, 0b1011, 0xad}, {0xdd, 0b1010, 0x99}, {0x66, 0b1110, 0x62}};
// S2FWB=1: MemAttr[2:0] 0dd Device, 101 Non-cacheable unless stage 1 is Device, 110 Write-back, 111 as stage 1.
constexpr TypeRow fwb_rows[] = {{0xff, 0b0111, 0xff}, {0xbb, 0b0111, 0xbb}, {0x44, 0b0111, 0x44}, {0x04, 0b0111, 0x04},
                                {0xff, 0b0110, 0xff}, {0xbb, 0b0110, 0xff}, {0x44, 0b0110, 0xff}, {0x04, 0b0110, 0xff},
                                {0x00, 0b0110, 0xff}, {0xee, 0b0110, 0xee}, {0xff, 0b0101, 0x44}, {0xbb, 0b0101, 0x44},
                                {0x44, 0b0101, 0x44}, {0x04, 0b0101, 0x04}, {0x0c, 0b0101, 0x0c}, {0xff, 0b0000, 0x00},
                                {0xff, 0b0001, 0x04}, {0xff, 0b0010, 0x08}, {0xff, 0b0011, 0x0c}, {0x44, 0b0011, 0x0c},
                                {0x04, 0b0011, 0x04}, {0x0c, 0b0000, 0x00}};

Response nested(const TypeRow& row, bool fwb) {
  Stage2Bench b;
  b.edit_ste({{raw::s2::S2FWB, fwb}});
  b.edit_cd({{cd::MAIR0, row.stage1}});
  b.s1.map(0x1000, 0x8000, raw::af | raw::ap_unprivileged | 3u << 8);
  b.s2.map(0x8000, target, s2_flags(row.mem_attr, ish));
  return b.read(0x1000);
}

TEST(SpecStage2Attributes, TypesOfBothStagesCombine) {
  RecordProperty("rule", "SM-ATR-012 SM-ATR-019");
  for (const TypeRow& row : combine_rows) {
    SCOPED_TRACE(testing::Message() << "stage 1 " << int{row.stage1} << " MemAttr " << row.mem_attr);
    const Response response = nested(row, false);
    EXPECT_EQ(response.attributes.type, row.expected);
    const bool cacheable = row.expected >= 0x10 && row.expected != 0x44;
    EXPECT_EQ(response.attributes.shareability, cacheable ? ish : osh) << "Device and iNC-oNC are Outer Shareable";
  }
}

TEST(SpecStage2Attributes, ForcedByStageTwo) {
  RecordProperty("rule", "SM-ATR-013 SM-AT-012");
  for (const TypeRow& row : fwb_rows) {
    SCOPED_TRACE(testing::Message() << "stage 1 " << int{row.stage1} << " MemAttr " << row.mem_attr);
    EXPECT_EQ(nested(row, true).attributes.type, row.expected);
  }
}

TEST(SpecStage2Attributes, ForcedBeforeVersion32) {
  RecordProperty("rule", "SM-AT-012");
  Stage2Bench::Options options;
  spec::Features& f = options.config.features;
  f.version_minor = 1;
  f.fwb = f.hyp = false;
  f.bbml = 0;
  Stage2Bench b(options);
  b.edit_ste({{raw::s2::S2FWB, 1}, {ste::Config, 6}});
  b.s2.map(0x1000, target, s2_flags(0b0101, ish));
  EXPECT_EQ(b.read(0x1000).attributes.type, 0x44) << "RES0: 0101 is Non-cacheable by the ordinary coding too";
  b.s2.map(0x2000, target, s2_flags(0b0111, ish));
  EXPECT_EQ(b.read(0x2000).attributes.type, 0x4f) << "outer Non-cacheable, inner Write-back";
}

TEST(SpecStage2Attributes, StageTwoAloneCombinesWithTheInput) {
  RecordProperty("rule", "SM-ATR-012 SM-ATR-013 SM-ATR-019");
  for (const bool fwb : {false, true}) {
    Stage2Bench b;
    b.edit_ste({{ste::Config, 6}, {raw::s2::S2FWB, fwb}});
    std::uint64_t ipa = 0x1'0000;
    for (const TypeRow& row : combine_rows) {
      if (fwb) break;
      ipa += 0x1000;
      b.s2.map(ipa, target, s2_flags(row.mem_attr, ish));
      Transaction t = SmmuBench::transaction(Stage2Bench::sid, ipa);
      t.attributes = {row.stage1, nsh};
      EXPECT_EQ(b.bench.go(t).attributes.type, row.expected) << int{row.stage1} << " MemAttr " << row.mem_attr;
    }
    for (const TypeRow& row : fwb_rows) {
      if (!fwb) break;
      ipa += 0x1000;
      b.s2.map(ipa, target, s2_flags(row.mem_attr, ish));
      Transaction t = SmmuBench::transaction(Stage2Bench::sid, ipa);
      t.attributes = {row.stage1, nsh};
      EXPECT_EQ(b.bench.go(t).attributes.type, row.expected) << int{row.stage1} << " MemAttr " << row.mem_attr;
    }
  }
}

TEST(SpecStage2Attributes, ShareabilityCombines) {
  RecordProperty("rule", "SM-ATR-012 SM-ATR-019");
  const std::uint8_t rows[][3] = {{nsh, nsh, nsh}, {nsh, ish, ish}, {nsh, osh, osh}, {ish, nsh, ish}, {ish, ish, ish},
                                  {ish, osh, osh}, {osh, nsh, osh}, {osh, ish, osh}, {osh, osh, osh}};
  for (const auto& row : rows) {
    SCOPED_TRACE(testing::Message() << int{row[0]} << " and " << int{row[1]});
    Stage2Bench b;
    b.edit_cd({{cd::MAIR0, 0xff}});
    b.s1.map(0x1000, 0x8000, raw::af | raw::ap_unprivileged | std::uint64_t{row[0]} << 8);
    b.s2.map(0x8000, target, s2_flags(0xf, row[1]));
    EXPECT_EQ(b.read(0x1000).attributes.shareability, row[2]);
    Stage2Bench alone;
    alone.edit_ste({{ste::Config, 6}});
    alone.s2.map(0x8000, target, s2_flags(0xf, row[1]));
    Transaction t = SmmuBench::transaction(Stage2Bench::sid, 0x8000);
    t.attributes = {0xff, row[0]};
    EXPECT_EQ(alone.bench.go(t).attributes.shareability, row[2]);
  }
}

TEST(SpecStage2Attributes, WithDsTheShareabilityIsOfTheTables) {
  RecordProperty("rule", "SM-TR-011 SM-TR-013");
  for (const std::uint8_t sh : {nsh, osh, ish}) {
    Stage2Bench::Options options;
    options.config = wide_config(52);
    options.stage2 = stage2_shape(52);
    Stage2Bench two(options);
    two.edit_ste({{ste::Config, 6}, {raw::s2::S2SH0, sh}});
    two.s2.map(0x1000, target, s2_flags(0xf, 0));
    EXPECT_EQ(two.read(0x1000).attributes.shareability, sh) << "S2SH0";
    options.stage1 = stage1_shape(52);
    options.place = [](std::uint64_t address) { return address; };
    Stage2Bench one(options);
    one.edit_ste({{ste::Config, 5}});
    one.edit_cd({{cd::SH0, sh}});
    one.s1.map(0x1000, target, raw::af | raw::ap_unprivileged);
    one.edit_cd({{cd::MAIR0, 0xff}});
    EXPECT_EQ(one.read(0x1000).attributes.shareability, sh) << "CD.SH0";
  }
}

struct FetchRow {
  const char* what;
  std::uint64_t ir, orr, sh;      // of the structure's own configuration
  std::uint64_t mem_attr, s2_sh;  // of the page at stage 2
  MemoryAttributes expected;
};

TEST(SpecStage2Attributes, FetchesOfTablesAndCdsCombine) {
  RecordProperty("rule", "SM-ATR-024 SM-AT-010");
  const FetchRow rows[] = {{"both cacheable", 1, 1, 3, 0xf, 3, {0xff, ish}},
                           {"stage 2 outer shareable", 1, 1, 3, 0xf, 2, {0xff, osh}},
                           {"stage 2 non-cacheable", 1, 1, 3, 5, 3, {0x44, osh}},
                           {"stage 1 non-cacheable", 0, 0, 3, 0xf, 3, {0x44, osh}},
                           {"write-through at stage 1", 2, 2, 0, 0xf, 0, {0xbb, nsh}},
                           {"stage 2 write-through outside", 1, 1, 2, 0xb, 0, {0xbf, osh}}};
  for (const FetchRow& row : rows) {
    SCOPED_TRACE(row.what);
    Stage2Bench b;
    b.edit_ste({{ste::S1CIR, row.ir}, {ste::S1COR, row.orr}, {ste::S1CSH, row.sh}});
    b.edit_cd({{cd::IR0, row.ir}, {cd::OR0, row.orr}, {cd::SH0, row.sh}});
    b.s1.map(0x1000, 0x8000, raw::af | raw::ap_unprivileged);
    b.s2.map(0x8000, target, s2_rw);
    const std::uint64_t table = b.s1.entry(0x1000, 2);
    b.cover(table, 8, s2_flags(row.mem_attr, row.s2_sh));
    b.cover(Stage2Bench::cd_ipa, 8, s2_flags(row.mem_attr, row.s2_sh));
    EXPECT_EQ(b.read(0x1000).address.value, target);
    unsigned seen = 0;
    for (const BenchAccess& access : b.bench.memory.log) {
      if (access.purpose != Purpose::CD && access.address != b.place(table)) continue;
      ++seen;
      EXPECT_EQ(access.attributes.type, row.expected.type);
      EXPECT_EQ(access.attributes.shareability, row.expected.shareability);
    }
    EXPECT_EQ(seen, 2u) << "the CD and the table";
  }
}

TEST(SpecStage2Attributes, FetchesOfStageTwoTables) {
  RecordProperty("rule", "SM-ATR-024 SM-AT-003");
  const FetchRow rows[] = {
      {"non-cacheable", 0, 0, 3, 0, 0, {0x44, osh}}, {"write-back", 1, 1, 3, 0, 0, {0xff, ish}},
      {"write-through", 2, 2, 2, 0, 0, {0xbb, osh}}, {"no write-allocate", 3, 3, 0, 0, 0, {0xee, nsh}},
      {"mixed", 1, 0, 3, 0, 0, {0x4f, ish}},         {"reserved SH", 1, 1, 1, 0, 0, {0xff, nsh}}};
  for (const FetchRow& row : rows) {
    SCOPED_TRACE(row.what);
    Stage2Bench b;
    b.edit_ste({{ste::Config, 6}, {raw::s2::S2IR0, row.ir}, {raw::s2::S2OR0, row.orr}, {raw::s2::S2SH0, row.sh}});
    b.s2.map(0x1000, target, s2_rw);
    EXPECT_EQ(b.read(0x1000).address.value, target);
    EXPECT_EQ(b.bench.memory.last(Purpose::TTD).attributes, row.expected);
  }
}

}  // namespace
}  // namespace smmusim
