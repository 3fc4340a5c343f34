// SPDX-License-Identifier: MIT
// Numbers, sizes and offsets of the interface, as the documentation has them.
#include "platform/host/abi.h"

#include <gtest/gtest.h>

#include "platform/host/ioctl_log.h"

namespace smmusim::host {
namespace {

TEST(Abi, RequestNumbersAndNames) {
  struct Row {
    std::uint32_t request;
    std::uint32_t number;
    const char* name;
  };
  const Row rows[] = {{abi::iommu_destroy, 0x3b80, "IOMMU_DESTROY"},
                      {abi::ioas_alloc, 0x3b81, "IOMMU_IOAS_ALLOC"},
                      {abi::ioas_allow_iovas, 0x3b82, "IOMMU_IOAS_ALLOW_IOVAS"},
                      {abi::ioas_copy, 0x3b83, "IOMMU_IOAS_COPY"},
                      {abi::ioas_iova_ranges, 0x3b84, "IOMMU_IOAS_IOVA_RANGES"},
                      {abi::ioas_map, 0x3b85, "IOMMU_IOAS_MAP"},
                      {abi::ioas_unmap, 0x3b86, "IOMMU_IOAS_UNMAP"},
                      {abi::iommu_option, 0x3b87, "IOMMU_OPTION"},
                      {abi::vfio_ioas, 0x3b88, "IOMMU_VFIO_IOAS"},
                      {abi::hwpt_alloc, 0x3b89, "IOMMU_HWPT_ALLOC"},
                      {abi::get_hw_info, 0x3b8a, "IOMMU_GET_HW_INFO"},
                      {abi::hwpt_set_dirty_tracking, 0x3b8b, "IOMMU_HWPT_SET_DIRTY_TRACKING"},
                      {abi::hwpt_get_dirty_bitmap, 0x3b8c, "IOMMU_HWPT_GET_DIRTY_BITMAP"},
                      {abi::hwpt_invalidate, 0x3b8d, "IOMMU_HWPT_INVALIDATE"},
                      {abi::fault_queue_alloc, 0x3b8e, "IOMMU_FAULT_QUEUE_ALLOC"},
                      {abi::ioas_map_file, 0x3b8f, "IOMMU_IOAS_MAP_FILE"},
                      {abi::viommu_alloc, 0x3b90, "IOMMU_VIOMMU_ALLOC"},
                      {abi::vdevice_alloc, 0x3b91, "IOMMU_VDEVICE_ALLOC"},
                      {abi::ioas_change_process, 0x3b92, "IOMMU_IOAS_CHANGE_PROCESS"},
                      {abi::veventq_alloc, 0x3b93, "IOMMU_VEVENTQ_ALLOC"},
                      {abi::hw_queue_alloc, 0x3b94, "IOMMU_HW_QUEUE_ALLOC"},
                      {abi::vfio_bind_iommufd, 0x3b76, "VFIO_DEVICE_BIND_IOMMUFD"},
                      {abi::vfio_attach_iommufd_pt, 0x3b77, "VFIO_DEVICE_ATTACH_IOMMUFD_PT"},
                      {abi::vfio_detach_iommufd_pt, 0x3b78, "VFIO_DEVICE_DETACH_IOMMUFD_PT"}};
  for (const Row& row : rows) {
    EXPECT_EQ(row.request, row.number) << row.name;
    EXPECT_EQ(request_name(row.request), row.name);
  }
  EXPECT_EQ(request_name(0x3b99), "unknown request");
}

TEST(Abi, StructureSizes) {
  struct Row {
    std::size_t size;
    std::size_t expected;
    const char* name;
  };
  const Row rows[] = {{sizeof(abi::Destroy), 8, "destroy"},
                      {sizeof(abi::IoasAlloc), 12, "ioas_alloc"},
                      {sizeof(abi::IovaRange), 16, "iova_range"},
                      {sizeof(abi::IoasIovaRanges), 32, "ioas_iova_ranges"},
                      {sizeof(abi::IoasMap), 40, "ioas_map"},
                      {sizeof(abi::IoasMapFile), 40, "ioas_map_file"},
                      {sizeof(abi::IoasUnmap), 24, "ioas_unmap"},
                      {sizeof(abi::HwptAlloc), 48, "hwpt_alloc"},
                      {sizeof(abi::HwptArmSmmuv3), 16, "hwpt_arm_smmuv3"},
                      {sizeof(abi::HwInfo), 40, "hw_info"},
                      {sizeof(abi::HwInfoArmSmmuv3), 40, "hw_info_arm_smmuv3"},
                      {sizeof(abi::HwptInvalidate), 32, "hwpt_invalidate"},
                      {sizeof(abi::InvalidateArmSmmuv3), 16, "viommu_arm_smmuv3_invalidate"},
                      {sizeof(abi::FaultQueueAlloc), 16, "fault_alloc"},
                      {sizeof(abi::PageFault), 40, "hwpt_pgfault"},
                      {sizeof(abi::PageResponse), 8, "hwpt_page_response"},
                      {sizeof(abi::ViommuAlloc), 40, "viommu_alloc"},
                      {sizeof(abi::VdeviceAlloc), 24, "vdevice_alloc"},
                      {sizeof(abi::VeventHeader), 8, "vevent_header"},
                      {sizeof(abi::VeventArmSmmuv3), 32, "vevent_arm_smmuv3"},
                      {sizeof(abi::VeventqAlloc), 32, "veventq_alloc"},
                      {sizeof(abi::HwQueueAlloc), 40, "hw_queue_alloc"},
                      {sizeof(abi::ViommuTegra241), 16, "viommu_tegra241_cmdqv"},
                      {sizeof(abi::VfioBind), 16, "bind_iommufd"},
                      {sizeof(abi::VfioAttach), 16, "attach_iommufd_pt"},
                      {sizeof(abi::VfioDetach), 12, "detach_iommufd_pt"}};
  for (const Row& row : rows) EXPECT_EQ(row.size, row.expected) << row.name;
}

}  // namespace
}  // namespace smmusim::host
