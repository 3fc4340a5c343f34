// SPDX-License-Identifier: MIT
// Granules, start levels, concatenation and block sizes of the reference walker, row by row after the tables of DDI
// 0487 D8.2.8 to D8.2.10. These tests say nothing about model/ and therefore name the Arm ARM's rules, not the house's.
#include <string>

#include "tests/random/reference/refwalk_chain.h"

namespace refwalk {
namespace {

constexpr uint64_t kPattern = 0xA5C3'96E1'5A3C'6971;
constexpr uint64_t kOut = 0x7ABCD0000;

// An address of `bits` bits with its highest bit set.
uint64_t address_of_bits(unsigned bits) {
  return (kPattern & mask(bits)) | (uint64_t{1} << (bits - 1));
}

TEST_F(RefwalkWide, Stage1StartLevels) {
  // First and last TxSZ of each row of tables D8-18, D8-28 and D8-37.
  const struct {
    unsigned granule, first, last;
    int start;
  } rows[] = {{12, 12, 15, -1}, {12, 16, 24, 0}, {12, 25, 33, 1}, {12, 34, 39, 2}, {12, 40, 42, 2}, {12, 43, 48, 3},
              {14, 12, 15, 0},  {14, 16, 16, 0}, {14, 17, 27, 1}, {14, 28, 38, 2}, {14, 39, 39, 3}, {14, 40, 48, 3},
              {16, 12, 15, 1},  {16, 16, 21, 1}, {16, 22, 34, 2}, {16, 35, 39, 3}, {16, 40, 47, 3}};
  for (const auto& row : rows) {
    for (const unsigned txsz : {row.first, row.last}) {
      const Chain chain{0, row.granule, 64 - txsz, row.start};
      const std::string name = "granule " + std::to_string(row.granule) + " TxSZ " + std::to_string(txsz);
      use_stage1(chain, txsz < 16 && row.granule != 16);
      use_stage1_upper(chain);
      const uint64_t low = address_of_bits(chain.input_bits);
      chain.write(&m, low, 3, kOut | kPlain);
      for (const uint64_t address : {low, low | ~mask(chain.input_bits)}) {
        a.address = address;
        expect_pa(kOut | (low & mask(row.granule)), name);
        EXPECT_EQ(levels(run(), 1), levels_from(row.start, 3)) << name;
        EXPECT_EQ(run().page_size_log2, row.granule) << name;
      }
      if (chain.input_bits < 52) {
        a.address = low | (uint64_t{1} << chain.input_bits);
        expect_event(Outcome::Abort, 0x10, name + ", one bit above the range");
      }
    }
  }
}

TEST_F(RefwalkWide, Stage2StartLevels) {
  // Tables D8-20 to D8-24, D8-30 to D8-33, D8-39 to D8-41: the T0SZ that each start level allows, 1 to 16 tables.
  const struct {
    unsigned granule, sl, first, last;
    int start;
  } rows[] = {{12, 4, 12, 15, -1}, {12, 2, 12, 24, 0}, {12, 1, 21, 33, 1}, {12, 0, 30, 42, 2},
              {12, 3, 39, 48, 3},  {14, 3, 12, 16, 0}, {14, 2, 13, 27, 1}, {14, 1, 24, 38, 2},
              {14, 0, 35, 48, 3},  {16, 2, 12, 21, 1}, {16, 1, 18, 34, 2}, {16, 0, 31, 47, 3}};
  for (const auto& row : rows) {
    for (unsigned t0sz = row.first - 1; t0sz <= row.last + 1; ++t0sz) {
      const Chain chain{0, row.granule, 64 - t0sz, row.start};
      const std::string name =
          "granule " + std::to_string(row.granule) + " SL " + std::to_string(row.sl) + " T0SZ " + std::to_string(t0sz);
      use_stage2(chain, 6, row.sl, row.granule != 16);
      if (t0sz < row.first || t0sz > row.last) {
        a.address = 0x1000;
        expect_event(Outcome::Abort, 0x04, name);
        continue;
      }
      a.address = address_of_bits(chain.input_bits);
      chain.write(&m, a.address, 3, kOut | kPlain2);
      expect_pa(kOut | (a.address & mask(row.granule)), name);
      EXPECT_EQ(levels(run(), 2), levels_from(row.start, 3)) << name;
      EXPECT_EQ(run().fetch_list[1].address, chain.entry(row.start, a.address)) << name;
      if (chain.input_bits < 52) {
        a.address |= uint64_t{1} << chain.input_bits;
        expect_event(Outcome::Abort, 0x10, name + ", one bit above the range");
      }
    }
  }
}

TEST_F(RefwalkWide, Stage2ReservedStartLevels) {
  // AArch64.S2InvalidSL (J1.1.4.40): reserved codes, codes that need DS, STT or a PA size.
  const struct {
    const char* name;
    unsigned granule, sl;
    bool ds, stt;
    unsigned oas_code, t0sz, event;
  } rows[] = {{"4K SL2 with SL0=1", 12, 5, true, true, 6, 12, 4},
              {"4K SL2 with SL0=2", 12, 6, true, true, 6, 12, 4},
              {"4K SL2 with SL0=3", 12, 7, true, true, 6, 40, 4},
              {"4K SL2 is ignored without DS", 12, 5, false, true, 6, 25, 0},
              {"4K level 3 without STT", 12, 3, false, false, 6, 39, 4},
              {"4K level 3 with STT", 12, 3, false, true, 6, 39, 0},
              {"4K level 0, PA 42", 12, 2, false, true, 3, 22, 4},
              {"4K level 0, PA 44", 12, 2, false, true, 4, 22, 0},
              {"16K level 0 without DS", 14, 3, false, true, 6, 16, 4},
              {"16K level 0, PA 48", 14, 3, true, true, 5, 16, 4},
              {"16K level 1, PA 40", 14, 2, false, true, 2, 24, 4},
              {"16K level 1, PA 42", 14, 2, false, true, 3, 24, 0},
              {"64K level 1, PA 44", 16, 2, false, true, 4, 21, 0},
              {"64K reserved", 16, 3, false, true, 6, 16, 4}};
  for (const auto& row : rows) {
    set_oas(row.oas_code);
    r.idr3 = row.stt ? r.idr3 | (1u << 9) : r.idr3 & ~(1u << 9);
    int start =
        row.granule == 12 ? (row.sl & 3) == 3 ? 3 : 2 - static_cast<int>(row.sl & 3) : 3 - static_cast<int>(row.sl);
    const Chain chain{0, row.granule, 64 - row.t0sz, start};
    use_stage2(chain, 6, row.sl, row.ds);
    a.address = 0x10000;
    chain.write(&m, a.address, 3, kOut | kPlain2);
    if (row.event == 0) {
      expect_pa(row.oas_code < 2 ? 0 : kOut, row.name);
    } else {
      expect_event(Outcome::Abort, row.event, row.name);
    }
  }
}

TEST_F(RefwalkWide, BlockSizes) {
  // Tables D8-17, D8-27, D8-36; `size` 0 means that a block there is an invalid descriptor.
  const struct {
    unsigned granule;
    int level;
    bool ds;
    unsigned oas_code, size;
  } rows[] = {{12, -1, true, 6, 0},  {12, 0, true, 6, 39},  {12, 0, false, 6, 0},  {12, 1, false, 6, 30},
              {12, 2, false, 6, 21}, {12, 3, false, 6, 0},  {14, 0, true, 6, 0},   {14, 1, true, 6, 36},
              {14, 1, false, 6, 0},  {14, 2, false, 6, 25}, {14, 3, true, 6, 0},   {16, 1, false, 6, 42},
              {16, 1, false, 5, 0},  {16, 2, false, 6, 29}, {16, 2, false, 5, 29}, {16, 3, false, 6, 0}};
  for (const auto& row : rows) {
    const std::string name = "granule " + std::to_string(row.granule) + " level " + std::to_string(row.level) +
                             (row.ds ? " DS" : "") + " OAS code " + std::to_string(row.oas_code);
    set_oas(row.oas_code);
    const int stage1_start = row.granule == 16 ? 1 : row.granule == 14 ? 0 : row.ds ? -1 : 0;
    const int stage2_start = row.granule == 14 && !row.ds ? 1 : stage1_start;
    const unsigned sl = row.granule == 12 ? (row.ds ? 4 : 2) : row.granule == 14 ? (row.ds ? 3 : 2) : 2;
    const uint64_t block = row.size == 0 ? 0 : uint64_t{1} << row.size;
    const unsigned bits = row.ds ? 52 : 48;
    for (const unsigned stage : {1u, 2u}) {
      const Chain chain{0x100000000, row.granule, bits, stage == 1 ? stage1_start : stage2_start};
      if (row.level < chain.start) continue;
      m.set(kSte, 3, 1, 5);
      if (stage == 1) use_stage1(chain, row.ds);
      if (stage == 2) use_stage2(chain, 6, sl, row.ds);
      a.address = address_of_bits(bits);
      chain.write(&m, a.address, row.level, block | ((stage == 1 ? kPlain : kPlain2) & ~uint64_t{2}));
      if (row.size == 0) {
        expect_event(Outcome::Abort, 0x10, name + " stage " + std::to_string(stage));
      } else {
        expect_pa(block | (a.address & mask(row.size)), name + " stage " + std::to_string(stage));
        EXPECT_EQ(run().page_size_log2, row.size) << name;
        EXPECT_EQ(levels(run(), stage), levels_from(chain.start, row.level)) << name;
      }
    }
  }
}

TEST_F(RefwalkWide, FirstTablesAreAlignedToTheirSize) {
  // D8.2.5.2 and CD.TTB0, STE.S2TTB: the low bits of the base are ignored; at least 64 bytes if the output size is 52.
  const struct {
    unsigned txsz, ips_code;
    uint64_t ignored;
  } rows[] = {{16, 6, 0xFF0}, {23, 6, 0x30}, {24, 6, 0x30}, {24, 5, 0x0}, {23, 5, 0x10}, {20, 5, 0xF0}};
  const auto plain = m.words;
  for (const auto& row : rows) {
    m.words = plain;
    const Chain chain{0, 12, 64 - row.txsz, 0};
    use_stage1(chain, false);
    m.set(kCd, 34, 32, row.ips_code);
    a.address = address_of_bits(chain.input_bits) & ~mask(chain.low(0));
    a.address |= 0x1234;
    chain.write(&m, a.address, 3, kOut | kPlain);
    m.set(kCd, 115, 68, (chain.table(0) | row.ignored) >> 4);
    expect_pa(kOut | 0x234, "TxSZ " + std::to_string(row.txsz));
    m.set(kCd, 115, 68, (chain.table(0) | ((row.ignored + 0x10) & ~row.ignored)) >> 4);
    expect_event(Outcome::Abort, 0x10, "one bit more moves the table, TxSZ " + std::to_string(row.txsz));
  }
}

}  // namespace
}  // namespace refwalk
