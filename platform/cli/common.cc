// SPDX-License-Identifier: MIT
// What the commands share: options, printing, what the terminal can take.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "platform/cli/commands.h"
#include "platform/config/value.h"
#include "platform/system/output.h"
#include "platform/trace/parse.h"

namespace smmusim::cli {

CLI::App& add_command(CLI::App& app, const std::string& name, const std::string& description,
                      const std::string& example) {
  CLI::App* command = app.add_subcommand(name, description);
  command->footer("Example:\n  " + example);
  return *command;
}

ConfigSource ConfigArguments::source() const {
  ConfigSource source = read_config(path);
  for (const std::string& text : sets) source.assignments.push_back(parse_assignment("--set", text));
  return source;
}

void add_config_arguments(CLI::App& command, ConfigArguments& arguments, const std::string& names) {
  command.add_option(names, arguments.path, "configuration (TOML); without it every key has its default")
      ->type_name("CONFIG.toml");
  command
      .add_option("--set", arguments.sets,
                  "sets one key, over the configuration file; may be repeated (see config keys)")
      ->type_name("KEY=VALUE")
      ->expected(1)
      ->take_all();
}

std::uint64_t parse_option(const std::string& name, const std::string& text, std::uint64_t min, std::uint64_t max) {
  std::uint64_t number = 0;
  if (!trace::parse_number(text, number) || number < min || number > max) {
    throw CLI::ValidationError(name + " " + in_quotes(text) + ": it is no number in the range; write " +
                                   std::to_string(min) + " to " + std::to_string(max) + ", decimal or 0x",
                               CLI::ExitCodes::ValidationError);
  }
  return number;
}

void print(std::string_view text) {
  write_standard_output(text);
}

bool colour_wanted() {
  return isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr;
}

bool progress_wanted() {
  return isatty(STDERR_FILENO) == 1;
}

}  // namespace smmusim::cli
