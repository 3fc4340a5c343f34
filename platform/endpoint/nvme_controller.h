// SPDX-License-Identifier: MIT
// NvmeController: a PCIe function that is an NVMe controller (NVM Express Base Specification 1.4) with one namespace:
// registers and doorbells in BAR 0, an admin queue, I/O queues, PRP lists, MSI-X. Everything it does in memory goes
// through the function's DMA: fetching commands and PRP lists, data, completions, interrupts.
//
// A completion is written when the command's data is visible, and its interrupt is sent when the completion is: behind
// an SMMU writes to different pages can overtake each other. What the SMMU aborts is a Data Transfer Error if it was
// data or a PRP list; if it was a command or a completion, nobody could be told, and the controller stops with
// CSTS.CFS. A reset (CC.EN = 0) drops everything; CSTS.RDY falls when the last access under way has ended.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "model/sim/resources.h"
#include "model/sim/scope.h"
#include "model/sim/task.h"
#include "platform/endpoint/function_dma.h"
#include "platform/endpoint/function_interrupts.h"
#include "platform/endpoint/nvme_namespace.h"
#include "platform/endpoint/nvme_queues.h"
#include "platform/endpoint/nvme_spec.h"
#include "platform/endpoint/pcie_function.h"

namespace smmusim::platform {

struct NvmeConfig {
  unsigned io_queues = 8;            ///< pairs, 1 to 255
  unsigned queue_entries = 1024;     ///< of a queue at most, 2 to 65536
  unsigned commands = 64;            ///< executed at a time, 1 to 4096; Async Event Requests are not counted
  unsigned transfer_pages_log2 = 7;  ///< MDTS: most data of a command, in 4 KiB pages, 0 to 9
  unsigned channels = 8;             ///< of the medium: commands that it works on at a time
  Time command_ps = 0;               ///< from the arrival of a command to its start
  Time read_ps = 0, write_ps = 0;    ///< the medium takes for a command
  std::string serial = "SMMUSIM-0001", model = "smmusim NVMe controller";
};

/// The function that the controller is, as far as the controller decides it: class, BAR 0, MSI-X.
FunctionDescription nvme_function(const NvmeConfig& config);

struct NvmeCounters {
  std::uint64_t admin_commands = 0;
  std::uint64_t reads = 0, writes = 0, flushes = 0;
  std::uint64_t failed = 0;  ///< commands, of both kinds, with a status that is not success
  std::uint64_t blocks_read = 0, blocks_written = 0;
  std::uint64_t bad_doorbells = 0;  ///< writes to no queue's doorbell, or of a value that can't be
  std::uint64_t fatal_errors = 0;   ///< times that CSTS.CFS came
  std::uint64_t resets = 0;         ///< by CC.EN = 0
};

class NvmeController final : public BarHandler {
 public:
  /// Throws std::invalid_argument for a limit that can't be. Takes the function's BARs and completions.
  NvmeController(Engine& engine, PcieFunction& function, NvmeNamespace& blocks, const NvmeConfig& config);
  ~NvmeController() override;

  std::uint64_t bar_read(unsigned bar, std::uint64_t offset, unsigned size) override;
  void bar_write(unsigned bar, std::uint64_t offset, std::uint64_t value, unsigned size) override;

  const NvmeCounters& counters() const { return counters_; }
  const FunctionInterrupts& interrupts() const { return interrupts_; }
  /// No command and no DMA is under way; Async Event Requests may wait.
  bool idle() const { return dma_.idle() && scope_.tasks() == 0; }
  Scope& scope() { return scope_; }

 private:
  using Queue = NvmeSubmissionQueue;
  /// How a command ended.
  struct Ending {
    nvme::Status status = nvme::Status::success;
    std::uint32_t result = 0;
    bool later = false;  ///< it has not: an Async Event Request
  };
  struct Segment {
    std::uint64_t address = 0;
    std::uint32_t bytes = 0;
  };
  struct AsyncEvent {
    bool waits = false;   // for a request to bring it to software
    bool masked = false;  // until software has read the log page
    std::uint32_t result = 0;
  };

