// SPDX-License-Identifier: MIT
// Parsing and the exit codes.
#include "platform/cli/command_line.h"

#include <cstdio>
#include <sstream>

#include "platform/cli/commands.h"
#include "platform/config/value.h"
#include "platform/config/version.h"
#include "platform/nested/nested_machine.h"
#include "platform/programs/errors.h"
#include "platform/trace/error.h"

namespace smmusim {
namespace {

constexpr int input_is_wrong = 2;
constexpr int machine_lacks_it = 3;
constexpr int defect = 70;

/// What a hostile file holds must not reach the terminal as it is.
std::string without_control_bytes(std::string text) {
  for (char& c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) c = '?';
  }
  return text;
}

/// One line per mistake on standard error.
void complain(const std::string& text) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    std::fprintf(stderr, "smmusim: %s\n", without_control_bytes(line).c_str());
}

/// The chosen command and its subcommand, as typed.
std::string chosen_command(const CLI::App& app) {
  std::string name = app.get_name();
  for (const CLI::App* command : app.get_subcommands()) return name + " " + chosen_command(*command);
  return name;
}

/// The deepest command that was recognised.
const CLI::App& chosen(const CLI::App& app) {
  for (const CLI::App* command : app.get_subcommands()) return chosen(*command);
  return app;
}

/// A word where a command belongs. Empty if that is not what is wrong.
std::string unknown_command(const CLI::App& app) {
  const CLI::App& last = chosen(app);
  const std::vector<std::string> left = last.remaining();
  if (left.empty() || last.get_require_subcommand_min() == 0 || left.front().starts_with("-")) return "";
  std::string known;
  for (const CLI::App* command : last.get_subcommands([](const CLI::App*) { return true; })) {
    known += (known.empty() ? "" : ", ") + command->get_name();
  }
  return "unknown command " + in_quotes(left.front()) + "; known are " + known;
}

/// What CLI11 says of a usage error, as one sentence in one line.
std::string usage_error(const CLI::App& app, const CLI::ParseError& error) {
  std::string text = unknown_command(app);
  if (!text.empty()) return text;
  text = error.what();
  for (char& c : text) {
    if (c == '\n') c = ' ';
  }
  while (!text.empty() && (text.back() == ' ' || text.back() == '.')) text.pop_back();
  const bool complete = text.find("; ") != std::string::npos;
  return complete ? text : text + "; see " + chosen_command(app) + " --help";
}

/// An option or argument that is there and says nothing: most likely a script's variable that is not set.
std::string empty_value(const CLI::App& app) {
  for (const CLI::Option* option : chosen(app).get_options()) {
    for (const std::string& value : option->results()) {
      if (value.empty()) return option->get_name() + " is empty; give it a value or leave it out";
    }
  }
  return "";
}

void describe(CLI::App& app) {
  app.name("smmusim");
  app.set_version_flag("--version", "smmusim " + std::string(program_version));
  app.require_subcommand(1);
  app.footer(
      "Example:\n  smmusim run --trace traces/linux72-nvme-randread.trace --mode timed --json out.json\n\n"
      "Exit codes: 0 done; 1 done, and a check does not hold; 2 the input is wrong; 3 the machine lacks something; "
      "70 a defect of smmusim.");
}

int parse_and_act(CLI::App& app, int argc, const char* const* argv) {
  cli::Action action;
  describe(app);
  cli::add_run(app, action);
  cli::add_sweep(app, action);
  cli::add_report(app, action);
  cli::add_trace(app, action);
  cli::add_decode(app, action);
  cli::add_config(app, action);
  cli::add_explain(app, action);
  cli::add_conformance(app, action);
  cli::add_cosim(app, action);
  cli::add_nested(app, action);
  cli::add_host(app, action);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) {  // --help and --version
      std::ostringstream text;
      app.exit(error, text, text);
      cli::print(text.str());
      return 0;
    }
    complain(usage_error(app, error));
    return input_is_wrong;
  }
  if (const std::string error = empty_value(app); !error.empty()) {
    complain(error);
    return input_is_wrong;
  }
  return action();
}

}  // namespace

int run_command_line(int argc, const char* const* argv) {
  try {
    CLI::App app("Arm SMMUv3 emulator: replays DMA through endpoint, PCIe, SMMU and memory");
    return parse_and_act(app, argc, argv);
  } catch (const InputError& error) {
    complain(error.what());
    return input_is_wrong;
  } catch (const trace::TraceError& error) {
    complain(error.what());
    return input_is_wrong;
  } catch (const cli::MissingError& error) {
    complain(error.what());
    return machine_lacks_it;
  } catch (const nested::HostRefusal& error) {
    complain(error.what());
    return machine_lacks_it;
  } catch (const programs::Lacking& error) {
    complain(error.what());
    return machine_lacks_it;
  } catch (const std::exception& error) {
    complain(std::string("a defect of smmusim: ") + error.what() + "; please report it with the command line");
    return defect;
  }
}

}  // namespace smmusim
