// SPDX-License-Identifier: MIT
// KernelProfile: in what the Linux versions that a simulated host can be differ, as far as iommufd shows it. One row a
// version; what is the same in all is in the code of the simulated host.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace smmusim::host {

struct KernelProfile {
  std::string_view name;                  ///< "7.1"
  std::uint32_t last_nr = 0;              ///< the highest request of /dev/iommu; 0: there is no iommufd
  bool arm_nesting = false;               ///< NEST_PARENT and hw_info for SMMUv3, vIOMMUs (6.13)
  bool veventq_and_pasid = false;         ///< vEVENTQ, PASID attach and report (6.15)
  bool hw_info_input_type = false;        ///< GET_HW_INFO takes a type (6.17)
  bool vdevice_goes_with_device = false;  ///< unbinding destroys it and leaves a tombstone (6.17)
  bool bare_attach = false;               ///< bypass and abort attach without a vDEVICE (7.0)
  bool reports_ats = false;               ///< PCI_ATS_NOT_SUPPORTED, and ATS stays on in bypass (7.1)
  bool ats_always_on = false;             ///< devices that require ATS keep it (7.2)
  bool bounded = false;                   ///< limits of entry_num, entry_len, depth; EINVAL for short reads (7.2)
  bool invalidates_nothing_ok = false;    ///< entry_num = 0 is a probe of the type, not EINVAL (7.2)
  bool whole_batches = false;             ///< a bad command leaves its whole batch out, instead of half issued (7.4)
};

inline constexpr std::uint32_t invalidate_entries_max = 1u << 19;  ///< of KernelProfile::bounded
inline constexpr std::uint32_t veventq_depth_max = 1u << 19;       ///< the same; the kernel's own value is not known
/// More entries than this are ENOMEM: what the kernel can allocate at once, 4 MiB.
inline constexpr std::uint32_t invalidate_allocation_max = 1u << 18;
/// Commands between two CMD_SYNCs of HWPT_INVALIDATE.
inline constexpr std::uint32_t invalidate_batch = 63;

/// In the order of the versions: 6.1, 6.12, 6.13, 7.1, 7.2, 7.4.
std::span<const KernelProfile> kernel_profiles();
/// Null if there is none of this name.
const KernelProfile* kernel_profile(std::string_view name);

}  // namespace smmusim::host
