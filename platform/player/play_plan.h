// SPDX-License-Identifier: MIT
// PlayPlan: what must be known of a trace before it can be played: its streams and their substreams, and which ASID the
// source's driver gave to each, found by one pass over the records. It decides nothing about time or tables.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "platform/trace/reader.h"

namespace smmusim {

/// A record of the trace.
struct NotedRecord {
  std::uint64_t number = 0;  ///< from 1; 0: there is none
  trace::RecordPlace place{};
};

struct PlannedSubstream {
  std::uint32_t substream = 0;
  std::uint16_t asid = 0;
  NotedRecord first{};  ///< the first access or mapping of it
};

struct PlannedStream {
  std::uint32_t stream = 0;
  std::uint16_t asid = 0;                      ///< of what has no SubstreamID
  std::uint64_t first_record = 0;              ///< number of the first record that names it, from 1
  trace::RecordPlace place{};                  ///< of that record
  std::vector<PlannedSubstream> substreams{};  ///< ascending
};

/// Recorded times up to here can be kept: the rest of Time's range is for what happens after them.
inline constexpr std::uint64_t recorded_ps_max = std::uint64_t{1} << 62;

inline constexpr std::size_t unusual_pages_max = std::size_t{1} << 16;

struct PlayPlan {
  std::vector<PlannedStream> streams;  ///< streams with accesses or mappings, in the order of their first record
  std::uint64_t records = 0;
  std::uint64_t accesses = 0;
  std::uint64_t first_range_record = 0;  ///< number of the first invalidation with an ASID; 0: none
  /// Addresses of the pages outside ReservedMemory::usual that an access or a mapping goes to, ascending; only the
  /// first unusual_pages_max that the trace names.
  std::vector<std::uint64_t> unusual_pages;
  std::uint64_t outputs_end = 0;        ///< one above the last page that an access or a mapping goes to; at most 2^64-1
  std::uint64_t reserved_record = 0;    ///< number of the first record whose pages touch what is reserved; 0: none
  trace::RecordPlace reserved_place{};  ///< of that record
  NotedRecord late{};                   ///< the first record with a time above recorded_ps_max
  std::uint64_t late_ps = 0;
  /// The first configuration change of the highest stream that one names; of a range of streams its first.
  NotedRecord highest_config{};
  std::uint32_t highest_config_stream = 0;
};

/// Physical memory that is not for the trace's devices: [base, base + bytes).
struct ReservedMemory {
  /// [base, base + bytes), both multiples of 4096, the end at most 2^64 - 1.
  struct Range {
    std::uint64_t base = 0;
    std::uint64_t bytes = 0;
  };
  std::uint64_t base = 0;
  std::uint64_t bytes = 0;
  std::vector<Range> usual;  ///< where the devices' outputs are expected; empty: anywhere
};

/// Address spaces that a plan can tell apart: there are no more ASIDs.
inline constexpr std::size_t planned_spaces_max = std::size_t{1} << 16;

/// Reads the whole trace. A change of a CD that names an ASID says whose that is. Else an ASID belongs to the stream
/// whose recently used pages its range invalidations name most; if none does, to the stream whose pages changed most
/// often after an invalidation of the whole ASID. A stream that no invalidation names gets an ASID that the trace does
/// not use. Streams that only the same ASID names share it, and so one address space; a substream counts as a stream
/// here. Throws trace::TraceError, also for what no driver here can do: two ASIDs for one CD, or more than
/// planned_spaces_max address spaces.
PlayPlan plan_play(const std::string& path, const ReservedMemory& reserved = {});

}  // namespace smmusim
