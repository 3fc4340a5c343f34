// SPDX-License-Identifier: MIT
// The I/O commands of an NvmeController, and where a command's data is: PRP entries and lists (section 4.3).
#include <algorithm>
#include <array>
#include <cstring>

#include "platform/endpoint/nvme_controller.h"

namespace smmusim::platform {

using nvme::Status;

namespace {

constexpr std::uint32_t entry_bytes = 8;

}  // namespace

/// What a PRP entry may be: addresses of doublewords; behind the first entry, of pages.
Task<Status> NvmeController::segments_of(nvme::Command command, std::uint64_t bytes, std::vector<Segment>& segments) {
  const std::uint64_t page = page_bytes(), offset = command.prp1() % page;
  if (offset % 4 != 0) co_return Status::invalid_prp_offset;
  const std::uint64_t first = std::min(bytes, page - offset);
  segments.push_back({command.prp1(), static_cast<std::uint32_t>(first)});
  std::uint64_t left = bytes - first, list = command.prp2();
  const auto add = [&](std::uint64_t entry) {
    const std::uint64_t here = std::min(left, page);
    segments.push_back({entry, static_cast<std::uint32_t>(here)});
    left -= here;
    return entry % page == 0;
  };
  if (left == 0) co_return Status::success;
  if (left <= page) co_return add(list) ? Status::success : Status::invalid_prp_offset;
  if (list % entry_bytes != 0) co_return Status::invalid_prp_offset;
  while (left != 0) {
    const std::uint64_t room = (page - list % page) / entry_bytes, needed = (left + page - 1) / page;
    const bool continues = needed > room;  // the last entry is the address of the next list
    std::vector<std::uint64_t> entries(std::min(room, needed));
    FunctionDma::Transfer transfer(dma_);
    transfer.read(list, std::span(reinterpret_cast<unsigned char*>(entries.data()), entries.size() * entry_bytes));
    const DmaStatus status = co_await transfer.end();
    if (status != DmaStatus::ok) co_return Status::data_transfer_error;
    if (continues) {
      list = entries.back();
      entries.pop_back();
      if (list % page != 0) co_return Status::invalid_prp_offset;
    }
    for (const std::uint64_t entry : entries) {
      if (!add(entry)) co_return Status::invalid_prp_offset;
    }
  }
  co_return Status::success;
}

/// To where the command says that its data is.
Task<Status> NvmeController::bring(nvme::Command command, std::span<const unsigned char> data) {
  std::vector<Segment> segments;
  const Status found = co_await segments_of(command, data.size(), segments);
  if (found != Status::success) co_return found;
  FunctionDma::Transfer transfer(dma_);
  std::size_t done = 0;
  for (const Segment& segment : segments) {
    transfer.write(segment.address, data.subspan(done, segment.bytes), true);
    done += segment.bytes;
  }
  const DmaStatus status = co_await transfer.end();
  co_return status == DmaStatus::ok ? Status::success : Status::data_transfer_error;
}

Task<> NvmeController::use_medium(Time time) {
  if (time == 0) co_return;
  co_await channels_.acquire();
  SlotHold hold(channels_);
  co_await delay(scope_, time);
}

Status NvmeController::check_blocks(const nvme::Command& command) const {
  if (blocks_.bytes_of(command.blocks()) > transfer_max()) return Status::invalid_field;
  const bool exist = command.slba() < blocks_.blocks() && command.blocks() <= blocks_.blocks() - command.slba();
  return exist ? Status::success : Status::lba_out_of_range;
}

Task<Status> NvmeController::read(nvme::Command command) {
  ++counters_.reads;
  const Status checked = check_blocks(command);
  if (checked != Status::success) co_return checked;
  co_await use_medium(config_.read_ps);
  std::vector<unsigned char> data(blocks_.bytes_of(command.blocks()));
  if (!blocks_.read(command.slba(), data)) co_return Status::unrecovered_read_error;
  const Status status = co_await bring(command, data);
  if (status == Status::success) counters_.blocks_read += command.blocks();
  co_return status;
}

/// All data comes first, so that what the SMMU aborts leaves the blocks as they were.
Task<Status> NvmeController::write(nvme::Command command) {
  ++counters_.writes;
  const Status checked = check_blocks(command);
  if (checked != Status::success) co_return checked;
  std::vector<Segment> segments;
  std::vector<unsigned char> data(blocks_.bytes_of(command.blocks()));
  const Status found = co_await segments_of(command, data.size(), segments);
  if (found != Status::success) co_return found;
  FunctionDma::Transfer transfer(dma_);
  std::size_t done = 0;
  for (const Segment& segment : segments) {
    transfer.read(segment.address, std::span(data).subspan(done, segment.bytes));
    done += segment.bytes;
  }
  const DmaStatus status = co_await transfer.end();
  if (status != DmaStatus::ok) co_return Status::data_transfer_error;
  co_await use_medium(config_.write_ps);
  if (!blocks_.write(command.slba(), data)) co_return Status::write_fault;
  counters_.blocks_written += command.blocks();
  co_return Status::success;
}

Task<NvmeController::Ending> NvmeController::do_io(nvme::Command command) {
  constexpr std::uint32_t only_namespace = 1, all_namespaces = ~std::uint32_t{0};
  Ending ending;
  const bool known = command.opcode() <= nvme::io::read;
  const bool flush = command.opcode() == nvme::io::flush;
  if (!known) {
    ending.status = Status::invalid_opcode;
  } else if (command.fuse() != 0 || command.psdt() != 0) {  // neither fused commands nor SGLs
    ending.status = Status::invalid_field;
  } else if (command.nsid() != only_namespace && !(flush && command.nsid() == all_namespaces)) {
    ending.status = Status::invalid_namespace;
  } else if (flush) {
    ++counters_.flushes;
    if (!blocks_.flush()) ending.status = Status::write_fault;
  } else if (command.opcode() == nvme::io::read) {
    ending.status = co_await read(command);
  } else {
    ending.status = co_await write(command);
  }
  co_return ending;
}

}  // namespace smmusim::platform
