// SPDX-License-Identifier: MIT
// TLB tags and TLB invalidation (IHI 0070 sections 3.17, 3.21.1, 4.4). An entry that must go is found gone because the
// access sees the changed table; that an entry stays is never required.
#include <gtest/gtest.h>

#include "tests/support/smmu_bench.h"
#include "tests/support/stage2_bench.h"

namespace smmusim {
namespace {

namespace cd = raw::cd;
namespace cmd = raw::cmd;
constexpr std::uint64_t target = SmmuBench::target, moved = 0x1'0000'0000;

/// Stream 1 (ASID 1) with mappings of target + va; change() moves them all to moved + va.
struct Tlb {
  explicit Tlb(const SmmuConfig& config = bench_config())
      : bench(config), context(bench.stage1_stream(1)), ttb(SmmuBench::ttb0(context)) {}
  void map(std::uint64_t va, int level = 3, std::uint64_t flags = raw::af | raw::ng | raw::ap_unprivileged) {
    const std::uint64_t base = level == 3 ? raw::page(target + va, flags) : raw::block(target + va, flags);
    bench.map(ttb, va, base, level);
    EXPECT_EQ(bench.read(1, va).address.value, target + va);
    mapped.push_back({va, level, flags});
  }
  void change() {
    for (const auto& m : mapped) {
      bench.map(ttb, m.va, m.level == 3 ? raw::page(moved + m.va, m.flags) : raw::block(moved + m.va, m.flags),
                m.level);
    }
  }
  void invalidate(const raw::Command& command) {
    bench.push(command);
    bench.sync();
    EXPECT_TRUE(bench.all_consumed());
  }
  /// 0: sees the old table, 1: the new one.
  bool sees_new(std::uint64_t va) { return bench.read(1, va).address.value == moved + va; }
  struct Mapped {
    std::uint64_t va;
    int level;
    std::uint64_t flags;
  };
  SmmuBench bench;
  raw::Cd context;
  std::uint64_t ttb;
  std::vector<Mapped> mapped;
};

raw::Command by_va(std::uint64_t opcode, std::uint64_t va, std::uint64_t asid, std::uint64_t leaf = 0) {
  return raw::command(opcode, {{cmd::Address, va >> 12}, {cmd::ASID, asid}, {cmd::Leaf, leaf}});
}

TEST(SpecTlb, StaleUntilInvalidated) {
  RecordProperty("rule", "SM-TL-001 SM-CS-010 SM-CC-009");
  Tlb tlb;
  tlb.map(0x1000);
  tlb.bench.smmu.reset_counters();
  tlb.bench.read(1, 0x1000);
  EXPECT_EQ(tlb.bench.smmu.cache_counters(CacheId::micro_tlb).hits, 1u) << "this model does cache";
  tlb.change();
  const std::uint64_t address = tlb.bench.read(1, 0x1000).address.value;
  EXPECT_TRUE(address == target + 0x1000 || address == moved + 0x1000);
  tlb.bench.issue(raw::command(cmd::TLBI_NH_ALL));
  tlb.bench.sync();
  EXPECT_TRUE(tlb.sees_new(0x1000));
}

struct ScopeRow {
  const char* what;
  raw::Command command;
  bool global;        // the mapping is global
  bool must_be_gone;  // else: anything goes
};

TEST(SpecTlb, ScopesOfEl1Commands) {
  RecordProperty("rule", "SM-TI-011 SM-TI-012 SM-TI-013 SM-TI-014");
  const ScopeRow rows[] = {
      {"NH_ALL", raw::command(cmd::TLBI_NH_ALL), false, true},
      {"NH_ALL, global", raw::command(cmd::TLBI_NH_ALL), true, true},
      {"NSNH_ALL", raw::command(cmd::TLBI_NSNH_ALL), false, true},
      {"NSNH_ALL, global", raw::command(cmd::TLBI_NSNH_ALL), true, true},
      {"NH_ASID", raw::command(cmd::TLBI_NH_ASID, {{cmd::ASID, 1}}), false, true},
      {"NH_ASID, global", raw::command(cmd::TLBI_NH_ASID, {{cmd::ASID, 1}}), true, false},
      {"NH_ASID, other", raw::command(cmd::TLBI_NH_ASID, {{cmd::ASID, 2}}), false, false},
      {"NH_VA", by_va(cmd::TLBI_NH_VA, 0x5000, 1), false, true},
      {"NH_VA, leaf", by_va(cmd::TLBI_NH_VA, 0x5000, 1, 1), false, true},
      {"NH_VA, global, other ASID", by_va(cmd::TLBI_NH_VA, 0x5000, 9), true, true},
      {"NH_VA, other ASID", by_va(cmd::TLBI_NH_VA, 0x5000, 9), false, false},
      {"NH_VA, other VA", by_va(cmd::TLBI_NH_VA, 0x6000, 1), false, false},
      {"NH_VAA", by_va(cmd::TLBI_NH_VAA, 0x5000, 9), false, true},
      {"NH_VAA, global", by_va(cmd::TLBI_NH_VAA, 0x5000, 9, 1), true, true},
  };
  for (const ScopeRow& row : rows) {
    SCOPED_TRACE(row.what);
    Tlb tlb;
    tlb.map(0x5000, 3, raw::af | raw::ap_unprivileged | (row.global ? 0 : raw::ng));
    tlb.change();
    tlb.invalidate(row.command);
    const Response response = tlb.bench.read(1, 0x5000);
    EXPECT_EQ(response.outcome, Outcome::proceed);
    if (row.must_be_gone) {
      EXPECT_EQ(response.address.value, moved + 0x5000);
    }
  }
}

TEST(SpecTlb, UpperHalf) {
  RecordProperty("rule", "SM-TI-014 SM-TI-026");
  Tlb tlb;
  const std::uint64_t va = 0xffff'ffff'ffff'5000;
  const std::uint64_t ttb1 = SmmuBench::ttb1(tlb.context);
  for (const std::uint64_t opcode : {cmd::TLBI_NH_VA, cmd::TLBI_NH_VAA}) {
    tlb.bench.map(ttb1, va, raw::page(target));
    tlb.bench.invalidate_all();
    EXPECT_EQ(tlb.bench.read(1, va).address.value, target);
    tlb.bench.map(ttb1, va, raw::page(moved));
    tlb.invalidate(by_va(opcode, va, 1));
    EXPECT_EQ(tlb.bench.read(1, va).address.value, moved);
  }
  tlb.invalidate(by_va(cmd::TLBI_NH_VA, 0x5a5a'0000'0000'0000, 1));  // out of range: no error
}

TEST(SpecTlb, AnyAddressInABlock) {
  RecordProperty("rule", "SM-TI-002");
  Tlb tlb;
  tlb.map(0x4000'0000, 1);
  tlb.map(0x20'0000, 2);
  tlb.change();
  tlb.invalidate(by_va(cmd::TLBI_NH_VA, 0x4000'0000 + 0x1234'5000, 1, 1));
  EXPECT_TRUE(tlb.sees_new(0x4000'0000));
  tlb.invalidate(by_va(cmd::TLBI_NH_VAA, 0x3f'f000, 1, 1));
  EXPECT_TRUE(tlb.sees_new(0x20'0000));
}

TEST(SpecTlb, ContiguousRunsGoAsAWhole) {
  RecordProperty("rule", "SM-TI-002");
  Tlb tlb;
  for (std::uint64_t i = 0; i < 16; ++i) {
    tlb.bench.map(tlb.ttb, i << 12, raw::page(target + (i << 12)) | raw::contiguous);
  }
  EXPECT_EQ(tlb.bench.read(1, 0x3000).address.value, target + 0x3000);
  for (std::uint64_t i = 0; i < 16; ++i) {
    tlb.bench.map(tlb.ttb, i << 12, raw::page(moved + (i << 12)) | raw::contiguous);
  }
  tlb.invalidate(by_va(cmd::TLBI_NH_VA, 0x3000, 1, 1));
  EXPECT_EQ(tlb.bench.read(1, 0x3000).address.value, moved + 0x3000);
}

TEST(SpecTlb, SizesChangeWithoutBreakBeforeMake) {
  RecordProperty("rule", "SM-TL-024");
  SmmuConfig config = bench_config();
  config.features.bbml = 2;
  Tlb tlb(config);
  constexpr std::uint64_t va = 0x20'0000, nt = 1u << 16;
  const std::uint64_t at = tlb.bench.descriptor_at(tlb.ttb, va, 2), pages = tlb.bench.new_table();
  const auto map_pages = [&](std::uint64_t pa) {
    for (std::uint64_t i = 0; i < 512; ++i) tlb.bench.memory.write64(pages + 8 * i, raw::page(pa + (i << 12)));
    tlb.bench.memory.write64(at, pages | 3);
  };
  map_pages(target);
  EXPECT_EQ(tlb.bench.read(1, va + 0x3000).address.value, target + 0x3000);
  tlb.bench.memory.write64(at, raw::block(target, raw::af | raw::ng | raw::ap_unprivileged | nt));
  tlb.bench.invalidate_all();
  tlb.bench.read(1, va);
  tlb.bench.memory.log.clear();
  EXPECT_EQ(tlb.bench.read(1, va + 0x5000).address.value, target + 0x5000);
  EXPECT_EQ(tlb.bench.memory.count(Purpose::TTD), 0u) << "nT is ignored: the block is cached";
  tlb.bench.invalidate_all();
  map_pages(target);
  tlb.bench.read(1, va + 0x3000);
  tlb.bench.memory.write64(at, raw::block(target));
  tlb.invalidate(by_va(cmd::TLBI_NH_VA, va + 0x10'0000, 1));  // the pointer to the table; the page may stay
  for (std::uint64_t i = 0; i < 8; ++i) {
    EXPECT_EQ(tlb.bench.read(1, va + (i << 12)).address.value, target + (i << 12)) << "block and page overlap";
  }
  map_pages(moved);
  tlb.invalidate(by_va(cmd::TLBI_NH_VA, va + 0x3000, 1));
  for (std::uint64_t i = 0; i < 8; ++i) {
    EXPECT_EQ(tlb.bench.read(1, va + (i << 12)).address.value, moved + (i << 12)) << "both are gone";
  }
  EXPECT_TRUE(tlb.bench.take_events().empty());
}

TEST(SpecTlb, TableEntriesGoWithoutLeaf) {
  RecordProperty("rule", "SM-TI-013 SM-TI-004 SM-TL-022");
  for (const std::uint64_t opcode : {cmd::TLBI_NH_VA, cmd::TLBI_NH_VAA, cmd::TLBI_NH_ASID, cmd::TLBI_NH_ALL}) {
    SCOPED_TRACE(opcode);
    Tlb tlb;
    tlb.map(0x5000);
    const std::uint64_t new_table = tlb.bench.new_table();
    tlb.bench.memory.write64(new_table + 8 * 5, raw::page(moved + 0x5000));
    tlb.bench.memory.write64(new_table + 8 * 6, raw::page(moved + 0x6000));
    tlb.bench.map(tlb.ttb, 0x5000, new_table | 3, 2);
    tlb.invalidate(by_va(opcode, 0x5000, 1, 0));
    EXPECT_TRUE(tlb.sees_new(0x5000));
    EXPECT_TRUE(tlb.sees_new(0x6000)) << "the pointer to the table is gone too";
  }
}

struct RangeRow {
  const char* what;
  std::uint64_t base, num, scale, ttl, tg, leaf;
  std::uint64_t va;
  int level;
  bool must_be_gone;
};
raw::Command range_command(const RangeRow& row, std::uint64_t opcode) {
  return raw::command(opcode, {{cmd::Address, row.base >> 12},
                               {cmd::ASID, 1},
                               {cmd::NUM, row.num},
                               {cmd::SCALE, row.scale},
                               {cmd::TTL, row.ttl},
                               {cmd::TG, row.tg},
                               {cmd::Leaf, row.leaf}});
}

TEST(SpecTlb, Ranges) {
  RecordProperty("rule", "SM-TI-003 SM-TI-004 SM-TI-024 SM-TI-002");
  const RangeRow rows[] = {
      {"2 pages, first", 0x10000, 1, 0, 0, 1, 0, 0x10000, 3, true},
      {"2 pages, last", 0x10000, 1, 0, 0, 1, 0, 0x11000, 3, true},
      {"2 pages, next", 0x10000, 1, 0, 0, 1, 0, 0x12000, 3, false},
      {"2 pages, before", 0x10000, 1, 0, 0, 1, 0, 0xf000, 3, false},
      {"32 pages, last", 0x10000, 31, 0, 0, 1, 0, 0x2f000, 3, true},
      {"SCALE 4: 2 times 16 pages, last", 0x10000, 1, 4, 0, 1, 1, 0x2f000, 3, true},
      {"SCALE 9: 1 times 512 pages, last", 0x20'0000, 0, 9, 0, 1, 0, 0x3f'f000, 3, true},
      {"level 3 by TTL 3", 0x10000, 0, 0, 3, 1, 0, 0x10000, 3, true},
      {"block by TTL 2", 0x20'0000, 0, 0, 2, 1, 0, 0x20'0000, 2, true},
      {"block by TTL 2, range of 2 blocks", 0x20'0000, 1, 9, 2, 1, 1, 0x40'0000, 2, true},
      {"block by TTL 1", 0x4000'0000, 0, 0, 1, 1, 1, 0x4000'0000, 1, true},
      {"block by range without TTL", 0x20'0000, 1, 8, 0, 1, 0, 0x20'0000, 2, true},
      {"TG 0: NUM, SCALE, TTL do not count", 0x10000, 31, 31, 1, 0, 0, 0x10000, 3, true},
      {"largest range", 0, 31, 31, 0, 1, 0, 0x7f'ffff'f000, 3, true},
      {"range past the top does not wrap", 0xffff'ffff'ffff'f000, 31, 31, 0, 1, 0, 0x1000, 3, false},
  };
  for (const std::uint64_t opcode : {cmd::TLBI_NH_VA, cmd::TLBI_NH_VAA}) {
    for (const RangeRow& row : rows) {
      SCOPED_TRACE(testing::Message() << row.what << " opcode " << opcode);
      Tlb tlb;
      tlb.map(row.va, row.level);
      tlb.change();
      tlb.invalidate(range_command(row, opcode));
      const std::uint64_t address = tlb.bench.read(1, row.va).address.value;
      if (row.must_be_gone) {
        EXPECT_EQ(address, moved + row.va);
      }
    }
  }
}

TEST(SpecTlb, RangesRemoveTablesAboveTheLeaf) {
  RecordProperty("rule", "SM-TI-004");
  Tlb tlb;
  tlb.map(0x20'5000);
  const std::uint64_t other = tlb.bench.new_table();
  tlb.bench.map(tlb.ttb, 0x20'0000, other | 3, 2);
  tlb.bench.memory.write64(other + 8 * 6, raw::page(moved + 0x20'6000));
  tlb.bench.memory.write64(other + 8 * 5, raw::page(moved + 0x20'5000));
  tlb.invalidate(range_command({"", 0x20'5000, 0, 0, 3, 1, 0, 0, 3, true}, cmd::TLBI_NH_VA));
  EXPECT_TRUE(tlb.sees_new(0x20'5000));
  EXPECT_TRUE(tlb.sees_new(0x20'6000)) << "TTL=3, Leaf=0: the tables above go too";
}

TEST(SpecTlb, IllegalRanges) {
  RecordProperty("rule", "SM-TI-005 SM-TI-008");
  struct Row {
    const char* what;
    std::uint64_t tg, num, scale, ttl;
    bool ril, illegal;
  };
  const Row rows[] = {
      {"4K, all zero", 1, 0, 0, 0, true, true},       {"16K, all zero", 2, 0, 0, 0, true, true},
      {"64K, all zero", 3, 0, 0, 0, true, true},      {"16K, TTL 1 without DS", 2, 0, 0, 1, true, true},
      {"16K, TTL 1, NUM 1", 2, 1, 0, 1, true, false}, {"TG 0, all zero", 0, 0, 0, 0, true, false},
      {"4K, TTL 1", 1, 0, 0, 1, true, false},         {"4K, NUM 1", 1, 1, 0, 0, true, false},
      {"4K, SCALE 1", 1, 0, 1, 0, true, false},       {"4K, all zero, RIL=0", 1, 0, 0, 0, false, false}};
  for (const Row& row : rows) {
    for (const std::uint64_t opcode : {cmd::TLBI_NH_VA, cmd::TLBI_NH_VAA}) {
      SCOPED_TRACE(row.what);
      SmmuConfig config = bench_config();
      config.features.ril = row.ril;
      SmmuBench bench(config);
      bench.issue(
          raw::command(opcode, {{cmd::TG, row.tg}, {cmd::NUM, row.num}, {cmd::SCALE, row.scale}, {cmd::TTL, row.ttl}}));
      EXPECT_EQ(bench.all_consumed(), !row.illegal);
      if (row.illegal) {
        EXPECT_EQ(bench.command_error(), 1u);
      }
    }
  }
}

TEST(SpecTlb, LargeScalesAreNoIllegalRanges) {
  RecordProperty("rule", "SM-TI-005 SM-TI-024");
  constexpr raw::Bits wide_scale{25, 20};
  for (const bool ds : {false, true}) {
    for (const std::uint64_t scale : {0u, 1u, 31u, 32u, 33u, 39u, 40u, 63u}) {
      SCOPED_TRACE(testing::Message() << "DS " << ds << " SCALE " << scale);
      SmmuBench bench(ds ? wide_config(48) : bench_config());
      bench.issue(raw::command(cmd::TLBI_NH_VAA, {{cmd::TG, 1}, {wide_scale, scale}}));
      const std::uint64_t effective = ds ? scale : scale & 31;
      EXPECT_EQ(bench.command_error(), effective == 0 ? 1u : 0u);
    }
  }
}

TEST(SpecTlb, WithoutRilTheFieldsDoNotCount) {
  RecordProperty("rule", "SM-TI-008");
  SmmuConfig config = bench_config();
  config.features.ril = false;
  Tlb tlb(config);
  tlb.map(0x10000);
  tlb.change();
  tlb.invalidate(range_command({"", 0x10000, 3, 2, 1, 2, 0, 0, 3, true}, cmd::TLBI_NH_VA));
  EXPECT_TRUE(tlb.sees_new(0x10000));
}

TEST(SpecTlb, MisalignedRangesAreHarmless) {
  RecordProperty("rule", "SM-TI-007");
  for (std::uint64_t ttl = 0; ttl < 4; ++ttl) {
    for (std::uint64_t tg = 1; tg < 4; ++tg) {
      Tlb tlb;
      tlb.map(0x10000);
      tlb.invalidate(range_command({"", 0x1234'5678'9000, 31, 31, ttl, tg, 0, 0, 3, false}, cmd::TLBI_NH_VAA));
      EXPECT_EQ(tlb.bench.read(1, 0x10000).address.value, target + 0x10000);
    }
  }
}

TEST(SpecTlb, RangesEndAtTheTopOfTheAddressSpace) {
  RecordProperty("rule", "SM-TI-006");
  constexpr std::uint64_t va = 0xffff'ffff'ffff'f000;
  SmmuBench bench;
  const raw::Cd context = bench.stage1_stream(1);
  bench.map(SmmuBench::ttb1(context), va, raw::page(target));
  EXPECT_EQ(bench.read(1, va).address.value, target);
  bench.map(SmmuBench::ttb1(context), va, raw::page(target + 0x1000));
  // Four pages from the last but one: those that are there go, and none at the bottom stands in for the others.
  bench.issue(range_command({"", va - 0x1000, 3, 0, 0, 1, 0, 0, 3, false}, cmd::TLBI_NH_VAA));
  EXPECT_EQ(bench.read(1, va).address.value, target + 0x1000);
}

TEST(SpecTlb, TagsKeepAsidsApart) {
  RecordProperty("rule", "SM-TL-002 SM-TL-004 SM-TL-009");
  struct Row {
    std::uint64_t asid, aset;
    bool global;
  };
  SmmuBench bench;
  const Row rows[] = {{1, 0, false}, {2, 0, false}, {0x101, 0, false}, {3, 1, true}, {4, 0, true}};
  for (std::uint32_t sid = 0; sid < 5; ++sid) {
    const raw::Cd context = bench.stage1_stream(sid).with({{cd::ASID, rows[sid].asid}, {cd::ASET, rows[sid].aset}});
    bench.put_cd(sid, context);
    // One VA for the non-global ones, one of its own for globals of either ASET.
    const std::uint64_t va = rows[sid].global ? 0x8000 : 0x1000;
    bench.map(SmmuBench::ttb0(context), va,
              raw::page(target + 0x1000 * sid, raw::af | raw::ap_unprivileged | (rows[sid].global ? 0 : raw::ng)));
  }
  for (int round = 0; round < 3; ++round) {
    for (std::uint32_t sid = 0; sid < 5; ++sid) {
      EXPECT_EQ(bench.read(sid, rows[sid].global ? 0x8000 : 0x1000).address.value, target + 0x1000 * sid) << sid;
    }
  }
}

TEST(SpecTlb, StreamsWithTheSameTagsShare) {
  RecordProperty("rule", "SM-TR-001");
  SmmuBench bench;
  const raw::Cd context = bench.stage1_stream(1);
  bench.put_ste(2, SmmuBench::stage1_ste(SmmuBench::cd_address(1)));
  bench.map(SmmuBench::ttb0(context), 0x1000, raw::page(target));
  bench.read(1, 0x1000);
  bench.memory.log.clear();
  EXPECT_EQ(bench.read(2, 0x1000).address.value, target);
  EXPECT_EQ(bench.memory.count(Purpose::TTD), 0u) << "our TLBs have no StreamID";
}

TEST(SpecTlb, SixteenBitAsids) {
  RecordProperty("rule", "SM-TI-001 SM-TI-012");
  Tlb tlb;
  tlb.bench.put_cd(1, tlb.context.with({{cd::ASID, 0xabcd}}));
  tlb.map(0x1000);
  tlb.change();
  tlb.invalidate(raw::command(cmd::TLBI_NH_ASID, {{cmd::ASID, 0xabcd}, {cmd::VMID, 0}}));
  EXPECT_TRUE(tlb.sees_new(0x1000));
}

TEST(SpecTlb, VmidsWithoutStageTwo) {
  RecordProperty("rule", "SM-TI-010");
  for (const std::uint64_t opcode : {cmd::TLBI_NH_ALL, cmd::TLBI_NH_ASID, cmd::TLBI_NH_VA, cmd::TLBI_NH_VAA}) {
    for (const std::uint64_t vmid : {0u, 5u, 0xffffu}) {
      SCOPED_TRACE(testing::Message() << opcode << " VMID " << vmid);
      Tlb tlb;
      tlb.map(0x1000);
      tlb.change();
      tlb.invalidate(by_va(opcode, 0x1000, 1).with({{cmd::VMID, vmid}}));
      EXPECT_TRUE(tlb.sees_new(0x1000)) << "our choice: a VMID that is RES0 is ignored";
    }
  }
}

TEST(SpecTlb, InvalidationOvertakesAWalk) {
  RecordProperty("rule", "SM-TL-019 SM-CS-005");
  for (Time when = 0; when <= 600'000; when += 17'000) {
    SCOPED_TRACE(when);
    SmmuBench bench(timed_bench_config(), 60'000);
    const raw::Cd context = bench.stage1_stream(1);
    const std::uint64_t at = bench.descriptor_at(SmmuBench::ttb0(context), 0x1000, 3);
    bench.memory.write64(at, raw::page(target));
    bench.push(by_va(cmd::TLBI_NH_VA, 0x1000, 1));
    bench.push(raw::command(cmd::SYNC));
    TranslationRequest request;
    request.transaction = SmmuBench::transaction(1, 0x1000);
    request.fire = [](EventNode&) {};
    bench.smmu.submit(0, request);
    bench.engine.run_until(bench.engine.now() + when);
    bench.memory.write64(at, raw::page(moved));
    bench.smmu.write_register(off::CMDQ_PROD, bench.prod, 4);
    bench.run();
    bench.smmu.retire(request);
    bench.run();
    ASSERT_TRUE(bench.all_consumed());
    EXPECT_EQ(bench.go(SmmuBench::transaction(1, 0x1000)).address.value, moved) << "nothing stale after the CMD_SYNC";
  }
}

TEST(SpecTlb, InvalidationWorksWhileDisabled) {
  RecordProperty("rule", "SM-RU-010 SM-CM-003 SM-RS-002");
  Tlb tlb;
  tlb.map(0x1000);
  tlb.bench.enable(cr0::CMDQEN);
  tlb.change();
  tlb.invalidate(by_va(cmd::TLBI_NH_VA, 0x1000, 1));
  tlb.bench.enable(0xd);
  EXPECT_TRUE(tlb.sees_new(0x1000));
}

}  // namespace
}  // namespace smmusim
