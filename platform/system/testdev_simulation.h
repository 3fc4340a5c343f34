// SPDX-License-Identifier: MIT
// TestdevSimulation: a platform whose iommu-testdevs are used by simulated drivers, to the last write of each.
#pragma once

#include <memory>
#include <vector>

#include "platform/driver/testdev_driver.h"
#include "platform/system/driven_machine.h"

namespace smmusim {

class TestdevSimulation final : public DrivenMachine {
 public:
  /// One device and its driver.
  struct Device {
    std::size_t endpoint = 0;
    std::unique_ptr<DmaMapper> mapper;
    std::unique_ptr<TestdevDriver> driver;
  };

  /// Throws InputError, AllocationError, std::invalid_argument.
  explicit TestdevSimulation(const PlatformConfig& config);
  ~TestdevSimulation() override;

  /// Throws InputError for a device that its driver can't use, InternalError if something never finishes.
  void run();

  const std::vector<Device>& devices() const { return devices_; }

 private:
  void add_device(std::size_t endpoint);
  void booted() override;
  Task<> drive(Device& device);

  std::vector<Device> devices_;
};

}  // namespace smmusim
