// SPDX-License-Identifier: MIT
// UpdateBench: one stream whose STE or CD the Linux driver's entry writer rewrites while traffic flows. It knows, from
// the images of the entry that were in memory since the last completed CMD_SYNC, which answers an SMMU may give at each
// moment (IHI 0070 sections 3.21.3, 4.3, 4.7.3), and checks every answer and every event record against that.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "tests/support/linux_entry_writer.h"
#include "tests/support/stage2_bench.h"

namespace smmusim::linux_driver {

/// What becomes of the traffic of one probe.
struct Where {
  std::uint64_t base;    ///< page n of the probe is at base + n pages; 0: it aborts
  std::uint64_t event;   ///< with base = 0: the event, 0 for an abort without one
  bool recorded = true;  ///< whether that event is written
};
/// Without a SubstreamID, with 1, and with one of the CD table's third level-1 entry.
inline constexpr std::size_t probes = 3;
using Wheres = std::array<Where, probes>;

/// One end of a change: the entry and what it does.
struct End {
  Entry entry;
  Wheres wheres;
};

/// A change of one entry, as a row of a table needs it.
struct Change {
  std::uint64_t address;  ///< of the entry
  const EntryKind* kind;
  raw::Command cfgi;
  End from, to;
  Wheres invalid;                       ///< while V=0
  std::vector<raw::Command> last;       ///< what the driver asks for after the update
  std::array<bool, probes> tlb_lags{};  ///< until then, answers from the TLB may be those of `from`
};

/// Stage 1 and 2, substreams, ATS and stalls advertised, attribute overrides: the driver's own unit tests' fixture.
SmmuConfig update_config(bool caches = true, bool timed = false);

class UpdateBench {
 public:
  static constexpr std::uint32_t sid = 1, ssid_far = 0x801;
  static constexpr std::uint64_t va = 0x10000;
  static constexpr std::uint64_t pages = 48;
  // Where each address space's pages are.
  static constexpr std::uint64_t out_a = 0x8000'0000, out_b = 0x9000'0000, out_s2 = 0xa000'0000;
  static constexpr std::uint64_t out_nested = 0xb000'0000, per_substream = 0x0100'0000;

  explicit UpdateBench(const SmmuConfig& config, Time latency_ps = 0);
  UpdateBench(const UpdateBench&) = delete;
  UpdateBench& operator=(const UpdateBench&) = delete;

  // STEs. `table` is 0 or 1.
  struct Flags {
    bool ats = false, stalling = false;
    std::uint64_t vmid = 0;
  };
  static End abort_end();
  static End bypass_end();
  End cdtable_end(unsigned table, std::uint64_t s1dss, Flags flags) const;
  End cdtable_end(unsigned table, std::uint64_t s1dss) const { return cdtable_end(table, s1dss, Flags{}); }
  End s2_end(Flags flags) const;
  End s2_end() const { return s2_end(Flags{}); }
  End nested_end(std::uint64_t s1dss, Flags flags) const;
  Change ste_change(const End& from, const End& to) const;

  // CDs of table 0, index 0 (used without a SubstreamID) or 1.
  End cd_end(std::uint32_t ssid, std::uint64_t asid) const;
  End sva_end(std::uint32_t ssid, std::uint64_t asid) const;
  End release_end(std::uint32_t ssid, std::uint64_t asid) const;
  End cleared_end(std::uint32_t ssid) const;
  /// Stores the stream's STE as a CD table, too.
  Change cd_change(std::uint32_t ssid, const End& from, const End& to);

  /// Makes the change with traffic at the points of `at` (bit n: point n, the end apart); point 0 is before the first
  /// store, then one after each store and each CMD_SYNC. Stores of a step go down from the last word if `descending`.
  void replay(const Change& change, std::uint64_t at, bool descending);
  /// The same, timed: a batch of traffic before every store and sync and during each sync, `gap` between the actions.
  void replay_timed(const Change& change, Time gap, bool descending);
  static std::size_t points(const Update& update);

  SmmuBench bench;

 private:
  enum Image : unsigned { before = 1, after = 2, invalid = 4 };
  struct Flight : TranslationRequest {
    UpdateBench* owner;
    std::size_t probe;
    std::uint64_t page;
    bool answered = false;
  };

  void start(const Change& change);
  /// A store of the driver: memory changes, and with it what may be seen.
  void store(const Store& store);
  void synchronised();
  unsigned image() const;
  static Transaction transaction(std::size_t probe, std::uint64_t page, AccessType access);
  Where wanted(unsigned image, std::size_t probe) const;
  /// Fails the test unless the answer is that of an image that may be seen; counts the record that it must leave.
  void check(std::size_t probe, std::uint64_t page, const Response& response);
  void traffic(std::uint64_t page);
  void check_events();
  void check_fetches();
  void submit(std::uint64_t page);
  void answered(Flight& flight);
  void wait(Time duration) { bench.engine.run_until(bench.engine.now() + duration); }
  void synchronise_timed(Time gap);
  void make_cd_tables();

  bool cached_;
  const Change* change_ = nullptr;
  Entry now_;
  unsigned seen_ = 0;  ///< images since the last completed CMD_SYNC
  bool lag_over_ = false;
  std::vector<std::uint64_t> records_;  ///< event numbers that must be in the queue, in order
  std::deque<Flight> flights_;
  std::array<raw::Cd, 3> cds_a_;
  std::uint64_t s2_root_ = 0;
};

}  // namespace smmusim::linux_driver
