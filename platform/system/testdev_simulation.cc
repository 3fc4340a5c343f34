// SPDX-License-Identifier: MIT
// TestdevSimulation; see the header.
#include "platform/system/testdev_simulation.h"

#include <fmt/format.h>

#include "model/base/check.h"
#include "platform/config/load.h"
#include "platform/config/value.h"
#include "platform/emit/address_map.h"
#include "platform/pcie/ecam.h"

namespace smmusim {

TestdevSimulation::TestdevSimulation(const PlatformConfig& config) : DrivenMachine(with_device(config, "testdev0")) {
  const std::vector<EndpointConfig>& endpoints = this->config().endpoints;
  for (std::size_t i = 0; i != endpoints.size(); ++i) {
    if (endpoints[i].model == DeviceModel::iommu_testdev) add_device(i);
  }
}

TestdevSimulation::~TestdevSimulation() {
  cancel();
  for (const Device& device : devices_) device.driver->scope().cancel();
}

void TestdevSimulation::add_device(std::size_t index) {
  using namespace emit::address_map;
  constexpr std::uint64_t bar_bytes = 0x1000;
  if (devices_.size() == pcie_window_bytes / bar_bytes) {
    throw InputError(fmt::format("there are more than {} iommu-testdevs; use fewer", devices_.size()));
  }
  const EndpointConfig& endpoint = config().endpoints[index];
  TestdevDriverConfig driver;
  driver.bar = static_cast<std::uint32_t>(pcie_window_base + bar_bytes * devices_.size());
  driver.writes = endpoint.testdev.writes;
  driver.bytes_max = endpoint.testdev.bytes_max;
  driver.seed = config().seed;
  Device& made = devices_.emplace_back(Device{index, make_mapper(index), {}});
  made.driver = std::make_unique<TestdevDriver>(
      platform().engine(), platform().memory(), setup().pages(), *made.mapper,
      platform().cpu().bus(Pa(pcie_ecam_base + platform::Ecam::offset_of(endpoint.rid, 0))),
      platform().cpu().bus(Pa(driver.bar)), driver);
}

void TestdevSimulation::booted() {
  for (Device& device : devices_) spawn(scope(), drive(device));
}

Task<> TestdevSimulation::drive(Device& device) {
  co_await device.driver->run();
  note_end();
}

void TestdevSimulation::run() {
  run_machine();
  for (const Device& device : devices_) {
    const std::string name = printable(config().endpoints[device.endpoint].name);
    if (!device.driver->done()) {
      throw InternalError(fmt::format("nothing is left to happen, but the driver of {} waits", name));
    }
    const TestdevStatus status = device.driver->status();
    if (status != TestdevStatus::ok) throw InputError(fmt::format("endpoint {}: {}", name, describe(status)));
  }
  close();
}

}  // namespace smmusim
