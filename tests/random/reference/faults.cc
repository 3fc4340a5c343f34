// SPDX-License-Identifier: MIT
// Event records (section 7.3) and what the client sees (section 5.5) for every way in which the reference walker ends
// without an address.
#include "tests/random/reference/translation.h"

namespace refwalk {

namespace {

// Positions within the second 64-bit word of a record.
constexpr unsigned kStall = 95 - 64;
constexpr unsigned kPnU = 97 - 64;
constexpr unsigned kInD = 98 - 64;
constexpr unsigned kRnW = 99 - 64;
constexpr unsigned kS2 = 103 - 64;
constexpr unsigned kClass = 104 - 64;
constexpr unsigned kTTRnW = 108 - 64;

uint64_t at(unsigned position, bool value) {
  return value ? uint64_t{1} << position : 0;
}

}  // namespace

// The number, SSV, SubstreamID and StreamID.
uint64_t Translation::event_head(EventNumber number) const {
  uint64_t head = static_cast<unsigned>(number) | (uint64_t{access_.sid} << 32);
  const uint64_t substream = low_bits(access_.ssid, 20) << 12;
  if (number == EventNumber::F_STREAM_DISABLED) return head;
  if (number == EventNumber::C_BAD_SUBSTREAMID) return access_.ssv ? head | substream : head;
  if (access_.ssv) head |= substream | at(11, true);
  return head;
}

Event Translation::event_with_access(EventNumber number) const {
  Event event;
  event.recorded = true;
  event.dw[0] = event_head(number);
  event.dw[1] = at(kPnU, privileged_) | at(kInD, instruction_) | at(kRnW, !access_.write);
  event.dw[2] = access_.address;
  return event;
}

void Translation::stop_silently() const {
  throw Stop{Outcome::Abort, Event{}, 0};
}

void Translation::stop_with(EventNumber number) const {
  Event event;
  event.recorded = true;
  event.dw[0] = event_head(number);
  throw Stop{Outcome::Abort, event, static_cast<unsigned>(number)};
}

void Translation::stop_on_fetch(EventNumber number, uint64_t pa) const {
  Event event;
  event.recorded = true;
  event.dw[0] = event_head(number);
  event.dw[3] = low_bits(align_down(pa, 3), features_.oas);
  throw Stop{Outcome::Abort, event, static_cast<unsigned>(number)};
}

void Translation::walk_abort(bool stage2, FaultClass fault_class, uint64_t pa) const {
  Event event = event_with_access(EventNumber::F_WALK_EABT);
  event.dw[1] |= at(kS2, stage2) | (uint64_t{static_cast<unsigned>(fault_class)} << kClass);
  event.dw[3] = low_bits(align_down(pa, 3), features_.oas);
  throw Stop{Outcome::Abort, event, static_cast<unsigned>(EventNumber::F_WALK_EABT)};
}

void Translation::stage1_fault(EventNumber number) const {
  Event event = event_with_access(number);
  event.dw[1] |= uint64_t{static_cast<unsigned>(FaultClass::IN)} << kClass;
  if (cd_s_) {
    event.dw[1] |= at(kStall, true);
    throw Stop{Outcome::Stall, event, static_cast<unsigned>(number)};
  }
  throw Stop{cd_a_ ? Outcome::Abort : Outcome::RazWi, cd_r_ ? event : Event{}, static_cast<unsigned>(number)};
}

void Translation::bypass_size_fault() const {
  Event event = event_with_access(EventNumber::F_ADDR_SIZE);
  event.dw[1] |= uint64_t{static_cast<unsigned>(FaultClass::IN)} << kClass;
  throw Stop{Outcome::Abort, event, static_cast<unsigned>(EventNumber::F_ADDR_SIZE)};
}

void Translation::stage2_fault(EventNumber number, const Visit& visit) const {
  Event event = event_with_access(number);
  event.dw[1] |= at(kS2, true) | (uint64_t{static_cast<unsigned>(visit.fault_class)} << kClass);
  if (number == EventNumber::F_PERMISSION && visit.fault_class == FaultClass::TT) {
    event.dw[1] |= at(kTTRnW, !visit.for_update);
  }
  event.dw[3] = low_bits(align_down(visit.ipa, 12), features_.oas);
  if (ste_.S2S) {
    event.dw[1] |= at(kStall, true);
    throw Stop{Outcome::Stall, event, static_cast<unsigned>(number)};
  }
  throw Stop{Outcome::Abort, ste_.S2R ? event : Event{}, static_cast<unsigned>(number)};
}

}  // namespace refwalk
