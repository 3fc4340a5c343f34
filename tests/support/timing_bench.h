// SPDX-License-Identifier: MIT
// TimingBench: a timed SMMU over a LatencyPort, a Recorder of what its Observer sees and when, and clients that keep
// their requests. Nothing runs by itself: a test submits, kicks and then lets the engine run as far as it likes.
// Durations of the parts come from ExpectedTimes, so that tests add parameters, not numbers.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "model/smmu/smmu.h"
#include "platform/memory/immediate_port.h"
#include "platform/memory/latency_port.h"
#include "platform/memory/sparse_memory.h"
#include "tests/support/raw_words.h"
#include "tests/support/smmu_bench.h"

namespace smmusim {

struct SeenAccess {
  Time done;
  Purpose purpose;
  MemoryOp op;
  std::uint64_t address;
  int level;
};
struct SeenResponse {
  Time when;
  Transaction transaction;
  Response response;
};
struct SeenCommand {
  Time when;
  spec::Command command;
  spec::CommandError error;
};
struct SeenEvent {
  Time when;
  spec::Event event;
  bool written;
};

/// Keeps everything an Observer is told, with its time.
class Recorder : public Observer {
 public:
  explicit Recorder(Engine& engine) : engine_(engine) {}

  void access(const MemoryRequest& request) override;
  void event(const spec::Event& event, bool written) override { events.push_back({engine_.now(), event, written}); }
  void command(const spec::Command& command, spec::CommandError error) override {
    commands.push_back({engine_.now(), command, error});
  }
  void response(const Transaction& t, const Response& r) override { responses.push_back({engine_.now(), t, r}); }

  void forget();
  std::size_t count(Purpose purpose) const;
  /// When access number `nth` (from 0) with this purpose was done; fails the test and gives 0 if there is none.
  Time done(Purpose purpose, std::size_t nth = 0) const;

  std::vector<SeenAccess> accesses;
  std::vector<SeenResponse> responses;
  std::vector<SeenCommand> commands;
  std::vector<SeenEvent> events;

 private:
  Engine& engine_;
};

/// A port in front of another that counts what is under way.
class CountingPort final : public MemoryPort {
 public:
  CountingPort(Engine& engine, MemoryPort& next) : engine_(engine), next_(next) {}
  bool start(MemoryRequest& request) override;
  void abandon(const Scope& scope) override { next_.abandon(scope); }

  struct Start {
    Time when;
    Purpose purpose;
    std::uint64_t address;
  };
  std::vector<Start> starts;
  /// The most accesses of a purpose that were under way at once, each taking `latency`.
  unsigned most_at_once(Purpose purpose, Time latency) const;

 private:
  Engine& engine_;
  MemoryPort& next_;
};

/// What each part of a translation takes, by the names of the configuration. Picoseconds.
struct ExpectedTimes {
  Time cycle, memory;
  Time lookup, lookup_interval, link, tcu_lookup, walk_cache, walk_step, command;

  ExpectedTimes(const SmmuConfig& config, const LatencyPortConfig& port);
  Time micro_hit() const { return lookup; }
  /// A translation that the TCU's caches answer.
  Time tcu_hit() const { return lookup + link + tcu_lookup + link; }
  /// From the start of a walk to its result.
  Time walk(unsigned fetches) const { return walk_cache + fetches * (memory + walk_step); }
};

class TimingBench {
 public:
  // Where the set-up puts things: all of it within one chunk of SparseMemory.
  static constexpr std::uint64_t strtab = 0x4000'0000, cmdq = 0x4001'0000, eventq = 0x4002'0000, cds = 0x4003'0000;
  static constexpr std::uint64_t msi = 0x4004'0000, tables = 0x4010'0000, target = 0x8000'0000;
  static constexpr unsigned strtab_log2 = 6, cmdq_log2 = 7, eventq_log2 = 6;

  /// A request with its history. Retired as soon as it is answered unless `hold` is set.
  struct Sent : TranslationRequest {
    TimingBench* bench = nullptr;
    bool hold = false;
    bool answered = false;
    Time answered_at = 0;
    Time took() const { return answered_at - submitted_at; }
  };

  /// Every parameter its own prime number of cycles, so that sums tell them apart.
  static SmmuConfig prime_config();
  static LatencyPortConfig prime_memory();

  /// Enabled, with an empty stream table. `observer` replaces the recorder.
  explicit TimingBench(const SmmuConfig& config = prime_config(), const LatencyPortConfig& port = prime_memory(),
                       Observer* observer = nullptr);
  TimingBench(const TimingBench&) = delete;
  TimingBench& operator=(const TimingBench&) = delete;

  /// Registers from reset to enabled; the engine runs in between.
  void set_up();
  std::uint32_t r32(std::uint32_t offset) { return static_cast<std::uint32_t>(smmu->read_register(offset, 4)); }
  void w32(std::uint32_t offset, std::uint32_t value) { smmu->write_register(offset, value, 4); }
  void w64(std::uint32_t offset, std::uint64_t value) { smmu->write_register(offset, value, 8); }

  /// STE, CD and empty tables (4 KiB granule, 48 bits: four levels) of a stage-1 stream; ASID = StreamID.
  void stage1_stream(std::uint32_t sid);
  void put_ste(std::uint32_t sid, const raw::Ste& ste) { store(strtab + 64ull * sid, ste); }
  /// Writes the descriptor for `va` at `level`, making the tables above it as needed.
  void map(std::uint32_t sid, std::uint64_t va, std::uint64_t descriptor, int level = 3);
  void map_page(std::uint32_t sid, std::uint64_t va, std::uint64_t pa) { map(sid, va, raw::page(pa)); }
  template <class Words>
  void store(std::uint64_t address, const Words& words) {
    for (std::size_t i = 0; i < words.dw.size(); ++i) memory.store64(Pa(address + 8 * i), words.dw[i]);
  }

  Sent& send(std::uint32_t sid, std::uint64_t va, AccessType type = AccessType::read, bool hold = false);
  Sent& send(const Transaction& transaction, bool hold = false);
  /// Sends one request and runs until nothing is left.
  Sent& go(std::uint32_t sid, std::uint64_t va, AccessType type = AccessType::read);
  void run() { engine.run(); }
  void run_for(Time duration) { engine.run_until(engine.now() + duration); }
  /// Runs to idleness and forgets what was recorded and counted; the caches stay as they are.
  void settle();

  void push(const raw::Command& command);
  void kick() { w32(off::CMDQ_PROD, prod_); }
  void issue(const raw::Command& command) {
    push(command);
    kick();
  }
  bool all_consumed() { return (r32(off::CMDQ_CONS) & 0xfffff) == prod_; }
  std::vector<raw::Record> take_events();
  std::uint64_t walks() const { return smmu->counters().walks; }

  Engine engine;
  SparseMemory memory;
  LatencyPort latency;
  ImmediatePort immediate;  ///< used instead by an untimed configuration
  CountingPort port;
  Recorder recorder;
  std::unique_ptr<Smmu> smmu;
  const ExpectedTimes times;
  std::deque<Sent> sent;

 private:
  std::uint64_t new_table();

  std::uint32_t prod_ = 0;
  std::uint64_t next_table_ = tables;
  std::array<std::uint64_t, 1u << strtab_log2> ttb_{};
};

/// The time from the start of the first access of purpose `a` to that of the first of purpose `b` after it.
void expect_gap(const CountingPort& port, Purpose a, Purpose b, Time gap);

}  // namespace smmusim
