// SPDX-License-Identifier: MIT
// PcieLink: how long TLPs take between a function and its root complex: header cost, serialisation, propagation.
// Two directions, each a channel that one TLP at a time occupies. No credits, replays or ordering rules here. It knows
// no payloads, only bytes and times.
#pragma once

#include <cstdint>

#include "model/sim/engine.h"
#include "platform/memory/transfer_time.h"

namespace smmusim::platform {

struct PcieLinkConfig {
  unsigned generation = 4;         ///< 1 to 6: 2.5, 5, 8, 16, 32, 64 GT/s a lane
  unsigned lanes = 4;              ///< 1, 2, 4, 8, 12, 16, 32
  unsigned mps_bytes = 256;        ///< most payload of one TLP: 128 to 4096, a power of two
  unsigned mrrs_bytes = 512;       ///< most that one read request asks for: likewise
  unsigned rcb_bytes = 64;         ///< read completion boundary: 64 or 128
  unsigned tlp_header_bytes = 24;  ///< of a request: framing, sequence number, 4-doubleword header, LCRC
  unsigned completion_header_bytes = 20;
  Time propagation_ps = 2'000;  ///< one way
};

/// Throws std::invalid_argument, with the values that are legal.
void require_valid(const PcieLinkConfig& config);

class PcieLink {
 public:
  explicit PcieLink(const PcieLinkConfig& config);

  /// A memory request that is ready to leave at `when`; returns when its last byte has arrived. Writes are posted:
  /// ceil(size / mps_bytes) TLPs with data. Reads: ceil(size / mrrs_bytes) TLPs without.
  Time request(Time when, bool write, std::uint32_t size);
  /// The completions of a read, in TLPs of at most mps_bytes cut at rcb_bytes; likewise. A posted write has none:
  /// it returns `when`.
  Time response(Time when, bool write, std::uint32_t size);

  /// Picoseconds that `bytes` occupy the lanes, line coding included.
  Time serialisation(std::uint64_t bytes) const { return rate_.time_of(bytes); }

 private:
  Time occupy(Time& free_at, Time when, std::uint64_t bytes) const;

  PcieLinkConfig config_;
  TransferRate rate_;
  Time upstream_free_ = 0;
  Time downstream_free_ = 0;
};

}  // namespace smmusim::platform
