// SPDX-License-Identifier: MIT
// The configuration keys: one row each, with type, legal values, unit, meaning, origin of the default, and how it is
// read from and written into a PlatformConfig. The only place that knows key names: the TOML reader, --set, --vary,
// `config keys`, `config show` and the JSON's config object are loops over these rows.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "platform/config/platform_config.h"

namespace smmusim {

enum class KeyType : std::uint8_t { boolean, integer, choice, text, integers };
std::string_view to_string(KeyType type);

/// Which part of the configuration a key belongs to: the whole, each [smmu], each [[endpoint]].
enum class KeyScope : std::uint8_t { platform, smmu, endpoint };

/// What a value may say instead of a value of its type.
struct Automatic {
  friend bool operator==(Automatic, Automatic) = default;
};
using Value = std::variant<Automatic, bool, std::uint64_t, std::string, std::vector<std::uint64_t>>;

/// The objects that a key of each scope reads and writes; the pointer of its scope must be set.
struct Subject {
  PlatformConfig* platform = nullptr;
  NamedSmmu* smmu = nullptr;
  EndpointConfig* endpoint = nullptr;
};

struct Choice {
  std::string_view name;
  unsigned value;  ///< the enumerator's
};

struct Key {
  std::string_view name;  ///< dotted, as "smmu.tbu.outstanding"
  KeyScope scope{};
  KeyType type{};
  std::string_view unit{};
  std::string_view meaning{};
  std::string_view origin{};               ///< where the default comes from
  std::uint64_t min = 0, max = 0;          ///< integer, both legal; text: of its length
  std::span<const std::uint64_t> legal{};  ///< integer, integers: if not empty, these only
  std::span<const Choice> choices{};       ///< choice
  std::string_view section{};              ///< of IHI 0070 that fixes the legal values; empty: none does
  std::string_view members{};              ///< members of spec::Features that it sets, separated by one space
  std::string_view legal_text{};           ///< text: the legal values in words; empty: its length counts
  bool automatic = false;                  ///< "auto" is a value too, and means the default
  bool follows = false;                    ///< unless set, the loader chooses what makes spec::check() content
  bool identity = false;                   ///< tells one list element from another: only in a file
  std::function<Value(const Subject&)> get{};
  /// The value is of the key's type and legal. Throws std::invalid_argument for a text that does not parse.
  std::function<void(const Subject&, const Value&)> set{};
};

/// Every key, grouped by section, in the order in which they are shown.
std::span<const Key> all_keys();

/// nullptr if there is none of that name.
const Key* find_key(std::string_view name);

/// The key with the smallest edit distance to `name`.
const Key& nearest_key(std::string_view name);

/// The key that sets `member` of spec::Features.
const Key& key_of_member(std::string_view member);

/// The value in a platform that nobody configured.
Value default_value(const Key& key);

/// As typed after --set: `48`, `true`, `nested`, `4,16`, `auto`.
std::string to_text(const Value& value);

/// The legal values in words: "0 to 32", "32, 36, 40, ...", "on, off or auto".
std::string legal_values(const Key& key);

}  // namespace smmusim
