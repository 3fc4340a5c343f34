// SPDX-License-Identifier: MIT
// Buffer, full and overflow, the write of a record, the interrupt after it (IHI 0070 sections 7.2 and 7.4). What a
// record says is faults.cc's.
#include "model/smmu/event_queue.h"

#include <algorithm>

#include "model/smmu/core.h"
#include "model/smmu/own_access.h"

namespace smmusim {
namespace {

using spec::GERROR;

constexpr unsigned record_log2_bytes = 5;

QueueView view_of(const Core& core) {
  return {core.regs.eventq_base & low_mask(core.config.features.oas), core.regs.eventq_prod, core.regs.eventq_cons,
          core.config.features.eventqs, record_log2_bytes};
}
constexpr std::uint64_t overflow_flag = std::uint64_t{1} << 31;  // EVENTQ_PROD.OVFLG and EVENTQ_CONS.OVACKFLG

bool delivers(const Core& core) {
  return core.regs.eventqen() && (core.regs.active_errors() & GERROR::EVENTQ_ABT_ERR::mask) == 0;
}

/// Only translation-related faults have the field.
bool has_stall(const spec::Event& event) {
  const auto type = event.get<spec::Event::Type>();
  return type >= spec::EventType::F_TRANSLATION && type <= spec::EventType::F_PERMISSION &&
         event.get<spec::Event::Stall>();
}

}  // namespace

EventQueue::EventQueue(Core& core)
    : core_(core), buffer_slots_(core.lifetime, core.config.tcu.event_buffer), buffer_(core.config.tcu.event_buffer) {}

Scope& EventQueue::scope() {
  return core_.lifetime;
}

bool EventQueue::has_room() const {
  const QueueView queue = view_of(core_);
  return delivers(core_) && queue.consistent() && queue.used() + (taken_ - finished_) < queue.entries();
}

/// Records are equal if all fields are, but for the low bits of an address that was translated or refused (7.3.8 on).
bool EventQueue::merged(const spec::Event& event) {
  const auto comparable = [](spec::Event record) {
    if (record.get<spec::Event::Type>() >= spec::EventType::F_TRANSL_FORBIDDEN) record.dw[2] &= ~low_mask(12);
    return record;
  };
  const spec::Event wanted = comparable(event);
  for (std::size_t n = 0; n != count_; ++n) {
    if (comparable(buffer_[(first_ + n) % buffer_.size()]) == wanted) return true;
  }
  return false;
}

/// Untimed the buffer is full only if a MemoryPort makes accesses of its own from inside the write of a record, and
/// nobody can wait for a place. Their records follow when that write is over, as many as the queue could hold; what
/// goes beyond is lost as in a full queue, and OVFLG says so after the last of those that waited.
bool EventQueue::widen() {
  if (buffer_.size() >= view_of(core_).entries()) return false;
  std::rotate(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(first_), buffer_.end());
  first_ = 0;
  buffer_.resize(2 * buffer_.size());
  return true;
}

Task<> EventQueue::record(spec::Event& event, bool may_merge) {
  if (may_merge && core_.config.tcu.merge_events && merged(event)) {
    ++core_.counters.events_merged;
    co_return;
  }
  ++taken_;
  if (core_.config.timed) {
    co_await buffer_slots_.acquire();
  } else if (count_ == buffer_.size() && !widen()) {
    ++finished_;
    overflow_due_ = overflow_due_ || delivers(core_);
    lose(event);
    co_return;
  }
  buffer_[(first_ + count_) % buffer_.size()] = event;
  ++count_;
  if (!writing_) {
    writing_ = true;
    spawn(core_.lifetime, drain());
  }
}

void EventQueue::withdraw_stall(std::uint16_t stag) {
  for (std::size_t n = 0; n != count_; ++n) {
    spec::Event& record = buffer_[(first_ + n) % buffer_.size()];
    if (has_stall(record) && record.get<spec::Event::STAG>() == stag) record = spec::Event{};
  }
}

Task<> EventQueue::drain() {
  while (count_ != 0) {
    spec::Event event = buffer_[first_];
    first_ = (first_ + 1) % buffer_.size();
    --count_;
    const bool withdrawn = event == spec::Event{};
    if (!withdrawn) co_await write(event);
    ++finished_;
    if (withdrawn) core_.stalls.look_again();  // the place that was kept for it is free
    if (core_.config.timed) buffer_slots_.release();
    core_.command_queue.progress();
  }
  writing_ = false;
  if (overflow_due_) overflow();
  update_cr0ack(core_);
  core_.command_queue.progress();
}

/// False if the record is lost; a full queue says so through OVFLG (section 7.4).
bool EventQueue::writable_or_lost(const spec::Event& event) {
  const QueueView queue = view_of(core_);
  const bool on = delivers(core_);
  if (on && queue.consistent() && !queue.full()) return true;
  if (has_stall(event)) {
    core_.stalls.not_recorded(event.get<spec::Event::STAG>());
    return false;
  }
  if (on) overflow();
  lose(event);
  return false;
}

void EventQueue::overflow() {
  overflow_due_ = false;
  if (((core_.regs.eventq_prod ^ core_.regs.eventq_cons) & overflow_flag) == 0) core_.regs.eventq_prod ^= overflow_flag;
}

void EventQueue::lost_before() {
  if (delivers(core_)) overflow();
}

void EventQueue::lose(const spec::Event& event) {
  ++core_.counters.events_lost;
  if (core_.observer != nullptr) core_.observer->event(event, false);
}

Task<> EventQueue::write(spec::Event& event) {
  if (!writable_or_lost(event)) co_return;
  const std::uint32_t index = view_of(core_).prod();
  OwnAccess access = own_write(core_, Purpose::EVENT, view_of(core_).address(index), event.dw.data(), 32,
                               core_.output_queue_attributes(core_.regs.eventq_base));
  const MemoryStatus status = co_await access;
  if (status != MemoryStatus::ok) {
    lose(event);
    core_.interrupts.report_global_error(GERROR::EVENTQ_ABT_ERR::mask);
    co_return;
  }
  const QueueView queue = view_of(core_);
  core_.regs.eventq_prod = (core_.regs.eventq_prod & overflow_flag) | queue.next(index);
  ++core_.counters.events_written;
  if (core_.observer != nullptr) core_.observer->event(event, true);
  if (queue.empty()) core_.interrupts.raise(IrqSource::event_queue);  // it was, before this record
}

void EventQueue::reset() {
  first_ = 0;
  count_ = 0;
  taken_ = finished_ = 0;
  writing_ = overflow_due_ = false;
}

}  // namespace smmusim
