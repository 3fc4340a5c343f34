// SPDX-License-Identifier: MIT
// VfioDevice: binding, the report of the IOMMU, attaching.
#include <cerrno>
#include <utility>

#include "platform/host/iommufd.h"

namespace smmusim::host {

Result<VfioDevicePtr> VfioDevice::open(IommufdPtr iommufd, const std::string& path) {
  const SysResult opened = iommufd->host().open(path);
  if (!opened.ok()) return HostError{"open", opened.error, 0, {}};
  VfioDevicePtr device(new VfioDevice(std::move(iommufd), path, static_cast<int>(opened.value)));
  abi::VfioBind argument{};
  argument.argsz = sizeof argument;
  argument.iommufd = device->iommufd_->fd();
  const Status status = device->iommufd_->call(device->fd_, abi::vfio_bind_iommufd, &argument);
  if (!status) return status.error();
  device->id_ = argument.out_devid;
  return device;
}

VfioDevice::~VfioDevice() {
  while (!attached_pasids_.empty()) {
    const std::uint32_t pasid = attached_pasids_.begin()->first;
    if (!detach_pasid(pasid)) attached_pasids_.erase(pasid);  // closing ends it
  }
  if (attached_) {
    const Status status = detach();
    if (!status) iommufd_->log().destroy_failed("attachment of device", id_, status.error().error);
  }
  iommufd_->host().close(fd_);
}

Result<HwInfo> VfioDevice::hw_info() {
  HwInfo info;
  abi::HwInfo argument{};
  argument.size = sizeof argument;
  argument.dev_id = id_;
  argument.data_len = sizeof info.smmu;
  argument.data_uptr = static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(&info.smmu));
  const Status status = iommufd_->call(abi::get_hw_info, &argument);
  if (!status) return status.error();
  const bool smmu = argument.data_type == abi::hw_info_arm_smmuv3;
  if (smmu && argument.data_len < sizeof info.smmu) {
    return HostError{request_name(abi::get_hw_info), EPROTO, 0, "less than the SMMU's ID registers"};
  }
  info.data_type = argument.data_type;
  info.max_pasid_log2 = argument.out_max_pasid_log2;
  info.capabilities = argument.out_capabilities;
  return info;
}

Result<std::uint32_t> VfioDevice::attach_to(std::uint32_t pt_id, std::shared_ptr<void> keeps) {
  abi::VfioAttach argument{};
  argument.argsz = abi::vfio_attach_min;
  argument.pt_id = pt_id;
  const Status status = iommufd_->call(fd_, abi::vfio_attach_iommufd_pt, &argument);
  if (!status) return status.error();
  attached_ = std::move(keeps);
  return argument.pt_id;
}

Status VfioDevice::attach(const HwptPtr& hwpt) {
  const Result<std::uint32_t> result = attach_to(hwpt->id(), hwpt);
  return result.ok() ? Status() : Status(result.error());
}

Result<std::uint32_t> VfioDevice::attach(const IoasPtr& ioas) {
  return attach_to(ioas->id(), ioas);
}

Status VfioDevice::detach() {
  abi::VfioDetach argument{};
  argument.argsz = abi::vfio_detach_min;
  const Status status = iommufd_->call(fd_, abi::vfio_detach_iommufd_pt, &argument);
  if (status.ok()) attached_.reset();
  return status;
}

Status VfioDevice::attach_pasid(const HwptPtr& hwpt, std::uint32_t pasid) {
  abi::VfioAttach argument{};
  argument.argsz = sizeof argument;
  argument.flags = abi::vfio_pasid;
  argument.pt_id = hwpt->id();
  argument.pasid = pasid;
  const Status status = iommufd_->call(fd_, abi::vfio_attach_iommufd_pt, &argument);
  if (status.ok()) attached_pasids_[pasid] = hwpt;
  return status;
}

Status VfioDevice::detach_pasid(std::uint32_t pasid) {
  abi::VfioDetach argument{};
  argument.argsz = sizeof argument;
  argument.flags = abi::vfio_pasid;
  argument.pasid = pasid;
  const Status status = iommufd_->call(fd_, abi::vfio_detach_iommufd_pt, &argument);
  if (status.ok()) attached_pasids_.erase(pasid);
  return status;
}

}  // namespace smmusim::host
