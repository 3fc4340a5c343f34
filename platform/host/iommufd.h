// SPDX-License-Identifier: MIT
// The client of iommufd: every call typed, over the structures of abi.h and the seam of host_system.h; every object an
// RAII object that keeps alive what must outlive it, so that they die in the order that the kernel wants:
//
//   FaultQueue, nested Hwpt, Vdevice, Veventq, HwQueue -> Viommu -> parent Hwpt -> Ioas -> Iommufd
//   Vdevice -> VfioDevice -> Iommufd; an attached VfioDevice -> its Hwpt
//
// Destructors destroy in the host. What fails there (EBUSY, ENOENT) is counted and noted in the IoctlLog. No policy
// here: what a guest's STE becomes and when is platform/nested's business. The HostSystem outlives every object.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "model/base/types.h"
#include "model/spec/command.h"
#include "model/spec/event.h"
#include "platform/host/abi.h"
#include "platform/host/host_system.h"
#include "platform/host/ioctl_log.h"
#include "platform/host/result.h"

namespace smmusim::host {

class Iommufd;
class Ioas;
class Hwpt;
class Viommu;
class Vdevice;
class Veventq;
class FaultQueue;
class HwQueue;
class VfioDevice;
using IommufdPtr = std::shared_ptr<Iommufd>;
using IoasPtr = std::shared_ptr<Ioas>;
using HwptPtr = std::shared_ptr<Hwpt>;
using ViommuPtr = std::shared_ptr<Viommu>;
using VdevicePtr = std::shared_ptr<Vdevice>;
using VeventqPtr = std::shared_ptr<Veventq>;
using FaultQueuePtr = std::shared_ptr<FaultQueue>;
using HwQueuePtr = std::shared_ptr<HwQueue>;
using VfioDevicePtr = std::shared_ptr<VfioDevice>;

/// Doublewords 0 and 1 of a guest's STE.
using SteWords = std::array<std::uint64_t, 2>;

/// IOMMU_GET_HW_INFO.
struct HwInfo {
  std::uint32_t data_type = abi::hw_info_none;
  abi::HwInfoArmSmmuv3 smmu{};  ///< valid if data_type is hw_info_arm_smmuv3
  unsigned max_pasid_log2 = 0;  ///< 0: no PASIDs
  std::uint64_t capabilities = 0;

  /// Clear also on kernels that report nothing (before 7.1): then ATS is as it was before.
  bool ats_not_supported() const { return (capabilities & abi::cap_pci_ats_not_supported) != 0; }
  bool pasid_exec() const { return (capabilities & abi::cap_pci_pasid_exec) != 0; }
  bool pasid_priv() const { return (capabilities & abi::cap_pci_pasid_priv) != 0; }
};

/// IOMMU_IOAS_IOVA_RANGES.
struct IovaRanges {
  std::vector<abi::IovaRange> allowed;
  std::uint64_t alignment = 0;
};

/// One record of a vEVENTQ.
struct Vevent {
  std::uint32_t sequence = 0;
  bool lost_events = false;  ///< no event: some were lost, the queue was full
  spec::Event event{};       ///< with the guest's StreamID
};

/// /dev/iommu, opened, and the calls that name objects by number. Made by open().
class Iommufd : public std::enable_shared_from_this<Iommufd> {
 public:
  static constexpr const char* default_path = "/dev/iommu";
  static Result<IommufdPtr> open(HostSystem& host, std::shared_ptr<IoctlLog> log,
                                 const std::string& path = default_path);
  ~Iommufd();
  Iommufd(const Iommufd&) = delete;
  Iommufd& operator=(const Iommufd&) = delete;

  Result<IoasPtr> alloc_ioas();
  /// IOMMU_FAULT_QUEUE_ALLOC.
  Result<FaultQueuePtr> alloc_fault_queue();

  HostSystem& host() { return host_; }
  IoctlLog& log() { return *log_; }
  int fd() const { return fd_; }

  /// Calls `request` on `fd` and logs it (`entries`: as describe_call); an error has the request's name.
  Status call(int fd, std::uint32_t request, void* argument, std::uint32_t entries = 0);
  Status call(std::uint32_t request, void* argument) { return call(fd_, request, argument); }
  /// IOMMU_DESTROY from a destructor: failures go to the log.
  void destroy(std::string_view kind, std::uint32_t id);

