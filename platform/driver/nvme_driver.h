// SPDX-License-Identifier: MIT
// NvmeDriver: what an operating system's NVMe driver does, and a load of reads and writes that checks itself: reset,
// identify, queues, MSI-X; then commands whose data is mapped at the SMMU around each of them, as Linux does in strict
// mode. Blocks that were written are remembered by a checksum and compared when they are read.
//
// It reaches the device through two RegisterBuses (configuration space and BAR 0), and memory as a CPU does. It never
// throws from inside a Task but for AllocationError; failures are NvmeDriverStatus.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "model/sim/resources.h"
#include "model/sim/task.h"
#include "platform/driver/dma_mapper.h"
#include "platform/driver/guest_driver.h"
#include "platform/driver/page_allocator.h"
#include "platform/endpoint/nvme_spec.h"
#include "platform/memory/sparse_memory.h"
#include "platform/trace/random.h"

namespace smmusim {

/// The commands that the driver makes.
struct NvmeLoad {
  std::uint64_t commands = 1000;
  unsigned read_percent = 50;      ///< of the commands; the others write
  std::uint32_t bytes_min = 4096;  ///< of a command, whole blocks; lengths between are equally likely
  std::uint32_t bytes_max = 4096;
  bool offsets = false;      ///< buffers begin anywhere in a page, at a multiple of 4
  std::uint64_t blocks = 0;  ///< of the namespace that it uses, from the first on; 0: all
  std::uint64_t seed = 1;
};

struct NvmeDriverConfig {
  unsigned io_queues = 1;           ///< pairs
  unsigned queue_depth = 32;        ///< commands at a time in each, 1 to 1023
  std::uint64_t bar = 0x1000'0000;  ///< where BAR 0 goes
  Pa doorbell{};                    ///< what an interrupt writes to; its page is mapped for the device
  std::uint32_t first_message = 0;  ///< data of vector 0; vector n has n more
  Time poll_interval = 1'000'000;   ///< between two looks at CSTS, at least 1
  Time interrupt_ps = 0;            ///< from an interrupt to its handler
  NvmeLoad load{};
};

enum class NvmeDriverStatus : std::uint8_t {
  ok,
  not_nvme,      ///< the function's class is another, or it has no MSI-X
  timed_out,     ///< CSTS.RDY did not follow CC.EN within CAP.TO
  fatal,         ///< CSTS.CFS
  admin_failed,  ///< a command of the start has failed
  too_small,     ///< the namespace has no room for the load
  smmu_failed,   ///< an invalidation has
};
/// One sentence.
std::string_view describe(NvmeDriverStatus status);

struct NvmeDriverCounters {
  std::uint64_t reads = 0, writes = 0;  ///< completed commands of the load
  std::uint64_t bytes_read = 0, bytes_written = 0;
  std::uint64_t failed = 0;      ///< commands of the load that ended with an error
  std::uint64_t checked = 0;     ///< blocks that were read and whose contents were known
  std::uint64_t mismatches = 0;  ///< blocks that were read and are not what was written
  std::uint64_t interrupts = 0;
  std::uint64_t unexpected = 0;  ///< completions of commands that are not under way
};

class NvmeDriver {
 public:
  /// A command of the load has ended.
  struct Done {
    bool read;
    std::uint32_t bytes;
    Time latency;  ///< from the doorbell to the handler
    nvme::Status status;
  };

  /// Queues and buffers are allocated from `pages`.
  NvmeDriver(Engine& engine, SparseMemory& memory, PageAllocator& pages, DmaMapper& mapper, RegisterBus config_space,
             RegisterBus registers, const NvmeDriverConfig& config);
  ~NvmeDriver() { scope_.cancel(); }

  /// Brings the controller up and runs the load. Once it has returned, done() is true.
  Task<NvmeDriverStatus> run();
  /// An interrupt has come: the data that was written to the doorbell.
  void interrupt(std::uint32_t message);

