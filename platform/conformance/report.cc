// SPDX-License-Identifier: MIT
// Columns and objects of the conformance report.
#include "platform/conformance/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace smmusim::conformance {
namespace {

using Json = nlohmann::ordered_json;

constexpr unsigned versions = 5;
constexpr Status statuses[] = {Status::implemented, Status::partly, Status::absent};

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    words.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

/// "S1P" of "IDR0.S1P".
std::string_view bits_of(const FeatureRow& row) {
  return row.field.substr(row.field.find('.') + 1);
}

std::string_view demand_of(const FeatureRow& row) {
  return row.demanded.empty() ? "optional" : row.demanded;
}

/// Why a feature is not there; what stands behind an implemented one is history.
std::string_view missing_of(const FeatureRow& row) {
  return row.status == Status::implemented ? std::string_view() : row.missing;
}

std::string_view first_key(const FeatureRow& row) {
  return row.key.empty() ? "-" : words_of(row.key).front();
}

struct Widths {
  std::size_t bits = 0, name = 0, demand = 0, key = 0, words = 0;
};

Widths widths_of(std::span<const FeatureRow> rows) {
  Widths w;
  for (const FeatureRow& row : rows) {
    w.bits = std::max(w.bits, bits_of(row).size());
    w.name = std::max(w.name, row.name.size());
    w.demand = std::max(w.demand, demand_of(row).size());
    w.key = std::max(w.key, first_key(row).size());
    if (!missing_of(row).empty()) w.words = std::max(w.words, row.words.size());
  }
  return w;
}

std::string line_of(const FeatureRow& row, const Widths& w) {
  std::string line =
      fmt::format("  {:<{}}  {:<{}}  v3.{}  {:<{}}  {:<11}  {:<{}}  {}", bits_of(row), w.bits, row.name, w.name,
                  row.since, demand_of(row), w.demand, to_string(row.status), first_key(row), w.key, row.words);
  if (const std::string_view missing = missing_of(row); !missing.empty()) {
    line += fmt::format("{:{}}  ({})", "", w.words - row.words.size(), missing);
  }
  return line + "\n";
}

std::size_t count(std::span<const FeatureRow> rows, Status status) {
  return static_cast<std::size_t>(
      std::count_if(rows.begin(), rows.end(), [status](const FeatureRow& row) { return row.status == status; }));
}

std::vector<FeatureRow> introduced_by(std::span<const FeatureRow> rows, unsigned version) {
  std::vector<FeatureRow> found;
  std::copy_if(rows.begin(), rows.end(), std::back_inserter(found),
               [version](const FeatureRow& row) { return row.since == version; });
  return found;
}

std::string total_line(std::string_view name, std::span<const FeatureRow> rows) {
  return fmt::format("{}: {} features, {} implemented, {} partly, {} not\n", name, rows.size(),
                     count(rows, Status::implemented), count(rows, Status::partly), count(rows, Status::absent));
}

Json totals_of(std::span<const FeatureRow> rows) {
  Json totals;
  totals["features"] = rows.size();
  for (const Status status : statuses) totals[std::string(to_string(status))] = count(rows, status);
  return totals;
}

Json to_json(const AreaCount& area) {
  Json object;
  object["area"] = area.name;
  object["about"] = area.words;
  object["rules"] = area.rules;
  object["pass"] = area.passed;
  object["fail"] = area.failed;
  object["skip"] = area.skipped;
  object["not_applicable"] = area.not_applicable;
  object["untested"] = area.untested;
  return object;
}

}  // namespace

std::string features_to_text(std::span<const FeatureRow> rows) {
  const Widths widths = widths_of(rows);
  std::string out;
  std::string_view heading;
  for (const FeatureRow& row : rows) {
    if (register_of(row) != heading) {
      heading = register_of(row);
      out += fmt::format("{}{}\n", out.empty() ? "" : "\n", heading);
    }
    out += line_of(row, widths);
  }
  out += '\n';
  for (unsigned version = 0; version < versions; ++version) {
    out += total_line("v3." + std::to_string(version), introduced_by(rows, version));
  }
  return out + total_line("all", rows);
}

nlohmann::ordered_json features_to_json(std::span<const FeatureRow> rows) {
  Json json;
  json["features"] = Json::array();
  for (const FeatureRow& row : rows) {
    Json object;
    object["name"] = row.name;
    object["about"] = row.words;
    object["field"] = row.field;
    object["since"] = "3." + std::to_string(row.since);
    object["mandatory_from"] = row.demanded.empty() ? Json() : Json(row.demanded);
    object["status"] = to_string(row.status);
    object["missing"] = missing_of(row).empty() ? Json() : Json(missing_of(row));
    object["keys"] = words_of(row.key);
    json["features"].push_back(object);
  }
  json["totals"] = totals_of(rows);
  for (unsigned version = 0; version < versions; ++version) {
    json["totals"]["by_version"]["3." + std::to_string(version)] = totals_of(introduced_by(rows, version));
  }
  return json;
}

std::string rules_to_text(std::span<const AreaCount> areas) {
  constexpr std::string_view form = "{:<5}  {:>5}  {:>4}  {:>4}  {:>4}  {:>14}  {:>8}  {}\n";
  std::string out = fmt::format(form, "area", "rules", "pass", "fail", "skip", "not applicable", "untested", "about");
  std::vector<AreaCount> lines(areas.begin(), areas.end());
  lines.push_back(total_of(areas));
  for (const AreaCount& area : lines) {
    out += fmt::format(form, area.name, area.rules, area.passed, area.failed, area.skipped, area.not_applicable,
                       area.untested, area.words);
  }
  return out;
}

nlohmann::ordered_json rules_to_json(std::span<const AreaCount> areas) {
  Json json;
  json["areas"] = Json::array();
  for (const AreaCount& area : areas) json["areas"].push_back(to_json(area));
  json["totals"] = to_json(total_of(areas));
  json["totals"].erase("area");
  json["totals"].erase("about");
  return json;
}

}  // namespace smmusim::conformance
