// SPDX-License-Identifier: MIT
// PCI addresses from and to text.
#include "platform/config/bdf.h"

namespace smmusim {
namespace {

constexpr std::string_view digits = "0123456789abcdef";

int hex(char c) {
  const char lower = c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
  const std::size_t value = digits.find(lower);
  return value == std::string_view::npos ? -1 : static_cast<int>(value);
}

}  // namespace

std::optional<std::uint16_t> parse_bdf(std::string_view text) {
  if (text.size() != 7 || text[2] != ':' || text[5] != '.') return std::nullopt;
  const int parts[] = {hex(text[0]), hex(text[1]), hex(text[3]), hex(text[4]), hex(text[6])};
  for (const int part : parts) {
    if (part < 0) return std::nullopt;
  }
  const int bus = parts[0] * 16 + parts[1];
  const int device = parts[2] * 16 + parts[3];
  if (device > 31 || parts[4] > 7) return std::nullopt;
  return static_cast<std::uint16_t>(bus * 256 + device * 8 + parts[4]);
}

std::string format_bdf(std::uint16_t rid) {
  std::string text = "00:00.0";
  text[0] = digits[(rid >> 12) & 15];
  text[1] = digits[(rid >> 8) & 15];
  text[3] = digits[(rid >> 7) & 1];
  text[4] = digits[(rid >> 3) & 15];
  text[6] = digits[rid & 7];
  return text;
}

}  // namespace smmusim
