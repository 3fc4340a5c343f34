// SPDX-License-Identifier: MIT
// Pictures of a run; see the header.
#include "platform/report/run_pictures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

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

/// What came back in the intervals of the run; the last one ends with it.
class Intervals {
 public:
  explicit Intervals(const Document& statistics)
      : width_ns_(statistics.number("timeline.interval_ns")), end_ns_(statistics.number("timeline.end_ns")) {
    const std::vector<double> transactions = statistics.numbers("timeline.transactions");
    const std::vector<double> bytes = statistics.numbers("timeline.bytes");
    const std::vector<double> latencies = statistics.numbers("timeline.mean_latency_ns");
    const std::size_t count = transactions.size();
    if (count == 0 || bytes.size() != count || latencies.size() != count) {
      statistics.fail("timeline", "has lists of unequal length");
    }
    if (!(width_ns_ > 0)) statistics.fail("timeline.interval_ns", "is not above 0");
    for (std::size_t i = 0; i != count; ++i) {
      list_.push_back({transactions[i], bytes[i], transactions[i] * latencies[i]});
    }
    while (too_fine()) join_pairs();
    drop_a_short_end();
  }

  std::size_t size() const { return list_.size(); }
  double width_ns() const { return width_ns_; }
  double end_ns() const { return end_ns_; }
  double gbps(std::size_t i) const { return list_[i].bytes * 8 / (end(i) - begin(i)); }
  /// NaN: nothing came back.
  double mean_latency_ns(std::size_t i) const { return list_[i].latency_ns / list_[i].transactions; }

  /// A line over the intervals, level within each.
  template <class Value>
  std::vector<Point> level(const TimeUnit& unit, Value value) const {
    std::vector<Point> points;
    for (std::size_t i = 0; i != size(); ++i) {
      points.push_back({begin(i) / unit.ns, value(i)});
      points.push_back({end(i) / unit.ns, value(i)});
    }
    return points;
  }

 private:
  struct Interval {
    double transactions = 0, bytes = 0, latency_ns = 0;
  };

  double begin(std::size_t i) const { return static_cast<double>(i) * width_ns_; }
  double end(std::size_t i) const { return i + 1 == size() ? std::min(end_ns_, begin(i + 1)) : begin(i + 1); }

  /// More than can be told apart, or so fine that chance is all that there is to see.
  bool too_fine() const {
    constexpr std::size_t intervals_max = 128, intervals_min = 32;
    constexpr double transactions_min = 16;
    double transactions = 0;
    for (const Interval& one : list_) transactions += one.transactions;
    return size() > intervals_max ||
           (size() > intervals_min && transactions < transactions_min * static_cast<double>(size()));
  }

  void join_pairs() {
    std::vector<Interval> joined((size() + 1) / 2);
    for (std::size_t i = 0; i != size(); ++i) {
      joined[i / 2].transactions += list_[i].transactions;
      joined[i / 2].bytes += list_[i].bytes;
      joined[i / 2].latency_ns += list_[i].latency_ns;
    }
    list_ = std::move(joined);
    width_ns_ *= 2;
  }

  /// What is left of the last interval may be too short for a rate that means anything.
  void drop_a_short_end() {
    if (size() < 2 || end_ns_ - begin(size() - 1) >= width_ns_ / 2) return;
    end_ns_ = begin(size() - 1);
    list_.pop_back();
  }

  double width_ns_, end_ns_;
  std::vector<Interval> list_;
};

void add_timeline(std::vector<Captioned>& pictures, const Document& statistics) {
  if (statistics.find("timeline") == nullptr || statistics.number("latency_ns.mean") <= 0) return;
  const Intervals intervals(statistics);
  const TimeUnit unit = unit_for(intervals.end_ns());
  const Axis time{fmt::format("simulated time since the first access, {}", unit.name),
                  false,
                  false,
                  {},
                  0,
                  intervals.end_ns() / unit.ns};
  const auto rate = [&](std::size_t i) { return intervals.gbps(i); };
  pictures.push_back(
      {RunPicture::throughput,
       line_chart("Throughput over simulated time", time, {"throughput, Gbit/s"},
                  {{"", 1, intervals.level(unit, rate)}}, Mark::area, 260),
       fmt::format("Payload of the accesses that came back, in intervals of {}.", time_text(intervals.width_ns()))});
  double longest = 0;
  for (std::size_t i = 0; i != intervals.size(); ++i) longest = std::fmax(longest, intervals.mean_latency_ns(i));
  const TimeUnit latency_unit = unit_for(longest);
  const auto latency = [&](std::size_t i) { return intervals.mean_latency_ns(i) / latency_unit.ns; };
  pictures.push_back(
      {RunPicture::load,
       line_chart("Mean latency over simulated time", time, {fmt::format("mean latency, {}", latency_unit.name)},
                  {{"", 0, intervals.level(unit, latency)}}, Mark::lines, 260),
       "Mean latency of the accesses that came back in the same intervals; a gap is one without any."});
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
