// SPDX-License-Identifier: MIT
// Wires, MSIs and GERROR as rows of one table (IHI 0070 sections 3.18 and 7.5).
#include "model/smmu/interrupts.h"

#include "model/smmu/core.h"
#include "model/smmu/own_access.h"
#include "model/vmsa/attributes.h"

namespace smmusim {
namespace {

using spec::GERROR;
using spec::IRQ_CTRL;

struct SourceRow {
  Wire wire;
  std::uint64_t enable;       ///< bit of IRQ_CTRL
  std::uint64_t abort_error;  ///< bit of GERROR that an aborted MSI activates
  IrqConfig RegisterFile::*config;
};
constexpr SourceRow sources[] = {
    {Wire::global_error, IRQ_CTRL::GERROR_IRQEN::mask, GERROR::MSI_GERROR_ABT_ERR::mask, &RegisterFile::gerror_irq},
    {Wire::event_queue, IRQ_CTRL::EVENTQ_IRQEN::mask, GERROR::MSI_EVENTQ_ABT_ERR::mask, &RegisterFile::eventq_irq},
    {Wire::pri_queue, IRQ_CTRL::PRIQ_IRQEN::mask, GERROR::MSI_PRIQ_ABT_ERR::mask, &RegisterFile::priq_irq},
};
const SourceRow& row_of(IrqSource source) {
  return sources[static_cast<std::size_t>(source)];
}

/// Attributes of an MSI write: a MemAttr and a shareability field (section 3.18).
MemoryAttributes msi_attributes(unsigned memattr, unsigned sh) {
  const std::uint8_t type = memattr_to_mair(memattr);
  return {type, effective_shareability(type, sh)};
}

/// An address that a register or command holds, cut to the OAS (section 3.4.3).
Pa truncated(const Core& core, std::uint64_t address) {
  return Pa(address & low_mask(core.config.features.oas));
}

}  // namespace

Scope& Interrupts::scope() {
  return core_.lifetime;
}

void Interrupts::pulse(Wire wire) {
  wires_ |= 1u << static_cast<unsigned>(wire);
  ++core_.counters.wired_interrupts;
}

void Interrupts::raise(IrqSource source) {
  const SourceRow& row = row_of(source);
  if ((core_.regs.irq_ctrl & core_.regs.irq_ctrlack & row.enable) == 0) return;
  pulse(row.wire);
  if (core_.config.features.msi && (core_.regs.*row.config).cfg0 != 0) spawn(core_.lifetime, send_msi(source));
}

Task<> Interrupts::send_msi(IrqSource source) {
  const SourceRow& row = row_of(source);
  const IrqConfig config = core_.regs.*row.config;
  ++outstanding_[static_cast<std::size_t>(source)];
  ++core_.counters.msis;
  auto data = static_cast<std::uint32_t>(config.cfg1);
  const auto cfg2 = as<spec::GERROR_IRQ_CFG2>(config.cfg2);
  OwnAccess write = own_write(core_, Purpose::MSI, truncated(core_, config.cfg0), &data, 4,
                              msi_attributes(cfg2.get<spec::GERROR_IRQ_CFG2::MemAttr>(),
                                             static_cast<unsigned>(cfg2.get<spec::GERROR_IRQ_CFG2::SH>())));
  const MemoryStatus status = co_await write;
  if (status != MemoryStatus::ok) report_global_error(row.abort_error);
  --outstanding_[static_cast<std::size_t>(source)];
  update_ack();
}

Task<> Interrupts::signal_sync(spec::Command& sync) {
  using spec::Command;
  pulse(Wire::command_sync);
  const std::uint64_t address = sync.get<Command::MSIAddress>();
  if (!core_.config.features.msi || address == 0) co_return;
  ++core_.counters.msis;
  std::uint32_t data = sync.get<Command::MSIData>();
  OwnAccess write =
      own_write(core_, Purpose::MSI, truncated(core_, address), &data, 4,
                msi_attributes(sync.get<Command::MSIAttr>(), static_cast<unsigned>(sync.get<Command::MSH>())));
  const MemoryStatus status = co_await write;
  if (status != MemoryStatus::ok) report_global_error(GERROR::MSI_CMDQ_ABT_ERR::mask);
}

void Interrupts::report_global_error(std::uint64_t bits) {
  const std::uint64_t fresh = bits & ~core_.regs.active_errors();
  if (fresh == 0) return;
  core_.regs.gerror ^= fresh;
  if ((fresh & ~GERROR::MSI_GERROR_ABT_ERR::mask) != 0) raise(IrqSource::global_error);
}

void Interrupts::update_ack() {
  std::uint64_t ack = core_.regs.irq_ctrl;
  for (std::size_t i = 0; i < outstanding_.size(); ++i) {
    if (outstanding_[i] != 0) ack |= core_.regs.irq_ctrlack & sources[i].enable;
  }
  core_.regs.irq_ctrlack = ack;
}

unsigned Interrupts::take_wires() {
  const unsigned taken = wires_;
  wires_ = 0;
  return taken;
}

void Interrupts::reset() {
  wires_ = 0;
  outstanding_ = {};
}

}  // namespace smmusim
