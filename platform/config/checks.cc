// SPDX-License-Identifier: MIT
// Checks of a whole configuration. A check whose keys already have an error is left out: it would only repeat it.
#include "platform/config/checks.h"

#include <algorithm>
#include <initializer_list>
#include <iterator>
#include <map>
#include <stdexcept>
#include <utility>

#include "platform/config/supported.h"
#include "platform/pcie/ats_property.h"

namespace smmusim {
namespace {

using std::to_string;
using Keys = std::initializer_list<std::string_view>;

std::string hex(std::uint64_t value) {
  constexpr char digits[] = "0123456789abcdef";
  std::string text;
  do {
    text.insert(text.begin(), digits[value % 16]);
    value /= 16;
  } while (value != 0);
  return "0x" + text;
}

struct StagesRow {
  DriverStages stages;
  std::string_view name;
};
constexpr StagesRow stages_rows[] = {
    {DriverStages::one, "1"}, {DriverStages::two, "2"}, {DriverStages::nested, "nested"}};

std::string_view name_of(DriverStages stages) {
  const auto* row =
      std::find_if(std::begin(stages_rows), std::end(stages_rows), [&](const auto& r) { return r.stages == stages; });
  return row->name;
}

/// All that the SMMU has.
DriverStages stages_of(const spec::Features& f) {
  if (f.s1p && f.s2p) return DriverStages::nested;
  return f.s2p ? DriverStages::two : DriverStages::one;
}

bool has_stages(const spec::Features& f, DriverStages stages) {
  return (f.s1p || !uses_stage1(stages)) && (f.s2p || !uses_stage2(stages));
}

class Checker {
 public:
  Checker(const PlatformConfig& config, ConfigUse use, const WhereSet& where_set, Problems& problems)
      : config_(config), use_(use), where_set_(where_set), problems_(problems) {}

  void run() {
    check_memory();
    for (std::size_t i = 0; i < config_.smmus.size(); ++i) check_smmu(i);
    check_smmus_together();
    check_driver();
    check_unsupported(unsupported_of_platform(), config_, {});
    check_devices();
    check_endpoints();
    check_atc({KeyScope::endpoint, Part::endpoint_template}, config_.endpoint_template);
    check_credits();
  }

 private:
  /// Reports `sentence` at the first of `keys` that somebody set, unless one of them is wrong by itself.
  void report(const Part& part, Keys keys, const std::string& sentence) {
    report(part, std::vector<std::string_view>(keys), sentence);
  }
  void report(const Part& part, const std::vector<std::string_view>& keys, const std::string& sentence) {
    Where where;
    for (const std::string_view key : keys) {
      const KeyScope scope = find_key(key)->scope;
      const Part owner = scope == part.scope ? part : Part{scope, 0};
      if (problems_.concerns(owner, key)) return;
      const Where found = where_set_(owner, key);
      if (where.text.empty()) where = found;
    }
    if (where.text.empty()) where = where_set_(part, "");
    problems_.add(where, sentence);
  }

  template <class Subject>
  void check_unsupported(std::span<const UnsupportedRow<Subject>> rows, const Subject& subject, const Part& part) {
    for (const UnsupportedRow<Subject>& row : rows) {
      if (!row.asked(subject)) continue;
      std::vector<std::string_view> keys{row.key};
      if (find_key(row.key)->follows) keys.insert(keys.end(), {"smmu.version", "smmu.stages"});
      report(part, keys, std::string(row.key) + ": " + std::string(row.sentence));
    }
  }

  void check_memory() {
    const MemoryConfig& m = config_.memory;
    constexpr std::uint64_t limit = std::uint64_t{1} << 56;
    if (m.base % 0x1000 != 0) {
      report({}, {"memory.base"}, "memory.base = " + hex(m.base) + " is not aligned; it is a multiple of 0x1000");
    }
    if (m.size > limit - m.base) {
      report({}, {"memory.size", "memory.base"},
             "memory ends beyond 2^56, where addresses end; lower memory.base or memory.size");
    }
    if (config_.msi.size > limit - config_.msi.base) {
      report({}, {"msi.size", "msi.base"},
             "the doorbells end beyond 2^56, where addresses end; lower msi.base or msi.size");
    } else if (overlaps(config_.msi.base, config_.msi.size, m.base, m.size)) {
      report({}, {"msi.base", "msi.size", "memory.base", "memory.size"},
             "the doorbells lie in main memory; move msi.base or memory.base");
    }
  }

