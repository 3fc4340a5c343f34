// SPDX-License-Identifier: MIT
// Hardware updates of one stage in the reference walker (IHI 0070 3.13.1 to 3.13.3, 5.2 S2HA, 5.4 HA; DDI 0487 D8.5):
// which descriptor changes, to what, for which access. Updates are written out by hand. These tests say nothing about
// model/ and name sections, not the house's rules.
#include <string>
#include <vector>

#include "tests/random/reference/refwalk_chain.h"

namespace refwalk {
namespace {

constexpr uint64_t kAf = uint64_t{1} << 10, kDbm = uint64_t{1} << 51, kBit7 = uint64_t{1} << 7,
                   kBit6 = uint64_t{1} << 6;
constexpr uint64_t kWriteIsRead = uint64_t{1} << 35;  // RnW

class RefwalkHttu : public Refwalk {
 protected:
  RefwalkHttu() { r.idr0 |= 2u << 6; }

  void enable(unsigned ha_hd) { m.set(kCd, 43, 42, ((ha_hd & 1) << 1) | (ha_hd >> 1)); }

  void expect_updates(const std::vector<std::pair<uint64_t, uint64_t>>& wanted, const std::string& name) {
    const Result result = run();
    ASSERT_EQ(result.updates.size(), wanted.size()) << name;
    for (size_t i = 0; i < wanted.size(); ++i) {
      EXPECT_EQ(result.updates[i].address, wanted[i].first) << name;
      EXPECT_EQ(result.updates[i].after, wanted[i].second) << name;
      EXPECT_EQ(result.updates[i].before, m.words[wanted[i].first]) << name;
    }
  }
};

constexpr unsigned kHa = 1, kHd = 2;

struct Row {
  const char* name;
  unsigned enabled;     // kHa, kHd
  uint64_t clear, set;  // of the leaf
  bool write;
  unsigned event;    // 0: proceeds
  uint64_t flipped;  // by the update; 0: none
};

// Stage 1: AP[2] is bit 7. AP[1] = 1 lets unprivileged accesses in.
TEST_F(RefwalkHttu, Stage1Leaf) {
  const Row rows[] = {{"off, AF 0", 0, kAf, 0, false, 0x12, 0},
                      {"HA, AF 0, read", kHa, kAf, 0, false, 0, kAf},
                      {"HA, AF 0, write", kHa, kAf, 0, true, 0, kAf},
                      {"HA, AF 1", kHa, 0, 0, false, 0, 0},
                      {"HD alone, AF 0", kHd, kAf, 0, false, 0x12, 0},
                      {"HD alone, writable-clean", kHd, 0, kDbm | kBit7, true, 0x13, 0},
                      {"off, AF 0 and read-only: F_ACCESS first", 0, kAf, kBit7, true, 0x12, 0},
                      {"HA, writable-clean, write", kHa, 0, kDbm | kBit7, true, 0x13, 0},
                      {"HA, AF 0 and read-only: AF stays", kHa, kAf, kBit7, true, 0x13, 0},
                      {"both, writable-clean, write", kHa | kHd, 0, kDbm | kBit7, true, 0, kBit7},
                      {"both, writable-clean, read", kHa | kHd, 0, kDbm | kBit7, false, 0, 0},
                      {"both, writable-clean, AF 0, write", kHa | kHd, kAf, kDbm | kBit7, true, 0, kAf | kBit7},
                      {"both, writable-clean, AF 0, read", kHa | kHd, kAf, kDbm | kBit7, false, 0, kAf},
                      {"both, writable-dirty, write", kHa | kHd, 0, kDbm, true, 0, 0},
                      {"both, read-only, write", kHa | kHd, 0, kBit7, true, 0x13, 0},
                      {"both, writable-clean, not for EL0", kHa | kHd, kBit6, kDbm | kBit7, true, 0x13, 0}};
  for (const Row& row : rows) {
    enable(row.enabled);
    m.words[kL3 + 8] = ((kPage | kLeaf) & ~row.clear) | row.set;
    a.write = row.write;
    if (row.event == 0) expect_pa(kPage | 0xABC, row.name);
    if (row.event != 0) expect_event(Outcome::Abort, row.event, row.name);
    const uint64_t leaf = m.words[kL3 + 8];
    if (row.flipped == 0) expect_updates({}, row.name);
    if (row.flipped != 0) expect_updates({{kL3 + 8, leaf ^ row.flipped}}, row.name);
  }
}

TEST_F(RefwalkHttu, AffdActsWithoutHaOnly) {
  m.set(kCd, 35, 35, 1);
  m.words[kL3 + 8] = (kPage | kLeaf) & ~kAf;
  expect_pa(kPage | 0xABC, "AFFD");
  expect_updates({}, "AFFD");
  enable(kHa);
  expect_updates({{kL3 + 8, kPage | kLeaf}}, "AFFD with HA");
}

// What hierarchical control, PAN or the privilege level take away is no dirty state.
TEST_F(RefwalkHttu, DirtyStateGivesBackOnlyAp2) {
  enable(kHa | kHd);
  m.words[kL3 + 8] = kPage | kLeaf | kDbm | kBit7;
  a.write = true;
  m.words[kL1 + 8] |= uint64_t{1} << 62;
  expect_event(Outcome::Abort, 0x13, "APTable read-only");
  expect_updates({}, "APTable read-only");
  m.set(kCd, 65, 65, 1);
  expect_updates({{kL3 + 8, kPage | kLeaf | kDbm}}, "APTable with HAD0");
  a.privileged = true;
  m.set(kCd, 40, 40, 1);
  expect_event(Outcome::Abort, 0x13, "PAN");
  expect_updates({}, "PAN");
}

// D8.5.2.2: a writable-clean leaf is writable for WXN, and if EL0 may write it privileged code can't execute it.
TEST_F(RefwalkHttu, WritableCleanIsWritableForExecution) {
  enable(kHa | kHd);
  m.words[kL3 + 8] = kPage | kLeaf | kDbm | kBit7;
  a.instruction = true;
  expect_pa(kPage | 0xABC, "no WXN");
  a.privileged = true;
  expect_event(Outcome::Abort, 0x13, "EL0 could write");
  a.privileged = false;
  m.set(kCd, 36, 36, 1);
  expect_event(Outcome::Abort, 0x13, "WXN");
  enable(kHa);
  expect_pa(kPage | 0xABC, "WXN, read-only because HD is 0");
  m.words[kL3 + 8] &= ~kDbm;
  enable(kHa | kHd);
  expect_pa(kPage | 0xABC, "WXN, read-only");
}

TEST_F(RefwalkHttu, BlocksAndBothEndiannesses) {
  enable(kHa | kHd);
  r.idr0 &= ~(3u << 21);
  m.words[kL2 + 8] = 0x40000000 | ((kLeaf | kDbm | kBit7) & ~(kAf | 2));
  a.write = true;
  expect_updates({{kL2 + 8, 0x40000000 | ((kLeaf | kDbm) & ~uint64_t{2})}}, "2 MB block");
  m.set(kCd, 15, 15, 1);
  for (const uint64_t address : {kL0, kL1 + 8, kL2 + 8}) m.words[address] = __builtin_bswap64(m.words[address]);
  expect_updates({{kL2 + 8, __builtin_bswap64(0x40000000 | ((kLeaf | kDbm) & ~uint64_t{2}))}}, "big-endian");
}

TEST_F(RefwalkHttu, OfAContiguousRunOnlyTheUsedDescriptor) {
  enable(kHa);
  for (unsigned i = 0; i < 16; ++i) {
    m.words[kL3 + 8 * i] = 0x567890000 | ((kLeaf | uint64_t{1} << 52) & ~kAf) | (i << 12);
  }
  expect_updates({{kL3 + 8, m.words[kL3 + 8] | kAf}}, "run");
  const Result result = run();
  EXPECT_EQ(result.updates[0].run, 16u);
  EXPECT_EQ(result.updates[0].stage, 1u);
  EXPECT_EQ(result.updates[0].level, 3);
}

TEST_F(RefwalkHttu, TableDescriptors) {
  r.idr0 |= 3u << 6;
  enable(kHa);
  m.words[kL1 + 8] |= kAf;
  expect_updates({}, "HAFT 0");
  m.set(kCd, 67, 67, 1);
  m.words[kL3 + 8] &= ~kAf;
  expect_updates({{kL0, m.words[kL0] | kAf}, {kL2 + 8, m.words[kL2 + 8] | kAf}, {kL3 + 8, m.words[kL3 + 8] | kAf}},
                 "HAFT 1");
  m.words[kL3 + 8] = 0;
  expect_event(Outcome::Abort, 0x10, "HAFT 1, no leaf");
  expect_updates({{kL0, m.words[kL0] | kAf}, {kL2 + 8, m.words[kL2 + 8] | kAf}}, "HAFT 1, no leaf");
  r.idr0 &= ~(1u << 6);
  expect_updates({}, "HTTU 2");
}

// Memory whose word at `at` changes after `reads` reads of it.
struct Changing : Image {
  uint64_t at = 0, later = 0;
  mutable unsigned reads = 0;
  bool read(uint64_t pa, void* data, size_t n) const override {
    if (!Image::read(pa, data, n)) return false;
    if (pa == at && ++reads > 1) __builtin_memcpy(data, &later, 8);
    return true;
  }
};

// D8.5.2.1: what memory holds at the time of the update counts.
TEST_F(RefwalkHttu, ADescriptorThatChangedIsReadAgain) {
  enable(kHa | kHd);
  m.words[kL3 + 8] = (kPage | kLeaf | kDbm | kBit7) & ~kAf;
  a.write = true;
  const struct {
    const char* name;
    uint64_t later;
    unsigned event;
    uint64_t after;
  } rows[] = {{"gone", 0, 0x10, 0},
              {"read-only", kPage | kLeaf | kBit7, 0x13, 0},
              {"elsewhere", (kPage + 0x1000) | kLeaf | kDbm | kBit7, 0, (kPage + 0x1000) | kLeaf | kDbm},
              {"done by another agent", (kPage + 0x1000) | kLeaf | kDbm, 0, 0}};
  for (const auto& row : rows) {
    Changing memory;
    static_cast<Image&>(memory) = m;
    memory.at = kL3 + 8;
    memory.later = row.later;
    const Result result = translate(r, memory, a);
    EXPECT_EQ(number(result), row.event) << row.name;
    EXPECT_EQ(result.updates.size(), row.after == 0 ? 0u : 1u) << row.name;
    if (row.after != 0 && !result.updates.empty()) {
      EXPECT_EQ(result.updates[0].after, row.after) << row.name;
    }
    if (row.event == 0) {
      EXPECT_EQ(result.pa, (kPage + 0x1000) | 0xABC) << row.name;
    }
  }
}

struct NoUpdates : Image {
  bool update_aborts(uint64_t pa) const override { return pa == at; }
  uint64_t at = 0;
};

TEST_F(RefwalkHttu, AbortOfTheUpdate) {
  enable(kHa);
  m.words[kL3 + 8] &= ~kAf;
  NoUpdates memory;
  static_cast<Image&>(memory) = m;
  memory.at = kL3 + 8;
  const Result result = translate(r, memory, a);
  EXPECT_EQ(number(result), 0x0Bu);
  EXPECT_EQ(result.event.dw[1], kWriteIsRead | (uint64_t{1} << 40)) << "S2=0, CLASS=TT";
  EXPECT_EQ(result.event.dw[3], kL3 + 8);
  EXPECT_TRUE(result.updates.empty());
}

TEST_F(RefwalkHttu, SpeculativeAccesses) {
  enable(kHa | kHd);
  a.speculative = true;
  m.words[kL3 + 8] = (kPage | kLeaf | kDbm | kBit7) & ~kAf;
  expect_updates({{kL3 + 8, m.words[kL3 + 8] | kAf}}, "read");
  a.write = true;
  expect_event(Outcome::Abort, kNone, "write");
  EXPECT_EQ(run().fetches, 0u);
  a.write = false;
  m.words[kL3 + 8] = 0;
  m.set(kCd, 44, 44, 1);
  expect_event(Outcome::Abort, kNone, "fault, CD.S=1");
}

// Stage 2 alone: S2AP[1] is bit 7, S2AP[0] bit 6.
TEST_F(RefwalkHttu, Stage2Leaf) {
  add_stage2(6);
  a.address = kPage | 0xABC;
  const uint64_t slot = 0x44000 + 8 * 0x9A;
  const Row rows[] = {{"off, AF 0", 0, kAf, 0, false, 0x12, 0},
                      {"HA, AF 0, read", kHa, kAf, 0, false, 0, kAf},
                      {"HA, AF 0, write", kHa, kAf, 0, true, 0, kAf},
                      {"HD alone, AF 0", kHd, kAf, 0, false, 0x12, 0},
                      {"HD alone, writable-clean", kHd, kBit7, kDbm, true, 0x13, 0},
                      {"HA, writable-clean, write", kHa, kBit7, kDbm, true, 0x13, 0},
                      {"HA, AF 0 and read-only: AF stays", kHa, kAf | kBit7, 0, true, 0x13, 0},
                      {"both, writable-clean, write", kHa | kHd, kBit7, kDbm, true, 0, kBit7},
                      {"both, writable-clean, read", kHa | kHd, kBit7, kDbm, false, 0, 0},
                      {"both, writable-clean, AF 0, write", kHa | kHd, kAf | kBit7, kDbm, true, 0, kAf | kBit7},
                      {"both, writable-clean, AF 0, read", kHa | kHd, kAf | kBit7, kDbm, false, 0, kAf},
                      {"both, writable-dirty, write", kHa | kHd, 0, kDbm, true, 0, 0},
                      {"both, read-only, write", kHa | kHd, kBit7, 0, true, 0x13, 0},
                      {"both, no access, read", kHa | kHd, kBit7 | kBit6, kDbm, false, 0x13, 0},
                      {"both, no access, clean, write", kHa | kHd, kBit7 | kBit6, kDbm, true, 0, kBit7}};
  for (const Row& row : rows) {
    m.set(kSte, 184, 184, row.enabled & 1);
    m.set(kSte, 183, 183, row.enabled >> 1);
    m.words[slot] = ((0x7000 | 3 | kS2Bits) & ~row.clear) | row.set;
    a.write = row.write;
    if (row.event == 0) expect_pa(0x7ABC, row.name);
    if (row.event != 0) expect_event(Outcome::Abort, row.event, row.name);
    const uint64_t leaf = m.words[slot];
    if (row.flipped == 0) expect_updates({}, row.name);
    if (row.flipped != 0) expect_updates({{slot, leaf ^ row.flipped}}, row.name);
  }
}

TEST_F(RefwalkHttu, S2affdActsWithoutS2haOnly) {
  add_stage2(6);
  a.address = kPage | 0xABC;
  const uint64_t slot = 0x44000 + 8 * 0x9A;
  m.words[slot] &= ~kAf;
  m.set(kSte, 181, 181, 1);
  expect_pa(0x7ABC, "S2AFFD");
  expect_updates({}, "S2AFFD");
  m.set(kSte, 184, 184, 1);
  expect_updates({{slot, m.words[slot] | kAf}}, "S2AFFD with S2HA");
}

TEST_F(RefwalkHttu, Stage2TableDescriptors) {
  add_stage2(6);
  r.idr0 |= 3u << 6;
  a.address = kPage | 0xABC;
  const uint64_t first = 0x40000 + 8 * 0x15, second = 0x43000 + 8 * 0x13C;
  m.set(kSte, 184, 184, 1);
  expect_updates({}, "S2HAFT 0");
  m.set(kSte, 187, 187, 1);
  expect_updates({{first, m.words[first] | kAf}, {second, m.words[second] | kAf}}, "S2HAFT 1");
}

TEST_F(RefwalkHttu, AbortOfAStage2Update) {
  add_stage2(6);
  a.address = kPage | 0xABC;
  m.set(kSte, 184, 184, 1);
  m.words[0x44000 + 8 * 0x9A] &= ~kAf;
  NoUpdates memory;
  static_cast<Image&>(memory) = m;
  memory.at = 0x44000 + 8 * 0x9A;
  const Result result = translate(r, memory, a);
  EXPECT_EQ(number(result), 0x0Bu);
  EXPECT_EQ(result.event.dw[1], kWriteIsRead | (uint64_t{1} << 39) | (uint64_t{2} << 40)) << "S2=1, CLASS=IN";
  EXPECT_EQ(result.event.dw[3], memory.at);
}

}  // namespace
}  // namespace refwalk
