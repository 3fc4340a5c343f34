// SPDX-License-Identifier: MIT
// TOML text and --set assignments as a list of settings. Knows TOML; key names only through keys.h, but for the two
// lists `smmu` and `endpoint`.
#include "platform/config/settings.h"

#include <toml++/toml.h>

#include <algorithm>
#include <stdexcept>

#include "platform/config/value.h"

namespace smmusim {
namespace {

/// True if keys lie below this name.
bool is_section(const std::string& name) {
  const auto keys = all_keys();
  return std::any_of(keys.begin(), keys.end(), [&name](const Key& key) { return key.name.starts_with(name + "."); });
}

class TomlReader {
 public:
  TomlReader(const std::string& path, Settings& settings, Problems& problems)
      : path_(path), settings_(settings), problems_(problems) {}

  void read(const toml::table& root) {
    for (const auto& [name, node] : root) {
      if (name.str() == "smmu") {
        read_list(node, "smmu", KeyScope::smmu, settings_.smmus);
      } else if (name.str() == "endpoint") {
        read_list(node, "endpoint", KeyScope::endpoint, settings_.endpoints);
      } else {
        read_entry(std::string(name.str()), name, node, {});
      }
    }
  }

 private:
  Where at(const toml::source_region& region) const {
    const auto line = static_cast<std::uint32_t>(region.begin.line);
    const auto column = static_cast<std::uint32_t>(region.begin.column);
    return {line, column, path_ + ":" + std::to_string(line) + ":" + std::to_string(column)};
  }

  /// [smmu] or [[smmu]], [endpoint] (the template) or [[endpoint]].
  void read_list(const toml::node& node, const std::string& name, KeyScope scope, std::size_t& count) {
    if (const auto* table = node.as_table()) {
      read_table(*table, name, {scope, scope == KeyScope::endpoint ? Part::endpoint_template : 0});
      return;
    }
    const auto* array = node.as_array();
    const bool tables =
        array != nullptr && !array->empty() &&
        std::all_of(array->begin(), array->end(), [](const toml::node& item) { return item.is_table(); });
    if (!tables) {
      problems_.add(at(node.source()), name + " is not a table; write [" + name + "] or [[" + name + "]]");
      return;
    }
    count = array->size();
    for (std::size_t i = 0; i < array->size(); ++i) {
      const toml::table& table = *array->get_as<toml::table>(i);
      if (scope == KeyScope::endpoint) settings_.endpoint_places.push_back(at(table.source()));
      read_table(table, name, {scope, i});
    }
  }

  void read_table(const toml::table& table, const std::string& prefix, const Part& part) {
    for (const auto& [name, node] : table) read_entry(prefix + "." + std::string(name.str()), name, node, part);
  }

  void read_entry(const std::string& name, const toml::key& toml_key, const toml::node& node, const Part& part) {
    const Key* key = find_key(name);
    if (key == nullptr) {
      const auto* table = node.as_table();
      if (table != nullptr && !table->empty()) return read_table(*table, name, part);
      if (is_section(name)) {
        if (table == nullptr) {
          problems_.add(at(toml_key.source()), in_quotes(name) + " is a table, not a value; write [" + name + "]");
        }
        return;
      }
      problems_.add(at(toml_key.source()),
                    "unknown key " + in_quotes(name) + "; the nearest is " + std::string(nearest_key(name).name));
      return;
    }
    if (key->identity && part.index == Part::endpoint_template) {
      problems_.add(at(toml_key.source()), name + " belongs to one device; write [[endpoint]] instead of [endpoint]");
      return;
    }
    try {
      settings_.list.push_back(
          {key, key->scope == KeyScope::platform ? Part{} : part, parse_value(*key, node), at(node.source())});
    } catch (const std::invalid_argument& wrong) {
      problems_.add(at(node.source()), wrong.what(), part, key->name);
    }
  }

  const std::string& path_;
  Settings& settings_;
  Problems& problems_;
};

void read_toml(const ConfigSource& source, Settings& settings, Problems& problems) {
  toml::table root;
  try {
    root = toml::parse(source.text, source.path);
  } catch (const toml::parse_error& error) {
    const auto& begin = error.source().begin;
    throw InputError(source.path + ":" + std::to_string(begin.line) + ":" + std::to_string(begin.column) +
                     ": this is no TOML: " + std::string(error.description()) + "; see https://toml.io for its rules");
  }
  TomlReader(source.path, settings, problems).read(root);
}

void read_assignment(const Assignment& assignment, Settings& settings, Problems& problems) {
  const Where where{0, 0, assignment.origin};
  const Key* key = find_key(assignment.key);
  if (key == nullptr && is_section(assignment.key)) {
    problems.add(where, in_quotes(assignment.key) + " is a table, not a value; set one of its keys");
  } else if (key == nullptr) {
    problems.add(where, "unknown key " + in_quotes(assignment.key) + "; the nearest is " +
                            std::string(nearest_key(assignment.key).name));
  } else if (key->identity) {
    problems.add(where, assignment.key + " tells one part from another; set it in a configuration file");
  } else {
    const Part part{key->scope, key->scope == KeyScope::platform ? 0 : Part::all};
    try {
      settings.list.push_back({key, part, parse_value(*key, assignment.value), where});
    } catch (const std::invalid_argument& wrong) {
      problems.add(where, wrong.what(), part, key->name);
    }
  }
}

}  // namespace

void Problems::add(const Where& where, const std::string& sentence) {
  list_.push_back({where.line, where.column, where.text + ": " + sentence});
}

void Problems::add(const Where& where, const std::string& sentence, const Part& part, std::string_view key) {
  add(where, sentence);
  keys_.insert({part, key});
}

void Problems::raise() const {
  if (list_.empty()) return;
  std::vector<Problem> sorted = list_;
  // What has no place in the file comes after what has.
  static constexpr std::uint32_t last = ~std::uint32_t{0};
  std::stable_sort(sorted.begin(), sorted.end(), [](const Problem& a, const Problem& b) {
    return std::pair(a.line == 0 ? last : a.line, a.column) < std::pair(b.line == 0 ? last : b.line, b.column);
  });
  std::string text;
  std::set<std::string_view> told;
  for (const Problem& problem : sorted) {
    if (told.insert(problem.text).second) text += (text.empty() ? "" : "\n") + problem.text;
  }
  throw InputError(text);
}

Settings read_settings(const ConfigSource& source, Problems& problems) {
  Settings settings;
  if (!source.path.empty()) read_toml(source, settings, problems);
  for (const Assignment& assignment : source.assignments) read_assignment(assignment, settings, problems);
  return settings;
}

}  // namespace smmusim
