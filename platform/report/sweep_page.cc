// SPDX-License-Identifier: MIT
// The page of a sweep: how each measure depends on the keys that were varied. One key gives a line or bars, two give a
// heat map, more give one heat map of the last two for each combination of the others; every point is in the table.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <set>

#include "platform/report/charts.h"
#include "platform/report/markup.h"
#include "platform/report/measures.h"
#include "platform/report/report.h"
#include "platform/report/sections.h"
#include "platform/report/sweep_pictures.h"

namespace smmusim::report {
namespace {

constexpr std::size_t rows_max = 2000;
constexpr std::size_t values_max = 100;  // of a key

std::string span_of(const Measured& measured) {
  const auto [least, most] = std::minmax_element(measured.values.begin(), measured.values.end());
  if (*least == *most) return short_number(*least);
  return short_number(*least) + " – " + short_number(*most);
}

double sum_of(const Results& results, const char* column) {
  double sum = 0;
  for (const double number : results.values(column)) {
    if (std::isfinite(number)) sum += number;
  }
  return sum;
}

void add_figures(Page& page, const Results& results, const std::vector<Measured>& measures) {
  page.add_figure("points", fixed(static_cast<double>(results.rows.size()), 0), "");
  for (const Measured& measured : measures) page.add_figure(measured.words, span_of(measured), measured.unit);
  const double mismatches = sum_of(results, "check.mismatches");
  if (mismatches > 0) {
    page.add_warning(fmt::format("{} translations differ from what the trace says; see the table of all points.",
                                 short_number(mismatches)));
  }
}

std::string keys_section(const Results& results) {
  Table table({{"key", false}, {"values", false}});
  for (const Results::Axis& axis : results.axes) {
    std::string values;
    for (std::size_t i = 0; i != std::min(axis.values.size(), values_max); ++i) {
      values += (i == 0 ? "" : ", ") + axis.values[i];
    }
    table.add({axis.key, values + (axis.values.size() > values_max ? ", …" : "")});
  }
  return table.markup();
}

/// The mean of every measure over the points that share a value.
std::string averages_section(const Results& results, const std::vector<Measured>& measures) {
  std::vector<Table::Column> columns{{"key", false}, {"value", false}, {"points"}};
  for (const Measured& measured : measures) columns.push_back({measured.label()});
  Table table(std::move(columns));
  for (const std::size_t axis : varied_axes(results)) {
    const std::size_t values = results.axes[axis].values.size();
    if (values > values_max) continue;
    std::vector<double> counts(values);
    std::vector<std::vector<double>> sums(values, std::vector<double>(measures.size()));
    for (std::size_t row = 0; row != results.rows.size(); ++row) {
      const std::size_t value = results.rows[row].point[axis];
      ++counts[value];
      for (std::size_t m = 0; m != measures.size(); ++m) sums[value][m] += measures[m].values[row];
    }
    for (std::size_t value = 0; value != values; ++value) {
      std::vector<std::string> cells{results.axes[axis].key, results.axes[axis].values[value], fixed(counts[value], 0)};
      for (const double sum : sums[value]) cells.push_back(short_number(sum / counts[value]));
      table.add(std::move(cells));
    }
  }
  return paragraph("Means over the points that share a value.") + table.markup();
}

std::string points_section(const Results& results, const std::vector<Measured>& measures) {
  struct Plain {
    const char *column, *title;
    bool always;  ///< even if it is 0 everywhere
  };
  constexpr Plain plain[] = {{"latency_ns.p50", "median latency, ns", false},
                             {"latency_ns.max", "max latency, ns", false},
                             {"ats.requests", "ATS requests", false},
                             {"faults", "faults", true},
                             {"check.mismatches", "mismatches", true}};
  std::vector<Table::Column> columns;
  for (const Results::Axis& axis : results.axes) columns.push_back({axis.key});
  for (const Measured& measured : measures) columns.push_back({measured.label()});
  std::vector<Plain> shown;
  std::vector<std::vector<double>> numbers;
  for (const Plain& one : plain) {
    if (!one.always && sum_of(results, one.column) <= 0) continue;
    shown.push_back(one);
    numbers.push_back(results.values(one.column));
  }
  for (const Plain& one : shown) columns.push_back({one.title});
  Table table(std::move(columns));
  // The measures of measures.h begin with what is best when it is largest.
  const bool has_best = !measures.empty() && !measures.front().constant();
  const double best = has_best ? *std::max_element(measures.front().values.begin(), measures.front().values.end()) : 0;
  for (std::size_t i = 0; i != std::min(results.rows.size(), rows_max); ++i) {
    const Results::Row& row = results.rows[i];
    std::vector<std::string> cells;
    for (std::size_t axis = 0; axis != results.axes.size(); ++axis) {
      cells.push_back(results.axes[axis].values[row.point[axis]]);
    }
    for (const Measured& measured : measures) cells.push_back(short_number(measured.values[i]));
    for (const std::vector<double>& column : numbers) cells.push_back(short_number(column[i]));
    table.add(std::move(cells), has_best && measures.front().values[i] == best);
  }
  std::string text;
  if (has_best) text = paragraph("In bold: the highest " + measures.front().words + ".");
  if (results.rows.size() > rows_max) {
    text += paragraph(
        fmt::format("The first {} of {} points; {} has all of them.", rows_max, results.rows.size(), results_file));
  }
  return text + table.markup();
}

}  // namespace

std::string sweep_page(const Results& results, const Document& first) {
  const std::string trace = first.text("config.trace.file");
  std::string keys;
  std::set<std::string> varied;
  for (const Results::Axis& axis : results.axes) {
    keys += (keys.empty() ? "" : " × ") + axis.key;
    varied.insert(axis.key);
  }
  Page page("smmusim sweep: " + (keys.empty() ? file_part(trace) : keys),
            fmt::format("trace {} · {} mode · smmusim {}", trace, first.text("mode"), first.text("version")));
  const std::vector<Measured> measures = measures_of(results);
  add_figures(page, results, measures);
  page.add_section("Keys", keys_section(results));
  const SweepPictures pictures(results, measures);
  for (std::size_t m = 0; m != measures.size(); ++m) {
    const std::string markup = pictures.of_measure(m);
    if (!markup.empty()) page.add_section(measures[m].heading(), markup);
  }
  if (!pictures.times().empty()) page.add_section("Where the time went", pictures.times());
  if (varied_axes(results).size() > 1) page.add_section("Averages", averages_section(results, measures));
  page.add_section("All points", points_section(results, measures));
  page.add_section("Configuration", configuration_section(first.object("config"), varied));
  return page.markup();
}

}  // namespace smmusim::report
