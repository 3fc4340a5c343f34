// SPDX-License-Identifier: MIT
// Vsmmu: one accelerated SMMU: what the guest says to its emulated SMMU about passthrough devices is done by the host's
// (IHI 0070 section 4.3 on emulation). It is the Accelerator of a Smmu and a client of iommufd:
//
//   SMMUEN = 0            every device is attached to the abort or the bypass HWPT, as GBPA.ABORT says; GBPA changes
//                         nothing while SMMUEN is 1
//   CFGI_STE, SMMUEN 0->1 the STE decides: abort, bypass, or an HWPT of its own, attached before the old one goes. An
//   STE
//                         that is as before is not attached again; its CDs are invalidated, as CFGI_STE demands
//   STE that can't be     (C_BAD_STREAMID, F_STE_FETCH, C_BAD_STE, refused by the host, CD beyond the guest's memory)
//                         the trap HWPT: its CD is a page of zeroes, so that each access of the device ends in an event
//                         that the host does report, which is turned into the one that the guest is to see
//   invalidations         collected, cut down to what the host takes, sent in order at CMD_SYNC or when a call is full;
//                         those for StreamIDs that are no device of this SMMU concern nobody and are dropped
//   host events           read when they come, into the guest's Event queue; what the host lost shows as overflow
//
// Failures of the host. An STE that can't be attached leaves its device aborting, never in its old ways; the command
// that asked for it gets CERROR_ILL, and the next CMD_SYNC tries again (after SMMUEN changed, where there is no
// command, that CMD_SYNC gets CERROR_ILL if it is still so). Invalidations that a failed call did not do stay for the
// next CMD_SYNC; the present one gets CERROR_ILL.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/sim/resources.h"
#include "model/sim/scope.h"
#include "model/sim/task.h"
#include "model/smmu/accelerator.h"
#include "model/smmu/smmu.h"
#include "platform/nested/guest_space.h"
#include "platform/nested/host_report.h"
#include "platform/nested/invalidation_batch.h"

namespace smmusim::nested {

struct VsmmuConfig {
  unsigned batch_max = 256;  ///< invalidations in one call
  std::uint32_t veventq_depth = 256;
};

struct VeventCounters {
  std::uint64_t records = 0;      ///< events that came
  std::uint64_t delivered = 0;    ///< of these, given to the guest's SMMU
  std::uint64_t synthesised = 0;  ///< of these, turned from the trap's event into the guest's
  std::uint64_t foreign = 0;      ///< of a StreamID that is no device's, or while SMMUEN is 0: dropped
  std::uint64_t gaps = 0;         ///< jumps of the sequence
  std::uint64_t lost = 0;         ///< events that are missing in them
  std::uint64_t overflows = 0;    ///< the host said that it lost some
  std::uint64_t bad_reads = 0;    ///< what the host gave was no record, or an error
};

struct VsmmuCounters {
  std::uint64_t hwpts = 0;             ///< nested HWPTs allocated for STEs
  std::uint64_t attaches = 0;          ///< that succeeded, of any kind
  std::uint64_t unchanged = 0;         ///< STEs that were attached already
  std::uint64_t refused_stes = 0;      ///< by the host, which become C_BAD_STE
  std::uint64_t traps = 0;             ///< attaches of the trap
  std::uint64_t untrapped = 0;         ///< streams that fault and abort silently, for want of a trap
  std::uint64_t attach_failures = 0;   ///< allocations or attaches that failed
  std::uint64_t retries = 0;           ///< that a CMD_SYNC made good
  std::uint64_t foreign_commands = 0;  ///< invalidations for no device of this SMMU
  VeventCounters vevents{};
};

/// A device that is bound to the guest's iommufd, before or while it is behind a Vsmmu.
struct BoundDevice {
  host::VfioDevicePtr device;
  host::HwInfo info{};
  HostReport report{};  ///< with the aperture that the nesting parent left
};

class Vsmmu final : public Accelerator {
 public:
  Vsmmu(Engine& engine, GuestSpace& space, const VsmmuConfig& config);
  /// Lets the guest's SMMU go and unplugs what is there.
  ~Vsmmu() override;

