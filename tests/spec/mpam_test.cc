// SPDX-License-Identifier: MIT
// MPAM: which PARTID and PMG every kind of access carries, and the registers that say so (IHI 0070 chapter 17,
// sections 5.2 S1MPAM and PARTID, 6.3.41 to 6.3.43). The Virtual Machine Structure is vms_test.cc's.
#include <gtest/gtest.h>

#include "tests/support/stage2_bench.h"

namespace smmusim {
namespace {

namespace ste = raw::ste;
namespace cd = raw::cd;
constexpr std::uint32_t update = 0x8000'0000;
constexpr std::uint64_t target = SmmuBench::target, va = 0x12'3456'7000, ipa = 0x8'7654'3000, vms = 0x4040'0000;
constexpr MpamIds of_gmpam{0x21, 0x3}, of_gbpmpam{0x22, 0x4}, of_ste{0x11, 0x1}, of_cd{0x12, 0x2}, of_map{0x1d, 0x2};

SmmuConfig mpam_config() {
  SmmuConfig config = without_caches(stage2_config());
  config.features.mpam = true;
  config.features.partid_max = 0x2a;
  config.features.pmg_max = 0x0f;
  return config;
}
constexpr std::uint32_t value_of(MpamIds ids) {
  return ids.partid | std::uint32_t{ids.pmg} << 16;
}

/// va -> ipa -> target; the VMS maps of_cd.partid to of_map.partid.
struct Labelled : Stage2Bench {
  explicit Labelled(Options options = {}) : Stage2Bench(with_mpam(options)) {
    s1.map(va, ipa, raw::af | raw::ap_unprivileged | raw::ng);
    s2.map(ipa, target, s2_rw);
    s2.map(va, target, s2_rw);
    bench.memory.write64(vms + of_cd.partid / 4 * 8, std::uint64_t{of_map.partid} << (of_cd.partid % 4 * 16));
    edit_ste({{ste::PARTID, of_ste.partid}, {ste::PMG, of_ste.pmg}, {ste::VMSPtr, vms >> 12}});
    edit_cd({{cd::PARTID, of_cd.partid}, {cd::PMG, of_cd.pmg}});
    bench.w32(off::GMPAM, update | value_of(of_gmpam));
    bench.w32(off::GBPMPAM, update | value_of(of_gbpmpam));
    bench.memory.log.clear();
  }
  static Options with_mpam(Options options) {
    if (!options.config.features.mpam) options.config = mpam_config();
    options.place = [](std::uint64_t address) { return address; };  // so that stage 1 works without stage 2 too
    return options;
  }
  MpamIds of(Purpose purpose) { return bench.memory.last(purpose).mpam; }
  MpamIds of_stage(unsigned stage) {
    for (const BenchAccess& access : bench.memory.log) {
      if (access.purpose == Purpose::TTD && access.stage == stage) return access.mpam;
    }
    ADD_FAILURE() << "no descriptor of stage " << stage;
    return {};
  }
};

TEST(SpecMpam, Mpamidr) {
  RecordProperty("rule", "SM-MPM-001");
  SmmuBench bench(mpam_config());
  EXPECT_EQ(bench.r32(off::MPAMIDR), 0x000f'002au);
  EXPECT_EQ(bench.r32(off::IDR3) >> 7 & 1, 1u);
  bench.w32(off::MPAMIDR, 0);
  EXPECT_EQ(bench.r32(off::MPAMIDR), 0x000f'002au);
}

TEST(SpecMpam, WithoutMpamTheRegistersAreRes0) {
  SmmuBench bench(stage2_config());
  for (const std::uint32_t offset : {off::MPAMIDR, off::GMPAM, off::GBPMPAM}) {
    bench.w32(offset, 0xffff'ffff);
    EXPECT_EQ(bench.r32(offset), 0u) << offset;
  }
}

TEST(SpecMpam, GlobalRegistersNeedUpdate) {
  RecordProperty("rule", "SM-MPM-002 SM-MPM-003");
  for (const std::uint32_t offset : {off::GMPAM, off::GBPMPAM}) {
    SmmuBench bench(mpam_config());
    EXPECT_EQ(bench.r32(offset), 0u) << "after reset";
    bench.w32(offset, 0x0005'0007);
    EXPECT_EQ(bench.r32(offset), 0u) << "without Update";
    bench.w32(offset, update | 0x0005'0007);
    EXPECT_EQ(bench.r32(offset), 0x0005'0007u) << "Update has cleared";
    bench.w32(offset, update | 0x7fff'ffff);
    EXPECT_EQ(bench.r32(offset), 0x000f'003fu) << "no bits above the widths of MPAMIDR";
    bench.smmu.reset();
    EXPECT_EQ(bench.r32(offset), 0u);
  }
}

TEST(SpecMpam, BypassWhileDisabled) {
  RecordProperty("rule", "SM-MPM-003 SM-MPM-004");
  Labelled b;
  b.bench.enable(0);
  EXPECT_EQ(b.read(0x1000).mpam, of_gbpmpam);
  b.bench.w32(off::GBPMPAM, update | 0x0001'0002);
  EXPECT_EQ(b.read(0x1000).mpam, (MpamIds{2, 1}));
}

struct ClientRow {
  const char* what;
  std::uint64_t config, s1mpam;
  MpamIds ids;
};

TEST(SpecMpam, ClientTraffic) {
  RecordProperty("rule", "SM-MPM-004 SM-MP-001");
  const ClientRow rows[] = {{"bypass", 4, 0, of_ste},  {"bypass, S1MPAM ignored", 4, 1, of_ste},
                            {"stage 2", 6, 0, of_ste}, {"stage 2, S1MPAM ignored", 6, 1, of_ste},
                            {"stage 1", 5, 0, of_ste}, {"stage 1 with S1MPAM", 5, 1, of_cd},
                            {"nested", 7, 0, of_ste},  {"nested with S1MPAM", 7, 1, of_map}};
  for (const ClientRow& row : rows) {
    SCOPED_TRACE(row.what);
    Labelled b;
    b.edit_ste({{ste::Config, row.config}, {ste::S1MPAM, row.s1mpam}});
    const Response response = b.read(va);
    EXPECT_EQ(response.outcome, Outcome::proceed);
    EXPECT_EQ(response.mpam, row.ids);
  }
}

TEST(SpecMpam, FromTheCachesToo) {
  RecordProperty("rule", "SM-MPM-004");
  Stage2Bench::Options options;
  options.config.features = mpam_config().features;
  Labelled b(options);
  b.edit_ste({{ste::S1MPAM, 1}});
  b.read(va);
  EXPECT_EQ(b.read(va).mpam, of_map);
}

TEST(SpecMpam, TheSteCountsWhereS1dssLeavesStage1Out) {
  RecordProperty("rule", "SM-MPM-004 SM-MP-001");
  for (const std::uint64_t config : {5u, 7u}) {
    Labelled b;
    b.edit_ste({{ste::Config, config}, {ste::S1MPAM, 1}, {ste::S1CDMax, 4}, {ste::S1DSS, 1}});
    const Response response = b.read(va);
    EXPECT_EQ(response.outcome, Outcome::proceed);
    EXPECT_EQ(response.mpam, of_ste) << config;
  }
}

TEST(SpecMpam, ValuesAboveTheMaximaAreNoErrors) {
  RecordProperty("rule", "SM-MP-002");
  for (const bool by_cd : {false, true}) {
    Labelled b;
    b.edit_ste({{ste::Config, 5}, {ste::S1MPAM, by_cd}, {ste::PARTID, 0x2b}, {ste::PMG, 0x10}});
    b.edit_cd({{cd::PARTID, 0xffff}, {cd::PMG, 0xff}});
    const Response response = b.read(va);
    EXPECT_EQ(response.outcome, Outcome::proceed);
    EXPECT_LE(response.mpam.partid, 0x2a);
    EXPECT_LE(response.mpam.pmg, 0x0f);
    EXPECT_TRUE(b.bench.take_events().empty());
  }
}

TEST(SpecMpam, TheLargestValuesAreTakenAsTheyAre) {
  RecordProperty("rule", "SM-MP-002");
  Labelled b;
  b.edit_ste({{ste::PARTID, 0x2a}, {ste::PMG, 0x0f}});
  EXPECT_EQ(b.read(va).mpam, (MpamIds{0x2a, 0x0f}));
}

TEST(SpecMpam, OwnReadsOfANestedStream) {
  RecordProperty("rule", "SM-MPM-006 SM-MPM-002");
  Labelled b;
  b.edit_ste({{ste::S1MPAM, 1}});
  EXPECT_EQ(b.read(va).outcome, Outcome::proceed);
  EXPECT_EQ(b.of(Purpose::STE), of_gmpam);
  EXPECT_EQ(b.of(Purpose::CD), of_ste);
  EXPECT_EQ(b.of(Purpose::VMS), of_gmpam);
  EXPECT_EQ(b.of_stage(1), of_map);
  for (const BenchAccess& access : b.bench.memory.log) {
    if (access.purpose == Purpose::TTD && access.stage == 2) {
      EXPECT_EQ(access.mpam, of_ste);
    }
  }
}

TEST(SpecMpam, StageOneDescriptorsFollowTheClientRule) {
  RecordProperty("rule", "SM-MPM-006");
  for (const bool s1mpam : {false, true}) {
    Labelled b;
    b.edit_ste({{ste::Config, 5}, {ste::S1MPAM, s1mpam}});
    EXPECT_EQ(b.read(va).outcome, Outcome::proceed);
    EXPECT_EQ(b.of_stage(1), s1mpam ? of_cd : of_ste);
    EXPECT_EQ(b.of(Purpose::CD), of_ste);
  }
}

TEST(SpecMpam, TwoLevelTables) {
  RecordProperty("rule", "SM-MPM-006 SM-MPM-002");
  Labelled b;
  constexpr std::uint64_t l1 = 0x4050'0000;
  b.bench.enable(cr0::CMDQEN | cr0::EVENTQEN);
  b.bench.w64(off::STRTAB_BASE, l1);
  b.bench.w32(off::STRTAB_BASE_CFG, 8 | 6 << 6 | 1 << 16);
  b.bench.memory.write64(l1, SmmuBench::strtab | 7);
  b.bench.enable(cr0::CMDQEN | cr0::EVENTQEN | cr0::SMMUEN);
  b.read(va);
  EXPECT_EQ(b.of(Purpose::L1STD), of_gmpam);
}

TEST(SpecMpam, QueuesAndInterrupts) {
  RecordProperty("rule", "SM-MPM-006 SM-MPM-002");
  Labelled b;
  b.bench.w32(off::IRQ_CTRL, 0);
  b.bench.w64(off::EVENTQ_IRQ_CFG0, 0x4060'0000);
  b.bench.w32(off::IRQ_CTRL, irq::EVENTQ);
  b.edit_ste({{ste::V, 0}});
  b.read(va);
  EXPECT_EQ(b.of(Purpose::EVENT), of_gmpam);
  EXPECT_EQ(b.of(Purpose::MSI), of_gmpam);
  b.bench.sync();
  EXPECT_EQ(b.of(Purpose::CMD), of_gmpam);
}

TEST(SpecMpam, WithoutMpamEverythingIsZero) {
  Stage2Bench b;
  b.s1.map(va, ipa, raw::af | raw::ap_unprivileged | raw::ng);
  b.s2.map(ipa, target, s2_rw);
  b.edit_ste({{ste::PARTID, 1}, {ste::PMG, 1}, {ste::S1MPAM, 1}, {ste::VMSPtr, vms >> 12}});
  b.edit_cd({{cd::PARTID, 1}, {cd::PMG, 1}});
  EXPECT_EQ(b.read(va).mpam, MpamIds{});
  EXPECT_EQ(b.bench.memory.count(Purpose::VMS), 0u);
  for (const BenchAccess& access : b.bench.memory.log) EXPECT_EQ(access.mpam, MpamIds{});
}

}  // namespace
}  // namespace smmusim
