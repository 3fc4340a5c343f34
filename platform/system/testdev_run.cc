// SPDX-License-Identifier: MIT
// run_testdev(): what the drivers of iommu-testdevs have to say.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "platform/config/value.h"
#include "platform/report/markup.h"
#include "platform/system/driven_run.h"
#include "platform/system/testdev_simulation.h"

namespace smmusim {
namespace {

using nlohmann::ordered_json;
using report::grouped;

ordered_json device_json(const TestdevSimulation& simulation, const TestdevSimulation::Device& device) {
  const TestdevDriverCounters& counters = device.driver->counters();
  return {{"name", simulation.config().endpoints[device.endpoint].name},
          {"writes", counters.writes},
          {"bytes", counters.bytes},
          {"failed", counters.failed},
          {"mismatches", counters.mismatches},
          {"after_unmap", counters.stale},
          {"after_unmap_reached", counters.reached}};
}

std::string summary(const TestdevSimulation& simulation) {
  std::string text;
  for (const auto& device : simulation.devices()) {
    const TestdevDriverCounters& counters = device.driver->counters();
    text += fmt::format("{}: iommu-testdev, {} writes, {} bytes, {} failed\n",
                        printable(simulation.config().endpoints[device.endpoint].name), grouped(counters.writes),
                        grouped(counters.bytes), grouped(counters.failed));
    text += fmt::format("  after unmap     {} writes, {} reached memory\n", grouped(counters.stale),
                        grouped(counters.reached));
    // Ungrouped: scripts look for this line.
    text += fmt::format("checked {} buffers, mismatches {}\n", counters.writes, counters.mismatches);
    for (const std::string& complaint : device.driver->complaints()) text += "  " + complaint + "\n";
  }
  return text;
}

DrivenReport simulate(const PlatformConfig& config) {
  TestdevSimulation simulation(config);
  simulation.run();
  ordered_json devices = ordered_json::array();
  for (const auto& device : simulation.devices()) devices.push_back(device_json(simulation, device));
  DrivenReport report;
  report.json = driven_json(simulation, "iommu_testdev", std::move(devices));
  report.summary = summary(simulation);
  report.holds = std::all_of(simulation.devices().begin(), simulation.devices().end(), [](const auto& device) {
    const TestdevDriverCounters& counters = device.driver->counters();
    return counters.failed == 0 && counters.mismatches == 0 && counters.reached == 0;
  });
  return report;
}

}  // namespace

int run_testdev(const RunOptions& options) {
  return run_driven(options, "iommu-testdev", [&] { return simulate(options.config); });
}

}  // namespace smmusim
