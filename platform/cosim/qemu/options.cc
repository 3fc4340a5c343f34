// SPDX-License-Identifier: MIT
// The options of the shared object; see the header.
#include "platform/cosim/qemu/options.h"

#include "platform/config/load.h"
#include "platform/trace/parse.h"

namespace smmusim::cosim::qemu {
namespace {

[[noreturn]] void refuse(const std::string& argument, const std::string& right) {
  throw InputError("libsmmusim-qemu.so: '" + argument + "' is no option; " + right);
}

bool on_or_off(const std::string& argument, std::string_view value) {
  if (value == "on") return true;
  if (value != "off") refuse(argument, "write record=on or record=off");
  return false;
}

Injection injection(const std::string& argument, std::string_view value) {
  Injection result;
  const std::size_t colon = value.find(':');
  std::uint64_t number = 0;
  const std::string_view kind = value.substr(0, colon);
  const bool numbered = colon != std::string_view::npos && trace::parse_number(value.substr(colon + 1), number);
  if (!numbered || number == 0 || (kind != "illegal-command" && kind != "defect")) {
    refuse(argument, "write inject=illegal-command:N or inject=defect:N with N from 1");
  }
  (kind == "defect" ? result.defect : result.illegal_command) = number;
  return result;
}

}  // namespace

Options parse_options(std::span<const std::string> arguments) {
  Options options;
  for (const std::string& argument : arguments) {
    const std::size_t equals = argument.find('=');
    const std::string key = argument.substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : argument.substr(equals + 1);
    if (key == "config" && !value.empty()) {
      options.config = value;
    } else if (key == "stats" && !value.empty()) {
      options.statistics = value;
    } else if (key == "record") {
      options.record = on_or_off(argument, value);
    } else if (key == "inject") {
      options.injection = injection(argument, value);
    } else {
      refuse(argument, "there are config=FILE, stats=FILE, record=on|off and inject=KIND:N");
    }
  }
  return options;
}

std::vector<std::string> split_arguments(std::string_view list) {
  std::vector<std::string> arguments;
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    if (comma != 0) arguments.emplace_back(list.substr(0, comma));
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
  }
  return arguments;
}

}  // namespace smmusim::cosim::qemu
