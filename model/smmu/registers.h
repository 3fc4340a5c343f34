// SPDX-License-Identifier: MIT
// RegisterFile: the storage of the Non-secure registers (IHI 0070 section 6.3) and what the rest of the model asks of
// it. Who may write what, and what a write sets off, is in register_table.cc and mmio.cc.
#pragma once

#include <algorithm>
#include <cstdint>

#include "model/spec/features.h"
#include "model/spec/registers.h"

namespace smmusim {

/// A 32-bit register as its fields.
template <class Register>
constexpr Register as(std::uint64_t raw) {
  Register r;
  r.dw[0] = raw;
  return r;
}

struct IrqConfig {
  std::uint64_t cfg0 = 0;
  std::uint64_t cfg1 = 0;
  std::uint64_t cfg2 = 0;
};

/// Raw values, one 64-bit word each whatever the register's width.
struct RegisterFile {
  std::uint64_t cr0 = 0, cr0ack = 0, cr1 = 0, cr2 = 0;
  std::uint64_t gbpa = 0, agbpa = 0;
  std::uint64_t irq_ctrl = 0, irq_ctrlack = 0;
  std::uint64_t gerror = 0, gerrorn = 0;
  IrqConfig gerror_irq, eventq_irq, priq_irq;
  std::uint64_t strtab_base = 0, strtab_base_cfg = 0;
  std::uint64_t cmdq_base = 0, cmdq_prod = 0, cmdq_cons = 0;
  std::uint64_t eventq_base = 0, eventq_prod = 0, eventq_cons = 0;
  std::uint64_t priq_base = 0, priq_prod = 0, priq_cons = 0;
  std::uint64_t gmpam = 0, gbpmpam = 0;

  bool smmuen() const { return as<spec::CR0>(cr0).get<spec::CR0::SMMUEN>(); }
  bool cmdqen() const { return as<spec::CR0>(cr0).get<spec::CR0::CMDQEN>(); }
  bool eventqen() const { return as<spec::CR0>(cr0).get<spec::CR0::EVENTQEN>(); }
  /// The effective value of PRIQEN (6.3.9.5).
  bool priqen() const { return smmuen() && as<spec::CR0>(cr0).get<spec::CR0::PRIQEN>(); }
  bool atschk() const { return as<spec::CR0>(cr0).get<spec::CR0::ATSCHK>(); }
  bool rec_cfg_ats() const { return as<spec::CR2>(cr2).get<spec::CR2::REC_CFG_ATS>(); }
  bool recinvsid() const { return as<spec::CR2>(cr2).get<spec::CR2::RECINVSID>(); }
  /// Bits of GERROR that software has not acknowledged.
  std::uint64_t active_errors() const { return gerror ^ gerrorn; }
};

/// A circular queue as its three registers describe it (section 3.5). `entry_bits` is log2 of an entry's bytes.
class QueueView {
 public:
  /// `base` is cut to the OAS already (3.4.3). `log2_max` is IDR1.CMDQS or EVENTQS: a larger LOG2SIZE acts as that.
  QueueView(std::uint64_t base, std::uint64_t prod, std::uint64_t cons, unsigned log2_max, unsigned entry_bits)
      : log2size_(std::min<unsigned>(static_cast<unsigned>(base & 0x1f), log2_max)),
        entry_bits_(entry_bits),
        base_(base & ~low_mask(std::max(5u, log2size_ + entry_bits))),
        prod_(static_cast<std::uint32_t>(prod & mask())),
        cons_(static_cast<std::uint32_t>(cons & mask())) {}

  std::uint32_t prod() const { return prod_; }
  std::uint32_t cons() const { return cons_; }
  bool empty() const { return prod_ == cons_; }
  bool full() const { return used() == entries(); }
  /// False if the indexes can't come from a queue in use (section 3.5.1, CONSTRAINED UNPREDICTABLE).
  bool consistent() const { return used() <= entries(); }
  std::uint32_t entries() const { return std::uint32_t{1} << log2size_; }
  std::uint32_t used() const { return (prod_ - cons_) & mask(); }
  std::uint32_t next(std::uint32_t index) const { return (index + 1) & mask(); }
  Pa address(std::uint32_t index) const { return Pa(base_ + (std::uint64_t{index & (entries() - 1)} << entry_bits_)); }

 private:
  std::uint32_t mask() const { return static_cast<std::uint32_t>(low_mask(log2size_ + 1)); }
  unsigned log2size_;
  unsigned entry_bits_;
  std::uint64_t base_;
  std::uint32_t prod_;
  std::uint32_t cons_;
};

}  // namespace smmusim
