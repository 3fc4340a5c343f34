// SPDX-License-Identifier: MIT
// Invalidation of stage-2 and combined entries, and their tags (IHI 0070 sections 3.17, 3.21.1, 4.4). What must go is
// found gone because an access sees the changed table; that anything stays is never required.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/stage2_bench.h"

namespace smmusim {
namespace {

namespace ste = raw::ste;
namespace cmd = raw::cmd;
namespace cmd2 = raw::cmd2;
constexpr std::uint64_t target = SmmuBench::target, moved = 0x1'0000'0000, vmid = 5;

/// A stream of stage 2 alone whose mappings move from target + ipa to moved + ipa.
struct Alone : Stage2Bench {
  explicit Alone(const Options& options = {}) : Stage2Bench(options) { edit_ste({{ste::Config, 6}}); }
  void move(std::uint64_t ipa, int level = 3) {
    s2.map(ipa, target + ipa, s2_rw, level);
    EXPECT_EQ(read(ipa).address.value, target + ipa);
    s2.map(ipa, moved + ipa, s2_rw, level);
  }
  bool sees_new(std::uint64_t ipa) { return read(ipa).address.value == moved + ipa; }
};

raw::Command s2_ipa(std::uint64_t ipa, std::uint64_t leaf = 0, std::uint64_t of = vmid) {
  return raw::command(cmd2::TLBI_S2_IPA, {{cmd::VMID, of}, {cmd::Address, ipa >> 12}, {cmd::Leaf, leaf}});
}
raw::Command of_vmid(std::uint64_t opcode) {
  return raw::command(opcode, {{cmd::VMID, vmid}});
}

struct LevelRow {
  unsigned granule;
  int level;
};

TEST(SpecTlbiStage2, ByIpaAnywhereInTheMapping) {
  RecordProperty("rule", "SM-TI-020 SM-TI-002");
  for (const LevelRow& row : {LevelRow{12, 3}, LevelRow{12, 2}, LevelRow{12, 1}, LevelRow{14, 3}, LevelRow{14, 2},
                              LevelRow{16, 3}, LevelRow{16, 2}}) {
    for (std::uint64_t leaf : {0u, 1u}) {
      SCOPED_TRACE(testing::Message() << "granule 2^" << row.granule << " level " << row.level << " Leaf " << leaf);
      Stage2Bench::Options options;
      options.stage2 = {row.granule, 44, row.granule == 12 ? 0 : 1};
      Alone b(options);
      const std::uint64_t size = std::uint64_t{1} << b.s2.shape().shift(row.level), ipa = 2 * size;
      b.s2.map(ipa, 4 * size, s2_rw, row.level);
      EXPECT_EQ(b.read(ipa + 0x10).address.value, 4 * size + 0x10);
      b.s2.map(ipa, 8 * size, s2_rw, row.level);
      EXPECT_TRUE(b.command({s2_ipa(ipa + size - 0x1000, leaf)}));
      EXPECT_EQ(b.read(ipa + 0x10).address.value, 8 * size + 0x10);
    }
  }
}

/// Address is bits [55:12] of an IPA; what is above it in the command is RES0.
TEST(SpecTlbiStage2, BitsAboveTheIpaAreIgnored) {
  Alone b;
  b.move(0x5000);
  EXPECT_TRUE(b.command({s2_ipa(0xff00'0000'0000'5000)}));
  EXPECT_TRUE(b.sees_new(0x5000));
}

TEST(SpecTlbiStage2, TablePointersGoWithoutLeaf) {
  RecordProperty("rule", "SM-TI-020 SM-TI-004 SM-TL-022");
  for (int level = 0; level <= 2; ++level) {
    Alone b;
    b.s2.map(0x5000, target, s2_rw);
    EXPECT_EQ(b.read(0x5000).address.value, target);
    TableTree other(b.bench.memory, {}, 0x6800'0000);
    other.map(0x5000, moved, s2_rw);
    b.s2.set(0x5000, level, b.bench.memory.read64(other.entry(0x5000, level)));
    b.command({s2_ipa(0x5000)});
    EXPECT_EQ(b.read(0x5000).address.value, moved) << "level " << level;
  }
}

struct RangeRow {
  const char* what;
  unsigned granule;
  std::uint64_t base, num, scale, ttl, ipa;
  int level;
};

TEST(SpecTlbiStage2, Ranges) {
  RecordProperty("rule", "SM-TI-003 SM-TI-004 SM-TI-020 SM-TI-024");
  const RangeRow rows[] = {{"4K: 2 pages, last", 12, 0x10000, 1, 0, 0, 0x11000, 3},
                           {"4K: 32 pages, last", 12, 0x10000, 31, 0, 0, 0x2f000, 3},
                           {"4K: SCALE 9", 12, 0x20'0000, 0, 9, 0, 0x3f'f000, 3},
                           {"4K: TTL 3", 12, 0x10000, 0, 0, 3, 0x10000, 3},
                           {"4K: TTL 2 block", 12, 0x20'0000, 0, 0, 2, 0x20'0000, 2},
                           {"4K: TTL 1 block", 12, 0x4000'0000, 0, 0, 1, 0x4000'0000, 1},
                           {"4K: 2 blocks of TTL 2", 12, 0x20'0000, 1, 9, 2, 0x40'0000, 2},
                           {"16K: 2 pages, last", 14, 0x10000, 1, 0, 0, 0x14000, 3},
                           {"16K: TTL 2 block", 14, 0x200'0000, 0, 0, 2, 0x200'0000, 2},
                           {"64K: 4 pages, last", 16, 0x10'0000, 3, 0, 0, 0x13'0000, 3},
                           {"64K: TTL 2 block", 16, 0x2000'0000, 0, 0, 2, 0x2000'0000, 2},
                           {"64K: SCALE 5", 16, 0x200'0000, 0, 5, 0, 0x21f'0000, 3},
                           {"largest range", 12, 0, 31, 31, 0, 0xfff'ffff'f000, 3}};
  for (const RangeRow& row : rows) {
    for (const std::uint64_t leaf : {0u, 1u}) {
      SCOPED_TRACE(testing::Message() << row.what << " Leaf " << leaf);
      Stage2Bench::Options options;
      options.stage2 = {row.granule, 44, row.granule == 12 ? 0 : 1};
      Alone b(options);
      b.s2.map(row.ipa, 0x1000'0000'0000, s2_rw, row.level);
      EXPECT_EQ(b.read(row.ipa).address.value, 0x1000'0000'0000u);
      b.s2.map(row.ipa, 0x2000'0000'0000, s2_rw, row.level);
      EXPECT_TRUE(b.command({s2_ipa(row.base, leaf)
                                 .with({{cmd::NUM, row.num},
                                        {cmd::SCALE, row.scale},
                                        {cmd::TTL, row.ttl},
                                        {cmd::TG, (row.granule - 10) / 2}})}));
      EXPECT_EQ(b.read(row.ipa).address.value, 0x2000'0000'0000u);
    }
  }
}

TEST(SpecTlbiStage2, WideScopes) {
  RecordProperty("rule", "SM-TI-022 SM-TI-023 SM-TI-011 SM-TL-026");
  struct Row {
    const char* what;
    std::uint64_t config;
    raw::Command command;
  };
  const Row rows[] = {{"stage 2 alone, S12_VMALL", 6, of_vmid(cmd2::TLBI_S12_VMALL)},
                      {"stage 2 alone, NSNH_ALL", 6, raw::command(cmd::TLBI_NSNH_ALL)},
                      {"nested, S12_VMALL", 7, of_vmid(cmd2::TLBI_S12_VMALL)},
                      {"nested, NSNH_ALL", 7, raw::command(cmd::TLBI_NSNH_ALL)},
                      {"stage 1 alone, S12_VMALL", 5, of_vmid(cmd2::TLBI_S12_VMALL)},
                      {"stage 1 alone, NSNH_ALL", 5, raw::command(cmd::TLBI_NSNH_ALL)}};
  for (const Row& row : rows) {
    for (const bool global : {false, true}) {
      SCOPED_TRACE(testing::Message() << row.what << " global " << global);
      Stage2Bench::Options options;
      if (row.config == 5) options.place = [](std::uint64_t at) { return at; };
      Stage2Bench b(options);
      b.edit_ste({{ste::Config, row.config}});
      const std::uint64_t flags = raw::af | raw::ap_unprivileged | (global ? 0 : raw::ng);
      // Every table is replaced: the last level, and the tables above.
      const std::uint64_t at = row.config == 6 ? 0x7000 : 0x1000;
      b.s1.map(0x1000, 0x7000, flags);
      b.s2.map(0x7000, target, s2_rw);
      const std::uint64_t before = row.config == 5 ? 0x7000 : target;
      EXPECT_EQ(b.read(at).address.value, before);
      b.s1.map(0x1000, 0x9000, flags);
      b.s2.map(0x7000, moved, s2_rw);
      b.s2.map(0x9000, moved, s2_rw);
      EXPECT_TRUE(b.command({row.command}));
      EXPECT_EQ(b.read(at).address.value, row.config == 5 ? 0x9000 : moved);
    }
  }
}

TEST(SpecTlbiStage2, NestedEntriesGoByTheSequencesOfHypervisors) {
  RecordProperty("rule", "SM-TI-020 SM-TI-013 SM-TI-011 SM-TI-014");
  const std::uint64_t va = 0x1000, ipa = 0x7000;
  const raw::Command by_va =
      raw::command(cmd::TLBI_NH_VA, {{cmd::VMID, vmid}, {cmd::ASID, 1}, {cmd::Address, va >> 12}, {cmd::Leaf, 1}});
  const raw::Command by_vaa =
      raw::command(cmd::TLBI_NH_VAA, {{cmd::VMID, vmid}, {cmd::Address, va >> 12}, {cmd::Leaf, 1}});
  const raw::Command by_asid = raw::command(cmd::TLBI_NH_ASID, {{cmd::VMID, vmid}, {cmd::ASID, 1}});
  for (const raw::Command& second : {of_vmid(cmd::TLBI_NH_ALL), by_va, by_vaa, by_asid}) {
    SCOPED_TRACE(second.dw[0] & 0xff);
    Stage2Bench b;
    b.s1.map(va, ipa, raw::af | raw::ng | raw::ap_unprivileged);
    b.s2.map(ipa, target, s2_rw);
    EXPECT_EQ(b.read(va).address.value, target);
    b.s2.map(ipa, moved, s2_rw);
    EXPECT_TRUE(b.command({s2_ipa(ipa, 1), second}));
    EXPECT_EQ(b.read(va).address.value, moved);
  }
}

TEST(SpecTlbiStage2, StageOneCommandsFindCombinedEntries) {
  RecordProperty("rule", "SM-TI-011 SM-TI-012 SM-TI-013 SM-TI-014");
  const auto by_va = [](std::uint64_t opcode, std::uint64_t asid) {
    return raw::command(opcode, {{cmd::VMID, vmid}, {cmd::ASID, asid}, {cmd::Address, 0x1}});
  };
  struct Row {
    raw::Command command;
    bool global;
  };
  for (const Row& row : {Row{of_vmid(cmd::TLBI_NH_ALL), false}, Row{of_vmid(cmd::TLBI_NH_ALL), true},
                         Row{by_va(cmd::TLBI_NH_ASID, 1), false}, Row{by_va(cmd::TLBI_NH_VA, 1), false},
                         Row{by_va(cmd::TLBI_NH_VA, 9), true}, Row{by_va(cmd::TLBI_NH_VAA, 9), false},
                         Row{by_va(cmd::TLBI_NH_VAA, 9), true}}) {
    SCOPED_TRACE(testing::Message() << (row.command.dw[0] & 0xff) << " global " << row.global);
    Stage2Bench b;
    const std::uint64_t flags = raw::af | raw::ap_unprivileged | (row.global ? 0 : raw::ng);
    b.s1.map(0x1000, 0x7000, flags);
    b.s2.map(0x7000, target, s2_rw);
    b.s2.map(0x9000, moved, s2_rw);
    EXPECT_EQ(b.read(0x1000).address.value, target);
    b.s1.map(0x1000, 0x9000, flags);
    EXPECT_TRUE(b.command({row.command}));
    EXPECT_EQ(b.read(0x1000).address.value, moved);
  }
}

TEST(SpecTlbiStage2, MovedPagesOfStageOneTables) {
  RecordProperty("rule", "SM-TI-020");
  // The hypervisor moves the page of a stage-1 table: the IPA cache must forget the old place.
  for (int level = 0; level <= 3; ++level) {
    SCOPED_TRACE(level);
    Stage2Bench b;
    b.s1.map(0x1000, 0x7000, raw::af | raw::ng | raw::ap_unprivileged);
    b.s1.map(0x2000, 0x8000, raw::af | raw::ng | raw::ap_unprivileged);
    b.s2.map(0x7000, target, s2_rw);
    b.s2.map(0x8000, target + 0x1000, s2_rw);
    EXPECT_EQ(b.read(0x1000).address.value, target);
    const std::uint64_t table = b.s1.entry(0x1000, level) & ~std::uint64_t{0xfff}, copy = 0x2'0000'0000;
    for (std::uint64_t i = 0; i < 4096; i += 8)
      b.bench.memory.write64(copy + i, b.bench.memory.read64(b.place(table) + i));
    for (std::uint64_t i = 0; i < 4096; i += 8) b.bench.memory.write64(b.place(table) + i, 0);
    b.s2.map(table, copy, s2_rw);
    EXPECT_TRUE(b.command({s2_ipa(table, 1), of_vmid(cmd::TLBI_NH_ALL)}));
    EXPECT_EQ(b.read(0x2000).address.value, target + 0x1000);
    EXPECT_EQ(b.read(0x1000).address.value, target);
  }
}

TEST(SpecTlbiStage2, VmidsAndKindsOfAddressesStayApart) {
  RecordProperty("rule", "SM-TL-002 SM-TL-004 SM-TL-026");
  // Stream 1 nested, 2 and 3 of stage 2 alone with the same and another VMID, 4 of stage 1 alone: one address each.
  Stage2Bench b;
  b.s1.map(0x7000, 0x9000, raw::af | raw::ap_unprivileged);
  b.s2.map(0x9000, target, s2_rw);
  b.s2.map(0x7000, target + 0x1000, s2_rw);
  b.bench.put_ste(2, b.ste.with({{ste::Config, 6}}));
  TableTree other(b.bench.memory, {}, 0x6800'0000);
  other.map(0x7000, target + 0x2000, s2_rw);
  b.bench.put_ste(3, b.ste.with({{ste::Config, 6}, {ste::S2VMID, 6}, {raw::s2::S2TTB, other.root() >> 4}}));
  const raw::Cd cd = b.bench.stage1_stream(4);
  b.bench.map(SmmuBench::ttb0(cd), 0x7000, raw::page(target + 0x3000));
  for (int round = 0; round < 3; ++round) {
    for (std::uint32_t sid = 1; sid <= 4; ++sid) {
      EXPECT_EQ(b.bench.read(sid, 0x7000).address.value, target + 0x1000 * (sid - 1)) << "stream " << sid;
    }
  }
}

TEST(SpecTlbiStage2, VmidWildcard) {
  RecordProperty("rule", "SM-TL-014 SM-TI-022 SM-TI-020");
  for (const std::uint64_t opcode : {cmd2::TLBI_S12_VMALL, cmd2::TLBI_S2_IPA}) {
    Stage2Bench::Options options;
    options.config.features.vmw = true;
    Alone b(options);
    b.edit_ste({{ste::S2VMID, 0x23}});
    b.bench.enable(0xd | 2u << 6);  // VMW: two bits
    b.move(0x5000);
    EXPECT_TRUE(b.command({raw::command(opcode, {{cmd::VMID, 0x20}, {cmd::Address, 5}})}));
    EXPECT_TRUE(b.sees_new(0x5000)) << opcode;
  }
}

TEST(SpecTlbiStage2, OversizeIpasAreHarmless) {
  RecordProperty("rule", "SM-TI-021 SM-TI-007");
  Alone b;
  b.move(0x5000);
  for (unsigned bit = 48; bit < 64; ++bit) EXPECT_TRUE(b.command({s2_ipa(std::uint64_t{1} << bit)}));
  for (std::uint64_t ttl = 0; ttl < 4; ++ttl) {
    EXPECT_TRUE(b.command({s2_ipa(0x1234'5000).with({{cmd::TG, 1}, {cmd::NUM, 3}, {cmd::TTL, ttl}})}));
  }
  EXPECT_TRUE(b.command({s2_ipa(0x5000)}));
  EXPECT_TRUE(b.sees_new(0x5000));
}

struct LegalRow {
  const char* what;
  std::uint64_t opcode;
  bool s1p, s2p, hyp, legal;
};

TEST(SpecTlbiStage2, CommandsOfStagesThatAreNotThere) {
  RecordProperty("rule", "SM-TI-009 SM-TI-016 SM-TI-020 SM-TI-022");
  const LegalRow rows[] = {{"S12_VMALL", cmd2::TLBI_S12_VMALL, true, true, false, true},
                           {"S2_IPA", cmd2::TLBI_S2_IPA, true, true, false, true},
                           {"S12_VMALL, S2P=0", cmd2::TLBI_S12_VMALL, true, false, false, false},
                           {"S2_IPA, S2P=0", cmd2::TLBI_S2_IPA, true, false, false, false},
                           {"S12_VMALL, S1P=0", cmd2::TLBI_S12_VMALL, false, true, false, true},
                           {"S2_IPA, S1P=0", cmd2::TLBI_S2_IPA, false, true, false, true},
                           {"NH_ALL, S1P=0", cmd::TLBI_NH_ALL, false, true, false, false},
                           {"NH_ASID, S1P=0", cmd::TLBI_NH_ASID, false, true, false, false},
                           {"NH_VA, S1P=0", cmd::TLBI_NH_VA, false, true, false, false},
                           {"NH_VAA, S1P=0", cmd::TLBI_NH_VAA, false, true, false, false},
                           {"NSNH_ALL, S1P=0", cmd::TLBI_NSNH_ALL, false, true, false, true},
                           {"NSNH_ALL, S2P=0", cmd::TLBI_NSNH_ALL, true, false, false, true},
                           {"EL2_ALL, HYP=0", cmd::TLBI_EL2_ALL, true, true, false, false},
                           {"EL2_ASID, HYP=0", cmd::TLBI_EL2_ASID, true, true, false, false},
                           {"EL2_VA, HYP=0", cmd::TLBI_EL2_VA, true, true, false, false},
                           {"EL2_VAA, HYP=0", cmd::TLBI_EL2_VAA, true, true, false, false},
                           {"EL2_ALL", cmd::TLBI_EL2_ALL, true, true, true, true},
                           {"EL2_VAA", cmd::TLBI_EL2_VAA, true, true, true, true}};
  for (const LegalRow& row : rows) {
    SCOPED_TRACE(row.what);
    SmmuConfig config = bench_config();
    spec::Features& f = config.features;
    f.s1p = f.had = row.s1p;
    f.s2p = f.xnx = row.s2p;
    f.hyp = row.hyp;
    SmmuBench bench(config);
    bench.issue(raw::command(row.opcode));
    EXPECT_EQ(bench.all_consumed(), row.legal);
    if (!row.legal) {
      EXPECT_EQ(bench.command_error(), 1u) << "CERROR_ILL";
    }
  }
}

TEST(SpecTlbiStage2, IllegalRanges) {
  RecordProperty("rule", "SM-TI-005 SM-TI-008");
  for (const bool ril : {false, true}) {
    for (std::uint64_t tg = 0; tg < 4; ++tg) {
      SmmuConfig config = bench_config();
      config.features.s2p = config.features.xnx = true;
      config.features.ril = ril;
      SmmuBench bench(config);
      bench.issue(s2_ipa(0x1000).with({{cmd::TG, tg}}));  // NUM, SCALE and TTL are 0
      EXPECT_EQ(bench.all_consumed(), !ril || tg == 0) << "RIL " << ril << " TG " << tg;
    }
  }
}

TEST(SpecTlbiStage2, ScaleIsFiveOrSixBits) {
  RecordProperty("rule", "SM-TI-024 SM-TI-006");
  constexpr raw::Bits wide_scale{25, 20};
  for (const bool ds : {false, true}) {
    for (const std::uint64_t scale : {31u, 32u, 36u, 39u, 40u, 63u}) {
      SCOPED_TRACE(testing::Message() << "DS " << ds << " SCALE " << scale);
      Stage2Bench::Options options;
      if (ds) options.config = wide_config(48);
      Alone b(options);
      // The least that must go: 2^SCALE pages from 0, SCALE of 5 bits without DS, at most 39 with it.
      const std::uint64_t effective = ds ? std::min<std::uint64_t>(scale, 39) : scale & 31;
      const std::uint64_t pages = std::uint64_t{1} << std::min<std::uint64_t>(effective, 34);
      const std::uint64_t ipa = (pages - 1) << 12;
      b.s2.map(ipa, target, s2_rw);
      EXPECT_EQ(b.read(ipa).address.value, target);
      b.s2.map(ipa, moved, s2_rw);
      EXPECT_TRUE(b.command({s2_ipa(0).with({{cmd::TG, 1}, {cmd::NUM, 1}, {wide_scale, scale}})}));
      EXPECT_EQ(b.read(ipa).address.value, moved);
    }
  }
}

TEST(SpecTlbiStage2, CombinedEntriesGoWithStage1AfterAnIpaCommand) {
  RecordProperty("rule", "SM-SYS-002 SM-TI-011 SM-TI-013");
  constexpr std::uint64_t va = 0x12'3456'7000, ipa = 0x8'7654'3000;
  for (const bool all : {false, true}) {
    Stage2Bench b;
    b.s1.map(va, ipa, raw::af | raw::ng | raw::ap_unprivileged);
    b.s2.map(ipa, target, s2_rw);
    EXPECT_EQ(b.read(va).address.value, target);
    b.s2.map(ipa, moved, s2_rw);
    EXPECT_TRUE(b.command({s2_ipa(ipa)}));  // the combined entry may stay
    EXPECT_TRUE(b.command({all ? of_vmid(cmd::TLBI_NH_ALL)
                               : raw::command(cmd::TLBI_NH_VAA, {{cmd::VMID, vmid}, {cmd::Address, va >> 12}})}));
    EXPECT_EQ(b.read(va).address.value, moved) << all;
  }
}

}  // namespace
}  // namespace smmusim
