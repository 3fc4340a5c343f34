// SPDX-License-Identifier: MIT
// Stalls and records that are under way when something else happens (IHI 0070 sections 3.12.2, 4.7 and 7.2.1). Nothing
// runs to idleness here: time goes on event by event.
#include <gtest/gtest.h>

#include <array>
#include <memory>

#include "tests/support/smmu_bench.h"

namespace smmusim {
namespace {

namespace cmd = raw::cmd;
using namespace raw::ev;
constexpr std::uint64_t va = 0x1234'5000;
constexpr raw::Bits STAG{79, 64}, cmd_STAG{79, 64};
constexpr std::uint64_t RESUME = 0x44;
constexpr Time memory_ps = 100'000;

SmmuConfig config_of(unsigned stall_max) {
  SmmuConfig config = timed_bench_config();
  config.features.stall_model = spec::StallModel::stall_and_terminate;
  config.features.stall_max = stall_max;
  return config;
}

/// A client that sends its access again as soon as it is answered, as often as it may.
struct Insistent : TranslationRequest {
  Smmu* smmu = nullptr;
  unsigned left = 0;
  unsigned answers = 0;
  static void answered(EventNode& node) {
    auto& self = static_cast<Insistent&>(node);
    self.smmu->retire(self);
    ++self.answers;
    if (self.left == 0) return;
    --self.left;
    self.smmu->submit(0, self);
  }
};

struct TimedStalls {
  explicit TimedStalls(const SmmuConfig& config) : bench(config, memory_ps) {}
  ~TimedStalls() { bench.smmu.reset(); }
  void stream(std::uint32_t sid, bool stalls) {
    bench.put_cd(sid, bench.stage1_stream(sid).with({{raw::cd::S, stalls}}));
  }
  void send(Insistent& client, std::uint32_t sid, std::uint64_t address, unsigned again = 0) {
    client.smmu = &bench.smmu;
    client.left = again;
    client.fire = &Insistent::answered;
    client.transaction = SmmuBench::transaction(sid, address);
    bench.smmu.submit(0, client);
  }
  /// One more instant; false if nothing is left to happen.
  bool step() {
    const Time next = bench.engine.next_event();
    if (next == time_never) return false;
    bench.engine.run_until(next);
    return true;
  }
  /// The next record, taken off the queue without letting time go on; zeros if there is none.
  raw::Record take_record() {
    const std::uint32_t cons = bench.r32(off::EVENTQ_CONS) & 0xfffff;
    raw::Record record{};
    if (cons == (bench.r32(off::EVENTQ_PROD) & 0xfffff)) return record;
    for (unsigned n = 0; n < 4; ++n) record.dw[n] = bench.memory.read64(SmmuBench::eventq + 32 * cons + 8 * n);
    write(off::EVENTQ_CONS, cons + 1);
    return record;
  }
  void write(std::uint32_t offset, std::uint32_t value) { bench.smmu.write_register(offset, value, 4); }

