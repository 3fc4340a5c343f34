// SPDX-License-Identifier: MIT
// The Event queue (IHI 0070 sections 3.5, 7.2 and 7.4): records go through a small buffer to memory, one at a time
// and in order; PROD moves when a record is visible. A record that finds the queue full is lost and toggles OVFLG; one
// that finds it disabled or in error is lost silently. A stall's record is never lost so: its transaction is retried.
#pragma once

#include <vector>

#include "model/sim/resources.h"
#include "model/sim/task.h"
#include "model/spec/event.h"

namespace smmusim {

struct Core;

class EventQueue {
 public:
  explicit EventQueue(Core& core);

  /// Takes a record for delivery; waits only while the buffer is full. One that may be merged (section 7.3.1) vanishes
  /// in an equal one that waits in the buffer, if TcuConfig::merge_events. Untimed it never waits: see widen().
  Task<> record(spec::Event& event, bool may_merge);
  /// True if a record that is taken now will find its place: the queue is writable (section 7.2.1), and what is in the
  /// buffer leaves room.
  bool has_room() const;
  /// How many records were ever taken, and whether the first `records` of them are written, lost or withdrawn.
  std::uint64_t taken() const { return taken_; }
  bool finished(std::uint64_t records) const { return finished_ >= records; }
  /// The record of a stall that is over is not to be written, if it still waits in the buffer.
  void withdraw_stall(std::uint16_t stag);
  /// True while records are on their way to memory; EVENTQEN can't be acknowledged off before.
  bool busy() const { return writing_; }
  /// Records were lost before they came here, as they are lost here when the queue is full: OVFLG.
  void lost_before();
  void reset();
  Scope& scope();

 private:
  Task<> drain();
  Task<> write(spec::Event& event);
  bool writable_or_lost(const spec::Event& event);
  void lose(const spec::Event& event);
  void overflow();
  bool widen();
  bool merged(const spec::Event& event);

  Core& core_;
  Slots buffer_slots_;
  std::vector<spec::Event> buffer_;  // a ring
  std::size_t first_ = 0;
  std::size_t count_ = 0;
  std::uint64_t taken_ = 0;
  std::uint64_t finished_ = 0;
  bool writing_ = false;
  bool overflow_due_ = false;  ///< a record was lost before those that fill the queue are written
};

}  // namespace smmusim
