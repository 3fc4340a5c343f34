// SPDX-License-Identifier: MIT
// One TLP in one line for people: its name and the fields that matter, as the specification calls them.
#pragma once

#include <string>

#include "platform/pcie/tlp.h"

namespace smmusim::platform {

/// For example `MWr 0x2000 64B tag 3`, `MRd AT=TR 0x7fffe000 1 entry tag 5`, `Invalidate Request itag 5 0x40000000
/// 2MiB`. `of_translation`: it completes a Translation Request, so its data are entries.
std::string describe(const Tlp& tlp, bool of_translation);

}  // namespace smmusim::platform
