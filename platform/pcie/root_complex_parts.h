// SPDX-License-Identifier: MIT
// What a RootComplex is made of: its ports and its outputs. For its own sources only.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "platform/pcie/messages.h"
#include "platform/pcie/payload_requester.h"
#include "platform/pcie/root_complex.h"

namespace smmusim::platform {

inline constexpr unsigned smallest_translation_bits = 12, itags = 32, requester_tags = 256;

struct RootComplex::Port final : TlpLink::Port {
  /// Writes that came between two Invalidate Completions, and the one at their end.
  struct Epoch {
    std::uint64_t writes = 0;  ///< not visible yet
    bool closed = false;
    Tlp* completion = nullptr;
  };
  struct WakeNode : EventNode {
    Port* port = nullptr;
    bool waiting = false;
  };

  RootComplex* root = nullptr;
  RootPort config{};
  TlpLink* link = nullptr;
  TlpQueue posted, non_posted;  // have arrived and wait for their turn
  std::uint64_t arrivals = 0;
  bool posted_blocked = false, non_posted_blocked = false;  // until there is room, or time has passed
  TlpQueue errors;                                          // completions without a slot
  std::deque<Slot*> completing;
  TlpQueue messages;  // to the device
  std::deque<Epoch> epochs{Epoch{}};
  std::uint64_t first_epoch = 0;
  WakeNode waker;
  std::unique_ptr<PayloadRequester> requester;  // with a bridge: what the root complex asks of devices

  std::uint64_t begin_write();
  void tlp_arrived(Tlp& tlp, TlpLink& from) override;
  void room_again(FlowClass flow_class, TlpLink& from) override;
};

struct RootComplex::Output {
  struct ChoresNode : EventNode {
    Output* output = nullptr;
    bool posted = false;
  };

  RootComplex& root;
  systemc::AtInitiator initiator;
  Smmu* smmu = nullptr;
  std::vector<std::unique_ptr<Slot>> slots;
  Slot* free = nullptr;
  unsigned in_flight = 0, non_posted = 0;
  std::deque<Slot*> waiting;  // for the initiator
  std::deque<Port*> blocked;  // for a slot
  ChoresNode chores;

  Output(RootComplex& complex, tlm::tlm_initiator_socket<>& socket, unsigned outstanding);
  void accepted();
  static void do_chores(EventNode& node);
};

}  // namespace smmusim::platform
