// SPDX-License-Identifier: MIT
// Mappings, and the order in which their end is told.
#include "platform/driver/dma_mapper.h"

#include "platform/driver/commands.h"
#include "platform/driver/page_allocator.h"

namespace smmusim {

DmaMapper::DmaMapper(PageTable& table, GuestDriver& smmu, const DmaMapperConfig& config)
    : table_(table), smmu_(smmu), config_(config), next_(config.first) {}

std::uint64_t DmaMapper::take(std::size_t pages) {
  std::vector<std::uint64_t>& used_before = free_[pages];
  if (!used_before.empty()) {
    const std::uint64_t address = used_before.back();
    used_before.pop_back();
    return address;
  }
  const std::uint64_t bytes = pages * page_bytes;
  if (bytes > config_.first + config_.bytes - next_) {
    throw AllocationError("the device's I/O addresses are used up; map less at a time");
  }
  return std::exchange(next_, next_ + bytes);
}

std::uint64_t DmaMapper::map(std::span<const Pa> pages, bool device_writes) {
  const std::uint64_t first = take(pages.size());
  MapOptions options;
  options.write = device_writes;
  for (std::size_t i = 0; i != pages.size(); ++i) {
    table_.map(first + i * page_bytes, pages[i], page_bytes, options);
  }
  ++maps_;
  if (on_map) on_map(first, pages.size());
  return first;
}

Task<DriverStatus> DmaMapper::unmap(std::uint64_t first, std::size_t count) {
  const std::uint64_t bytes = count * page_bytes;
  table_.unmap(first, bytes);
  TlbiRange range;
  if (table_.stage() == TableStage::two) range.opcode = spec::Opcode::CMD_TLBI_S2_IPA;
  range.asid = config_.asid;
  range.vmid = config_.vmid;
  range.address = first;
  range.granules = count;
  std::vector<spec::Command> commands;
  append_tlbi_range(commands, range, smmu_.features().range_invalidation);
  DriverStatus status = co_await smmu_.execute(commands);
  if (status == DriverStatus::ok && config_.ats) {
    commands.assign(1, make_atc_inv(config_.stream, first, first + (bytes - 1)));
    status = co_await smmu_.execute(commands);
  }
  free_[count].push_back(first);
  ++unmaps_;
  co_return status;
}

}  // namespace smmusim
