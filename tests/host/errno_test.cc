// SPDX-License-Identifier: MIT
// Every refusal of the kernel's interface, as text: profile(s) | call | errno. Each row has a world of its own
// (raw_call.h). "arm" stands for all versions that nest on SMMUv3, "all" for all that have iommufd.
#include <gtest/gtest.h>

#include <sstream>

#include "tests/host/raw_call.h"

namespace smmusim::host {
namespace {

struct Row {
  std::string kernels;
  std::string calls;  // separated by ';': all but the last must succeed
  std::string error;
};

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, separator);) {
    const std::size_t first = part.find_first_not_of(' ');
    const std::size_t last = part.find_last_not_of(' ');
    parts.push_back(first == std::string::npos ? "" : part.substr(first, last - first + 1));
  }
  return parts;
}

std::vector<std::string> kernels_of(const std::string& text) {
  if (text == "arm") return {"6.13", "7.1", "7.2", "7.4"};
  if (text == "all") return {"6.12", "6.13", "7.1", "7.2", "7.4"};
  return split(text, ',');
}

void expect_rows(const char* table) {
  std::size_t rows = 0;
  for (const std::string& line : split(table, '\n')) {
    if (line.empty()) continue;
    const std::vector<std::string> columns = split(line, '|');
    ASSERT_EQ(columns.size(), 3u) << line;
    ++rows;
    for (const std::string& kernel : kernels_of(columns[0])) {
      RawWorld world(kernel);
      const std::vector<std::string> calls = split(columns[1], ';');
      for (std::size_t i = 0; i + 1 < calls.size(); ++i) {
        EXPECT_EQ(world.call(calls[i]), "0") << kernel << ": " << calls[i] << " of " << line;
      }
      EXPECT_EQ(world.call(calls.back()), columns[2]) << kernel << ": " << line;
    }
  }
  EXPECT_GT(rows, 3u);
}

TEST(Errno, SizesAndNumbersAreNegotiated) {
  expect_rows(R"(
    all       | IOAS_ALLOC                                                | 0
    all       | IOAS_ALLOC size=11                                        | EINVAL
    all       | IOAS_ALLOC size=0                                         | EINVAL
    all       | IOAS_ALLOC size=20                                        | 0
    all       | IOAS_ALLOC size=20 tail=1                                 | E2BIG
    all       | IOAS_ALLOC size=5000                                      | E2BIG
    all       | DESTROY size=7 id=ioas                                    | EINVAL
    all       | GET_HW_INFO size=32 dev_id=dev                            | 0
    all       | GET_HW_INFO size=31 dev_id=dev                            | EINVAL
    all       | GET_HW_INFO size=48 dev_id=dev tail=1                     | E2BIG
    all       | HWPT_ALLOC size=24 dev_id=dev pt_id=ioas                  | 0
    all       | HWPT_ALLOC size=23 dev_id=dev pt_id=ioas                  | EINVAL
    arm       | VIOMMU_ALLOC size=24 type=1 dev_id=dev hwpt_id=parent     | 0
    arm       | VIOMMU_ALLOC size=23 type=1 dev_id=dev hwpt_id=parent     | EINVAL
    7.1,7.4   | VEVENTQ_ALLOC size=28 viommu_id=viommu type=1 depth=1     | 0
    7.1,7.4   | VEVENTQ_ALLOC size=27 viommu_id=viommu type=1 depth=1     | EINVAL
    all       | FAULT_QUEUE_ALLOC                                         | 0
    6.12      | IOAS_MAP_FILE ioas_id=ioas                                | ENOTTY
    6.12      | VIOMMU_ALLOC type=1 dev_id=dev hwpt_id=parent             | ENOTTY
    6.12      | VDEVICE_ALLOC viommu_id=viommu dev_id=dev                 | ENOTTY
    6.12,6.13 | CHANGE_PROCESS                                            | ENOTTY
    6.12,6.13 | VEVENTQ_ALLOC viommu_id=viommu type=1 depth=1             | ENOTTY
    6.12,6.13 | HW_QUEUE_ALLOC viommu_id=viommu type=1                    | ENOTTY
    7.1,7.4   | HW_QUEUE_ALLOC viommu_id=viommu type=1                    | EOPNOTSUPP
    all       | NOIOMMU_GET_PA                                            | ENOTTY
    all       | RESET                                                     | ENOTTY
    all       | IOAS_ALLOC on=bad                                         | EBADF
    all       | IOAS_ALLOC on=vfio0                                       | ENOTTY
    all       | ATTACH pt_id=ioas                                         | ENOTTY
    all       | RESET on=vfio0                                            | ENOTTY
  )");
}

