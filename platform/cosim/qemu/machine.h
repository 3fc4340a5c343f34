// SPDX-License-Identifier: MIT
// Machine: the SMMU's place in QEMU's machine: register frame, wires, MSIs, and an address space for each PCI function.
// There is one; QEMU's callbacks find it by instance().
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "platform/config/platform_config.h"
#include "platform/cosim/device/cosim_smmu.h"
#include "platform/cosim/device/options.h"
#include "platform/cosim/qemu/ram.h"
#include "platform/cosim/qemu/symbols.h"

namespace smmusim::cosim::qemu {

/// What `-device` takes.
inline constexpr const char* device_type = "smmusim-smmu";

/// DeviceID of the SMMU's own MSIs at the ITS, which has 16 bits of them here: a RID on a bus that no machine reaches.
inline constexpr std::uint16_t own_requester_id = 0xff00;

class Machine {
 public:
  /// Loads the configuration and registers with QEMU. Call once, before QEMU makes its machine. Throws InputError,
  /// MissingSymbols.
  static void create(const Options& options);
  /// The same, before QEMU's main(): only QEMU 7.2 has its types ready then. Throws MissingSymbols for others.
  static void create_preloaded(const Options& options);
  static Machine& instance();

  /// `-device smmusim-smmu`: PCI functions made from now on are ours.
  void take_pci_bus();
  /// QEMU's machine is complete: frame and wires.
  void complete();
  void write_statistics();

  /// The IOMMU memory region of a PCI function, and its address space.
  struct FunctionSpace {
    alignas(16) std::array<std::byte, region_bytes> region{};  // first: QEMU hands us its address
    alignas(16) std::array<std::byte, address_space_bytes> space{};
    PciBus* bus = nullptr;
    int devfn = 0;
    std::string name;
    int notifications = 0;  ///< that its device has asked for
  };
  AddressSpace* space_of(PciBus* bus, int devfn);
  TlbEntry translate(FunctionSpace& function, std::uint64_t address, int access);
  /// 0, or a negative errno with `error` set.
  int change_notifications(FunctionSpace& function, int wanted, Error** error);

  std::uint64_t read(std::uint64_t offset, unsigned size);
  void write(std::uint64_t offset, std::uint64_t value, unsigned size);
  /// From the main loop: what translations have left to do.
  void deliver_later_ones();
  void reset();

 private:
  Machine(const Options& options, const Symbols& qemu);
  /// Needs the big lock, and not ours.
  void deliver(const Consequences& consequences);
  void leave_to_main_loop(Consequences&& consequences);

  const Symbols& qemu_;
  Options options_;
  PlatformConfig config_;
  Ram ram_;
  std::unique_ptr<CosimSmmu> smmu_;
  alignas(16) std::array<std::byte, region_bytes> frame_{};
  std::array<Irq*, wires> wires_{};
  bool pci_taken_ = false;
  void* bottom_half_ = nullptr;
  std::map<std::pair<PciBus*, int>, std::unique_ptr<FunctionSpace>> functions_;
  std::mutex later_mutex_;
  std::vector<Consequences> later_;
};

}  // namespace smmusim::cosim::qemu
