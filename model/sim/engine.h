// SPDX-License-Identifier: MIT
// Engine: simulated time and the order in which things happen in it.
//
// A timing wheel of intrusive nodes: whoever waits brings the node, so an event costs no allocation. Events run in
// order of (time, arrival), which makes a run repeatable bit for bit. One Engine serves every SMMU, memory and link
// of a simulation. It knows nothing of SystemC: tlm/pump.h drives it from there.
#pragma once

#include <array>
#include <boost/intrusive/list.hpp>
#include <boost/intrusive/trivial_value_traits.hpp>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <utility>
#include <vector>

namespace smmusim {

/// Simulated time in picoseconds since the start.
using Time = std::uint64_t;
inline constexpr Time time_never = ~Time{0};

class Scope;

/// Something that happens later. The owner keeps it alive and in place until it has fired or was cancelled.
/// Deliberately trivially destructible: it lives in awaiters, and g++ 12 destroys those twice if they are not.
struct EventNode {
  EventNode* next = nullptr;
  EventNode* prev = nullptr;
  Time when = 0;
  std::uint64_t order = 0;
  Scope* scope = nullptr;              ///< whose cancellation drops it; null: nobody's
  void* subject = nullptr;             ///< the fire function's own; if not null, what it looks at first
  void (*fire)(EventNode&) = nullptr;  ///< called once, after the node has left the engine
};

/// How Boost.Intrusive finds the links of an EventNode (its own hooks are not trivially destructible).
struct EventNodeTraits {
  using node = EventNode;
  using node_ptr = EventNode*;
  using const_node_ptr = const EventNode*;
  static node_ptr get_next(const_node_ptr n) { return n->next; }
  static void set_next(node_ptr n, node_ptr next) { n->next = next; }
  static node_ptr get_previous(const_node_ptr n) { return n->prev; }
  static void set_previous(node_ptr n, node_ptr prev) { n->prev = prev; }
};
using EventList =
    boost::intrusive::list<EventNode,
                           boost::intrusive::value_traits<
                               boost::intrusive::trivial_value_traits<EventNodeTraits, boost::intrusive::normal_link>>,
                           boost::intrusive::constant_time_size<false>>;

/// Events of a short span of time, in the order in which they fire: a ring through next and prev. One pointer, so that
/// many of them stay in the host's cache.
class EventRing {
 public:
  bool empty() const { return first_ == nullptr; }
  EventNode& front() const { return *first_; }
  /// Behind all that fire before it.
  void insert(EventNode& node);
  void remove(EventNode& node);
  /// Removes every node of `scope`; returns how many.
  std::size_t remove_scope(const Scope& scope);

 private:
  EventNode* first_ = nullptr;
};

class Engine {
 public:
  Engine() = default;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  Time now() const { return now_; }

  /// Fires `node` at time `when` (not in the past), after everything scheduled earlier for that time.
  void schedule_at(Time when, EventNode& node);
  void schedule_in(Time delay, EventNode& node) { schedule_at(now_ + delay, node); }
  /// Takes back a node that schedule_at() has taken and that has not fired.
  void withdraw(EventNode& node);
  /// Fires `node` at the present instant, after everything posted before it; never inside the caller.
  void post(EventNode& node);

  /// Runs everything due up to and including `limit`; now() is `limit` afterwards. Does nothing if called from
  /// inside an event (the outer call goes on).
  void run_until(Time limit);
  /// Runs until nothing is left, or `limit` is passed; now() is the time of the last event that ran.
  void run(Time limit = time_never);
  /// Runs everything of the next instant that has any, unless it comes after `limit`; now() is that instant then.
  /// False: it ran nothing, as also if called from inside an event.
  bool run_next(Time limit);
  /// The time of the next event; the present if something is ready; time_never if there is none.
  Time next_event();

  /// Takes an exception that an event could not throw itself; run() throws the first one after that event.
  void fail(std::exception_ptr failure) {
    if (!failure_) failure_ = std::move(failure);
  }
  void rethrow_failure() {
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
  }

  /// Removes every waiting node of `scope`.
  void cancel(const Scope& scope);
  bool running() const { return running_; }
  /// How many nodes wait, ready ones included.
  std::size_t waiting() const { return waiting_; }

 private:
  static constexpr unsigned bucket_bits_ = 10;        // 1024 buckets …
  static constexpr unsigned bucket_width_bits_ = 10;  // … of 1024 ps: a horizon of about 1 us
  static constexpr std::size_t buckets_ = std::size_t{1} << bucket_bits_;
  static constexpr std::size_t occupancy_words_ = buckets_ / 64;

  static std::uint64_t bucket_number(Time t) { return t >> bucket_width_bits_; }
  bool within_horizon(Time t) const { return bucket_number(t) - bucket_number(now_) < buckets_; }
  void wait_beyond_horizon(EventNode& node);
  void insert_in_wheel(EventNode& node);
  bool overflow_near() const { return !overflow_.empty() && within_horizon(overflow_.front()->when); }
  void migrate_overflow();
  EventNode* first_from(std::size_t start) const;
  EventNode* pop_due(Time limit);
  void take_out(EventNode& node);
  void fire(EventNode& node);
  void fire_ready();
  bool run_due(Time limit);

  Time now_ = 0;
  std::uint64_t order_ = 0;
  std::size_t waiting_ = 0;
  bool running_ = false;
  std::exception_ptr failure_;
  EventList ready_;
  std::array<EventRing, buckets_> wheel_;
  std::array<std::uint64_t, occupancy_words_> occupied_{};
  EventNode* next_ = nullptr;         // the first in the wheel
  std::vector<EventNode*> overflow_;  // a heap by (when, order): events beyond the horizon
};

}  // namespace smmusim