TEST(Errno, Destroy) {
  expect_rows(R"(
    all | DESTROY id=none                  | ENOENT
    all | DESTROY id=0                     | ENOENT
    all | DESTROY id=dev                   | EBUSY
    all | DESTROY id=ioas                  | EBUSY
    all | DESTROY id=plain                 | 0
    all | DESTROY id=plain; DESTROY id=plain | ENOENT
    all | DESTROY id=faults                | 0
    arm | DESTROY id=parent                | EBUSY
    arm | DESTROY id=viommu                | EBUSY
    arm | DESTROY id=abort; DESTROY id=viommu; DESTROY id=parent; DESTROY id=plain; DESTROY id=ioas | 0
    arm | VDEVICE_ALLOC viommu_id=viommu dev_id=dev virt_id=3; DESTROY id=abort; DESTROY id=viommu | EBUSY
    7.1 | VEVENTQ_ALLOC viommu_id=viommu type=1 depth=1; DESTROY id=abort; DESTROY id=viommu | EBUSY
    7.1 | ATTACH on=vfio0 pt_id=abort; DESTROY id=abort | EBUSY
    7.1 | ATTACH on=vfio0 pt_id=abort; DETACH on=vfio0; DESTROY id=abort | 0
    arm | HWPT_ALLOC dev_id=dev pt_id=viommu ste=0,0 flags=4 fault_id=faults; DESTROY id=faults | EBUSY
  )");
}

