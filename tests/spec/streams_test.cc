// SPDX-License-Identifier: MIT
// Stream tables, linear and 2-level, and how an STE is found (IHI 0070 sections 3.3.1, 5.1, 6.3.24, 6.3.25).
// CONSTRAINED UNPREDICTABLE: addresses beyond the OAS are F_STE_FETCH.
#include <gtest/gtest.h>

#include "tests/support/smmu_bench.h"

namespace smmusim {
namespace {

raw::Ste bypass_ste() {
  return raw::Ste{}.with({{raw::ste::V, 1}, {raw::ste::Config, 4}, {raw::ste::SHCFG, 1}});
}

/// Points the SMMU at another stream table.
void use_table(SmmuBench& bench, std::uint64_t base, std::uint32_t cfg) {
  bench.enable(cr0::CMDQEN | cr0::EVENTQEN);
  bench.w64(off::STRTAB_BASE, base);
  bench.w32(off::STRTAB_BASE_CFG, cfg);
  bench.enable(0xd);
  bench.invalidate_all();
  bench.memory.log.clear();
}
constexpr std::uint32_t two_level(std::uint32_t log2size, std::uint32_t split) {
  return 1u << 16 | split << 6 | log2size;
}
constexpr std::uint64_t l1_base = 0x6000'0000, l2_base = 0x6100'0000;

TEST(SpecStreams, LinearTableEdges) {
  RecordProperty("rule", "SM-ST-001 SM-ST-002 SM-ST-003 SM-EVR-002");
  SmmuBench bench;
  for (std::uint32_t sid : {0u, 1u, 255u}) {
    bench.put_ste(sid, bypass_ste());
    EXPECT_EQ(bench.read(sid, 0x4000).outcome, Outcome::proceed) << sid;
    EXPECT_EQ(bench.memory.last(Purpose::STE).address, SmmuBench::strtab + 64 * sid);
    EXPECT_EQ(bench.memory.last(Purpose::STE).size, 64u);
  }
  bench.memory.log.clear();
  for (std::uint32_t sid : {256u, 0x10000u, 0x8000'0000u, 0xffff'ffffu}) {
    EXPECT_EQ(bench.read(sid, 0x4000).outcome, Outcome::abort);
    const raw::Record record = bench.take_event();
    raw::Record expected;
    expected.dw[0] = std::uint64_t{sid} << 32 | raw::ev::C_BAD_STREAMID;
    EXPECT_EQ(record, expected) << sid;
  }
  EXPECT_EQ(bench.memory.count(Purpose::STE), 0u) << "reads never leave the table";
}

TEST(SpecStreams, RecinvsidDecidesOnlyAboutTheRecord) {
  RecordProperty("rule", "SM-EVR-002 SM-REG-009");
  SmmuBench bench;
  bench.enable(cr0::CMDQEN | cr0::EVENTQEN);
  bench.w32(off::CR2, 0);
  bench.enable(0xd);
  EXPECT_EQ(bench.read(256, 0).outcome, Outcome::abort);
  EXPECT_TRUE(bench.take_events().empty());
}

TEST(SpecStreams, LookupDoesNotDependOnTheAddress) {
  RecordProperty("rule", "SM-ST-007 SM-ST-011");
  SmmuBench bench;
  bench.put_ste(9, bypass_ste());
  for (std::uint64_t va : {0ull, 0x1000ull, 0x7fff'ffff'f000ull, 0xffff'ffff'f000ull}) {
    EXPECT_EQ(bench.read(9, va).address.value, va);
    bench.invalidate_all();
  }
  for (const std::uint64_t address : bench.memory.addresses(Purpose::STE)) {
    EXPECT_EQ(address, SmmuBench::strtab + 64 * 9);
  }
}

TEST(SpecStreams, EffectiveSizeIsCappedBySidsize) {
  RecordProperty("rule", "SM-TAB-005 SM-TAB-002");
  SmmuConfig config = bench_config();
  config.features.sidsize = 7;
  SmmuBench bench(config);
  use_table(bench, 0x8'4000'0000, 20);
  EXPECT_EQ(bench.r32(off::STRTAB_BASE_CFG), 20u);
  bench.memory.store(0x8'4000'0000 + 64 * 127, bypass_ste());
  EXPECT_EQ(bench.read(127, 0).outcome, Outcome::proceed);
  EXPECT_EQ(event_number(bench.read(128, 0)), raw::ev::C_BAD_STREAMID);
}

struct AlignRow {
  const char* what;
  std::uint64_t base;
  std::uint32_t cfg;
  std::uint64_t used;  ///< address of the first entry
};

TEST(SpecStreams, BaseIsAlignedByTheLiteralSize) {
  RecordProperty("rule", "SM-TAB-002");
  const AlignRow rows[] = {
      {"linear, 2^8", 0x6000'3fc0, 8, 0x6000'0000},
      {"linear, 2^0", 0x6000'3fc0, 0, 0x6000'3fc0},
      {"linear, 2^20 with SIDSIZE 16", 0x67ff'ffc0, 20, 0x6400'0000},
      {"2-level, 2^16 by 2^6", 0x6000'3fc0, two_level(16, 6), 0x6000'2000},
      {"2-level, 2^6 by 2^8", 0x6000'3fc0, two_level(6, 8), 0x6000'3fc0},
      {"2-level, 2^16 by 2^10", 0x6000'3fc0, two_level(16, 10), 0x6000'3e00},
      {"2-level, 2^20 by 2^8 with SIDSIZE 16", 0x6000'ffc0, two_level(20, 8), 0x6000'8000},
  };
  for (const AlignRow& row : rows) {
    SCOPED_TRACE(row.what);
    SmmuBench bench;
    use_table(bench, row.base, row.cfg);
    bench.read(0, 0);
    ASSERT_FALSE(bench.memory.log.empty());
    EXPECT_EQ(bench.memory.log.front().address, row.used);
  }
}

struct SplitRow {
  const char* what;
  std::uint32_t split, effective;
};

TEST(SpecStreams, TwoLevelIndexes) {
  RecordProperty("rule", "SM-ST-004 SM-TAB-004");
  const SplitRow rows[] = {{"6", 6, 6},           {"8", 8, 8},           {"10", 10, 10},
                           {"7 acts as 6", 7, 6}, {"0 acts as 6", 0, 6}, {"31 acts as 6", 31, 6}};
  for (const SplitRow& row : rows) {
    SCOPED_TRACE(row.what);
    SmmuBench bench;
    use_table(bench, l1_base, two_level(16, row.split));
    const std::uint32_t sid = 0x5a5b;
    const std::uint64_t l1_at = l1_base + 8 * (sid >> row.effective);
    bench.memory.write64(l1_at, l2_base | (row.effective + 1));
    bench.memory.store(l2_base + 64 * (sid & ((1u << row.effective) - 1)), bypass_ste());
    EXPECT_EQ(bench.read(sid, 0x123).outcome, Outcome::proceed);
    EXPECT_EQ(bench.memory.last(Purpose::L1STD).address, l1_at);
    EXPECT_EQ(bench.memory.last(Purpose::L1STD).size, 8u);
  }
}

TEST(SpecStreams, SplitIsIgnoredForLinear) {
  RecordProperty("rule", "SM-TAB-003 SM-TAB-004");
  for (const std::uint32_t fmt : {0u, 2u, 3u}) {
    SmmuBench bench;
    use_table(bench, l1_base, fmt << 16 | 6 << 6 | 8);
    bench.memory.store(l1_base + 64 * 200, bypass_ste());
    EXPECT_EQ(bench.read(200, 0).outcome, Outcome::proceed) << "FMT other than 01 acts as linear: " << fmt;
    EXPECT_EQ(bench.memory.count(Purpose::L1STD), 0u);
  }
}

TEST(SpecStreams, SpanSweep) {
  RecordProperty("rule", "SM-ST-016 SM-EVR-002 SM-ST-002 SM-ST-009");
  for (std::uint32_t split : {6u, 8u, 10u}) {
    for (std::uint32_t span = 0; span < 32; ++span) {
      const bool usable = span >= 1 && span <= split + 1;
      const std::uint32_t entries = usable ? 1u << (span - 1) : 0;
      for (const std::uint32_t index : {0u, entries - 1, entries, (1u << split) - 1}) {
        if (index >= 1u << split) continue;
        SCOPED_TRACE(testing::Message() << "split " << split << " span " << span << " index " << index);
        SmmuBench bench;
        use_table(bench, l1_base, two_level(16, split));
        bench.memory.write64(l1_base, l2_base | span);
        bench.memory.store(l2_base + 64 * index, bypass_ste());
        const Response response = bench.read(index, 0);
        EXPECT_EQ(response.outcome, index < entries ? Outcome::proceed : Outcome::abort);
        const std::vector<raw::Record> events = bench.take_events();
        ASSERT_EQ(events.size(), index < entries ? 0u : 1u);
        if (index < entries) continue;
        EXPECT_EQ(events[0].dw[0], std::uint64_t{index} << 32 | raw::ev::C_BAD_STREAMID);
        EXPECT_EQ(bench.memory.count(Purpose::STE), 0u);
      }
    }
  }
}

TEST(SpecStreams, L2PtrIsAlignedToItsArray) {
  RecordProperty("rule", "SM-ST-017");
  for (const std::uint32_t span : {1u, 3u, 7u}) {
    SmmuBench bench;
    use_table(bench, l1_base, two_level(16, 6));
    bench.memory.write64(l1_base, (l2_base | 0xfc0) | span);
    bench.read(0, 0);
    const std::uint64_t expected = (l2_base | 0xfc0) & ~((std::uint64_t{64} << (span - 1)) - 1);
    EXPECT_EQ(bench.memory.last(Purpose::STE).address, expected) << span;
  }
}

TEST(SpecStreams, OneL1stdWhenSplitIsNotBelowSize) {
  RecordProperty("rule", "SM-TAB-006");
  SmmuBench bench;
  use_table(bench, l1_base, two_level(4, 8));
  bench.memory.write64(l1_base, l2_base | 9);
  bench.memory.store(l2_base + 64 * 15, bypass_ste());
  bench.memory.store(l2_base + 64 * 16, bypass_ste());
  EXPECT_EQ(bench.read(15, 0).outcome, Outcome::proceed);
  EXPECT_EQ(event_number(bench.read(16, 0)), raw::ev::C_BAD_STREAMID);
}

TEST(SpecStreams, FetchAborts) {
  RecordProperty("rule", "SM-EVR-003 SM-EVT-009 SM-EXT-011 SM-ADR-002");
  SmmuBench bench;
  bench.memory.abort_at(SmmuBench::strtab + 64 * 5 + 32, 8);  // in the middle of the STE
  EXPECT_EQ(bench.read(5, 0x9000).outcome, Outcome::abort);
  raw::Record expected = raw::Record{}.with({{raw::ev::Type, raw::ev::F_STE_FETCH}, {raw::ev::StreamID, 5}});
  expected.put(raw::ev::FetchAddr, (SmmuBench::strtab + 64 * 5) >> 3);
  EXPECT_EQ(bench.take_event(), expected) << "the address of the structure, no input address";
  use_table(bench, l1_base, two_level(16, 6));
  bench.memory.abort_at(l1_base + 8, 8);
  EXPECT_EQ(bench.read(64, 0x9000).outcome, Outcome::abort);
  expected.put(raw::ev::StreamID, 64).put(raw::ev::FetchAddr, (l1_base + 8) >> 3);
  EXPECT_EQ(bench.take_event(), expected);
}

TEST(SpecStreams, AFailedFetchIsNotCached) {
  RecordProperty("rule", "SM-ST-012");
  SmmuBench bench;
  bench.put_ste(5, bypass_ste());
  bench.memory.abort_at(SmmuBench::strtab + 64 * 5, 64);
  EXPECT_EQ(event_number(bench.read(5, 0)), raw::ev::F_STE_FETCH);
  bench.memory.clear_aborts();
  EXPECT_EQ(bench.read(5, 0).outcome, Outcome::proceed) << "without CFGI";
}

TEST(SpecStreams, AddressesBeyondTheOas) {
  RecordProperty("rule", "SM-AS-021 SM-ADR-001 SM-ADR-002 SM-EVR-003");
  SmmuConfig config = bench_config();
  config.features.oas = 40;
  SmmuBench bench(config);
  use_table(bench, l1_base, two_level(16, 6));
  bench.memory.write64(l1_base, (std::uint64_t{1} << 40) | l2_base | 7);
  EXPECT_EQ(bench.read(3, 0).outcome, Outcome::abort) << "our choice: an external abort";
  const raw::Record record = bench.take_event();
  EXPECT_EQ(record.get(raw::ev::Type), raw::ev::F_STE_FETCH);
  EXPECT_EQ(record.get(raw::ev::FetchAddr) << 3, l2_base + 64 * 3) << "bits above the OAS are zero";
  EXPECT_EQ(bench.memory.count(Purpose::STE), 0u);
  use_table(bench, (std::uint64_t{1} << 40) | SmmuBench::strtab, 8);
  EXPECT_EQ(event_number(bench.read(3, 0)), raw::ev::F_STE_FETCH);
}

TEST(SpecStreams, TableAttributesComeFromCr1) {
  RecordProperty("rule", "SM-AT-022 SM-REG-004 SM-REG-007 SM-ATR-024");
  struct Row {
    std::uint32_t cr1;
    MemoryAttributes expected;
    bool allocates = true;  // STRTAB_BASE.RA
  };
  const Row rows[] = {{0x000, {0x44, 2}},        {0xc00, {0x44, 2}},        {0xd40, {0xff, 3}},
                      {0x940, {0xff, 2}},        {0x140, {0xff, 0}},        {0x540, {0xff, 0}},
                      {0xe80, {0xbb, 3}},        {0xc40, {0x4f, 3}},        {0xfc0, {0x44, 2}},
                      {0xf40, {0x4f, 3}},        {0xd40, {0xdd, 3}, false}, {0xe40, {0x9d, 3}, false},
                      {0xc40, {0x4d, 3}, false}, {0xc00, {0x44, 2}, false}};
  for (const Row& row : rows) {
    SCOPED_TRACE(testing::Message() << std::hex << row.cr1 << " allocates " << row.allocates);
    SmmuBench bench;
    bench.enable(0);
    bench.w32(off::CR1, row.cr1);
    bench.enable(0xd);
    use_table(bench, l1_base | std::uint64_t{row.allocates} << 62, two_level(16, 6));
    bench.memory.write64(l1_base, l2_base | 7);
    bench.read(0, 0);
    for (const Purpose purpose : {Purpose::L1STD, Purpose::STE}) {
      EXPECT_EQ(bench.memory.last(purpose).attributes.type, row.expected.type);
      EXPECT_EQ(bench.memory.last(purpose).attributes.shareability, row.expected.shareability);
    }
  }
}

TEST(SpecStreams, TablesUnreachableAfterBaseChangeNeedCfgi) {
  RecordProperty("rule", "SM-ST-013 SM-CC-010");
  SmmuBench bench;
  bench.put_ste(4, bypass_ste());
  EXPECT_EQ(bench.read(4, 0).outcome, Outcome::proceed);
  bench.enable(cr0::CMDQEN | cr0::EVENTQEN);
  bench.w64(off::STRTAB_BASE, 0x7000'0000);
  bench.enable(0xd);
  bench.invalidate_all();
  EXPECT_EQ(event_number(bench.read(4, 0)), raw::ev::C_BAD_STE) << "after CFGI the new table counts";
}

}  // namespace
}  // namespace smmusim