  static bool overlaps(std::uint64_t a, std::uint64_t a_size, std::uint64_t b, std::uint64_t b_size) {
    return a_size != 0 && b_size != 0 && a < b + b_size && b < a + a_size;
  }

  void check_smmu(std::size_t index) {
    const NamedSmmu& smmu = config_.smmus[index];
    const Part part{KeyScope::smmu, index};
    check_cache(part, smmu.config.tbu.micro_tlb, "smmu.tbu.micro_tlb_entries", "smmu.tbu.micro_tlb_ways");
    check_cache(part, smmu.config.tbu.stream_cache, "smmu.tbu.stream_cache_entries", "smmu.tbu.stream_cache_ways");
    check_cache(part, smmu.config.tcu.tlb, "smmu.tcu.tlb_entries", "smmu.tcu.tlb_ways");
    check_cache(part, smmu.config.tcu.walk_cache, "smmu.tcu.walk_cache_entries", "smmu.tcu.walk_cache_ways");
    check_cache(part, smmu.config.tcu.ipa_cache, "smmu.tcu.ipa_cache_entries", "smmu.tcu.ipa_cache_ways");
    check_cache(part, smmu.config.tcu.config_cache, "smmu.tcu.config_cache_entries", "smmu.tcu.config_cache_ways");
    check_frame(part, smmu.config);
    check_features(part, smmu.config.features);
    check_stalls(part, smmu.config.features);
    check_unsupported(unsupported_of_smmu(), smmu, part);
    if (use_ != ConfigUse::description) check_unsupported(unsupported_by_driver(), smmu, part);
    if (use_ == ConfigUse::replay) check_unsupported(unsupported_by_replay(), smmu, part);
  }

  void check_cache(const Part& part, const CacheConfig& cache, std::string_view entries, std::string_view ways) {
    if (cache.entries == 0) return;
    const unsigned sets = cache.entries / cache.ways;
    if (sets * cache.ways == cache.entries && (sets & (sets - 1)) == 0) return;
    report(part, {entries, ways},
           std::string(entries) + " = " + to_string(cache.entries) + " with " + std::string(ways) + " = " +
               to_string(cache.ways) + " gives no number of sets that is a power of two; change one of them");
  }

  void check_frame(const Part& part, const SmmuConfig& smmu) {
    const std::uint64_t base = smmu.frame_base.value;
    if (base % 0x10000 != 0) {
      report(part, {"smmu.frame_base"},
             "smmu.frame_base = " + hex(base) + " is not aligned; it is a multiple of 0x10000");
    }
    const bool hits_memory = overlaps(base, smmu.frame_bytes, config_.memory.base, config_.memory.size);
    if (hits_memory || overlaps(base, smmu.frame_bytes, config_.msi.base, config_.msi.size)) {
      report(part, {"smmu.frame_base", "memory.base", "memory.size", "msi.base", "msi.size"},
             "the SMMU's registers at " + hex(base) + " (" + hex(smmu.frame_bytes) + " bytes) lie in " +
                 (hits_memory ? "main memory" : "the doorbells") + "; move smmu.frame_base");
    }
  }

  void check_features(const Part& part, const spec::Features& features) {
    for (const spec::FeatureError& error : spec::check(features)) {
      std::vector<std::string_view> keys;
      std::string names;
      for (std::string_view rest = error.members; !rest.empty();) {
        const std::size_t end = std::min(rest.find(' '), rest.size());
        const std::string_view name = key_of_member(rest.substr(0, end)).name;
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (!keys.empty() && keys.back() == name) continue;
        keys.push_back(name);
        names += (names.empty() ? "" : ", ") + std::string(name);
      }
      keys.push_back("smmu.version");  // many rules depend on it; if nothing else was set, it is the reason
      report(part, keys,
             std::string(error.sentence) + " (section " + std::string(error.section) +
                 (error.rule.empty() ? "" : ", " + std::string(error.rule)) + "; " + names + ")");
    }
  }

