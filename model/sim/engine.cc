// SPDX-License-Identifier: MIT
// The timing wheel. Within a bucket nodes are kept sorted by (when, order); insertion searches from the back, where
// a new node nearly always belongs. Events beyond the horizon wait in a heap and move into the wheel as it turns.
#include "model/sim/engine.h"

#include <algorithm>
#include <bit>

#include "model/base/check.h"

namespace smmusim {
namespace {

bool before(const EventNode& a, const EventNode& b) {
  return a.when != b.when ? a.when < b.when : a.order < b.order;
}
bool heap_order(const EventNode* a, const EventNode* b) {
  return before(*b, *a);
}

std::size_t remove_scope(EventList& list, const Scope& scope) {
  std::size_t removed = 0;
  for (auto it = list.begin(); it != list.end();) {
    if (it->scope == &scope) {
      it = list.erase(it);
      ++removed;
    } else {
      ++it;
    }
  }
  return removed;
}

/// Marks the engine as running for as long as it lives, also when an event throws.
class RunningMark {
 public:
  explicit RunningMark(bool& flag) : flag_(flag) { flag_ = true; }
  ~RunningMark() { flag_ = false; }
  RunningMark(const RunningMark&) = delete;
  RunningMark& operator=(const RunningMark&) = delete;

 private:
  bool& flag_;
};

}  // namespace

inline void EventRing::insert(EventNode& node) {
  if (first_ == nullptr) {
    node.next = node.prev = &node;
    first_ = &node;
    return;
  }
  EventNode* next = first_;  // the node that `node` goes in front of; round the ring: it goes last
  while (before(node, *next->prev)) {
    next = next->prev;
    if (next == first_) {
      first_ = &node;
      break;
    }
  }
  node.next = next;
  node.prev = next->prev;
  node.prev->next = &node;
  next->prev = &node;
}

inline void EventRing::remove(EventNode& node) {
  if (node.next == &node) {
    first_ = nullptr;
    return;
  }
  node.prev->next = node.next;
  node.next->prev = node.prev;
  if (first_ == &node) first_ = node.next;
}

std::size_t EventRing::remove_scope(const Scope& scope) {
  EventRing kept;
  std::size_t removed = 0;
  while (!empty()) {
    EventNode& node = front();
    remove(node);
    if (node.scope == &scope) {
      ++removed;
    } else {
      kept.insert(node);
    }
  }
  *this = kept;
  return removed;
}

void Engine::schedule_at(Time when, EventNode& node) {
  SMMUSIM_CHECK(when >= now_);
  node.when = when;
  node.order = order_++;
  ++waiting_;
  if (within_horizon(when)) {
    insert_in_wheel(node);
  } else {
    wait_beyond_horizon(node);
  }
}

[[gnu::noinline]] void Engine::wait_beyond_horizon(EventNode& node) {
  overflow_.push_back(&node);
  std::push_heap(overflow_.begin(), overflow_.end(), heap_order);
}

void Engine::withdraw(EventNode& node) {
  --waiting_;
  const auto far = std::find(overflow_.begin(), overflow_.end(), &node);
  if (far != overflow_.end()) {
    overflow_.erase(far);
    std::make_heap(overflow_.begin(), overflow_.end(), heap_order);
    return;
  }
  take_out(node);
}

void Engine::post(EventNode& node) {
  node.when = now_;
  node.order = order_++;
  ++waiting_;
  ready_.push_back(node);
}

inline void Engine::insert_in_wheel(EventNode& node) {
  const std::size_t index = bucket_number(node.when) % buckets_;
  wheel_[index].insert(node);
  occupied_[index / 64] |= std::uint64_t{1} << (index % 64);
  if (next_ == nullptr || before(node, *next_)) next_ = &node;
}

void Engine::migrate_overflow() {
  while (overflow_near()) {
    std::pop_heap(overflow_.begin(), overflow_.end(), heap_order);
    insert_in_wheel(*overflow_.back());
    overflow_.pop_back();
  }
}

/// The first node in the wheel, all of whose nodes lie at or after bucket `start`; null if there is none.
inline EventNode* Engine::first_from(std::size_t start) const {
  std::size_t word = start / 64;
  std::uint64_t bits = occupied_[word] & (~std::uint64_t{0} << (start % 64));
  for (std::size_t step = 0; step <= occupancy_words_; ++step) {
    if (bits != 0) return &wheel_[word * 64 + static_cast<std::size_t>(std::countr_zero(bits))].front();
    word = (word + 1) % occupancy_words_;
    bits = occupied_[word];
  }
  return nullptr;
}

Time Engine::next_event() {
  if (!ready_.empty()) return now_;
  if (overflow_near()) migrate_overflow();
  if (next_ != nullptr) return next_->when;
  return overflow_.empty() ? time_never : overflow_.front()->when;
}

inline void Engine::take_out(EventNode& node) {
  const std::size_t index = bucket_number(node.when) % buckets_;
  EventRing& bucket = wheel_[index];
  bucket.remove(node);
  if (bucket.empty()) occupied_[index / 64] &= ~(std::uint64_t{1} << (index % 64));
  if (&node != next_) return;
  next_ = bucket.empty() ? first_from(index) : &bucket.front();
  if (next_ == nullptr || next_->subject == nullptr) return;
  // It has waited long enough to have left the host's cache, and comes back while `node` is at work.
  __builtin_prefetch(next_->subject);
  __builtin_prefetch(static_cast<const std::byte*>(next_->subject) + 64);
}

/// Takes the next event out if it is due by `limit`; null if none is.
inline EventNode* Engine::pop_due(Time limit) {
  if (overflow_near()) migrate_overflow();
  if (next_ == nullptr) {
    if (overflow_.empty() || overflow_.front()->when > limit) return nullptr;
    now_ = overflow_.front()->when;  // nothing nearer: turn the wheel to the first far event
    migrate_overflow();
  }
  if (next_->when > limit) return nullptr;
  EventNode* node = next_;
  take_out(*node);
  return node;
}

inline void Engine::fire(EventNode& node) {
  --waiting_;
  node.fire(node);
  rethrow_failure();
}

inline void Engine::fire_ready() {
  while (!ready_.empty()) {
    EventNode& node = ready_.front();
    ready_.pop_front();
    fire(node);
  }
}

/// Everything of the next instant up to `limit`; nothing is ready before. False: there is none such.
bool Engine::run_due(Time limit) {
  EventNode* node = pop_due(limit);
  if (node == nullptr) return false;
  now_ = node->when;
  for (;;) {
    fire(*node);
    fire_ready();
    if (next_ == nullptr || next_->when != now_) return true;  // whatever is due now lies in the wheel
    node = next_;
    take_out(*node);
  }
}

void Engine::run_until(Time limit) {
  if (running_) return;
  SMMUSIM_CHECK(limit >= now_);
  run(limit);
  now_ = limit;
}

void Engine::run(Time limit) {
  if (running_) return;
  RunningMark mark(running_);
  fire_ready();
  while (run_due(limit)) {
  }
}

bool Engine::run_next(Time limit) {
  if (running_) return false;
  RunningMark mark(running_);
  if (ready_.empty()) return run_due(limit);
  if (now_ > limit) return false;
  fire_ready();
  run_due(now_);
  return true;
}

void Engine::cancel(const Scope& scope) {
  waiting_ -= remove_scope(ready_, scope);
  for (std::size_t i = 0; i < buckets_; ++i) {
    waiting_ -= wheel_[i].remove_scope(scope);
    if (wheel_[i].empty()) occupied_[i / 64] &= ~(std::uint64_t{1} << (i % 64));
  }
  next_ = first_from(bucket_number(now_) % buckets_);
  const auto dropped = std::remove_if(overflow_.begin(), overflow_.end(),
                                      [&scope](const EventNode* node) { return node->scope == &scope; });
  waiting_ -= static_cast<std::size_t>(overflow_.end() - dropped);
  overflow_.erase(dropped, overflow_.end());
  std::make_heap(overflow_.begin(), overflow_.end(), heap_order);
}

}  // namespace smmusim
