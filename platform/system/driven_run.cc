// SPDX-License-Identifier: MIT
// driven_json() and run_driven(); see the header.
#include "platform/system/driven_run.h"

#include <fmt/format.h>

#include <optional>

#include "platform/config/show.h"
#include "platform/config/version.h"
#include "platform/system/input_errors.h"
#include "platform/system/output.h"
#include "platform/system/smmu_statistics.h"
#include "platform/system/statistics.h"

namespace smmusim {
namespace {

void require_no_replay(const RunOptions& options, std::string_view model) {
  if (!options.config.trace.file.empty()) {
    throw InputError(
        fmt::format("run: with endpoint.model = {} the driver makes the traffic; leave the trace out", model));
  }
  if (!options.out_dir.empty() || !options.ladder_path.empty()) {
    throw InputError(fmt::format("run: --out and --ladder are for traces; with endpoint.model = {} use --json", model));
  }
}

}  // namespace

nlohmann::ordered_json driven_json(DrivenMachine& machine, std::string_view name, nlohmann::ordered_json devices) {
  const PlatformConfig& config = machine.config();
  nlohmann::ordered_json json;
  json["version"] = std::string(program_version);
  json["seed"] = config.seed;
  json["mode"] = config.mode == Mode::timed ? "timed" : "untimed";
  json["config"] = config_to_json(config);
  json["simulated_ns"] = to_ns(machine.simulated_time());
  json[std::string(name)] = std::move(devices);
  json["smmus"] = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i != machine.platform().smmus(); ++i) {
    json["smmus"].push_back(smmu_json(machine.platform().smmu(i).smmu(), config.smmus[i].name));
  }
  return json;
}

int run_driven(const RunOptions& options, std::string_view model, const std::function<DrivenReport()>& simulate) {
  require_no_replay(options, model);
  // Before the run, so that a run whose results have no place does not begin.
  std::optional<OutputFile> file;
  if (!options.json_path.empty() && options.json_path != "-") file.emplace(options.json_path);
  DrivenReport report;
  as_input_errors([&] { report = simulate(); });
  const std::string text = to_text(report.json);
  if (file) file->write(text);
  write_standard_output(options.json_path == "-" ? text : report.summary);
  if (file) file->publish();
  return report.holds ? 0 : 1;
}

}  // namespace smmusim
