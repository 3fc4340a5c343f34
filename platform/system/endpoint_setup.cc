// SPDX-License-Identifier: MIT
// Endpoints as functions; see the header. Software finds capabilities as it has to: by walking the chain.
#include "platform/system/endpoint_setup.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <bit>

#include "platform/config/load.h"
#include "platform/config/value.h"
#include "platform/emit/address_map.h"
#include "platform/endpoint/iommu_testdev.h"
#include "platform/pcie/ecam.h"
#include "platform/system/bus_enumeration.h"
#include "platform/system/cpu.h"

namespace smmusim {
namespace {

using platform::Ecam;

constexpr Time ps_per_ns = 1000;
constexpr std::uint16_t pcie_id = 0x10, ats_id = 0x0f, pri_id = 0x13, pasid_id = 0x1b;

std::uint32_t size_code(unsigned bytes) {
  return static_cast<std::uint32_t>(std::bit_width(bytes)) - 8;  // 128: 0
}

}  // namespace

AtsState ats_of(const PlatformConfig& config, const EndpointConfig& endpoint) {
  AtsState state;
  state.property = platform::decide_ats(endpoint.ats, endpoint.host_ats, endpoint.ats_capability);
  state.smmu = config.smmus[endpoint.smmu].config.features.ats;
  state.root_complex = config.pcie.ats_supported;
  return state;
}

std::string describe(const AtsState& state) {
  std::string text;
  if (!state.property.shown) {
    text = fmt::format("off, {}", state.property.reason);
  } else if (!state.smmu) {
    text = "off, the SMMU has none (IDR0.ATS = 0)";
  } else if (!state.root_complex) {
    text = "off, firmware says that the root complex does not support it";
  } else {
    text = fmt::format("on, {}", state.property.reason);
  }
  if (state.property.warning != platform::AtsWarning::none) {
    text += fmt::format("; warning: {}", platform::describe(state.property.warning));
  }
  return text;
}

bool pri_of(const PlatformConfig& config, const EndpointConfig& endpoint) {
  return endpoint.pri && config.smmus[endpoint.smmu].config.features.pri && ats_of(config, endpoint).enabled();
}

namespace {

/// Nothing for a device without PRI.
std::string pri_text(const PlatformConfig& config, const EndpointConfig& endpoint) {
  if (!endpoint.pri) return {};
  if (pri_of(config, endpoint)) return "; PRI on";
  return config.smmus[endpoint.smmu].config.features.pri ? "; PRI off, it needs ATS"
                                                         : "; PRI off, the SMMU has none (IDR0.PRI = 0)";
}

}  // namespace

std::vector<std::string> ats_lines(const PlatformConfig& config) {
  std::vector<std::string> lines;
  for (const EndpointConfig& endpoint : config.endpoints) {
    lines.push_back(fmt::format("endpoint {}: ATS {}", printable(endpoint.name), describe(ats_of(config, endpoint))) +
                    pri_text(config, endpoint));
  }
  if (config.endpoints.empty()) {
    lines.push_back(fmt::format("every endpoint: ATS {}", describe(ats_of(config, config.endpoint_template))) +
                    pri_text(config, config.endpoint_template));
  }
  return lines;
}

std::vector<AtsCondition> ats_conditions(const AtsState& state, const EndpointConfig& endpoint) {
  const bool enabled = state.enabled();
  const std::string left_off = enabled ? "" : "the driver leaves it 0, because one of the above is missing";
  return {
      {"the physical device has an ATS capability", endpoint.ats_capability,
       endpoint.ats_capability ? "" : "endpoint.ats_capability = false"},
      {"the guest is shown the capability", state.property.shown, std::string(state.property.reason)},
      {"the SMMU supports ATS (IDR0.ATS)", state.smmu, state.smmu ? "" : "smmu.ats = false"},
      {"the root complex supports ATS", state.root_complex,
       state.root_complex ? "" : "pcie.ats_supported = false: firmware says so"},
      {"the capability's Enable bit is set", enabled, left_off},
      {"STE.EATS allows it", enabled, left_off},
  };
}

platform::FunctionDescription function_description(const PlatformConfig& config, const EndpointConfig& endpoint) {
  platform::FunctionDescription function;
  if (endpoint.model == DeviceModel::nvme) function = platform::nvme_function(nvme_config(config, endpoint));
  if (endpoint.model == DeviceModel::iommu_testdev) function = platform::iommu_testdev_function();
  function.pcie.generation = config.pcie.generation;
  function.pcie.lanes = config.pcie.lanes;
  function.pcie.mps_log2 = static_cast<unsigned>(std::bit_width(config.pcie.mps_bytes)) - 1;
  if (endpoint.bar_bytes != 0) function.bars[0] = {endpoint.bar_bytes, false, false};
  if (endpoint.ats_capability) {
    function.ats = platform::AtsCapability{endpoint.atc.invalidate_queue, true, false, false};
    function.ats_hidden = !ats_of(config, endpoint).property.shown;
  }
  if (endpoint.pri) function.pri = platform::PriCapability{endpoint.pri_requests, endpoint.pri_response_pasid};
  if (endpoint.pasid_width() != 0) function.pasid = platform::PasidCapability{endpoint.pasid_width(), true, true};
  return function;
}

platform::NvmeConfig nvme_config(const PlatformConfig& config, const EndpointConfig& endpoint) {
  const bool timed = config.mode == Mode::timed;
  const auto time = [&](unsigned ns) { return timed ? ns * ps_per_ns : 0; };
  platform::NvmeConfig nvme;
  nvme.io_queues = endpoint.nvme.queues;
  nvme.channels = endpoint.nvme.channels;
  nvme.transfer_pages_log2 = 9;  // what the driver's lists of PRPs hold
  nvme.command_ps = time(endpoint.nvme.command_ns);
  nvme.read_ps = time(endpoint.nvme.read_ns);
  nvme.write_ps = time(endpoint.nvme.write_ns);
  return nvme;
}

namespace {

platform::DmaEngineConfig dma_engine_config(const DmaEngineSettings& settings) {
  platform::DmaEngineConfig engine;
  engine.write_interval_ps = settings.write_interval_ps;
  engine.read_request_ps = settings.read_request_ps;
  engine.write_request_ps = settings.write_request_ps;
  engine.copy_gbps = settings.copy_gbps;
  engine.copy_bytes = settings.copy_bytes;
  return engine;
}

}  // namespace

platform::PcieFunctionConfig function_config(const PlatformConfig& config, const EndpointConfig& endpoint) {
  const bool timed = config.mode == Mode::timed;
  const auto time = [&](unsigned ns) { return timed ? ns * ps_per_ns : 0; };
  platform::PcieFunctionConfig function;
  function.requester_id = endpoint.rid;
  function.outstanding = endpoint.outstanding;
  function.queue_max = endpoint.outstanding;
  function.issue_interval_ps = time(endpoint.issue_interval_ns);
  function.tags = endpoint.tags;
  function.request_ps = time(endpoint.request_ns);
  function.completion_ps = time(endpoint.completion_ns);
  if (timed) function.dma_engine = dma_engine_config(endpoint.dma_engine);
  constexpr Time ps_per_us = 1000 * ps_per_ns;
  function.completion_timeout_ps = endpoint.completion_timeout_us * ps_per_us;
  function.atc.cache = {endpoint.atc.entries, endpoint.atc.ways, endpoint.atc.replacement};
  function.atc.page_bits_max = endpoint.atc.page_bits_max;
  function.translations = endpoint.atc.requests;
  function.prefetch_pages = endpoint.atc.prefetch_pages;
  function.invalidate_ps = time(endpoint.atc.invalidate_ns);
  function.page_retries = endpoint.pri_retries;
  function.never_completes_invalidations = endpoint.invalidate_silent;
  function.seed = config.seed;
  function.untranslated_base = config.msi.base;
  function.untranslated_bytes = config.msi.size;
  return function;
}

PciAccess pci_access(platform::Cpu& cpu) {
  const auto at = [](std::uint16_t rid, std::uint32_t offset) {
    return Pa(emit::address_map::pcie_ecam_base + Ecam::offset_of(rid, offset));
  };
  PciAccess access;
  access.read = [&cpu, at](std::uint16_t rid, std::uint32_t offset, unsigned size) {
    return static_cast<std::uint32_t>(cpu.load(at(rid, offset), size));
  };
  access.write = [&cpu, at](std::uint16_t rid, std::uint32_t offset, std::uint32_t value, unsigned size) {
    cpu.store(at(rid, offset), value, size);
  };
  return access;
}

void enumerate_switches(platform::Cpu& cpu, const PlatformConfig& config) {
  using emit::address_map::pcie_window_base;
  using emit::address_map::pcie_window_bytes;
  using platform::Acs;
  constexpr auto bits = [](auto... controls) { return (0U | ... | static_cast<std::uint32_t>(controls)); };
  constexpr std::uint32_t isolate =
      bits(Acs::source_validation, Acs::p2p_request_redirect, Acs::p2p_completion_redirect, Acs::upstream_forwarding);
  EnumerationPlan plan;
  plan.window = {pcie_window_base, pcie_window_base + (pcie_window_bytes - 1)};
  plan.acs = config.pcie.acs == AcsPolicy::off       ? 0
             : config.pcie.acs == AcsPolicy::isolate ? isolate
                                                     : isolate | bits(Acs::direct_translated_p2p);
  plan.mps_bytes = config.pcie.mps_bytes;
  const Enumeration found = enumerate_buses(pci_access(cpu), plan);
  if (!found.problems.empty()) throw InputError(fmt::format("the PCI core: {}", fmt::join(found.problems, "\n")));
}

void enumerate(platform::Cpu& cpu, const PlatformConfig& config, const EndpointConfig& endpoint) {
  constexpr std::uint32_t command = 4, memory_space = 2, bus_master = 4, first_bar = 0x10;
  constexpr std::uint32_t extended_tags = 1U << 8, relaxed_ordering = 1U << 4, atomic_requester = 1U << 6;
  constexpr std::uint32_t pasid_all = 7, pri_enable = 1, ats_enable = 1U << 15;
  const PciAccess access = pci_access(cpu);
  const ConfigAccess device(access, endpoint.rid);
  // A BAR without an address answers to none.
  const bool placed = endpoint.bar_bytes == 0 || device.read(first_bar, 4) != 0;
  device.write(command, bus_master | (placed ? memory_space : 0), 2);
  const std::uint32_t pcie = device.find(pcie_id);
  device.write(pcie + platform::cap::pcie_device_control,
               size_code(config.pcie.mps_bytes) << 5 | size_code(config.pcie.mrrs_bytes) << 12 | extended_tags |
                   relaxed_ordering,
               2);
  device.write(pcie + platform::cap::pcie_device_control_2, atomic_requester, 2);
  const bool substreams = config.smmus[endpoint.smmu].config.features.ssidsize != 0;
  if (const std::uint32_t pasid = device.find_extended(pasid_id); pasid != 0 && substreams) {
    device.write(pasid + platform::cap::pasid_control, pasid_all, 2);
  }
  const bool ats = ats_of(config, endpoint).enabled();
  if (const std::uint32_t pri = device.find_extended(pri_id); pri != 0 && pri_of(config, endpoint)) {
    device.write(pri + platform::cap::pri_allocation, endpoint.pri_requests, 4);
    device.write(pri + platform::cap::pri_control, pri_enable, 2);
  }
  // Of a passthrough device vfio drops that write: the host's kernel switches ATS when the guest's STE asks for it.
  if (ats && config.host.mode == HostMode::none)
    device.write(device.find_extended(ats_id) + platform::cap::ats_control, ats_enable, 2);
}

}  // namespace smmusim
