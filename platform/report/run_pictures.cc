// SPDX-License-Identifier: MIT
// Pictures of a run; see the header.
#include "platform/report/run_pictures.h"

#include <fmt/format.h>

#include <algorithm>

#include "platform/report/charts.h"
#include "platform/report/classes.h"
#include "platform/report/markup.h"
#include "platform/report/sections.h"

namespace smmusim::report {
namespace {

constexpr CacheWords cache_words[] = {
    {"atc", "ATC of the endpoints"}, {"micro_tlb", "micro TLB"}, {"tlb", "TLB"},
    {"walk_cache", "walk cache"},    {"ipa_cache", "IPA cache"}, {"config_cache", "configuration cache"}};

struct Captioned {
  RunPicture which;
  Picture picture;
  std::string caption;
};

/// Numbers by interval of the run; the last one ends with it.
struct Intervals {
  double width_ns, end_ns;
  std::vector<double> bytes, latencies;

  explicit Intervals(const Document& statistics)
      : width_ns(statistics.number("timeline.interval_ns")),
        end_ns(statistics.number("timeline.end_ns")),
        bytes(statistics.numbers("timeline.bytes")),
        latencies(statistics.numbers("timeline.mean_latency_ns")) {
    if (bytes.size() != latencies.size() || !(width_ns > 0)) statistics.fail("timeline", "has lists of unequal length");
  }
  double begin(std::size_t i) const { return static_cast<double>(i) * width_ns; }
  double end(std::size_t i) const { return i + 1 == bytes.size() ? std::min(end_ns, begin(i + 1)) : begin(i + 1); }
};

/// A line over the intervals, level within each.
std::vector<Point> level(const Intervals& intervals, const std::vector<double>& values, const TimeUnit& unit) {
  std::vector<Point> points;
  for (std::size_t i = 0; i != values.size(); ++i) {
    points.push_back({intervals.begin(i) / unit.ns, values[i]});
    points.push_back({intervals.end(i) / unit.ns, values[i]});
  }
  return points;
}

void add_timeline(std::vector<Captioned>& pictures, const Document& statistics) {
  if (statistics.find("timeline") == nullptr || statistics.number("latency_ns.mean") <= 0) return;
  Intervals intervals(statistics);
  // What is left of the last interval may be too short for a rate that means anything.
  const std::size_t last = intervals.bytes.size();
  if (last > 1 && intervals.end(last - 1) - intervals.begin(last - 1) < intervals.width_ns / 2) {
    intervals.end_ns = intervals.begin(last - 1);
    intervals.bytes.pop_back();
    intervals.latencies.pop_back();
  }
  const TimeUnit unit = unit_for(intervals.end_ns);
  const Axis time{fmt::format("simulated time since the first access, {}", unit.name),
                  false,
                  false,
                  {},
                  0,
                  intervals.end_ns / unit.ns};
  std::vector<double> rates;
  for (std::size_t i = 0; i != intervals.bytes.size(); ++i) {
    rates.push_back(intervals.bytes[i] * 8 / (intervals.end(i) - intervals.begin(i)));
  }
  pictures.push_back(
      {RunPicture::throughput,
       line_chart("Throughput over simulated time", time, {"throughput, Gbit/s"},
                  {{"", 1, level(intervals, rates, unit)}}, Mark::area, 260),
       fmt::format("Payload of the accesses that came back, in intervals of {}.", time_text(intervals.width_ns))});
  const double longest = *std::max_element(intervals.latencies.begin(), intervals.latencies.end());
  const TimeUnit latency_unit = unit_for(longest);
  std::vector<double> latencies;
  for (const double ns : intervals.latencies) latencies.push_back(ns / latency_unit.ns);
  pictures.push_back(
      {RunPicture::load,
       line_chart("Mean latency over simulated time", time, {fmt::format("mean latency, {}", latency_unit.name)},
                  {{"", 0, level(intervals, latencies, unit)}}, Mark::lines, 260),
       "Mean latency of the accesses that came back in the same intervals."});
}

struct Histogram {
  std::vector<double> from, to, counts;
};

Histogram bars_of(const Document& statistics, const OutcomeClass& one) {
  const std::string path = "latency_by_class." + one.name + ".bars";
  Histogram bars{statistics.numbers(path + ".from_ns"), statistics.numbers(path + ".to_ns"),
                 statistics.numbers(path + ".count")};
  if (bars.from.size() != bars.to.size() || bars.from.size() != bars.counts.size()) {
    statistics.fail(path, "has lists of unequal length");
  }
  return bars;
}

/// All bars of all classes as one list, in order.
Histogram merged(const std::vector<Histogram>& classes) {
  struct Bar {
    double from, to, count;
  };
  std::vector<Bar> all;
  for (const Histogram& bars : classes) {
    for (std::size_t i = 0; i != bars.counts.size(); ++i) all.push_back({bars.from[i], bars.to[i], bars.counts[i]});
  }
  std::sort(all.begin(), all.end(), [](const Bar& a, const Bar& b) { return a.to < b.to; });
  Histogram sum;
  for (const Bar& bar : all) {
    sum.from.push_back(bar.from);
    sum.to.push_back(bar.to);
    sum.counts.push_back(bar.count);
  }
  return sum;
}

/// The share of accesses, in percent, that took at most x, or (`tail`) longer than x.
std::vector<Point> distribution(const Histogram& bars, bool tail) {
  double whole = 0, seen = 0;
  for (const double count : bars.counts) whole += count;
  std::vector<Point> points;
  if (!(whole > 0)) return points;
  constexpr double all = 100;
  points.push_back({bars.from.front(), tail ? all : 0});
  for (std::size_t i = 0; i != bars.counts.size(); ++i) {
    seen += bars.counts[i];
    points.push_back({bars.to[i], all * (tail ? whole - seen : seen) / whole});
  }
  // Down to the last access: below, a logarithmic axis has nothing.
  if (tail) points.back().y = all / whole;
  return points;
}

void add_latency(std::vector<Captioned>& pictures, const Document& statistics) {
  const std::vector<OutcomeClass> classes = classes_of(statistics);
  if (classes.empty() || statistics.number("latency_ns.mean") <= 0) return;
  const double whole = statistics.number("latency_ns.count");
  std::vector<Histogram> bars;
  std::vector<Series> below, above;
  const auto add = [&](const std::string& name, unsigned colour, const Histogram& of) {
    below.push_back({name, colour, distribution(of, false)});
    above.push_back({name, colour, distribution(of, true)});
  };
  for (const OutcomeClass& one : classes) {
    bars.push_back(bars_of(statistics, one));
    add(fmt::format("{} ({:.3g} %)", one.words, 100 * one.count / whole), one.colour, bars.back());
  }
  if (classes.size() > 1) add("all accesses", 0, merged(bars));
  constexpr double all_percent = 100;
  const Axis time{"latency, from the device's request to its completion", true, true, {}, 0, 0};
  pictures.push_back({RunPicture::latency,
                      line_chart("Distribution of latency by outcome", time,
                                 {"share that took at most this, %", false, false, {}, 0, all_percent}, below),
                      "Cumulative distribution of the latency by what became of the accesses."});
  pictures.push_back({RunPicture::tail,
                      line_chart("Tail of the latency by outcome", time, {"share that took longer, %", true}, above),
                      "The tail: the share that took longer. A curve ends with its slowest access."});
}

void add_time(std::vector<Captioned>& pictures, const Document& statistics) {
  const double mean = statistics.number("latency_ns.mean");
  if (statistics.find("mean_time_ns") == nullptr || mean <= 0) return;
  const std::vector<OutcomeClass> classes = classes_of(statistics);
  double longest = mean;
  for (const OutcomeClass& one : classes) {
    longest = std::max(longest, statistics.number("latency_by_class." + one.name + ".mean"));
  }
  const TimeUnit unit = unit_for(longest);
  Bars bars;
  bars.label = fmt::format("mean time of an access, {}", unit.name);
  for (const TimePart& part : time_parts) bars.parts.push_back({part.words, part.colour, {}});
  const auto add = [&](const std::string& name, const std::string& path) {
    bars.names.push_back(name);
    bars.values.emplace_back();
    for (const TimePart& part : time_parts) {
      bars.values.back().push_back(statistics.number(fmt::format("{}.{}", path, part.name)) / unit.ns);
    }
  };
  add("all accesses", "mean_time_ns");
  for (const OutcomeClass& one : classes) add(one.words, "latency_by_class." + one.name + ".mean_time_ns");
  pictures.push_back(
      {RunPicture::time, bar_chart("Where the time of an access went", bars),
       "Waiting counts where it happened: for the link and for the credit of a full queue before the TBU "
       "as link, for walkers and other walks as translation, for memory's slots as memory."});
}

void add_caches(std::vector<Captioned>& pictures, const Document& statistics) {
  Bars bars;
  bars.label = "hit rate, %";
  bars.max = 112;
  bars.parts.push_back({"", 1, {}});
  for (const CacheWords& cache : caches_of(statistics)) {
    const std::string path = cache.name;
    bars.names.push_back(cache.words);
    bars.values.push_back({100 * statistics.number(path + ".hits") / statistics.number(path + ".lookups")});
  }
  if (bars.names.empty()) return;
  pictures.push_back({RunPicture::caches, bar_chart("Hit rates of the caches", bars),
                      "Hits by lookups. A miss of one cache is a lookup of the next."});
}

}  // namespace

std::vector<CacheWords> caches_of(const Document& statistics) {
  std::vector<CacheWords> caches;
  for (const CacheWords& cache : cache_words) {
    if (statistics.number_or_zero(std::string(cache.name) + ".lookups") > 0) caches.push_back(cache);
  }
  return caches;
}

RunPictures::RunPictures(const Document& statistics) {
  std::vector<Captioned> captioned;
  add_timeline(captioned, statistics);
  add_latency(captioned, statistics);
  add_time(captioned, statistics);
  add_caches(captioned, statistics);
  std::vector<Picture> pictures;
  for (const Captioned& one : captioned) pictures.push_back(one.picture);
  const std::vector<std::string> svgs = draw(pictures, statistics.name());
  for (std::size_t i = 0; i != svgs.size(); ++i) {
    markup_[static_cast<std::size_t>(captioned[i].which)] = figure(svgs[i], captioned[i].caption);
  }
}

}  // namespace smmusim::report
