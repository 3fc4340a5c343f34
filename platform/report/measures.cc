// SPDX-License-Identifier: MIT
// The measures; see the header.
#include "platform/report/measures.h"

#include <algorithm>
#include <cctype>
#include <cmath>

#include "platform/report/charts.h"

namespace smmusim::report {
namespace {

enum class Kind { plain, time, percent };

struct Row {
  const char* words;
  const char* unit;
  Kind kind;
  const char* column;
  const char* divisor;  ///< of another column; null: none
};
constexpr Row rows[] = {
    {"throughput", "Gbit/s", Kind::plain, "throughput_gbps", nullptr},
    {"mean latency", "", Kind::time, "latency_ns.mean", nullptr},
    {"p99 latency", "", Kind::time, "latency_ns.p99", nullptr},
    {"micro TLB hit rate", "%", Kind::percent, "micro_tlb.hits", "micro_tlb.lookups"},
    {"TLB hit rate", "%", Kind::percent, "tlb.hits", "tlb.lookups"},
    {"ATC hit rate", "%", Kind::percent, "atc.hits", "atc.lookups"},
    {"walks per access", "", Kind::plain, "walks.count", "transactions"},
};

std::vector<double> values_of(const Results& results, const Row& row) {
  std::vector<double> values = results.values(row.column);
  if (row.divisor == nullptr) return values;
  const std::vector<double> divisors = results.values(row.divisor);
  for (std::size_t i = 0; i != values.size(); ++i) {
    // Nothing of nothing: a cache that was never asked.
    const double share = values[i] == 0 && divisors[i] == 0 ? 0 : values[i] / divisors[i];
    values[i] = row.kind == Kind::percent ? 100 * share : share;
  }
  return values;
}

}  // namespace

std::string Measured::heading() const {
  std::string text = words;
  const bool name = text.size() > 1 && std::isdigit(static_cast<unsigned char>(text[1])) != 0;  // p99
  if (!text.empty() && !name) text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
  return text;
}

bool Measured::constant() const {
  return std::all_of(values.begin(), values.end(), [this](double value) { return value == values.front(); });
}

std::vector<Measured> measures_of(const Results& results) {
  std::vector<Measured> measures;
  for (const Row& row : rows) {
    Measured measured{row.words, row.unit, values_of(results, row)};
    const auto known = [](double value) { return std::isfinite(value); };
    const auto above_0 = [](double value) { return value > 0; };
    if (!std::all_of(measured.values.begin(), measured.values.end(), known) ||
        std::none_of(measured.values.begin(), measured.values.end(), above_0)) {
      continue;
    }
    if (row.kind == Kind::time) {
      const TimeUnit unit = unit_for(*std::max_element(measured.values.begin(), measured.values.end()));
      for (double& value : measured.values) value /= unit.ns;
      measured.unit = unit.name;
    }
    measures.push_back(std::move(measured));
  }
  return measures;
}

std::vector<std::size_t> varied_axes(const Results& results) {
  std::vector<std::size_t> varied;
  for (std::size_t axis = 0; axis != results.axes.size(); ++axis) {
    if (results.axes[axis].values.size() > 1) varied.push_back(axis);
  }
  return varied;
}

}  // namespace smmusim::report
