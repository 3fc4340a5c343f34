// SPDX-License-Identifier: MIT
// The whole timing vocabulary of the model: delay, Slots (n at a time), Pipe (latency and issue interval) and Gate
// (wait until told). None of them resumes a waiter inside the caller: waiters go to the Engine's ready list of the
// same instant, first in first out. In an untimed model nothing here ever suspends.
#pragma once

#include <coroutine>
#include <limits>

#include "model/sim/engine.h"
#include "model/sim/scope.h"

namespace smmusim {

/// A suspended coroutine as an event: firing resumes it.
struct Resumption : EventNode {
  void resumes(std::coroutine_handle<> waiter) {
    subject = waiter.address();
    fire = &resume;
  }

 private:
  static void resume(EventNode& node) { std::coroutine_handle<>::from_address(node.subject).resume(); }
};

/// `co_await delay(scope, ps)`: waits that long; zero does not suspend.
struct Delay : Resumption {
  Engine* engine = nullptr;
  Time length = 0;
  bool await_ready() const { return length == 0; }
  void await_suspend(std::coroutine_handle<> caller) {
    resumes(caller);
    engine->schedule_in(length, *this);
  }
  void await_resume() const {}
};
inline Delay delay(Scope& scope, Time length) {
  Delay wait;
  wait.scope = &scope;
  wait.engine = &scope.engine();
  wait.length = length;
  return wait;
}

/// First-in-first-out waiters and a count of what they wait for. Base of Slots and Gate.
class WaitList {
 public:
  WaitList(const WaitList&) = delete;
  WaitList& operator=(const WaitList&) = delete;

  /// For Scope::cancel: forgets the waiters, whose frames are about to go.
  void drop_waiters() { waiters_.clear(); }
  /// For Scope::cancel: the state after construction.
  void restore() { available_ = initial_; }
  bool has_waiters() const { return !waiters_.empty(); }

  struct Wait : Resumption {
    WaitList* list = nullptr;
    bool await_ready() const { return list->try_take(); }
    void await_suspend(std::coroutine_handle<> caller) {
      resumes(caller);
      scope = &list->scope_;
      list->waiters_.push_back(*this);
    }
    void await_resume() const {}
  };

 protected:
  WaitList(Scope& scope, unsigned available) : scope_(scope), available_(available), initial_(available) {
    scope.enrol(*this);
  }
  ~WaitList() { scope_.withdraw(*this); }

  bool try_take() {
    if (available_ == 0 || !waiters_.empty()) return false;
    --available_;
    return true;
  }
  Wait wait() {
    Wait w;
    w.list = this;
    return w;
  }
  /// Makes the first waiter ready; false if there is none.
  bool wake_one() {
    if (waiters_.empty()) return false;
    EventNode& node = waiters_.front();
    waiters_.pop_front();
    scope_.engine().post(node);
    return true;
  }

  Scope& scope_;
  EventList waiters_;
  unsigned available_;
  unsigned initial_;
};

/// n users at a time. `co_await slots.acquire()`, then release() exactly once; or hold a SlotHold.
class Slots : public WaitList {
 public:
  static constexpr unsigned unlimited = std::numeric_limits<unsigned>::max();
  Slots(Scope& scope, unsigned slots_max) : WaitList(scope, slots_max) {}
  Wait acquire() { return wait(); }
  void release() {
    if (!wake_one()) ++available_;
  }
  unsigned in_use() const { return initial_ - available_; }
  bool exhausted() const { return available_ == 0 || has_waiters(); }
};

/// Gives a slot back when it goes out of scope, the frame's destruction included.
class SlotHold {
 public:
  explicit SlotHold(Slots& slots) : slots_(&slots) {}
  /// Null: holds nothing.
  explicit SlotHold(Slots* slots) : slots_(slots) {}
  ~SlotHold() { release(); }
  SlotHold(const SlotHold&) = delete;
  SlotHold& operator=(const SlotHold&) = delete;
  void release() {
    if (slots_ != nullptr) slots_->release();
    slots_ = nullptr;
  }

 private:
  Slots* slots_;
};

/// `while (!condition) co_await gate.wait();` and open() when the condition may have changed.
class Gate : public WaitList {
 public:
  explicit Gate(Scope& scope) : WaitList(scope, 0) {}
  using WaitList::wait;
  /// Wakes all that wait now; whoever waits later waits for the next open().
  void open() {
    while (wake_one()) {
    }
  }
};

/// A clock: instants are rounded up to its edges. A period of zero is an untimed domain.
struct Clock {
  Time period = 0;  ///< picoseconds
  Time cycles(std::uint64_t n) const { return n * period; }
  Time next_edge(Time t) const { return period == 0 ? t : (t + period - 1) / period * period; }
};

/// A pipelined unit: takes one item every `interval_cycles`, each leaves `latency_cycles` after it entered.
class Pipe {
 public:
  Pipe(Scope& scope, Clock clock, unsigned latency_cycles, unsigned interval_cycles)
      : scope_(scope),
        clock_(clock),
        latency_(clock.cycles(latency_cycles)),
        interval_(clock.cycles(interval_cycles)) {}

  /// Enters now or when the unit is free; the wait ends when the item leaves.
  Delay pass() { return delay(scope_, reserve()); }
  /// Books the next place; returns how long from now until the item leaves.
  Time reserve() {
    if (clock_.period == 0) return 0;
    const Time now = scope_.engine().now();
    const Time enter = clock_.next_edge(now > free_at_ ? now : free_at_);
    free_at_ = enter + interval_;
    return enter + latency_ - now;
  }
  void reset() { free_at_ = 0; }

 private:
  Scope& scope_;
  Clock clock_;
  Time latency_;
  Time interval_;
  Time free_at_ = 0;
};

}  // namespace smmusim
