// SPDX-License-Identifier: MIT
// The property `ats`; see the header.
#include "platform/pcie/ats_property.h"

namespace smmusim::platform {

AtsDecision decide_ats(OnOffAuto property, HostAts host, bool device_has_capability) {
  const bool refused_by_host = host == HostAts::not_supported;
  if (property == OnOffAuto::off) return {false, AtsRefusal::none, AtsWarning::none, "ats = off hides it"};
  if (property == OnOffAuto::on && refused_by_host) {
    return {false, AtsRefusal::kernel_lacks_it, AtsWarning::none, "the host kernel reports ATS as not supported"};
  }
  if (!device_has_capability) {
    const bool asked_for = property == OnOffAuto::on;
    return {false, AtsRefusal::none, asked_for ? AtsWarning::device_lacks_it : AtsWarning::none,
            "the device has no ATS capability"};
  }
  if (refused_by_host) {
    return {false, AtsRefusal::none, AtsWarning::masked_by_the_kernel, "the host kernel reports ATS as not supported"};
  }
  return {true, AtsRefusal::none, AtsWarning::none, "the device has the capability and nothing forbids it"};
}

std::string_view describe(AtsRefusal refusal) {
  return refusal == AtsRefusal::none ? "" : "ATS is asked for (ats = on), and the host kernel does not support it";
}

std::string_view describe(AtsWarning warning) {
  switch (warning) {
    case AtsWarning::none:
      return "";
    case AtsWarning::device_lacks_it:
      return "ATS is asked for (ats = on), but the device has no ATS capability to show";
    case AtsWarning::masked_by_the_kernel:
      return "the host kernel reports ATS as not supported; the device's ATS capability is masked";
  }
  return "";
}

}  // namespace smmusim::platform
