// SPDX-License-Identifier: MIT
// From what the user wrote (a TOML file, `--set key=value`) to a PlatformConfig that is complete and possible.
// Every error of the input is reported at once; nothing is half-accepted.
#pragma once

#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "platform/config/platform_config.h"

namespace smmusim {

/// Wrong input. what() is one line per error, each `FILE:LINE:COLUMN: what is wrong; what would be right` or
/// `--set key=value: what; right`, without a final newline. The command line ends with exit code 2.
struct InputError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// `key=value` given outside the file. Numbers decimal or 0x, strings without quotes, lists as `4,16` or `[4, 16]`.
struct Assignment {
  std::string key;
  std::string value;
  std::string origin;  ///< for messages, as the user typed it: "--set smmu.oas=33"
};

/// A configuration as it came from outside. Later assignments win; a preset is applied before everything else.
struct ConfigSource {
  std::string path;  ///< for messages; empty: no file
  std::string text;  ///< the file's contents
  std::vector<Assignment> assignments{};
};

/// Reads the file into a ConfigSource. Throws InputError if it can't be read. An empty path gives an empty source.
ConfigSource read_config(const std::string& path);

/// What a configuration is loaded for. The simulated driver can't use every SMMU that can be described, and the
/// devices of a replay can't do with each of those.
enum class ConfigUse : std::uint8_t { description, simulated_driver, replay };

/// The resolved configuration. Throws InputError with every error found.
PlatformConfig load_config(const ConfigSource& source, ConfigUse use = ConfigUse::description);

/// Throws InputError if one of `values` is not of the type and range of `key`, or if there is no such key. `origin`
/// as in Assignment. For --vary, whose values only together make configurations.
void require_values(const std::string& key, std::span<const std::string> values, const std::string& origin);

/// Splits `key=value`. Throws InputError if there is no `=` or no key; `option` is "--set" or "--vary".
Assignment parse_assignment(const std::string& option, const std::string& text);

}  // namespace smmusim
