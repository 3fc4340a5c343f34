// SPDX-License-Identifier: MIT
// Player: replays a trace. It is the devices' and the driver's side at once: accesses go to devices (AccessPort),
// changes of mappings into the page tables, invalidations to the SMMUs through their guest drivers.
//
// An access may carry what the source's SMMU answered: the pair (page -> output, permission). When it differs from
// what the table holds in program order the player writes the table, as the driver's map did; only the trace's own
// invalidations remove what TLBs hold. The pair never answers an access; it is compared afterwards.
//
// Closed loop: recorded times are ignored. An invalidation waits for the earlier accesses to its pages, later accesses
// to them wait for its CMD_SYNC, a map waits for accesses in flight to its page; nothing else is a barrier. Recorded:
// the same, and nothing happens before its time stamp.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "model/sim/scope.h"
#include "model/sim/task.h"
#include "platform/driver/guest_driver.h"
#include "platform/driver/page_table.h"
#include "platform/player/access_port.h"
#include "platform/player/hazard_graph.h"
#include "platform/trace/reader.h"

namespace smmusim {

struct PlayerConfig {
  bool recorded = false;   ///< keep the time stamps, which are at most recorded_ps_max, as earliest times
  bool check = true;       ///< compare translations with the trace's pairs
  bool in_order = false;   ///< one record after the other (the untimed machine)
  unsigned window = 1024;  ///< how many records beyond the oldest unfinished one are looked at
  unsigned mismatches_kept = 8;
  /// Where tables have to put what the trace outputs to; empty: there.
  std::function<Pa(Pa)> place{};
  /// Share of the pages of spaces on demand that are mapped only when their devices request them; which, the seed says.
  unsigned demand_percent = 0;
  std::uint64_t seed = 1;
  /// [base, + bytes) of the devices' addresses is always mapped: they go there untranslated, and ask for nothing.
  std::uint64_t untranslated_base = 0;
  std::uint64_t untranslated_bytes = 0;
};

/// An address space: what one ASID of the trace names. All tables are of one stage; of stage 2, the VMID has the
/// ASID's number.
struct PlayedSpace {
  std::uint16_t asid = 0;
  PageTable* table = nullptr;
  std::vector<std::size_t> smmus;  ///< those that have streams of this space
  bool on_demand = false;          ///< all of its devices send Page Requests
};

struct PlayedSubstream {
  std::uint32_t substream = 0;
  std::size_t space = 0;
};

struct PlayedStream {
  std::uint32_t stream = 0;
  std::size_t space = 0;  ///< of what has no SubstreamID
  std::size_t smmu = 0;
  bool ats = false;                           ///< its device may have an ATC, so the driver invalidates that too
  std::vector<PlayedSubstream> substreams{};  ///< ascending

  /// The address space of a record of this stream; nothing: a substream that has none.
  std::optional<std::size_t> space_of(const trace::Record& record) const;
};

struct PlayMismatch {
  std::uint64_t record_number = 0;  ///< from 1
  trace::Record record{};
  AccessResult result{};
};

struct PlayerCounters {
  std::uint64_t records = 0;
  std::uint64_t accesses = 0;
  std::uint64_t bytes = 0;
  std::uint64_t failed = 0;  ///< accesses that came back with an error
  std::uint64_t checked = 0;
  std::uint64_t mismatches = 0;
  std::uint64_t maps = 0;             ///< table writes of the player's
  std::uint64_t pages_on_demand = 0;  ///< mapped because a device requested them
  std::uint64_t invalidations = 0;
  Time invalidation_time = 0;  ///< picoseconds, sum from the first command's issue to the CMD_SYNC's completion
  Time invalidation_time_max = 0;
  std::uint64_t config_changes = 0;
  std::uint64_t refused_batches = 0;  ///< of commands, because the SMMU refused one
};

class Player {
 public:
  /// `reader` stands at the trace's first record. All references outlive the player.
  Player(Engine& engine, trace::Reader& reader, AccessPort& port, std::vector<GuestDriver*> drivers,
         std::vector<PlayedSpace> spaces, std::vector<PlayedStream> streams, const PlayerConfig& config);

  /// Called for every access that came back, in the order of completion.
  std::function<void(const PlayedAccess&)> on_access;
  /// Called once, when everything is done.
  std::function<void()> on_done;

  /// Starts at the present instant; the SMMUs are enabled. Throws trace::TraceError (here and from inside events)
  /// when the trace turns out to be bad, AllocationError when its mappings need too much room.
  void start();
  bool done() const { return ended_ && graph_.empty(); }

  /// The device gives `access` back, its result filled in.
  void complete(PlayedAccess& access);
  /// A device of this SMMU requests a page. True: it is mapped now, and permits what is asked for.
  bool page_in(std::size_t smmu, const spec::PriEntry& request);
  /// A device can take accesses again.
  void wake() { pump(); }

