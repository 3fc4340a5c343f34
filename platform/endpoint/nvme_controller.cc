// SPDX-License-Identifier: MIT
// Registers, doorbells and the way of a command from its queue to its completion.
#include "platform/endpoint/nvme_controller.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace smmusim::platform {
namespace {

namespace reg = nvme::reg;
using nvme::Status;

// BAR 0: registers, doorbells, MSI-X table and its pending bits, 4 KiB each.
constexpr std::uint64_t bar_bytes = 0x4000;
constexpr std::uint32_t doorbells_end = 0x2000, table_offset = 0x2000, pending_offset = 0x3000;
constexpr unsigned word_bytes = 4;
constexpr unsigned io_queues_max = 255;  // with the admin queue's, vectors that fit into 4 KiB
constexpr unsigned page_size_max = 4;    // CAP.MPSMAX: 64 KiB
constexpr unsigned fetched_at_once = 8;
constexpr std::uint32_t page_offset = 0xfff;

void require(bool condition, const std::string& what) {
  if (!condition) throw std::invalid_argument(what);
}

const NvmeConfig& checked(const NvmeConfig& config) {
  require(config.io_queues >= 1 && config.io_queues <= io_queues_max,
          "nvme.io_queues is " + std::to_string(config.io_queues) + "; give 1 to 255");
  require(config.queue_entries >= 2 && config.queue_entries <= 0x10000,
          "nvme.queue_entries is " + std::to_string(config.queue_entries) + "; give 2 to 65536");
  require(config.commands >= 1 && config.commands <= 4096,
          "nvme.commands is " + std::to_string(config.commands) + "; give 1 to 4096");
  require(config.transfer_pages_log2 <= 9,
          "nvme.transfer_pages_log2 is " + std::to_string(config.transfer_pages_log2) + "; give 0 to 9");
  require(config.channels >= 1, "nvme.channels is 0; give at least 1");
  return config;
}

std::uint32_t low(std::uint64_t value) {
  return static_cast<std::uint32_t>(value);
}
std::uint32_t high(std::uint64_t value) {
  return static_cast<std::uint32_t>(value >> 32);
}
void set_low(std::uint64_t& value, std::uint32_t part) {
  value = (value >> 32) << 32 | part;
}
void set_high(std::uint64_t& value, std::uint32_t part) {
  value = std::uint64_t{part} << 32 | low(value);
}

/// MQES, contiguous queues, a time-out of 1 s, the NVM command set, pages of 4 to 64 KiB.
std::uint64_t capabilities(const NvmeConfig& config) {
  constexpr std::uint64_t contiguous = 1U << 16, timeout = 2U << 24, nvm = std::uint64_t{1} << 37;
  return (config.queue_entries - 1) | contiguous | timeout | nvm | std::uint64_t{page_size_max} << 52;
}

}  // namespace

FunctionDescription nvme_function(const NvmeConfig& config) {
  FunctionDescription function;
  function.device = 0x0010;
  function.class_code = 0x010802;
  function.bars[0] = {bar_bytes, true, false};
  function.msix = MsixCapability{config.io_queues + 1, 0, table_offset, pending_offset};
  return function;
}

NvmeController::NvmeController(Engine& engine, PcieFunction& function, NvmeNamespace& blocks, const NvmeConfig& config)
    : engine_(engine),
      config_(checked(config)),
      blocks_(blocks),
      scope_(engine),
      dma_(scope_, function),
      interrupts_(function, dma_),
      commands_(scope_, config.commands),
      channels_(scope_, config.channels) {
  function.set_bars(*this);
  dma_.on_idle = [this] {
    if (stopping_) stopped();
  };
}

NvmeController::~NvmeController() {
  dma_.on_idle = nullptr;
  scope_.cancel();
}

// --- Registers -------------------------------------------------------------------------------------------------------

