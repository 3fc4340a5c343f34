// SPDX-License-Identifier: MIT
// GuestDriver: probing, enabling and disabling, in the register order of Linux's arm_smmu_device_reset. Queues are in
// guest_queues.cc.
#include "platform/driver/guest_driver.h"

#include <algorithm>
#include <utility>

#include "model/spec/registers.h"
#include "platform/driver/commands.h"

namespace smmusim {
namespace {

namespace reg = spec::reg;

// TABLE and QUEUE accesses: inner shareable, write-back inside and outside.
constexpr std::uint32_t cr1_cacheable = 0xd75;
constexpr std::uint32_t entry_bytes_command = spec::Command::size_bytes;
constexpr std::uint32_t entry_bytes_event = spec::Event::size_bytes;

template <class Field>
constexpr std::uint32_t bit() {
  return static_cast<std::uint32_t>(Field::mask);
}

template <class Register>
Register as(std::uint32_t value) {
  Register r;
  r.dw[0] = value;
  return r;
}

Pa queue_memory(PageAllocator& pages, unsigned log2_entries, std::uint32_t entry_bytes) {
  const std::uint64_t bytes = std::uint64_t{entry_bytes} << log2_entries;
  return pages.allocate(bytes, std::max<std::uint64_t>(bytes, 32));
}

}  // namespace

std::string_view describe(DriverStatus status) {
  switch (status) {
    case DriverStatus::ok:
      return "done";
    case DriverStatus::no_stage1:
      return "the SMMU has no stage 1; the driver needs IDR0.S1P = 1";
    case DriverStatus::no_stage2:
      return "the SMMU has no stage 2; the driver needs IDR0.S2P = 1";
    case DriverStatus::no_vmsav8_64:
      return "the SMMU walks no VMSAv8-64 tables; the driver needs IDR0.TTF = 2 or 3";
    case DriverStatus::no_granule:
      return "the SMMU has no 4 KiB granule; the driver needs IDR5.GRAN4K = 1";
    case DriverStatus::preset:
      return "the SMMU's tables or queues are preset; the driver needs IDR1.TABLES_PRESET, QUEUES_PRESET and REL = 0";
    case DriverStatus::timed_out:
      return "the SMMU did not answer the driver in time; a poll longer than driver timeout points to a lost command";
    case DriverStatus::command_failed:
      return "the SMMU refused a command or could not fetch it (CMDQ_CONS.ERR)";
  }
  return "unknown status";
}

GuestDriver::GuestDriver(Engine& engine, SparseMemory& memory, PageAllocator& pages, RegisterBus bus,
                         const GuestDriverConfig& config)
    : scope_(engine), memory_(memory), bus_(std::move(bus)), config_(config), progress_(scope_), issue_(scope_, 1) {
  config_.poll_interval = std::max<Time>(config_.poll_interval, 1);
  const auto idr1 = as<spec::IDR1>(read32(reg::IDR1));
  command_log2_ = std::min(config_.command_queue_log2, idr1.get<spec::IDR1::CMDQS>());
  event_log2_ = std::min(config_.event_queue_log2, idr1.get<spec::IDR1::EVENTQS>());
  pri_log2_ = std::min(config_.pri_queue_log2, idr1.get<spec::IDR1::PRIQS>());
  command_queue_ = queue_memory(pages, command_log2_, entry_bytes_command);
  event_queue_ = queue_memory(pages, event_log2_, entry_bytes_event);
  if (as<spec::IDR0>(read32(reg::IDR0)).get<spec::IDR0::PRI>()) {
    pri_queue_ = queue_memory(pages, pri_log2_, spec::PriEntry::size_bytes);
  }
}

DriverStatus GuestDriver::probe() {
  const auto idr0 = as<spec::IDR0>(read32(reg::IDR0));
  const auto idr1 = as<spec::IDR1>(read32(reg::IDR1));
  const auto idr3 = as<spec::IDR3>(read32(reg::IDR3));
  const auto idr5 = as<spec::IDR5>(read32(reg::IDR5));
  features_.sidsize = idr1.get<spec::IDR1::SIDSIZE>();
  features_.output_bits = spec::address_bits(idr5.get<spec::IDR5::OAS>());
  features_.range_invalidation = idr3.get<spec::IDR3::RIL>();
  features_.ats = idr0.get<spec::IDR0::ATS>();
  features_.pri = idr0.get<spec::IDR0::PRI>();
  if (uses_stage1(config_.stages) && !idr0.get<spec::IDR0::S1P>()) return DriverStatus::no_stage1;
  if (uses_stage2(config_.stages) && !idr0.get<spec::IDR0::S2P>()) return DriverStatus::no_stage2;
  if ((idr0.get<spec::IDR0::TTF>() & 2) == 0) return DriverStatus::no_vmsav8_64;
  if (!idr5.get<spec::IDR5::GRAN4K>()) return DriverStatus::no_granule;
  if (idr1.get<spec::IDR1::TABLES_PRESET>() || idr1.get<spec::IDR1::QUEUES_PRESET>() || idr1.get<spec::IDR1::REL>()) {
    return DriverStatus::preset;
  }
  return DriverStatus::ok;
}

Task<DriverStatus> GuestDriver::wait_for(std::uint32_t offset, std::uint32_t mask, std::uint32_t value) {
  const Time deadline = scope_.engine().now() + config_.timeout;
  while ((read32(offset) & mask) != value) {
    if (scope_.engine().now() >= deadline) co_return DriverStatus::timed_out;
    co_await delay(scope_, config_.poll_interval);
  }
  co_return DriverStatus::ok;
}

Task<DriverStatus> GuestDriver::set_cr0(std::uint32_t value) {
  write32(reg::CR0, value);
  const DriverStatus status = co_await wait_for(reg::CR0ACK, ~0U, value);
  co_return status;
}

/// Off, and aborting while off if it was on.
Task<DriverStatus> GuestDriver::quiesce() {
  constexpr std::uint32_t update = bit<spec::GBPA::Update>();
  if ((read32(reg::CR0) & bit<spec::CR0::SMMUEN>()) != 0) {
    DriverStatus status = co_await wait_for(reg::GBPA, update, 0);
    if (status != DriverStatus::ok) co_return status;
    write32(reg::GBPA, read32(reg::GBPA) | bit<spec::GBPA::ABORT>() | update);
    status = co_await wait_for(reg::GBPA, update, 0);
    if (status != DriverStatus::ok) co_return status;
  }
  const DriverStatus status = co_await set_cr0(0);
  co_return status;
}

void GuestDriver::program_tables(StreamTable& streams) {
  write32(reg::CR1, cr1_cacheable);
  write32(reg::CR2, bit<spec::CR2::PTM>() | bit<spec::CR2::RECINVSID>());
  write64(reg::STRTAB_BASE, streams.base_register());
  write32(reg::STRTAB_BASE_CFG, streams.base_cfg_register());
  spec::CMDQ_BASE base;
  base.set<spec::CMDQ_BASE::ADDR>(command_queue_.value).set<spec::CMDQ_BASE::RA>(true);
  base.set<spec::CMDQ_BASE::LOG2SIZE>(command_log2_);
  write64(reg::CMDQ_BASE, base.dw[0]);
  write32(reg::CMDQ_PROD, 0);
  write32(reg::CMDQ_CONS, 0);
  produced_ = 0;
  consumed_ = 0;
  failed_.clear();
  stuck_ = false;
}

Task<DriverStatus> GuestDriver::execute_one(spec::Command command) {
  const DriverStatus status = co_await execute(std::span<const spec::Command>(&command, 1));
  co_return status;
}

Task<DriverStatus> GuestDriver::enable_interrupts() {
  write32(reg::IRQ_CTRL, 0);
  DriverStatus status = co_await wait_for(reg::IRQ_CTRLACK, ~0U, 0);
  if (status != DriverStatus::ok) co_return status;
  write64(reg::GERROR_IRQ_CFG0, 0);  // no MSIs: wired
  write64(reg::EVENTQ_IRQ_CFG0, 0);
  std::uint32_t enabled = bit<spec::IRQ_CTRL::EVENTQ_IRQEN>() | bit<spec::IRQ_CTRL::GERROR_IRQEN>();
  if (features_.pri) {
    write64(reg::PRIQ_IRQ_CFG0, 0);
    write32(reg::PRIQ_IRQ_CFG2, 0);  // at each entry of an empty queue, not only at the last of a group
    enabled |= bit<spec::IRQ_CTRL::PRIQ_IRQEN>();
  }
  write32(reg::IRQ_CTRL, enabled);
  status = co_await wait_for(reg::IRQ_CTRLACK, ~0U, enabled);
  co_return status;
}

void GuestDriver::program_event_queue() {
  spec::EVENTQ_BASE base;
  base.set<spec::EVENTQ_BASE::ADDR>(event_queue_.value).set<spec::EVENTQ_BASE::WA>(true);
  base.set<spec::EVENTQ_BASE::LOG2SIZE>(event_log2_);
  write64(reg::EVENTQ_BASE, base.dw[0]);
  write32(reg::EVENTQ_PROD, 0);
  write32(reg::EVENTQ_CONS, 0);
}

void GuestDriver::program_pri_queue() {
  spec::PRIQ_BASE base;
  base.set<spec::PRIQ_BASE::ADDR>(pri_queue_.value).set<spec::PRIQ_BASE::WA>(true);
  base.set<spec::PRIQ_BASE::LOG2SIZE>(pri_log2_);
  write64(reg::PRIQ_BASE, base.dw[0]);
  write32(reg::PRIQ_PROD, 0);
  write32(reg::PRIQ_CONS, 0);
}

Task<DriverStatus> GuestDriver::enable(StreamTable& streams) {
  DriverStatus status = co_await quiesce();
  if (status != DriverStatus::ok) co_return status;
  program_tables(streams);
  std::uint32_t cr0 = bit<spec::CR0::CMDQEN>();
  status = co_await set_cr0(cr0);
  if (status != DriverStatus::ok) co_return status;
  status = co_await execute_one(make_cfgi_all());
  if (status != DriverStatus::ok) co_return status;
  status = co_await execute_one(make_tlbi_nsnh_all());
  if (status != DriverStatus::ok) co_return status;

  program_event_queue();
  cr0 |= bit<spec::CR0::EVENTQEN>();
  status = co_await set_cr0(cr0);
  if (status != DriverStatus::ok) co_return status;
  if (features_.pri) {
    program_pri_queue();
    cr0 |= bit<spec::CR0::PRIQEN>();
    status = co_await set_cr0(cr0);
    if (status != DriverStatus::ok) co_return status;
  }
  if (features_.ats) {
    cr0 |= bit<spec::CR0::ATSCHK>();
    status = co_await set_cr0(cr0);
    if (status != DriverStatus::ok) co_return status;
  }
  if (config_.interrupts) {
    status = co_await enable_interrupts();
    if (status != DriverStatus::ok) co_return status;
  }
  status = co_await set_cr0(cr0 | bit<spec::CR0::SMMUEN>());
  co_return status;
}

Task<DriverStatus> GuestDriver::disable() {
  write32(reg::IRQ_CTRL, 0);
  DriverStatus status = co_await wait_for(reg::IRQ_CTRLACK, ~0U, 0);
  if (status != DriverStatus::ok) co_return status;
  status = co_await set_cr0(0);
  co_return status;
}

}  // namespace smmusim
