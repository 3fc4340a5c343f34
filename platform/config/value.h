// SPDX-License-Identifier: MIT
// Values of keys as the user writes them: text after --set, or a node of a TOML file. Every function throws
// std::invalid_argument with one sentence "what is wrong; what would be right" that names the key.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "platform/config/keys.h"

namespace toml {
inline namespace v3 {
class node;
}
}  // namespace toml

namespace smmusim {

/// Legal value of `key` from its text.
Value parse_value(const Key& key, std::string_view text);

/// Legal value of `key` from a TOML node.
Value parse_value(const Key& key, const toml::node& node);

/// At most 60 bytes of `text`, with bytes that would disturb a terminal or break a line replaced; then in quotes.
std::string printable(std::string_view text);
std::string in_quotes(std::string_view text);

/// Splits at the commas that stand outside brackets: the values of --vary.
std::vector<std::string> split_values(std::string_view text);

}  // namespace smmusim