  /// IDR5.STALL_MAX may say 0, but then a stall could never be recorded.
  void check_stalls(const Part& part, const spec::Features& features) {
    if (features.stall_model == spec::StallModel::terminate || features.stall_max != 0) return;
    report(
        part, {"smmu.stall", "smmu.stall_max"},
        "smmu.stall is on and smmu.stall_max = 0, so that no stall could be recorded; set smmu.stall_max to 1 to 65535 "
        "(section 6.3.6)");
  }

  void check_smmus_together() {
    std::map<std::string, std::size_t> names;
    std::map<std::uint64_t, std::size_t> frames;
    for (std::size_t i = 0; i < config_.smmus.size(); ++i) {
      const NamedSmmu& smmu = config_.smmus[i];
      const Part part{KeyScope::smmu, i};
      if (!names.emplace(smmu.name, i).second) {
        report(part, {"smmu.name"}, "two SMMUs are called " + smmu.name + "; give each its own smmu.name");
      }
      const std::uint64_t base = smmu.config.frame_base.value;
      const auto after = frames.lower_bound(base);
      const bool below = after != frames.begin() && base - std::prev(after)->first < smmu.config.frame_bytes;
      const bool above = after != frames.end() && after->first - base < smmu.config.frame_bytes;
      if (below || above) {
        report(part, {"smmu.frame_base"},
               "the registers of two SMMUs overlap at " + hex(base) + "; move one smmu.frame_base");
      }
      frames.emplace(base, i);
    }
  }

  void check_driver() {
    const DriverConfig& driver = config_.driver;
    if (driver.tables_base % 0x10000 != 0) {
      report({}, {"driver.tables_base"},
             "driver.tables_base = " + hex(driver.tables_base) + " is not aligned; it is a multiple of 0x10000");
    }
    if (driver.tables_base < config_.memory.base || driver.tables_base - config_.memory.base >= config_.memory.size) {
      report({}, {"driver.tables_base", "memory.base", "memory.size"},
             "driver.tables_base = " + hex(driver.tables_base) + " is not in main memory; move it or enlarge memory");
    }
    check_demand_paging();
    check_split_ats();
    for (std::size_t i = 0; i < config_.smmus.size(); ++i) {
      check_stages_with(i);
      check_driver_with(i);
    }
  }

  void check_split_ats() {
    if (!config_.driver.ats_split || config_.driver.stages == DriverStages::nested) return;
    report({}, {"driver.ats_split", "driver.stages"},
           "driver.ats_split needs two stages of the driver's to split; set driver.stages = \"nested\"");
  }

  void check_demand_paging() {
    const auto has_pri = [](const EndpointConfig& endpoint) { return endpoint.pri; };
    const bool somebody = config_.endpoints.empty()
                              ? has_pri(config_.endpoint_template)
                              : std::any_of(config_.endpoints.begin(), config_.endpoints.end(), has_pri);
    if (config_.driver.demand_paging == 0 || somebody) return;
    report({}, {"driver.demand_paging"},
           "driver.demand_paging = " + to_string(config_.driver.demand_paging) +
               " needs a device that requests pages; set endpoint.pri = true");
  }

  void check_stages_with(std::size_t index) {
    const DriverStages stages = config_.driver.stages;
    const NamedSmmu& smmu = config_.smmus[index];
    if (has_stages(smmu.config.features, stages)) return;
    std::string possible;
    for (const StagesRow& row : stages_rows) {
      const bool all = std::all_of(config_.smmus.begin(), config_.smmus.end(),
                                   [&](const NamedSmmu& s) { return has_stages(s.config.features, row.stages); });
      if (all) possible += (possible.empty() ? "" : ", ") + std::string(row.name);
    }
    report({KeyScope::smmu, index}, {"driver.stages", "smmu.stages"},
           "driver.stages = " + std::string(name_of(stages)) + " is not possible with smmu.stages = " +
               std::string(name_of(stages_of(smmu.config.features))) + " of SMMU " + smmu.name + "; " +
               (possible.empty() ? "no value suits all SMMUs, so give them a common stage"
                                 : "legal here are " + possible + " or auto"));
  }

