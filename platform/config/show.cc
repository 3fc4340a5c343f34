// SPDX-License-Identifier: MIT
// Loops over the rows of keys.h that write a configuration down.
#include "platform/config/show.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "platform/config/keys.h"

namespace smmusim {
namespace {

using Json = nlohmann::ordered_json;

Json to_json(const Value& value) {
  if (std::holds_alternative<Automatic>(value)) return "auto";
  if (const auto* flag = std::get_if<bool>(&value)) return *flag;
  if (const auto* number = std::get_if<std::uint64_t>(&value)) return *number;
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  return std::get<std::vector<std::uint64_t>>(value);
}

/// Addresses and sizes of address ranges are read in hexadecimal.
bool in_hexadecimal(const Key& key) {
  return key.unit == "byte" && key.legal.empty();
}

std::string to_toml(const Key& key, const Value& value) {
  if (const auto* number = std::get_if<std::uint64_t>(&value); number != nullptr && in_hexadecimal(key)) {
    return fmt::format("{:#x}", *number);
  }
  // JSON's strings, numbers, booleans and arrays are TOML's too; ASCII output needs no other escape.
  return to_json(value).dump(-1, ' ', true, Json::error_handler_t::replace);
}

std::string_view section_of(const Key& key) {
  const std::size_t dot = key.name.rfind('.');
  return dot == std::string_view::npos ? std::string_view() : key.name.substr(0, dot);
}

std::string_view last_part(const Key& key) {
  const std::size_t dot = key.name.rfind('.');
  return dot == std::string_view::npos ? key.name : key.name.substr(dot + 1);
}

/// The sections of one scope, in the order in which the table first names them.
std::vector<std::string_view> sections_of(KeyScope scope) {
  std::vector<std::string_view> sections;
  for (const Key& key : all_keys()) {
    const std::string_view section = section_of(key);
    if (key.scope != scope) continue;
    if (std::find(sections.begin(), sections.end(), section) == sections.end()) sections.push_back(section);
  }
  return sections;
}

/// All sections of one scope for one subject. `list_element`: the first heading is [[section]].
void append_toml(std::string& out, KeyScope scope, const Subject& subject, bool list_element, bool with_identity) {
  for (const std::string_view section : sections_of(scope)) {
    const bool top_of_list = list_element && section.find('.') == std::string_view::npos;
    if (!section.empty()) out += top_of_list ? fmt::format("\n[[{}]]\n", section) : fmt::format("\n[{}]\n", section);
    for (const Key& key : all_keys()) {
      if (key.scope != scope || section_of(key) != section || (key.identity && !with_identity)) continue;
      out += fmt::format("{} = {}\n", last_part(key), to_toml(key, key.get(subject)));
    }
  }
}

/// Members of `object` for the keys of `scope`; the first part of the name is left out for lists, which have it.
void add_json(Json& object, KeyScope scope, const Subject& subject, bool with_identity) {
  for (const Key& key : all_keys()) {
    if (key.scope != scope || (key.identity && !with_identity)) continue;
    std::string_view name = key.name;
    if (scope != KeyScope::platform) name.remove_prefix(name.find('.') + 1);
    Json* place = &object;
    for (std::size_t dot = name.find('.'); dot != std::string_view::npos; dot = name.find('.')) {
      place = &(*place)[std::string(name.substr(0, dot))];
      name.remove_prefix(dot + 1);
    }
    (*place)[std::string(name)] = to_json(key.get(subject));
  }
}

std::string default_text(const Key& key) {
  if (key.identity) return "-";
  const std::string text = to_toml(key, default_value(key));
  return text == "\"\"" ? "-" : text;
}

}  // namespace

std::string config_to_toml(const PlatformConfig& config) {
  PlatformConfig copy = config;  // getters take what setters take
  std::string out;
  append_toml(out, KeyScope::platform, {&copy}, false, true);
  const bool several = copy.smmus.size() > 1;
  for (NamedSmmu& smmu : copy.smmus) append_toml(out, KeyScope::smmu, {&copy, &smmu}, several, true);
  for (EndpointConfig& endpoint : copy.endpoints) {
    append_toml(out, KeyScope::endpoint, {&copy, nullptr, &endpoint}, true, true);
  }
  if (copy.endpoints.empty()) {
    append_toml(out, KeyScope::endpoint, {&copy, nullptr, &copy.endpoint_template}, false, false);
  }
  return out;
}

nlohmann::ordered_json config_to_json(const PlatformConfig& config) {
  PlatformConfig copy = config;
  Json json = Json::object();
  add_json(json, KeyScope::platform, {&copy}, true);
  std::vector<Json> smmus;
  for (NamedSmmu& smmu : copy.smmus) add_json(smmus.emplace_back(), KeyScope::smmu, {&copy, &smmu}, true);
  json["smmu"] = smmus.size() == 1 ? smmus.front() : Json(smmus);
  if (copy.endpoints.empty())
    add_json(json["endpoint"], KeyScope::endpoint, {&copy, nullptr, &copy.endpoint_template}, false);
  for (EndpointConfig& endpoint : copy.endpoints) {
    Json object;
    add_json(object, KeyScope::endpoint, {&copy, nullptr, &endpoint}, true);
    json["endpoint"].push_back(object);
  }
  return json;
}

std::string keys_to_text() {
  std::string out;
  for (const Key& key : all_keys()) {
    out += fmt::format("{} = {}  ({}{}{}; {})\n    {}; why this default: {}\n", key.name, default_text(key),
                       to_string(key.type), key.unit.empty() ? "" : ", ", key.unit, legal_values(key), key.meaning,
                       key.origin);
  }
  return out;
}

nlohmann::ordered_json keys_to_json() {
  Json list = Json::array();
  for (const Key& key : all_keys()) {
    Json row;
    row["key"] = key.name;
    row["type"] = to_string(key.type);
    row["default"] = key.identity ? Json() : to_json(default_value(key));
    row["unit"] = key.unit;
    row["range"] = legal_values(key);
    row["meaning"] = key.meaning;
    row["origin"] = key.origin;
    if (!key.section.empty()) row["section"] = key.section;
    list.push_back(row);
  }
  return list;
}

}  // namespace smmusim
