// SPDX-License-Identifier: MIT
// Which faults stall in the reference walker (IHI 0070 3.12, 3.12.5, 5.5; 7.3.13 to 7.3.16): the stage that faulted
// decides by its own A, R and S, and what is no translation-related fault never stalls. These tests say nothing about
// model/ and name sections, not the house's rules.
#include <string>

#include "tests/random/reference/refwalk_chain.h"

namespace refwalk {
namespace {

class RefwalkStall : public Refwalk {
 protected:
  RefwalkStall() { add_stage2(7); }

  bool stall_bit() { return (run().event.dw[1] >> 31 & 1) != 0; }
  void expect(Outcome outcome, unsigned event, const std::string& name) {
    expect_event(outcome, event, name);
    EXPECT_EQ(stall_bit(), outcome == Outcome::Stall) << name;
    EXPECT_EQ(run().event.dw[1] & 0xFFFF, 0u) << name << ": STAG is left to the caller";
  }
};

TEST_F(RefwalkStall, EachStageByItsOwnFlags) {
  const uint64_t output = 0x44000 + 8 * 0x9A;
  for (unsigned stalling = 0; stalling < 4; ++stalling) {
    const bool first = (stalling & 1) != 0;
    const bool second = (stalling & 2) != 0;
    m.set(kCd, 44, 44, first);
    m.set(kSte, 185, 185, second);
    const auto words = m.words;
    const std::string name = "S " + std::to_string(first) + " S2S " + std::to_string(second);
    m.words[kL3 + 8] = 0;
    expect(first ? Outcome::Stall : Outcome::Abort, 0x10, name + ", stage 1");
    m.words = words;
    m.words[output] = 0;
    expect(second ? Outcome::Stall : Outcome::Abort, 0x10, name + ", stage 2, output");
    m.words = words;
    m.words[0x42000] = 0;
    expect(second ? Outcome::Stall : Outcome::Abort, 0x10, name + ", stage 2, CD");
    m.words = words;
  }
}

TEST_F(RefwalkStall, EveryTranslationFaultOfStage1) {
  m.set(kCd, 46, 44, 1);  // S alone
  const struct {
    const char* name;
    uint64_t leaf;
    unsigned event;
  } rows[] = {{"translation", 0, 0x10},
              {"address size", (uint64_t{1} << 47) | kLeaf, 0x11},
              {"access", kPage | (kLeaf & ~(uint64_t{1} << 10)), 0x12},
              {"permission", kPage | (kLeaf & ~(uint64_t{1} << 6)), 0x13}};
  for (const auto& row : rows) {
    m.words[kL3 + 8] = row.leaf;
    expect(Outcome::Stall, row.event, row.name);
  }
}

TEST_F(RefwalkStall, OtherFaultsAbort) {
  m.set(kCd, 44, 44, 1);
  m.set(kSte, 185, 185, 1);
  m.abort_at = kL3 + 8;
  expect(Outcome::Abort, 0x0B, "F_WALK_EABT");
  m.abort_at = kCd;
  expect(Outcome::Abort, 0x09, "F_CD_FETCH");
  m.abort_at = ~uint64_t{0};
  m.set(kCd, 31, 31, 0);
  expect(Outcome::Abort, 0x0A, "C_BAD_CD");
  m.set(kSte, 3, 1, 6);
  a.address = uint64_t{1} << 50;
  expect(Outcome::Abort, 0x11, "F_ADDR_SIZE of a stage 1 that is bypassed");
  m.set(kSte, 0, 0, 0);
  expect(Outcome::Abort, 0x04, "C_BAD_STE");
}

TEST_F(RefwalkStall, StallForcedStage2) {
  r.idr0 |= 2u << 24;
  expect(Outcome::Abort, 0x04, "S2S=0");
  m.set(kSte, 185, 185, 1);
  expect(Outcome::Abort, 0x0A, "S=0");
  m.set(kCd, 44, 44, 1);
  expect_pa(0x7ABC, "both");
  m.set(kSte, 91, 91, 1);
  expect(Outcome::Abort, 0x04, "S1STALLD");
}

}  // namespace
}  // namespace refwalk
