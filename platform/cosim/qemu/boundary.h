// SPDX-License-Identifier: MIT
// The edge between C and C++: no exception of ours reaches QEMU. One that gets here ends the process with a sentence on
// standard error and the exit code that the command line would use.
#pragma once

#include <string>

namespace smmusim::cosim::qemu {

inline constexpr int exit_wrong_input = 2;
inline constexpr int exit_machine_lacks = 3;
inline constexpr int exit_defect = 70;

/// Prints `smmusim: text` and ends the process at once; QEMU's own ways out could wait for a lock that we hold.
[[noreturn]] void end_process(int code, const std::string& text);

/// Called in a catch block: ends the process for what was thrown.
[[noreturn]] void end_process_for_exception();

/// Calls `function`; never returns if it throws.
template <class Function>
auto guarded(Function&& function) {
  try {
    return function();
  } catch (...) {
    end_process_for_exception();
  }
}

}  // namespace smmusim::cosim::qemu
