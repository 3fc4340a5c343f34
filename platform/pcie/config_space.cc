// SPDX-License-Identifier: MIT
// Configuration space; see the header. Chains: PCI Local Bus 3.0, 6.7, and PCI Express Base 5.0, 7.6.
#include "platform/pcie/config_space.h"

#include <stdexcept>
#include <utility>

namespace smmusim::platform {
namespace {

constexpr std::uint32_t capability_list_bit = 1u << 20;  // of Status, in the doubleword at 0x04

bool is_access(std::uint32_t offset, unsigned size) {
  return (size == 1 || size == 2 || size == 4) && offset % size == 0 && offset < ConfigSpace::bytes;
}

std::uint32_t mask_of(unsigned size) {
  return size == 4 ? ~0u : (1u << (8 * size)) - 1;
}

unsigned shift_of(std::uint32_t offset) {
  return 8 * (offset % 4);
}

}  // namespace

ConfigSpace::ConfigSpace(std::span<const ConfigRegister> header) {
  for (const ConfigRegister& row : header) place(row, 0);
}

void ConfigSpace::place(const ConfigRegister& row, std::uint32_t at) {
  const std::uint32_t offset = at + row.offset;
  if (!is_access(offset, row.bytes)) throw std::invalid_argument("a configuration register that is not aligned");
  Word& word = words_[offset / 4];
  const unsigned shift = shift_of(offset);
  word.reset |= row.reset << shift;
  word.value |= row.reset << shift;
  word.writable |= row.writable << shift;
  word.cleared_by_ones |= row.cleared_by_ones << shift;
}

std::uint16_t ConfigSpace::add(const Capability& capability) {
  std::uint16_t& next = capability.extended ? next_free_extended_ : next_free_;
  const std::uint32_t end = capability.extended ? bytes : first_extended;
  const unsigned header = capability.extended ? 4 : 2;
  if (capability.bytes < header || next + capability.bytes > end) {
    throw std::invalid_argument("no room for another capability in this configuration space");
  }
  const std::uint16_t at = next;
  next = static_cast<std::uint16_t>((next + capability.bytes + 3) & ~3);
  for (const ConfigRegister& row : capability.registers) {
    if (row.offset < header || row.offset + row.bytes > capability.bytes) {
      throw std::invalid_argument("a register outside its capability");
    }
    if (!capability.hidden) place(row, at);
  }
  link(capability, at);
  return at;
}

void ConfigSpace::link(const Capability& capability, std::uint16_t at) {
  if (!capability.extended) {
    if (capability.hidden) return;
    set_reset_value(last_pointer_, at, 1);
    set_reset_value(at, capability.id, 1);
    words_[1].reset |= capability_list_bit;
    words_[1].value |= capability_list_bit;
    last_pointer_ = static_cast<std::uint16_t>(at + 1);
    return;
  }
  if (capability.hidden) {
    if (at == first_extended) last_extended_ = at;  // the null head: ID and version 0
    return;
  }
  set_reset_value(at, capability.id | std::uint32_t{capability.version} << 16, 4);
  if (last_extended_ != 0) {
    set_reset_value(last_extended_, (words_[last_extended_ / 4].reset & 0xf'ffff) | std::uint32_t{at} << 20, 4);
  }
  last_extended_ = at;
}

std::uint32_t ConfigSpace::read(std::uint32_t offset, unsigned size) const {
  if (!is_access(offset, size)) return mask_of(size == 1 || size == 2 ? size : 4);
  return words_[offset / 4].value >> shift_of(offset) & mask_of(size);
}

void ConfigSpace::write(std::uint32_t offset, std::uint32_t value, unsigned size) {
  if (!is_access(offset, size)) return;
  Word& word = words_[offset / 4];
  const unsigned shift = shift_of(offset);
  const std::uint32_t bytes_written = mask_of(size) << shift;
  const std::uint32_t written = (value & mask_of(size)) << shift;
  std::uint32_t writable = word.writable & bytes_written;
  if (word.filter) writable &= word.filter(writable);
  word.value = (word.value & ~writable) | (written & writable);
  word.value &= ~(written & word.cleared_by_ones & bytes_written);
  if (word.then) word.then();
}

void ConfigSpace::guard(std::uint16_t offset, Filter filter) {
  words_.at(offset / 4u).filter = std::move(filter);
}

void ConfigSpace::on_write(std::uint16_t offset, std::function<void()> then) {
  words_.at(offset / 4u).then = std::move(then);
}

void ConfigSpace::set(std::uint16_t offset, std::uint32_t value, unsigned size) {
  Word& word = words_.at(offset / 4u);
  const std::uint32_t mask = mask_of(size) << shift_of(offset);
  word.value = (word.value & ~mask) | (value << shift_of(offset) & mask);
}

void ConfigSpace::set_reset_value(std::uint32_t offset, std::uint32_t value, unsigned size) {
  Word& word = words_[offset / 4];
  const std::uint32_t mask = mask_of(size) << shift_of(offset);
  word.reset = (word.reset & ~mask) | (value << shift_of(offset) & mask);
  word.value = (word.value & ~mask) | (value << shift_of(offset) & mask);
}

void ConfigSpace::reset() {
  for (Word& word : words_) word.value = word.reset;
  for (const Word& word : words_) {
    if (word.then) word.then();
  }
}

}  // namespace smmusim::platform
