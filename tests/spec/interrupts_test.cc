// SPDX-License-Identifier: MIT
// Interrupt enables, wired pulses and MSIs of the Event queue and global errors (IHI 0070 sections 3.18, 6.3.16 to
// 6.3.23, 6.3.30 to 6.3.32).
#include <gtest/gtest.h>

#include "tests/support/smmu_bench.h"

namespace smmusim {
namespace {

constexpr std::uint64_t event_msi = 0x7000'0000, gerror_msi = 0x7000'1000;

void make_event(SmmuBench& bench) {
  bench.read(3, 0);  // C_BAD_STE
}
void configure(SmmuBench& bench, std::uint32_t enables) {
  bench.w64(off::EVENTQ_IRQ_CFG0, event_msi);
  bench.w32(off::EVENTQ_IRQ_CFG1, 0xe0e0);
  bench.w32(off::EVENTQ_IRQ_CFG2, 0x3f);
  bench.w64(off::GERROR_IRQ_CFG0, gerror_msi);
  bench.w32(off::GERROR_IRQ_CFG1, 0x6e6e);
  bench.w32(off::GERROR_IRQ_CFG2, 0x01);
  bench.w32(off::IRQ_CTRL, enables);
  bench.smmu.take_interrupts();
}

TEST(SpecInterrupts, IrqCtrl) {
  RecordProperty("rule", "SM-IRQ-001 SM-RST-001");
  SmmuBench bench(bench_config(), 0, false);
  EXPECT_EQ(bench.r32(off::IRQ_CTRL), 0u);
  bench.w32(off::IRQ_CTRL, 0xffff'ffff);
  EXPECT_EQ(bench.r32(off::IRQ_CTRL), 5u) << "PRIQ_IRQEN is RES0 without PRI";
  EXPECT_EQ(bench.r32(off::IRQ_CTRLACK), 5u);
  bench.w32(off::IRQ_CTRL, 1);
  EXPECT_EQ(bench.r32(off::IRQ_CTRLACK), 1u);
}

TEST(SpecInterrupts, EventQueueEmptyToNonEmpty) {
  RecordProperty("rule", "SM-IR-005 SM-IR-001 SM-IR-003 SM-IR-006");
  SmmuBench bench;
  configure(bench, irq::EVENTQ);
  make_event(bench);
  EXPECT_EQ(bench.smmu.take_interrupts(), wire_eventq);
  EXPECT_EQ(bench.memory.count(Purpose::MSI), 1u);
  make_event(bench);
  make_event(bench);
  EXPECT_EQ(bench.smmu.take_interrupts(), 0u) << "not empty before";
  bench.w32(off::EVENTQ_CONS, 2);  // one left
  make_event(bench);
  EXPECT_EQ(bench.smmu.take_interrupts(), 0u);
  bench.take_events();
  EXPECT_EQ(bench.smmu.take_interrupts(), 0u);
  make_event(bench);
  EXPECT_EQ(bench.smmu.take_interrupts(), wire_eventq);
  EXPECT_EQ(bench.memory.count(Purpose::MSI), 2u);
}

TEST(SpecInterrupts, MsiContents) {
  RecordProperty("rule", "SM-IR-001 SM-IR-002 SM-IRQ-007 SM-ATR-024");
  SmmuBench bench;
  configure(bench, irq::EVENTQ | irq::GERROR);
  make_event(bench);
  const BenchAccess event = bench.memory.last(Purpose::MSI);
  EXPECT_EQ(event.address, event_msi);
  EXPECT_EQ(event.size, 4u);
  EXPECT_EQ(event.op, MemoryOp::write);
  EXPECT_EQ(event.first_word & 0xffff'ffff, 0xe0e0u);
  EXPECT_EQ(event.attributes, (MemoryAttributes{0xff, 3}));
  bench.issue(raw::command(0xff));
  const BenchAccess error = bench.memory.last(Purpose::MSI);
  EXPECT_EQ(error.address, gerror_msi);
  EXPECT_EQ(error.first_word & 0xffff'ffff, 0x6e6eu);
  EXPECT_EQ(error.attributes, (MemoryAttributes{0x04, 2})) << "Device is OSH";
  EXPECT_EQ(bench.smmu.take_interrupts(), wire_eventq | wire_gerror);
}

TEST(SpecInterrupts, IndexIsVisibleBeforeTheInterrupt) {
  RecordProperty("rule", "SM-IR-001 SM-QU-005");
  SmmuBench bench(timed_bench_config(), 50'000);
  configure(bench, irq::EVENTQ | irq::GERROR);
  std::uint32_t prod = 0, errors = 0;
  bench.memory.before = [&](const MemoryRequest& request) {
    if (request.purpose != Purpose::MSI) return;
    if (request.address.value == event_msi) prod = bench.r32(off::EVENTQ_PROD);
    if (request.address.value == gerror_msi) errors = bench.active_errors();
  };
  make_event(bench);
  EXPECT_EQ(prod, 1u);
  bench.issue(raw::command(0xff));
  EXPECT_EQ(errors, gerror::CMDQ_ERR);
}

TEST(SpecInterrupts, EnablesGateWiresAndMsis) {
  RecordProperty("rule", "SM-IRQ-002 SM-IR-006 SM-GER-008");
  SmmuBench bench;
  configure(bench, 0);
  make_event(bench);
  bench.issue(raw::command(0xff));
  EXPECT_EQ(bench.smmu.take_interrupts(), 0u);
  EXPECT_EQ(bench.memory.count(Purpose::MSI), 0u);
  EXPECT_EQ(bench.active_errors(), gerror::CMDQ_ERR);
}

TEST(SpecInterrupts, NothingIsReplayed) {
  RecordProperty("rule", "SM-IRQ-003");
  SmmuBench bench;
  configure(bench, 0);
  make_event(bench);
  bench.issue(raw::command(0xff));
  bench.w32(off::IRQ_CTRL, irq::EVENTQ | irq::GERROR);
  EXPECT_EQ(bench.smmu.take_interrupts(), 0u);
  make_event(bench);
  EXPECT_EQ(bench.smmu.take_interrupts(), 0u) << "the queue was not empty";
  EXPECT_EQ(bench.memory.count(Purpose::MSI), 0u);
  bench.take_events();
  EXPECT_EQ(bench.smmu.take_interrupts(), 0u) << "nor does reading the records make up for it";
  make_event(bench);
  EXPECT_EQ(bench.smmu.take_interrupts(), wire_eventq) << "this one comes after the Update";
  EXPECT_EQ(bench.memory.count(Purpose::MSI), 1u);
}

TEST(SpecInterrupts, NoAddressNoMsi) {
  RecordProperty("rule", "SM-IR-006 SM-IRQ-006");
  SmmuBench bench;
  configure(bench, 0);
  bench.w64(off::EVENTQ_IRQ_CFG0, 0);
  bench.w32(off::IRQ_CTRL, irq::EVENTQ);
  make_event(bench);
  EXPECT_EQ(bench.smmu.take_interrupts(), wire_eventq);
  EXPECT_EQ(bench.memory.count(Purpose::MSI), 0u);
}

TEST(SpecInterrupts, DisableWaitsForTheMsi) {
  RecordProperty("rule", "SM-IRQ-004 SM-IR-004");
  SmmuBench bench(timed_bench_config(), 100'000);
  configure(bench, irq::EVENTQ);
  bool msi_started = false;
  bench.memory.before = [&](const MemoryRequest& request) { msi_started |= request.purpose == Purpose::MSI; };
  bench.memory.abort_at(event_msi, 4);
  TranslationRequest request;
  request.transaction = SmmuBench::transaction(3, 0);
  request.fire = [](EventNode&) {};
  bench.smmu.submit(0, request);
  while (!msi_started) bench.engine.run_until(bench.engine.now() + 1000);
  bench.smmu.write_register(off::IRQ_CTRL, 0, 4);
  EXPECT_EQ(bench.r32(off::IRQ_CTRLACK), irq::EVENTQ) << "the MSI is outstanding";
  bench.smmu.write_register(off::EVENTQ_IRQ_CFG1, 1, 4);
  EXPECT_EQ(bench.r32(off::EVENTQ_IRQ_CFG1), 0xe0e0u) << "still guarded";
  while (bench.r32(off::IRQ_CTRLACK) != 0) bench.engine.run_until(bench.engine.now() + 1000);
  EXPECT_EQ(bench.active_errors(), gerror::MSI_EVENTQ_ABT_ERR) << "its abort is there with the acknowledgement";
  bench.memory.log.clear();
  bench.take_events();
  make_event(bench);
  EXPECT_EQ(bench.memory.count(Purpose::MSI), 0u);
}

/// An MSI aborts; that of the global error then takes longer than anything else.
TEST(SpecInterrupts, DisableDoesNotWaitForTheErrorsOwnInterrupt) {
  RecordProperty("rule", "SM-GER-009 SM-IR-004");
  SmmuBench bench(timed_bench_config(), 100'000);
  configure(bench, irq::EVENTQ | irq::GERROR);
  constexpr Time slow = 50'000'000;
  Time event_started = 0, error_started = 0;
  bench.memory.before = [&](const MemoryRequest& request) {
    const bool error = request.purpose == Purpose::MSI && request.address.value == gerror_msi;
    bench.memory.latency_ps = error ? slow : 100'000;
    if (request.purpose == Purpose::MSI) (error ? error_started : event_started) = bench.engine.now();
  };
  bench.memory.abort_at(event_msi, 4);
  TranslationRequest request;
  request.transaction = SmmuBench::transaction(3, 0);
  request.fire = [](EventNode&) {};
  bench.smmu.submit(0, request);
  while (event_started == 0) bench.engine.run_until(bench.engine.now() + 1000);
  bench.smmu.write_register(off::IRQ_CTRL, irq::GERROR, 4);
  while (bench.r32(off::IRQ_CTRLACK) != irq::GERROR) bench.engine.run_until(bench.engine.now() + 1000);
  EXPECT_EQ(bench.active_errors(), gerror::MSI_EVENTQ_ABT_ERR);
  EXPECT_GT(error_started, event_started);
  EXPECT_LT(bench.engine.now(), error_started + slow) << "our choice: its MSI is still on its way";
  bench.run();
}

TEST(SpecInterrupts, AbortedMsiDoesNotStopLaterOnes) {
  RecordProperty("rule", "SM-GER-010 SM-GER-008 SM-EXT-011");
  SmmuBench bench;
  configure(bench, irq::EVENTQ | irq::GERROR);
  bench.memory.abort_at(event_msi, 4);
  make_event(bench);
  EXPECT_EQ(bench.active_errors(), gerror::MSI_EVENTQ_ABT_ERR);
  EXPECT_EQ(bench.smmu.take_interrupts(), wire_eventq | wire_gerror) << "its activation is a global error interrupt";
  bench.memory.clear_aborts();
  bench.take_events();
  bench.memory.log.clear();
  make_event(bench);
  EXPECT_EQ(bench.memory.addresses(Purpose::MSI), std::vector<std::uint64_t>{event_msi});
}

TEST(SpecInterrupts, AbortedGerrorMsiRaisesNoInterrupt) {
  RecordProperty("rule", "SM-GER-008");
  SmmuBench bench;
  configure(bench, irq::GERROR);
  bench.memory.abort_at(gerror_msi, 4);
  bench.issue(raw::command(0xff));
  EXPECT_EQ(bench.active_errors(), gerror::CMDQ_ERR | gerror::MSI_GERROR_ABT_ERR);
  EXPECT_EQ(bench.memory.count(Purpose::MSI), 1u);
  EXPECT_EQ(bench.smmu.take_interrupts(), wire_gerror);
}

}  // namespace
}  // namespace smmusim
