// SPDX-License-Identifier: MIT
// FunctionInterrupts: MSI and MSI-X of a PCIe function (PCI Express Base section 6.1.4, PCI Local Bus 3.0 section 6.8):
// the MSI-X table and its pending bits as registers in a BAR, masks of function and vectors, and the memory write that
// an interrupt is. What is masked stays pending and is sent when the mask goes.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "platform/endpoint/function_dma.h"
#include "platform/endpoint/pcie_function.h"

namespace smmusim::platform {

struct InterruptCounters {
  std::uint64_t raised = 0;  ///< sent + merged + lost + those that are pending
  std::uint64_t sent = 0;    ///< memory writes begun
  std::uint64_t merged = 0;  ///< while the vector was pending already
  std::uint64_t lost = 0;    ///< neither MSI nor MSI-X was enabled, or the vector does not exist
};

class FunctionInterrupts {
 public:
  /// What there is, and where, is in the function's description. Registers itself with the configuration space. Throws
  /// std::invalid_argument if table and pending bits overlap or leave their BAR.
  FunctionInterrupts(PcieFunction& function, FunctionDma& dma);
  FunctionInterrupts(const FunctionInterrupts&) = delete;
  FunctionInterrupts& operator=(const FunctionInterrupts&) = delete;

  /// One interrupt of this vector: sent now, or when nothing masks it any more.
  void raise(unsigned vector);
  /// How many vectors software may use now: those of the MSI-X table, or as many as it has allocated for MSI.
  unsigned vectors() const;
  bool msix_enabled() const;

  /// Whether this byte of a BAR belongs to the table or to the pending bits.
  bool holds(unsigned bar, std::uint64_t offset) const;
  /// For these: naturally aligned, of 1 to 8 bytes. The table is written in doublewords or two of them; what is
  /// smaller, or goes to the pending bits, changes nothing (section 6.8.2 leaves it undefined).
  std::uint64_t read(std::uint64_t offset, unsigned size) const;
  void write(std::uint64_t offset, std::uint64_t value, unsigned size);

  /// As after a reset of the function. The capabilities are the configuration space's.
  void reset();
  const InterruptCounters& counters() const { return counters_; }
  bool pending(unsigned vector) const { return vector < pending_.size() && pending_[vector]; }

 private:
  struct Place {  // in the BAR
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;
    bool holds(std::uint64_t at) const { return at >= offset && at - offset < bytes; }
  };

  std::uint32_t table_word(std::uint64_t index) const { return table_[static_cast<std::size_t>(index)]; }
  std::uint64_t read_byte(std::uint64_t offset) const;
  bool masked(unsigned vector) const;
  void send(unsigned vector);
  void send_pending();
  void show_msi_pending();
  std::uint32_t msi_register(unsigned offset, unsigned size) const;

  PcieFunction& function_;
  FunctionDma& dma_;
  std::optional<std::uint16_t> msi_at_, msix_at_;  // in configuration space
  bool msi_masks_ = false;
  unsigned bar_ = 0;
  Place table_at_{}, pending_at_{};
  std::vector<std::uint32_t> table_;  // four doublewords a vector
  std::vector<bool> pending_;
  InterruptCounters counters_{};
};

}  // namespace smmusim::platform
