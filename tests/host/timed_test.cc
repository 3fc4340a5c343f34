// SPDX-License-Identifier: MIT
// The simulated host with a timed SMMU: calls return at once and their work takes simulated time, in order; events are
// there when the interrupt's thread has run.
#include <gtest/gtest.h>

#include "model/smmu/smmu.h"
#include "platform/driver/commands.h"
#include "tests/host/host_bench.h"

namespace smmusim::host {
namespace {

constexpr std::uint64_t tables = 0x4100'0000, va = 0x1'2345'6000, ipa = 0x4abc'd000;
constexpr Time memory_latency = 50'000;

SimulatedHostConfig timed_config() {
  SimulatedHostConfig config = bench_config();
  config.smmus[0].timed = true;
  config.smmus[0].features.ats = false;
  return config;
}

struct TimedBench {
  TimedBench() : bench(timed_config(), memory_latency), nest(bench), ste(bench.guest_stream(tables, va, ipa)) {}
  Response access(std::uint64_t address) {
    struct Waiting : TranslationRequest {
      bool answered = false;
    } request;
    request.transaction.stream_id = StreamId(stream_a);
    request.transaction.address = Va(address);
    request.fire = [](EventNode& node) { static_cast<Waiting&>(node).answered = true; };
    request.answered = bench.host.physical_smmu().submit(0, request);
    bench.engine.run();
    EXPECT_TRUE(request.answered);
    bench.host.physical_smmu().retire(request);
    return request.response;
  }
  HostBench bench;
  Nest nest;
  SteWords ste;
};

TEST(Timed, WorkGoesOnAfterTheCall) {
  TimedBench t;
  SimulatedHost& host = t.bench.host;
  EXPECT_LT(host.work_done(), host.work_issued());
  t.bench.engine.run();
  EXPECT_EQ(host.work_done(), host.work_issued());
  EXPECT_EQ(host.counters().driver_failures, 0u);
  unsigned told = 0;
  const std::uint64_t listener = host.add_listener([&] { ++told; });
  const Time before = t.bench.engine.now();
  ASSERT_TRUE(t.nest.device->attach(*t.nest.viommu->alloc_nested(*t.nest.device, t.ste)).ok());
  EXPECT_EQ(t.bench.engine.now(), before);
  t.bench.engine.run();
  EXPECT_EQ(told, 2u);
  host.remove_listener(listener);
  EXPECT_EQ(t.access(va).address, Pa(t.bench.physical(ipa)));
  EXPECT_EQ(told, 2u);
}

TEST(Timed, CallsCostTheirParametersAndTheirCommands) {
  TimedBench t;
  t.bench.engine.run();
  const HostTiming timing;
  const auto spent = [&](std::uint32_t request, const std::function<void()>& call) {
    const CallTime before = t.bench.host.call_time(request);
    call();
    t.bench.engine.run();
    EXPECT_EQ(t.bench.host.call_time(request).count, before.count + 1);
    return t.bench.host.call_time(request).total - before.total;
  };
  EXPECT_EQ(spent(abi::get_hw_info, [&] { ASSERT_TRUE(t.nest.device->hw_info().ok()); }), timing.ioctl);
  EXPECT_EQ(spent(abi::ioas_map, [&] { ASSERT_TRUE(t.nest.ioas->map(0x6000'0000, guest_user_va, 0x3000).ok()); }),
            timing.ioctl + 3 * timing.map_page);
  const auto invalidate = [&](std::size_t count) {
    const std::vector<spec::Command> commands(count, make_tlbi_nh_asid(Vmid(0), Asid(1)));
    return spent(abi::hwpt_invalidate, [&] { EXPECT_TRUE(t.nest.viommu->invalidate(commands).ok()); });
  };
  const Time one = invalidate(1), sixty = invalidate(60), two_batches = invalidate(64);
  EXPECT_GT(one, timing.ioctl + timing.invalidate_entry + memory_latency);
  EXPECT_GT(sixty, one + 59 * timing.invalidate_entry);
  EXPECT_GT(two_batches, sixty + 4 * timing.invalidate_entry + memory_latency);
}

TEST(Timed, EventsComeAfterTheInterruptsThread) {
  TimedBench t;
  ASSERT_TRUE(t.nest.device->attach(*t.nest.viommu->alloc_nested(*t.nest.device, t.ste)).ok());
  t.bench.engine.run();
  EXPECT_EQ(t.access(va + 0x1000).outcome, Outcome::abort);
  const Time before = t.bench.engine.now();
  EXPECT_FALSE(*t.nest.events->readable());  // starts the thread
  t.bench.engine.run();
  EXPECT_EQ(t.bench.engine.now(), before + HostTiming{}.event);
  EXPECT_TRUE(*t.nest.events->readable());
  std::vector<Vevent> events;
  EXPECT_EQ(*t.nest.events->read(events), 1u);
}

TEST(Timed, TheHostMayEndInTheMiddleOfItsWork) {
  for (Time stop = 0; stop < 40'000'000; stop += 1'700'000) {
    TimedBench t;
    ASSERT_TRUE(t.nest.device->attach(*t.nest.viommu->alloc_nested(*t.nest.device, t.ste)).ok());
    t.bench.engine.run_until(stop);
  }
}

}  // namespace
}  // namespace smmusim::host
