// SPDX-License-Identifier: MIT
// PhysicalSmmu: one Smmu of the simulated host with the part of a Linux driver that nesting needs: stream table, STE
// updates in the order that keeps a live stream going, stage-2 tables with their VMIDs, commands up to a CMD_SYNC,
// events. It knows nothing of iommufd. Private to platform/host.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "model/smmu/smmu.h"
#include "platform/driver/guest_driver.h"
#include "platform/driver/table_builder.h"
#include "platform/host/simulated_host.h"

namespace smmusim::host {

class PhysicalSmmu {
 public:
  /// Throws std::invalid_argument, AllocationError.
  PhysicalSmmu(Engine& engine, SparseMemory& memory, MemoryPort& port, PageAllocator& pages, const SmmuConfig& smmu,
               const SimulatedHostConfig& host, Observer* observer);

  Smmu& smmu() { return smmu_; }
  Scope& scope() { return driver_.scope(); }
  std::uint32_t id_register(std::uint32_t offset) { return static_cast<std::uint32_t>(smmu_.read_register(offset, 4)); }
  const spec::Features& features() const { return smmu_.config().features; }
  /// FEAT_NESTING: both stages.
  bool nesting() const { return features().s1p && features().s2p; }
  bool range_invalidation() const { return features().ril; }

  /// Of the stage-2 tables that this driver makes: its granule is the kernel's page size where the SMMU has it. Input
  /// and output have as many bits as IDR5.OAS, but 48 at most unless the granule is 64 KiB, as Linux.
  const Geometry& stage2_geometry() const { return geometry_; }
  std::uint64_t aperture_last() const { return low_mask(geometry_.input_bits); }
  /// A new, empty stage-2 table. Throws AllocationError.
  std::unique_ptr<PageTable> make_stage2();
  /// A VMID that no other domain has; empty: all are taken.
  std::optional<Vmid> take_vmid();
  void return_vmid(Vmid vmid) { vmids_[vmid.value] = false; }

  /// Makes room in the stream table, where it aborts. Throws AllocationError, std::invalid_argument.
  void add_stream(StreamId stream) { streams_.write(stream, make_abort_ste()); }
  /// Resets and enables the SMMU; all streams abort.
  Task<DriverStatus> enable();
  /// Writes the STE step by step, so that the SMMU never sees a mixture that is neither the old nor the new one: in
  /// place if only one doubleword that the SMMU uses changes, else by way of V=0. CFGI_STE and CMD_SYNC after each
  /// step.
  Task<DriverStatus> update_ste(StreamId stream, spec::Ste ste);
  /// Issues the commands and a CMD_SYNC; they stay in place until the end.
  Task<DriverStatus> execute(std::span<const spec::Command> commands);
  void read_events(DrainedEvents& drained);
  std::uint64_t commands_issued() const { return driver_.commands_issued(); }

 private:
  Task<DriverStatus> write_words(StreamId stream, spec::Ste ste, unsigned words);

  Smmu smmu_;
  SparseMemory& memory_;
  PageAllocator& pages_;
  Geometry geometry_;
  StreamTable streams_;
  GuestDriver driver_;
  std::vector<bool> vmids_;  // taken
};

}  // namespace smmusim::host