 private:
  Iommufd(HostSystem& host, std::shared_ptr<IoctlLog> log, int fd) : host_(host), log_(std::move(log)), fd_(fd) {}
  HostSystem& host_;
  std::shared_ptr<IoctlLog> log_;
  int fd_;
};

/// What all objects of an iommufd have: a number, what must outlive them, and being destroyed in the end.
class Object {
 public:
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;
  std::uint32_t id() const { return id_; }
  Iommufd& iommufd() { return *iommufd_; }
  const IommufdPtr& iommufd_ptr() const { return iommufd_; }

 protected:
  using Keeps = std::vector<std::shared_ptr<void>>;
  /// Destroying comes first, letting go of `keeps` afterwards.
  Object(IommufdPtr iommufd, std::string_view kind, std::uint32_t id, Keeps keeps);
  ~Object();

 private:
  IommufdPtr iommufd_;
  Keeps keeps_;
  std::string_view kind_;
  std::uint32_t id_;
};

/// An I/O address space: what parent HWPTs translate.
class Ioas : public Object, public std::enable_shared_from_this<Ioas> {
 public:
  Ioas(IommufdPtr iommufd, std::uint32_t id) : Object(std::move(iommufd), "IOAS", id, {}) {}

  /// Maps [iova, iova + bytes), FIXED and readable, to this process's memory at `user_va` (HostSystem::user_va).
  Status map(std::uint64_t iova, std::uint64_t user_va, std::uint64_t bytes, bool writeable = true);
  /// IOMMU_IOAS_MAP_FILE: from `start` of the file (a memfd).
  Status map_file(std::uint64_t iova, int fd, std::uint64_t start, std::uint64_t bytes, bool writeable = true);
  /// Gives the bytes that were unmapped.
  Result<std::uint64_t> unmap(std::uint64_t iova, std::uint64_t bytes);
  /// What may be mapped; shrinks with the devices and HWPTs of this IOAS.
  Result<IovaRanges> iova_ranges();
  /// IOMMU_HWPT_ALLOC with NEST_PARENT: stage 2 for what is nested on the SMMU of `device`.
  Result<HwptPtr> alloc_nest_parent(VfioDevice& device);
};

/// A hardware page table: a parent over an IOAS, or a guest's STE over a Viommu.
class Hwpt : public Object, public std::enable_shared_from_this<Hwpt> {
 public:
  Hwpt(IommufdPtr iommufd, std::uint32_t id, Keeps keeps) : Object(std::move(iommufd), "HWPT", id, std::move(keeps)) {}

  /// IOMMU_VIOMMU_ALLOC on this parent, for the SMMU of `device`.
  Result<ViommuPtr> alloc_viommu(VfioDevice& device, std::uint32_t type = abi::viommu_arm_smmuv3);
};

/// What IOMMU_HWPT_INVALIDATE did. `handled` is the host's count; less than all comes with an error. It never exceeds
/// what was sent: a host that says so is answered with EPROTO and handled = 0.
struct Invalidation {
  std::uint32_t handled = 0;
  int error = 0;
  bool ok() const { return error == 0; }
};

/// The guest's view of one physical SMMU.
class Viommu : public Object, public std::enable_shared_from_this<Viommu> {
 public:
  Viommu(IommufdPtr iommufd, std::uint32_t id, Keeps keeps)
      : Object(std::move(iommufd), "VIOMMU", id, std::move(keeps)) {}

