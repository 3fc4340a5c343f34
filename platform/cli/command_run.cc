// SPDX-License-Identifier: MIT
// `smmusim run`: one simulation; and `smmusim nested run`, the same with a host.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "platform/cli/commands.h"
#include "platform/cli/trace_output.h"
#include "platform/report/report.h"
#include "platform/system/nvme_simulation.h"
#include "platform/system/run_options.h"

namespace smmusim::cli {
namespace {

/// Flags that stand for a key; given after --set, they win.
struct Shortcut {
  const char* flag;
  const char* key;
  const char* value_name;
  const char* meaning;
};
constexpr Shortcut shortcuts[] = {
    {"--trace", "trace.file", "FILE", "the trace to replay"},
    {"--mode", "mode", "timed|untimed", "whether simulated time passes"},
    {"--seed", "seed", "N", "of every pseudo-random choice"},
    {"--replay", "trace.replay", "closed|recorded", "as fast as the limits let, or at the trace's time stamps"},
};

struct Arguments : ConfigArguments {
  std::string shortcut_values[std::size(shortcuts)];
  std::optional<bool> check;
  bool wants_host = false;  ///< `nested run`: a configuration that names none gets host.mode = auto
  RunOptions options;
};

/// No output may be an input, or another output. The statistics may be asked for twice in one place.
void require_apart(const Arguments& arguments) {
  const RunOptions& options = arguments.options;
  std::vector<std::string> statistics, outputs;
  if (!options.json_path.empty()) statistics.push_back(options.json_path);
  for (const std::string& path : {options.ladder_path, options.ioctl_log_path}) {
    if (!path.empty()) outputs.push_back(path);
  }
  if (!options.out_dir.empty()) {
    statistics.push_back(options.out_dir + "/" + report::statistics_file);
    outputs.push_back(options.out_dir + "/" + report::report_file);
  }
  for (std::size_t i = 0; i != outputs.size(); ++i) {
    for (std::size_t j = 0; j != i; ++j) require_two_outputs(outputs[j], outputs[i]);
    for (const std::string& other : statistics) require_two_outputs(other, outputs[i]);
  }
  outputs.insert(outputs.end(), statistics.begin(), statistics.end());
  std::vector<std::string> inputs{options.config.trace.file, options.config.endpoint_template.nvme.file};
  for (const EndpointConfig& endpoint : options.config.endpoints) inputs.push_back(endpoint.nvme.file);
  for (const std::string& output : outputs) {
    for (const std::string& input : inputs) require_two_files(input, output);
    if (!arguments.path.empty()) require_two_files(arguments.path, output);
  }
}

int run(Arguments& arguments) {
  ConfigSource source = arguments.source();
  for (std::size_t i = 0; i < std::size(shortcuts); ++i) {
    const std::string& value = arguments.shortcut_values[i];
    if (!value.empty()) source.assignments.push_back({shortcuts[i].key, value, shortcuts[i].flag + (" " + value)});
  }
  if (arguments.check) {
    source.assignments.push_back(
        {"trace.check", *arguments.check ? "true" : "false", *arguments.check ? "--check" : "--no-check"});
  }
  arguments.options.config = load_config(source, ConfigUse::replay);
  if (arguments.wants_host && arguments.options.config.host.mode == HostMode::none) {
    source.assignments.push_back({"host.mode", "auto", "nested run"});
    arguments.options.config = load_config(source, ConfigUse::replay);
  }
  if (!arguments.options.ioctl_log_path.empty() && arguments.options.config.host.mode == HostMode::none) {
    throw InputError("--ioctl-log: there is no host that could be called; set host.mode, or use `smmusim nested run`");
  }
  if (has_device(arguments.options.config, DeviceModel::nvme)) {
    require_apart(arguments);
    arguments.options.colour = colour_wanted();
    return run_nvme(arguments.options);
  }
  if (has_device(arguments.options.config, DeviceModel::iommu_testdev)) {
    require_apart(arguments);
    return run_testdev(arguments.options);
  }
  if (arguments.options.config.trace.file.empty()) {
    throw InputError("run: there is no trace to replay; give --trace FILE or set trace.file");
  }
  require_apart(arguments);
  arguments.options.colour = colour_wanted();
  arguments.options.progress = progress_wanted();
  return run_simulation(arguments.options);
}

void add_options(CLI::App& command, const std::shared_ptr<Arguments>& arguments, Action& action) {
  add_config_arguments(command, *arguments);
  for (std::size_t i = 0; i < std::size(shortcuts); ++i) {
    command.add_option(shortcuts[i].flag, arguments->shortcut_values[i], shortcuts[i].meaning)
        ->type_name(shortcuts[i].value_name);
  }
  command
      .add_option("--ladder", arguments->options.ladder_path,
                  "write the TLPs of all links there as a message sequence chart (the first 100,000)")
      ->type_name("FILE");
  command.add_option("--json", arguments->options.json_path, "write the statistics there; - is standard output")
      ->type_name("FILE|-");
  command
      .add_option("--ioctl-log", arguments->options.ioctl_log_path,
                  "with a host: write every call to its kernel there, decoded, a line each")
      ->type_name("FILE");
  command
      .add_option("--out", arguments->options.out_dir,
                  "write the statistics (stats.json) and a page of pictures (report.html) there")
      ->type_name("DIR");
  command.add_flag_callback(
      "--check", [arguments] { arguments->check = true; },
      "compare each translation with the trace's record (the default)");
  command.add_flag_callback(
      "--no-check", [arguments] { arguments->check = false; }, "don't compare");
  command.callback([arguments, &action] { action = [arguments] { return run(*arguments); }; });
}

}  // namespace

void add_run(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App& command = add_command(
      app, "run", "replays a trace through the platform and prints a summary",
      "smmusim run --trace traces/linux72-nvme-randread.trace --set smmu.tcu.tlb_entries=512 --json out.json");
  add_options(command, arguments, action);
}

void add_nested_run(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<Arguments>();
  arguments->wants_host = true;
  CLI::App& command = add_command(
      app, "run", "as `smmusim run`, with the guest's stage 1 over a host's stage 2 (host.mode = auto)",
      "smmusim nested run --trace traces/linux72-nvme-randread.trace --ioctl-log calls.txt --json out.json");
  add_options(command, arguments, action);
}

}  // namespace smmusim::cli
