// SPDX-License-Identifier: MIT
// What the acknowledgement of SMMUEN = 0 and PRIQEN = 0 waits for in a timed machine (IHI 0070
// sections 6.3.9.5, 6.3.9.6): work that began before, and no more than that.
#include <gtest/gtest.h>

#include "tests/support/smmu_bench.h"

namespace smmusim {
namespace {

constexpr Time latency = 100'000;
constexpr std::uint32_t queues = cr0::CMDQEN | cr0::EVENTQEN;

/// A stage-1 access whose walk is under way when SMMUEN falls.
struct Interrupted {
  explicit Interrupted(std::uint64_t descriptor, bool httu = false) : bench(config_with(httu), latency) {
    raw::Cd context = bench.stage1_stream(1);
    if (httu) context = context.with({{raw::cd::HA, 1}, {raw::cd::HD, 1}});
    bench.put_cd(1, context);
    bench.map(SmmuBench::ttb0(context), 0x1000, descriptor);
    request.transaction = SmmuBench::transaction(1, 0x1000);
    request.fire = [](EventNode&) {};
    EXPECT_FALSE(bench.smmu.submit(0, request));
    while (bench.memory.count(Purpose::STE) == 0) step();
    bench.smmu.write_register(off::CR0, queues, 4);
  }
  static SmmuConfig config_with(bool httu) {
    SmmuConfig config = timed_bench_config();
    if (httu) config.features.httu = spec::Httu::access_dirty;
    return config;
  }
  void step() { bench.engine.run_until(bench.engine.next_event()); }
  bool acknowledged() { return (bench.r32(off::CR0ACK) & cr0::SMMUEN) == 0; }
  /// Runs until the acknowledgement is there.
  void wait() {
    while (!acknowledged() && bench.engine.next_event() != time_never) step();
  }

  SmmuBench bench;
  TranslationRequest request;
};

TEST(SpecDisableTimed, NothingIsReadFilledOrMarkedAfterTheAcknowledgement) {
  RecordProperty("rule", "SM-RU-010 SM-ST-010 SM-RS-002 SM-RU-013");
  for (const bool httu : {false, true}) {
    SCOPED_TRACE(httu);
    Interrupted one(raw::page(SmmuBench::target, raw::ng | raw::ap_unprivileged | (httu ? 0 : raw::af)), httu);
    EXPECT_FALSE(one.acknowledged()) << "the walk is under way";
    one.wait();
    ASSERT_TRUE(one.acknowledged());
    const std::size_t accesses = one.bench.memory.log.size();
    const std::uint64_t fills = one.bench.smmu.cache_counters(CacheId::tlb).fills;
    one.bench.run();
    EXPECT_EQ(one.bench.memory.log.size(), accesses);
    EXPECT_EQ(one.bench.smmu.cache_counters(CacheId::tlb).fills, fills);
    EXPECT_EQ(one.request.response.outcome, Outcome::proceed) << "wholly before the change";
    EXPECT_EQ(one.request.response.address.value, SmmuBench::target);
    one.bench.smmu.reset();
  }
}

TEST(SpecDisableTimed, AFaultOfAnEarlierTranslationIsReportedBeforeTheAcknowledgement) {
  RecordProperty("rule", "SM-RU-010");
  Interrupted one(0);
  while (!one.acknowledged()) {
    ASSERT_NE(one.bench.engine.next_event(), time_never);
    one.step();
  }
  EXPECT_EQ(one.request.response.outcome, Outcome::abort);
  one.bench.run();
  EXPECT_EQ(one.bench.take_event().get(raw::ev::Type), raw::ev::F_TRANSLATION);
  one.bench.smmu.reset();
}

TEST(SpecDisableTimed, GuardedRegistersWaitForTheAcknowledgement) {
  RecordProperty("rule", "SM-RU-010 SM-TAB-001");
  Interrupted one(raw::page(SmmuBench::target));
  one.bench.smmu.write_register(off::STRTAB_BASE, 0x7000'0000, 8);
  EXPECT_EQ(one.bench.r64(off::STRTAB_BASE) & 0xffff'ffff'ffc0, SmmuBench::strtab);
  one.wait();
  one.bench.smmu.write_register(off::STRTAB_BASE, 0x7000'0000, 8);
  EXPECT_EQ(one.bench.r64(off::STRTAB_BASE) & 0xffff'ffff'ffc0, 0x7000'0000u);
  one.bench.run();
  one.bench.smmu.reset();
}

TEST(SpecDisableTimed, ADeviceThatAsksAgainDoesNotHoldTheAcknowledgement) {
  RecordProperty("rule", "SM-RU-012");
  SmmuConfig config = timed_bench_config();
  config.features.ats = config.features.pri = true;
  config.features.priqs = 5;
  SmmuBench bench(config);
  PageRequest request;
  request.stream_id = StreamId(1);
  request.address = 0x1000;
  request.last = request.read = true;
  bool asks_again = true;
  bench.smmu.on_page_response([&](const PageResponse&) {
    if (asks_again) bench.smmu.page_request(request);
  });
  bench.smmu.page_request(request);  // PRIQEN is 0: the answer is a failure, and so on
  bench.engine.run_until(bench.engine.now() + 1'000'000);
  bench.smmu.write_register(off::CR0, queues, 4);
  bench.engine.run_until(bench.engine.now() + 1'000'000);
  EXPECT_EQ(bench.r32(off::CR0ACK), queues);
  asks_again = false;
  bench.engine.run_until(bench.engine.now() + 1'000'000);
  bench.smmu.reset();
}

TEST(SpecDisableTimed, AnErrorAcknowledgedWhileItIsToldLetsTheQueueGoOn) {
  RecordProperty("rule", "SM-CMQ-007");
  for (const Time memory_latency : {Time{0}, latency}) {
    SCOPED_TRACE(memory_latency);
    SmmuBench bench(memory_latency == 0 ? bench_config() : timed_bench_config(), memory_latency);
    bench.w64(off::GERROR_IRQ_CFG0, 0x7000'1000);
    bench.w32(off::IRQ_CTRL, irq::GERROR);
    unsigned messages = 0;
    bench.memory.before = [&](const MemoryRequest& request) {
      if (request.purpose != Purpose::MSI) return;
      ++messages;  // the handler writes back at once
      bench.memory.store(SmmuBench::cmdq + 16 * bench.cons(), raw::command(raw::cmd::SYNC));
      bench.smmu.write_register(off::GERRORN, bench.r32(off::GERROR), 4);
    };
    bench.push(raw::command(0xff));
    bench.sync();
    EXPECT_EQ(messages, 1u);
    EXPECT_TRUE(bench.all_consumed());
  }
}

}  // namespace
}  // namespace smmusim
