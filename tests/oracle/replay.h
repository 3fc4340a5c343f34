// SPDX-License-Identifier: MIT
// Replays a full QEMU log of an SMMUv3 through smmusim and compares, step by step: register reads, commands consumed,
// STE, CD and descriptor fetches, translations. A structure that one side did not fetch because it had it cached is
// counted, and must be explained by an earlier fetch that no invalidation has covered since. Whatever remains is a
// finding; nothing is left out.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/oracle/driver_tables.h"
#include "tests/oracle/log_steps.h"
#include "tests/oracle/machine.h"

namespace smmusim::oracle {

/// Who went to memory for a translation.
struct Classes {
  std::uint64_t both_read = 0;
  std::uint64_t only_we_read = 0;    ///< QEMU had it cached
  std::uint64_t only_qemu_read = 0;  ///< smmusim had it cached
  std::uint64_t both_cached = 0;
  std::uint64_t total() const { return both_read + only_we_read + only_qemu_read + both_cached; }
  void count(bool we_read, bool qemu_read) {
    ++(we_read ? (qemu_read ? both_read : only_we_read) : (qemu_read ? only_qemu_read : both_cached));
  }
};

struct Counts {
  std::uint64_t register_reads = 0, register_writes = 0;
  std::map<spec::Opcode, std::uint64_t> commands;  ///< consumed alike
  std::uint64_t commands_total = 0;
  std::uint64_t translations = 0;
  Classes walks;
  Classes configurations;
  std::uint64_t descriptors_compared = 0;   ///< read by smmusim and equal to what QEMU read at that level
  std::uint64_t descriptors_kept = 0;       ///< on the way of a walk, but saved by smmusim's walk cache
  std::uint64_t we_walked_again = 0;        ///< although a cache without limits would have had the leaf
  std::uint64_t qemu_walked_again = 0;      ///< likewise
  std::uint64_t structures_compared = 0;    ///< L1STD, STE, CD read by smmusim and equal to QEMU's
  std::uint64_t structures_prefetched = 0;  ///< read by smmusim for CMD_PREFETCH_CONFIG, which QEMU ignores
  std::uint64_t span_bound_of_qemu = 0;     ///< explained: QEMU bounds a level-2 table by 2^Span (see replay.cc)
  TableCounts tables;
};

struct Report {
  Counts counts;
  SmmuCounters smmu;
  std::uint64_t tlb_hits = 0;         ///< of the micro TLB and the TLB together, as smmusim counts them
  std::uint64_t unexplained = 0;      ///< findings, all of them
  std::vector<std::string> findings;  ///< the first ones, each with its line of the log
  /// The findings as one text, for failure messages.
  std::string text() const;
};

struct ReplayOptions {
  SmmuConfig config{};      ///< caches; features are taken from the log's reads of the ID registers
  std::vector<Flip> flips;  ///< defects put into memory on purpose
};

/// Features from the reads of IDR0 to IDR5 and IIDR that the log begins with. What the driver did not read is zero,
/// but AIDR: range invalidation (IDR3.RIL) needs SMMUv3.1 at least, so it is that.
spec::Features features_of(const LogSteps& log);

Report replay(const LogSteps& log, const Image& image, const ReplayOptions& options);

}  // namespace smmusim::oracle
