// SPDX-License-Identifier: MIT
// The ACPI IO Remapping Table of a configured platform (Arm DEN 0049, revision E.e): ITS group, SMMUv3 nodes, root
// complex. Bytes and nothing else; which values stand in it is decided in layout.h. The tables beside it (MCFG, MADT)
// are not made here.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "platform/config/platform_config.h"

namespace smmusim::emit {

/// The whole table with its checksum. Throws InputError as layout_of() does, and if a node has more ID mappings than
/// its 16-bit length can hold.
std::vector<std::uint8_t> iort_table(const PlatformConfig& config);

/// A table as the text that acpidump writes and acpixtract reads: its signature, then 16 bytes a line. `table` begins
/// with an ACPI header.
std::string acpi_dump(std::span<const std::uint8_t> table);

}  // namespace smmusim::emit
