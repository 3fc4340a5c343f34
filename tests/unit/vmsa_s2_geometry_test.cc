// SPDX-License-Identifier: MIT
// Where a stage-2 walk starts: S2SL0 against the features, S2T0SZ against the start level, concatenation of up to 16
// tables, the alignment of S2TTB and the decoding of an STE, against the tables of Arm ARM D8.2.8 to D8.2.10 (D8-19 to
// D8-41) written down by hand; IHI 0070 section 5.2.
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

#include "model/vmsa/s2_walk.h"

namespace smmusim {
namespace {

spec::Features features_with(unsigned oas, bool stt = true) {
  spec::Features features;
  features.version_minor = 4;
  features.s2p = true;
  features.oas = oas;
  features.stt = stt;
  features.ds = true;
  return features;
}

// S2SL0.

struct StartRow {
  unsigned granule_bits, sl0;
  bool sl0_2, ds;
  unsigned least_oas;
  bool needs_stt;
  std::optional<int> level;
};
const StartRow starts[] = {
    {12, 0, false, false, 32, false, 2},
    {12, 1, false, false, 32, false, 1},
    {12, 2, false, false, 44, false, 0},
    {12, 3, false, false, 32, true, 3},
    {12, 0, false, true, 32, false, 2},
    {12, 1, false, true, 32, false, 1},
    {12, 2, false, true, 44, false, 0},
    {12, 3, false, true, 32, true, 3},
    {12, 0, true, true, 52, false, -1},
    {12, 1, true, true, 32, false, std::nullopt},
    {12, 2, true, true, 32, false, std::nullopt},
    {12, 3, true, true, 32, false, std::nullopt},
    {12, 0, true, false, 32, false, 2},  // S2SL0_2 counts with S2DS only
    {12, 2, true, false, 44, false, 0},
    {14, 0, false, false, 32, false, 3},
    {14, 1, false, false, 32, false, 2},
    {14, 2, false, false, 42, false, 1},
    {14, 3, false, false, 32, false, std::nullopt},
    {14, 3, false, true, 52, false, 0},
    {14, 1, true, true, 32, false, 2},  // S2SL0_2 counts with 4 KiB only
    {16, 0, false, false, 32, false, 3},
    {16, 1, false, false, 32, false, 2},
    {16, 2, false, false, 44, false, 1},
    {16, 3, false, false, 32, false, std::nullopt},
    {16, 3, true, true, 32, false, std::nullopt},
};

TEST(S2Start, LevelFollowsFromSl0GranuleAndFeatures) {
  RecordProperty("rule", "SM-TR-007");
  for (const StartRow& row : starts) {
    for (const unsigned oas : {32u, 36u, 40u, 42u, 44u, 48u, 52u}) {
      for (const bool stt : {false, true}) {
        const bool usable = oas >= row.least_oas && (stt || !row.needs_stt);
        const std::optional<int> expected = usable ? row.level : std::nullopt;
        EXPECT_EQ(s2_start_level(row.granule_bits, row.sl0, row.sl0_2, row.ds, features_with(oas, stt)), expected)
            << row.granule_bits << " S2SL0 " << row.sl0 << (row.sl0_2 ? "+4" : "") << (row.ds ? " DS" : "") << " OAS "
            << oas;
      }
    }
  }
}

// S2T0SZ and the number of tables.

struct GeometryRow {
  unsigned granule_bits;
  int level;
  unsigned t0sz_first, t0sz_last;  // consistent, 12 to 48
  unsigned t0sz_one_table;         // the smallest that needs no concatenation
};
constexpr GeometryRow geometries[] = {
    {12, -1, 12, 15, 12}, {12, 0, 12, 24, 16}, {12, 1, 21, 33, 25}, {12, 2, 30, 42, 34},
    {12, 3, 39, 48, 43},  {14, 0, 12, 16, 12}, {14, 1, 13, 27, 17}, {14, 2, 24, 38, 28},
    {14, 3, 35, 48, 39},  {16, 1, 12, 21, 12}, {16, 2, 18, 34, 22}, {16, 3, 31, 47, 35},
};
constexpr unsigned shift_of(unsigned granule_bits, int level) {
  constexpr unsigned of_4k[] = {48, 39, 30, 21, 12};
  constexpr unsigned of_16k[] = {0, 47, 36, 25, 14};
  constexpr unsigned of_64k[] = {0, 0, 42, 29, 16};
  return (granule_bits == 12 ? of_4k : granule_bits == 14 ? of_16k : of_64k)[level + 1];
}

TEST(S2Geometry, T0szAgainstTheStartLevel) {
  RecordProperty("rule", "SM-TR-007");
  for (const GeometryRow& row : geometries) {
    for (unsigned t0sz = 12; t0sz <= 48; ++t0sz) {
      EXPECT_EQ(s2_geometry_consistent(row.granule_bits, t0sz, row.level),
                t0sz >= row.t0sz_first && t0sz <= row.t0sz_last)
          << row.granule_bits << " level " << row.level << " S2T0SZ " << t0sz;
    }
  }
}

S2TTWParams params_of(const GeometryRow& row, unsigned t0sz) {
  S2TTWParams params;
  params.granule_bits = static_cast<std::uint8_t>(row.granule_bits);
  params.start_level = static_cast<std::int8_t>(row.level);
  params.txsz = static_cast<std::uint8_t>(t0sz);
  params.ps_bits = 48;
  params.ttb = 0x5555'5555'5550;
  return params;
}
template <class Check>
void for_each_geometry(Check check) {
  for (const GeometryRow& row : geometries) {
    for (unsigned t0sz = row.t0sz_first; t0sz <= row.t0sz_last; ++t0sz) {
      SCOPED_TRACE(testing::Message() << row.granule_bits << " level " << row.level << " S2T0SZ " << t0sz);
      check(row, params_of(row, t0sz));
    }
  }
}
/// Bytes of all tables of the start level together.
std::uint64_t start_bytes(const GeometryRow& row, unsigned t0sz) {
  const std::uint64_t whole = std::uint64_t{8} << (row.granule_bits - 3);
  if (t0sz < row.t0sz_one_table) return whole << (row.t0sz_one_table - t0sz);
  return std::uint64_t{8} << (64 - t0sz - shift_of(row.granule_bits, row.level));
}

TEST(S2Geometry, NoMoreThan16TablesAreConcatenated) {
  for_each_geometry([](const GeometryRow& row, const S2TTWParams& params) {
    EXPECT_LE(start_bytes(row, params.txsz), std::uint64_t{16} << row.granule_bits);
  });
}

TEST(S2Geometry, BaseIsAlignedDownToAllStartTables) {
  RecordProperty("rule", "SM-TR-015 SM-AS-028");
  for_each_geometry([](const GeometryRow& row, S2TTWParams params) {
    const std::uint64_t bytes = start_bytes(row, params.txsz);
    EXPECT_EQ(walk_start(params).level, row.level);
    EXPECT_EQ(walk_start(params).base, params.ttb / bytes * bytes);
    params.ps_bits = 52;
    const std::uint64_t wide = std::max<std::uint64_t>(bytes, 64);
    EXPECT_EQ(walk_start(params).base, params.ttb / wide * wide);
  });
}

TEST(S2Geometry, StartIndexTakesEveryBitBelowTheInputSize) {
  RecordProperty("rule", "SM-TR-015");
  for_each_geometry([](const GeometryRow& row, const S2TTWParams& params) {
    const unsigned shift = shift_of(row.granule_bits, row.level);
    const TTWState state = walk_start(params);
    EXPECT_EQ(ttw::descriptor_address(state, 0), state.base);
    for (unsigned n = 0; n < 64u - params.txsz; ++n) {
      const std::uint64_t entry = n < shift ? 0 : std::uint64_t{1} << (n - shift);
      EXPECT_EQ(ttw::descriptor_address(state, std::uint64_t{1} << n), state.base + entry * 8) << n;
    }
    const std::uint64_t last = (std::uint64_t{1} << (64 - params.txsz)) - 1;
    EXPECT_EQ(ttw::descriptor_address(state, last), state.base + start_bytes(row, params.txsz) - 8);
  });
}

TEST(S2Geometry, LaterTablesAreWhole) {
  for_each_geometry([](const GeometryRow& row, const S2TTWParams& params) {
    TTWState state = walk_start(params);
    const std::uint64_t table = std::uint64_t{0x7123} << 20;
    for (int level = row.level + 1; level <= 3; ++level) {
      ASSERT_EQ(walk_step(params, state, table | 3), WalkStep::table);
      EXPECT_EQ(state.level, level);
      EXPECT_EQ(ttw::descriptor_address(state, ~std::uint64_t{0}), table + (std::uint64_t{1} << row.granule_bits) - 8);
    }
  });
}

TEST(S2Range, IpaMustLieBelowTheInputSize) {
  RecordProperty("rule", "SM-AS-010 SM-AS-011");
  for (unsigned t0sz = 12; t0sz <= 48; ++t0sz) {
    const S2TTWParams params = params_of(geometries[0], t0sz);
    const std::uint64_t size = std::uint64_t{1} << (64 - t0sz);
    EXPECT_TRUE(s2_in_range(params, 0));
    EXPECT_TRUE(s2_in_range(params, size - 1));
    EXPECT_FALSE(s2_in_range(params, size));
    EXPECT_FALSE(s2_in_range(params, ~std::uint64_t{0}));
  }
}

// Decoding.

spec::Ste ste_with(std::uint64_t dw2) {
  spec::Ste ste;
  ste.dw[2] = dw2 | std::uint64_t{1} << 51;  // S2AA64
  return ste;
}

TEST(S2Params, FieldsOfTheSte) {
  // S2T0SZ 20, S2SL0 1, S2IR0 1, S2OR0 2, S2SH0 3, S2TG 16 KiB, S2PS 44, S2ENDI, S2AFFD, S2PTW.
  const std::uint64_t word = std::uint64_t{20 | 1 << 6 | 1 << 8 | 2 << 10 | 3 << 12 | 2 << 14} << 32 |
                             std::uint64_t{4} << 48 | std::uint64_t{7} << 52;
  spec::Ste ste = ste_with(word);
  ste.dw[1] = std::uint64_t{1} << 25;  // S2FWB
  ste.dw[3] = 0x1'2345'6780 | 8;       // S2TTB, S2DS
  spec::Features features = features_with(48);
  features.fwb = features.xnx = features.mteperm = true;
  features.bbml = 1;
  const S2TTWParams params = s2_ttw_params(ste, features);
  EXPECT_EQ(params.ttb, 0x1'2345'6780u);
  EXPECT_EQ(params.txsz, 20);
  EXPECT_EQ(params.granule_bits, 14);
  EXPECT_EQ(params.start_level, 2);
  EXPECT_EQ(params.ps_bits, 44);
  EXPECT_EQ(params.walk_attr, 0xbf);
  EXPECT_EQ(params.walk_sh, 3);
  EXPECT_EQ(params.leaf_sh, 3);
  EXPECT_TRUE(params.big_endian && params.affd && params.ptw && params.fwb && params.ds && params.xnx);
  EXPECT_TRUE(params.mteperm && params.nt);
  EXPECT_FALSE(params.lpa);
  const S2TTWParams off = s2_ttw_params(ste_with(0), features);
  EXPECT_FALSE(off.big_endian || off.affd || off.ptw || off.fwb || off.ds || off.lpa);
  EXPECT_EQ(off.walk_attr, 0x44);
  EXPECT_EQ(off.walk_sh, 2) << "Normal NC is OSH";
}

TEST(S2Params, FieldsOfMissingFeaturesHaveNoEffect) {
  spec::Ste ste = ste_with(0);
  ste.dw[1] = std::uint64_t{1} << 25;
  ste.dw[3] = 8;
  spec::Features features = features_with(48);
  features.ds = false;
  const S2TTWParams params = s2_ttw_params(ste, features);
  EXPECT_FALSE(params.fwb || params.ds || params.xnx || params.mteperm || params.nt);
}

TEST(S2Params, SixtyFourKibiHasNoDsButLpaAt52Bits) {
  RecordProperty("rule", "SM-TR-011");
  spec::Ste ste = ste_with(std::uint64_t{1 << 14} << 32);
  ste.dw[3] = 8;
  EXPECT_FALSE(s2_ttw_params(ste, features_with(52)).ds);
  EXPECT_TRUE(s2_ttw_params(ste, features_with(52)).lpa);
  EXPECT_FALSE(s2_ttw_params(ste, features_with(48)).lpa);
}

TEST(S2Params, OutputSizeIsTheSmallerOfS2psAndOas) {
  RecordProperty("rule", "SM-AS-026");
  constexpr unsigned sizes[] = {32, 36, 40, 42, 44, 48, 52, 56};
  for (unsigned s2ps = 0; s2ps < 8; ++s2ps) {
    for (const unsigned oas : {32u, 36u, 40u, 42u, 44u, 48u, 52u}) {
      EXPECT_EQ(s2_ttw_params(ste_with(std::uint64_t{s2ps} << 48), features_with(oas)).ps_bits,
                std::min(sizes[s2ps], oas));
    }
  }
}

TEST(S2Params, AffdIsIgnoredWithHa) {
  const std::uint64_t affd = std::uint64_t{1} << 53, ha = std::uint64_t{1} << 56;
  EXPECT_TRUE(s2_ttw_params(ste_with(affd), features_with(48)).affd);
  EXPECT_FALSE(s2_ttw_params(ste_with(affd | ha), features_with(48)).affd);
}

TEST(S2Params, WidthOfS2ttbDependsOnVersionAndFormat) {
  spec::Ste ste = ste_with(0);
  ste.dw[3] = ~std::uint64_t{0};
  spec::Features features = features_with(52);
  EXPECT_EQ(s2_table_base(ste, features), 0x000f'ffff'ffff'fff0u);
  features.d128 = true;
  EXPECT_EQ(s2_table_base(ste, features), 0x000f'ffff'ffff'fff0u);
  ste.dw[2] = 0;
  EXPECT_EQ(s2_table_base(ste, features), 0x00ff'ffff'ffff'fff0u);
  features = features_with(48);
  features.version_minor = 0;
  EXPECT_EQ(s2_table_base(ste, features), 0x0000'ffff'ffff'fff0u);
}

TEST(S2Params, AnySteGivesAWalkThatEnds) {
  for (unsigned t0sz = 0; t0sz < 64; ++t0sz) {
    for (unsigned low = 0; low < 64; ++low) {  // S2SL0, S2TG, S2SL0_2, S2DS
      spec::Ste ste = ste_with(std::uint64_t{t0sz | (low & 3) << 6 | ((low >> 2) & 3) << 14} << 32);
      ste.dw[3] = 0xffff'fff0 | ((low >> 4) & 3) << 2;
      const S2TTWParams params = s2_ttw_params(ste, features_with(52));
      TTWState state = walk_start(params);
      unsigned steps = 1;
      while (walk_step(params, state, 0x403) == WalkStep::table) ++steps;
      EXPECT_LE(steps, 5u);
    }
  }
}

}  // namespace
}  // namespace smmusim
