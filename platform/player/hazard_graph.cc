// SPDX-License-Identifier: MIT
// HazardGraph; see the header. Edges and readers live in pools with free lists: nothing is allocated in steady state.
#include "platform/player/hazard_graph.h"

#include <algorithm>
#include <bit>

#include "model/base/check.h"

namespace smmusim {
namespace {

/// An entry of `pool` for `value`, from the free list if it has one. `link` is the member that chains free entries.
template <class T>
std::uint32_t take(std::vector<T>& pool, std::uint32_t& free_list, std::uint32_t T::*link, const T& value) {
  if (free_list == HazardGraph::none) {
    pool.push_back(value);
    return static_cast<std::uint32_t>(pool.size() - 1);
  }
  const std::uint32_t index = free_list;
  free_list = pool[index].*link;
  pool[index] = value;
  return index;
}

}  // namespace

HazardGraph::HazardGraph(std::size_t spaces, std::uint32_t slots)
    : operations_(std::bit_ceil(std::max<std::uint32_t>(slots, 2))), spaces_(spaces) {}

HazardGraph::Slot HazardGraph::open() {
  SMMUSIM_CHECK(room() != 0);
  const Slot slot = slot_of(next_);
  operations_[slot] = {next_, 1, none, none, false};
  ++next_;
  return slot;
}

void HazardGraph::wait_for(Slot waiter, std::uint64_t sequence) {
  if (!unfinished(sequence) || operations_[waiter].sequence == sequence) return;
  Operation& earlier = operations_[slot_of(sequence)];
  earlier.first_edge = take(edges_, free_edge_, &Edge::next, Edge{waiter, earlier.first_edge});
  ++operations_[waiter].waits;
}

void HazardGraph::wait_for_ranges(Slot slot, std::size_t space, std::uint64_t number) {
  std::vector<Range>& ranges = spaces_[space].ranges;
  if (ranges.empty()) return;
  std::erase_if(ranges, [this](const Range& range) { return !unfinished(range.sequence); });
  for (const Range& range : ranges) {
    if (number >= range.first && number <= range.last) wait_for(slot, range.sequence);
  }
}

void HazardGraph::reads(Slot slot, std::size_t space, std::uint64_t number) {
  Page& page = this->page(space, number);
  wait_for(slot, page.writer);
  wait_for_ranges(slot, space, number);
  const std::uint32_t reading = take(readings_, free_reading_, &Reading::next_of_operation,
                                     Reading{slot, &page, none, page.first_reader, operations_[slot].first_reading});
  if (page.first_reader != none) readings_[page.first_reader].previous = reading;
  page.first_reader = reading;
  operations_[slot].first_reading = reading;
}

/// `slot` waits for the readers of `page`, whose list is empty afterwards: later writers wait for `slot` instead.
void HazardGraph::take_readers(Slot slot, Page& page) {
  for (std::uint32_t i = page.first_reader; i != none;) {
    Reading& reading = readings_[i];
    wait_for(slot, operations_[reading.slot].sequence);
    reading.page = nullptr;
    i = reading.next;
  }
  page.first_reader = none;
}

void HazardGraph::writes(Slot slot, std::size_t space, std::uint64_t number) {
  Page& page = this->page(space, number);
  wait_for(slot, page.writer);
  wait_for_ranges(slot, space, number);
  take_readers(slot, page);
  page.writer = operations_[slot].sequence;
}

void HazardGraph::writes_range(Slot slot, std::size_t space, std::uint64_t first, std::uint64_t last) {
  Space& s = spaces_[space];
  std::erase_if(s.ranges, [this](const Range& range) { return !unfinished(range.sequence); });
  for (const Range& range : s.ranges) {
    if (first <= range.last && range.first <= last) wait_for(slot, range.sequence);
  }
  // Every page that has anything to wait for is known. The order of visits shows in the order of edges, so it must
  // not be the hash table's.
  std::vector<std::uint64_t> numbers;
  for (const auto& [number, page] : s.pages) {
    if (number >= first && number <= last) numbers.push_back(number);
  }
  std::sort(numbers.begin(), numbers.end());
  for (const std::uint64_t number : numbers) {
    Page& page = s.pages[number];
    wait_for(slot, page.writer);
    take_readers(slot, page);
    page.writer = operations_[slot].sequence;
    page.pair = 0;
  }
  s.ranges.push_back({first, last, operations_[slot].sequence});
}

void HazardGraph::release(Slot slot) {
  Operation& operation = operations_[slot];
  SMMUSIM_CHECK(operation.waits != 0);
  if (--operation.waits == 0) ready_.push_back(slot);
}

void HazardGraph::unlink(std::uint32_t index) {
  const Reading& reading = readings_[index];
  if (reading.page == nullptr) return;
  if (reading.previous != none) {
    readings_[reading.previous].next = reading.next;
  } else {
    reading.page->first_reader = reading.next;
  }
  if (reading.next != none) readings_[reading.next].previous = reading.previous;
}

void HazardGraph::finish(Slot slot) {
  Operation& operation = operations_[slot];
  SMMUSIM_CHECK(!operation.finished && operation.waits == 0);
  operation.finished = true;
  for (std::uint32_t i = operation.first_reading; i != none;) {
    unlink(i);
    const std::uint32_t next = readings_[i].next_of_operation;
    readings_[i].next_of_operation = free_reading_;
    free_reading_ = i;
    i = next;
  }
  for (std::uint32_t i = operation.first_edge; i != none;) {
    const Edge edge = edges_[i];
    edges_[i].next = free_edge_;
    free_edge_ = i;
    release(edge.to);
    i = edge.next;
  }
  while (oldest_ != next_ && operations_[slot_of(oldest_)].finished) ++oldest_;
}

void HazardGraph::collect() {
  for (Space& space : spaces_) {
    if (space.pages.size() < space.collect_at) continue;
    std::erase_if(space.pages, [this](const auto& entry) {
      const Page& page = entry.second;
      return page.pair == 0 && page.first_reader == none && !unfinished(page.writer);
    });
    space.collect_at = std::max<std::size_t>(4096, 2 * space.pages.size());
  }
}

std::size_t HazardGraph::pages_known() const {
  std::size_t sum = 0;
  for (const Space& space : spaces_) sum += space.pages.size();
  return sum;
}

}  // namespace smmusim
