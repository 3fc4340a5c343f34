// SPDX-License-Identifier: MIT
// Hardware updates with two stages in the reference walker (IHI 0070 3.13.2 to 3.13.5, 7.3.16, 7.3.22; DDI 0487 D8.5):
// which stage-2 descriptors a CD fetch, a stage-1 walk, an update of stage 1 and the output address change, and what a
// refused update is reported as. These tests say nothing about model/ and name sections, not the house's rules.
#include <algorithm>
#include <string>
#include <vector>

#include "tests/random/reference/refwalk_chain.h"

namespace refwalk {
namespace {

constexpr uint64_t kAf = uint64_t{1} << 10, kDbm = uint64_t{1} << 51, kBit7 = uint64_t{1} << 7,
                   kBit6 = uint64_t{1} << 6;
constexpr uint64_t kReadBit = uint64_t{1} << 35, kS2Bit = uint64_t{1} << 39, kTTRnWBit = uint64_t{1} << 44;

// The n-th IPA in use, with stage-2 descriptors of its own at every level.
constexpr uint64_t ipa_of(uint64_t n) {
  return n * ((uint64_t{1} << 30) | (uint64_t{1} << 21) | (uint64_t{1} << 12));
}

// Stage 1: 4 KB, 48 bits, tables at kT0..kT3. Stage 2: 4 KB, 40 bits, each IPA to itself plus 2^36; everything on.
class RefwalkHttuNested : public RefwalkWide {
 protected:
  RefwalkHttuNested() {
    r.idr0 |= 2u << 6;
    use_stage1(Chain{0, 12, 48, 0}, false);
    m.set(kCd, 115, 68, kT0 >> 4);
    m.set(kCd, 43, 42, 3);
    copy_cd();
    use_stage2(stage2_, 7, 1, false);
    m.set(kSte, 55, 6, kCdIpa >> 6);
    m.set(kSte, 184, 183, 3);
    for (uint64_t n = 2; n <= 7; ++n) stage2_.write(&m, ipa_of(n), 3, (ipa_of(n) + kShift) | kPlain2);
    m.words[kT0 + kShift] = kT1 | 3;
    m.words[kT1 + 8 + kShift] = kT2 | 3;
    m.words[kT2 + 8 + kShift] = kT3 | 3;
    m.words[leaf()] = kOut | kLeaf;
  }
  void copy_cd() {
    for (unsigned word = 0; word < 8; ++word) m.words[kCdIpa + kShift + 8 * word] = m.words[kCd + 8 * word];
  }
  uint64_t slot(uint64_t ipa) const { return stage2_.entry(3, ipa); }
  void change(uint64_t address, uint64_t clear, uint64_t set) { m.words[address] = (m.words[address] & ~clear) | set; }

  // Addresses and flipped bits, in order.
  void expect_updates(const std::vector<std::pair<uint64_t, uint64_t>>& wanted, const std::string& name) {
    const Result result = run();
    ASSERT_EQ(result.updates.size(), wanted.size()) << name;
    for (size_t i = 0; i < wanted.size(); ++i) {
      EXPECT_EQ(result.updates[i].address, wanted[i].first) << name << ", " << i;
      EXPECT_EQ(result.updates[i].before ^ result.updates[i].after, wanted[i].second) << name << ", " << i;
    }
  }
  void expect_stage2_fault(unsigned event, FaultClass fault_class, uint64_t ipa, bool ttrnw, const std::string& name) {
    const Result result = run();
    EXPECT_EQ(number(result), event) << name;
    const uint64_t bits = (a.write ? 0 : kReadBit) | kS2Bit | (uint64_t{static_cast<unsigned>(fault_class)} << 40);
    EXPECT_EQ(result.event.dw[1], bits | (ttrnw ? kTTRnWBit : 0)) << name;
    EXPECT_EQ(result.event.dw[3], ipa & ~uint64_t{0xFFF}) << name;
  }

