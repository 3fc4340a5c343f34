// SPDX-License-Identifier: MIT
// The Linux driver's invalidations: its decomposition of a range into NUM, SCALE, TTL and TG, the same without
// IDR3.RIL, and the commands of whole address spaces (shared/reference/linux-driver.md section 5; IHI 0070 section
// 4.4). After the CMD_SYNC no page of the range may be translated by what was there before.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "tests/support/linux_driver.h"
#include "tests/support/stage2_bench.h"

namespace smmusim::linux_driver {
namespace {

namespace cmd = raw::cmd;
namespace ste = raw::ste;
constexpr std::uint64_t target = 0x10'0000'0000, moved = 0x20'0000'0000;
constexpr std::uint64_t s1_leaf = raw::af | raw::ng | raw::ap_unprivileged;
constexpr unsigned asid = 1, vmid = 5;

struct Domain {
  const char* what;
  unsigned tg, granule;  ///< log2 of the smallest page, and of what is mapped
  int level;             ///< of the leaves
  bool stage2;
};

const Domain domains[] = {{"4 KiB pages", 12, 12, 3, false},          {"2 MiB blocks", 12, 21, 2, false},
                          {"1 GiB blocks", 12, 30, 1, false},         {"16 KiB pages", 14, 14, 3, false},
                          {"32 MiB blocks", 14, 25, 2, false},        {"64 KiB pages", 16, 16, 3, false},
                          {"512 MiB blocks", 16, 29, 2, false},       {"4 KiB pages, stage 2", 12, 12, 3, true},
                          {"2 MiB blocks, stage 2", 12, 21, 2, true}, {"64 KiB pages, stage 2", 16, 16, 3, true}};

raw::Command base_of(const Domain& domain) {
  if (domain.stage2) return raw::command(raw::cmd2::TLBI_S2_IPA, {{cmd::VMID, vmid}});
  return raw::command(cmd::TLBI_NH_VA, {{cmd::ASID, asid}, {cmd::VMID, vmid}});
}

/// Without stage 2, the CD and the tables are where their addresses say.
std::uint64_t in_place(std::uint64_t address) {
  return address;
}

Stage2Bench::Options options_of(const Domain& domain, bool ril) {
  Stage2Bench::Options options;
  options.config.features.ril = ril;
  if (!ril) options.config.features.version_minor = 1;
  (domain.stage2 ? options.stage2 : options.stage1) = stage1_shape(48, domain.tg);
  if (!domain.stage2) options.place = in_place;
  return options;
}

/// The offsets of some mappings within `count` of them: the ends, and a few between.
std::set<std::uint64_t> samples(std::uint64_t count, std::mt19937_64& random) {
  std::set<std::uint64_t> some{0, count - 1, count / 2};
  for (int i = 0; i < 5; ++i) some.insert(random() % count);
  return some;
}

struct Case {
  const Domain& domain;
  std::uint64_t iova, count;  ///< of mappings
  bool leaf, ranges, ril;
};

void set_all(Stage2Bench& b, const Case& c, const std::set<std::uint64_t>& offsets, std::uint64_t out) {
  for (const std::uint64_t n : offsets) {
    const std::uint64_t at = c.iova + (n << c.domain.granule), page = out + (n << c.domain.granule);
    if (c.domain.stage2) b.s2.map(at, page, s2_rw, c.domain.level);
    if (!c.domain.stage2) b.s1.map(at, page, s1_leaf, c.domain.level);
  }
}

std::vector<raw::Command> commands_of(const Case& c) {
  const std::uint64_t size = c.count << c.domain.granule;
  const raw::Command base = base_of(c.domain);
  return c.ranges ? range_commands(base, c.iova, size, c.domain.tg, c.domain.granule, c.leaf)
                  : page_commands(base, c.iova, size, c.domain.granule, c.leaf);
}

void expect_gone(const Case& c, std::mt19937_64& random) {
  Stage2Bench b(options_of(c.domain, c.ril));
  b.edit_ste({{ste::Config, c.domain.stage2 ? 6u : 5u}});
  const std::set<std::uint64_t> offsets = samples(c.count, random);
  set_all(b, c, offsets, target);
  for (const std::uint64_t n : offsets) {
    const std::uint64_t at = n << c.domain.granule;
    ASSERT_EQ(b.read(c.iova + at + 0x123).address.value, target + at + 0x123);
  }
  set_all(b, c, offsets, moved);
  for (const raw::Command& command : commands_of(c)) {
    b.bench.push(command);
    b.bench.kick();
  }
  b.bench.sync();
  EXPECT_TRUE(b.bench.all_consumed()) << "none of the commands is illegal";
  for (const std::uint64_t n : offsets) {
    const std::uint64_t at = n << c.domain.granule;
    EXPECT_EQ(b.read(c.iova + at + 0x123).address.value, moved + at + 0x123) << "mapping " << n;
  }
}

void sweep(bool ranges, bool ril, std::initializer_list<std::uint64_t> counts) {
  std::mt19937_64 random(3);
  for (const Domain& domain : domains) {
    for (const std::uint64_t count : counts) {
      if (count << domain.granule > std::uint64_t{1} << 40) continue;
      for (const bool leaf : {true, false}) {
        const std::uint64_t first = random() % 64;  // a range need not be aligned to more than its mappings
        const Case c{domain, first << domain.granule, count, leaf, ranges, ril};
        SCOPED_TRACE(testing::Message() << domain.what << ", " << count << " from " << first << ", leaf " << leaf);
        expect_gone(c, random);
      }
    }
  }
}

TEST(SpecLinuxDriverTlbi, Ranges) {
  RecordProperty("rule", "SM-TI-004 SM-TI-014 SM-TI-020");
  sweep(true, true, {1, 2, 31, 32, 33, 63, 64, 65, 512, 513, 1023, 1024, 1025, 0x4'1041, 0x10'0000, 0xfff'ffff});
}

TEST(SpecLinuxDriverTlbi, PagesWithoutRanges) {
  RecordProperty("rule", "SM-TI-003 SM-TI-014 SM-TI-020");
  sweep(false, false, {1, 2, 33, 100});
  sweep(false, true, {1, 2, 33, 100});
}

/// Every number that the reference names, and that the driver's loop covers what it has to.
TEST(SpecLinuxDriverTlbi, EncodingsAreTheDrivers) {
  std::mt19937_64 random(9);
  for (const Domain& domain : domains) {
    for (int i = 0; i < 300; ++i) {
      // A domain has at most 2^40 bytes here: SCALE has five bits.
      const std::uint64_t count = 1 + (random() >> std::min<std::uint64_t>(63, 25 + domain.granule + random() % 12));
      const std::uint64_t iova = std::uint64_t{5} << domain.granule;
      const bool leaf = (i & 1) != 0;
      std::uint64_t at = iova;
      for (const raw::Command& c :
           range_commands(base_of(domain), iova, count << domain.granule, domain.tg, domain.granule, leaf)) {
        EXPECT_EQ(c.get(cmd::Address) << 12, at) << "without a gap";
        EXPECT_EQ(c.get(cmd::TG), domain.tg == 12 ? 1u : domain.tg == 14 ? 2u : 3u);
        EXPECT_EQ(c.get(cmd::TTL), leaf ? static_cast<unsigned>(domain.level) : 0u);
        EXPECT_NE(c.get(cmd::NUM) | c.get(cmd::SCALE) | c.get(cmd::TTL), 0u);
        at += (c.get(cmd::NUM) + 1) << (c.get(cmd::SCALE) + domain.tg);
      }
      const std::uint64_t end = iova + (count << domain.granule);
      EXPECT_TRUE(at == end || (!leaf && at == end + (std::uint64_t{1} << domain.tg)));
    }
  }
}

TEST(SpecLinuxDriverTlbi, UnmappedTablesAreForgotten) {
  RecordProperty("rule", "SM-TI-004 SM-TI-014 SM-TL-022");
  // The driver frees a table of leaves and maps a new one in its place: Leaf=0.
  for (const std::uint64_t size : {0x20'0000u, 0x1000u, 0x40'0000u}) {
    SmmuBench bench(stage2_config());
    const raw::Cd context = bench.stage1_stream(1);
    const std::uint64_t ttb = SmmuBench::ttb0(context), va = 0x4000'0000;
    bench.map(ttb, va, raw::page(target));
    EXPECT_EQ(bench.read(1, va).address.value, target);
    const std::uint64_t table = bench.new_table();
    bench.memory.write64(table, raw::page(moved));
    bench.map(ttb, va, table | 3, 2);
    for (const raw::Command& command :
         range_commands(raw::command(cmd::TLBI_NH_VA, {{cmd::ASID, 1}}), va, size, 12, 12, false)) {
      bench.push(command);
    }
    bench.sync();
    EXPECT_TRUE(bench.all_consumed());
    EXPECT_EQ(bench.read(1, va).address.value, moved) << size;
  }
}

struct Flush {
  const char* what;
  std::uint64_t config;  ///< of the STE
  bool stage2_changes;
  std::vector<raw::Command> commands;  ///< CMD_SYNC after each
};

TEST(SpecLinuxDriverTlbi, WholeAddressSpaces) {
  RecordProperty("rule", "SM-TI-012 SM-TI-022 SM-TI-011 SM-TI-020");
  const Flush flushes[] = {
      {"a stage-1 domain", 5, false, {raw::command(cmd::TLBI_NH_ASID, {{cmd::ASID, asid}, {cmd::VMID, vmid}})}},
      {"a stage-2 domain", 6, true, {raw::command(raw::cmd2::TLBI_S12_VMALL, {{cmd::VMID, vmid}})}},
      {"a guest's stage 1", 7, false, {raw::command(cmd::TLBI_NH_ALL, {{cmd::VMID, vmid}})}},
      {"below a guest",
       7,
       true,
       {raw::command(raw::cmd2::TLBI_S2_IPA, {{cmd::VMID, vmid}, {cmd::Address, 7}}),
        raw::command(cmd::TLBI_NH_ALL, {{cmd::VMID, vmid}})}}};
  for (const Flush& flush : flushes) {
    SCOPED_TRACE(flush.what);
    Stage2Bench::Options options;
    if (flush.config == 5) options.place = in_place;
    Stage2Bench b(options);
    b.edit_ste({{ste::Config, flush.config}});
    const bool nested = flush.config == 7;
    b.s1.map(0x1000, nested ? 0x7000 : target, s1_leaf);
    b.s2.map(0x7000, target, s2_rw);
    b.s2.map(0x8000, moved, s2_rw);
    const std::uint64_t va = flush.config == 6 ? 0x7000 : 0x1000;
    EXPECT_EQ(b.read(va).address.value, target);
    if (flush.stage2_changes) b.s2.map(0x7000, moved, s2_rw);
    if (!flush.stage2_changes) b.s1.map(0x1000, nested ? 0x8000 : moved, s1_leaf);
    for (const raw::Command& command : flush.commands) EXPECT_TRUE(b.command({command}));
    EXPECT_EQ(b.read(va).address.value, moved);
  }
}

TEST(SpecLinuxDriverTlbi, El2Domains) {
  RecordProperty("rule", "SM-TI-017 SM-TI-019");
  // A kernel with VHE tags its domains EL2-E2H.
  for (const bool whole : {false, true}) {
    SmmuBench bench(stage2_config());
    bench.enable(cr0::CMDQEN | cr0::EVENTQEN);
    bench.w32(off::CR2, 3);
    bench.enable(0xd);
    const raw::Cd context = bench.stage1_stream(2);
    bench.put_ste(2, SmmuBench::stage1_ste(SmmuBench::cd_address(2)).with({{ste::STRW, 2}}));
    for (std::uint64_t n = 0; n < 100; ++n) bench.map(SmmuBench::ttb0(context), n << 12, raw::page(target + (n << 12)));
    for (std::uint64_t n = 0; n < 100; ++n) EXPECT_EQ(bench.read(2, n << 12).address.value, target + (n << 12));
    for (std::uint64_t n = 0; n < 100; ++n) bench.map(SmmuBench::ttb0(context), n << 12, raw::page(moved + (n << 12)));
    const raw::Command all = raw::command(cmd::TLBI_EL2_ASID, {{cmd::ASID, 2}});
    const raw::Command base = raw::command(cmd::TLBI_EL2_VA, {{cmd::ASID, 2}});
    for (const raw::Command& command : whole ? std::vector{all} : range_commands(base, 0, 100 << 12, 12, 12, true)) {
      bench.push(command);
    }
    bench.sync();
    EXPECT_TRUE(bench.all_consumed());
    for (std::uint64_t n = 0; n < 100; ++n) EXPECT_EQ(bench.read(2, n << 12).address.value, moved + (n << 12));
  }
}

}  // namespace
}  // namespace smmusim::linux_driver
