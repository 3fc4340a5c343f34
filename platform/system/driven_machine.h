// SPDX-License-Identifier: MIT
// DrivenMachine: a platform whose devices are used by simulated drivers, without a trace: SMMUs and functions are
// brought up as an operating system does, interrupts of the SMMUs are served. What the devices' drivers then do is a
// derived class's. It owns everything and prints nothing.
#pragma once

#include <memory>
#include <vector>

#include "model/sim/scope.h"
#include "platform/config/platform_config.h"
#include "platform/driver/dma_mapper.h"
#include "platform/player/play_plan.h"
#include "platform/system/interrupt_controller.h"
#include "platform/system/machine_setup.h"
#include "platform/system/platform.h"

namespace smmusim {

/// Some endpoint is such a device, or the one that `config` describes for all is.
bool has_device(const PlatformConfig& config, DeviceModel model);
/// `config` with at least one endpoint: without any, the template's, called `name`.
PlatformConfig with_device(const PlatformConfig& config, const char* name);

class DrivenMachine {
 public:
  virtual ~DrivenMachine();
  DrivenMachine(const DrivenMachine&) = delete;
  DrivenMachine& operator=(const DrivenMachine&) = delete;

  const PlatformConfig& config() const { return config_; }
  Platform& platform() { return *platform_; }
  MachineSetup& setup() { return *setup_; }
  Time simulated_time() const { return end_time_; }
  std::uint64_t events_read() const { return events_read_; }
  Scope& scope() { return *scope_; }

 protected:
  /// `config` has its endpoints. Throws InputError, AllocationError, std::invalid_argument.
  explicit DrivenMachine(const PlatformConfig& config);
  /// SMMUs and functions are up. On the wheel.
  virtual void booted() = 0;
  /// From enabling the SMMUs until nothing is left to happen. Throws InputError if a driver can't use its SMMU.
  void run_machine();
  /// The end of the run: what is left of events is read. Throws InternalError if sums do not come out.
  void close();
  /// Nothing refers to the frames of tasks any more, then they go. For the destructor of the derived class: an error
  /// can leave tasks waiting.
  void cancel();
  /// For the stream of endpoint `index`.
  std::unique_ptr<DmaMapper> make_mapper(std::size_t index);
  /// A driver has ended.
  void note_end() { end_time_ = platform_->engine().now(); }

 private:
  struct StartNode : EventNode {
    DrivenMachine* machine = nullptr;
  };

  void handle_interrupt(std::size_t smmu, Wire wire);
  void drain_events(std::size_t smmu);
  Task<> boot();

  PlatformConfig config_;
  PlayPlan plan_{};  // of no trace
  std::unique_ptr<Platform> platform_;
  std::unique_ptr<Scope> scope_;
  std::unique_ptr<MachineSetup> setup_;
  std::vector<std::unique_ptr<platform::InterruptController>> interrupt_controllers_;
  StartNode start_node_{};
  DriverStatus boot_status_ = DriverStatus::ok;
  Time end_time_ = 0;
  std::uint64_t events_read_ = 0;
};

}  // namespace smmusim
