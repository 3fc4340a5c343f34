// SPDX-License-Identifier: MIT
// The conformance checklist by area: how many rules SM-AREA-001, SM-AREA-002 ... each area has, and what the results of
// a test run (tests/conformance.json) and the list of rules that are left out say of them. No rule's text is here.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace smmusim::conformance {

struct RuleArea {
  std::string_view name;  ///< "ST" of SM-ST-001
  unsigned rules = 0;     ///< numbered from 1 without gaps
  std::string_view words;
};

std::span<const RuleArea> rule_areas();

/// Rules of an area by outcome; `untested` are those that no test names and nobody left out.
struct AreaCount {
  std::string_view name;
  std::string_view words;
  unsigned rules = 0;
  unsigned passed = 0, failed = 0, skipped = 0;
  unsigned not_applicable = 0;
  unsigned untested = 0;
};

/// Per area, in the order of rule_areas(). `results` is the text of a conformance.json; `left_out` that of
/// rules-not-applicable.md, where a table row names a rule in its first column. Throws std::invalid_argument for text
/// that is no such file.
std::vector<AreaCount> count_rules(const std::string& results, const std::string& left_out);

/// The sum of all areas, named "all".
AreaCount total_of(std::span<const AreaCount> areas);

}  // namespace smmusim::conformance
