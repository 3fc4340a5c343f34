// SPDX-License-Identifier: MIT
// Which STEs the host takes, bit by bit, and what it makes of them for the physical SMMU.
#include "model/spec/ste.h"

#include <gtest/gtest.h>

#include "model/smmu/smmu.h"
#include "tests/host/host_bench.h"

namespace smmusim::host {
namespace {

using spec::Ste;

int error_of(Nest& nest, const SteWords& ste) {
  const Result<HwptPtr> hwpt = nest.viommu->alloc_nested(*nest.device, ste);
  return hwpt.ok() ? 0 : hwpt.error().error;
}

/// Bits that may be set beside V and Config, from the interface's documentation: S1FMT[5:4], S1ContextPtr[51:6],
/// S1CDMax[63:59]; S1DSS[1:0], S1CIR[3:2], S1COR[5:4], S1CSH[7:6], S1STALLD[27], EATS[28].
bool taken(unsigned bit) {
  if (bit < 64) return (bit >= 4 && bit <= 51) || bit >= 59;
  const unsigned high = bit - 64;
  return high <= 7 || high == 27 || high == 28;
}

TEST(SteAcceptance, BitByBit) {
  HostBench bench;
  Nest nest(bench);
  for (const std::uint64_t config : {0u, 4u, 5u}) {
    for (unsigned bit = 4; bit != 128; ++bit) {
      SteWords ste = {config << 1 | 1, 0};
      ste[bit / 64] |= std::uint64_t{1} << (bit % 64);
      EXPECT_EQ(error_of(nest, ste), taken(bit) ? 0 : EIO) << "Config " << config << " bit " << bit;
    }
  }
}

TEST(SteAcceptance, ConfigAndEats) {
  HostBench bench;
  Nest nest(bench);
  for (std::uint64_t config = 0; config != 8; ++config) {
    const bool ok = config == 0 || config == 4 || config == 5;
    EXPECT_EQ(error_of(nest, {config << 1 | 1, 0}), ok ? 0 : EIO) << config;
  }
  for (std::uint64_t eats = 0; eats != 4; ++eats) {
    EXPECT_EQ(error_of(nest, {0xb, eats << 28}), eats < 2 ? 0 : EIO) << eats;
  }
}

TEST(SteAcceptance, InvalidIsAnAbortWhateverElseIsSet) {
  HostBench bench;
  Nest nest(bench);
  const Result<HwptPtr> hwpt = nest.viommu->alloc_nested(*nest.device, {~std::uint64_t{1}, ~std::uint64_t{0}});
  ASSERT_TRUE(hwpt.ok());
  ASSERT_TRUE(nest.device->attach(*hwpt).ok());
  EXPECT_EQ(bench.access(stream_a, guest_iova).outcome, Outcome::abort);
  std::vector<Vevent> events;
  EXPECT_EQ(*nest.events->read(events), 0u);  // an aborting STE, not C_BAD_STE
}

/// The physical STE of the bench's device, read from the stream table that the physical SMMU uses.
Ste physical_ste(HostBench& bench, std::uint32_t stream) {
  Smmu& smmu = bench.host.physical_smmu();
  const std::uint64_t base = smmu.read_register(0x80, 8) & 0xf'ffff'ffff'ffc0;
  const std::uint64_t l1std = bench.memory.load64(Pa(base + (stream >> 8) * 8));
  const std::uint64_t second = l1std & 0xf'ffff'ffff'ffc0;
  Ste ste;
  for (std::size_t i = 0; i != Ste::size_dw; ++i) {
    ste.dw[i] = bench.memory.load64(Pa(second + (stream & 0xff) * 64 + i * 8));
  }
  return ste;
}

TEST(PhysicalSte, NestedHasTheGuestsStageOneAndTheHostsStageTwo) {
  HostBench bench;
  Nest nest(bench);
  const SteWords guest = {0x18000000'4100004b, 0x08000000 | 0xf6};  // S1CDMax 3, S1STALLD, CSH, COR, CIR, DSS
  ASSERT_TRUE(nest.device->attach(*nest.viommu->alloc_nested(*nest.device, guest)).ok());
  const Ste ste = physical_ste(bench, stream_a);
  EXPECT_EQ(ste.get<Ste::Config>(), spec::SteConfig::nested);
  EXPECT_EQ(ste.dw[0] & ~std::uint64_t{0xe}, guest[0] & ~std::uint64_t{0xe});
  EXPECT_EQ(ste.dw[1] & 0x080000ff, guest[1]);
  EXPECT_TRUE(ste.get<Ste::MEV>());
  EXPECT_TRUE(ste.get<Ste::S2R>());
  EXPECT_TRUE(ste.get<Ste::S2PTW>());
  EXPECT_EQ(ste.get<Ste::SHCFG>(), 1u);
  EXPECT_EQ(ste.get<Ste::EATS>(), spec::Eats::none);
  EXPECT_NE(ste.get<Ste::S2VMID>(), 0u);
}

TEST(PhysicalSte, BypassIsStageTwoAndAbortIsAbort) {
  HostBench bench;
  Nest nest(bench);
  ASSERT_TRUE(nest.device->attach(*nest.viommu->alloc_nested(*nest.device, {0x9, 0})).ok());
  EXPECT_EQ(physical_ste(bench, stream_a).get<Ste::Config>(), spec::SteConfig::stage2);
  EXPECT_FALSE(physical_ste(bench, stream_a).get<Ste::MEV>());
  ASSERT_TRUE(nest.device->attach(*nest.viommu->alloc_nested(*nest.device, {0x1, 0})).ok());
  EXPECT_EQ(physical_ste(bench, stream_a).dw[0], 1u);
  ASSERT_TRUE(nest.device->attach(nest.ioas).ok());
  EXPECT_EQ(physical_ste(bench, stream_a).get<Ste::Config>(), spec::SteConfig::stage2);
}

struct AtsRow {
  const char* what;
  const char* kernel;
  bool capability, firmware_forbids, required;
  SteWords ste;
  bool enabled;
  bool reported_unsupported;
};

TEST(PhysicalSte, AtsByDeviceKernelAndEats) {
  constexpr SteWords translate = {0xb | 0x41000000, 0}, with_eats = {0xb | 0x41000000, 1u << 28}, bypass = {0x9, 0};
  constexpr SteWords abort = {0x1, 0};
  const AtsRow rows[] = {{"EATS=1", "7.1", true, false, false, with_eats, true, false},
                         {"EATS=0", "7.1", true, false, false, translate, false, false},
                         {"EATS=1 before the report", "6.13", true, false, false, with_eats, true, false},
                         {"no capability", "7.1", false, false, false, with_eats, false, true},
                         {"no capability, old", "6.13", false, false, false, with_eats, false, false},
                         {"firmware", "7.1", true, true, false, with_eats, false, true},
                         {"firmware, old", "6.13", true, true, false, with_eats, false, false},
                         {"bypass", "7.1", true, false, false, bypass, true, false},
                         {"bypass, old", "6.13", true, false, false, bypass, false, false},
                         {"abort", "7.2", true, false, true, abort, false, false},
                         {"required, EATS=0", "7.2", true, false, true, translate, true, false},
                         {"required, EATS=0, before", "7.1", true, false, true, translate, false, false}};
  for (const AtsRow& row : rows) {
    SimulatedHostConfig config = bench_config();
    config.kernel = row.kernel;
    config.devices[0].ats_capability = row.capability;
    config.devices[0].firmware_forbids_ats = row.firmware_forbids;
    config.devices[0].requires_ats = row.required;
    HostBench bench(config);
    Nest nest(bench);
    EXPECT_EQ(nest.device->hw_info()->ats_not_supported(), row.reported_unsupported) << row.what;
    ASSERT_TRUE(nest.device->attach(*nest.viommu->alloc_nested(*nest.device, row.ste)).ok()) << row.what;
    EXPECT_EQ(bench.host.ats_enabled(0), row.enabled) << row.what;
    EXPECT_EQ(physical_ste(bench, stream_a).get<Ste::EATS>() == spec::Eats::full, row.enabled) << row.what;
  }
}

TEST(PhysicalSte, AtsIsSwitchedOffBeforeAndOnAfterTheSte) {
  HostBench bench;
  Nest nest(bench);
  std::vector<std::pair<bool, spec::Eats>> seen;
  bench.host.on_ats_enable([&](std::size_t device, bool enabled) {
    EXPECT_EQ(device, 0u);
    seen.emplace_back(enabled, physical_ste(bench, stream_a).get<Ste::EATS>());
  });
  ASSERT_TRUE(nest.device->attach(nest.ioas).ok());
  ASSERT_TRUE(nest.device->detach().ok());
  const std::vector<std::pair<bool, spec::Eats>> expected = {{true, spec::Eats::full}, {false, spec::Eats::full}};
  EXPECT_EQ(seen, expected);
}

}  // namespace
}  // namespace smmusim::host
