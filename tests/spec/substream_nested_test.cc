// SPDX-License-Identifier: MIT
// Substreams of streams that have stage 2 (IHI 0070 sections 3.3.2, 5.2, 5.3, 7.3.9): CD tables are at IPAs, S1DSS
// decides for accesses without a SubstreamID, and stage 2 stays in force whatever stage 1 does.
#include <gtest/gtest.h>

#include "tests/support/stage2_bench.h"

namespace smmusim {
namespace {

namespace ste = raw::ste;
namespace cd = raw::cd;
using namespace raw::ev;
constexpr std::uint64_t target = SmmuBench::target, table = 0xd000'0000, leaf = 0xe000'0000;
constexpr int untagged = -1;

/// CDs with tables of their own: SubstreamID n maps va 0x1000 to target + n pages.
struct Substreams : Stage2Bench {
  explicit Substreams(const Options& options = {}) : Stage2Bench(options) {
    cover(table, 0x4'0000);
    s2.map(0x1000, target + 0xff'f000, s2_rw);  // VA 0x1000 taken as an IPA
  }
  Response go(int substream, std::uint64_t va = 0x1000) {
    Transaction t = SmmuBench::transaction(sid, va);
    t.substream_valid = substream != untagged;
    if (t.substream_valid) t.substream_id = SubstreamId(static_cast<std::uint32_t>(substream));
    return bench.go(t);
  }
  /// A CD at `address` (IPA) whose tables map va 0x1000 to target + n pages.
  void put_cd(std::uint64_t address, std::uint64_t n) {
    trees.emplace_back(
        bench.memory, TableShape{}, 0xf000'0000 + 0x10'0000 * trees.size(),
        [this](std::uint64_t at) { return place(at); },
        [this](std::uint64_t at, std::uint64_t bytes) { cover(at, bytes); });
    trees.back().map(0x1000, 0x1'0000'0000 + n * 0x1000, raw::af | raw::ng | raw::ap_unprivileged);
    s2.map(0x1'0000'0000 + n * 0x1000, target + n * 0x1000, s2_rw);
    bench.memory.store(place(address), cd.with({{cd::TTB0, trees.back().root() >> 4}, {cd::ASID, 0x100 + n}}));
  }
  std::vector<TableTree> trees;
};

struct DssRow {
  const char* what;
  std::uint64_t config, cd_max, dss;
  int substream;
  std::uint64_t event;
  std::uint64_t page;  // of target; 0xfff: stage 1 bypassed
};

TEST(SpecSubstreamNested, EveryS1dss) {
  RecordProperty("rule", "SM-SS-001 SM-SS-002 SM-SS-003 SM-SS-010");
  const DssRow rows[] = {{"00 untagged", 7, 4, 0, untagged, F_STREAM_DISABLED, 0},
                         {"00 SSID 0", 7, 4, 0, 0, 0, 0},
                         {"00 SSID 3", 7, 4, 0, 3, 0, 3},
                         {"01 untagged: stage 2 alone", 7, 4, 1, untagged, 0, 0xfff},
                         {"01 SSID 0", 7, 4, 1, 0, 0, 0},
                         {"01 SSID 3", 7, 4, 1, 3, 0, 3},
                         {"10 untagged: CD 0", 7, 4, 2, untagged, 0, 0},
                         {"10 SSID 0", 7, 4, 2, 0, F_STREAM_DISABLED, 0},
                         {"10 SSID 3", 7, 4, 2, 3, 0, 3},
                         {"11 untagged is as 00", 7, 4, 3, untagged, F_STREAM_DISABLED, 0},
                         {"11 SSID 3", 7, 4, 3, 3, 0, 3},
                         {"no substreams, untagged", 7, 0, 1, untagged, 0, 0},
                         {"no substreams, SSID 0", 7, 0, 0, 0, C_BAD_SUBSTREAMID, 0},
                         {"SSID beyond S1CDMax", 7, 4, 0, 16, C_BAD_SUBSTREAMID, 0},
                         {"stage 2 only, SSID 0", 6, 4, 1, 0, C_BAD_SUBSTREAMID, 0},
                         {"stage 2 only, SSID 3", 6, 4, 2, 3, C_BAD_SUBSTREAMID, 0},
                         {"stage 2 only, untagged", 6, 4, 0, untagged, 0, 0xfff}};
  for (const DssRow& row : rows) {
    SCOPED_TRACE(row.what);
    Substreams b;
    b.edit_ste({{ste::Config, row.config},
                {ste::S1CDMax, row.cd_max},
                {ste::S1DSS, row.dss},
                {ste::S1ContextPtr, table >> 6}});
    b.put_cd(table, 0);
    b.put_cd(table + 64 * 3, 3);
    for (int round = 0; round < 2; ++round) {
      const Response response = b.go(row.substream);
      EXPECT_EQ(event_number(response), row.event);
      if (row.event == 0) {
        EXPECT_EQ(response.address.value, target + row.page * 0x1000);
      } else {
        EXPECT_EQ(b.bench.take_events().size(), 1u);
      }
    }
  }
}

TEST(SpecSubstreamNested, OffStagesRefuseSubstreamsBeforeTheirAddress) {
  RecordProperty("rule", "SM-ST-005 SM-EVR-009 SM-EVR-010 SM-EVP-005");
  for (const std::uint64_t config : {4u, 6u}) {
    Substreams b;
    b.edit_ste({{ste::Config, config}});
    EXPECT_EQ(b.go(0x45, std::uint64_t{1} << 60).outcome, Outcome::abort);
    raw::Record expected = raw::Record{}.with({{Type, C_BAD_SUBSTREAMID}, {StreamID, 1}});
    expected.put(SubstreamID, 0x45);
    EXPECT_EQ(b.bench.take_event(), expected) << "bit 11 is RES0";
  }
}

TEST(SpecSubstreamNested, TableFormats) {
  RecordProperty("rule", "SM-SS-005 SM-SS-004");
  struct Row {
    const char* what;
    std::uint64_t format, l1_index, index;
  };
  constexpr std::uint64_t linear = ~std::uint64_t{0};
  constexpr int ssid = 0xabc;
  for (const Row& row :
       {Row{"linear", 0, linear, 0xabc}, Row{"4 KiB leaves", 1, 0xabc >> 6, 0xabc & 63},
        Row{"64 KiB leaves", 2, 0xabc >> 10, 0xabc & 1023}, Row{"reserved: linear", 3, linear, 0xabc}}) {
    SCOPED_TRACE(row.what);
    Substreams b;
    b.edit_ste({{ste::S1CDMax, 12}, {ste::S1Fmt, row.format}, {ste::S1ContextPtr, table >> 6}});
    b.cover(leaf, 0x1'0000);
    const bool two = row.l1_index != linear;
    if (two) b.bench.memory.write64(b.place(table + 8 * row.l1_index), leaf | 1);
    b.put_cd((two ? leaf : table) + 64 * row.index, 2);
    EXPECT_EQ(b.go(ssid).address.value, target + 0x2000);
    EXPECT_EQ(b.bench.memory.last(Purpose::CD).address, b.place((two ? leaf : table) + 64 * row.index));
  }
}

TEST(SpecSubstreamNested, FaultsOfTheTablesAreStageTwoFaults) {
  RecordProperty("rule", "SM-SS-004 SM-EVR-027 SM-AS-025 SM-ST-012");
  for (const bool first_level : {true, false}) {
    SCOPED_TRACE(first_level ? "L1CD" : "CD");
    Substreams b;
    b.edit_ste({{ste::S1CDMax, 12}, {ste::S1Fmt, 1}, {ste::S1ContextPtr, table >> 6}});
    const std::uint64_t cds = leaf + 0x3000;
    b.cover(cds, 0x1000);
    b.bench.memory.write64(b.place(table + 8 * 5), cds | 1);
    b.put_cd(cds + 64 * 7, 2);
    const std::uint64_t at = first_level ? table + 8 * 5 : cds + 64 * 7;
    b.s2.set(at, 3, 0);
    EXPECT_EQ(b.go(5 * 64 + 7, 0x1abc).outcome, Outcome::abort);
    EXPECT_EQ(b.bench.take_event(), raw::Record{}.with({{Type, F_TRANSLATION},
                                                        {SSV, 1},
                                                        {SubstreamID, 5 * 64 + 7},
                                                        {StreamID, 1},
                                                        {RnW, 1},
                                                        {S2, 1},
                                                        {CLASS, 0},
                                                        {InputAddr, 0x1abc},
                                                        {IPA, at >> 12}}));
    b.cover(at, 8);
    EXPECT_EQ(b.go(5 * 64 + 7).address.value, target + 0x2000) << "a failed fetch is not cached: no CFGI";
  }
}

TEST(SpecSubstreamNested, InvalidL1cd) {
  RecordProperty("rule", "SM-SS-012 SM-EVR-009");
  Substreams b;
  b.edit_ste({{ste::S1CDMax, 12}, {ste::S1Fmt, 1}, {ste::S1DSS, 2}, {ste::S1ContextPtr, table >> 6}});
  for (const int substream : {5 * 64, untagged}) {
    EXPECT_EQ(b.go(substream).outcome, Outcome::abort);
    raw::Record expected = raw::Record{}.with({{Type, C_BAD_SUBSTREAMID}, {StreamID, 1}});
    expected.put(SubstreamID, substream == untagged ? 0u : 5 * 64);
    EXPECT_EQ(b.bench.take_event(), expected);
  }
}

TEST(SpecSubstreamNested, BypassedSubstreamsSeeNoCd) {
  RecordProperty("rule", "SM-SS-011 SM-SS-002 SM-AS-007");
  Substreams b;
  b.edit_ste({{ste::S1CDMax, 4}, {ste::S1DSS, 1}, {ste::S1ContextPtr, 0xf'0000'0000 >> 6}});
  EXPECT_EQ(b.go(untagged).address.value, target + 0xff'f000) << "the CD table is not even mapped";
  EXPECT_EQ(b.go(untagged, 0x5000).outcome, Outcome::abort);
  EXPECT_EQ(b.bench.take_event(),
            raw::Record{}.with(
                {{Type, F_TRANSLATION}, {StreamID, 1}, {RnW, 1}, {S2, 1}, {CLASS, 2}, {InputAddr, 0x5000}, {IPA, 5}}));
}

TEST(SpecSubstreamNested, FaultsNameTheSubstream) {
  RecordProperty("rule", "SM-SS-013 SM-EVT-007");
  Substreams b;
  b.edit_ste({{ste::S1CDMax, 4}, {ste::S1DSS, 2}, {ste::S1ContextPtr, table >> 6}});
  b.put_cd(table, 0);
  b.put_cd(table + 64 * 3, 3);
  b.s2.set(0x1'0000'0000, 3, 0);
  b.s2.set(0x1'0000'3000, 3, 0);
  b.go(3);
  raw::Record record = b.bench.take_event();
  EXPECT_EQ(record.get(SSV), 1u);
  EXPECT_EQ(record.get(SubstreamID), 3u);
  EXPECT_EQ(record.get(IPA), 0x1'0000'3000u >> 12);
  b.go(untagged);
  record = b.bench.take_event();
  EXPECT_EQ(record.get(SSV), 0u) << "CD 0 of an untagged access";
  EXPECT_EQ(record.get(IPA), 0x1'0000'0000u >> 12);
}

}  // namespace
}  // namespace smmusim
