// SPDX-License-Identifier: MIT
// What the lanes of one direction carry besides TLPs: SKP ordered sets, and the DLLPs that TLPs of the other direction
// make due. Nothing here is an event of its own unless a sender is out of credits: whoever looks at the lanes next puts
// on them, in order, what was due until then.
#include <algorithm>
#include <bit>

#include "platform/pcie/link_direction.h"

namespace smmusim::platform {

Lanes::Lanes(const TlpLinkConfig& config)
    : spacing_bytes(std::uint64_t{ack_limit_symbols(config.generation, config.lanes, config.mps_bytes)} *
                    (config.dllp_spacing == DllpSpacing::latest ? config.lanes : 1)),
      skip_every_bytes(std::uint64_t{skip_every_symbols} * config.lanes),
      skip_bytes(std::uint64_t{skip_symbols} * config.lanes) {}

void LinkDirection::carry(std::uint64_t bytes) {
  free_.add(bytes, rate_);
  carried_bytes_ += bytes;
}

void LinkDirection::carry_due() {
  if (!timed_ || free_.ceil() > engine_.now()) return;
  while (carry_next()) {
  }
}

bool LinkDirection::carry_next() {
  LinkDirection& answered = *reverse_;
  const Time ack = answered.ack_.due(), update = answered.update_.due(), urgent = answered.urgent_due();
  const Time skip = skip_.ceil();
  const Time first = std::min({ack, update, urgent, skip});
  if (first > engine_.now()) return false;
  if (first == skip) {
    carry_skip();
  } else if (first == urgent) {
    carry_update(answered.pop_urgent(), first);
  } else if (first == ack) {
    if (answered.tick(answered.ack_, false)) carry_dllp(first);
  } else if (answered.tick(answered.update_, answered.flow_.unadvertised())) {
    carry_update(answered.flow_.neediest(), first);
  }
  return true;
}

void LinkDirection::carry_skip() {
  const Time due = skip_.ceil();
  const Time behind = engine_.now() - due;
  if (behind >= skip_every_ && free_.ceil() <= due) {  // on idle lanes: over since
    constexpr Time at_once_max = 1'000'000;
    skip_.add(std::min(behind / skip_every_, at_once_max) * lanes_.skip_every_bytes, rate_);
    return;
  }
  if (free_.ceil() < due) free_ = skip_;
  free_.add(lanes_.skip_bytes, rate_);
  skip_.add(lanes_.skip_every_bytes, rate_);
}

void LinkDirection::carry_dllp(Time due) {
  if (free_.ceil() < due) free_ = LinkTime(due);
  carry(Lanes::dllp_bytes);
  ++counters_.dllps;
}

void LinkDirection::carry_update(FlowClass flow_class, Time due) {
  carry_dllp(due);
  const bool news = reverse_->flow_.unadvertised(flow_class);
  const CreditLimits limits = reverse_->flow_.advertise(flow_class);
  if (news) reverse_->update_left(free_.ceil() + propagation_, limits);
}

/// TLPs came in, or one was coming in, since the tick before this one.
bool LinkDirection::receiving(Time tick) const {
  if (tick <= last_arrival_ + spacing_) return true;
  return !flight_.empty() && flight_.front().order + propagation_ <= tick;
}

void LinkDirection::start_timer(Timer& timer) {
  if (timer.running) return;
  timer.running = true;
  timer.next = LinkTime(engine_.now());
  timer.next.add(lanes_.spacing_bytes, rate_);
}

/// The timer has come to a tick: false if there is nothing to send a DLLP for, and it stops.
bool LinkDirection::tick(Timer& timer, bool news) {
  if (!news && !receiving(timer.due())) {
    timer.running = false;
    return false;
  }
  timer.next.add(lanes_.spacing_bytes, rate_);
  return true;
}

FlowClass LinkDirection::pop_urgent() {
  const auto flow_class = static_cast<FlowClass>(std::countr_zero(urgent_));
  urgent_ &= urgent_ - 1;
  return flow_class;
}

void LinkDirection::update_left(Time arrives, const CreditLimits& limits) {
  take_updates();
  updates_[(first_update_ + update_count_) % updates_.size()] = {arrives, limits};
  ++update_count_;
}

void LinkDirection::take_updates() {
  while (update_count_ != 0 && updates_[first_update_].at <= engine_.now()) {
    flow_.updated(updates_[first_update_].limits);
    first_update_ = (first_update_ + 1) % updates_.size();
    --update_count_;
  }
}

/// A starved sender is woken by the next UpdateFC; if none is on its way, the lanes are looked at when one may leave.
void LinkDirection::watch_updates() {
  if (!starved_) return;
  reverse_->carry_due();
  if (update_count_ != 0) return wake_at(credit_came_, updates_[first_update_].at);
  if (!flow_.unadvertised()) return;
  const Time due = std::min(urgent_due(), update_.due());
  wake_at(dllp_due_, std::max(due, reverse_->free_.ceil()));
}

}  // namespace smmusim::platform
