// SPDX-License-Identifier: MIT
// The data that a device without any of its own writes.
#include "platform/endpoint/dma_work.h"

#include <cstring>

namespace smmusim::platform {

void fill_pattern(std::uint64_t tag, std::span<unsigned char> data) {
  constexpr std::uint64_t step = 0x9e3779b97f4a7c15;
  std::uint64_t word = (tag + 1) * step;
  std::size_t at = 0;
  for (; at + sizeof word <= data.size(); at += sizeof word, word += step) {
    std::memcpy(data.data() + at, &word, sizeof word);
  }
  if (at != data.size()) std::memcpy(data.data() + at, &word, data.size() - at);
}

}  // namespace smmusim::platform
