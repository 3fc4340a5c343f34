// SPDX-License-Identifier: MIT
// copy_bytes(): memcpy for the data of accesses, whose size is a variable and nearly always that of one descriptor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace smmusim {

/// As memcpy(); without a call if `size` is 8.
inline void copy_bytes(void* to, const void* from, std::size_t size) {
  if (size == sizeof(std::uint64_t)) {
    std::memcpy(to, from, sizeof(std::uint64_t));
  } else {
    std::memcpy(to, from, size);
  }
}

}  // namespace smmusim
