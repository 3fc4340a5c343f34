// SPDX-License-Identifier: MIT
// `smmusim config keys` and `smmusim config show`.
#include <memory>

#include "platform/cli/commands.h"
#include "platform/config/presets.h"
#include "platform/config/show.h"

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
      print(arguments->json ? config_to_json(resolved).dump(2) + "\n" : config_to_toml(resolved));
      return 0;
    };
  });
}

}  // namespace

void add_config(CLI::App& app, Action& action) {
  CLI::App& config = add_command(app, "config", "configuration keys and the resolved configuration",
                                 "smmusim config show platform.toml");
  config.require_subcommand(1);
  add_keys(config, action);
  add_show(config, action);
}

}  // namespace smmusim::cli
