// SPDX-License-Identifier: MIT
// What a stage-2 descriptor means: type by level and granule, output address in every layout, Access flag, Contiguous,
// S2AP, XN with and without XNX, MemAttr and shareability (Arm ARM D8.3, D8.4.2, D8.6; IHI 0070 sections 3.4, 5.2).
#include <gtest/gtest.h>

#include "model/vmsa/attributes.h"
#include "model/vmsa/permissions.h"
#include "model/vmsa/s2_walk.h"
#include "tests/unit/vmsa_digest.h"

namespace smmusim {
namespace {

constexpr std::uint64_t af = 1u << 10;
constexpr auto leaf = WalkStep::leaf;
constexpr auto table = WalkStep::table;
constexpr auto invalid = WalkStep::translation_fault;

S2TTWParams params_of(unsigned granule_bits = 12, bool wide = false, unsigned ps_bits = 48) {
  S2TTWParams params;
  params.granule_bits = static_cast<std::uint8_t>(granule_bits);
  params.txsz = 12;
  params.ps_bits = static_cast<std::uint8_t>(ps_bits);
  params.ds = wide && granule_bits != 16;
  params.lpa = wide && granule_bits == 16;
  return params;
}

struct LevelRow {
  unsigned granule_bits;
  int level;
  WalkStep block, wide_block;
  unsigned bits, contiguous_bits;
};
constexpr LevelRow levels[] = {
    {12, -1, invalid, invalid, 48, 0}, {12, 0, invalid, leaf, 39, 0},    {12, 1, leaf, leaf, 30, 34},
    {12, 2, leaf, leaf, 21, 25},       {14, 0, invalid, invalid, 47, 0}, {14, 1, invalid, leaf, 36, 0},
    {14, 2, leaf, leaf, 25, 30},       {16, 1, invalid, leaf, 42, 0},    {16, 2, leaf, leaf, 29, 34},
};

TEST(S2Step, TypesAboveLevel3) {
  RecordProperty("rule", "SM-TR-014");
  for (const LevelRow& row : levels) {
    for (const bool wide : {false, true}) {
      const S2TTWParams params = params_of(row.granule_bits, wide, 52);
      SCOPED_TRACE(testing::Message() << row.granule_bits << " level " << row.level << (wide ? " wide" : ""));
      EXPECT_EQ(digest(params, row.level, af).step, invalid);
      EXPECT_EQ(digest(params, row.level, af | 2).step, invalid);
      EXPECT_EQ(digest(params, row.level, af | 3).step, table);
      EXPECT_EQ(digest(params, row.level, af | 3).state.level, row.level + 1);
      EXPECT_EQ(digest(params, row.level, af | 1).step, wide ? row.wide_block : row.block);
    }
  }
}

TEST(S2Step, TypesAtLevel3) {
  RecordProperty("rule", "SM-TR-014");
  for (const unsigned granule : {12u, 14u, 16u}) {
    EXPECT_EQ(digest(params_of(granule), 3, af).step, invalid);
    EXPECT_EQ(digest(params_of(granule), 3, af | 1).step, invalid);
    EXPECT_EQ(digest(params_of(granule), 3, af | 2).step, invalid);
    EXPECT_EQ(digest(params_of(granule), 3, af | 3).step, leaf);
    EXPECT_EQ(digest(params_of(granule), 3, af | 3).state.page_bits, granule);
  }
}

TEST(S2Step, BlocksCoverWhatTheirLevelSays) {
  for (const LevelRow& row : levels) {
    if (row.wide_block != leaf) continue;
    const Result result = digest(params_of(row.granule_bits, true, 52), row.level,
                                 af | 1 | std::uint64_t{1} << 47 | std::uint64_t{1} << 52);
    ASSERT_EQ(result.step, leaf);
    EXPECT_EQ(result.state.page_bits, row.bits);
    EXPECT_EQ(result.state.contiguous_bits, row.contiguous_bits) << row.granule_bits << " level " << row.level;
    EXPECT_EQ(result.state.output, std::uint64_t{1} << 47);
  }
}

TEST(S2Step, TableBitsOfStage1HaveNoMeaning) {
  const Result result = digest(params_of(), 1, std::uint64_t{0xf8} << 56 | 0x1003);
  EXPECT_EQ(result.step, table);
  EXPECT_EQ(result.state.hierarchical, 0);
  EXPECT_EQ(result.state.base, 0x1000u);
}

TEST(S2Step, BitsAbovePbhaHaveNoEffect) {
  RecordProperty("rule", "SM-TR-004");
  const Result plain = digest(params_of(), 3, af | 0xc3);
  const Result set = digest(params_of(), 3, af | 0xc3 | std::uint64_t{0xf8} << 56);
  EXPECT_EQ(set.step, leaf);
  EXPECT_EQ(set.state.output, plain.state.output);
  EXPECT_EQ(set.state.permissions, plain.state.permissions);
}

// Addresses.

std::uint64_t encoded(unsigned granule_bits, std::uint64_t address) {
  const std::uint64_t low = address & ((std::uint64_t{1} << 48) - 1);
  if (granule_bits == 16) return low | (address >> 48) << 12;
  return low | (address & (std::uint64_t{3} << 48)) | (address >> 50) << 8;
}

TEST(S2Step, AddressBitsAboveTheOutputSizeFault) {
  RecordProperty("rule", "SM-AS-012 SM-AS-024");
  for (const unsigned granule : {12u, 14u, 16u}) {
    for (const unsigned ps : {32u, 36u, 40u, 42u, 44u, 48u, 52u}) {
      for (unsigned n = granule; n < 52; ++n) {
        const std::uint64_t address = encoded(granule, std::uint64_t{1} << n);
        const Result page = digest(params_of(granule, true, ps), 3, address | af | 3);
        const Result next = digest(params_of(granule, true, ps), 2, address | 3);
        EXPECT_EQ(page.step, n < ps ? leaf : WalkStep::address_size_fault);
        EXPECT_EQ(next.step, n < ps ? table : WalkStep::address_size_fault);
        if (n >= ps) continue;
        EXPECT_EQ(page.state.output, std::uint64_t{1} << n);
        EXPECT_EQ(next.state.base, std::uint64_t{1} << n);
      }
    }
  }
}

TEST(S2Step, NarrowFormatOutputs48Bits) {
  RecordProperty("rule", "SM-AS-027");
  for (const unsigned granule : {12u, 14u, 16u}) {
    const std::uint64_t beside = std::uint64_t{3} << 48 | (granule == 16 ? std::uint64_t{0xf000} : 0x300);
    const Result result = digest(params_of(granule, false, 52), 3, std::uint64_t{1} << 47 | beside | af | 3);
    EXPECT_EQ(result.step, leaf);
    EXPECT_EQ(result.state.output, std::uint64_t{1} << 47);
  }
}

TEST(S2Step, ClearAccessFlagFaultsAfterTheAddressCheckUnlessAffd) {
  S2TTWParams params = params_of(12, false, 32);
  EXPECT_EQ(digest(params, 3, 3).step, WalkStep::access_fault);
  EXPECT_EQ(digest(params, 3, std::uint64_t{1} << 40 | 3).step, WalkStep::address_size_fault);
  EXPECT_EQ(digest(params, 1, 3).step, table) << "tables have no Access flag";
  params.affd = true;
  EXPECT_EQ(digest(params, 3, 3).step, leaf);
}

TEST(S2Step, NtIsReportedForBlocksWhereItIsObserved) {
  S2TTWParams params = params_of();
  EXPECT_FALSE(digest(params, 2, af | 1 | 1u << 16).state.nt);
  params.nt = true;
  EXPECT_TRUE(digest(params, 2, af | 1 | 1u << 16).state.nt);
  EXPECT_FALSE(digest(params, 3, af | 3 | 1u << 16).state.nt) << "an address bit of a page";
}

// Permissions.

bool allowed(unsigned s2ap, unsigned xn, bool xnx, bool privileged, char access) {
  if (access == 'r') return s2ap == 1 || s2ap == 3;
  if (access == 'w') return s2ap == 2 || s2ap == 3;
  if (!xnx) return xn < 2;  // bit 54 alone
  if (xn == 0) return true;
  if (xn == 1) return !privileged;
  return xn == 3 && privileged;
}

TEST(S2Permissions, EveryCombination) {
  RecordProperty("rule", "SM-AT-023");
  for (unsigned n = 0; n < 32; ++n) {
    const unsigned s2ap = n & 3, xn = (n >> 2) & 3;
    S2TTWParams params = params_of();
    params.xnx = (n & 16) != 0;
    const Result result = digest(params, 3, af | 3 | s2ap << 6 | std::uint64_t{xn} << 53);
    ASSERT_EQ(result.step, leaf);
    unsigned expected = 0;
    for (const bool privileged : {false, true}) {
      if (allowed(s2ap, xn, params.xnx, privileged, 'r')) expected |= permission::read_bit(privileged);
      if (allowed(s2ap, xn, params.xnx, privileged, 'w')) expected |= permission::write_bit(privileged);
      if (allowed(s2ap, xn, params.xnx, privileged, 'x')) expected |= permission::execute_bit(privileged);
    }
    EXPECT_EQ(result.state.permissions, expected) << "S2AP " << s2ap << " XN " << xn << " XNX " << params.xnx;
  }
}

// Attributes.

TEST(S2Step, MemAttrIsKeptAndAttrIsWhatANormalWriteBackInputBecomes) {
  constexpr std::uint8_t without_fwb[16] = {0x00, 0x04, 0x08, 0x0c, 0x44, 0x44, 0x4b, 0x4f,
                                            0xb4, 0xb4, 0xbb, 0xbf, 0xf4, 0xf4, 0xfb, 0xff};
  constexpr std::uint8_t with_fwb[8] = {0x00, 0x04, 0x08, 0x0c, 0x44, 0x44, 0xff, 0xff};
  for (unsigned memattr = 0; memattr < 16; ++memattr) {
    S2TTWParams params = params_of();
    const Result combined = digest(params, 3, af | 3 | memattr << 2);
    EXPECT_EQ(combined.state.memattr, memattr);
    EXPECT_EQ(combined.state.attr, without_fwb[memattr]) << memattr;
    params.fwb = true;
    EXPECT_EQ(digest(params, 3, af | 3 | memattr << 2).state.attr, with_fwb[memattr & 7]) << memattr;
  }
}

TEST(S2Step, AttributesOfTheLeafGoIntoTheCombination) {
  S2TTWParams params = params_of();
  params.fwb = params.mteperm = true;
  const Result result = digest(params, 3, af | 3 | 6 << 2 | 3 << 8);
  const S2Attributes attributes = s2_attributes(params, result.state);
  EXPECT_EQ(attributes.memattr, 6);
  EXPECT_EQ(attributes.sh, 3);
  EXPECT_TRUE(attributes.fwb && attributes.mteperm);
}

TEST(S2Step, ShareabilityIsThatOfTheSteWithDs) {
  RecordProperty("rule", "SM-TR-011");
  for (const unsigned granule : {12u, 14u, 16u}) {
    for (unsigned sh = 0; sh < 4; ++sh) {
      S2TTWParams params = params_of(granule, true, 52);
      params.leaf_sh = static_cast<std::uint8_t>(sh);
      const unsigned effective = sh == 1 ? 0 : sh;
      EXPECT_EQ(digest(params, 3, af | 3 | 2 << 8).state.sh, granule == 16 ? 2 : effective);
      params.leaf_sh = 2;
      params.ds = false;
      EXPECT_EQ(digest(params, 3, af | 3 | sh << 8).state.sh, effective);
    }
  }
}

}  // namespace
}  // namespace smmusim
