// SPDX-License-Identifier: MIT
// A configuration, and the table of keys, as text for people and as JSON for programs.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "platform/config/platform_config.h"

namespace smmusim {

/// A TOML file that load_config() turns into the same configuration.
std::string config_to_toml(const PlatformConfig& config);

/// The `config` object of the statistics: nested by the parts of the key names. `smmu` is an object, or an array if
/// there are several; `endpoint` is an array, or the template's object if endpoints are made from the trace.
nlohmann::ordered_json config_to_json(const PlatformConfig& config);

/// Two lines a key: name, type, default, unit, range; meaning and origin of the default.
std::string keys_to_text();

/// An array of objects {key, type, default, unit, range, meaning, origin[, section]}.
nlohmann::ordered_json keys_to_json();

}  // namespace smmusim
