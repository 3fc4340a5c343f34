// SPDX-License-Identifier: MIT
// ILLEGAL CDs in the reference walker, one row a condition of IHI 0070 5.4.2 (CdIllegal) and the fields' texts in 5.4,
// and next to it the nearest legal setting; EPDx after 5.4.1.1. These tests say nothing about model/ and name sections,
// not the house's rules.
#include <string>
#include <vector>

#include "tests/random/reference/refwalk_chain.h"

namespace refwalk {
namespace {

struct CdField {
  unsigned high, low;
  uint64_t value;
};

struct Row {
  const char* name;
  std::vector<CdField> fields;
  uint32_t idr0_on, idr0_off;
  bool illegal;
};

constexpr uint32_t kHyp = 1u << 9, kAsid16 = 1u << 12, kTermModel = 1u << 26;
constexpr uint32_t stall(uint32_t model) {
  return model << 24;
}
constexpr uint32_t httu(uint32_t code) {
  return code << 6;
}
constexpr uint32_t ttendian(uint32_t code) {
  return code << 21;
}
const CdField kEpd0{14, 14, 1};

class RefwalkCd : public RefwalkWide {
 protected:
  // Judges each row for TTB0's address `kVa` in the given world: 0 EL1, 1 EL2, 2 EL2-E2H.
  void check(unsigned world, const std::vector<Row>& rows) {
    const auto words = m.words;
    const Registers registers = r;
    for (const Row& row : rows) {
      m.words = words;
      r = registers;
      if (world != 0) m.set(kSte, 95, 94, 2);
      r.idr0 |= kHyp;
      r.cr2 = world == 2 ? 3 : 2;
      for (const CdField& field : row.fields) m.set(kCd, field.high, field.low, field.value);
      r.idr0 = (r.idr0 | row.idr0_on) & ~row.idr0_off;
      const Result result = run();
      EXPECT_EQ(number(result) == 0x0A, row.illegal) << row.name << ", event " << number(result);
      if (!row.illegal) continue;
      EXPECT_EQ(static_cast<int>(result.outcome), static_cast<int>(Outcome::Abort)) << row.name;
      EXPECT_EQ(result.fetches, 2u) << row.name;
      EXPECT_EQ(result.event.dw[0], 0x000000030000000Au) << row.name;
      EXPECT_EQ(result.event.dw[1] | result.event.dw[2] | result.event.dw[3], 0u) << row.name;
    }
    m.words = words;
    r = registers;
  }
};

TEST_F(RefwalkCd, Flags) {
  check(0, {{"V", {{31, 31, 0}}, 0, 0, true},
            {"AA64", {{41, 41, 0}}, 0, 0, true},
            {"HA without HTTU", {{43, 43, 1}}, 0, 0, true},
            {"HD without HTTU", {{42, 42, 1}}, 0, 0, true},
            {"HAFT without HTTU", {{67, 67, 1}}, 0, 0, false},
            {"HA, HTTU 1", {{43, 43, 1}}, httu(1), 0, false},
            {"HD, HTTU 1", {{42, 42, 1}}, httu(1), 0, true},
            {"HA and HD, HTTU 1", {{43, 42, 3}}, httu(1), 0, true},
            {"HD alone, HTTU 2", {{42, 42, 1}}, httu(2), 0, false},
            {"HA and HD, HTTU 2", {{43, 42, 3}}, httu(2), 0, false},
            {"HAFT alone, HTTU 2", {{67, 67, 1}}, httu(2), 0, false},
            {"HAFT alone, HTTU 3", {{67, 67, 1}}, httu(3), 0, true},
            {"HAFT and HA, HTTU 3", {{67, 67, 1}, {43, 43, 1}}, httu(3), 0, false},
            {"A=0", {{46, 46, 0}}, 0, 0, false},
            {"A=0 with TERM_MODEL", {{46, 46, 0}}, kTermModel, 0, true},
            {"S, model 0", {{44, 44, 1}}, 0, 0, false},
            {"S, model 1", {{44, 44, 1}}, stall(1), 0, true},
            {"no S, model 2", {}, stall(2), 0, true},
            {"S, model 2", {{44, 44, 1}}, stall(2), 0, false},
            {"ENDI, little only", {{15, 15, 1}}, ttendian(2), 0, true},
            {"no ENDI, big only", {}, ttendian(3), 0, true},
            {"no ENDI, big only, both EPD", {kEpd0}, ttendian(3), 0, false},
            {"IPS reserved is clamped", {{34, 32, 7}}, 0, 0, false}});
  m.set(kSte, 91, 91, 1);
  check(0, {{"S with S1STALLD", {{44, 44, 1}}, 0, 0, true}, {"no S with S1STALLD", {}, 0, 0, false}});
}

TEST_F(RefwalkCd, Asid) {
  const CdField wide{63, 48, 0x100};
  check(0, {{"EL1, 16 bits", {wide}, 0, kAsid16, true},
            {"EL1, ASID16", {wide}, kAsid16, 0, false},
            {"EL1, 8 bits", {{63, 48, 0xFF}}, 0, kAsid16, false}});
  check(1, {{"EL2 has no ASID", {wide}, 0, kAsid16, false}});
  check(2, {{"EL2-E2H, 16 bits", {wide}, 0, kAsid16, true}});
}

TEST_F(RefwalkCd, TxSz) {
  const uint32_t none = 0;
  const std::vector<CdField> k64 = {{7, 6, 1}};
  const auto k64_with = [&](uint64_t txsz) { return std::vector<CdField>{{7, 6, 1}, {5, 0, txsz}}; };
  const auto ds_with = [&](uint64_t txsz) { return std::vector<CdField>{{186, 186, 1}, {5, 0, txsz}}; };
  check(0, {{"4K, 15", {{5, 0, 15}}, none, 0, true},
            {"4K, 16", {{5, 0, 16}}, none, 0, false},
            {"4K, 48", {{5, 0, 48}}, none, 0, false},
            {"4K, 49", {{5, 0, 49}}, none, 0, true},
            {"4K DS, 12", ds_with(12), none, 0, false},
            {"4K DS, 11", ds_with(11), none, 0, true},
            {"16K, 15", {{7, 6, 2}, {5, 0, 15}}, none, 0, true},
            {"16K, 48", {{7, 6, 2}, {5, 0, 48}}, none, 0, false},
            {"64K, 12", k64_with(12), none, 0, false},
            {"64K, 11", k64_with(11), none, 0, true},
            {"64K, 47", k64_with(47), none, 0, false},
            {"64K, 48", k64_with(48), none, 0, true}});
  r.idr3 &= ~(1u << 9);
  check(0, {{"39 without STT", {{5, 0, 39}}, none, 0, false}, {"40 without STT", {{5, 0, 40}}, none, 0, true}});
  r.idr5 &= ~(3u << 10);
  check(0,
        {{"64K, 16 without VAX", k64_with(16), none, 0, false}, {"64K, 15 without VAX", k64_with(15), none, 0, true}});
}

TEST_F(RefwalkCd, Granules) {
  check(0, {{"TG0 reserved", {{7, 6, 3}}, 0, 0, true},
            {"TG1 reserved", {{30, 30, 0}, {21, 16, 16}, {23, 22, 0}}, 0, 0, true},
            {"TG1 16K", {{30, 30, 0}, {21, 16, 16}, {23, 22, 1}}, 0, 0, false},
            {"TG1 4K", {{30, 30, 0}, {21, 16, 16}, {23, 22, 2}}, 0, 0, false},
            {"TG1 64K", {{30, 30, 0}, {21, 16, 16}, {23, 22, 3}}, 0, 0, false}});
  for (const unsigned granule : {12u, 14u, 16u}) {
    r.idr5 &= ~(7u << 4);
    r.idr5 |= 7u << 4;
    r.idr5 &= ~(granule == 12 ? 1u << 4 : granule == 14 ? 1u << 5 : 1u << 6);
    check(0, {{"TG0 not there", {{7, 6, tg0_code(granule)}}, 0, 0, true},
              {"TG1 not there, TTB1 disabled",
               {{23, 22, tg1_code(granule)}, {7, 6, tg0_code(granule == 12 ? 14 : 12)}},
               0,
               0,
               false}});
  }
}

TEST_F(RefwalkCd, DisabledHalves) {
  // 5.4.1.1: a disabled half is not judged, an enabled one is judged whichever half the address selects.
  const CdField bad_t0sz{5, 0, 63}, bad_tg0{7, 6, 3}, bad_ttb0{115, 112, 15}, small_ips{34, 32, 0};
  const CdField epd1_off{30, 30, 0}, t1sz{21, 16, 16}, tg1{23, 22, 2}, bad_t1sz{21, 16, 63}, bad_ttb1{179, 176, 15};
  check(0, {{"EPD0 hides T0SZ", {kEpd0, bad_t0sz}, 0, 0, false},
            {"EPD0 hides TG0 and TTB0", {kEpd0, bad_tg0, bad_ttb0, small_ips}, 0, 0, false},
            {"TTB0 above IPS", {bad_ttb0, {34, 32, 5}}, 0, 0, true},
            {"TTB1 is judged for an address of TTB0", {epd1_off, bad_t1sz, tg1}, 0, 0, true},
            {"TTB1 above IPS", {epd1_off, t1sz, tg1, bad_ttb1, {34, 32, 5}}, 0, 0, true},
            {"TTB1 above 48 bits", {epd1_off, t1sz, tg1, bad_ttb1}, 0, 0, true},
            {"TTB1 above 48 bits, 64K", {epd1_off, t1sz, {23, 22, 3}, bad_ttb1}, 0, 0, false},
            {"EPD1 hides T1SZ and TTB1", {bad_t1sz, bad_ttb1, tg1}, 0, 0, false}});
  check(1, {{"EL2 ignores EPD0", {kEpd0, bad_t0sz}, 0, 0, true},
            {"EL2 has no TTB1, EPD1 or not", {epd1_off, bad_t1sz, bad_ttb1}, 0, 0, false},
            {"EL2 judges ENDI, EPD or not", {kEpd0}, ttendian(3), 0, true}});
  check(2, {{"EL2-E2H has EPD0", {kEpd0, bad_t0sz}, 0, 0, false},
            {"EL2-E2H has TTB1", {epd1_off, bad_t1sz, tg1}, 0, 0, true}});
}

TEST_F(RefwalkCd, WalkDisable) {
  m.set(kCd, 14, 14, 1);
  expect_event(Outcome::Abort, 0x10, "EPD0");
  EXPECT_EQ(run().event.dw[1], (uint64_t{1} << 35) | (uint64_t{2} << 40));
  EXPECT_EQ(run().fetches, 2u) << "no descriptor is read";
}

TEST_F(RefwalkCd, VirtualRanges) {
  // 3.4.1: VA[AddrTop:64-TxSZ] must equal VA[55]; AddrTop is 63, or 55 with TBI of that half.
  m.set(kCd, 30, 30, 0);
  m.set(kCd, 23, 16, 20 | (2u << 6));
  m.set(kCd, 5, 0, 20);
  m.set(kCd, 179, 132, kL0 >> 4);
  const struct {
    uint64_t va;
    unsigned tbi;
    bool inside;
  } rows[] = {{0x00000FFFFFFFFFFF, 0, true},  {0x0000100000000000, 0, false}, {0x0080000000000000, 0, false},
              {0xFFFFF00000000000, 0, true},  {0xFFFFE00000000000, 0, false}, {0xFF7FF00000000000, 0, false},
              {0x0100000000000000, 0, false}, {0x0100000000000000, 1, true},  {0x0100000000000000, 2, false},
              {0x5A80000000000000, 3, false}, {0xA5FFF00000000000, 2, true},  {0xA5FFF00000000000, 1, false},
              {0xA500100000000000, 1, false}, {0x007FFFFFFFFFFFFF, 3, false}};
  // All 32 entries of level 0 point to one table of 1 GB blocks.
  for (uint64_t index = 0; index < 32; ++index) m.words[kL0 + 8 * index] = kL1 | 3;
  for (uint64_t index = 0; index < 512; ++index) m.words[kL1 + 8 * index] = (index << 30) | (kLeaf & ~uint64_t{2});
  for (const auto& row : rows) {
    m.set(kCd, 39, 38, row.tbi);
    a.address = row.va;
    const Result result = run();
    EXPECT_EQ(number(result), row.inside ? 0u : 0x10u) << std::hex << row.va << " TBI " << row.tbi;
    EXPECT_EQ(result.event.dw[2], row.inside ? 0 : row.va) << "InputAddr is as it came";
    EXPECT_EQ(result.pa, row.inside ? row.va & mask(39) : 0) << std::hex << row.va;
  }
}

}  // namespace
}  // namespace refwalk
