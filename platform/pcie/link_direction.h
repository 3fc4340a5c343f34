// SPDX-License-Identifier: MIT
// LinkDirection: one direction of a TlpLink. The sender's half: queues, ordering, credits, and the lanes with what they
// carry. The receiver's half: what came, and which DLLPs that makes due on the lanes of the other direction. DLLPs and
// SKP ordered sets cost no events while the sender has credits: they are put on the lanes when somebody looks next.
#pragma once

#include <cstddef>
#include <vector>

#include "platform/pcie/flow_control.h"
#include "platform/pcie/tlp_link.h"

namespace smmusim::platform {

/// What goes over the lanes besides TLPs, in bytes on all of them together.
struct Lanes {
  static constexpr unsigned dllp_bytes = 8;
  static constexpr unsigned skip_symbols = 4, skip_every_symbols = 1538;  ///< SKP ordered sets, on every lane

  explicit Lanes(const TlpLinkConfig& config);
  std::uint64_t spacing_bytes;  ///< between two DLLPs of a kind
  std::uint64_t skip_every_bytes, skip_bytes;
};

class LinkDirection {
 public:
  LinkDirection(TlpLink& link, TlpLink::End from);
  void set_reverse(LinkDirection& reverse) { reverse_ = &reverse; }

  bool room(FlowClass flow_class) const { return queue(flow_class).size() < queue_max_; }
  void send(Tlp& tlp);
  /// The receiver's buffer has let go of the TLP.
  void release(const Tlp& tlp);
  TlpLinkCounters counters();
  bool idle() const;

 private:
  /// An event that calls a member function. `set`: it waits in the engine.
  struct Wake : EventNode {
    LinkDirection* direction = nullptr;
    void (LinkDirection::*call)() = nullptr;
    bool set = false;
  };
  /// DLLPs of one kind at a constant spacing, for as long as TLPs come in.
  struct Timer {
    LinkTime next{};
    bool running = false;
    Time due() const { return running ? next.ceil() : time_never; }
  };
  /// An UpdateFC on its way to this direction's sender.
  struct Update {
    Time at = 0;
    CreditLimits limits{};
  };

  const TlpQueue& queue(FlowClass flow_class) const { return queues_[static_cast<std::size_t>(flow_class)]; }
  TlpQueue& queue(FlowClass flow_class) { return queues_[static_cast<std::size_t>(flow_class)]; }
  void wake_at(Wake& wake, Time at);
  static void fire(EventNode& node);

  // The sender.
  void transmit_from_event();
  /// Puts the next TLP on the lanes, if they are free and one may go; else it will be called again when that changes.
  void transmit();
  bool queues_empty() const;
  void take_updates();
  bool may_pass_posted(const Tlp& tlp) const;
  Tlp* choose() const;
  void start(Tlp& tlp);
  void starve();

  // The lanes.
  void carry(std::uint64_t bytes);
  void carry_due();
  bool carry_next();
  void carry_skip();
  void carry_dllp(Time due);
  void carry_update(FlowClass flow_class, Time due);

  // The receiver. Its DLLPs go on the lanes of reverse_.
  void arrive();
  bool receiving(Time tick) const;
  void start_timer(Timer& timer);
  bool tick(Timer& timer, bool news);
  Time urgent_due() const { return urgent_ == 0 ? time_never : urgent_since_; }
  FlowClass pop_urgent();
  void update_left(Time arrives, const CreditLimits& limits);
  void watch_updates();

  TlpLink& link_;
  Engine& engine_;
  TlpLink::End from_;
  LinkDirection* reverse_ = nullptr;
  const LinkRate& rate_;
  const bool timed_;
  const std::size_t queue_max_;
  const std::uint64_t overhead_bytes_;  // of a TLP
  const Lanes lanes_;
  const Time spacing_, skip_every_;  // of lanes_, as times, rounded up
  const Time propagation_;

  std::array<TlpQueue, flow_classes> queues_;
  std::uint64_t next_order_ = 0;
  FlowControl flow_;
  bool starved_ = false;
  Time starved_since_ = 0;
  Wake lanes_free_{}, credit_came_{};
  unsigned room_ = 0;  // a bit a class: the port has to hear of it

  LinkTime free_{};  // the lanes are, from here on
  LinkTime skip_{};  // the next SKP ordered set is due
  std::uint64_t carried_bytes_ = 0;
  TlpLinkCounters counters_{};

  TlpQueue flight_;  // `when`: its last symbol arrives; `order`: its first symbol left
  Wake arrival_{};

  Time last_arrival_ = 0;
  Timer ack_{}, update_{};
  unsigned urgent_ = 0;  // a bit a class: the sender may starve
  Time urgent_since_ = 0;
  std::vector<Update> updates_;  // a ring, in order of time
  std::size_t first_update_ = 0, update_count_ = 0;
  Wake dllp_due_{};  // while the sender is starved: when reverse_ may carry the next UpdateFC
};

}  // namespace smmusim::platform
