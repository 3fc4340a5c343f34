// SPDX-License-Identifier: MIT
// The simulated host below a PlatformConfig: for each accelerated SMMU a physical one, for each endpoint a function
// that is bound to vfio-pci, and where the host's own memory lies. Decides; building is host_module.h's.
//
// Addresses: the guest lives at its own physical addresses, so that stage 2 maps every IPA to itself and what a trace
// expects of a translation holds after stage 2 too. The host's memory (stream tables, stage-2 tables, queues, and the
// page of zeroes behind it) is outside what the guest has. Physical StreamIDs are others than the guest's.
#pragma once

#include <cstdint>
#include <string>

#include "platform/config/platform_config.h"
#include "platform/host/simulated_host.h"

namespace smmusim::nested {

/// The host's own memory.
struct HostMemory {
  std::uint64_t base = 0;
  std::uint64_t table_bytes = std::uint64_t{64} << 20;
  std::uint64_t zeroes() const { return base + table_bytes; }
  std::uint64_t bytes() const { return table_bytes + zero_bytes; }
  static constexpr std::uint64_t zero_bytes = 0x10000;  ///< a page of any size
};
HostMemory host_memory(const PlatformConfig& config);

/// Of the physical SMMU: what a server's has, and what the keys of [host] say.
spec::Features host_features(const HostConfig& host);

StreamId physical_stream(std::size_t endpoint);
/// The character device of an endpoint.
std::string device_path(std::size_t endpoint);

/// `config.endpoints` is complete.
host::SimulatedHostConfig simulated_host_config(const PlatformConfig& config);

}  // namespace smmusim::nested
