// SPDX-License-Identifier: MIT
// CHECK: a condition that only a defect of smmusim itself can break.
// Guest, device and file input never reaches a CHECK; it gets an architected outcome or a ConfigError.
#pragma once

#include <stdexcept>

namespace smmusim {

/// Thrown by CHECK. The command line turns it into exit code 70.
struct InternalError : std::logic_error {
  using std::logic_error::logic_error;
};

/// Throws InternalError naming the broken condition and its place.
[[noreturn]] void check_failed(const char* condition, const char* file, int line);

}  // namespace smmusim

#define SMMUSIM_CHECK(condition) \
  (static_cast<bool>(condition) ? void(0) : ::smmusim::check_failed(#condition, __FILE__, __LINE__))
