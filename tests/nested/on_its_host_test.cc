// SPDX-License-Identifier: MIT
// What configurations become on simulated hosts of each kernel: ATS device by device, and the output size by the host's
// pages. The host's answers come through its iommufd, not from the configuration.
#include <gtest/gtest.h>

#include "platform/config/load.h"
#include "platform/nested/nested_machine.h"
#include "platform/nested/pasid.h"
#include "platform/nested/resolve.h"
#include "platform/system/endpoint_setup.h"

namespace smmusim::nested {
namespace {

PlatformConfig config_of(std::vector<Assignment> sets) {
  ConfigSource source;
  source.assignments = {{"host.mode", "simulated", "test"}, {"mode", "untimed", "test"}};
  source.assignments.insert(source.assignments.end(), sets.begin(), sets.end());
  PlatformConfig config = load_config(source, ConfigUse::replay);
  config.endpoints = {config.endpoint_template};
  config.endpoints[0].name = "nvme0";
  config.endpoints[0].rid = 8;
  return config;
}

struct AtsRow {
  HostKernel kernel;
  HostAts firmware;  ///< what the host would say if it could
  bool capability;
  OnOffAuto property;
  bool shown;  ///< and so IDR0.ATS of the vSMMU, which is left to the host
  bool refused;
};

constexpr auto v6_13 = HostKernel::v6_13, v7_1 = HostKernel::v7_1, v7_2 = HostKernel::v7_2;
constexpr auto yes = HostAts::supported, no = HostAts::not_supported;
constexpr auto on = OnOffAuto::on, off = OnOffAuto::off, automatic = OnOffAuto::automatic;

/// The truth table of the property, by kernels: an old one forbids in silence and is taken to allow.
constexpr AtsRow ats_rows[] = {
    {v6_13, yes, true, automatic, true, false}, {v6_13, no, true, automatic, true, false},
    {v6_13, no, true, on, true, false},         {v6_13, yes, false, automatic, false, false},
    {v6_13, yes, false, on, false, false},      {v6_13, yes, true, off, false, false},
    {v7_1, yes, true, automatic, true, false},  {v7_1, no, true, automatic, false, false},
    {v7_1, no, true, on, false, true},          {v7_1, no, true, off, false, false},
    {v7_1, yes, true, on, true, false},         {v7_1, yes, true, off, false, false},
    {v7_2, no, true, automatic, false, false},  {v7_2, yes, true, automatic, true, false},
    {v7_2, no, true, on, false, true},
};

TEST(OnItsHost, AtsByKernelFirmwareCapabilityAndProperty) {
  for (const AtsRow& row : ats_rows) {
    SCOPED_TRACE(testing::Message() << "kernel " << static_cast<int>(row.kernel) << " firmware "
                                    << static_cast<int>(row.firmware) << " capability " << row.capability
                                    << " property " << static_cast<int>(row.property));
    PlatformConfig config = config_of({});
    config.host.kernel = row.kernel;
    config.endpoints[0].ats_capability = row.capability;
    config.endpoints[0].host_ats = row.firmware;
    config.endpoints[0].ats = row.property;
    if (row.refused) {
      EXPECT_THROW(on_its_host(config), InputError);
      continue;
    }
    const PlatformConfig done = on_its_host(config);
    EXPECT_EQ(done.smmus[0].config.features.ats, row.shown);
    EXPECT_EQ(ats_of(done, done.endpoints[0]).property.shown, row.shown);
    EXPECT_EQ(ats_of(done, done.endpoints[0]).enabled(), row.shown);
  }
}

/// The physical SMMU's IDR0.ATS is no matter of the guest's: the device decides. QEMU asks for it all the same.
TEST(OnItsHost, TheHostSmmusAtsCountsForQemuAlone) {
  PlatformConfig config = config_of({{"smmu.ats", "on", "test"}, {"host.ats", "false", "test"}});
  EXPECT_TRUE(on_its_host(config).smmus[0].config.features.ats);
  config.smmus[0].acceleration.compat = AccelCompat::qemu;
  EXPECT_THROW(on_its_host(config), InputError);
}

struct OasRow {
  const char* page_size;
  const char* host_oas;
  const char* check;
  const char* granules;
  const char* oas;  ///< of the vSMMU as asked for
  unsigned got;     ///< 0: refused
};
constexpr OasRow oas_rows[] = {
    {"4", "48", "aperture", "4", "auto", 48},     {"4", "52", "aperture", "4,64", "auto", 48},
    {"64", "52", "aperture", "4,64", "auto", 52}, {"64", "52", "aperture", "4", "auto", 48},
    {"4", "52", "idr5", "4,64", "auto", 52},      {"4", "52", "aperture", "4,64", "52", 0},
    {"4", "52", "idr5", "4,64", "52", 52},        {"64", "52", "aperture", "4,64", "52", 52},
    {"4", "44", "aperture", "4", "48", 0},        {"4", "44", "aperture", "4", "auto", 44},
    {"4", "48", "aperture", "4", "42", 42},       {"16", "48", "aperture", "4", "auto", 48},
};

TEST(OnItsHost, OutputSizesByThePagesOfTheHost) {
  for (const OasRow& row : oas_rows) {
    SCOPED_TRACE(testing::Message() << row.page_size << " KiB pages, " << row.host_oas << " bits, " << row.check
                                    << ", granules " << row.granules << ", oas " << row.oas);
    const PlatformConfig config = config_of({{"host.page_size", row.page_size, "test"},
                                             {"host.oas", row.host_oas, "test"},
                                             {"host.oas_check", row.check, "test"},
                                             {"smmu.granules", row.granules, "test"},
                                             {"smmu.oas", row.oas, "test"}});
    if (row.got == 0) {
      EXPECT_THROW(on_its_host(config), InputError);
    } else {
      EXPECT_EQ(on_its_host(config).smmus[0].config.features.oas, row.got);
    }
  }
}

TEST(OnItsHost, KernelsThatCanNotNestAreRefused) {
  for (const char* kernel : {"6.1", "6.12"}) {
    EXPECT_THROW(on_its_host(config_of({{"host.kernel", kernel, "test"}})), HostRefusal) << kernel;
  }
}

TEST(OnItsHost, WithoutAHostNothingChanges) {
  PlatformConfig config;
  config.smmus[0].config.features.oas = 40;
  EXPECT_EQ(on_its_host(config).smmus[0].config.features, config.smmus[0].config.features);
}

TEST(NestedPasid, TheCapabilityIsMadeFromTheHostsReport) {
  HostReport report;
  EXPECT_FALSE(pasid_capability(report, 20));
  report.max_pasid_log2 = 10;
  report.pasid_exec = true;
  EXPECT_FALSE(pasid_capability(report, 0));
  const auto shown = pasid_capability(report, 8);
  ASSERT_TRUE(shown);
  EXPECT_EQ(shown->width, 8u);
  EXPECT_TRUE(shown->execute);
  EXPECT_FALSE(shown->privileged);
  EXPECT_EQ(pasid_capability(report, 20)->width, 10u);
}

}  // namespace
}  // namespace smmusim::nested
