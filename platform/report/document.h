// SPDX-License-Identifier: MIT
// Files that reports are made from, read with mistrust: what is not there, is cut off or is no result of ours gives an
// InputError that names the file and the place.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace smmusim::report {

/// The contents of a regular file of at most 1 GiB. Throws InputError.
std::string read_results(const std::filesystem::path& path);

/// The statistics of a run. A path is the names of members with dots between, as "latency_ns.mean".
class Document {
 public:
  /// `name`: the file, for messages. Throws InputError if `json` is not what every run of smmusim writes.
  Document(std::string name, nlohmann::ordered_json json);
  /// The same from text, with FILE:LINE:COLUMN for what is no JSON.
  static Document parse(const std::string& name, const std::string& text);

  const std::string& name() const { return name_; }
  const nlohmann::ordered_json& json() const { return json_; }
  /// Null if there is no such member.
  const nlohmann::ordered_json* find(std::string_view path) const;
  /// These throw InputError if it is not there or of another type.
  double number(std::string_view path) const;
  std::string text(std::string_view path) const;
  const nlohmann::ordered_json& object(std::string_view path) const;
  /// A list of numbers.
  std::vector<double> numbers(std::string_view path) const;
  /// 0 if there is no such member.
  double number_or_zero(std::string_view path) const { return find(path) == nullptr ? 0 : number(path); }

  [[noreturn]] void fail(std::string_view path, std::string_view what) const;

 private:
  std::string name_;
  nlohmann::ordered_json json_;
};

/// results.csv of a sweep.
struct Results {
  struct Axis {
    std::string key;
    std::vector<std::string> values;  ///< each once, in the order of their first row
  };
  struct Row {
    std::vector<std::size_t> point;  ///< by axis: the number of the value
    std::vector<double> numbers;     ///< by column; NaN: empty
  };
  std::string name;  ///< the file
  std::vector<Axis> axes;
  std::vector<std::string> columns;  ///< of the statistics
  std::vector<Row> rows;

  /// By row; NaN where there is no such column, or nothing in it.
  std::vector<double> values(std::string_view title) const;
};

/// Throws InputError with FILE:LINE.
Results parse_results(const std::string& name, const std::string& text);

}  // namespace smmusim::report
