// SPDX-License-Identifier: MIT
// CONSTRAINED UNPREDICTABLE choice: a command with SSV=1 on an SMMU without substreams has no effect. Tags are not used
// again, so that a completion that comes after the time-out can't complete a later request.
#include "model/smmu/atc_invalidation.h"

#include <algorithm>

#include "model/smmu/core.h"

namespace smmusim {
namespace {

using spec::Command;

constexpr Time ps_per_us = 1'000'000;
constexpr std::uint32_t itag_mask = 31;
constexpr std::size_t untimed_max = 4096;

}  // namespace

AtcInvalidations::AtcInvalidations(Core& core) : core_(core), changed_(core.lifetime) {
  timer_.scope = &core.lifetime;
  timer_.owner = this;
  timer_.fire = [](EventNode& node) {
    AtcInvalidations& self = *static_cast<Timer&>(node).owner;
    self.armed_ = false;
    self.changed_.open();
  };
}

Scope& AtcInvalidations::scope() {
  return core_.lifetime;
}

bool AtcInvalidations::ignored(const Command& command) const {
  const bool no_such_pasid = command.get<Command::SSV>() && core_.config.features.ssidsize == 0;
  return !send_ || !core_.regs.smmuen() || no_such_pasid;
}

bool AtcInvalidations::waits() const {
  return core_.config.timed || later_;
}

/// Where nothing waits, a command that did would give up what is outstanding, though no CMD_SYNC has come.
std::size_t AtcInvalidations::outstanding_max() const {
  return waits() ? core_.config.tcu.atc_invalidations : untimed_max;
}

/// A tag whose ITag no outstanding request has, while there is one.
std::uint32_t AtcInvalidations::unused_tag() {
  std::uint32_t used = 0;
  for (const Outstanding& request : outstanding_) used |= 1u << (request.tag & itag_mask);
  while (used != ~0u && (used >> (next_tag_ & itag_mask) & 1) != 0) ++next_tag_;
  return next_tag_++;
}

Task<> AtcInvalidations::issue(Command& command) {
  while (!ignored(command) && outstanding_.size() >= outstanding_max()) {
    drop_expired();
    if (outstanding_.size() >= outstanding_max()) co_await change();
  }
  if (!ignored(command)) send(command);
}

void AtcInvalidations::send(const Command& command) {
  AtcInvalidate message;
  message.stream_id = StreamId(command.get<Command::StreamID>());
  message.substream_valid = command.get<Command::SSV>();
  if (message.substream_valid) message.substream_id = SubstreamId(command.get<Command::SubstreamID>());
  message.global = message.substream_valid && command.get<Command::G>();
  message.span_bits = 12 + command.get<Command::AtcSize>();
  message.address = command.get<Command::Address>() & ~low_mask(message.span_bits);
  message.tag = unused_tag();
  outstanding_.push_back(
      {message.tag, core_.lifetime.engine().now() + core_.config.tcu.atc_inv_timeout_us * ps_per_us});
  ++core_.counters.atc_invalidations;
  send_(message);  // the last thing: it may call completed()
}

void AtcInvalidations::completed(std::uint32_t tag) {
  const auto found = std::find_if(outstanding_.begin(), outstanding_.end(),
                                  [tag](const Outstanding& request) { return request.tag == tag; });
  if (found == outstanding_.end()) return;
  outstanding_.erase(found);
  changed_.open();
}

void AtcInvalidations::drop_expired() {
  const Time now = core_.lifetime.engine().now();
  const auto open = std::find_if(outstanding_.begin(), outstanding_.end(),
                                 [this, now](const Outstanding& request) { return waits() && request.deadline > now; });
  if (open == outstanding_.begin()) return;
  core_.counters.atc_timeouts += static_cast<std::uint64_t>(open - outstanding_.begin());
  outstanding_.erase(outstanding_.begin(), open);
  failed_ = true;
}

Task<> AtcInvalidations::change() {
  timer_.when = outstanding_.front().deadline;
  armed_ = true;
  core_.lifetime.engine().schedule_at(timer_.when, timer_);
  co_await changed_.wait();
  disarm();
}

/// The timer must not outlive the wait: the end of a simulation is when nothing is left to happen.
void AtcInvalidations::disarm() {
  if (armed_) core_.lifetime.engine().withdraw(timer_);
  armed_ = false;
}

Task<bool> AtcInvalidations::settle() {
  drop_expired();
  while (!outstanding_.empty()) {
    co_await change();
    drop_expired();
  }
  const bool complete = !failed_;
  failed_ = false;
  co_return complete;
}

void AtcInvalidations::reset() {
  outstanding_.clear();
  armed_ = false;
  failed_ = false;
}

}  // namespace smmusim