TEST(Errno, IoasMapAndUnmap) {
  expect_rows(R"(
    all | IOAS_ALLOC flags=1                                                                  | EOPNOTSUPP
    all | IOAS_MAP ioas_id=empty_ioas flags=7 user_va=va iova=mem length=0x1000               | 0
    all | IOAS_MAP ioas_id=empty_ioas flags=15 user_va=va iova=mem length=0x1000              | EOPNOTSUPP
    all | IOAS_MAP ioas_id=empty_ioas flags=7 rsv=1 user_va=va iova=mem length=0x1000         | EOPNOTSUPP
    all | IOAS_MAP ioas_id=empty_ioas flags=1 user_va=va iova=mem length=0x1000               | EINVAL
    all | IOAS_MAP ioas_id=empty_ioas flags=5 user_va=va iova=mem length=0                    | EINVAL
    all | IOAS_MAP ioas_id=empty_ioas flags=5 user_va=va iova=mem length=0x1001               | EINVAL
    all | IOAS_MAP ioas_id=empty_ioas flags=5 user_va=va iova=0x40000800 length=0x1000        | EINVAL
    all | IOAS_MAP ioas_id=empty_ioas flags=5 user_va=0x7f0000000800 iova=mem length=0x1000   | EINVAL
    all | IOAS_MAP ioas_id=empty_ioas flags=5 user_va=va iova=0xfffffffffffff000 length=0x2000 | EOVERFLOW
    all | IOAS_MAP ioas_id=empty_ioas flags=5 user_va=-0x1000 iova=mem length=0x2000          | EOVERFLOW
    all | IOAS_MAP ioas_id=empty_ioas flags=5 user_va=0x1000 iova=mem length=0x1000           | EFAULT
    all | IOAS_MAP ioas_id=empty_ioas flags=5 user_va=0x7f000ffff000 iova=mem length=0x2000   | EFAULT
    all | IOAS_MAP ioas_id=none flags=5 user_va=va iova=mem length=0x1000                     | ENOENT
    all | IOAS_MAP ioas_id=dev flags=5 user_va=va iova=mem length=0x1000                      | ENOENT
    all | IOAS_MAP ioas_id=ioas flags=5 user_va=va iova=0x4ffff000 length=0x1000              | EEXIST
    all | IOAS_MAP ioas_id=ioas flags=5 user_va=va iova=0x50000000 length=0x1000              | 0
    all | IOAS_MAP ioas_id=ioas flags=5 user_va=va iova=0x1000000000000 length=0x1000         | EINVAL
    all | IOAS_MAP ioas_id=empty_ioas flags=6 user_va=va length=0x1000                        | 0
    all | IOAS_MAP ioas_id=empty_ioas flags=5 user_va=va iova=0x08000000 length=0x1000        | 0
    arm | IOAS_MAP ioas_id=ioas flags=5 user_va=va iova=0x08000000 length=0x1000; ATTACH on=vfio0 pt_id=plain | EADDRINUSE
    all | ATTACH on=vfio0 pt_id=plain; IOAS_MAP ioas_id=ioas flags=5 user_va=va iova=0x080ff000 length=0x1000 | EINVAL
    all | ATTACH on=vfio0 pt_id=plain; IOAS_MAP ioas_id=ioas flags=5 user_va=va iova=0x07fff000 length=0x1000 | 0
    all | ATTACH on=vfio0 pt_id=plain; IOAS_MAP ioas_id=ioas flags=5 user_va=va iova=0x08100000 length=0x1000 | 0
    all | IOAS_UNMAP ioas_id=ioas iova=mem length=0x10000000                                  | 0
    all | IOAS_UNMAP ioas_id=ioas iova=mem length=0x1000                                      | ENOENT
    all | IOAS_UNMAP ioas_id=ioas iova=0x40001000 length=0x10000000                           | ENOENT
    all | IOAS_UNMAP ioas_id=ioas iova=0x60000000 length=0x1000                               | ENOENT
    all | IOAS_UNMAP ioas_id=ioas iova=mem length=0                                           | EINVAL
    all | IOAS_UNMAP ioas_id=ioas iova=0xfffffffffffff000 length=0x2000                       | EOVERFLOW
    all | IOAS_UNMAP ioas_id=ioas iova=0 length=0xffffffffffffffff                            | 0
    all | IOAS_UNMAP ioas_id=empty_ioas iova=0 length=0xffffffffffffffff                      | 0
    all | IOAS_UNMAP ioas_id=none iova=mem length=0x1000                                      | ENOENT
    all | IOAS_IOVA_RANGES ioas_id=empty_ioas                                                 | EMSGSIZE
    all | IOAS_IOVA_RANGES ioas_id=empty_ioas num_iovas=1                                     | EFAULT
    all | IOAS_IOVA_RANGES ioas_id=none                                                       | ENOENT
    all | IOAS_IOVA_RANGES ioas_id=ioas rsv=1                                                 | EOPNOTSUPP
  )");
}

TEST(Errno, GetHwInfo) {
  expect_rows(R"(
    all       | GET_HW_INFO dev_id=dev                      | 0
    all       | GET_HW_INFO dev_id=none                     | ENOENT
    all       | GET_HW_INFO dev_id=ioas                     | ENOENT
    all       | GET_HW_INFO dev_id=dev rsv=1                | EOPNOTSUPP
    all       | GET_HW_INFO dev_id=dev flags=2              | EOPNOTSUPP
    6.12,6.13 | GET_HW_INFO dev_id=dev flags=1 type=2       | EOPNOTSUPP
    7.1,7.4   | GET_HW_INFO dev_id=dev flags=1 type=2       | 0
    7.1,7.4   | GET_HW_INFO dev_id=dev flags=1 type=3       | EOPNOTSUPP
    7.1,7.4   | GET_HW_INFO dev_id=dev type=3               | 0
    all       | GET_HW_INFO dev_id=dev data_len=40          | EFAULT
  )");
}

