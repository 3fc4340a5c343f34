// SPDX-License-Identifier: MIT
// HazardGraph: which operations of a trace must wait for which, by the pages that they touch. Operations are opened
// in program order; one that reads a page waits for the earlier writers of it, one that writes a page (a map, an
// unmap, an invalidation) waits for its earlier readers and writers. Nothing else orders anything.
//
// It knows pages and order only, neither tables nor commands nor time. Memory is bounded by the number of slots, and
// by the pages that hold a pair.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

namespace smmusim {

class HazardGraph {
 public:
  /// An operation's place, reused after it has finished; slot numbers follow program order modulo slots().
  using Slot = std::uint32_t;
  static constexpr std::uint32_t none = ~std::uint32_t{0};

  /// What is known of one 4 KiB page of an address space.
  struct Page {
    std::uint64_t pair = 0;             ///< the user's: what the page is mapped to, in program order; 0: nothing
    std::uint64_t writer = 0;           ///< sequence number of the last operation that writes it; 0: none
    std::uint32_t first_reader = none;  ///< readers since then that have not finished
  };

  /// At most `slots` operations (rounded up to a power of two) are open at a time.
  HazardGraph(std::size_t spaces, std::uint32_t slots);

  std::uint32_t slots() const { return static_cast<std::uint32_t>(operations_.size()); }
  /// How many more operations can be opened.
  std::uint32_t room() const { return slots() - static_cast<std::uint32_t>(next_ - oldest_); }
  /// The slot of the oldest unfinished operation (of the next one if there is none).
  Slot oldest() const { return slot_of(oldest_); }
  bool empty() const { return oldest_ == next_; }

  /// The page's state, made if it is new. The reference lives until the next collect().
  Page& page(std::size_t space, std::uint64_t number) { return spaces_[space].pages[number]; }

  /// The next operation in program order. It can't become ready before seal().
  Slot open();
  void reads(Slot slot, std::size_t space, std::uint64_t number);
  void writes(Slot slot, std::size_t space, std::uint64_t number);
  /// Writes every page of [first, last], known or not, and clears the pairs of those that are known.
  void writes_range(Slot slot, std::size_t space, std::uint64_t first, std::uint64_t last);
  /// `slot` also waits for release() once more.
  void hold(Slot slot) { ++operations_[slot].waits; }
  void release(Slot slot);
  /// No more pages: from now on it becomes ready as soon as it waits for nothing.
  void seal(Slot slot) { release(slot); }

  /// The operation is done: whoever waited for it only becomes ready.
  void finish(Slot slot);

  /// Operations that have become ready, in the order in which they did; the caller empties it.
  std::vector<Slot>& ready() { return ready_; }

  /// Drops pages without pair, writer and reader when they have become many.
  void collect();
  std::size_t pages_known() const;

 private:
  struct Operation {
    std::uint64_t sequence = 0;
    std::uint32_t waits = 0;
    std::uint32_t first_edge = none;     // operations that wait for it
    std::uint32_t first_reading = none;  // its entries in pages' lists of readers
    bool finished = true;
  };
  struct Edge {
    Slot to;
    std::uint32_t next;
  };
  struct Reading {
    Slot slot;
    Page* page;              // null: a writer has taken the list over
    std::uint32_t previous;  // in the page's list
    std::uint32_t next;
    std::uint32_t next_of_operation;
  };
  struct Range {
    std::uint64_t first;
    std::uint64_t last;
    std::uint64_t sequence;
  };
  struct Space {
    std::unordered_map<std::uint64_t, Page> pages;
    std::vector<Range> ranges;  // of unfinished operations
    std::size_t collect_at = 4096;
  };

  Slot slot_of(std::uint64_t sequence) const { return static_cast<Slot>(sequence & (operations_.size() - 1)); }
  bool unfinished(std::uint64_t sequence) const {
    const Operation& operation = operations_[slot_of(sequence)];
    return sequence != 0 && operation.sequence == sequence && !operation.finished;
  }
  void wait_for(Slot waiter, std::uint64_t sequence);
  void wait_for_ranges(Slot slot, std::size_t space, std::uint64_t number);
  void take_readers(Slot slot, Page& page);
  void unlink(std::uint32_t reading);

  std::vector<Operation> operations_;
  std::vector<Edge> edges_;
  std::uint32_t free_edge_ = none;
  std::vector<Reading> readings_;
  std::uint32_t free_reading_ = none;
  std::vector<Space> spaces_;
  std::vector<Slot> ready_;
  std::uint64_t oldest_ = 1;  // sequence numbers
  std::uint64_t next_ = 1;
};

}  // namespace smmusim