std::uint64_t NvmeController::bar_read(unsigned bar, std::uint64_t offset, unsigned size) {
  if (interrupts_.holds(bar, offset)) return interrupts_.read(offset, size);
  if (bar != 0 || offset >= doorbells_end) return 0;
  const auto at = static_cast<std::uint32_t>(offset);
  if (size == 2 * word_bytes) {
    return std::uint64_t{read_register(at + word_bytes)} << 32 | read_register(at);
  }
  const std::uint32_t word = read_register(at & ~(word_bytes - 1)) >> 8 * (at % word_bytes);
  return size == word_bytes ? word : word & ((1U << 8 * size) - 1);
}

/// Software writes doublewords, or two of them (section 3.1): anything smaller changes nothing.
void NvmeController::bar_write(unsigned bar, std::uint64_t offset, std::uint64_t value, unsigned size) {
  if (interrupts_.holds(bar, offset)) return interrupts_.write(offset, value, size);
  if (bar != 0 || offset >= doorbells_end || size < word_bytes) return;
  write_register(static_cast<std::uint32_t>(offset), low(value));
  if (size > word_bytes) write_register(static_cast<std::uint32_t>(offset + word_bytes), high(value));
}

std::uint32_t NvmeController::read_register(std::uint32_t offset) const {
  switch (offset) {
    case reg::CAP:
      return low(capabilities(config_));
    case reg::CAP + 4:
      return high(capabilities(config_));
    case reg::VS:
      return nvme::version_1_4;
    case reg::INTMS:
    case reg::INTMC:
      return interrupt_mask_;
    case reg::CC:
      return cc_;
    case reg::CSTS:
      return csts_;
    case reg::AQA:
      return aqa_;
    case reg::ASQ:
      return low(asq_);
    case reg::ASQ + 4:
      return high(asq_);
    case reg::ACQ:
      return low(acq_);
    case reg::ACQ + 4:
      return high(acq_);
    default:
      return 0;
  }
}

void NvmeController::write_register(std::uint32_t offset, std::uint32_t value) {
  constexpr std::uint32_t aqa_bits = 0x0fff'0fff;
  switch (offset) {
    case reg::INTMS:
      interrupt_mask_ |= value;
      break;
    case reg::INTMC:
      interrupt_mask_ &= ~value;
      for (unsigned vector = 0; vector != 32; ++vector) {
        if ((interrupts_held_ & value) >> vector & 1) interrupts_.raise(vector);
      }
      interrupts_held_ &= ~value;
      break;
    case reg::CC:
      write_control(value);
      break;
    case reg::AQA:
      aqa_ = value & aqa_bits;
      break;
    case reg::ASQ:
      set_low(asq_, value & ~page_offset);
      break;
    case reg::ASQ + 4:
      set_high(asq_, value);
      break;
    case reg::ACQ:
      set_low(acq_, value & ~page_offset);
      break;
    case reg::ACQ + 4:
      set_high(acq_, value);
      break;
    default:
      if (offset >= reg::doorbells) {
        const std::uint32_t index = (offset - reg::doorbells) / word_bytes;
        ring(index / 2, index % 2 != 0, value);
      }
  }
}

/// While the controller is enabled, everything but EN and SHN keeps its value.
void NvmeController::write_control(std::uint32_t value) {
  const std::uint32_t before = cc_;
  const bool enabled = (before & nvme::cc_enable) != 0, enable = (value & nvme::cc_enable) != 0;
  constexpr std::uint32_t always = nvme::cc_enable | nvme::cc_shutdown_mask | 0xffU << nvme::cc_io_entry_sizes_shift;
  cc_ = enabled ? (before & ~always) | (value & always) : value;
  if (enable && !enabled && !stopping_) start();
  if (!enable && enabled) stop();
  if ((value & nvme::cc_shutdown_mask) == 0) {
    csts_ &= ~nvme::csts_shutdown_complete;
  } else if ((before & nvme::cc_shutdown_mask) == 0) {
    blocks_.flush();
    csts_ |= nvme::csts_shutdown_complete;
  }
}

