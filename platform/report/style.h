// SPDX-License-Identifier: MIT
// The pages' style sheet, light and dark, for screens of all widths and for paper. It asks for nothing from outside.
#pragma once

#include <string_view>

namespace smmusim::report {

/// CSS. The colours of pictures' series are --c0, --c1, ... (svg.h), that of their grid is --grid.
std::string_view style_sheet();

}  // namespace smmusim::report
