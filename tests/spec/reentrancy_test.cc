// SPDX-License-Identifier: MIT
// Register accesses and transactions that arrive while the core is in the middle of something: from inside its own
// memory accesses, as when an MSI reaches an interrupt controller whose handler writes back at once. They take effect
// at once, and the work under way goes on or stops as sections 6.3.9 and 3.5 say; nothing crashes, hangs or is lost.
#include <gtest/gtest.h>

#include <algorithm>

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

/// A machine whose port makes accesses of its own from inside the write of a record: `each` at every write until there
/// were `total`, each to another stream without an STE.
struct FaultsInWrites {
  FaultsInWrites(const SmmuConfig& config, unsigned each, unsigned total) : bench(config), left(total) {
    bench.memory.before = [this, each](const MemoryRequest& request) {
      if (request.purpose != Purpose::EVENT) return;
      look();
      for (unsigned i = 0; i < each && left != 0; ++i) fault();
    };
  }
  void fault() {
    --left;
    EXPECT_EQ(bench.smmu.translate(0, SmmuBench::transaction(next_stream++, 0)).outcome, Outcome::abort);
    look();
  }
  void look() {
    const std::uint32_t prod = bench.r32(off::EVENTQ_PROD);
    if (prod >> 31 != 0) overflowed_at = std::min(overflowed_at, prod & 0xfffff);
  }

  SmmuBench bench;
  unsigned left;
  std::uint32_t next_stream = 0;
  std::uint32_t overflowed_at = ~0u;  ///< index at which OVFLG was first seen
};

/// Far more at once than the buffer of records holds: each follows when its turn comes.
TEST(SpecReentrancy, FaultsFromInsideARecordsWriteAreRecordedAfterIt) {
  for (const unsigned buffer : {1u, 3u, 16u}) {
    for (const unsigned each : {2u, 20u, 99u}) {
      SCOPED_TRACE(testing::Message() << buffer << " " << each);
      SmmuConfig config = bench_config();
      config.tcu.event_buffer = buffer;
      FaultsInWrites inside(config, each, 100);
      inside.fault();
      EXPECT_EQ(inside.left, 0u);
      const auto records = inside.bench.take_events();
      ASSERT_EQ(records.size(), 100u);
      for (std::uint32_t n = 0; n < records.size(); ++n) EXPECT_EQ(records[n].get(raw::ev::StreamID), n) << "in order";
      EXPECT_EQ(inside.bench.r32(off::EVENTQ_PROD) >> 31, 0u);
      EXPECT_TRUE(inside.bench.smmu.idle());
    }
  }
}

/// From inside an MSI of the Event queue, and of a CMD_SYNC, whose records are written at once.
TEST(SpecReentrancy, FaultsFromInsideAnMsiAreRecorded) {
  constexpr std::uint64_t msi = 0x7000'0000;
  for (const bool sync : {false, true}) {
    SCOPED_TRACE(sync);
    SmmuBench bench;
    bench.w64(off::EVENTQ_IRQ_CFG0, msi);
    bench.w32(off::IRQ_CTRL, sync ? 0 : irq::EVENTQ);
    std::uint32_t stream = 1;
    bench.memory.before = [&](const MemoryRequest& request) {
      if (request.purpose != Purpose::MSI) return;
      while (stream <= 40) bench.smmu.translate(0, SmmuBench::transaction(stream++, 0));
    };
    if (sync) {
      bench.issue(raw::command(raw::cmd::SYNC, {{raw::cmd::CS, 1}, {raw::cmd::MSIAddress, msi >> 2}}));
    } else {
      bench.read(0, 0);
    }
    const auto records = bench.take_events();
    ASSERT_EQ(records.size(), sync ? 40u : 41u);
    for (std::uint32_t n = 0; n < 40; ++n) {
      EXPECT_EQ(records[records.size() - 40 + n].get(raw::ev::StreamID), n + 1) << "in order";
    }
    EXPECT_EQ(bench.memory.count(Purpose::MSI), 1u);
    EXPECT_TRUE(bench.smmu.idle());
  }
}

/// What the queue has no room for is lost, and OVFLG tells it once the queue is full.
TEST(SpecReentrancy, FaultsFromInsideARecordsWriteOverflowTheQueue) {
  RecordProperty("rule", "SM-EVQ-003 SM-EVQ-015");
  for (const unsigned each : {2u, 200u}) {
    SCOPED_TRACE(each);
    FaultsInWrites inside(bench_config(), each, 201);
    inside.fault();
    EXPECT_EQ(inside.bench.r32(off::EVENTQ_PROD), 0x8000'0000 | 1u << SmmuBench::eventq_log2);
    EXPECT_GE(inside.overflowed_at, 1u << SmmuBench::eventq_log2);
    EXPECT_EQ(inside.bench.smmu.counters().events_lost, 201 - inside.bench.take_events().size());
    EXPECT_TRUE(inside.bench.smmu.idle());
  }
}

/// What was lost before a handler made room is told as well.
TEST(SpecReentrancy, OverflowFromInsideARecordsWriteIsToldToAHandlerThatKeepsUp) {
  RecordProperty("rule", "SM-EVQ-007");
  SmmuBench bench;
  unsigned left = 300;
  bench.memory.before = [&](const MemoryRequest& request) {
    if (request.purpose != Purpose::EVENT) return;
    for (; left != 0; --left) bench.smmu.translate(0, SmmuBench::transaction(3, 0));
    bench.smmu.write_register(off::EVENTQ_CONS, bench.r32(off::EVENTQ_PROD) & 0xfffff, 4);
  };
  bench.read(3, 0);
  EXPECT_GT(bench.smmu.counters().events_lost, 0u);
  EXPECT_EQ(bench.r32(off::EVENTQ_PROD) >> 31, 1u);
}

/// A stall that the queue has room for gets its tag there, too.
TEST(SpecReentrancy, StallsFromInsideARecordsWriteAreRecordedAfterIt) {
  SmmuConfig config = bench_config();
  config.features.stall_model = spec::StallModel::stall_and_terminate;
  config.features.stall_max = 64;
  SmmuBench bench(config);
  bench.put_cd(1, bench.stage1_stream(1).with({{raw::cd::S, 1}}));
  unsigned left = 20;
  bench.memory.before = [&](const MemoryRequest& request) {
    if (request.purpose != Purpose::EVENT) return;
    for (; left != 0; --left) {
      EXPECT_EQ(bench.smmu.translate(0, SmmuBench::transaction(1, 0x1000ull * left)).outcome, Outcome::stalled);
    }
  };
  bench.read(3, 0);
  const auto records = bench.take_events();
  ASSERT_EQ(records.size(), 21u);
  for (std::size_t n = 1; n < records.size(); ++n) {
    EXPECT_EQ(records[n].get(raw::ev::Stall), 1u);
    EXPECT_EQ(records[n].get(raw::Bits{79, 64}), n - 1);
  }
}

}  // namespace
}  // namespace smmusim