  const PlayerCounters& counters() const { return counters_; }
  const std::vector<PlayMismatch>& mismatches() const { return mismatches_; }
  Scope& scope() { return scope_; }

 private:
  using Slot = HazardGraph::Slot;
  struct Operation {
    trace::Record record{};
    std::uint64_t number = 0;  // of the record
    bool is_map = false;       // the table write that goes before an access
    std::size_t space = 0;
    std::size_t pending = 0;  // drivers that have not finished the batch
    Time started = 0;
    PlayedAccess access{};
    std::vector<spec::Command> commands;
  };
  struct Timer : EventNode {
    Player* player = nullptr;
    bool armed = false;
  };

  // Looking ahead (player_dispatch.cc).
  bool may_dispatch() const;
  void dispatch(const trace::Record& record);
  void dispatch_access(const trace::Record& record);
  void dispatch_mapping(const trace::Record& record);
  void dispatch_invalidation(const trace::Record& record);
  /// fail_record() if the platform's tables can't map that.
  void require_mappable(std::size_t space, std::uint64_t address, std::uint64_t output, std::uint64_t bytes) const;
  void touch_range(Slot slot, std::size_t space, std::uint64_t address, std::uint64_t bytes, std::uint64_t pair);
  Slot open(const trace::Record& record, std::size_t space);
  void seal(Slot slot);
  std::size_t stream_index(std::uint32_t stream) const;
  bool covers_space(const trace::Record& record, std::size_t space) const;
  /// About the record read last, or an earlier one, whose place is found by reading the trace again.
  [[noreturn]] void fail_record(const std::string& sentence) const;
  [[noreturn]] void fail_record(std::uint64_t number, const std::string& sentence) const;

  // Mapping, at once or on demand (player_demand.cc).
  struct AbsentPage {
    std::uint64_t output = 0;
    bool write = false;
  };
  void map(const Operation& operation, std::uint64_t address, std::uint64_t output, std::uint64_t bytes);
  void unmap(std::size_t space, std::uint64_t address, std::uint64_t bytes);
  bool waits_for_demand(std::size_t space, std::uint64_t page) const;

  // Doing (player.cc, player_driver.cc).
  void pump();
  void run_ready();
  bool start_accesses();
  Slot next_ready_access(std::size_t stream) const;
  Pa placed(std::uint64_t output) const { return config_.place ? config_.place(Pa(output)) : Pa(output); }
  void perform(Slot slot);
  void perform_invalidation(Slot slot);
  void perform_config(Slot slot);
  bool stage2_alone() const { return !spaces_.empty() && spaces_.front().table->stage() == TableStage::two; }
  std::vector<trace::Record> at_stage2(const trace::Record& record) const;
  void unmap_covered(const Operation& operation);
  std::vector<std::size_t> smmus_of(const Operation& operation) const;
  void issue(Slot slot, const std::vector<std::size_t>& smmus);
  std::vector<spec::Command> atc_commands(const Operation& operation, std::size_t smmu) const;
  Task<> run_batch(Slot slot, std::size_t smmu);
  void batch_done(Slot slot);
  void finish(Slot slot);
  void check(const PlayedAccess& access, std::uint64_t number);
  void arm_timer();
  static void timer_fired(EventNode& node);
  void end_if_done();

  Engine& engine_;
  trace::Reader& reader_;
  std::array<trace::Record, 32> batch_;
  std::span<const trace::Record> records_;  // of the batch: read and not dispatched
  AccessPort& port_;
  std::vector<GuestDriver*> drivers_;
  std::vector<PlayedSpace> spaces_;
  std::vector<PlayedStream> streams_;
  std::vector<std::pair<std::uint32_t, std::size_t>> stream_order_;  // by StreamID, for lookup
  PlayerConfig config_;
  Scope scope_;
  HazardGraph graph_;
  std::vector<Operation> operations_;                   // by slot
  std::vector<std::vector<std::uint64_t>> ready_bits_;  // by stream: accesses that may start, by slot
  std::vector<std::uint32_t> ready_count_;              // by stream
  std::deque<Slot> timed_;                              // recorded: held until their time, oldest first
  Timer timer_{};
  Time start_time_ = 0;
  std::size_t records_open_ = 0;
  bool started_ = false;
  bool ended_ = false;  // the trace
  bool pumping_ = false;
  bool again_ = false;
  bool told_done_ = false;
  PlayerCounters counters_{};
  std::vector<PlayMismatch> mismatches_;
  std::vector<std::map<std::uint64_t, AbsentPage>> absent_;  // by space and page: what a Page Request will map
};

}  // namespace smmusim
