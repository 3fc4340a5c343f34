// SPDX-License-Identifier: MIT
// The modules of a kernel by name, and in which order they must be loaded.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "platform/programs/process.h"

namespace smmusim::cosim {

struct LoadedModule {
  std::string name;
  std::string bytes;  ///< of the ELF file, not compressed
};

class ModuleFolder {
 public:
  /// Looks through a folder (*.ko and *.ko.xz). An empty path is a folder without modules.
  ModuleFolder(const programs::SignalGuard& guard, const std::filesystem::path& folder);

  /// `names` and all that they depend on, each once, after what it depends on. A name that the folder does not have is
  /// taken for a built-in one and left out. Throws InputError for a file that is no module, Lacking without xz.
  std::vector<LoadedModule> in_load_order(const std::vector<std::string>& names) const;

 private:
  void add(const std::string& name, std::vector<LoadedModule>& order, std::set<std::string>& seen) const;
  std::string bytes_of(const std::filesystem::path& path) const;

  const programs::SignalGuard& guard_;
  std::map<std::string, std::filesystem::path> by_name_;  // '-' as '_', as the kernel has them
};

}  // namespace smmusim::cosim
