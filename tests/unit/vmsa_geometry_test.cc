// SPDX-License-Identifier: MIT
// Where a stage-1 walk starts and which descriptor it reads, for every TxSZ and granule, against tables worked out by
// hand from section 6.3 of the house reference (Arm ARM D8.2); and the range and tag-byte checks of IHI 0070 3.4.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "model/vmsa/s1_walk.h"

namespace smmusim {
namespace {

struct StartRow {
  unsigned granule_bits;
  unsigned txsz_first, txsz_last;
  int level;
};
// 12 to 15 need 52-bit input (DS, or VAX with 64 KiB), 40 and more need STT; the geometry itself does not depend on it.
constexpr StartRow starts[] = {
    {12, 12, 15, -1}, {12, 16, 24, 0}, {12, 25, 33, 1}, {12, 34, 42, 2}, {12, 43, 48, 3}, {14, 12, 16, 0},
    {14, 17, 27, 1},  {14, 28, 38, 2}, {14, 39, 48, 3}, {16, 12, 21, 1}, {16, 22, 34, 2}, {16, 35, 47, 3},
};

/// Lowest address bit that indexes the table of a level.
struct ShiftRow {
  unsigned granule_bits;
  int level;
  unsigned shift;
};
constexpr ShiftRow shifts[] = {{12, -1, 48}, {12, 0, 39}, {12, 1, 30}, {12, 2, 21}, {12, 3, 12}, {14, 0, 47},
                               {14, 1, 36},  {14, 2, 25}, {14, 3, 14}, {16, 1, 42}, {16, 2, 29}, {16, 3, 16}};
unsigned shift_of(unsigned granule_bits, int level) {
  for (const ShiftRow& row : shifts) {
    if (row.granule_bits == granule_bits && row.level == level) return row.shift;
  }
  ADD_FAILURE() << "no level " << level << " with granule " << granule_bits;
  return 0;
}

S1TTWParams params_of(unsigned granule_bits, unsigned txsz) {
  S1TTWParams params;
  params.ttb = 0x5555'5555'0000;
  params.granule_bits = static_cast<std::uint8_t>(granule_bits);
  params.txsz = static_cast<std::uint8_t>(txsz);
  params.ps_bits = 48;
  params.exists = true;
  return params;
}

template <class Check>
void for_each_txsz(Check check) {
  for (const StartRow& row : starts) {
    for (unsigned txsz = row.txsz_first; txsz <= row.txsz_last; ++txsz) {
      SCOPED_TRACE("granule 2^" + std::to_string(row.granule_bits) + ", TxSZ " + std::to_string(txsz));
      check(params_of(row.granule_bits, txsz), row);
    }
  }
}

/// Bits [high:low] of `value`, one after the other.
std::uint64_t bits_of(std::uint64_t value, unsigned high, unsigned low) {
  std::uint64_t result = 0;
  for (unsigned n = high + 1; n-- > low;) result = result * 2 + ((value >> n) & 1);
  return result;
}

TEST(S1Geometry, StartLevelFollowsFromTxszAndGranule) {
  for_each_txsz([](const S1TTWParams& params, const StartRow& row) { EXPECT_EQ(walk_start(params).level, row.level); });
}

TEST(S1Geometry, DescriptorBitsAreTheIndexShiftOfTheLevel) {
  for (const ShiftRow& row : shifts) {
    EXPECT_EQ(descriptor_bits(row.granule_bits, row.level), row.shift) << row.granule_bits << " " << row.level;
  }
}

TEST(S1Geometry, StartTableIsIndexedByTheBitsBelowTxsz) {
  for_each_txsz([](const S1TTWParams& params, const StartRow& row) {
    const TTWState state = walk_start(params);
    const unsigned top = 63u - params.txsz;
    const unsigned shift = shift_of(row.granule_bits, row.level);
    for (const std::uint64_t pattern : {std::uint64_t{0}, ~std::uint64_t{0}, std::uint64_t{0xa5a5'5a5a'a5a5'5a5a}}) {
      // TTB0 and TTB1: the bits above the range are all zero or all one, and never part of the index.
      for (const std::uint64_t above : {std::uint64_t{0}, ~low_mask(top + 1)}) {
        const std::uint64_t va = (pattern & low_mask(top + 1)) | above;
        EXPECT_EQ(ttw::descriptor_address(state, va), state.base + 8 * bits_of(va, top, shift));
      }
    }
  });
}

TEST(S1Geometry, StartTableIsAlignedToItsSize) {
  for_each_txsz([](S1TTWParams params, const StartRow& row) {
    const unsigned index_bits = 64u - params.txsz - shift_of(row.granule_bits, row.level);
    const std::uint64_t bytes = (std::uint64_t{1} << index_bits) * 8;
    params.ttb = low_mask(48);
    const std::uint64_t base = walk_start(params).base;
    EXPECT_EQ(base % bytes, 0u);
    EXPECT_GT(base + std::max<std::uint64_t>(bytes, 16), low_mask(48))
        << "more low bits are ignored than the size asks";
  });
}

TEST(S1Geometry, TableBelow64BytesIsAlignedTo64WhenOutputExceeds48Bits) {
  S1TTWParams params = params_of(16, 47);  // two entries
  params.ttb = 0x8000'0030;
  EXPECT_EQ(walk_start(params).base, 0x8000'0030u);
  params.ps_bits = 52;
  EXPECT_EQ(walk_start(params).base, 0x8000'0000u);
}

TEST(S1Geometry, EveryLaterTableIsIndexedByAllBitsOfItsLevel) {
  for_each_txsz([](const S1TTWParams& params, const StartRow& row) {
    const std::uint64_t va = 0x5a5a'a5a5'5a5a'a5a5 & low_mask(64u - params.txsz);
    const std::uint64_t table = std::uint64_t{0x7'1234} << 20;
    TTWState state = walk_start(params);
    for (int level = row.level; level < 3; ++level) {
      ASSERT_EQ(walk_step(params, state, table | 3), WalkStep::table);
      ASSERT_EQ(state.level, level + 1);
      const unsigned shift = shift_of(row.granule_bits, level + 1);
      const unsigned index_high = shift_of(row.granule_bits, level) - 1;
      EXPECT_EQ(ttw::descriptor_address(state, va), table + 8 * bits_of(va, index_high, shift));
    }
  });
}

// Input range and tag byte (3.4).

/// As a translation does: bit 55 selects the half, whose parameters are prepared.
S1TTWParams half_for(S1TTWParams params, std::uint64_t va) {
  s1_prepare(params, (va >> 55) & 1);
  return params;
}
std::uint64_t canonical_of(const S1TTWParams& params, std::uint64_t va) {
  return s1_canonical(half_for(params, va), va);
}
bool accepted(const S1TTWParams& params, std::uint64_t va) {
  return s1_in_range(half_for(params, va), canonical_of(params, va));
}

TEST(S1Range, EdgesOfEveryTxsz) {
  RecordProperty("rule", "SM-AS-004 SM-AS-006");
  for (unsigned txsz = 12; txsz <= 48; ++txsz) {
    SCOPED_TRACE(txsz);
    const S1TTWParams params = params_of(12, txsz);
    const std::uint64_t size = std::uint64_t{1} << (64 - txsz);
    EXPECT_TRUE(accepted(params, 0));
    EXPECT_TRUE(accepted(params, size - 1));
    EXPECT_FALSE(accepted(params, size));
    EXPECT_FALSE(accepted(params, std::uint64_t{1} << 63));
    EXPECT_FALSE(accepted(params, (std::uint64_t{1} << 55) - 1));
    EXPECT_TRUE(accepted(params, ~std::uint64_t{0}));
    EXPECT_TRUE(accepted(params, ~(size - 1)));
    EXPECT_FALSE(accepted(params, ~(size - 1) - 1));
    EXPECT_FALSE(accepted(params, low_mask(56)));  // bit 55 set, top byte not
  }
}

TEST(S1Range, HalfThatDoesNotExistHasNoAddress) {
  RecordProperty("rule", "SM-TR-002");
  for (const bool tbi : {false, true}) {
    S1TTWParams params = params_of(12, 16);
    params.tbi = tbi;
    params.exists = false;
    for (unsigned n = 0; n < 64; ++n) {
      EXPECT_FALSE(accepted(params, std::uint64_t{1} << n)) << n;
      EXPECT_FALSE(accepted(params, ~std::uint64_t{0} << n)) << n;
    }
    EXPECT_FALSE(accepted(params, 0));
  }
}

TEST(S1Range, ParamsThatNobodyPreparedAcceptNothing) {
  const S1TTWParams params;
  EXPECT_FALSE(s1_in_range(params, 0));
  EXPECT_FALSE(s1_in_range(params, 1));
  EXPECT_FALSE(s1_in_range(params, ~std::uint64_t{0}));
}

struct TagRow {
  const char* what;
  bool tbi;
  std::uint64_t va;
  bool accepted;
  std::uint64_t canonical;
};

TEST(S1Range, TagByteIsReplacedByBit55WithTbiOnly) {
  RecordProperty("rule", "SM-AS-006");
  const TagRow rows[] = {
      {"no tag", true, 0x0000'1234'5678'9000, true, 0x0000'1234'5678'9000},
      {"tag over the low half", true, 0xab00'1234'5678'9000, true, 0x0000'1234'5678'9000},
      {"tag over the high half", true, 0x12ff'9234'5678'9000, true, 0xffff'9234'5678'9000},
      {"bit 55 selects, not bit 63", true, 0xff00'1234'5678'9000, true, 0x0000'1234'5678'9000},
      {"bits below the tag still count", true, 0xab01'1234'5678'9000, false, 0x0001'1234'5678'9000},
      {"bits below the tag count in the high half", true, 0xabfe'9234'5678'9000, false, 0xfffe'9234'5678'9000},
      {"tag without TBI", false, 0xab00'1234'5678'9000, false, 0xab00'1234'5678'9000},
      {"high half without TBI", false, 0xffff'9234'5678'9000, true, 0xffff'9234'5678'9000},
      {"tag over the high half without TBI", false, 0x12ff'9234'5678'9000, false, 0x12ff'9234'5678'9000},
  };
  for (const TagRow& row : rows) {
    S1TTWParams params = params_of(12, 16);
    params.tbi = row.tbi;
    EXPECT_EQ(canonical_of(params, row.va), row.canonical) << row.what;
    EXPECT_EQ(accepted(params, row.va), row.accepted) << row.what;
  }
}

}  // namespace
}  // namespace smmusim
