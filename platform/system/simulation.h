// SPDX-License-Identifier: MIT
// Simulation: one trace through one platform, from enabling the SMMUs to the last record. It owns everything and
// leaves the numbers for statistics.h; it prints nothing and writes no file.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "platform/config/platform_config.h"
#include "platform/driver/page_requests.h"
#include "platform/nested/nested_machine.h"
#include "platform/player/player.h"
#include "platform/system/access_statistics.h"
#include "platform/system/interrupt_controller.h"
#include "platform/system/machine_setup.h"
#include "platform/system/platform.h"
#include "platform/trace/reader.h"

namespace smmusim {

struct StreamStatistics {
  std::uint64_t transactions = 0;
  std::uint64_t bytes = 0;
  std::uint64_t faults = 0;
  LatencySummary latency{};
};

struct SimulationOptions {
  bool ioctl_log = false;  ///< keep a line for each call to the host
};

class Simulation : public AccessPort {
 public:
  /// Reads the trace once to learn its streams. Throws trace::TraceError, InputError.
  explicit Simulation(const PlatformConfig& config, SimulationOptions options = {});
  ~Simulation() override;

  /// Plays the trace to its end. Throws as the constructor, and InternalError if something never finishes.
  void run();
  /// Called about every hundredth of the trace, with the records done and their total.
  std::function<void(std::uint64_t, std::uint64_t)> on_progress;

  /// Complete: with the endpoints that were made from the trace.
  const PlatformConfig& config() const { return config_; }
  const PlayPlan& plan() const { return plan_; }
  Platform& platform() { return *platform_; }
  MachineSetup& setup() { return *setup_; }
  const Player& player() const { return *player_; }

  /// Picoseconds from the start of the simulation to the end of the last record, and of that the playing alone.
  Time simulated_time() const { return end_time_; }
  Time playing_time() const { return end_time_ - play_time_; }
  const AccessStatistics& accesses() const { return accesses_; }
  /// In the order of config().endpoints.
  const std::vector<StreamStatistics>& streams() const { return stream_statistics_; }
  /// DMA accesses that reached memory.
  std::uint64_t dma_reads() const { return dma_reads_; }
  std::uint64_t dma_writes() const { return dma_writes_; }
  std::uint64_t interrupts() const { return interrupts_; }
  std::uint64_t events_read() const { return events_read_; }
  std::uint64_t event_overflows() const { return event_overflows_; }
  /// Of all SMMUs together.
  PageRequestCounters page_requests() const;

  /// Null without a host.
  nested::NestedMachine* nested() { return nested_.get(); }
  /// What was asked of the host so far, if the options wanted it.
  const std::string& ioctl_log() const { return ioctl_log_; }

  Scope& scope() { return *scope_; }

  // For the player.
  bool can_start(std::size_t stream) override;
  void start(PlayedAccess& access) override;

 private:
  struct StartNode : EventNode {
    Simulation* simulation = nullptr;
  };

  void serve_nested(SimulationOptions options);
  void map_doorbells();
  PlayerConfig player_config() const;
  void give_back(const platform::DmaCompletion& completion);
  void count(const PlayedAccess& access);
  void drain_events(std::size_t smmu);
  void handle_interrupt(std::size_t smmu, Wire wire);
  PageAnswer answer_page(std::size_t smmu, const spec::PriEntry& entry);
  void stop_pasids();
  std::string imbalance() const;
  Task<> boot();
  static void begin(EventNode& node);

  PlatformConfig config_;
  PlayPlan plan_;
  std::unique_ptr<Platform> platform_;
  std::unique_ptr<Scope> scope_;
  std::unique_ptr<MachineSetup> setup_;
  std::map<std::uint64_t, std::uint64_t> doorbells_;  // with a host: pages of doorbells, and the IPA of each
  std::string ioctl_log_;
  std::unique_ptr<nested::NestedMachine> nested_;
  std::vector<std::unique_ptr<platform::InterruptController>> interrupt_controllers_;
  std::unique_ptr<trace::Reader> reader_;
  std::unique_ptr<Player> player_;
  std::vector<std::unique_ptr<PageRequests>> page_requests_;  // by SMMU
  StartNode start_node_{};
  platform::PcieFunction::Handler handler_;
  std::vector<unsigned> in_flight_;  // by endpoint
  std::vector<StreamStatistics> stream_statistics_;
  AccessStatistics accesses_;
  DriverStatus boot_status_ = DriverStatus::ok;
  Time play_time_ = 0;
  Time end_time_ = 0;
  std::uint64_t next_progress_ = 0;
  std::uint64_t dma_reads_ = 0;
  std::uint64_t dma_writes_ = 0;
  std::uint64_t interrupts_ = 0;
  std::uint64_t events_read_ = 0;
  std::uint64_t event_overflows_ = 0;
};

}  // namespace smmusim
