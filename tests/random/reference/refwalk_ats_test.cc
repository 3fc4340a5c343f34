// SPDX-License-Identifier: MIT
// ATS translation requests in the reference walker (IHI 0070 3.9.1.2, 3.13.7, 13.6.3 to 13.7.1): who is refused, the
// table of 13.7, one and two stages, the overrides, faults, hardware updates. These tests say nothing about model/ and
// name sections, not the house's rules.
#include <string>
#include <vector>

#include "tests/random/reference/ats.h"
#include "tests/random/reference/refwalk_chain.h"

namespace refwalk {
namespace {

constexpr uint64_t kAf = uint64_t{1} << 10, kDbm = uint64_t{1} << 51, kBit7 = uint64_t{1} << 7,
                   kBit6 = uint64_t{1} << 6, kUxn = uint64_t{1} << 54;
constexpr uint32_t kAts = 1u << 10, kAtsRecErr = 1u << 23;

std::string text_of(const Completion& completion) {
  if (completion.status == CompletionStatus::UnsupportedRequest) return "UR";
  if (completion.status == CompletionStatus::CompleterAbort) return "CA";
  std::string text = completion.privileged ? "p" : "";
  text += completion.read ? "R" : "-";
  text += completion.write ? "W" : "-";
  return text + (completion.execute ? "X" : "-");
}

class RefwalkAts : public Refwalk {
 protected:
  RefwalkAts() {
    r.idr0 |= kAts | kAtsRecErr | 2u << 6;
    r.cr0 |= 1u << 4;
    m.set(kSte, 93, 92, 1);
    // SubstreamID 0 and requests without one use the same CD.
    q.sid = 3;
    q.address = kVa;
  }

  // Two CDs, so that PASID 1 may be given; requests without PASID use CD 0 with S1DSS = 2.
  void add_pasids() {
    m.set(kSte, 63, 59, 1);
    m.set(kSte, 65, 64, 2);
    for (unsigned word = 0; word < 8; ++word) m.words[kCd + 64 + 8 * word] = m.words[kCd + 8 * word];
    q.ssv = true;
    q.ssid = 1;
  }
  void set_cds(unsigned high, unsigned low, uint64_t value) {
    m.set(kCd, high, low, value);
    m.set(kCd + 64, high, low, value);
  }

  Completion ask() { return request_translation(r, m, q); }
  void expect(const std::string& answer, unsigned event, const std::string& name) {
    const Completion completion = ask();
    EXPECT_EQ(text_of(completion), answer) << name;
    EXPECT_EQ(completion.event.dw[0] & 0xFF, event) << name;
    EXPECT_EQ(completion.event.recorded, event != 0) << name;
  }
  // One update at most, of the leaf.
  void expect_flipped(uint64_t address, uint64_t bits, const std::string& name) {
    const Completion completion = ask();
    ASSERT_EQ(completion.updates.size(), bits == 0 ? 0u : 1u) << name;
    if (bits == 0) return;
    EXPECT_EQ(completion.updates[0].address, address) << name;
    EXPECT_EQ(completion.updates[0].before ^ completion.updates[0].after, bits) << name;
  }

