// SPDX-License-Identifier: MIT
// Output memory attributes of translated traffic (IHI 0070 sections 5.4 MAIR, 13.1.7, 13.4.2).
#include <gtest/gtest.h>

#include "tests/support/smmu_bench.h"

namespace smmusim {
namespace {

namespace cd = raw::cd;
constexpr std::uint64_t target = SmmuBench::target;

/// Output attributes of a read with attributes `in` of a page with MAIR byte `mair` and SH[1:0] `sh`.
MemoryAttributes output(std::uint64_t mair, std::uint64_t sh, MemoryAttributes in = {0xff, 0}) {
  SmmuBench bench;
  const raw::Cd context = bench.stage1_stream(1);
  bench.put_cd(1, context.with({{cd::MAIR0, mair << 16}}));
  bench.map(SmmuBench::ttb0(context), 0x1000, raw::page(target) | 2 << 2 | sh << 8);
  Transaction t = SmmuBench::transaction(1, 0x1000);
  t.attributes = in;
  return bench.go(t).attributes;
}

TEST(SpecAttributes, MairIndex) {
  RecordProperty("rule", "SM-AT-021");
  SmmuBench bench;
  const raw::Cd context = bench.stage1_stream(1);
  constexpr std::uint8_t bytes[8] = {0xff, 0x44, 0x04, 0x00, 0xf4, 0xbb, 0x08, 0x0c};
  for (std::uint64_t index = 0; index < 8; ++index) {
    bench.map(SmmuBench::ttb0(context), index << 12, raw::page(target) | index << 2 | 3 << 8);
    EXPECT_EQ(bench.read(1, index << 12).attributes.type, bytes[index]) << index;
  }
}

struct TypeRow {
  const char* what;
  std::uint64_t mair, sh;
  MemoryAttributes out;
};

TEST(SpecAttributes, TypesAndShareability) {
  RecordProperty("rule", "SM-AT-021 SM-ATR-014 SM-ATR-018");
  const TypeRow rows[] = {{"WB ISH", 0xff, 3, {0xff, 3}},
                          {"WB OSH", 0xff, 2, {0xff, 2}},
                          {"WB NSH", 0xff, 0, {0xff, 0}},
                          {"SH 01 acts as NSH", 0xff, 1, {0xff, 0}},
                          {"WT no allocate", 0x88, 3, {0x88, 3}},
                          {"iNC-oNC is OSH", 0x44, 3, {0x44, 2}},
                          {"iNC-oNC is OSH whatever SH", 0x44, 0, {0x44, 2}},
                          {"iWB-oNC keeps SH", 0x4f, 3, {0x4f, 3}},
                          {"nGnRnE is OSH", 0x00, 0, {0x00, 2}},
                          {"GRE is OSH", 0x0c, 3, {0x0c, 2}},
                          {"0x01 is plain nGnRnE", 0x01, 0, {0x00, 2}},
                          {"0x07 is plain nGnRE", 0x07, 0, {0x04, 2}},
                          {"0x0f is plain GRE", 0x0f, 0, {0x0c, 2}},
                          {"0x40: inner is WT transient RA WA", 0x40, 3, {0x43, 3}},
                          {"0xf0: inner is WT transient RA WA", 0xf0, 3, {0xf3, 3}}};
  for (const TypeRow& row : rows) {
    SCOPED_TRACE(row.what);
    const MemoryAttributes out = output(row.mair, row.sh);
    EXPECT_EQ(out.type, row.out.type);
    EXPECT_EQ(out.shareability, row.out.shareability);
  }
}

struct HintRow {
  const char* what;
  std::uint64_t mair;
  MemoryAttributes in;
  std::uint8_t out;
};

TEST(SpecAttributes, HintsCombineWithTheInput) {
  RecordProperty("rule", "SM-ATR-018 SM-ATR-012 SM-AT-002");
  const HintRow rows[] = {{"default input leaves all", 0xff, {0xff, 0}, 0xff},
                          {"input RA only", 0xff, {0xee, 0}, 0xee},
                          {"input WA only", 0xff, {0xdd, 0}, 0xdd},
                          {"no-allocate wins", 0xee, {0xdd, 0}, 0xcc},
                          {"transient wins", 0xff, {0x77, 0}, 0x77},
                          {"stage 1 transient wins", 0x77, {0xff, 0}, 0x77},
                          {"WT input, WB page", 0xff, {0xaa, 0}, 0xee},
                          {"WB input, WT page", 0xbb, {0xee, 0}, 0xaa},
                          {"no allocation has no transient", 0xdd, {0x66, 0}, 0xcc},
                          {"NC input has no hints", 0xee, {0x44, 2}, 0xee},
                          {"Device input has no hints", 0xee, {0x04, 2}, 0xee},
                          {"Device page", 0x04, {0xee, 0}, 0x04},
                          {"NC page", 0x44, {0xee, 0}, 0x44},
                          {"half NC page", 0xf4, {0xee, 0}, 0xe4},
                          {"half NC input", 0xff, {0xe4, 0}, 0xef}};
  for (const HintRow& row : rows) {
    SCOPED_TRACE(row.what);
    EXPECT_EQ(output(row.mair, 3, row.in).type, row.out);
  }
}

TEST(SpecAttributes, SteOverridesComeBeforeStageOne) {
  RecordProperty("rule", "SM-AT-002 SM-ATR-018 SM-AT-014");
  SmmuConfig config = bench_config();
  config.features.attr_types_ovr = true;
  SmmuBench bench(config);
  const raw::Cd context = bench.stage1_stream(1);
  bench.map(SmmuBench::ttb0(context), 0x1000, raw::page(target) | 3 << 8);
  const raw::Ste sound = SmmuBench::stage1_ste(SmmuBench::cd_address(1));
  bench.put_ste(1, sound.with({{raw::ste::ALLOCCFG, 0xc}}));
  EXPECT_EQ(bench.read(1, 0x1000).attributes, (MemoryAttributes{0xee, 3})) << "the hints of the override combine";
  bench.put_ste(1, sound.with({{raw::ste::MTCFG, 1}, {raw::ste::MemAttr, 1}, {raw::ste::SHCFG, 0}}));
  bench.invalidate_all();
  EXPECT_EQ(bench.read(1, 0x1000).attributes, (MemoryAttributes{0xff, 3})) << "type and SH are the page's";
}

TEST(SpecAttributes, TlbHitsGiveTheSame) {
  RecordProperty("rule", "SM-ATR-018 SM-SYS-003");
  SmmuBench bench;
  const raw::Cd context = bench.stage1_stream(1);
  bench.map(SmmuBench::ttb0(context), 0x1000, raw::page(target) | 3 << 8);
  Transaction t = SmmuBench::transaction(1, 0x1000);
  constexpr std::uint8_t inputs[] = {0xff, 0xee, 0x44, 0xff, 0x77};
  for (const std::uint8_t type : inputs) {
    t.attributes = {type, 0};
    EXPECT_EQ(bench.go(t).attributes.type, type == 0x44 ? 0xff : type);
  }
}

}  // namespace
}  // namespace smmusim
