// SPDX-License-Identifier: MIT
// The version of smmusim: what --version prints and the statistics carry. The same as in CMakeLists.txt (tested).
#pragma once

#include <string_view>

namespace smmusim {

inline constexpr std::string_view program_version = "0.1.0";

}  // namespace smmusim
