// SPDX-License-Identifier: MIT
// Platform; see the header. One function per row of modules, each binds what it makes to what is there already.
#include "platform/system/platform.h"

#include "model/base/check.h"
#include "platform/emit/address_map.h"
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

SparseMemoryConfig sparse_config(const MemoryConfig& memory) {
  SparseMemoryConfig config;
  config.ranges = {{Pa(memory.base), memory.size}};
  return config;
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

}  // namespace

Platform::Platform(const PlatformConfig& config)
    : memory_(sparse_config(config.memory)),
      pump_(std::make_unique<systemc::Pump>("pump", engine_)),
      cpu_(std::make_unique<platform::Cpu>("cpu")) {
  // Every module here takes its time from the pump, so SystemC's clock may lag; longer windows gain nothing.
  pump_->set_run_ahead(1'000 * ps_per_ns);
  build_smmus(config);
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

/// Endpoints share the TBUs of their SMMU evenly.
void Platform::build_endpoints(const PlatformConfig& config) {
  const std::vector<unsigned> tbus = first_tbus(config);
  RootComplexConfig root = root_complex_config(config);
  std::vector<unsigned> next(config.smmus.size(), 0);
  for (const EndpointConfig& endpoint : config.endpoints) {
    const unsigned tbu = tbus[endpoint.smmu] + next[endpoint.smmu]++ % config.smmus[endpoint.smmu].config.tbus;
    root.rid_map.push_back({endpoint.rid, 1, endpoint.stream(), tbu});
    root.ports.push_back({endpoint.rid, endpoint.rid});
  }
  root_complex_ = std::make_unique<RootComplex>("root_complex", *pump_, tlps_, tbus.back(), root);
  ecam_ = std::make_unique<Ecam>("ecam", 2 * root.request_processing_ps);
  for (std::size_t i = 0; i != config.endpoints.size(); ++i) {
    const EndpointConfig& endpoint = config.endpoints[i];
    endpoints_.push_back(std::make_unique<PcieFunction>(engine_, tlps_, function_config(config, endpoint),
                                                        function_description(config, endpoint)));
    links_.push_back(std::make_unique<TlpLink>(engine_, link_config(config, endpoint)));
    endpoints_.back()->connect(*links_.back());
    root_complex_->connect(static_cast<unsigned>(i), *links_.back());
    ecam_->attach(endpoint.rid, endpoints_.back()->config_space().space());
  }
  for (std::size_t i = 0; i != smmus_.size(); ++i) {
    for (unsigned t = 0; t != config.smmus[i].config.tbus; ++t) {
      root_complex_->out[tbus[i] + t].bind(smmus_[i]->tbu_in[t]);
    }
    root_complex_->attach(smmus_[i]->smmu(), tbus[i], config.smmus[i].config.tbus);
  }
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
  const unsigned outputs = to_first_frame + static_cast<unsigned>(smmus_.size());
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
  unsigned input = 0;
  cpu_->out.bind(interconnect_->in[input++]);
  for (std::size_t i = 0; i != smmus_.size(); ++i) {
    interconnect_->out[to_first_frame + static_cast<unsigned>(i)].bind(smmus_[i]->registers);
    for (unsigned t = 0; t != config.smmus[i].config.tbus; ++t) {
      smmus_[i]->tbu_out[t].bind(interconnect_->in[input++]);
    }
    smmus_[i]->tcu_out.bind(interconnect_->in[input++]);
  }
}

std::string Platform::imbalance() const {
  for (std::size_t i = 0; i != endpoints_.size(); ++i) {
    const std::string sentence = endpoints_[i]->imbalance();
    if (!sentence.empty()) return "endpoint " + std::to_string(i) + ": " + sentence;
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
