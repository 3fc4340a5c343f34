// SPDX-License-Identifier: MIT
// Scripts for gnuplot; see the header. Numbers stand in data blocks, names only where gnuplot_string() has been.
#include "platform/report/charts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "platform/report/markup.h"
#include "platform/report/svg.h"

namespace smmusim::report {
namespace {

constexpr unsigned full_width = 960;
constexpr double infinity = std::numeric_limits<double>::infinity();
/// gnuplot's widths of text are guesses from this.
constexpr double character_pixels = 7.2;

constexpr const char* look =
    "set border 3 lc rgb 'gray'\nset tics nomirror out scale 0.6 textcolor rgb 'black'\nset grid lt 1 lw 0.6 lc rgb "
    "'gray'\n"
    "set style fill solid noborder\n";

struct Range {
  double min = infinity, max = -infinity;
  void include(double value) {
    min = std::min(min, value);
    max = std::max(max, value);
  }
  bool empty() const { return !(min <= max); }
};

/// 350 ns, 1.2 µs: the marks of a logarithmic time axis.
std::string mark_text(double ns) {
  const TimeUnit unit = unit_for(ns);
  return fmt::format("{:g} {}", ns / unit.ns, unit.name);
}

/// The largest 1, 2 or 5 times a power of ten that is not above `value`, or the smallest not below it.
double round_to_mark(double value, bool up) {
  const double decade = std::pow(10, std::floor(std::log10(value)));
  constexpr double slack = 1e-9;
  double below = decade;
  for (const double mark : {1.0, 2.0, 5.0, 10.0}) {
    const double candidate = mark * decade;
    if (up && candidate >= value * (1 - slack)) return candidate;
    if (candidate <= value * (1 + slack)) below = candidate;
  }
  return below;
}

std::string axis_range(const char* name, double min, double max) {
  return fmt::format("set {}range [{}:{}]\n", name, min, max);
}

std::string tics_of(const char* name, const std::vector<std::pair<double, std::string>>& marks, const char* options) {
  std::string list;
  for (const auto& [at, text] : marks) {
    list += fmt::format("{}{} {}", list.empty() ? "" : ", ", gnuplot_string(text), at);
  }
  return fmt::format("set {}tics ({}) {}\n", name, list, options);
}

/// Names for 0, 1, 2, ...
std::string tics_of(const char* name, const std::vector<std::string>& names, const char* options) {
  std::vector<std::pair<double, std::string>> marks;
  for (const std::string& text : names) marks.emplace_back(marks.size(), text);
  return tics_of(name, marks, options);
}

/// Range and marks of a logarithmic axis.
std::string log_axis(const char* name, const Axis& axis, Range range) {
  if (range.empty()) range = {1, 10};
  const double min = round_to_mark(axis.min < axis.max ? axis.min : range.min, false);
  double max = round_to_mark(axis.min < axis.max ? axis.max : range.max, true);
  if (max <= min) max = min * 10;
  constexpr double decades_with_steps = 2.6;
  const double decades = std::log10(max / min);
  std::vector<std::pair<double, std::string>> marks = axis.marks;
  for (double decade = std::pow(10, std::floor(std::log10(min))); axis.marks.empty() && decade <= max * 1.001;
       decade *= 10) {
    for (const double step : {1.0, 2.0, 5.0}) {
      const double mark = step * decade;
      if (mark < min * 0.999 || mark > max * 1.001 || (step != 1 && decades > decades_with_steps)) continue;
      marks.emplace_back(mark, axis.time ? mark_text(mark) : fmt::format("{:g}", mark));
    }
  }
  return fmt::format("set logscale {}\n", name) + tics_of(name, marks, "") + axis_range(name, min, max);
}

std::size_t longest(const std::vector<std::string>& names) {
  constexpr std::size_t characters_max = 65;  // of gnuplot_string()
  std::size_t most = 0;
  for (const std::string& name : names) most = std::max(most, std::min(name.size(), characters_max));
  return most;
}

/// Names below a horizontal axis stand upright where they would touch.
std::string name_axis(const std::vector<std::string>& names, double pixels) {
  const double each = pixels / static_cast<double>(std::max<std::size_t>(names.size(), 1));
  const bool upright = static_cast<double>(longest(names)) * character_pixels > each - character_pixels;
  return tics_of("x", names, upright ? "rotate by 90 right" : "");
}

std::string axis_script(const char* name, const Axis& axis, const Range& range) {
  const std::string label = fmt::format("set {}label {}\n", name, gnuplot_string(axis.label));
  if (axis.log) return label + log_axis(name, axis, range);
  if (!axis.marks.empty()) return label + tics_of(name, axis.marks, "");
  if (axis.min < axis.max) return label + axis_range(name, axis.min, axis.max);
  if (*name == 'x' && range.max > range.min) return label + axis_range(name, range.min, range.max);
  if (*name != 'y' || range.empty() || range.min < 0) return label;
  constexpr double room = 1.06;
  return label + axis_range(name, 0, range.max > 0 ? range.max * room : 1);
}

bool drawable(const Point& point, const Axis& x, const Axis& y) {
  return std::isfinite(point.x) && std::isfinite(point.y) && (!x.log || point.x > 0) && (!y.log || point.y > 0);
}

/// A data block; blocks' names are given by number.
void append_block(std::string& script, std::size_t number, const std::string& rows) {
  script += fmt::format("$d{} << end\n{}end\n", number, rows);
}

std::string style_of(Mark mark) {
  if (mark == Mark::area) return "filledcurves y1=0 fs solid 0.35 noborder";
  return mark == Mark::points_and_lines ? "linespoints lw 2 pt 7 ps 0.7" : "lines lw 2";
}

/// A legend to the right of the plot, which gets what the longest name leaves. gnuplot's own would guess that wrong.
std::string legend_beside(const std::vector<const Series*>& series, unsigned height) {
  constexpr double line_pixels = 22, text_pixels = 30, gap_pixels = 24, row_pixels = 22, top_pixels = 24;
  std::vector<std::string> names;
  for (const Series* one : series) names.push_back(one->name);
  const double left = full_width - text_pixels - character_pixels * static_cast<double>(longest(names));
  std::string script = fmt::format("set rmargin at screen {:.4f}\n", (left - gap_pixels) / full_width);
  double y = height - top_pixels;
  for (const Series* one : series) {
    script += fmt::format("set arrow from screen {:.4f},{:.4f} to screen {:.4f},{:.4f} nohead lw 2 lc rgb '{}'\n",
                          left / full_width, y / height, (left + line_pixels) / full_width, y / height,
                          series_colour(one->colour));
    script += fmt::format("set label {} at screen {:.4f},{:.4f} left\n", gnuplot_string(one->name),
                          (left + text_pixels) / full_width, y / height);
    y -= row_pixels;
  }
  return script;
}

/// A legend in one line above the plot.
std::string legend_above(const std::vector<Series>& series, unsigned height) {
  constexpr double left_pixels = 12, box_pixels = 14, gap_pixels = 6, space_pixels = 18, middle_pixels = 14;
  std::string script = fmt::format("set tmargin at screen {:.4f}\n", 1 - 2 * middle_pixels / height);
  const double y = 1 - middle_pixels / height, half = box_pixels / 2 / height;
  double x = left_pixels;
  for (const Series& one : series) {
    script += fmt::format(
        "set object rectangle from screen {:.4f},{:.4f} to screen {:.4f},{:.4f} fc rgb '{}' fs solid noborder\n",
        x / full_width, y - half, (x + box_pixels) / full_width, y + half, series_colour(one.colour));
    x += box_pixels + gap_pixels;
    script += fmt::format("set label {} at screen {:.4f},{:.4f} left\n", gnuplot_string(one.name), x / full_width, y);
    x += space_pixels + character_pixels * static_cast<double>(one.name.size());
  }
  return script;
}

}  // namespace

TimeUnit unit_for(double largest_ns) {
  if (largest_ns >= 1e9) return {1e9, "s"};
  if (largest_ns >= 1e6) return {1e6, "ms"};
  if (largest_ns >= 1e3) return {1e3, "µs"};
  return {1, "ns"};
}

Picture line_chart(const std::string& title, const Axis& x, const Axis& y, const std::vector<Series>& series, Mark mark,
                   unsigned height) {
  Range x_range, y_range;
  std::string blocks, plots;
  std::vector<const Series*> legend;
  for (std::size_t i = 0; i != series.size(); ++i) {
    std::string rows;
    for (const Point& point : series[i].points) {
      if (!drawable(point, x, y)) {
        rows += '\n';  // the line is broken
        continue;
      }
      x_range.include(point.x);
      y_range.include(point.y);
      rows += fmt::format("{} {}\n", point.x, point.y);
    }
    if (rows.find_first_not_of('\n') == std::string::npos) continue;
    append_block(blocks, i, rows);
    if (!series[i].name.empty()) legend.push_back(&series[i]);
    plots += fmt::format("{}$d{} using 1:2 with {} lc rgb '{}' notitle", plots.empty() ? "" : ", ", i, style_of(mark),
                         series_colour(series[i].colour));
  }
  if (plots.empty()) {  // gnuplot must have something, which is out of sight
    x_range = y_range = {1, 10};
    plots = "-1 notitle";
  }
  Picture picture{full_width, height, title, look};
  picture.script += "set key off\n";
  if (!legend.empty()) picture.script += legend_beside(legend, height);
  picture.script += axis_script("x", x, x_range) + axis_script("y", y, y_range);
  picture.script += blocks + "plot " + plots + "\n";
  return picture;
}

Picture bar_chart(const std::string& title, const Bars& bars) {
  constexpr unsigned bar_pixels = 28, rest_pixels = 100;
  Picture picture{full_width, rest_pixels + bar_pixels * static_cast<unsigned>(bars.names.size()), title, look};
  std::vector<std::string> rows(bars.parts.size());
  std::string labels;
  Range range{0, 0};
  for (std::size_t bar = 0; bar != bars.names.size(); ++bar) {
    double end = 0;
    for (std::size_t part = 0; part != bars.parts.size(); ++part) {
      const double begin = end;
      end += bars.values[bar][part];
      rows[part] += fmt::format("{} {} {} {} {} {}\n", (begin + end) / 2, bar, begin, end,
                                static_cast<double>(bar) - 0.34, static_cast<double>(bar) + 0.34);
    }
    range.include(end);
    labels += fmt::format("set label {} at {},{} left offset 0.5,0\n", gnuplot_string(short_number(end)), end, bar);
  }
  constexpr double room_for_labels = 1.12;
  const double max = bars.max > 0 ? bars.max : range.max > 0 ? range.max * room_for_labels : 1;
  picture.script += "unset grid\nset grid x lt 1 lw 0.6 lc rgb 'gray'\nset border 1\n";
  picture.script += axis_range("x", 0, max) + tics_of("y", bars.names, "scale 0");
  picture.script += axis_range("y", static_cast<double>(bars.names.size()) - 0.4, -0.6);
  picture.script += fmt::format("set xlabel {}\n", gnuplot_string(bars.label)) + labels;
  picture.script += "set key off\n";
  if (bars.parts.size() > 1) picture.script += legend_above(bars.parts, picture.height);
  std::string plots;
  for (std::size_t part = 0; part != bars.parts.size(); ++part) {
    append_block(picture.script, part, rows[part]);
    plots += fmt::format("{}$d{} using 1:2:3:4:5:6 with boxxyerror lc rgb '{}' notitle", part == 0 ? "" : ", ", part,
                         series_colour(bars.parts[part].colour));
  }
  picture.script += "plot " + plots + "\n";
  return picture;
}

namespace {

constexpr std::size_t labelled_cells_max = 14;  ///< in a row
/// Of the palette below, where a dark number is easier to read than a white one.
constexpr double dark_number_from = 0.55;

/// Cells as "x y value" and their numbers as labels.
void append_cells(Picture& picture, const HeatMap& map, bool labelled) {
  std::string rows, labels;
  for (std::size_t y = 0; y != map.values.size(); ++y) {
    for (std::size_t x = 0; x != map.values[y].size(); ++x) {
      const double value = map.values[y][x];
      if (!std::isfinite(value)) continue;
      rows += fmt::format("{} {} {}\n", x, y, value);
      const double share = (value - map.min) / (map.max - map.min);
      if (!labelled) continue;
      labels += fmt::format("set label {} at {},{} center front tc rgb '{}'\n", gnuplot_string(short_number(value)), x,
                            y, share >= dark_number_from ? "#101418" : "#fdfdfd");
    }
  }
  picture.script += labels;
  append_block(picture.script, 0, rows);
  picture.script += "plot $d0 using 1:2:(0.49):(0.49):3 with boxxyerror lc palette notitle\n";
}

}  // namespace

Picture heat_map(const std::string& title, const HeatMap& map) {
  const auto columns = static_cast<unsigned>(map.x_names.size()), rows = static_cast<unsigned>(map.y_names.size());
  const bool labelled = columns <= labelled_cells_max;
  const unsigned margin = 150 + static_cast<unsigned>(static_cast<double>(longest(map.y_names)) * character_pixels);
  const unsigned most = map.small ? full_width / 2 : full_width;
  const unsigned cell = map.small ? 70 : 110, line = rows > 20 ? 18 : rows > 8 ? 28 : 46;
  Picture picture;
  picture.width = std::clamp(margin + columns * cell, map.small ? 315U : 480U, most);
  const bool upright = static_cast<double>(longest(map.x_names)) * character_pixels >
                       static_cast<double>(picture.width - margin) / std::max(columns, 1U) - character_pixels;
  const double upright_pixels = upright ? static_cast<double>(longest(map.x_names)) * character_pixels : 0;
  constexpr unsigned rest_pixels = 90, plot_pixels_min = 140;
  picture.height = rest_pixels + std::max(rows * line, plot_pixels_min) + static_cast<unsigned>(upright_pixels);
  picture.title = title;
  picture.script = std::string(look) + "unset grid\nset border 0\nset tics scale 0\nset key off\n";
  picture.script +=
      fmt::format("set xlabel {}\nset ylabel {}\n", gnuplot_string(map.x_label), gnuplot_string(map.y_label));
  if (!map.small) picture.script += fmt::format("set cblabel {}\n", gnuplot_string(map.label));
  picture.script += name_axis(map.x_names, picture.width - margin) + tics_of("y", map.y_names, "");
  picture.script += axis_range("x", -0.5, columns - 0.5) + axis_range("y", -0.5, rows - 0.5);
  picture.script +=
      "set palette defined (0 '#3b1c5a', 1 '#36528c', 2 '#25838e', 3 '#3fb57a', 4 '#a5d84a', 5 '#f4e61e')\n"
      "set palette maxcolors 64\n";
  const double middle = (map.min + map.max) / 2;
  std::vector<std::pair<double, std::string>> marks;
  for (const double mark : {map.min, middle, map.max}) marks.emplace_back(mark, short_number(mark));
  picture.script += axis_range("cb", map.min, map.max) + tics_of("cb", marks, "scale 0.4");
  append_cells(picture, map, labelled);
  return picture;
}

}  // namespace smmusim::report
