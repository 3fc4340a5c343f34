// SPDX-License-Identifier: MIT
// run_nvme(): what the loads of NVMe drivers have to say.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

#include "platform/config/value.h"
#include "platform/report/markup.h"
#include "platform/system/driven_run.h"
#include "platform/system/nvme_simulation.h"
#include "platform/system/smmu_statistics.h"

namespace smmusim {
namespace {

using nlohmann::ordered_json;
using report::grouped;

constexpr unsigned p50 = 500, p99 = 990, p999 = 999;

double per_second(std::uint64_t count, Time time) {
  return time == 0 ? 0 : static_cast<double>(count) / (static_cast<double>(time) * 1e-12);
}

ordered_json device_json(NvmeSimulation& simulation, const NvmeSimulation::Device& device) {
  const NvmeDriverCounters& counters = device.driver->counters();
  const platform::NvmeCounters& controller = simulation.platform().nvme(device.endpoint)->counters();
  const LatencyHistogram& latency = device.latency;
  const std::uint64_t bytes = counters.bytes_read + counters.bytes_written;
  return {{"name", simulation.config().endpoints[device.endpoint].name},
          {"reads", counters.reads},
          {"writes", counters.writes},
          {"bytes_read", counters.bytes_read},
          {"bytes_written", counters.bytes_written},
          {"failed", counters.failed},
          {"checked", counters.checked},
          {"mismatches", counters.mismatches},
          {"commands_per_second", per_second(counters.reads + counters.writes, simulation.load_time())},
          {"gigabits_per_second", per_second(bytes, simulation.load_time()) * 8e-9},
          {"latency_ns",
           {{"mean", latency.mean() / 1000},
            {"p50", to_ns(latency.percentile(p50))},
            {"p99", to_ns(latency.percentile(p99))},
            {"p999", to_ns(latency.percentile(p999))},
            {"max", to_ns(latency.max())}}},
          {"interrupts", counters.interrupts},
          {"maps", device.mapper->maps()},
          {"unmaps", device.mapper->unmaps()},
          {"admin_commands", controller.admin_commands}};
}

ordered_json all_json(NvmeSimulation& simulation, double host_seconds) {
  ordered_json devices = ordered_json::array();
  for (const auto& device : simulation.devices()) devices.push_back(device_json(simulation, device));
  ordered_json json = driven_json(simulation, "nvme", std::move(devices));
  json["host_seconds"] = host_seconds;
  return json;
}

std::string device_text(const NvmeSimulation& simulation, const ordered_json& device, const NvmeDriver& driver) {
  const auto count = [&](const char* key) { return grouped(device[key].get<std::uint64_t>()); };
  std::string text = fmt::format("{}: {} reads, {} writes, {} failed; {} bytes read, {} written\n",
                                 printable(device["name"].get<std::string>()), count("reads"), count("writes"),
                                 count("failed"), count("bytes_read"), count("bytes_written"));
  text += fmt::format("  driver          {} mappings, {} interrupts\n", count("unmaps"), count("interrupts"));
  if (simulation.config().mode == Mode::timed) {
    const ordered_json& latency = device["latency_ns"];
    text += fmt::format("  throughput      {} commands/s, {:.2f} Gbit/s\n",
                        grouped(static_cast<std::uint64_t>(device["commands_per_second"].get<double>())),
                        device["gigabits_per_second"].get<double>());
    text += fmt::format("  latency         mean {:.1f} ns, p50 {:.1f}, p99 {:.1f}, p99.9 {:.1f}, max {:.1f}\n",
                        latency["mean"].get<double>(), latency["p50"].get<double>(), latency["p99"].get<double>(),
                        latency["p999"].get<double>(), latency["max"].get<double>());
  }
  // Ungrouped: scripts look for this line.
  text += fmt::format("checked {} blocks, mismatches {}\n", device["checked"].get<std::uint64_t>(),
                      device["mismatches"].get<std::uint64_t>());
  for (const std::string& mismatch : driver.mismatches()) text += "  " + mismatch + "\n";
  return text;
}

std::string summary(NvmeSimulation& simulation, const ordered_json& json) {
  std::string text = fmt::format("NVMe load, {} mode\n", json["mode"].get<std::string>());
  for (std::size_t i = 0; i != simulation.devices().size(); ++i) {
    text += device_text(simulation, json["nvme"][i], *simulation.devices()[i].driver);
  }
  if (simulation.config().mode == Mode::timed) {
    text += fmt::format("simulated       {:.3f} us\n", json["simulated_ns"].get<double>() / 1000);
  }
  text += fmt::format("host            {:.2f} s\n", json["host_seconds"].get<double>());
  return text;
}

DrivenReport simulate(const PlatformConfig& config) {
  const auto host_start = std::chrono::steady_clock::now();
  NvmeSimulation simulation(config);
  simulation.run();
  const std::chrono::duration<double> host = std::chrono::steady_clock::now() - host_start;
  DrivenReport report;
  report.json = all_json(simulation, host.count());
  report.summary = summary(simulation, report.json);
  report.holds = std::all_of(simulation.devices().begin(), simulation.devices().end(), [](const auto& device) {
    return device.driver->counters().mismatches == 0 && device.driver->counters().failed == 0;
  });
  return report;
}

}  // namespace

int run_nvme(const RunOptions& options) {
  return run_driven(options, "nvme", [&] { return simulate(options.config); });
}

}  // namespace smmusim