  static constexpr uint64_t kCdIpa = ipa_of(2), kT0 = ipa_of(3), kT1 = ipa_of(4), kT2 = ipa_of(5), kT3 = ipa_of(6),
                            kOut = ipa_of(7);
  static constexpr uint64_t kShift = uint64_t{1} << 36;
  static constexpr uint64_t leaf() { return kT3 + 8 + kShift; }
  const Chain stage2_{0x2000000000, 12, 40, 1};
};

// 3.13.2: one access sets the Access flag of every stage-2 leaf that it uses, and of the stage-1 leaf.
TEST_F(RefwalkHttuNested, OneAccessSetsTheFlagsOfAllLeaves) {
  for (const uint64_t ipa : {kCdIpa, kT0, kT1, kT2, kT3, kOut}) change(slot(ipa), kAf, 0);
  change(leaf(), kAf, 0);
  expect_updates({{slot(kCdIpa), kAf},
                  {slot(kT0), kAf},
                  {slot(kT1), kAf},
                  {slot(kT2), kAf},
                  {slot(kT3), kAf},
                  {leaf(), kAf},
                  {slot(kOut), kAf}},
                 "read");
  const Result result = run();
  EXPECT_EQ(result.pa, kOut + kShift + 0xABC);
  const FaultClass purposes[] = {FaultClass::CD, FaultClass::TT, FaultClass::TT, FaultClass::TT,
                                 FaultClass::TT, FaultClass::TT, FaultClass::IN};
  for (size_t i = 0; i < 7; ++i) {
    EXPECT_EQ(static_cast<int>(result.updates[i].purpose), static_cast<int>(purposes[i])) << i;
    EXPECT_EQ(result.updates[i].stage, i == 5 ? 1u : 2u) << i;
  }
}

// 3.13.3.1: neither the fetch of a CD nor that of a descriptor makes a page dirty.
TEST_F(RefwalkHttuNested, ReadsOfStructuresMakeNothingDirty) {
  for (const uint64_t ipa : {kCdIpa, kT0, kT1, kT2, kT3}) change(slot(ipa), kBit7, kDbm);
  a.write = true;
  expect_updates({}, "nothing of stage 1 changes");
}

// 3.13.5: a stage-1 update is a write by the rules of stage 2.
TEST_F(RefwalkHttuNested, Stage1UpdateMakesTheTablesPageDirty) {
  change(slot(kT3), kBit7, kDbm);
  change(leaf(), kAf, 0);
  expect_updates({{slot(kT3), kBit7}, {leaf(), kAf}}, "writable-clean");
  change(slot(kT3), kAf, 0);
  const Result both = run();
  ASSERT_EQ(both.updates.size(), 3u);
  EXPECT_EQ(both.updates[0].after, m.words[slot(kT3)] | kAf) << "by the read";
  EXPECT_EQ(both.updates[1].before, both.updates[0].after);
  EXPECT_EQ(both.updates[1].after, m.words[slot(kT3)] | kAf | kBit7) << "by the update";
  a.speculative = true;
  expect_updates({{slot(kT3), kAf}, {slot(kT3), kBit7}, {leaf(), kAf}}, "speculative too");
}

TEST_F(RefwalkHttuNested, Stage1UpdateIsRefused) {
  change(leaf(), kAf, 0);
  const struct {
    const char* name;
    uint64_t clear, set;
    unsigned ha_hd;  // S2HD, S2HA from bit 183 up
  } rows[] = {{"read-only", kBit7, 0, 3},
              {"read-only, AF 0", kBit7 | kAf, 0, 3},
              {"writable-clean without S2HD", kBit7, kDbm, 2},
              {"writable-clean without S2HA", kBit7, kDbm, 1},
              {"writable-clean, all off", kBit7, kDbm, 0}};
  const auto words = m.words;
  for (const auto& row : rows) {
    m.words = words;
    change(slot(kT3), row.clear, row.set);
    m.set(kSte, 184, 183, row.ha_hd);
    expect_stage2_fault(0x13, FaultClass::TT, kT3 + 8, false, row.name);
    std::vector<std::pair<uint64_t, uint64_t>> updates;
    if ((row.clear & kAf) != 0) updates.push_back({slot(kT3), kAf});
    expect_updates(updates, std::string(row.name) + ": the read was allowed, the write was not");
    m.set(kSte, 186, 186, 0);
    expect_event(Outcome::Abort, kNone, std::string(row.name) + ", S2R=0");
    m.set(kSte, 185, 185, 1);
    expect_event(Outcome::Stall, 0x13, std::string(row.name) + ", S2S=1");
  }
}

TEST_F(RefwalkHttuNested, UnreadableTableIsARefusedRead) {
  change(leaf(), kAf, 0);
  change(slot(kT3), kBit6 | kBit7, kDbm);
  expect_stage2_fault(0x13, FaultClass::TT, kT3 + 8, true, "S2AP=00, writable-clean");
  expect_updates({}, "S2AP=00");
}

// Nothing to update: the tables may be read-only.
TEST_F(RefwalkHttuNested, ReadOnlyTablesServeWhatNeedsNoUpdate) {
  for (const uint64_t ipa : {kCdIpa, kT0, kT1, kT2, kT3}) change(slot(ipa), kBit7, 0);
  a.write = true;
  expect_pa(kOut + kShift + 0xABC);
  change(leaf(), 0, kDbm | kBit7);
  expect_stage2_fault(0x13, FaultClass::TT, kT3 + 8, false, "dirty state of stage 1");
  a.write = false;
  expect_pa(kOut + kShift + 0xABC, "read of a writable-clean page");
}

// The stage-1 leaf is updated before stage 2 sees the output address, and only if stage 1 allows the access.
TEST_F(RefwalkHttuNested, OrderOfFaultsAndUpdates) {
  a.write = true;
  change(leaf(), kAf, kDbm | kBit7);
  change(slot(kOut), kBit7, 0);
  expect_stage2_fault(0x13, FaultClass::IN, kOut, false, "output read-only");
  expect_updates({{leaf(), kAf | kBit7}}, "stage 1 is dirty though stage 2 refuses");
  m.words[slot(kOut)] = 0;
  expect_stage2_fault(0x10, FaultClass::IN, kOut, false, "output unmapped");
  expect_updates({{leaf(), kAf | kBit7}}, "output unmapped");
  change(slot(kT3), kBit7, 0);
  expect_stage2_fault(0x13, FaultClass::TT, kT3 + 8, false, "the refused update is reported before the output");
  change(leaf(), kDbm, 0);
  const Result result = run();
  EXPECT_EQ(number(result), 0x13u) << "stage 1's own permission fault comes first";
  EXPECT_EQ(result.event.dw[1], uint64_t{2} << 40);
  expect_updates({}, "stage 1 refuses");
}

TEST_F(RefwalkHttuNested, WriteMakesBothStagesDirty) {
  a.write = true;
  change(leaf(), kAf, kDbm | kBit7);
  change(slot(kOut), kAf | kBit7, kDbm);
  change(slot(kT3), kBit7, kDbm);
  expect_updates({{slot(kT3), kBit7}, {leaf(), kAf | kBit7}, {slot(kOut), kAf | kBit7}}, "write");
  a.write = false;
  expect_updates({{slot(kT3), kBit7}, {leaf(), kAf}, {slot(kOut), kAf}}, "read");
  m.set(kCd, 42, 42, 0);
  copy_cd();
  a.write = true;
  expect_event(Outcome::Abort, 0x13, "no HD: stage 1 refuses");
}

// A read-only stage 1 leaves the output's page clean.
TEST_F(RefwalkHttuNested, Stage1RefusalLeavesStage2Clean) {
  a.write = true;
  change(leaf(), 0, kBit7);
  change(slot(kOut), kAf | kBit7, kDbm);
  expect_event(Outcome::Abort, 0x13);
  expect_updates({}, "stage 1 read-only");
}

// The second stage-2 walk, for the write, is marked in the list of reads.
TEST_F(RefwalkHttuNested, ReadsForTheUpdateAreMarked) {
  const Result plain = run();
  change(leaf(), kAf, 0);
  Result updated = run();
  auto& list = updated.fetch_list;
  EXPECT_EQ(std::count_if(list.begin(), list.end(), [](const Fetch& fetch) { return fetch.for_update; }), 3);
  const auto marked = std::find_if(list.begin(), list.end(), [](const Fetch& fetch) { return fetch.for_update; });
  EXPECT_EQ((marked - 1)->address, leaf());
  EXPECT_EQ((marked + 2)->address, slot(kT3));
  list.erase(std::remove_if(list.begin(), list.end(), [](const Fetch& fetch) { return fetch.for_update; }), list.end());
  EXPECT_TRUE(list == plain.fetch_list);
}

// 3.13.6: table descriptors of stage 1 are updated through stage 2 as well.
TEST_F(RefwalkHttuNested, TableDescriptors) {
  r.idr0 |= 3u << 6;
  m.set(kCd, 67, 67, 1);
  copy_cd();
  change(slot(kT1), kBit7, kDbm);
  expect_updates({{kT0 + kShift, kAf}, {slot(kT1), kBit7}, {kT1 + 8 + kShift, kAf}, {kT2 + 8 + kShift, kAf}}, "HAFT");
  change(slot(kT1), kDbm, 0);
  expect_stage2_fault(0x13, FaultClass::TT, kT1 + 8, false, "refused");
  expect_updates({{kT0 + kShift, kAf}}, "refused");
}

}  // namespace
}  // namespace refwalk
