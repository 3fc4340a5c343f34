// SPDX-License-Identifier: MIT
// `smmusim sweep`: one simulation for each point of a cross product of key values.
#include <fmt/format.h>

#include <memory>

#include "platform/cli/commands.h"
#include "platform/config/value.h"
#include "platform/system/run_options.h"

namespace smmusim::cli {
namespace {

struct Arguments : ConfigArguments {
  std::string trace;
  std::vector<std::string> varies;
  std::string executor = "local";
  SweepOptions options;
};

/// Local is what there is.
void require_executor(const std::string& name) {
  if (name == "local") return;
  if (name == "slurm") {
    throw MissingError("--executor slurm: this version runs sweeps on this machine only; leave it out or give local");
  }
  throw InputError("--executor " + printable(name) + ": unknown executor; known are local, slurm");
}

int sweep(Arguments& arguments) {
  SweepOptions& options = arguments.options;
  options.base = arguments.source();
  if (!arguments.trace.empty()) {
    options.base.assignments.push_back({"trace.file", arguments.trace, "--trace " + printable(arguments.trace)});
  }
  for (const std::string& text : arguments.varies) {
    const Assignment vary = parse_assignment("--vary", text);
    for (const VaryAxis& axis : options.axes) {
      if (axis.first == vary.key) {
        throw InputError(
            fmt::format("{}: {} is varied twice; give all its values in one --vary", vary.origin, vary.key));
      }
    }
    options.axes.emplace_back(vary.key, split_values(vary.value));
    require_values(vary.key, options.axes.back().second, vary.origin);
  }
  require_executor(arguments.executor);
  options.progress = progress_wanted();
  return run_sweep(options);
}

}  // namespace

void add_sweep(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App& command = add_command(app, "sweep", "runs every combination of the values given and tabulates the results",
                                  "smmusim sweep --set trace.file=nvme.trace --vary smmu.oas=40,48 "
                                  "--vary memory.latency_ns=20,60,240 --out sweep");
  add_config_arguments(command, *arguments);
  command.add_option("--trace", arguments->trace, "the trace to replay")->type_name("FILE");
  command
      .add_option("--vary", arguments->varies, "a key and its values; may be repeated, the last one changes fastest")
      ->type_name("KEY=V1,V2,...")
      ->expected(1)
      ->take_all()
      ->required();
  add_number(command, "--jobs", arguments->options.jobs, 1, 1024, "simulations at a time (default 1)");
  command
      .add_option("--executor", arguments->executor,
                  "where simulations run (default local: as processes of this machine)")
      ->type_name("local|slurm");
  command
      .add_option("--out", arguments->options.out_dir, "folder for results.csv, report.html and a JSON file per point")
      ->type_name("DIR")
      ->required();
  command.callback([arguments, &action] { action = [arguments] { return sweep(*arguments); }; });
}

}  // namespace smmusim::cli
