// SPDX-License-Identifier: MIT
// Random DMA through an ATC while a driver maps, unmaps and invalidates the same pages, and an independent watch over
// it: it knows what the driver did and when its CMD_SYNC completed, and looks at nothing else. Accesses and changes
// race; each access is judged by what its page was from its start to its end.
#pragma once

#include <cstdint>
#include <string>

namespace smmusim::random_test {

struct AtsTraffic {
  std::uint64_t accesses = 100'000;
  std::uint64_t seed = 1;
  unsigned devices = 2;
  unsigned pages = 48;  ///< of each device's address space, all of them used
  unsigned atc_entries = 32;
  unsigned prefetch_pages = 0;
  unsigned invalidate_ns = 20;
  unsigned processing_ns = 150;  ///< in the root complex: completions can be overtaken by Invalidate Requests
  unsigned memory_ns = 60;       ///< writes can be overtaken by what their device says of them
  unsigned tags = 256;           ///< few: translated accesses wait before they leave
};

struct AtsTrafficResult {
  std::uint64_t completed = 0;
  std::uint64_t stable = 0;         ///< accesses whose page did not change meanwhile: their outcome is certain
  std::uint64_t after_unmap = 0;    ///< of those, accesses of pages that are not mapped
  std::uint64_t invalidations = 0;  ///< CMD_ATC_INVs whose CMD_SYNC has completed
  std::uint64_t stale_completions = 0;
  std::uint64_t atc_hits = 0;
  std::string violation;  ///< the first; empty: none
};

/// Runs once in a process, as everything with SystemC.
AtsTrafficResult run_ats_traffic(const AtsTraffic& traffic);

}  // namespace smmusim::random_test