TEST(Errno, HwptAlloc) {
  expect_rows(R"(
    arm  | HWPT_ALLOC dev_id=dev pt_id=ioas flags=1                       | 0
    6.12 | HWPT_ALLOC dev_id=dev pt_id=ioas flags=1                       | EOPNOTSUPP
    all  | HWPT_ALLOC dev_id=dev pt_id=ioas flags=1 rsv=1                 | EOPNOTSUPP
    all  | HWPT_ALLOC dev_id=dev pt_id=ioas flags=1 rsv2=1                | EOPNOTSUPP
    all  | HWPT_ALLOC dev_id=dev pt_id=ioas flags=3                       | EOPNOTSUPP
    all  | HWPT_ALLOC dev_id=dev pt_id=ioas flags=5 fault_id=faults       | EOPNOTSUPP
    all  | HWPT_ALLOC dev_id=dev pt_id=ioas flags=9                       | EOPNOTSUPP
    all  | HWPT_ALLOC dev_id=dev pt_id=ioas flags=16                      | EOPNOTSUPP
    7.1  | HWPT_ALLOC dev_id=dev pt_id=ioas flags=8                       | 0
    6.13 | HWPT_ALLOC dev_id=dev pt_id=ioas flags=8                       | EOPNOTSUPP
    all  | HWPT_ALLOC dev_id=none pt_id=ioas                              | ENOENT
    all  | HWPT_ALLOC dev_id=dev pt_id=none                               | EINVAL
    all  | HWPT_ALLOC dev_id=dev pt_id=dev                                | EINVAL
    all  | HWPT_ALLOC dev_id=dev pt_id=ioas data_len=16                   | EINVAL
    all  | HWPT_ALLOC dev_id=dev pt_id=ioas ste=0,0 data_len=0            | EINVAL
    all  | HWPT_ALLOC dev_id=dev pt_id=ioas ste=0,0                       | EOPNOTSUPP
    arm  | HWPT_ALLOC dev_id=dev pt_id=parent ste=0,0                     | EOPNOTSUPP
    arm  | HWPT_ALLOC dev_id=dev pt_id=viommu                             | EOPNOTSUPP
    arm  | HWPT_ALLOC dev_id=dev pt_id=viommu ste=0,0                     | 0
    arm  | HWPT_ALLOC dev_id=dev2 pt_id=viommu ste=0,0                    | EINVAL
    arm  | HWPT_ALLOC dev_id=dev pt_id=viommu ste=0,0 flags=1             | EOPNOTSUPP
    arm  | HWPT_ALLOC dev_id=dev pt_id=viommu ste=0,0 flags=8             | EOPNOTSUPP
    arm  | HWPT_ALLOC dev_id=dev pt_id=viommu ste=0,0 flags=4 fault_id=faults | 0
    arm  | HWPT_ALLOC dev_id=dev pt_id=viommu ste=0,0 flags=4 fault_id=none   | ENOENT
    arm  | HWPT_ALLOC dev_id=dev pt_id=viommu ste=0,0 data_type=1         | EINVAL
    arm  | HWPT_ALLOC dev_id=dev pt_id=viommu ste=0,0 data_len=8          | EINVAL
    arm  | HWPT_ALLOC dev_id=dev pt_id=viommu ste=0,0 data_len=24         | EINVAL
    arm  | HWPT_ALLOC dev_id=dev pt_id=viommu data_type=2 data_len=16     | EFAULT
    arm  | HWPT_ALLOC dev_id=dev pt_id=abort ste=0,0                      | EINVAL
  )");
}

