// SPDX-License-Identifier: MIT
// ModuleFolder; see the header.
#include "platform/cosim/linux/modules.h"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

#include "platform/cosim/linux/module_info.h"
#include "platform/programs/errors.h"
#include "platform/programs/temporary_folder.h"

namespace smmusim::cosim {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view ending = ".ko", compressed_ending = ".ko.xz";

std::string kernel_name(std::string name) {
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

}  // namespace

ModuleFolder::ModuleFolder(const programs::SignalGuard& guard, const fs::path& folder) : guard_(guard) {
  if (folder.empty()) return;
  std::error_code error;
  for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    const std::string file = at->path().filename().string();
    for (const std::string_view suffix : {ending, compressed_ending}) {
      if (file.ends_with(suffix)) by_name_[kernel_name(file.substr(0, file.size() - suffix.size()))] = at->path();
    }
  }
}

std::string ModuleFolder::bytes_of(const fs::path& path) const {
  if (!path.string().ends_with(compressed_ending)) return programs::read_file(path);
  if (programs::find_program("xz").empty())
    throw programs::Lacking("cosim linux: there is no xz for the kernel's modules; install xz-utils");
  programs::ToolResult result = programs::run_tool(guard_, {"xz", "-dc", path.string()});
  if (result.exit_code != 0) {
    throw programs::Lacking(fmt::format("cosim linux: xz can't unpack {} ({}); remove the folder, it is fetched again",
                                        path.string(), result.last_line()));
  }
  return std::move(result.out);
}

void ModuleFolder::add(const std::string& name, std::vector<LoadedModule>& order, std::set<std::string>& seen) const {
  const std::string known = kernel_name(name);
  const auto place = by_name_.find(known);
  // A circle of dependencies can't be loaded by anything; the mark ends the descent.
  if (place == by_name_.end() || !seen.insert(known).second) return;
  std::string bytes = bytes_of(place->second);
  for (const std::string& needed : read_module_info(bytes, place->second.string()).depends) add(needed, order, seen);
  order.push_back({known, std::move(bytes)});
}

std::vector<LoadedModule> ModuleFolder::in_load_order(const std::vector<std::string>& names) const {
  std::vector<LoadedModule> order;
  std::set<std::string> seen;
  for (const std::string& name : names) add(name, order, seen);
  return order;
}

}  // namespace smmusim::cosim
