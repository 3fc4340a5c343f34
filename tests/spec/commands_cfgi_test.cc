// SPDX-License-Identifier: MIT
// Configuration caches, CMD_CFGI_* and CMD_PREFETCH_* (IHI 0070 sections 3.21.3, 4.2, 4.3, 5.2.1, 5.4.1).
#include <gtest/gtest.h>

#include "tests/support/smmu_bench.h"

namespace smmusim {
namespace {

namespace ste = raw::ste;
namespace cd = raw::cd;
namespace cmd = raw::cmd;
constexpr std::uint64_t target = SmmuBench::target;

raw::Ste bypass_ste() {
  return raw::Ste{}.with({{ste::V, 1}, {ste::Config, 4}, {ste::SHCFG, 1}});
}
raw::Ste abort_ste() {
  return raw::Ste{}.with({{ste::V, 1}, {ste::Config, 0}});
}
void invalidate(SmmuBench& bench, const raw::Command& command) {
  bench.push(command);
  bench.sync();
  EXPECT_TRUE(bench.all_consumed());
}

TEST(SpecConfigCache, StaleUntilCfgi) {
  RecordProperty("rule", "SM-CC-001 SM-CC-009 SM-TL-001 SM-CS-010");
  SmmuBench bench;
  bench.put_ste(1, bypass_ste());
  bench.read(1, 0x1000);
  bench.memory.log.clear();
  bench.smmu.reset_counters();
  bench.read(1, 0x2000);
  EXPECT_EQ(bench.memory.count(Purpose::STE), 0u) << "this model does cache";
  bench.put_ste(1, abort_ste());
  const Outcome stale = bench.read(1, 0x1000).outcome;
  EXPECT_TRUE(stale == Outcome::proceed || stale == Outcome::abort);
  invalidate(bench, raw::command(cmd::CFGI_STE, {{cmd::StreamID, 1}, {cmd::Leaf, 1}}));
  EXPECT_EQ(bench.read(1, 0x1000).outcome, Outcome::abort);
}

TEST(SpecConfigCache, InvalidStesMayBeCached) {
  RecordProperty("rule", "SM-CC-011 SM-ST-012");
  SmmuBench bench;
  EXPECT_EQ(event_number(bench.read(1, 0)), raw::ev::C_BAD_STE);
  bench.put_ste(1, bypass_ste());
  invalidate(bench, raw::command(cmd::CFGI_STE, {{cmd::StreamID, 1}}));
  EXPECT_EQ(bench.read(1, 0).outcome, Outcome::proceed);
}

struct RangeRow {
  const char* what;
  std::uint64_t sid, range;
  std::uint32_t first, last;  // StreamIDs that must be refetched
};

TEST(SpecConfigCache, SteRanges) {
  RecordProperty("rule", "SM-CC-003 SM-CC-002");
  const RangeRow rows[] = {{"Range 0: a pair", 0x10, 0, 0x10, 0x11},   {"low bits are ignored", 0x13, 0, 0x12, 0x13},
                           {"Range 3: 16", 0x17, 3, 0x10, 0x1f},       {"Range 5: 64", 0x7f, 5, 0x40, 0x7f},
                           {"Range 7: 256", 0x21, 7, 0, 0xff},         {"Range 30", 0x0, 30, 0, 0xff},
                           {"Range 31: all", 0xffff'ffff, 31, 0, 0xff}};
  for (const RangeRow& row : rows) {
    SCOPED_TRACE(row.what);
    SmmuBench bench;
    for (std::uint32_t sid = 0; sid < 256; ++sid) {
      bench.put_ste(sid, bypass_ste());
      bench.read(sid, 0);
      bench.put_ste(sid, abort_ste());
    }
    invalidate(bench, raw::command(cmd::CFGI_STE_RANGE, {{cmd::StreamID, row.sid}, {cmd::Range, row.range}}));
    for (std::uint32_t sid = row.first; sid <= row.last; ++sid) {
      EXPECT_EQ(bench.read(sid, 0).outcome, Outcome::abort) << sid;
    }
  }
}

TEST(SpecConfigCache, L1stdChangesNeedCfgiSteWithoutLeaf) {
  RecordProperty("rule", "SM-CC-002 SM-CC-010");
  SmmuBench bench;
  bench.enable(cr0::CMDQEN | cr0::EVENTQEN);
  bench.w64(off::STRTAB_BASE, 0x6000'0000);
  bench.w32(off::STRTAB_BASE_CFG, 1u << 16 | 6u << 6 | 16);
  bench.enable(0xd);
  EXPECT_EQ(event_number(bench.read(70, 0)), raw::ev::C_BAD_STREAMID);
  bench.memory.write64(0x6000'0008, 0x6100'0000 | 7);
  bench.memory.store(0x6100'0000 + 64 * 6, bypass_ste());
  invalidate(bench, raw::command(cmd::CFGI_STE, {{cmd::StreamID, 70}, {cmd::Leaf, 0}}));
  EXPECT_EQ(bench.read(70, 0).outcome, Outcome::proceed);
  bench.memory.write64(0x6000'0008, 0x6200'0000 | 7);
  bench.memory.store(0x6200'0000 + 64 * 6, abort_ste());
  invalidate(bench, raw::command(cmd::CFGI_STE, {{cmd::StreamID, 70}, {cmd::Leaf, 0}}));
  EXPECT_EQ(bench.read(70, 0).outcome, Outcome::abort);
}

/// Stream 1 with CD.R=1 on an unmapped page; cd_now() says whether its faults are recorded.
struct CdBench {
  CdBench() : context(bench.stage1_stream(1)) { EXPECT_TRUE(records()); }
  bool records() {
    bench.read(1, 0x7000);
    return !bench.take_events().empty();
  }
  void silence() { bench.put_cd(1, context.with({{cd::R, 0}})); }
  SmmuBench bench;
  raw::Cd context;
};

TEST(SpecConfigCache, EveryCommandThatCoversACd) {
  RecordProperty("rule", "SM-CC-002 SM-CC-003 SM-CC-004 SM-CC-006");
  const raw::Command commands[] = {raw::command(cmd::CFGI_STE, {{cmd::StreamID, 1}, {cmd::Leaf, 1}}),
                                   raw::command(cmd::CFGI_STE, {{cmd::StreamID, 1}}),
                                   raw::command(cmd::CFGI_STE_RANGE, {{cmd::StreamID, 0}}),
                                   raw::command(cmd::CFGI_STE_RANGE, {{cmd::Range, 31}}),
                                   raw::command(cmd::CFGI_CD, {{cmd::StreamID, 1}, {cmd::Leaf, 1}}),
                                   raw::command(cmd::CFGI_CD, {{cmd::StreamID, 1}}),
                                   raw::command(cmd::CFGI_CD_ALL, {{cmd::StreamID, 1}})};
  for (const raw::Command& command : commands) {
    SCOPED_TRACE(command.get(cmd::OP));
    CdBench b;
    b.silence();
    invalidate(b.bench, command);
    EXPECT_FALSE(b.records());
  }
}

TEST(SpecConfigCache, SharedCdsAreCachedPerStream) {
  RecordProperty("rule", "SM-CC-004");
  CdBench b;
  b.bench.put_ste(2, SmmuBench::stage1_ste(SmmuBench::cd_address(1)));
  b.bench.read(2, 0x7000);
  b.bench.take_events();
  b.silence();
  invalidate(b.bench, raw::command(cmd::CFGI_CD, {{cmd::StreamID, 1}}));
  EXPECT_FALSE(b.records());
  invalidate(b.bench, raw::command(cmd::CFGI_CD, {{cmd::StreamID, 2}}));
  b.bench.read(2, 0x7000);
  EXPECT_TRUE(b.bench.take_events().empty());
}

TEST(SpecConfigCache, FaultModelChangesNeedNoTlbi) {
  RecordProperty("rule", "SM-CC-015 SM-SYS-003");
  SmmuBench bench;
  const raw::Cd context = bench.stage1_stream(1);
  bench.map(SmmuBench::ttb0(context), 0x1000,
            raw::page(target, raw::af | raw::ng | raw::ap_unprivileged | raw::ap_read_only));
  EXPECT_EQ(bench.read(1, 0x1000).outcome, Outcome::proceed) << "the TLB is warm";
  bench.put_cd(1, context.with({{cd::A, 0}, {cd::R, 0}}));
  invalidate(bench, raw::command(cmd::CFGI_CD, {{cmd::StreamID, 1}, {cmd::Leaf, 1}}));
  EXPECT_EQ(bench.write(1, 0x1000).outcome, Outcome::raz_wi);
  EXPECT_TRUE(bench.take_events().empty());
}

TEST(SpecConfigCache, OverrideChangesNeedNoTlbi) {
  RecordProperty("rule", "SM-CC-012 SM-SYS-003");
  SmmuConfig config = bench_config();
  config.features.attr_perms_ovr = true;
  SmmuBench bench(config);
  const raw::Cd context = bench.stage1_stream(1);
  bench.map(SmmuBench::ttb0(context), 0x1000, raw::page(target, raw::af | raw::ng));
  Transaction t = SmmuBench::transaction(1, 0x1000);
  t.privileged = true;
  EXPECT_EQ(bench.go(t).outcome, Outcome::proceed);
  bench.put_ste(1, SmmuBench::stage1_ste(SmmuBench::cd_address(1)).with({{ste::PRIVCFG, 2}}));
  invalidate(bench, raw::command(cmd::CFGI_STE, {{cmd::StreamID, 1}}));
  EXPECT_EQ(event_number(bench.go(t)), raw::ev::F_PERMISSION);
}

TEST(SpecConfigCache, InvalidationOvertakesAFetch) {
  RecordProperty("rule", "SM-TL-025 SM-CC-008 SM-CS-005");
  for (Time when = 0; when <= 400'000; when += 13'000) {
    SCOPED_TRACE(when);
    SmmuBench bench(timed_bench_config(), 60'000);
    const raw::Cd old_cd = bench.stage1_stream(1);
    bench.map(SmmuBench::ttb0(old_cd), 0x1000, raw::page(target));
    const raw::Cd new_cd = bench.stage1_cd(2);
    bench.map(SmmuBench::ttb0(new_cd), 0x1000, raw::page(target + 0x1000));
    bench.memory.store(SmmuBench::cd_address(2), new_cd);
    bench.push(raw::command(cmd::CFGI_STE, {{cmd::StreamID, 1}}));
    bench.push(raw::command(cmd::SYNC));
    TranslationRequest request;
    request.transaction = SmmuBench::transaction(1, 0x1000);
    request.fire = [](EventNode&) {};
    bench.smmu.submit(0, request);
    bench.engine.run_until(bench.engine.now() + when);
    bench.put_ste(1, SmmuBench::stage1_ste(SmmuBench::cd_address(2)));
    bench.smmu.write_register(off::CMDQ_PROD, bench.prod, 4);
    bench.run();
    const std::uint64_t during = request.response.address.value;
    EXPECT_TRUE(during == target || during == target + 0x1000) << "wholly old or wholly new";
    bench.smmu.retire(request);
    bench.run();
    EXPECT_EQ(bench.go(SmmuBench::transaction(1, 0x1000)).address.value, target + 0x1000);
  }
}

TEST(SpecPrefetch, FillsCaches) {
  RecordProperty("rule", "SM-CM-015 SM-CM-016");
  SmmuBench bench;
  const raw::Cd context = bench.stage1_stream(1);
  for (std::uint64_t i = 0; i < 8; ++i) bench.map(SmmuBench::ttb0(context), i << 14, raw::page(target + (i << 14)));
  bench.push(raw::command(cmd::PREFETCH_CONFIG, {{cmd::StreamID, 1}}));
  bench.push(raw::command(cmd::PREFETCH_ADDR, {{cmd::StreamID, 1}, {cmd::Size, 3}, {{73, 69}, 2}}));
  bench.sync();
  EXPECT_TRUE(bench.all_consumed());
  bench.memory.log.clear();
  for (std::uint64_t i = 0; i < 8; ++i) EXPECT_EQ(bench.read(1, i << 14).address.value, target + (i << 14));
  EXPECT_EQ(bench.memory.count(Purpose::STE) + bench.memory.count(Purpose::CD), 0u);
  EXPECT_EQ(bench.memory.count(Purpose::TTD), 0u) << "8 pages, 2^14 bytes apart";
}

TEST(SpecPrefetch, StrideIsAFeatureOfV31) {
  RecordProperty("rule", "SM-CM-016");
  SmmuConfig config = bench_config();
  config.features.version_minor = 0;
  config.features.ril = false;
  SmmuBench bench(config);
  const raw::Cd context = bench.stage1_stream(1);
  for (std::uint64_t i = 0; i < 8; ++i) bench.map(SmmuBench::ttb0(context), i << 12, raw::page(target + (i << 12)));
  bench.push(raw::command(cmd::PREFETCH_ADDR, {{cmd::StreamID, 1}, {cmd::Size, 3}, {{73, 69}, 2}}));
  bench.sync();
  EXPECT_TRUE(bench.all_consumed()) << "ignored, not illegal";
  bench.memory.log.clear();
  for (std::uint64_t i = 0; i < 8; ++i) EXPECT_EQ(bench.read(1, i << 12).address.value, target + (i << 12));
  EXPECT_EQ(bench.memory.count(Purpose::TTD), 0u) << "8 pages, 2^12 bytes apart";
}

TEST(SpecPrefetch, HugeRequestsAreBounded) {
  RecordProperty("rule", "SM-CM-013 SM-CM-016");
  SmmuBench bench;
  bench.stage1_stream(1);
  bench.push(raw::command(cmd::PREFETCH_ADDR, {{cmd::StreamID, 1}, {cmd::Size, 31}, {{73, 69}, 31}}));
  bench.sync();
  EXPECT_TRUE(bench.all_consumed());
  EXPECT_LT(bench.memory.log.size(), 100'000u);
  EXPECT_TRUE(bench.take_events().empty());
}

TEST(SpecPrefetch, DoesNotOutliveAnInvalidation) {
  RecordProperty("rule", "SM-CS-005 SM-TL-022");
  SmmuBench bench(timed_bench_config(), 60'000);
  const raw::Cd context = bench.stage1_stream(1);
  bench.map(SmmuBench::ttb0(context), 0x1000, raw::page(target));
  bench.push(raw::command(cmd::PREFETCH_ADDR, {{cmd::StreamID, 1}, {cmd::Address, 1}}));
  bench.sync();
  bench.map(SmmuBench::ttb0(context), 0x1000, raw::page(target + 0x1000));
  bench.push(raw::command(cmd::TLBI_NH_ASID, {{cmd::ASID, 1}}));
  bench.sync();
  EXPECT_EQ(bench.read(1, 0x1000).address.value, target + 0x1000);
}

TEST(SpecConfigCommands, CdCommandsNeedStage1) {
  RecordProperty("rule", "SM-CC-005");
  for (const bool stage1 : {false, true}) {
    for (const std::uint64_t opcode : {cmd::CFGI_CD, cmd::CFGI_CD_ALL}) {
      SmmuConfig config = bench_config();
      config.features.s1p = stage1;
      config.features.s2p = true;
      config.features.had = stage1;
      config.features.xnx = true;
      SmmuBench bench(config);
      bench.push(raw::command(opcode, {{cmd::StreamID, 1}}));
      bench.kick();
      EXPECT_EQ(bench.command_error(), stage1 ? 0u : 1u);
    }
  }
}

TEST(SpecConfigCache, EntryOfBothGoesWithEither) {
  RecordProperty("rule", "SM-SYS-001 SM-CC-004");
  for (const bool by_cd : {false, true}) {
    SmmuBench bench;
    const raw::Cd first = bench.stage1_stream(1), second = bench.stage1_stream(2);  // another table, another ASID
    bench.map(SmmuBench::ttb0(first), 0x5000, raw::page(target));
    bench.map(SmmuBench::ttb0(second), 0x5000, raw::page(target + 0x3000));
    EXPECT_EQ(bench.read(1, 0x5000).address.value, target);
    if (by_cd) {
      bench.put_cd(1, second);
      invalidate(bench, raw::command(cmd::CFGI_CD, {{cmd::StreamID, 1}}));
    } else {
      bench.put_ste(1, SmmuBench::stage1_ste(SmmuBench::cd_address(2)));
      invalidate(bench, raw::command(cmd::CFGI_STE, {{cmd::StreamID, 1}, {cmd::Leaf, 1}}));
    }
    EXPECT_EQ(bench.read(1, 0x5000).address.value, target + 0x3000) << by_cd;
  }
}

}  // namespace
}  // namespace smmusim
