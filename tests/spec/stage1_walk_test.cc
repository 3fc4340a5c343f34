// SPDX-License-Identifier: MIT
// The stage-1 walk, 4 KiB granule: levels, tables, blocks, pages, contiguous runs, input ranges, TBI, EPD and walk
// attributes (IHI 0070 sections 3.3.2, 3.4, 5.4; Arm ARM D8.2, D8.3).
#include <gtest/gtest.h>

#include "tests/support/smmu_bench.h"

namespace smmusim {
namespace {

namespace cd = raw::cd;
using namespace raw::ev;
constexpr std::uint64_t target = SmmuBench::target;

struct Walk {
  explicit Walk(std::initializer_list<raw::Edit> edits = {}, const SmmuConfig& config = bench_config())
      : bench(config), context(bench.stage1_stream(1).with(edits)) {
    bench.put_cd(1, context);
  }
  Response read(std::uint64_t va) { return bench.read(1, va); }
  /// Forgets translations but not configuration.
  void forget() {
    bench.push(raw::command(raw::cmd::TLBI_NSNH_ALL));
    bench.sync();
    bench.memory.log.clear();
  }
  SmmuBench bench;
  raw::Cd context;
};

struct SizeRow {
  unsigned txsz;
  int start_level;
};

TEST(SpecStage1Walk, StartLevelFollowsFromTxsz) {
  RecordProperty("rule", "SM-CD-002 SM-TR-014");
  const SizeRow rows[] = {{16, 0}, {20, 0}, {24, 0}, {25, 1}, {28, 1}, {33, 1}, {34, 2}, {39, 2}};
  for (const SizeRow& row : rows) {
    for (const bool upper : {false, true}) {
      SCOPED_TRACE(testing::Message() << "TxSZ " << row.txsz << (upper ? " TTB1" : " TTB0"));
      Walk walk({{upper ? cd::T1SZ : cd::T0SZ, row.txsz}});
      const std::uint64_t inside = (std::uint64_t{1} << (64 - row.txsz)) - 0x1000;
      const std::uint64_t va =
          upper ? (~std::uint64_t{0} << (64 - row.txsz)) | (inside & ~std::uint64_t{0xfff}) : inside;
      const std::uint64_t ttb = upper ? SmmuBench::ttb1(walk.context) : SmmuBench::ttb0(walk.context);
      // The start table's index is narrower than 9 bits: what is above it counts as 0.
      const std::uint64_t index_va = inside;
      walk.bench.map(ttb, index_va, raw::page(target), 3, row.start_level);
      const Response response = walk.read(va | 0x123);
      EXPECT_EQ(response.outcome, Outcome::proceed);
      EXPECT_EQ(response.address.value, target | 0x123);
      const auto fetches = walk.bench.memory.addresses(Purpose::TTD);
      ASSERT_EQ(fetches.size(), static_cast<std::size_t>(4 - row.start_level));
      for (int level = row.start_level; level <= 3; ++level) {
        EXPECT_EQ(fetches[static_cast<std::size_t>(level - row.start_level)],
                  walk.bench.descriptor_at(ttb, index_va, level, row.start_level));
      }
    }
  }
}

TEST(SpecStage1Walk, TableBaseIsAlignedToTheStartTable) {
  RecordProperty("rule", "SM-AS-031");
  struct Row {
    unsigned t0sz;
    std::uint64_t ignored;  // low bits of TTB0 that do not count
  };
  for (const Row& row : {Row{16, 0xff0}, Row{28, 0x1f0}, Row{30, 0x70}, Row{39, 0x70}}) {
    SCOPED_TRACE(row.t0sz);
    Walk walk({{cd::T0SZ, row.t0sz}});
    walk.bench.put_cd(1, walk.context.with({{cd::TTB0, (SmmuBench::ttb0(walk.context) | row.ignored) >> 4}}));
    walk.read(0);
    ASSERT_FALSE(walk.bench.memory.addresses(Purpose::TTD).empty());
    EXPECT_EQ(walk.bench.memory.addresses(Purpose::TTD)[0], SmmuBench::ttb0(walk.context));
  }
}

TEST(SpecStage1Walk, DescriptorTypes) {
  RecordProperty("rule", "SM-TR-014 SM-EVR-014");
  struct Row {
    const char* what;
    int level;
    std::uint64_t low_bits;
    bool maps;
  };
  const Row rows[] = {
      {"invalid", 0, 0, false},       {"invalid, bit 1", 0, 2, false}, {"block at level 0", 0, 1, false},
      {"invalid", 1, 0, false},       {"invalid, bit 1", 1, 2, false}, {"block at level 1", 1, 1, true},
      {"invalid", 2, 0, false},       {"invalid, bit 1", 2, 2, false}, {"block at level 2", 2, 1, true},
      {"invalid", 3, 0, false},       {"invalid, bit 1", 3, 2, false}, {"reserved at level 3", 3, 1, false},
      {"page at level 3", 3, 3, true}};
  for (const Row& row : rows) {
    SCOPED_TRACE(testing::Message() << row.what << ", level " << row.level);
    Walk walk;
    const std::uint64_t va = 0x1234'5678'9abc;
    walk.bench.map(SmmuBench::ttb0(walk.context), va, 0x40'0000'0000 | raw::af | 0x40 | row.low_bits, row.level);
    const Response response = walk.read(va);
    EXPECT_EQ(response.outcome, row.maps ? Outcome::proceed : Outcome::abort);
    if (!row.maps) {
      EXPECT_EQ(event_number(response), F_TRANSLATION);
      continue;
    }
    const std::uint64_t offset = va & ((std::uint64_t{1} << (39 - 9 * row.level)) - 1);
    EXPECT_EQ(response.address.value, 0x40'0000'0000 | offset);
    EXPECT_EQ(response.page_bits, 39 - 9 * row.level);
  }
}

TEST(SpecStage1Walk, LowOutputBitsOfABlockAreIgnored) {
  RecordProperty("rule", "SM-TR-014");
  Walk walk;
  walk.bench.map(SmmuBench::ttb0(walk.context), 0x20'0000, raw::block(0x4000'0000) | 0x1f'f000 | 1 << 16, 2);
  EXPECT_EQ(walk.read(0x20'0123).address.value, 0x4000'0123u);
}

TEST(SpecStage1Walk, ContiguousRuns) {
  RecordProperty("rule", "SM-TR-014 SM-TL-023");
  struct Row {
    int level;
    unsigned entries;
  };
  for (const Row& row : {Row{3, 16}, Row{2, 16}, Row{1, 16}}) {
    SCOPED_TRACE(row.level);
    Walk walk;
    const std::uint64_t page = std::uint64_t{1} << (39 - 9 * row.level);
    const std::uint64_t base = row.level == 1 ? 0x40'0000'0000 : 0x1'0000'0000;
    for (std::uint64_t i = 0; i < row.entries; ++i) {
      const std::uint64_t leaf = (row.level == 3 ? raw::page(base + i * page) : raw::block(base + i * page));
      walk.bench.map(SmmuBench::ttb0(walk.context), i * page, leaf | raw::contiguous, row.level);
    }
    for (std::uint64_t i = 0; i < row.entries; ++i) {
      const Response response = walk.read(i * page + 0x10);
      EXPECT_EQ(response.address.value, base + i * page + 0x10);
      EXPECT_EQ(response.page_bits, 39u - 9 * static_cast<unsigned>(row.level) + 4) << "one entry for all of them";
    }
    EXPECT_EQ(walk.read(row.entries * page).outcome, Outcome::abort) << "the run ends";
  }
}

TEST(SpecStage1Walk, TheContiguousBitAloneNeverConflicts) {
  RecordProperty("rule", "SM-TL-017 SM-TL-023");
  Walk walk;
  const std::uint64_t ttb = SmmuBench::ttb0(walk.context);
  for (std::uint64_t i = 0; i < 16; ++i) walk.bench.map(ttb, i << 12, raw::page(target + (i << 12)));
  EXPECT_EQ(walk.read(0x3000).address.value, target + 0x3000);
  for (std::uint64_t i = 0; i < 16; ++i) walk.bench.map(ttb, i << 12, raw::page(target + (i << 12)) | raw::contiguous);
  for (std::uint64_t i = 0; i < 16; ++i) EXPECT_EQ(walk.read(i << 12).address.value, target + (i << 12));
  EXPECT_TRUE(walk.bench.take_events().empty());
}

/// What no run of pages can be: the hint must not move any of them.
TEST(SpecStage1Walk, ARunThatIsNotAligned) {
  RecordProperty("rule", "SM-TL-023");
  Walk walk;
  constexpr std::uint64_t output = target + 0x1000;
  for (std::uint64_t i = 0; i < 16; ++i)
    walk.bench.map(SmmuBench::ttb0(walk.context), i << 12, raw::page(output + (i << 12)) | raw::contiguous);
  for (std::uint64_t i = 0; i < 16; ++i) {
    const Response response = walk.read(i << 12);
    EXPECT_EQ(response.address.value, output + (i << 12));
    EXPECT_EQ(response.page_bits, 12u);
  }
}

struct RangeRow {
  const char* what;
  std::uint64_t t0sz, t1sz, tbi0, tbi1;
  std::uint64_t va;
  bool in_range;
};

TEST(SpecStage1Walk, InputRanges) {
  RecordProperty("rule", "SM-AS-004 SM-AS-006 SM-AS-030 SM-EVR-014");
  constexpr std::uint64_t top39 = ~std::uint64_t{0} << 39, top48 = ~std::uint64_t{0} << 48;
  const RangeRow rows[] = {
      {"48 bits, last", 16, 16, 0, 0, 0xffff'ffff'ffff, true},
      {"48 bits, first above", 16, 16, 0, 0, 0x1'0000'0000'0000, false},
      {"39 bits, last", 25, 16, 0, 0, (1ull << 39) - 1, true},
      {"39 bits, first above", 25, 16, 0, 0, 1ull << 39, false},
      {"25 bits, last", 39, 16, 0, 0, (1ull << 25) - 1, true},
      {"25 bits, first above", 39, 16, 0, 0, 1ull << 25, false},
      {"upper 48, first", 16, 16, 0, 0, top48, true},
      {"upper 48, just below", 16, 16, 0, 0, top48 - 1, false},
      {"upper 39, first", 16, 25, 0, 0, top39, true},
      {"upper 39, just below", 16, 25, 0, 0, top39 - 1, false},
      {"bit 55 set, bit 63 clear", 16, 16, 0, 0, 0x7fff'ffff'ffff'f000, false},
      {"bit 55 clear, bit 63 set", 16, 16, 0, 0, 0x8000'0000'0000'1000, false},
      {"tag without TBI0", 16, 16, 0, 1, 0x5a00'0000'0000'1000, false},
      {"tag with TBI0", 16, 16, 1, 0, 0x5a00'0000'0000'1000, true},
      {"tag ff with TBI0", 16, 16, 1, 0, 0xff00'0000'0000'1000, true},
      {"TBI0 does not hide bit 54", 16, 16, 1, 0, 0x0040'0000'0000'1000, false},
      {"TBI0 does not hide bit 48", 16, 16, 1, 0, 0x0001'0000'0000'0000, false},
      {"tag with TBI1", 16, 16, 0, 1, 0x5aff'ffff'ffff'f000, true},
      {"tag 00 with TBI1", 16, 16, 0, 1, 0x00ff'ffff'ffff'f000, true},
      {"upper tag without TBI1", 16, 16, 1, 0, 0x5aff'ffff'ffff'f000, false},
  };
  for (const RangeRow& row : rows) {
    SCOPED_TRACE(row.what);
    Walk walk({{cd::T0SZ, row.t0sz}, {cd::T1SZ, row.t1sz}, {cd::TBI0, row.tbi0}, {cd::TBI1, row.tbi1}});
    const bool upper = ((row.va >> 55) & 1) != 0;
    const std::uint64_t txsz = upper ? row.t1sz : row.t0sz;
    const int start = txsz < 25 ? 0 : txsz < 34 ? 1 : 2;
    const std::uint64_t index_va = row.va & ((std::uint64_t{1} << (64 - txsz)) - 1);
    walk.bench.map(upper ? SmmuBench::ttb1(walk.context) : SmmuBench::ttb0(walk.context), index_va, raw::page(target),
                   3, start);
    const Response response = walk.read(row.va);
    EXPECT_EQ(response.outcome, row.in_range ? Outcome::proceed : Outcome::abort);
    if (row.in_range) {
      EXPECT_EQ(response.address.value, target | (row.va & 0xfff));
      continue;
    }
    EXPECT_EQ(event_number(response), F_TRANSLATION);
    EXPECT_EQ(walk.bench.take_event().get(InputAddr), row.va) << "unmodified";
    EXPECT_EQ(walk.bench.memory.count(Purpose::TTD), 0u);
  }
}

TEST(SpecStage1Walk, TaggedAddressesShareTranslations) {
  RecordProperty("rule", "SM-AS-006 SM-EVT-008 SM-AS-015");
  Walk walk({{cd::TBI0, 1}});
  walk.bench.map(SmmuBench::ttb0(walk.context), 0x4000, raw::page(target));
  EXPECT_EQ(walk.read(0x1100'0000'0000'4010).address.value, target + 0x10);
  EXPECT_EQ(walk.read(0x2200'0000'0000'4020).address.value, target + 0x20);
  walk.read(0x3300'0000'0000'5678);
  EXPECT_EQ(walk.bench.take_event().get(InputAddr), 0x3300'0000'0000'5678u);
}

TEST(SpecStage1Walk, NoAlignmentChecks) {
  RecordProperty("rule", "SM-AS-016");
  Walk walk;
  walk.bench.map(SmmuBench::ttb0(walk.context), 0x4000, raw::page(target));
  Transaction t = SmmuBench::transaction(1, 0x4003);
  t.size = 0x7f9;
  EXPECT_EQ(walk.bench.go(t).address.value, target + 3);
}

TEST(SpecStage1Walk, Epd) {
  RecordProperty("rule", "SM-CD-005 SM-EVR-014 SM-TL-030");
  for (const bool upper : {false, true}) {
    Walk walk({{upper ? cd::EPD1 : cd::EPD0, 1}});
    walk.bench.map(SmmuBench::ttb0(walk.context), 0x1000, raw::page(target));
    walk.bench.map(SmmuBench::ttb1(walk.context), 0xffff'ffff'f000, raw::page(target));
    const std::uint64_t off_va = upper ? 0xffff'ffff'ffff'f000 : 0x1000;
    const std::uint64_t on_va = upper ? 0x1000 : 0xffff'ffff'ffff'f000;
    EXPECT_EQ(event_number(walk.read(off_va)), F_TRANSLATION);
    EXPECT_EQ(walk.bench.memory.count(Purpose::TTD), 0u) << "no walk";
    EXPECT_EQ(walk.read(on_va).address.value, target);
  }
}

TEST(SpecStage1Walk, OutputSizes) {
  RecordProperty("rule", "SM-AS-008 SM-AS-024 SM-AS-029 SM-EVR-015");
  constexpr unsigned bits[8] = {32, 36, 40, 42, 44, 48, 48, 48};
  for (std::uint64_t ips = 0; ips < 8; ++ips) {
    if (bits[ips] == 48) continue;  // no 4 KiB descriptor can name more
    SCOPED_TRACE(ips);
    const std::uint64_t beyond = std::uint64_t{1} << bits[ips];
    for (int level = 0; level <= 3; ++level) {
      Walk walk({{cd::IPS, ips}});
      const std::uint64_t ttb = SmmuBench::ttb0(walk.context);
      walk.bench.map(ttb, 0x1000, level == 3 ? raw::page(beyond - 0x1000) : (beyond - 0x1000) | 3, level);
      EXPECT_NE(event_number(walk.read(0x1000)), F_ADDR_SIZE) << "last address, level " << level;
      walk.bench.map(ttb, 0x1000, level == 3 ? raw::page(beyond) : beyond | 3, level);
      walk.forget();
      walk.bench.take_events();
      const Response response = walk.read(0x1000);
      EXPECT_EQ(response.outcome, Outcome::abort);
      EXPECT_EQ(event_number(response), F_ADDR_SIZE) << "level " << level;
      EXPECT_EQ(walk.bench.memory.addresses(Purpose::TTD).back(), walk.bench.descriptor_at(ttb, 0x1000, level))
          << "not followed";
      const raw::Record record = walk.bench.take_event();
      EXPECT_EQ(record.get(S2), 0u);
      EXPECT_EQ(record.get(CLASS), 2u);
    }
  }
}

TEST(SpecStage1Walk, IpsIsCappedByTheOas) {
  RecordProperty("rule", "SM-AS-029 SM-AS-008");
  SmmuConfig config = bench_config();
  config.features.oas = 44;
  for (std::uint64_t ips : {4u, 5u, 6u, 7u}) {
    Walk walk({{cd::IPS, ips}}, config);
    walk.bench.map(SmmuBench::ttb0(walk.context), 0x1000, raw::page(0xfff'ffff'f000));
    walk.bench.map(SmmuBench::ttb0(walk.context), 0x2000, raw::page(0x1000'0000'0000));
    EXPECT_EQ(walk.read(0x1000).address.value, 0xfff'ffff'f000u);
    EXPECT_EQ(event_number(walk.read(0x2000)), F_ADDR_SIZE) << ips;
  }
}

TEST(SpecStage1Walk, AccessFlag) {
  RecordProperty("rule", "SM-HT-001 SM-HT-021 SM-EVR-016 SM-EVP-002");
  Walk walk;
  const std::uint64_t ttb = SmmuBench::ttb0(walk.context);
  walk.bench.map(ttb, 0x1000, raw::page(target, raw::ap_unprivileged | raw::ng));
  EXPECT_EQ(event_number(walk.read(0x1000)), F_ACCESS);
  walk.bench.map(ttb, 0x1000, raw::page(target));
  EXPECT_EQ(walk.read(0x1000).address.value, target) << "AF=0 is never cached: no TLBI";
  walk.bench.map(ttb, 0x2000, raw::page(target, raw::ap_read_only | raw::ng));
  EXPECT_EQ(event_number(walk.bench.write(1, 0x2000)), F_ACCESS) << "before F_PERMISSION";
  Walk relaxed({{cd::AFFD, 1}});
  relaxed.bench.map(SmmuBench::ttb0(relaxed.context), 0x1000, raw::page(target, raw::ap_unprivileged | raw::ng));
  EXPECT_EQ(relaxed.read(0x1000).address.value, target) << "AFFD=1 treats AF as 1";
}

TEST(SpecStage1Walk, FaultsAreNotCached) {
  RecordProperty("rule", "SM-TL-022");
  Walk walk;
  const std::uint64_t ttb = SmmuBench::ttb0(walk.context);
  EXPECT_EQ(event_number(walk.read(0x1000)), F_TRANSLATION);
  walk.bench.map(ttb, 0x1000, raw::page(target));
  EXPECT_EQ(walk.read(0x1000).address.value, target) << "invalid to valid needs no TLBI";
  walk.bench.memory.abort_at(walk.bench.descriptor_at(ttb, 0x3000, 3), 8);
  walk.bench.map(ttb, 0x3000, raw::page(target));
  EXPECT_EQ(event_number(walk.read(0x3000)), F_WALK_EABT);
  walk.bench.memory.clear_aborts();
  EXPECT_EQ(walk.read(0x3000).address.value, target);
}

TEST(SpecStage1Walk, WalkAttributes) {
  RecordProperty("rule", "SM-ATR-024 SM-AT-003");
  struct Row {
    std::uint64_t ir, orr, sh;
    MemoryAttributes expected;
  };
  const Row rows[] = {{0, 0, 3, {0x44, 2}}, {1, 1, 3, {0xff, 3}}, {2, 2, 2, {0xbb, 2}},
                      {3, 3, 0, {0xee, 0}}, {1, 0, 3, {0x4f, 3}}, {1, 1, 1, {0xff, 0}}};
  for (const Row& row : rows) {
    Walk walk({{cd::IR0, row.ir}, {cd::OR0, row.orr}, {cd::SH0, row.sh}, {cd::IR1, row.orr}, {cd::SH1, 3}});
    walk.read(0x1000);
    EXPECT_EQ(walk.bench.memory.last(Purpose::TTD).attributes, row.expected);
    EXPECT_EQ(walk.bench.memory.last(Purpose::TTD).size, 8u);
  }
}

TEST(SpecStage1Walk, BigEndianTables) {
  RecordProperty("rule", "SM-CD-006");
  SmmuConfig config = bench_config();
  config.features.ttendian = spec::Ttendian::mixed;
  Walk walk({{cd::ENDI, 1}}, config);
  const std::uint64_t ttb = SmmuBench::ttb0(walk.context);
  const std::uint64_t at[] = {walk.bench.descriptor_at(ttb, 0x1000, 0), walk.bench.descriptor_at(ttb, 0x1000, 1),
                              walk.bench.descriptor_at(ttb, 0x1000, 2), walk.bench.descriptor_at(ttb, 0x1000, 3)};
  walk.bench.memory.write64(at[3], raw::page(target));
  for (const std::uint64_t address : at) {
    walk.bench.memory.write64(address, __builtin_bswap64(walk.bench.memory.read64(address)));
  }
  EXPECT_EQ(walk.read(0x1000).address.value, target);
}

TEST(SpecStage1Walk, BypassChecksTheOas) {
  RecordProperty("rule", "SM-AS-001 SM-AS-003 SM-AS-007 SM-FA-003");
  SmmuConfig config = bench_config();
  config.features.oas = 42;
  SmmuBench bench(config);
  bench.put_ste(1, raw::Ste{}.with({{raw::ste::V, 1}, {raw::ste::Config, 4}, {raw::ste::SHCFG, 1}}));
  EXPECT_EQ(bench.read(1, (std::uint64_t{1} << 42) - 1).outcome, Outcome::proceed);
  for (const std::uint64_t va : {std::uint64_t{1} << 42, std::uint64_t{0x5a00'0000'0000'1000}}) {
    EXPECT_EQ(bench.read(1, va).outcome, Outcome::abort);
    const raw::Record expected =
        raw::Record{}.with({{Type, F_ADDR_SIZE}, {StreamID, 1}, {RnW, 1}, {CLASS, 2}, {InputAddr, va}});
    raw::Record record = bench.take_event();
    record.put(IPA, 0);
    EXPECT_EQ(record, expected);
  }
}

TEST(SpecStage1Walk, E0pdKeepsUnprivilegedAccessesOut) {
  RecordProperty("rule", "SM-TR-012");
  constexpr raw::Bits E0PD0{66, 66}, E0PD1{130, 130};
  for (const bool feature : {false, true}) {
    for (const bool upper : {false, true}) {
      SCOPED_TRACE(testing::Message() << feature << upper);
      SmmuConfig config = bench_config();
      config.features.version_minor = 2;  // E0PD is of v3.3
      config.features.fwb = true;
      config.features.bbml = 1;
      config.features.e0pd = feature;
      SmmuBench bench(config);
      const raw::Cd context = bench.stage1_stream(1).with({{upper ? E0PD1 : E0PD0, 1}});
      bench.put_cd(1, context);
      const std::uint64_t lower_va = 0x5000, upper_va = ~std::uint64_t{0} << 48 | 0x5000;
      bench.map(SmmuBench::ttb0(context), lower_va, raw::page(target));
      bench.map(SmmuBench::ttb1(context), upper_va, raw::page(target));
      Transaction t = SmmuBench::transaction(1, upper ? upper_va : lower_va);
      t.privileged = true;
      EXPECT_EQ(bench.go(t).outcome, Outcome::proceed);  // now a TLB holds it
      t.privileged = false;
      EXPECT_EQ(event_number(bench.go(t)), feature ? raw::ev::F_TRANSLATION : 0u);
      EXPECT_EQ(bench.read(1, upper ? lower_va : upper_va).outcome, Outcome::proceed);  // the other half
    }
  }
}

}  // namespace
}  // namespace smmusim
