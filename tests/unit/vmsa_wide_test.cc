// SPDX-License-Identifier: MIT
// 52-bit addresses in stage 1: where descriptors keep address bits [51:48], the blocks that only they allow, whose
// shareability counts, table bases, and what the Contiguous and nT bits do there (IHI 0070 5.4; Arm ARM D8.2, D8.3,
// D8.7). Rows of stage 2 are in vmsa_s2_walk_test.cc.
#include <gtest/gtest.h>

#include "model/vmsa/s1_walk.h"
#include "tests/unit/vmsa_digest.h"

namespace smmusim {
namespace {

constexpr std::uint64_t af = 1u << 10;
constexpr std::uint64_t contiguous = std::uint64_t{1} << 52;

S1TTWParams params_of(unsigned granule_bits, bool wide, unsigned ps_bits = 52) {
  S1TTWParams params;
  params.granule_bits = static_cast<std::uint8_t>(granule_bits);
  params.txsz = 12;
  params.ps_bits = static_cast<std::uint8_t>(ps_bits);
  params.ds = wide && granule_bits != 16;
  params.lpa = wide && granule_bits == 16;
  params.mair[0] = 0x04'44'ff;
  return params;
}

/// A descriptor with address `address` of 52 bits, by the layout of the granule.
std::uint64_t encoded(unsigned granule_bits, std::uint64_t address) {
  const std::uint64_t low = address & ((std::uint64_t{1} << 48) - 1);
  if (granule_bits == 16) return low | (address >> 48) << 12;
  return low | (address & (std::uint64_t{3} << 48)) | (address >> 50) << 8;
}

struct WideRow {
  unsigned granule_bits;
  int level;
  unsigned bits;  // log2 of what the leaf covers
  bool only_wide;
  unsigned contiguous_bits;
};
constexpr WideRow leaves[] = {
    {12, 0, 39, true, 0},   {12, 1, 30, false, 34}, {12, 2, 21, false, 25}, {12, 3, 12, false, 16},
    {14, 1, 36, true, 0},   {14, 2, 25, false, 30}, {14, 3, 14, false, 21}, {16, 1, 42, true, 0},
    {16, 2, 29, false, 34}, {16, 3, 16, false, 21},
};

TEST(S1Wide, LeafOutputsAllOf52Bits) {
  RecordProperty("rule", "SM-TR-013");
  for (const WideRow& row : leaves) {
    SCOPED_TRACE(testing::Message() << row.granule_bits << " level " << row.level);
    for (unsigned n = row.bits; n < 52; ++n) {
      const std::uint64_t address = std::uint64_t{1} << n;
      const std::uint64_t descriptor = encoded(row.granule_bits, address) | af | (row.level == 3 ? 3 : 1);
      const Result result = digest(params_of(row.granule_bits, true), row.level, descriptor);
      ASSERT_EQ(result.step, WalkStep::leaf) << n;
      EXPECT_EQ(result.state.output, address) << n;
      EXPECT_EQ(result.state.page_bits, row.bits);
    }
  }
}

TEST(S1Wide, TableGivesA52BitBase) {
  for (const unsigned granule : {12u, 14u, 16u}) {
    for (unsigned n = granule; n < 52; ++n) {
      const Result result = digest(params_of(granule, true), 1, encoded(granule, std::uint64_t{1} << n) | 3);
      ASSERT_EQ(result.step, WalkStep::table);
      EXPECT_EQ(result.state.base, std::uint64_t{1} << n) << granule;
    }
  }
}

TEST(S1Wide, LargestBlocksNeedThe52BitFormat) {
  RecordProperty("rule", "SM-TR-014");
  for (const WideRow& row : leaves) {
    const std::uint64_t descriptor = af | (row.level == 3 ? 3 : 1);
    EXPECT_EQ(digest(params_of(row.granule_bits, true), row.level, descriptor).step, WalkStep::leaf);
    EXPECT_EQ(digest(params_of(row.granule_bits, false), row.level, descriptor).step,
              row.only_wide ? WalkStep::translation_fault : WalkStep::leaf);
  }
  EXPECT_EQ(digest(params_of(12, true), -1, af | 1).step, WalkStep::translation_fault);
  EXPECT_EQ(digest(params_of(14, true), 0, af | 1).step, WalkStep::translation_fault);
  EXPECT_EQ(digest(params_of(12, true), -1, 3).state.level, 0);
}

TEST(S1Wide, BitsThatHoldNoAddressInTheNarrowFormatAreIgnored) {
  for (const unsigned granule : {12u, 14u, 16u}) {
    for (const unsigned n : {48u, 49u, 50u}) {  // 51 is DBM, 52 Contiguous
      const Result result = digest(params_of(granule, false), 3, (std::uint64_t{1} << n) | af | 3);
      EXPECT_EQ(result.step, WalkStep::leaf);
      EXPECT_EQ(result.state.output, 0u) << granule << " bit " << n;
    }
    for (unsigned n = 12; n < granule; ++n) {
      EXPECT_EQ(digest(params_of(granule, false), 3, (std::uint64_t{1} << n) | af | 3).state.output, 0u);
      EXPECT_EQ(digest(params_of(granule, false), 2, (std::uint64_t{1} << n) | 3).state.base, 0u);
    }
    EXPECT_EQ(digest(params_of(granule, false), 2, 0x303).state.base, 0u) << "[9:8] of a table";
  }
}

TEST(S1Wide, NarrowFormatOutputs48BitsWhateverTheOutputSize) {
  RecordProperty("rule", "SM-AS-008");
  const Result result = digest(params_of(12, false, 52), 3, ((std::uint64_t{1} << 48) - 0x1000) | af | 3);
  EXPECT_EQ(result.step, WalkStep::leaf);
  EXPECT_EQ(result.state.output, (std::uint64_t{1} << 48) - 0x1000);
}

TEST(S1Wide, AddressBitsAboveTheOutputSizeFault) {
  RecordProperty("rule", "SM-AS-008 SM-AS-024 SM-AS-029");
  for (const unsigned granule : {12u, 14u, 16u}) {
    for (const unsigned ps : {32u, 36u, 40u, 42u, 44u, 48u, 52u}) {
      for (unsigned n = granule; n < 52; ++n) {
        const std::uint64_t address = encoded(granule, std::uint64_t{1} << n);
        const bool fits_size = n < ps;
        EXPECT_EQ(digest(params_of(granule, true, ps), 3, address | af | 3).step,
                  fits_size ? WalkStep::leaf : WalkStep::address_size_fault);
        const Result table = digest(params_of(granule, true, ps), 2, address | 3);
        EXPECT_EQ(table.step, fits_size ? WalkStep::table : WalkStep::address_size_fault);
        EXPECT_EQ(table.state.level, fits_size ? 3 : 2) << "a fault stays at its level";
      }
    }
  }
}

TEST(S1Wide, ShareabilityIsThatOfTheCdWithDs) {
  RecordProperty("rule", "SM-TR-013");
  for (const unsigned granule : {12u, 14u, 16u}) {
    for (const std::uint8_t sh : {std::uint8_t{0}, std::uint8_t{1}, std::uint8_t{2}, std::uint8_t{3}}) {
      S1TTWParams params = params_of(granule, true);
      params.leaf_sh = sh;
      const Result result = digest(params, 3, af | 3 | 0x300);  // ISH, or address bits [51:50]
      EXPECT_EQ(result.state.sh, granule == 16 ? 3 : sh == 1 ? 0 : sh) << granule;
      EXPECT_EQ(result.state.output, granule == 16 ? 0 : std::uint64_t{3} << 50);
      EXPECT_EQ(digest(params, 3, af | 3 | 1 << 2).state.sh, 2) << "Normal NC is OSH";
      EXPECT_EQ(digest(params, 3, af | 3 | 2 << 2).state.sh, 2) << "Device is OSH";
    }
  }
}

TEST(S1Wide, ContiguousRunsOfEveryLeaf) {
  for (const WideRow& row : leaves) {
    const std::uint64_t type = row.level == 3 ? 3 : 1;
    EXPECT_EQ(digest(params_of(row.granule_bits, true), row.level, contiguous | af | type).state.contiguous_bits,
              row.contiguous_bits)
        << row.granule_bits << " " << row.level;
  }
}

TEST(S1Wide, ContiguousIsIgnoredWhereTheRunExceedsTheInputOrTheOutput) {
  struct Row {
    const char* what;
    unsigned granule_bits;
    int level;
    unsigned txsz, ps, contiguous_bits;
  };
  constexpr Row rows[] = {
      {"16 GiB run, 4 GiB output", 12, 1, 16, 32, 0},      {"16 GiB run, 64 GiB output", 12, 1, 16, 36, 34},
      {"16 GiB run, 2 GiB input", 12, 1, 33, 48, 0},       {"16 GiB run, 16 GiB input", 12, 1, 30, 48, 34},
      {"32 MiB run, 16 MiB input", 12, 2, 40, 48, 0},      {"32 MiB run, 32 MiB input", 12, 2, 39, 48, 25},
      {"64 KiB run, 64 KiB input", 12, 3, 48, 48, 16},     {"2 MiB run, 64 KiB input", 14, 3, 48, 48, 0},
      {"64 KiB granule, 128 KiB input", 16, 3, 47, 48, 0}, {"16 GiB run, 64 KiB granule", 16, 2, 16, 32, 0},
  };
  for (const Row& row : rows) {
    S1TTWParams params = params_of(row.granule_bits, false, row.ps);
    params.txsz = static_cast<std::uint8_t>(row.txsz);
    const Result result = digest(params, row.level, contiguous | af | (row.level == 3 ? 3 : 1));
    EXPECT_EQ(result.step, WalkStep::leaf) << row.what;
    EXPECT_EQ(result.state.contiguous_bits, row.contiguous_bits) << row.what;
  }
}

TEST(S1Wide, NtIsReportedForBlocksWhereItIsObserved) {
  for (const bool observed : {false, true}) {
    for (const WideRow& row : leaves) {
      S1TTWParams params = params_of(row.granule_bits, true);
      params.nt = observed;
      const std::uint64_t type = row.level == 3 ? 3 : 1;
      const Result with = digest(params, row.level, af | type | 1u << 16);
      EXPECT_EQ(with.step, WalkStep::leaf);
      EXPECT_EQ(with.state.nt, observed && row.level < 3) << row.granule_bits << " " << row.level;
      EXPECT_FALSE(digest(params, row.level, af | type).state.nt);
    }
  }
}

// Decoding.

spec::Features wide_features() {
  spec::Features features;
  features.version_minor = 4;
  features.oas = 52;
  features.ds = true;
  features.vax = 52;
  return features;
}
spec::Cd cd_with(unsigned tg0, unsigned tg1) {
  spec::Cd cd;
  cd.dw[0] =
      12 | tg0 << 6 | 3u << 12 | 12u << 16 | tg1 << 22 | 2u << 28 | std::uint64_t{6} << 32 | std::uint64_t{1} << 41;
  cd.dw[2] = std::uint64_t{1} << (186 - 128);  // DS
  return cd;
}

TEST(S1Params, DsBelongsToTheHalvesBelow64KiB) {
  RecordProperty("rule", "SM-TR-013");
  constexpr unsigned tg0[] = {0, 2, 1};
  constexpr unsigned tg1[] = {2, 1, 3};
  constexpr bool large[] = {false, false, true};
  for (unsigned low = 0; low < 3; ++low) {
    for (unsigned high = 0; high < 3; ++high) {
      const spec::Cd cd = cd_with(tg0[low], tg1[high]);
      const S1TTWParams params[2] = {s1_ttw_params(cd, 0, true, wide_features()),
                                     s1_ttw_params(cd, 1, true, wide_features())};
      EXPECT_EQ(params[0].ds, !large[low]);
      EXPECT_EQ(params[0].lpa, large[low]);
      EXPECT_EQ(params[1].ds, !large[high]);
      EXPECT_EQ(params[1].lpa, large[high]);
      EXPECT_EQ(params[0].leaf_sh, 3);
      EXPECT_EQ(params[1].leaf_sh, 2);
    }
  }
}

TEST(S1Params, FieldsOfMissingFeaturesHaveNoEffect) {
  spec::Cd cd = cd_with(0, 2);
  cd.dw[1] |= 2 | 4;                           // HAD0, E0PD0
  cd.dw[1] |= std::uint64_t{1} << (123 - 64);  // EPAN
  spec::Features features = wide_features();
  features.ds = false;
  features.had = false;
  features.oas = 48;
  const S1TTWParams off = s1_ttw_params(cd, 0, true, features);
  EXPECT_FALSE(off.ds || off.lpa || off.had || off.e0pd || off.epan || off.nt);
  EXPECT_EQ(off.ps_bits, 48);
  features = wide_features();
  features.e0pd = features.epan = features.had = true;
  features.bbml = 1;
  const S1TTWParams on = s1_ttw_params(cd, 0, true, features);
  EXPECT_TRUE(on.ds && on.had && on.e0pd && on.epan && on.nt);
  features.bbml = 2;
  EXPECT_FALSE(s1_ttw_params(cd, 0, true, features).nt) << "level 2 ignores the bit";
  EXPECT_FALSE(s1_ttw_params(cd, 0, false, features).e0pd) << "NS-EL2";
}

TEST(S1Params, AffdIsIgnoredWithHa) {
  spec::Cd cd;
  cd.dw[0] = std::uint64_t{1} << 35;
  EXPECT_TRUE(s1_ttw_params(cd, 0, true, wide_features()).affd);
  cd.dw[0] |= std::uint64_t{1} << 43;
  EXPECT_FALSE(s1_ttw_params(cd, 0, true, wide_features()).affd);
}

TEST(S1Params, WidthOfTtbDependsOnVersionAndFormat) {
  spec::Cd cd;
  cd.dw[0] = std::uint64_t{1} << 41;  // AA64
  cd.dw[1] = ~std::uint64_t{0};
  spec::Features features = wide_features();
  EXPECT_EQ(s1_ttb(cd, 0, features), 0x000f'ffff'ffff'fff0u);
  features.d128 = true;
  EXPECT_EQ(s1_ttb(cd, 0, features), 0x000f'ffff'ffff'fff0u);
  cd.dw[0] = 0;
  EXPECT_EQ(s1_ttb(cd, 0, features), 0x00ff'ffff'ffff'fff0u);
  features = wide_features();
  features.version_minor = 0;
  EXPECT_EQ(s1_ttb(cd, 0, features), 0x0000'ffff'ffff'fff0u);
}

TEST(S1Wide, SmallTablesAreAlignedTo64BytesAt52BitsOutput) {
  RecordProperty("rule", "SM-AS-031");
  for (const unsigned granule : {12u, 14u, 16u}) {
    for (unsigned entries_log2 = 1; entries_log2 <= 6; ++entries_log2) {
      S1TTWParams params = params_of(granule, true);
      params.txsz = static_cast<std::uint8_t>(64 - granule - entries_log2);
      if (params.txsz > 48) continue;
      params.ttb = 0x000f'ffff'ffff'fff0;
      const unsigned low = entries_log2 + 3 < 6 ? 6 : entries_log2 + 3;
      EXPECT_EQ(walk_start(params).base, (std::uint64_t{1} << 52) - (std::uint64_t{1} << low));
      params.ps_bits = 48;
      params.ttb = 0xffff'ffff'fff0;
      EXPECT_EQ(walk_start(params).base, (std::uint64_t{1} << 48) - (std::uint64_t{1} << (entries_log2 + 3)));
    }
  }
}

}  // namespace
}  // namespace smmusim
