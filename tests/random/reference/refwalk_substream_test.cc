// SPDX-License-Identifier: MIT
// Substreams in the reference walker: S1DSS, S1CDMax, S1Fmt and SSIDSIZE, linear CD tables and two-level ones with 4 KB
// and 64 KB leaves, and the two events that carry a SubstreamID of their own (IHI 0070 5.2, 5.3, 7.3.7, 7.3.9). These
// tests say nothing about model/ and name sections, not the house's rules.
#include <string>

#include "tests/random/reference/refwalk_chain.h"

namespace refwalk {
namespace {

constexpr uint64_t kTable = 0x800000;  // L1 table or linear table
constexpr uint64_t kLeafTable = 0xA00000;

class RefwalkSubstream : public Refwalk {
 protected:
  RefwalkSubstream() { r.idr1 = 8 | (20u << 6) | (1u << 26); }

  void put_cd(uint64_t at) {
    for (unsigned word = 0; word < 8; ++word) m.words[at + 8 * word] = m.words[kCd + 8 * word];
  }
  void use_table(unsigned cd_max, unsigned format, uint64_t pointer) {
    m.set(kSte, 63, 59, cd_max);
    m.set(kSte, 5, 4, format);
    m.set(kSte, 55, 6, pointer >> 6);
  }
  static uint64_t cd_fetch(const Result& result) {
    for (const Fetch& fetch : result.fetch_list) {
      if (fetch.kind == FetchKind::CD) return fetch.address;
    }
    return 0;
  }
};

TEST_F(RefwalkSubstream, Tables) {
  // Where the CD of a SubstreamID is; `l1cd` 0 means a linear table. Unaligned pointers are aligned to the table's
  // size.
  const struct {
    const char* name;
    unsigned cd_max, format;
    uint32_t ssid;
    uint64_t pointer, l1cd, cd;
  } rows[] = {{"linear", 4, 0, 9, kTable, 0, kTable + 9 * 64},
              {"linear, last of 2^14", 14, 0, 0x3FFF, kTable, 0, kTable + 0x3FFF * 64},
              {"linear, aligned down", 4, 0, 9, kTable + 0x3C0, 0, kTable + 9 * 64},
              {"format 3 is linear", 4, 3, 9, kTable, 0, kTable + 9 * 64},
              {"4 KB leaves", 12, 1, 0x7C5, kTable, kTable + 0x1F * 8, kLeafTable + 5 * 64},
              {"4 KB leaves, last of 2^20", 20, 1, 0xFFFFF, kTable, kTable + 0x3FFF * 8, kLeafTable + 63 * 64},
              {"4 KB leaves, one L1CD only", 6, 1, 63, kTable, kTable, kLeafTable + 63 * 64},
              {"4 KB leaves, S1CDMax 9 keeps 64 bytes", 9, 1, 0x1C0, kTable + 0x40, kTable + 0x40 + 56, kLeafTable},
              {"4 KB leaves, S1CDMax 10 needs 128", 10, 1, 0x1C0, kTable + 0x40, kTable + 56, kLeafTable},
              {"64 KB leaves", 14, 2, 0x1C05, kTable, kTable + 7 * 8, kLeafTable + 5 * 64},
              {"64 KB leaves, last of 2^20", 20, 2, 0xFFFFF, kTable, kTable + 0x3FF * 8, kLeafTable + 1023 * 64},
              {"64 KB leaves, one L1CD only", 10, 2, 1023, kTable, kTable, kLeafTable + 1023 * 64},
              {"64 KB leaves, S1CDMax 14 needs 128", 14, 2, 0x400, kTable + 0x40, kTable + 8, kLeafTable}};
  a.ssv = true;
  const auto plain = m.words;
  for (const auto& row : rows) {
    m.words = plain;
    use_table(row.cd_max, row.format, row.pointer);
    put_cd(row.cd);
    // L2Ptr[11:0] are not there; with 64 KB leaves [15:12] are taken as zero.
    if (row.l1cd != 0) m.words[row.l1cd] = kLeafTable | (row.format == 2 ? 0xF000 : 0) | 0xFFE | 1;
    a.ssid = row.ssid;
    expect_pa(kPage | 0xABC, row.name);
    EXPECT_EQ(cd_fetch(run()), row.cd) << row.name;
    EXPECT_EQ(run().fetches, row.l1cd == 0 ? 6u : 7u) << row.name;
    if (row.l1cd == 0) continue;
    EXPECT_TRUE((run().fetch_list[1] == Fetch{FetchKind::L1CD, 0, 0, row.l1cd, FaultClass::CD})) << row.name;
    m.words[row.l1cd] &= ~uint64_t{1};
    expect_event(Outcome::Abort, 0x08, row.name);
    EXPECT_EQ(run().event.dw[0], 0x0000000300000008u | (uint64_t{row.ssid} << 12)) << row.name << ": no SSV";
    m.abort_at = row.l1cd;
    expect_event(Outcome::Abort, 0x09, row.name);
    EXPECT_EQ(run().event.dw[3], row.l1cd) << row.name;
    EXPECT_EQ(run().event.dw[0], 0x0000000300000809u | (uint64_t{row.ssid} << 12)) << row.name << ": SSV";
    m.abort_at = ~uint64_t{0};
  }
}

TEST_F(RefwalkSubstream, WhoMayBringASubstream) {
  // Per Config, S1CDMax, S1DSS: the event without a SubstreamID, with 0, with 1, with 2^S1CDMax. 0 means no event.
  const struct {
    unsigned config, cd_max, dss;
    unsigned without, zero, one, beyond;
  } rows[] = {{5, 0, 0, 0, 8, 8, 8}, {5, 0, 1, 0, 8, 8, 8}, {5, 0, 2, 0, 8, 8, 8}, {5, 2, 0, 6, 0, 0, 8},
              {5, 2, 1, 0, 0, 0, 8}, {5, 2, 2, 0, 6, 0, 8}, {5, 2, 3, 6, 0, 0, 8}, {7, 2, 0, 6, 0, 0, 8},
              {7, 2, 1, 0, 0, 0, 8}, {7, 2, 2, 0, 6, 0, 8}, {6, 2, 0, 0, 8, 8, 8}, {6, 2, 2, 0, 8, 8, 8},
              {4, 2, 0, 0, 8, 8, 8}, {4, 0, 2, 0, 8, 8, 8}};
  add_stage2(5);
  put_cd(kCd + 64);
  for (const auto& row : rows) {
    m.set(kSte, 3, 1, row.config);
    m.set(kSte, 63, 59, row.cd_max);
    m.set(kSte, 65, 64, row.dss);
    // Stage 2 maps the first 2 MB and kPage; an input that bypasses stage 1 must lie there.
    const bool bypassed = row.config != 5 && (row.config != 7 || row.dss == 1);
    const auto number_of = [&](bool ssv, uint32_t ssid) {
      a.ssv = ssv;
      a.ssid = ssid;
      a.address = bypassed && !(ssv && row.config == 7) ? 0x1ABC : kVa;
      return number(run());
    };
    const std::string name = "Config " + std::to_string(row.config) + " S1CDMax " + std::to_string(row.cd_max) +
                             " S1DSS " + std::to_string(row.dss);
    EXPECT_EQ(number_of(false, 0), row.without) << name;
    EXPECT_EQ(number_of(true, 0), row.zero) << name;
    EXPECT_EQ(number_of(true, 1), row.one) << name;
    EXPECT_EQ(number_of(true, 1u << row.cd_max), row.beyond) << name;
    // A disabled stream stays silent whatever comes.
    m.set(kSte, 3, 1, 0);
    expect_event(Outcome::Abort, kNone, name + ", Config 0");
  }
}

TEST_F(RefwalkSubstream, S1DssBypassReadsNoCd) {
  put_cd(kTable);
  use_table(2, 0, kTable);
  m.set(kSte, 65, 64, 1);
  m.set(kTable, 31, 31, 0);
  expect_pa(kVa, "the CD is not valid, and nobody asks");
  EXPECT_EQ(run().fetches, 1u);
  EXPECT_EQ(run().page_size_log2, 0u);
  m.set(kSte, 65, 64, 2);
  expect_event(Outcome::Abort, 0x0A, "S1DSS 2 uses CD 0");
}

TEST_F(RefwalkSubstream, NoSubstreamsAtAll) {
  r.idr1 &= ~(31u << 6);
  use_table(2, 1, kCd);
  m.set(kSte, 65, 64, 1);
  expect_pa(kPage | 0xABC, "S1CDMax, S1Fmt and S1DSS are ignored: one CD");
  a.ssv = true;
  expect_event(Outcome::Abort, 0x08, "SSIDSIZE 0");
}

TEST_F(RefwalkSubstream, EventsOfAFaultingSubstream) {
  put_cd(kTable + 3 * 64);
  use_table(2, 0, kTable);
  a.ssv = true;
  a.ssid = 3;
  const uint64_t head = 0x0000000300003800;
  const struct {
    const char* name;
    uint64_t at, clear;
    unsigned event;
  } rows[] = {{"leaf", kL3 + 8, 1, 0x10}, {"CD", kTable + 3 * 64, uint64_t{1} << 31, 0x0A}, {"STE", kSte, 1, 0x04}};
  for (const auto& row : rows) {
    m.words[row.at] &= ~row.clear;
    EXPECT_EQ(run().event.dw[0], head | row.event) << row.name;
  }
  m.set(kSte, 0, 0, 1);
  m.set(kSte, 65, 64, 2);
  a.ssid = 0;
  EXPECT_EQ(run().event.dw[0], 0x0000000300000006u) << "F_STREAM_DISABLED has neither SSV nor SubstreamID";
  // Nor does an event of an access without one, whatever the wires carry.
  a.ssv = false;
  a.ssid = 0xFFFFF;
  m.abort_at = kTable;
  EXPECT_EQ(run().event.dw[0], 0x0000000300000009u);
}

}  // namespace
}  // namespace refwalk
