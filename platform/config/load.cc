// SPDX-License-Identifier: MIT
// load_config(): preset, file and assignments, in this order; then what was left to the platform is decided, then
// everything is checked. Reads the file and nothing else; never prints.
#include "platform/config/load.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <sstream>

#include "platform/config/bdf.h"
#include "platform/config/checks.h"
#include "platform/config/keys.h"
#include "platform/config/presets.h"
#include "platform/config/settings.h"
#include "platform/config/topology.h"
#include "platform/config/value.h"

namespace smmusim {
namespace {

class Loader {
 public:
  Loader(const ConfigSource& source, ConfigUse use) : source_(source), use_(use) {}

  PlatformConfig load() {
    const Settings settings = read_settings(source_, problems_);
    config_.smmus.resize(settings.smmus);
    config_.endpoints.resize(settings.endpoints);
    apply_preset(settings);
    // Endpoints name SMMUs, so these come first, wherever they stand in the file.
    for (const KeyScope scope : {KeyScope::platform, KeyScope::smmu}) apply_scope(settings, scope);
    decide_smmus();
    apply_scope(settings, KeyScope::endpoint);
    decide_endpoints(settings);
    decide_driver();
    decide_pri_queues();
    check_automatic();
    check_config(
        config_, use_, [this](const Part& part, std::string_view key) { return where_set(part, key); }, problems_);
    if (problems_.empty()) check_model();
    problems_.raise();
    return std::move(config_);
  }

 private:
  struct LastSet {
    Where where;
    bool automatic;
  };

  void apply_preset(const Settings& settings) {
    const Preset* preset = nullptr;
    for (const Setting& setting : settings.list) {
      if (setting.key->name == "preset") preset = find_preset(std::get<std::string>(setting.value));
    }
    if (preset == nullptr) return;
    for (const PresetValue& value : preset->values) {
      const Key& key = *find_key(value.key);
      const Where where{0, 0, "preset " + std::string(preset->name)};
      apply({&key, {key.scope, key.scope == KeyScope::platform ? 0 : Part::all}, parse_value(key, value.value), where});
    }
  }

  void apply_scope(const Settings& settings, KeyScope scope) {
    for (const Setting& setting : settings.list) {
      if (setting.key->scope == scope) apply(setting);
    }
  }

  void apply(const Setting& setting) {
    if (setting.part.index != Part::all) return apply_to(setting, setting.part);
    if (setting.key->scope == KeyScope::smmu) {
      for (std::size_t i = 0; i < config_.smmus.size(); ++i) apply_to(setting, {KeyScope::smmu, i});
    }
    if (setting.key->scope == KeyScope::endpoint) {
      for (std::size_t i = 0; i < config_.endpoints.size(); ++i) apply_to(setting, {KeyScope::endpoint, i});
      apply_to(setting, {KeyScope::endpoint, Part::endpoint_template});
    }
  }

  void apply_to(const Setting& setting, const Part& part) {
    const bool of_template = part.index == Part::endpoint_template;
    const Subject subject{&config_, part.scope == KeyScope::smmu ? &config_.smmus[part.index] : nullptr,
                          part.scope != KeyScope::endpoint ? nullptr
                          : of_template                    ? &config_.endpoint_template
                                                           : &config_.endpoints[part.index]};
    try {
      setting.key->set(subject, setting.value);
    } catch (const std::invalid_argument& wrong) {
      problems_.add(setting.where,
                    std::string(setting.key->name) + " = " + in_quotes(to_text(setting.value)) + " " + wrong.what(),
                    setting.part, setting.key->name);
    }
    last_set_[{part, setting.key->name}] = {setting.where, std::holds_alternative<Automatic>(setting.value)};
  }

  /// True if the user gave a value of his own, not "auto".
  bool chosen(const Part& part, std::string_view key) const {
    const auto found = last_set_.find({part, key});
    return found != last_set_.end() && !found->second.automatic;
  }

  Where where_set(const Part& part, std::string_view key) const {
    const auto found = last_set_.find({part, key});
    if (found != last_set_.end()) return found->second.where;
    if (!key.empty()) return {};
    return {0, 0, source_.path.empty() ? "configuration" : source_.path};
  }

  void decide_smmus() {
    for (std::size_t i = 0; i < config_.smmus.size(); ++i) {
      NamedSmmu& smmu = config_.smmus[i];
      const Part part{KeyScope::smmu, i};
      smmu.config.timed = config_.mode == Mode::timed;
      smmu.config.seed = config_.seed;
      if (!chosen(part, "smmu.name")) smmu.name = "smmu" + std::to_string(i);
      if (!chosen(part, "smmu.frame_base"))
        smmu.config.frame_base = smmu.config.frame_base + i * smmu.config.frame_bytes;
      if (!chosen(part, "smmu.accel")) smmu.accel = config_.host.mode != HostMode::none;
      follow(smmu, part);
      if (smmu.accel) leave_to_host(smmu, part);
    }
  }

