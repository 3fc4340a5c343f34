// SPDX-License-Identifier: MIT
// DmaMapper: an operating system's DMA mappings of one device, in strict mode: pages are mapped at I/O addresses before
// the device uses them, and unmapped afterwards with invalidations of TLBs and, with ATS, of the device's ATC that have
// completed before the addresses are given out again. They are given out again soonest first, so that a translation
// which outlives its invalidation does harm.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <vector>

#include "model/sim/task.h"
#include "platform/driver/guest_driver.h"
#include "platform/driver/page_table.h"

namespace smmusim {

struct DmaMapperConfig {
  StreamId stream{};
  Asid asid{};                          ///< of a stage-1 table
  Vmid vmid{};                          ///< of the stream
  bool ats = false;                     ///< CMD_ATC_INV follows the TLBs' invalidation
  std::uint64_t first = 0x1'0000'0000;  ///< I/O addresses: [first, first + bytes), whole pages
  std::uint64_t bytes = 0x1'0000'0000;
};

class DmaMapper {
 public:
  static constexpr std::uint64_t page_bytes = 4096;

  /// `table` is the stream's stage 1, or its stage 2 if that is all it has; `smmu` takes the commands.
  DmaMapper(PageTable& table, GuestDriver& smmu, const DmaMapperConfig& config);

  /// Maps `pages` (their first bytes), one after the other, at consecutive I/O addresses and returns the first.
  /// Throws AllocationError if there are none left, or no room for tables.
  std::uint64_t map(std::span<const Pa> pages, bool device_writes);
  /// Ends the mapping of `count` pages at `first`, as map() returned it.
  Task<DriverStatus> unmap(std::uint64_t first, std::size_t count);

  /// Called after each map(): for checks and for faults that a test wants.
  std::function<void(std::uint64_t first, std::size_t pages)> on_map;
  std::uint64_t maps() const { return maps_; }
  std::uint64_t unmaps() const { return unmaps_; }
  Scope& scope() { return smmu_.scope(); }

 private:
  std::uint64_t take(std::size_t pages);

  PageTable& table_;
  GuestDriver& smmu_;
  DmaMapperConfig config_;
  std::uint64_t next_;                                        // never given out yet
  std::map<std::size_t, std::vector<std::uint64_t>> free_{};  // by pages; the last was freed last
  std::uint64_t maps_ = 0, unmaps_ = 0;
};

}  // namespace smmusim
