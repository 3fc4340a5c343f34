// SPDX-License-Identifier: MIT
// The client against hosts that answer what no kernel should, and its log.
#include <gtest/gtest.h>

#include <cstring>
#include <functional>

#include "platform/driver/commands.h"
#include "tests/host/host_bench.h"

namespace smmusim::host {
namespace {

/// Says yes to everything, unless told otherwise.
struct FakeHost : HostSystem {
  std::function<SysResult(std::uint32_t request, void* argument)> on_ioctl;
  std::function<SysResult(void* data, std::size_t bytes)> on_read;
  unsigned closed = 0;

  SysResult open(const std::string&) override { return {5, 0}; }
  SysResult close(int) override {
    ++closed;
    return {};
  }
  SysResult ioctl(int, std::uint32_t request, void* argument) override {
    return on_ioctl ? on_ioctl(request, argument) : SysResult{};
  }
  SysResult read(int, void* data, std::size_t bytes) override { return on_read ? on_read(data, bytes) : SysResult{}; }
  SysResult write(int, const void*, std::size_t) override { return {3, 0}; }
  SysResult poll(int) override { return {-1, EBADF}; }
  SysResult mmap(int, std::uint64_t, std::uint64_t) override { return {-1, ENODEV}; }
  SysResult munmap(std::uint64_t, std::uint64_t) override { return {-1, EINVAL}; }
  SysResult list(const std::string&, std::vector<std::string>&) override { return {-1, ENOENT}; }
  SysResult read_link(const std::string&, std::string&) override { return {-1, ENOENT}; }
  std::uint64_t user_va(const void*, std::uint64_t physical) const override { return physical; }
};

struct ClientBench {
  FakeHost host;
  std::vector<std::string> lines;
  std::shared_ptr<IoctlLog> log =
      std::make_shared<IoctlLog>([this](std::string_view line) { lines.emplace_back(line); });
  IommufdPtr iommufd = *Iommufd::open(host, log);
  VfioDevicePtr device = *VfioDevice::open(iommufd, "/dev/vfio/devices/vfio0");
  IoasPtr ioas = *iommufd->alloc_ioas();
  HwptPtr parent = *ioas->alloc_nest_parent(*device);
  ViommuPtr viommu = *parent->alloc_viommu(*device);
};

TEST(Client, ImpossibleEntryNumIsRefused) {
  ClientBench bench;
  struct Row {
    std::uint32_t says;
    int error;
    int expected;
    std::uint32_t handled;
  };
  const Row rows[] = {{3, 0, 0, 3},     {2, 0, EPROTO, 0},   {4, 0, EPROTO, 0},      {0xffffffff, 0, EPROTO, 0},
                      {1, EIO, EIO, 1}, {4, EIO, EPROTO, 0}, {3, ENOTTY, ENOTTY, 0}, {0, EIO, EIO, 0}};
  const std::vector<spec::Command> commands(3, make_tlbi_nsnh_all());
  for (const Row& row : rows) {
    bench.host.on_ioctl = [&](std::uint32_t request, void* argument) {
      if (request == abi::hwpt_invalidate) static_cast<abi::HwptInvalidate*>(argument)->entry_num = row.says;
      return SysResult{row.error == 0 ? 0 : -1, row.error};
    };
    const Invalidation result = bench.viommu->invalidate(commands);
    EXPECT_EQ(result.error, row.expected) << row.says << " " << row.error;
    EXPECT_EQ(result.handled, row.handled) << row.says << " " << row.error;
  }
  bench.host.on_ioctl = nullptr;
}

TEST(Client, PartsOfEventsAreRefusedAndWholeOnesKept) {
  ClientBench bench;
  const VeventqPtr queue = *bench.viommu->alloc_veventq(4);
  struct Row {
    std::size_t bytes;
    std::size_t records;
    bool ok;
  };
  for (const Row row : {Row{0, 0, true}, Row{1, 0, false}, Row{7, 0, false}, Row{8, 0, false}, Row{39, 0, false},
                        Row{40, 1, true}, Row{41, 1, false}, Row{48, 1, false}, Row{80, 2, true}}) {
    bench.host.on_read = [&](void* data, std::size_t) {
      std::memset(data, 0, row.bytes);
      return SysResult{static_cast<std::int64_t>(row.bytes), 0};
    };
    std::vector<Vevent> events;
    const Result<std::size_t> result = queue->read(events);
    EXPECT_EQ(result.ok(), row.ok) << row.bytes;
    EXPECT_EQ(result.error().error, row.ok ? 0 : EPROTO) << row.bytes;
    EXPECT_EQ(events.size(), row.records) << row.bytes;
  }
}

TEST(Client, ReadsOfImpossibleLengthAndErrors) {
  ClientBench bench;
  const VeventqPtr queue = *bench.viommu->alloc_veventq(4);
  const FaultQueuePtr faults = *bench.iommufd->alloc_fault_queue();
  std::vector<Vevent> events;
  std::vector<abi::PageFault> read;
  for (const SysResult answer : {SysResult{1'000'000, 0}, SysResult{-5, 0}, SysResult{-1, EIO}}) {
    bench.host.on_read = [&](void*, std::size_t) { return answer; };
    EXPECT_EQ(queue->read(events).error().error, answer.ok() ? EPROTO : EIO);
    EXPECT_EQ(faults->read(read).error().error, answer.ok() ? EPROTO : EIO);
  }
  bench.host.on_read = [](void*, std::size_t) { return SysResult{-1, EAGAIN}; };
  EXPECT_EQ(*queue->read(events), 0u);
  bench.host.on_read = [](void* data, std::size_t) {
    std::memset(data, 0, 41);
    return SysResult{41, 0};
  };
  EXPECT_EQ(faults->read(read).error().error, EPROTO);
  EXPECT_EQ(read.size(), 1u);
  EXPECT_EQ(faults->respond(1, 0).error().error, EPROTO);  // 3 bytes of 8 were taken
  EXPECT_EQ(queue->readable().error().error, EBADF);
}

TEST(Client, ImpossibleRangesAreRefused) {
  ClientBench bench;
  struct Row {
    std::uint32_t count;
    int error;
    std::uint64_t start;
    int expected;
  };
  for (const Row row : {Row{1, 0, 0, 0}, Row{17, 0, 0, EPROTO}, Row{16, EMSGSIZE, 0, EPROTO},
                        Row{0xffffffff, EMSGSIZE, 0, EPROTO}, Row{1, 0, 6, EPROTO}, Row{0, ENOENT, 0, ENOENT}}) {
    bench.host.on_ioctl = [&](std::uint32_t request, void* argument) {
      if (request != abi::ioas_iova_ranges) return SysResult{};
      auto& a = *static_cast<abi::IoasIovaRanges*>(argument);
      auto* ranges = reinterpret_cast<abi::IovaRange*>(static_cast<std::uintptr_t>(a.allowed_iovas));
      ranges[0] = {row.start, 5};
      a.num_iovas = row.count;
      return SysResult{row.error == 0 ? 0 : -1, row.error};
    };
    const Result<IovaRanges> ranges = bench.ioas->iova_ranges();
    EXPECT_EQ(ranges.ok() ? 0 : ranges.error().error, row.expected) << row.count << " " << row.error;
  }
}

TEST(Client, ShortHardwareInfoIsRefused) {
  ClientBench bench;
  bench.host.on_ioctl = [](std::uint32_t request, void* argument) {
    if (request != abi::get_hw_info) return SysResult{};
    auto& a = *static_cast<abi::HwInfo*>(argument);
    a.data_type = abi::hw_info_arm_smmuv3;
    a.data_len = 8;
    return SysResult{};
  };
  EXPECT_EQ(bench.device->hw_info().error().error, EPROTO);
}

TEST(Client, FailuresToDestroyAreCountedAndNeverThrown) {
  std::vector<std::string> lines;
  FakeHost host;
  const auto log = std::make_shared<IoctlLog>([&](std::string_view line) { lines.emplace_back(line); });
  {
    const IommufdPtr iommufd = *Iommufd::open(host, log);
    IoasPtr busy = *iommufd->alloc_ioas();
    IoasPtr gone = *iommufd->alloc_ioas();
    host.on_ioctl = [](std::uint32_t, void*) { return SysResult{-1, EBUSY}; };
    busy.reset();
    host.on_ioctl = [](std::uint32_t, void*) { return SysResult{-1, ENOENT}; };
    gone.reset();
  }
  EXPECT_EQ(log->destroy_failures(), 1u);
  EXPECT_EQ(log->objects_already_gone(), 1u);
  EXPECT_EQ(log->objects_destroyed(), 0u);
  EXPECT_EQ(log->count(abi::iommu_destroy).errors, 2u);
  EXPECT_EQ(host.closed, 1u);
  EXPECT_EQ(lines[3], "# IOAS 0 could not be destroyed: EBUSY");
}

TEST(Client, EveryRefusalOnTheWayUpLeavesNothingBehind) {
  const std::uint32_t requests[] = {abi::vfio_bind_iommufd, abi::ioas_alloc,    abi::ioas_map,     abi::hwpt_alloc,
                                    abi::viommu_alloc,      abi::vdevice_alloc, abi::veventq_alloc};
  for (const std::uint32_t request : requests) {
    HostBench bench;
    bench.host.inject_error(request, 1, ENOMEM);
    int error = 0;
    std::string_view call;
    const auto take = [&](const HostError& failed) {
      error = failed.error;
      call = failed.call;
    };
    {
      const IommufdPtr iommufd = bench.open();
      const auto up = [&]() -> Status {
        const auto device = VfioDevice::open(iommufd, "/dev/vfio/devices/vfio0");
        if (!device) return device.error();
        const auto ioas = iommufd->alloc_ioas();
        if (!ioas) return ioas.error();
        const Status mapped = (*ioas)->map(guest_iova, guest_user_va, guest_bytes);
        if (!mapped) return mapped.error();
        const auto parent = (*ioas)->alloc_nest_parent(**device);
        if (!parent) return parent.error();
        const auto viommu = (*parent)->alloc_viommu(**device);
        if (!viommu) return viommu.error();
        const auto vdevice = (*viommu)->alloc_vdevice(*device, 3);
        if (!vdevice) return vdevice.error();
        const auto events = (*viommu)->alloc_veventq(4);
        return events.ok() ? Status() : Status(events.error());
      };
      take(up().error());
      EXPECT_EQ(error, ENOMEM);
      EXPECT_EQ(call, request_name(request));
      EXPECT_TRUE(up().ok()) << call;  // a second attempt works
    }
    EXPECT_EQ(bench.host.objects(), 0u) << call;
    EXPECT_EQ(bench.log->objects_allocated(), bench.log->objects_destroyed()) << call;
  }
}

TEST(IoctlLog, SaysWhatWasAskedAndAnswered) {
  HostBench bench;
  {
    Nest nest(bench);
    const SteWords ste = {0x4100'000b, 0xf4};
    ASSERT_TRUE(nest.device->attach(*nest.viommu->alloc_nested(*nest.device, ste)).ok());
    const std::vector<spec::Command> commands(2, make_tlbi_nh_asid(Vmid(0), Asid(3)));
    EXPECT_TRUE(nest.viommu->invalidate(commands).ok());
    EXPECT_FALSE(nest.viommu->alloc_nested(*nest.device, {0x4100'000b, 1ull << 44}).ok());
  }
  EXPECT_EQ(bench.text(),
            "VFIO_DEVICE_BIND_IOMMUFD iommufd=3 out_dev=1 -> 0\n"
            "IOMMU_IOAS_ALLOC out_ioas=2 -> 0\n"
            "IOMMU_IOAS_MAP ioas=2 iova=0x40000000 length=0x10000000 user_va=0x7f0000000000 flags=FIXED|W|R -> 0\n"
            "IOMMU_HWPT_ALLOC dev=1 pt=2 flags=NEST_PARENT out_hwpt=3 -> 0\n"
            "IOMMU_VIOMMU_ALLOC type=1 dev=1 hwpt=3 out_viommu=4 -> 0\n"
            "IOMMU_VDEVICE_ALLOC viommu=4 dev=1 virt_id=0x21 out_vdevice=5 -> 0\n"
            "IOMMU_VEVENTQ_ALLOC viommu=4 type=1 depth=4 out_veventq=6 out_fd=5 -> 0\n"
            "IOMMU_HWPT_ALLOC dev=1 pt=4 flags=0 ste=0x000000004100000b,0x00000000000000f4 out_hwpt=7 -> 0\n"
            "VFIO_DEVICE_ATTACH_IOMMUFD_PT pt=7 -> 0\n"
            "IOMMU_HWPT_INVALIDATE on=4 entries=2 handled=2 3000000000011:0 3000000000011:0 -> 0\n"
            "IOMMU_HWPT_ALLOC dev=1 pt=4 flags=0 ste=0x000000004100000b,0x0000100000000000 -> EIO\n"
            "IOMMU_DESTROY id=6 -> 0\n"
            "IOMMU_DESTROY id=5 -> 0\n"
            "VFIO_DEVICE_DETACH_IOMMUFD_PT -> 0\n"
            "IOMMU_DESTROY id=7 -> 0\n"
            "IOMMU_DESTROY id=4 -> 0\n"
            "IOMMU_DESTROY id=3 -> 0\n"
            "IOMMU_DESTROY id=2 -> 0\n");
  const auto json = ioctls_json(*bench.log, bench.host);
  EXPECT_EQ(json["IOMMU_HWPT_ALLOC"]["count"], 3);
  EXPECT_EQ(json["IOMMU_HWPT_ALLOC"]["errors"], 1);
  EXPECT_EQ(json["IOMMU_HWPT_ALLOC"]["by_errno"]["EIO"], 1);
  EXPECT_EQ(json["IOMMU_HWPT_INVALIDATE"]["mean_ns"], 0);  // untimed
}

}  // namespace
}  // namespace smmusim::host
