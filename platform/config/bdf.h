// SPDX-License-Identifier: MIT
// PCI addresses as people write them, "BB:DD.F" in hexadecimal, and the 16-bit requester ID they stand for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace smmusim {

/// Bus (two digits), device (two digits, up to 1f), function (0 to 7). Nothing if `text` is anything else.
std::optional<std::uint16_t> parse_bdf(std::string_view text);
std::string format_bdf(std::uint16_t rid);

}  // namespace smmusim
