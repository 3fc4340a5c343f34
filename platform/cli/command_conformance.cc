// SPDX-License-Identifier: MIT
// `smmusim conformance`: which features of the architecture this version has, and what a test run said of the rules.
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <stdexcept>

#include "platform/cli/commands.h"
#include "platform/conformance/report.h"

namespace smmusim::cli {
namespace {

struct Arguments {
  bool json = false;
  std::string results;   // empty: no rules
  std::string left_out;  // empty: beside the results, if it is there
};

constexpr std::string_view left_out_name = "rules-not-applicable.md";

std::string read_text(const std::string& path, std::string_view what) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored))
    throw InputError(path + ": Is a directory; give " + std::string(what));
  std::ifstream file(path, std::ios::binary);
  if (!file) throw InputError(path + ": " + std::strerror(errno) + "; give " + std::string(what));
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// The list of rules that are left out: what was named, or the file beside the results, or nothing.
std::string left_out_text(const Arguments& arguments) {
  if (!arguments.left_out.empty()) return read_text(arguments.left_out, "a list as tests/rules-not-applicable.md");
  const std::filesystem::path beside = std::filesystem::path(arguments.results).parent_path() / left_out_name;
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(beside, ignored)) return "";
  return read_text(beside.string(), "a list as tests/rules-not-applicable.md");
}

std::vector<conformance::AreaCount> counted(const Arguments& arguments) {
  const std::string results = read_text(arguments.results, "a file as tests/run leaves it, tests/conformance.json");
  try {
    return conformance::count_rules(results, left_out_text(arguments));
  } catch (const std::invalid_argument& wrong) {
    throw InputError(arguments.results + ": " + wrong.what() + "; give a file as tests/run leaves it");
  }
}

int report(const Arguments& arguments) {
  if (arguments.results.empty() && !arguments.left_out.empty()) {
    throw InputError("conformance: --not-applicable without --results; give the results that it belongs to");
  }
  std::vector<conformance::AreaCount> areas;
  if (!arguments.results.empty()) areas = counted(arguments);
  if (arguments.json) {
    nlohmann::ordered_json json = conformance::features_to_json(conformance::feature_table());
    if (!areas.empty()) json["rules"] = conformance::rules_to_json(areas);
    print(json.dump(2) + "\n");
    return 0;
  }
  std::string text = conformance::features_to_text(conformance::feature_table());
  if (!areas.empty()) text += "\n" + conformance::rules_to_text(areas);
  print(text);
  return 0;
}

}  // namespace

void add_conformance(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App& command = add_command(
      app, "conformance", "the features of SMMUv3.0 to 3.4, and which of them this version has",
      "smmusim conformance --results tests/conformance.json\n\n"
      "Columns: field of the ID register, name, version that introduced it, from where it is mandatory, whether it is "
      "there, configuration key, what it is.");
  command.add_flag("--json", arguments->json, "as JSON");
  command
      .add_option("--results", arguments->results,
                  "also the rules' totals per area, from a test run's tests/conformance.json")
      ->type_name("FILE");
  command
      .add_option("--not-applicable", arguments->left_out,
                  "the rules that are left out; default: rules-not-applicable.md beside the results, if it is there")
      ->type_name("FILE");
  command.callback([arguments, &action] { action = [arguments] { return report(*arguments); }; });
}

}  // namespace smmusim::cli
