// SPDX-License-Identifier: MIT
// NvmeSimulation; see the header.
#include "platform/system/nvme_simulation.h"

#include <fmt/format.h>

#include "model/base/check.h"
#include "platform/config/load.h"
#include "platform/config/value.h"
#include "platform/emit/address_map.h"
#include "platform/pcie/ecam.h"

namespace smmusim {
namespace {

/// Where message-signalled interrupts of the devices go: a register of the doorbells, as GICv2m's.
constexpr std::uint64_t set_spi = 0x40;
constexpr std::uint32_t messages_of_device = 256;
/// Room for each device's BAR 0 in the window.
constexpr std::uint64_t bar_stride = 0x1'0000;

}  // namespace

PlatformConfig with_controllers(const PlatformConfig& config) {
  const PlatformConfig complete = with_device(config, "nvme0");
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

NvmeSimulation::NvmeSimulation(const PlatformConfig& config) : DrivenMachine(with_controllers(config)) {
  const std::vector<EndpointConfig>& endpoints = this->config().endpoints;
  for (std::size_t i = 0; i != endpoints.size(); ++i) {
    if (endpoints[i].model == DeviceModel::nvme) add_device(i);
  }
  platform().doorbell().on_ring = [this](const platform::Doorbell::Ring& it) { ring(it); };
}

NvmeSimulation::~NvmeSimulation() {
  cancel();
  for (const Device& device : devices_) device.driver->scope().cancel();
}

NvmeDriverConfig NvmeSimulation::driver_config(const EndpointConfig& endpoint) const {
  const NvmeSettings& nvme = endpoint.nvme;
  NvmeDriverConfig driver;
  driver.io_queues = nvme.queues;
  driver.queue_depth = nvme.depth;
  driver.bar = emit::address_map::pcie_window_base + bar_stride * devices_.size();
  driver.doorbell = Pa(config().msi.base + set_spi);
  driver.first_message = static_cast<std::uint32_t>(devices_.size()) * messages_of_device;
  driver.load = {nvme.commands, nvme.read_percent, nvme.bytes_min, nvme.bytes_max, nvme.offsets, 0, config().seed};
  return driver;
}

void NvmeSimulation::add_device(std::size_t index) {
  const EndpointConfig& endpoint = config().endpoints[index];
  if (devices_.size() == emit::address_map::pcie_window_bytes / bar_stride) {
    throw InputError(fmt::format("there are more than {} NVMe controllers; use fewer", devices_.size()));
  }
  const NvmeDriverConfig driver = driver_config(endpoint);
  devices_.push_back({index, make_mapper(index), {}, {}});
  Device& made = devices_.back();
  made.driver = std::make_unique<NvmeDriver>(
      platform().engine(), platform().memory(), setup().pages(), *made.mapper,
      platform().cpu().bus(Pa(emit::address_map::pcie_ecam_base + platform::Ecam::offset_of(endpoint.rid, 0))),
      platform().cpu().bus(Pa(driver.bar)), driver);
  const std::size_t number = devices_.size() - 1;
  made.driver->on_command = [this, number](const NvmeDriver::Done& done) {
    devices_[number].latency.add(done.latency);
  };
}

void NvmeSimulation::ring(const platform::Doorbell::Ring& ring) {
  const std::uint64_t device = ring.data / messages_of_device;
  if (ring.address != config().msi.base + set_spi || device >= devices_.size()) return;
  const systemc::Pump::Entry entry(platform().pump());
  devices_[device].driver->interrupt(static_cast<std::uint32_t>(ring.data));
}

void NvmeSimulation::booted() {
  load_start_ = platform().engine().now();
  for (Device& device : devices_) spawn(scope(), drive(device));
}

Task<> NvmeSimulation::drive(Device& device) {
  co_await device.driver->run();
  note_end();
}

void NvmeSimulation::run() {
  run_machine();
  for (const Device& device : devices_) {
    const std::string name = printable(config().endpoints[device.endpoint].name);
    if (!device.driver->done()) {
      throw InternalError(fmt::format("nothing is left to happen, but the driver of {} waits for a command", name));
    }
    const NvmeDriverStatus status = device.driver->status();
    if (status != NvmeDriverStatus::ok) throw InputError(fmt::format("endpoint {}: {}", name, describe(status)));
  }
  close();
}

}  // namespace smmusim
