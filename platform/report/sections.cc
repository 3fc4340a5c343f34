// SPDX-License-Identifier: MIT
// Shared parts of pages; see the header.
#include "platform/report/sections.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "platform/config/keys.h"
#include "platform/config/show.h"
#include "platform/report/charts.h"
#include "platform/report/markup.h"

namespace smmusim::report {
namespace {

using nlohmann::ordered_json;

std::string value_text(const ordered_json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_array()) return value.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
  std::string list;
  for (const ordered_json& element : value) list += (list.empty() ? "" : ", ") + value_text(element);
  return list;
}

/// Rows for the members of `value` that `normal` does not have like this. `path` is what users call it, `key` the key's
/// name, which for lists has no number.
class Differences {
 public:
  explicit Differences(const std::set<std::string>& varied) : varied_(varied) {}

  void collect(const std::string& path, const std::string& key, const ordered_json& value, const ordered_json* normal) {
    if (value.is_object()) {
      for (const auto& [name, member] : value.items()) {
        const auto below = [&name = name](const std::string& all) { return all.empty() ? name : all + "." + name; };
        collect(below(path), below(key), member, member_of(normal, name));
      }
    } else if (value.is_array() && !value.empty() && value.front().is_object()) {
      std::size_t number = 0;
      const ordered_json* element_normal = normal != nullptr && normal->is_array() ? nullptr : normal;
      for (const ordered_json& element : value)
        collect(fmt::format("{}[{}]", path, number++), key, element, element_normal);
    } else if ((normal == nullptr || *normal != value) && !varied_.contains(key)) {
      add(path, key, value, normal);
    }
  }
  Table& table() { return table_; }

 private:
  static const ordered_json* member_of(const ordered_json* json, const std::string& name) {
    if (json == nullptr || !json->is_object() || !json->contains(name)) return nullptr;
    return &(*json)[name];
  }

  void add(const std::string& path, const std::string& key_name, const ordered_json& value,
           const ordered_json* normal) {
    const Key* key = find_key(key_name);
    const std::string unit = key == nullptr || key->unit.empty() ? "" : " " + std::string(key->unit);
    const std::string was = normal == nullptr || value_text(*normal).empty() ? "-" : value_text(*normal) + unit;
    table_.add({path, value_text(value) + unit, was, key == nullptr ? "" : std::string(key->meaning)});
  }

  const std::set<std::string>& varied_;
  Table table_{{{"key", false}, {"value", false}, {"default", false}, {"meaning", false}}};
};

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() > end.size() && text.ends_with(end);
}

void add_members(Table& table, const std::string& path, const ordered_json& json) {
  if (json.is_object()) {
    for (const auto& [name, member] : json.items()) add_members(table, path.empty() ? name : path + "." + name, member);
    return;
  }
  if (json.is_array() && !json.empty() && json.front().is_structured()) {
    std::size_t number = 0;
    for (const ordered_json& element : json) add_members(table, fmt::format("{}[{}]", path, number++), element);
    return;
  }
  constexpr std::array<std::pair<std::string_view, const char*>, 4> units{
      std::pair{"_ns", "ns"}, {"_gbps", "Gbit/s"}, {"_bytes", "bytes"}, {"_us", "µs"}};
  std::string name = path, unit;
  for (const auto& [end, text] : units) {
    if (!ends_with(path, end)) continue;
    name = path.substr(0, path.size() - end.size());
    unit = text;
  }
  std::replace(name.begin(), name.end(), '_', ' ');
  std::string text = value_text(json);
  if (json.is_number_unsigned()) text = grouped(json.get<std::uint64_t>());
  if (json.is_number_float()) text = fixed(json.get<double>(), 1);
  table.add({name, text, unit});
}

}  // namespace

std::string configuration_section(const ordered_json& config, const std::set<std::string>& varied) {
  const ordered_json normal = config_to_json(PlatformConfig{});
  Differences differences(varied);
  differences.collect("", "", config, &normal);
  if (differences.table().empty()) return paragraph("Every key has its default.");
  return paragraph("Keys whose values are not the defaults; smmusim config keys has all of them.") +
         differences.table().markup();
}

std::string members_table(const ordered_json& json) {
  Table table({{"", false}, {"value"}, {"unit", false}});
  add_members(table, "", json);
  return table.markup();
}

bool holds_anything(const ordered_json& json) {
  if (json.is_structured()) return std::any_of(json.begin(), json.end(), holds_anything);
  return json.is_number() && json.get<double>() != 0;
}

std::string time_text(double ns) {
  const TimeUnit unit = unit_for(ns);
  return fmt::format("{} {}", short_number(ns / unit.ns), unit.name);
}

std::string bytes_text(double bytes) {
  constexpr std::array<std::pair<double, const char*>, 3> units{std::pair{1e9, "GB"}, {1e6, "MB"}, {1e3, "kB"}};
  for (const auto& [size, name] : units) {
    if (bytes >= size) return fmt::format("{} {}", short_number(bytes / size), name);
  }
  return short_number(bytes) + " bytes";
}

std::string file_part(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

}  // namespace smmusim::report
