// SPDX-License-Identifier: MIT
// What can go wrong with the programs that smmusim starts and is neither wrong input (InputError) nor a defect.
#pragma once

#include <stdexcept>

namespace smmusim::programs {

/// The machine lacks something: a program, a package, a network. what() says what to do.
struct Lacking : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// SIGINT, SIGTERM or another signal that ends programs came while something was waited for. The signal is still
/// pending.
struct Interrupted : std::runtime_error {
  Interrupted() : std::runtime_error("interrupted") {}
};

}  // namespace smmusim::programs
