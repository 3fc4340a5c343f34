// SPDX-License-Identifier: MIT
// CosimSmmu: the SMMU inside another emulator's machine: untimed, behind one lock, so that processors (registers) and
// devices (translations) may call from any thread. Knows nothing of that emulator.
//
// Locks: the machine's own lock may be held when a function here is called, and none of the machine's may be taken
// while ours is held. What the machine has to do because of a call (interrupts, MSIs, unmap notifications) is therefore
// returned as Consequences, to be done when the call is over.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "model/sim/engine.h"
#include "model/smmu/observer.h"
#include "model/smmu/smmu.h"
#include "platform/cosim/device/guest_port.h"
#include "platform/trace/record.h"

namespace smmusim::cosim {

/// Addresses of a device's address space that a TLB invalidation covered: a power of two of bytes, aligned to its size.
struct Unmapped {
  std::uint64_t first = 0;
  std::uint64_t mask = 0;  ///< bytes - 1
  friend bool operator==(const Unmapped&, const Unmapped&) = default;
};

struct Consequences {
  unsigned wires = 0;  ///< bit n: Wire n has pulsed
  std::vector<MsiWrite> messages;
  std::vector<Unmapped> unmapped;
  bool empty() const { return wires == 0 && messages.empty() && unmapped.empty(); }
};

enum class DeviceAccess : std::uint8_t {
  look,  ///< what is mapped there: records no event and changes nothing
  read,
  write,
};

/// Of the 4 KiB page around the address that was asked for.
struct Translation {
  bool allowed = false;    ///< the access goes on, to `output`
  std::uint64_t page = 0;  ///< physical address
  bool readable = false;   ///< what the mapping permits; of `look`, all that is known
  bool writable = false;
};

/// Defects put in on purpose, to see what the guest and the surroundings make of them; 0: none.
struct Injection {
  std::uint64_t illegal_command = 0;  ///< the n-th command that the SMMU reads has an opcode that does not exist
  std::uint64_t defect = 0;           ///< the n-th translation breaks a CHECK
};

/// Takes lines of QEMU's SMMUv3 log (platform/trace/export_qemu.h), each with its newline, in the order of what
/// happened. Called with the lock held.
using LogLines = std::function<void(const std::string& lines)>;

struct CosimOptions {
  Injection injection{};
  LogLines log{};                          ///< empty: nothing is recorded
  std::function<std::uint64_t()> time_ps;  ///< of the records; needed with `log`
};

class CosimSmmu final : private Observer {
 public:
  /// Throws std::invalid_argument for a configuration that can't be built. All functions may throw InternalError.
  CosimSmmu(const SmmuConfig& config, GuestRam& ram, CosimOptions options);

  std::uint64_t read_register(std::uint32_t offset, unsigned size);
  Consequences write_register(std::uint32_t offset, std::uint64_t value, unsigned size);
  Translation translate(StreamId stream, std::uint64_t address, DeviceAccess access, Consequences& consequences);
  void reset();

  /// {"translations", "faults", "smmu": as an element of the statistics' smmus}
  nlohmann::ordered_json statistics(const std::string& name);

 private:
  void command(const spec::Command& command, spec::CommandError error) override;
  Consequences consequences();
  void log(trace::Record record);

  std::mutex mutex_;
  CosimOptions options_;
  GuestPort port_;
  Engine engine_;
  Smmu smmu_;
  std::vector<Unmapped> unmapped_;
  std::uint64_t translations_ = 0;
  std::uint64_t faults_ = 0;
};

}  // namespace smmusim::cosim
