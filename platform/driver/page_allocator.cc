// SPDX-License-Identifier: MIT
// PageAllocator; see the header.
#include "platform/driver/page_allocator.h"

#include <fmt/format.h>

#include <limits>

namespace smmusim {

PageAllocator::PageAllocator(Pa base, std::uint64_t size)
    : base_(base.value), next_(base.value), end_(base.value + size) {
  if (size > std::numeric_limits<std::uint64_t>::max() - base.value) {
    throw std::invalid_argument(
        fmt::format("a region of {} bytes at 0x{:x} wraps around 2^64; it must end below", size, base.value));
  }
}

Pa PageAllocator::allocate(std::uint64_t size, std::uint64_t alignment) {
  const std::uint64_t start = (next_ + alignment - 1) & ~(alignment - 1);
  if (start < next_ || start > end_ || size > end_ - start) {
    throw AllocationError(
        fmt::format("the driver's region of {} bytes at 0x{:x} has no room for {} more bytes of tables or queues; use "
                    "smaller tables, fewer mappings or a larger region",
                    size_bytes(), base_, size));
  }
  next_ = start + size;
  return Pa(start);
}

}  // namespace smmusim
