// SPDX-License-Identifier: MIT
// The reference walker up to the walk: registers, stream table, STE, SubstreamID, CD, fault flags, event records
// (IHI 0070 chapters 3, 5, 7). These tests say nothing about model/ and therefore name no rules.
#include <stdexcept>
#include <string>

#include "tests/random/reference/refwalk_fixture.h"

namespace refwalk {
namespace {

TEST_F(Refwalk, GlobalBypass) {
  r.cr0 = 0;
  a.ssv = true;
  expect_pa(kVa);
  a.address = uint64_t{1} << 44;
  expect_event(Outcome::Abort, kNone, "above OAS");
  a.address = kVa;
  r.gbpa = 1u << 20;
  expect_event(Outcome::Abort, kNone, "GBPA.ABORT");
}

TEST_F(Refwalk, StreamIdRange) {
  a.sid = 16;
  expect_event(Outcome::Abort, 0x02);
  EXPECT_EQ(run().event.dw[0], 0x1000000002u);
  EXPECT_EQ(run().fetches, 0u);
  r.cr2 = 0;
  expect_event(Outcome::Abort, kNone, "RECINVSID=0");
}

TEST_F(Refwalk, TwoLevelStreamTable) {
  r.strtab_base_cfg = 8 | (6u << 6) | (1u << 16);
  r.strtab_base = 0x10800;
  m.words[0x10800] = 0x10000 | 3;  // span of 4
  expect_pa(kPage | 0xABC);
  EXPECT_EQ(run().fetches, 7u);
  const struct {
    const char* name;
    uint64_t l1std;
    unsigned event;
  } rows[] = {{"invalid", 0x10000, 2},
              {"outside span", 0x10000 | 2, 2},
              {"reserved", 0x10000 | 12, 2},
              {"beyond split", 0x10000 | 8, 2},
              {"L2Ptr above OAS", (uint64_t{1} << 44) | 3, 3}};
  for (const auto& row : rows) {
    m.words[0x10800] = row.l1std;
    expect_event(Outcome::Abort, row.event, row.name);
  }
  // The second-level table is aligned to its size.
  m.words[0x10800] = 0x10080 | 3;
  expect_pa(kPage | 0xABC, "aligned");
}

TEST_F(Refwalk, SteRules) {
  const struct {
    const char* name;
    unsigned high, low;
    uint64_t value;
    unsigned event;
  } rows[] = {{"V", 0, 0, 0, 4},
              {"Config abort", 3, 1, 0, 0},
              {"Config 2", 3, 1, 2, 0},
              {"no stage 2", 3, 1, 7, 4},
              {"no stage 2 alone", 3, 1, 6, 4},
              {"S1CDMax", 63, 59, 9, 4},
              {"S1ContextPtr", 51, 44, 1, 4}};
  for (const auto& row : rows) {
    const auto saved = m.words;
    m.set(kSte, row.high, row.low, row.value);
    expect_event(Outcome::Abort, row.event, row.name);
    m.words = saved;
  }
  m.set(kSte, 95, 94, 1);
  expect_pa(kPage | 0xABC, "STRW without HYP is ignored");
  r.idr0 |= (1u << 9) | 1u;
  expect_event(Outcome::Abort, 0x04, "STRW 1 with HYP");
  m.set(kSte, 95, 94, 0);
  m.set(kSte, 91, 91, 1);
  expect_pa(kPage | 0xABC, "S1STALLD, model 0");
  r.idr0 |= 1u << 24;
  expect_event(Outcome::Abort, 0x04, "S1STALLD, model 1");
}

TEST_F(Refwalk, CdRules) {
  const struct {
    const char* name;
    unsigned high, low;
    uint64_t value;
  } rows[] = {{"V", 31, 31, 0},          {"AA64", 41, 41, 0},         {"HA", 43, 43, 1},
              {"HD", 42, 42, 1},         {"T0SZ low", 5, 0, 15},      {"T0SZ high", 5, 0, 40},
              {"TG0 reserved", 7, 6, 3}, {"TTB0 > IPS", 115, 112, 1}, {"TTB1 half", 30, 30, 0}};
  for (const auto& row : rows) {
    const auto saved = m.words;
    m.set(kCd, row.high, row.low, row.value);
    expect_event(Outcome::Abort, 0x0A, row.name);
    m.words = saved;
  }
  r.idr0 |= 1u << 26;
  m.set(kCd, 46, 46, 0);
  expect_event(Outcome::Abort, 0x0A, "A=0 with TERM_MODEL");
  m.set(kCd, 46, 46, 1);
  r.idr0 &= ~(1u << 12);
  m.set(kCd, 63, 48, 0x100);
  expect_event(Outcome::Abort, 0x0A, "16-bit ASID without ASID16");
}

TEST_F(Refwalk, CdStallRules) {
  m.set(kCd, 44, 44, 1);
  m.set(kSte, 91, 91, 1);
  expect_event(Outcome::Abort, 0x0A, "S with S1STALLD");
  m.set(kSte, 91, 91, 0);
  r.idr0 |= 1u << 24;
  expect_event(Outcome::Abort, 0x0A, "S with model 1");
  r.idr0 ^= 3u << 24;
  expect_pa(kPage | 0xABC, "S with model 2");
  m.set(kCd, 44, 44, 0);
  expect_event(Outcome::Abort, 0x0A, "no S with model 2");
}

TEST_F(Refwalk, SmallTablesNeedStt) {
  m.set(kCd, 5, 0, 48);
  m.set(kCd, 115, 68, kL3 >> 4);
  a.address = 0x1ABC;
  expect_event(Outcome::Abort, 0x0A);
  r.idr3 |= 1u << 9;
  expect_pa(kPage | 0xABC);
  a.address = 0x10ABC;
  expect_event(Outcome::Abort, 0x10, "outside 16 bits");
}

TEST_F(Refwalk, StreamOverrides) {
  m.set(kSte, 113, 112, 3);
  m.set(kSte, 115, 114, 3);
  const Result read = run();
  EXPECT_EQ(number(read), 0x13u) << "privileged execute of an unprivileged-writable page";
  EXPECT_EQ(read.event.dw[1], (uint64_t{7} << 33) | (uint64_t{2} << 40));
  a.write = true;
  expect_pa(kPage | 0xABC, "a write stays data");
  r.idr1 &= ~(1u << 26);
  a.write = false;
  expect_pa(kPage | 0xABC, "no ATTR_PERMS_OVR");
}

TEST_F(Refwalk, FaultFlags) {
  const struct {
    unsigned sra;  // S, R, A from bit 44 up
    Outcome outcome;
    unsigned event;
  } rows[] = {{0, Outcome::RazWi, 0},    {2, Outcome::RazWi, 0x10}, {4, Outcome::Abort, 0},
              {6, Outcome::Abort, 0x10}, {1, Outcome::Stall, 0x10}, {4 | 1, Outcome::Stall, 0x10}};
  m.words[kL3 + 8] = 0;
  for (const auto& row : rows) {
    m.set(kCd, 46, 44, row.sra);
    expect_event(row.outcome, row.event, std::to_string(row.sra));
    EXPECT_EQ((run().event.dw[1] >> 31) & 1, row.outcome == Outcome::Stall ? 1u : 0u);
  }
}

TEST_F(Refwalk, RecordOfATranslationFault) {
  m.words[kL3 + 8] = 0;
  a.write = true;
  a.privileged = true;
  a.instruction = true;
  const Result result = run();
  EXPECT_EQ(result.event.dw[0], 0x0000000300000010u);
  EXPECT_EQ(result.event.dw[1], (uint64_t{1} << 33) | (uint64_t{2} << 40));
  EXPECT_EQ(result.event.dw[2], kVa);
  EXPECT_EQ(result.event.dw[3], 0u);
}

TEST_F(Refwalk, ExternalAborts) {
  m.abort_at = kSte + 8;
  expect_event(Outcome::Abort, 0x03);
  EXPECT_EQ(run().event.dw[3], kSte);
  m.abort_at = kCd;
  expect_event(Outcome::Abort, 0x09);
  EXPECT_EQ(run().event.dw[3], kCd);
  m.abort_at = kL2 + 8;
  m.set(kCd, 46, 44, 1);  // stall does not apply
  expect_event(Outcome::Abort, 0x0B);
  EXPECT_EQ(run().event.dw[1], (uint64_t{1} << 35) | (uint64_t{1} << 40));
  EXPECT_EQ(run().event.dw[3], kL2 + 8);
  EXPECT_EQ(run().fetches, 5u);
  r.strtab_base = (uint64_t{1} << 44) | 0x10000;
  expect_event(Outcome::Abort, 0x03, "STRTAB_BASE above OAS");
  EXPECT_EQ(run().event.dw[3], kSte) << "bits at and above OAS are zero";
  EXPECT_EQ(run().fetches, 0u);
}

TEST_F(Refwalk, BypassOfOneStream) {
  m.set(kSte, 3, 1, 4);
  expect_pa(kVa);
  EXPECT_EQ(run().page_size_log2, 0u);
  a.address = uint64_t{1} << 44;
  expect_event(Outcome::Abort, 0x11);
  EXPECT_EQ(run().event.dw[1], (uint64_t{1} << 35) | (uint64_t{2} << 40));
  a.ssv = true;
  a.ssid = 5;
  expect_event(Outcome::Abort, 0x08);
  EXPECT_EQ(run().event.dw[0], 0x0000000300005008u) << "no SSV bit";
}

TEST_F(Refwalk, SubstreamRules) {
  a.ssv = true;
  expect_event(Outcome::Abort, 0x08, "S1CDMax 0");
  m.set(kSte, 63, 59, 2);
  for (unsigned word = 0; word < 8; ++word) m.words[kCd + 0xC0 + 8 * word] = m.words[kCd + 8 * word];
  a.ssid = 3;
  expect_pa(kPage | 0xABC, "SubstreamID 3");
  a.ssid = 4;
  expect_event(Outcome::Abort, 0x08, "beyond S1CDMax");
  a.ssv = false;
  const unsigned without[4] = {0x06, 0, 0, 0x06};
  for (unsigned dss = 0; dss < 4; ++dss) {
    m.set(kSte, 65, 64, dss);
    const Result result = run();
    EXPECT_EQ(number(result), without[dss]) << dss;
    const uint64_t outputs[4] = {0, kVa, kPage | 0xABC, 0};
    EXPECT_EQ(result.pa, outputs[dss]) << dss;
  }
  m.set(kSte, 65, 64, 2);
  a.ssv = true;
  a.ssid = 0;
  expect_event(Outcome::Abort, 0x06, "SubstreamID 0 with S1DSS 2");
  EXPECT_EQ(run().event.dw[0], 0x0000000300000006u);
}

TEST_F(Refwalk, TwoLevelCdTable) {
  m.set(kSte, 63, 59, 8);
  m.set(kSte, 5, 4, 1);
  m.set(kSte, 55, 6, 0x50000 >> 6);
  m.words[0x50008] = (kCd - 0x0) | 1;  // CDs 64..127
  a.ssv = true;
  a.ssid = 64;
  expect_pa(kPage | 0xABC);
  EXPECT_EQ(run().fetches, 7u);
  a.ssid = 128;
  expect_event(Outcome::Abort, 0x08, "L1CD invalid");
  m.words[0x50010] = (uint64_t{1} << 44) | 1;
  expect_event(Outcome::Abort, 0x08, "L2Ptr above OAS");
  a.ssv = false;
  m.set(kSte, 65, 64, 2);
  expect_event(Outcome::Abort, 0x08, "CD 0 by S1DSS");
  EXPECT_EQ(run().event.dw[0], 0x0000000300000008u);
  r.idr0 &= ~(1u << 19);
  expect_event(Outcome::Abort, 0x04, "no CD2L");
}

TEST_F(Refwalk, Stage2FaultFlags) {
  add_stage2(6);
  a.address = 0x80000000;
  m.set(kSte, 186, 185, 0);
  expect_event(Outcome::Abort, kNone, "S2R=0");
  m.set(kSte, 186, 185, 1);
  expect_event(Outcome::Stall, 0x10, "S2S=1");
  r.idr0 |= 1u << 24;
  expect_event(Outcome::Abort, 0x04, "S2S with model 1");
}

TEST_F(Refwalk, RefusesWhatItDoesNotCover) {
  const Registers plain = r;
  r.idr0 |= 1u << 2;
  EXPECT_THROW(run(), std::invalid_argument);
  r = plain;
  r.idr5 |= 1u << 8;
  EXPECT_THROW(run(), std::invalid_argument);
}

}  // namespace
}  // namespace refwalk