TEST(Errno, Viommu) {
  expect_rows(R"(
    arm | VIOMMU_ALLOC type=1 dev_id=dev hwpt_id=parent         | 0
    arm | VIOMMU_ALLOC type=0 dev_id=dev hwpt_id=parent         | EOPNOTSUPP
    arm | VIOMMU_ALLOC type=2 dev_id=dev hwpt_id=parent         | EOPNOTSUPP
    arm | VIOMMU_ALLOC type=1 flags=1 dev_id=dev hwpt_id=parent | EOPNOTSUPP
    arm | VIOMMU_ALLOC type=1 dev_id=none hwpt_id=parent        | ENOENT
    arm | VIOMMU_ALLOC type=1 dev_id=dev hwpt_id=none           | ENOENT
    arm | VIOMMU_ALLOC type=1 dev_id=dev hwpt_id=ioas           | ENOENT
    arm | VIOMMU_ALLOC type=1 dev_id=dev hwpt_id=plain          | EINVAL
    arm | VIOMMU_ALLOC type=1 dev_id=dev2 hwpt_id=parent        | EINVAL
    arm | VDEVICE_ALLOC viommu_id=viommu dev_id=dev virt_id=3   | 0
    arm | VDEVICE_ALLOC viommu_id=viommu dev_id=dev virt_id=0xffffffff00000003 | 0
    arm | VDEVICE_ALLOC viommu_id=none dev_id=dev virt_id=3     | ENOENT
    arm | VDEVICE_ALLOC viommu_id=viommu dev_id=none virt_id=3  | ENOENT
    arm | VDEVICE_ALLOC viommu_id=parent dev_id=dev virt_id=3   | ENOENT
    arm | VDEVICE_ALLOC viommu_id=viommu dev_id=dev2 virt_id=3  | EINVAL
    arm | VDEVICE_ALLOC viommu_id=viommu dev_id=dev virt_id=3; VDEVICE_ALLOC viommu_id=viommu dev_id=dev virt_id=4 | EEXIST
    arm | BIND on=vfio1 iommufd=iommu as=dev1; VDEVICE_ALLOC viommu_id=viommu dev_id=dev virt_id=3; VDEVICE_ALLOC viommu_id=viommu dev_id=dev1 virt_id=3 | EEXIST
    arm | BIND on=vfio1 iommufd=iommu as=dev1; VDEVICE_ALLOC viommu_id=viommu dev_id=dev virt_id=3; VDEVICE_ALLOC viommu_id=viommu dev_id=dev1 virt_id=4 | 0
    7.1 | VEVENTQ_ALLOC viommu_id=viommu type=1 depth=1         | 0
    7.1 | VEVENTQ_ALLOC viommu_id=viommu type=2 depth=1         | 0
    7.1 | VEVENTQ_ALLOC viommu_id=viommu type=0 depth=1         | EOPNOTSUPP
    7.1 | VEVENTQ_ALLOC viommu_id=viommu type=1 depth=1 flags=1 | EOPNOTSUPP
    7.1 | VEVENTQ_ALLOC viommu_id=viommu type=1 depth=1 rsv=1   | EOPNOTSUPP
    7.1 | VEVENTQ_ALLOC viommu_id=viommu type=1 depth=0         | EINVAL
    7.1 | VEVENTQ_ALLOC viommu_id=viommu type=1 depth=0xffffffff | 0
    7.2 | VEVENTQ_ALLOC viommu_id=viommu type=1 depth=0xffffffff | EINVAL
    7.1 | VEVENTQ_ALLOC viommu_id=none type=1 depth=1           | ENOENT
    7.1 | VEVENTQ_ALLOC viommu_id=viommu type=1 depth=1; VEVENTQ_ALLOC viommu_id=viommu type=1 depth=1 | EEXIST
    all | FAULT_QUEUE_ALLOC flags=1                             | EOPNOTSUPP
  )");
}

TEST(Errno, HwptInvalidate) {
  expect_rows(R"(
    arm      | HWPT_INVALIDATE hwpt_id=viommu cmd=0x30,0                        | 0
    arm      | HWPT_INVALIDATE hwpt_id=viommu cmd=0x30,0 entry_num=200          | 0
    arm      | HWPT_INVALIDATE hwpt_id=viommu cmd=0x30,0 rsv=1                  | EOPNOTSUPP
    arm      | HWPT_INVALIDATE hwpt_id=viommu cmd=0x30,0 uptr=0                 | EINVAL
    arm      | HWPT_INVALIDATE hwpt_id=viommu cmd=0x30,0 entry_len=0            | EINVAL
    arm      | HWPT_INVALIDATE hwpt_id=viommu cmd=0x30,0 data_type=0            | EINVAL
    arm      | HWPT_INVALIDATE hwpt_id=none cmd=0x30,0                          | ENOENT
    arm      | HWPT_INVALIDATE hwpt_id=ioas cmd=0x30,0                          | EINVAL
    arm      | HWPT_INVALIDATE hwpt_id=parent cmd=0x30,0                        | EINVAL
    arm      | HWPT_INVALIDATE hwpt_id=abort cmd=0x30,0                         | EOPNOTSUPP
    6.13,7.1 | HWPT_INVALIDATE hwpt_id=viommu cmd=0x30,0 entry_num=0            | EINVAL
    7.2,7.4  | HWPT_INVALIDATE hwpt_id=viommu cmd=0x30,0 entry_num=0            | 0
    7.2,7.4  | HWPT_INVALIDATE hwpt_id=viommu cmd=0x30,0 entry_num=0 data_type=0 | EINVAL
    arm      | HWPT_INVALIDATE hwpt_id=viommu cmd=0x30,0 entry_len=8            | 0
    arm      | HWPT_INVALIDATE hwpt_id=viommu cmd=0x30,0 entry_len=24           | E2BIG
    arm      | HWPT_INVALIDATE hwpt_id=viommu cmd=0,0 entry_len=24              | EIO
    7.2,7.4  | HWPT_INVALIDATE hwpt_id=viommu cmd=0x30,0 entry_num=0x80001      | EINVAL
    arm      | HWPT_INVALIDATE hwpt_id=viommu cmd=0x30,0 entry_num=0x40001      | ENOMEM
    6.13,7.1 | HWPT_INVALIDATE hwpt_id=viommu cmd=0x30,0 entry_num=0xffffffff   | ENOMEM
    7.2,7.4  | HWPT_INVALIDATE hwpt_id=viommu cmd=0x30,0 entry_len=4097         | EINVAL
    arm      | HWPT_INVALIDATE hwpt_id=viommu cmd=0x30000000040,52              | EIO
    6.12     | HWPT_INVALIDATE hwpt_id=plain cmd=0x30,0                         | EINVAL
  )");
}

