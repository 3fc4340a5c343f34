// SPDX-License-Identifier: MIT
// What of a guest's words may go to the host: STEs and commands, cut down to the bits that Linux takes (reference of
// the uAPI: IOMMU_HWPT_ALLOC and IOMMU_HWPT_INVALIDATE for ARM_SMMUV3). Bits that the guest's own SMMU would ignore are
// dropped here, because the host refuses the whole word for them. Pure functions.
#pragma once

#include <optional>

#include "model/smmu/accelerator.h"
#include "model/spec/command.h"
#include "model/spec/features.h"
#include "platform/host/iommufd.h"

namespace smmusim::nested {

/// Doublewords 0 and 1 of a stream with stage 1, as the host takes them: no SHCFG, STRW, MEV and the like; substreams
/// only if the guest has them; EATS only if `ats`, the device's.
host::SteWords stage1_words(const StreamSetting& setting, const spec::Features& guest, bool ats);
host::SteWords bypass_words();
host::SteWords abort_words();

/// The command with every bit clear that it has no field for, as the guest's features let fields be: a plain command
/// where there is no RIL. Empty: the host has no such command, and need not have (its stage 2 is not the guest's).
std::optional<spec::Command> forwarded_form(const spec::Command& command, const spec::Features& guest);
/// Whether a forwarded_form() is for one stream, which the host must know, or for translations whoever they are of.
bool names_stream(const spec::Command& form);

}  // namespace smmusim::nested
