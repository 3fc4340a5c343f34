// SPDX-License-Identifier: MIT
// What one SMMU counts about itself: plain integers, never reset by the guest, zeroed by Smmu::reset_counters().
#pragma once

#include <array>
#include <cstdint>

#include "model/sim/memory_port.h"

namespace smmusim {

struct CacheCounters {
  std::uint64_t lookups = 0;  ///< hits and misses; a cache counts those, and sums them up when it is asked
  std::uint64_t hits = 0;
  std::uint64_t missed = 0;
  std::uint64_t evictions = 0;  ///< valid entries replaced by a fill
  std::uint64_t fills = 0;
  std::uint64_t invalidated = 0;    ///< entries removed by commands
  std::uint64_t dropped_fills = 0;  ///< results not kept because an invalidation overtook the walk
  std::uint64_t misses() const { return missed; }

  CacheCounters with_lookups() const {
    CacheCounters sum = *this;
    sum.lookups = hits + missed;
    return sum;
  }
  CacheCounters& operator+=(const CacheCounters& other) {
    lookups += other.lookups;
    hits += other.hits;
    missed += other.missed;
    evictions += other.evictions;
    fills += other.fills;
    invalidated += other.invalidated;
    dropped_fills += other.dropped_fills;
    return *this;
  }
};

struct SmmuCounters {
  std::uint64_t transactions = 0;
  std::uint64_t aborts = 0;  ///< answered with an abort
  std::uint64_t raz_wi = 0;
  std::array<std::uint64_t, 256> events{};  ///< generated, by event number
  std::uint64_t events_written = 0;
  std::uint64_t events_lost = 0;              ///< queue full, disabled or in error
  std::uint64_t events_merged = 0;            ///< into an equal record that was waiting
  std::uint64_t stalls = 0;                   ///< STAGs given out
  std::uint64_t stalls_suppressed = 0;        ///< stalls that another one's record stands for
  std::uint64_t stall_retries = 0;            ///< by CMD_RESUME, or because a record could not be written before
  std::array<std::uint64_t, 256> commands{};  ///< consumed, by opcode
  std::uint64_t command_errors = 0;
  std::uint64_t walks = 0;
  std::uint64_t walk_fetches = 0;
  Time walk_time = 0;                                                    ///< sum over walks, picoseconds
  std::array<std::array<std::uint64_t, 5>, 2> fetches_by_stage_level{};  ///< [stage - 1][level + 1]
  std::uint64_t config_fetches = 0;                                      ///< configuration lookups that went to memory
  std::array<std::uint64_t, purposes> reads_by_purpose{};
  std::array<std::uint64_t, purposes> writes_by_purpose{};
  std::uint64_t external_aborts = 0;       ///< of the SMMU's own accesses
  std::uint64_t translation_requests = 0;  ///< of ATS, answered
  std::uint64_t atc_invalidations = 0;     ///< ATS Invalidate Requests sent
  std::uint64_t atc_timeouts = 0;          ///< of them, never answered
  std::uint64_t page_requests = 0;         ///< PRI messages that came
  std::uint64_t page_requests_written = 0;
  std::uint64_t page_requests_lost = 0;  ///< to an overflow of the PRI queue
  std::uint64_t automatic_page_responses = 0;
  std::uint64_t msis = 0;
  std::uint64_t wired_interrupts = 0;
  std::uint64_t syncs = 0;
  Time sync_wait = 0;  ///< sum over CMD_SYNCs of the wait for completion, picoseconds
};

}  // namespace smmusim
