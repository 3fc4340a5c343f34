// SPDX-License-Identifier: MIT
// vEVENTQ and fault queue of the simulated host: which events come, what overflow looks like, what reads give.
#include <gtest/gtest.h>

#include "model/smmu/smmu.h"
#include "model/spec/cd.h"
#include "tests/host/host_bench.h"

namespace smmusim::host {
namespace {

constexpr std::uint64_t tables = 0x4100'0000, va = 0x1'2345'6000, ipa = 0x4abc'd000;

struct EventBench {
  explicit EventBench(const std::string& kernel = "7.1", std::uint32_t depth = 2)
      : bench(with_kernel(kernel)), nest(bench, "vfio0", depth), ste(bench.guest_stream(tables, va, ipa)) {
    hwpt = *nest.viommu->alloc_nested(*nest.device, ste);
    EXPECT_TRUE(nest.device->attach(hwpt).ok());
  }
  static SimulatedHostConfig with_kernel(const std::string& kernel) {
    SimulatedHostConfig config = bench_config();
    config.kernel = kernel;
    return config;
  }
  /// `count` translation faults, each of another page.
  void fault(unsigned count) {
    for (unsigned i = 0; i != count; ++i) bench.access(stream_a, va + 0x1000 * ++page);
    bench.host.service_interrupts();
  }
  std::vector<Vevent> read() {
    std::vector<Vevent> events;
    EXPECT_TRUE(nest.events->read(events).ok());
    return events;
  }
  SysResult raw_read(std::size_t bytes) {
    std::vector<char> buffer(bytes + 1);
    return bench.host.read(nest.events->fd(), buffer.data(), bytes);
  }

  HostBench bench;
  Nest nest;
  SteWords ste;
  HwptPtr hwpt;
  std::uint64_t page = 0;
};

TEST(Veventq, OverflowIsMarkedAtTheTail) {
  EventBench bench;
  bench.fault(5);
  const std::vector<Vevent> events = bench.read();
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(events[0].sequence, 0u);
  EXPECT_EQ(events[1].sequence, 1u);
  EXPECT_FALSE(events[1].lost_events);
  EXPECT_TRUE(events[2].lost_events);
  EXPECT_EQ(events[2].sequence, 4u);
  EXPECT_EQ(bench.bench.host.counters().vevents, 2u);
  EXPECT_EQ(bench.bench.host.counters().vevents_lost, 3u);
  bench.fault(1);
  const std::vector<Vevent> after = bench.read();
  ASSERT_EQ(after.size(), 1u);
  EXPECT_EQ(after[0].sequence, 5u);
}

TEST(Veventq, AnEventBehindTheMarkReplacesItByAGap) {
  EventBench bench;
  bench.fault(3);
  EXPECT_EQ(bench.raw_read(40).value, 40);  // one record makes room
  bench.fault(1);
  const std::vector<Vevent> events = bench.read();
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].sequence, 1u);
  EXPECT_FALSE(events[1].lost_events);
  EXPECT_EQ(events[1].sequence, 3u);  // 2 was lost
}

TEST(Veventq, ReadsGiveWholeRecordsOnly) {
  EventBench bench;
  EXPECT_EQ(bench.raw_read(400).value, 0);
  bench.fault(3);
  EXPECT_EQ(bench.raw_read(39).value, 0);
  EXPECT_EQ(bench.raw_read(79).value, 40);
  EXPECT_EQ(bench.raw_read(47).value, 40);
  EXPECT_EQ(bench.raw_read(7).value, 0);
  EXPECT_EQ(bench.raw_read(400).value, 8);  // the mark
  EXPECT_EQ(bench.raw_read(400).value, 0);
}

TEST(Veventq, TooSmallReadsAreErrorsFrom72On) {
  EventBench bench("7.2");
  EXPECT_EQ(bench.raw_read(4).error, 0);  // empty
  bench.fault(1);
  EXPECT_EQ(bench.raw_read(39).error, EINVAL);
  EXPECT_EQ(bench.raw_read(40).value, 40);
}

TEST(Veventq, StageTwoFaultsStayWithTheHost) {
  EventBench bench;
  ASSERT_TRUE(bench.nest.ioas->unmap(guest_iova, guest_bytes).ok());
  EXPECT_EQ(bench.bench.access(stream_a, va).outcome, Outcome::abort);
  EXPECT_TRUE(bench.read().empty());
  EXPECT_EQ(bench.bench.host.counters().events_kept, 1u);
}

TEST(Veventq, BadStreamIdAndOtherDevicesStayWithTheHost) {
  EventBench bench;
  bench.bench.access(0x7fff, va);
  EXPECT_TRUE(bench.read().empty());
  EXPECT_EQ(bench.bench.host.counters().events_kept, 1u);
}

TEST(Veventq, BadCdIsTheGuests) {
  EventBench bench;
  bench.bench.memory.store64(Pa(bench.bench.physical(tables)), 0);  // CD.V = 0
  bench.bench.access(stream_a, va);
  const std::vector<Vevent> events = bench.read();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].event.get<spec::Event::Type>(), spec::EventType::C_BAD_CD);
  EXPECT_EQ(events[0].event.get<spec::Event::StreamID>(), 0x21u);
}

TEST(Veventq, WithoutVdeviceNothingComes) {
  EventBench bench;
  bench.nest.vdevice.reset();
  bench.fault(1);
  EXPECT_TRUE(bench.read().empty());
}

TEST(FaultQueue, StalledFaultsWaitForTheirAnswer) {
  HostBench bench;
  Nest nest(bench);
  const FaultQueuePtr faults = *nest.iommufd->alloc_fault_queue();
  const SteWords ste = bench.guest_stream(tables, va, ipa);
  // The CD's S bit: faults stall.
  const Pa cd(bench.physical(tables));
  bench.memory.store64(cd, bench.memory.load64(cd) | spec::Cd::S::mask);
  ASSERT_TRUE(nest.device->attach(*nest.viommu->alloc_nested(*nest.device, ste, faults)).ok());
  struct Waiting : TranslationRequest {
    bool answered = false;
  } request;
  request.transaction.stream_id = StreamId(stream_a);
  request.transaction.address = Va(va + 0x3000);
  request.fire = [](EventNode& node) { static_cast<Waiting&>(node).answered = true; };
  EXPECT_FALSE(bench.host.physical_smmu().submit(0, request));
  bench.engine.run();
  EXPECT_FALSE(request.answered);
  std::vector<abi::PageFault> read;
  ASSERT_EQ(*faults->read(read), 1u);
  EXPECT_EQ(read[0].addr, va + 0x3000);
  EXPECT_EQ(read[0].perm, abi::fault_read);
  EXPECT_EQ(read[0].dev_id, nest.device->id());
  std::vector<Vevent> events;
  EXPECT_EQ(*nest.events->read(events), 0u);
  EXPECT_EQ(faults->respond(read[0].cookie + 1, abi::fault_success).error().error, EINVAL);
  EXPECT_EQ(faults->respond(read[0].cookie, 2).error().error, EINVAL);
  EXPECT_TRUE(faults->respond(read[0].cookie, abi::fault_invalid).ok());
  bench.engine.run();
  EXPECT_TRUE(request.answered);
  EXPECT_EQ(request.response.outcome, Outcome::abort);
  EXPECT_EQ(faults->respond(read[0].cookie, abi::fault_success).error().error, EINVAL);
  bench.host.physical_smmu().retire(request);
  char part[41];
  EXPECT_EQ(bench.host.read(faults->fd(), part, sizeof part).error, ESPIPE);
}

}  // namespace
}  // namespace smmusim::host
