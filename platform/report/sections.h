// SPDX-License-Identifier: MIT
// Parts that the pages of runs and of sweeps share: configuration, counters by name, and the words for them.
#pragma once

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>

#include "platform/report/document.h"

namespace smmusim::report {

/// What differs from the defaults in the statistics' `config`, as a table, or a sentence that nothing does. `varied`:
/// keys that are left out.
std::string configuration_section(const nlohmann::ordered_json& config, const std::set<std::string>& varied);

/// Every number and text below `json`, one a row: "invalidations.mean_ns" as "invalidations.mean", "12.3 ns".
std::string members_table(const nlohmann::ordered_json& json);
/// Whether any number below `json` is not 0.
bool holds_anything(const nlohmann::ordered_json& json);

/// A number of nanoseconds with its unit: "1.234 µs".
std::string time_text(double ns);
/// A number of bytes with its unit: "24.5 MB".
std::string bytes_text(double bytes);

/// The last part of a path.
std::string file_part(const std::string& path);

}  // namespace smmusim::report