TEST(Errno, Vfio) {
  expect_rows(R"(
    all      | BIND on=vfio1 iommufd=iommu              | 0
    all      | BIND on=vfio1 iommufd=iommu argsz=15     | EINVAL
    all      | BIND on=vfio1 iommufd=iommu flags=2      | EINVAL
    all      | BIND on=vfio1 iommufd=-1                 | EINVAL
    all      | BIND on=vfio1 iommufd=bad                | EBADF
    all      | BIND on=vfio1 iommufd=vfio0              | EINVAL
    all      | BIND on=vfio0 iommufd=iommu              | EINVAL
    all      | ATTACH on=vfio0 pt_id=ioas               | 0
    all      | ATTACH on=vfio0 pt_id=plain argsz=12     | 0
    all      | ATTACH on=vfio0 pt_id=plain argsz=11     | EINVAL
    all      | ATTACH on=vfio0 pt_id=plain flags=2      | EINVAL
    all      | ATTACH on=vfio0 pt_id=none               | ENOENT
    all      | ATTACH on=vfio0 pt_id=dev                | EINVAL
    arm      | ATTACH on=vfio0 pt_id=viommu             | EINVAL
    all      | ATTACH on=vfio1 pt_id=ioas               | EINVAL
    all      | ATTACH on=vfio2 pt_id=plain              | EINVAL
    arm      | ATTACH on=vfio2 pt_id=abort              | EINVAL
    6.13     | ATTACH on=vfio0 pt_id=abort              | ENOENT
    7.1,7.4  | ATTACH on=vfio0 pt_id=abort              | 0
    arm      | VDEVICE_ALLOC viommu_id=viommu dev_id=dev virt_id=3; ATTACH on=vfio0 pt_id=abort | 0
    7.1      | ATTACH on=vfio0 pt_id=plain flags=1 argsz=12 pasid=1 | EINVAL
    6.13     | ATTACH on=vfio0 pt_id=plain flags=1 pasid=1 | EINVAL
    7.1      | ATTACH on=vfio0 pt_id=plain flags=1 pasid=1 | EINVAL
    7.1      | ATTACH on=vfio0 pt_id=abort flags=1 pasid=1 | EOPNOTSUPP
    7.1      | ATTACH on=vfio0 pt_id=none flags=1 pasid=1  | ENOENT
    all      | DETACH on=vfio0                          | 0
    all      | DETACH on=vfio0 argsz=7                  | EINVAL
    all      | DETACH on=vfio0 flags=2                  | EINVAL
    all      | DETACH on=vfio1                          | EINVAL
    7.1      | DETACH on=vfio0 flags=1 argsz=8 pasid=1  | EINVAL
  )");
}

