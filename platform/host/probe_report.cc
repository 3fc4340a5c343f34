// SPDX-License-Identifier: MIT
// What a ProbeResult says, as a table and as JSON.
#include <fmt/format.h>

#include <array>

#include "model/spec/decode.h"
#include "platform/host/probe.h"

namespace smmusim::host {
namespace {

constexpr std::string_view untested =
    "Nested mode on hardware has met no hardware yet: this client has run against refusals of real kernels and against "
    "the simulated host only.";

/// The fields that the interface lets userspace read (and IDR5.OAS, which QEMU reads).
struct Readable {
  unsigned idr;
  std::string_view name;
};
constexpr Readable readable[] = {{0, "ST_LEVEL"}, {0, "TERM_MODEL"}, {0, "STALL_MODEL"}, {0, "TTENDIAN"},
                                 {0, "CD2L"},     {0, "ASID16"},     {0, "TTF"},         {1, "SIDSIZE"},
                                 {1, "SSIDSIZE"}, {3, "BBML"},       {3, "RIL"},         {5, "VAX"},
                                 {5, "GRAN64K"},  {5, "GRAN16K"},    {5, "GRAN4K"},      {5, "OAS"}};

struct Field {
  std::string name;
  std::uint64_t value;
  std::string meaning;
};

std::vector<Field> fields_of(const HwInfo& info) {
  std::vector<Field> fields;
  if (info.data_type != abi::hw_info_arm_smmuv3) return fields;
  for (const Readable& row : readable) {
    const auto kind = static_cast<spec::Kind>(static_cast<unsigned>(spec::Kind::idr0) + row.idr);
    const std::array<std::uint64_t, 1> word = {info.smmu.idr[row.idr]};
    for (const spec::DecodedField& field : spec::decode(kind, word).fields) {
      if (field.name == row.name) {
        fields.push_back({fmt::format("IDR{}.{}", row.idr, row.name), field.value, field.meaning});
      }
    }
  }
  return fields;
}

std::string ats_text(const ProbedDevice& device) {
  if (device.info.ats_not_supported()) return "not supported, says the kernel";
  return "may be enabled (or a kernel before 7.1, which does not say)";
}

std::string pasid_text(const HwInfo& info) {
  if (info.max_pasid_log2 == 0) return "none";
  return fmt::format("2^{}{}{}", info.max_pasid_log2, info.pasid_exec() ? ", execute" : "",
                     info.pasid_priv() ? ", privileged" : "");
}

std::string list_text(std::string_view title, const std::vector<std::string>& items) {
  if (items.empty()) return {};
  std::string text = fmt::format("  {}\n", title);
  for (const std::string& item : items) text += fmt::format("    - {}\n", item);
  return text;
}

std::string row(std::string_view name, std::string_view value) {
  return fmt::format("  {:<18}{}\n", name, value);
}

std::string device_text(const ProbedDevice& device) {
  std::string text = fmt::format("{}{}\n", device.path, device.bdf.empty() ? "" : " (" + device.bdf + ")");
  text += row("nested mode", device.reasons.empty() ? "possible" : "not possible");
  if (!device.bound) return text + list_text("reasons", device.reasons);
  for (const Field& field : fields_of(device.info)) {
    text += row(field.name, field.meaning.empty() ? fmt::format("{}", field.value)
                                                  : fmt::format("{} ({})", field.value, field.meaning));
  }
  text += row("ATS", ats_text(device));
  text += row("PASIDs", pasid_text(device.info));
  if (device.aperture) {
    text += row("aperture",
                fmt::format("{} bits: the most that OAS can be with oas_check = \"aperture\"", device.aperture_bits()));
    for (const abi::IovaRange& range : device.aperture->allowed) {
      text += row("  guest memory at", fmt::format("0x{:x} to 0x{:x}", range.start, range.last));
    }
  }
  text += row("events", device.veventq ? "handed on to the guest" : "not handed on");
  return text + list_text("reasons", device.reasons) + list_text("limitations", device.limitations);
}

nlohmann::ordered_json device_json(const ProbedDevice& device) {
  nlohmann::ordered_json json;
  json["path"] = device.path;
  json["bdf"] = device.bdf;
  json["nested_possible"] = device.reasons.empty();
  json["reasons"] = device.reasons;
  json["limitations"] = device.limitations;
  if (!device.bound) return json;
  json["registers"] = nlohmann::ordered_json::object();
  for (const Field& field : fields_of(device.info)) {
    json["registers"][field.name] = {{"value", field.value}, {"meaning", field.meaning}};
  }
  json["ats_not_supported"] = device.info.ats_not_supported();
  json["max_pasid_log2"] = device.info.max_pasid_log2;
  json["capabilities"] = fmt::format("{:#x}", device.info.capabilities);
  json["events"] = device.veventq;
  json["aperture_bits"] = device.aperture_bits();
  json["guest_memory"] = nlohmann::ordered_json::array();
  if (!device.aperture) return json;
  for (const abi::IovaRange& range : device.aperture->allowed) {
    json["guest_memory"].push_back(
        {{"first", fmt::format("{:#x}", range.start)}, {"last", fmt::format("{:#x}", range.last)}});
  }
  return json;
}

}  // namespace

std::string to_text(const ProbeResult& result) {
  std::string text = "host\n";
  text += row("iommufd", result.iommufd ? "there" : "missing");
  text += row("VFIO devices", result.vfio ? fmt::format("{}", result.devices.size()) : std::string("missing"));
  text += row("nested mode", result.nested_possible() ? "possible" : "not possible");
  text += list_text("reasons", result.reasons);
  for (const ProbedDevice& device : result.devices) text += "\n" + device_text(device);
  return text + "\n" + std::string(untested) + "\n";
}

nlohmann::ordered_json to_json(const ProbeResult& result) {
  nlohmann::ordered_json json;
  json["iommufd"] = result.iommufd;
  json["vfio"] = result.vfio;
  json["nested_possible"] = result.nested_possible();
  json["reasons"] = result.reasons;
  json["devices"] = nlohmann::ordered_json::array();
  for (const ProbedDevice& device : result.devices) json["devices"].push_back(device_json(device));
  json["tested_on_hardware"] = false;
  return json;
}

}  // namespace smmusim::host
