// SPDX-License-Identifier: MIT
// GuestDriver's use of the Command, Event and PRI queue (IHI 0070 section 3.5) and its answer to GERROR
// (section 7.1 and 7.5). Queue positions are kept as 64-bit counts; the registers hold their low bits and a wrap bit.
#include "model/spec/registers.h"
#include "platform/driver/commands.h"
#include "platform/driver/guest_driver.h"

namespace smmusim {
namespace {

namespace reg = spec::reg;

constexpr std::uint32_t overflow_bit = 1U << 31;  // OVFLG of EVENTQ_PROD and PRIQ_PROD, OVACKFLG of the CONS

}  // namespace

void GuestDriver::put_command(const spec::Command& command) {
  const std::uint64_t index = produced_ & low_mask(command_log2_);
  memory_.poke(command_queue_ + index * spec::Command::size_bytes, command.dw.data(), spec::Command::size_bytes);
  ++produced_;
}

void GuestDriver::ring() {
  write32(reg::CMDQ_PROD, static_cast<std::uint32_t>(produced_ & low_mask(command_log2_ + 1)));
}

void GuestDriver::refresh_consumed() {
  spec::CMDQ_CONS cons;
  cons.dw[0] = read32(reg::CMDQ_CONS);
  const std::uint64_t wrap_mask = low_mask(command_log2_ + 1);
  const std::uint64_t moved = (cons.get<spec::CMDQ_CONS::RD>() - consumed_) & wrap_mask;
  if (moved != 0 && moved <= produced_ - consumed_) {
    consumed_ += moved;
    progress_.open();
  }
  if (cons.get<spec::CMDQ_CONS::ERR>() != spec::CommandError::CERROR_NONE) service_errors();
}

/// Waits until CMDQ_CONS has passed `target` commands. One waiter polls for all; when it has what it wants, the next
/// one takes over.
Task<DriverStatus> GuestDriver::wait_consumed(std::uint64_t target) {
  const Time deadline = scope_.engine().now() + config_.timeout;
  while (consumed_ < target) {
    if (polling_) {
      co_await progress_.wait();
      continue;
    }
    polling_ = true;
    const DriverStatus status = co_await poll_consumed(target, deadline);
    polling_ = false;
    progress_.open();
    if (status != DriverStatus::ok) co_return status;
  }
  co_return DriverStatus::ok;
}

Task<DriverStatus> GuestDriver::poll_consumed(std::uint64_t target, Time deadline) {
  for (;;) {
    refresh_consumed();
    if (consumed_ >= target) co_return DriverStatus::ok;
    if (stuck_) co_return DriverStatus::command_failed;
    if (scope_.engine().now() >= deadline) co_return DriverStatus::timed_out;
    co_await delay(scope_, config_.poll_interval);
  }
}

Task<DriverStatus> GuestDriver::execute(std::span<const spec::Command> commands) {
  const std::uint64_t size = std::uint64_t{1} << command_log2_;
  co_await issue_.acquire();
  SlotHold turn(issue_);
  const std::uint64_t first = produced_;
  for (std::size_t i = 0; i <= commands.size(); ++i) {
    // One batch may be larger than the queue: what there is goes out, the rest follows as room appears.
    while (produced_ - consumed_ == size) {
      ring();
      const DriverStatus room = co_await wait_consumed(produced_ - size + 1);
      if (room != DriverStatus::ok) co_return room;
    }
    put_command(i < commands.size() ? commands[i] : make_sync());
  }
  const std::uint64_t end = produced_;
  ring();
  turn.release();
  const DriverStatus status = co_await wait_consumed(end);
  if (status != DriverStatus::ok) co_return status;
  co_return failed_between(first, end) ? DriverStatus::command_failed : DriverStatus::ok;
}

bool GuestDriver::failed_between(std::uint64_t first, std::uint64_t end) const {
  for (const std::uint64_t number : failed_) {
    if (number >= first && number < end) return true;
  }
  return false;
}

/// The command at CMDQ_CONS stopped the queue. A refused one is overwritten with a CMD_SYNC; one that could not be
/// fetched is tried again a few times, then the queue is left stopped.
void GuestDriver::recover_command_queue() {
  constexpr std::size_t failed_max = 1024;
  spec::CMDQ_CONS cons;
  cons.dw[0] = read32(reg::CMDQ_CONS);
  const std::uint64_t wrap_mask = low_mask(command_log2_ + 1);
  const std::uint64_t number = consumed_ + ((cons.get<spec::CMDQ_CONS::RD>() - consumed_) & wrap_mask);
  const auto error = cons.get<spec::CMDQ_CONS::ERR>();
  if (error == spec::CommandError::CERROR_ABT) {
    aborts_in_a_row_ = number == aborted_command_ ? aborts_in_a_row_ + 1 : 1;
    aborted_command_ = number;
    if (aborts_in_a_row_ <= config_.abort_retries_max) return;
    stuck_ = true;
    ++command_errors_;
    return;
  } else if (error != spec::CommandError::CERROR_ILL) {
    return;
  }
  ++command_errors_;
  if (failed_.size() == failed_max) failed_.erase(failed_.begin());
  failed_.push_back(number);
  const spec::Command sync = make_sync();
  const std::uint64_t index = number & low_mask(command_log2_);
  memory_.poke(command_queue_ + index * spec::Command::size_bytes, sync.dw.data(), spec::Command::size_bytes);
}

void GuestDriver::service_errors() {
  const std::uint32_t gerror = read32(reg::GERROR);
  const std::uint32_t active = gerror ^ read32(reg::GERRORN);
  if (active == 0) return;
  if ((active & spec::GERROR::CMDQ_ERR::mask) != 0) recover_command_queue();
  if (stuck_) return;
  write32(reg::GERRORN, gerror);  // the Command queue goes on from here
}

void GuestDriver::read_events(DrainedEvents& drained) {
  const std::uint32_t prod = read32(reg::EVENTQ_PROD);
  const std::uint32_t cons = read32(reg::EVENTQ_CONS);
  const auto wrap_mask = static_cast<std::uint32_t>(low_mask(event_log2_ + 1));
  std::uint32_t position = cons & wrap_mask;
  while (position != (prod & wrap_mask)) {
    spec::Event event;
    const std::uint64_t index = position & low_mask(event_log2_);
    memory_.peek(event_queue_ + index * spec::Event::size_bytes, event.dw.data(), spec::Event::size_bytes);
    drained.events.push_back(event);
    position = (position + 1) & wrap_mask;
  }
  if (((prod ^ cons) & overflow_bit) != 0) drained.overflowed = true;
  const std::uint32_t next = position | (prod & overflow_bit);
  if (next != cons) write32(reg::EVENTQ_CONS, next);
}

std::optional<spec::PriEntry> GuestDriver::next_page_request() {
  const std::uint32_t prod = read32(reg::PRIQ_PROD);
  const std::uint32_t cons = read32(reg::PRIQ_CONS);
  if (((prod ^ cons) & low_mask(pri_log2_ + 1)) == 0) {
    if (((prod ^ cons) & overflow_bit) != 0) {
      ++page_request_overflows_;
      write32(reg::PRIQ_CONS, cons ^ overflow_bit);
    }
    return std::nullopt;
  }
  spec::PriEntry entry;
  const std::uint64_t index = cons & low_mask(pri_log2_);
  memory_.peek(pri_queue_ + index * spec::PriEntry::size_bytes, entry.dw.data(), spec::PriEntry::size_bytes);
  return entry;
}

void GuestDriver::release_page_request() {
  const std::uint32_t cons = read32(reg::PRIQ_CONS);
  const auto position_mask = static_cast<std::uint32_t>(low_mask(pri_log2_ + 1));
  write32(reg::PRIQ_CONS, (cons & overflow_bit) | ((cons + 1) & position_mask));
}

}  // namespace smmusim
