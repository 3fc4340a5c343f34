// SPDX-License-Identifier: MIT
// The shipped log and memory image, read once a process. Their origin is told in data/README.md.
#pragma once

#include <string>

#include "tests/oracle/log_steps.h"
#include "tests/oracle/machine.h"

namespace smmusim::oracle {

const std::string& shipped_text();
const LogSteps& shipped_log();
const Image& shipped_image();

}  // namespace smmusim::oracle
