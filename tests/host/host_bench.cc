// SPDX-License-Identifier: MIT
// HostBench; see the header.
#include "tests/host/host_bench.h"

#include <gtest/gtest.h>

#include "model/smmu/smmu.h"
#include "platform/driver/table_builder.h"

namespace smmusim::host {

SmmuConfig physical_config() {
  SmmuConfig config;
  config.timed = false;
  spec::Features& features = config.features;
  features.version_minor = 1;  // FWB is optional then
  features.s2p = true;
  features.xnx = true;
  features.vmid16 = true;
  features.ats = true;
  features.ssidsize = 8;
  features.cd2l = true;
  features.stall_model = spec::StallModel::stall_and_terminate;
  features.stall_max = 16;
  features.gran64k = true;
  return config;
}

SimulatedHostConfig bench_config() {
  SimulatedHostConfig config;
  config.smmus = {physical_config()};
  config.devices = {{.name = "vfio0", .bdf = "0000:01:00.0", .stream = StreamId(stream_a), .ats_capability = true},
                    {.name = "vfio1", .bdf = "0000:01:00.1", .stream = StreamId(stream_b)}};
  config.windows = {{guest_user_va, Pa(guest_physical), guest_bytes}};
  config.tables_base = Pa(host_tables);
  return config;
}

namespace {

std::unique_ptr<MemoryPort> make_port(Engine& engine, SparseMemory& memory, Time latency_ps) {
  if (latency_ps == 0) return std::make_unique<ImmediatePort>(memory);
  return std::make_unique<LatencyPort>(engine, memory, LatencyPortConfig{.latency_ps = latency_ps});
}

}  // namespace

HostBench::HostBench(const SimulatedHostConfig& config, Time latency_ps, const std::vector<Observer*>& observers)
    : port(make_port(engine, memory, latency_ps)),
      log(std::make_shared<IoctlLog>([this](std::string_view line) { lines.emplace_back(line); })),
      host(engine, memory, *port, config, observers) {}

IommufdPtr HostBench::open() {
  const Result<IommufdPtr> iommufd = Iommufd::open(host, log);
  EXPECT_TRUE(iommufd.ok());
  return *iommufd;
}

VfioDevicePtr HostBench::device(const IommufdPtr& iommufd, const std::string& name) {
  const Result<VfioDevicePtr> device = VfioDevice::open(iommufd, std::string(VfioDevice::directory) + "/" + name);
  EXPECT_TRUE(device.ok()) << describe(device.error());
  return *device;
}

SteWords HostBench::guest_stream(std::uint64_t iova, std::uint64_t va, std::uint64_t ipa, std::uint16_t asid) {
  // Built as the guest sees its memory, then copied to where that memory is.
  constexpr std::uint64_t region = 1u << 20;
  SparseMemory as_seen({.ranges = {{Pa(guest_iova), guest_bytes}}});
  PageAllocator pages(Pa(iova), region);
  ContextTable contexts(as_seen, pages, 0);
  PageTable table(as_seen, pages, Geometry{.input_bits = 39});
  table.map(va, Pa(ipa), 4096, {});
  contexts.write(0, make_stage1_cd(table, Asid(asid)));
  for (std::uint64_t offset = 0; offset < pages.used_bytes(); offset += 8) {
    memory.store64(Pa(physical(iova) + offset), as_seen.load64(Pa(iova + offset)));
  }
  const spec::Ste ste = make_stage1_ste(contexts);
  return {ste.dw[0], ste.dw[1]};
}

Response HostBench::access(std::uint32_t stream, std::uint64_t va, AccessType type, std::size_t smmu) {
  Transaction transaction;
  transaction.stream_id = StreamId(stream);
  transaction.address = Va(va);
  transaction.access = type;
  return host.physical_smmu(smmu).translate(0, transaction);
}

std::string HostBench::text() const {
  std::string all;
  for (const std::string& line : lines) all += line + "\n";
  return all;
}

Nest::Nest(HostBench& bench, const std::string& name, std::uint32_t depth, std::uint64_t virtual_stream)
    : iommufd(bench.open()), device(bench.device(iommufd, name)), ioas(*iommufd->alloc_ioas()) {
  EXPECT_TRUE(ioas->map(guest_iova, bench.host.user_va(nullptr, guest_physical), guest_bytes).ok());
  parent = *ioas->alloc_nest_parent(*device);
  viommu = *parent->alloc_viommu(*device);
  vdevice = *viommu->alloc_vdevice(device, virtual_stream);
  const Result<VeventqPtr> queue = viommu->alloc_veventq(depth);
  if (queue) events = *queue;
}

}  // namespace smmusim::host
