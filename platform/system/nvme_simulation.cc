// SPDX-License-Identifier: MIT
// NvmeSimulation; see the header.
#include "platform/system/nvme_simulation.h"

#include <fmt/format.h>

#include <algorithm>

#include "model/base/check.h"
#include "platform/config/load.h"
#include "platform/config/value.h"
#include "platform/emit/address_map.h"
#include "platform/pcie/ecam.h"
#include "platform/system/endpoint_setup.h"

namespace smmusim {
namespace {

/// Where message-signalled interrupts of the devices go: a register of the doorbells, as GICv2m's.
constexpr std::uint64_t set_spi = 0x40;
constexpr std::uint32_t messages_of_device = 256;
/// Room for each device's BAR 0 in the window.
constexpr std::uint64_t bar_stride = 0x1'0000;

}  // namespace

bool has_nvme(const PlatformConfig& config) {
  if (config.endpoints.empty()) return config.endpoint_template.model == DeviceModel::nvme;
  return std::any_of(config.endpoints.begin(), config.endpoints.end(),
                     [](const EndpointConfig& endpoint) { return endpoint.model == DeviceModel::nvme; });
}

PlatformConfig with_controllers(const PlatformConfig& config) {
  constexpr std::uint16_t first_device = 0x0008;  // 00:01.0
  PlatformConfig complete = config;
  if (complete.endpoints.empty()) {
    complete.endpoints.push_back(complete.endpoint_template);
    complete.endpoints[0].name = "nvme0";
    complete.endpoints[0].rid = first_device;
  }
  for (const EndpointConfig& endpoint : complete.endpoints) {
    const NvmeSettings& nvme = endpoint.nvme;
    if (endpoint.model != DeviceModel::nvme) continue;
    if (nvme.bytes_min > nvme.bytes_max) {
      throw InputError(fmt::format("endpoint {}: nvme_bytes_min = {} is above nvme_bytes_max = {}; lower it",
                                   printable(endpoint.name), nvme.bytes_min, nvme.bytes_max));
    }
    for (const unsigned bytes : {nvme.bytes_min, nvme.bytes_max}) {
      if (bytes % nvme.block_bytes == 0) continue;
      throw InputError(fmt::format("endpoint {}: commands of {} bytes are no whole number of blocks of nvme_block = {}",
                                   printable(endpoint.name), bytes, nvme.block_bytes));
    }
  }
  return complete;
}

NvmeSimulation::NvmeSimulation(const PlatformConfig& config) : config_(with_controllers(config)) {
  platform_ = std::make_unique<Platform>(config_);
  scope_ = std::make_unique<Scope>(platform_->engine());
  setup_ = std::make_unique<MachineSetup>(*platform_, config_, plan_);
  for (std::size_t i = 0; i != config_.endpoints.size(); ++i) {
    if (config_.endpoints[i].model == DeviceModel::nvme) add_device(i);
  }
  for (std::size_t i = 0; i != platform_->smmus(); ++i) {
    interrupt_controllers_.push_back(std::make_unique<platform::InterruptController>(
        ("interrupt_controller" + std::to_string(i)).c_str(), platform_->smmu(i),
        [this, i](Wire wire) { handle_interrupt(i, wire); }));
  }
  platform_->doorbell().on_ring = [this](const platform::Doorbell::Ring& it) { ring(it); };
}

NvmeSimulation::~NvmeSimulation() {
  // An error can leave tasks waiting. First nothing refers to their frames any more, then the frames go.
  for (GuestDriver* driver : setup_->drivers()) driver->scope().cancel();
  for (const Device& device : devices_) device.driver->scope().cancel();
  scope_->cancel();
}

NvmeDriverConfig NvmeSimulation::driver_config(const EndpointConfig& endpoint) const {
  const NvmeSettings& nvme = endpoint.nvme;
  NvmeDriverConfig driver;
  driver.io_queues = nvme.queues;
  driver.queue_depth = nvme.depth;
  driver.bar = emit::address_map::pcie_window_base + bar_stride * devices_.size();
  driver.doorbell = Pa(config_.msi.base + set_spi);
  driver.first_message = static_cast<std::uint32_t>(devices_.size()) * messages_of_device;
  driver.load = {nvme.commands, nvme.read_percent, nvme.bytes_min, nvme.bytes_max, nvme.offsets, 0, config_.seed};
  return driver;
}

void NvmeSimulation::add_device(std::size_t index) {
  const EndpointConfig& endpoint = config_.endpoints[index];
  if (devices_.size() == emit::address_map::pcie_window_bytes / bar_stride) {
    throw InputError(fmt::format("there are more than {} NVMe controllers; use fewer", devices_.size()));
  }
  const PlayedStream& stream = setup_->played_streams()[index];
  const PlayedSpace& space = setup_->spaces()[stream.space];
  const bool stage2_alone = space.table->stage() == TableStage::two;
  DmaMapperConfig mapper;
  mapper.stream = endpoint.stream();
  mapper.asid = Asid(space.asid);
  mapper.vmid = Vmid(stage2_alone ? space.asid : std::uint16_t{0});
  mapper.ats = stream.ats;
  const NvmeDriverConfig driver = driver_config(endpoint);
  devices_.push_back({index, std::make_unique<DmaMapper>(*space.table, setup_->driver(endpoint.smmu), mapper), {}, {}});
  Device& made = devices_.back();
  made.driver = std::make_unique<NvmeDriver>(
      platform_->engine(), platform_->memory(), setup_->pages(), *made.mapper,
      platform_->cpu().bus(Pa(emit::address_map::pcie_ecam_base + platform::Ecam::offset_of(endpoint.rid, 0))),
      platform_->cpu().bus(Pa(driver.bar)), driver);
  const std::size_t number = devices_.size() - 1;
  made.driver->on_command = [this, number](const NvmeDriver::Done& done) {
    devices_[number].latency.add(done.latency);
  };
}

void NvmeSimulation::ring(const platform::Doorbell::Ring& ring) {
  const std::uint64_t device = ring.data / messages_of_device;
  if (ring.address != config_.msi.base + set_spi || device >= devices_.size()) return;
  const systemc::Pump::Entry entry(platform_->pump());
  devices_[device].driver->interrupt(static_cast<std::uint32_t>(ring.data));
}

Task<> NvmeSimulation::boot() {
  for (std::size_t i = 0; i != platform_->smmus(); ++i) {
    boot_status_ = setup_->driver(i).probe();
    if (boot_status_ == DriverStatus::ok) boot_status_ = co_await setup_->driver(i).enable(setup_->streams(i));
    if (boot_status_ != DriverStatus::ok) co_return;
  }
  for (const EndpointConfig& endpoint : config_.endpoints) enumerate(platform_->cpu(), config_, endpoint);
  load_start_ = platform_->engine().now();
  for (Device& device : devices_) spawn(*scope_, drive(device));
}

Task<> NvmeSimulation::drive(Device& device) {
  co_await device.driver->run();
  end_time_ = std::max(end_time_, platform_->engine().now());
}

void NvmeSimulation::run() {
  start_node_.simulation = this;
  start_node_.scope = scope_.get();
  start_node_.fire = [](EventNode& node) {
    NvmeSimulation& simulation = *static_cast<StartNode&>(node).simulation;
    spawn(*simulation.scope_, simulation.boot());
  };
  platform_->engine().post(start_node_);
  platform_->run();
  if (boot_status_ != DriverStatus::ok) {
    throw InputError(fmt::format("the driver can't use the SMMU: {}", describe(boot_status_)));
  }
  for (const Device& device : devices_) {
    const std::string name = printable(config_.endpoints[device.endpoint].name);
    if (!device.driver->done()) {
      throw InternalError(fmt::format("nothing is left to happen, but the driver of {} waits for a command", name));
    }
    const NvmeDriverStatus status = device.driver->status();
    if (status != NvmeDriverStatus::ok) throw InputError(fmt::format("endpoint {}: {}", name, describe(status)));
  }
  for (std::size_t i = 0; i != platform_->smmus(); ++i) drain_events(i);
  if (const std::string sentence = platform_->imbalance(); !sentence.empty()) throw InternalError(sentence);
}

void NvmeSimulation::drain_events(std::size_t smmu) {
  DrainedEvents drained;
  setup_->driver(smmu).read_events(drained);
  events_read_ += drained.events.size();
}

void NvmeSimulation::handle_interrupt(std::size_t smmu, Wire wire) {
  if (wire == Wire::event_queue) drain_events(smmu);
  if (wire == Wire::global_error) setup_->driver(smmu).service_errors();
}

}  // namespace smmusim
