// SPDX-License-Identifier: MIT
// How the rows of the key table are written: builders for each type of key, and the tables by section that keys.cc
// joins. Private to platform/config.
#pragma once

#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "platform/config/keys.h"

namespace smmusim::key_rows {

/// Replacement policies of caches.
inline constexpr Choice replacements[] = {{"lru", 0}, {"round-robin", 1}, {"random", 2}};

std::vector<Key> platform_keys();
std::vector<Key> feature_keys();
std::vector<Key> smmu_keys();
std::vector<Key> endpoint_keys();
/// The part of endpoint_keys() that devices with a simulated driver have.
void add_driven_device_keys(std::vector<Key>& keys);

template <class Scope>
Scope& pick(const Subject& subject) {
  if constexpr (std::is_same_v<Scope, PlatformConfig>) {
    return *subject.platform;
  } else if constexpr (std::is_same_v<Scope, NamedSmmu>) {
    return *subject.smmu;
  } else {
    return *subject.endpoint;
  }
}

template <class Scope>
constexpr KeyScope scope_of() {
  if constexpr (std::is_same_v<Scope, PlatformConfig>) {
    return KeyScope::platform;
  } else if constexpr (std::is_same_v<Scope, NamedSmmu>) {
    return KeyScope::smmu;
  } else {
    return KeyScope::endpoint;
  }
}

/// What a row says besides its values.
struct Words {
  std::string_view unit;
  std::string_view meaning;
  std::string_view origin;
};

/// A row under construction: a Key, and calls that add what few rows have.
struct Row : Key {
  Row&& in_section(std::string_view number) && {
    section = number;
    return std::move(*this);
  }
  Row&& of_members(std::string_view names) && {
    members = names;
    return std::move(*this);
  }
  Row&& or_auto() && {
    automatic = true;
    return std::move(*this);
  }
  Row&& in_words(std::string_view legal_values) && {
    legal_text = legal_values;
    return std::move(*this);
  }
  Row&& identifies() && {
    identity = true;
    return std::move(*this);
  }
};

template <class Scope>
Row row(std::string_view name, KeyType type, const Words& words) {
  Row made;
  made.name = name;
  made.scope = scope_of<Scope>();
  made.type = type;
  made.unit = words.unit;
  made.meaning = words.meaning;
  made.origin = words.origin;
  return made;
}

/// Sets the default where the value is "auto". `access(Scope&)` gives a reference to the member.
template <class Scope, class Access>
bool set_automatic(const Subject& subject, const Value& value, const Access& access) {
  if (!std::holds_alternative<Automatic>(value)) return false;
  Scope untouched;
  access(pick<Scope>(subject)) = access(untouched);
  return true;
}

template <class Scope, class Access>
Row boolean(std::string_view name, Access access, const Words& words) {
  Row made = row<Scope>(name, KeyType::boolean, words);
  made.get = [access](const Subject& s) -> Value { return access(pick<Scope>(s)); };
  made.set = [access](const Subject& s, const Value& value) {
    if (set_automatic<Scope>(s, value, access)) return;
    access(pick<Scope>(s)) = std::get<bool>(value);
  };
  return made;
}

template <class Scope, class Access>
Row integer(std::string_view name, Access access, std::uint64_t min, std::uint64_t max, const Words& words) {
  Row made = row<Scope>(name, KeyType::integer, words);
  made.min = min;
  made.max = max;
  made.get = [access](const Subject& s) -> Value { return std::uint64_t{access(pick<Scope>(s))}; };
  made.set = [access](const Subject& s, const Value& value) {
    if (set_automatic<Scope>(s, value, access)) return;
    auto& member = access(pick<Scope>(s));
    member = static_cast<std::remove_reference_t<decltype(member)>>(std::get<std::uint64_t>(value));
  };
  return made;
}

/// An integer of which only `legal` (ascending) are possible.
template <class Scope, class Access>
Row one_of(std::string_view name, Access access, std::span<const std::uint64_t> legal, const Words& words) {
  Row made = integer<Scope>(name, access, legal.front(), legal.back(), words);
  made.legal = legal;
  return made;
}

template <class Scope, class Access>
Row choice(std::string_view name, Access access, std::span<const Choice> choices, const Words& words) {
  Row made = row<Scope>(name, KeyType::choice, words);
  made.choices = choices;
  made.get = [access, choices](const Subject& s) -> Value {
    const auto raw = static_cast<unsigned>(access(pick<Scope>(s)));
    for (const Choice& c : choices) {
      if (c.value == raw) return std::string(c.name);
    }
    return Automatic{};
  };
  made.set = [access, choices](const Subject& s, const Value& value) {
    if (set_automatic<Scope>(s, value, access)) return;
    auto& member = access(pick<Scope>(s));
    for (const Choice& c : choices) {
      if (c.name == std::get<std::string>(value))
        member = static_cast<std::remove_reference_t<decltype(member)>>(c.value);
    }
  };
  return made;
}

/// A text of min to max bytes.
template <class Scope, class Access>
Row text(std::string_view name, Access access, std::uint64_t min, std::uint64_t max, const Words& words) {
  Row made = row<Scope>(name, KeyType::text, words);
  made.min = min;
  made.max = max;
  made.get = [access](const Subject& s) -> Value { return access(pick<Scope>(s)); };
  made.set = [access](const Subject& s, const Value& value) { access(pick<Scope>(s)) = std::get<std::string>(value); };
  return made;
}

}  // namespace smmusim::key_rows
