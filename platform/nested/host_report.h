// SPDX-License-Identifier: MIT
// HostReport: what a host tells of one of its devices and of the SMMU before it (IOMMU_GET_HW_INFO and
// IOMMU_IOAS_IOVA_RANGES). A value; who asks is vsmmu.h, what follows from it is identity.h.
#pragma once

#include <array>
#include <cstdint>

namespace smmusim::nested {

struct HostReport {
  /// Raw, as the kernel read them. Linux allows the use of these fields only: IDR0.{ST_LEVEL, TERM_MODEL, STALL_MODEL,
  /// TTENDIAN, CD2L, ASID16, TTF}, IDR1.{SIDSIZE, SSIDSIZE}, IDR3.{BBML, RIL}, IDR5.{VAX, GRAN64K, GRAN16K, GRAN4K,
  /// DS}.
  std::array<std::uint32_t, 6> idr{};
  std::uint32_t iidr = 0;
  std::uint32_t aidr = 0;
  /// The last IOVA that an address space of this host takes: where the guest's physical addresses end.
  std::uint64_t aperture_last = 0;
  bool ats_not_supported = false;  ///< IOMMU_HW_CAP_PCI_ATS_NOT_SUPPORTED; old kernels leave it clear
  bool pasid_exec = false;
  bool pasid_priv = false;
  unsigned max_pasid_log2 = 0;  ///< 0: the device has no PASIDs
};

}  // namespace smmusim::nested
