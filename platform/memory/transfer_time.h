// SPDX-License-Identifier: MIT
// transfer_time(): how long bytes occupy a channel. Integers only, so that every machine gets the same picoseconds.
#pragma once

#include <cstdint>

#include "model/sim/engine.h"

namespace smmusim {

/// Picoseconds that `bytes` take at `gbit_per_s` gigabits (10^9 bits) a second, rounded up; 0 gbit_per_s: no limit.
constexpr Time transfer_time(std::uint64_t bytes, std::uint64_t gbit_per_s) {
  return gbit_per_s == 0 ? 0 : (bytes * 8000 + gbit_per_s - 1) / gbit_per_s;
}

}  // namespace smmusim
