// SPDX-License-Identifier: MIT
// By what a result tells which trace and which configuration it is of: the name of a file says nothing about what is in
// it, and the configuration in a result is what the run has made of the one that was asked for.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "platform/config/platform_config.h"

namespace smmusim {

/// {"bytes": N, "crc32c": "0x..."} of the file as it stands on the disk, compressed or not: the key `trace` of the
/// statistics. Bounded memory. Throws trace::TraceError if the file can't be read.
nlohmann::ordered_json trace_identity(const std::string& path);

/// "0x...", the key `identity` of the statistics: CRC-32C of the configuration that was asked for and of all that the
/// statistics say, but for what depends on the host. Any edit of either shows.
std::string result_identity(const PlatformConfig& asked, nlohmann::ordered_json statistics);

}  // namespace smmusim
