// SPDX-License-Identifier: MIT
// Everything that is chosen about one SMMU before it runs: what it implements (spec::Features), the sizes and
// latencies of its parts, and where the architecture leaves a choice, which one it takes.
#pragma once

#include <cstdint>
#include <string>

#include "model/base/types.h"
#include "model/spec/features.h"

namespace smmusim {

enum class Replacement : std::uint8_t { lru, round_robin, random };

/// A set-associative cache: `entries` in all, `ways` a set. entries = 0: no such cache; ways = entries: fully
/// associative. entries / ways is a power of two.
struct CacheConfig {
  unsigned entries = 0;
  unsigned ways = 1;
  Replacement replacement = Replacement::lru;
};

/// What a TBU does with an access that crosses a 4 KiB boundary (section 16.7.1 lets both).
enum class Cross4k : std::uint8_t { split, f_uut };

/// A Translation Buffer Unit: one for each client socket.
struct TbuConfig {
  CacheConfig micro_tlb{64, 4};
  CacheConfig stream_cache{16, 4};  ///< configuration kept beside the micro TLB, filled from the TCU
  unsigned lookup_cycles = 1;       ///< from acceptance to the micro TLB's answer
  unsigned lookup_interval_cycles = 1;
  unsigned link_cycles = 8;         ///< TBU to TCU, and the same back
  unsigned translation_slots = 64;  ///< translations in flight
  unsigned outstanding = 256;       ///< accesses accepted and not complete
  Cross4k cross_4k = Cross4k::split;
};

/// The Translation Control Unit.
struct TcuConfig {
  CacheConfig tlb{2048, 4};
  CacheConfig walk_cache{512, 4};
  CacheConfig ipa_cache{512, 4};  ///< stage-2 leaves, for the walks of nested streams
  CacheConfig config_cache{256, 4};
  unsigned tlb_cycles = 3;
  unsigned config_cycles = 3;
  unsigned walk_cache_cycles = 4;
  unsigned ipa_cache_cycles = 2;
  unsigned walk_step_cycles = 1;      ///< after each fetch of a walk
  unsigned walkers = 16;              ///< walks (configuration fetches included) at a time
  unsigned command_cycles = 2;        ///< to execute one command, its fetch apart
  unsigned event_buffer = 16;         ///< records on their way to the Event queue
  unsigned atc_invalidations = 32;    ///< ATS invalidations outstanding
  unsigned atc_inv_timeout_us = 100;  ///< after which one has failed
  unsigned clock_mhz = 1000;
  bool suppress_duplicate_stalls = true;  ///< one record stands for later stalls of the same page (section 3.12.2.1)
  bool merge_events = false;              ///< equal records that wait in event_buffer become one (section 7.3.1)
};

struct SmmuConfig {
  spec::Features features{};
  TbuConfig tbu{};
  TcuConfig tcu{};
  unsigned tbus = 1;
  bool timed = true;          ///< false: every latency is zero and the memory port must answer at once
  std::uint64_t seed = 1;     ///< of random replacement
  Pa frame_base{0x09050000};  ///< of the SMMU's own registers; its own accesses there are external aborts
  std::uint64_t frame_bytes = 0x20000;
  bool gbpa_abort_at_reset = false;  ///< GBPA.ABORT after reset (IMPLEMENTATION DEFINED, section 6.3.14)
};

/// What `features` promises and no walk of this model does (VMSAv8-32 LPAE, D128, permission indirection, ...), one
/// line for each; empty if nothing. An SMMU that advertised it would translate wrongly in silence.
std::string not_modelled(const spec::Features& features);
/// `features` without that.
spec::Features without_not_modelled(spec::Features features);

/// Throws std::invalid_argument, all reasons in one text, if the parts don't fit together or ask for what is
/// not_modelled().
void require_valid(const SmmuConfig& config);

}  // namespace smmusim
