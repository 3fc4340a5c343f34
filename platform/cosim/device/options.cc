// SPDX-License-Identifier: MIT
// The options of the shared object; see the header.
#include "platform/cosim/device/options.h"

#include "platform/config/load.h"
#include "platform/trace/parse.h"

namespace smmusim::cosim {
namespace {

[[noreturn]] void refuse(const std::string& argument, const std::string& right) {
  throw InputError("libsmmusim-qemu.so: '" + argument + "' is no option; " + right);
}

bool on_or_off(const std::string& argument, std::string_view value) {
  if (value == "on") return true;
  if (value != "off") refuse(argument, "write record=on or record=off");
  return false;
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
      if (!parse_injection(value, options.injection)) {
        refuse(argument, "write inject=illegal-command:N or inject=defect:N with N from 1");
      }
    } else {
      refuse(argument, "there are config=FILE, stats=FILE, record=on|off and inject=KIND:N");
    }
  }
  return options;
}

bool parse_injection(std::string_view text, Injection& injection) {
  const std::size_t colon = text.find(':');
  std::uint64_t number = 0;
  if (colon == std::string_view::npos || !trace::parse_number(text.substr(colon + 1), number) || number == 0)
    return false;
  const std::string_view kind = text.substr(0, colon);
  if (kind != "illegal-command" && kind != "defect") return false;
  (kind == "defect" ? injection.defect : injection.illegal_command) = number;
  return true;
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

}  // namespace smmusim::cosim
