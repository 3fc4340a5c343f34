// SPDX-License-Identifier: MIT
// Statistics of one SMMU; see the header.
#include "platform/system/smmu_statistics.h"

#include <fmt/format.h>

#include "model/spec/command_table.h"
#include "model/spec/event_table.h"

namespace smmusim {

using nlohmann::ordered_json;

namespace {

constexpr double ps_per_ns = 1000;

}  // namespace

double to_ns(Time time) {
  return static_cast<double>(time) / ps_per_ns;
}

double mean_ns(Time sum, std::uint64_t count) {
  return count == 0 ? 0 : static_cast<double>(sum) / static_cast<double>(count) / ps_per_ns;
}

ordered_json cache_json(const CacheCounters& cache) {
  return {{"lookups", cache.lookups},
          {"hits", cache.hits},
          {"misses", cache.misses()},
          {"evictions", cache.evictions},
          {"fills", cache.fills},
          {"invalidated", cache.invalidated},
          {"dropped_fills", cache.dropped_fills}};
}

ordered_json events_json(const SmmuCounters& counters) {
  ordered_json json = ordered_json::object();
  for (std::size_t number = 0; number != counters.events.size(); ++number) {
    if (counters.events[number] == 0) continue;
    const spec::EventInfo* info = spec::find_event(static_cast<std::uint8_t>(number));
    json[info != nullptr ? std::string(info->name) : fmt::format("0x{:02x}", number)] = counters.events[number];
  }
  return json;
}

ordered_json commands_json(const SmmuCounters& counters) {
  ordered_json json = ordered_json::object();
  for (std::size_t opcode = 0; opcode != counters.commands.size(); ++opcode) {
    if (counters.commands[opcode] == 0) continue;
    const spec::CommandInfo* info = spec::find_command(static_cast<std::uint8_t>(opcode));
    json[info != nullptr ? std::string(info->name) : fmt::format("0x{:02x}", opcode)] = counters.commands[opcode];
  }
  return json;
}

ordered_json walks_json(const SmmuCounters& counters) {
  ordered_json by_stage_level = ordered_json::object();
  for (unsigned stage = 0; stage != counters.fetches_by_stage_level.size(); ++stage) {
    const auto& levels = counters.fetches_by_stage_level[stage];
    for (unsigned level = 0; level != levels.size(); ++level) {
      if (levels[level] == 0) continue;
      by_stage_level[fmt::format("s{}l{}", stage + 1, static_cast<int>(level) - 1)] = levels[level];
    }
  }
  return {{"count", counters.walks},
          {"fetches", counters.walk_fetches},
          {"mean_ns", mean_ns(counters.walk_time, counters.walks)},
          {"by_stage_level", by_stage_level}};
}

ordered_json smmu_json(const Smmu& smmu, std::string_view name, std::string_view role) {
  const SmmuCounters& counters = smmu.counters();
  return {{"name", name},
          {"role", role},
          {"transactions", counters.transactions},
          {"aborts", counters.aborts},
          {"events", events_json(counters)},
          {"events_lost", counters.events_lost},
          {"events_merged", counters.events_merged},
          {"stalls",
           {{"recorded", counters.stalls},
            {"suppressed", counters.stalls_suppressed},
            {"retries", counters.stall_retries}}},
          {"commands", commands_json(counters)},
          {"command_errors", counters.command_errors},
          {"stream_cache", cache_json(smmu.cache_counters(CacheId::stream_cache))},
          {"micro_tlb", cache_json(smmu.cache_counters(CacheId::micro_tlb))},
          {"tlb", cache_json(smmu.cache_counters(CacheId::tlb))},
          {"walk_cache", cache_json(smmu.cache_counters(CacheId::walk_cache))},
          {"ipa_cache", cache_json(smmu.cache_counters(CacheId::ipa_cache))},
          {"config_cache", cache_json(smmu.cache_counters(CacheId::config_cache))},
          {"walks", walks_json(counters)},
          {"external_aborts", counters.external_aborts},
          {"interrupts", {{"msi", counters.msis}, {"wired", counters.wired_interrupts}}}};
}

}  // namespace smmusim
