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

/// Throws InputError unless `which` is one of them, or the file of an arm64 Image.
void require_kernel(const std::string& which);

/// `which` as above. Throws Lacking if Debian's can't be had, or if the kernel is configured without the driver of the
/// SMMU.
GuestKernel find_kernel(const SignalGuard& guard, const std::string& which, const Progress& progress);

/// A static busybox for arm64. Throws Lacking.
std::filesystem::path find_busybox(const SignalGuard& guard, const Progress& progress);

}  // namespace smmusim::cosim
