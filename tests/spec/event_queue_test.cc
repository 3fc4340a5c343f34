// SPDX-License-Identifier: MIT
// The Event queue: order, full, overflow, disabled, aborts (IHI 0070 sections 3.5, 7.2, 7.4).
#include <gtest/gtest.h>

#include <array>

#include "tests/support/ats_bench.h"

namespace smmusim {
namespace {

constexpr std::uint32_t flag = 0x8000'0000;
constexpr std::uint32_t entries = 1u << SmmuBench::eventq_log2;

/// One record: C_BAD_STE of stream `sid`, whose STE is zero.
void make_event(SmmuBench& bench, std::uint32_t sid = 3) {
  EXPECT_EQ(bench.read(sid, 0).outcome, Outcome::abort);
}
void fill(SmmuBench& bench) {
  for (std::uint32_t i = 0; i < entries; ++i) make_event(bench, i);
}

TEST(SpecEventQueue, FullAndOverflow) {
  RecordProperty("rule", "SM-EVQ-003 SM-EVQ-014 SM-EVQ-007 SM-QU-006");
  SmmuBench bench;
  fill(bench);
  EXPECT_EQ(bench.r32(off::EVENTQ_PROD), entries) << "full, no overflow yet";
  make_event(bench);
  EXPECT_EQ(bench.r32(off::EVENTQ_PROD), entries | flag);
  make_event(bench);
  EXPECT_EQ(bench.r32(off::EVENTQ_PROD), entries | flag) << "one toggle until it is acknowledged";
  const auto records = bench.take_events();
  ASSERT_EQ(records.size(), entries);
  for (std::uint32_t i = 0; i < entries; ++i) {
    EXPECT_EQ(records[i].dw[0], std::uint64_t{i} << 32 | raw::ev::C_BAD_STE) << "nothing else was lost";
  }
}

TEST(SpecEventQueue, AcknowledgedOverflowTogglesBack) {
  RecordProperty("rule", "SM-EVQ-003 SM-EVQ-004");
  SmmuBench bench;
  fill(bench);
  make_event(bench);
  bench.w32(off::EVENTQ_CONS, flag);  // acknowledge, still full
  EXPECT_EQ(bench.r32(off::EVENTQ_PROD), entries | flag);
  make_event(bench);
  EXPECT_EQ(bench.r32(off::EVENTQ_PROD), entries) << "the next overflow toggles the other way";
}

TEST(SpecEventQueue, UnacknowledgedOverflowDoesNotBlock) {
  RecordProperty("rule", "SM-EVQ-016");
  SmmuBench bench;
  fill(bench);
  make_event(bench);
  bench.w32(off::EVENTQ_CONS, 1);
  make_event(bench, 77);
  EXPECT_EQ(bench.r32(off::EVENTQ_PROD), (entries + 1) | flag);
  EXPECT_EQ(bench.memory.read64(SmmuBench::eventq), std::uint64_t{77} << 32 | raw::ev::C_BAD_STE) << "wrapped to 0";
  make_event(bench);
  EXPECT_EQ(bench.r32(off::EVENTQ_PROD), (entries + 1) | flag) << "a second overflow is invisible";
}

TEST(SpecEventQueue, DisabledDropsWithoutOverflow) {
  RecordProperty("rule", "SM-EVQ-002 SM-EVQ-003 SM-EVQ-006 SM-EVQ-007");
  SmmuBench bench;
  fill(bench);
  bench.enable(cr0::SMMUEN | cr0::CMDQEN);
  bench.memory.log.clear();
  make_event(bench);
  EXPECT_EQ(bench.r32(off::EVENTQ_PROD), entries);
  EXPECT_EQ(bench.memory.count(Purpose::EVENT), 0u);
}

TEST(SpecEventQueue, IndexesOfEverySize) {
  RecordProperty("rule", "SM-QU-001 SM-QU-002 SM-EVQ-001 SM-EVQ-005");
  for (std::uint32_t log2 : {0u, 1u, 3u, 7u}) {
    SCOPED_TRACE(log2);
    SmmuBench bench;
    bench.enable(cr0::CMDQEN | cr0::SMMUEN);
    bench.w64(off::EVENTQ_BASE, SmmuBench::eventq | log2);
    const std::uint32_t wrap = 1u << log2;
    bench.w32(off::EVENTQ_PROD, wrap);  // the wrap bit is set from the start
    bench.w32(off::EVENTQ_CONS, wrap);
    bench.enable(0xd);
    for (std::uint32_t i = 0; i < 5; ++i) {
      make_event(bench, i);
      const std::uint32_t expected = (wrap + i + 1) & (2 * wrap - 1);
      EXPECT_EQ(bench.r32(off::EVENTQ_PROD), expected);
      EXPECT_EQ(bench.memory.last(Purpose::EVENT).address, SmmuBench::eventq + 32 * (i & (wrap - 1)));
      EXPECT_EQ(bench.memory.last(Purpose::EVENT).size, 32u);
      bench.w32(off::EVENTQ_CONS, expected);
    }
  }
}

TEST(SpecEventQueue, SizeIsCapped) {
  RecordProperty("rule", "SM-EVQ-001 SM-EVQ-004");
  SmmuConfig config = bench_config();
  config.features.eventqs = 2;
  SmmuBench bench(config);  // EVENTQ_BASE.LOG2SIZE is 7
  for (int i = 0; i < 4; ++i) make_event(bench);
  EXPECT_EQ(bench.r32(off::EVENTQ_PROD), 4u);
  make_event(bench);
  EXPECT_EQ(bench.r32(off::EVENTQ_PROD), 4u | flag);
}

TEST(SpecEventQueue, BaseIsAligned) {
  RecordProperty("rule", "SM-EVQ-001 SM-AS-023");
  SmmuConfig config = bench_config();
  config.features.oas = 40;
  SmmuBench bench(config);
  bench.enable(cr0::CMDQEN | cr0::SMMUEN);
  bench.w64(off::EVENTQ_BASE, 0x1'0000'6000'0fe0 | 7);
  bench.enable(0xd);
  make_event(bench);
  EXPECT_EQ(bench.memory.last(Purpose::EVENT).address, 0x6000'0000u) << "size alignment, cut to the OAS";
  config.features.eventqs = 4;
  SmmuBench capped(config);
  capped.enable(cr0::CMDQEN | cr0::SMMUEN);
  capped.w64(off::EVENTQ_BASE, 0x6000'0e00 | 7);
  capped.enable(0xd);
  make_event(capped);
  EXPECT_EQ(capped.memory.last(Purpose::EVENT).address, 0x6000'0e00u) << "the alignment of the size that counts";
}

TEST(SpecEventQueue, InconsistentIndexesCountAsFull) {
  RecordProperty("rule", "SM-QU-003");
  SmmuBench bench;
  bench.w32(off::EVENTQ_CONS, 5);  // CONS ahead of PROD
  bench.memory.log.clear();
  make_event(bench);
  EXPECT_EQ(bench.memory.count(Purpose::EVENT), 0u);
  EXPECT_EQ(bench.r32(off::EVENTQ_PROD) & ~flag, 0u);
  bench.w32(off::EVENTQ_CONS, 0);
  make_event(bench);
  EXPECT_EQ(bench.r32(off::EVENTQ_PROD) & ~flag, 1u);
}

TEST(SpecEventQueue, AbortOnWrite) {
  RecordProperty("rule", "SM-EVQ-011 SM-EVQ-012 SM-GER-005 SM-EVQ-006");
  SmmuBench bench;
  bench.w32(off::IRQ_CTRL, irq::EVENTQ | irq::GERROR);
  bench.smmu.take_interrupts();
  bench.memory.abort_at(SmmuBench::eventq, 32);
  make_event(bench);
  EXPECT_EQ(bench.active_errors(), gerror::EVENTQ_ABT_ERR);
  EXPECT_EQ(bench.r32(off::EVENTQ_PROD), 0u) << "synchronous: PROD stays";
  EXPECT_EQ(bench.smmu.take_interrupts(), wire_gerror) << "no event queue interrupt";
  bench.memory.clear_aborts();
  make_event(bench);
  EXPECT_EQ(bench.r32(off::EVENTQ_PROD), 0u) << "delivery is stopped, no overflow";
  bench.acknowledge_errors();
  make_event(bench, 9);
  EXPECT_EQ(bench.r32(off::EVENTQ_PROD), 1u);
  EXPECT_EQ(bench.take_event().get(raw::ev::StreamID), 9u);
}

TEST(SpecEventQueue, RecordIsVisibleBeforeProd) {
  RecordProperty("rule", "SM-QU-005 SM-QU-004");
  SmmuBench bench(timed_bench_config(), 50'000);
  std::uint32_t prod_at_write = 99;
  bench.memory.before = [&](const MemoryRequest& request) {
    if (request.purpose == Purpose::EVENT) prod_at_write = bench.r32(off::EVENTQ_PROD);
  };
  for (std::uint32_t i = 0; i < entries; ++i) {
    make_event(bench);
    EXPECT_EQ(prod_at_write, i) << "PROD moves after the record";
    EXPECT_EQ(bench.r32(off::EVENTQ_PROD), i + 1);
  }
}

/// Looks at PROD at every instant and before every access of the SMMU.
TEST(SpecEventQueue, OverflowIsNotSeenBeforeTheQueueIsFull) {
  RecordProperty("rule", "SM-EVQ-015 SM-QU-004");
  SmmuBench bench(timed_bench_config(), 50'000);
  bench.enable(cr0::CMDQEN | cr0::SMMUEN);
  bench.w64(off::EVENTQ_BASE, SmmuBench::eventq | 2);
  bench.enable(0xd);
  std::uint32_t seen = 0;
  const auto look = [&] {
    const std::uint32_t prod = bench.r32(off::EVENTQ_PROD), index = prod & ~flag;
    EXPECT_TRUE(index == seen || index == seen + 1) << "one step at a time: " << seen << " -> " << index;
    if ((prod & flag) != 0) {
      EXPECT_EQ(index, 4u) << "OVFLG only when the queue is full";
    }
    seen = index;
  };
  bench.memory.before = [&](const MemoryRequest&) { look(); };
  std::array<TranslationRequest, 6> requests;
  for (TranslationRequest& request : requests) {
    request.transaction = SmmuBench::transaction(3, 0);
    request.fire = [](EventNode&) {};
    bench.smmu.submit(0, request);
  }
  for (Time next = bench.engine.next_event(); next != time_never; next = bench.engine.next_event()) {
    bench.engine.run_until(next);
    look();
  }
  EXPECT_EQ(bench.r32(off::EVENTQ_PROD), 4 | flag);
  for (TranslationRequest& request : requests) bench.smmu.retire(request);
}

TEST(SpecEventQueue, TheLargestQueueWraps) {
  RecordProperty("rule", "SM-QU-004 SM-QU-002");
  constexpr std::uint64_t base = 0x6000'0000;
  constexpr std::uint32_t size = 1u << 19, mask = 2 * size - 1;
  for (const std::uint32_t start : {size - 2, 2 * size - 2}) {
    SmmuBench bench;
    bench.enable(cr0::CMDQEN | cr0::SMMUEN);
    bench.w64(off::EVENTQ_BASE, base | 19);
    bench.w32(off::EVENTQ_PROD, start);
    bench.w32(off::EVENTQ_CONS, start);
    bench.enable(0xd);
    for (std::uint32_t i = 0; i < 4; ++i) {
      make_event(bench, i);
      EXPECT_EQ(bench.r32(off::EVENTQ_PROD), (start + i + 1) & mask);
      EXPECT_EQ(bench.memory.last(Purpose::EVENT).address, base + 32ull * ((start + i) & (size - 1)));
    }
  }
}

TEST(SpecEventQueue, AttributesComeFromCr1) {
  RecordProperty("rule", "SM-REG-007 SM-ATR-024 SM-REG-004");
  struct Row {
    std::uint32_t cr1;
    bool allocates;  // EVENTQ_BASE.WA and PRIQ_BASE.WA, CMDQ_BASE.RA
    MemoryAttributes output, command;
  };
  const Row rows[] = {{0x35, true, {0xff, 3}, {0xff, 3}},  {0x3a, true, {0xbb, 3}, {0xbb, 3}},
                      {0x30, true, {0x44, 2}, {0x44, 2}},  {0x15, true, {0xff, 0}, {0xff, 0}},
                      {0x35, false, {0xee, 3}, {0xdd, 3}}, {0x36, false, {0xea, 3}, {0xd9, 3}},
                      {0x34, false, {0xe4, 3}, {0xd4, 3}}, {0x30, false, {0x44, 2}, {0x44, 2}}};
  for (const Row& row : rows) {
    SCOPED_TRACE(testing::Message() << std::hex << row.cr1 << " allocates " << row.allocates);
    const std::uint64_t hint = std::uint64_t{row.allocates} << 62;
    AtsBench machine;
    SmmuBench& bench = machine.bench;
    bench.enable(0);
    bench.w32(off::CR1, row.cr1);
    bench.w64(off::EVENTQ_BASE, SmmuBench::eventq | SmmuBench::eventq_log2 | hint);
    bench.w64(off::PRIQ_BASE, AtsBench::priq | AtsBench::priq_log2 | hint);
    bench.w64(off::CMDQ_BASE, SmmuBench::cmdq | SmmuBench::cmdq_log2 | hint);
    bench.enable(AtsBench::all_on);
    make_event(bench);
    machine.page_request(ordinary_page_request());
    bench.sync();
    EXPECT_EQ(bench.memory.last(Purpose::EVENT).attributes, row.output);
    EXPECT_EQ(bench.memory.last(Purpose::PRI).attributes, row.output);
    EXPECT_EQ(bench.memory.last(Purpose::CMD).attributes, row.command);
  }
}

}  // namespace
}  // namespace smmusim