TEST(Errno, TranslatingAttachNeedsItsVdevice) {
  for (const char* kernel : {"6.13", "7.1", "7.2", "7.4"}) {
    RawWorld world(kernel);
    ASSERT_EQ(world.call("HWPT_ALLOC dev_id=dev pt_id=viommu ste=0x4100000b,0 as=s1"), "0");
    EXPECT_EQ(world.call("ATTACH on=vfio0 pt_id=s1"), "ENOENT") << kernel;
    ASSERT_EQ(world.call("VDEVICE_ALLOC viommu_id=viommu dev_id=dev virt_id=3 as=vdev"), "0");
    EXPECT_EQ(world.call("ATTACH on=vfio0 pt_id=s1"), "0") << kernel;
    // The user may destroy it at any time; what is attached stays.
    EXPECT_EQ(world.call("DESTROY id=vdev"), "0") << kernel;
    EXPECT_EQ(world.call("ATTACH on=vfio0 pt_id=s1"), "ENOENT") << kernel;
  }
}

TEST(Errno, PasidsAndNestingExcludeEachOther) {
  RawWorld world("7.1");
  ASSERT_EQ(world.call("HWPT_ALLOC dev_id=dev pt_id=ioas flags=8 as=with_pasid"), "0");
  EXPECT_EQ(world.call("ATTACH on=vfio0 pt_id=with_pasid flags=1 pasid=16"), "EINVAL");  // 4 bits
  EXPECT_EQ(world.call("ATTACH on=vfio0 pt_id=with_pasid flags=1 pasid=15"), "0");
  EXPECT_EQ(world.call("ATTACH on=vfio0 pt_id=abort"), "EBUSY");
  EXPECT_EQ(world.call("DETACH on=vfio0 flags=1 pasid=15"), "0");
  EXPECT_EQ(world.call("ATTACH on=vfio0 pt_id=abort"), "0");
  EXPECT_EQ(world.call("ATTACH on=vfio0 pt_id=with_pasid flags=1 pasid=15"), "EBUSY");
}

TEST(Errno, VdeviceGoesWithItsDeviceAndLeavesATombstone) {
  RawWorld world("7.1");
  ASSERT_EQ(world.call("VDEVICE_ALLOC viommu_id=viommu dev_id=dev virt_id=3 as=vdev"), "0");
  ASSERT_TRUE(world.bench.host.close(world.descriptors["vfio0"]).ok());
  ASSERT_EQ(world.call("IOAS_ALLOC as=first"), "0");   // takes the device's number
  ASSERT_EQ(world.call("IOAS_ALLOC as=second"), "0");  // and not the tombstone's
  EXPECT_NE(world.names["second"], world.names["vdev"]);
  EXPECT_EQ(world.call("DESTROY id=vdev"), "ENOENT");
  ASSERT_EQ(world.call("IOAS_ALLOC as=third"), "0");
  EXPECT_EQ(world.names["third"], world.names["vdev"]);  // it is gone now
}

TEST(Errno, BindRefusesWhatIsNotSafe) {
  SimulatedHostConfig config = bench_config();
  config.devices[0].coherent = false;
  config.devices[1].isolated_msi = false;
  HostBench bench(config);
  const IommufdPtr iommufd = bench.open();
  EXPECT_EQ(VfioDevice::open(iommufd, "/dev/vfio/devices/vfio0").error().error, EINVAL);
  const Result<VfioDevicePtr> second = VfioDevice::open(iommufd, "/dev/vfio/devices/vfio1");
  EXPECT_EQ(second.error().error, EPERM);
  EXPECT_EQ(second.error().call, "VFIO_DEVICE_BIND_IOMMUFD");
}

TEST(Errno, PathsThatAreNotThereOrNotAllowed) {
  for (const KernelProfile& profile : kernel_profiles()) {
    SimulatedHostConfig config = bench_config();
    config.kernel = profile.name;
    HostBench bench(config);
    EXPECT_EQ(bench.host.open("/dev/iommu").error, profile.last_nr == 0 ? ENOENT : 0) << profile.name;
    EXPECT_EQ(bench.host.open("/dev/vfio/devices/vfio0").error, profile.last_nr == 0 ? ENOENT : 0) << profile.name;
    EXPECT_EQ(bench.host.open("/dev/vfio/devices/vfio7").error, ENOENT) << profile.name;
  }
  SimulatedHostConfig config = bench_config();
  config.permitted = false;
  HostBench bench(config);
  EXPECT_EQ(Iommufd::open(bench.host, bench.log).error().error, EACCES);
}

}  // namespace
}  // namespace smmusim::host
