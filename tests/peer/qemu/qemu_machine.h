// SPDX-License-Identifier: MIT
// QemuMachine: cases run by QEMU. One process serves many cases; between two of
// them the SMMU is disabled, its caches invalidated by commands and its queues
// set back. A process is started anew after it died, or on restart().
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "model/spec/features.h"
#include "tests/peer/qemu/case.h"
#include "tests/peer/qemu/qtest.h"
#include "tests/peer/qemu/ram.h"

namespace smmusim::peer {

struct QemuOptions {
  std::vector<std::string> launcher;  ///< what runs qemu-system-aarch64: program
                                      ///< and leading arguments
  std::string log;                    ///< file for QEMU's messages
};

class QemuMachine {
 public:
  /// The process starts with the first use. `ram` is the memory it shares.
  QemuMachine(const QemuOptions& options, Stages stages, Ram& ram);

  /// The ID registers as the guest reads them. Throws QemuDied.
  spec::IdRegisters id_registers();
  /// Runs a case whose words are in the RAM already. Never throws QemuDied but
  /// if QEMU can't be started at all.
  Observation run(const Case& one);
  void restart() { qtest_.reset(); }
  unsigned starts() const { return starts_; }

 private:
  void start();
  void require_process();
  void set_up_devices();
  void set_up_smmu(const Case& one);
  void access(const Case& one, Observation& seen);
  void write_access(const Case& one, Observation& seen);
  void read_access(const Case& one, Observation& seen);
  void edu_transfer(std::uint64_t bar, std::uint64_t from, std::uint64_t to, std::uint32_t bytes, bool to_memory);
  void collect(Observation& seen);
  void smmu32(std::uint32_t offset, std::uint32_t value) { qtest_->write32(smmu_base + offset, value); }

  QemuOptions options_;
  Stages stages_;
  Ram& ram_;
  std::unique_ptr<Qtest> qtest_;
  bool two_level_used_ = false;
  unsigned starts_ = 0;
};

/// The BAR of the device with this StreamID.
std::uint64_t bar_of(std::uint32_t sid);

}  // namespace smmusim::peer
