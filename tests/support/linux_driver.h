// SPDX-License-Identifier: MIT
// LinuxDriver: what the Linux arm-smmu-v3 driver does to an SMMU and expects of it, in the order that
// shared/reference/linux-driver.md states: probe, reset, commands, completion, events, errors. Written from those
// facts; register offsets and raw words only, never the model's codecs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/smmu_bench.h"

namespace smmusim::linux_driver {

/// What the driver learns from the ID registers.
struct Probed {
  std::string refusal;  ///< why the driver gives up; empty if it does not
  bool two_level_table = false, two_level_cd = false, stalls = false, stall_force = false;
  bool pri = false, ats = false, sev = false, msi = false, hyp = false, s1 = false, s2 = false;
  bool attr_types_ovr = false, ril = false, s2fwb = false, bbml2 = false, vax52 = false, hd = false, ha = false;
  unsigned asid_bits = 8, vmid_bits = 8, sid_bits = 0, ssid_bits = 0;
  unsigned cmdq_log2 = 0, evtq_log2 = 0, oas = 0, max_stalls = 0;
  std::uint64_t page_sizes = 0;  ///< a bit for each mapping size
};

/// The commands that invalidate [iova, iova + size) by ranges. `tg`: log2 of the domain's smallest page; `granule`:
/// log2 of the mapping size that was unmapped; `base`: opcode, VMID and ASID.
std::vector<raw::Command> range_commands(const raw::Command& base, std::uint64_t iova, std::uint64_t size, unsigned tg,
                                         unsigned granule, bool leaf);
/// The same without IDR3.RIL: one command for each granule.
std::vector<raw::Command> page_commands(const raw::Command& base, std::uint64_t iova, std::uint64_t size,
                                        unsigned granule, bool leaf);

class LinuxDriver {
 public:
  static constexpr std::uint64_t l1_table = 0x4400'0000, l2_tables = 0x4500'0000;
  static constexpr std::uint64_t cmdq = 0x4600'0000, evtq = 0x4700'0000;

  explicit LinuxDriver(SmmuBench& machine) : bench(machine) {}

  Probed probe();
  /// From whatever state the SMMU is in to SMMUEN=1. False after a time-out, which names itself in `log`.
  bool reset(const Probed& probed);
  /// The first part of reset(): nothing that the last owner left running reaches memory any more.
  bool take_over();
  bool shutdown() { return enable_sync(off::CR0, off::CR0ACK, 0); }
  /// IRQ_CFG registers of the two queues. Part of reset() if `doorbell` is not 0.
  void set_msis(std::uint64_t evtq_doorbell, std::uint32_t evtq_data, std::uint64_t gerror_doorbell,
                std::uint32_t gerror_data);

  // Stream table.
  /// Makes sure that the STE of `sid` exists; new ones abort.
  std::uint64_t ste_address(std::uint32_t sid);

  // Commands.
  /// Stores a batch and one CMD_SYNC, then writes PROD once. False after a time-out.
  bool issue(const std::vector<raw::Command>& batch);
  void store(const raw::Command& command);
  void ring() { bench.w32(off::CMDQ_PROD, prod); }
  std::uint64_t slot(std::uint32_t index) const { return cmdq + 16ull * (index & ((1u << cmdq_log2) - 1)); }
  raw::Command sync_by_msi() const;
  static raw::Command sync_by_sev();

  // Interrupt handlers.
  /// Reads all records; notes an overflow in `log`.
  std::vector<raw::Record> event_thread();
  void gerror_handler();

  SmmuBench& bench;
  bool poll_by_msi = false;
  unsigned cmdq_log2 = 0, evtq_log2 = 0;
  std::uint32_t prod = 0, evtq_cons = 0;
  std::vector<std::string> log;  ///< what the driver would print

 private:
  bool poll(const char* what, std::uint32_t offset, std::uint32_t mask, std::uint32_t value);
  bool enable_sync(std::uint32_t offset, std::uint32_t ack, std::uint32_t value);
  void set_gbpa_abort();
  void skip_command_error();

  bool two_level_ = false;
  unsigned sid_bits_ = 0;
  std::uint64_t msis_[2] = {};
  std::uint32_t msi_data_[2] = {};
};

}  // namespace smmusim::linux_driver
