// SPDX-License-Identifier: MIT
// MemoryPort: how the SMMU reaches memory for its own accesses (structures, descriptors, queues, MSIs). A port that
// answers at once makes the model an untimed reference machine; one that answers later makes it timed. Traces,
// statistics, latency and injected aborts all hang on the Purpose of an access.
#pragma once

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "model/base/types.h"
#include "model/sim/resources.h"

namespace smmusim {

/// Why the SMMU reads or writes memory.
enum class Purpose : std::uint8_t { L1STD, STE, L1CD, CD, TTD, CMD, EVENT, PRI, MSI, VMS };
inline constexpr std::size_t purposes = 10;

/// The specification's name of a Purpose.
const char* name_of(Purpose purpose);

enum class MemoryOp : std::uint8_t { read, write, compare_and_swap };
enum class MemoryStatus : std::uint8_t { ok, external_abort };

/// Memory attributes of an access, one nibble-coded type as in a MAIR byte and a shareability (13.1).
struct MemoryAttributes {
  std::uint8_t type = 0xff;       ///< MAIR encoding; 0xff = Normal iWB-oWB RA WA
  std::uint8_t shareability = 3;  ///< 0 NSH, 2 OSH, 3 ISH
  friend bool operator==(const MemoryAttributes&, const MemoryAttributes&) = default;
};

/// What MPAM labels an access with: Partition ID and Performance Monitoring Group (chapter 17). 0 without MPAM.
struct MpamIds {
  std::uint16_t partid = 0;
  std::uint16_t pmg = 0;  ///< 8 bits
  friend bool operator==(const MpamIds&, const MpamIds&) = default;
};

/// One access of the SMMU's own. The requester keeps it (and the buffer) in place until it is done.
struct MemoryRequest : Resumption {
  Pa address{};
  void* data = nullptr;    ///< size bytes; read: filled, write: source, compare_and_swap: new value
  std::uint32_t size = 0;  ///< bytes; naturally aligned, at most 64
  MemoryOp op = MemoryOp::read;
  MemoryStatus status = MemoryStatus::ok;
  Purpose purpose = Purpose::STE;
  std::uint8_t stage = 0;  ///< of a TTD: 1 or 2
  std::int8_t level = 0;   ///< of a TTD: -1 to 3
  MemoryAttributes attributes{};
  MpamIds mpam{};
  Time own_time = 0;           ///< what the requester spends on the answer; the port hands it over that much later
  std::uint64_t expected = 0;  ///< compare_and_swap: the value to replace; afterwards the value found
};

/// A piece of the host's memory that a port lets be read in place of start(). It holds until time goes on or anybody
/// but its reader touches what lies behind the port.
struct ReadWindow {
  std::uint64_t first = 0;          ///< physical address of host[0]; a multiple of 8
  std::uint64_t size = 0;           ///< bytes; a multiple of 8, 0: no window
  const std::byte* host = nullptr;  ///< little-endian, as every memory here
  std::uint64_t* reads = nullptr;   ///< counts them

  bool holds(Pa address) const { return address.value - first < size; }
  /// The doubleword at `address`, which is aligned and which the window holds.
  std::uint64_t read(Pa address) const {
    std::uint64_t word;
    std::memcpy(&word, host + (address.value - first), sizeof word);
    ++*reads;
    return word;
  }
};

class MemoryPort {
 public:
  virtual ~MemoryPort() = default;
  /// Starts `request`. True: it is done, status (and data) are set, own_time is the requester's own business. False:
  /// the port sets them, now or later, and hands the request, which is an EventNode, to the Engine: at the time of the
  /// answer plus own_time, never before this call has returned.
  virtual bool start(MemoryRequest& request) = 0;
  /// Opens `window` around `address` if this port answers at once anyway and has no use for the rest of a
  /// MemoryRequest; false: start() must do it. What an untimed walk reads through most of the time.
  virtual bool read_window(Pa /*address*/, ReadWindow& /*window*/) { return false; }
  /// Forgets every request of `scope` that is under way; writes that have started may still happen.
  virtual void abandon(const Scope& scope) = 0;
};

/// `MemoryStatus status = co_await access;`: the awaitable around a MemoryRequest. May be awaited again.
struct MemoryAccess : MemoryRequest {
  MemoryPort* port = nullptr;
  bool await_ready() { return port->start(*this); }
  void await_suspend(std::coroutine_handle<> caller) { resumes(caller); }
  MemoryStatus await_resume() const { return status; }
};

}  // namespace smmusim
