// SPDX-License-Identifier: MIT
// One command of the queue against what QEMU's log says of it (IHI 0070 chapter 4).
#pragma once

#include <string>

#include "tests/oracle/log_steps.h"

namespace smmusim::oracle {

/// "" if `command` has the logged opcode and operands, else which of them differ.
std::string compare_command(const spec::Command& command, const LoggedCommand& logged);

}  // namespace smmusim::oracle
