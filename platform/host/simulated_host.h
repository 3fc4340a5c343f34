// SPDX-License-Identifier: MIT
// SimulatedHost: a Linux with iommufd, VFIO and one or more physical SMMUs, without hardware. It takes the raw
// structures of abi.h and answers with the kernel's rules (KernelProfile), errnos included. Under it are Smmus of our
// own; its driver writes their stream tables and stage-2 tables and sends their commands, and DMA of passthrough
// devices is translated by them (physical_smmu()).
//
// Addresses. Guest and host share one SparseMemory. `user_va`s of IOAS_MAP are addresses of the VMM's process;
// `windows` says which of them is what physical memory. A window with user_va == physical, the default of user_va(),
// maps a guest that lives at its own physical addresses; other windows move it.
//
// Time. Calls answer at once. With timed SMMUs, what a call causes is done by one worker in the order of the calls:
// first the call's own cost (HostTiming), then its STE updates and commands, each batch up to its CMD_SYNC. Untimed, it
// is all done when the call returns.
//
// Left out: IOAS_ALLOW_IOVAS, IOAS_COPY, OPTION, VFIO_IOAS, dirty tracking, CHANGE_PROCESS, MAP_FILE, HW_QUEUE, all of
// them EOPNOTSUPP where the kernel has them; Linux 7.4's check of each command's reserved bits. Every HWPT over an IOAS
// is stage 2; S2FWB is never used, so the guest's memory types stay what its stage 1 says; PASIDs are attached in the
// books only.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/base/types.h"
#include "model/sim/engine.h"
#include "model/smmu/config.h"
#include "platform/host/abi.h"
#include "platform/host/host_system.h"
#include "platform/host/kernel_profile.h"
#include "platform/memory/sparse_memory.h"

namespace smmusim {
class MemoryPort;
class Observer;
class Smmu;
}  // namespace smmusim

namespace smmusim::host {

/// What the host's software takes, in picoseconds of simulated time; only of timed SMMUs.
struct HostTiming {
  Time ioctl = 1'500'000;          ///< any call: entry, look-up of the objects, exit
  Time invalidate_entry = 20'000;  ///< HWPT_INVALIDATE: to copy and rewrite one command
  Time map_page = 50'000;          ///< IOAS_MAP and IOAS_UNMAP: for each host page, pinning included
  Time attach = 5'000'000;         ///< attach and detach, besides the STE's update
  Time object = 3'000'000;         ///< to allocate or destroy an object
  Time event = 4'000'000;          ///< interrupt and thread of the event queue, until a vEVENT can be read
  Time command_poll = 100'000;     ///< between two looks at CMDQ_CONS
};

/// A physical function that is bound to vfio-pci.
struct HostDevice {
  std::string name = "vfio0";  ///< of /dev/vfio/devices
  std::string bdf = "0000:01:00.0";
  unsigned smmu = 0;  ///< index of the SMMU it is behind
  StreamId stream{};  ///< physical
  bool ats_capability = false;
  bool firmware_forbids_ats = false;  ///< IORT's or the device tree's word for its root complex
  bool requires_ats = false;          ///< as CXL.cache devices (KernelProfile::ats_always_on)
  unsigned pasid_bits = 0;            ///< of its capability; 0: none
  bool pasid_exec = false;
  bool pasid_priv = false;
  bool coherent = true;      ///< else BIND is EINVAL
  bool isolated_msi = true;  ///< else BIND is EPERM
  bool canwbs = true;        ///< IORT: its accesses are coherent whatever their attributes
  bool stalls = false;       ///< a platform device whose faults may stall; fault queues are for these
};

/// [user_va, user_va + bytes) of the VMM's process is [physical, physical + bytes).
struct UserWindow {
  std::uint64_t user_va = 0;
  Pa physical{};
  std::uint64_t bytes = 0;
};

struct SimulatedHostConfig {
  std::string kernel = "7.1";       ///< a name of kernel_profiles()
  unsigned page_bits = 12;          ///< of the kernel's page size: 12, 14 or 16
  bool permitted = true;            ///< else opening anything is EACCES
  std::vector<SmmuConfig> smmus{};  ///< at least one; all timed or none
  std::vector<HostDevice> devices{};
  std::vector<UserWindow> windows{};  ///< guest memory
  Pa tables_base{};                   ///< the host driver's own memory: stream tables, stage 2, queues
  std::uint64_t tables_bytes = 64u << 20;
  std::vector<abi::IovaRange> reserved{};  ///< besides the MSI window: PCI windows
  HostTiming timing{};
  bool two_level_stream_table = true;
  unsigned queue_log2 = 8;  ///< entries of command and event queues
};

struct SimulatedHostCounters {
  std::uint64_t ste_updates = 0;      ///< attaches that changed an STE
  std::uint64_t batches = 0;          ///< of HWPT_INVALIDATE: commands up to a CMD_SYNC
  std::uint64_t invalidations = 0;    ///< commands in them
  std::uint64_t commands = 0;         ///< all that the drivers put into command queues, CMD_SYNCs included
  std::uint64_t events = 0;           ///< records of the physical event queues
  std::uint64_t vevents = 0;          ///< of these, put into a vEVENTQ
  std::uint64_t vevents_lost = 0;     ///< of these, too many for its depth
  std::uint64_t events_kept = 0;      ///< events that no vEVENTQ gets: the host prints them
  std::uint64_t driver_failures = 0;  ///< commands that failed or timed out
};

class SimulatedHost final : public HostSystem {
 public:
  /// `port` is the SMMUs' way to memory; it must answer at once if they are untimed. `observers` may be empty, or has
  /// one (perhaps null) for each SMMU. Throws std::invalid_argument for what cannot be, AllocationError.
  SimulatedHost(Engine& engine, SparseMemory& memory, MemoryPort& port, const SimulatedHostConfig& config,
                const std::vector<Observer*>& observers = {});
  ~SimulatedHost() override;

