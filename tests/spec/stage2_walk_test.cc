// SPDX-License-Identifier: MIT
// Stage-2 walks of every granule and start level, small tables and endianness (IHI 0070 sections 3.3.2, 5.2; Arm ARM
// D8.2, D8.3). Expected fetches are computed here from the geometry alone.
#include <gtest/gtest.h>

#include "tests/support/stage2_bench.h"

namespace smmusim {
namespace {

namespace ste = raw::ste;
using namespace raw::ev;
constexpr std::uint64_t target = SmmuBench::target;

constexpr std::uint64_t two_to(unsigned bits) {
  return std::uint64_t{1} << bits;
}

/// A stream of stage 2 alone with this shape.
Stage2Bench::Options stage2_only(const TableShape& shape) {
  Stage2Bench::Options options;
  options.config = without_caches(wide_config(52));
  options.config.features.stt = true;
  options.stage2 = shape;
  return options;
}

struct ShapeRow {
  unsigned granule, bits;
  int start;
  bool ds;
};

std::vector<ShapeRow> stage2_shapes() {
  struct Limits {
    unsigned granule;
    int start;
    bool ds;
    unsigned least, most;
  };
  // Least: one bit is resolved at the start level; most: 16 concatenated tables, or the architected end of the range.
  const Limits limits[] = {{12, 3, false, 16, 25}, {12, 2, false, 22, 34}, {12, 1, false, 31, 43},
                           {12, 0, false, 40, 48}, {12, 0, true, 40, 52},  {12, -1, true, 49, 52},
                           {14, 3, false, 16, 29}, {14, 2, false, 26, 40}, {14, 1, false, 37, 48},
                           {14, 1, true, 37, 51},  {14, 0, true, 48, 52},  {16, 3, false, 17, 33},
                           {16, 2, false, 30, 46}, {16, 1, false, 43, 52}};
  std::vector<ShapeRow> rows;
  for (const Limits& l : limits) {
    for (unsigned bits = l.least; bits <= l.most; ++bits) rows.push_back({l.granule, bits, l.start, l.ds});
  }
  return rows;
}

TEST(SpecStage2Walk, EveryStartLevelAndSize) {
  RecordProperty("rule", "SM-TR-015 SM-TR-005 SM-TR-007 SM-TR-011");
  for (const ShapeRow& row : stage2_shapes()) {
    SCOPED_TRACE(testing::Message() << "granule 2^" << row.granule << ", " << row.bits << " bits, level " << row.start
                                    << (row.ds ? " DS" : ""));
    TableShape shape;
    shape.granule = row.granule;
    shape.input_bits = row.bits;
    shape.start_level = row.start;
    shape.ds = row.ds;
    Stage2Bench b(stage2_only(shape));
    b.edit_ste({{ste::Config, 6}});
    // The last page, the one behind the first half, and the first.
    const std::uint64_t page = two_to(row.granule);
    for (const std::uint64_t ipa : {two_to(row.bits) - page, two_to(row.bits - 1), std::uint64_t{0}}) {
      const std::uint64_t pa = target + (ipa & (31 * page));
      b.s2.map(ipa, pa, s2_rw);
      b.bench.memory.log.clear();
      const Response response = b.read(ipa + 0xabc);
      EXPECT_EQ(event_number(response), 0u);
      EXPECT_EQ(response.address.value, pa + 0xabc);
      std::vector<std::uint64_t> expected;
      for (int level = row.start; level <= 3; ++level) expected.push_back(b.s2.entry(ipa, level));
      EXPECT_EQ(b.bench.memory.addresses(Purpose::TTD), expected);
    }
    if (row.bits < 52) {
      EXPECT_EQ(event_number(b.read(two_to(row.bits))), F_TRANSLATION);
    }
  }
}

TEST(SpecStage2Walk, EverySizeOfStageOne) {
  RecordProperty("rule", "SM-AS-004 SM-TR-013 SM-AS-005");
  for (const unsigned granule : {12u, 14u, 16u}) {
    for (const bool ds : {false, true}) {
      if (ds && granule == 16) continue;
      const unsigned most = ds || granule == 16 ? 52 : 48;
      for (unsigned bits = granule == 16 ? 17 : 16; bits <= most; ++bits) {
        SCOPED_TRACE(testing::Message() << "granule 2^" << granule << ", " << bits << " bits" << (ds ? " DS" : ""));
        Stage2Bench::Options options = stage2_only(stage2_shape(32));
        options.place = [](std::uint64_t address) { return address; };
        options.stage1 = stage1_shape(bits, granule);
        options.stage1.ds = ds;
        Stage2Bench b(options);
        b.edit_ste({{ste::Config, 5}});
        const std::uint64_t va = two_to(bits) - two_to(granule);
        b.s1.map(va, target, raw::af | raw::ap_unprivileged);
        b.bench.memory.log.clear();
        EXPECT_EQ(b.read(va + 0x123).address.value, target + 0x123);
        std::vector<std::uint64_t> expected;
        for (int level = options.stage1.start_level; level <= 3; ++level) expected.push_back(b.s1.entry(va, level));
        EXPECT_EQ(b.bench.memory.addresses(Purpose::TTD), expected);
        EXPECT_EQ(event_number(b.read(two_to(bits))), F_TRANSLATION);
      }
    }
  }
}

struct BlockRow {
  unsigned granule;
  bool ds;
  unsigned oas;
  int level;
  bool block;  // may there be a block at this level?
};
constexpr BlockRow block_rows[] = {
    {12, false, 48, 0, false}, {12, false, 48, 1, true},  {12, false, 48, 2, true},  {12, false, 48, 3, false},
    {12, true, 52, -1, false}, {12, true, 52, 0, true},   {12, true, 52, 1, true},   {12, true, 52, 2, true},
    {12, true, 52, 3, false},  {14, false, 48, 1, false}, {14, false, 48, 2, true},  {14, false, 48, 3, false},
    {14, true, 52, 0, false},  {14, true, 52, 1, true},   {14, true, 52, 2, true},   {14, true, 52, 3, false},
    {16, false, 48, 1, false}, {16, false, 48, 2, true},  {16, false, 48, 3, false}, {16, false, 52, 1, true},
    {16, false, 52, 2, true},  {16, false, 52, 3, false}};

TableShape block_shape(const BlockRow& row) {
  TableShape shape;
  shape.granule = row.granule;
  shape.ds = row.ds;
  shape.input_bits = row.oas;
  shape.start_level = TableShape::first_level(row.granule, row.oas);
  if (row.granule == 14 && row.oas == 48) shape.start_level = 1;  // level 0 is of DS only
  return shape;
}

SmmuConfig block_config(const BlockRow& row) {
  SmmuConfig config = row.oas == 52 ? wide_config(52) : stage2_config();
  config.features.oas = row.oas;
  return config;
}

TEST(SpecStage2Walk, DescriptorTypesOfStageTwo) {
  RecordProperty("rule", "SM-TR-014 SM-EVR-014");
  for (const BlockRow& row : block_rows) {
    for (std::uint64_t type : {0u, 1u, 2u, 3u}) {
      SCOPED_TRACE(testing::Message() << "granule 2^" << row.granule << " OAS " << row.oas << (row.ds ? " DS" : "")
                                      << " level " << row.level << " type " << type);
      Stage2Bench::Options options;
      options.config = block_config(row);
      options.stage2 = block_shape(row);
      Stage2Bench b(options);
      b.edit_ste({{ste::Config, 6}});
      const std::uint64_t ipa = 0x1234'5678'9000;
      const bool leaf = (type == 1 && row.block) || (type == 3 && row.level == 3);
      const std::uint64_t output = row.oas == 52 ? two_to(51) : two_to(47);
      const std::uint64_t flags = row.ds ? s2_rw & ~std::uint64_t{0x300} : s2_rw;
      b.s2.set(ipa, row.level, b.s2.address_bits(leaf ? output : 0x9000'0000) | flags | type);
      const Response response = b.read(ipa + 0x123);
      EXPECT_EQ(response.outcome, leaf ? Outcome::proceed : Outcome::abort);
      if (leaf) {
        EXPECT_EQ(response.address.value, output | ((ipa + 0x123) & (two_to(b.s2.shape().shift(row.level)) - 1)));
      } else {
        EXPECT_EQ(event_number(response), F_TRANSLATION) << "invalid, reserved, or a table that is empty";
      }
    }
  }
}

TEST(SpecStage2Walk, DescriptorTypesOfStageOne) {
  RecordProperty("rule", "SM-TR-014 SM-TR-013");
  for (const BlockRow& row : block_rows) {
    for (std::uint64_t type : {0u, 1u, 2u, 3u}) {
      SCOPED_TRACE(testing::Message() << "granule 2^" << row.granule << " OAS " << row.oas << (row.ds ? " DS" : "")
                                      << " level " << row.level << " type " << type);
      Stage2Bench::Options options;
      options.config = block_config(row);
      options.place = [](std::uint64_t address) { return address; };
      options.stage1 = stage1_shape(row.oas, row.granule);
      options.stage1.ds = row.ds;
      Stage2Bench b(options);
      b.edit_ste({{ste::Config, 5}});
      const std::uint64_t va = 0x1234'5678'9000;
      const bool leaf = (type == 1 && row.block) || (type == 3 && row.level == 3);
      const std::uint64_t output = row.oas == 52 ? two_to(51) : two_to(47);
      b.s1.set(va, row.level, b.s1.address_bits(leaf ? output : 0x9000'0000) | raw::af | raw::ap_unprivileged | type);
      const Response response = b.read(va + 0x123);
      EXPECT_EQ(event_number(response), leaf ? 0u : F_TRANSLATION);
      if (leaf) {
        EXPECT_EQ(response.address.value, output | ((va + 0x123) & (two_to(b.s1.shape().shift(row.level)) - 1)));
      }
    }
  }
}

TEST(SpecStage2Walk, EndiannessOfBothStages) {
  RecordProperty("rule", "SM-TR-010 SM-CD-006");
  for (const unsigned which : {0u, 1u, 2u, 3u}) {
    SCOPED_TRACE(which);
    Stage2Bench::Options options;
    options.stage1.big_endian = (which & 1) != 0;
    options.stage2.big_endian = (which & 2) != 0;
    Stage2Bench b(options);
    b.s1.map(0x12'3456'7000, 0x76'5432'1000, raw::af | raw::ap_unprivileged);
    b.s2.map(0x76'5432'1000, target, s2_rw);
    EXPECT_EQ(b.read(0x12'3456'7000).address.value, target);
    b.s2.set(0x76'5432'1000, 3, 0);
    b.command({raw::command(raw::cmd::TLBI_NSNH_ALL)});
    EXPECT_EQ(event_number(b.read(0x12'3456'7000)), F_TRANSLATION);
  }
}

TEST(SpecStage2Walk, UpperDescriptorBitsDoNotCount) {
  RecordProperty("rule", "SM-TR-004");
  for (unsigned bit : {11u, 55u, 56u, 57u, 58u, 59u, 60u, 61u, 62u, 63u}) {
    SCOPED_TRACE(bit);
    Stage2Bench b;
    b.edit_ste({{ste::Config, 6}});
    b.s2.map(0x1000, target, s2_rw | two_to(bit));
    EXPECT_EQ(b.read(0x1000).address.value, target);
    if (bit < 59) continue;
    // A stage-2 table descriptor has no permission bits.
    b.s2.map(0x4020'0000, target, s2_rw);
    const std::uint64_t at = b.s2.entry(0x4020'0000, 1);
    b.bench.memory.write64(at, b.bench.memory.read64(at) | two_to(bit));
    EXPECT_EQ(b.go(0x4020'0000, AccessType::write).address.value, target);
  }
}

TEST(SpecStage2Walk, AccessFlag) {
  RecordProperty("rule", "SM-EVR-016 SM-EVP-002 SM-TL-022");
  Stage2Bench b;
  b.edit_ste({{ste::Config, 6}});
  b.s2.map(0x1000, target, (s2_rw & ~raw::af) & ~s2_write);
  EXPECT_EQ(event_number(b.go(0x1000, AccessType::write)), F_ACCESS) << "before F_PERMISSION";
  EXPECT_EQ(b.bench.take_event(),
            raw::Record{}.with(
                {{Type, F_ACCESS}, {StreamID, Stage2Bench::sid}, {S2, 1}, {CLASS, 2}, {InputAddr, 0x1000}, {IPA, 1}}));
  b.s2.map(0x1000, target, s2_rw);
  EXPECT_EQ(b.go(0x1000, AccessType::write).address.value, target) << "AF=0 was not cached";
  Stage2Bench relaxed;
  relaxed.edit_ste({{ste::Config, 6}, {raw::s2::S2AFFD, 1}});
  relaxed.s2.map(0x1000, target, s2_rw & ~raw::af);
  EXPECT_EQ(relaxed.read(0x1000).address.value, target) << "S2AFFD=1 treats AF as 1";
}

TEST(SpecStage2Walk, ContiguousRuns) {
  RecordProperty("rule", "SM-TR-014 SM-TL-023");
  struct Row {
    unsigned granule;
    int level;
    std::uint64_t entries;
  };
  for (const Row& row : {Row{12, 3, 16}, Row{12, 2, 16}, Row{12, 1, 16}, Row{14, 3, 128}, Row{14, 2, 32},
                         Row{16, 3, 32}, Row{16, 2, 32}}) {
    SCOPED_TRACE(testing::Message() << "granule 2^" << row.granule << " level " << row.level);
    Stage2Bench::Options options;
    options.stage2.granule = row.granule;
    options.stage2.input_bits = 44;
    options.stage2.start_level = row.granule == 12 ? 0 : 1;
    Stage2Bench b(options);
    b.edit_ste({{ste::Config, 6}});
    const std::uint64_t page = two_to(b.s2.shape().shift(row.level)), base = page * row.entries;
    for (std::uint64_t i = 0; i < row.entries; ++i) {
      b.s2.map(base + i * page, 8 * base + i * page, s2_rw | raw::contiguous, row.level);
    }
    for (std::uint64_t i = 0; i < row.entries; ++i) {
      EXPECT_EQ(b.read(base + i * page + 0x10).address.value, 8 * base + i * page + 0x10);
    }
    EXPECT_EQ(event_number(b.read(2 * base)), F_TRANSLATION) << "the run ends";
    EXPECT_EQ(event_number(b.read(base - 1)), F_TRANSLATION) << "and begins";
  }
}

TEST(SpecStage2Walk, BlocksOfBothStagesMix) {
  RecordProperty("rule", "SM-TR-014 SM-TR-001");
  for (int level1 = 1; level1 <= 3; ++level1) {
    for (int level2 = 1; level2 <= 3; ++level2) {
      SCOPED_TRACE(testing::Message() << "stage 1 level " << level1 << ", stage 2 level " << level2);
      Stage2Bench b;
      const std::uint64_t va = 0x12'7654'3000, ipa_base = 0x200'0000'0000, pa_base = 0x400'0000'0000;
      const std::uint64_t size1 = two_to(b.s1.shape().shift(level1)), size2 = two_to(b.s2.shape().shift(level2));
      b.s1.map(va, ipa_base, raw::af | raw::ap_unprivileged, level1);
      const std::uint64_t ipa = ipa_base + (va & (size1 - 1));
      b.s2.map(ipa, pa_base, s2_rw, level2);
      EXPECT_EQ(b.read(va + 0x18).address.value, pa_base + ((ipa + 0x18) & (size2 - 1)));
      // The neighbour page is inside the stage-1 block but only inside the stage-2 mapping if that is a block.
      const Response next = b.read(va + 0x1000);
      const bool maps = level1 < 3 && level2 < 3;
      EXPECT_EQ(event_number(next), maps ? 0u : F_TRANSLATION);
      if (maps) {
        EXPECT_EQ(next.address.value, pa_base + ((ipa + 0x1000) & (size2 - 1)));
      }
    }
  }
}

}  // namespace
}  // namespace smmusim
