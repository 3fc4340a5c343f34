// SPDX-License-Identifier: MIT
// The pictures of a sweep's page.
#pragma once

#include <string>
#include <vector>

#include "platform/report/measures.h"

namespace smmusim::report {

class SweepPictures {
 public:
  /// Draws all that these results have a picture for.
  SweepPictures(const Results& results, const std::vector<Measured>& measures);
  /// The figures of measures[i], or a sentence if there are too many values for a picture. Empty if no key was varied,
  /// or if the number does not depend on any and only explains others.
  const std::string& of_measure(std::size_t i) const { return measures_[i]; }
  /// Where the time of the points' accesses went; empty if there are too many points, or no time passed.
  const std::string& times() const { return times_; }

 private:
  std::vector<std::string> measures_;
  std::string times_;
};

}  // namespace smmusim::report
