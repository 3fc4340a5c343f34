// SPDX-License-Identifier: MIT
// host probe against simulated hosts: each thing that can be missing, and the reason that is given for it.
#include "platform/host/probe.h"

#include <gtest/gtest.h>

#include "tests/host/host_bench.h"

namespace smmusim::host {
namespace {

SimulatedHostConfig one_device() {
  SimulatedHostConfig config = bench_config();
  config.devices.resize(1);
  config.devices[0].pasid_bits = 6;
  config.devices[0].pasid_priv = true;
  return config;
}

struct ReasonRow {
  const char* what;
  void (*change)(SimulatedHostConfig& config);
  const char* reason;  ///< part of it
};

TEST(Probe, EachReasonAgainstNestedMode) {
  const ReasonRow rows[] = {
      {"no iommufd", [](SimulatedHostConfig& c) { c.kernel = "6.1"; }, "/dev/iommu is not there"},
      {"no permission", [](SimulatedHostConfig& c) { c.permitted = false; }, "/dev/iommu: open: EACCES"},
      {"no devices", [](SimulatedHostConfig& c) { c.devices.clear(); }, "/dev/vfio/devices is empty"},
      {"old kernel", [](SimulatedHostConfig& c) { c.kernel = "6.12"; }, "an IOMMU of type 0 and not an SMMUv3"},
      {"not coherent", [](SimulatedHostConfig& c) { c.devices[0].coherent = false; }, "not cache-coherent"},
      {"MSIs", [](SimulatedHostConfig& c) { c.devices[0].isolated_msi = false; }, "MSIs are not isolated"},
      {"no stage 2", [](SimulatedHostConfig& c) { c.smmus[0].features.s2p = c.smmus[0].features.xnx = false; },
       "nesting parent: IOMMU_HWPT_ALLOC: EOPNOTSUPP"},
      {"no coherence", [](SimulatedHostConfig& c) { c.devices[0].canwbs = false; }, "IDR3.FWB, or CANWBS"},
  };
  for (const ReasonRow& row : rows) {
    SimulatedHostConfig config = one_device();
    row.change(config);
    HostBench bench(config);
    const ProbeResult result = probe(bench.host);
    EXPECT_FALSE(result.nested_possible()) << row.what;
    EXPECT_NE(to_text(result).find(row.reason), std::string::npos) << row.what << "\n" << to_text(result);
    EXPECT_EQ(bench.host.objects(), 0u) << row.what;
  }
}

TEST(Probe, TellsWhatTheDeviceHas) {
  HostBench bench(one_device());
  const ProbeResult result = probe(bench.host);
  EXPECT_TRUE(result.nested_possible());
  EXPECT_EQ(bench.host.objects(), 0u);
  const auto json = to_json(result);
  const auto& device = json["devices"][0];
  EXPECT_EQ(device["bdf"], "0000:01:00.0");
  EXPECT_EQ(device["reasons"].size(), 0u);
  EXPECT_EQ(device["limitations"].size(), 0u);
  EXPECT_EQ(device["registers"]["IDR1.SSIDSIZE"]["value"], 8);
  EXPECT_EQ(device["registers"]["IDR0.TTENDIAN"]["meaning"], "little");
  EXPECT_EQ(device["ats_not_supported"], false);
  EXPECT_EQ(device["max_pasid_log2"], 6);
  EXPECT_EQ(device["aperture_bits"], 48);
  EXPECT_EQ(device["events"], true);
  const std::string text = to_text(result);
  for (const char* line : {"  nested mode       possible\n", "  IDR5.GRAN64K      1\n",
                           "  PASIDs            2^6, privileged\n", "  aperture          48 bits"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << "\n" << text;
  }
}

TEST(Probe, LimitationsAreNoReasons) {
  SimulatedHostConfig config = one_device();
  config.kernel = "6.13";
  HostBench old(config);
  const ProbeResult without_events = probe(old.host);
  EXPECT_TRUE(without_events.nested_possible());
  EXPECT_NE(to_text(without_events).find("Linux 6.15 and later do"), std::string::npos);
  config.kernel = "7.1";
  config.devices[0].firmware_forbids_ats = true;
  HostBench forbidden(config);
  const ProbeResult without_ats = probe(forbidden.host);
  EXPECT_TRUE(without_ats.nested_possible());
  EXPECT_NE(to_text(without_ats).find("not supported, says the kernel"), std::string::npos);
}

TEST(Probe, EveryCallMayFail) {
  for (const std::uint32_t request : {abi::vfio_bind_iommufd, abi::get_hw_info, abi::ioas_alloc, abi::hwpt_alloc,
                                      abi::ioas_iova_ranges, abi::viommu_alloc, abi::veventq_alloc}) {
    HostBench bench(one_device());
    bench.host.inject_error(request, 1, ENOMEM);
    const ProbeResult result = probe(bench.host);
    EXPECT_NE(to_text(result).find(std::string(request_name(request)) + ": ENOMEM"), std::string::npos)
        << to_text(result);
    EXPECT_EQ(result.nested_possible(), request == abi::veventq_alloc);
    EXPECT_EQ(bench.host.objects(), 0u);
  }
}

}  // namespace
}  // namespace smmusim::host
