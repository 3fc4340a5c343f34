// SPDX-License-Identifier: MIT
// describe_call(): one line for one ioctl. A row of the table below for each request: its name, and how its structure
// reads. Only what the call itself reads through a pointer is followed, and only if the call did not refuse it
// (EFAULT).
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "model/spec/command.h"
#include "platform/host/abi.h"
#include "platform/host/ioctl_log.h"

namespace smmusim::host {
namespace {

/// What is known of a call besides its structure.
struct Call {
  int error;
  std::uint32_t entries;  ///< of HWPT_INVALIDATE, as they were sent
  bool ok() const { return error == 0; }
};

template <class T>
const T& as(const void* argument) {
  return *static_cast<const T*>(argument);
}

const void* pointer(std::uint64_t address) {
  return reinterpret_cast<const void*>(static_cast<std::uintptr_t>(address));
}

std::string flag_text(std::uint32_t flags, std::initializer_list<std::pair<std::uint32_t, const char*>> names) {
  std::string text;
  for (const auto& [bit, name] : names) {
    if ((flags & bit) == 0) continue;
    text += (text.empty() ? "" : "|") + std::string(name);
    flags &= ~bit;
  }
  if (flags != 0) text += (text.empty() ? "" : "|") + fmt::format("{:#x}", flags);
  return text.empty() ? "0" : text;
}

std::string map_flags(std::uint32_t flags) {
  return flag_text(flags, {{abi::map_fixed_iova, "FIXED"}, {abi::map_writeable, "W"}, {abi::map_readable, "R"}});
}

std::string destroy(const void* argument, const Call&) {
  return fmt::format("id={}", as<abi::Destroy>(argument).id);
}

std::string ioas_alloc(const void* argument, const Call& call) {
  const auto& a = as<abi::IoasAlloc>(argument);
  return call.ok() ? fmt::format("out_ioas={}", a.out_ioas_id) : std::string();
}

std::string ioas_iova_ranges(const void* argument, const Call& call) {
  const auto& a = as<abi::IoasIovaRanges>(argument);
  std::string text = fmt::format("ioas={} num={}", a.ioas_id, a.num_iovas);
  if (!call.ok()) return text;
  const auto* ranges = static_cast<const abi::IovaRange*>(pointer(a.allowed_iovas));
  for (std::uint32_t i = 0; i != std::min(a.num_iovas, 16u); ++i) {
    text += fmt::format(" [{:#x}..{:#x}]", ranges[i].start, ranges[i].last);
  }
  return text + fmt::format(" alignment={:#x}", a.out_iova_alignment);
}

std::string ioas_map(const void* argument, const Call&) {
  const auto& a = as<abi::IoasMap>(argument);
  return fmt::format("ioas={} iova={:#x} length={:#x} user_va={:#x} flags={}", a.ioas_id, a.iova, a.length, a.user_va,
                     map_flags(a.flags));
}

std::string ioas_map_file(const void* argument, const Call&) {
  const auto& a = as<abi::IoasMapFile>(argument);
  return fmt::format("ioas={} iova={:#x} length={:#x} fd={} start={:#x} flags={}", a.ioas_id, a.iova, a.length, a.fd,
                     a.start, map_flags(a.flags));
}

std::string ioas_unmap(const void* argument, const Call&) {
  const auto& a = as<abi::IoasUnmap>(argument);
  return fmt::format("ioas={} iova={:#x} length={:#x}", a.ioas_id, a.iova, a.length);
}

std::string hwpt_alloc(const void* argument, const Call& call) {
  const auto& a = as<abi::HwptAlloc>(argument);
  std::string text = fmt::format("dev={} pt={} flags={}", a.dev_id, a.pt_id,
                                 flag_text(a.flags, {{abi::hwpt_nest_parent, "NEST_PARENT"},
                                                     {abi::hwpt_dirty_tracking, "DIRTY_TRACKING"},
                                                     {abi::hwpt_fault_id_valid, "FAULT_ID_VALID"},
                                                     {abi::hwpt_pasid, "PASID"}}));
  if (a.data_type == abi::hwpt_data_arm_smmuv3 && a.data_len >= sizeof(abi::HwptArmSmmuv3) && call.error != EFAULT) {
    abi::HwptArmSmmuv3 data;
    std::memcpy(&data, pointer(a.data_uptr), sizeof data);
    text += fmt::format(" ste={:#018x},{:#018x}", data.ste[0], data.ste[1]);
  }
  if ((a.flags & abi::hwpt_fault_id_valid) != 0) text += fmt::format(" fault={}", a.fault_id);
  return call.ok() ? text + fmt::format(" out_hwpt={}", a.out_hwpt_id) : text;
}

std::string get_hw_info(const void* argument, const Call& call) {
  const auto& a = as<abi::HwInfo>(argument);
  std::string text = fmt::format("dev={}", a.dev_id);
  if (!call.ok()) return text;
  text += fmt::format(" type={} length={} max_pasid_log2={} capabilities={:#x}", a.data_type, a.data_len,
                      a.out_max_pasid_log2, a.out_capabilities);
  if (a.data_type != abi::hw_info_arm_smmuv3 || a.data_len < sizeof(abi::HwInfoArmSmmuv3)) return text;
  abi::HwInfoArmSmmuv3 info;
  std::memcpy(&info, pointer(a.data_uptr), sizeof info);
  return text + fmt::format(" idr0={:#x} idr1={:#x} idr3={:#x} idr5={:#x}", info.idr[0], info.idr[1], info.idr[3],
                            info.idr[5]);
}

std::string hwpt_invalidate(const void* argument, const Call& call) {
  constexpr std::uint32_t shown_max = 8;
  const auto& a = as<abi::HwptInvalidate>(argument);
  std::string text = fmt::format("on={} entries={} handled={}", a.hwpt_id, call.entries, a.entry_num);
  if (call.error == EFAULT || a.data_type != abi::invalidate_data_arm_smmuv3 ||
      a.entry_len != sizeof(abi::InvalidateArmSmmuv3)) {
    return text;
  }
  const auto* entries = static_cast<const abi::InvalidateArmSmmuv3*>(pointer(a.data_uptr));
  for (std::uint32_t i = 0; i != std::min(call.entries, shown_max); ++i) {
    text += fmt::format(" {:x}:{:x}", entries[i].cmd[0], entries[i].cmd[1]);
  }
  return call.entries > shown_max ? text + " ..." : text;
}

std::string fault_queue_alloc(const void* argument, const Call& call) {
  const auto& a = as<abi::FaultQueueAlloc>(argument);
  return call.ok() ? fmt::format("out_fault={} out_fd={}", a.out_fault_id, a.out_fault_fd) : std::string();
}

std::string viommu_alloc(const void* argument, const Call& call) {
  const auto& a = as<abi::ViommuAlloc>(argument);
  std::string text = fmt::format("type={} dev={} hwpt={}", a.type, a.dev_id, a.hwpt_id);
  return call.ok() ? text + fmt::format(" out_viommu={}", a.out_viommu_id) : text;
}

std::string vdevice_alloc(const void* argument, const Call& call) {
  const auto& a = as<abi::VdeviceAlloc>(argument);
  std::string text = fmt::format("viommu={} dev={} virt_id={:#x}", a.viommu_id, a.dev_id, a.virt_id);
  return call.ok() ? text + fmt::format(" out_vdevice={}", a.out_vdevice_id) : text;
}

std::string veventq_alloc(const void* argument, const Call& call) {
  const auto& a = as<abi::VeventqAlloc>(argument);
  std::string text = fmt::format("viommu={} type={} depth={}", a.viommu_id, a.type, a.veventq_depth);
  return call.ok() ? text + fmt::format(" out_veventq={} out_fd={}", a.out_veventq_id, a.out_veventq_fd) : text;
}

std::string hw_queue_alloc(const void* argument, const Call& call) {
  const auto& a = as<abi::HwQueueAlloc>(argument);
  std::string text = fmt::format("viommu={} type={} index={} iova={:#x} length={:#x}", a.viommu_id, a.type, a.index,
                                 a.nesting_parent_iova, a.length);
  return call.ok() ? text + fmt::format(" out_hw_queue={}", a.out_hw_queue_id) : text;
}

std::string vfio_bind(const void* argument, const Call& call) {
  const auto& a = as<abi::VfioBind>(argument);
  return call.ok() ? fmt::format("iommufd={} out_dev={}", a.iommufd, a.out_devid)
                   : fmt::format("iommufd={}", a.iommufd);
}

std::string with_pasid(std::string text, std::uint32_t flags, const std::uint32_t& pasid) {
  return (flags & abi::vfio_pasid) != 0 ? text + fmt::format(" pasid={}", pasid) : text;
}

std::string vfio_attach(const void* argument, const Call&) {
  const auto& a = as<abi::VfioAttach>(argument);
  return with_pasid(fmt::format("pt={}", a.pt_id), a.flags, a.pasid);
}

std::string vfio_detach(const void* argument, const Call&) {
  const auto& a = as<abi::VfioDetach>(argument);
  return with_pasid("", a.flags, a.pasid);
}

struct Row {
  std::uint32_t request;
  std::string_view name;
  std::string (*fields)(const void* argument, const Call& call);  ///< null: its structure is not decoded
};

constexpr Row rows[] = {
    {abi::iommu_destroy, "IOMMU_DESTROY", destroy},
    {abi::ioas_alloc, "IOMMU_IOAS_ALLOC", ioas_alloc},
    {abi::ioas_allow_iovas, "IOMMU_IOAS_ALLOW_IOVAS", nullptr},
    {abi::ioas_copy, "IOMMU_IOAS_COPY", nullptr},
    {abi::ioas_iova_ranges, "IOMMU_IOAS_IOVA_RANGES", ioas_iova_ranges},
    {abi::ioas_map, "IOMMU_IOAS_MAP", ioas_map},
    {abi::ioas_unmap, "IOMMU_IOAS_UNMAP", ioas_unmap},
    {abi::iommu_option, "IOMMU_OPTION", nullptr},
    {abi::vfio_ioas, "IOMMU_VFIO_IOAS", nullptr},
    {abi::hwpt_alloc, "IOMMU_HWPT_ALLOC", hwpt_alloc},
    {abi::get_hw_info, "IOMMU_GET_HW_INFO", get_hw_info},
    {abi::hwpt_set_dirty_tracking, "IOMMU_HWPT_SET_DIRTY_TRACKING", nullptr},
    {abi::hwpt_get_dirty_bitmap, "IOMMU_HWPT_GET_DIRTY_BITMAP", nullptr},
    {abi::hwpt_invalidate, "IOMMU_HWPT_INVALIDATE", hwpt_invalidate},
    {abi::fault_queue_alloc, "IOMMU_FAULT_QUEUE_ALLOC", fault_queue_alloc},
    {abi::ioas_map_file, "IOMMU_IOAS_MAP_FILE", ioas_map_file},
    {abi::viommu_alloc, "IOMMU_VIOMMU_ALLOC", viommu_alloc},
    {abi::vdevice_alloc, "IOMMU_VDEVICE_ALLOC", vdevice_alloc},
    {abi::ioas_change_process, "IOMMU_IOAS_CHANGE_PROCESS", nullptr},
    {abi::veventq_alloc, "IOMMU_VEVENTQ_ALLOC", veventq_alloc},
    {abi::hw_queue_alloc, "IOMMU_HW_QUEUE_ALLOC", hw_queue_alloc},
    {abi::vfio_bind_iommufd, "VFIO_DEVICE_BIND_IOMMUFD", vfio_bind},
    {abi::vfio_attach_iommufd_pt, "VFIO_DEVICE_ATTACH_IOMMUFD_PT", vfio_attach},
    {abi::vfio_detach_iommufd_pt, "VFIO_DEVICE_DETACH_IOMMUFD_PT", vfio_detach},
};

const Row* row_of(std::uint32_t request) {
  for (const Row& row : rows) {
    if (row.request == request) return &row;
  }
  return nullptr;
}

}  // namespace

std::string_view request_name(std::uint32_t request) {
  const Row* row = row_of(request);
  return row != nullptr ? row->name : "unknown request";
}

std::string describe_call(std::uint32_t request, const void* argument, const SysResult& result, std::uint32_t entries) {
  const Row* row = row_of(request);
  std::string text(request_name(request));
  if (row != nullptr && row->fields != nullptr) {
    const std::string fields = row->fields(argument, Call{result.error, entries});
    if (!fields.empty()) text += " " + fields;
  }
  return text + (result.ok() ? " -> 0" : " -> " + errno_name(result.error));
}

}  // namespace smmusim::host
