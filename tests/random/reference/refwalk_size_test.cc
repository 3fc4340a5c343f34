// SPDX-License-Identifier: MIT
// Address sizes in the reference walker at every OAS: each row of IHI 0070 section 3.4 and 3.4.3 at the last address
// that fits and at the first that does not. These tests say nothing about model/ and name sections, not the house's
// rules.
#include <string>

#include "tests/random/reference/refwalk_chain.h"

namespace refwalk {
namespace {

constexpr unsigned kSizes[7] = {32, 36, 40, 42, 44, 48, 52};

class RefwalkSize : public RefwalkWide, public testing::WithParamInterface<unsigned> {
 protected:
  RefwalkSize() {
    set_oas(GetParam());
    m.set(kCd, 34, 32, 7);
    // The input size of the linear stage-1 and stage-2 walks below is OAS; 64 KB so that 52 bits fit without DS.
    start_ = bits_ > 42 ? 1 : 2;
  }

  Chain chain(uint64_t base) const { return Chain{base, 16, bits_, start_}; }
  unsigned sl() const { return start_ == 1 ? 2 : 1; }
  void expect_size_fault(const std::string& name) {
    expect_event(Outcome::Abort, 0x11, name);
    EXPECT_EQ(run().event.dw[1], (uint64_t{1} << 35) | (uint64_t{2} << 40)) << name << ": read, S2=0, CLASS=IN";
    EXPECT_EQ(run().event.dw[2], a.address) << name;
    EXPECT_EQ(run().event.dw[3], 0u) << name;
  }
  // A 64 KB leaf or table at `address` as the descriptor holds it.
  static uint64_t encode(uint64_t address) { return (address & mask(48)) | ((address >> 48) << 12); }

