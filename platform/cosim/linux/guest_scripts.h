// SPDX-License-Identifier: MIT
// What the guest runs: its first program, and the scripts that move data. All are for busybox's shell.
#pragma once

#include <string_view>

namespace smmusim::cosim {

/// Lines that the guest prints for us begin with this; what follows is said in guest_console.h.
inline constexpr std::string_view guest_mark = "smmusim-guest: ";

/// Mounts, loads modules, prints the IOMMU groups, runs /script, prints its exit status and powers off.
std::string_view init_script();

/// /lib/guest.sh: shell functions for the scripts below and the user's.
std::string_view script_library();

/// Runs a test of each device that /devices names.
std::string_view default_script();

}  // namespace smmusim::cosim
