// SPDX-License-Identifier: MIT
// results.csv (RFC 4180, as results_table.h writes it) back into numbers. The keys that were varied are the columns in
// front of the statistics.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>

#include "platform/config/keys.h"
#include "platform/config/load.h"
#include "platform/config/value.h"
#include "platform/report/document.h"

namespace smmusim::report {
namespace {

constexpr double nothing = std::numeric_limits<double>::quiet_NaN();
/// What every row of statistics begins with, and no key of a configuration is called.
constexpr const char* first_column = "simulated_ns";

[[noreturn]] void fail(const std::string& name, std::size_t line, const std::string& what) {
  throw InputError(fmt::format("{}:{}: {}; give a folder that smmusim sweep wrote", name, line, what));
}

/// The records of a file, each with the line where it begins.
class Records {
 public:
  Records(const std::string& name, const std::string& text) : name_(name), rest_(text) {}

  bool next(std::vector<std::string>& fields) {
    fields.clear();
    if (rest_.empty()) return false;
    line_ += lines_in_record_;
    lines_in_record_ = 0;
    do {
      fields.push_back(field());
    } while (take(','));
    if (!take('\n')) {
      fail(name_, line_,
           rest_.empty() ? "the file ends in the middle of this line" : "text stands behind a quoted field");
    }
    ++lines_in_record_;
    return true;
  }
  std::size_t line() const { return line_; }

 private:
  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  std::string field() {
    std::string text;
    if (!take('"')) {
      text = rest_.substr(0, rest_.find_first_of(",\n"));
      rest_.remove_prefix(text.size());
      return text;
    }
    for (;;) {
      if (rest_.empty()) fail(name_, line_, "a quoted field does not end");
      const char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"' && !take('"')) return text;
      if (c == '\n') ++lines_in_record_;
      text += c;
    }
  }

  const std::string& name_;
  std::string_view rest_;
  std::size_t line_ = 1;
  std::size_t lines_in_record_ = 0;
};

std::size_t axes_in(const std::string& name, const std::vector<std::string>& titles) {
  const auto place = std::find(titles.begin(), titles.end(), first_column);
  if (place == titles.begin() || place == titles.end()) fail(name, 1, "it is not the first line of a sweep's results");
  for (auto axis = titles.begin(); axis != place; ++axis) {
    if (find_key(*axis) == nullptr) fail(name, 1, in_quotes(*axis) + " is no key of a configuration");
  }
  return static_cast<std::size_t>(place - titles.begin());
}

double number_of(const Records& records, const std::string& name, const std::string& title, const std::string& text) {
  if (text.empty()) return nothing;
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(number)) {
    fail(name, records.line(), fmt::format("{} is {}, which is no number", printable(title), in_quotes(text)));
  }
  return number;
}

}  // namespace

std::vector<double> Results::values(std::string_view title) const {
  const auto index = static_cast<std::size_t>(std::find(columns.begin(), columns.end(), title) - columns.begin());
  std::vector<double> values;
  for (const Row& row : rows) values.push_back(index == columns.size() ? nothing : row.numbers[index]);
  return values;
}

Results parse_results(const std::string& name, const std::string& text) {
  Results results;
  results.name = name;
  Records records(name, text);
  std::vector<std::string> titles, fields;
  if (!records.next(titles)) fail(name, 1, "it is empty");
  const std::size_t axes = axes_in(name, titles);
  for (std::size_t i = 0; i != axes; ++i) results.axes.push_back({titles[i], {}});
  results.columns.assign(titles.begin() + static_cast<std::ptrdiff_t>(axes), titles.end());
  std::vector<std::map<std::string, std::size_t>> known(axes);
  while (records.next(fields)) {
    if (fields.size() != titles.size()) {
      fail(name, records.line(), fmt::format("it has {} fields, and the first line {}", fields.size(), titles.size()));
    }
    Results::Row row;
    for (std::size_t i = 0; i != axes; ++i) {
      const auto [place, is_new] = known[i].emplace(fields[i], known[i].size());
      if (is_new) results.axes[i].values.push_back(fields[i]);
      row.point.push_back(place->second);
    }
    for (std::size_t i = axes; i != fields.size(); ++i) {
      row.numbers.push_back(number_of(records, name, titles[i], fields[i]));
    }
    results.rows.push_back(std::move(row));
  }
  if (results.rows.empty()) fail(name, 1, "no point stands below it");
  return results;
}

}  // namespace smmusim::report
