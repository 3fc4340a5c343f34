// SPDX-License-Identifier: MIT
// `smmusim host probe`: what this machine offers for accelerated nested mode.
#include <memory>

#include "platform/cli/commands.h"
#include "platform/host/probe.h"
#include "platform/host/real_system.h"

namespace smmusim::cli {
namespace {

struct Arguments {
  bool json = false;
  bool require = false;
};

/// Why not, in one line.
std::string first_reason(const host::ProbeResult& result) {
  if (!result.reasons.empty()) return result.reasons.front();
  for (const host::ProbedDevice& device : result.devices) {
    if (!device.reasons.empty()) return device.path + ": " + device.reasons.front();
  }
  return "there is no device";
}

int probe(const Arguments& arguments) {
  host::RealSystem system;
  const host::ProbeResult result = host::probe(system);
  print(arguments.json ? host::to_json(result).dump(2) + "\n" : host::to_text(result));
  if (arguments.require && !result.nested_possible()) {
    throw MissingError("host probe: nested mode is not possible here: " + first_reason(result));
  }
  return 0;
}

}  // namespace

void add_host(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App& command =
      add_command(app, "host", "what this machine offers for accelerated nested mode", "smmusim host probe");
  command.require_subcommand(1);
  CLI::App& probing = add_command(
      command, "probe", "iommufd, VFIO devices, what their SMMU reports, and each reason against nested mode",
      "smmusim host probe --json\n\nDevices are bound and let go of again; none is attached. A device that another "
      "program has is reported as that.");
  probing.add_flag("--json", arguments->json, "as JSON");
  probing.add_flag("--require", arguments->require, "exit code 3 if nested mode is possible with no device");
  probing.callback([arguments, &action] { action = [arguments] { return probe(*arguments); }; });
}

}  // namespace smmusim::cli
