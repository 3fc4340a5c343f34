// SPDX-License-Identifier: MIT
// ResultsTable; see the header.
#include "platform/system/results_table.h"

#include <algorithm>
#include <utility>

namespace smmusim {
namespace {

using nlohmann::ordered_json;

/// Parts of the statistics that are no results of the point, or have no fixed number of entries.
bool is_left_out(const std::string& key) {
  return key.rfind("host_", 0) == 0 || key == "transactions_per_host_second" || key == "config" || key == "streams" ||
         key == "smmus" || key == "version" || key == "mode" || key == "trace" || key == "timeline" || key == "seed";
}

void flatten(const std::string& path, const ordered_json& json,
             std::vector<std::pair<std::string, std::string>>& numbers) {
  if (json.is_object()) {
    for (const auto& [key, value] : json.items()) {
      if (path.empty() && is_left_out(key)) continue;
      flatten(path.empty() ? key : path + "." + key, value, numbers);
    }
  } else if (json.is_number()) {
    numbers.emplace_back(path, json.dump());
  }
}

std::string field(const std::string& text) {
  if (text.find_first_of(",\"\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

/// `count` fields; the ones that are missing are empty. `first`: they begin the line.
void append_fields(std::string& csv, const std::vector<std::string>& fields, std::size_t count, bool first) {
  for (std::size_t i = 0; i != count; ++i) {
    if (!first || i != 0) csv += ',';
    if (i < fields.size()) csv += field(fields[i]);
  }
}

}  // namespace

void ResultsTable::add_row(const std::vector<std::string>& values, const ordered_json& statistics) {
  std::vector<std::pair<std::string, std::string>> numbers;
  flatten("", statistics, numbers);
  Row row{values, std::vector<std::string>(columns_.size())};
  for (const auto& [path, number] : numbers) {
    const auto place = std::find(columns_.begin(), columns_.end(), path);
    const auto index = static_cast<std::size_t>(place - columns_.begin());
    if (place == columns_.end()) {
      columns_.push_back(path);
      row.numbers.emplace_back();
    }
    row.numbers[index] = number;
  }
  rows_.push_back(std::move(row));
}

std::string ResultsTable::to_csv() const {
  std::string csv;
  append_fields(csv, axes_, axes_.size(), true);
  append_fields(csv, columns_, columns_.size(), axes_.empty());
  csv += '\n';
  for (const Row& row : rows_) {
    append_fields(csv, row.values, axes_.size(), true);
    append_fields(csv, row.numbers, columns_.size(), axes_.empty());
    csv += '\n';
  }
  return csv;
}

}  // namespace smmusim
