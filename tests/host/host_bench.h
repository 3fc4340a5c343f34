// SPDX-License-Identifier: MIT
// HostBench: a simulated host with its memory and engine, for tests: untimed, one SMMU with both stages and two
// devices, 256 MiB of guest memory at 1 GiB of the guest, which the VMM has at another address. What a test changes it
// changes in the configuration.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "model/sim/engine.h"
#include "model/smmu/transaction.h"
#include "platform/host/iommufd.h"
#include "platform/host/simulated_host.h"
#include "platform/memory/immediate_port.h"
#include "platform/memory/latency_port.h"

namespace smmusim::host {

/// Where things are: the guest's memory to the VMM and in physical memory, and where the guest sees it.
inline constexpr std::uint64_t guest_user_va = 0x7f00'0000'0000, guest_physical = 0x1'0000'0000;
inline constexpr std::uint64_t guest_iova = 0x4000'0000, guest_bytes = 256u << 20;
inline constexpr std::uint64_t host_tables = 0x8'0000'0000;
inline constexpr std::uint32_t stream_a = 8, stream_b = 9;

/// Both stages, substreams, ATS, stalls: what the devices of the bench can use.
SmmuConfig physical_config();
SimulatedHostConfig bench_config();

struct HostBench {
  explicit HostBench(const SimulatedHostConfig& config = bench_config(), Time latency_ps = 0,
                     const std::vector<Observer*>& observers = {});

  /// /dev/iommu; the test fails if that does not work.
  IommufdPtr open();
  VfioDevicePtr device(const IommufdPtr& iommufd, const std::string& name = "vfio0");

  // The guest, untimed: structures at offsets of its memory.
  std::uint64_t physical(std::uint64_t iova) const { return iova - guest_iova + guest_physical; }
  /// One CD at `iova` with a table that maps `va` to `ipa`; gives doublewords 0 and 1 of an STE for it.
  SteWords guest_stream(std::uint64_t iova, std::uint64_t va, std::uint64_t ipa, std::uint16_t asid = 1);
  Response access(std::uint32_t stream, std::uint64_t va, AccessType type = AccessType::read, std::size_t smmu = 0);

  std::string text() const;  ///< the ioctl log, a line each

  Engine engine;
  SparseMemory memory{{.ranges = {{Pa(guest_iova), std::uint64_t{1} << 40}}}};
  std::unique_ptr<MemoryPort> port;
  std::vector<std::string> lines;
  std::shared_ptr<IoctlLog> log;
  SimulatedHost host;
};

/// A device that is all the way up: parent, vIOMMU, vDEVICE with StreamID 0x21, vEVENTQ; not attached.
struct Nest {
  explicit Nest(HostBench& bench, const std::string& name = "vfio0", std::uint32_t depth = 4,
                std::uint64_t virtual_stream = 0x21);
  IommufdPtr iommufd;
  VfioDevicePtr device;
  IoasPtr ioas;
  HwptPtr parent;
  ViommuPtr viommu;
  VdevicePtr vdevice;
  VeventqPtr events;
};

}  // namespace smmusim::host
