// SPDX-License-Identifier: MIT
// Names of Purposes, for whoever prints.
#include "model/sim/memory_port.h"

namespace smmusim {

const char* name_of(Purpose purpose) {
  constexpr const char* names[purposes] = {"L1STD", "STE", "L1CD", "CD", "TTD", "CMD", "EVENT", "PRI", "MSI", "VMS"};
  return names[static_cast<std::size_t>(purpose)];
}

}  // namespace smmusim
