// SPDX-License-Identifier: MIT
// The simulated host's configuration; see the header.
#include "platform/nested/simulated.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <limits>

#include "platform/config/bdf.h"

namespace smmusim::nested {
namespace {

constexpr Time ps_per_ns = 1000;

constexpr std::string_view kernel_names[] = {"6.1", "6.12", "6.13", "7.1", "7.2", "7.4"};

bool overlap(std::uint64_t a, std::uint64_t a_bytes, std::uint64_t b, std::uint64_t b_bytes) {
  return a < b + b_bytes && b < a + a_bytes;
}

bool is_free(const PlatformConfig& config, std::uint64_t base, std::uint64_t bytes) {
  const bool guests = overlap(base, bytes, config.memory.base, config.memory.size) ||
                      overlap(base, bytes, config.msi.base, config.msi.size);
  return !guests && std::none_of(config.smmus.begin(), config.smmus.end(), [&](const NamedSmmu& smmu) {
    return overlap(base, bytes, smmu.config.frame_base.value, smmu.config.frame_bytes);
  });
}

host::HostTiming timing_of(const HostConfig& config) {
  host::HostTiming timing;
  timing.ioctl = config.ioctl_ns * ps_per_ns;
  timing.invalidate_entry = config.invalidate_entry_ns * ps_per_ns;
  timing.attach = config.attach_ns * ps_per_ns;
  timing.event = config.event_ns * ps_per_ns;
  return timing;
}

host::HostDevice device_of(const EndpointConfig& endpoint, std::size_t index) {
  host::HostDevice device;
  device.name = fmt::format("vfio{}", index);
  device.bdf = "0000:" + format_bdf(endpoint.rid);
  device.smmu = static_cast<unsigned>(endpoint.smmu);
  device.stream = physical_stream(index);
  device.ats_capability = endpoint.ats_capability;
  device.firmware_forbids_ats = endpoint.host_ats == HostAts::not_supported;
  device.pasid_bits = endpoint.pasid_width();
  device.pasid_exec = device.pasid_priv = endpoint.pasid_width() != 0;
  return device;
}

}  // namespace

HostMemory host_memory(const PlatformConfig& config) {
  constexpr std::uint64_t usual = 0x0b00'0000;  // between the SMMUs' frames and the PCIe window
  constexpr std::uint64_t gib = std::uint64_t{1} << 30;
  HostMemory memory;
  memory.base = usual;
  if (is_free(config, usual, memory.bytes())) return memory;
  memory.base = (config.memory.base + config.memory.size + gib - 1) & ~(gib - 1);
  return memory;
}

spec::Features host_features(const HostConfig& host) {
  spec::Features f;
  f.version_minor = 2;
  f.s1p = f.s2p = true;
  f.hyp = true;
  f.ats = host.ats;
  f.vmid16 = true;
  f.cd2l = true;
  f.xnx = true;
  f.fwb = true;
  f.bbml = 2;
  f.sidsize = 20;  // more than a segment has functions
  f.ssidsize = host.ssidsize;
  f.oas = host.oas;
  f.gran16k = f.gran64k = true;
  return f;
}

StreamId physical_stream(std::size_t endpoint) {
  constexpr std::uint32_t first = 0x100;
  return StreamId(first + static_cast<std::uint32_t>(endpoint));
}

std::string device_path(std::size_t endpoint) {
  return fmt::format("/dev/vfio/devices/vfio{}", endpoint);
}

host::SimulatedHostConfig simulated_host_config(const PlatformConfig& config) {
  const HostMemory memory = host_memory(config);
  host::SimulatedHostConfig host;
  host.kernel = kernel_names[static_cast<std::size_t>(config.host.kernel)];
  host.page_bits = static_cast<unsigned>(std::bit_width(config.host.page_kib * 1024)) - 1;
  for (const NamedSmmu& guest : config.smmus) {
    SmmuConfig smmu = guest.config;
    smmu.features = host_features(config.host);
    smmu.timed = config.mode == Mode::timed;
    smmu.seed = config.seed;
    host.smmus.push_back(smmu);
  }
  for (std::size_t i = 0; i != config.endpoints.size(); ++i) {
    host.devices.push_back(device_of(config.endpoints[i], i));
  }
  host.windows = {{config.memory.base, Pa(config.memory.base), config.memory.size},
                  {memory.zeroes(), Pa(memory.zeroes()), HostMemory::zero_bytes}};
  host.tables_base = Pa(memory.base);
  host.tables_bytes = memory.table_bytes;
  host.timing = timing_of(config.host);
  return host;
}

}  // namespace smmusim::nested
