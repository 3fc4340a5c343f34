// SPDX-License-Identifier: MIT
// Both stages in the reference walker: the order of all fetches, which stage-2 fault comes from which access and how it
// is recorded (IHI 0070 7.3.10 to 7.3.16, 7.3.22; 5.2 S2PTW, S2AFFD, S2R). The event number, CLASS, S2 and IPA are
// written out per row. These tests say nothing about model/ and name sections, not the house's rules.
#include <string>
#include <vector>

#include "tests/random/reference/refwalk_chain.h"

namespace refwalk {
namespace {

constexpr uint64_t kReadBit = uint64_t{1} << 35;
constexpr uint64_t kS2Bit = uint64_t{1} << 39;
constexpr uint64_t kTTRnWBit = uint64_t{1} << 44;

uint64_t class_bits(FaultClass fault_class) {
  return static_cast<uint64_t>(fault_class) << 40;
}

// The n-th IPA that a translation uses: different index bits at each level of stage 2, so that each has descriptors of
// its own.
constexpr uint64_t ipa_of(uint64_t n) {
  return n * ((uint64_t{1} << 30) | (uint64_t{1} << 21) | (uint64_t{1} << 12));
}

// Stage 1: 4 KB, 48 bits. Stage 2: 4 KB, 40 bits, two tables at level 1, each IPA to itself plus 2^36. SubstreamID 64
// of a two-level CD table; two-level stream table.
class RefwalkNested : public RefwalkWide {
 protected:
  RefwalkNested() {
    r.strtab_base_cfg = 8 | (6u << 6) | (1u << 16);
    r.strtab_base = 0x10800;
    m.words[0x10800] = 0x10000 | 3;
    use_stage1(Chain{0, 12, 48, 0}, false);
    m.set(kCd, 115, 68, kT0 >> 4);
    for (unsigned word = 0; word < 8; ++word) m.words[kCdIpa + kShift + 8 * word] = m.words[kCd + 8 * word];
    use_stage2(stage2_, 7, 1, false);
    m.set(kSte, 63, 59, 8);
    m.set(kSte, 5, 4, 1);
    m.set(kSte, 55, 6, kL1Cd >> 6);
    for (uint64_t n = 1; n <= 7; ++n) stage2_.write(&m, ipa_of(n), 3, (ipa_of(n) + kShift) | kPlain2);
    m.words[kL1Cd + 8 + kShift] = kCdIpa | 1;
    m.words[kT0 + kShift] = kT1 | 3;
    m.words[kT1 + 8 + kShift] = kT2 | 3;
    m.words[kT2 + 8 + kShift] = kT3 | 3;
    m.words[kT3 + 8 + kShift] = kOut | kLeaf;
    a.ssv = true;
    a.ssid = 64;
  }

  void append_stage2(std::vector<Fetch>* list, uint64_t ipa, FaultClass purpose) const {
    for (int level = 1; level <= 3; ++level) {
      list->push_back(Fetch{FetchKind::TTD, 2, level, stage2_.entry(level, ipa), purpose});
    }
  }

  static constexpr uint64_t kL1Cd = ipa_of(1), kCdIpa = ipa_of(2), kT0 = ipa_of(3), kT1 = ipa_of(4), kT2 = ipa_of(5),
                            kT3 = ipa_of(6), kOut = ipa_of(7);
  static constexpr uint64_t kShift = uint64_t{1} << 36;
  const Chain stage2_{0x2000000000, 12, 40, 1};

