// SPDX-License-Identifier: MIT
// DmaWork: one access as a device's DMA engine takes it, and how it ended.
// Shared by PcieFunction and by DmaEndpoint, the plain TLM device.
#pragma once

#include <cstdint>
#include <span>

#include "model/base/types.h"
#include "model/sim/engine.h"
#include "model/smmu/transaction.h"
#include "platform/pcie/request_watcher.h"

namespace smmusim::platform {

/// The AtomicOps of PCI Express (section 6.15). What was there comes back as data.
enum class AtomicOp : std::uint8_t { swap, fetch_add, compare_and_swap };

/// One access of the device.
struct DmaWork {
  Va address{};
  std::uint32_t size = 0;  ///< bytes, 1 to transfer_bytes_max
  bool write = false;
  bool atomic = false;                  ///< an AtomicOp; `write` is true too, its data is the operand
  AtomicOp atomic_op = AtomicOp::swap;  ///< the data of compare_and_swap are two: what is expected, and what is new
  bool substream_valid = false;
  bool instruction = false;
  bool privileged = false;
  SubstreamId substream_id{};
  AtsType ats = AtsType::untranslated;
  bool interrupt = false;         ///< a message-signalled interrupt: goes out untranslated whatever ATS is (10.2.2)
  bool relaxed_ordering = false;  ///< the device does not mind being overtaken; sent if software allows it
  std::uint64_t tag = 0;          ///< the submitter's; also the seed of the data that a write carries
  void* user = nullptr;           ///< the submitter's

  /// How much data a write takes with it.
  std::uint32_t data_bytes() const { return atomic && atomic_op == AtomicOp::compare_and_swap ? 2 * size : size; }
};

/// What an access had of ATS, in the order of what it costs; of an access in several parts, the dearest.
enum class AtcUse : std::uint8_t {
  none,       ///< it went out untranslated
  hit,        ///< the ATC knew
  requested,  ///< it waited for a Translation Request
  paged,      ///< for a Page Request
};

struct DmaCompletion {
  const DmaWork& work;
  DmaStatus status;
  Time issued_at;
  Time completed_at;
  /// Of the first part; outcome and event of the first that did not proceed, reach of the one that went farthest, times
  /// of the last one, what the device waited for translations included.
  const RequestResult& smmu;
  AtcUse atc;
  std::span<const unsigned char> data;  ///< of a read; valid during the call
  Time latency() const { return completed_at - issued_at; }
};

struct DmaCounters {
  std::uint64_t issued = 0;
  std::uint64_t completed = 0;
  std::uint64_t failed = 0;
  std::uint64_t bytes = 0;  ///< of those that succeeded
};

/// The data of a write: the same for the same tag.
void fill_pattern(std::uint64_t tag, std::span<unsigned char> data);

}  // namespace smmusim::platform
