// SPDX-License-Identifier: MIT
// The feature table and the rules' totals as text and JSON. Only writes down what feature_table.h and rule_areas.h say.
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "platform/conformance/feature_table.h"
#include "platform/conformance/rule_areas.h"

namespace smmusim::conformance {

/// Aligned columns under one heading per ID register, then totals per version.
std::string features_to_text(std::span<const FeatureRow> rows);
/// {"features": [...], "totals": {...}}
nlohmann::ordered_json features_to_json(std::span<const FeatureRow> rows);

/// One line per area, and their sum.
std::string rules_to_text(std::span<const AreaCount> areas);
/// {"areas": [...], "totals": {...}}
nlohmann::ordered_json rules_to_json(std::span<const AreaCount> areas);

}  // namespace smmusim::conformance