  bool done() const { return done_; }
  NvmeDriverStatus status() const { return status_; }
  const NvmeDriverCounters& counters() const { return counters_; }
  std::uint64_t blocks() const { return blocks_; }
  unsigned block_bits() const { return block_bits_; }
  /// Blocks, in order of their reading: "block 5: read 0x.., written 0x..". The first few.
  const std::vector<std::string>& mismatches() const { return mismatch_texts_; }
  std::function<void(const Done&)> on_command;
  Scope& scope() { return scope_; }

 private:
  /// A command under way; its index in the queue is its identifier.
  struct Slot {
    explicit Slot(Scope& scope) : ended(scope) {}
    bool busy = false;
    nvme::Completion completion{};
    Gate ended;
    std::vector<Pa> pages{};  // its buffer
    Pa list{};                // of PRPs
    std::uint64_t list_address = 0;
  };
  struct Queue {
    explicit Queue(Scope& scope) : signal(scope) {}
    unsigned id = 0;
    unsigned entries = 0;
    Pa submissions{}, completions{};
    std::uint64_t submissions_address = 0, completions_address = 0;  // as the device sees them
    unsigned tail = 0, head = 0;
    bool phase = true;
    bool signalled = false;
    Gate signal;
    std::vector<std::unique_ptr<Slot>> slots{};
  };
  struct Io {
    bool read = false;
    std::uint64_t first = 0;
    std::uint32_t blocks = 0;
    std::uint32_t offset = 0;  // in the buffer's first page
  };

  // Bringing up (nvme_driver.cc).
  Task<NvmeDriverStatus> start();
  bool enable_function();
  void program_vectors();
  Task<NvmeDriverStatus> set_enabled(bool enabled);
  Task<NvmeDriverStatus> identify();
  Task<NvmeDriverStatus> create_io_queues();
  Task<nvme::Completion> admin(nvme::Command command);
  std::unique_ptr<Queue> make_queue(unsigned id, unsigned entries, unsigned slots);
  std::uint64_t map_for_good(Pa first, std::uint64_t bytes);
  Pa allocate_page();

  // Queues (nvme_driver.cc).
  void submit(Queue& queue, unsigned slot, nvme::Command command);
  Task<nvme::Completion> ended(Slot& slot);
  Task<> serve(Queue& queue);
  void take_completions(Queue& queue);

  // The load (nvme_load.cc).
  Task<NvmeDriverStatus> run_load();
  bool load_fits();
  Task<> work(Queue& queue, unsigned slot);
  Task<> do_command(Queue& queue, unsigned slot, Io io);
  bool choose(Io& io);
  void put_data(const Slot& slot, const Io& io);
  void check_data(const Slot& slot, const Io& io);
  void forget(const Io& io);
  nvme::Command command_of(Slot& slot, const Io& io, std::uint64_t address);
  template <class Part>
  void for_each_part(const Slot& slot, const Io& io, Part part) const;
  std::uint32_t bytes_of(const Io& io) const { return io.blocks << block_bits_; }
  std::size_t pages_of(const Io& io) const {
    return static_cast<std::size_t>((io.offset + bytes_of(io) + DmaMapper::page_bytes - 1) / DmaMapper::page_bytes);
  }

  Scope scope_;
  SparseMemory& memory_;
  PageAllocator& pages_;
  DmaMapper& mapper_;
  RegisterBus config_space_, registers_;
  NvmeDriverConfig config_;
  trace::Xoshiro256 random_;
  std::vector<std::unique_ptr<Queue>> queues_;  // the admin queue first
  Pa admin_buffer_{};
  std::uint64_t admin_buffer_address_ = 0, doorbell_address_ = 0;
  std::uint64_t blocks_ = 0;
  unsigned block_bits_ = 9;
  std::uint64_t transfer_max_ = 0;

  std::uint64_t begun_ = 0, versions_ = 0;
  unsigned workers_ = 0;
  Gate finished_, region_free_;
  std::vector<Io> busy_;                                       // their blocks are no other command's
  std::unordered_map<std::uint64_t, std::uint64_t> contents_;  // checksums of known blocks
  std::vector<std::string> mismatch_texts_;
  NvmeDriverCounters counters_{};
  NvmeDriverStatus status_ = NvmeDriverStatus::ok;
  bool done_ = false;
};

}  // namespace smmusim
