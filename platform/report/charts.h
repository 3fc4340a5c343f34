// SPDX-License-Identifier: MIT
// The kinds of pictures that reports have, from numbers to gnuplot's commands. Legends stand beside the plot, never in
// it. What the numbers mean is the pages'.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "platform/report/gnuplot.h"

namespace smmusim::report {

/// A unit for a number of nanoseconds, so that the largest has few digits: ns, us, ms or s.
struct TimeUnit {
  double ns;
  const char* name;
};
TimeUnit unit_for(double largest_ns);

struct Point {
  double x = 0, y = 0;
};

struct Series {
  std::string name;     ///< empty: not in the legend
  unsigned colour = 0;  ///< of svg.h
  std::vector<Point> points;
};

struct Axis {
  std::string label;  ///< with the unit
  bool log = false;
  bool time = false;  ///< logarithmic, in nanoseconds: the marks carry their own units
  std::vector<std::pair<double, std::string>> marks{};  ///< instead of marks at round numbers
  double min = 0, max = 0;                              ///< equal: from the numbers; a linear y axis then begins at 0
};

enum class Mark : unsigned char { lines, points_and_lines, area };

/// Lines over x. A line is broken where a number is none, and where a logarithmic axis can't have it.
Picture line_chart(const std::string& title, const Axis& x, const Axis& y, const std::vector<Series>& series,
                   Mark mark = Mark::lines, unsigned height = 380);

/// Horizontal bars, one for each name, the first at the top, each of parts one after the other. `parts` name the
/// legend; values[bar][part]. The sum stands behind each bar.
struct Bars {
  std::vector<std::string> names;
  std::vector<Series> parts;  ///< name and colour
  std::vector<std::vector<double>> values;
  std::string label;  ///< of the values' axis
  double max = 0;     ///< 0: from the numbers
};
Picture bar_chart(const std::string& title, const Bars& bars);

/// A number for each pair of names; values[y][x], NaN where there is none, but not everywhere. The colours go from
/// `min` to `max`, which is larger.
struct HeatMap {
  std::string x_label, y_label, label;
  std::vector<std::string> x_names, y_names;
  std::vector<std::vector<double>> values;
  double min = 0, max = 0;
  bool small = false;  ///< one of several, below a heading with the label
};
Picture heat_map(const std::string& title, const HeatMap& map);

}  // namespace smmusim::report
