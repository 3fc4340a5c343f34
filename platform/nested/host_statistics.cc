// SPDX-License-Identifier: MIT
// The statistics' `host`; see the header.
#include "platform/nested/host_statistics.h"

#include <fmt/format.h>

#include "platform/host/ioctl_log.h"

namespace smmusim::nested {
namespace {

using nlohmann::ordered_json;

void add(ordered_json& sum, const std::string& key, std::uint64_t number) {
  sum[key] = sum.value(key, std::uint64_t{0}) + number;
}

void add_vsmmu(ordered_json& json, const Vsmmu& vsmmu) {
  const BatchCounters& batches = vsmmu.batches();
  add(json, "batches", batches.calls);
  add(json, "batched_commands", batches.commands);
  add(json, "refused_commands", batches.refused);
  add(json, "failed_batches", batches.failures);
  const VsmmuCounters& c = vsmmu.counters();
  add(json, "dropped_commands", c.foreign_commands);
  add(json, "hwpts", c.hwpts);
  add(json, "attaches", c.attaches);
  add(json, "unchanged_stes", c.unchanged);
  add(json, "refused_stes", c.refused_stes);
  add(json, "traps", c.traps);
  add(json, "untrapped", c.untrapped);
  add(json, "attach_failures", c.attach_failures);
  add(json, "retries", c.retries);
}

void add_vevents(ordered_json& json, const VeventCounters& c) {
  add(json, "records", c.records);
  add(json, "delivered", c.delivered);
  add(json, "synthesised", c.synthesised);
  add(json, "dropped", c.foreign);
  add(json, "gaps", c.gaps);
  add(json, "lost", c.lost);
  add(json, "overflows", c.overflows);
  add(json, "bad_reads", c.bad_reads);
}

}  // namespace

ordered_json host_json(NestedMachine& machine) {
  ordered_json json;
  json["ioctls"] = host::ioctls_json(machine.log(), machine.system());
  ordered_json vevents = ordered_json::object();
  for (std::size_t i = 0; i != machine.vsmmus(); ++i) {
    add_vsmmu(json, machine.vsmmu(i));
    add_vevents(vevents, machine.vsmmu(i).counters().vevents);
  }
  json["veventq"] = vevents;
  return json;
}

std::string host_text(const ordered_json& host) {
  std::uint64_t calls = 0, errors = 0;
  for (const auto& [name, call] : host["ioctls"].items()) {
    calls += call["count"].get<std::uint64_t>();
    errors += call["errors"].get<std::uint64_t>();
  }
  const auto number = [](const ordered_json& json, const char* key) { return json[key].get<std::uint64_t>(); };
  return fmt::format(
      "accelerated by the host\n"
      "  {} calls, {} failed; {} HWPTs, {} attaches; {} invalidations in {} batches\n"
      "  {} events of the host's, {} made the guest's own, {} lost\n",
      calls, errors, number(host, "hwpts"), number(host, "attaches"), number(host, "batched_commands"),
      number(host, "batches"), number(host["veventq"], "records"), number(host["veventq"], "synthesised"),
      number(host["veventq"], "lost"));
}

}  // namespace smmusim::nested