  static constexpr uint64_t kOutput = 0x44000 + 8 * 0x9A;  // stage-2 leaf of kPage
  TranslationRequest q;
};

TEST_F(RefwalkAts, Refused) {
  expect("RW-", 0, "plain");
  EXPECT_EQ(ask().address, kPage | 0xABC);
  EXPECT_EQ(ask().size_log2, 12u);
  const auto words = m.words;
  r.cr0 = 1u << 4;
  expect("UR", 0x05, "SMMUEN=0");
  r.cr0 = 1;
  expect("RW-", 0, "EATS=1 without ATSCHK");
  for (const unsigned eats : {0u, 2u, 3u}) {
    m.set(kSte, 93, 92, eats);
    if (eats == 2) add_stage2(7);
    expect("UR", 0x05, "EATS " + std::to_string(eats) + " without ATSCHK");
    m.words = words;
  }
  m.set(kSte, 3, 1, 4);
  expect("UR", 0x05, "bypass");
  m.set(kSte, 3, 1, 0);
  expect("UR", 0, "Config 000");
}

TEST_F(RefwalkAts, RecordOfARefusal) {
  r.cr0 = 0;
  q.ssv = true;
  q.ssid = 0x54321;
  q.execute = true;
  Completion completion = ask();
  EXPECT_EQ(completion.event.dw[0], (uint64_t{3} << 32) | (uint64_t{0x54321} << 12) | 0x805);
  EXPECT_EQ(completion.event.dw[1], (uint64_t{0xE} << 28) | 1) << "R, W, X, Span";
  EXPECT_EQ(completion.event.dw[2], kVa & ~uint64_t{0xFFF});
  q.ssv = false;
  q.privileged = q.no_write = true;
  completion = ask();
  EXPECT_EQ(completion.event.dw[1], (uint64_t{8} << 28) | 1) << "X and P need a PASID";
}

// 13.7, the table of example requests.
TEST_F(RefwalkAts, ExamplesOf13_7) {
  add_pasids();
  r.idr1 &= ~(1u << 26);
  const uint64_t user_ro_priv_rw = kPage | (kLeaf & ~kBit6);  // not expressible at stage 1: no user access
  const struct {
    const char* name;
    bool no_write, execute, privileged;
    uint64_t leaf;
    const char* answer;
  } rows[] = {{"user RW, NW", true, false, false, kPage | kLeaf, "RW-"},
              {"user RW", false, false, false, kPage | kLeaf, "RW-"},
              {"user RO", false, false, false, kPage | kLeaf | kBit7, "R--"},
              {"user RW, XN, asks X", true, true, false, kPage | kLeaf | kUxn, "RW-"},
              {"user RW, asks X", false, true, false, kPage | kLeaf, "RWX"},
              {"user RW, X not asked", false, false, false, kPage | kLeaf, "RW-"},
              {"user X only, asks X", false, true, false, user_ro_priv_rw, "---"},
              {"privileged RW", false, false, true, user_ro_priv_rw, "pRW-"},
              {"privileged RW, asks X", false, true, true, user_ro_priv_rw, "pRWX"},
              {"fault", false, true, true, 0, "p---"}};
  for (const auto& row : rows) {
    q.no_write = row.no_write;
    q.execute = row.execute;
    q.privileged = row.privileged;
    m.words[kL3 + 8] = row.leaf;
    expect(row.answer, 0, row.name);
  }
}

// 13.7.1: the overrides change what is checked, the answer's Priv stays the request's.
TEST_F(RefwalkAts, Overrides) {
  add_pasids();
  q.execute = true;
  m.words[kL3 + 8] = kPage | (kLeaf & ~kBit6);
  m.set(kSte, 113, 112, 3);
  expect("RWX", 0, "PRIVCFG privileged");
  m.set(kSte, 113, 112, 2);
  q.privileged = true;
  expect("p---", 0, "PRIVCFG unprivileged, execute-only");
  m.set(kSte, 115, 114, 3);
  expect("pR-X", 0, "INSTCFG instruction, execute-only");
  q.execute = false;
  expect("pR--", 0, "INSTCFG instruction, X not asked");
  m.words[kL3 + 8] = kPage | kLeaf | kUxn;
  q.execute = true;
  expect("p-W-", 0, "INSTCFG instruction, XN");
  m.set(kSte, 115, 114, 2);
  expect("pRWX", 0, "INSTCFG data, XN");
  r.idr1 &= ~(1u << 26);
  m.words[kL3 + 8] = kPage | (kLeaf & ~kBit6);
  expect("pRWX", 0, "no ATTR_PERMS_OVR");
}

TEST_F(RefwalkAts, TranslationFaultsAreSuccessesWithoutAccess) {
  for (const unsigned sra : {0u, 6u, 1u}) {
    m.set(kCd, 46, 44, sra);
    for (const uint64_t leaf : {uint64_t{0}, (uint64_t{1} << 47) | kLeaf, kPage | (kLeaf & ~kAf)}) {
      m.words[kL3 + 8] = leaf;
      expect("---", 0, "leaf " + std::to_string(leaf) + " ARS " + std::to_string(sra));
    }
  }
  m.words[kL3 + 8] = kPage | (kLeaf & ~kAf);
  m.set(kCd, 35, 35, 1);
  expect("RW-", 0, "AFFD");
  m.words[kL3 + 8] = kPage | kLeaf;
  add_stage2(7);
  m.words[0x42000] &= ~uint64_t{1};
  expect("---", 0, "stage 2, CD");
  m.words[0x42000] |= 1;
  m.words[kOutput] = 0;
  expect("---", 0, "stage 2, output");
}

TEST_F(RefwalkAts, ConfigurationErrorsAbort) {
  const auto words = m.words;
  for (const bool record : {false, true}) {
    r.cr2 = record ? 2 | 8 : 2;
    const auto event = [record](unsigned number) { return record ? number : 0; };
    m.set(kSte, 0, 0, 0);
    expect("CA", event(0x04), "C_BAD_STE");
    m.words = words;
    m.set(kCd, 31, 31, 0);
    expect("CA", event(0x0A), "C_BAD_CD");
    m.words = words;
    q.ssv = true;
    expect("CA", event(0x08), "C_BAD_SUBSTREAMID");
    q.ssv = false;
    m.set(kSte, 63, 59, 1);
    expect("CA", event(0x06), "F_STREAM_DISABLED");
    m.words = words;
    for (const auto& [address, number] : {std::pair{kSte, 0x03u}, std::pair{kCd, 0x09u}, std::pair{kL2 + 8, 0x0Bu}}) {
      m.abort_at = address;
      expect("CA", event(number), "external abort");
    }
    m.abort_at = ~uint64_t{0};
    q.sid = 0x1000;
    expect("CA", event(0x02), "C_BAD_STREAMID");
    q.sid = 3;
  }
  q.sid = 0x1000;
  r.cr2 = 8;
  expect("CA", 0, "C_BAD_STREAMID without RECINVSID");
  r.idr0 &= ~kAtsRecErr;
  q.sid = 3;
  r.cr2 = 8;
  m.set(kSte, 0, 0, 0);
  expect("CA", 0, "no ATSRECERR");
}

TEST_F(RefwalkAts, SkippedStage1) {
  m.set(kSte, 63, 59, 1);
  m.set(kSte, 65, 64, 1);
  q.address = 0x7FFFFFF123;
  q.no_write = true;
  expect("RW-", 0, "identity");
  EXPECT_EQ(ask().address, q.address);
  EXPECT_EQ(ask().size_log2, 44u);
  q.address = uint64_t{1} << 44;
  expect("---", 0, "above the IAS");
  add_stage2(7);
  q.address = kPage | 0xABC;
  expect("RW-", 0, "stage 2 only");
  EXPECT_EQ(ask().address, 0x7ABCu);
  m.words[kOutput] &= ~kBit7;
  expect("R--", 0, "stage 2 read-only");
  m.set(kSte, 93, 92, 2);
  expect("R--", 0, "split-stage");
  EXPECT_EQ(ask().address, kPage | 0xABC) << "an IPA";
  EXPECT_EQ(ask().size_log2, 12u);
}

// The permissions and the smaller size of both stages; the address by EATS.
TEST_F(RefwalkAts, BothStages) {
  add_stage2(7);
  m.words[kL2 + 8] = 0x40000000 | (kLeaf & ~uint64_t{2});
  m.words[0x40000 + 8] = 0x42000 | 3;  // IPA 1 GB: 2 MB blocks of 0 again
  q.address = 0x40201ABC;
  expect("RW-", 0, "2 MB twice");
  EXPECT_EQ(ask().size_log2, 21u);
  EXPECT_EQ(ask().address, 0x1ABCu);
  m.words[kL2 + 8] = kL3 | 3;
  q.address = kVa;
  expect("RW-", 0, "4 KB twice");
  EXPECT_EQ(ask().address, 0x7ABCu);
  EXPECT_EQ(ask().size_log2, 12u);
  m.words[kOutput] &= ~kBit7;
  expect("R--", 0, "stage 2 read-only");
  m.words[kL3 + 8] |= kBit7;
  m.words[kOutput] |= kBit7;
  expect("R--", 0, "stage 1 read-only");
  m.words[kOutput] &= ~kBit6;
  expect("---", 0, "stage 1 reads, stage 2 writes");
  m.set(kSte, 93, 92, 2);
  m.words[kOutput] |= kBit6;
  expect("R--", 0, "split-stage");
  EXPECT_EQ(ask().address, kPage | 0xABC);
}

// 3.9.1.2: stage 2 is not asked about an output that stage 1 does not grant.
TEST_F(RefwalkAts, NothingGrantedByStage1EndsTheWalk) {
  add_stage2(7);
  m.set(kSte, 184, 183, 3);
  m.words[kOutput] &= ~kAf;
  m.words[kL3 + 8] = kPage | (kLeaf & ~kBit6) | kUxn;
  const Completion completion = ask();
  EXPECT_EQ(text_of(completion), "---");
  EXPECT_TRUE(completion.updates.empty());
  EXPECT_EQ(completion.fetch_list.back().address, kL3 + 8);
}

// 3.13.7: AF of what is granted; dirty state for NW = 0 only.
TEST_F(RefwalkAts, UpdatesOfStage1) {
  m.set(kCd, 43, 42, 3);
  m.words[kL3 + 8] = (kPage | kLeaf | kDbm | kBit7) & ~kAf;
  expect("RW-", 0, "write");
  expect_flipped(kL3 + 8, kAf | kBit7, "write");
  q.no_write = true;
  expect("R--", 0, "no write");
  expect_flipped(kL3 + 8, kAf, "no write");
  q.no_write = false;
  m.set(kCd, 43, 42, 2);
  expect("R--", 0, "HA alone");
  expect_flipped(kL3 + 8, kAf, "HA alone");
  m.set(kCd, 43, 42, 0);
  expect("---", 0, "no HA");
  m.set(kCd, 43, 42, 3);
  m.words[kL3 + 8] &= ~kBit6;
  m.words[kL3 + 8] |= kUxn;
  expect("---", 0, "nothing granted");
  expect_flipped(kL3 + 8, 0, "nothing granted");
}

TEST_F(RefwalkAts, UpdatesOfTheOutputsStage2Leaf) {
  add_stage2(7);
  m.set(kSte, 184, 183, 3);
  m.words[kOutput] = (m.words[kOutput] | kDbm) & ~(kAf | kBit7);
  expect("RW-", 0, "write");
  expect_flipped(kOutput, kAf | kBit7, "write");
  q.no_write = true;
  expect("R--", 0, "no write");
  expect_flipped(kOutput, kAf, "no write");
  q.no_write = false;
  m.words[kL3 + 8] |= kBit7;
  expect("R--", 0, "stage 1 read-only");
  expect_flipped(kOutput, kAf, "stage 1 read-only");
}

}  // namespace
}  // namespace refwalk
