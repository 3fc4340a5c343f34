// SPDX-License-Identifier: MIT
// CaseMachine: a random case of refwalk's generator loaded into a machine of ours: SparseMemory with the case's words
// and aborts, queues where the case has nothing, registers written as a driver would. The backbone tests compare what
// it answers with refwalk; this file compares nothing.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "model/smmu/smmu.h"
#include "model/spec/command.h"
#include "platform/memory/immediate_port.h"
#include "platform/memory/latency_port.h"
#include "platform/memory/sparse_memory.h"
#include "tests/random/backbone_question.h"
#include "tests/random/case_generator.h"

namespace smmusim {

using EventRecord = std::array<std::uint64_t, 4>;

/// What the tests vary about a machine; sizes of caches and buffers follow from `seed`.
struct MachineOptions {
  bool timed = false;
  bool caches = true;  ///< false: none at all
  std::uint64_t seed = 1;
};

/// Remembers the reads of structures and descriptors, aborted ones included. What lies beyond the OAS is no read.
class FetchRecorder final : public Observer {
 public:
  explicit FetchRecorder(unsigned oas) : oas_(oas) {}
  void access(const MemoryRequest& request) override {
    if (request.purpose > Purpose::TTD || !fits(request.address.value, oas_)) return;
    if (request.op == MemoryOp::compare_and_swap) return;  // an update; CaseMemory compares those
    fetches.push_back({static_cast<refwalk::FetchKind>(request.purpose), request.stage, request.level,
                       request.address.value, refwalk::FaultClass::IN});
  }
  void illegal(std::string_view sentence, std::string_view) override { illegal_row = sentence; }
  std::string illegal_row;              ///< why the last ILLEGAL STE or CD is
  std::vector<refwalk::Fetch> fetches;  ///< `purpose` is not known here: always IN

 private:
  unsigned oas_;
};

/// The configuration that advertises what the case's ID registers do.
SmmuConfig config_of_case(const refwalk::Case& one, const MachineOptions& options);

class CaseMachine {
 public:
  static constexpr unsigned command_entries_log2 = 8;
  static constexpr unsigned event_entries_log2 = 10;

  /// Loads memory, sets the registers up and enables what the case enables.
  CaseMachine(const refwalk::Case& one, const MachineOptions& options);

  static Transaction transaction_of(const refwalk::Access& access);
  /// Which TBU an access comes through: a StreamID always uses the same.
  unsigned tbu_of(const refwalk::Access& access) const { return access.sid % config.tbus; }
  Response translate(const refwalk::Access& access, Effects effects = ordinary_effects) {
    return smmu.translate(tbu_of(access), transaction_of(access), effects);
  }
  Response translate(const Question& question, Effects effects = ordinary_effects) {
    return smmu.translate(tbu_of(question.access), smmusim::transaction_of(question), effects);
  }

  /// Puts a command into the queue's memory; ring() tells the SMMU. False if the queue is full.
  bool push(const spec::Command& command);
  void ring();
  bool commands_done() const { return consumer() == producer_ && !command_error(); }
  bool command_error() const;
  /// Pushes, rings and runs the engine until nothing is left.
  void execute(const std::vector<spec::Command>& commands);
  /// CMD_CFGI_ALL, CMD_TLBI_NSNH_ALL, CMD_TLBI_EL2_ALL if there is EL2, CMD_SYNC.
  void invalidate_all();

  /// Ends the stalls that these records tell of by CMD_RESUME with an abort; false if they tell of none.
  bool end_stalls(const std::vector<EventRecord>& records);
  /// Runs the engine until nothing is left to happen, with every stall ended; all records of it.
  std::vector<EventRecord> run_to_end();

  /// Event records between CONS and PROD as they stand in memory; CONS follows.
  std::vector<EventRecord> take_events();
  std::uint32_t event_producer() { return read32(0x100a8); }

  /// Writes a word of the case, little-endian.
  void store(std::uint64_t address, std::uint64_t word) { memory.write64(Pa(address), word); }
  std::uint32_t read32(std::uint32_t offset) { return static_cast<std::uint32_t>(smmu.read_register(offset, 4)); }
  void write32(std::uint32_t offset, std::uint32_t value) { smmu.write_register(offset, value, 4); }

  SmmuConfig config;
  Engine engine;
  SparseMemory memory;

 private:
  ImmediatePort immediate_;
  LatencyPort latency_;

 public:
  FetchRecorder recorder;
  mutable Smmu smmu;

 private:
  std::uint32_t consumer() const { return static_cast<std::uint32_t>(smmu.read_register(0x9c, 4)) & 0x1ff; }
  void load(const refwalk::Case& one);
  void set_up(const refwalk::Case& one);

  std::uint64_t queues_ = 0;
  std::uint32_t producer_ = 0;
};

/// Memory attributes as the core codes them: a MAIR byte and SH. A transient hint without allocation is none.
MemoryAttributes attributes_of(const refwalk::MemoryAttributes& attributes);

/// Commands by name, with the fields that tests need.
spec::Command command_of(spec::Opcode opcode);
spec::Command cfgi_all();

/// splitmix64, apart from the generator's so that neither disturbs the other.
class TestRandom {
 public:
  explicit TestRandom(std::uint64_t seed) : state_(seed ^ 0x5851f42d4c957f2d) {}
  std::uint64_t next();
  std::uint64_t below(std::uint64_t count) { return next() % count; }
  bool percent(unsigned chance) { return below(100) < chance; }

 private:
  std::uint64_t state_;
};

}  // namespace smmusim
