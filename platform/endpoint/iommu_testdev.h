// SPDX-License-Identifier: MIT
// IommuTestdev: the register interface of QEMU's device iommu-testdev (docs/specs/iommu-testdev.rst there), so that
// bare-metal tests written for it run here: it writes a pattern through the IOMMU and looks for it in memory.
//
// Reading DMA_TRIGGERING begins the DMA. It takes simulated time, which QEMU's does not: until it is over, DMA_RESULT
// reads as BUSY. The device makes Non-secure accesses only; where others are asked for, the write fails.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "model/sim/scope.h"
#include "model/sim/task.h"
#include "platform/endpoint/function_dma.h"
#include "platform/endpoint/pcie_function.h"

namespace smmusim::platform {

namespace testdev {
/// Registers of BAR 0, 32 bits each.
inline constexpr std::uint64_t DMA_TRIGGERING = 0x00, DMA_GVA_LO = 0x04, DMA_GVA_HI = 0x08, DMA_LEN = 0x0c,
                               DMA_RESULT = 0x10, DMA_DBELL = 0x14, DMA_ATTRS = 0x18, DMA_GPA_LO = 0x1c,
                               DMA_GPA_HI = 0x20;
/// Values of DMA_RESULT; 0 is success.
inline constexpr std::uint32_t idle = 0xffff'ffff, busy = 0xffff'fffe, bad_length = 0xdead'0001,
                               write_failed = 0xdead'0002, read_failed = 0xdead'0003, mismatch = 0xdead'0004,
                               not_armed = 0xdead'0005, bad_attributes = 0xdead'0006;
inline constexpr std::uint32_t pattern = 0x1234'5678;  ///< little-endian, again and again
}  // namespace testdev

FunctionDescription iommu_testdev_function();

class IommuTestdev final : public BarHandler {
 public:
  /// Reads memory beside every IOMMU; false: there is none.
  using ReadMemory = std::function<bool(std::uint64_t address, std::span<unsigned char> into)>;

  /// Takes the function's BARs and completions.
  IommuTestdev(Engine& engine, PcieFunction& function, ReadMemory read_memory);
  ~IommuTestdev() override { scope_.cancel(); }

  /// Accesses of 4 bytes; others read as zero and change nothing.
  std::uint64_t bar_read(unsigned bar, std::uint64_t offset, unsigned size) override;
  void bar_write(unsigned bar, std::uint64_t offset, std::uint64_t value, unsigned size) override;
  void reset();

  Scope& scope() { return scope_; }

 private:
  void trigger();
  Task<> run();
  Task<std::uint32_t> write_pattern();
  std::uint32_t compare(std::uint64_t physical, std::uint32_t bytes) const;
  bool attributes_contradict() const;
  bool non_secure() const;

  Scope scope_;
  FunctionDma dma_;
  ReadMemory read_memory_;
  std::uint64_t untranslated_ = 0, physical_ = 0;  // GVA and GPA
  std::uint32_t bytes_ = 0, result_ = testdev::idle, attributes_ = 0;
  bool armed_ = false, running_ = false;
};

}  // namespace smmusim::platform