/// Command set, arbitration and page size are ones that CAP has; the admin queues have at least two entries and begin
/// at a page.
bool NvmeController::startable() const {
  constexpr std::uint32_t command_set_and_arbitration = 7U << 4 | 7U << 11;
  const unsigned page_size = cc_ >> nvme::cc_page_size_shift & 0xf;
  const bool sized = (aqa_ & 0xfff) != 0 && aqa_ >> 16 != 0;
  return (cc_ & command_set_and_arbitration) == 0 && page_size <= page_size_max && sized &&
         ((asq_ | acq_) & (page_bytes() - 1)) == 0;
}

void NvmeController::start() {
  if (!startable()) {
    stop_fatally();
    return;
  }
  auto& completions = completion_queues_[0];
  completions = std::make_unique<NvmeCompletionQueue>(scope_, 0, acq_, (aqa_ >> 16) + 1);
  completions->users = 1;
  queues_[0] = std::make_unique<Queue>(scope_, 0, asq_, (aqa_ & 0xfff) + 1, *completions);
  csts_ |= nvme::csts_ready;
}

void NvmeController::stop() {
  ++counters_.resets;
  scope_.cancel();
  queues_.clear();
  completion_queues_.clear();
  command_ids_.clear();
  event_requests_.clear();
  error_event_ = {};
  features_.clear();
  interrupt_mask_ = interrupts_held_ = 0;
  stopping_ = true;
  if (dma_.idle()) stopped();
}

/// Nothing of before the reset reaches memory any more.
void NvmeController::stopped() {
  stopping_ = false;
  csts_ = 0;
  if ((cc_ & nvme::cc_enable) != 0) start();
}

void NvmeController::stop_fatally() {
  if ((csts_ & nvme::csts_fatal) != 0) return;
  ++counters_.fatal_errors;
  csts_ |= nvme::csts_fatal;
  for (const auto& [id, queue] : completion_queues_) queue->room.open();
}

/// INTMS masks vectors of MSI; those of MSI-X have masks of their own (section 3.1.3).
void NvmeController::raise(unsigned vector) {
  const std::uint32_t bit = vector < 32 ? std::uint32_t{1} << vector : 0;
  if (!interrupts_.msix_enabled() && (interrupt_mask_ & bit) != 0) {
    interrupts_held_ |= bit;
  } else {
    interrupts_.raise(vector);
  }
}

// --- Queues ----------------------------------------------------------------------------------------------------------

/// A doorbell tells a new tail or head; it must name an entry, and not claim more than there is room or there are
/// completions for (section 5.2, Invalid Doorbell Write Value).
void NvmeController::ring(unsigned queue, bool completion, std::uint32_t value) {
  constexpr std::uint32_t invalid_register = 0, invalid_value = 1;
  if (!running()) return;
  const auto sq = queues_.find(queue);
  const auto cq = completion_queues_.find(queue);
  if (completion ? cq == completion_queues_.end() : sq == queues_.end()) {
    report_event(invalid_register);
  } else if (completion) {
    NvmeCompletionQueue& entries = *cq->second;
    const std::uint32_t taken = (value + entries.size - entries.head) % entries.size;
    if (value >= entries.size || taken > entries.used()) return report_event(invalid_value);
    entries.head = value;
    entries.room.open();
  } else {
    Queue& entries = *sq->second;
    const std::uint32_t added = (value + entries.size - entries.tail) % entries.size;
    if (value >= entries.size || added > entries.size - 1 - entries.used()) return report_event(invalid_value);
    entries.tail = value;
    if (entries.fetching || entries.deleting) return;
    entries.fetching = true;
    spawn(scope_, fetch(entries));
  }
}

