// SPDX-License-Identifier: MIT
// Memory types: the MAIR encodings and the combination of stage 2 with its input, with and without S2FWB, exhaustively
// against the rules written as ranks of strength (IHI 0070 sections 3.23.1, 5.2, 5.4, 13.1.5 to 13.1.7, 13.4.3; Arm ARM
// D8.6).
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "model/vmsa/attributes.h"

namespace smmusim {
namespace {

/// A type taken apart. Ranks grow with strength: cacheability WB 0, WT 1, NC 2; device GRE 0 to nGnRnE 3.
struct Level {
  int cache = 0;
  bool ra = true, wa = true, transient = false;
  friend bool operator==(const Level&, const Level&) = default;
};
struct Type {
  bool device = false;
  int device_rank = 0;
  Level outer, inner;
  friend bool operator==(const Type&, const Type&) = default;
};

Level level_of(unsigned nibble) {
  if (nibble == 4) return {2, false, false, false};
  return {(nibble & 4) != 0 ? 0 : 1, (nibble & 2) != 0, (nibble & 1) != 0, (nibble & 8) == 0};
}
Type type_of(unsigned mair) {
  if (mair < 16) return {true, 3 - static_cast<int>(mair >> 2), {}, {}};
  return {false, 0, level_of(mair >> 4), level_of(mair & 15)};
}
/// Every MAIR byte that is consistent and not reserved.
std::vector<std::uint8_t> all_types() {
  std::vector<std::uint8_t> types = {0, 4, 8, 12};
  for (unsigned outer = 1; outer < 16; ++outer) {
    for (unsigned inner = 1; inner < 16; ++inner) types.push_back(static_cast<std::uint8_t>(outer << 4 | inner));
  }
  return types;
}
/// Stage 2 without FWB; the reserved inner 00 is NC.
Type s2_type_of(unsigned memattr, bool mteperm) {
  if (memattr < 4) return {true, 3 - static_cast<int>(memattr), {}, {}};
  if (mteperm && memattr == 4) return {};
  constexpr int rank[4] = {2, 2, 1, 0};
  return {false, 0, {rank[memattr >> 2], true, true, false}, {rank[memattr & 3], true, true, false}};
}

Level combined(Level one, Level two) {
  one.cache = std::max(one.cache, two.cache);
  if (one.cache == 2) return {2, false, false, false};
  return one;
}
Type combined(const Type& one, const Type& two) {
  if (one.device && two.device) return {true, std::max(one.device_rank, two.device_rank), {}, {}};
  if (one.device) return one;
  if (two.device) return two;
  return {false, 0, combined(one.outer, two.outer), combined(one.inner, two.inner)};
}

TEST(S2Attributes, WithoutFwbTheStrongerTypeWinsAndHintsAreTheInputs) {
  for (const std::uint8_t input : all_types()) {
    for (unsigned memattr = 0; memattr < 16; ++memattr) {
      for (const bool mteperm : {false, true}) {
        const S2Attributes stage2{static_cast<std::uint8_t>(memattr), 0, false, mteperm};
        const Type expected = combined(type_of(input), s2_type_of(memattr, mteperm));
        ASSERT_EQ(type_of(s2_combined(input, 0, stage2).type), expected) << unsigned{input} << " with " << memattr;
      }
    }
  }
}

Level write_back(const Level& input) {
  return input.cache == 2 ? Level{} : Level{0, input.ra, input.wa, input.transient};
}
Type with_fwb(const Type& input, unsigned memattr) {
  const Type nc{false, 0, {2, false, false, false}, {2, false, false, false}};
  switch (memattr & 7) {
    case 7:
      return input;
    case 6:
      return input.device ? Type{} : Type{false, 0, write_back(input.outer), write_back(input.inner)};
    case 5:
    case 4:
      return input.device ? input : nc;
    default:
      return combined(input, {true, 3 - static_cast<int>(memattr & 3), {}, {}});
  }
}

TEST(S2Attributes, WithFwbMemAttrForcesTheType) {
  RecordProperty("rule", "SM-AT-009");
  for (const std::uint8_t input : all_types()) {
    for (unsigned memattr = 0; memattr < 16; ++memattr) {
      for (const bool mteperm : {false, true}) {
        const S2Attributes stage2{static_cast<std::uint8_t>(memattr), 0, true, mteperm};
        ASSERT_EQ(type_of(s2_combined(input, 0, stage2).type), with_fwb(type_of(input), memattr))
            << unsigned{input} << " with " << memattr;
      }
    }
  }
}

struct ExampleRow {
  const char* what;
  std::uint8_t type, sh;
  S2Attributes stage2;
  TypeAndShareability out;
};
constexpr ExampleRow examples[] = {
    {"1111 lets a WB input through", 0xff, 3, {0xf, 0, false, false}, {0xff, 3}},
    {"iWB-oNC ISH with WT OSH", 0x4f, 3, {0xa, 2, false, false}, {0x4b, 2}},
    {"WB with Device-nGRE", 0xff, 3, {2, 3, false, false}, {0x08, 2}},
    {"nGnRE with nGnRnE", 0x04, 2, {0, 0, false, false}, {0x00, 2}},
    {"GRE with Normal", 0x0c, 2, {0xf, 3, false, false}, {0x0c, 2}},
    {"transient WB with WT stays transient", 0x77, 0, {0xa, 0, false, false}, {0x33, 0}},
    {"MemAttr 0100 with MTEPERM", 0xee, 3, {4, 0, false, true}, {0xee, 3}},
    {"FWB 110 over Device", 0x00, 2, {6, 3, true, false}, {0xff, 2}},
    {"FWB 110 over NC", 0x44, 0, {6, 3, true, false}, {0xff, 3}},
    {"FWB 110 keeps the hints of WT", 0xaa, 0, {6, 3, true, false}, {0xee, 3}},
    {"FWB 111 keeps NC", 0x44, 2, {7, 0, true, false}, {0x44, 2}},
    {"FWB 101 over WB", 0xff, 3, {5, 3, true, false}, {0x44, 2}},
    {"FWB 101 keeps Device", 0x08, 2, {5, 3, true, false}, {0x08, 2}},
    {"FWB Device over WB", 0xff, 3, {1, 3, true, false}, {0x04, 2}},
    {"FWB ignores bit 3 without MTEPERM", 0xbb, 3, {0xe, 0, true, false}, {0xff, 3}},
    {"FWB 1111 as 0111 with MTEPERM", 0xbb, 3, {0xf, 0, true, true}, {0xbb, 3}},
};

TEST(S2Attributes, Examples) {
  for (const ExampleRow& row : examples) EXPECT_EQ(s2_combined(row.type, row.sh, row.stage2), row.out) << row.what;
}

TEST(S2Attributes, ShareabilityIsTheStrongerButDeviceAndNonCacheableAreOuter) {
  constexpr unsigned rank[4] = {0, 0, 2, 1};  // NSH, reserved as NSH, OSH, ISH
  constexpr std::uint8_t of_rank[3] = {0, 3, 2};
  for (std::uint8_t one = 0; one < 4; ++one) {
    for (std::uint8_t two = 0; two < 4; ++two) {
      for (const bool fwb : {false, true}) {
        EXPECT_EQ(s2_combined(0xff, one, {0xf, two, fwb, false}).sh, of_rank[std::max(rank[one], rank[two])]);
        EXPECT_EQ(s2_combined(0x44, one, {0xf, two, fwb, false}).sh, 2);
        EXPECT_EQ(s2_combined(0xff, one, {0x1, two, fwb, false}).sh, 2);
        EXPECT_EQ(s2_combined(0xff, one, {0x5, two, fwb, false}).sh, 2);
      }
    }
  }
}

// Encodings.

TEST(Attributes, ReservedMairBytesAreResolved) {
  RecordProperty("rule", "SM-AT-021");
  for (unsigned byte = 0; byte < 256; ++byte) {
    unsigned expected = byte;
    if (byte < 16) expected = byte & 0xc;
    if (byte >= 16 && (byte & 15) == 0) expected = byte | 3;
    EXPECT_EQ(resolved_mair(byte), expected) << byte;
  }
}

TEST(Attributes, MemAttrOfAnSteMakesReservedEncodingsDevice) {
  RecordProperty("rule", "SM-AT-013");
  constexpr std::uint8_t expected[16] = {0x00, 0x04, 0x08, 0x0c, 0x00, 0x44, 0x4b, 0x4f,
                                         0x00, 0xb4, 0xbb, 0xbf, 0x00, 0xf4, 0xfb, 0xff};
  for (unsigned memattr = 0; memattr < 16; ++memattr) EXPECT_EQ(memattr_to_mair(memattr), expected[memattr]);
}

TEST(Attributes, CacheabilityOfWalks) {
  constexpr std::uint8_t nibble[4] = {0x4, 0xf, 0xb, 0xe};
  for (unsigned inner = 0; inner < 4; ++inner) {
    for (unsigned outer = 0; outer < 4; ++outer) {
      EXPECT_EQ(cacheability_to_mair(inner, outer), nibble[outer] * 16 + nibble[inner]);
    }
  }
}

TEST(Attributes, CacheabilityOfCdFetches) {
  RecordProperty("rule", "SM-AT-010");
  constexpr std::uint8_t nibble[4] = {0x4, 0xf, 0xb, 0xd};
  for (unsigned inner = 0; inner < 4; ++inner) {
    for (unsigned outer = 0; outer < 4; ++outer) {
      EXPECT_EQ(cd_cacheability_to_mair(inner, outer), nibble[outer] * 16 + nibble[inner]);
    }
  }
}

TEST(Attributes, EffectiveShareability) {
  for (const std::uint8_t type : {std::uint8_t{0}, std::uint8_t{4}, std::uint8_t{0xc}, mair_normal_nc}) {
    for (unsigned sh = 0; sh < 4; ++sh) EXPECT_EQ(effective_shareability(type, sh), shareability_outer);
  }
  constexpr std::uint8_t expected[4] = {0, 0, 2, 3};
  for (unsigned sh = 0; sh < 4; ++sh) {
    EXPECT_EQ(effective_shareability(mair_normal_wb, sh), expected[sh]);
    EXPECT_EQ(effective_shareability(0x4f, sh), expected[sh]) << "only iNC-oNC is outer";
  }
}

}  // namespace
}  // namespace smmusim
