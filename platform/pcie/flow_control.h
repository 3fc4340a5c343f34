// SPDX-License-Identifier: MIT
// The credits of one direction of a link (PCI Express Base section 2.6): the sender's limits and what it has used, the
// receiver's count of what came and what has left its buffers. It knows no time; when an UpdateFC travels is the
// link's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "platform/pcie/tlp_link.h"

namespace smmusim::platform {

/// Credits of one class and kind, as counts since the link came up: nothing wraps.
struct CreditCount {
  static constexpr std::uint64_t infinite = std::uint64_t{1} << 62;
  std::uint64_t capacity = infinite;
  std::uint64_t limit = infinite;       ///< the sender's: it may use up to here
  std::uint64_t used = 0;               ///< the sender's
  std::uint64_t arrived = 0;            ///< the receiver's
  std::uint64_t freed = 0;              ///< the receiver's: have left its buffer
  std::uint64_t advertised = infinite;  ///< the receiver's: the limit that the last UpdateFC has told

  bool finite() const { return capacity != infinite; }
  bool enough(std::uint64_t units) const { return used + units <= limit; }
  bool unadvertised() const { return finite() && capacity + freed != advertised; }
  /// What the receiver thinks that the sender has left.
  std::uint64_t left() const { return advertised - arrived; }
};

/// The limits that an UpdateFC DLLP carries.
struct CreditLimits {
  FlowClass flow_class{};
  std::uint64_t headers = 0;
  std::uint64_t data = 0;
};

class FlowControl {
 public:
  /// `mps_bytes`: the largest payload, in bytes.
  FlowControl(const FlowCredits& receiver, unsigned mps_bytes);

  bool may_send(const Tlp& tlp) const;
  /// The receiver has, in all, as many as the TLP needs.
  bool possible(const Tlp& tlp) const;
  void sent(const Tlp& tlp);
  void updated(const CreditLimits& limits);

  void arrived(const Tlp& tlp);
  void freed(const Tlp& tlp);
  /// There are credits that no UpdateFC has told yet: of any class, or of this one.
  bool unadvertised() const;
  bool unadvertised(FlowClass flow_class) const;
  /// The sender has less than half of this class left, or less than a TLP may need: it should hear of more at once.
  bool sender_may_starve(FlowClass flow_class) const;
  /// The class whose sender has the smallest share left, among those with something to tell.
  FlowClass neediest() const;
  /// An UpdateFC for this class leaves.
  CreditLimits advertise(FlowClass flow_class);
  /// No class has finite credits: no UpdateFC is ever sent.
  bool all_infinite() const { return all_infinite_; }

 private:
  struct Class {
    CreditCount headers, data;
    std::uint64_t largest_units = 0;  ///< that a TLP may need
  };
  static constexpr unsigned unit_bytes = 16, unit_dw = unit_bytes / 4;
  static std::uint64_t units(const Tlp& tlp) { return tlp.has_data() ? (tlp.length_dw + unit_dw - 1) / unit_dw : 0; }
  Class& of(FlowClass flow_class) { return classes_[static_cast<std::size_t>(flow_class)]; }
  const Class& of(FlowClass flow_class) const { return classes_[static_cast<std::size_t>(flow_class)]; }

  std::array<Class, flow_classes> classes_;
  bool all_infinite_ = true;
};

// Inline: each is a step of every TLP's way over a link.
inline bool FlowControl::may_send(const Tlp& tlp) const {
  const Class& c = of(tlp.flow_class());
  return c.headers.enough(1) && c.data.enough(units(tlp));
}

inline bool FlowControl::possible(const Tlp& tlp) const {
  return units(tlp) <= of(tlp.flow_class()).data.capacity;
}

inline void FlowControl::sent(const Tlp& tlp) {
  Class& c = of(tlp.flow_class());
  ++c.headers.used;
  c.data.used += units(tlp);
}

inline void FlowControl::arrived(const Tlp& tlp) {
  Class& c = of(tlp.flow_class());
  ++c.headers.arrived;
  c.data.arrived += units(tlp);
}

inline void FlowControl::freed(const Tlp& tlp) {
  Class& c = of(tlp.flow_class());
  ++c.headers.freed;
  c.data.freed += units(tlp);
}

inline bool FlowControl::unadvertised(FlowClass flow_class) const {
  const Class& c = of(flow_class);
  return c.headers.unadvertised() || c.data.unadvertised();
}

inline bool FlowControl::unadvertised() const {
  return unadvertised(FlowClass::posted) || unadvertised(FlowClass::non_posted) || unadvertised(FlowClass::completion);
}

}  // namespace smmusim::platform
