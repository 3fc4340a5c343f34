// SPDX-License-Identifier: MIT
// The output size of an accelerated SMMU. Its OAS is the largest IPA that the guest's stage 1 may give, so it is at
// most what the host's stage 2 takes. Two numbers can stand for that: the aperture that the nesting parent accepts, or
// the host's IDR5.OAS, which QEMU compares with although Linux does not list it among the fields that may be used and
// caps stage 2 at 48 bits unless its granule is 64 KiB. Both are reported; the configuration says which one decides.
//
// IPAs between the two limits: with `idr5` deciding, stage 1 lets them pass and stage 2 refuses them, a fault that goes
// to the host and that the guest never hears of. With `aperture` deciding, the guest is told of fewer bits, and keeps
// its IPAs below by itself; if it does not (CD.IPS above IDR5.OAS, which the physical SMMU caps at its own OAS only),
// the same happens.
#pragma once

#include <string>
#include <vector>

#include "platform/config/platform_config.h"
#include "platform/nested/host_report.h"

namespace smmusim::nested {

struct OasLimits {
  unsigned aperture = 0;  ///< bits: addresses of so many bits all lie in the aperture
  unsigned idr5 = 0;      ///< bits: the host's IDR5.OAS

  unsigned of(OasCheck check) const { return check == OasCheck::aperture ? aperture : idr5; }
};
OasLimits oas_limits(const HostReport& report);

/// What one architected OAS means on a host.
struct OasChoice {
  unsigned bits = 0;
  bool possible = false;
  std::string reason;  ///< why, or why not, with both values
  /// Levels of the host's stage 2 if it covers `bits`, with concatenated first tables; 0: the granule can't.
  unsigned levels_4k = 0;
  unsigned levels_64k = 0;
  /// Fetches of a walk of a guest's four-level stage 1 with nothing cached, CD apart: 4 * (levels + 1) + levels.
  unsigned fetches_4k = 0;
  unsigned fetches_64k = 0;
  bool unreachable_part = false;  ///< some IPAs of so many bits are beyond the aperture: stage 2 refuses them
};

/// The row of `bits` for a guest whose features allow that size (`granule64_or_ds`: 52 bits need one of these).
OasChoice oas_choice(unsigned bits, const HostReport& report, OasCheck check, bool granule64_or_ds);

/// All architected sizes, ascending.
std::vector<OasChoice> oas_choices(const HostReport& report, OasCheck check, bool granule64_or_ds);

/// The largest possible size; 0 if there is none.
unsigned largest_oas(const HostReport& report, OasCheck check, bool granule64_or_ds);

}  // namespace smmusim::nested
