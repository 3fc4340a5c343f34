// SPDX-License-Identifier: MIT
// The binary interface of Linux's iommufd and of the VFIO calls that belong to it: request numbers, constants and
// structures, with every size and offset asserted. Declared here because Linux before 6.2 has none of it. Layouts are
// those of a 64-bit little-endian Linux; every structure begins with its own size. Nothing is decided here.
#pragma once

#include <cstddef>
#include <cstdint>

namespace smmusim::host::abi {

/// The number of an iommufd request: _IO(';', nr), no direction and no size.
constexpr std::uint32_t request(std::uint32_t nr) {
  return std::uint32_t{';'} << 8 | nr;
}
inline constexpr std::uint32_t first_nr = 0x80;  ///< of the requests to /dev/iommu

inline constexpr std::uint32_t iommu_destroy = request(0x80);
inline constexpr std::uint32_t ioas_alloc = request(0x81);
inline constexpr std::uint32_t ioas_allow_iovas = request(0x82);
inline constexpr std::uint32_t ioas_copy = request(0x83);
inline constexpr std::uint32_t ioas_iova_ranges = request(0x84);
inline constexpr std::uint32_t ioas_map = request(0x85);
inline constexpr std::uint32_t ioas_unmap = request(0x86);
inline constexpr std::uint32_t iommu_option = request(0x87);
inline constexpr std::uint32_t vfio_ioas = request(0x88);
inline constexpr std::uint32_t hwpt_alloc = request(0x89);
inline constexpr std::uint32_t get_hw_info = request(0x8a);
inline constexpr std::uint32_t hwpt_set_dirty_tracking = request(0x8b);
inline constexpr std::uint32_t hwpt_get_dirty_bitmap = request(0x8c);
inline constexpr std::uint32_t hwpt_invalidate = request(0x8d);
inline constexpr std::uint32_t fault_queue_alloc = request(0x8e);
inline constexpr std::uint32_t ioas_map_file = request(0x8f);
inline constexpr std::uint32_t viommu_alloc = request(0x90);
inline constexpr std::uint32_t vdevice_alloc = request(0x91);
inline constexpr std::uint32_t ioas_change_process = request(0x92);
inline constexpr std::uint32_t veventq_alloc = request(0x93);
inline constexpr std::uint32_t hw_queue_alloc = request(0x94);
inline constexpr std::uint32_t vfio_bind_iommufd = request(0x76);  ///< VFIO_BASE 100, + 18
inline constexpr std::uint32_t vfio_attach_iommufd_pt = request(0x77);
inline constexpr std::uint32_t vfio_detach_iommufd_pt = request(0x78);

// IOAS_MAP and IOAS_MAP_FILE
inline constexpr std::uint32_t map_fixed_iova = 1;
inline constexpr std::uint32_t map_writeable = 2;
inline constexpr std::uint32_t map_readable = 4;
// HWPT_ALLOC
inline constexpr std::uint32_t hwpt_nest_parent = 1;
inline constexpr std::uint32_t hwpt_dirty_tracking = 2;
inline constexpr std::uint32_t hwpt_fault_id_valid = 4;
inline constexpr std::uint32_t hwpt_pasid = 8;
inline constexpr std::uint32_t hwpt_data_none = 0;
inline constexpr std::uint32_t hwpt_data_vtd_s1 = 1;
inline constexpr std::uint32_t hwpt_data_arm_smmuv3 = 2;
// GET_HW_INFO
inline constexpr std::uint32_t hw_info_input_type = 1;
inline constexpr std::uint32_t hw_info_none = 0;  ///< as input: whatever the device has
inline constexpr std::uint32_t hw_info_intel_vtd = 1;
inline constexpr std::uint32_t hw_info_arm_smmuv3 = 2;
inline constexpr std::uint32_t hw_info_tegra241_cmdqv = 3;
inline constexpr std::uint64_t cap_dirty_tracking = 1;
inline constexpr std::uint64_t cap_pci_pasid_exec = 2;
inline constexpr std::uint64_t cap_pci_pasid_priv = 4;
inline constexpr std::uint64_t cap_pci_ats_not_supported = 8;  ///< since 7.1; clear: ATS may be enabled, or old kernel
// HWPT_INVALIDATE
inline constexpr std::uint32_t invalidate_data_arm_smmuv3 = 1;
// VIOMMU_ALLOC, VEVENTQ_ALLOC, HW_QUEUE_ALLOC
inline constexpr std::uint32_t viommu_default = 0;
inline constexpr std::uint32_t viommu_arm_smmuv3 = 1;
inline constexpr std::uint32_t viommu_tegra241_cmdqv = 2;
inline constexpr std::uint32_t veventq_default = 0;
inline constexpr std::uint32_t veventq_arm_smmuv3 = 1;
inline constexpr std::uint32_t vevent_lost_events = 1;  ///< VeventHeader::flags
inline constexpr std::uint32_t hw_queue_tegra241_cmdqv = 1;
// Fault queue
inline constexpr std::uint32_t fault_pasid_valid = 1;
inline constexpr std::uint32_t fault_last_page = 2;
inline constexpr std::uint32_t fault_read = 1;
inline constexpr std::uint32_t fault_write = 2;
inline constexpr std::uint32_t fault_exec = 4;
inline constexpr std::uint32_t fault_priv = 8;
inline constexpr std::uint32_t fault_success = 0;
inline constexpr std::uint32_t fault_invalid = 1;
// VFIO
inline constexpr std::uint32_t vfio_pasid = 1;  ///< ATTACH and DETACH: the pasid is valid

/// The window that an Arm host reserves for MSI doorbells in every IOAS; both ends belong to it.
inline constexpr std::uint64_t msi_window_first = 0x08000000;
inline constexpr std::uint64_t msi_window_last = 0x080fffff;

// The layouts. A member named rsv is reserved and zero.
struct Destroy {
  std::uint32_t size, id;
};
struct IoasAlloc {
  std::uint32_t size, flags, out_ioas_id;
};
struct IovaRange {
  std::uint64_t start, last;  ///< both belong to it
};
struct IoasIovaRanges {
  std::uint32_t size, ioas_id, num_iovas, rsv;
  std::uint64_t allowed_iovas, out_iova_alignment;
};
struct IoasMap {
  std::uint32_t size, flags, ioas_id, rsv;
  std::uint64_t user_va, length, iova;
};
struct IoasMapFile {
  std::uint32_t size, flags, ioas_id;
  std::int32_t fd;
  std::uint64_t start, length, iova;
};
struct IoasUnmap {
  std::uint32_t size, ioas_id;
  std::uint64_t iova, length;
};
struct HwptAlloc {
  std::uint32_t size, flags, dev_id, pt_id, out_hwpt_id, rsv, data_type, data_len;
  std::uint64_t data_uptr;
  std::uint32_t fault_id, rsv2;
};
struct HwptArmSmmuv3 {
  std::uint64_t ste[2];  ///< doublewords 0 and 1 of the guest's STE, little-endian
};
struct HwInfo {
  std::uint32_t size, flags, dev_id, data_len;
  std::uint64_t data_uptr;
  std::uint32_t data_type;  ///< in with hw_info_input_type, and out
  std::uint8_t out_max_pasid_log2, rsv[3];
  std::uint64_t out_capabilities;
};
struct HwInfoArmSmmuv3 {
  std::uint32_t flags, rsv, idr[6], iidr, aidr;
};
struct HwptInvalidate {
  std::uint32_t size, hwpt_id;
  std::uint64_t data_uptr;
  std::uint32_t data_type, entry_len, entry_num, rsv;
};
struct InvalidateArmSmmuv3 {
  std::uint64_t cmd[2];
};
struct FaultQueueAlloc {
  std::uint32_t size, flags, out_fault_id, out_fault_fd;
};
struct PageFault {
  std::uint32_t flags, dev_id, pasid, grpid, perm, rsv;
  std::uint64_t addr;
  std::uint32_t length, cookie;
};
struct PageResponse {
  std::uint32_t cookie, code;
};
struct ViommuAlloc {
  std::uint32_t size, flags, type, dev_id, hwpt_id, out_viommu_id, data_len, rsv;
  std::uint64_t data_uptr;
};
struct ViommuTegra241 {
  std::uint64_t out_vintf_mmap_offset, out_vintf_mmap_length;
};
struct VdeviceAlloc {
  std::uint32_t size, viommu_id, dev_id, out_vdevice_id;
  std::uint64_t virt_id;  ///< the guest's StreamID
};
struct VeventHeader {
  std::uint32_t flags, sequence;  ///< sequence runs from 0 to INT32_MAX and wraps; a gap is lost events
};
struct VeventArmSmmuv3 {
  std::uint64_t evt[4];
};
struct VeventqAlloc {
  std::uint32_t size, flags, viommu_id, type, veventq_depth, out_veventq_id, out_veventq_fd, rsv;
};
struct HwQueueAlloc {
  std::uint32_t size, flags, viommu_id, type, index, out_hw_queue_id;
  std::uint64_t nesting_parent_iova, length;
};
struct VfioBind {
  std::uint32_t argsz, flags;
  std::int32_t iommufd;
  std::uint32_t out_devid;
};
struct VfioAttach {
  std::uint32_t argsz, flags, pt_id, pasid;
};
struct VfioDetach {
  std::uint32_t argsz, flags, pasid;
};

// The smallest sizes that a kernel accepts where they are less than the whole structure, and where a later kernel
// added members that an earlier one does not know.
inline constexpr std::uint32_t hwpt_alloc_min = 24;
inline constexpr std::uint32_t hw_info_min = 32;
inline constexpr std::uint32_t viommu_alloc_min = 24;
inline constexpr std::uint32_t veventq_alloc_min = 28;
inline constexpr std::uint32_t vfio_attach_min = 12;
inline constexpr std::uint32_t vfio_detach_min = 8;

static_assert(sizeof(Destroy) == 8 && sizeof(IoasAlloc) == 12 && sizeof(IovaRange) == 16);
static_assert(sizeof(IoasIovaRanges) == 32 && offsetof(IoasIovaRanges, allowed_iovas) == 16 &&
              offsetof(IoasIovaRanges, out_iova_alignment) == 24);
static_assert(sizeof(IoasMap) == 40 && offsetof(IoasMap, ioas_id) == 8 && offsetof(IoasMap, user_va) == 16 &&
              offsetof(IoasMap, length) == 24 && offsetof(IoasMap, iova) == 32);
static_assert(sizeof(IoasMapFile) == 40 && offsetof(IoasMapFile, fd) == 12 && offsetof(IoasMapFile, iova) == 32);
static_assert(sizeof(IoasUnmap) == 24 && offsetof(IoasUnmap, iova) == 8 && offsetof(IoasUnmap, length) == 16);
static_assert(sizeof(HwptAlloc) == 48 && offsetof(HwptAlloc, dev_id) == 8 && offsetof(HwptAlloc, pt_id) == 12 &&
              offsetof(HwptAlloc, out_hwpt_id) == 16 && offsetof(HwptAlloc, data_type) == 24 &&
              offsetof(HwptAlloc, data_len) == 28 && offsetof(HwptAlloc, data_uptr) == 32 &&
              offsetof(HwptAlloc, fault_id) == 40);
static_assert(sizeof(HwptArmSmmuv3) == 16);
static_assert(sizeof(HwInfo) == 40 && offsetof(HwInfo, data_len) == 12 && offsetof(HwInfo, data_uptr) == 16 &&
              offsetof(HwInfo, data_type) == 24 && offsetof(HwInfo, out_max_pasid_log2) == 28 &&
              offsetof(HwInfo, out_capabilities) == 32);
static_assert(sizeof(HwInfoArmSmmuv3) == 40 && offsetof(HwInfoArmSmmuv3, idr) == 8 &&
              offsetof(HwInfoArmSmmuv3, iidr) == 32 && offsetof(HwInfoArmSmmuv3, aidr) == 36);
static_assert(sizeof(HwptInvalidate) == 32 && offsetof(HwptInvalidate, data_uptr) == 8 &&
              offsetof(HwptInvalidate, data_type) == 16 && offsetof(HwptInvalidate, entry_len) == 20 &&
              offsetof(HwptInvalidate, entry_num) == 24);
static_assert(sizeof(InvalidateArmSmmuv3) == 16);
static_assert(sizeof(FaultQueueAlloc) == 16 && offsetof(FaultQueueAlloc, out_fault_fd) == 12);
static_assert(sizeof(PageFault) == 40 && offsetof(PageFault, addr) == 24 && offsetof(PageFault, cookie) == 36);
static_assert(sizeof(PageResponse) == 8);
static_assert(sizeof(ViommuAlloc) == 40 && offsetof(ViommuAlloc, type) == 8 && offsetof(ViommuAlloc, hwpt_id) == 16 &&
              offsetof(ViommuAlloc, out_viommu_id) == 20 && offsetof(ViommuAlloc, data_uptr) == 32);
static_assert(sizeof(ViommuTegra241) == 16);
static_assert(sizeof(VdeviceAlloc) == 24 && offsetof(VdeviceAlloc, out_vdevice_id) == 12 &&
              offsetof(VdeviceAlloc, virt_id) == 16);
static_assert(sizeof(VeventHeader) == 8 && sizeof(VeventArmSmmuv3) == 32);
static_assert(sizeof(VeventqAlloc) == 32 && offsetof(VeventqAlloc, veventq_depth) == 16 &&
              offsetof(VeventqAlloc, out_veventq_id) == 20 && offsetof(VeventqAlloc, out_veventq_fd) == 24);
static_assert(sizeof(HwQueueAlloc) == 40 && offsetof(HwQueueAlloc, out_hw_queue_id) == 20 &&
              offsetof(HwQueueAlloc, nesting_parent_iova) == 24);
static_assert(sizeof(VfioBind) == 16 && offsetof(VfioBind, iommufd) == 8 && offsetof(VfioBind, out_devid) == 12);
static_assert(sizeof(VfioAttach) == 16 && offsetof(VfioAttach, pt_id) == 8 && offsetof(VfioAttach, pasid) == 12);
static_assert(sizeof(VfioDetach) == 12 && offsetof(VfioDetach, pasid) == 8);

}  // namespace smmusim::host::abi
