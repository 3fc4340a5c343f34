// SPDX-License-Identifier: MIT
// DebianPackages; see the header.
#include "platform/cosim/linux/debian.h"

#include <fmt/format.h>

#include <sstream>

#include "platform/programs/errors.h"

namespace smmusim::cosim {
namespace {

namespace fs = std::filesystem;

constexpr const char* keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
constexpr const char* hint =
    "; co-simulation fetches kernel and busybox once, on a Debian system with network, and keeps them";

[[noreturn]] void lack(const std::string& sentence) {
  throw programs::Lacking("cosim linux: " + sentence + hint);
}

/// Of Debian's main archive, as the host's apt names it.
std::string mirror(const programs::SignalGuard& guard, const programs::TimeLimit& limit) {
  const programs::ToolResult targets = programs::run_tool(
      guard, {"apt-get", "indextargets", "--format", "$(REPO_URI) $(ORIGIN) $(LABEL)", "Created-By: Packages"}, limit);
  std::istringstream lines(targets.out);
  constexpr std::string_view ending = " Debian Debian";
  for (std::string line; std::getline(lines, line);) {
    if (line.ends_with(ending)) return line.substr(0, line.size() - ending.size());
  }
  lack("apt knows no Debian mirror; run apt-get update");
}

}  // namespace

DebianPackages::DebianPackages(const programs::SignalGuard& guard, const std::string& suite, const fs::path& work,
                               const programs::TimeLimit& limit)
    : guard_(guard), suite_(suite), work_(work), limit_(limit) {
  for (const char* program : {"apt-get", "apt-cache", "dpkg-deb"}) {
    if (programs::find_program(program).empty()) lack(fmt::format("there is no {}", program));
  }
  if (!fs::exists(keyring)) lack(fmt::format("{} is missing; install debian-archive-keyring", keyring));
  for (const char* folder : {"state/lists/partial", "cache/archives/partial", "deb"})
    fs::create_directories(work / folder);
  programs::write_file(work / "status", "");
  programs::write_file(work / "sources.list",
                       fmt::format("deb [arch=arm64 signed-by={}] {} {} main\n", keyring, mirror(guard, limit), suite));
  std::vector<std::string> words = command("apt-get");
  words.insert(words.end(), {"update", "-qq", "--error-on=any"});
  const programs::ToolResult update = programs::run_tool(guard, words, limit);
  if (update.exit_code != 0) lack(fmt::format("apt-get can't read the suite {} ({})", suite, update.last_line()));
}

std::vector<std::string> DebianPackages::command(const std::string& program) const {
  std::vector<std::string> words{program};
  const std::string work = work_.string();
  for (const std::string& option :
       {"Dir::State=" + work + "/state", "Dir::State::status=" + work + "/status", "Dir::Cache=" + work + "/cache",
        "Dir::Etc::sourcelist=" + work + "/sources.list", std::string("Dir::Etc::sourceparts=/dev/null"),
        std::string("Dir::Etc::preferencesparts=/dev/null"), std::string("Acquire::Languages=none"),
        std::string("APT::Sandbox::User="), std::string("Debug::NoLocking=1"), std::string("APT::Architecture=arm64"),
        std::string("APT::Architectures=arm64")}) {
    words.insert(words.end(), {"-o", option});
  }
  return words;
}

std::string DebianPackages::dependency_of(const std::string& package) const {
  std::vector<std::string> words = command("apt-cache");
  words.insert(words.end(), {"depends", package});
  const programs::ToolResult result = programs::run_tool(guard_, words, limit_);
  std::istringstream lines(result.out);
  constexpr std::string_view beginning = "  Depends: ";
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(beginning)) return line.substr(beginning.size());
  }
  lack(fmt::format("the suite {} has no package {} for arm64", suite_, package));
}

void DebianPackages::unpack(const std::string& package, const fs::path& folder) const {
  const fs::path archives = work_ / "deb" / package;
  fs::create_directories(archives);
  std::vector<std::string> words = command("apt-get");
  words.insert(words.end(), {"download", "-qq", package});
  const programs::ToolResult download = programs::run_tool(guard_, words, limit_, {archives.string()});
  if (download.exit_code != 0) {
    lack(fmt::format("apt-get can't download {} of {} ({})", package, suite_, download.last_line()));
  }
  for (const fs::directory_entry& archive : fs::directory_iterator(archives)) {
    const programs::ToolResult unpacked =
        programs::run_tool(guard_, {"dpkg-deb", "-x", archive.path().string(), folder.string()}, limit_);
    if (unpacked.exit_code != 0) lack(fmt::format("dpkg-deb can't unpack {} ({})", package, unpacked.last_line()));
  }
  fs::remove_all(archives);
}

}  // namespace smmusim::cosim
