// SPDX-License-Identifier: MIT
// TraceMaker: what the patterns of generate.h have in common: the records of accesses with their oracle, which output a
// page has, and the invalidations after which it gets another one.
#pragma once

#include <cstdint>
#include <functional>
#include <unordered_map>

#include "platform/trace/generate.h"
#include "platform/trace/random.h"

namespace smmusim::trace {

/// One of the address spaces of a trace: stream number `lane`, and which of its PASIDs, from 0.
struct TraceSpace {
  std::uint32_t lane = 0;
  std::uint32_t pasid = 0;
};

class TraceMaker {
 public:
  /// Both outlive it.
  TraceMaker(const GenerateOptions& options, const std::function<void(const Record&)>& sink)
      : options_(options), sink_(sink), random_(options.seed) {}

  Xoshiro256& random() { return random_; }
  /// True with the probability of a read.
  bool draw_read() { return random_.below(100) < options_.read_percent; }
  std::uint32_t spaces_per_stream() const { return options_.pasids == 0 ? 1 : options_.pasids; }
  std::uint64_t spaces() const { return std::uint64_t{options_.streams} * spaces_per_stream(); }
  /// Number `index` of spaces(): streams first, so that neighbours are of different devices.
  TraceSpace space(std::uint64_t index) const {
    return {static_cast<std::uint32_t>(index % options_.streams), static_cast<std::uint32_t>(index / options_.streams)};
  }

  /// Tells which ASID each PASID has. Without PASIDs the invalidations tell.
  void announce();
  /// All accesses that were asked for are there.
  bool full() const { return accesses_ == options_.count; }
  /// `size` bytes at `offset` in the space's window, inside a page; nothing if full().
  void access(const TraceSpace& space, Op op, std::uint64_t offset, std::uint32_t size, std::uint8_t perm);
  /// As many of these as `bytes` needs.
  void transfer(const TraceSpace& space, Op op, std::uint64_t offset, std::uint64_t bytes, std::uint8_t perm);
  /// The pages are no longer used: they are invalidated, and mapped elsewhere the next time.
  void unmap(const TraceSpace& space, std::uint64_t offset, std::uint64_t pages);

 private:
  std::uint64_t number(const TraceSpace& space) const { return space.lane * spaces_per_stream() + space.pasid; }
  std::uint16_t asid(const TraceSpace& space) const {
    return static_cast<std::uint16_t>(options_.asid + number(space));
  }
  std::uint64_t linear_page(const TraceSpace& space, std::uint64_t offset) const {
    return (number(space) * options_.window_bytes + offset) / page_bytes;
  }
  std::uint64_t iova(const TraceSpace& space, std::uint64_t offset) const {
    return options_.base + space.lane * options_.window_bytes + offset;
  }

  const GenerateOptions& options_;
  const std::function<void(const Record&)>& sink_;
  Xoshiro256 random_;
  std::uint64_t accesses_ = 0;
  std::uint64_t time_ps_ = 0;                               // of the last access
  std::unordered_map<std::uint64_t, std::uint64_t> moved_;  // linear page -> times unmapped; never iterated
};

/// The patterns that are devices with rings. `options` are checked.
void generate_nvme_ring(const GenerateOptions& options, TraceMaker& maker);
void generate_nic_ring(const GenerateOptions& options, TraceMaker& maker);
/// Bytes of a window that the rings and buffers of such a pattern need; 0: another pattern.
std::uint64_t ring_window_bytes(const GenerateOptions& options);

}  // namespace smmusim::trace
