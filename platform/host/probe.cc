// SPDX-License-Identifier: MIT
// probe(): goes as far with each device as the host lets it, in the order of the calls that nested mode would make.
#include "platform/host/probe.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cerrno>

#include "model/spec/id_registers.h"

namespace smmusim::host {
namespace {

constexpr std::uint32_t veventq_depth = 64;

/// What an errno of a call means for whoever wants nested mode. call = "" or error = 0: any.
struct Meaning {
  std::string_view call;
  int error;
  std::string_view sentence;
};

constexpr Meaning meanings[] = {
    {"VFIO_DEVICE_BIND_IOMMUFD", EINVAL,
     "another program has the device, or its DMA is not cache-coherent (firmware: IORT COHACC, device tree "
     "dma-coherent)"},
    {"VFIO_DEVICE_BIND_IOMMUFD", EPERM, "its MSIs are not isolated (no ITS, or not in front of it)"},
    {"IOMMU_GET_HW_INFO", ENOTTY, "the kernel does not report IOMMUs; Linux 6.6 and later do"},
    {"IOMMU_HWPT_ALLOC", ENOTTY, "the kernel can't make nesting parents; Linux 6.13 and later can for SMMUv3"},
    {"IOMMU_HWPT_ALLOC", EOPNOTSUPP,
     "no stage 2 to nest on: the SMMU needs IDR0.S1P and IDR0.S2P, the kernel 6.13 with ARM_SMMU_V3_IOMMUFD"},
    {"IOMMU_VIOMMU_ALLOC", ENOTTY, "the kernel has no vIOMMUs; Linux 6.13 and later have"},
    {"IOMMU_VIOMMU_ALLOC", EOPNOTSUPP,
     "the SMMU does not nest, or can't force coherence: it needs IDR3.FWB, or CANWBS of the root complex in IORT"},
    {"IOMMU_VEVENTQ_ALLOC", ENOTTY,
     "the kernel does not hand on events; Linux 6.15 and later do. The guest would not hear of its faults"},
    {"", EACCES, "this user may not; run as root or give access by udev"},
    {"", EPERM, "this user may not; run as root or give access by udev"},
    {"", EBUSY, "something else uses it"},
};

std::string explained(std::string_view what, const HostError& error) {
  std::string text = fmt::format("{}: {}", what, describe(error));
  for (const Meaning& meaning : meanings) {
    if (!meaning.call.empty() && meaning.call != error.call) continue;
    if (meaning.error == error.error) return text + fmt::format(": {}", meaning.sentence);
  }
  return text;
}

/// Reasons that the ID registers give.
void judge_registers(const HwInfo& info, std::vector<std::string>& reasons) {
  if (info.data_type != abi::hw_info_arm_smmuv3) {
    reasons.push_back(fmt::format(
        "the kernel reports an IOMMU of type {} and not an SMMUv3 ({}): another architecture, or Linux before 6.13",
        info.data_type, abi::hw_info_arm_smmuv3));
    return;
  }
  const auto idr0 = spec::IDR0{{{info.smmu.idr[0]}}};
  const auto idr5 = spec::IDR5{{{info.smmu.idr[5]}}};
  if ((idr0.get<spec::IDR0::TTF>() & 2) == 0) reasons.emplace_back("IDR0.TTF: the SMMU walks no VMSAv8-64 tables");
  if (idr0.get<spec::IDR0::TTENDIAN>() == 3) reasons.emplace_back("IDR0.TTENDIAN: big-endian tables only");
  if (!idr5.get<spec::IDR5::GRAN4K>() && !idr5.get<spec::IDR5::GRAN16K>() && !idr5.get<spec::IDR5::GRAN64K>()) {
    reasons.emplace_back("IDR5: the SMMU has no translation granule");
  }
}

/// Nesting parent, vIOMMU, vEVENTQ: allocated and, at the end, destroyed.
void try_nesting(const IommufdPtr& iommufd, VfioDevice& device, ProbedDevice& result) {
  const Result<IoasPtr> ioas = iommufd->alloc_ioas();
  if (!ioas) return result.reasons.push_back(explained("address space", ioas.error()));
  const Result<HwptPtr> parent = (*ioas)->alloc_nest_parent(device);
  if (!parent) return result.reasons.push_back(explained("nesting parent", parent.error()));
  const Result<IovaRanges> ranges = (*ioas)->iova_ranges();
  if (ranges) {
    result.aperture = *ranges;
  } else {
    result.reasons.push_back(explained("aperture", ranges.error()));
  }
  const Result<ViommuPtr> viommu = (*parent)->alloc_viommu(device);
  if (!viommu) return result.reasons.push_back(explained("vIOMMU", viommu.error()));
  const Result<VeventqPtr> events = (*viommu)->alloc_veventq(veventq_depth);
  result.veventq = events.ok();
  if (!events) result.limitations.push_back(explained("vEVENTQ", events.error()));
}

ProbedDevice probe_device(const IommufdPtr& iommufd, const std::string& name) {
  ProbedDevice result;
  result.path = std::string(VfioDevice::directory) + "/" + name;
  std::string link;
  if (iommufd->host().read_link("/sys/class/vfio-dev/" + name + "/device", link).ok()) {
    result.bdf = link.substr(link.rfind('/') + 1);
  }
  const Result<VfioDevicePtr> device = VfioDevice::open(iommufd, result.path);
  if (!device) {
    result.reasons.push_back(explained(result.path, device.error()));
    return result;
  }
  result.bound = true;
  const Result<HwInfo> info = (*device)->hw_info();
  if (!info) {
    result.reasons.push_back(explained("report of the IOMMU", info.error()));
    return result;
  }
  result.info = *info;
  judge_registers(*info, result.reasons);
  if (info->data_type == abi::hw_info_arm_smmuv3) try_nesting(iommufd, **device, result);
  if (info->ats_not_supported()) {
    result.limitations.emplace_back("ATS: the kernel reports that this device can't use it");
  }
  if (info->max_pasid_log2 == 0) result.limitations.emplace_back("PASIDs: the kernel reports none for this device");
  return result;
}

std::string missing(std::string_view path, const HostError& error, std::string_view if_absent) {
  if (error.error == ENOENT) return fmt::format("{} is not there: {}", path, if_absent);
  return explained(path, error);
}

}  // namespace

unsigned ProbedDevice::aperture_bits() const {
  if (!aperture || aperture->allowed.empty()) return 0;
  std::uint64_t last = 0;
  for (const abi::IovaRange& range : aperture->allowed) last = std::max(last, range.last);
  return static_cast<unsigned>(std::bit_width(last));
}

bool ProbeResult::nested_possible() const {
  return std::any_of(devices.begin(), devices.end(), [](const ProbedDevice& device) { return device.reasons.empty(); });
}

ProbeResult probe(HostSystem& host) {
  ProbeResult result;
  std::vector<std::string> names;
  const SysResult listed = host.list(VfioDevice::directory, names);
  result.vfio = listed.ok();
  const Result<IommufdPtr> iommufd = Iommufd::open(host, std::make_shared<IoctlLog>());
  result.iommufd = iommufd.ok();
  if (!iommufd) {
    result.reasons.push_back(missing(Iommufd::default_path, iommufd.error(),
                                     "the kernel has no iommufd (Linux before 6.2, or without IOMMUFD)"));
  }
  if (!listed.ok()) {
    result.reasons.push_back(missing(VfioDevice::directory, HostError{"list", listed.error, 0, {}},
                                     "no device is bound to vfio-pci, or the kernel has no VFIO_DEVICE_CDEV"));
  } else if (names.empty()) {
    result.reasons.push_back(fmt::format("{} is empty: no device is bound to vfio-pci", VfioDevice::directory));
  }
  for (const std::string& name : names) {
    if (iommufd) result.devices.push_back(probe_device(*iommufd, name));
  }
  return result;
}

}  // namespace smmusim::host
