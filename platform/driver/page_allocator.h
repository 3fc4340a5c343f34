// SPDX-License-Identifier: MIT
// PageAllocator: hands out physical memory of one bounded region to the simulated driver for tables and queues.
// It only counts upwards: a driver's tables live as long as the simulation, so nothing is ever given back.
#pragma once

#include <cstdint>
#include <stdexcept>

#include "model/base/types.h"

namespace smmusim {

/// Thrown when the region is used up; what() says how large it is and what would help.
struct AllocationError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class PageAllocator {
 public:
  /// [base, base + size) in bytes. Throws std::invalid_argument if it wraps around 2^64.
  PageAllocator(Pa base, std::uint64_t size);

  /// `size` bytes at a multiple of `alignment`, a power of two. Memory that was never written reads as zero; the
  /// allocator does not clear it. Throws AllocationError.
  Pa allocate(std::uint64_t size, std::uint64_t alignment);

  std::uint64_t used_bytes() const { return next_ - base_; }
  std::uint64_t size_bytes() const { return end_ - base_; }

 private:
  std::uint64_t base_;
  std::uint64_t next_;
  std::uint64_t end_;
};

}  // namespace smmusim
