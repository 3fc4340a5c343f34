// SPDX-License-Identifier: MIT
// Fetch, check, carry out, advance. Consumption stops for good when PROD and CONS can't belong to one queue (more
// entries than it has): the strictest of the CONSTRAINED UNPREDICTABLE choices of section 3.5.1.
#include "model/smmu/command_queue.h"

#include <algorithm>

#include "model/smmu/acceleration.h"
#include "model/smmu/core.h"
#include "model/smmu/own_access.h"
#include "model/smmu/translate.h"

namespace smmusim {
namespace {

using spec::Command;
using spec::CommandError;
using spec::GERROR;
using spec::Opcode;

constexpr unsigned command_log2_bytes = 4;

QueueView view_of(const Core& core) {
  return {core.regs.cmdq_base & low_mask(core.config.features.oas), core.regs.cmdq_prod, core.regs.cmdq_cons,
          core.config.features.cmdqs, command_log2_bytes};
}

/// CMD_PREFETCH_CONFIG: the STE and CD, if they are not there; never faults (section 4.2).
Task<> prefetch_configuration(Core& core, TranslationOp& op) {
  const Transaction& t = op.transaction;
  if (core.tcu.config_cache.find(t.stream_id, t.substream_valid, t.substream_id, false) != nullptr) co_return;
  op.token = core.tcu.in_flight.begin();
  co_await fetch_configuration(core, op);
  end_in_tcu(core, op.token);
}

/// CMD_PREFETCH_ADDR: translations that fill caches and never fault. A hint is bounded: no more of them than the TLB
/// has entries.
Task<> prefetch_addresses(Core& core, TranslationOp& op, Transaction& t, Command& command) {
  const std::uint64_t limit = std::max(core.config.tcu.tlb.entries, 1u);
  const std::uint64_t count = std::min(std::uint64_t{1} << command.get<Command::PrefetchSize>(), limit);
  const bool has_stride = core.config.features.version_minor != 0;  // in v3.0 it is RES0, and ignored here
  const std::uint64_t stride = std::uint64_t{1} << (12 + (has_stride ? command.get<Command::Stride>() : 0));
  for (std::uint64_t i = 0; i < count; ++i) {
    t.address = Va(command.get<Command::Address>() + i * stride);
    op.fault = {};
    op.token = core.tcu.in_flight.begin();
    co_await delay(core.lifetime, core.lookup_time);
    co_await translate_in_tcu(core, op);
    end_in_tcu(core, op.token);
  }
}

Task<> prefetch(Core& core, Command& command) {
  if (!core.regs.smmuen()) co_return;
  Transaction t;
  t.stream_id = StreamId(command.get<Command::StreamID>());
  t.substream_valid = command.get<Command::SSV>();
  t.substream_id = SubstreamId(command.get<Command::SubstreamID>());
  Response response;
  TranslationOp op(core, Consultation(t, response, true), prefetch_effects, core.memory, core.config.timed);
  if (command.get<Command::OP>() == Opcode::CMD_PREFETCH_CONFIG) {
    co_await prefetch_configuration(core, op);
  } else {
    co_await prefetch_addresses(core, op, t, command);
  }
}

bool is_prefetch(Opcode opcode) {
  return opcode == Opcode::CMD_PREFETCH_CONFIG || opcode == Opcode::CMD_PREFETCH_ADDR;
}

}  // namespace

CommandQueue::CommandQueue(Core& core) : core_(core), completion_(core.lifetime) {}

Scope& CommandQueue::scope() {
  return core_.lifetime;
}

bool CommandQueue::may_consume() const {
  if (!core_.regs.cmdqen() || (core_.regs.active_errors() & GERROR::CMDQ_ERR::mask) != 0) return false;
  const QueueView queue = view_of(core_);
  return !queue.empty() && queue.consistent();
}

void CommandQueue::kick() {
  if (running_ || !may_consume()) return;
  running_ = true;
  spawn(core_.lifetime, run());
}

Task<> CommandQueue::run() {
  while (may_consume()) {
    Command command;
    const Pa address = view_of(core_).address(view_of(core_).cons());
    OwnAccess read =
        own_read(core_, core_.memory, Purpose::CMD, address, command.dw.data(), 16, core_.command_queue_attributes());
    const MemoryStatus status = co_await read;
    CommandError error = CommandError::CERROR_ABT;
    if (status == MemoryStatus::ok) error = co_await consume(command);
    if (core_.observer != nullptr) core_.observer->command(command, error);
    if (error != CommandError::CERROR_NONE) {
      fail(error);
      continue;  // unless the error was acknowledged while it was being told
    }
    ++core_.counters.commands[static_cast<std::size_t>(command.get<Command::OP>())];
    advance();
    if (command.get<Command::OP>() != Opcode::CMD_SYNC) continue;
    // CONS has passed the CMD_SYNC before anybody hears of it.
    if (command.get<Command::CS>() == spec::SyncSignal::irq) co_await core_.interrupts.signal_sync(command);
    if (command.get<Command::CS>() == spec::SyncSignal::sev && core_.config.features.sev) {
      core_.interrupts.pulse(Wire::sev);
    }
  }
  running_ = false;
  update_cr0ack(core_);
}

Task<CommandError> CommandQueue::consume(Command& command) {
  if (core_.config.timed) co_await delay(core_.lifetime, core_.clock.cycles(core_.config.tcu.command_cycles));
  if (illegal_command(core_, command)) co_return CommandError::CERROR_ILL;
  const CommandError refused = accelerate_command(core_, command);
  if (refused != CommandError::CERROR_NONE) co_return refused;
  const Opcode opcode = command.get<Command::OP>();
  if (opcode == Opcode::CMD_SYNC) {
    const CommandError error = co_await complete_earlier_commands();
    co_return error;
  }
  if (is_prefetch(opcode)) {
    co_await prefetch(core_, command);
  } else if (opcode == Opcode::CMD_ATC_INV) {
    co_await core_.atc_invalidations.issue(command);
  } else if (opcode == Opcode::CMD_PRI_RESP) {
    core_.pri_queue.respond(command);
  } else {
    execute_command(core_, command);
  }
  co_return CommandError::CERROR_NONE;
}

Task<CommandError> CommandQueue::complete_earlier_commands() {
  const Time begin = core_.lifetime.engine().now();
  ++core_.counters.syncs;
  while (!accelerator_settled(core_)) co_await completion_.wait();
  // First, because a device's completion pushes its transactions before it (section 4.5.1).
  if (!core_.atc_invalidations.settled()) {
    const bool complete = co_await core_.atc_invalidations.settle();
    if (!complete) co_return CommandError::CERROR_ATC_INV_SYNC;
  }
  // The TBUs have to answer; then every transaction that may have used what was invalidated has to be visible, and
  // the records of those that were terminated written or lost (section 4.7).
  if (core_.config.timed) co_await delay(core_.lifetime, core_.clock.cycles(2ull * core_.config.tbu.link_cycles));
  core_.requests.start_epoch();
  while (!core_.requests.old_epoch_empty()) co_await completion_.wait();
  const std::uint64_t records = core_.event_queue.taken();  // later ones are not of those transactions
  while (!core_.event_queue.finished(records)) co_await completion_.wait();
  core_.counters.sync_wait += core_.lifetime.engine().now() - begin;
  co_return CommandError::CERROR_NONE;
}

void CommandQueue::advance() {
  const QueueView queue = view_of(core_);
  core_.regs.cmdq_cons = (core_.regs.cmdq_cons & ~low_mask(20)) | queue.next(queue.cons());
  if (queue.full() && core_.config.features.sev) core_.interrupts.pulse(Wire::sev);  // there is room again (4.7.3)
}

void CommandQueue::fail(CommandError error) {
  ++core_.counters.command_errors;
  core_.regs.cmdq_cons = spec::CMDQ_CONS::ERR::set(core_.regs.cmdq_cons, error);
  core_.interrupts.report_global_error(GERROR::CMDQ_ERR::mask);
}

void CommandQueue::reset() {
  running_ = false;
}

}  // namespace smmusim
