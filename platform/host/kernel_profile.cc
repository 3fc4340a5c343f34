// SPDX-License-Identifier: MIT
// The rows; see the header.
#include "platform/host/kernel_profile.h"

namespace smmusim::host {
namespace {

constexpr KernelProfile profiles[] = {
    {.name = "6.1"},
    {.name = "6.12", .last_nr = 0x8e},
    {.name = "6.13", .last_nr = 0x91, .arm_nesting = true},
    {.name = "7.1",
     .last_nr = 0x94,
     .arm_nesting = true,
     .veventq_and_pasid = true,
     .hw_info_input_type = true,
     .vdevice_goes_with_device = true,
     .bare_attach = true,
     .reports_ats = true},
    {.name = "7.2",
     .last_nr = 0x94,
     .arm_nesting = true,
     .veventq_and_pasid = true,
     .hw_info_input_type = true,
     .vdevice_goes_with_device = true,
     .bare_attach = true,
     .reports_ats = true,
     .ats_always_on = true,
     .bounded = true,
     .invalidates_nothing_ok = true},
    {.name = "7.4",
     .last_nr = 0x94,
     .arm_nesting = true,
     .veventq_and_pasid = true,
     .hw_info_input_type = true,
     .vdevice_goes_with_device = true,
     .bare_attach = true,
     .reports_ats = true,
     .ats_always_on = true,
     .bounded = true,
     .invalidates_nothing_ok = true,
     .whole_batches = true},
};

}  // namespace

std::span<const KernelProfile> kernel_profiles() {
  return profiles;
}

const KernelProfile* kernel_profile(std::string_view name) {
  for (const KernelProfile& profile : profiles) {
    if (profile.name == name) return &profile;
  }
  return nullptr;
}

}  // namespace smmusim::host
