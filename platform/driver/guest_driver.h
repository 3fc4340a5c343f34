// SPDX-License-Identifier: MIT
// GuestDriver: what an operating system's SMMUv3 driver does, in the order in which Linux does it: probe the ID
// registers, set up tables and queues, enable, issue commands and wait for CMD_SYNC, read events, answer GERROR.
//
// It reaches the SMMU through a RegisterBus (direct calls or a TLM socket) and memory. Wherever a CPU would poll it
// waits `poll_interval` of simulated time, so the same text serves the timed machine, and the untimed one, where the
// first look already finds what it waits for. It never throws from inside a Task; failures are DriverStatus.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "model/sim/resources.h"
#include "model/sim/task.h"
#include "model/spec/command.h"
#include "model/spec/event.h"
#include "model/spec/pri.h"
#include "platform/driver/page_allocator.h"
#include "platform/driver/stages.h"
#include "platform/driver/table_builder.h"
#include "platform/memory/sparse_memory.h"

namespace smmusim {

/// How the driver reaches the register frame. `offset` is in bytes from its base, `size` 4 or 8.
struct RegisterBus {
  std::function<std::uint64_t(std::uint32_t offset, unsigned size)> read;
  std::function<void(std::uint32_t offset, std::uint64_t value, unsigned size)> write;
};

struct GuestDriverConfig {
  unsigned command_queue_log2 = 8;  ///< entries; no more than IDR1.CMDQS allows are used
  unsigned event_queue_log2 = 8;
  unsigned pri_queue_log2 = 8;       ///< likewise, of IDR1.PRIQS, where the SMMU has PRI
  Time poll_interval = 100'000;      ///< picoseconds between two looks at a register; at least 1
  Time timeout = 1'000'000'000'000;  ///< picoseconds until the driver gives up, as Linux: 1 s
  bool interrupts = true;            ///< enable the wired Event queue, PRI queue and GERROR interrupts
  unsigned abort_retries_max = 3;    ///< CERROR_ABTs in a row on one command before it is given up
  DriverStages stages = DriverStages::one;
};

enum class DriverStatus : std::uint8_t {
  ok,
  no_stage1,       ///< the driver uses stage 1 and IDR0.S1P is 0
  no_stage2,       ///< it uses stage 2 and IDR0.S2P is 0
  no_vmsav8_64,    ///< IDR0.TTF lacks VMSAv8-64
  no_granule,      ///< IDR5 lacks the 4 KiB granule
  preset,          ///< IDR1 tells of preset tables or queues
  timed_out,       ///< a register never took the value that was waited for
  command_failed,  ///< a command of the batch was refused (CERROR_ILL) or could not be fetched (CERROR_ABT)
};
/// One sentence.
std::string_view describe(DriverStatus status);

/// What probing found.
struct ProbedFeatures {
  unsigned sidsize = 0;
  unsigned output_bits = 0;  ///< IDR5.OAS
  bool range_invalidation = false;
  bool ats = false;
  bool pri = false;
};

struct DrainedEvents {
  std::vector<spec::Event> events;
  bool overflowed = false;  ///< records were lost since the last time
};

class GuestDriver {
 public:
  /// Allocates the queues. Throws AllocationError.
  GuestDriver(Engine& engine, SparseMemory& memory, PageAllocator& pages, RegisterBus bus,
              const GuestDriverConfig& config);

  /// Reads the ID registers and compares them with what the driver's stages need; takes no simulated time.
  DriverStatus probe();
  const ProbedFeatures& features() const { return features_; }

  /// Resets the SMMU and enables it over `streams`, in the register order of Linux's driver.
  Task<DriverStatus> enable(StreamTable& streams);
  /// SMMUEN, queues and interrupts off.
  Task<DriverStatus> disable();

  /// Issues `commands` and a CMD_SYNC and waits until that is consumed. Several may be under way; each batch keeps
  /// its order, and batches follow each other in the order of the calls. `commands` stays in place until the end.
  Task<DriverStatus> execute(std::span<const spec::Command> commands);

  /// Appends the records of the Event queue to `drained` and acknowledges them, an overflow included.
  void read_events(DrainedEvents& drained);
  /// The oldest entry of the PRI queue, which stays there until release_page_request(); nothing: it is empty. Then an
  /// overflow is acknowledged, so that the SMMU writes entries again.
  std::optional<spec::PriEntry> next_page_request();
  void release_page_request();
  /// How often the PRI queue was found to have overflowed.
  std::uint64_t page_request_overflows() const { return page_request_overflows_; }
  /// Looks at GERROR and acknowledges it; a refused command is replaced by a CMD_SYNC, as Linux does.
  void service_errors();

  /// The commands that failed so far, all batches together.
  std::uint64_t command_errors() const { return command_errors_; }
  Pa command_queue() const { return command_queue_; }
  Pa event_queue() const { return event_queue_; }
  std::uint64_t commands_issued() const { return produced_; }

  Scope& scope() { return scope_; }

 private:
  std::uint32_t read32(std::uint32_t offset) { return static_cast<std::uint32_t>(bus_.read(offset, 4)); }
  void write32(std::uint32_t offset, std::uint32_t value) { bus_.write(offset, value, 4); }
  void write64(std::uint32_t offset, std::uint64_t value) { bus_.write(offset, value, 8); }

  Task<DriverStatus> wait_for(std::uint32_t offset, std::uint32_t mask, std::uint32_t value);
  Task<DriverStatus> set_cr0(std::uint32_t value);
  Task<DriverStatus> quiesce();
  Task<DriverStatus> enable_interrupts();
  void program_event_queue();
  void program_pri_queue();
  Task<DriverStatus> execute_one(spec::Command command);
  void program_tables(StreamTable& streams);

  Task<DriverStatus> wait_consumed(std::uint64_t target);
  Task<DriverStatus> poll_consumed(std::uint64_t target, Time deadline);
  void refresh_consumed();
  void put_command(const spec::Command& command);
  void ring();
  void recover_command_queue();
  bool failed_between(std::uint64_t first, std::uint64_t end) const;

  Scope scope_;
  SparseMemory& memory_;
  RegisterBus bus_;
  GuestDriverConfig config_;
  ProbedFeatures features_{};
  unsigned command_log2_;
  unsigned event_log2_;
  unsigned pri_log2_;
  Pa command_queue_{};
  Pa event_queue_{};
  Pa pri_queue_{};  // 0: the SMMU has no PRI
  std::uint64_t page_request_overflows_ = 0;
  std::uint64_t produced_ = 0;  // commands ever put into the queue
  std::uint64_t consumed_ = 0;  // commands that CMDQ_CONS has passed
  bool polling_ = false;
  bool stuck_ = false;  // a command can't be fetched; the queue stays stopped
  Gate progress_;
  Slots issue_;                        // one batch at a time enters the queue, so that batches do not mix
  std::vector<std::uint64_t> failed_;  // numbers of the failed commands that a batch may still ask for
  std::uint64_t command_errors_ = 0;
  std::uint64_t aborted_command_ = 0;
  unsigned aborts_in_a_row_ = 0;
};

}  // namespace smmusim
