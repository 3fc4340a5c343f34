// SPDX-License-Identifier: MIT
// The samples; see the header.
#include "tests/report/sample.h"

#include <fmt/format.h>

#include "platform/config/show.h"

namespace smmusim::report {
namespace {

using nlohmann::ordered_json;

ordered_json latency(unsigned count, double mean, double max) {
  return {{"count", count}, {"mean", mean}, {"min", mean}, {"p50", mean},
          {"p90", mean},    {"p99", max},   {"p999", max}, {"max", max}};
}

ordered_json outcome_class(unsigned count, double mean, double max, const ordered_json& times,
                           const ordered_json& bars) {
  ordered_json json = latency(count, mean, max);
  json["mean_time_ns"] = times;
  json["bars"] = bars;
  return json;
}

ordered_json times(double link, double translation, double memory) {
  return {{"link", link}, {"translation", translation}, {"memory", memory}};
}

ordered_json cache(unsigned lookups, unsigned hits) {
  return {{"lookups", lookups}, {"hits", hits}, {"misses", lookups - hits}, {"evictions", 0}, {"invalidated", 3}};
}

}  // namespace

ordered_json sample_statistics() {
  PlatformConfig config;
  config.trace.file = "traces/sample.trace";
  ordered_json json = {{"version", "0.1.0"}, {"seed", 1}, {"mode", "timed"}, {"config", config_to_json(config)}};
  json["simulated_ns"] = 8000.0;
  json["transactions"] = 100;
  json["bytes"] = 6400;
  json["faults"] = 0;
  json["check"] = {{"checked", 100}, {"mismatches", 0}};
  json["events"] = ordered_json::object();
  json["commands"] = {{"CMD_SYNC", 12}, {"CMD_TLBI_NH_VA", 11}};
  json["latency_ns"] = latency(100, 510, 2000);
  json["mean_time_ns"] = times(400, 60, 50);
  json["latency_by_class"]["micro_tlb"] =
      outcome_class(90, 400, 400, times(349, 1, 50), {{"from_ns", {400.0}}, {"to_ns", {406.0}}, {"count", {90}}});
  json["latency_by_class"]["walk"] =
      outcome_class(10, 1500, 2000, times(859, 591, 50),
                    {{"from_ns", {1000.0, 1900.0}}, {"to_ns", {1010.0, 2000.0}}, {"count", {5, 5}}});
  json["latency_by_class"]["fault"] = outcome_class(0, 0, 0, times(0, 0, 0), {});
  json["throughput_gbps"] = 6.4;
  json["timeline"] = {{"interval_ns", 1000.0},
                      {"end_ns", 3600.0},
                      {"transactions", {40, 30, 20, 10}},
                      {"bytes", {2560, 1920, 1280, 640}},
                      {"mean_latency_ns", {400.0, 500.0, 600.0, 700.0}}};
  json["streams"] = {{{"sid", 8},
                      {"endpoint", "nvme0"},
                      {"smmu", "smmu0"},
                      {"transactions", 100},
                      {"bytes", 6400},
                      {"faults", 0},
                      {"latency_ns", {{"mean", 510.0}, {"min", 400.0}, {"max", 2000.0}}}}};
  json["micro_tlb"] = cache(100, 90);
  json["tlb"] = cache(10, 0);
  json["walks"] = {{"count", 10}, {"fetches", 13}, {"mean_ns", 120.5}, {"by_stage_level", {{"s1l2", 3}, {"s1l3", 10}}}};
  json["ats"] = {{"requests", 0}, {"mean_request_ns", 0.0}};
  json["memory"] = {{"reads", 60}, {"writes", 53}, {"by_purpose", {{"DMA", {{"reads", 47}, {"writes", 53}}}}}};
  json["trace"] = {{"bytes", 1234}, {"crc32c", "0x12345678"}};
  return json;
}

std::string sample_columns() {
  return "simulated_ns,transactions,faults,check.mismatches,latency_ns.mean,latency_ns.p99,mean_time_ns.link,"
         "mean_time_ns.translation,mean_time_ns.memory,throughput_gbps\n";
}

std::string sample_row(double throughput) {
  return fmt::format("8000.0,100,0,0,{},2000.0,400.0,60.0,50.0,{}\n", 3264 / throughput, throughput);
}

std::string sample_results() {
  return "smmu.oas,endpoint.ats," + sample_columns() + "40,off," + sample_row(6.4) + "40,auto," + sample_row(7.5) +
         "44,off," + sample_row(6.5) + "44,auto," + sample_row(8);
}

}  // namespace smmusim::report