  const unsigned bits_ = kSizes[GetParam()];
  const uint64_t limit_ = uint64_t{1} << bits_;
  const uint64_t last_page_ = limit_ - 0x10000;
  int start_ = 2;
};

INSTANTIATE_TEST_SUITE_P(Oas, RefwalkSize, testing::Range(0u, 7u));

TEST_P(RefwalkSize, GlobalBypass) {
  r.cr0 = 0;
  a.address = limit_ - 1;
  expect_pa(limit_ - 1);
  a.address = limit_;
  expect_event(Outcome::Abort, kNone, "3.4: abort, no event");
  EXPECT_EQ(run().fetches, 0u);
}

TEST_P(RefwalkSize, StreamBypass) {
  m.set(kSte, 3, 1, 4);
  a.address = limit_ - 1;
  expect_pa(limit_ - 1);
  a.address = limit_;
  expect_size_fault("3.4, Config 100");
  a.address = uint64_t{1} << 63;
  expect_size_fault("bit 63");
}

TEST_P(RefwalkSize, Stage1Bypass) {
  const Chain tables = chain(0);
  use_stage2(tables, 6, sl(), false);
  a.address = limit_ - 1;
  tables.write(&m, a.address, 3, encode(last_page_) | kPlain2);
  expect_pa(limit_ - 1, "Config 110");
  a.address = limit_;
  expect_size_fault("Config 110: the input is checked against IAS");
  EXPECT_EQ(run().fetches, 1u) << "no descriptor is read";
  m.set(kSte, 186, 186, 0);
  expect_size_fault("S2R does not suppress it");

  // S1DSS = 01 does the same with and without stage 2, and reads no CD.
  m.set(kSte, 63, 59, 4);
  m.set(kSte, 65, 64, 1);
  for (const unsigned config : {5u, 7u}) {
    m.set(kSte, 3, 1, config);
    expect_size_fault("S1DSS, Config " + std::to_string(config));
    a.address = limit_ - 1;
    expect_pa(limit_ - 1, "S1DSS, Config " + std::to_string(config));
    EXPECT_EQ(run().fetch_list[1 % run().fetch_list.size()].kind, config == 5 ? FetchKind::STE : FetchKind::TTD);
    a.address = limit_;
  }
}

TEST_P(RefwalkSize, Stage1Output) {
  const Chain tables = chain(0);
  use_stage1(tables, false);
  a.address = 0x20001234;
  tables.write(&m, a.address, 3, encode(last_page_) | kPlain);
  expect_pa(last_page_ | 0x1234, "the last page");
  // Each level's address, leaf first.
  if (bits_ == 52) return;
  for (int level = 3; level >= tables.start; --level) {
    m.words[tables.entry(level, a.address)] |= encode(limit_);
    if (bits_ < 48) {
      expect_size_fault("level " + std::to_string(level));
      EXPECT_EQ(run().fetches, 2u + static_cast<unsigned>(level - tables.start + 1));
    } else {
      expect_pa(last_page_ | 0x1234, "bits 15:12 are no address if OAS is 48");
    }
  }
}

TEST_P(RefwalkSize, Stage2Output) {
  const Chain tables = chain(0);
  use_stage2(tables, 6, sl(), false);
  m.set(kSte, 178, 176, 7);
  a.address = 0x20001234;
  tables.write(&m, a.address, 3, encode(last_page_) | kPlain2);
  expect_pa(last_page_ | 0x1234, "the last page");
  if (bits_ >= 48) return;
  for (int level = 3; level >= tables.start; --level) {
    m.words[tables.entry(level, a.address)] |= encode(limit_);
    expect_event(Outcome::Abort, 0x11, "level " + std::to_string(level));
    EXPECT_EQ(run().event.dw[1], (uint64_t{1} << 35) | (uint64_t{1} << 39) | (uint64_t{2} << 40)) << "S2=1, CLASS=IN";
    EXPECT_EQ(run().event.dw[3], 0x20001000u) << "IPA[55:12]";
  }
}

TEST_P(RefwalkSize, SmallerEffectiveSizes) {
  // IPS and S2PS below OAS bound the output; codes at and above OAS behave as OAS.
  const Chain tables = chain(0);
  a.address = 0x20001234;
  for (unsigned code = 0; code < 8; ++code) {
    const unsigned size = code > GetParam() ? bits_ : kSizes[code];
    const std::string name = "code " + std::to_string(code);
    for (const unsigned stage : {1u, 2u}) {
      m.set(kSte, 3, 1, 5);
      if (stage == 1) use_stage1(tables, false);
      if (stage == 2) use_stage2(tables, 6, sl(), false);
      m.set(kCd, 34, 32, code);
      m.set(kSte, 178, 176, code);
      const uint64_t leaf = stage == 1 ? kPlain : kPlain2;
      tables.write(&m, a.address, 3, encode((uint64_t{1} << size) - 0x10000) | leaf);
      expect_pa((uint64_t{1} << size) - 0x10000 + 0x1234, name);
      if (size == bits_) continue;
      tables.write(&m, a.address, 3, encode(uint64_t{1} << size) | leaf);
      expect_event(Outcome::Abort, 0x11, name);
    }
  }
}

TEST_P(RefwalkSize, TableBases) {
  // CD.TTBx and STE.S2TTB against the effective size: the structure is ILLEGAL, not an Address size fault.
  const Chain top{limit_ - 0x8000000, 16, bits_, start_};
  a.address = 0x20001234;
  use_stage1(top, false);
  top.write(&m, a.address, 3, 0x7000000 | kPlain);
  for (int level = start_; level < 3; ++level) {
    m.words[top.entry(level, a.address)] = encode(top.table(level + 1)) | 3;
  }
  expect_pa(0x7001234, "tables at the end of memory");
  for (unsigned position = bits_; position < 52; ++position) {
    m.set(kCd, position + 64, position + 64, 1);
    expect_event(Outcome::Abort, 0x0A, "TTB0 bit " + std::to_string(position));
    m.set(kCd, position + 64, position + 64, 0);
  }
  use_stage2(top, 6, sl(), false);
  m.words[top.entry(3, a.address)] = 0x7000000 | kPlain2;
  expect_pa(0x7001234, "stage-2 tables at the end of memory");
  for (unsigned position = bits_; position < 52; ++position) {
    m.set(kSte, position + 192, position + 192, 1);
    expect_event(Outcome::Abort, 0x04, "S2TTB bit " + std::to_string(position));
    m.set(kSte, position + 192, position + 192, 0);
  }
  m.set(kSte, 165, 160, 64 - bits_ - 1);
  expect_event(Outcome::Abort, 0x04, "S2T0SZ below 64 - IAS");
}

TEST_P(RefwalkSize, ContextDescriptors) {
  // 3.4.3 (1) to (4): S1ContextPtr gives C_BAD_STE and L2Ptr C_BAD_SUBSTREAMID here, as PA and as IPA.
  const Chain tables = chain(0);
  use_stage1(tables, false);
  a.address = 0x20001234;
  tables.write(&m, a.address, 3, encode(last_page_) | kPlain);
  const uint64_t last_cd = limit_ - 64;
  for (unsigned word = 0; word < 8; ++word) m.words[last_cd + 8 * word] = m.words[kCd + 8 * word];
  m.set(kSte, 55, 6, last_cd >> 6);
  expect_pa(last_page_ | 0x1234, "the last CD of memory");
  EXPECT_EQ(run().fetch_list[1].address, last_cd);
  m.set(kSte, 55, 6, limit_ >> 6);
  expect_event(Outcome::Abort, 0x04, "S1ContextPtr");
  use_stage2(Chain{0x200000000, 16, bits_, start_}, 7, sl(), false);
  m.set(kSte, 243, 196, 0x30000000 >> 4);
  expect_event(Outcome::Abort, 0x04, "S1ContextPtr as IPA");

  m.set(kSte, 3, 1, 5);
  m.set(kSte, 63, 59, 7);
  m.set(kSte, 5, 4, 1);
  m.set(kSte, 55, 6, 0x50000 >> 6);
  m.words[0x50000] = (limit_ - 0x1000) | 1;
  a.ssv = true;
  a.ssid = 63;
  expect_pa(last_page_ | 0x1234, "the last CD by L2Ptr");
  m.words[0x50000] = limit_ | 1;
  expect_event(Outcome::Abort, 0x08, "L2Ptr");
}

TEST_P(RefwalkSize, StreamTables) {
  // 3.4.3 (5): F_STE_FETCH, nothing is read.
  for (unsigned word = 0; word < 8; ++word) m.words[limit_ - 64 + 8 * word] = m.words[kSte + 8 * word];
  m.set(limit_ - 64, 3, 1, 4);
  r.strtab_base = limit_ - 0x400;
  a.sid = 15;
  expect_pa(kVa, "the last STE of memory");
  r.strtab_base_cfg = 8 | (6u << 6) | (1u << 16);
  r.strtab_base = 0x10800;
  m.words[0x10800] = (limit_ - 0x400) | 5;
  expect_pa(kVa, "by L2Ptr");
  m.words[0x10800] = limit_ | 5;
  expect_event(Outcome::Abort, 0x03, "L2Ptr");
  EXPECT_EQ(run().event.dw[3], 15u * 64) << "FetchAddr without the bits at and above OAS";
  EXPECT_EQ(run().fetches, 1u);
  if (bits_ == 52) return;
  r.strtab_base = limit_;
  expect_event(Outcome::Abort, 0x03, "STRTAB_BASE");
  EXPECT_EQ(run().fetches, 0u);
}

}  // namespace
}  // namespace refwalk
