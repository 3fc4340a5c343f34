// SPDX-License-Identifier: MIT
// The admin commands of an NvmeController (NVM Express Base Specification 1.4, chapter 5).
#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <string_view>

#include "platform/endpoint/nvme_controller.h"

namespace smmusim::platform {

using nvme::Status;

namespace {

constexpr std::uint32_t only_namespace = 1;
constexpr std::size_t event_requests_max = 4;  // AERL + 1
constexpr std::uint16_t pci_vendor = 0x1b36;
/// EUI-64 of the namespace: of no manufacturer (locally administered).
constexpr std::array<unsigned char, 8> eui64{0x02, 0x53, 0x4d, 0x4d, 0x55, 0x00, 0x00, 0x01};

using Page = std::array<unsigned char, nvme::identify_bytes>;

template <class T>
void put(Page& page, std::size_t at, T value) {
  std::memcpy(page.data() + at, &value, sizeof value);
}
/// Padded with spaces, cut if it is too long.
void put_text(Page& page, std::size_t at, std::size_t bytes, std::string_view text) {
  std::memset(page.data() + at, ' ', bytes);
  std::memcpy(page.data() + at, text.data(), std::min(bytes, text.size()));
}

/// Settings that are only remembered: whether they can be set, and what they are after a reset.
struct FeatureRow {
  std::uint8_t id;
  std::uint32_t reset;
};
constexpr FeatureRow remembered[] = {
    {nvme::feature::arbitration, 0},    {nvme::feature::power, 0},       {nvme::feature::temperature, 0x157},
    {nvme::feature::error_recovery, 0}, {nvme::feature::write_cache, 0}, {nvme::feature::coalescing, 0},
    {nvme::feature::vector, 0},         {nvme::feature::atomicity, 0},   {nvme::feature::async_events, 0},
};
const FeatureRow* feature_row(std::uint8_t id) {
  const auto row =
      std::find_if(std::begin(remembered), std::end(remembered), [&](const auto& r) { return r.id == id; });
  return row == std::end(remembered) ? nullptr : row;
}

}  // namespace

Task<NvmeController::Ending> NvmeController::do_admin(nvme::Command command) {
  ++counters_.admin_commands;
  Ending ending;
  if (command.fuse() != 0 || command.psdt() != 0) {
    ending.status = Status::invalid_field;
    co_return ending;
  }
  switch (command.opcode()) {
    case nvme::admin::identify:
      ending = co_await identify(command);
      break;
    case nvme::admin::get_log_page:
      ending = co_await log(command);
      break;
    case nvme::admin::delete_sq:
      ending = co_await delete_submission_queue(command);
      break;
    case nvme::admin::create_sq:
      ending.status = create_submission_queue(command);
      break;
    case nvme::admin::create_cq:
      ending.status = create_completion_queue(command);
      break;
    case nvme::admin::delete_cq:
      ending.status = delete_completion_queue(command);
      break;
    case nvme::admin::set_features:
      ending = set_feature(command);
      break;
    case nvme::admin::get_features:
      ending = get_feature(command);
      break;
    case nvme::admin::abort:
      ending = abort(command);
      break;
    case nvme::admin::async_event_request:
      ending = await_event(command);
      break;
    default:
      ending.status = Status::invalid_opcode;
  }
  co_return ending;
}

// --- Identify and logs -----------------------------------------------------------------------------------------------

/// Figure 247: what is not here is zero.
std::array<unsigned char, nvme::identify_bytes> NvmeController::describe_controller() const {
  Page page{};
  put(page, 0, pci_vendor);
  put(page, 2, pci_vendor);
  put_text(page, 4, 20, config_.serial);
  put_text(page, 24, 40, config_.model);
  put_text(page, 64, 8, "1.0");
  put<std::uint8_t>(page, 77, static_cast<std::uint8_t>(config_.transfer_pages_log2));
  put<std::uint16_t>(page, 78, 1);  // controller ID
  put(page, 80, nvme::version_1_4);
  put<std::uint8_t>(page, 111, 1);  // an I/O controller
  put<std::uint8_t>(page, 258, 3);  // Abort commands at a time, less one
  put<std::uint8_t>(page, 259, event_requests_max - 1);
  put<std::uint8_t>(page, 260, 3);       // one firmware slot, read-only
  put<std::uint16_t>(page, 266, 0x157);  // warning and critical temperatures, kelvins
  put<std::uint16_t>(page, 268, 0x175);
  put<std::uint8_t>(page, 512, nvme::command_bytes_log2 << 4 | nvme::command_bytes_log2);
  put<std::uint8_t>(page, 513, nvme::completion_bytes_log2 << 4 | nvme::completion_bytes_log2);
  put<std::uint32_t>(page, 516, only_namespace);  // as many as there are
  constexpr std::string_view name = "nqn.2014-08.org.nvmexpress:uuid:00000000-0000-4000-8000-534d4d555349";
  std::memcpy(page.data() + 768, name.data(), name.size());
  put<std::uint16_t>(page, 2048, 1);  // power state 0: 0.01 W
  return page;
}

/// Figure 245: one format, of the namespace's block size.
std::array<unsigned char, nvme::identify_bytes> NvmeController::describe_namespace() const {
  Page page{};
  for (const std::size_t size_capacity_use : {0U, 8U, 16U}) put(page, size_capacity_use, blocks_.blocks());
  std::memcpy(page.data() + 120, eui64.data(), eui64.size());
  put(page, 128, blocks_.block_bits() << 16);
  return page;
}

Task<NvmeController::Ending> NvmeController::identify(nvme::Command command) {
  const auto what = static_cast<std::uint8_t>(command.dw[10]);
  const bool about_namespace = what == nvme::cns::identify_namespace || what == nvme::cns::descriptors;
  Ending ending;
  Page page{};
  if (about_namespace && command.nsid() != only_namespace) {
    ending.status = Status::invalid_namespace;
    co_return ending;
  }
  switch (what) {
    case nvme::cns::identify_namespace:
      page = describe_namespace();
      break;
    case nvme::cns::controller:
      page = describe_controller();
      break;
    case nvme::cns::active_namespaces:  // those above the one that is named; the last two values name none
      if (command.nsid() >= 0xffff'fffe) {
        ending.status = Status::invalid_namespace;
        co_return ending;
      }
      if (command.nsid() < only_namespace) put(page, 0, only_namespace);
      break;
    case nvme::cns::descriptors:
      page[0] = 1;  // an EUI-64
      page[1] = eui64.size();
      std::memcpy(page.data() + 4, eui64.data(), eui64.size());
      break;
    default:
      ending.status = Status::invalid_field;
      co_return ending;
  }
  ending.status = co_await bring(command, page);
  co_return ending;
}

/// Every page there is says that nothing has gone wrong; reading one lets its events come again.
Task<NvmeController::Ending> NvmeController::log(nvme::Command command) {
  const auto which = static_cast<std::uint8_t>(command.dw[10]);
  const bool keeps_event = (command.dw[10] >> 15 & 1) != 0;
  const std::uint64_t words = (std::uint64_t{command.dw[11] & 0xffff} << 16 | command.dw[10] >> 16) + 1;
  const std::uint64_t offset = std::uint64_t{command.dw[13]} << 32 | command.dw[12];
  Ending ending;
  if (which < nvme::log_page::errors || which > nvme::log_page::firmware) {
    ending.status = Status::invalid_log_page;
  } else if (words * 4 > transfer_max() || offset != 0) {
    ending.status = Status::invalid_field;
  } else {
    std::vector<unsigned char> page(words * 4);
    if (which == nvme::log_page::health && words > 1) {
      constexpr std::array<unsigned char, 6> healthy{0, 0x2c, 0x01, 100, 10, 0};  // 300 K, all of the spare left
      std::copy(healthy.begin(), healthy.end(), page.begin());
    }
    ending.status = co_await bring(command, page);
    if (which == nvme::log_page::errors && !keeps_event) error_event_.masked = false;
  }
  co_return ending;
}

// --- Queues ----------------------------------------------------------------------------------------------------------

/// What the two creating commands have in common.
Status NvmeController::check_queue(const nvme::Command& command, unsigned entry_log2, unsigned entry_log2_set) const {
  constexpr std::uint32_t contiguous = 1;
  const unsigned id = command.dw[10] & 0xffff;
  const std::uint32_t entries = (command.dw[10] >> 16) + 1;
  if (id == 0 || id > config_.io_queues) return Status::invalid_queue_identifier;
  if (entries < 2 || entries > config_.queue_entries || entry_log2_set != entry_log2) return Status::invalid_queue_size;
  if ((command.dw[11] & contiguous) == 0) return Status::invalid_field;  // CAP.CQR
  return command.prp1() % page_bytes() != 0 ? Status::invalid_prp_offset : Status::success;
}

Status NvmeController::create_completion_queue(const nvme::Command& command) {
  const unsigned id = command.dw[10] & 0xffff;
  const unsigned vector = command.dw[11] >> 16;
  const Status status = check_queue(command, nvme::completion_bytes_log2, cc_ >> 20 & 0xf);
  if (status != Status::success) return status;
  if (completion_queues_.count(id) != 0) return Status::invalid_queue_identifier;
  const bool interrupts = (command.dw[11] >> 1 & 1) != 0;
  if (interrupts && vector >= std::max(interrupts_.vectors(), 1U)) return Status::invalid_interrupt_vector;
  auto queue = std::make_unique<NvmeCompletionQueue>(scope_, id, command.prp1(), (command.dw[10] >> 16) + 1);
  queue->interrupts = interrupts;
  queue->vector = vector;
  completion_queues_[id] = std::move(queue);
  return Status::success;
}

Status NvmeController::create_submission_queue(const nvme::Command& command) {
  const unsigned id = command.dw[10] & 0xffff;
  const unsigned completions = command.dw[11] >> 16;
  const Status status = check_queue(command, nvme::command_bytes_log2, cc_ >> 16 & 0xf);
  if (status != Status::success) return status;
  if (queues_.count(id) != 0 || completions == 0) return Status::invalid_queue_identifier;
  const auto found = completion_queues_.find(completions);
  if (found == completion_queues_.end()) return Status::invalid_completion_queue;
  ++found->second->users;
  queues_[id] = std::make_unique<Queue>(scope_, id, command.prp1(), (command.dw[10] >> 16) + 1, *found->second);
  return Status::success;
}

/// What was taken from the queue is completed first; what was not never is.
Task<NvmeController::Ending> NvmeController::delete_submission_queue(nvme::Command command) {
  const unsigned id = command.dw[10] & 0xffff;
  const auto found = queues_.find(id);
  Ending ending;
  if (id == 0 || found == queues_.end() || found->second->deleting) {
    ending.status = Status::invalid_queue_identifier;
    co_return ending;
  }
  Queue& queue = *found->second;
  queue.deleting = true;
  queue.cq.room.open();  // for who waits there to see that
  while (queue.fetching || queue.in_flight != 0) co_await queue.quiet.wait();
  --queue.cq.users;
  queues_.erase(id);
  co_return ending;
}

Status NvmeController::delete_completion_queue(const nvme::Command& command) {
  const unsigned id = command.dw[10] & 0xffff;
  const auto found = completion_queues_.find(id);
  if (id == 0 || found == completion_queues_.end()) return Status::invalid_queue_identifier;
  if (found->second->users != 0) return Status::invalid_queue_deletion;
  completion_queues_.erase(found);
  return Status::success;
}

// --- Features, events, Abort -----------------------------------------------------------------------------------------

/// How many queues there may be is fixed once there are some.
NvmeController::Ending NvmeController::set_feature(const nvme::Command& command) {
  const auto id = static_cast<std::uint8_t>(command.dw[10]);
  Ending ending;
  if (command.dw[10] >> 31 != 0) {
    ending.status = Status::feature_not_saveable;
  } else if (id == nvme::feature::queues) {
    const bool impossible = (command.dw[11] & 0xffff) == 0xffff || command.dw[11] >> 16 == 0xffff;
    const bool too_late = queues_.size() > 1 || completion_queues_.size() > 1;
    ending.status = impossible ? Status::invalid_field : too_late ? Status::command_sequence_error : Status::success;
    if (ending.status == Status::success) ending.result = (config_.io_queues - 1) * 0x1'0001;
  } else if (feature_row(id) == nullptr) {
    ending.status = Status::invalid_field;
  } else {
    features_[id] = command.dw[11];
  }
  return ending;
}

NvmeController::Ending NvmeController::get_feature(const nvme::Command& command) const {
  constexpr unsigned current = 0, saved = 2, capabilities = 3;
  constexpr std::uint32_t changeable = 4;
  const auto id = static_cast<std::uint8_t>(command.dw[10]);
  const unsigned select = command.dw[10] >> 8 & 7;
  const FeatureRow* row = feature_row(id);
  const bool queues = id == nvme::feature::queues;
  Ending ending;
  if ((row == nullptr && !queues) || select > capabilities) {
    ending.status = Status::invalid_field;
  } else if (select == capabilities) {
    ending.result = changeable;
  } else if (queues) {
    ending.result = (config_.io_queues - 1) * 0x1'0001;
  } else {
    const auto set = features_.find(id);
    const bool as_set = (select == current || select == saved) && set != features_.end();
    ending.result = as_set ? set->second : row->reset;
  }
  return ending;
}

/// Only what waits can be aborted, and only Async Event Requests do.
NvmeController::Ending NvmeController::abort(const nvme::Command& command) {
  constexpr std::uint32_t not_aborted = 1;
  const auto queue = static_cast<std::uint16_t>(command.dw[10]), id = static_cast<std::uint16_t>(command.dw[10] >> 16);
  const auto found = std::find(event_requests_.begin(), event_requests_.end(), id);
  if (queue != 0 || found == event_requests_.end()) return {Status::success, not_aborted, false};
  event_requests_.erase(found);
  spawn(scope_, complete_event(id, {Status::abort_requested, 0, false}));
  return {};
}

NvmeController::Ending NvmeController::await_event(const nvme::Command& command) {
  if (event_requests_.size() == event_requests_max) return {Status::async_event_limit, 0, false};
  event_requests_.push_back(command.id());
  deliver_event();
  return {Status::success, 0, true};
}

/// Events of one type come one at a time: the next when software has read the log page of the last.
void NvmeController::report_event(std::uint32_t information) {
  constexpr std::uint32_t error_type = 0;
  ++counters_.bad_doorbells;
  if (error_event_.masked || error_event_.waits) return;
  error_event_.waits = true;
  error_event_.result = std::uint32_t{nvme::log_page::errors} << 16 | information << 8 | error_type;
  deliver_event();
}

void NvmeController::deliver_event() {
  if (!error_event_.waits || event_requests_.empty()) return;
  error_event_.waits = false;
  error_event_.masked = true;
  const std::uint16_t request = event_requests_.front();
  event_requests_.erase(event_requests_.begin());
  spawn(scope_, complete_event(request, {Status::success, error_event_.result, false}));
}

Task<> NvmeController::complete_event(std::uint16_t command, Ending ending) {
  Queue& queue = *queues_.at(0);
  const bool goes_on = co_await promise_entry(queue);
  if (!goes_on) co_return;
  remove_command(queue, command);
  co_await complete(queue, command, ending);
}

}  // namespace smmusim::platform
