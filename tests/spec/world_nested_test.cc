// SPDX-License-Identifier: MIT
// StreamWorlds beside stage 2 (IHI 0070 sections 3.3.3, 3.17, 4.4.2, 5.2 STRW): streams with stage 2 are NS-EL1
// whatever STRW says, and EL2, EL2-E2H and EL1 entries never meet.
#include <gtest/gtest.h>

#include "tests/support/stage2_bench.h"

namespace smmusim {
namespace {

namespace ste = raw::ste;
namespace cd = raw::cd;
namespace cmd = raw::cmd;
constexpr std::uint64_t target = SmmuBench::target, moved = 0x1'0000'0000;

void set_e2h(SmmuBench& bench, bool e2h) {
  bench.enable(cr0::CMDQEN | cr0::EVENTQEN);
  bench.w32(off::CR2, e2h ? 3 : 2);
  bench.push(raw::command(cmd::CFGI_STE_RANGE, {{cmd::Range, 31}}));
  bench.sync();
  bench.enable(cr0::CMDQEN | cr0::EVENTQEN | cr0::SMMUEN);
}

/// Stream 1 is nested; stream 2 is of EL2 or EL2-E2H, with the same ASID.
struct Worlds : Stage2Bench {
  explicit Worlds(bool e2h) : context(bench.stage1_stream(2).with({{cd::ASID, 1}})), ttb(SmmuBench::ttb0(context)) {
    bench.put_cd(2, context);
    bench.put_ste(2, SmmuBench::stage1_ste(SmmuBench::cd_address(2)).with({{ste::STRW, 2}}));
    set_e2h(bench, e2h);
  }
  raw::Cd context;
  std::uint64_t ttb;
};

TEST(SpecWorldNested, StageTwoMeansEl1) {
  RecordProperty("rule", "SM-ST-024 SM-AT-001 SM-TR-002");
  for (std::uint64_t strw = 0; strw < 4; ++strw) {
    SCOPED_TRACE(strw);
    Stage2Bench b;
    b.edit_ste({{ste::STRW, strw}});
    b.s1.map(0x1000, 0x7000, raw::af);  // privileged only
    b.s2.map(0x7000, target, s2_rw);
    EXPECT_EQ(event_number(b.read(0x1000)), raw::ev::F_PERMISSION) << "EL1 has privileges";
    EXPECT_EQ(b.go(0x1000, AccessType::read, false, true).address.value, target);
    b.edit_cd({{cd::EPD1, 0}, {cd::T1SZ, 16}, {cd::TG1, 2}, {cd::TTB1, b.s1.root() >> 4}});
    b.reload();
    EXPECT_EQ(b.go(0xffff'0000'0000'1000, AccessType::read, false, true).address.value, target) << "and two halves";
    b.edit_ste({{ste::Config, 6}});
    b.reload();
    EXPECT_EQ(b.read(0x7000).address.value, target);
  }
}

TEST(SpecWorldNested, WorldsNeverMix) {
  RecordProperty("rule", "SM-TL-004 SM-TL-002 SM-TL-009");
  for (const bool e2h : {false, true}) {
    for (const bool global : {false, true}) {
      SCOPED_TRACE(testing::Message() << "E2H " << e2h << " global " << global);
      const std::uint64_t flags = raw::af | raw::ap_unprivileged | (global ? 0 : raw::ng);
      Worlds b(e2h);
      b.s1.map(0x1000, 0x7000, flags);
      b.s2.map(0x7000, target, s2_rw);
      b.s2.map(0x1000, target + 0x1000, s2_rw);
      b.bench.map(b.ttb, 0x1000, raw::page(moved, flags));
      b.bench.put_ste(3, b.ste.with({{ste::Config, 6}}));
      for (int round = 0; round < 3; ++round) {
        EXPECT_EQ(b.bench.read(1, 0x1000).address.value, target);
        EXPECT_EQ(b.bench.read(2, 0x1000).address.value, moved);
        EXPECT_EQ(b.bench.read(3, 0x1000).address.value, target + 0x1000);
      }
    }
  }
}

TEST(SpecWorldNested, ChangingTheWorldLeavesNoMixedResults) {
  RecordProperty("rule", "SM-TL-027 SM-TL-013");
  Worlds b(false);
  const std::uint64_t flags = raw::af | raw::ng;  // AP[1]=0
  b.bench.map(b.ttb, 0x1000, raw::page(target, flags));
  EXPECT_EQ(b.bench.read(2, 0x1000).address.value, target) << "EL2 has no privileges";
  const raw::Ste el2 = SmmuBench::stage1_ste(SmmuBench::cd_address(2)).with({{ste::STRW, 2}});
  for (int flip = 0; flip < 3; ++flip) {
    b.bench.put_ste(2, el2.with({{ste::STRW, 0}}));
    b.bench.push(raw::command(cmd::CFGI_STE, {{cmd::StreamID, 2}, {cmd::Leaf, 1}}));
    b.bench.sync();
    EXPECT_EQ(event_number(b.bench.read(2, 0x1000)), raw::ev::F_PERMISSION) << "as EL1";
    b.bench.put_ste(2, el2);
    b.bench.push(raw::command(cmd::CFGI_STE, {{cmd::StreamID, 2}, {cmd::Leaf, 1}}));
    b.bench.sync();
    EXPECT_EQ(b.bench.read(2, 0x1000).address.value, target) << "as EL2 again";
  }
}

struct Row {
  const char* what;
  std::uint64_t opcode, asid, leaf, tg, num, scale, ttl;
  bool e2h, global;
  std::uint64_t base, va;
  int level;
};

TEST(SpecWorldNested, El2InvalidationByAddress) {
  RecordProperty("rule", "SM-TI-017 SM-TI-018 SM-TI-004 SM-TI-002");
  for (const std::uint64_t opcode : {cmd::TLBI_EL2_VA, cmd::TLBI_EL2_VAA}) {
    const bool vaa = opcode == cmd::TLBI_EL2_VAA;
    const Row rows[] = {{"EL2", opcode, 9, 0, 0, 0, 0, 0, false, false, 0x5000, 0x5000, 3},
                        {"EL2, Leaf", opcode, 9, 1, 0, 0, 0, 0, false, false, 0x5000, 0x5000, 3},
                        {"EL2, in a block", opcode, 0, 1, 0, 0, 0, 0, false, true, 0x3f'f000, 0x20'0000, 2},
                        {"EL2, range", opcode, 0, 0, 1, 3, 0, 0, false, true, 0x10000, 0x13000, 3},
                        {"EL2, TTL 2", opcode, 0, 1, 1, 0, 0, 2, false, true, 0x20'0000, 0x20'0000, 2},
                        {"E2H", opcode, vaa ? 9u : 1u, 0, 0, 0, 0, 0, true, false, 0x5000, 0x5000, 3},
                        {"E2H, global", opcode, 9, 1, 0, 0, 0, 0, true, true, 0x5000, 0x5000, 3},
                        {"E2H, in a block", opcode, vaa ? 9u : 1u, 1, 0, 0, 0, 0, true, false, 0x3f'f000, 0x20'0000, 2},
                        {"E2H, range", opcode, vaa ? 9u : 1u, 0, 1, 3, 0, 0, true, false, 0x10000, 0x13000, 3}};
    for (const Row& row : rows) {
      SCOPED_TRACE(testing::Message() << row.what << " opcode " << opcode);
      Worlds b(row.e2h);
      const std::uint64_t flags =
          raw::af | raw::ap_unprivileged | (row.global ? 0 : raw::ng) | (row.level == 3 ? 3 : 1);
      b.bench.map(b.ttb, row.va, target | flags, row.level);
      EXPECT_EQ(b.bench.read(2, row.va).address.value, target);
      b.bench.map(b.ttb, row.va, moved | flags, row.level);
      EXPECT_TRUE(b.command({raw::command(row.opcode, {{cmd::Address, row.base >> 12},
                                                       {cmd::ASID, row.asid},
                                                       {cmd::Leaf, row.leaf},
                                                       {cmd::TG, row.tg},
                                                       {cmd::NUM, row.num},
                                                       {cmd::SCALE, row.scale},
                                                       {cmd::TTL, row.ttl}})}));
      EXPECT_EQ(b.bench.read(2, row.va).address.value, moved);
    }
  }
}

TEST(SpecWorldNested, El2TablePointersGoWithoutLeaf) {
  RecordProperty("rule", "SM-TI-016 SM-TI-017 SM-TI-018 SM-TI-019");
  for (const bool e2h : {false, true}) {
    for (const std::uint64_t opcode : {cmd::TLBI_EL2_ALL, cmd::TLBI_EL2_VA, cmd::TLBI_EL2_VAA, cmd::TLBI_EL2_ASID}) {
      if (!e2h && opcode == cmd::TLBI_EL2_ASID) continue;  // plain EL2 entries may stay
      SCOPED_TRACE(testing::Message() << "E2H " << e2h << " opcode " << opcode);
      Worlds b(e2h);
      b.bench.map(b.ttb, 0x5000, raw::page(target));
      EXPECT_EQ(b.bench.read(2, 0x5000).address.value, target);
      const std::uint64_t table = b.bench.new_table();
      b.bench.memory.write64(table + 8 * 5, raw::page(moved));
      b.bench.map(b.ttb, 0x5000, table | 3, 2);
      EXPECT_TRUE(b.command({raw::command(opcode, {{cmd::Address, 5}, {cmd::ASID, 1}})}));
      EXPECT_EQ(b.bench.read(2, 0x5000).address.value, moved);
    }
  }
}

TEST(SpecWorldNested, E2hChangesAreClean) {
  RecordProperty("rule", "SM-TL-013 SM-TI-016");
  Worlds b(true);
  b.bench.map(b.ttb, 0x1000, raw::page(target));
  EXPECT_EQ(b.bench.read(2, 0x1000).address.value, target);
  set_e2h(b.bench, false);
  b.bench.map(b.ttb, 0x1000, raw::page(moved));
  b.command({raw::command(cmd::TLBI_EL2_ALL)});
  EXPECT_EQ(b.bench.read(2, 0x1000).address.value, moved);
  set_e2h(b.bench, true);
  EXPECT_EQ(b.bench.read(2, 0x1000).address.value, moved) << "EL2_ALL took the E2H entries too";
}

}  // namespace
}  // namespace smmusim
