// SPDX-License-Identifier: MIT
// Where guest memory may be, by the SMMU's output size and the kernel's page size, and the MSI window in it.
#include <gtest/gtest.h>

#include "model/smmu/smmu.h"
#include "tests/host/host_bench.h"

namespace smmusim::host {
namespace {

struct ApertureRow {
  unsigned oas, page_bits, bits;
  std::uint64_t alignment;
};

/// Physical memory and the host's tables within 32 bits.
SimulatedHostConfig low_memory() {
  SimulatedHostConfig config = bench_config();
  config.windows[0].physical = Pa(0x5000'0000);
  config.tables_base = Pa(0x8000'0000);
  return config;
}

TEST(Aperture, IsTheOutputSizeUpTo48BitsOr52With64KPages) {
  const ApertureRow rows[] = {{32, 12, 32, 0x1000},  {36, 12, 36, 0x1000},  {40, 12, 40, 0x1000}, {42, 12, 42, 0x1000},
                              {44, 12, 44, 0x1000},  {48, 12, 48, 0x1000},  {52, 12, 48, 0x1000}, {32, 16, 32, 0x10000},
                              {44, 16, 44, 0x10000}, {48, 16, 48, 0x10000}, {52, 16, 52, 0x10000}};
  for (const ApertureRow& row : rows) {
    SimulatedHostConfig config = low_memory();
    config.page_bits = row.page_bits;
    config.smmus[0].features.oas = row.oas;
    HostBench bench(config);
    const IommufdPtr iommufd = bench.open();
    const VfioDevicePtr device = bench.device(iommufd);
    const IoasPtr ioas = *iommufd->alloc_ioas();
    EXPECT_EQ(ioas->iova_ranges()->allowed.back().last, ~std::uint64_t{0});
    const HwptPtr parent = *ioas->alloc_nest_parent(*device);
    const IovaRanges ranges = *ioas->iova_ranges();
    ASSERT_EQ(ranges.allowed.size(), 1u) << row.oas;
    EXPECT_EQ(ranges.allowed[0].start, 0u);
    EXPECT_EQ(ranges.allowed[0].last, low_mask(row.bits)) << row.oas << " " << row.page_bits;
    EXPECT_EQ(ranges.alignment, row.alignment);
    const std::uint64_t top = low_mask(row.bits) - 0xffff;
    EXPECT_TRUE(ioas->map(top, guest_user_va, 0x10000).ok()) << row.oas;
    EXPECT_EQ(ioas->map(top + 0x10000, guest_user_va, 0x10000).error().error, EINVAL) << row.oas;
  }
}

/// The physical SMMU really translates what was mapped at the aperture's end.
TEST(Aperture, EveryOutputSizeTranslates) {
  for (const unsigned oas : {32u, 36u, 40u, 42u, 44u, 48u, 52u}) {
    SimulatedHostConfig config = low_memory();
    config.page_bits = 16;
    config.smmus[0].features.oas = oas;
    HostBench bench(config);
    const IommufdPtr iommufd = bench.open();
    const VfioDevicePtr device = bench.device(iommufd);
    const IoasPtr ioas = *iommufd->alloc_ioas();
    const std::uint64_t top = low_mask(oas) - 0xffff;
    ASSERT_TRUE(ioas->map(top, guest_user_va, 0x10000).ok());
    ASSERT_TRUE(device->attach(ioas).ok()) << oas;
    EXPECT_EQ(bench.access(stream_a, top + 0x1234).address, Pa(0x5000'1234)) << oas;
  }
}

TEST(Aperture, PhysicalMemoryBeyondTheOutputSizeIsRefused) {
  SimulatedHostConfig config = bench_config();
  config.smmus[0].features.oas = 32;
  config.tables_base = Pa(0x8000'0000);
  HostBench bench(config);
  const IommufdPtr iommufd = bench.open();
  const VfioDevicePtr device = bench.device(iommufd);
  const IoasPtr ioas = *iommufd->alloc_ioas();
  ASSERT_TRUE(ioas->map(0x6000'0000, guest_user_va, 0x1000).ok());  // in no table yet
  EXPECT_EQ(ioas->alloc_nest_parent(*device).error().error, ERANGE);
  EXPECT_EQ(*ioas->unmap(0x6000'0000, 0x1000), 0x1000u);
  const Result<HwptPtr> parent = ioas->alloc_nest_parent(*device);
  ASSERT_TRUE(parent.ok());
  EXPECT_EQ(ioas->map(0x6000'0000, guest_user_va, 0x1000).error().error, ERANGE);
}

/// The host's driver has too little memory for the tables: the map fails, and leaves nothing.
TEST(Aperture, MapsThatTheTablesCannotHoldAreRefused) {
  SimulatedHostConfig config = bench_config();
  config.windows[0].physical = Pa(guest_physical + 0x1000);  // pages only
  config.tables_bytes = 1u << 18;
  HostBench bench(config);
  const IommufdPtr iommufd = bench.open();
  const VfioDevicePtr device = bench.device(iommufd);
  const IoasPtr ioas = *iommufd->alloc_ioas();
  const HwptPtr parent = *ioas->alloc_nest_parent(*device);
  EXPECT_EQ(ioas->map(guest_iova, guest_user_va, guest_bytes).error().error, ENOMEM);
  EXPECT_EQ(ioas->unmap(guest_iova, guest_bytes).error().error, ENOENT);
  EXPECT_TRUE(ioas->map(guest_iova, guest_user_va, 0x1000).ok());
  const ViommuPtr viommu = *parent->alloc_viommu(*device);
  ASSERT_TRUE(device->attach(*viommu->alloc_nested(*device, {0x9, 0})).ok());
  EXPECT_EQ(bench.access(stream_a, guest_iova).outcome, Outcome::proceed);
  EXPECT_EQ(bench.access(stream_a, guest_iova + 0x1000).outcome, Outcome::abort);
}

/// A kernel of 4 KiB pages on an SMMU with 64 KiB granules: the larger one decides.
TEST(Aperture, GranulesAboveThePageSizeDecideTheAlignment) {
  SimulatedHostConfig config = bench_config();
  config.smmus[0].features.gran4k = false;
  config.windows[0].physical = Pa(guest_physical + 0x1000);
  HostBench bench(config);
  const IommufdPtr iommufd = bench.open();
  const VfioDevicePtr device = bench.device(iommufd);
  const IoasPtr ioas = *iommufd->alloc_ioas();
  ASSERT_TRUE(ioas->map(0x6000'1000, guest_user_va, 0x1000).ok());
  EXPECT_EQ(ioas->alloc_nest_parent(*device).error().error, EADDRINUSE);
  EXPECT_EQ(*ioas->unmap(0x6000'1000, 0x1000), 0x1000u);
  const HwptPtr parent = *ioas->alloc_nest_parent(*device);
  EXPECT_EQ(ioas->iova_ranges()->alignment, 0x10000u);
  EXPECT_EQ(ioas->map(0x6000'1000, guest_user_va, 0x1000).error().error, EINVAL);
  EXPECT_EQ(ioas->map(0x6000'0000, guest_user_va, 0x10000).error().error,
            EINVAL);  // its physical memory is not aligned
}

TEST(Aperture, HasTheMsiWindowAndTheHostsOwnWindowsOnceADeviceIsAttached) {
  SimulatedHostConfig config = bench_config();
  config.reserved = {{0x1000'0000, 0x1fff'ffff}};
  HostBench bench(config);
  Nest nest(bench);
  EXPECT_EQ(nest.ioas->iova_ranges()->allowed.size(), 1u);
  ASSERT_TRUE(nest.device->attach(*nest.viommu->alloc_nested(*nest.device, {0x1, 0})).ok());
  const IovaRanges ranges = *nest.ioas->iova_ranges();
  ASSERT_EQ(ranges.allowed.size(), 3u);
  EXPECT_EQ(ranges.allowed[0].last, 0x07ff'ffffu);
  EXPECT_EQ(ranges.allowed[1].start, 0x0810'0000u);
  EXPECT_EQ(ranges.allowed[1].last, 0x0fff'ffffu);
  EXPECT_EQ(ranges.allowed[2].start, 0x2000'0000u);
}

TEST(Aperture, ManyRangesAreAskedForAgain) {
  SimulatedHostConfig config = bench_config();
  for (std::uint64_t i = 0; i != 40; ++i)
    config.reserved.push_back({0x1'0000'0000 + i * 0x20000, 0x1'0000'ffff + i * 0x20000});
  HostBench bench(config);
  Nest nest(bench);
  ASSERT_TRUE(nest.device->attach(nest.ioas).ok());
  EXPECT_EQ(nest.ioas->iova_ranges()->allowed.size(), 42u);
}

TEST(Msi, DoorbellIsMappedAtTheStartOfTheWindow) {
  HostBench bench;
  Nest nest(bench);
  EXPECT_FALSE(bench.host.map_msi_doorbell(0, Pa(0x8080040)));
  ASSERT_TRUE(nest.device->attach(*nest.viommu->alloc_nested(*nest.device, {0x9, 0})).ok());
  EXPECT_EQ(bench.host.map_msi_doorbell(0, Pa(0x8080040)), 0x08000040u);
  EXPECT_EQ(bench.host.map_msi_doorbell(0, Pa(0x8090040)), 0x08001040u);
  EXPECT_EQ(bench.host.map_msi_doorbell(0, Pa(0x8080040)), 0x08000040u);
  EXPECT_EQ(bench.access(stream_a, 0x08001040, AccessType::write).address, Pa(0x8090040));
  for (std::uint64_t page = 2; page != 256; ++page) {
    EXPECT_TRUE(bench.host.map_msi_doorbell(0, Pa(0x1000'0000 + page * 0x1000)));
  }
  EXPECT_FALSE(bench.host.map_msi_doorbell(0, Pa(0x2000'0000)));  // the window is full
}

}  // namespace
}  // namespace smmusim::host
