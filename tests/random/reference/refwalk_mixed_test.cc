// SPDX-License-Identifier: MIT
// Stage 1 and stage 2 of different shape in the reference walker: every pair of granules, a stage-1 table that is
// larger than a stage-2 page, and tables of different endianness (IHI 0070 3.4, CD.ENDI, STE.S2ENDI, IDR0.TTENDIAN; DDI
// 0487 D8.2.3). These tests say nothing about model/ and name sections, not the house's rules.
#include <algorithm>
#include <string>

#include "tests/random/reference/refwalk_chain.h"

namespace refwalk {
namespace {

constexpr uint64_t kIpa = 0x4'5678'0000;
constexpr uint64_t kPa = 0x7'ABCD'0000;
constexpr uint64_t kInput = 0x12'3456'7ABC;

uint64_t swapped(uint64_t value) {
  uint64_t result = 0;
  for (unsigned i = 0; i < 8; ++i) result |= ((value >> (8 * i)) & 0xFF) << (56 - 8 * i);
  return result;
}

// Both stages resolve 40 bits. Stage 2 maps the first 512 MB, where CD and tables are, by one block to itself.
class RefwalkMixed : public RefwalkWide {
 protected:
  void build(unsigned granule1, unsigned granule2) {
    const Chain first = stage1_chain(granule1);
    const Chain second = stage2_chain(granule2);
    use_stage1(first, false);
    use_stage2(second, 7, second.start == 1 ? (granule2 == 12 ? 1 : 2) : 1, false);
    first.write(&m, kInput, 3, kIpa | kPlain);
    second.write(&m, kIpa | (kInput & mask(granule1)), 3, kPa | kPlain2);
    // 4 KB: 1 GB blocks at level 1; 16 KB: 32 MB and 64 KB: 512 MB at level 2.
    const int block_level = granule2 == 12 ? 1 : 2;
    const uint64_t step = uint64_t{1} << second.low(block_level);
    for (uint64_t at = 0; at < 0x20000000; at += step) {
      second.write(&m, at, block_level, at | (kPlain2 & ~uint64_t{2}));
    }
  }
  static Chain stage1_chain(unsigned granule) {
    return Chain{0, granule, 40, granule == 12 ? 0 : granule == 14 ? 1 : 2};
  }
  static Chain stage2_chain(unsigned granule) {
    return Chain{0x1000000000, granule, 40, granule == 16 ? 2 : granule == 14 ? 2 : 1};
  }
};

TEST_F(RefwalkMixed, EveryPairOfGranules) {
  const auto plain = m.words;
  const Registers registers = r;
  for (const unsigned granule1 : {12u, 14u, 16u}) {
    for (const unsigned granule2 : {12u, 14u, 16u}) {
      const std::string name = std::to_string(granule1) + " over " + std::to_string(granule2);
      m.words = plain;
      r = registers;
      build(granule1, granule2);
      a.address = kInput;
      const uint64_t ipa = kIpa | (kInput & mask(granule1));
      expect_pa(kPa | (ipa & mask(granule2)), name);
      EXPECT_EQ(run().page_size_log2, std::min(granule1, granule2)) << name;
      EXPECT_EQ(levels(run(), 1), levels_from(stage1_chain(granule1).start, 3)) << name;
    }
  }
}

TEST_F(RefwalkMixed, TableLargerThanAStage2Page) {
  // A 64 KB level-3 table lies on sixteen 4 KB pages of stage 2 in reverse order, the last of them not mapped.
  build(16, 12);
  const Chain first = stage1_chain(16);
  const Chain second = stage2_chain(12);
  const uint64_t table = 0x41D3E0000;
  m.words[first.entry(2, kInput)] = table | 3;
  second.write(&m, kIpa, 3, kPa | kPlain2);
  for (uint64_t page = 0; page < 15; ++page) {
    // Level 2 and 3 of stage 2 have one table each; these pages have level-3 entries of their own.
    second.write(&m, table + page * 0x1000, 3, (0x600000 - page * 0x1000) | kPlain2);
  }
  for (uint64_t page = 0; page < 16; ++page) {
    const std::string name = "page " + std::to_string(page);
    // Index page * 512 + 5 of the table.
    a.address = (kInput & ~mask(29)) | (((page * 512) + 5) << 16) | 0x123;
    m.words[0x600000 - page * 0x1000 + 40] = kIpa | kPlain;
    if (page < 15) {
      expect_pa(kPa | 0x123, name);
      const auto fetches = run().fetch_list;
      bool found = false;
      for (const Fetch& fetch : fetches) {
        found = found || fetch == Fetch{FetchKind::TTD, 1, 3, 0x600000 - page * 0x1000 + 40, FaultClass::TT};
      }
      EXPECT_TRUE(found) << name;
    } else {
      expect_event(Outcome::Abort, 0x10, name);
      EXPECT_EQ(run().event.dw[3], table + 0xF000) << "the descriptor's page, not the table";
      EXPECT_EQ((run().event.dw[1] >> 40) & 3, static_cast<uint64_t>(FaultClass::TT));
    }
  }
}

TEST_F(RefwalkMixed, Endianness) {
  const auto plain = m.words;
  a.address = kInput;
  for (const bool first_big : {false, true}) {
    for (const bool second_big : {false, true}) {
      m.words = plain;
      build(12, 12);
      for (auto& [address, word] : m.words) {
        const bool second = address >= 0x1000000000;
        const bool first = !second && address >= 0x1000000;
        if ((second && second_big) || (first && first_big)) word = swapped(word);
      }
      m.set(kCd, 15, 15, first_big);
      m.set(kSte, 180, 180, second_big);
      const std::string name = std::string(first_big ? "big" : "little") + " over " + (second_big ? "big" : "little");
      // TTENDIAN 0 both, 2 little only, 3 big only. The STE is judged first.
      for (const unsigned ttendian : {0u, 2u, 3u}) {
        r.idr0 = (r.idr0 & ~(3u << 21)) | (ttendian << 21);
        const bool big_legal = ttendian != 2;
        const bool little_legal = ttendian != 3;
        if (!(second_big ? big_legal : little_legal)) {
          expect_event(Outcome::Abort, 0x04, name);
        } else if (!(first_big ? big_legal : little_legal)) {
          expect_event(Outcome::Abort, 0x0A, name);
        } else {
          expect_pa(kPa | 0xABC, name);
        }
      }
      r.idr0 &= ~(3u << 21);
    }
  }
}

TEST_F(RefwalkMixed, WrongEndiannessIsJustAnotherDescriptor) {
  build(12, 12);
  a.address = kInput;
  m.set(kCd, 15, 15, 1);
  expect_event(Outcome::Abort, 0x10, "bit 0 of the big-endian reading is clear");
  EXPECT_EQ(levels(run(), 1), "0");
}

}  // namespace
}  // namespace refwalk
