// SPDX-License-Identifier: MIT
// The guest's kernel and its busybox: files of the user's, or Debian's, which are fetched once and then kept in the
// user's cache.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "platform/cosim/linux/process.h"

namespace smmusim::cosim {

struct GuestKernel {
  std::filesystem::path image;
  std::filesystem::path modules;  ///< folder of *.ko or *.ko.xz; empty: everything is built in
};

/// Tells people what takes long.
using Progress = std::function<void(const std::string& sentence)>;

/// The names that find_kernel() takes beside files.
std::string_view known_kernels();

/// `which` is "6.1" or "6.12", or a file. Throws InputError if it is neither, Lacking if Debian's can't be had, or if
/// the kernel is configured without the driver of the SMMU.
GuestKernel find_kernel(const SignalGuard& guard, const std::string& which, const Progress& progress);

/// A static busybox for arm64. Throws Lacking.
std::filesystem::path find_busybox(const SignalGuard& guard, const Progress& progress);

}  // namespace smmusim::cosim
