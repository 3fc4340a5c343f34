// SPDX-License-Identifier: MIT
// Accesses are aligned to their size, so that none leaves its page.
#include "platform/endpoint/bar_memory.h"

#include <cstring>

namespace smmusim::platform {
namespace {

constexpr std::uint64_t key_of(unsigned bar, std::uint64_t page) {
  return std::uint64_t{bar} << 60 | page;
}

}  // namespace

std::uint64_t BarMemory::bar_read(unsigned bar, std::uint64_t offset, unsigned size) {
  std::uint64_t value = 0;
  const auto found = pages_.find(key_of(bar, offset / page_bytes));
  if (found != pages_.end()) std::memcpy(&value, found->second.data() + offset % page_bytes, size);
  return value;
}

void BarMemory::bar_write(unsigned bar, std::uint64_t offset, std::uint64_t value, unsigned size) {
  Page& page = pages_[key_of(bar, offset / page_bytes)];
  std::memcpy(page.data() + offset % page_bytes, &value, size);
}

}  // namespace smmusim::platform
