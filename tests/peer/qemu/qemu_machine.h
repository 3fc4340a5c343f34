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
#include "tests/peer/qemu/side.h"

namespace smmusim::peer {

struct QemuOptions {
  std::vector<std::string> launcher;  ///< what runs qemu-system-aarch64: program
                                      ///< and leading arguments
  std::string log;                    ///< file for QEMU's messages
};

class QemuMachine final : public Side {
 public:
  /// The process starts with the first use. `ram` is the memory it shares.
  QemuMachine(const QemuOptions& options, Stages stages, Ram& ram);

  /// The ID registers as the guest reads them. Throws QemuDied.
  spec::IdRegisters id_registers();
  /// Runs a case whose words are in the RAM already. Never throws QemuDied but
  /// if QEMU can't be started at all.
  Observation run(const Case& one);
  void restart() { qtest_.reset(); }

  // Each throws QemuDied.
  void begin() override;
  void write(const RegisterWrite& one) override;
  std::vector<std::uint32_t> read(std::span<const std::uint32_t> offsets) override;
  std::vector<std::uint32_t> access(const Access& one, std::span<const std::uint32_t> offsets,
                                    Observation& seen) override;
  unsigned wires() override { return qtest_->wires(); }
  Ram& ram() override { return ram_; }

  unsigned starts() const { return starts_; }

 private:
  void start();
  void require_process();
  void set_up_devices();
  std::vector<std::uint32_t> write_access(const Access& one, std::span<const std::uint32_t> offsets, Observation& seen);
  std::vector<std::size_t> queue_reads(std::span<const std::uint32_t> offsets);
  void read_access(const Access& one);
  void fetch_read(const Access& one, Observation& seen);
  void edu_transfer(std::uint64_t bar, std::uint64_t from, std::uint64_t to, std::uint32_t bytes, bool to_memory);
  void collect(Observation& seen);
  void smmu32(std::uint32_t offset, std::uint32_t value) { qtest_->write32(smmu_base + offset, value); }

  QemuOptions options_;
  Stages stages_;
  Ram& ram_;
  std::unique_ptr<Qtest> qtest_;
  bool two_level_used_ = false;
  std::uint32_t cr0_ = 0, gbpa_ = 0;  ///< as written last
  unsigned starts_ = 0;
};

/// The BAR of the device with this StreamID.
std::uint64_t bar_of(std::uint32_t sid);

}  // namespace smmusim::peer
