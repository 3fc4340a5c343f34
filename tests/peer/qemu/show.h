// SPDX-License-Identifier: MIT
// A case as text: registers, access, mutations and every word of its image that
// is not zero.
#pragma once

#include <string>

#include "tests/peer/qemu/case.h"

namespace smmusim::peer {

std::string text_of(const Case& one);

}  // namespace smmusim::peer