  /// IOMMU_HWPT_ALLOC: `ste` over this; with `faults`, for the queue's devices. EIO: the host does not take the STE.
  Result<HwptPtr> alloc_nested(VfioDevice& device, const SteWords& ste, const FaultQueuePtr& faults = nullptr);
  /// `device` is StreamID `stream` to the guest.
  Result<VdevicePtr> alloc_vdevice(const VfioDevicePtr& device, std::uint64_t stream);
  Result<VeventqPtr> alloc_veventq(std::uint32_t depth, std::uint32_t type = abi::veventq_arm_smmuv3);
  /// IOMMU_HWPT_INVALIDATE: raw guest commands, in order, by one call however many there are.
  Invalidation invalidate(std::span<const spec::Command> commands);
  /// IOMMU_HW_QUEUE_ALLOC of a Tegra241 VCMDQ.
  Result<HwQueuePtr> alloc_hw_queue(std::uint32_t index, std::uint64_t iova, std::uint64_t bytes);
};

/// A device's place in the guest's StreamID space. Since Linux 6.17 it goes with its device, if that goes first.
class Vdevice : public Object {
 public:
  Vdevice(IommufdPtr iommufd, std::uint32_t id, Keeps keeps)
      : Object(std::move(iommufd), "VDEVICE", id, std::move(keeps)) {}
};

class HwQueue : public Object {
 public:
  HwQueue(IommufdPtr iommufd, std::uint32_t id, Keeps keeps)
      : Object(std::move(iommufd), "HW_QUEUE", id, std::move(keeps)) {}
};

/// An object with a descriptor of its own, which is closed before the object is destroyed.
class QueueObject : public Object {
 public:
  int fd() const { return fd_; }
  /// True if a read would give something.
  Result<bool> readable();

 protected:
  QueueObject(IommufdPtr iommufd, std::string_view kind, std::uint32_t id, int fd, Keeps keeps)
      : Object(std::move(iommufd), kind, id, std::move(keeps)), fd_(fd) {}
  ~QueueObject();

 private:
  int fd_;
};

/// Faults of the physical SMMU that are the guest's.
class Veventq : public QueueObject {
 public:
  Veventq(IommufdPtr iommufd, std::uint32_t id, int fd, Keeps keeps)
      : QueueObject(std::move(iommufd), "VEVENTQ", id, fd, std::move(keeps)) {}

  /// Appends up to `records_max` records to `records`; gives how many. 0: the queue is empty. EPROTO: what the host
  /// gave is no whole number of records; what was whole is appended.
  Result<std::size_t> read(std::vector<Vevent>& records, std::size_t records_max = 64);
};

/// IOMMU_FAULT_QUEUE_ALLOC: stalled faults, to be answered.
class FaultQueue : public QueueObject {
 public:
  FaultQueue(IommufdPtr iommufd, std::uint32_t id, int fd)
      : QueueObject(std::move(iommufd), "FAULT_QUEUE", id, fd, {}) {}

  /// As Veventq::read.
  Result<std::size_t> read(std::vector<abi::PageFault>& faults, std::size_t faults_max = 64);
  Status respond(std::uint32_t cookie, std::uint32_t code);
};

/// A VFIO device, opened and bound to an iommufd. Detached and closed at its end.
class VfioDevice {
 public:
  static constexpr const char* directory = "/dev/vfio/devices";
  /// Opens the character device and VFIO_DEVICE_BIND_IOMMUFDs it.
  static Result<VfioDevicePtr> open(IommufdPtr iommufd, const std::string& path);
  ~VfioDevice();
  VfioDevice(const VfioDevice&) = delete;
  VfioDevice& operator=(const VfioDevice&) = delete;

  std::uint32_t id() const { return id_; }
  int fd() const { return fd_; }
  const std::string& path() const { return path_; }

  /// IOMMU_GET_HW_INFO of what the device has.
  Result<HwInfo> hw_info();
  /// VFIO_DEVICE_ATTACH_IOMMUFD_PT: replaces what it was attached to, atomically. Keeps `hwpt` alive until detached or
  /// replaced.
  Status attach(const HwptPtr& hwpt);
  /// To the IOAS itself; the host makes the HWPT, whose number this gives.
  Result<std::uint32_t> attach(const IoasPtr& ioas);
  /// DMA of the device is blocked afterwards.
  Status detach();
  Status attach_pasid(const HwptPtr& hwpt, std::uint32_t pasid);
  Status detach_pasid(std::uint32_t pasid);
  bool attached() const { return attached_ != nullptr; }

 private:
  VfioDevice(IommufdPtr iommufd, std::string path, int fd)
      : iommufd_(std::move(iommufd)), path_(std::move(path)), fd_(fd) {}
  Result<std::uint32_t> attach_to(std::uint32_t pt_id, std::shared_ptr<void> keeps);

  IommufdPtr iommufd_;
  std::shared_ptr<void> attached_;
  std::map<std::uint32_t, std::shared_ptr<void>> attached_pasids_;
  std::string path_;
  int fd_;
  std::uint32_t id_ = 0;
};

}  // namespace smmusim::host
