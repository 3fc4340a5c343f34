// SPDX-License-Identifier: MIT
// `smmusim config keys`, `smmusim config show` and `smmusim config emit`.
#include <fmt/format.h>

#include <memory>

#include "platform/cli/commands.h"
#include "platform/cli/trace_output.h"
#include "platform/config/presets.h"
#include "platform/config/show.h"
#include "platform/emit/device_tree.h"
#include "platform/emit/iort.h"
#include "platform/system/endpoint_setup.h"
#include "platform/system/output.h"

namespace smmusim::cli {
namespace {

std::string preset_list() {
  std::string text = "Presets (preset = \"NAME\"):\n";
  for (const Preset& preset : presets()) {
    text += "  " + std::string(preset.name) + ": " + std::string(preset.meaning) + "\n";
  }
  return text;
}

void add_keys(CLI::App& config, Action& action) {
  auto json = std::make_shared<bool>(false);
  CLI::App& keys = add_command(config, "keys", "every configuration key with type, default, unit, range and meaning",
                               "smmusim config keys --json");
  keys.add_flag("--json", *json, "as a JSON array");
  keys.callback([json, &action] {
    action = [json] {
      print(*json ? keys_to_json().dump(2) + "\n" : keys_to_text());
      return 0;
    };
  });
}

/// The file, and as a comment what becomes of each endpoint's ATS.
std::string shown_as_toml(const PlatformConfig& config) {
  std::string text = config_to_toml(config) + "\n";
  for (const std::string& line : ats_lines(config)) text += "# " + line + "\n";
  return text;
}

std::string shown_as_json(const PlatformConfig& config) {
  nlohmann::ordered_json json = config_to_json(config);
  json["ats_outcome"] = ats_lines(config);
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

void add_show(CLI::App& config, Action& action) {
  struct Arguments : ConfigArguments {
    bool json = false;
  };
  auto arguments = std::make_shared<Arguments>();
  CLI::App& show = add_command(config, "show", "the resolved configuration, after preset, file and --set",
                               "smmusim config show platform.toml --set smmu.tcu.tlb_entries=512\n\n" + preset_list());
  add_config_arguments(show, *arguments);
  show.add_flag("--json", arguments->json, "as JSON, as in the statistics");
  show.callback([arguments, &action] {
    action = [arguments] {
      const PlatformConfig resolved = load_config(arguments->source());
      print(arguments->json ? shown_as_json(resolved) : shown_as_toml(resolved));
      return 0;
    };
  });
}

struct EmitArguments : ConfigArguments {
  bool dts = false;
  bool iort = false;
  bool qemu_virt = false;
  std::string out;  // empty: standard output, and then the table as text
};

std::string emitted(const EmitArguments& arguments, const PlatformConfig& config) {
  if (arguments.qemu_virt) return emit::virt_machine_nodes(config);
  if (arguments.dts) return emit::device_tree_source(config);
  const std::vector<std::uint8_t> table = emit::iort_table(config);
  return arguments.out.empty() ? emit::acpi_dump(table) : std::string(table.begin(), table.end());
}

int emit_description(const EmitArguments& arguments) {
  if (arguments.dts == arguments.iort) {
    throw InputError(fmt::format("config emit: {} given; give one of --dts and --iort",
                                 arguments.dts ? "both --dts and --iort are" : "neither --dts nor --iort is"));
  }
  if (arguments.qemu_virt && !arguments.dts) {
    throw InputError("config emit: --qemu-virt without --dts; QEMU's virt machine takes its nodes as device tree only");
  }
  if (!arguments.path.empty()) require_two_files(arguments.path, arguments.out);
  const std::string text = emitted(arguments, load_config(arguments.source()));
  if (arguments.out.empty() || is_standard_output(arguments.out)) {
    print(text);
    return 0;
  }
  OutputFile file(arguments.out);
  file.write(text);
  file.publish();
  print(fmt::format("{}: {} bytes\n", arguments.out, text.size()));
  return 0;
}

void add_emit(CLI::App& config, Action& action) {
  auto arguments = std::make_shared<EmitArguments>();
  CLI::App& command = add_command(
      config, "emit", "what firmware tells an operating system about the configured SMMUs",
      "smmusim config emit --dts platform.toml -o platform.dts\n"
      "  smmusim config emit --iort --set smmu.frame_base=0x9060000 -o iort.aml\n\n"
      "Without [[endpoint]] in the configuration every PCI address has itself as StreamID.\n"
      "Interrupt controller and interrupt numbers are those of QEMU's virt machine; the PCIe windows lie from "
      "0x10000000 to 0x3fffffff.");
  command.add_flag("--dts", arguments->dts, "device-tree source");
  command.add_flag("--iort", arguments->iort,
                   "ACPI IO Remapping Table: binary with -o, else text as acpidump writes it");
  command.add_flag("--qemu-virt", arguments->qemu_virt,
                   "with --dts: only the nodes to append to the source of QEMU's virt machine (gic-version=3)");
  add_config_arguments(command, *arguments);
  command.add_option("-o,--output", arguments->out, "the file to write; - is standard output")->type_name("FILE|-");
  command.callback([arguments, &action] { action = [arguments] { return emit_description(*arguments); }; });
}

}  // namespace

void add_config(CLI::App& app, Action& action) {
  CLI::App& config = add_command(app, "config", "configuration keys, the resolved configuration, device tree and IORT",
                                 "smmusim config show platform.toml");
  config.require_subcommand(1);
  add_keys(config, action);
  add_show(config, action);
  add_emit(config, action);
}

}  // namespace smmusim::cli
