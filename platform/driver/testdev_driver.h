// SPDX-License-Identifier: MIT
// TestdevDriver: what QEMU's qtest of iommu-testdev does, again and again: a buffer is mapped at the SMMU, the device
// is told where it is (as an I/O address and as memory), armed and triggered, its result read; then the buffer's bytes
// are looked at, those around it too, and it is unmapped. After that the device may not reach it any more: now and then
// it is asked to, and has to fail.
//
// It reaches the device through two RegisterBuses, and memory as a CPU does. It never throws from inside a Task but for
// AllocationError.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/sim/task.h"
#include "platform/driver/dma_mapper.h"
#include "platform/driver/guest_driver.h"
#include "platform/driver/page_allocator.h"
#include "platform/memory/sparse_memory.h"
#include "platform/trace/random.h"

namespace smmusim {

struct TestdevDriverConfig {
  std::uint32_t bar = 0x1000'0000;  ///< where BAR 0 goes
  std::uint64_t writes = 1000;      ///< that the device makes
  std::uint32_t bytes_max = 4096;   ///< of a write, 1 to 1 MiB; they begin anywhere in a page
  unsigned stale_every = 16;        ///< writes from one that is repeated after unmapping to the next; not 0
  Time poll_interval = 100'000;     ///< between two looks at DMA_RESULT, at least 1
  Time timeout = 1'000'000'000'000;
  std::uint64_t seed = 1;
};

enum class TestdevStatus : std::uint8_t {
  ok,
  not_testdev,  ///< the function is another
  not_armed,    ///< DMA_RESULT does not read as BUSY after arming
  timed_out,    ///< DMA_RESULT has stayed BUSY
  smmu_failed,  ///< an invalidation has
};
/// One sentence.
std::string_view describe(TestdevStatus status);

struct TestdevDriverCounters {
  std::uint64_t writes = 0;  ///< into mapped buffers
  std::uint64_t bytes = 0;
  std::uint64_t failed = 0;      ///< of those, whose result was not 0
  std::uint64_t mismatches = 0;  ///< whose result was 0, and the memory has something else
  std::uint64_t stale = 0;       ///< repeated after unmapping
  std::uint64_t reached = 0;     ///< of those, that did not fail as they must
};

class TestdevDriver {
 public:
  /// The buffer is allocated from `pages`.
  TestdevDriver(Engine& engine, SparseMemory& memory, PageAllocator& pages, DmaMapper& mapper, RegisterBus config_space,
                RegisterBus registers, const TestdevDriverConfig& config);
  ~TestdevDriver() { scope_.cancel(); }

  /// All writes. Once it has returned, done() is true.
  Task<> run();
  bool done() const { return done_; }
  TestdevStatus status() const { return status_; }
  const TestdevDriverCounters& counters() const { return counters_; }
  /// The first few writes that went wrong: "write 5, 64 bytes at 0x..: DMA_RESULT is 0x..".
  const std::vector<std::string>& complaints() const { return complaints_; }
  Scope& scope() { return scope_; }

 private:
  bool enable_function();
  Task<> write_once(std::uint64_t number);
  Task<std::uint32_t> trigger(std::uint64_t untranslated, Pa physical, std::uint32_t bytes);
  bool buffer_holds(std::uint32_t offset, std::uint32_t bytes) const;
  void complain(std::uint64_t number, std::uint64_t address, std::uint32_t bytes, const std::string& what);

  Scope scope_;
  SparseMemory& memory_;
  DmaMapper& mapper_;
  RegisterBus config_space_, registers_;
  TestdevDriverConfig config_;
  trace::Xoshiro256 random_;
  std::vector<Pa> buffer_;  // its pages, one after the other
  TestdevDriverCounters counters_{};
  std::vector<std::string> complaints_;
  TestdevStatus status_ = TestdevStatus::ok;
  bool done_ = false;
};

}  // namespace smmusim
