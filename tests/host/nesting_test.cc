// SPDX-License-Identifier: MIT
// A nested device of the simulated host from end to end: translations of the physical SMMU, attach and re-attach,
// invalidations that arrive, events that come back, the order in which objects die.
#include <gtest/gtest.h>

#include "model/smmu/smmu.h"
#include "platform/driver/commands.h"
#include "tests/host/host_bench.h"

namespace smmusim::host {
namespace {

constexpr std::uint64_t tables = 0x4100'0000, other_tables = 0x4200'0000, va = 0x1'2345'6000, ipa = 0x4abc'd000;

TEST(Nesting, GuestStageOneGoesOverHostStageTwo) {
  HostBench bench;
  Nest nest(bench);
  const Result<HwptPtr> hwpt = nest.viommu->alloc_nested(*nest.device, bench.guest_stream(tables, va, ipa));
  ASSERT_TRUE(hwpt.ok()) << describe(hwpt.error());
  EXPECT_EQ(bench.access(stream_a, va).outcome, Outcome::abort);
  ASSERT_TRUE(nest.device->attach(*hwpt).ok());
  const Response response = bench.access(stream_a, va + 0x123);
  ASSERT_EQ(response.outcome, Outcome::proceed);
  EXPECT_EQ(response.address, Pa(bench.physical(ipa) + 0x123));
  EXPECT_EQ(bench.access(stream_b, va).outcome, Outcome::abort);
}

TEST(Nesting, ReplacementTakesEffectAtOnceAndTheOldTableCanGo) {
  HostBench bench;
  Nest nest(bench);
  HwptPtr first = *nest.viommu->alloc_nested(*nest.device, bench.guest_stream(tables, va, ipa));
  ASSERT_TRUE(nest.device->attach(first).ok());
  EXPECT_EQ(bench.access(stream_a, va).address, Pa(bench.physical(ipa)));
  HwptPtr second = *nest.viommu->alloc_nested(*nest.device, bench.guest_stream(other_tables, va, ipa + 0x1000, 2));
  ASSERT_TRUE(nest.device->attach(second).ok());
  first.reset();
  EXPECT_EQ(bench.log->destroy_failures(), 0u);
  EXPECT_EQ(bench.access(stream_a, va).address, Pa(bench.physical(ipa) + 0x1000));
}

TEST(Nesting, BypassIsStageTwoAlone) {
  HostBench bench;
  Nest nest(bench);
  const HwptPtr bypass = *nest.viommu->alloc_nested(*nest.device, {0x9, 0});
  ASSERT_TRUE(nest.device->attach(bypass).ok());
  EXPECT_EQ(bench.access(stream_a, ipa).address, Pa(bench.physical(ipa)));
  EXPECT_EQ(bench.access(stream_a, 0x2000).outcome, Outcome::abort);  // not mapped by the host
}

TEST(Nesting, AbortBlocksAndDetachBlocks) {
  HostBench bench;
  Nest nest(bench);
  const HwptPtr bypass = *nest.viommu->alloc_nested(*nest.device, {0x9, 0});
  const HwptPtr abort = *nest.viommu->alloc_nested(*nest.device, {0x1, 0});
  ASSERT_TRUE(nest.device->attach(bypass).ok());
  ASSERT_TRUE(nest.device->attach(abort).ok());
  EXPECT_EQ(bench.access(stream_a, ipa).outcome, Outcome::abort);
  ASSERT_TRUE(nest.device->attach(bypass).ok());
  EXPECT_EQ(bench.access(stream_a, ipa).outcome, Outcome::proceed);
  ASSERT_TRUE(nest.device->detach().ok());
  EXPECT_EQ(bench.access(stream_a, ipa).outcome, Outcome::abort);
}

TEST(Nesting, InvalidationReachesThePhysicalTlb) {
  HostBench bench;
  Nest nest(bench);
  const SteWords ste = bench.guest_stream(tables, va, ipa, 7);
  ASSERT_TRUE(nest.device->attach(*nest.viommu->alloc_nested(*nest.device, ste)).ok());
  EXPECT_EQ(bench.access(stream_a, va).address, Pa(bench.physical(ipa)));
  // The guest maps the page elsewhere: the leaf is the only word of its tables that has the page's address.
  for (std::uint64_t at = bench.physical(tables); at != bench.physical(tables) + 0x10000; at += 8) {
    const std::uint64_t word = bench.memory.load64(Pa(at));
    if ((word & 0xffff'ffff'f000) == ipa) bench.memory.store64(Pa(at), word + 0x5000);
  }
  EXPECT_EQ(bench.access(stream_a, va).address, Pa(bench.physical(ipa)));  // still cached
  const spec::Command command = make_tlbi_nh_asid(Vmid(0), Asid(7));
  EXPECT_TRUE(nest.viommu->invalidate({&command, 1}).ok());
  EXPECT_EQ(bench.access(stream_a, va).address, Pa(bench.physical(ipa) + 0x5000));
}

TEST(Nesting, UnmappingTheParentEndsTranslations) {
  HostBench bench;
  Nest nest(bench);
  ASSERT_TRUE(nest.device->attach(*nest.viommu->alloc_nested(*nest.device, bench.guest_stream(tables, va, ipa))).ok());
  EXPECT_EQ(bench.access(stream_a, va).outcome, Outcome::proceed);
  EXPECT_EQ(*nest.ioas->unmap(guest_iova, guest_bytes), guest_bytes);
  EXPECT_EQ(bench.access(stream_a, va).outcome, Outcome::abort);
}

TEST(Nesting, EventsComeBackWithTheGuestsStreamId) {
  HostBench bench;
  Nest nest(bench);
  ASSERT_TRUE(nest.device->attach(*nest.viommu->alloc_nested(*nest.device, bench.guest_stream(tables, va, ipa))).ok());
  EXPECT_FALSE(*nest.events->readable());
  EXPECT_EQ(bench.access(stream_a, va + 0x1000).outcome, Outcome::abort);
  EXPECT_TRUE(*nest.events->readable());
  std::vector<Vevent> events;
  ASSERT_EQ(*nest.events->read(events), 1u);
  EXPECT_EQ(events[0].event.get<spec::Event::Type>(), spec::EventType::F_TRANSLATION);
  EXPECT_EQ(events[0].event.get<spec::Event::StreamID>(), 0x21u);
  EXPECT_EQ(events[0].event.get<spec::Event::InputAddr>(), va + 0x1000);
  EXPECT_EQ(events[0].sequence, 0u);
  EXPECT_EQ(*nest.events->read(events), 0u);
}

TEST(Nesting, ObjectsDieInAnOrderThatTheHostAccepts) {
  HostBench bench;
  {
    Nest nest(bench);
    ASSERT_TRUE(
        nest.device->attach(*nest.viommu->alloc_nested(*nest.device, bench.guest_stream(tables, va, ipa))).ok());
    EXPECT_EQ(bench.host.objects(), 7u);
  }
  EXPECT_EQ(bench.host.objects(), 0u);
  EXPECT_EQ(bench.log->destroy_failures(), 0u);
  EXPECT_EQ(bench.log->objects_allocated(), bench.log->objects_destroyed() + bench.log->objects_already_gone());
  EXPECT_EQ(bench.access(stream_a, va).outcome, Outcome::abort);
}

}  // namespace
}  // namespace smmusim::host