  // Registers (nvme_controller.cc).
  std::uint32_t read_register(std::uint32_t offset) const;
  void write_register(std::uint32_t offset, std::uint32_t value);
  void write_control(std::uint32_t value);
  void start();
  bool startable() const;
  void stop();
  void stopped();
  void stop_fatally();
  void ring(unsigned queue, bool completion, std::uint32_t value);
  void report_event(std::uint32_t information);
  void raise(unsigned vector);
  bool running() const { return (csts_ & (nvme::csts_ready | nvme::csts_fatal)) == nvme::csts_ready; }

  // Queues (nvme_controller.cc).
  Task<> fetch(Queue& queue);
  Task<bool> promise_entry(Queue& queue);
  static void release_entry(Queue& queue);
  Task<> execute(Queue& queue, nvme::Command command);
  Task<> complete(Queue& queue, std::uint16_t command, Ending ending);
  void add_command(Queue& queue, const nvme::Command& command);
  void remove_command(Queue& queue, std::uint16_t id);
  bool conflicts(const Queue& queue, std::uint16_t id) const;

  // Admin commands (nvme_admin.cc).
  Task<Ending> do_admin(nvme::Command command);
  Task<Ending> identify(nvme::Command command);
  Task<Ending> log(nvme::Command command);
  Task<Ending> delete_submission_queue(nvme::Command command);
  nvme::Status create_completion_queue(const nvme::Command& command);
  nvme::Status create_submission_queue(const nvme::Command& command);
  nvme::Status delete_completion_queue(const nvme::Command& command);
  nvme::Status check_queue(const nvme::Command& command, unsigned entry_log2, unsigned entry_log2_set) const;
  Ending set_feature(const nvme::Command& command);
  Ending get_feature(const nvme::Command& command) const;
  Ending abort(const nvme::Command& command);
  Ending await_event(const nvme::Command& command);
  void deliver_event();
  Task<> complete_event(std::uint16_t command, Ending ending);
  std::array<unsigned char, nvme::identify_bytes> describe_controller() const;
  std::array<unsigned char, nvme::identify_bytes> describe_namespace() const;

  // Data (nvme_io.cc).
  Task<Ending> do_io(nvme::Command command);
  Task<nvme::Status> read(nvme::Command command);
  Task<nvme::Status> write(nvme::Command command);
  nvme::Status check_blocks(const nvme::Command& command) const;
  Task<nvme::Status> segments_of(nvme::Command command, std::uint64_t bytes, std::vector<Segment>& segments);
  Task<nvme::Status> bring(nvme::Command command, std::span<const unsigned char> data);
  Task<> use_medium(Time time);
  std::uint64_t page_bytes() const { return std::uint64_t{4096} << (cc_ >> nvme::cc_page_size_shift & 0xf); }
  std::uint64_t transfer_max() const { return std::uint64_t{4096} << config_.transfer_pages_log2; }

  Engine& engine_;
  NvmeConfig config_;
  NvmeNamespace& blocks_;
  Scope scope_;
  FunctionDma dma_;
  FunctionInterrupts interrupts_;
  Slots commands_;
  Slots channels_;

  std::uint32_t cc_ = 0, csts_ = 0, aqa_ = 0;
  std::uint64_t asq_ = 0, acq_ = 0;
  std::uint32_t interrupt_mask_ = 0, interrupts_held_ = 0;  // INTMS and INTMC
  bool stopping_ = false;

  std::map<unsigned, std::unique_ptr<NvmeCompletionQueue>> completion_queues_;
  std::map<unsigned, std::unique_ptr<Queue>> queues_;
  std::vector<std::uint32_t> command_ids_;  // under way: queue << 16 | ID
  std::vector<std::uint16_t> event_requests_;
  AsyncEvent error_event_{};
  std::map<std::uint8_t, std::uint32_t> features_;
  NvmeCounters counters_{};
};

}  // namespace smmusim::platform
