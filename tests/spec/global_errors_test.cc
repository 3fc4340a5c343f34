// SPDX-License-Identifier: MIT
// GERROR and GERRORN (IHI 0070 sections 6.3.19, 6.3.20, 7.5). CONSTRAINED UNPREDICTABLE choice: software that toggles
// an inactive bit of GERRORN makes that error read as active.
#include <gtest/gtest.h>

#include "tests/support/smmu_bench.h"

namespace smmusim {
namespace {

TEST(SpecGlobalErrors, Reset) {
  RecordProperty("rule", "SM-GER-004 SM-RST-001");
  SmmuBench bench(bench_config(), 0, false);
  EXPECT_EQ(bench.r32(off::GERROR), 0u);
  EXPECT_EQ(bench.r32(off::GERRORN), 0u);
}

TEST(SpecGlobalErrors, DefinedBitsOfGerrorn) {
  RecordProperty("rule", "SM-GER-002 SM-GER-004 SM-REG-017");
  for (const bool msi : {true, false}) {
    SmmuConfig config = bench_config();
    config.features.msi = msi;
    SmmuBench bench(config, 0, false);
    bench.w32(off::GERRORN, 0xffff'ffff);
    EXPECT_EQ(bench.r32(off::GERRORN) & ~0x100u, msi ? 0xb5u : 0x05u) << "no PRIQ, ECMDQ, DPT bits; SFM_ERR apart";
    EXPECT_EQ(bench.r32(off::GERROR), 0u);
  }
}

TEST(SpecGlobalErrors, OneToggleUntilAcknowledged) {
  RecordProperty("rule", "SM-GER-001 SM-GER-005");
  SmmuBench bench;
  bench.memory.abort_at(SmmuBench::eventq, 0x1000);
  bench.read(3, 0);
  EXPECT_EQ(bench.r32(off::GERROR), gerror::EVENTQ_ABT_ERR);
  bench.read(3, 0);
  EXPECT_EQ(bench.r32(off::GERROR), gerror::EVENTQ_ABT_ERR);
  EXPECT_EQ(bench.r32(off::GERRORN), 0u) << "never written by the SMMU";
  bench.acknowledge_errors();
  EXPECT_EQ(bench.active_errors(), 0u);
  bench.read(3, 0);
  EXPECT_EQ(bench.r32(off::GERROR), 0u) << "toggled back: active again";
  EXPECT_EQ(bench.active_errors(), gerror::EVENTQ_ABT_ERR);
}

/// An error that stops nothing comes again while it is active.
TEST(SpecGlobalErrors, RepeatedMsiAbortsToggleOnce) {
  RecordProperty("rule", "SM-GER-001");
  constexpr std::uint64_t msi = 0x7000'0000;
  SmmuBench bench;
  bench.memory.abort_at(msi, 4);
  for (int i = 0; i < 3; ++i) {
    bench.issue(raw::command(raw::cmd::SYNC, {{raw::cmd::CS, 1}, {raw::cmd::MSIAddress, msi >> 2}}));
    EXPECT_EQ(bench.r32(off::GERROR), gerror::MSI_CMDQ_ABT_ERR) << i;
  }
  bench.acknowledge_errors();
  bench.issue(raw::command(raw::cmd::SYNC, {{raw::cmd::CS, 1}, {raw::cmd::MSIAddress, msi >> 2}}));
  EXPECT_EQ(bench.r32(off::GERROR), 0u) << "toggled back: active again";
  EXPECT_EQ(bench.memory.count(Purpose::MSI), 4u);
}

TEST(SpecGlobalErrors, OnlyTheirOwnQueueStops) {
  RecordProperty("rule", "SM-GER-007 SM-EVQ-006");
  SmmuBench bench;
  bench.issue(raw::command(0xff));
  bench.read(3, 0);
  EXPECT_EQ(bench.r32(off::EVENTQ_PROD), 1u) << "CMDQ_ERR does not stop events";
  bench.acknowledge_errors();
  SmmuBench other;
  other.memory.abort_at(SmmuBench::eventq, 0x1000);
  other.read(3, 0);
  other.sync();
  EXPECT_TRUE(other.all_consumed()) << "EVENTQ_ABT_ERR does not stop commands";
  EXPECT_EQ(other.active_errors(), gerror::EVENTQ_ABT_ERR);
}

TEST(SpecGlobalErrors, TogglingAnInactiveBit) {
  RecordProperty("rule", "SM-GER-003");
  SmmuBench bench;
  bench.w32(off::GERRORN, gerror::EVENTQ_ABT_ERR);
  EXPECT_EQ(bench.active_errors(), gerror::EVENTQ_ABT_ERR);
  bench.sync();
  EXPECT_TRUE(bench.all_consumed()) << "nothing else changes";
  bench.w32(off::GERRORN, 0);
  EXPECT_EQ(bench.active_errors(), 0u);
  bench.read(3, 0);
  EXPECT_EQ(bench.r32(off::EVENTQ_PROD), 1u);
}

TEST(SpecGlobalErrors, TranslationGoesOn) {
  RecordProperty("rule", "SM-GER-007");
  SmmuBench bench;
  const raw::Cd context = bench.stage1_stream(1);
  bench.map(SmmuBench::ttb0(context), 0x1000, raw::page(SmmuBench::target));
  bench.memory.abort_at(SmmuBench::eventq, 0x1000);
  bench.issue(raw::command(0xff));
  bench.read(3, 0);
  EXPECT_EQ(bench.active_errors(), gerror::CMDQ_ERR | gerror::EVENTQ_ABT_ERR);
  EXPECT_EQ(bench.read(1, 0x1000).address.value, SmmuBench::target);
}

TEST(SpecGlobalErrors, EachAcknowledgementIsItsOwn) {
  RecordProperty("rule", "SM-GER-001 SM-GER-002 SM-CER-005");
  SmmuBench bench;
  bench.memory.abort_at(SmmuBench::eventq, 0x1000);
  bench.issue(raw::command(0xff));
  bench.read(3, 0);
  bench.w32(off::GERRORN, gerror::EVENTQ_ABT_ERR);
  EXPECT_EQ(bench.active_errors(), gerror::CMDQ_ERR);
  EXPECT_EQ(bench.cons(), 0u);
}

}  // namespace
}  // namespace smmusim
