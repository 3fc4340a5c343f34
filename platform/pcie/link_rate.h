// SPDX-License-Identifier: MIT
// The rate of a PCI Express link, exact in fractions of a picosecond, and how often its receivers owe an Ack and an
// UpdateFC (PCI Express Base, tables of sections 2.6.1.2 and 3.6.2). It knows no packets.
#pragma once

#include <cstdint>

#include "model/sim/engine.h"

namespace smmusim::platform {

/// What a byte takes on all lanes together, line coding included: `numerator / denominator` picoseconds.
struct LinkRate {
  std::uint64_t numerator = 0;  ///< 0: everything takes no time
  std::uint64_t denominator = 1;

  /// Picoseconds that `bytes` take, rounded up.
  Time serialisation(std::uint64_t bytes) const { return (bytes * numerator + denominator - 1) / denominator; }
};

/// `generation` 1 to 6, `lanes` 1 to 32. 8b/10b coding in generations 1 and 2, 128b/130b in 3 to 5, FLITs' 242 of 256
/// bytes in 6.
LinkRate link_rate(unsigned generation, unsigned lanes);

/// The Ack latency limit, which is also the guideline for UpdateFC, in symbol times: what TLPs of Max_Payload_Size take
/// on this many lanes, times a factor, and the receiver's internal delay.
unsigned ack_limit_symbols(unsigned generation, unsigned lanes, unsigned mps_bytes);

/// An instant on a link, exact: sums of many packets do not drift.
class LinkTime {
 public:
  LinkTime() = default;
  explicit LinkTime(Time at) : ps_(at) {}

  void add(std::uint64_t bytes, const LinkRate& rate) {
    parts_ += bytes * rate.numerator;
    ps_ += parts_ / rate.denominator;
    parts_ %= rate.denominator;
  }
  /// The first picosecond that is not before it.
  Time ceil() const { return ps_ + (parts_ != 0 ? 1 : 0); }

 private:
  Time ps_ = 0;
  std::uint64_t parts_ = 0;  // of a picosecond: the rate's denominator makes one
};

}  // namespace smmusim::platform
