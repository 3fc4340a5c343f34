// SPDX-License-Identifier: MIT
// Putting one SMMU together in the order in which the parts need each other, and checking what the sockets need of its
// configuration.
#include "tlm/smmu_module.h"

#include <stdexcept>
#include <string>

namespace smmusim::systemc {
namespace {

const SmmuModuleConfig& checked(const SmmuModuleConfig& config) {
  if (config.tcu_outstanding == 0 || config.tcu_outstanding > 0xffff) {
    throw std::invalid_argument("tcu_outstanding is " + std::to_string(config.tcu_outstanding) +
                                "; give 1 to 65535 accesses");
  }
  return config;
}

/// What the sockets need beyond the core's own require_valid().
const SmmuConfig& checked(const SmmuConfig& config) {
  if (config.tbus == 0) throw std::invalid_argument("the SMMU has no TBU; give at least 1");
  if (config.tbu.outstanding == 0 || config.tbu.outstanding > 0xffff) {
    throw std::invalid_argument("tbu.outstanding is " + std::to_string(config.tbu.outstanding) +
                                "; give 1 to 65535 accesses");
  }
  return config;
}

}  // namespace

SmmuModule::SmmuModule(const sc_core::sc_module_name& name, Pump& pump, const SmmuConfig& config,
                       const SmmuModuleConfig& module_config, Observer* observer)
    : sc_core::sc_module(name),
      tbu_in("tbu_in", checked(config).tbus),
      tbu_out("tbu_out", config.tbus),
      tcu_out("tcu_out"),
      registers("registers"),
      pump_(pump),
      interrupts_("interrupts", pump, module_config.interrupt_pulse_width_ps),
      port_(std::make_unique<TlmMemoryPort>(pump, tcu_out, config.timed, checked(module_config).tcu_outstanding)),
      debug_port_(tcu_out),
      smmu_(std::make_unique<Smmu>(pump.engine(), *port_, observer, config, &debug_port_)),

      register_target_(std::make_unique<RegisterTarget>(pump, *smmu_, registers)) {
  for (unsigned i = 0; i < config.tbus; ++i) {
    tbus_.push_back(std::make_unique<Tbu>(pump, *smmu_, i, tbu_in[i], tbu_out[i]));
  }
  smmu_->on_revoke([this] {
    for (const auto& tbu : tbus_) tbu->revoke_dmi();
  });
  hook_.run = &drain;
  hook_.wanted = &smmu_->waiting_interrupts();
  hook_.module = this;
  pump_.add_hook(hook_);
}

SmmuModule::~SmmuModule() {
  pump_.remove_hook(hook_);
  smmu_.reset();  // first: it answers what the TBUs still hold, and they then drop those answers
}

void SmmuModule::drain(Pump::Hook& hook) {
  SmmuModule& module = *static_cast<DrainHook&>(hook).module;
  module.interrupts_.pulse(module.smmu_->take_interrupts());
}

}  // namespace smmusim::systemc