  /// Properties of an accelerated SMMU that nobody gave a value are the host's.
  void leave_to_host(NamedSmmu& smmu, const Part& part) {
    smmu.acceleration.ril_auto = !chosen(part, "smmu.ril");
    smmu.acceleration.ats_auto = !chosen(part, "smmu.ats");
    smmu.acceleration.oas_auto = !chosen(part, "smmu.oas");
    smmu.acceleration.ssidsize_auto = !chosen(part, "smmu.ssidsize");
    if (!chosen(part, "smmu.cmdqv")) smmu.acceleration.cmdqv = OnOffAuto::automatic;
  }

  /// Each key that follows others and was not set takes the value that breaks the fewest of the architecture's rules;
  /// among equals its default, then the smallest.
  void follow(NamedSmmu& smmu, const Part& part) {
    const Subject subject{&config_, &smmu};
    for (const Key& key : all_keys()) {
      if (!key.follows || chosen(part, key.name)) continue;
      const Value usual = default_value(key);
      Value best = usual;
      std::size_t fewest = broken_rules_with(key, usual, subject);
      for (const Value& value : candidates(key)) {
        const std::size_t broken = broken_rules_with(key, value, subject);
        if (broken >= fewest) continue;
        fewest = broken;
        best = value;
      }
      key.set(subject, best);
    }
  }

  static std::size_t broken_rules_with(const Key& key, const Value& value, const Subject& subject) {
    key.set(subject, value);
    return spec::check(subject.smmu->config.features).size();
  }

  /// Every value of a key that follows others: these have few.
  static std::vector<Value> candidates(const Key& key) {
    std::vector<Value> values;
    if (key.type == KeyType::boolean) values = {false, true};
    for (const Choice& c : key.choices) values.emplace_back(std::string(c.name));
    for (const std::uint64_t n : key.legal) values.emplace_back(n);
    if (key.type == KeyType::integer && key.legal.empty()) {
      for (std::uint64_t n = key.min; n <= key.max; ++n) values.emplace_back(n);
    }
    return values;
  }

  /// Enumeration gives addresses to what is behind a switch.
  void decide_switches() {
    const Topology topology = topology_of(config_);
    for (const std::string& problem : topology.problems) problems_.add(where_set({}, ""), problem);
    for (const SwitchPlace& place : topology.switches) {
      for (std::size_t n = 0; n != place.endpoints.size(); ++n) {
        const Part part{KeyScope::endpoint, place.endpoints[n]};
        EndpointConfig& endpoint = config_.endpoints[place.endpoints[n]];
        if (chosen(part, "endpoint.bdf") && endpoint.rid != place.rids[n]) {
          problems_.add(where_set(part, "endpoint.bdf"),
                        "behind switch " + place.name + " the endpoint's address is " + format_bdf(place.rids[n]) +
                            ": leave bdf out, and set stream_id if it is to have another StreamID",
                        part, "endpoint.bdf");
        }
        endpoint.rid = place.rids[n];
      }
    }
    for (std::size_t i = 0; i < config_.endpoints.size(); ++i) {
      const EndpointConfig& endpoint = config_.endpoints[i];
      const Part part{KeyScope::endpoint, i};
      if (!endpoint.switch_name.empty()) continue;
      const unsigned bus = endpoint.rid >> 8;
      if (bus != 0 && bus <= topology.last_bus) {
        problems_.add(where_set(part, "endpoint.bdf"),
                      "bus " + std::to_string(bus) + " is below a switch; give the endpoint a bus above " +
                          std::to_string(topology.last_bus) + ", or that switch",
                      part, "endpoint.bdf");
      }
      if (endpoint.bar_bytes != 0) {
        problems_.add(where_set(part, "endpoint.bar_bytes"),
                      "endpoint.bar_bytes is for endpoints behind a switch; set switch = a name, or 0", part,
                      "endpoint.bar_bytes");
      }
    }
  }

