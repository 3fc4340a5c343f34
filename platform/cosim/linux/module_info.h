// SPDX-License-Identifier: MIT
// What a Linux kernel module says of itself: the section .modinfo of an ELF file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace smmusim::cosim {

struct ModuleInfo {
  std::vector<std::string> depends;  ///< names of modules that must be loaded before
};

/// From the file's bytes (little-endian, 64 bits). Throws InputError `FILE: byte N: what` for anything else; `name` is
/// FILE.
ModuleInfo read_module_info(std::string_view bytes, const std::string& name);

}  // namespace smmusim::cosim
