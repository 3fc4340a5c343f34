// SPDX-License-Identifier: MIT
// Bringing an NVMe controller up as Linux does, and its queues as the driver sees them.
#include "platform/driver/nvme_driver.h"

#include <algorithm>
#include <array>

#include "platform/pcie/capabilities.h"

namespace smmusim {
namespace {

namespace reg = nvme::reg;
using nvme::Status;

constexpr unsigned admin_entries = 32;
constexpr std::uint16_t msix_id = 0x11;
constexpr std::uint32_t nvme_class = 0x010802;

// Configuration space.
constexpr std::uint32_t command = 0x04, class_code = 0x08, first_bar = 0x10, first_capability = 0x34;
constexpr std::uint32_t memory_and_master = 6, msix_enable = 1U << 15;

}  // namespace

std::string_view describe(NvmeDriverStatus status) {
  switch (status) {
    case NvmeDriverStatus::ok:
      return "done";
    case NvmeDriverStatus::not_nvme:
      return "the function is no NVMe controller with MSI-X";
    case NvmeDriverStatus::timed_out:
      return "CSTS.RDY did not follow CC.EN within the time that CAP.TO gives";
    case NvmeDriverStatus::fatal:
      return "the controller has stopped with CSTS.CFS: it could not fetch a command or write a completion";
    case NvmeDriverStatus::admin_failed:
      return "the controller has refused a command that brings it up";
    case NvmeDriverStatus::too_small:
      return "the namespace, or the largest transfer, is smaller than the load's commands";
    case NvmeDriverStatus::smmu_failed:
      return "the SMMU has refused an invalidation, or did not answer";
  }
  return "unknown status";
}

NvmeDriver::NvmeDriver(Engine& engine, SparseMemory& memory, PageAllocator& pages, DmaMapper& mapper,
                       RegisterBus config_space, RegisterBus registers, const NvmeDriverConfig& config)
    : scope_(engine),
      memory_(memory),
      pages_(pages),
      mapper_(mapper),
      config_space_(std::move(config_space)),
      registers_(std::move(registers)),
      config_(config),
      random_(config.load.seed),
      finished_(scope_),
      region_free_(scope_) {
  config_.poll_interval = std::max<Time>(config_.poll_interval, 1);
}

Pa NvmeDriver::allocate_page() {
  return pages_.allocate(DmaMapper::page_bytes, DmaMapper::page_bytes);
}

/// What both sides use all the time: queues, lists, the doorbell.
std::uint64_t NvmeDriver::map_for_good(Pa first, std::uint64_t bytes) {
  std::vector<Pa> pages;
  for (std::uint64_t at = 0; at < bytes; at += DmaMapper::page_bytes) pages.push_back(first + at);
  return mapper_.map(pages, true);
}

std::unique_ptr<NvmeDriver::Queue> NvmeDriver::make_queue(unsigned id, unsigned entries, unsigned slots) {
  auto queue = std::make_unique<Queue>(scope_);
  queue->id = id;
  queue->entries = entries;
  const std::uint64_t submissions = std::uint64_t{entries} * nvme::command_bytes;
  const std::uint64_t completions = std::uint64_t{entries} * nvme::completion_bytes;
  queue->submissions = pages_.allocate(submissions, DmaMapper::page_bytes);
  queue->completions = pages_.allocate(completions, DmaMapper::page_bytes);
  queue->submissions_address = map_for_good(queue->submissions, submissions);
  queue->completions_address = map_for_good(queue->completions, completions);
  for (unsigned i = 0; i != slots; ++i) queue->slots.push_back(std::make_unique<Slot>(scope_));
  return queue;
}

// --- Bringing up -----------------------------------------------------------------------------------------------------

/// BAR, bus mastering and MSI-X; what else a PCI core sets is up already.
bool NvmeDriver::enable_function() {
  if (config_space_.read(class_code, 4) >> 8 != nvme_class) return false;
  config_space_.write(first_bar, config_.bar & 0xffff'ffff, 4);
  config_space_.write(first_bar + 4, config_.bar >> 32, 4);
  config_space_.write(command, memory_and_master, 2);
  auto msix = static_cast<std::uint32_t>(config_space_.read(first_capability, 1));
  while (msix != 0 && config_space_.read(msix, 1) != msix_id) {
    msix = static_cast<std::uint32_t>(config_space_.read(msix + 1, 1));
  }
  if (msix == 0) return false;
  program_vectors();
  config_space_.write(msix + platform::cap::msix_control, msix_enable, 2);
  return true;
}

/// The table is where the capability says; this driver knows the controller's one place, in BAR 0.
void NvmeDriver::program_vectors() {
  constexpr std::uint32_t table = 0x2000, entry_bytes = 16;
  for (unsigned vector = 0; vector <= config_.io_queues; ++vector) {
    registers_.write(table + entry_bytes * vector, doorbell_address_, 8);
    registers_.write(table + entry_bytes * vector + 8, config_.first_message + vector, 4);
    registers_.write(table + entry_bytes * vector + 12, 0, 4);
  }
}

Task<NvmeDriverStatus> NvmeDriver::set_enabled(bool enabled) {
  constexpr Time timeout_unit = 500'000'000'000;  // 500 ms
  constexpr std::uint32_t entry_sizes = (nvme::command_bytes_log2 | nvme::completion_bytes_log2 << 4)
                                        << nvme::cc_io_entry_sizes_shift;
  registers_.write(reg::CC, enabled ? nvme::cc_enable | entry_sizes : 0, 4);
  const Time deadline = scope_.engine().now() + (registers_.read(reg::CAP, 8) >> 24 & 0xff) * timeout_unit;
  for (;;) {
    const std::uint64_t status = registers_.read(reg::CSTS, 4);
    if (enabled && (status & nvme::csts_fatal) != 0) co_return NvmeDriverStatus::fatal;
    if (((status & nvme::csts_ready) != 0) == enabled) co_return NvmeDriverStatus::ok;
    if (scope_.engine().now() >= deadline) co_return NvmeDriverStatus::timed_out;
    co_await delay(scope_, config_.poll_interval);
  }
}

Task<NvmeDriverStatus> NvmeDriver::start() {
  doorbell_address_ = map_for_good(Pa(config_.doorbell.value & ~(DmaMapper::page_bytes - 1)), DmaMapper::page_bytes) +
                      config_.doorbell.value % DmaMapper::page_bytes;
  if (!enable_function()) co_return NvmeDriverStatus::not_nvme;
  NvmeDriverStatus status = co_await set_enabled(false);
  if (status != NvmeDriverStatus::ok) co_return status;
  queues_.push_back(make_queue(0, admin_entries, 1));
  admin_buffer_ = allocate_page();
  admin_buffer_address_ = map_for_good(admin_buffer_, DmaMapper::page_bytes);
  registers_.write(reg::AQA, (admin_entries - 1) << 16 | (admin_entries - 1), 4);
  registers_.write(reg::ASQ, queues_[0]->submissions_address, 8);
  registers_.write(reg::ACQ, queues_[0]->completions_address, 8);
  status = co_await set_enabled(true);
  if (status != NvmeDriverStatus::ok) co_return status;
  spawn(scope_, serve(*queues_[0]));
  status = co_await identify();
  if (status != NvmeDriverStatus::ok) co_return status;
  status = co_await create_io_queues();
  co_return status;
}

Task<nvme::Completion> NvmeDriver::admin(nvme::Command what) {
  submit(*queues_[0], 0, what);
  const nvme::Completion completion = co_await ended(*queues_[0]->slots[0]);
  co_return completion;
}

/// The largest transfer, and the namespace's size and format.
Task<NvmeDriverStatus> NvmeDriver::identify() {
  std::array<unsigned char, nvme::identify_bytes> page;
  nvme::Command what;
  what.set(nvme::admin::identify, 0);
  what.set_prps(admin_buffer_address_, 0);
  what.dw[10] = nvme::cns::controller;
  nvme::Completion completion = co_await admin(what);
  if (completion.status() != Status::success) co_return NvmeDriverStatus::admin_failed;
  memory_.peek(admin_buffer_, page.data(), page.size());
  const unsigned mdts = page[77];
  transfer_max_ = mdts == 0 || mdts > 9 ? DmaMapper::page_bytes << 9 : DmaMapper::page_bytes << mdts;
  what.dw[1] = 1;
  what.dw[10] = nvme::cns::identify_namespace;
  completion = co_await admin(what);
  if (completion.status() != Status::success) co_return NvmeDriverStatus::admin_failed;
  memory_.peek(admin_buffer_, page.data(), page.size());
  std::memcpy(&blocks_, page.data(), sizeof blocks_);
  block_bits_ = page[128 + 4 * (page[26] & 0xfU) + 2];
  co_return block_bits_ >= 9 && block_bits_ <= 12 ? NvmeDriverStatus::ok : NvmeDriverStatus::admin_failed;
}

Task<NvmeDriverStatus> NvmeDriver::create_io_queues() {
  nvme::Command what;
  what.set(nvme::admin::set_features, 0);
  what.dw[10] = nvme::feature::queues;
  what.dw[11] = (config_.io_queues - 1) * 0x1'0001;
  nvme::Completion completion = co_await admin(what);
  const bool enough = (completion.result & 0xffff) + 1 >= config_.io_queues;
  if (completion.status() != Status::success || !enough) co_return NvmeDriverStatus::admin_failed;
  for (unsigned id = 1; id <= config_.io_queues; ++id) {
    constexpr std::uint32_t contiguous = 1, interrupts = 2;
    queues_.push_back(make_queue(id, config_.queue_depth + 1, config_.queue_depth));
    Queue& queue = *queues_.back();
    nvme::Command create;
    create.set(nvme::admin::create_cq, 0);
    create.set_prps(queue.completions_address, 0);
    create.dw[10] = (queue.entries - 1) << 16 | id;
    create.dw[11] = id << 16 | interrupts | contiguous;
    completion = co_await admin(create);
    if (completion.status() != Status::success) co_return NvmeDriverStatus::admin_failed;
    create.set(nvme::admin::create_sq, 0);
    create.set_prps(queue.submissions_address, 0);
    create.dw[11] = id << 16 | contiguous;
    completion = co_await admin(create);
    if (completion.status() != Status::success) co_return NvmeDriverStatus::admin_failed;
    spawn(scope_, serve(queue));
  }
  co_return NvmeDriverStatus::ok;
}

// --- Queues ----------------------------------------------------------------------------------------------------------

void NvmeDriver::submit(Queue& queue, unsigned slot, nvme::Command what) {
  what.dw[0] = (what.dw[0] & 0xffff) | slot << 16;
  queue.slots[slot]->busy = true;
  memory_.poke(queue.submissions + std::uint64_t{queue.tail} * nvme::command_bytes, &what, sizeof what);
  queue.tail = (queue.tail + 1) % queue.entries;
  registers_.write(reg::sq_tail(queue.id), queue.tail, 4);
}

Task<nvme::Completion> NvmeDriver::ended(Slot& slot) {
  while (slot.busy) co_await slot.ended.wait();
  co_return slot.completion;
}

void NvmeDriver::interrupt(std::uint32_t message) {
  ++counters_.interrupts;
  const std::uint32_t vector = message - config_.first_message;
  if (vector >= queues_.size()) return;
  queues_[vector]->signalled = true;
  queues_[vector]->signal.open();
}

/// The interrupt handler, at a time of its own: the write that calls it must not wait.
Task<> NvmeDriver::serve(Queue& queue) {
  for (;;) {
    while (!queue.signalled) co_await queue.signal.wait();
    queue.signalled = false;
    co_await delay(scope_, config_.interrupt_ps);
    take_completions(queue);
  }
}

void NvmeDriver::take_completions(Queue& queue) {
  bool any = false;
  for (;;) {
    nvme::Completion completion;
    memory_.peek(queue.completions + std::uint64_t{queue.head} * nvme::completion_bytes, &completion,
                 sizeof completion);
    if (completion.phase() != queue.phase) break;
    any = true;
    if (++queue.head == queue.entries) {
      queue.head = 0;
      queue.phase = !queue.phase;
    }
    if (completion.command_id >= queue.slots.size() || !queue.slots[completion.command_id]->busy) {
      ++counters_.unexpected;
      continue;
    }
    Slot& slot = *queue.slots[completion.command_id];
    slot.completion = completion;
    slot.busy = false;
    slot.ended.open();
  }
  if (any) registers_.write(reg::cq_head(queue.id), queue.head, 4);
}

Task<NvmeDriverStatus> NvmeDriver::run() {
  status_ = co_await start();
  if (status_ == NvmeDriverStatus::ok) status_ = co_await run_load();
  done_ = true;
  co_return status_;
}

}  // namespace smmusim