Task<> NvmeController::fetch(Queue& queue) {
  while (queue.head != queue.tail && !queue.deleting && running()) {
    std::array<nvme::Command, fetched_at_once> commands;
    const unsigned to_wrap = queue.size - queue.head;
    const unsigned count = std::min({queue.used(), to_wrap, fetched_at_once});
    FunctionDma::Transfer transfer(dma_);
    transfer.read(queue.base + std::uint64_t{queue.head} * nvme::command_bytes,
                  std::span(reinterpret_cast<unsigned char*>(commands.data()), count * nvme::command_bytes));
    const DmaStatus status = co_await transfer.end();
    if (status != DmaStatus::ok) {
      stop_fatally();
      break;
    }
    for (unsigned i = 0; i != count; ++i) {
      const bool goes_on = co_await promise_entry(queue);
      if (!goes_on) break;
      co_await commands_.acquire();
      queue.head = (queue.head + 1) % queue.size;
      ++queue.in_flight;
      spawn(scope_, execute(queue, commands[i]));
    }
  }
  queue.fetching = false;
  queue.quiet.open();
}

/// No command begins whose completion may find no room. False: none begins at all any more.
Task<bool> NvmeController::promise_entry(Queue& queue) {
  while (queue.cq.full() && !queue.deleting && running()) co_await queue.cq.room.wait();
  const bool goes_on = !queue.deleting && running();
  if (goes_on) ++queue.cq.promised;
  co_return goes_on;
}

void NvmeController::release_entry(Queue& queue) {
  --queue.cq.promised;
  queue.cq.room.open();
}

Task<> NvmeController::execute(Queue& queue, nvme::Command command) {
  SlotHold hold(commands_);
  co_await delay(scope_, config_.command_ps);
  Ending ending;
  const bool conflict = conflicts(queue, command.id());
  if (conflict) {
    ending.status = Status::command_id_conflict;
  } else {
    add_command(queue, command);
    if (queue.id == 0) {
      ending = co_await do_admin(command);
    } else {
      ending = co_await do_io(command);
    }
  }
  if (ending.later) {
    release_entry(queue);
  } else {
    if (!conflict) remove_command(queue, command.id());
    co_await complete(queue, command.id(), ending);
  }
  --queue.in_flight;
  queue.quiet.open();
}

/// Fills the entry that was promised.
Task<> NvmeController::complete(Queue& queue, std::uint16_t command, Ending ending) {
  NvmeCompletionQueue& entries = queue.cq;
  if (ending.status != Status::success) ++counters_.failed;
  if (!running()) co_return;
  nvme::Completion completion;
  completion.result = ending.result;
  completion.sq_head = static_cast<std::uint16_t>(queue.head);
  completion.sq = static_cast<std::uint16_t>(queue.id);
  completion.command_id = command;
  completion.set_status(ending.status, entries.phase);
  std::array<unsigned char, nvme::completion_bytes> bytes;
  std::memcpy(bytes.data(), &completion, bytes.size());
  FunctionDma::Transfer transfer(dma_);
  transfer.write(entries.base + std::uint64_t{entries.tail} * nvme::completion_bytes, bytes, false);
  entries.advance();
  --entries.promised;
  const DmaStatus status = co_await transfer.end();
  if (status != DmaStatus::ok) {
    stop_fatally();
  } else if (entries.interrupts) {
    raise(entries.vector);
  }
}

void NvmeController::add_command(Queue& queue, const nvme::Command& command) {
  command_ids_.push_back(queue.id << 16 | command.id());
}

void NvmeController::remove_command(Queue& queue, std::uint16_t id) {
  const auto at = std::find(command_ids_.begin(), command_ids_.end(), queue.id << 16 | id);
  *at = command_ids_.back();
  command_ids_.pop_back();
}

/// The same identifier twice at a time (section 4.2).
bool NvmeController::conflicts(const Queue& queue, std::uint16_t id) const {
  return std::find(command_ids_.begin(), command_ids_.end(), queue.id << 16 | id) != command_ids_.end();
}

}  // namespace smmusim::platform