  /// Opens and binds a device, and asks what it is: the first of them makes the nesting parent. A host that is no
  /// SMMUv3, or can't nest, is an error.
  host::Result<BoundDevice> bind(const std::string& path);

  /// From now on this SMMU's guest is told about. Devices may come before and after.
  void serve(Smmu& guest);

  /// Puts a bound device behind this SMMU as StreamID `stream`, which no other has: vIOMMU and its HWPTs with the first
  /// one, vDEVICE, and the HWPT that the registers now want. An error leaves nothing behind.
  host::Status plug(const BoundDevice& device, StreamId stream, bool shows_ats);
  /// The device goes, at any time; DMA of it is blocked first. False: there is none.
  bool unplug(StreamId stream);

  /// The last failure of an allocation or an attach, for messages.
  const host::HostError& last_error() const { return last_error_; }

  /// Takes what the host has in its event queue. Called by CMD_SYNC and when the host has news; harmless at any time.
  void drain_events();

  std::span<const StreamId> streams() const override { return streams_; }
  bool configure(StreamId stream, const StreamSetting& setting, bool by_command) override;
  void disable(bool abort) override;
  spec::CommandError forward(const spec::Command& command) override;
  spec::CommandError synchronise() override;
  bool settled() const override;

  /// What devices are behind on the host; null before the first and after the last.
  const host::ViommuPtr& viommu() const { return viommu_; }
  const VsmmuCounters& counters() const { return counters_; }
  const BatchCounters& batches() const { return batch_.counters(); }
  /// Devices whose wish could not be fulfilled yet.
  std::size_t unsettled_devices() const;
  Scope& scope() { return lifetime_; }

 private:
  enum class Attached : std::uint8_t { nothing, abort, bypass, stage1, trap };
  struct Device {
    StreamId stream{};
    BoundDevice bound{};
    host::VdevicePtr vdevice{};
    host::HwptPtr nested{};  ///< of Attached::stage1
    host::SteWords words{};  ///< of `nested`
    StreamSetting wanted{};
    StreamSetting trapped{};  ///< of Attached::trap: what the guest is to see of each access
    Attached attached = Attached::nothing;
    bool shows_ats = false;
    bool disabled = true;      ///< SMMUEN is 0
    bool unfulfilled = false;  ///< `wanted` could not be done
    bool unreported = false;   ///< and the guest does not know it
  };

  host::Status make_viommu(Device& device);
  void drop_viommu();
  Device* find(StreamId stream);
  bool set(Device& device, const StreamSetting& setting, bool by_command);
  bool fulfil(Device& device);
  bool attach_shared(Device& device, Attached kind);
  bool attach_stage1(Device& device);
  bool attach_trap(Device& device, const StreamSetting& shown);
  bool attach(Device& device, const host::HwptPtr& hwpt, Attached kind);
  void block(Device& device);
  bool make_trap(Device& device);
  bool reaches_cd(const host::SteWords& words) const;
  bool note(const host::HostError& error);

  /// While one lives, the host is being called, and what it is given to do counts as unsettled.
  struct Calling;

  Task<> serve_events();
  void take(const host::Vevent& record);
  void note_sequence(std::uint32_t sequence);
  spec::Event as_guest_sees(const Device& device, const spec::Event& event) const;

  GuestSpace& space_;
  VsmmuConfig config_;
  Smmu* guest_ = nullptr;
  InvalidationBatch batch_;
  VsmmuCounters counters_{};

  host::HwptPtr parent_;
  host::ViommuPtr viommu_;
  host::HwptPtr abort_, bypass_, trap_;
  host::VeventqPtr veventq_;
  std::vector<Device> devices_;    // in the order of their StreamIDs
  std::vector<StreamId> streams_;  // the same
  host::HostError last_error_{};

  std::optional<std::uint32_t> last_sequence_;
  std::uint64_t listener_ = 0;
  std::uint64_t work_ = 0;  // what the host was given to do by our calls
  unsigned calling_ = 0;
  Scope lifetime_;
  Gate news_;
};

}  // namespace smmusim::nested
