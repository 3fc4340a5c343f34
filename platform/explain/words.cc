// SPDX-License-Identifier: MIT
// The words of a Story that text and JSON share: outcomes, sizes, memory attributes (Arm ARM D8.5, the encoding of
// MAIR_ELx.Attr).
#include <fmt/format.h>

#include "platform/explain/story.h"

namespace smmusim::explain {
namespace {

std::string cacheability(unsigned nibble) {
  if (nibble == 4) return "NC";
  const bool write_back = (nibble & 4) != 0;
  std::string text = write_back ? "WB" : "WT";
  if ((nibble & 8) == 0) text += "-transient";
  return text;
}

std::string memory_type(std::uint8_t type) {
  constexpr std::string_view device[4] = {"nGnRnE", "nGnRE", "nGRE", "GRE"};
  const unsigned inner = type & 0xf;
  const unsigned outer = type >> 4;
  if (outer == 0) return "Device-" + std::string(device[inner >> 2]);
  if (inner == 0) return fmt::format("memory type 0x{:02x}", type);
  return "Normal i" + cacheability(inner) + "-o" + cacheability(outer);
}

}  // namespace

std::string_view name_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::proceed:
      return "proceed";
    case Outcome::abort:
      return "abort";
    case Outcome::raz_wi:
      return "raz_wi";
    case Outcome::stalled:
      return "stall";
    case Outcome::ats_completion:
      return "ats_completion";
  }
  return "";
}

std::string describe(const MemoryAttributes& attributes) {
  constexpr std::string_view shareability[4] = {"non-shareable", "reserved", "outer shareable", "inner shareable"};
  return memory_type(attributes.type) + ", " + std::string(shareability[attributes.shareability & 3]);
}

std::string bytes_text(std::uint64_t bytes) {
  constexpr std::string_view units[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  std::size_t unit = 0;
  while (bytes % 1024 == 0 && bytes != 0 && unit + 1 != std::size(units)) {
    bytes /= 1024;
    ++unit;
  }
  return fmt::format("{} {}", bytes, units[unit]);
}

}  // namespace smmusim::explain
