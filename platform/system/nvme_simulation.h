// SPDX-License-Identifier: MIT
// NvmeSimulation: a platform whose NVMe controllers are used by simulated drivers, from enabling the SMMUs to the last
// command of each load. It owns everything and prints nothing.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "platform/driver/nvme_driver.h"
#include "platform/system/driven_machine.h"
#include "platform/system/latency_histogram.h"

namespace smmusim {

/// `config` with at least one endpoint. Throws InputError for a load whose lengths can't be.
PlatformConfig with_controllers(const PlatformConfig& config);

class NvmeSimulation final : public DrivenMachine {
 public:
  /// One controller and its driver.
  struct Device {
    std::size_t endpoint = 0;
    std::unique_ptr<DmaMapper> mapper;
    std::unique_ptr<NvmeDriver> driver;
    LatencyHistogram latency{};  ///< of the load's commands
  };

  /// Throws InputError, AllocationError, std::invalid_argument.
  explicit NvmeSimulation(const PlatformConfig& config);
  ~NvmeSimulation() override;

  /// Runs every load to its end. Throws InputError for a load that the device can't take, InternalError if something
  /// never finishes.
  void run();

  const std::vector<Device>& devices() const { return devices_; }
  /// Of that the loads, bringing the controllers up included.
  Time load_time() const { return simulated_time() - load_start_; }

 private:
  void add_device(std::size_t endpoint);
  NvmeDriverConfig driver_config(const EndpointConfig& endpoint) const;
  void ring(const platform::Doorbell::Ring& ring);
  void booted() override;
  Task<> drive(Device& device);

  std::vector<Device> devices_;
  Time load_start_ = 0;
};

}  // namespace smmusim
