// SPDX-License-Identifier: MIT
// The page of one run: what it did and how long that took; sections without numbers are left out. The pictures are
// collected first, because one gnuplot draws them all.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "platform/report/charts.h"
#include "platform/report/classes.h"
#include "platform/report/markup.h"
#include "platform/report/report.h"
#include "platform/report/run_pictures.h"
#include "platform/report/sections.h"

namespace smmusim::report {
namespace {

using nlohmann::ordered_json;

double percent(double part, double whole) {
  return whole > 0 ? 100 * part / whole : 0;
}

bool timed(const Document& statistics) {
  return statistics.number("latency_ns.mean") > 0;
}

void add_figures(Page& page, const Document& statistics) {
  if (timed(statistics)) {
    page.add_figure("throughput", short_number(statistics.number("throughput_gbps")), "Gbit/s");
    const TimeUnit unit = unit_for(statistics.number("latency_ns.mean"));
    page.add_figure("mean latency", short_number(statistics.number("latency_ns.mean") / unit.ns), unit.name);
    page.add_figure("p99 latency", short_number(statistics.number("latency_ns.p99") / unit.ns), unit.name);
    const TimeUnit whole = unit_for(statistics.number("simulated_ns"));
    page.add_figure("simulated time", short_number(statistics.number("simulated_ns") / whole.ns), whole.name);
  }
  page.add_figure("accesses", short_number(statistics.number("transactions")), "");
  const std::string bytes = bytes_text(statistics.number("bytes"));
  const std::size_t space = bytes.find(' ');
  page.add_figure("data", bytes.substr(0, space), bytes.substr(space + 1));
  page.add_figure("faults", short_number(statistics.number("faults")), "");
  page.add_figure("translations checked", short_number(statistics.number("check.checked")), "");
  const double mismatches = statistics.number("check.mismatches");
  if (mismatches > 0) {
    page.add_warning(fmt::format("{} of {} checked translations differ from what the trace says.",
                                 short_number(mismatches), short_number(statistics.number("check.checked"))));
  }
}

/// Untimed, the counts alone.
std::string latency_table(const Document& statistics) {
  constexpr std::array<std::pair<const char*, const char*>, 6> times{
      std::pair{"mean", "mean, ns"}, {"p50", "median, ns"}, {"p90", "p90, ns"}, {"p99", "p99, ns"},
      {"p999", "p99.9, ns"},         {"max", "max, ns"}};
  const std::size_t shown = timed(statistics) ? times.size() : 0;
  std::vector<Table::Column> columns{{"outcome", false}, {"accesses"}, {"share, %"}};
  for (std::size_t i = 0; i != shown; ++i) columns.push_back({times[i].second});
  Table table(std::move(columns));
  const auto add = [&](const std::string& words, const std::string& path, bool strong) {
    const double count = statistics.number(path + ".count");
    std::vector<std::string> cells{words, fixed(count, 0),
                                   fixed(percent(count, statistics.number("latency_ns.count")), 2)};
    for (std::size_t i = 0; i != shown; ++i) {
      cells.push_back(fixed(statistics.number(fmt::format("{}.{}", path, times[i].first)), 1));
    }
    table.add(std::move(cells), strong);
  };
  for (const OutcomeClass& one : classes_of(statistics)) add(one.words, "latency_by_class." + one.name, false);
  add("all accesses", "latency_ns", true);
  return table.markup();
}

/// Mean times per access, and each cell's share of the time of all accesses together.
std::string time_table(const Document& statistics) {
  Table table({{"outcome", false},
               {"link, ns"},
               {"translation, ns"},
               {"memory, ns"},
               {"mean, ns"},
               {"share of all time, %"},
               {"of it translation, %"}});
  const double whole = statistics.number("latency_ns.mean") * statistics.number("latency_ns.count");
  const auto add = [&](const std::string& words, const std::string& path, const std::string& times, bool strong) {
    std::vector<std::string> cells{words};
    for (const TimePart& part : time_parts) {
      cells.push_back(fixed(statistics.number(fmt::format("{}.{}", times, part.name)), 1));
    }
    const double mean = statistics.number(path + ".mean");
    cells.push_back(fixed(mean, 1));
    cells.push_back(fixed(percent(mean * statistics.number(path + ".count"), whole), 2));
    cells.push_back(fixed(percent(statistics.number(times + ".translation"), mean), 2));
    table.add(std::move(cells), strong);
  };
  for (const OutcomeClass& one : classes_of(statistics)) {
    const std::string path = "latency_by_class." + one.name;
    add(one.words, path, path + ".mean_time_ns", false);
  }
  add("all accesses", "latency_ns", "mean_time_ns", true);
  return table.markup();
}

std::string cache_table(const Document& statistics) {
  Table table({{"cache", false},
               {"lookups"},
               {"hits"},
               {"misses"},
               {"hit rate, %"},
               {"evictions"},
               {"invalidated"},
               {"fills overtaken by an invalidation"}});
  for (const CacheWords& cache : caches_of(statistics)) {
    const auto number = [&](const char* name) {
      return statistics.number_or_zero(std::string(cache.name) + "." + name);
    };
    table.add({cache.words, fixed(number("lookups"), 0), fixed(number("hits"), 0), fixed(number("misses"), 0),
               fixed(percent(number("hits"), number("lookups")), 2), fixed(number("evictions"), 0),
               fixed(number("invalidated"), 0), fixed(number("dropped_fills"), 0)});
  }
  return table.empty() ? paragraph("No cache was asked.") : table.markup();
}

/// "s1l-1" -> "stage 1, level -1".
std::string level_words(const std::string& name) {
  const std::size_t l = name.find('l');
  if (!name.starts_with('s') || l == std::string::npos) return name;
  return fmt::format("stage {}, level {}", name.substr(1, l - 1), name.substr(l + 1));
}

std::string walks_section(const Document& statistics) {
  Table table({{"purpose", false}, {"reads"}, {"writes"}});
  for (const auto& [purpose, counts] : statistics.object("memory.by_purpose").items()) {
    const std::string path = "memory.by_purpose." + purpose;
    table.add({purpose, fixed(statistics.number(path + ".reads"), 0), fixed(statistics.number(path + ".writes"), 0)});
  }
  table.add({"all", fixed(statistics.number("memory.reads"), 0), fixed(statistics.number("memory.writes"), 0)}, true);
  std::string text =
      fmt::format("{} walks of translation tables with {} fetches of descriptors",
                  short_number(statistics.number("walks.count")), short_number(statistics.number("walks.fetches")));
  if (timed(statistics)) text += fmt::format("; {} a walk in the mean", time_text(statistics.number("walks.mean_ns")));
  Table fetches({{"stage and level", false}, {"fetches"}});
  for (const auto& [level, count] : statistics.object("walks.by_stage_level").items()) {
    fetches.add({level_words(level), fixed(statistics.number("walks.by_stage_level." + level), 0)});
  }
  std::vector<std::string> blocks{subheading("Accesses to memory") + table.markup()};
  if (!fetches.empty()) blocks.insert(blocks.begin(), subheading("Descriptors by level") + fetches.markup());
  return paragraph(text + ".") + beside(blocks);
}

/// ATS, ATC, PRI and PCIe, as far as the statistics have something to say.
std::string ats_section(const Document& statistics) {
  constexpr std::array<std::pair<const char*, const char*>, 4> parts{
      std::pair{"ats", "ATS"}, {"atc", "ATC of the endpoints"}, {"pri", "PRI"}, {"pcie", "PCIe"}};
  std::vector<std::string> blocks;
  std::string silent;
  for (const auto& [name, words] : parts) {
    const ordered_json* part = statistics.find(name);
    if (part == nullptr || !holds_anything(*part)) {
      silent += (silent.empty() ? "" : ", ") + std::string(words);
    } else {
      blocks.push_back(subheading(words) + members_table(*part));
    }
  }
  return (blocks.empty() ? "" : beside(blocks)) +
         (silent.empty() ? "" : paragraph("Nothing to count: " + silent + "."));
}

std::string counts_table(const Document& statistics, const char* path, const char* title, const char* none) {
  const ordered_json& counts = statistics.object(path);
  if (counts.empty()) return paragraph(none);
  Table table({{title, false}, {"count"}});
  for (const auto& [name, unused] : counts.items()) {
    table.add({name, fixed(statistics.number(fmt::format("{}.{}", path, name)), 0)});
  }
  return table.markup();
}

std::string events_section(const Document& statistics) {
  std::vector<std::string> blocks{
      subheading("Events") + counts_table(statistics, "events", "event", "No event was generated."),
      subheading("Commands") + counts_table(statistics, "commands", "command", "No command was consumed.")};
  if (const ordered_json* json = statistics.find("invalidations"); json != nullptr && holds_anything(*json)) {
    blocks.push_back(subheading("Invalidations by the driver") + members_table(*json));
  }
  return beside(blocks);
}

std::string text_of(const ordered_json& json, const char* name) {
  if (!json.is_object() || !json.contains(name)) return "";
  const ordered_json& value = json[name];
  if (value.is_string()) return value.get<std::string>();
  return value.is_number() ? short_number(value.get<double>()) : "";
}

std::string streams_section(const Document& statistics) {
  constexpr std::size_t rows_max = 64;
  const ordered_json* streams = statistics.find("streams");
  if (streams == nullptr || !streams->is_array()) return paragraph("No stream.");
  Table table({{"StreamID"},
               {"endpoint", false},
               {"SMMU", false},
               {"accesses"},
               {"bytes"},
               {"faults"},
               {"mean, ns"},
               {"min, ns"},
               {"max, ns"}});
  std::size_t rows = 0;
  for (const ordered_json& stream : *streams) {
    if (++rows > rows_max) continue;
    const ordered_json none,
        &latency = stream.is_object() && stream.contains("latency_ns") ? stream["latency_ns"] : none;
    table.add({text_of(stream, "sid"), text_of(stream, "endpoint"), text_of(stream, "smmu"),
               text_of(stream, "transactions"), text_of(stream, "bytes"), text_of(stream, "faults"),
               text_of(latency, "mean"), text_of(latency, "min"), text_of(latency, "max")});
  }
  std::string text = table.markup();
  if (rows > rows_max) {
    text += paragraph(fmt::format("The first {} of {} streams; {} has all of them.", rows_max, rows, statistics_file));
  }
  return text;
}

}  // namespace

std::string run_page(const Document& statistics) {
  const std::string trace = statistics.text("config.trace.file");
  Page page("smmusim run: " + file_part(trace),
            fmt::format("trace {} · {} mode · seed {} · smmusim {}", trace, statistics.text("mode"),
                        short_number(statistics.number("seed")), statistics.text("version")));
  const RunPictures pictures(statistics);
  add_figures(page, statistics);
  if (timed(statistics)) {
    page.add_section("Throughput", pictures.markup(RunPicture::throughput) + pictures.markup(RunPicture::load));
    page.add_section("Latency by outcome", pictures.markup(RunPicture::latency) + pictures.markup(RunPicture::tail) +
                                               latency_table(statistics));
    if (statistics.find("mean_time_ns") != nullptr) {
      page.add_section("Where the time went", pictures.markup(RunPicture::time) + time_table(statistics));
    }
  } else {
    page.add_section("Accesses by outcome", paragraph("In untimed mode no time passes; only the counts say anything.") +
                                                latency_table(statistics));
  }
  page.add_section("Caches", pictures.markup(RunPicture::caches) + cache_table(statistics));
  page.add_section("Walks and memory", walks_section(statistics));
  page.add_section("ATS, PRI and PCIe", ats_section(statistics));
  page.add_section("Events and commands", events_section(statistics));
  page.add_section("Streams", streams_section(statistics));
  page.add_section("Configuration", configuration_section(statistics.object("config"), {}));
  return page.markup();
}

}  // namespace smmusim::report
