// SPDX-License-Identifier: MIT
// NestedMachine; see the header.
#include "platform/nested/nested_machine.h"

#include <fmt/format.h>

#include "platform/config/load.h"
#include "platform/nested/identity.h"
#include "platform/nested/simulated.h"
#include "platform/pcie/ats_property.h"

namespace smmusim::nested {
namespace {

[[noreturn]] void refuse(const std::string& what, const host::HostError& error) {
  throw HostRefusal(fmt::format("{}: {}", what, host::describe(error)));
}

Properties properties_of(const NamedSmmu& smmu) {
  const AccelConfig& accel = smmu.acceleration;
  const spec::Features& f = smmu.config.features;
  Properties properties;
  if (!accel.ril_auto) properties.ril = f.ril;
  if (!accel.ats_auto) properties.ats = f.ats;
  if (!accel.oas_auto) properties.oas = f.oas;
  if (!accel.ssidsize_auto) properties.ssidsize = f.ssidsize;
  if (accel.cmdqv != OnOffAuto::automatic) properties.cmdqv = accel.cmdqv == OnOffAuto::on;
  return properties;
}

/// A clear bit says "supported" only where the kernel could have set it, which nothing tells: unknown.
HostAts host_ats(const HostReport& report) {
  return report.ats_not_supported ? HostAts::not_supported : HostAts::unknown;
}

platform::AtsDecision ats_decision(const EndpointConfig& endpoint, const HostReport& report) {
  return platform::decide_ats(endpoint.ats, host_ats(report), endpoint.ats_capability);
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += (text.empty() ? "" : "\n") + line;
  return text;
}

}  // namespace

NestedMachine::NestedMachine(Engine& engine, host::HostSystem& system, const PlatformConfig& config,
                             std::shared_ptr<host::IoctlLog> log)
    : system_(system), log_(std::move(log)) {
  auto space = GuestSpace::open(system, log_);
  if (!space) refuse("the host has no accelerated nested mode", space.error());
  space_ = std::move(*space);
  for (const NamedSmmu& smmu : config.smmus) {
    const VsmmuConfig vsmmu{smmu.acceleration.batch_max, smmu.acceleration.veventq_depth};
    vsmmus_.push_back(std::make_unique<Vsmmu>(engine, *space_, vsmmu));
  }
  for (std::size_t i = 0; i != config.endpoints.size(); ++i) {
    auto bound = vsmmus_[config.endpoints[i].smmu]->bind(device_path(i));
    if (!bound)
      refuse(fmt::format("the host does not give the device of endpoint {}", config.endpoints[i].name), bound.error());
    devices_.push_back(*bound);
  }
}

PlatformConfig NestedMachine::resolved(const PlatformConfig& config) const {
  PlatformConfig done = config;
  std::vector<std::string> wrong;
  for (std::size_t s = 0; s != config.smmus.size(); ++s) {
    const NamedSmmu& smmu = config.smmus[s];
    IdentityFreeze freeze(smmu.config.features, properties_of(smmu), {config.host.oas_check, smmu.acceleration.compat});
    const auto complain = [&](const std::vector<IdentityError>& errors) {
      for (const IdentityError& error : errors) wrong.push_back(fmt::format("SMMU {}: {}", smmu.name, error.message));
    };
    for (std::size_t e = 0; e != config.endpoints.size(); ++e) {
      if (config.endpoints[e].smmu != s) continue;
      complain(freeze.add({devices_[e].report, ats_decision(config.endpoints[e], devices_[e].report).shown}));
    }
    if (wrong.empty()) complain(freeze.machine_done());
    done.smmus[s].config.features = freeze.features();
  }
  for (std::size_t e = 0; e != config.endpoints.size(); ++e) {
    const platform::AtsDecision ats = ats_decision(config.endpoints[e], devices_[e].report);
    if (ats.refusal != platform::AtsRefusal::none) {
      wrong.push_back(fmt::format("endpoint {}: {}", config.endpoints[e].name, platform::describe(ats.refusal)));
    }
    done.endpoints[e].host_ats = host_ats(devices_[e].report);
  }
  if (!wrong.empty()) throw InputError(joined(wrong));
  return done;
}

void NestedMachine::map(std::span<const GuestRam> ram, const GuestRam& zeroes) {
  for (const GuestRam& range : ram) {
    const host::Status status = space_->map(range);
    if (!status) {
      refuse(fmt::format("the host does not take the guest's memory at 0x{:x}, 0x{:x} bytes", range.base, range.bytes),
             status.error());
    }
  }
  const host::Status status = space_->map_zeroes(zeroes.base, zeroes.user_va, zeroes.bytes);
  if (!status) refuse(fmt::format("the host does not take the monitor's page at 0x{:x}", zeroes.base), status.error());
}

void NestedMachine::serve(std::size_t index, Smmu& guest, const PlatformConfig& config) {
  Vsmmu& vsmmu = *vsmmus_[index];
  for (std::size_t e = 0; e != config.endpoints.size(); ++e) {
    const EndpointConfig& endpoint = config.endpoints[e];
    if (endpoint.smmu != index) continue;
    const host::Status status =
        vsmmu.plug(devices_[e], endpoint.stream(), ats_decision(endpoint, devices_[e].report).shown);
    if (!status)
      refuse(fmt::format("endpoint {} can't be put behind {}", endpoint.name, config.smmus[index].name),
             status.error());
  }
  vsmmu.serve(guest);
  if (vsmmu.unsettled_devices() != 0)
    refuse(fmt::format("the devices of {} can't be attached", config.smmus[index].name), vsmmu.last_error());
}

}  // namespace smmusim::nested
