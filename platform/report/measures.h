// SPDX-License-Identifier: MIT
// What is compared between the points of a sweep: columns of its results, or what follows from them, in units that fit.
#pragma once

#include <string>
#include <vector>

#include "platform/report/document.h"

namespace smmusim::report {

struct Measured {
  std::string words;           ///< "mean latency"
  std::string unit;            ///< "µs"; empty: none
  std::vector<double> values;  ///< by row of the results
  std::string label() const { return unit.empty() ? words : words + ", " + unit; }
  std::string heading() const;  ///< the words with a capital letter
  bool constant() const;        ///< the same at every point
};

/// Those that every point has a number for and some a number above 0. Throughput is the first of a timed sweep.
std::vector<Measured> measures_of(const Results& results);

/// The keys that have two values or more, by their place in results.axes.
std::vector<std::size_t> varied_axes(const Results& results);

}  // namespace smmusim::report
