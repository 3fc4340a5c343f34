// SPDX-License-Identifier: MIT
// Reading values: first the type, then whether the value is legal, both from the key's row.
#include "platform/config/value.h"

#include <toml++/toml.h>

#include <algorithm>
#include <stdexcept>

#include "platform/trace/parse.h"

namespace smmusim {
namespace {

[[noreturn]] void fail(const Key& key, const std::string& shown, const std::string& wrong) {
  const bool has_section = !key.section.empty();
  throw std::invalid_argument(std::string(key.name) + " = " + shown + " " + wrong + "; legal " +
                              (key.type == KeyType::integer && key.legal.empty() ? "is " : "are ") + legal_values(key) +
                              (key.unit.empty() ? "" : " (unit: " + std::string(key.unit) + ")") +
                              (has_section ? " (section " + std::string(key.section) + ")" : ""));
}

std::string_view type_in_words(KeyType type) {
  switch (type) {
    case KeyType::boolean:
      return "true nor false";
    case KeyType::integer:
      return "an integer";
    case KeyType::choice:
    case KeyType::text:
      return "a string";
    case KeyType::integers:
      return "a list of integers";
  }
  return "";
}

[[noreturn]] void fail_type(const Key& key, const std::string& shown) {
  fail(key, shown, (key.type == KeyType::boolean ? "is neither " : "is not ") + std::string(type_in_words(key.type)));
}

void require_integer(const Key& key, std::uint64_t n, const std::string& shown) {
  if (!key.legal.empty()) {
    if (std::find(key.legal.begin(), key.legal.end(), n) == key.legal.end()) {
      fail(key, shown, key.section.empty() ? "is not possible" : "is not architected");
    }
  } else if (key.type == KeyType::integer && (n < key.min || n > key.max)) {
    fail(key, shown, "is out of range");
  }
}

/// Another element of a list, in which each number stands once.
void append_integer(const Key& key, std::uint64_t n, const std::string& shown, std::vector<std::uint64_t>& list) {
  require_integer(key, n, shown);
  if (std::find(list.begin(), list.end(), n) != list.end()) fail(key, "[...]", "has " + shown + " twice");
  list.push_back(n);
}

Value legal_choice(const Key& key, const std::string& text, const std::string& shown) {
  for (const Choice& c : key.choices) {
    if (c.name == text) return text;
  }
  fail(key, shown, key.section.empty() ? "is not possible" : "is not architected");
}

bool has_choice(const Key& key, std::string_view name) {
  return std::any_of(key.choices.begin(), key.choices.end(), [name](const Choice& c) { return c.name == name; });
}

/// A value given as characters, in a TOML string or after --set; numbers and lists only where `bare`.
Value from_text(const Key& key, std::string_view text, bool bare) {
  const std::string shown = in_quotes(text);
  if (key.automatic && text == "auto") return Automatic{};
  switch (key.type) {
    case KeyType::boolean:
      if (text == "on" || (bare && text == "true")) return true;
      if (text == "off" || (bare && text == "false")) return false;
      if (text == "true" || text == "false") fail(key, shown, "is a string and not a boolean");
      fail_type(key, shown);
    case KeyType::choice:
      if (bare && has_choice(key, "on") && text == "true") return std::string("on");
      if (bare && has_choice(key, "off") && text == "false") return std::string("off");
      return legal_choice(key, std::string(text), shown);
    case KeyType::text:
      if (text.size() < key.min || text.size() > key.max || text.find('\0') != text.npos)
        fail(key, shown, "is not possible");
      return std::string(text);
    case KeyType::integer: {
      std::uint64_t n = 0;
      if (!bare || !trace::parse_number(text, n)) fail_type(key, shown);
      require_integer(key, n, std::string(text));
      return n;
    }
    case KeyType::integers:
      break;
  }
  if (!bare) fail_type(key, shown);
  if (text.size() >= 2 && text.front() == '[' && text.back() == ']') text = text.substr(1, text.size() - 2);
  std::vector<std::uint64_t> list;
  for (const std::string& item : split_values(text)) {
    std::uint64_t n = 0;
    if (!trace::parse_number(item, n)) fail_type(key, shown);
    append_integer(key, n, item, list);
  }
  return list;
}

Value from_integer(const Key& key, std::int64_t number) {
  const std::string shown = std::to_string(number);
  if (key.type != KeyType::integer) fail_type(key, shown);
  if (number < 0) fail(key, shown, "is negative");
  require_integer(key, static_cast<std::uint64_t>(number), shown);
  return static_cast<std::uint64_t>(number);
}

Value from_array(const Key& key, const toml::array& array) {
  if (key.type != KeyType::integers || array.empty()) fail_type(key, array.empty() ? "[]" : "[...]");
  std::vector<std::uint64_t> list;
  for (const toml::node& item : array) {
    const auto* number = item.as_integer();
    if (number == nullptr) fail_type(key, "[...]");
    if (number->get() < 0) fail(key, std::to_string(number->get()), "is negative");
    append_integer(key, static_cast<std::uint64_t>(number->get()), std::to_string(number->get()), list);
  }
  return list;
}

}  // namespace

Value parse_value(const Key& key, std::string_view text) {
  return from_text(key, text, true);
}

Value parse_value(const Key& key, const toml::node& node) {
  if (const auto* text = node.as_string()) return from_text(key, text->get(), false);
  if (const auto* number = node.as_integer()) return from_integer(key, number->get());
  if (const auto* array = node.as_array()) return from_array(key, *array);
  if (const auto* flag = node.as_boolean()) {
    if (key.type == KeyType::boolean) return flag->get();
    const std::string_view name = flag->get() ? "on" : "off";
    if (has_choice(key, name)) return std::string(name);
    fail_type(key, flag->get() ? "true" : "false");
  }
  if (node.is_floating_point()) fail_type(key, "a floating-point number");
  fail_type(key, node.is_table() ? "a table" : "a date or time");
}

std::string printable(std::string_view text) {
  constexpr std::size_t shown_max = 60;
  std::string out;
  for (const char c : text.substr(0, shown_max)) {
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 0x20 || byte == 0x7f ? '?' : c;
  }
  return text.size() > shown_max ? out + "..." : out;
}

std::string in_quotes(std::string_view text) {
  return "\"" + printable(text) + "\"";
}

std::vector<std::string> split_values(std::string_view text) {
  std::vector<std::string> values(1);
  int depth = 0;
  for (const char c : text) {
    depth += c == '[' ? 1 : c == ']' ? -1 : 0;
    if (c == ',' && depth == 0) {
      values.emplace_back();
    } else if (c != ' ') {
      values.back() += c;
    }
  }
  return values;
}

}  // namespace smmusim
