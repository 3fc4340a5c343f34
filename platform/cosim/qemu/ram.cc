// SPDX-License-Identifier: MIT
// RAM of the machine; see the header.
#include "platform/cosim/qemu/ram.h"

namespace smmusim::cosim::qemu {
namespace {

constexpr std::uint64_t no_ram = ~std::uint64_t{0};
constexpr std::uint64_t end_of_memory = std::uint64_t{1} << 52;

/// Where the section's memory is, if a device's write goes straight to it. Flash has memory too, but a write there is a
/// command that needs the big lock: QEMU then maps a copy, somewhere else.
std::byte* plain_ram(const Symbols& qemu, const RegionSection& section) {
  if (section.readonly || qemu.memory_region_get_ram_addr(section.region) == no_ram) return nullptr;
  std::byte* host = static_cast<std::byte*>(qemu.memory_region_get_ram_ptr(section.region)) + section.offset_in_region;
  std::uint64_t size = 1;
  void* mapped = qemu.address_space_map(qemu.address_space_memory, section.offset_in_space, &size, true, {});
  if (mapped != nullptr) qemu.address_space_unmap(qemu.address_space_memory, mapped, size, true, 0);
  return mapped == host ? host : nullptr;
}

}  // namespace

void Ram::discover(const Symbols& qemu) {
  qemu_ = &qemu;
  MemoryRegion* system = qemu.get_system_memory();
  for (std::uint64_t at = 0; at < end_of_memory;) {
    // The first piece at or after `at`. The reference to its region is kept: RAM stays.
    const RegionSection section = qemu.memory_region_find(system, at, end_of_memory - at);
    if (section.region == nullptr) return;
    if (std::byte* host = plain_ram(qemu, section); host != nullptr) {
      ranges_.push_back({section.offset_in_space, section.size_low, host});
    }
    at = section.offset_in_space + section.size_low;
  }
}

std::byte* Ram::find(std::uint64_t address, std::uint64_t size) {
  for (const Range& range : ranges_) {
    const std::uint64_t offset = address - range.first;
    if (offset < range.size && size <= range.size - offset) return range.host + offset;
  }
  return nullptr;
}

void Ram::write(std::uint64_t address, const void* data, std::uint64_t size) {
  qemu_->address_space_write(qemu_->address_space_memory, address, {}, data, size);
}

}  // namespace smmusim::cosim::qemu
