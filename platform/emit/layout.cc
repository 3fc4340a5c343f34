// SPDX-License-Identifier: MIT
// Layout; see the header.
#include "platform/emit/layout.h"

#include <fmt/format.h>

#include <algorithm>

#include "platform/config/bdf.h"
#include "platform/config/load.h"
#include "platform/emit/address_map.h"

namespace smmusim::emit {
namespace {

constexpr std::uint32_t all_rids = 0x1'0000;
constexpr std::uint64_t its_alignment = 0x1'0000;
constexpr std::uint64_t page1_end = 0x2'0000;  // the VATOS page counts from the end of the two register pages
constexpr std::uint64_t vatos_unit = 0x1'0000;

class Builder {
 public:
  explicit Builder(const PlatformConfig& config) : config_(config) {}

  Layout build() {
    layout_.memory = {config_.memory.base, config_.memory.size};
    layout_.doorbells = {config_.msi.base, config_.msi.size};
    place_its();
    place_smmus();
    if (config_.endpoints.empty()) {
      map_all_rids();
    } else {
      map_endpoints();
    }
    if (!problems_.empty()) throw InputError(problems_);
    return layout_;
  }

 private:
  void problem(const std::string& sentence) { problems_ += (problems_.empty() ? "" : "\n") + sentence; }

  void place_its() {
    const Region& doorbells = layout_.doorbells;
    if (doorbells.bytes < address_map::its_bytes) return;
    const std::uint64_t base = doorbells.base + doorbells.bytes - address_map::its_bytes;
    if (base % its_alignment != 0) {
      problem(
          fmt::format("the ITS, the last 0x{:x} bytes of the doorbells, begins at 0x{:x}; move msi.base or change "
                      "msi.size so that the doorbells end at a multiple of 0x{:x}",
                      address_map::its_bytes, base, its_alignment));
    }
    layout_.its = Region{base, address_map::its_bytes};
  }

  void place_smmus() {
    constexpr unsigned most = (address_map::last_spi + 1 - address_map::first_smmu_spi) / address_map::spis_of_smmu;
    if (config_.smmus.size() > most) {
      problem(fmt::format("{} SMMUs need more wired interrupts than the interrupt controller has; at most {} have room",
                          config_.smmus.size(), most));
      return;
    }
    for (const NamedSmmu& named : config_.smmus) layout_.smmus.push_back(place_of(named.config));
  }

  SmmuPlace place_of(const SmmuConfig& smmu) const {
    const auto index = static_cast<unsigned>(layout_.smmus.size());
    SmmuPlace place;
    place.frame = {smmu.frame_base.value, smmu.frame_bytes};
    if (smmu.features.vatos) {
      place.vatos = smmu.frame_base.value + page1_end + smmu.features.ba_vatos * vatos_unit;
    }
    place.first_spi = address_map::first_smmu_spi + index * address_map::spis_of_smmu;
    place.pri = smmu.features.pri;
    place.coherent = smmu.features.cohacc;
    place.msi = smmu.features.msi && layout_.its.has_value();
    place.httu = static_cast<unsigned>(smmu.features.httu);
    place.device_id = address_map::first_smmu_device_id + index;
    return place;
  }

  void map_all_rids() {
    const unsigned sidsize = config_.smmus[config_.endpoint_template.smmu].config.features.sidsize;
    const std::uint32_t count = sidsize >= 16 ? all_rids : std::uint32_t{1} << sidsize;
    layout_.rids.push_back({0, count, 0, config_.endpoint_template.smmu});
    note_abilities(config_.endpoint_template);
  }

  void map_endpoints() {
    std::vector<const EndpointConfig*> sorted;
    for (const EndpointConfig& endpoint : config_.endpoints) sorted.push_back(&endpoint);
    std::stable_sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) { return a->rid < b->rid; });
    const EndpointConfig* before = nullptr;
    for (const EndpointConfig* endpoint : sorted) {
      if (before != nullptr && before->rid == endpoint->rid) {
        problem(fmt::format("two endpoints have the PCI address {}; give each its own endpoint.bdf",
                            format_bdf(endpoint->rid)));
      }
      add_rid(*endpoint);
      note_abilities(*endpoint);
      before = endpoint;
    }
  }

  /// Joins the RID to the last range if it continues that.
  void add_rid(const EndpointConfig& endpoint) {
    const std::uint32_t stream = endpoint.stream().value;
    if (!layout_.rids.empty()) {
      RidRange& last = layout_.rids.back();
      const bool continues = last.smmu == endpoint.smmu && endpoint.rid == last.rid_base + last.count &&
                             stream >= last.stream_base && stream - last.stream_base == last.count;
      if (continues) {
        ++last.count;
        return;
      }
    }
    layout_.rids.push_back({endpoint.rid, 1, stream, endpoint.smmu});
  }

  void note_abilities(const EndpointConfig& endpoint) {
    const spec::Features& features = config_.smmus[endpoint.smmu].config.features;
    layout_.ats = layout_.ats || features.ats;
    layout_.pri = layout_.pri || features.pri;
    layout_.pasid_bits = std::max(layout_.pasid_bits, std::min(endpoint.pasid_width(), features.ssidsize));
  }

  const PlatformConfig& config_;
  Layout layout_;
  std::string problems_;
};

struct Part {
  std::string_view name;
  Region region;
  std::string_view remedy;
};

constexpr Part fixed_parts[] = {
    {"the GIC's distributor", {address_map::gic_distributor_base, address_map::gic_distributor_bytes}, ""},
    {"the GIC's redistributors", {address_map::gic_redistributors_base, address_map::gic_redistributors_bytes}, ""},
    {"the PCIe memory window", {address_map::pcie_window_base, address_map::pcie_window_bytes}, ""},
    {"the PCIe configuration space", {address_map::pcie_ecam_base, address_map::pcie_ecam_bytes}, ""},
};

}  // namespace

bool overlap(const Region& a, const Region& b) {
  if (a.bytes == 0 || b.bytes == 0) return false;
  return a.base <= b.base ? b.base - a.base < a.bytes : a.base - b.base < b.bytes;
}

Layout layout_of(const PlatformConfig& config) {
  return Builder(config).build();
}

void require_room(const Layout& layout) {
  std::vector<Part> configured{
      {"main memory", layout.memory, "memory.base"},
      {"the doorbells", layout.doorbells, "msi.base"},
  };
  for (const SmmuPlace& smmu : layout.smmus)
    configured.push_back({"an SMMU's registers", smmu.frame, "smmu.frame_base"});
  std::string problems;
  for (const Part& part : configured) {
    for (const Part& fixed : fixed_parts) {
      if (!overlap(part.region, fixed.region)) continue;
      problems += fmt::format(
          "{}{} at 0x{:x} (0x{:x} bytes) overlap {} at 0x{:x} (0x{:x} bytes), whose place is fixed; "
          "move {}",
          problems.empty() ? "" : "\n", part.name, part.region.base, part.region.bytes, fixed.name, fixed.region.base,
          fixed.region.bytes, part.remedy);
    }
  }
  if (!problems.empty()) throw InputError(problems);
}

}  // namespace smmusim::emit
