// SPDX-License-Identifier: MIT
// Pictures of a sweep; see the header. Which kind a measure gets depends on how many keys were varied, and whether
// their values are numbers.
#include "platform/report/sweep_pictures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>

#include "platform/config/keys.h"
#include "platform/report/charts.h"
#include "platform/report/classes.h"
#include "platform/report/markup.h"
#include "platform/trace/parse.h"

namespace smmusim::report {
namespace {

constexpr std::size_t multiples_max = 12;
constexpr std::size_t values_max = 60;  ///< of a key in a picture
constexpr std::size_t bars_max = 40;

struct Drawn {
  std::size_t measure;
  Picture picture;
  std::string caption;
};

/// The values as numbers, if all of them are some.
std::optional<std::vector<double>> numbers_of(const Results::Axis& axis) {
  std::vector<double> numbers;
  for (const std::string& text : axis.values) {
    std::uint64_t number = 0;
    if (!trace::parse_number(text, number)) return std::nullopt;
    numbers.push_back(static_cast<double>(number));
  }
  return numbers;
}

/// The key with its unit, unless its name ends with that.
std::string label_of(const Results::Axis& axis) {
  const Key* key = find_key(axis.key);
  if (key == nullptr || key->unit.empty() || axis.key.ends_with("_" + std::string(key->unit))) return axis.key;
  return fmt::format("{}, {}", axis.key, key->unit);
}

Picture line_over(const Results& results, const Results::Axis& axis, std::size_t index,
                  const std::vector<double>& numbers, const Measured& measured) {
  constexpr std::size_t marks_max = 14;
  constexpr double log_from = 16;  // largest by smallest
  constexpr unsigned line_height = 280;
  const auto [least, most] = std::minmax_element(numbers.begin(), numbers.end());
  Axis x{label_of(axis)};
  x.log = *least > 0 && *most / *least >= log_from;
  if (x.log) {
    x.min = *least;
    x.max = *most;
  }
  for (std::size_t i = 0; i != numbers.size() && numbers.size() <= marks_max; ++i) {
    x.marks.emplace_back(numbers[i], axis.values[i]);
  }
  Series line{"", 1, {}};
  for (std::size_t row = 0; row != results.rows.size(); ++row) {
    line.points.push_back({numbers[results.rows[row].point[index]], measured.values[row]});
  }
  std::sort(line.points.begin(), line.points.end(), [](const Point& a, const Point& b) { return a.x < b.x; });
  return line_chart(measured.label() + " over " + axis.key, x, {measured.label()}, {line}, Mark::points_and_lines,
                    line_height);
}

Picture bars_over(const Results& results, const Results::Axis& axis, std::size_t index, const Measured& measured) {
  Bars bars;
  bars.label = measured.label();
  bars.parts.push_back({"", 1, {}});
  bars.names = axis.values;
  bars.values.assign(axis.values.size(), {0});
  for (std::size_t row = 0; row != results.rows.size(); ++row) {
    bars.values[results.rows[row].point[index]] = {measured.values[row]};
  }
  return bar_chart(measured.label() + " by " + axis.key, bars);
}

/// The rows that have the same values of all keys but the last two, in the order of their first ones.
std::vector<std::vector<std::size_t>> panels_of(const Results& results, const std::vector<std::size_t>& varied) {
  std::map<std::vector<std::size_t>, std::size_t> known;
  std::vector<std::vector<std::size_t>> panels;
  for (std::size_t row = 0; row != results.rows.size(); ++row) {
    std::vector<std::size_t> others;
    for (std::size_t i = 0; i + 2 < varied.size(); ++i) others.push_back(results.rows[row].point[varied[i]]);
    const auto [place, is_new] = known.emplace(others, panels.size());
    if (is_new) panels.emplace_back();
    panels[place->second].push_back(row);
  }
  return panels;
}

std::string point_text(const Results& results, std::size_t row, const std::vector<std::size_t>& axes) {
  std::string text;
  for (const std::size_t axis : axes) {
    const std::string& key = results.axes[axis].key;
    text += fmt::format("{}{} = {}", text.empty() ? "" : ", ", key.substr(key.rfind('.') + 1),
                        results.axes[axis].values[results.rows[row].point[axis]]);
  }
  return text;
}

/// Where it is least and most.
std::string caption_of(const Results& results, const Measured& measured) {
  const auto text = [&](std::size_t row) {
    return short_number(measured.values[row]) + (measured.unit.empty() ? "" : " " + measured.unit);
  };
  if (measured.constant()) return fmt::format("The same at every point: {}.", text(0));
  const auto [least, most] = std::minmax_element(measured.values.begin(), measured.values.end());
  const auto low = static_cast<std::size_t>(least - measured.values.begin());
  const auto high = static_cast<std::size_t>(most - measured.values.begin());
  const std::vector<std::size_t> varied = varied_axes(results);
  return fmt::format("From {} at {} to {} at {}.", text(low), point_text(results, low, varied), text(high),
                     point_text(results, high, varied));
}

/// The colours of a heat map. Values that hardly differ get colours that hardly differ.
void choose_range(HeatMap& map, const Measured& measured) {
  constexpr double span_min = 0.05;  // of the largest
  const auto [least, most] = std::minmax_element(measured.values.begin(), measured.values.end());
  map.min = *least;
  map.max = *most;
  const double missing = (span_min * std::abs(*most) - (*most - *least)) / 2;
  if (missing > 0) {
    map.min -= missing;
    map.max += missing;
  }
}

void add_heat_maps(std::vector<Drawn>& drawn, const Results& results, const std::vector<std::size_t>& varied,
                   std::size_t number, const Measured& measured) {
  const std::vector<std::vector<std::size_t>> panels = panels_of(results, varied);
  if (panels.size() > multiples_max) return;
  const std::size_t y = varied[varied.size() - 2], x = varied.back();
  HeatMap map;
  map.x_label = label_of(results.axes[x]);
  map.y_label = label_of(results.axes[y]);
  map.label = measured.label();
  map.x_names = results.axes[x].values;
  map.y_names = results.axes[y].values;
  choose_range(map, measured);
  map.small = panels.size() > 1;
  const std::vector<std::size_t> others(varied.begin(), varied.end() - 2);
  for (const std::vector<std::size_t>& rows : panels) {
    constexpr double nothing = std::numeric_limits<double>::quiet_NaN();
    map.values.assign(map.y_names.size(), std::vector<double>(map.x_names.size(), nothing));
    for (const std::size_t row : rows) {
      const std::vector<std::size_t>& point = results.rows[row].point;
      map.values[point[y]][point[x]] = measured.values[row];
    }
    const std::string where = point_text(results, rows.front(), others);
    const std::string title =
        fmt::format("{} by {} and {}", measured.label(), results.axes[y].key, results.axes[x].key);
    drawn.push_back({number, heat_map(where.empty() ? title : title + ", " + where, map),
                     where.empty() ? caption_of(results, measured) : where});
  }
}

/// Not worth a section: an explanation of what does not change. Throughput and latencies stand first.
bool is_aside(std::size_t number, const Measured& measured) {
  constexpr std::size_t main_measures = 3;
  return number >= main_measures && measured.constant();
}

void add_measure(std::vector<Drawn>& drawn, const Results& results, std::size_t number, const Measured& measured) {
  const std::vector<std::size_t> varied = varied_axes(results);
  for (const std::size_t axis : varied) {
    if (results.axes[axis].values.size() > values_max && varied.size() > 1) return;
  }
  if (varied.size() > 1) {
    add_heat_maps(drawn, results, varied, number, measured);
    return;
  }
  if (varied.empty()) return;
  const Results::Axis& axis = results.axes[varied.front()];
  if (const auto numbers = numbers_of(axis)) {
    drawn.push_back(
        {number, line_over(results, axis, varied.front(), *numbers, measured), caption_of(results, measured)});
  } else if (axis.values.size() <= values_max) {
    drawn.push_back({number, bars_over(results, axis, varied.front(), measured), caption_of(results, measured)});
  }
}

/// Stacked bars of the points' mean times.
std::optional<Drawn> time_bars(const Results& results, std::size_t number) {
  if (results.rows.size() > bars_max) return std::nullopt;
  std::vector<std::vector<double>> times;  // by part
  for (const TimePart& part : time_parts) times.push_back(results.values(fmt::format("mean_time_ns.{}", part.name)));
  double longest = 0;
  for (std::size_t row = 0; row != results.rows.size(); ++row) {
    double sum = 0;
    for (const std::vector<double>& part : times) sum += part[row];
    if (!std::isfinite(sum)) return std::nullopt;
    longest = std::max(longest, sum);
  }
  if (!(longest > 0)) return std::nullopt;
  const TimeUnit unit = unit_for(longest);
  Bars bars;
  bars.label = fmt::format("mean time of an access, {}", unit.name);
  for (const TimePart& part : time_parts) bars.parts.push_back({part.words, part.colour, {}});
  for (std::size_t row = 0; row != results.rows.size(); ++row) {
    const std::string name = point_text(results, row, varied_axes(results));
    bars.names.push_back(name.empty() ? "all accesses" : name);
    bars.values.emplace_back();
    for (const std::vector<double>& part : times) bars.values.back().push_back(part[row] / unit.ns);
  }
  return Drawn{number, bar_chart("Where the time of an access went, by point", bars),
               "Waiting counts where it happened."};
}

}  // namespace

SweepPictures::SweepPictures(const Results& results, const std::vector<Measured>& measures)
    : measures_(measures.size()) {
  std::vector<Drawn> drawn;
  for (std::size_t m = 0; m != measures.size(); ++m) {
    if (!is_aside(m, measures[m])) add_measure(drawn, results, m, measures[m]);
  }
  if (auto times = time_bars(results, measures.size())) drawn.push_back(std::move(*times));
  std::vector<Picture> pictures;
  for (const Drawn& one : drawn) pictures.push_back(one.picture);
  const std::vector<std::string> svgs = draw(pictures, results.name);
  std::vector<std::vector<std::string>> figures(measures.size() + 1);
  for (std::size_t i = 0; i != drawn.size(); ++i) {
    figures[drawn[i].measure].push_back(figure(svgs[i], drawn[i].caption));
  }
  for (std::size_t m = 0; m != measures.size(); ++m) {
    if (is_aside(m, measures[m]) || varied_axes(results).empty()) continue;
    const bool several = figures[m].size() > 1;
    measures_[m] = figures[m].empty()
                       ? paragraph("Too many values for a picture; the table of all points has them.")
                       : beside(figures[m]) + (several ? paragraph(caption_of(results, measures[m])) : "");
  }
  if (!figures.back().empty()) times_ = figures.back().front();
}

}  // namespace smmusim::report
