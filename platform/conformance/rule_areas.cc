// SPDX-License-Identifier: MIT
// The areas of the checklist, and counting rules by outcome.
#include "platform/conformance/rule_areas.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <stdexcept>

namespace smmusim::conformance {
namespace {

// tests/tools/conformance_report.py reads these rows too: one a line, {"NAME", COUNT, "words"}.
constexpr RuleArea areas[] = {
    {"ID", 10, "ID registers and versions"},
    {"RG", 7, "register map and access rules"},
    {"RU", 14, "CR0 updates"},
    {"RS", 5, "reset and disabled state"},
    {"ST", 30, "Stream table and STE configuration"},
    {"SS", 13, "substreams and CD tables"},
    {"CD", 13, "CD validity"},
    {"TR", 15, "translation and stages"},
    {"AS", 31, "address sizes: VA, IAS, OAS"},
    {"AT", 24, "attributes and permissions"},
    {"PI", 7, "permission indirection, overlay, hardening"},
    {"FA", 36, "faults, terminate and stall"},
    {"HT", 24, "Access flag and dirty state"},
    {"PC", 50, "ATS, PRI, PASID"},
    {"QU", 10, "queues"},
    {"CQ", 2, "Command queue in memory"},
    {"CM", 16, "commands: general and prefetch"},
    {"CC", 16, "configuration cache invalidation"},
    {"TI", 26, "TLB invalidation commands and scope"},
    {"TL", 31, "TLB tags, caching rules, completion"},
    {"CS", 12, "CMD_SYNC and completion"},
    {"EC", 10, "enhanced Command queues"},
    {"IR", 6, "MSI and interrupts"},
    {"PW", 2, "power"},
    {"SE", 10, "Secure state"},
    {"RL", 4, "Realm state"},
    {"RM", 5, "granule protection"},
    {"DP", 8, "Device Permission Table"},
    {"MP", 5, "MPAM"},
    {"REG", 17, "register fields, guards and update rules"},
    {"GBP", 11, "global bypass"},
    {"IRQ", 10, "interrupt enables, MSI registers"},
    {"GER", 10, "global errors"},
    {"TAB", 6, "Stream table registers"},
    {"CMQ", 9, "Command queue registers"},
    {"EVQ", 16, "Event queue"},
    {"PRQ", 18, "PRI queue"},
    {"ATO", 41, "ATOS and VATOS"},
    {"ECM", 6, "enhanced Command queues, registers"},
    {"CER", 6, "Command queue errors"},
    {"EVT", 9, "event records: layout and generation"},
    {"EVR", 28, "event records, by event"},
    {"EVP", 5, "event priority"},
    {"MRG", 3, "event merging"},
    {"STL", 4, "stall and terminate"},
    {"CLS", 3, "CLASS, S2, IPA and GPCF of a record"},
    {"TRN", 2, "translation procedure order"},
    {"ATR", 27, "attributes of accesses"},
    {"ATS", 15, "ATS behaviour"},
    {"EXT", 13, "client-visible behaviour"},
    {"PMU", 44, "performance monitors"},
    {"DBG", 1, "debug"},
    {"RST", 3, "reset"},
    {"RAS", 4, "errors and service failure mode"},
    {"PCI", 5, "PCIe integration"},
    {"SEC", 13, "Secure programming interface"},
    {"RLM", 8, "Realm programming interface"},
    {"ROT", 8, "Root registers and granule protection"},
    {"DPT", 6, "Device Permission Table, registers"},
    {"MPM", 8, "MPAM, registers and labels"},
    {"MEC", 2, "memory encryption contexts"},
    {"ADR", 5, "address sizes in registers and records"},
    {"SYS", 5, "cache structure"},
};

/// "ST" of "SM-ST-001"; empty if the text is no rule.
std::string_view area_of(std::string_view rule) {
  const std::size_t end = rule.find('-', 3);
  if (!rule.starts_with("SM-") || end == std::string_view::npos) return {};
  return rule.substr(3, end - 3);
}

AreaCount& area_named(std::vector<AreaCount>& counts, const std::string& rule) {
  const auto found =
      std::find_if(counts.begin(), counts.end(), [&](const AreaCount& count) { return count.name == area_of(rule); });
  if (found == counts.end()) throw std::invalid_argument(rule + " is no rule of the checklist; rules are as SM-ST-001");
  return *found;
}

/// Rules in the first column of the table rows.
std::set<std::string> rules_of_table(const std::string& text) {
  std::set<std::string> rules;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("| SM-")) continue;
    rules.insert(line.substr(2, line.find(' ', 2) - 2));
  }
  return rules;
}

void add_result(AreaCount& count, const nlohmann::json& entry) {
  const std::string status = entry.at("status");
  if (status == "pass") {
    ++count.passed;
  } else if (status == "fail") {
    ++count.failed;
  } else if (status == "skip") {
    ++count.skipped;
  } else {
    throw std::invalid_argument("status \"" + status + "\" is unknown; known are pass, fail and skip");
  }
}

}  // namespace

std::span<const RuleArea> rule_areas() {
  return areas;
}

std::vector<AreaCount> count_rules(const std::string& results, const std::string& left_out) {
  std::vector<AreaCount> counts;
  for (const RuleArea& area : areas) counts.push_back({area.name, area.words, area.rules});
  std::set<std::string> named;
  try {
    const nlohmann::json rules = nlohmann::json::parse(results);
    if (!rules.is_object()) throw std::invalid_argument("it is no JSON object; its members are rules");
    for (const auto& [rule, entry] : rules.items()) {
      add_result(area_named(counts, rule), entry);
      named.insert(rule);
    }
  } catch (const nlohmann::json::exception& error) {
    throw std::invalid_argument(error.what());
  }
  for (const std::string& rule : rules_of_table(left_out)) {
    if (!named.contains(rule)) ++area_named(counts, rule).not_applicable;
  }
  for (AreaCount& count : counts) {
    const unsigned told = count.passed + count.failed + count.skipped + count.not_applicable;
    if (told > count.rules)
      throw std::invalid_argument("area " + std::string(count.name) + " has fewer rules than that");
    count.untested = count.rules - told;
  }
  return counts;
}

AreaCount total_of(std::span<const AreaCount> counts) {
  AreaCount total{"all", ""};
  for (const AreaCount& count : counts) {
    total.rules += count.rules;
    total.passed += count.passed;
    total.failed += count.failed;
    total.skipped += count.skipped;
    total.not_applicable += count.not_applicable;
    total.untested += count.untested;
  }
  return total;
}

}  // namespace smmusim::conformance
