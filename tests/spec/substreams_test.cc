// SPDX-License-Identifier: MIT
// SubstreamIDs, CD tables and S1DSS (IHI 0070 sections 3.3.2, 5.2, 5.3).
#include <gtest/gtest.h>

#include "tests/support/smmu_bench.h"

namespace smmusim {
namespace {

namespace ste = raw::ste;
using namespace raw::ev;

constexpr std::uint64_t table = 0x6000'0000, leaf = 0x6100'0000;
constexpr int untagged = -1;

SmmuConfig substream_config() {
  SmmuConfig config = bench_config();
  config.features.ssidsize = 12;
  config.features.cd2l = true;
  return config;
}

class Substreams {
 public:
  explicit Substreams(const SmmuConfig& config = substream_config()) : bench(config), cd(bench.stage1_cd(1)) {
    bench.map(SmmuBench::ttb0(cd), 0x1000, raw::page(SmmuBench::target));
  }
  void set_ste(std::uint64_t cd_max, std::uint64_t dss, std::uint64_t format, std::uint64_t config = 5) {
    bench.put_ste(1, SmmuBench::stage1_ste(table).with(
                         {{ste::Config, config}, {ste::S1CDMax, cd_max}, {ste::S1DSS, dss}, {ste::S1Fmt, format}}));
  }
  Response read(int substream, std::uint64_t va = 0x1000) {
    Transaction t = SmmuBench::transaction(1, va);
    t.substream_valid = substream != untagged;
    if (t.substream_valid) t.substream_id = SubstreamId(static_cast<std::uint32_t>(substream));
    return bench.go(t);
  }
  SmmuBench bench;
  raw::Cd cd;
};

raw::Record bad_substream(std::uint64_t substream) {
  raw::Record record;
  record.dw[0] = std::uint64_t{1} << 32 | substream << 12 | C_BAD_SUBSTREAMID;  // bit 11 is RES0
  return record;
}

TEST(SpecSubstreams, StageOneOff) {
  RecordProperty("rule", "SM-ST-005 SM-EVR-009 SM-EVR-010");
  Substreams s;
  s.set_ste(4, 0, 0, 4);
  for (int substream : {0, 5, 0xfff}) {
    EXPECT_EQ(s.read(substream).outcome, Outcome::abort);
    EXPECT_EQ(s.bench.take_event(), bad_substream(static_cast<std::uint64_t>(substream)));
  }
  EXPECT_EQ(s.read(untagged).outcome, Outcome::proceed);
}

TEST(SpecSubstreams, NoSubstreamsOnTheStream) {
  RecordProperty("rule", "SM-SS-009 SM-EVR-009");
  Substreams s;
  s.set_ste(0, 0, 0);
  s.bench.memory.store(table, s.cd);
  EXPECT_EQ(s.read(0).outcome, Outcome::abort);
  EXPECT_EQ(s.bench.take_event(), bad_substream(0));
  EXPECT_EQ(s.read(untagged).address.value, SmmuBench::target) << "S1DSS is ignored with S1CDMax=0";
}

TEST(SpecSubstreams, NoSubstreamsInTheSmmu) {
  RecordProperty("rule", "SM-SS-008 SM-EVR-009 SM-SS-010");
  Substreams s(bench_config());
  s.set_ste(5, 2, 1);
  s.bench.memory.store(table, s.cd);
  EXPECT_EQ(s.read(3).outcome, Outcome::abort);
  EXPECT_EQ(s.bench.take_event(), bad_substream(3));
  EXPECT_EQ(s.read(untagged).address.value, SmmuBench::target) << "S1Fmt, S1CDMax and S1DSS are ignored";
}

TEST(SpecSubstreams, RangeOfTheTable) {
  RecordProperty("rule", "SM-SS-009 SM-SS-005 SM-ST-011");
  Substreams s;
  s.set_ste(4, 0, 0);
  s.bench.memory.store(table + 64 * 15, s.cd);
  EXPECT_EQ(s.read(15).address.value, SmmuBench::target);
  EXPECT_EQ(s.bench.memory.last(Purpose::CD).address, table + 64 * 15);
  s.bench.memory.log.clear();
  EXPECT_EQ(s.read(16).outcome, Outcome::abort);
  EXPECT_EQ(s.bench.take_event(), bad_substream(16));
  EXPECT_EQ(s.bench.memory.count(Purpose::CD), 0u);
}

struct DssRow {
  const char* what;
  std::uint64_t dss;
  int substream;
  std::uint64_t event;      // 0: proceeds
  std::uint64_t address;    // if it proceeds
  std::uint64_t cd_offset;  // of the CD that is fetched, ~0: none
};

TEST(SpecSubstreams, S1Dss) {
  RecordProperty("rule", "SM-SS-001 SM-SS-002 SM-SS-003 SM-SS-010");
  constexpr std::uint64_t none = ~std::uint64_t{0};
  const DssRow rows[] = {{"00 untagged", 0, untagged, F_STREAM_DISABLED, 0, none},
                         {"00 SSID 0", 0, 0, 0, SmmuBench::target, 0},
                         {"00 SSID 3", 0, 3, 0, SmmuBench::target, 192},
                         {"01 untagged bypasses", 1, untagged, 0, 0x1000, none},
                         {"01 SSID 0", 1, 0, 0, SmmuBench::target, 0},
                         {"10 untagged uses CD 0", 2, untagged, 0, SmmuBench::target, 0},
                         {"10 SSID 0", 2, 0, F_STREAM_DISABLED, 0, none},
                         {"10 SSID 3", 2, 3, 0, SmmuBench::target, 192},
                         {"11 untagged is as 00", 3, untagged, F_STREAM_DISABLED, 0, none},
                         {"11 SSID 0", 3, 0, 0, SmmuBench::target, 0}};
  for (const DssRow& row : rows) {
    SCOPED_TRACE(row.what);
    Substreams s;
    s.set_ste(4, row.dss, 0);
    s.bench.memory.store(table, s.cd);
    s.bench.memory.store(table + 192, s.cd);
    const Response response = s.read(row.substream);
    EXPECT_EQ(event_number(response), row.event);
    EXPECT_EQ(response.outcome, row.event == 0 ? Outcome::proceed : Outcome::abort);
    if (row.event == 0) {
      EXPECT_EQ(response.address.value, row.address);
    }
    const auto fetched = s.bench.memory.addresses(Purpose::CD);
    EXPECT_EQ(fetched.empty() ? none : fetched[0] - table, row.cd_offset);
  }
}

TEST(SpecSubstreams, StreamDisabledRecord) {
  RecordProperty("rule", "SM-EVR-007 SM-EVR-025");
  Substreams s;
  s.set_ste(4, 2, 0);
  s.read(0);
  raw::Record expected;
  expected.dw[0] = std::uint64_t{1} << 32 | F_STREAM_DISABLED;  // no SSV, no SubstreamID
  EXPECT_EQ(s.bench.take_event(), expected);
}

TEST(SpecSubstreams, BypassBySubstreamHasNoCd) {
  RecordProperty("rule", "SM-SS-011 SM-SS-002 SM-AS-009 SM-FA-003");
  Substreams s;
  s.set_ste(4, 1, 0);
  s.bench.memory.abort_at(table, 0x1000);
  EXPECT_EQ(s.read(untagged, 0x7000).outcome, Outcome::proceed) << "the CD table does not matter";
  EXPECT_EQ(s.read(untagged, std::uint64_t{1} << 48).outcome, Outcome::abort);
  const raw::Record record = s.bench.take_event();
  EXPECT_EQ(record.get(raw::ev::Type), F_ADDR_SIZE);
  EXPECT_EQ(record.get(raw::ev::S2), 0u);
  EXPECT_EQ(record.get(raw::ev::CLASS), 2u);
}

struct FormatRow {
  const char* what;
  std::uint64_t format, cd_max;
  std::uint32_t substream;
  std::uint64_t l1_index;  // ~0: linear
  std::uint64_t index;
};

TEST(SpecSubstreams, TableFormats) {
  RecordProperty("rule", "SM-SS-005 SM-EVR-011");
  constexpr std::uint64_t linear = ~std::uint64_t{0};
  const FormatRow rows[] = {{"linear", 0, 12, 0xabc, linear, 0xabc},
                            {"reserved acts as linear", 3, 12, 0xabc, linear, 0xabc},
                            {"4 KiB leaves", 1, 12, 0xabc, 0xabc >> 6, 0xabc & 63},
                            {"4 KiB leaves, S1CDMax 6 uses L1[0]", 1, 6, 63, 0, 63},
                            {"64 KiB leaves", 2, 12, 0xabc, 0xabc >> 10, 0xabc & 1023},
                            {"64 KiB leaves, S1CDMax 10 uses L1[0]", 2, 10, 1023, 0, 1023}};
  for (const FormatRow& row : rows) {
    SCOPED_TRACE(row.what);
    Substreams s;
    s.set_ste(row.cd_max, 0, row.format);
    const std::uint64_t base = row.l1_index == linear ? table : leaf;
    if (row.l1_index != linear) s.bench.memory.write64(table + 8 * row.l1_index, leaf | 1);
    s.bench.memory.store(base + 64 * row.index, s.cd);
    EXPECT_EQ(s.read(static_cast<int>(row.substream)).address.value, SmmuBench::target);
    EXPECT_EQ(s.bench.memory.count(Purpose::L1CD), row.l1_index == linear ? 0u : 1u);
    EXPECT_EQ(s.bench.memory.last(Purpose::CD).address, base + 64 * row.index);
  }
}

TEST(SpecSubstreams, TwentyBitsOfSubstreamId) {
  RecordProperty("rule", "SM-SS-005 SM-SS-009");
  constexpr std::uint64_t linear = ~std::uint64_t{0};
  SmmuConfig config = substream_config();
  config.features.ssidsize = 20;
  for (std::uint64_t cd_max = 13; cd_max <= 20; ++cd_max) {
    const auto last = static_cast<std::uint32_t>((std::uint64_t{1} << cd_max) - 1);
    for (const FormatRow& row : {FormatRow{"linear", 0, cd_max, last, linear, last},
                                 FormatRow{"4 KiB leaves", 1, cd_max, last, last >> 6, last & 63},
                                 FormatRow{"64 KiB leaves", 2, cd_max, last, last >> 10, last & 1023}}) {
      SCOPED_TRACE(testing::Message() << row.what << " S1CDMax " << cd_max);
      Substreams s(config);
      s.set_ste(cd_max, 0, row.format);
      const std::uint64_t base = row.l1_index == linear ? table : leaf;
      if (row.l1_index != linear) s.bench.memory.write64(table + 8 * row.l1_index, leaf | 1);
      s.bench.memory.store(base + 64 * row.index, s.cd);
      EXPECT_EQ(s.read(static_cast<int>(last)).address.value, SmmuBench::target);
      EXPECT_EQ(s.bench.memory.last(Purpose::CD).address, base + 64 * row.index);
      if (cd_max == 20) continue;
      EXPECT_EQ(s.read(static_cast<int>(last + 1)).outcome, Outcome::abort);
      EXPECT_EQ(s.bench.take_event(), bad_substream(last + 1));
    }
  }
}

TEST(SpecSubstreams, MisalignedTablesAreAligned) {
  RecordProperty("rule", "SM-SS-007");
  Substreams s;
  s.bench.memory.store(table + 64 * 5, s.cd);
  s.bench.put_ste(1, SmmuBench::stage1_ste(table | 0x3c0).with({{ste::S1CDMax, 4}}));
  EXPECT_EQ(s.read(5).address.value, SmmuBench::target) << "our choice: bits below the table's size count as 0";
}

TEST(SpecSubstreams, MisalignedFirstLevelTablesAreAligned) {
  RecordProperty("rule", "SM-SS-007");
  Substreams s;
  // 2^12 CDs in leaves of 64: 64 L1CDs of 8 bytes.
  s.bench.put_ste(1, SmmuBench::stage1_ste(table | 0x1c0).with({{ste::S1CDMax, 12}, {ste::S1Fmt, 1}}));
  s.bench.memory.write64(table + 8 * 2, leaf | 1);
  s.bench.memory.store(leaf + 64 * 5, s.cd);
  EXPECT_EQ(s.read(2 * 64 + 5).address.value, SmmuBench::target);
}

TEST(SpecSubstreams, InvalidL1cd) {
  RecordProperty("rule", "SM-SS-012 SM-EVR-009");
  Substreams s;
  s.set_ste(12, 2, 1);
  s.bench.memory.write64(table + 8 * 2, leaf);  // V=0
  EXPECT_EQ(s.read(130).outcome, Outcome::abort);
  EXPECT_EQ(s.bench.take_event(), bad_substream(130));
  EXPECT_EQ(s.read(untagged).outcome, Outcome::abort) << "index 0 is invalid too";
  EXPECT_EQ(s.bench.take_event(), bad_substream(0));
  EXPECT_EQ(s.bench.memory.count(Purpose::CD), 0u) << "L2Ptr is not followed";
}

TEST(SpecSubstreams, L1cdPointerBeyondTheOas) {
  RecordProperty("rule", "SM-AS-019");
  SmmuConfig config = substream_config();
  config.features.oas = 40;
  Substreams s(config);
  s.set_ste(12, 0, 1);
  s.bench.memory.write64(table, std::uint64_t{1} << 40 | leaf | 1);
  EXPECT_EQ(s.read(7).outcome, Outcome::abort);
  EXPECT_EQ(s.bench.take_event(), bad_substream(7));
}

TEST(SpecSubstreams, FetchAborts) {
  RecordProperty("rule", "SM-EVR-011 SM-AS-025 SM-EVT-009 SM-CC-014");
  Substreams s;
  s.set_ste(12, 0, 1);
  s.bench.memory.write64(table + 8 * 2, leaf | 1);
  s.bench.memory.store(leaf + 64 * 3, s.cd);
  raw::Record expected = raw::Record{}.with({{Type, F_CD_FETCH}, {SSV, 1}, {SubstreamID, 131}, {StreamID, 1}});
  s.bench.memory.abort_at(table + 16, 8);
  EXPECT_EQ(s.read(131).outcome, Outcome::abort);
  EXPECT_EQ(s.bench.take_event(), expected.with({{FetchAddr, (table + 16) >> 3}})) << "the L1CD";
  s.bench.memory.clear_aborts();
  s.bench.memory.abort_at(leaf + 64 * 3 + 56, 8);
  EXPECT_EQ(s.read(131).outcome, Outcome::abort);
  EXPECT_EQ(s.bench.take_event(), expected.with({{FetchAddr, (leaf + 64 * 3) >> 3}})) << "the CD";
  s.bench.memory.clear_aborts();
  EXPECT_EQ(s.read(131).address.value, SmmuBench::target) << "failed fetches are not cached";
}

TEST(SpecSubstreams, FetchAttributes) {
  RecordProperty("rule", "SM-AT-010 SM-AT-022");
  struct Row {
    std::uint64_t cir, cor, csh;
    MemoryAttributes expected;
  };
  const Row rows[] = {{0, 0, 3, {0x44, 2}}, {1, 1, 3, {0xff, 3}}, {1, 1, 1, {0xff, 0}},
                      {2, 2, 2, {0xbb, 2}}, {3, 3, 0, {0xdd, 0}}, {0, 1, 3, {0xf4, 3}}};
  for (const Row& row : rows) {
    Substreams s;
    s.bench.put_ste(
        1,
        SmmuBench::stage1_ste(table).with(
            {{ste::S1CDMax, 8}, {ste::S1Fmt, 1}, {ste::S1CIR, row.cir}, {ste::S1COR, row.cor}, {ste::S1CSH, row.csh}}));
    s.bench.memory.write64(table, leaf | 1);
    s.read(0);
    for (const Purpose purpose : {Purpose::L1CD, Purpose::CD}) {
      EXPECT_EQ(s.bench.memory.last(purpose).attributes.type, row.expected.type);
      EXPECT_EQ(s.bench.memory.last(purpose).attributes.shareability, row.expected.shareability);
    }
  }
}

TEST(SpecSubstreams, FaultRecordsNameTheSubstream) {
  RecordProperty("rule", "SM-SS-013 SM-EVT-007");
  Substreams s;
  s.set_ste(4, 2, 0);
  s.bench.memory.store(table, s.cd);
  s.bench.memory.store(table + 64 * 3, s.cd);
  s.read(3, 0x5000);
  raw::Record record = s.bench.take_event();
  EXPECT_EQ(record.get(Type), F_TRANSLATION);
  EXPECT_EQ(record.get(SSV), 1u);
  EXPECT_EQ(record.get(SubstreamID), 3u);
  s.read(untagged, 0x5000);
  record = s.bench.take_event();
  EXPECT_EQ(record.get(Type), F_TRANSLATION);
  EXPECT_EQ(record.get(SSV), 0u) << "CD 0 of an untagged transaction";
}

TEST(SpecSubstreams, ConfigurationErrorsComeBeforeAddressChecks) {
  RecordProperty("rule", "SM-EVP-005 SM-EVP-001");
  Substreams s;
  s.set_ste(4, 0, 0, 4);
  EXPECT_EQ(event_number(s.read(2, std::uint64_t{1} << 60)), C_BAD_SUBSTREAMID);
  s.set_ste(4, 0, 0);
  s.bench.invalidate_all();
  EXPECT_EQ(event_number(s.read(2, std::uint64_t{1} << 60)), C_BAD_CD) << "CD 2 is all zero";
  EXPECT_EQ(event_number(s.read(untagged, std::uint64_t{1} << 60)), F_STREAM_DISABLED);
}

TEST(SpecSubstreams, CfgiCdNamesOneIndex) {
  RecordProperty("rule", "SM-CC-004 SM-CC-006 SM-SS-013");
  Substreams s;
  s.set_ste(4, 2, 0);
  const raw::Cd other = s.bench.stage1_cd(9);
  s.bench.map(SmmuBench::ttb0(other), 0x1000, raw::page(SmmuBench::target + 0x5000));
  for (std::uint64_t index : {0u, 1u, 2u}) s.bench.memory.store(table + 64 * index, s.cd);
  EXPECT_EQ(s.read(untagged).address.value, SmmuBench::target);
  for (int substream : {1, 2}) EXPECT_EQ(s.read(substream).address.value, SmmuBench::target);
  for (std::uint64_t index : {0u, 1u, 2u}) s.bench.memory.store(table + 64 * index, other);
  s.bench.push(raw::command(raw::cmd::CFGI_CD, {{raw::cmd::StreamID, 1}, {raw::cmd::Leaf, 1}}));
  s.bench.sync();
  EXPECT_EQ(s.read(untagged).address.value, SmmuBench::target + 0x5000) << "index 0 whatever S1DSS";
  s.bench.push(raw::command(raw::cmd::CFGI_CD, {{raw::cmd::StreamID, 1}, {raw::cmd::SubstreamID, 2}}));
  s.bench.sync();
  EXPECT_EQ(s.read(2).address.value, SmmuBench::target + 0x5000);
  s.bench.push(raw::command(raw::cmd::CFGI_CD_ALL, {{raw::cmd::StreamID, 1}}));
  s.bench.sync();
  EXPECT_EQ(s.read(1).address.value, SmmuBench::target + 0x5000);
}

TEST(SpecSubstreams, L1cdChangeNeedsCfgiWithoutLeaf) {
  RecordProperty("rule", "SM-CC-013");
  Substreams s;
  s.set_ste(12, 0, 1);
  s.bench.memory.write64(table, leaf | 1);
  s.bench.memory.store(leaf + 64, s.cd);
  EXPECT_EQ(s.read(1).address.value, SmmuBench::target);
  const raw::Cd other = s.bench.stage1_cd(9);
  s.bench.map(SmmuBench::ttb0(other), 0x1000, raw::page(SmmuBench::target + 0x5000));
  s.bench.memory.store(leaf + 0x10000 + 64, other);
  s.bench.memory.write64(table, (leaf + 0x10000) | 1);
  s.bench.push(raw::command(raw::cmd::CFGI_CD, {{raw::cmd::StreamID, 1}, {raw::cmd::SubstreamID, 1}}));
  s.bench.sync();
  EXPECT_EQ(s.read(1).address.value, SmmuBench::target + 0x5000);
}

}  // namespace
}  // namespace smmusim
