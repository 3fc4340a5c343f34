// SPDX-License-Identifier: MIT
// Presets: named sets of key values that resemble known implementations and models. No public latency table exists
// for any of Arm's products, so they are "-like"; each value names where it comes from.
#pragma once

#include <span>
#include <string_view>

namespace smmusim {

struct PresetValue {
  std::string_view key;
  std::string_view value;   ///< as typed after --set
  std::string_view reason;  ///< where it comes from
};

struct Preset {
  std::string_view name;
  std::string_view meaning;
  std::span<const PresetValue> values;
};

std::span<const Preset> presets();

/// nullptr if there is none of that name.
const Preset* find_preset(std::string_view name);

}  // namespace smmusim
