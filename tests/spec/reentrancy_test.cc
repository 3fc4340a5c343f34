// SPDX-License-Identifier: MIT
// Register accesses that arrive while the core is in the middle of something: from inside its own memory accesses, as
// when an MSI reaches an interrupt controller whose handler writes back at once. They take effect at once, and the
// work under way goes on or stops as sections 6.3.9 and 3.5 say; nothing crashes, hangs or is lost.
#include <gtest/gtest.h>

#include "tests/support/smmu_bench.h"

namespace smmusim {
namespace {

raw::Command sync_command() {
  return raw::command(raw::cmd::SYNC);
}

TEST(SpecReentrancy, DisablingTheCommandQueueDuringAFetchStopsItAfterThatCommand) {
  RecordProperty("rule", "SM-RU-006");
  SmmuBench bench;
  for (int i = 0; i < 3; ++i) bench.push(sync_command());
  bench.memory.before = [&bench](const MemoryRequest& request) {
    if (request.purpose == Purpose::CMD) bench.smmu.write_register(off::CR0, cr0::SMMUEN | cr0::EVENTQEN, 4);
  };
  const std::uint32_t before = bench.cons();
  bench.kick();
  EXPECT_EQ(bench.cons(), before + 1) << "the command under way is consumed, the next is not begun";
  EXPECT_EQ(bench.r32(off::CR0ACK) & cr0::CMDQEN, 0u);
  bench.memory.before = nullptr;
  bench.enable(cr0::SMMUEN | cr0::EVENTQEN | cr0::CMDQEN);
  EXPECT_TRUE(bench.all_consumed());
}

TEST(SpecReentrancy, MoreCommandsQueuedDuringAFetchAreConsumedToo) {
  RecordProperty("rule", "SM-CMQ-004");
  SmmuBench bench;
  bench.push(sync_command());
  bool once = true;
  bench.memory.before = [&](const MemoryRequest& request) {
    if (request.purpose != Purpose::CMD || !once) return;
    once = false;
    bench.push(sync_command());
    bench.smmu.write_register(off::CMDQ_PROD, bench.prod, 4);
  };
  bench.kick();
  EXPECT_FALSE(once);
  EXPECT_TRUE(bench.all_consumed());
}

TEST(SpecReentrancy, EventQueueDisabledDuringARecordsWriteAcknowledgesAfterIt) {
  RecordProperty("rule", "SM-RU-007 SM-EVQ-010");
  SmmuBench bench;
  bench.memory.before = [&bench](const MemoryRequest& request) {
    if (request.purpose != Purpose::EVENT) return;
    bench.smmu.write_register(off::CR0, cr0::SMMUEN | cr0::CMDQEN, 4);
    EXPECT_NE(bench.r32(off::CR0ACK) & cr0::EVENTQEN, 0u) << "a record is on its way";
  };
  bench.read(3, 0x1000);  // the STE is invalid
  EXPECT_EQ(bench.r32(off::CR0ACK) & cr0::EVENTQEN, 0u);
  EXPECT_EQ(bench.r32(off::EVENTQ_PROD) & 0xfffff, 1u) << "the committed record is visible";
}

TEST(SpecReentrancy, SmmuDisabledDuringAWalkLeavesThatTransactionItsOldConfiguration) {
  RecordProperty("rule", "SM-RU-013");
  SmmuBench bench;
  const raw::Cd cd = bench.stage1_stream(3);
  bench.map(SmmuBench::ttb0(cd), 0x1000, SmmuBench::target | 0x743);
  bench.memory.before = [&bench](const MemoryRequest& request) {
    if (request.purpose == Purpose::TTD) bench.smmu.write_register(off::CR0, cr0::EVENTQEN | cr0::CMDQEN, 4);
  };
  const Response during = bench.read(3, 0x1000);
  EXPECT_EQ(during.outcome, Outcome::proceed);
  EXPECT_EQ(during.address.value, SmmuBench::target) << "wholly old: translated";
  EXPECT_EQ(bench.read(3, 0x1000).address.value, 0x1000u) << "wholly new: GBPA bypass";
}

}  // namespace
}  // namespace smmusim
