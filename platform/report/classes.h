// SPDX-License-Identifier: MIT
// What became of accesses, in words: the classes of the statistics' latency_by_class with their colours, and the parts
// of an access's time.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "platform/report/document.h"

namespace smmusim::report {

struct OutcomeClass {
  std::string name;  ///< in the statistics
  std::string words;
  unsigned colour = 0;  ///< of svg.h
  double count = 0;
};
/// Those that occurred, in the order of the statistics; classes that this version does not know have their own names.
std::vector<OutcomeClass> classes_of(const Document& statistics);

struct TimePart {
  const char* name;  ///< in the statistics' mean_time_ns
  const char* words;
  unsigned colour;
};
inline constexpr TimePart time_parts[] = {{"link", "link and root complex", 8},
                                          {"translation", "translation in the SMMU", 4},
                                          {"memory", "interconnect and memory", 1}};

}  // namespace smmusim::report
