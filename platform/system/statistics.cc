// SPDX-License-Identifier: MIT
// Statistics; see the header. What the endpoints have none of (an ATC) is counted as it is: never.
#include "platform/system/statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "model/spec/command.h"
#include "platform/config/show.h"
#include "platform/config/value.h"
#include "platform/config/version.h"
#include "platform/nested/host_statistics.h"
#include "platform/system/smmu_statistics.h"

namespace smmusim {
namespace {

using nlohmann::ordered_json;

constexpr double ps_per_ns = 1000;

ordered_json latency_json(const LatencyHistogram& latency) {
  return {{"count", latency.count()},
          {"mean", latency.mean() / ps_per_ns},
          {"min", to_ns(latency.min())},
          {"p50", to_ns(latency.percentile(500))},
          {"p90", to_ns(latency.percentile(900))},
          {"p99", to_ns(latency.percentile(990))},
          {"p999", to_ns(latency.percentile(999))},
          {"max", to_ns(latency.max())}};
}

/// Bounds and counts of the histogram's bars that are not empty; a bar ends where the next one of all begins.
void add_bars(ordered_json& json, const LatencyHistogram& latency) {
  constexpr unsigned bars_max = 256;
  ordered_json from = ordered_json::array(), to = ordered_json::array(), counts = ordered_json::array();
  for (const LatencyHistogram::Bar& bar : latency.bars(bars_max)) {
    if (bar.count == 0) continue;
    from.push_back(to_ns(bar.from));
    to.push_back(to_ns(bar.to));
    counts.push_back(bar.count);
  }
  json["bars"] = {{"from_ns", from}, {"to_ns", to}, {"count", counts}};
}

ordered_json time_json(const ClassStatistics& statistics) {
  const std::uint64_t count = statistics.latency.count();
  return {{"link", mean_ns(statistics.link(), count)},
          {"translation", mean_ns(statistics.translation, count)},
          {"memory", mean_ns(statistics.memory, count)}};
}

ordered_json latency_by_class_json(const AccessStatistics& accesses) {
  ordered_json json;
  for (std::size_t i = 0; i != access_classes; ++i) {
    const auto name = static_cast<AccessClass>(i);
    const ClassStatistics& statistics = accesses.of(name);
    ordered_json& entry = json[std::string(name_of(name))];
    entry = latency_json(statistics.latency);
    entry["mean_time_ns"] = time_json(statistics);
    add_bars(entry, statistics.latency);
  }
  return json;
}

ordered_json timeline_json(const Simulation& simulation) {
  const Timeline& timeline = simulation.accesses().timeline();
  ordered_json transactions = ordered_json::array(), bytes = ordered_json::array(), latency = ordered_json::array();
  for (const Timeline::Interval& interval : timeline.intervals()) {
    transactions.push_back(interval.transactions);
    bytes.push_back(interval.bytes);
    latency.push_back(mean_ns(interval.latency, interval.transactions));
  }
  return {{"interval_ns", to_ns(timeline.width())},
          {"end_ns", to_ns(simulation.playing_time())},
          {"transactions", transactions},
          {"bytes", bytes},
          {"mean_latency_ns", latency}};
}

ordered_json streams_json(Simulation& simulation) {
  ordered_json streams = ordered_json::array();
  const PlatformConfig& config = simulation.config();
  for (std::size_t i = 0; i != config.endpoints.size(); ++i) {
    const StreamStatistics& stream = simulation.streams()[i];
    const PlayedStream& played = simulation.setup().played_streams()[i];
    const LatencySummary& latency = stream.latency;
    ordered_json substreams = ordered_json::array();
    for (const PlayedSubstream& sub : played.substreams) {
      substreams.push_back({{"ssid", sub.substream}, {"asid", simulation.setup().spaces()[sub.space].asid}});
    }
    streams.push_back({{"sid", config.endpoints[i].stream().value},
                       {"endpoint", config.endpoints[i].name},
                       {"smmu", config.smmus[played.smmu].name},
                       {"asid", simulation.setup().spaces()[played.space].asid},
                       {"substreams", substreams},
                       {"transactions", stream.transactions},
                       {"bytes", stream.bytes},
                       {"faults", stream.faults},
                       {"latency_ns",
                        {{"count", latency.count},
                         {"mean", mean_ns(latency.sum, latency.count)},
                         {"min", latency.count == 0 ? 0 : to_ns(latency.min)},
                         {"max", to_ns(latency.max)}}}});
  }
  return streams;
}

/// The counters of all SMMUs together.
SmmuCounters total(Simulation& simulation) {
  SmmuCounters sum;
  Platform& platform = simulation.platform();
  for (std::size_t i = 0; i != platform.smmus(); ++i) {
    const SmmuCounters& one = platform.smmu(i).smmu().counters();
    sum.transactions += one.transactions;
    sum.aborts += one.aborts;
    sum.raz_wi += one.raz_wi;
    sum.events_written += one.events_written;
    sum.events_lost += one.events_lost;
    sum.command_errors += one.command_errors;
    sum.walks += one.walks;
    sum.walk_fetches += one.walk_fetches;
    sum.walk_time += one.walk_time;
    sum.config_fetches += one.config_fetches;
    sum.external_aborts += one.external_aborts;
    sum.msis += one.msis;
    sum.wired_interrupts += one.wired_interrupts;
    sum.syncs += one.syncs;
    sum.translation_requests += one.translation_requests;
    sum.atc_invalidations += one.atc_invalidations;
    sum.atc_timeouts += one.atc_timeouts;
    sum.page_requests += one.page_requests;
    sum.page_requests_written += one.page_requests_written;
    sum.page_requests_lost += one.page_requests_lost;
    sum.automatic_page_responses += one.automatic_page_responses;
    sum.sync_wait += one.sync_wait;
    for (std::size_t k = 0; k != sum.events.size(); ++k) sum.events[k] += one.events[k];
    for (std::size_t k = 0; k != sum.commands.size(); ++k) sum.commands[k] += one.commands[k];
    for (std::size_t k = 0; k != purposes; ++k) {
      sum.reads_by_purpose[k] += one.reads_by_purpose[k];
      sum.writes_by_purpose[k] += one.writes_by_purpose[k];
    }
    for (std::size_t stage = 0; stage != sum.fetches_by_stage_level.size(); ++stage) {
      for (std::size_t level = 0; level != sum.fetches_by_stage_level[stage].size(); ++level) {
        sum.fetches_by_stage_level[stage][level] += one.fetches_by_stage_level[stage][level];
      }
    }
  }
  return sum;
}

CacheCounters total(Simulation& simulation, CacheId cache) {
  CacheCounters sum;
  Platform& platform = simulation.platform();
  for (std::size_t i = 0; i != platform.smmus(); ++i) sum += platform.smmu(i).smmu().cache_counters(cache);
  return sum;
}

ordered_json direction_json(const platform::TlpLinkCounters& counters) {
  return {{"tlps", counters.tlps},
          {"tlp_bytes", counters.tlp_bytes},
          {"payload_bytes", counters.payload_bytes},
          {"dllps", counters.dllps},
          {"busy_ns", to_ns(counters.busy)},
          {"credit_starved_ns", to_ns(counters.credit_starved)}};
}

ordered_json memory_json(Simulation& simulation, const SmmuCounters& counters) {
  std::uint64_t reads = simulation.dma_reads();
  std::uint64_t writes = simulation.dma_writes();
  ordered_json by_purpose = {{"DMA", {{"reads", reads}, {"writes", writes}}}};
  for (std::size_t i = 0; i != purposes; ++i) {
    if (counters.reads_by_purpose[i] == 0 && counters.writes_by_purpose[i] == 0) continue;
    by_purpose[name_of(static_cast<Purpose>(i))] = {{"reads", counters.reads_by_purpose[i]},
                                                    {"writes", counters.writes_by_purpose[i]}};
    reads += counters.reads_by_purpose[i];
    writes += counters.writes_by_purpose[i];
  }
  return {{"reads", reads},
          {"writes", writes},
          {"decode_errors", simulation.platform().interconnect().decode_errors()},
          {"resident_bytes", simulation.platform().memory().resident_bytes()},
          {"by_purpose", by_purpose}};
}

ordered_json invalidations_json(const PlayerCounters& player, const SmmuCounters& counters) {
  return {{"count", player.invalidations},
          {"mean_ns", mean_ns(player.invalidation_time, player.invalidations)},
          {"max_ns", to_ns(player.invalidation_time_max)},
          {"syncs", counters.syncs},
          {"sync_mean_ns", mean_ns(counters.sync_wait, counters.syncs)},
          {"refused_batches", player.refused_batches}};
}

platform::FunctionCounters function_total(Platform& platform) {
  platform::FunctionCounters sum;
  for (std::size_t i = 0; i != platform.endpoints(); ++i) sum += platform.endpoint(i).tlp_counters();
  return sum;
}

ordered_json ats_json(const SmmuCounters& counters, const platform::FunctionCounters& functions) {
  return {{"requests", counters.translation_requests},
          {"completions", functions.translation_completions},
          {"invalidations", counters.atc_invalidations},
          {"timeouts", counters.atc_timeouts},
          {"mean_request_ns", mean_ns(functions.translation_time, functions.translation_completions)}};
}

/// `requests` reach the SMMUs; `written` ones the driver takes, `lost` ones found the PRI queue full. `overflows` of
/// the queue are those that the driver saw. Each function waits for a response from when its request went out.
ordered_json pri_json(Simulation& simulation, const SmmuCounters& counters) {
  const std::uint64_t commands = counters.commands[static_cast<std::size_t>(spec::Opcode::CMD_PRI_RESP)];
  const PageRequestCounters driver = simulation.page_requests();
  const platform::FunctionCounters functions = function_total(simulation.platform());
  std::uint64_t overflows = 0;
  for (std::size_t i = 0; i != simulation.platform().smmus(); ++i) {
    overflows += simulation.setup().driver(i).page_request_overflows();
  }
  return {{"requests", counters.page_requests},
          {"written", counters.page_requests_written},
          {"lost", counters.page_requests_lost},
          {"overflows", overflows},
          {"stop_markers", driver.stop_markers},
          {"responses", commands + counters.automatic_page_responses},
          {"automatic_responses", counters.automatic_page_responses},
          {"refused", functions.page_failures},
          {"pages_mapped", simulation.player().counters().pages_on_demand},
          {"mean_service_ns", mean_ns(driver.service_time, driver.responses)},
          {"mean_wait_ns", mean_ns(functions.page_time, functions.page_responses)}};
}

ordered_json atc_json(Platform& platform) {
  platform::AtcCounters sum;
  for (std::size_t i = 0; i != platform.endpoints(); ++i) sum += platform.endpoint(i).atc().counters();
  const platform::FunctionCounters functions = function_total(platform);
  return {{"lookups", sum.lookups},
          {"hits", sum.hits},
          {"misses", sum.misses},
          {"merged", functions.merged},
          {"requests", functions.translation_requests},
          {"prefetches", functions.prefetches},
          {"stale_completions", functions.stale_completions},
          {"fills", sum.fills},
          {"evictions", sum.evictions},
          {"invalidated", sum.invalidated},
          {"no_permission", functions.no_permission}};
}

ordered_json switches_json(Platform& platform) {
  ordered_json list = ordered_json::array();
  for (std::size_t i = 0; i != platform.switches(); ++i) {
    const Platform::SwitchUnit& unit = platform.switch_unit(i);
    const platform::SwitchCounters& counters = unit.fabric.counters();
    list.push_back({{"name", printable(unit.place.name)},
                    {"received", counters.received},
                    {"up", counters.up},
                    {"down", counters.down},
                    {"peer", counters.peer},
                    {"redirected", counters.redirected},
                    {"unsupported_requests", counters.unsupported_requests},
                    {"acs_violations", counters.acs_violations},
                    {"unexpected_completions", counters.unexpected_completions},
                    {"malformed", counters.malformed},
                    {"upstream", direction_json(unit.link.counters(platform::TlpLink::downstream))},
                    {"downstream", direction_json(unit.link.counters(platform::TlpLink::upstream))}});
  }
  return list;
}

ordered_json pcie_json(Platform& platform) {
  const platform::FunctionCounters functions = function_total(platform);
  const platform::RootComplexCounters& root = platform.root_complex().counters();
  ordered_json links = ordered_json::array();
  for (std::size_t i = 0; i != platform.endpoints(); ++i) {
    const auto up = platform.link(i).counters(platform::TlpLink::downstream);
    const auto down = platform.link(i).counters(platform::TlpLink::upstream);
    links.push_back({{"upstream", direction_json(up)}, {"downstream", direction_json(down)}});
  }
  return {{"memory_read_tlps", functions.read_requests},
          {"memory_write_tlps", functions.write_requests},
          {"atomic_tlps", functions.atomic_requests},
          {"translation_request_tlps", functions.translation_requests + functions.prefetches},
          {"completion_tlps", root.completions},
          {"invalidate_requests", root.invalidate_requests},
          {"invalidate_completions", root.invalidate_completions},
          {"page_requests", root.page_requests},
          {"page_responses", root.page_responses},
          {"unsupported_requests", root.unsupported_requests},
          {"malformed", root.malformed + functions.malformed},
          {"acs_violations", root.acs_violations},
          {"invalidations_lost", root.invalidations_lost},
          {"unexpected_completions", root.unexpected_completions + functions.unexpected},
          {"completion_timeouts", functions.completion_timeouts},
          {"doorbell_writes", platform.doorbell().count()},
          {"links", links},
          {"switches", switches_json(platform)}};
}

/// The parts that say what the translations cost.
void add_translation(ordered_json& json, Simulation& simulation, const SmmuCounters& counters) {
  json["micro_tlb"] = cache_json(total(simulation, CacheId::micro_tlb));
  json["tlb"] = cache_json(total(simulation, CacheId::tlb));
  json["walk_cache"] = cache_json(total(simulation, CacheId::walk_cache));
  json["ipa_cache"] = cache_json(total(simulation, CacheId::ipa_cache));
  json["config_cache"] = cache_json(total(simulation, CacheId::config_cache));
  json["walks"] = walks_json(counters);
  json["ats"] = ats_json(counters, function_total(simulation.platform()));
  json["atc"] = atc_json(simulation.platform());
  json["pri"] = pri_json(simulation, counters);
  json["pcie"] = pcie_json(simulation.platform());
}

/// A file's name may be no UTF-8; JSON is.
std::string in_one_line(const ordered_json& json) {
  return json.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

/// As dump(2), but a list of plain values in one line: some have hundreds. `line`: a line's end and the indentation.
void append_text(std::string& text, const ordered_json& json, const std::string& line) {
  const auto plain = [](const ordered_json& element) { return !element.is_structured(); };
  if (json.empty() || plain(json) || (json.is_array() && std::all_of(json.begin(), json.end(), plain))) {
    text += in_one_line(json);
    return;
  }
  const std::string inner = line + "  ";
  text += json.is_object() ? '{' : '[';
  const char* separator = "";
  for (const auto& [key, value] : json.items()) {
    text += separator + inner;
    if (json.is_object()) text += in_one_line(key) + ": ";
    append_text(text, value, inner);
    separator = ",";
  }
  text += line + (json.is_object() ? '}' : ']');
}

}  // namespace

ordered_json statistics_json(Simulation& simulation, double host_seconds) {
  const PlatformConfig& config = simulation.config();
  const PlayerCounters& player = simulation.player().counters();
  const SmmuCounters counters = total(simulation);
  const double seconds = static_cast<double>(simulation.playing_time()) * 1e-12;
  ordered_json json;
  json["version"] = std::string(program_version);
  json["seed"] = config.seed;
  json["mode"] = config.mode == Mode::timed ? "timed" : "untimed";
  json["config"] = config_to_json(config);
  json["simulated_ns"] = to_ns(simulation.simulated_time());
  json["host_seconds"] = host_seconds;
  json["transactions"] = player.accesses;
  json["transactions_per_host_second"] = host_seconds > 0 ? static_cast<double>(player.accesses) / host_seconds : 0.0;
  json["bytes"] = player.bytes;
  json["faults"] = player.failed;
  json["check"] = {{"checked", player.checked}, {"mismatches", player.mismatches}};
  json["events"] = events_json(counters);
  json["commands"] = commands_json(counters);
  const ClassStatistics all = simulation.accesses().total();
  json["latency_ns"] = latency_json(all.latency);
  json["mean_time_ns"] = time_json(all);
  json["latency_by_class"] = latency_by_class_json(simulation.accesses());
  json["throughput_gbps"] = seconds > 0 ? static_cast<double>(player.bytes) * 8e-9 / seconds : 0.0;
  json["timeline"] = timeline_json(simulation);
  json["streams"] = streams_json(simulation);
  add_translation(json, simulation, counters);
  json["memory"] = memory_json(simulation, counters);
  json["invalidations"] = invalidations_json(player, counters);
  json["smmus"] = ordered_json::array();
  for (std::size_t i = 0; i != simulation.platform().smmus(); ++i) {
    json["smmus"].push_back(smmu_json(simulation.platform().smmu(i).smmu(), config.smmus[i].name));
  }
  if (simulation.nested() != nullptr) {
    const host::SimulatedHost& physical = *simulation.platform().host();
    for (std::size_t i = 0; i != physical.physical_smmus(); ++i) {
      json["smmus"].push_back(
          smmu_json(simulation.platform().host()->physical_smmu(i), "host." + config.smmus[i].name, "host"));
    }
    json["host"] = nested::host_json(*simulation.nested());
  }
  return json;
}

std::string to_text(const ordered_json& json) {
  std::string text;
  append_text(text, json, "\n");
  return text + "\n";
}

}  // namespace smmusim
