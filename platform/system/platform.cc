// SPDX-License-Identifier: MIT
// Platform; see the header. One function per row of modules, each binds what it makes to what is there already.
#include "platform/system/platform.h"

#include <algorithm>
#include <bit>
#include <stdexcept>

#include "model/base/check.h"
#include "platform/emit/address_map.h"
#include "platform/nested/simulated.h"
#include "platform/pcie/capabilities.h"
#include "platform/system/endpoint_setup.h"

namespace smmusim {
namespace {

using platform::AddressMapRow;
using platform::Ecam;
using platform::Interconnect;
using platform::InterconnectConfig;
using platform::MemoryModuleConfig;
using platform::PcieFunction;
using platform::RootComplex;
using platform::RootComplexConfig;
using platform::TlpLink;
using platform::TlpLinkConfig;
using systemc::SmmuModule;

constexpr Time ps_per_ns = 1000;
/// MemoryConfig::outstanding = 0 means unlimited; the module wants a number.
constexpr unsigned unlimited_outstanding = 1U << 16;

/// From a write of a message-signalled interrupt to its end.
constexpr Time doorbell_ps = 10 * ps_per_ns;

// Outputs of the interconnect; the SMMUs' register frames follow.
constexpr unsigned to_memory = 0;
constexpr unsigned to_doorbell = 1;
constexpr unsigned to_ecam = 2;
constexpr unsigned to_first_frame = 3;

bool accelerated(const PlatformConfig& config) {
  return config.host.mode != HostMode::none;
}

SparseMemoryConfig sparse_config(const PlatformConfig& config) {
  SparseMemoryConfig memory;
  memory.ranges = {{Pa(config.memory.base), config.memory.size}};
  if (accelerated(config)) {
    const nested::HostMemory own = nested::host_memory(config);
    memory.ranges.push_back({Pa(own.base), own.bytes()});
  }
  return memory;
}

std::string numbered(const char* name, std::size_t index) {
  return name + std::to_string(index);
}

/// The first TBU of each SMMU, and their total at the end.
std::vector<unsigned> first_tbus(const PlatformConfig& config) {
  std::vector<unsigned> first{0};
  for (const NamedSmmu& smmu : config.smmus) first.push_back(first.back() + smmu.config.tbus);
  return first;
}

RootComplexConfig root_complex_config(const PlatformConfig& config) {
  const Time processing = config.mode == Mode::timed ? config.pcie.processing_ns * ps_per_ns : 0;
  RootComplexConfig root;
  root.ats_supported = config.pcie.ats_supported;
  root.outstanding = config.pcie.outstanding;
  root.completions = {config.pcie.mps_bytes, config.pcie.rcb_bytes};
  root.request_processing_ps = processing;
  root.response_processing_ps = processing;
  return root;
}

TlpLinkConfig link_config(const PlatformConfig& config, const EndpointConfig& endpoint) {
  const PcieConfig& pcie = config.pcie;
  TlpLinkConfig link;
  link.timed = config.mode == Mode::timed;
  link.generation = pcie.generation;
  link.lanes = pcie.lanes;
  link.mps_bytes = pcie.mps_bytes;
  link.dllp_spacing =
      pcie.dllp_spacing == DllpSpacing::observed ? platform::DllpSpacing::observed : platform::DllpSpacing::latest;
  link.propagation_ps = pcie.propagation_ns * ps_per_ns;
  link.upstream_receiver.headers = {pcie.posted_header_credits, pcie.non_posted_header_credits, 0};
  link.upstream_receiver.data = {pcie.posted_data_credits, pcie.non_posted_header_credits, 0};
  const ReceiveCredits& credits = endpoint.credits;
  link.downstream_receiver.headers = {credits.posted_headers, link.downstream_receiver.headers[1],
                                      credits.completion_headers};
  link.downstream_receiver.data = {credits.posted_data, 0, credits.completion_data};
  return link;
}

platform::BridgeDescription root_port_description(const PlatformConfig& config) {
  platform::BridgeDescription bridge;
  bridge.pcie = function_description(config, {}).pcie;
  bridge.pcie.port = platform::PortType::root_port;
  bridge.acs_controls = 0x5f;
  return bridge;
}

platform::SwitchConfig switch_config(const SwitchPlace& place, const PlatformConfig& config) {
  platform::SwitchConfig made;
  made.bridges.downstream_ports = static_cast<unsigned>(place.endpoints.size());
  made.bridges.pcie = function_description(config, {}).pcie;
  made.processing_ps = config.mode == Mode::timed ? config.pcie.switch_ns * ps_per_ns : 0;
  made.mps_bytes = config.pcie.mps_bytes;
  return made;
}

}  // namespace

Platform::SwitchUnit::SwitchUnit(Engine& engine, platform::TlpPool& pool, const SwitchPlace& where,
                                 const PlatformConfig& config)
    : place(where),
      root_port(root_port_description(config)),
      link(engine, link_config(config, config.endpoint_template)),
      fabric(engine, pool, switch_config(where, config)) {}

Platform::Platform(const PlatformConfig& config)
    : memory_(sparse_config(config)),
      pump_(std::make_unique<systemc::Pump>("pump", engine_)),
      cpu_(std::make_unique<platform::Cpu>("cpu")) {
  // Every module here takes its time from the pump, so SystemC's clock may lag; longer windows gain nothing.
  pump_->set_run_ahead(1'000 * ps_per_ns);
  build_smmus(config);
  if (accelerated(config)) build_host(config);
  build_switches(config);
  build_endpoints(config);
  build_interconnect(config);
}

void Platform::build_smmus(const PlatformConfig& config) {
  for (std::size_t i = 0; i != config.smmus.size(); ++i) {
    SmmuConfig smmu = config.smmus[i].config;
    smmu.timed = config.mode == Mode::timed;
    smmu.seed = config.seed;
    smmus_.push_back(std::make_unique<SmmuModule>(numbered("smmu", i).c_str(), *pump_, smmu));
  }
}

void Platform::build_switches(const PlatformConfig& config) {
  const Topology topology = topology_of(config);
  if (!topology.problems.empty()) throw std::invalid_argument(topology.problems.front());
  for (const SwitchPlace& place : topology.switches) {
    SwitchUnit& unit = *switches_.emplace_back(std::make_unique<SwitchUnit>(engine_, tlps_, place, config));
    unit.fabric.connect_upstream(unit.link);
    root_bus_.attach(place.root_port, {&unit.root_port, &unit.fabric});
  }
}

/// To its switch, or to root port `root_port`.
void Platform::connect_endpoint(std::size_t index, unsigned root_port, const PlatformConfig& config) {
  const EndpointConfig& endpoint = config.endpoints[index];
  PcieFunction& function = *endpoints_[index];
  bar_memories_.push_back(std::make_unique<platform::BarMemory>());
  targets_.push_back(std::make_unique<platform::FunctionTarget>(function.config_space(), bar_memories_.back().get()));
  function.set_bars(*bar_memories_.back());
  function.connect(*links_[index]);
  for (const auto& unit : switches_) {
    const std::vector<std::size_t>& below = unit->place.endpoints;
    const auto found = std::find(below.begin(), below.end(), index);
    if (found == below.end()) continue;
    unit->fabric.connect(static_cast<unsigned>(found - below.begin()) + 1, *links_[index], targets_.back().get());
    return;
  }
  root_complex_->connect(root_port, *links_[index]);
  ecam_->attach(endpoint.rid, function.config_space().space());
}

/// DMA goes through the host's SMMUs, which have the TBUs of the guest's; the kernel alone switches a device's ATS.
void Platform::build_host(const PlatformConfig& config) {
  host_ = std::make_unique<nested::HostModule>("host", *pump_, memory_, nested::simulated_host_config(config));
  host_->host().on_ats_enable([this](std::size_t device, bool enabled) {
    platform::FunctionConfig& function = endpoints_[device]->config_space();
    constexpr std::uint16_t ats_id = 0x0f;
    constexpr std::uint32_t enable = 1U << 15;
    const std::optional<std::uint16_t> ats = function.capability(ats_id, true);
    if (ats) function.space().write(*ats + platform::cap::ats_control, enabled ? enable : 0, 2);
  });
}

/// Endpoints share the TBUs of their SMMU evenly.
void Platform::build_endpoints(const PlatformConfig& config) {
  const std::vector<unsigned> tbus = first_tbus(config);
  RootComplexConfig root = root_complex_config(config);
  std::vector<unsigned> next(config.smmus.size(), 0);
  for (const EndpointConfig& endpoint : config.endpoints) {
    const unsigned tbu = tbus[endpoint.smmu] + next[endpoint.smmu]++ % config.smmus[endpoint.smmu].config.tbus;
    const StreamId stream = accelerated(config) ? nested::physical_stream(root.rid_map.size()) : endpoint.stream();
    root.rid_map.push_back({endpoint.rid, 1, stream, tbu});
    root.ports.push_back({endpoint.rid, endpoint.rid});
  }
  // Ports of endpoints that are behind a switch stay without a link; the switches' follow.
  for (const auto& unit : switches_) root.ports.push_back({.bridge = &unit->root_port});
  if (!switches_.empty()) {
    for (const NamedSmmu& smmu : config.smmus)
      root.outstanding = std::min(root.outstanding, smmu.config.tbu.outstanding);
    root.posted_reserve = 1;
  }
  root_complex_ = std::make_unique<RootComplex>("root_complex", *pump_, tlps_, tbus.back(), root);
  ecam_ = std::make_unique<Ecam>("ecam", 2 * root.request_processing_ps);
  for (std::size_t i = 0; i != config.endpoints.size(); ++i) {
    const EndpointConfig& endpoint = config.endpoints[i];
    endpoints_.push_back(std::make_unique<PcieFunction>(engine_, tlps_, function_config(config, endpoint),
                                                        function_description(config, endpoint)));
    links_.push_back(std::make_unique<TlpLink>(engine_, link_config(config, endpoint)));
    connect_endpoint(i, static_cast<unsigned>(i), config);
    build_device(config, endpoint);
  }
  for (std::size_t i = 0; i != switches_.size(); ++i) {
    root_complex_->connect(static_cast<unsigned>(config.endpoints.size() + i), switches_[i]->link);
  }
  if (!switches_.empty()) {
    window_ = std::make_unique<platform::PcieWindow>("pcie_window", *pump_, *root_complex_, root_bus_,
                                                     root.request_processing_ps);
    ecam_->attach(root_bus_);
  }
  connect_clients(config);
}

void Platform::connect_clients(const PlatformConfig& config) {
  const std::vector<unsigned> first = first_tbus(config);
  for (std::size_t i = 0; i != smmus_.size(); ++i) {
    const unsigned tbus = config.smmus[i].config.tbus;
    for (unsigned t = 0; t != tbus; ++t) {
      const unsigned number = first[i] + t;
      root_complex_->out[number].bind(host_ ? host_->tbu_in[number] : smmus_[i]->tbu_in[t]);
      if (host_) host_->idle[number].bind(smmus_[i]->tbu_in[t]);
    }
    root_complex_->attach(host_ ? host_->host().physical_smmu(i) : smmus_[i]->smmu(), first[i], tbus);
  }
}

/// What sits on the function that was made last.
void Platform::build_device(const PlatformConfig& config, const EndpointConfig& endpoint) {
  Device& made = devices_.emplace_back();
  if (endpoint.model == DeviceModel::dma) return;
  platform::BarHandler* registers = nullptr;
  if (endpoint.model == DeviceModel::nvme) {
    build_nvme(made, config, endpoint);
    registers = made.controller.get();
  } else {
    made.testdev = std::make_unique<platform::IommuTestdev>(
        engine_, *endpoints_.back(), [this](std::uint64_t address, std::span<unsigned char> into) {
          return memory_.peek(Pa(address), into.data(), into.size());
        });
    registers = made.testdev.get();
  }
  if (mmio_ == nullptr) {
    const Time processing = root_complex_config(config).request_processing_ps;
    mmio_ = std::make_unique<platform::MmioWindow>("mmio", *pump_, 2 * processing);
  }
  mmio_->attach(endpoints_.back()->config_space(), *registers);
}

void Platform::build_nvme(Device& made, const PlatformConfig& config, const EndpointConfig& endpoint) {
  constexpr std::uint64_t mib = std::uint64_t{1} << 20;
  const NvmeSettings& settings = endpoint.nvme;
  const unsigned block_bits = static_cast<unsigned>(std::bit_width(settings.block_bytes)) - 1;
  made.blocks = settings.file.empty()
                    ? std::make_unique<platform::NvmeNamespace>(block_bits, settings.mib * mib >> block_bits)
                    : std::make_unique<platform::NvmeNamespace>(block_bits, settings.file);
  made.controller = std::make_unique<platform::NvmeController>(engine_, *endpoints_.back(), *made.blocks,
                                                               nvme_config(config, endpoint));
}

void Platform::build_interconnect(const PlatformConfig& config) {
  const bool timed = config.mode == Mode::timed;
  InterconnectConfig map;
  if (!timed) map.request_latency_ps = map.response_latency_ps = 0;
  map.map.push_back({Pa(config.memory.base), config.memory.size, to_memory, false});
  if (config.msi.size != 0) map.map.push_back({Pa(config.msi.base), config.msi.size, to_doorbell, false});
  map.map.push_back({Pa(emit::address_map::pcie_ecam_base), Ecam::bytes, to_ecam, true});
  unsigned inputs = 1;  // the CPU
  for (std::size_t i = 0; i != smmus_.size(); ++i) {
    const SmmuConfig& smmu = config.smmus[i].config;
    map.map.push_back({smmu.frame_base, smmu.frame_bytes, to_first_frame + static_cast<unsigned>(i), true});
    inputs += smmu.tbus + 1;
  }
  if (host_) {
    const nested::HostMemory own = nested::host_memory(config);
    map.map.push_back({Pa(own.base), own.bytes(), to_memory, false});
    inputs += static_cast<unsigned>(host_->tbu_out.size()) + 1;
  }
  const unsigned to_window = to_first_frame + static_cast<unsigned>(smmus_.size());
  SMMUSIM_CHECK(window_ == nullptr || mmio_ == nullptr);  // see Checker::check_devices
  const unsigned outputs = to_window + (window_ != nullptr || mmio_ != nullptr ? 1 : 0);
  if (outputs != to_window) {
    map.map.push_back(
        {Pa(emit::address_map::pcie_window_base), emit::address_map::pcie_window_bytes, to_window, false});
  }
  interconnect_ = std::make_unique<Interconnect>("interconnect", *pump_, inputs, outputs, map);
  MemoryModuleConfig memory;
  memory.latency_ps = config.memory.latency_ns * ps_per_ns;
  memory.bandwidth_gbit_per_s = config.memory.bandwidth_gbps;
  memory.outstanding = config.memory.outstanding == 0 ? unlimited_outstanding : config.memory.outstanding;
  memory.timed = timed;
  memory_module_ = std::make_unique<platform::MemoryModule>("memory", *pump_, memory_, memory);
  doorbell_ = std::make_unique<platform::Doorbell>("doorbell", *pump_, timed ? doorbell_ps : 0);
  interconnect_->out[to_memory].bind(memory_module_->in);
  interconnect_->out[to_doorbell].bind(doorbell_->in);
  interconnect_->out[to_ecam].bind(ecam_->in);
  if (window_ != nullptr) interconnect_->out[to_window].bind(window_->in);
  if (mmio_ != nullptr) interconnect_->out[to_window].bind(mmio_->in);
  unsigned input = 0;
  cpu_->out.bind(interconnect_->in[input++]);
  for (std::size_t i = 0; i != smmus_.size(); ++i) {
    interconnect_->out[to_first_frame + static_cast<unsigned>(i)].bind(smmus_[i]->registers);
    for (unsigned t = 0; t != config.smmus[i].config.tbus; ++t) {
      smmus_[i]->tbu_out[t].bind(interconnect_->in[input++]);
    }
    smmus_[i]->tcu_out.bind(interconnect_->in[input++]);
  }
  if (!host_) return;
  for (std::size_t t = 0; t != host_->tbu_out.size(); ++t) host_->tbu_out[t].bind(interconnect_->in[input++]);
  host_->tcu_out.bind(interconnect_->in[input++]);
}

std::string Platform::imbalance() const {
  for (std::size_t i = 0; i != endpoints_.size(); ++i) {
    const std::string sentence = endpoints_[i]->imbalance();
    if (!sentence.empty()) return "endpoint " + std::to_string(i) + ": " + sentence;
  }
  for (const auto& unit : switches_) {
    const std::string sentence = unit->fabric.imbalance();
    if (!sentence.empty()) return "switch " + unit->place.name + ": " + sentence;
  }
  return root_complex_->imbalance();
}

void Platform::run() {
  // A failure inside the pump stops the kernel, which would tell the user so on standard output.
  sc_core::sc_report_handler::set_actions("/OSCI/SystemC", sc_core::SC_INFO, sc_core::SC_DO_NOTHING);
  sc_core::sc_start();
  pump_->rethrow_failure();
}

}  // namespace smmusim