  SysResult open(const std::string& path) override;
  SysResult close(int fd) override;
  SysResult ioctl(int fd, std::uint32_t request, void* argument) override;
  SysResult read(int fd, void* data, std::size_t bytes) override;
  SysResult write(int fd, const void* data, std::size_t bytes) override;
  SysResult poll(int fd) override;
  SysResult mmap(int fd, std::uint64_t offset, std::uint64_t bytes) override;
  SysResult munmap(std::uint64_t address, std::uint64_t bytes) override;
  SysResult list(const std::string& path, std::vector<std::string>& names) override;
  SysResult read_link(const std::string& path, std::string& target) override;
  /// By the windows; outside all of them an address that IOAS_MAP refuses.
  std::uint64_t user_va(const void* host, std::uint64_t physical) const override;
  CallTime call_time(std::uint32_t request) const override;
  std::uint64_t work_issued() const override;
  std::uint64_t work_done() const override;
  std::uint64_t add_listener(std::function<void()> listener) override;
  void remove_listener(std::uint64_t number) override;

  /// Where the DMA of devices goes: submit() or translate() with the device's physical StreamID.
  Smmu& physical_smmu(std::size_t index = 0);
  std::size_t physical_smmus() const;
  const KernelProfile& profile() const;
  SimulatedHostCounters counters() const;

  /// To be called when a physical SMMU has pulsed an interrupt (Smmu::waiting_interrupts); read() and poll() do it too.
  /// Takes the records of the event queues and hands out what is for vEVENTQs.
  void service_interrupts();

  /// The kernel's part of VFIO_DEVICE_SET_IRQS: maps the ITS doorbell's page into the stage 2 below the device, at the
  /// start of the MSI window or where this doorbell already is, and gives the address that the device's MSIs must have.
  /// Empty: the device is not attached, or the window is full.
  std::optional<std::uint64_t> map_msi_doorbell(std::size_t device, Pa doorbell);

  /// The ATS Control.Enable of the device, which only the kernel writes: with the EATS of what is attached.
  bool ats_enabled(std::size_t device) const;
  /// Called when it changes, before the commands that go with it.
  void on_ats_enable(std::function<void(std::size_t device, bool enabled)> receiver);

  /// How many objects of iommufd there are, all descriptors together; bound devices count as one each.
  std::size_t objects() const;

  /// Makes the `nth` (from 1) call of `request` from now on fail with `error`, before it does anything.
  void inject_error(std::uint32_t request, std::uint64_t nth, int error);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace smmusim::host