  void check_driver_with(std::size_t index) {
    const DriverConfig& driver = config_.driver;
    const spec::Features& f = config_.smmus[index].config.features;
    const Part part{KeyScope::smmu, index};
    const std::string of = " of SMMU " + config_.smmus[index].name;
    if (f.oas < 56 && driver.tables_base >> f.oas != 0) {
      report(part, {"driver.tables_base", "smmu.oas"},
             "driver.tables_base = " + hex(driver.tables_base) + " has more bits than smmu.oas" + of +
                 "; lower it or raise smmu.oas");
    }
    if (driver.command_queue_log2 > f.cmdqs) {
      report(part, {"driver.command_queue_log2", "smmu.cmdqs"},
             "driver.command_queue_log2 is above smmu.cmdqs" + of + "; lower it");
    }
    if (driver.event_queue_log2 > f.eventqs) {
      report(part, {"driver.event_queue_log2", "smmu.eventqs"},
             "driver.event_queue_log2 is above smmu.eventqs" + of + "; lower it");
    }
    if (f.pri && driver.pri_queue_log2 > f.priqs) {
      report(part, {"driver.pri_queue_log2", "smmu.priqs"},
             "driver.pri_queue_log2 is above smmu.priqs" + of + "; lower it or raise smmu.priqs");
    }
    if (driver.ats_split && !f.split_stage_ats) {
      report(part, {"driver.ats_split", "smmu.split_stage_ats"},
             "driver.ats_split needs smmu.split_stage_ats = true" + of + "; set it");
    }
    const bool two_level_contexts = driver.context_table && *driver.context_table != spec::S1Format::linear;
    if (two_level_contexts && !f.cd2l) {
      report(part, {"driver.context_table", "smmu.cd2l"},
             "driver.context_table has two levels, which need smmu.cd2l = true" + of + "; use \"linear\" or \"auto\"");
    }
    if (driver.stream_table == StreamTableFormat::two_level && f.st_level == 0) {
      report(part, {"driver.stream_table", "smmu.st_level"},
             "driver.stream_table = \"2-level\" needs smmu.st_level = 1" + of + "; use \"linear\" or \"auto\"");
    }
  }

  /// Devices that a simulated driver uses; of no endpoints, those that the template makes.
  void check_devices() {
    check_device({KeyScope::endpoint, Part::endpoint_template}, config_.endpoint_template);
    for (std::size_t i = 0; i < config_.endpoints.size(); ++i) {
      check_device({KeyScope::endpoint, i}, config_.endpoints[i]);
    }
  }

  bool any_endpoint(bool (*is)(const EndpointConfig&)) const {
    return std::any_of(config_.endpoints.begin(), config_.endpoints.end(), is);
  }

  /// The registers of such a device are reached over no link yet, so there is no window for a switch beside them.
  void check_device(const Part& part, const EndpointConfig& endpoint) {
    if (endpoint.model == DeviceModel::dma) return;
    const std::string device =
        endpoint.model == DeviceModel::nvme ? "endpoint.model = \"nvme\"" : "endpoint.model = \"iommu-testdev\"";
    if (any_endpoint([](const auto& e) { return !e.switch_name.empty(); }) || endpoint.bar_bytes != 0) {
      report(part, {"endpoint.model", "endpoint.switch", "endpoint.bar_bytes"},
             device +
                 " is not possible beside switches or with endpoint.bar_bytes in this version; use a "
                 "configuration without them");
    }
    if (config_.host.mode != HostMode::none) {
      report(part, {"endpoint.model", "host.mode"},
             device + " is not possible with a host in this version; use host.mode = \"none\"");
    }
    if (endpoint.model == DeviceModel::iommu_testdev &&
        any_endpoint([](const auto& e) { return e.model == DeviceModel::nvme; })) {
      report(part, {"endpoint.model"}, device + " is not possible beside \"nvme\" in this version; use one of them");
    }
  }

