// SPDX-License-Identifier: MIT
// What a stage-1 descriptor means: tables, blocks, pages and invalid ones by level and granule, output sizes, access
// flag, Contiguous bit, attributes (Arm ARM D8.3, D8.5, D8.6; house reference 6.3 and 6.4).
#include <gtest/gtest.h>

#include <string>

#include "model/vmsa/s1_walk.h"

namespace smmusim {
namespace {

spec::Features features_with_oas(unsigned oas) {
  spec::Features features;
  features.oas = oas;
  return features;
}

constexpr std::uint64_t af = 1u << 10;
constexpr std::uint64_t contiguous = std::uint64_t{1} << 52;
constexpr std::uint64_t not_global = 1u << 11;

S1TTWParams params_of(unsigned granule_bits = 12) {
  S1TTWParams params;
  params.granule_bits = static_cast<std::uint8_t>(granule_bits);
  params.txsz = 16;
  params.mair[0] = 0x0c'04'44'ff;
  params.mair[1] = 0xbb'00'88'f4;
  return params;
}
TTWState at_level(const S1TTWParams& params, int level) {
  TTWState state;
  ttw::enter_table(params, state, level, 0x4000'0000);
  return state;
}
struct Result {
  WalkStep step;
  TTWState state;
};
Result digest(const S1TTWParams& params, int level, std::uint64_t descriptor) {
  Result result{WalkStep::table, at_level(params, level)};
  result.step = walk_step(params, result.state, descriptor);
  return result;
}

struct TypeRow {
  unsigned granule_bits;
  int level;
  unsigned type;  // descriptor bits 1:0
  WalkStep step;
};
constexpr auto leaf = WalkStep::leaf;
constexpr auto table = WalkStep::table;
constexpr auto invalid = WalkStep::translation_fault;
constexpr TypeRow type_rows[] = {
    {12, 0, 0, invalid}, {12, 0, 1, invalid}, {12, 0, 2, invalid}, {12, 0, 3, table},   {12, 1, 0, invalid},
    {12, 1, 1, leaf},    {12, 1, 2, invalid}, {12, 1, 3, table},   {12, 2, 0, invalid}, {12, 2, 1, leaf},
    {12, 2, 2, invalid}, {12, 2, 3, table},   {12, 3, 0, invalid}, {12, 3, 1, invalid}, {12, 3, 2, invalid},
    {12, 3, 3, leaf},    {14, 0, 1, invalid}, {14, 0, 3, table},   {14, 1, 0, invalid}, {14, 1, 1, invalid},
    {14, 1, 3, table},   {14, 2, 1, leaf},    {14, 2, 2, invalid}, {14, 2, 3, table},   {14, 3, 1, invalid},
    {14, 3, 3, leaf},    {16, 1, 0, invalid}, {16, 1, 1, invalid}, {16, 1, 3, table},   {16, 2, 1, leaf},
    {16, 2, 2, invalid}, {16, 2, 3, table},   {16, 3, 1, invalid}, {16, 3, 3, leaf},
};

TEST(S1Step, TypeOfADescriptorDependsOnLevelAndGranule) {
  for (const TypeRow& row : type_rows) {
    const Result result = digest(params_of(row.granule_bits), row.level, af | row.type);
    EXPECT_EQ(result.step, row.step) << "granule 2^" << row.granule_bits << " level " << row.level << " type "
                                     << row.type;
  }
}

TEST(S1Step, FaultStaysAtItsLevelAndATableMovesDown) {
  EXPECT_EQ(digest(params_of(), 1, 0).state.level, 1);
  const Result down = digest(params_of(), 1, 0x1234'5000 | 3);
  EXPECT_EQ(down.state.level, 2);
  EXPECT_EQ(down.state.base, 0x1234'5000u);
  EXPECT_EQ(down.state.index_mask, 511u);
}

TEST(S1Step, LimitsOfTablesAccumulate) {
  S1TTWParams params = params_of();
  TTWState state = at_level(params, 0);
  ASSERT_EQ(walk_step(params, state, 3 | std::uint64_t{1} << 61), table);
  ASSERT_EQ(walk_step(params, state, 3 | std::uint64_t{1} << 59), table);
  ASSERT_EQ(walk_step(params, state, 3), table);
  EXPECT_EQ(state.hierarchical, hierarchical::no_unprivileged | hierarchical::pxn);
}

// Output.

struct LeafRow {
  unsigned granule_bits;
  int level;
  unsigned size_bits;
  unsigned contiguous_bits;
};
constexpr LeafRow leaf_rows[] = {
    {12, 3, 12, 16}, {12, 2, 21, 25}, {12, 1, 30, 34},  // 16 entries
    {14, 3, 14, 21}, {14, 2, 25, 30},                   // 128 and 32
    {16, 3, 16, 21}, {16, 2, 29, 34},                   // 32
};

TEST(S1Step, LeafCoversWhatItsLevelSaysAndIgnoresAddressBitsBelow) {
  for (const LeafRow& row : leaf_rows) {
    const std::uint64_t type = row.level == 3 ? 3 : 1;
    const std::uint64_t all_address_bits = low_mask(48) & ~low_mask(row.granule_bits);
    const Result result = digest(params_of(row.granule_bits), row.level, all_address_bits | af | type);
    ASSERT_EQ(result.step, leaf);
    EXPECT_EQ(result.state.page_bits, row.size_bits);
    EXPECT_EQ(result.state.output, low_mask(48) & ~low_mask(row.size_bits)) << row.granule_bits << " " << row.level;
  }
}

TEST(S1Step, ContiguousBitNamesARunOfTheArchitecturesLength) {
  for (const LeafRow& row : leaf_rows) {
    const std::uint64_t type = row.level == 3 ? 3 : 1;
    EXPECT_EQ(digest(params_of(row.granule_bits), row.level, contiguous | af | type).state.contiguous_bits,
              row.contiguous_bits)
        << row.granule_bits << " " << row.level;
    EXPECT_EQ(digest(params_of(row.granule_bits), row.level, af | type).state.contiguous_bits, 0);
  }
}

TEST(S1Step, AddressBeyondTheOutputSizeFaults) {
  for (const unsigned ps : {32u, 36u, 40u, 42u, 44u}) {
    S1TTWParams params = params_of();
    params.ps_bits = static_cast<std::uint8_t>(ps);
    const std::uint64_t last = low_mask(ps) & ~low_mask(30);
    const std::uint64_t beyond = std::uint64_t{1} << ps;
    for (const int level : {1, 2, 3}) {
      const std::uint64_t type = level == 3 ? 3 : 1;
      EXPECT_EQ(digest(params, level, last | af | type).step, leaf) << ps << " " << level;
      EXPECT_EQ(digest(params, level, beyond | af | type).step, WalkStep::address_size_fault) << ps << " " << level;
    }
    for (const int level : {0, 1, 2}) {
      EXPECT_EQ(digest(params, level, last | 3).step, table) << ps << " " << level;
      EXPECT_EQ(digest(params, level, beyond | 3).step, WalkStep::address_size_fault) << ps << " " << level;
    }
  }
}

TEST(S1Step, InvalidDescriptorIsATranslationFaultWhateverItsAddress) {
  S1TTWParams params = params_of();
  params.ps_bits = 32;
  EXPECT_EQ(digest(params, 3, (std::uint64_t{1} << 40) | 0).step, WalkStep::translation_fault);
  EXPECT_EQ(digest(params, 3, (std::uint64_t{1} << 40) | 1).step, WalkStep::translation_fault);
}

TEST(S1Step, AddressSizeFaultComesBeforeTheAccessFault) {
  S1TTWParams params = params_of();
  params.ps_bits = 32;
  EXPECT_EQ(digest(params, 3, (std::uint64_t{1} << 40) | 3).step, WalkStep::address_size_fault);
}

TEST(S1Step, ClearAccessFlagFaultsUnlessAffd) {
  EXPECT_EQ(digest(params_of(), 3, 3).step, WalkStep::access_fault);
  EXPECT_EQ(digest(params_of(), 2, 1).step, WalkStep::access_fault);
  EXPECT_EQ(digest(params_of(), 3, 3 | af).step, leaf);
  S1TTWParams params = params_of();
  params.affd = true;
  EXPECT_EQ(digest(params, 3, 3).step, leaf);
}

// Attributes.

TEST(S1Step, AttrIndxSelectsTheMairByte) {
  constexpr unsigned expected[8] = {0xff, 0x44, 0x04, 0x0c, 0xf4, 0x88 | 0x00, 0x00, 0xbb};
  for (unsigned index = 0; index < 8; ++index) {
    EXPECT_EQ(digest(params_of(), 3, af | 3 | index << 2).state.attr, expected[index]) << index;
  }
}

struct ShareRow {
  const char* what;
  unsigned attr_index;
  unsigned sh;
  unsigned expected;
};

TEST(S1Step, ShareabilityIsThatOfTheLeafButDeviceAndNonCacheableAreOuter) {
  constexpr ShareRow rows[] = {
      {"Normal WB, NSH", 0, 0, 0},        {"Normal WB, reserved acts as NSH", 0, 1, 0},
      {"Normal WB, OSH", 0, 2, 2},        {"Normal WB, ISH", 0, 3, 3},
      {"iNC-oNC, NSH", 1, 0, 2},          {"iNC-oNC, ISH", 1, 3, 2},
      {"Device, NSH", 2, 0, 2},           {"Device, ISH", 2, 3, 2},
      {"iNC-oWB keeps its own", 4, 3, 3},
  };
  for (const ShareRow& row : rows) {
    const std::uint64_t descriptor = af | 3 | row.attr_index << 2 | row.sh << 8;
    EXPECT_EQ(digest(params_of(), 3, descriptor).state.sh, row.expected) << row.what;
  }
}

TEST(S1Step, GlobalIsTheAbsenceOfNgAndAlwaysSoWithOnePrivilege) {
  EXPECT_TRUE(digest(params_of(), 3, af | 3).state.global);
  EXPECT_FALSE(digest(params_of(), 3, af | 3 | not_global).state.global);
  S1TTWParams params = params_of();
  params.single_privilege = true;
  EXPECT_TRUE(digest(params, 3, af | 3 | not_global).state.global);
}

// Decoding of a CD.

TEST(S1Params, OutputSizeIsTheSmallerOfIpsAndOas) {
  struct Row {
    unsigned ips, oas, expected;
  };
  constexpr Row rows[] = {{0, 48, 32}, {1, 48, 36}, {2, 48, 40}, {3, 48, 42}, {4, 48, 44},
                          {5, 48, 48}, {5, 40, 40}, {6, 48, 48}, {7, 44, 44}, {2, 36, 36}};
  for (const Row& row : rows) {
    spec::Cd cd;
    cd.dw[0] = std::uint64_t{row.ips} << 32;
    EXPECT_EQ(s1_ttw_params(cd, 0, true, features_with_oas(row.oas)).ps_bits, row.expected)
        << row.ips << " " << row.oas;
  }
}

TEST(S1Params, HalvesTakeTheirOwnFields) {
  spec::Cd cd;
  // T0SZ 20, TG0 64K, EPD0; T1SZ 30, TG1 16K; TBI1; HAD0 (bit 65), TTB0 and TTB1.
  cd.dw[0] = 20 | 1u << 6 | 1u << 14 | 30u << 16 | 1u << 22 | std::uint64_t{1} << 39;
  cd.dw[1] = 0x1'2345'0000 | 2;
  cd.dw[2] = 0x6'789a'0000;
  const S1TTWParams low = s1_ttw_params(cd, 0, true, features_with_oas(48));
  const S1TTWParams high = s1_ttw_params(cd, 1, true, features_with_oas(48));
  EXPECT_EQ(low.txsz, 20);
  EXPECT_EQ(high.txsz, 30);
  EXPECT_EQ(low.granule_bits, 16);
  EXPECT_EQ(high.granule_bits, 14);
  EXPECT_TRUE(low.epd);
  EXPECT_FALSE(high.epd);
  EXPECT_FALSE(low.tbi);
  EXPECT_TRUE(high.tbi);
  EXPECT_TRUE(low.had);
  EXPECT_FALSE(high.had);
  EXPECT_EQ(low.ttb, 0x1'2345'0000u);
  EXPECT_EQ(high.ttb, 0x6'789a'0000u);
}

TEST(S1Params, El2HasOneHalfNoPanAndNoEpd) {
  RecordProperty("rule", "SM-TR-002");
  spec::Cd cd;
  cd.dw[0] = 1u << 14 | std::uint64_t{1} << 40;  // EPD0, PAN
  EXPECT_TRUE(s1_ttw_params(cd, 0, false, features_with_oas(48)).exists);
  EXPECT_FALSE(s1_ttw_params(cd, 1, false, features_with_oas(48)).exists);
  EXPECT_TRUE(s1_ttw_params(cd, 1, true, features_with_oas(48)).exists);
  EXPECT_FALSE(s1_ttw_params(cd, 0, false, features_with_oas(48)).epd);
  EXPECT_FALSE(s1_ttw_params(cd, 0, false, features_with_oas(48)).pan);
  EXPECT_TRUE(s1_ttw_params(cd, 0, false, features_with_oas(48)).single_privilege);
  EXPECT_TRUE(s1_ttw_params(cd, 0, true, features_with_oas(48)).pan);
}

}  // namespace
}  // namespace smmusim
