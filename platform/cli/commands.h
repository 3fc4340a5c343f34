// SPDX-License-Identifier: MIT
// The commands: each add_* function hangs its command with options and help under `app` and, when the command is
// chosen, puts what is to be done into `action`. One file per command. Private to platform/cli.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "platform/config/load.h"

namespace smmusim::cli {

/// Something was asked for by name that this machine or this version does not have: exit code 3.
struct MissingError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Does the command and returns the exit code; throws for wrong input.
using Action = std::function<int()>;

void add_run(CLI::App& app, Action& action);
void add_sweep(CLI::App& app, Action& action);
void add_report(CLI::App& app, Action& action);
void add_trace(CLI::App& app, Action& action);
void add_decode(CLI::App& app, Action& action);
void add_config(CLI::App& app, Action& action);
void add_explain(CLI::App& app, Action& action);
void add_conformance(CLI::App& app, Action& action);
void add_cosim(CLI::App& app, Action& action);
void add_nested(CLI::App& app, Action& action);
/// Below `nested`: with the options of `run`, in whose file it is.
void add_nested_run(CLI::App& app, Action& action);
void add_host(CLI::App& app, Action& action);

/// A command with its description and, at the end of its help, an example.
CLI::App& add_command(CLI::App& app, const std::string& name, const std::string& description,
                      const std::string& example);

/// A positional configuration file and `--set`, as every command has them that takes a configuration.
struct ConfigArguments {
  std::string path;
  std::vector<std::string> sets;
  /// The file read, and the assignments in the order given. Throws InputError.
  ConfigSource source() const;
};
/// `names` of the file: without dashes the positional argument.
void add_config_arguments(CLI::App& command, ConfigArguments& arguments, const std::string& names = "config");

/// An option that takes a number from min to max, decimal or 0x. Anything else is a usage error.
template <class Number>
CLI::Option* add_number(CLI::App& command, const std::string& name, Number& target, std::uint64_t min,
                        std::uint64_t max, const std::string& meaning);

/// The number, or a CLI::ValidationError that names the option and the range.
std::uint64_t parse_option(const std::string& name, const std::string& text, std::uint64_t min, std::uint64_t max);

template <class Number>
CLI::Option* add_number(CLI::App& command, const std::string& name, Number& target, std::uint64_t min,
                        std::uint64_t max, const std::string& meaning) {
  const auto take = [&target, name, min, max](const std::string& text) {
    target = static_cast<Number>(parse_option(name, text, min, max));
  };
  return command.add_option_function<std::string>(name, take, meaning)->type_name("N");
}

/// Writes to standard output and looks whether that worked. Throws InputError if not.
void print(std::string_view text);

/// Colour is for terminals, and never if NO_COLOR is in the environment.
bool colour_wanted();
/// Progress is for terminals.
bool progress_wanted();

}  // namespace smmusim::cli
