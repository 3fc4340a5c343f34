// SPDX-License-Identifier: MIT
// The command line of smmusim: parses, calls, turns exceptions into the exit codes of the contract. What the commands
// do is elsewhere in platform/; this folder only reads arguments and prints.
#pragma once

namespace smmusim {

/// Runs the program. Returns its exit code: 0 done; 1 a check does not hold; 2 the input is wrong; 3 the machine
/// lacks something; 70 a defect of smmusim. Prints; throws nothing.
int run_command_line(int argc, const char* const* argv);

}  // namespace smmusim
