// SPDX-License-Identifier: MIT
// Names and colours of classes; see the header.
#include "platform/report/classes.h"

#include <algorithm>
#include <iterator>

namespace smmusim::report {
namespace {

struct Known {
  std::string_view name;
  const char* words;
  unsigned colour;
};
constexpr Known known_classes[] = {
    {"translated", "translated by the device", 6},
    {"atc", "ATC hit", 8},
    {"micro_tlb", "micro TLB hit", 1},
    {"tlb", "TLB hit", 2},
    {"joined_walk", "waited for another's walk", 3},
    {"walk", "walk", 4},
    {"configuration", "configuration miss", 5},
    {"translation_request", "translation request", 10},
    {"page_request", "page request", 11},
    {"fault", "fault", 7},
};
constexpr unsigned colours_of_others[] = {9, 8, 6};

}  // namespace

std::vector<OutcomeClass> classes_of(const Document& statistics) {
  std::vector<OutcomeClass> classes;
  if (statistics.find("latency_by_class") == nullptr) return classes;
  std::size_t others = 0;
  for (const auto& [name, unused] : statistics.object("latency_by_class").items()) {
    const auto known = std::find_if(std::begin(known_classes), std::end(known_classes),
                                    [&name = name](const Known& one) { return one.name == name; });
    const bool is_known = known != std::end(known_classes);
    OutcomeClass entry{name, is_known ? known->words : name, 0, 0};
    entry.colour = is_known ? known->colour : colours_of_others[others++ % std::size(colours_of_others)];
    entry.count = statistics.number("latency_by_class." + name + ".count");
    if (entry.count > 0) classes.push_back(entry);
  }
  return classes;
}

}  // namespace smmusim::report
