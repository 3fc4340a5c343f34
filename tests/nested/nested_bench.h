// SPDX-License-Identifier: MIT
// NestedBench: a guest with its SMMU, driver and tables, the monitor's Vsmmu, and the simulated host below, without
// SystemC. The guest's memory lies `moved` bytes further up for the host, so that an IPA that is taken for a PA shows.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "platform/driver/commands.h"
#include "platform/driver/guest_driver.h"
#include "platform/driver/table_builder.h"
#include "platform/host/simulated_host.h"
#include "platform/memory/immediate_port.h"
#include "platform/memory/latency_port.h"
#include "platform/nested/guest_space.h"
#include "platform/nested/vsmmu.h"

namespace smmusim::nested {

/// The host's view of a memory that holds the guest's RAM where the guest has it: the guest's RAM is seen `moved` bytes
/// further up, and not at its own addresses.
class MovedPort final : public MemoryPort {
 public:
  MovedPort(MemoryPort& port, std::uint64_t ram, std::uint64_t bytes, std::uint64_t moved)
      : port_(port), ram_(ram), bytes_(bytes), moved_(moved) {}
  bool start(MemoryRequest& request) override;
  void abandon(const Scope& scope) override { port_.abandon(scope); }

 private:
  MemoryPort& port_;
  std::uint64_t ram_, bytes_, moved_;
};

struct BenchOptions {
  bool timed = false;
  std::string kernel = "7.1";
  unsigned page_bits = 12;
  unsigned devices = 2;
  bool plugged = true;  ///< devices 0 to devices - 1 are behind the SMMU from the beginning
  bool zeroes = true;   ///< the monitor has its page for the trap
  spec::Features guest{};
  spec::Features host{};
  VsmmuConfig vsmmu{};
  bool ats = false;  ///< of all devices, shown to the guest

  BenchOptions();
};

class NestedBench {
 public:
  static constexpr std::uint64_t ram = 0x4000'0000, ram_bytes = 0x4000'0000, moved = 0x1'0000'0000;
  static constexpr std::uint64_t host_base = 0x1000'0000, host_bytes = 64u << 20, zeroes = host_base + host_bytes;
  static constexpr std::uint64_t iova = 0x10'0000;  ///< what map_page() maps first

  explicit NestedBench(const BenchOptions& options = {});
  ~NestedBench();

  static StreamId stream(unsigned device) { return StreamId(8 + device); }
  static StreamId physical(unsigned device) { return StreamId(0x100 + device); }
  static std::string path(unsigned device) { return "/dev/vfio/devices/vfio" + std::to_string(device); }

  /// The driver's: enables with the stream table that is there; false if it does not come to an end or fails.
  bool enable();
  bool disable();
  /// Commands and a CMD_SYNC; false if one of them was refused.
  bool execute(const std::vector<spec::Command>& commands);
  bool sync() { return execute({}); }
  std::vector<spec::Event> events(bool* overflowed = nullptr);

  /// Stage 1 of `device`, with a table that maps iova to a page of RAM of its own; without commands.
  void write_stage1_ste(unsigned device, bool eats = false);
  void write_ste(unsigned device, const spec::Ste& ste) { streams_->write(stream(device), ste); }
  spec::Ste stage1_ste(unsigned device, bool eats = false);
  spec::Ste read_ste(unsigned device) { return streams_->read(stream(device)); }
  /// Where write_stage1_ste() maps iova to, for the guest.
  std::uint64_t page_of(unsigned device) const { return page_[device]; }
  PageTable& table_of(unsigned device) { return *tables_[device]; }
  ContextTable& contexts_of(unsigned device) { return *contexts_[device]; }
  /// STE and CFGI_STE: device `device` translates.
  bool configure(unsigned device, const spec::Ste& ste) {
    write_ste(device, ste);
    return execute({make_cfgi_ste(stream(device))});
  }

  /// DMA through the host's SMMU.
  Response dma(unsigned device, std::uint64_t address, bool write = false);
  /// The guest's address of where that goes, or nothing if it is refused.
  std::optional<std::uint64_t> reaches(unsigned device, std::uint64_t address, bool write = false);

  /// An access that ends in a fault, untimed, of which the monitor is not told before events().
  void fault_unseen(unsigned device, std::uint64_t address);

  host::Status plug(unsigned device, bool shows_ats = false);

  Smmu& smmu() { return *smmu_; }
  Vsmmu& vsmmu() { return *vsmmu_; }
  host::SimulatedHost& host() { return *host_; }
  GuestDriver& driver() { return *driver_; }
  Engine& engine() { return engine_; }
  SparseMemory& memory() { return memory_; }
  host::IoctlLog& log() { return *log_; }
  Scope& scope() { return scope_; }

  /// Lines of the log since the last call, without numbers of objects that no test can know.
  std::vector<std::string> take_log();
  /// The monitor ends: Vsmmu and address space. What objects are left on the host.
  std::size_t objects_after_the_end();

 private:
  DriverStatus run(Task<DriverStatus> task);
  Task<> keep(Task<DriverStatus>& task, DriverStatus& status) { status = co_await task; }

  BenchOptions options_;
  Engine engine_;
  Scope scope_{engine_};
  SparseMemory memory_;
  PageAllocator pages_{Pa(ram), ram_bytes / 2};
  ImmediatePort debug_port_{memory_};
  std::unique_ptr<MemoryPort> port_;
  std::unique_ptr<MovedPort> host_port_;
  std::unique_ptr<host::SimulatedHost> host_;
  std::vector<std::string> lines_;
  std::shared_ptr<host::IoctlLog> log_;
  std::unique_ptr<Smmu> smmu_;
  std::unique_ptr<GuestSpace> space_;
  std::unique_ptr<Vsmmu> vsmmu_;
  std::unique_ptr<GuestDriver> driver_;
  std::optional<StreamTable> streams_;
  std::vector<std::unique_ptr<PageTable>> tables_;
  std::vector<std::unique_ptr<ContextTable>> contexts_;
  std::vector<std::uint64_t> page_;
};

}  // namespace smmusim::nested
