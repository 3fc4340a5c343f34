// SPDX-License-Identifier: MIT
// The typed calls; see the header. Each fills the structure, calls, and believes only answers that make sense.
#include "platform/host/iommufd.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>

namespace smmusim::host {
namespace {

std::uint64_t address_of(const void* data) {
  return static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(data));
}

HostError nonsense(std::uint32_t request, std::string_view detail) {
  return {request_name(request), EPROTO, 0, detail};
}

/// A structure of abi.h that begins with its size.
template <class T>
T sized() {
  T argument{};
  argument.size = sizeof argument;
  return argument;
}

}  // namespace

Result<IommufdPtr> Iommufd::open(HostSystem& host, std::shared_ptr<IoctlLog> log, const std::string& path) {
  const SysResult opened = host.open(path);
  if (!opened.ok()) return HostError{"open", opened.error, 0, {}};
  return IommufdPtr(new Iommufd(host, std::move(log), static_cast<int>(opened.value)));
}

Iommufd::~Iommufd() {
  host_.close(fd_);
}

Status Iommufd::call(int fd, std::uint32_t request, void* argument, std::uint32_t entries) {
  const SysResult result = host_.ioctl(fd, request, argument);
  log_->record(request, argument, result, entries);
  if (!result.ok()) return HostError{request_name(request), result.error, 0, {}};
  return {};
}

void Iommufd::destroy(std::string_view kind, std::uint32_t id) {
  auto argument = sized<abi::Destroy>();
  argument.id = id;
  const Status status = call(abi::iommu_destroy, &argument);
  if (status.ok()) {
    log_->object_destroyed();
  } else if (status.error().error == ENOENT) {
    log_->already_gone(kind, id);
  } else {
    log_->destroy_failed(kind, id, status.error().error);
  }
}

Result<IoasPtr> Iommufd::alloc_ioas() {
  auto argument = sized<abi::IoasAlloc>();
  const Status status = call(abi::ioas_alloc, &argument);
  if (!status) return status.error();
  return std::make_shared<Ioas>(shared_from_this(), argument.out_ioas_id);
}

Result<FaultQueuePtr> Iommufd::alloc_fault_queue() {
  auto argument = sized<abi::FaultQueueAlloc>();
  const Status status = call(abi::fault_queue_alloc, &argument);
  if (!status) return status.error();
  return std::make_shared<FaultQueue>(shared_from_this(), argument.out_fault_id,
                                      static_cast<int>(argument.out_fault_fd));
}

Object::Object(IommufdPtr iommufd, std::string_view kind, std::uint32_t id, Keeps keeps)
    : iommufd_(std::move(iommufd)), keeps_(std::move(keeps)), kind_(kind), id_(id) {
  iommufd_->log().object_allocated();
}

Object::~Object() {
  iommufd_->destroy(kind_, id_);
}

Status Ioas::map(std::uint64_t iova, std::uint64_t user_va, std::uint64_t bytes, bool writeable) {
  auto argument = sized<abi::IoasMap>();
  argument.flags = abi::map_fixed_iova | abi::map_readable | (writeable ? abi::map_writeable : 0);
  argument.ioas_id = id();
  argument.user_va = user_va;
  argument.length = bytes;
  argument.iova = iova;
  return iommufd().call(abi::ioas_map, &argument);
}

Status Ioas::map_file(std::uint64_t iova, int fd, std::uint64_t start, std::uint64_t bytes, bool writeable) {
  auto argument = sized<abi::IoasMapFile>();
  argument.flags = abi::map_fixed_iova | abi::map_readable | (writeable ? abi::map_writeable : 0);
  argument.ioas_id = id();
  argument.fd = fd;
  argument.start = start;
  argument.length = bytes;
  argument.iova = iova;
  return iommufd().call(abi::ioas_map_file, &argument);
}

Result<std::uint64_t> Ioas::unmap(std::uint64_t iova, std::uint64_t bytes) {
  auto argument = sized<abi::IoasUnmap>();
  argument.ioas_id = id();
  argument.iova = iova;
  argument.length = bytes;
  const Status status = iommufd().call(abi::ioas_unmap, &argument);
  if (!status) return status.error();
  return argument.length;
}

Result<IovaRanges> Ioas::iova_ranges() {
  constexpr std::uint32_t ranges_max = 1u << 16;  // more is no answer of a kernel
  IovaRanges ranges;
  ranges.allowed.resize(16);
  for (;;) {
    auto argument = sized<abi::IoasIovaRanges>();
    argument.ioas_id = id();
    const auto room = static_cast<std::uint32_t>(ranges.allowed.size());
    argument.num_iovas = room;
    argument.allowed_iovas = address_of(ranges.allowed.data());
    const Status status = iommufd().call(abi::ioas_iova_ranges, &argument);
    const bool too_small = !status && status.error().error == EMSGSIZE;
    if (!status && !too_small) return status.error();
    if (too_small ? argument.num_iovas <= room || argument.num_iovas > ranges_max : argument.num_iovas > room) {
      return nonsense(abi::ioas_iova_ranges, "an impossible number of ranges");
    }
    ranges.allowed.resize(argument.num_iovas);
    ranges.alignment = argument.out_iova_alignment;
    if (!too_small) break;
  }
  for (const abi::IovaRange& range : ranges.allowed) {
    if (range.last < range.start) return nonsense(abi::ioas_iova_ranges, "a range that ends before it begins");
  }
  return ranges;
}

