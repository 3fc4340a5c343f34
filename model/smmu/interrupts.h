// SPDX-License-Identifier: MIT
// Interrupts and global errors (IHI 0070 sections 3.18, 6.3.16 to 6.3.20 and 7.5). Interrupts are edges: a wire
// pulses, an MSI is one 32-bit write; nothing is pending. Neither is sent before what it announces is visible.
#pragma once

#include <array>
#include <cstdint>

#include "model/sim/task.h"
#include "model/smmu/smmu.h"
#include "model/spec/command.h"

namespace smmusim {

struct Core;

/// What an enable of IRQ_CTRL gates.
enum class IrqSource : std::uint8_t { global_error, event_queue, pri_queue };

class Interrupts {
 public:
  explicit Interrupts(Core& core) : core_(core) {}

  void pulse(Wire wire);
  /// Announces `source` if its enable is on: a pulse, and an MSI if one is configured.
  void raise(IrqSource source);
  /// The completion signal of a CMD_SYNC with CS=IRQ: always a pulse; an MSI if MSIAddress is not 0. Ends when the
  /// MSI is visible or its abort is in GERROR, which is what the next CMD_SYNC must wait for.
  Task<> signal_sync(spec::Command& sync);
  /// Activates those errors of `bits` (of GERROR) that are not active, and announces them (7.5.1).
  void report_global_error(std::uint64_t bits);
  /// Lets IRQ_CTRLACK follow IRQ_CTRL as far as MSIs under way allow.
  void update_ack();

  unsigned take_wires();
  const unsigned& wires() const { return wires_; }
  void reset();
  bool idle() const { return outstanding_ == std::array<unsigned, 3>{}; }
  Core& core() { return core_; }
  Scope& scope();

 private:
  Task<> send_msi(IrqSource source);

  Core& core_;
  unsigned wires_ = 0;
  std::array<unsigned, 3> outstanding_{};  // MSIs under way, by IrqSource
};

}  // namespace smmusim
