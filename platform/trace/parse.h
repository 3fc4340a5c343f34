// SPDX-License-Identifier: MIT
// Numbers in text lines: decimal or 0x hexadecimal. Shared by the text format and the importer.
#pragma once

#include <charconv>
#include <cstdint>
#include <string_view>
#include <system_error>

namespace smmusim::trace {

/// Consumes a number from the front of `text`; false (and `text` unspecified) if there is none or it exceeds 64 bits.
inline bool take_number(std::string_view& text, std::uint64_t& value) {
  const bool hexadecimal = text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
  if (hexadecimal) text.remove_prefix(2);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, hexadecimal ? 16 : 10);
  if (error != std::errc{}) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

/// True if all of `text` is one number.
inline bool parse_number(std::string_view text, std::uint64_t& value) {
  return take_number(text, value) && text.empty();
}

/// Consumes the word up to the next space (and the spaces after it). Empty at the end.
inline std::string_view take_word(std::string_view& text) {
  std::size_t end = 0;
  while (end < text.size() && text[end] != ' ') ++end;
  const std::string_view word = text.substr(0, end);
  while (end < text.size() && text[end] == ' ') ++end;
  text.remove_prefix(end);
  return word;
}

}  // namespace smmusim::trace