  void decide_endpoints(const Settings& settings) {
    for (std::size_t i = 0; i < config_.endpoints.size(); ++i) {
      EndpointConfig& endpoint = config_.endpoints[i];
      const Part part{KeyScope::endpoint, i};
      const bool has_bdf = chosen(part, "endpoint.bdf");
      const bool behind_switch = !endpoint.switch_name.empty();
      if (!has_bdf && endpoint.stream_id) endpoint.rid = static_cast<std::uint16_t>(*endpoint.stream_id);
      if (!has_bdf && !endpoint.stream_id && !behind_switch && !problems_.concerns(part, "endpoint.bdf") &&
          !problems_.concerns(part, "endpoint.stream_id")) {
        problems_.add(settings.endpoint_places[i], "the endpoint has no address; set bdf = \"BB:DD.F\" or stream_id",
                      part, "endpoint.bdf");
      }
      if (config_.smmus.size() > 1 && !chosen(part, "endpoint.smmu") && !problems_.concerns(part, "endpoint.smmu")) {
        problems_.add(settings.endpoint_places[i], "there are several SMMUs; set smmu = to the name of one of them");
      }
    }
    decide_switches();
    for (std::size_t i = 0; i < config_.endpoints.size(); ++i) {
      EndpointConfig& endpoint = config_.endpoints[i];
      if (!chosen({KeyScope::endpoint, i}, "endpoint.name")) endpoint.name = format_bdf(endpoint.rid);
    }
  }

  /// Of an SMMU with PRI that nobody gave a size of PRI queue: a page of entries.
  void decide_pri_queues() {
    constexpr unsigned page_of_entries = 8;
    for (std::size_t i = 0; i < config_.smmus.size(); ++i) {
      spec::Features& features = config_.smmus[i].config.features;
      if (features.pri && !chosen({KeyScope::smmu, i}, "smmu.priqs")) features.priqs = page_of_entries;
    }
  }

  void decide_driver() {
    bool all_have_stage1 = true;
    bool all_have_stage2 = true;
    for (const NamedSmmu& smmu : config_.smmus) {
      const spec::Features& features = smmu.config.features;
      if (features.st_level == 0 && !chosen({}, "driver.stream_table")) {
        config_.driver.stream_table = StreamTableFormat::linear;
      }
      all_have_stage1 = all_have_stage1 && features.s1p;
      all_have_stage2 = all_have_stage2 && features.s2p;
    }
    // Where neither suits all SMMUs the check of the driver says so.
    if (!chosen({}, "driver.stages") && !all_have_stage1 && all_have_stage2) config_.driver.stages = DriverStages::two;
  }

  /// An automatic size of addresses is the host's: without one, "auto" would be a number that nobody gave.
  void check_automatic() {
    for (std::size_t i = 0; i < config_.smmus.size(); ++i) {
      const Part part{KeyScope::smmu, i};
      const auto found = last_set_.find({part, "smmu.oas"});
      if (found == last_set_.end() || !found->second.automatic || config_.smmus[i].accel) continue;
      problems_.add(found->second.where,
                    "smmu.oas = \"auto\" is the host's, which only smmu.accel = true has; give a number of bits, such "
                    "as 48",
                    part, "smmu.oas");
    }
  }

  /// What only the model itself can judge.
  void check_model() {
    for (const NamedSmmu& smmu : config_.smmus) {
      try {
        require_valid(smmu.config);
      } catch (const std::invalid_argument& wrong) {
        std::istringstream lines(wrong.what());
        for (std::string line; std::getline(lines, line);) {
          problems_.add(where_set({}, ""), "smmu " + smmu.name + ": " + line);
        }
      }
    }
  }

  const ConfigSource& source_;
  const ConfigUse use_;
  Problems problems_;
  PlatformConfig config_;
  std::map<std::pair<Part, std::string_view>, LastSet> last_set_;
};

struct FileCloser {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

}  // namespace

ConfigSource read_config(const std::string& path) {
  constexpr std::size_t bytes_max = 1 << 20;
  ConfigSource source;
  source.path = path;
  if (path.empty()) return source;
  const std::unique_ptr<std::FILE, FileCloser> file(std::fopen(path.c_str(), "rb"));
  if (!file) throw InputError(path + ": " + std::strerror(errno) + "; give a configuration file that can be read");
  source.text.resize(bytes_max + 1);
  source.text.resize(std::fread(source.text.data(), 1, source.text.size(), file.get()));
  if (std::ferror(file.get()) != 0) throw InputError(path + ": it can't be read; give a configuration file");
  if (source.text.size() > bytes_max) throw InputError(path + ": it is larger than 1 MiB; give a configuration file");
  return source;
}

PlatformConfig load_config(const ConfigSource& source, ConfigUse use) {
  return Loader(source, use).load();
}

void require_values(const std::string& key, std::span<const std::string> values, const std::string& origin) {
  Problems problems;
  ConfigSource source;
  for (const std::string& value : values) source.assignments.push_back({key, value, origin});
  read_settings(source, problems);
  problems.raise();
}

Assignment parse_assignment(const std::string& option, const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    throw InputError(option + " " + in_quotes(text) + ": it is no assignment; write " + option + " KEY=VALUE");
  }
  return {text.substr(0, equals), text.substr(equals + 1), option + " " + printable(text)};
}

}  // namespace smmusim
