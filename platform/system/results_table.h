// SPDX-License-Identifier: MIT
// ResultsTable: the rows of a sweep's results.csv. A column for each axis, then one for each number of the statistics,
// by its path of keys. What depends on the host is left out: equal runs give equal bytes.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace smmusim {

class ResultsTable {
 public:
  void add_axis(const std::string& key) { axes_.push_back(key); }
  /// `values` by axis; `statistics` as statistics_json() made them.
  void add_row(const std::vector<std::string>& values, const nlohmann::ordered_json& statistics);
  /// With a header line; fields with a comma or a quote are quoted (RFC 4180), lines end in "\n". A number that a row
  /// lacks is an empty field.
  std::string to_csv() const;

 private:
  std::vector<std::string> axes_;
  std::vector<std::string> columns_;  // in the order in which they were first seen
  struct Row {
    std::vector<std::string> values;
    std::vector<std::string> numbers;  // by column; may be shorter
  };
  std::vector<Row> rows_;
};

}  // namespace smmusim
