// SPDX-License-Identifier: MIT
// HostModule; see the header.
#include "platform/nested/host_module.h"

#include "model/smmu/smmu.h"
#include "platform/memory/immediate_port.h"

namespace smmusim::nested {
namespace {

constexpr unsigned own_accesses_max = 64;

/// Holds accesses back until the simulation runs: the host's driver begins when it is made, before sockets are bound.
class HeldPort final : public MemoryPort {
 public:
  HeldPort(Engine& engine, MemoryPort& port) : engine_(engine), port_(port) {
    release_.subject = this;
    release_.fire = &release;
    engine_.post(release_);
  }

  bool start(MemoryRequest& request) override {
    if (released_) return port_.start(request);
    held_.push_back(&request);
    return false;
  }
  void abandon(const Scope& scope) override {
    std::erase_if(held_, [&](const MemoryRequest* request) { return request->scope == &scope; });
    port_.abandon(scope);
  }

 private:
  static void release(EventNode& node) {
    HeldPort& port = *static_cast<HeldPort*>(node.subject);
    port.released_ = true;
    for (MemoryRequest* request : port.held_) {
      if (port.port_.start(*request)) port.engine_.schedule_in(request->own_time, *request);
    }
    port.held_.clear();
  }

  Engine& engine_;
  MemoryPort& port_;
  EventNode release_{};
  std::vector<MemoryRequest*> held_;
  bool released_ = false;
};

std::unique_ptr<MemoryPort> port_of(bool timed, systemc::Pump& pump, SparseMemory& memory, MemoryPort& tlm) {
  if (timed) return std::make_unique<HeldPort>(pump.engine(), tlm);
  return std::make_unique<ImmediatePort>(memory);  // the sockets are not bound yet when it is first used
}

unsigned tbus_of(const host::SimulatedHostConfig& config) {
  unsigned sum = 0;
  for (const SmmuConfig& smmu : config.smmus) sum += smmu.tbus;
  return sum;
}

}  // namespace

HostModule::HostModule(const sc_core::sc_module_name& name, systemc::Pump& pump, SparseMemory& memory,
                       const host::SimulatedHostConfig& config)
    : sc_core::sc_module(name),
      tbu_in("tbu_in", tbus_of(config)),
      tbu_out("tbu_out", tbus_of(config)),
      tcu_out("tcu_out"),
      idle("idle", tbus_of(config)),
      pump_(pump),
      tlm_port_(std::make_unique<systemc::TlmMemoryPort>(pump, tcu_out, config.smmus.front().timed, own_accesses_max)),
      port_(port_of(config.smmus.front().timed, pump, memory, *tlm_port_)),
      host_(std::make_unique<host::SimulatedHost>(pump.engine(), memory, *port_, config)),
      hooks_(config.smmus.size()) {
  unsigned next = 0;
  for (std::size_t i = 0; i != config.smmus.size(); ++i) {
    Smmu& smmu = host_->physical_smmu(i);
    for (unsigned t = 0; t != config.smmus[i].tbus; ++t, ++next) {
      tbus_.push_back(std::make_unique<systemc::Tbu>(pump, smmu, t, tbu_in[next], tbu_out[next]));
    }
    hooks_[i].run = &serve_interrupts;
    hooks_[i].wanted = &smmu.waiting_interrupts();
    hooks_[i].host = host_.get();
    pump_.add_hook(hooks_[i]);
  }
}

HostModule::~HostModule() {
  for (InterruptHook& hook : hooks_) pump_.remove_hook(hook);
  host_.reset();  // first: it answers what the TBUs still hold, and they then drop those answers
}

void HostModule::serve_interrupts(systemc::Pump::Hook& hook) {
  static_cast<InterruptHook&>(hook).host->service_interrupts();
}

}  // namespace smmusim::nested
