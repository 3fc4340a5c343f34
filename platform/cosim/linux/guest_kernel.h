// SPDX-License-Identifier: MIT
// The guest's kernel and its busybox: files of the user's, or Debian's, which are fetched once and then kept in the
// user's cache.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "platform/programs/process.h"

namespace smmusim::cosim {

struct GuestKernel {
  std::filesystem::path image;
  std::filesystem::path modules;  ///< folder of *.ko or *.ko.xz; empty: everything is built in
};

/// How packages are fetched.
struct Fetching {
  const programs::SignalGuard& guard;
  std::function<void(const std::string& sentence)> progress;  ///< tells people what takes long
  unsigned seconds;                                           ///< for each kernel or busybox
};

/// The names that find_kernel() takes beside files.
std::string_view known_kernels();

/// Throws InputError unless `which` is one of them, or the file of an arm64 Image. `modules` is the folder of that
/// file's modules, or empty; Debian's kernels have their own.
void require_kernel(const std::string& which, const std::string& modules);

/// Arguments as above. Throws Lacking if Debian's can't be had, or if it is configured without the driver of the SMMU.
GuestKernel find_kernel(const Fetching& fetching, const std::string& which, const std::string& modules);

/// A static busybox for arm64. Throws Lacking.
std::filesystem::path find_busybox(const Fetching& fetching);

}  // namespace smmusim::cosim