  SmmuBench bench;
};

TEST(SpecStallTimed, SyncDoesNotWaitForADeviceThatNeverStops) {
  RecordProperty("rule", "SM-CS-006 SM-QU-007");
  TimedStalls s(config_of(4));
  s.stream(1, false);
  s.bench.memory.before = [&](const MemoryRequest& request) {  // so slow that there is always a record on its way
    s.bench.memory.latency_ps = request.purpose == Purpose::EVENT ? 4 * memory_ps : memory_ps;
  };
  std::array<Insistent, 4> clients;
  const auto answers = [&] {
    unsigned sum = 0;
    for (const Insistent& client : clients) sum += client.answers;
    return sum;
  };
  for (std::size_t i = 0; i < clients.size(); ++i) s.send(clients[i], 1, va + (i << 12), 1'000);
  while (answers() < 10) s.step();
  s.bench.push(raw::command(cmd::TLBI_NSNH_ALL));
  s.bench.push(raw::command(cmd::SYNC));
  s.write(off::CMDQ_PROD, s.bench.prod);
  while (!s.bench.all_consumed() && answers() < 1'000) {
    s.write(off::EVENTQ_CONS, s.bench.r32(off::EVENTQ_PROD));  // software keeps up
    ASSERT_TRUE(s.step());
  }
  EXPECT_TRUE(s.bench.all_consumed());
  EXPECT_LT(answers(), 100u);
}

/// A stall whose end comes while its answer is still on the link must let the next one have its tag.
TEST(SpecStallTimed, TagThatComesFreeLateWakesWhoWaits) {
  RecordProperty("rule", "SM-FA-014 SM-FA-013");
  SmmuConfig config = config_of(1);
  config.tcu.event_buffer = 1;
  config.tbu.link_cycles = 2000;
  TimedStalls s(config);
  s.stream(1, true);
  s.stream(2, true);
  s.stream(3, false);
  Insistent other, first, second;
  s.send(other, 3, va);  // its record makes that of `first` wait, so that `second` is parked before `first` is
  s.send(first, 1, va);
  s.send(second, 2, va);
  std::uint64_t resumed = 0;
  while (s.step()) {
    const raw::Record record = s.take_record();
    if (record.get(Stall) == 0) continue;
    ++resumed;
    s.bench.push(raw::command(
        RESUME, {{cmd::StreamID, record.get(StreamID)}, {cmd_STAG, record.get(STAG)}, {raw::Bits{13, 13}, 1}}));
    s.write(off::CMDQ_PROD, s.bench.prod);
  }
  EXPECT_EQ(resumed, 2u);
  EXPECT_EQ(first.answers + second.answers, 2u);
  EXPECT_TRUE(s.bench.smmu.idle());
}

TEST(SpecStallTimed, FaultUnderWayWhenSmmuenFallsDoesNotStall) {
  RecordProperty("rule", "SM-RU-012 SM-RU-013");
  TimedStalls s(config_of(4));
  s.stream(1, true);
  Insistent client;
  s.send(client, 1, va);
  while (s.bench.memory.count(Purpose::TTD) == 0) s.step();
  s.write(off::CR0, cr0::CMDQEN | cr0::EVENTQEN);
  while (s.step()) {
  }
  EXPECT_EQ(client.answers, 1u);
  EXPECT_EQ(client.response.outcome, Outcome::abort);
  EXPECT_EQ(s.take_record(), raw::Record{});
}

/// Records in the buffer have taken the last places already.
TEST(SpecStallTimed, StallsCountRecordsOnTheirWay) {
  RecordProperty("rule", "SM-EVQ-008 SM-QU-008");
  TimedStalls s(config_of(8));
  s.bench.enable(cr0::SMMUEN | cr0::CMDQEN);
  s.bench.w64(off::EVENTQ_BASE, SmmuBench::eventq | 1);  // two entries
  s.write(off::EVENTQ_PROD, 0);
  s.write(off::EVENTQ_CONS, 0);
  s.bench.enable(cr0::SMMUEN | cr0::CMDQEN | cr0::EVENTQEN);
  s.stream(1, false);
  s.stream(2, true);
  Insistent terminated[2], stalled;
  s.send(terminated[0], 1, va);
  s.send(terminated[1], 1, va + 0x1000);
  while (s.bench.memory.count(Purpose::EVENT) == 0) s.step();
  s.send(stalled, 2, va);
  while (s.step()) {
  }
  EXPECT_EQ(stalled.answers, 0u);
  EXPECT_EQ((s.bench.r32(off::EVENTQ_PROD) ^ s.bench.r32(off::EVENTQ_CONS)) >> 31, 0u);
  s.write(off::EVENTQ_CONS, s.bench.r32(off::EVENTQ_PROD));
  while (s.step()) {
  }
  EXPECT_EQ(s.bench.memory.last(Purpose::EVENT).first_word >> 32, 2u);  // now the stall is recorded
}

/// A record that waits behind another when the queue stops taking records belongs to a stall, and so is not lost: the
/// transaction is retried when the queue takes records again.
TEST(SpecStallTimed, RecordThatWaitsWhileTheQueueStopsIsMadeAgain) {
  RecordProperty("rule", "SM-EVQ-008 SM-EVQ-010 SM-FA-014");
  for (const bool abort : {false, true}) {
    SCOPED_TRACE(abort ? "abort" : "EVENTQEN");
    TimedStalls s(config_of(8));
    s.stream(1, true);
    s.stream(3, false);
    s.bench.memory.before = [&](const MemoryRequest& request) {
      s.bench.memory.latency_ps = request.purpose == Purpose::EVENT ? 1000 * memory_ps : memory_ps;
    };
    if (abort) s.bench.memory.abort_at(SmmuBench::eventq, 32);
    Insistent terminated, stalled;
    s.send(terminated, 3, va);
    while (s.bench.memory.count(Purpose::EVENT) == 0) s.step();
    s.send(stalled, 1, va);
    while (s.bench.smmu.counters().stalls == 0) s.step();
    if (!abort) s.write(off::CR0, cr0::SMMUEN | cr0::CMDQEN);
    while (s.step()) {
    }
    EXPECT_EQ(s.bench.memory.count(Purpose::EVENT), 1u);
    s.bench.memory.clear_aborts();
    s.take_record();
    if (abort) s.bench.acknowledge_errors();
    if (!abort) s.bench.enable(cr0::SMMUEN | cr0::CMDQEN | cr0::EVENTQEN);
    while (s.step()) {
    }
    const raw::Record record = s.take_record();
    EXPECT_EQ(record.get(StreamID), 1u);
    EXPECT_EQ(record.get(Stall), 1u);
    EXPECT_EQ(stalled.answers, 0u);
  }
}

/// A stall that is over before its record is written gives back the place that it would have taken.
TEST(SpecStallTimed, RoomOfAWithdrawnRecordIsForTheNextStall) {
  RecordProperty("rule", "SM-EVQ-008 SM-FA-014");
  TimedStalls s(config_of(8));
  s.bench.enable(cr0::SMMUEN | cr0::CMDQEN);
  s.bench.w64(off::EVENTQ_BASE, SmmuBench::eventq | 1);  // two entries
  s.write(off::EVENTQ_PROD, 0);
  s.write(off::EVENTQ_CONS, 0);
  s.bench.enable(cr0::SMMUEN | cr0::CMDQEN | cr0::EVENTQEN);
  s.stream(1, true);
  s.stream(2, true);
  s.stream(3, false);
  s.bench.memory.before = [&](const MemoryRequest& request) {
    s.bench.memory.latency_ps = request.purpose == Purpose::EVENT ? 1000 * memory_ps : memory_ps;
  };
  Insistent terminated, first, second;
  s.send(terminated, 3, va);
  while (s.bench.memory.count(Purpose::EVENT) == 0) s.step();
  s.send(first, 1, va);
  while (s.bench.smmu.counters().stalls == 0) s.step();
  s.send(second, 2, va);  // the queue has no room for its record
  s.bench.engine.run_until(s.bench.engine.now() + 100 * memory_ps);
  s.bench.push(raw::command(0x45, {{cmd::StreamID, 1}}));
  s.write(off::CMDQ_PROD, s.bench.prod);
  while (first.answers == 0 && s.step()) {
  }
  ASSERT_EQ(s.bench.r32(off::EVENTQ_PROD), 0u) << "the record before it is on its way still";
  while (s.step()) {
  }
  EXPECT_EQ(s.bench.r32(off::EVENTQ_PROD), 2u);
  EXPECT_EQ(s.bench.memory.last(Purpose::EVENT).first_word >> 32, 2u);
}

}  // namespace
}  // namespace smmusim
