// SPDX-License-Identifier: MIT
// The walks of the reference walker, stage 1, stage 2 and nested, over tables written by hand (DDI 0487 D8).
// These tests say nothing about model/ and therefore name no rules.
#include <string>

#include "tests/random/reference/refwalk_fixture.h"

namespace refwalk {
namespace {

TEST_F(Refwalk, FourLevelPage) {
  const Result result = run();
  EXPECT_EQ(static_cast<int>(result.outcome), static_cast<int>(Outcome::Proceed));
  EXPECT_EQ(result.pa, kPage | 0xABC);
  EXPECT_EQ(result.page_size_log2, 12u);
  EXPECT_EQ(result.fetches, 6u);
  EXPECT_EQ(result.mair_attr, 0xFF);
  EXPECT_EQ(result.sh, 3);
  EXPECT_FALSE(result.event.recorded);
}

TEST_F(Refwalk, BlocksEndTheWalkEarly) {
  m.words[kL2 + 8] = 0x600000 | (kLeaf & ~uint64_t{2});
  expect_pa(0x601ABC, "2 MB");
  EXPECT_EQ(run().page_size_log2, 21u);
  m.words[kL1 + 8] = 0x80000000 | (kLeaf & ~uint64_t{2});
  expect_pa(0x80201ABC, "1 GB");
  EXPECT_EQ(run().fetches, 4u);
  m.words[kL0] = kLeaf & ~uint64_t{2};
  expect_event(Outcome::Abort, 0x10, "512 GB without DS");
}

TEST_F(Refwalk, TxSzOfFullRangeReachesTheTopBit) {
  a.address = 0x800040201ABC;
  m.words[kL0 + 8 * 256] = kL1 | 3;
  expect_pa(kPage | 0xABC);
  a.address = 0x1000040201ABC;
  expect_event(Outcome::Abort, 0x10, "one bit above");
}

TEST_F(Refwalk, UpperHalfAndTopByte) {
  m.set(kCd, 30, 30, 0);
  m.set(kCd, 23, 16, 16 | (2u << 6));
  m.set(kCd, 179, 132, kL0 >> 4);
  m.words[kL0 + 8 * 511] = kL1 | 3;
  m.words[kL0] = 0;
  a.address = 0xFFFFFF8040201ABC;
  expect_pa(kPage | 0xABC, "TTB1");
  a.address = 0xA5FFFF8040201ABC;
  expect_event(Outcome::Abort, 0x10, "no TBI");
  m.set(kCd, 39, 39, 1);
  expect_pa(kPage | 0xABC, "TBI1");
  EXPECT_EQ(run().event.dw[2], 0u);
  m.set(kCd, 30, 30, 1);
  expect_event(Outcome::Abort, 0x10, "EPD1");
  EXPECT_EQ(run().event.dw[2], 0xA5FFFF8040201ABCu);
}

TEST_F(Refwalk, Granule64) {
  // 42-bit range: level 2 has 13 bits, level 3 has 13 bits.
  m.set(kCd, 7, 0, 22 | (1u << 6));
  m.words[kL0] = 0;
  a.address = (uint64_t{2} << 29) | (uint64_t{5} << 16) | 0x1234;
  m.set(kCd, 115, 68, 0x800000 >> 4);
  m.words[0x800000 + 16] = 0x900000 | 3;
  m.words[0x900000 + 40] = 0xB0000 | kLeaf;
  expect_pa(0xB1234);
  EXPECT_EQ(run().page_size_log2, 16u);
  m.words[0x800000 + 16] = 0x20000000 | (kLeaf & ~uint64_t{2});
  expect_pa(0x20051234, "512 MB");
}

TEST_F(Refwalk, Granule16) {
  // 47-bit range: level 1 with 11 bits, then 11 and 11.
  m.set(kCd, 7, 0, 17 | (2u << 6));
  a.address = (uint64_t{1} << 36) | (uint64_t{3} << 25) | (uint64_t{7} << 14) | 0x2345;
  m.set(kCd, 115, 68, 0x800000 >> 4);
  m.words[0x800008] = 0x804000 | 3;
  m.words[0x804018] = 0x808000 | 3;
  m.words[0x808038] = 0x10000 | kLeaf;
  expect_pa(0x12345);
  m.words[0x804018] = 0x4000000 | (kLeaf & ~uint64_t{2});
  expect_pa(0x401E345, "32 MB");
  m.words[0x800008] = kLeaf & ~uint64_t{2};
  expect_event(Outcome::Abort, 0x10, "no level-1 block");
}

TEST_F(Refwalk, FiftyTwoBitOutputWith64K) {
  r.idr5 = 6 | (7u << 4);
  m.set(kCd, 34, 32, 6);
  m.set(kCd, 7, 0, 22 | (1u << 6));
  m.set(kCd, 115, 68, 0x800000 >> 4);
  m.words[0x800000] = 0x900000 | 3;
  m.words[0x900000] = 0xB0000 | 0xF000 | kLeaf;
  a.address = 0x1234;
  expect_pa(0xF0000000B1234);
  m.set(kCd, 34, 32, 5);
  expect_event(Outcome::Abort, 0x11, "IPS 48");
}

TEST_F(Refwalk, AddressSizeAtEveryLevel) {
  const uint64_t far = uint64_t{1} << 44;
  for (const uint64_t at : {kL0, kL1 + 8, kL2 + 8, kL3 + 8}) {
    const auto saved = m.words;
    m.words[at] |= far;
    expect_event(Outcome::Abort, 0x11, "level");
    m.words = saved;
  }
  m.set(kCd, 34, 32, 0);
  expect_event(Outcome::Abort, 0x11, "IPS 32 below a 35-bit page");
  m.set(kCd, 34, 32, 7);
  expect_pa(kPage | 0xABC, "IPS is clamped to OAS");
}

TEST_F(Refwalk, WalkFaults) {
  m.words[kL3 + 8] = kPage | (kLeaf & ~uint64_t{2});
  expect_event(Outcome::Abort, 0x10, "reserved at level 3");
  m.words[kL3 + 8] = kPage | (kLeaf & ~uint64_t{1});
  expect_event(Outcome::Abort, 0x10, "invalid");
  m.words[kL3 + 8] = kPage | (kLeaf & ~(uint64_t{1} << 10) & ~(uint64_t{1} << 6));
  expect_event(Outcome::Abort, 0x12, "access flag before permission");
  m.set(kCd, 35, 35, 1);
  expect_event(Outcome::Abort, 0x13, "AFFD");
}

TEST_F(Refwalk, DirectPermissions) {
  // Allowed accesses by AP, UXN:PXN: r/w/x unprivileged, then privileged.
  const struct {
    unsigned ap, xn;
    const char* allowed;
  } rows[] = {{0, 0, "--xrwx"}, {1, 0, "rwxrw-"}, {2, 0, "--xr-x"}, {3, 0, "r-xr-x"},
              {3, 1, "r-xr--"}, {3, 2, "r--r-x"}, {1, 3, "rw-rw-"}};
  for (const auto& row : rows) {
    m.words[kL3 + 8] = (kPage | kLeaf | (uint64_t{row.xn} << 53)) & ~uint64_t{0xC0};
    m.words[kL3 + 8] |= uint64_t{row.ap} << 6;
    std::string allowed;
    for (unsigned i = 0; i < 6; ++i) {
      a.privileged = i >= 3;
      a.write = i % 3 == 1;
      a.instruction = i % 3 == 2;
      const Result result = run();
      if (result.outcome != Outcome::Proceed) {
        EXPECT_EQ(number(result), 0x13u);
      }
      allowed += result.outcome == Outcome::Proceed ? "rwx"[i % 3] : '-';
    }
    EXPECT_EQ(allowed, row.allowed) << "AP " << row.ap << " XN " << row.xn;
  }
}

TEST_F(Refwalk, HierarchicalAttributes) {
  m.words[kL1 + 8] |= uint64_t{2} << 61;  // APTable: read-only
  a.write = true;
  expect_event(Outcome::Abort, 0x13, "APTable[1]");
  m.set(kCd, 65, 65, 1);
  expect_pa(kPage | 0xABC, "HAD0");
  m.set(kCd, 65, 65, 0);
  a.write = false;
  m.words[kL1 + 8] ^= uint64_t{3} << 61;  // APTable: not unprivileged
  expect_event(Outcome::Abort, 0x13, "APTable[0]");
  a.privileged = true;
  expect_pa(kPage | 0xABC, "privileged");
  a.instruction = true;
  expect_pa(kPage | 0xABC, "no unprivileged write, so executable");
  m.words[kL2 + 8] |= uint64_t{1} << 59;
  expect_event(Outcome::Abort, 0x13, "PXNTable");
}

TEST_F(Refwalk, PanAndWxn) {
  a.privileged = true;
  m.set(kCd, 40, 40, 1);
  expect_event(Outcome::Abort, 0x13, "PAN");
  a.privileged = false;
  expect_pa(kPage | 0xABC, "unprivileged");
  a.instruction = true;
  expect_pa(kPage | 0xABC, "execute");
  m.set(kCd, 36, 36, 1);
  expect_event(Outcome::Abort, 0x13, "WXN");
}

TEST_F(Refwalk, El2HasOnePrivilegeAndOneRange) {
  r.idr0 |= (1u << 9) | 1u;
  m.set(kSte, 95, 94, 2);
  m.words[kL3 + 8] &= ~uint64_t{0x40};
  m.set(kCd, 14, 14, 1);
  m.set(kCd, 40, 40, 1);
  expect_pa(kPage | 0xABC, "AP[1], EPD0, PAN ignored");
  a.address |= ~uint64_t{0} << 48;
  expect_event(Outcome::Abort, 0x10, "no upper range");
  a.address = kVa;
  r.cr2 |= 1;
  expect_event(Outcome::Abort, 0x10, "E2H brings EPD0 back");
}

TEST_F(Refwalk, BigEndianTables) {
  m.set(kCd, 15, 15, 1);
  for (const uint64_t at : {kL0, kL1 + 8, kL2 + 8, kL3 + 8}) {
    uint64_t swapped = 0;
    for (unsigned i = 0; i < 8; ++i) swapped |= ((m.words[at] >> (8 * i)) & 0xFF) << (56 - 8 * i);
    m.words[at] = swapped;
  }
  expect_pa(kPage | 0xABC);
  r.idr0 |= 2u << 21;
  expect_event(Outcome::Abort, 0x0A, "little-endian only");
}

TEST_F(Refwalk, Stage2Only) {
  add_stage2(6);
  a.address = 0x56789A123;
  expect_pa(0x7123);
  EXPECT_EQ(run().fetches, 4u);
  a.address = 0x12345;
  expect_pa(0x12345);
  EXPECT_EQ(run().page_size_log2, 21u);
  a.address = uint64_t{1} << 40;
  expect_event(Outcome::Abort, 0x10, "outside S2T0SZ");
  EXPECT_EQ(run().event.dw[1], (uint64_t{1} << 35) | (uint64_t{1} << 39) | (uint64_t{2} << 40));
  EXPECT_EQ(run().event.dw[3], uint64_t{1} << 40);
  a.address = uint64_t{1} << 44;
  expect_event(Outcome::Abort, 0x11, "above IAS");
  EXPECT_EQ((run().event.dw[1] >> 39) & 1, 0u) << "a stage-1 fault";
}

TEST_F(Refwalk, Stage2StartLevelMustFit) {
  add_stage2(6);
  a.address = 0x1000;
  m.set(kSte, 167, 166, 0);
  expect_event(Outcome::Abort, 0x04, "40 bits cannot start at level 2");
  m.set(kSte, 167, 166, 2);
  m.set(kSte, 165, 160, 25);
  expect_event(Outcome::Abort, 0x04, "39 bits are too few for level 0");
  m.set(kSte, 165, 160, 24);
  m.set(kSte, 167, 166, 3);
  expect_event(Outcome::Abort, 0x04, "level 3 needs STT");
}

TEST_F(Refwalk, Stage2ConcatenatedTables) {
  add_stage2(6);
  // IPA bits 39:30 index two concatenated level-1 tables.
  m.words[0x40000 + 8 * 0x300] = 0x140000000 | 1 | kS2Bits;
  a.address = (uint64_t{0x300} << 30) | 0x123456;
  expect_pa(0x140123456);
}

TEST_F(Refwalk, Nested) {
  add_stage2(7);
  expect_pa(0x7ABC);
  // STE; CD through 2; four levels through 2 each; the output through 3.
  EXPECT_EQ(run().fetches, 1u + 3u + 4 * 3u + 3u);
  m.words[0x44000 + 8 * 0x9A] &= ~uint64_t{0x80};
  a.write = true;
  expect_event(Outcome::Abort, 0x13, "S2AP without write");
  EXPECT_EQ(run().event.dw[1], (uint64_t{1} << 39) | (uint64_t{2} << 40));
  EXPECT_EQ(run().event.dw[3], kPage);
}

TEST_F(Refwalk, NestedFaultClasses) {
  add_stage2(7);
  m.words[0x42000] &= ~(uint64_t{1} << 6);
  expect_event(Outcome::Abort, 0x13, "CD not readable");
  EXPECT_EQ(run().event.dw[1], (uint64_t{1} << 35) | (uint64_t{1} << 39));
  EXPECT_EQ(run().event.dw[3], kCd);
  m.words[0x42000] |= uint64_t{1} << 6;

  m.words[kL0] = 0x200000 | 3;
  m.words[0x42008] = 0;
  expect_event(Outcome::Abort, 0x10, "stage-1 table unmapped");
  EXPECT_EQ(run().event.dw[1], (uint64_t{1} << 35) | (uint64_t{1} << 39) | (uint64_t{1} << 40));
  EXPECT_EQ(run().event.dw[3], 0x200000u);

  m.words[0x42008] = 0x200000 | 1 | (kS2Bits & ~uint64_t{0x40});
  expect_event(Outcome::Abort, 0x13, "stage-1 table not readable");
  EXPECT_EQ((run().event.dw[1] >> 44) & 1, 1u) << "TTRnW";

  m.words[0x42008] = 0x200000 | 1 | (kS2Bits & ~uint64_t{0x3C});
  m.set(kSte, 182, 182, 1);
  expect_event(Outcome::Abort, 0x13, "S2PTW");
  m.set(kSte, 182, 182, 0);
  m.words[0x200008] = m.words[kL1 + 8];
  expect_pa(0x7ABC, "Device without S2PTW");
  m.abort_at = 0x42008;
  expect_event(Outcome::Abort, 0x0B);
  EXPECT_EQ(run().event.dw[1], (uint64_t{1} << 35) | (uint64_t{1} << 39) | (uint64_t{1} << 40));
  m.abort_at = 0x200008;
  EXPECT_EQ(run().event.dw[1], (uint64_t{1} << 35) | (uint64_t{1} << 40)) << "S2=0 for a stage-1 descriptor";
}

TEST_F(Refwalk, Stage2ExecutePermission) {
  add_stage2(6);
  a.address = 0x1000;
  a.instruction = true;
  const bool xnx[4][2] = {{true, true}, {true, false}, {false, false}, {false, true}};  // unprivileged, privileged
  for (unsigned xn = 0; xn < 4; ++xn) {
    m.words[0x42000] = 1 | kS2Bits | (uint64_t{xn} << 53);
    for (unsigned privileged = 0; privileged < 2; ++privileged) {
      a.privileged = privileged == 1;
      r.idr3 &= ~(1u << 4);
      EXPECT_EQ(run().outcome == Outcome::Proceed, xn < 2) << xn;
      r.idr3 |= 1u << 4;
      EXPECT_EQ(run().outcome == Outcome::Proceed, xnx[xn][privileged]) << xn << privileged;
    }
  }
}

}  // namespace
}  // namespace refwalk
