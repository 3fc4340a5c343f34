// SPDX-License-Identifier: MIT
// GuestPort: the SMMU's own accesses (tables, queues, MSIs) in the memory of another emulator's machine. Answers at
// once. Only the machine's RAM is memory for it; an access elsewhere is an external abort. MSIs are kept for the
// machine to deliver later: those to its interrupt controller because nothing of the machine may be called while the
// SMMU works (cosim_smmu.h), those to RAM because software that polls for a CMD_SYNC there may reuse a page as soon as
// it sees it, and devices must have been told of the invalidation before.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "model/sim/memory_port.h"

namespace smmusim::cosim {

/// The machine's RAM. Used with the SMMU's lock held: must not wait for a lock of the machine.
class GuestRam {
 public:
  virtual ~GuestRam() = default;
  /// The first `size` bytes at `address`, which then lie in one piece; nullptr if they are not RAM.
  virtual std::byte* find(std::uint64_t address, std::uint64_t size) = 0;
  /// Writes what find() gives, and tells the machine (translated code, dirty pages).
  virtual void write(std::uint64_t address, const void* data, std::uint64_t size) = 0;
};

/// A write of 4 bytes to an interrupt controller, or to RAM.
struct MsiWrite {
  std::uint64_t address = 0;
  std::uint32_t data = 0;
};

class GuestPort final : public MemoryPort {
 public:
  /// `illegal_command`: the opcode of that command (counted from 1) is read as one that does not exist; 0: of none.
  GuestPort(GuestRam& ram, std::uint64_t illegal_command) : ram_(ram), illegal_command_(illegal_command) {}

  bool start(MemoryRequest& request) override;
  bool read_window(Pa address, ReadWindow& window) override;
  void abandon(const Scope&) override {}

  std::vector<MsiWrite> take_messages();

 private:
  bool execute(MemoryRequest& request);
  bool leave(const MemoryRequest& request);
  void spoil(MemoryRequest& request);

  GuestRam& ram_;
  std::uint64_t illegal_command_;
  std::uint64_t commands_read_ = 0;
  std::uint64_t window_reads_ = 0;
  std::vector<MsiWrite> messages_;
};

}  // namespace smmusim::cosim
