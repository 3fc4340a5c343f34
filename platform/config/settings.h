// SPDX-License-Identifier: MIT
// What the user wrote, taken apart: which key of which part gets which value, where that stands, and every mistake
// found on the way. Between the TOML text and the checks of whole configurations. Private to platform/config.
#pragma once

#include <compare>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "platform/config/keys.h"
#include "platform/config/load.h"

namespace smmusim {

/// One part of a configuration: the whole, the n-th SMMU, the n-th endpoint or the template of endpoints.
struct Part {
  static constexpr std::size_t endpoint_template = ~std::size_t{0};
  static constexpr std::size_t all = endpoint_template - 1;
  KeyScope scope = KeyScope::platform;
  std::size_t index = 0;
  friend auto operator<=>(const Part&, const Part&) = default;
};

/// A place in what the user wrote.
struct Where {
  std::uint32_t line = 0, column = 0;  ///< 0: not in the file
  std::string text;                    ///< "FILE:LINE:COLUMN" or "--set key=value"
};

struct Setting {
  const Key* key = nullptr;
  Part part{};  ///< index Part::all: for all parts of the key's scope, as --set means it
  Value value{};
  Where where{};
};

/// Mistakes, to be thrown all at once in the order of the file.
class Problems {
 public:
  void add(const Where& where, const std::string& sentence);
  /// A value of one key is wrong by itself; later checks that involve it would only repeat that.
  void add(const Where& where, const std::string& sentence, const Part& part, std::string_view key);
  bool concerns(const Part& part, std::string_view key) const {
    return keys_.contains({part, key}) || keys_.contains({{part.scope, Part::all}, key});
  }
  bool empty() const { return list_.empty(); }
  /// Throws InputError if there is any; what concerns several parts and says the same is there once.
  void raise() const;

 private:
  struct Problem {
    std::uint32_t line, column;
    std::string text;
  };
  std::vector<Problem> list_;
  std::set<std::pair<Part, std::string_view>> keys_;
};

struct Settings {
  std::vector<Setting> list;  ///< file first, then assignments; later ones win
  std::size_t smmus = 1;      ///< how many [[smmu]] there are, at least 1
  std::size_t endpoints = 0;
  std::vector<Where> endpoint_places;  ///< where each [[endpoint]] begins
};

/// Reads the text and the assignments. Throws InputError if the text is no TOML; everything else goes to `problems`.
Settings read_settings(const ConfigSource& source, Problems& problems);

}  // namespace smmusim
