// SPDX-License-Identifier: MIT
// MachineSetup: the driver's side of a Platform: for each SMMU a stream table and a guest driver, for each address
// space of the trace a page table (of stage 2 where the driver uses stage 2 alone), for each stream its CD and STE, and
// for nested streams a stage 2 that maps the guest's addresses to themselves. Builds tables and nothing else; enabling
// the SMMUs takes simulated time and is a Task of the simulation.
#pragma once

#include <memory>
#include <vector>

#include "platform/config/platform_config.h"
#include "platform/driver/guest_driver.h"
#include "platform/driver/page_allocator.h"
#include "platform/driver/table_builder.h"
#include "platform/player/play_plan.h"
#include "platform/player/player.h"
#include "platform/system/platform.h"

namespace smmusim {

/// Where the driver builds tables and queues. Throws InputError naming driver.tables_base if there is no such memory.
ReservedMemory driver_region(const PlatformConfig& config);
/// Throws trace::TraceError naming driver.tables_base if the plan's devices would touch driver_region().
void require_apart(const PlatformConfig& config, const PlayPlan& plan);

/// `config` with its endpoints: those it has, or one for each stream of the plan. Throws InputError naming the record
/// for a stream of the plan that has no endpoint, or that no SMMU can have.
PlatformConfig with_endpoints(const PlatformConfig& config, const PlayPlan& plan);

class MachineSetup {
 public:
  /// Throws InputError for a configuration that a driver can't use, AllocationError.
  MachineSetup(Platform& platform, const PlatformConfig& config, const PlayPlan& plan);

  GuestDriver& driver(std::size_t smmu) { return *drivers_[smmu]; }
  StreamTable& streams(std::size_t smmu) { return stream_tables_[smmu]; }
  std::vector<GuestDriver*> drivers();
  /// What is left of the driver's memory.
  PageAllocator& pages() { return pages_; }
  /// The stage 2 below the nested streams of this SMMU; nullptr if the driver's stages are not nested.
  const PageTable* stage2(std::size_t smmu) const {
    return stage2_tables_.empty() ? nullptr : stage2_tables_[smmu].get();
  }
  const std::vector<PlayedSpace>& spaces() const { return spaces_; }
  /// In the order of the endpoints.
  const std::vector<PlayedStream>& played_streams() const { return played_streams_; }

 private:
  void build_driver(Platform& platform, const PlatformConfig& config, std::size_t smmu);
  void build_stage2(Platform& platform, const PlatformConfig& config, const PlayPlan& plan);
  void build_stream(Platform& platform, const PlatformConfig& config, std::size_t endpoint,
                    const PlannedStream& planned);
  ContextTable build_contexts(Platform& platform, const PlatformConfig& config, const EndpointConfig& device,
                              const PlayedStream& stream);
  std::size_t space_of(Platform& platform, const PlatformConfig& config, const EndpointConfig& device,
                       std::uint16_t asid);

  PageAllocator pages_;
  std::vector<StreamTable> stream_tables_;
  std::vector<std::unique_ptr<GuestDriver>> drivers_;
  std::vector<std::unique_ptr<PageTable>> tables_;
  std::vector<std::unique_ptr<PageTable>> stage2_tables_;  // nested: one for each SMMU
  std::vector<PlayedSpace> spaces_;
  std::vector<PlayedStream> played_streams_;
};

}  // namespace smmusim
