// SPDX-License-Identifier: MIT
// The event buffer's back-pressure, and acknowledgements that come only when work is done: CR0ACK.EVENTQEN and CMDQEN
// (IHI 0070 section 6.3.9), IRQ_CTRLACK with an MSI outstanding (sections 3.18.1 and 6.3.16).
#include <gtest/gtest.h>

#include <vector>

#include "tests/support/timing_bench.h"

namespace smmusim {
namespace {

constexpr std::uint64_t va = 0x12'3440'0000;
constexpr std::uint64_t unmapped = va + 0x10'0000;
constexpr std::uint32_t sid = 5;
constexpr std::uint32_t all_on = cr0::SMMUEN | cr0::EVENTQEN | cr0::CMDQEN;

SmmuConfig with_event_buffer(unsigned records) {
  SmmuConfig config = TimingBench::prime_config();
  config.tcu.event_buffer = records;
  return config;
}

class Events {
 public:
  explicit Events(unsigned buffer = 16) : bench(with_event_buffer(buffer)) {
    bench.stage1_stream(sid);
    bench.map_page(sid, va, TimingBench::target);
    bench.go(sid, va);
    bench.settle();
  }
  /// Accesses to pages that are not mapped, one a cycle.
  std::vector<TimingBench::Sent*> send_faults(unsigned count) {
    std::vector<TimingBench::Sent*> requests;
    for (unsigned n = 0; n < count; ++n) requests.push_back(&bench.send(sid, unmapped + 0x1000ull * n));
    return requests;
  }
  TimingBench bench;
  const ExpectedTimes& t = bench.times;
  /// From submission to the answer of a fault whose record finds room.
  const Time fault_takes = t.tcu_hit() + t.walk(1);
};

TEST(EventBuffer, FaultWaitsForRoomOnly) {
  for (const unsigned buffer : {1u, 2u, 4u}) {
    SCOPED_TRACE(buffer);
    Events events(buffer);
    const auto requests = events.send_faults(buffer + 3);
    events.bench.run();
    for (unsigned n = 0; n < buffer; ++n) {
      EXPECT_EQ(requests[n]->took(), events.fault_takes + n * events.t.lookup_interval) << n;
    }
    for (unsigned n = buffer; n < buffer + 3; ++n) {
      // Its record enters when one more is written.
      const Time room = events.bench.recorder.done(Purpose::EVENT, n - buffer);
      EXPECT_EQ(requests[n]->answered_at, room + events.t.link) << n;
    }
    EXPECT_EQ(events.bench.take_events().size(), buffer + 3);
  }
}

TEST(EventBuffer, RecordsAreWrittenOneAfterTheOtherInOrder) {
  Events events;
  events.send_faults(4);
  events.bench.run();
  for (std::size_t n = 1; n < 4; ++n) {
    EXPECT_EQ(events.bench.recorder.done(Purpose::EVENT, n) - events.bench.recorder.done(Purpose::EVENT, n - 1),
              events.t.memory);
  }
  const auto records = events.bench.take_events();
  ASSERT_EQ(records.size(), 4u);
  for (std::size_t n = 0; n < 4; ++n) EXPECT_EQ(records[n].get(raw::ev::InputAddr), unmapped + 0x1000 * n);
}

TEST(EventBuffer, FullBufferDoesNotHoldUpHits) {
  Events events(1);
  events.send_faults(6);
  events.bench.run_for(events.fault_takes);
  auto& hit = events.bench.send(sid, va);
  events.bench.run();
  EXPECT_EQ(hit.took(), events.t.micro_hit());
}

TEST(EventBuffer, FullQueueLosesRecordsAndBlocksNobody) {
  Events events(2);
  const unsigned room = 1u << TimingBench::eventq_log2;
  const auto requests = events.send_faults(room + 5);
  events.bench.run();
  for (const auto* request : requests) EXPECT_TRUE(request->answered);
  EXPECT_EQ(events.bench.smmu->counters().events_written, room);
  EXPECT_EQ(events.bench.smmu->counters().events_lost, 5u);
  EXPECT_NE(events.bench.r32(off::EVENTQ_PROD) & 0x8000'0000, 0u);
}

// Acknowledgements.

TEST(Acknowledge, EventqenGoesOffWhenTheLastRecordIsVisible) {
  RecordProperty("rule", "SM-RU-001");
  Events events;
  events.send_faults(1);
  events.bench.run_for(events.fault_takes);  // the record is on its way
  events.bench.w32(off::CR0, cr0::SMMUEN | cr0::CMDQEN);
  EXPECT_EQ(events.bench.r32(off::CR0), cr0::SMMUEN | cr0::CMDQEN);
  const Time visible = events.bench.port.starts.back().when + events.t.memory;
  events.bench.engine.run_until(visible - 1);
  EXPECT_EQ(events.bench.r32(off::CR0ACK), all_on);
  EXPECT_EQ(events.bench.r32(off::EVENTQ_PROD), 0u);
  events.bench.engine.run_until(visible);
  EXPECT_EQ(events.bench.r32(off::CR0ACK), cr0::SMMUEN | cr0::CMDQEN);
  EXPECT_EQ(events.bench.r32(off::EVENTQ_PROD), 1u);
}

TEST(Acknowledge, EventqenGoesOffAtOnceWhenNothingIsUnderWay) {
  Events events;
  events.bench.w32(off::CR0, cr0::SMMUEN | cr0::CMDQEN);
  EXPECT_EQ(events.bench.r32(off::CR0ACK), cr0::SMMUEN | cr0::CMDQEN);
}

TEST(Acknowledge, EventqenInTransitionIgnoresWrites) {
  Events events;
  events.send_faults(1);
  events.bench.run_for(events.fault_takes);
  events.bench.w32(off::CR0, cr0::SMMUEN | cr0::CMDQEN);
  events.bench.w32(off::CR0, all_on);
  EXPECT_EQ(events.bench.r32(off::CR0), cr0::SMMUEN | cr0::CMDQEN);
  events.bench.run();
  EXPECT_EQ(events.bench.r32(off::CR0ACK), cr0::SMMUEN | cr0::CMDQEN);
}

TEST(Acknowledge, CmdqenGoesOffWhenTheCommandUnderWayIsConsumed) {
  RecordProperty("rule", "SM-RU-001");
  Events events;
  const Time start = events.bench.engine.now();
  events.bench.push(raw::command(raw::cmd::TLBI_NSNH_ALL));
  events.bench.push(raw::command(raw::cmd::TLBI_NSNH_ALL));
  events.bench.kick();
  events.bench.run_for(events.t.memory / 2);
  events.bench.w32(off::CR0, cr0::SMMUEN | cr0::EVENTQEN);
  const Time consumed = start + events.t.memory + events.t.command;
  events.bench.engine.run_until(consumed - 1);
  EXPECT_EQ(events.bench.r32(off::CR0ACK), all_on);
  events.bench.engine.run_until(consumed);
  EXPECT_EQ(events.bench.r32(off::CR0ACK), cr0::SMMUEN | cr0::EVENTQEN);
  events.bench.run();
  EXPECT_EQ(events.bench.r32(off::CMDQ_CONS), 1u);  // the second was not begun
}

TEST(Acknowledge, CmdqenOnAgainGoesOnWhereItStopped) {
  Events events;
  for (int n = 0; n < 3; ++n) events.bench.push(raw::command(raw::cmd::TLBI_NSNH_ALL));
  events.bench.kick();
  events.bench.run_for(events.t.memory / 2);
  events.bench.w32(off::CR0, cr0::SMMUEN | cr0::EVENTQEN);
  events.bench.run();
  events.bench.w32(off::CR0, all_on);
  events.bench.run();
  EXPECT_TRUE(events.bench.all_consumed());
}

/// An event queue whose interrupt is an MSI.
class Msis : public Events {
 public:
  Msis() {
    bench.w64(off::EVENTQ_IRQ_CFG0, TimingBench::msi);
    bench.w32(off::EVENTQ_IRQ_CFG1, 0x1234);
    bench.w32(off::IRQ_CTRL, irq::EVENTQ);
  }
};

TEST(Acknowledge, IrqCtrlGoesOffWhenTheMsiIsVisible) {
  RecordProperty("rule", "SM-IR-004 SM-IRQ-001");
  Msis msis;
  msis.send_faults(1);
  const Time record = msis.t.memory;
  msis.bench.run_for(msis.fault_takes - msis.t.link + record);  // the record is visible: the MSI starts
  ASSERT_EQ(msis.bench.recorder.count(Purpose::EVENT), 1u);
  msis.bench.w32(off::IRQ_CTRL, 0);
  const Time visible = msis.bench.recorder.done(Purpose::EVENT) + msis.t.memory;
  msis.bench.engine.run_until(visible - 1);
  EXPECT_EQ(msis.bench.r32(off::IRQ_CTRLACK), irq::EVENTQ);
  msis.bench.engine.run_until(visible);
  EXPECT_EQ(msis.bench.r32(off::IRQ_CTRLACK), 0u);
  EXPECT_EQ(msis.bench.memory.load64(Pa(TimingBench::msi)), 0x1234u);
}

TEST(Acknowledge, IrqCtrlOfAnIdleSourceGoesOffAtOnce) {
  Msis msis;
  EXPECT_EQ(msis.bench.r32(off::IRQ_CTRLACK), irq::EVENTQ);
  msis.bench.w32(off::IRQ_CTRL, 0);
  EXPECT_EQ(msis.bench.r32(off::IRQ_CTRLACK), 0u);
}

TEST(Interrupts, MsiAndWireComeAfterTheRecordTheyAnnounce) {
  Msis msis;
  msis.send_faults(1);
  (void)msis.bench.smmu->take_interrupts();
  msis.bench.run_for(msis.fault_takes - msis.t.link + msis.t.memory - 1);
  EXPECT_EQ(msis.bench.smmu->take_interrupts() & wire_eventq, 0u);
  msis.bench.run();
  EXPECT_EQ(msis.bench.smmu->take_interrupts() & wire_eventq, wire_eventq);
  expect_gap(msis.bench.port, Purpose::EVENT, Purpose::MSI, msis.t.memory);
}

}  // namespace
}  // namespace smmusim
