// SPDX-License-Identifier: MIT
// linux_summary(); see launcher.h. What a JSON lacks is left out.
#include <fmt/format.h>

#include "platform/cosim/linux/launcher.h"

namespace smmusim::cosim {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t driver_lines_shown = 12;

std::uint64_t number(const ordered_json& object, const char* key) {
  const auto place = object.find(key);
  return place != object.end() && place->is_number_unsigned() ? place->get<std::uint64_t>() : 0;
}

std::string hit_line(const ordered_json& smmu, const char* name, const char* key) {
  const auto cache = smmu.find(key);
  if (cache == smmu.end() || number(*cache, "lookups") == 0) return "";
  const auto lookups = static_cast<double>(number(*cache, "lookups"));
  return fmt::format("  {:<14}{:>12} lookups, {:6.2f} % hits\n", name, number(*cache, "lookups"),
                     100.0 * static_cast<double>(number(*cache, "hits")) / lookups);
}

std::string counts_line(const ordered_json& smmu, const char* key) {
  const auto counts = smmu.find(key);
  if (counts == smmu.end() || !counts->is_object() || counts->empty()) return "";
  std::string line;
  for (const auto& [name, count] : counts->items())
    line += fmt::format("{}{} {}", line.empty() ? "" : ", ", name, count.dump());
  return fmt::format("{:<16}{}\n", key, line);
}

std::string smmu_text(const ordered_json& json) {
  const auto smmu = json.find("smmu");
  if (smmu == json.end() || !smmu->is_object()) return "";
  std::string text =
      fmt::format("translations    {}, {} faults\n", number(json, "translations"), number(json, "faults"));
  if (const auto walks = smmu->find("walks"); walks != smmu->end()) {
    text += fmt::format("walks           {}, {} fetches\n", number(*walks, "count"), number(*walks, "fetches"));
  }
  text += hit_line(*smmu, "micro TLB", "micro_tlb") + hit_line(*smmu, "TLB", "tlb") +
          hit_line(*smmu, "walk cache", "walk_cache") + hit_line(*smmu, "config cache", "config_cache");
  return text + counts_line(*smmu, "commands") + counts_line(*smmu, "events");
}

std::string guest_text(const ordered_json& json) {
  std::string text;
  std::size_t shown = 0;
  for (const ordered_json& line : json["probe"]) {
    if (++shown > driver_lines_shown) {
      text += fmt::format("  and {} lines more\n", json["probe"].size() - driver_lines_shown);
      break;
    }
    text += "  " + line.get<std::string>() + "\n";
  }
  for (const ordered_json& group : json["groups"]) {
    text += fmt::format("IOMMU group {:<4}{} ({})\n", group["group"].dump(), group["device"].get<std::string>(),
                        group["type"].get<std::string>());
  }
  for (const ordered_json& measure : json["measures"]) {
    text += fmt::format("  {:<26}{:>8} in {} ms\n", measure["name"].get<std::string>(), measure["count"].dump(),
                        measure["guest_ms"].dump());
  }
  return text;
}

}  // namespace

std::string linux_summary(const ordered_json& json) {
  std::string text = fmt::format("Linux {} in QEMU {}, SMMU: {}\n", json["kernel"].get<std::string>(),
                                 json["qemu"].get<std::string>(), json["iommu"].get<std::string>());
  text += guest_text(json);
  text += fmt::format("user space      after {:.2f} s ({:.2f} s of the guest's clock)\n",
                      json["boot_seconds"].get<double>(), json["guest_boot_seconds"].get<double>());
  text += fmt::format("script          {}, {} errors\n",
                      json["guest_exit"].is_null() ? "did not end" : "exit " + json["guest_exit"].dump(),
                      json["errors"].dump());
  text += smmu_text(json);
  if (json.contains("record")) {
    const ordered_json& record = json["record"];
    text += fmt::format("recorded        {} accesses, {} invalidations, {} configuration changes\n",
                        record["accesses"].dump(), record["invalidations"].dump(), record["configurations"].dump());
  }
  return text + fmt::format("host            {:.1f} s\n", json["host_seconds"].get<double>());
}

}  // namespace smmusim::cosim
