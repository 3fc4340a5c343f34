// SPDX-License-Identifier: MIT
// L1STD, STE and CD as smmusim fetched them against one configuration fetch of QEMU's log (IHI 0070 chapters 5, 3.3).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/oracle/log_steps.h"
#include "tests/oracle/seen.h"

namespace smmusim::oracle {

/// The stream table registers at the time, as smmusim has them.
struct StreamTableRegisters {
  std::uint64_t strtab_base = 0;
  std::uint64_t strtab_base_cfg = 0;
};

/// What differs, a sentence each. `span_bound_of_qemu` is counted up for QEMU's known error of the level-2 bound.
std::vector<std::string> compare_configuration(const LoggedConfiguration& logged, const StreamTableRegisters& registers,
                                               unsigned oas, const SeenStructure& l1std, const SeenStructure& ste,
                                               const SeenStructure& cd, std::uint64_t& span_bound_of_qemu);

}  // namespace smmusim::oracle
