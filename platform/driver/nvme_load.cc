// SPDX-License-Identifier: MIT
// The load of an NvmeDriver: which blocks, what is written, what must come back.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "platform/driver/nvme_driver.h"
#include "platform/endpoint/dma_work.h"

namespace smmusim {
namespace {

using nvme::Status;

/// FNV-1a, 64 bits.
std::uint64_t checksum_of(std::span<const unsigned char> data) {
  std::uint64_t sum = 0xcbf2'9ce4'8422'2325;
  for (const unsigned char byte : data) sum = (sum ^ byte) * 0x100'0000'01b3;
  return sum;
}

}  // namespace

/// One page more than the data for buffers that begin within a page; the list is of one page.
bool NvmeDriver::load_fits() {
  NvmeLoad& load = config_.load;
  const std::uint64_t block = std::uint64_t{1} << block_bits_;
  if (load.blocks == 0 || load.blocks > blocks_) load.blocks = blocks_;
  load.bytes_min = static_cast<std::uint32_t>(std::max<std::uint64_t>(load.bytes_min & ~(block - 1), block));
  load.bytes_max = static_cast<std::uint32_t>(std::max<std::uint64_t>(load.bytes_max & ~(block - 1), load.bytes_min));
  return load.bytes_max <= transfer_max_ && load.bytes_max >> block_bits_ <= load.blocks;
}

Task<NvmeDriverStatus> NvmeDriver::run_load() {
  if (!load_fits()) co_return NvmeDriverStatus::too_small;
  const std::size_t buffer_pages = config_.load.bytes_max / DmaMapper::page_bytes + 2;
  // Page by page, so that a buffer's pages do not lie side by side.
  for (std::size_t page = 0; page != buffer_pages; ++page) {
    for (std::size_t queue = 1; queue != queues_.size(); ++queue) {
      for (const auto& slot : queues_[queue]->slots) slot->pages.push_back(allocate_page());
    }
  }
  workers_ = config_.io_queues * config_.queue_depth;
  for (std::size_t queue = 1; queue != queues_.size(); ++queue) {
    for (unsigned slot = 0; slot != config_.queue_depth; ++slot) {
      Slot& made = *queues_[queue]->slots[slot];
      made.list = allocate_page();
      made.list_address = map_for_good(made.list, DmaMapper::page_bytes);
    }
  }
  for (std::size_t queue = 1; queue != queues_.size(); ++queue) {
    for (unsigned slot = 0; slot != config_.queue_depth; ++slot) spawn(scope_, work(*queues_[queue], slot));
  }
  while (workers_ != 0) co_await finished_.wait();
  co_return status_;
}

Task<> NvmeDriver::work(Queue& queue, unsigned slot) {
  while (begun_ < config_.load.commands && status_ == NvmeDriverStatus::ok) {
    ++begun_;
    Io io;
    while (!choose(io)) co_await region_free_.wait();
    busy_.push_back(io);
    co_await do_command(queue, slot, io);
    busy_.erase(std::find_if(busy_.begin(), busy_.end(), [&](const Io& other) { return other.first == io.first; }));
    region_free_.open();
  }
  if (--workers_ == 0) finished_.open();
}

/// False: the blocks it would be are another command's at present.
bool NvmeDriver::choose(Io& io) {
  constexpr unsigned tries = 8;
  const NvmeLoad& load = config_.load;
  for (unsigned i = 0; i != tries; ++i) {
    io.read = random_.below(100) < load.read_percent;
    const std::uint32_t least = load.bytes_min >> block_bits_, most = load.bytes_max >> block_bits_;
    io.blocks = least + static_cast<std::uint32_t>(random_.below(most - least + 1));
    io.first = random_.below(load.blocks - io.blocks + 1);
    io.offset = load.offsets ? static_cast<std::uint32_t>(4 * random_.below(DmaMapper::page_bytes / 4)) : 0;
    const bool apart = std::none_of(busy_.begin(), busy_.end(), [&](const Io& other) {
      return io.first < other.first + other.blocks && other.first < io.first + io.blocks;
    });
    if (apart) return true;
  }
  return false;
}

Task<> NvmeDriver::do_command(Queue& queue, unsigned number, Io io) {
  Slot& slot = *queue.slots[number];
  if (!io.read) put_data(slot, io);
  const std::size_t pages = pages_of(io);
  const std::uint64_t address = mapper_.map(std::span(slot.pages).first(pages), io.read);
  const Time started = scope_.engine().now();
  submit(queue, number, command_of(slot, io, address));
  const nvme::Completion completion = co_await ended(slot);
  const Status status = completion.status();
  if (on_command) on_command({io.read, bytes_of(io), scope_.engine().now() - started, status});
  const DriverStatus unmapped = co_await mapper_.unmap(address, pages);
  if (unmapped != DriverStatus::ok) status_ = NvmeDriverStatus::smmu_failed;
  ++(io.read ? counters_.reads : counters_.writes);
  if (status != Status::success) {
    ++counters_.failed;
    if (!io.read) forget(io);
  } else if (io.read) {
    counters_.bytes_read += bytes_of(io);
    check_data(slot, io);
  } else {
    counters_.bytes_written += bytes_of(io);
  }
}

nvme::Command NvmeDriver::command_of(Slot& slot, const Io& io, std::uint64_t address) {
  const std::size_t pages = pages_of(io);
  nvme::Command command;
  command.set(io.read ? nvme::io::read : nvme::io::write, 0);
  command.dw[1] = 1;
  command.set_blocks(io.first, io.blocks);
  std::uint64_t second = 0;
  if (pages == 2) second = address + DmaMapper::page_bytes;
  if (pages > 2) {
    second = slot.list_address;
    for (std::size_t page = 1; page != pages; ++page) {
      const std::uint64_t entry = address + page * DmaMapper::page_bytes;
      memory_.poke(slot.list + (page - 1) * sizeof entry, &entry, sizeof entry);
    }
  }
  command.set_prps(address + io.offset, second);
  return command;
}

/// Calls part(address, done, bytes) for each piece of the buffer that lies within a page.
template <class Part>
void NvmeDriver::for_each_part(const Slot& slot, const Io& io, Part part) const {
  const std::uint32_t bytes = bytes_of(io);
  for (std::uint32_t done = 0; done != bytes;) {
    const std::uint64_t at = io.offset + done, in_page = at % DmaMapper::page_bytes;
    const auto step =
        static_cast<std::uint32_t>(std::min<std::uint64_t>(bytes - done, DmaMapper::page_bytes - in_page));
    part(slot.pages[static_cast<std::size_t>(at / DmaMapper::page_bytes)] + in_page, done, step);
    done += step;
  }
}

/// Every block gets data of its own, which no block had before.
void NvmeDriver::put_data(const Slot& slot, const Io& io) {
  std::vector<unsigned char> data(bytes_of(io));
  const std::size_t block = std::size_t{1} << block_bits_;
  for (std::uint32_t i = 0; i != io.blocks; ++i) {
    const std::span<unsigned char> of_block(data.data() + i * block, block);
    platform::fill_pattern(++versions_, of_block);
    contents_[io.first + i] = checksum_of(of_block);
  }
  for_each_part(slot, io,
                [&](Pa to, std::uint32_t done, std::uint32_t bytes) { memory_.poke(to, data.data() + done, bytes); });
}

/// What was never written by this driver is learned at the first time.
void NvmeDriver::check_data(const Slot& slot, const Io& io) {
  constexpr std::size_t texts_max = 8;
  std::vector<unsigned char> data(bytes_of(io));
  for_each_part(slot, io, [&](Pa from, std::uint32_t done, std::uint32_t bytes) {
    memory_.peek(from, data.data() + done, bytes);
  });
  const std::size_t block = std::size_t{1} << block_bits_;
  for (std::uint32_t i = 0; i != io.blocks; ++i) {
    const std::uint64_t found = checksum_of(std::span<const unsigned char>(data.data() + i * block, block));
    const auto [known, is_new] = contents_.try_emplace(io.first + i, found);
    if (is_new) continue;
    ++counters_.checked;
    if (known->second == found) continue;
    ++counters_.mismatches;
    if (mismatch_texts_.size() == texts_max) continue;
    mismatch_texts_.push_back(
        fmt::format("block {}: read 0x{:016x}, expected 0x{:016x}", io.first + i, found, known->second));
  }
}

/// A write that failed may have left anything.
void NvmeDriver::forget(const Io& io) {
  for (std::uint32_t i = 0; i != io.blocks; ++i) contents_.erase(io.first + i);
}

}  // namespace smmusim
