// SPDX-License-Identifier: MIT
// The program's entry; everything is in command_line.h.
#include "platform/cli/command_line.h"

int main(int argc, char** argv) {
  return smmusim::run_command_line(argc, argv);
}