  struct Access2 {
    const char* name;
    FaultClass fault_class;
    uint64_t ipa;
    unsigned before;  // fetches before this stage-2 walk
  };
  // L1STD, STE; then each access costs its stage-2 walk of three and itself.
  const std::vector<Access2> accesses_ = {
      {"L1CD", FaultClass::CD, kL1Cd + 8, 2},   {"CD", FaultClass::CD, kCdIpa, 6},
      {"level 0", FaultClass::TT, kT0, 10},     {"level 1", FaultClass::TT, kT1 + 8, 14},
      {"level 2", FaultClass::TT, kT2 + 8, 18}, {"level 3", FaultClass::TT, kT3 + 8, 22},
      {"output", FaultClass::IN, kOut, 26}};
};

TEST_F(RefwalkNested, OrderOfFetches) {
  std::vector<Fetch> expected = {{FetchKind::L1STD, 0, 0, 0x10800, FaultClass::IN},
                                 {FetchKind::STE, 0, 0, kSte, FaultClass::IN}};
  append_stage2(&expected, kL1Cd + 8, FaultClass::CD);
  expected.push_back({FetchKind::L1CD, 0, 0, kL1Cd + 8 + kShift, FaultClass::CD});
  append_stage2(&expected, kCdIpa, FaultClass::CD);
  expected.push_back({FetchKind::CD, 0, 0, kCdIpa + kShift, FaultClass::CD});
  int level = 0;
  for (const uint64_t ipa : {kT0, kT1 + 8, kT2 + 8, kT3 + 8}) {
    append_stage2(&expected, ipa, FaultClass::TT);
    expected.push_back({FetchKind::TTD, 1, level++, ipa + kShift, FaultClass::TT});
  }
  append_stage2(&expected, kOut, FaultClass::IN);
  const Result result = run();
  EXPECT_EQ(result.pa, kOut + kShift + 0xABC);
  EXPECT_EQ(result.fetches, (4u + 1) * (3u + 1) - 1 + 2 + 8);
  ASSERT_EQ(result.fetch_list.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) EXPECT_TRUE(result.fetch_list[i] == expected[i]) << i;
}

TEST_F(RefwalkNested, Stage2FaultsOfEveryAccess) {
  const uint64_t access_flag = uint64_t{1} << 10;
  const struct {
    const char* name;
    int level;
    uint64_t clear, set;
    unsigned event;
  } faults[] = {{"invalid at level 1", 1, 1, 0, 0x10},
                {"invalid at level 2", 2, 1, 0, 0x10},
                {"invalid at level 3", 3, 1, 0, 0x10},
                {"reserved at level 3", 3, 2, 0, 0x10},
                {"table above S2PS", 1, 0, uint64_t{1} << 47, 0x11},
                {"page above S2PS", 3, 0, uint64_t{1} << 47, 0x11},
                {"AF", 3, access_flag | 0x40, 0, 0x12},
                {"S2AP without read", 3, 0x40, 0, 0x13}};
  m.set(kSte, 178, 176, 4);
  for (const Access2& access : accesses_) {
    for (const auto& fault : faults) {
      const std::string name = std::string(access.name) + ", " + fault.name;
      const auto saved = m.words;
      uint64_t& descriptor = m.words[stage2_.entry(fault.level, access.ipa)];
      descriptor = (descriptor & ~fault.clear) | fault.set;
      const Result result = run();
      EXPECT_EQ(static_cast<int>(result.outcome), static_cast<int>(Outcome::Abort)) << name;
      EXPECT_EQ(number(result), fault.event) << name;
      EXPECT_EQ(result.event.dw[0] >> 8, (uint64_t{3} << 24) | (64u << 4) | 8)
          << name << ": StreamID, SubstreamID, SSV";
      const bool ttrnw = fault.event == 0x13 && access.fault_class == FaultClass::TT;
      EXPECT_EQ(result.event.dw[1], kReadBit | kS2Bit | class_bits(access.fault_class) | (ttrnw ? kTTRnWBit : 0))
          << name;
      EXPECT_EQ(result.event.dw[2], kVa) << name;
      EXPECT_EQ(result.event.dw[3], access.ipa & ~uint64_t{0xFFF}) << name << ": IPA[55:12]";
      EXPECT_EQ(result.fetches, access.before + static_cast<unsigned>(fault.level)) << name;
      // S2R = 0 suppresses the record of any of them, S2S = 1 stalls with a record whatever S2R says.
      m.set(kSte, 186, 186, 0);
      expect_event(Outcome::Abort, kNone, name + ", S2R=0");
      m.set(kSte, 185, 185, 1);
      expect_event(Outcome::Stall, fault.event, name + ", S2S=1");
      m.words = saved;
    }
  }
}

TEST_F(RefwalkNested, ExternalAborts) {
  for (const Access2& access : accesses_) {
    for (int level = 1; level <= 3; ++level) {
      m.abort_at = stage2_.entry(level, access.ipa);
      const Result result = run();
      EXPECT_EQ(number(result), 0x0Bu) << access.name;
      EXPECT_EQ(result.event.dw[1], kReadBit | kS2Bit | class_bits(access.fault_class)) << access.name;
      EXPECT_EQ(result.event.dw[3], m.abort_at) << access.name << ": FetchAddr is physical";
      EXPECT_EQ(result.fetches, access.before + static_cast<unsigned>(level)) << access.name;
    }
    if (access.fault_class == FaultClass::IN) continue;
    m.abort_at = access.ipa + kShift;
    const Result result = run();
    const bool cd = access.fault_class == FaultClass::CD;
    EXPECT_EQ(number(result), cd ? 0x09u : 0x0Bu) << access.name;
    EXPECT_EQ(result.event.dw[1], cd ? 0 : kReadBit | class_bits(FaultClass::TT)) << access.name << ": S2=0";
    EXPECT_EQ(result.event.dw[3], access.ipa + kShift) << access.name;
    EXPECT_EQ(result.fetches, access.before + 4) << access.name;
  }
  // Neither S2S nor CD.S makes an external abort stall.
  m.set(kSte, 185, 185, 1);
  m.set(kCdIpa + kShift, 44, 44, 1);
  expect_event(Outcome::Abort, 0x0B);
}

TEST_F(RefwalkNested, AddressesOutsideStage2) {
  // An IPA at or above 2^(64 - S2T0SZ) is a stage-2 Translation fault of the access that has it; nothing is read for
  // it.
  const uint64_t outside = uint64_t{1} << 40;
  const struct {
    const char* name;
    uint64_t where, word;
    FaultClass fault_class;
    uint64_t ipa;
    unsigned fetches;
  } rows[] = {{"S1ContextPtr", kSte, 0, FaultClass::CD, outside, 2},
              {"L2Ptr", kL1Cd + 8 + kShift, outside | 1, FaultClass::CD, outside, 6},
              {"level 0 table", kT0 + kShift, outside | 3, FaultClass::TT, outside, 14},
              {"page", kT3 + 8 + kShift, outside | kLeaf, FaultClass::IN, outside, 26}};
  for (const auto& row : rows) {
    const auto saved = m.words;
    if (row.where == kSte) {
      m.set(kSte, 55, 6, outside >> 6);
    } else {
      m.words[row.where] = row.word;
    }
    const Result result = run();
    EXPECT_EQ(number(result), 0x10u) << row.name;
    EXPECT_EQ(result.event.dw[1], kReadBit | kS2Bit | class_bits(row.fault_class)) << row.name;
    EXPECT_EQ(result.event.dw[3], row.ipa) << row.name;
    EXPECT_EQ(result.fetches, row.fetches) << row.name;
    m.words = saved;
  }
  // Above IPS it is a stage-1 Address size fault before stage 2 sees it.
  m.set(kCdIpa + kShift, 34, 32, 2);
  m.words[kT3 + 8 + kShift] = outside | kLeaf;
  expect_event(Outcome::Abort, 0x11, "IPS");
  EXPECT_EQ(run().event.dw[1], kReadBit | class_bits(FaultClass::IN));
}

TEST_F(RefwalkNested, Priorities) {
  // A later row's fault is hidden by an earlier one's (7.3.22). From the last to the first:
  const struct {
    const char* name;
    uint64_t at, clear;
    unsigned event;
    bool s2;
  } rows[] = {{"output not writable at stage 2", stage2_.entry(3, kOut), 0x80, 0x13, true},
              {"AF at stage 2", stage2_.entry(3, kOut), 0x400, 0x12, true},
              {"stage-1 permission", kT3 + 8 + kShift, 0x40, 0x13, false},
              {"stage-1 AF", kT3 + 8 + kShift, 0x400, 0x12, false},
              {"stage-1 leaf invalid", kT3 + 8 + kShift, 1, 0x10, false},
              {"level-3 table not readable", stage2_.entry(3, kT3), 0x40, 0x13, true},
              {"CD not valid", kCdIpa + kShift, uint64_t{1} << 31, 0x0A, false},
              {"CD not readable", stage2_.entry(3, kCdIpa), 0x40, 0x13, true},
              {"STE not valid", kSte, 1, 0x04, false}};
  a.write = true;
  for (const auto& row : rows) {
    m.words[row.at] &= ~row.clear;
    expect_event(Outcome::Abort, row.event, row.name);
    EXPECT_EQ((run().event.dw[1] & kS2Bit) != 0, row.s2) << row.name;
  }
}

TEST_F(RefwalkNested, CdFetchIsAPrivilegedDataRead) {
  // 7.3.16: neither execute-never nor missing write permission stops a CD or descriptor read.
  a.write = true;
  a.instruction = true;
  for (const Access2& access : accesses_) {
    if (access.fault_class == FaultClass::IN) continue;
    m.words[stage2_.entry(3, access.ipa)] ^= 0x80 | (uint64_t{1} << 54);
  }
  expect_pa(kOut + kShift + 0xABC);
}

TEST_F(RefwalkNested, ProtectedTableWalk) {
  // S2PTW: a page of any Device type. MemAttr[5:2]; FWB makes bit 4 decide alone.
  for (unsigned mem_attr = 0; mem_attr < 16; ++mem_attr) {
    for (const Access2& access : accesses_) {
      const auto saved = m.words;
      const bool client = access.fault_class == FaultClass::IN;
      uint64_t& leaf = m.words[stage2_.entry(3, access.ipa)];
      leaf = (leaf & ~uint64_t{0x3C}) | (mem_attr << 2);
      const std::string name = std::string(access.name) + " MemAttr " + std::to_string(mem_attr);
      expect_pa(kOut + kShift + 0xABC, name);
      m.set(kSte, 182, 182, 1);
      for (const bool fwb : {false, true}) {
        r.idr3 = fwb ? r.idr3 | (1u << 8) : r.idr3 & ~(1u << 8);
        m.set(kSte, 89, 89, 1);
        const bool device = fwb ? (mem_attr & 4) == 0 : mem_attr < 4;
        if (device && !client) {
          expect_event(Outcome::Abort, 0x13, name);
          EXPECT_EQ(run().event.dw[3], access.ipa & ~uint64_t{0xFFF}) << name;
        } else {
          expect_pa(kOut + kShift + 0xABC, name);
        }
      }
      m.words = saved;
    }
  }
}

TEST_F(RefwalkNested, AccessFlagFaultDisable) {
  for (const Access2& access : accesses_) m.words[stage2_.entry(3, access.ipa)] &= ~uint64_t{0x400};
  expect_event(Outcome::Abort, 0x12, "S2AFFD=0");
  m.set(kSte, 181, 181, 1);
  expect_pa(kOut + kShift + 0xABC, "S2AFFD=1");
  m.words[kT3 + 8 + kShift] &= ~uint64_t{0x400};
  expect_event(Outcome::Abort, 0x12, "stage 1 has AFFD");
  EXPECT_EQ(run().event.dw[1] & kS2Bit, 0u);
}

}  // namespace
}  // namespace refwalk
