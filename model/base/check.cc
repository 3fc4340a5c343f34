// SPDX-License-Identifier: MIT
// The failing side of CHECK, kept out of line so that a CHECK costs a compare and a branch.
#include "model/base/check.h"

#include <string>

namespace smmusim {

void check_failed(const char* condition, const char* file, int line) {
  throw InternalError(std::string("internal error: ") + condition + " does not hold at " + file + ":" +
                      std::to_string(line));
}

}  // namespace smmusim
