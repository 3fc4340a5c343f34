// SPDX-License-Identifier: MIT
// NvmeSimulation: a platform whose NVMe controllers are used by simulated drivers, from enabling the SMMUs to the last
// command of each load. It owns everything and prints nothing.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "model/sim/scope.h"
#include "platform/config/platform_config.h"
#include "platform/driver/dma_mapper.h"
#include "platform/driver/nvme_driver.h"
#include "platform/player/play_plan.h"
#include "platform/system/interrupt_controller.h"
#include "platform/system/latency_histogram.h"
#include "platform/system/machine_setup.h"
#include "platform/system/platform.h"

namespace smmusim {

/// A run of this configuration is an NvmeSimulation: some endpoint is a controller, or the one that it describes for
/// all is.
bool has_nvme(const PlatformConfig& config);
/// `config` with at least one endpoint. Throws InputError for a load whose lengths can't be.
PlatformConfig with_controllers(const PlatformConfig& config);

class NvmeSimulation {
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
  ~NvmeSimulation();

  /// Runs every load to its end. Throws InputError for a load that the device can't take, InternalError if something
  /// never finishes.
  void run();

  const PlatformConfig& config() const { return config_; }
  Platform& platform() { return *platform_; }
  MachineSetup& setup() { return *setup_; }
  const std::vector<Device>& devices() const { return devices_; }
  Time simulated_time() const { return end_time_; }
  /// Of that the loads, bringing the controllers up included.
  Time load_time() const { return end_time_ - load_start_; }
  std::uint64_t events_read() const { return events_read_; }

  Scope& scope() { return *scope_; }

 private:
  struct StartNode : EventNode {
    NvmeSimulation* simulation = nullptr;
  };

  void add_device(std::size_t endpoint);
  NvmeDriverConfig driver_config(const EndpointConfig& endpoint) const;
  void ring(const platform::Doorbell::Ring& ring);
  void handle_interrupt(std::size_t smmu, Wire wire);
  void drain_events(std::size_t smmu);
  Task<> boot();
  Task<> drive(Device& device);

  PlatformConfig config_;
  PlayPlan plan_{};  // of no trace
  std::unique_ptr<Platform> platform_;
  std::unique_ptr<Scope> scope_;
  std::unique_ptr<MachineSetup> setup_;
  std::vector<std::unique_ptr<platform::InterruptController>> interrupt_controllers_;
  std::vector<Device> devices_;
  StartNode start_node_{};
  DriverStatus boot_status_ = DriverStatus::ok;
  Time load_start_ = 0, end_time_ = 0;
  std::uint64_t events_read_ = 0;
};

}  // namespace smmusim
