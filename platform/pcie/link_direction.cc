// SPDX-License-Identifier: MIT
// The sender of one direction: which TLP goes next, and when; and the receiver, which makes DLLPs due. What the lanes
// carry besides TLPs is in link_lanes.cc.
#include "platform/pcie/link_direction.h"

#include <algorithm>
#include <bit>

#include "model/base/check.h"

namespace smmusim::platform {
namespace {

constexpr unsigned ecrc_bytes = 4;

constexpr unsigned bit_of(FlowClass flow_class) {
  return 1U << static_cast<unsigned>(flow_class);
}

std::uint16_t sender_of(const Tlp& tlp) {
  return tlp.is_completion() ? tlp.completer_id : tlp.requester_id;
}

}  // namespace

LinkDirection::LinkDirection(TlpLink& link, TlpLink::End from)
    : link_(link),
      engine_(link.engine_),
      from_(from),
      rate_(link.rate_),
      timed_(link.config_.timed),
      queue_max_(link.config_.transmit_queue),
      overhead_bytes_(link.config_.framing_bytes + (link.config_.ecrc ? ecrc_bytes : 0)),
      lanes_(link.config_),
      spacing_(rate_.serialisation(lanes_.spacing_bytes)),
      skip_every_(rate_.serialisation(lanes_.skip_every_bytes)),
      propagation_(timed_ ? link.config_.propagation_ps : 0),
      flow_(from == TlpLink::upstream ? link.config_.downstream_receiver : link.config_.upstream_receiver,
            link.config_.mps_bytes) {
  constexpr std::size_t booked_ahead = 8;  // DLLPs that are put on the lanes at one look
  if (timed_) updates_.resize(propagation_ / rate_.serialisation(Lanes::dllp_bytes) + booked_ahead);
  skip_.add(lanes_.skip_every_bytes, rate_);
  const auto calls = [this](Wake& wake, void (LinkDirection::*call)()) {
    wake.direction = this;
    wake.call = call;
    wake.fire = &LinkDirection::fire;
  };
  calls(lanes_free_, &LinkDirection::transmit_from_event);
  calls(credit_came_, &LinkDirection::transmit_from_event);
  calls(arrival_, &LinkDirection::arrive);
  calls(dllp_due_, &LinkDirection::watch_updates);
}

void LinkDirection::fire(EventNode& node) {
  auto& wake = static_cast<Wake&>(node);
  wake.set = false;
  (wake.direction->*wake.call)();
}

void LinkDirection::wake_at(Wake& wake, Time at) {
  if (wake.set) {
    if (wake.when <= at) return;
    engine_.withdraw(wake);
  }
  wake.set = true;
  if (at <= engine_.now()) {
    engine_.post(wake);
  } else {
    engine_.schedule_at(at, wake);
  }
}

void LinkDirection::send(Tlp& tlp) {
  SMMUSIM_CHECK(room(tlp.flow_class()) && flow_.possible(tlp));
  tlp.order = next_order_++;
  queue(tlp.flow_class()).push(tlp);
  const unsigned untold = room_;
  transmit();
  room_ &= untold | ~bit_of(tlp.flow_class());  // its own class has the room that it had before
}

/// Of room that send() made for another class too: what it was given waits then, so that this is called soon.
void LinkDirection::transmit_from_event() {
  transmit();
  while (room_ != 0) {
    const auto flow_class = static_cast<FlowClass>(std::countr_zero(room_));
    room_ &= room_ - 1;
    link_.ports_[from_]->room_again(flow_class, link_);
  }
}

bool LinkDirection::queues_empty() const {
  return queues_[0].empty() && queues_[1].empty() && queues_[2].empty();
}

void LinkDirection::transmit() {
  if (queues_empty()) return;
  if (free_.ceil() > engine_.now()) return wake_at(lanes_free_, free_.ceil());
  take_updates();
  carry_due();
  if (Tlp* const next = choose()) {
    start(*next);
  } else {
    starve();
  }
}

bool LinkDirection::may_pass_posted(const Tlp& tlp) const {
  const TlpQueue& posted = queue(FlowClass::posted);
  if (posted.empty() || posted.front().order > tlp.order) return true;
  if (tlp.is_completion() && tlp.relaxed_ordering) return true;
  if (!tlp.id_ordering) return false;
  for (const Tlp* earlier = &posted.front(); earlier != nullptr && earlier->order < tlp.order;
       earlier = earlier->next_tlp) {
    if (earlier->requester_id == sender_of(tlp)) return false;
  }
  return true;
}

// The oldest of those that may go: in order, but for what must or may pass what has no credits.
Tlp* LinkDirection::choose() const {
  Tlp* oldest = nullptr;
  for (const TlpQueue& waiting : queues_) {
    if (waiting.empty()) continue;
    Tlp& first = waiting.front();
    if (oldest != nullptr && oldest->order < first.order) continue;
    if (!flow_.may_send(first)) continue;
    if (first.flow_class() == FlowClass::posted || may_pass_posted(first)) oldest = &first;
  }
  return oldest;
}

void LinkDirection::start(Tlp& tlp) {
  TlpQueue& waiting = queue(tlp.flow_class());
  if (waiting.size() == queue_max_) room_ |= bit_of(tlp.flow_class());
  waiting.pop();
  flow_.sent(tlp);
  if (free_.ceil() < engine_.now()) free_ = LinkTime(engine_.now());
  const Time begin = free_.ceil();
  if (starved_) {
    starved_ = false;
    counters_.credit_starved += begin - starved_since_;
  }
  const std::uint64_t bytes = tlp.tlp_bytes() + overhead_bytes_;
  carry(bytes);
  ++counters_.tlps;
  counters_.tlp_bytes += bytes;
  counters_.payload_bytes += tlp.payload_bytes();
  tlp.order = begin;
  tlp.when = free_.ceil() + propagation_;
  flight_.push(tlp);
  wake_at(arrival_, flight_.front().when);
  if (!queues_empty()) wake_at(lanes_free_, free_.ceil());
}

void LinkDirection::starve() {
  if (!starved_) {
    starved_ = true;
    starved_since_ = std::max(engine_.now(), free_.ceil());
  }
  watch_updates();
}

void LinkDirection::arrive() {
  if (timed_) reverse_->carry_due();
  Tlp& tlp = flight_.pop();
  if (!flight_.empty()) wake_at(arrival_, flight_.front().when);
  if (timed_) {
    last_arrival_ = engine_.now();
    start_timer(ack_);
    if (!flow_.all_infinite()) start_timer(update_);
  }
  flow_.arrived(tlp);
  if (link_.on_tlp) link_.on_tlp(tlp.order, tlp, from_);
  link_.ports_[1 - from_]->tlp_arrived(tlp, link_);
}

void LinkDirection::release(const Tlp& tlp) {
  const FlowClass flow_class = tlp.flow_class();
  if (timed_) reverse_->carry_due();  // what was due until now says nothing of this TLP
  flow_.freed(tlp);
  if (!flow_.unadvertised(flow_class)) return;
  if (!timed_) {
    flow_.updated(flow_.advertise(flow_class));
    if (starved_) wake_at(credit_came_, engine_.now());
    return;
  }
  if (flow_.sender_may_starve(flow_class)) {
    if (urgent_ == 0) urgent_since_ = engine_.now();
    urgent_ |= bit_of(flow_class);
  } else if (!update_.running) {
    update_.running = true;
    if (update_.next.ceil() < engine_.now()) update_.next = LinkTime(engine_.now());
  }
  watch_updates();
}

TlpLinkCounters LinkDirection::counters() {
  carry_due();
  TlpLinkCounters counters = counters_;
  counters.busy = rate_.serialisation(carried_bytes_);
  return counters;
}

bool LinkDirection::idle() const {
  return queues_empty() && flight_.empty();
}

}  // namespace smmusim::platform
