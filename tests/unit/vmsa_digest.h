// SPDX-License-Identifier: MIT
// One descriptor digested at one level, for tests of both stages.
#pragma once

#include <cstdint>

#include "model/vmsa/ttw_step.h"

namespace smmusim {

struct Result {
  WalkStep step;
  TTWState state;
};
template <class Params>
Result digest(const Params& params, int level, std::uint64_t descriptor) {
  Result result{};
  ttw::enter_table(params, result.state, level, 0);
  result.step = walk_step(params, result.state, descriptor);
  return result;
}

}  // namespace smmusim
