// SPDX-License-Identifier: MIT
// run_testdev(): the writes of iommu-testdevs, from options to summary, JSON and exit code.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>

#include "platform/config/load.h"
#include "platform/config/show.h"
#include "platform/config/value.h"
#include "platform/config/version.h"
#include "platform/driver/page_allocator.h"
#include "platform/report/markup.h"
#include "platform/system/output.h"
#include "platform/system/run_options.h"
#include "platform/system/smmu_statistics.h"
#include "platform/system/statistics.h"
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

ordered_json all_json(TestdevSimulation& simulation) {
  const PlatformConfig& config = simulation.config();
  ordered_json json;
  json["version"] = std::string(program_version);
  json["seed"] = config.seed;
  json["mode"] = config.mode == Mode::timed ? "timed" : "untimed";
  json["config"] = config_to_json(config);
  json["simulated_ns"] = to_ns(simulation.simulated_time());
  json["iommu_testdev"] = ordered_json::array();
  for (const auto& device : simulation.devices()) json["iommu_testdev"].push_back(device_json(simulation, device));
  json["smmus"] = ordered_json::array();
  for (std::size_t i = 0; i != simulation.platform().smmus(); ++i) {
    json["smmus"].push_back(smmu_json(simulation.platform().smmu(i).smmu(), config.smmus[i].name));
  }
  return json;
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

/// What a replay has and these devices have not.
void require_possible(const RunOptions& options) {
  if (!options.config.trace.file.empty()) {
    throw InputError("run: with endpoint.model = iommu-testdev the driver makes the traffic; leave the trace out");
  }
  if (!options.out_dir.empty() || !options.ladder_path.empty()) {
    throw InputError("run: --out and --ladder are for traces; with endpoint.model = iommu-testdev use --json");
  }
}

}  // namespace

int run_testdev(const RunOptions& options) {
  require_possible(options);
  std::optional<OutputFile> file;
  if (!options.json_path.empty() && options.json_path != "-") file.emplace(options.json_path);
  std::optional<TestdevSimulation> simulation;
  try {
    simulation.emplace(options.config);
    simulation->run();
  } catch (const std::invalid_argument& error) {
    throw InputError(error.what());
  } catch (const AllocationError& error) {
    throw InputError(error.what());
  } catch (const MemoryLimitError& error) {
    throw InputError(error.what());
  }
  const std::string text = to_text(all_json(*simulation));
  if (file) file->write(text);
  write_standard_output(options.json_path == "-" ? text : summary(*simulation));
  if (file) file->publish();
  std::uint64_t wrong = 0;
  for (const auto& device : simulation->devices()) {
    const TestdevDriverCounters& counters = device.driver->counters();
    wrong += counters.failed + counters.mismatches + counters.reached;
  }
  return wrong == 0 ? 0 : 1;
}

}  // namespace smmusim
