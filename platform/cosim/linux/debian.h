// SPDX-License-Identifier: MIT
// Debian packages for arm64 without root and without a word to the host's package manager: apt works in a folder of
// ours, with the mirror that the host's apt is configured for.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "platform/programs/process.h"
#include "platform/programs/temporary_folder.h"

namespace smmusim::cosim {

class DebianPackages {
 public:
  /// `suite` as in "bookworm". Reads the suite's list of packages. Throws Lacking: no apt, no mirror, no network; here
  /// and below also when the time is over.
  DebianPackages(const programs::SignalGuard& guard, const std::string& suite, const std::filesystem::path& work,
                 const programs::TimeLimit& limit);

  /// The package that an empty one like linux-image-arm64 stands for.
  std::string dependency_of(const std::string& package) const;

  /// Unpacks the package into `folder`. Throws Lacking.
  void unpack(const std::string& package, const std::filesystem::path& folder) const;

 private:
  std::vector<std::string> command(const std::string& program) const;

  const programs::SignalGuard& guard_;
  std::string suite_;
  std::filesystem::path work_;
  programs::TimeLimit limit_;
};

}  // namespace smmusim::cosim
