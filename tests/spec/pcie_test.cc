// SPDX-License-Identifier: MIT
// What is special about PCIe functions: they never stall and are never held up by who does (IHI 0070 sections 3.12 and
// 16.4), and what No_snoop makes of an access (13.6.1.1). That attributes apply to them is gbpa_test.cc's.
#include <gtest/gtest.h>

#include "tests/support/stage2_bench.h"
#include "tests/support/stall_client.h"

namespace smmusim {
namespace {

namespace ste = raw::ste;
namespace cd = raw::cd;
using namespace raw::ev;
constexpr std::uint64_t va = 0x12'3456'7000, ipa = 0x8'7654'3000, pa = SmmuBench::target;
constexpr raw::Bits STAG{79, 64};

Transaction of_function(std::uint32_t sid, std::uint64_t address, AccessType access = AccessType::read) {
  Transaction t = SmmuBench::transaction(sid, address, access);
  t.pcie = true;
  return t;
}

SmmuConfig stalling(SmmuConfig config, bool timed) {
  config.timed = timed;
  config.features.stall_model = spec::StallModel::stall_and_terminate;
  config.features.stall_max = 4;
  return config;
}

raw::Record translation_fault(std::uint64_t address, bool read) {
  return raw::Record{}.with({{Type, F_TRANSLATION}, {StreamID, 1}, {RnW, read}, {CLASS, 2}, {InputAddr, address}});
}

TEST(SpecPcie, AStallOfStage1EndsInAnAbort) {
  RecordProperty("rule", "SM-FA-008 SM-PCI-004");
  for (const bool timed : {false, true}) {
    for (const bool aborts : {false, true}) {  // CD.A and CD.R count only where nothing is to stall
      SmmuBench bench(stalling(bench_config(), timed), timed ? 1000 : 0);
      bench.put_cd(1, bench.stage1_stream(1).with({{cd::S, 1}, {cd::A, aborts}, {cd::R, 0}}));
      StallClient client(bench);
      for (const AccessType access : {AccessType::read, AccessType::write}) {
        const auto& sent = client.send(of_function(1, va, access));
        EXPECT_TRUE(sent.answered);
        EXPECT_EQ(sent.response.outcome, Outcome::abort);
        EXPECT_EQ(bench.take_event(), translation_fault(va, access == AccessType::read));
      }
      EXPECT_FALSE(client.read(1, va).answered) << "another device of the same stream would stall";
      EXPECT_EQ(bench.take_event().get(Stall), 1u);
    }
  }
}

TEST(SpecPcie, AStallOfStage2EndsInAnAbort) {
  RecordProperty("rule", "SM-FA-008 SM-PCI-004");
  for (const std::uint64_t config : {6u, 7u}) {
    Stage2Bench::Options options;
    options.config = stalling(stage2_config(), false);
    Stage2Bench b(options);
    b.s1.map(va, ipa, raw::af | raw::ap_unprivileged | raw::ng);
    b.edit_ste({{ste::Config, config}, {raw::s2::S2S, 1}, {raw::s2::S2R, 0}});
    StallClient client(b.bench);
    const auto& sent = client.send(of_function(1, config == 6 ? ipa : va));
    EXPECT_TRUE(sent.answered);
    EXPECT_EQ(sent.response.outcome, Outcome::abort);
    const raw::Record record = b.bench.take_event();
    EXPECT_EQ(record.get(Type), F_TRANSLATION);
    EXPECT_EQ(record.get(S2), 1u);
    EXPECT_EQ(record.get(Stall), 0u);
    EXPECT_EQ(record.get(STAG), 0u);
  }
}

/// One of everything, and all of it behind stalls: what a function sends is answered with no help of software.
TEST(SpecPcie, StallsOfOthersHoldNothingUp) {
  RecordProperty("rule", "SM-PCI-004");
  SmmuConfig config = stalling(timed_bench_config(), true);
  config.features.stall_max = 1;
  config.tbu.translation_slots = 1;
  config.tcu.walkers = 1;
  config.tcu.event_buffer = 1;
  SmmuBench bench(config, 100'000);
  const raw::Cd function = bench.stage1_stream(1);
  bench.map(SmmuBench::ttb0(function), va, raw::page(pa));
  bench.put_cd(2, bench.stage1_stream(2).with({{cd::S, 1}}));
  bench.enable(cr0::SMMUEN | cr0::CMDQEN);
  bench.w64(off::EVENTQ_BASE, SmmuBench::eventq);  // one entry
  bench.w32(off::EVENTQ_PROD, 0);
  bench.w32(off::EVENTQ_CONS, 0);
  bench.enable(cr0::SMMUEN | cr0::CMDQEN | cr0::EVENTQEN);
  StallClient client(bench);
  for (unsigned n = 0; n != 8; ++n) EXPECT_FALSE(client.read(2, va + 0x1000 * n).answered);
  EXPECT_EQ(bench.r32(off::EVENTQ_PROD) & 0xfffff, 1u) << "the first has its record, and the queue is full";
  for (unsigned n = 0; n != 4; ++n) {
    const auto& good = client.send(of_function(1, va));
    EXPECT_TRUE(good.answered);
    EXPECT_EQ(good.response.address, Pa(pa));
    const auto& bad = client.send(of_function(1, va + 0x1000));
    EXPECT_TRUE(bad.answered);
    EXPECT_EQ(bad.response.outcome, Outcome::abort);
    EXPECT_EQ(client.send(of_function(2, va)).response.outcome, Outcome::abort) << "where others stall";
  }
  EXPECT_EQ(bench.r32(off::EVENTQ_PROD) & 0xfffff, 1u) << "nobody has read a record";
}

/// The default SMMU, with one leaf table of STEs for each bus.
TEST(SpecPcie, EveryRequesterIdCanBeAStream) {
  RecordProperty("rule", "SM-PCI-003");
  constexpr std::uint64_t l1 = 0x6000'0000, leaves = 0x6100'0000;
  SmmuBench bench;
  EXPECT_GE(bench.r32(off::IDR1) & 0x3f, 16u);
  bench.enable(cr0::CMDQEN | cr0::EVENTQEN);
  bench.w64(off::STRTAB_BASE, l1);
  bench.w32(off::STRTAB_BASE_CFG, 1u << 16 | 8u << 6 | 16);
  bench.enable(cr0::SMMUEN | cr0::CMDQEN | cr0::EVENTQEN);
  for (std::uint64_t bus = 0; bus != 256; ++bus) bench.memory.write64(l1 + 8 * bus, (leaves + 0x4000 * bus) | 9);
  for (const std::uint32_t rid : {0u, 1u, 7u, 8u, 0xffu, 0x100u, 0x7fffu, 0x8000u, 0xff00u, 0xffffu}) {
    EXPECT_EQ(bench.go(of_function(rid, va)).outcome, Outcome::abort);
    EXPECT_EQ(bench.take_event(), raw::Record{}.with({{Type, C_BAD_STE}, {StreamID, rid}}));
    bench.memory.store(leaves + 64 * rid, raw::Ste{}.with({{ste::V, 1}, {ste::Config, 4}, {ste::SHCFG, 1}}));
    bench.invalidate_all();
    EXPECT_EQ(bench.go(of_function(rid, va)).address, Pa(va)) << rid;
  }
}

struct SnoopRow {
  const char* what;
  std::uint64_t config;
  std::uint64_t mair_index;  ///< of stage 1: 0 WB, 1 NC, 2 nGnRE
  std::uint64_t memattr;     ///< of stage 2
  bool fwb;
  MemoryAttributes plain, no_snoop;
};

TEST(SpecPcie, NoSnoop) {
  RecordProperty("rule", "SM-PCI-001 SM-ATR-013");
  constexpr MemoryAttributes nc{0x44, 2}, device{0x04, 2}, wb_ish{0xff, 3};
  const SnoopRow rows[] = {{"bypass", 4, 0, 0xf, false, {0xff, 0}, nc},
                           {"stage 1 WB", 5, 0, 0xf, false, wb_ish, nc},
                           {"stage 1 NC", 5, 1, 0xf, false, nc, nc},
                           {"stage 1 Device", 5, 2, 0xf, false, device, device},
                           {"stage 2 WB", 6, 0, 0xf, false, wb_ish, nc},
                           {"stage 2 Device", 6, 0, 0x1, false, device, device},
                           {"both WB", 7, 0, 0xf, false, wb_ish, nc},
                           {"WB and Device", 7, 0, 0x1, false, device, device},
                           {"Device, which S2FWB makes WB", 7, 2, 0x6, true, {0xff, 2}, nc}};
  for (const bool timed : {false, true}) {
    for (const SnoopRow& row : rows) {
      SCOPED_TRACE(row.what);
      Stage2Bench::Options options;
      options.config.timed = timed;
      options.latency_ps = timed ? 1000 : 0;
      Stage2Bench b(options);
      const std::uint64_t flags1 = raw::af | raw::ap_unprivileged | raw::ng | s2_ish | row.mair_index << 2;
      const std::uint64_t flags2 = (s2_rw & ~s2_wb) | row.memattr << 2;
      b.s1.map(va, ipa, flags1);
      b.s2.map(ipa, pa, flags2);
      b.s2.map(va, pa, flags2);
      if (row.config == 5) {  // with tables at physical addresses
        const raw::Cd context = b.bench.stage1_cd(1);
        b.bench.put_cd(1, context);
        b.bench.map(SmmuBench::ttb0(context), va, raw::page(pa, flags1));
        b.edit_ste({{ste::S1ContextPtr, SmmuBench::cd_address(1) >> 6}});
      }
      b.edit_ste({{ste::Config, row.config}, {raw::s2::S2FWB, row.fwb}});
      for (const bool no_snoop : {false, true, true}) {
        Transaction t = of_function(1, va);
        t.no_snoop = no_snoop;
        const Response response = b.bench.go(t);
        EXPECT_EQ(response.outcome, Outcome::proceed);
        EXPECT_EQ(response.attributes, no_snoop ? row.no_snoop : row.plain) << no_snoop;
      }
    }
  }
}

TEST(SpecPcie, NoSnoopWithoutAnSmmu) {
  RecordProperty("rule", "SM-PCI-001");
  SmmuBench bench(bench_config(), 0, false);
  Transaction t = of_function(1, va);
  t.no_snoop = true;
  EXPECT_EQ(bench.go(t).attributes, (MemoryAttributes{0x44, 2}));
  t.attributes = {0x08, 2};
  EXPECT_EQ(bench.go(t).attributes, (MemoryAttributes{0x08, 2})) << "Device stays";
}

}  // namespace
}  // namespace smmusim
