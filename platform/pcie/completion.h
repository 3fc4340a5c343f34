// SPDX-License-Identifier: MIT
// Completions (PCI Express Base sections 2.2.9 and 2.3.1.1): which bytes a memory request is about, how its data is cut
// into CplDs at Read Completion Boundaries, and what a CplD carries of it.
#pragma once

#include <cstdint>
#include <span>

#include "platform/pcie/tlp.h"

namespace smmusim::platform {

/// From the first enabled byte to the last; of an AtomicOp all of its operands.
struct ByteRange {
  std::uint64_t address = 0;
  std::uint32_t size = 0;  ///< at least 1: a request that enables no byte is about its first one
};
ByteRange bytes_of(const Tlp& request);
/// The reverse: address, length and byte enables of a request for these bytes, of which there is at least one.
void put_bytes(Tlp& request, const ByteRange& bytes);
/// A write of no byte.
bool enables_nothing(const Tlp& request);

struct CompletionLimits {
  std::uint32_t payload_bytes = 128;  ///< most data of one CplD
  std::uint32_t rcb_bytes = 64;       ///< all but the last end at a multiple of this
};

/// The completions of one successful request, in order, one at a time as there is room for them.
class CompletionSplitter {
 public:
  CompletionSplitter() = default;
  /// Of an AtomicOp: one completion with as much as came.
  CompletionSplitter(const Tlp& request, std::uint16_t completer_id, const CompletionLimits& limits);

  bool done() const { return sent_ == bytes_.size; }
  /// `data`: all of the request's bytes.
  Tlp& next(TlpPool& pool, std::span<const unsigned char> data);

 private:
  ByteRange bytes_{};
  CompletionLimits limits_{};
  std::uint32_t sent_ = 0;
  std::uint16_t requester_id_ = 0, tag_ = 0, completer_id_ = 0;
  bool whole_ = false;
};

/// A Cpl that says why there is no data.
Tlp& error_completion(TlpPool& pool, const Tlp& request, std::uint16_t completer_id, CplStatus status);

/// The bytes of a request that this CplD brings: `size` of them, after `skip` bytes of its data.
struct CompletionPart {
  std::uint32_t skip = 0;
  std::uint32_t size = 0;  ///< 0: it contradicts itself
};
CompletionPart part_of(const Tlp& completion);

}  // namespace smmusim::platform
