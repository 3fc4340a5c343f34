// SPDX-License-Identifier: MIT
// DrivenMachine; see the header.
#include "platform/system/driven_machine.h"

#include <fmt/format.h>

#include <algorithm>

#include "model/base/check.h"
#include "platform/config/load.h"
#include "platform/system/endpoint_setup.h"

namespace smmusim {

bool has_device(const PlatformConfig& config, DeviceModel model) {
  if (config.endpoints.empty()) return config.endpoint_template.model == model;
  return std::any_of(config.endpoints.begin(), config.endpoints.end(),
                     [model](const EndpointConfig& endpoint) { return endpoint.model == model; });
}

PlatformConfig with_device(const PlatformConfig& config, const char* name) {
  constexpr std::uint16_t first_device = 0x0008;  // 00:01.0
  PlatformConfig complete = config;
  if (!complete.endpoints.empty()) return complete;
  complete.endpoints.push_back(complete.endpoint_template);
  complete.endpoints[0].name = name;
  complete.endpoints[0].rid = first_device;
  return complete;
}

DrivenMachine::DrivenMachine(const PlatformConfig& config) : config_(config) {
  platform_ = std::make_unique<Platform>(config_);
  scope_ = std::make_unique<Scope>(platform_->engine());
  setup_ = std::make_unique<MachineSetup>(*platform_, config_, plan_);
  for (std::size_t i = 0; i != platform_->smmus(); ++i) {
    interrupt_controllers_.push_back(std::make_unique<platform::InterruptController>(
        ("interrupt_controller" + std::to_string(i)).c_str(), platform_->smmu(i),
        [this, i](Wire wire) { handle_interrupt(i, wire); }));
  }
}

DrivenMachine::~DrivenMachine() = default;

void DrivenMachine::cancel() {
  for (GuestDriver* driver : setup_->drivers()) driver->scope().cancel();
  scope_->cancel();
}

std::unique_ptr<DmaMapper> DrivenMachine::make_mapper(std::size_t index) {
  const EndpointConfig& endpoint = config_.endpoints[index];
  const PlayedStream& stream = setup_->played_streams()[index];
  const PlayedSpace& space = setup_->spaces()[stream.space];
  const bool stage2_alone = space.table->stage() == TableStage::two;
  DmaMapperConfig mapper;
  mapper.stream = endpoint.stream();
  mapper.asid = Asid(space.asid);
  mapper.vmid = Vmid(stage2_alone ? space.asid : std::uint16_t{0});
  mapper.ats = stream.ats;
  return std::make_unique<DmaMapper>(*space.table, setup_->driver(endpoint.smmu), mapper);
}

Task<> DrivenMachine::boot() {
  for (std::size_t i = 0; i != platform_->smmus(); ++i) {
    boot_status_ = setup_->driver(i).probe();
    if (boot_status_ == DriverStatus::ok) boot_status_ = co_await setup_->driver(i).enable(setup_->streams(i));
    if (boot_status_ != DriverStatus::ok) co_return;
  }
  for (const EndpointConfig& endpoint : config_.endpoints) enumerate(platform_->cpu(), config_, endpoint);
  booted();
}

void DrivenMachine::run_machine() {
  start_node_.machine = this;
  start_node_.scope = scope_.get();
  start_node_.fire = [](EventNode& node) {
    DrivenMachine& machine = *static_cast<StartNode&>(node).machine;
    spawn(*machine.scope_, machine.boot());
  };
  platform_->engine().post(start_node_);
  platform_->run();
  if (boot_status_ != DriverStatus::ok) {
    throw InputError(fmt::format("the driver can't use the SMMU: {}", describe(boot_status_)));
  }
}

void DrivenMachine::close() {
  for (std::size_t i = 0; i != platform_->smmus(); ++i) drain_events(i);
  if (const std::string sentence = platform_->imbalance(); !sentence.empty()) throw InternalError(sentence);
}

void DrivenMachine::drain_events(std::size_t smmu) {
  DrainedEvents drained;
  setup_->driver(smmu).read_events(drained);
  events_read_ += drained.events.size();
}

void DrivenMachine::handle_interrupt(std::size_t smmu, Wire wire) {
  if (wire == Wire::event_queue) drain_events(smmu);
  if (wire == Wire::global_error) setup_->driver(smmu).service_errors();
}

}  // namespace smmusim
