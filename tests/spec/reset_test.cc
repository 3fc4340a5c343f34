// SPDX-License-Identifier: MIT
// Reset at any instant (IHI 0070 sections 3.11, 3.19, 6.3) and drivers that start from any register contents.
#include <gtest/gtest.h>

#include <random>

#include "tests/support/smmu_bench.h"

namespace smmusim {
namespace {

constexpr std::uint64_t target = SmmuBench::target;

/// Sets everything up again and translates one page.
void expect_works(SmmuBench& bench) {
  bench.memory.clear_aborts();
  bench.set_up();
  const raw::Cd context = bench.stage1_stream(1);
  bench.map(SmmuBench::ttb0(context), 0x1000, raw::page(target));
  bench.invalidate_all();
  EXPECT_TRUE(bench.all_consumed());
  EXPECT_EQ(bench.go(SmmuBench::transaction(1, 0x1000)).address.value, target);
  bench.go(SmmuBench::transaction(1, 0x2000));
  EXPECT_EQ(bench.take_event().get(raw::ev::Type), raw::ev::F_TRANSLATION);
  EXPECT_TRUE(bench.smmu.idle());
}

TEST(SpecReset, Registers) {
  RecordProperty("rule", "SM-RST-001 SM-RS-001 SM-PW-001");
  SmmuBench bench;
  bench.issue(raw::command(0xff));
  bench.w32(off::IRQ_CTRL, 5);
  bench.smmu.reset();
  for (const std::uint32_t offset :
       {off::CR0, off::CR0ACK, off::IRQ_CTRL, off::IRQ_CTRLACK, off::GERROR, off::GERRORN, off::STATUSR}) {
    EXPECT_EQ(bench.r32(offset), 0u) << offset;
  }
  EXPECT_EQ(bench.r32(off::GBPA) >> 31, 0u);
  EXPECT_EQ(bench.read(1, 0x4567).address.value, 0x4567u) << "disabled, bypassing";
}

TEST(SpecReset, IdRegistersStay) {
  RecordProperty("rule", "SM-RG-005");
  SmmuBench bench;
  std::vector<std::uint32_t> before;
  for (std::uint32_t offset = 0; offset < 0x20; offset += 4) before.push_back(bench.r32(offset));
  bench.smmu.reset();
  for (std::uint32_t offset = 0; offset < 0x20; offset += 4) EXPECT_EQ(bench.r32(offset), before[offset / 4]);
}

TEST(SpecReset, AtAnyInstantOfTrafficAndCommands) {
  RecordProperty("rule", "SM-PW-001 SM-RS-001 SM-RST-001");
  for (Time when = 0; when <= 900'000; when += 7'000) {
    SCOPED_TRACE(when);
    SmmuBench bench(timed_bench_config(), 60'000);
    const raw::Cd context = bench.stage1_stream(1);
    bench.map(SmmuBench::ttb0(context), 0x1000, raw::page(target));
    bench.w64(off::EVENTQ_IRQ_CFG0, 0x7000'0000);
    bench.w32(off::IRQ_CTRL, 5);
    bench.push(raw::command(raw::cmd::TLBI_NSNH_ALL));
    bench.push(raw::command(raw::cmd::PREFETCH_ADDR, {{raw::cmd::StreamID, 1}, {raw::cmd::Size, 3}}));
    bench.push(raw::command(raw::cmd::SYNC, {{raw::cmd::CS, 1}, {raw::cmd::MSIAddress, 0x1c00'0000}}));
    bench.push(raw::command(0xff));
    bench.smmu.write_register(off::CMDQ_PROD, bench.prod, 4);
    std::vector<TranslationRequest> requests(6);
    for (std::uint32_t i = 0; i < 6; ++i) {  // mapped, unmapped and bad streams
      requests[i].transaction = SmmuBench::transaction(i < 4 ? 1 : 3, i < 2 ? 0x1000 : 0x5000 + (i << 12));
      requests[i].fire = [](EventNode& node) { static_cast<TranslationRequest&>(node).transaction.size = 77; };
      bench.smmu.submit(0, requests[i]);
    }
    bench.engine.run_until(bench.engine.now() + when);
    bench.smmu.reset();
    EXPECT_TRUE(bench.smmu.idle());
    bench.run();
    for (const TranslationRequest& request : requests) {
      EXPECT_EQ(request.transaction.size, 77u) << "every request is answered, exactly once or before";
      if (request.response.outcome == Outcome::proceed) {
        EXPECT_EQ(request.response.address.value, target);
      }
    }
    EXPECT_EQ(bench.r32(off::GERROR), 0u) << "nothing of the old life shows";
    for (TranslationRequest& request : requests) bench.smmu.retire(request);
    expect_works(bench);
  }
}

TEST(SpecReset, CachesAreEmptyOrInvalidatable) {
  RecordProperty("rule", "SM-RS-003 SM-RS-005");
  SmmuBench bench;
  const raw::Cd context = bench.stage1_stream(1);
  bench.map(SmmuBench::ttb0(context), 0x1000, raw::page(target));
  bench.read(1, 0x1000);
  bench.smmu.reset();
  expect_works(bench);
}

TEST(SpecReset, InErrorStates) {
  RecordProperty("rule", "SM-PW-001 SM-CMQ-007");
  SmmuBench bench;
  bench.memory.abort_at(SmmuBench::eventq, 0x1000);
  bench.read(3, 0);
  bench.issue(raw::command(0xff));
  bench.smmu.reset();
  EXPECT_EQ(bench.active_errors(), 0u);
  expect_works(bench);
}

TEST(SpecReset, DriversThatInitialiseEverythingWork) {
  RecordProperty("rule", "SM-RST-002 SM-QU-003");
  std::mt19937 random(5);
  for (int i = 0; i < 50; ++i) {
    SmmuBench bench(bench_config(), 0, false);
    for (const std::uint32_t offset :
         {off::CR1, off::CR2, off::STRTAB_BASE, off::STRTAB_BASE + 4, off::STRTAB_BASE_CFG, off::CMDQ_BASE,
          off::CMDQ_BASE + 4, off::CMDQ_PROD, off::CMDQ_CONS, off::EVENTQ_BASE, off::EVENTQ_PROD, off::EVENTQ_CONS,
          off::EVENTQ_IRQ_CFG0, off::EVENTQ_IRQ_CFG1, off::EVENTQ_IRQ_CFG2, off::GERROR_IRQ_CFG0}) {
      bench.w32(offset, static_cast<std::uint32_t>(random()));
    }
    expect_works(bench);
  }
}

TEST(SpecReset, TwiceInARow) {
  RecordProperty("rule", "SM-PW-001");
  SmmuBench bench(timed_bench_config(), 60'000);
  bench.smmu.reset();
  bench.smmu.reset();
  expect_works(bench);
}

}  // namespace
}  // namespace smmusim
