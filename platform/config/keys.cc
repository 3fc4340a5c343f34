// SPDX-License-Identifier: MIT
// The key table as a whole: joining the sections, look-up, the nearest name, values as text.
#include "platform/config/keys.h"

#include <algorithm>
#include <numeric>
#include <stdexcept>

#include "platform/config/key_rows.h"

namespace smmusim {
namespace {

std::vector<Key> join() {
  std::vector<Key> keys;
  for (std::vector<Key>& part : std::vector{key_rows::platform_keys(), key_rows::feature_keys(), key_rows::smmu_keys(),
                                            key_rows::endpoint_keys()}) {
    std::move(part.begin(), part.end(), std::back_inserter(keys));
  }
  return keys;
}

/// Insertions, deletions, substitutions, and swaps of neighbours, each one.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before, last(b.size() + 1), row(b.size() + 1);
  std::iota(last.begin(), last.end(), 0U);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0U : 1U)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before = std::exchange(last, row);
  }
  return last[b.size()];
}

bool has_word(std::string_view words, std::string_view word) {
  while (!words.empty()) {
    const std::size_t end = std::min(words.find(' '), words.size());
    if (words.substr(0, end) == word) return true;
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return false;
}

/// "a, b or c".
std::string listed(const std::vector<std::string>& words) {
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) out += i + 1 == words.size() ? " or " : ", ";
    out += words[i];
  }
  return out;
}

std::string legal_text(const Key& key) {
  if (key.legal_text.empty()) return std::to_string(key.min) + " to " + std::to_string(key.max) + " characters";
  return std::string(key.legal_text);
}

}  // namespace

std::string_view to_string(KeyType type) {
  switch (type) {
    case KeyType::boolean:
      return "boolean";
    case KeyType::integer:
      return "integer";
    case KeyType::choice:
      return "choice";
    case KeyType::text:
      return "string";
    case KeyType::integers:
      return "list of integers";
  }
  return "";
}

std::span<const Key> all_keys() {
  static const std::vector<Key> keys = join();
  return keys;
}

const Key* find_key(std::string_view name) {
  const auto keys = all_keys();
  const auto found = std::find_if(keys.begin(), keys.end(), [name](const Key& key) { return key.name == name; });
  return found == keys.end() ? nullptr : &*found;
}

const Key& nearest_key(std::string_view name) {
  // A key that is far too long is hostile; its beginning is enough to find a neighbour.
  const std::string_view start = name.substr(0, 80);
  const auto keys = all_keys();
  return *std::min_element(keys.begin(), keys.end(), [start](const Key& a, const Key& b) {
    return edit_distance(start, a.name) < edit_distance(start, b.name);
  });
}

const Key& key_of_member(std::string_view member) {
  for (const Key& key : all_keys()) {
    if (has_word(key.members, member)) return key;
  }
  throw std::logic_error("no key sets Features::" + std::string(member));
}

Value default_value(const Key& key) {
  PlatformConfig platform;
  NamedSmmu smmu;
  EndpointConfig endpoint;
  return key.get({&platform, &smmu, &endpoint});
}

std::string to_text(const Value& value) {
  struct Visitor {
    std::string operator()(Automatic) const { return "auto"; }
    std::string operator()(bool b) const { return b ? "true" : "false"; }
    std::string operator()(std::uint64_t n) const { return std::to_string(n); }
    std::string operator()(const std::string& s) const { return s; }
    std::string operator()(const std::vector<std::uint64_t>& list) const {
      std::string out;
      for (const std::uint64_t n : list) out += (out.empty() ? "" : ",") + std::to_string(n);
      return out;
    }
  };
  return std::visit(Visitor{}, value);
}

std::string legal_values(const Key& key) {
  std::vector<std::string> words;
  if (key.type == KeyType::boolean) words = {"true", "false"};
  for (const Choice& c : key.choices) words.emplace_back(c.name);
  for (const std::uint64_t n : key.legal) words.push_back(std::to_string(n));
  if (key.type == KeyType::integer && key.legal.empty()) {
    words.push_back(std::to_string(key.min) + " to " + std::to_string(key.max));
  }
  if (key.type == KeyType::text) words.push_back(legal_text(key));
  if (key.automatic) words.emplace_back("auto");
  return (key.type == KeyType::integers ? "one or more of " : "") + listed(words);
}

}  // namespace smmusim