Result<HwptPtr> Ioas::alloc_nest_parent(VfioDevice& device) {
  auto argument = sized<abi::HwptAlloc>();
  argument.flags = abi::hwpt_nest_parent;
  argument.dev_id = device.id();
  argument.pt_id = id();
  const Status status = iommufd().call(abi::hwpt_alloc, &argument);
  if (!status) return status.error();
  return std::make_shared<Hwpt>(iommufd_ptr(), argument.out_hwpt_id, Keeps{shared_from_this()});
}

Result<ViommuPtr> Hwpt::alloc_viommu(VfioDevice& device, std::uint32_t type) {
  auto argument = sized<abi::ViommuAlloc>();
  argument.type = type;
  argument.dev_id = device.id();
  argument.hwpt_id = id();
  const Status status = iommufd().call(abi::viommu_alloc, &argument);
  if (!status) return status.error();
  return std::make_shared<Viommu>(iommufd_ptr(), argument.out_viommu_id, Keeps{shared_from_this()});
}

Result<HwptPtr> Viommu::alloc_nested(VfioDevice& device, const SteWords& ste, const FaultQueuePtr& faults) {
  abi::HwptArmSmmuv3 data{{ste[0], ste[1]}};
  auto argument = sized<abi::HwptAlloc>();
  argument.dev_id = device.id();
  argument.pt_id = id();
  argument.data_type = abi::hwpt_data_arm_smmuv3;
  argument.data_len = sizeof data;
  argument.data_uptr = address_of(&data);
  Keeps keeps{shared_from_this()};
  if (faults) {
    argument.flags = abi::hwpt_fault_id_valid;
    argument.fault_id = faults->id();
    keeps.push_back(faults);
  }
  const Status status = iommufd().call(abi::hwpt_alloc, &argument);
  if (!status) return status.error();
  return std::make_shared<Hwpt>(iommufd_ptr(), argument.out_hwpt_id, std::move(keeps));
}

Result<VdevicePtr> Viommu::alloc_vdevice(const VfioDevicePtr& device, std::uint64_t stream) {
  auto argument = sized<abi::VdeviceAlloc>();
  argument.viommu_id = id();
  argument.dev_id = device->id();
  argument.virt_id = stream;
  const Status status = iommufd().call(abi::vdevice_alloc, &argument);
  if (!status) return status.error();
  return std::make_shared<Vdevice>(iommufd_ptr(), argument.out_vdevice_id, Keeps{device, shared_from_this()});
}

Result<VeventqPtr> Viommu::alloc_veventq(std::uint32_t depth, std::uint32_t type) {
  auto argument = sized<abi::VeventqAlloc>();
  argument.viommu_id = id();
  argument.type = type;
  argument.veventq_depth = depth;
  const Status status = iommufd().call(abi::veventq_alloc, &argument);
  if (!status) return status.error();
  return std::make_shared<Veventq>(iommufd_ptr(), argument.out_veventq_id, static_cast<int>(argument.out_veventq_fd),
                                   Keeps{shared_from_this()});
}

Invalidation Viommu::invalidate(std::span<const spec::Command> commands) {
  static_assert(sizeof(spec::Command) == sizeof(abi::InvalidateArmSmmuv3));
  if (commands.empty()) return {};
  if (commands.size() > std::numeric_limits<std::uint32_t>::max()) return {0, EINVAL};
  const auto sent = static_cast<std::uint32_t>(commands.size());
  auto argument = sized<abi::HwptInvalidate>();
  argument.hwpt_id = id();
  argument.data_uptr = address_of(commands.data());
  argument.data_type = abi::invalidate_data_arm_smmuv3;
  argument.entry_len = sizeof(abi::InvalidateArmSmmuv3);
  argument.entry_num = sent;
  const Status status = iommufd().call(iommufd().fd(), abi::hwpt_invalidate, &argument, sent);
  // ENOTTY and the like write nothing back: then nothing was handled.
  const bool untouched = !status && argument.entry_num == sent;
  const std::uint32_t handled = untouched ? 0 : argument.entry_num;
  if (handled > sent || (status.ok() && handled != sent)) {
    iommufd().log().note("IOMMU_HWPT_INVALIDATE: an impossible entry_num");
    return {0, EPROTO};
  }
  return {handled, status.error().error};
}

Result<HwQueuePtr> Viommu::alloc_hw_queue(std::uint32_t index, std::uint64_t iova, std::uint64_t bytes) {
  auto argument = sized<abi::HwQueueAlloc>();
  argument.viommu_id = id();
  argument.type = abi::hw_queue_tegra241_cmdqv;
  argument.index = index;
  argument.nesting_parent_iova = iova;
  argument.length = bytes;
  const Status status = iommufd().call(abi::hw_queue_alloc, &argument);
  if (!status) return status.error();
  return std::make_shared<HwQueue>(iommufd_ptr(), argument.out_hw_queue_id, Keeps{shared_from_this()});
}

}  // namespace smmusim::host