  void check_endpoints() {
    std::map<std::string, std::size_t> names;
    std::map<std::pair<std::size_t, std::uint32_t>, std::size_t> streams;
    for (std::size_t i = 0; i < config_.endpoints.size(); ++i) {
      const EndpointConfig& endpoint = config_.endpoints[i];
      const Part part{KeyScope::endpoint, i};
      if (!names.emplace(endpoint.name, i).second) {
        report(part, {"endpoint.name", "endpoint.bdf"},
               "two endpoints are called " + endpoint.name + "; give each its own endpoint.name");
      }
      if (!streams.emplace(std::pair(endpoint.smmu, endpoint.stream().value), i).second) {
        report(part, {"endpoint.stream_id", "endpoint.bdf"},
               "two endpoints have StreamID " + hex(endpoint.stream().value) + "; give each its own bdf or stream_id");
      }
      check_atc(part, endpoint);
      const NamedSmmu& smmu = config_.smmus[endpoint.smmu];
      if (!fits(endpoint.stream().value, smmu.config.features.sidsize)) {
        report(part, {"endpoint.stream_id", "endpoint.bdf", "smmu.sidsize"},
               "StreamID " + hex(endpoint.stream().value) + " has more bits than smmu.sidsize = " +
                   to_string(smmu.config.features.sidsize) + "; lower it or raise smmu.sidsize");
      }
    }
  }

  /// Credits below what the largest TLP needs would stop it for ever (PCI Express Base section 2.6.1).
  void check_credits() {
    const unsigned mps = config_.pcie.mps_bytes;
    check_data_credits({}, "pcie.posted_data_credits", config_.pcie.posted_data_credits, mps);
    if (config_.pcie.non_posted_header_credits == 1) {
      report(
          {}, {"pcie.non_posted_header_credits"},
          "pcie.non_posted_header_credits = 1 is too few: an AtomicOp's data needs 2; use 2 or more, or 0 (unlimited)");
    }
    const auto check = [&](const Part& part, const ReceiveCredits& credits) {
      check_data_credits(part, "endpoint.posted_data_credits", credits.posted_data, mps);
      check_data_credits(part, "endpoint.completion_data_credits", credits.completion_data, mps);
    };
    check({KeyScope::endpoint, Part::endpoint_template}, config_.endpoint_template.credits);
    for (std::size_t i = 0; i < config_.endpoints.size(); ++i)
      check({KeyScope::endpoint, i}, config_.endpoints[i].credits);
  }

  void check_data_credits(const Part& part, std::string_view key, unsigned credits, unsigned mps_bytes) {
    constexpr unsigned unit_bytes = 16;
    const unsigned needed = mps_bytes / unit_bytes;
    if (credits == 0 || credits >= needed) return;
    report(part, {key, "pcie.mps_bytes"},
           std::string(key) + " = " + to_string(credits) + " is too few for pcie.mps_bytes = " + to_string(mps_bytes) +
               "; use " + to_string(needed) + " or more, or 0 (unlimited)");
  }

  void check_atc(const Part& part, const EndpointConfig& endpoint) {
    const CacheConfig cache{endpoint.atc.entries, endpoint.atc.ways, endpoint.atc.replacement};
    check_cache(part, cache, "endpoint.atc_entries", "endpoint.atc_ways");
    const platform::AtsDecision decision =
        platform::decide_ats(endpoint.ats, endpoint.host_ats, endpoint.ats_capability);
    if (decision.refusal == platform::AtsRefusal::none) return;
    report(part, {"endpoint.ats", "endpoint.host_ats"},
           "endpoint.ats: " + std::string(platform::describe(decision.refusal)) + "; use ats = \"auto\" or \"off\"");
  }

  const PlatformConfig& config_;
  const ConfigUse use_;
  const WhereSet& where_set_;
  Problems& problems_;
};

}  // namespace

void check_config(const PlatformConfig& config, ConfigUse use, const WhereSet& where_set, Problems& problems) {
  Checker(config, use, where_set, problems).run();
}

}  // namespace smmusim
