// SPDX-License-Identifier: MIT
// find_kernel() and find_busybox(); see the header. What is fetched gets its name in the cache when it is complete.
#include "platform/cosim/linux/guest_kernel.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <system_error>
#include <vector>

#include "platform/config/load.h"
#include "platform/config/value.h"
#include "platform/cosim/linux/debian.h"
#include "platform/programs/errors.h"

namespace smmusim::cosim {
namespace {

namespace fs = std::filesystem;

constexpr const char* kernel_package = "linux-image-arm64";
constexpr const char* busybox_package = "busybox-static";
constexpr const char* base_suite = "bookworm";
constexpr std::string_view driver_option = "CONFIG_ARM_SMMU_V3=";

struct KnownKernel {
  const char* name;
  const char* suite;
};
constexpr KnownKernel kernels[] = {{"6.1", base_suite}, {"6.12", "bookworm-backports"}};

fs::path cache_folder() {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  fs::path base;
  if (cache != nullptr && *cache == '/') {
    base = cache;
  } else if (home != nullptr && *home == '/') {
    base = fs::path(home) / ".cache";
  } else {
    throw programs::Lacking("cosim linux: there is no place to keep kernels; set HOME or XDG_CACHE_HOME");
  }
  const fs::path folder = base / "smmusim" / "cosim";
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) {
    throw programs::Lacking(
        fmt::format("cosim linux: {}: can't be made ({}); set XDG_CACHE_HOME to a folder that can be written",
                    folder.string(), error.message()));
  }
  return folder;
}

/// The first entry of `folder` whose name begins so.
fs::path entry_of(const fs::path& folder, const std::string& beginning) {
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().filename().string().starts_with(beginning)) return entry.path();
  }
  throw programs::Lacking(
      fmt::format("cosim linux: the package holds no {}*; report it, with the name of the suite", beginning));
}

bool has_contents(const fs::path& path) {
  std::error_code ignored;
  return (fs::is_regular_file(path, ignored) || fs::is_directory(path, ignored)) && !fs::is_empty(path, ignored);
}

/// A folder of the cache, and what must be in it.
struct Cached {
  fs::path name;
  std::vector<const char*> parts;

  bool is_whole() const {
    return std::all_of(parts.begin(), parts.end(), [this](const char* part) { return has_contents(name / part); });
  }
};

/// Gives `made` its name. Another process may have been faster, then its work is taken; what is there in part goes.
void keep(const fs::path& made, const Cached& cached) {
  std::error_code error;
  fs::rename(made, cached.name, error);
  if (!error || cached.is_whole()) return;
  fs::rename(cached.name, made.parent_path() / "replaced", error);
  if (!error) fs::rename(made, cached.name, error);
  if (error && !cached.is_whole()) {
    throw programs::Lacking(fmt::format("cosim linux: {}: can't be made ({}); remove what is there",
                                        cached.name.string(), error.message()));
  }
}

/// Makes the cached folder of packages of `suite`: `fill(packages, root, made)` unpacks into `root` and moves into
/// `made` what is kept.
template <class Fill>
void fetch(const Fetching& fetching, const char* suite, const Cached& cached, Fill&& fill) {
  const programs::TimeLimit limit(fetching.seconds, "look at the network, or give it more with --fetch-timeout");
  const programs::TemporaryFolder work(cached.name.parent_path());
  const DebianPackages packages(fetching.guard, suite, work.path(), limit);
  const fs::path root = work.path() / "root", made = work.path() / "made";
  fs::create_directories(root);
  fs::create_directories(made);
  fill(packages, root, made);
  keep(made, cached);
}

void fill_kernel(const DebianPackages& packages, const fs::path& root, const fs::path& made) {
  packages.unpack(packages.dependency_of(kernel_package), root);
  // Newer suites have /usr/lib/modules.
  const fs::path lib = fs::exists(root / "lib" / "modules") ? root / "lib" : root / "usr" / "lib";
  fs::rename(entry_of(root / "boot", "vmlinuz-"), made / "image");
  fs::rename(entry_of(root / "boot", "config-"), made / "config");
  fs::rename(entry_of(lib / "modules", ""), made / "modules");
}

void fill_busybox(const DebianPackages& packages, const fs::path& root, const fs::path& made) {
  packages.unpack(busybox_package, root);
  const fs::path bin = fs::exists(root / "bin" / "busybox") ? root / "bin" : root / "usr" / "bin";
  fs::rename(entry_of(bin, "busybox"), made / "busybox");
}

void require_driver(const fs::path& config, const std::string& which) {
  if (programs::read_file(config).find("\n" + std::string(driver_option) + "y") != std::string::npos) return;
  throw programs::Lacking(fmt::format("cosim linux: kernel {} is configured without {}y; choose another with --kernel",
                                      which, driver_option));
}

void require_image(const std::string& path) {
  std::error_code error;
  if (!fs::is_regular_file(path, error)) {
    throw InputError(fmt::format("--kernel {}: there is no such file; give {} or the file of an arm64 Image",
                                 in_quotes(path), known_kernels()));
  }
  constexpr std::size_t at_magic = 0x38;  // of the arm64 boot header
  const std::string bytes = programs::read_file(path);
  if (bytes.size() < at_magic + 4 || bytes.compare(at_magic, 4, "ARM\x64") != 0) {
    throw InputError(
        fmt::format("--kernel {}: byte {}: it is no arm64 Image; give arch/arm64/boot/Image of a built "
                    "kernel, not compressed",
                    in_quotes(path), at_magic));
  }
}

}  // namespace

std::string_view known_kernels() {
  return "6.1, 6.12";
}

void require_kernel(const std::string& which, const std::string& modules) {
  for (const KnownKernel& kernel : kernels) {
    if (which != kernel.name) continue;
    if (modules.empty()) return;
    throw InputError(fmt::format("--modules {}: Debian's kernel {} has its own; name the file of another with --kernel",
                                 in_quotes(modules), which));
  }
  require_image(which);
  std::error_code error;
  if (!modules.empty() && !fs::is_directory(modules, error)) {
    throw InputError(
        fmt::format("--modules {}: there is no such folder; give the one that `make modules_install` "
                    "made, lib/modules/VERSION",
                    in_quotes(modules)));
  }
}

GuestKernel find_kernel(const Fetching& fetching, const std::string& which, const std::string& modules) {
  for (const KnownKernel& kernel : kernels) {
    if (which != kernel.name) continue;
    const Cached cached{cache_folder() / ("linux-" + which), {"image", "config", "modules"}};
    if (!cached.is_whole()) {
      fetching.progress(fmt::format("fetching Linux {} of Debian {} (once, about 100 MB)", which, kernel.suite));
      fetch(fetching, kernel.suite, cached, fill_kernel);
    }
    require_driver(cached.name / "config", which);
    return {cached.name / "image", cached.name / "modules"};
  }
  return {which, modules};
}

fs::path find_busybox(const Fetching& fetching) {
  const Cached cached{cache_folder() / "busybox", {"busybox"}};
  if (!cached.is_whole()) {
    fetching.progress("fetching busybox (once, 1 MB)");
    fetch(fetching, base_suite, cached, fill_busybox);
  }
  return cached.name / "busybox";
}

}  // namespace smmusim::cosim
