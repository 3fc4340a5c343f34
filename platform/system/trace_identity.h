// SPDX-License-Identifier: MIT
// By what a result tells which trace it is of: the name of a file says nothing about what is in it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace smmusim {

/// {"bytes": N, "crc32c": "0x..."} of the file as it stands on the disk, compressed or not: the key `trace` of the
/// statistics. Bounded memory. Throws trace::TraceError if the file can't be read.
nlohmann::ordered_json trace_identity(const std::string& path);

}  // namespace smmusim
