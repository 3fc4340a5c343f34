// SPDX-License-Identifier: MIT
// Masks, pending bits and messages of MSI and MSI-X.
#include "platform/endpoint/function_interrupts.h"

#include <algorithm>
#include <stdexcept>

namespace smmusim::platform {
namespace {

constexpr std::uint16_t msi_id = 0x05, msix_id = 0x11;
constexpr std::uint16_t msi_message_address = 0x04, msi_message_data = 0x0c, msi_mask = 0x10, msi_pending = 0x14;
constexpr unsigned word_bytes = 4, entry_words = 4, entry_bytes = entry_words * word_bytes;
constexpr unsigned address_low = 0, address_high = 1, message_data = 2, vector_control = 3;
constexpr std::uint32_t masked_bit = 1, function_mask = 1U << 14, address_bits_low = ~std::uint32_t{3};
constexpr unsigned msi_vectors_max = 32;

}  // namespace

FunctionInterrupts::FunctionInterrupts(PcieFunction& function, FunctionDma& dma) : function_(function), dma_(dma) {
  FunctionConfig& config = function_.config_space();
  const FunctionDescription& has = config.description();
  std::size_t vectors = 0;
  const auto look_again = [this] { send_pending(); };
  if (has.msi) {
    msi_at_ = config.capability(msi_id, false);
    msi_masks_ = has.msi->masking;
    vectors = std::size_t{1} << has.msi->vectors_log2;
    config.space().on_write(*msi_at_, look_again);
    if (msi_masks_) config.space().on_write(static_cast<std::uint16_t>(*msi_at_ + msi_mask), look_again);
  }
  if (has.msix) {
    constexpr unsigned pending_word_bits = 64, pending_word_bytes = 8;
    msix_at_ = config.capability(msix_id, false);
    bar_ = has.msix->bar;
    table_at_ = {has.msix->table_offset, std::uint64_t{has.msix->vectors} * entry_bytes};
    pending_at_ = {has.msix->pba_offset,
                   (has.msix->vectors + pending_word_bits - 1) / pending_word_bits * pending_word_bytes};
    const std::uint64_t end = config.bar_bytes(bar_), table_end = table_at_.offset + table_at_.bytes,
                        pending_end = pending_at_.offset + pending_at_.bytes;
    if (table_end > end || pending_end > end || (table_at_.offset < pending_end && pending_at_.offset < table_end)) {
      throw std::invalid_argument("MSI-X table and pending bits have to lie apart, in their BAR");
    }
    table_.resize(std::size_t{has.msix->vectors} * entry_words);
    vectors = std::max<std::size_t>(vectors, has.msix->vectors);
    config.space().on_write(*msix_at_, look_again);
  }
  pending_.resize(vectors);
  reset();
}

void FunctionInterrupts::reset() {
  std::fill(pending_.begin(), pending_.end(), false);
  std::fill(table_.begin(), table_.end(), 0);
  for (std::size_t word = vector_control; word < table_.size(); word += entry_words) table_[word] = masked_bit;
  show_msi_pending();
}

bool FunctionInterrupts::msix_enabled() const {
  return msix_at_ && function_.config_space().msix_enabled();
}

std::uint32_t FunctionInterrupts::msi_register(unsigned offset, unsigned size) const {
  return function_.config_space().space().read(*msi_at_ + offset, size);
}

unsigned FunctionInterrupts::vectors() const {
  if (msix_enabled()) return static_cast<unsigned>(table_.size() / entry_words);
  if (!msi_at_ || !function_.config_space().msi_enabled()) return 0;
  // More than there are is what software must not allocate.
  const unsigned allocated = msi_register(cap::msi_control, 2) >> 4 & 7;
  return 1U << std::min(allocated, function_.config_space().description().msi->vectors_log2);
}

void FunctionInterrupts::raise(unsigned vector) {
  ++counters_.raised;
  const unsigned usable = vectors();
  if (usable != 0 && !msix_enabled()) vector %= usable;  // fewer were allocated than the device has: they are shared
  if (vector >= usable) {
    ++counters_.lost;
  } else if (!masked(vector)) {
    send(vector);
  } else if (pending_[vector]) {
    ++counters_.merged;
  } else {
    pending_[vector] = true;
    show_msi_pending();
  }
}

bool FunctionInterrupts::masked(unsigned vector) const {
  if (!msix_enabled()) return msi_masks_ && (msi_register(msi_mask, 4) >> vector & 1) != 0;
  const std::uint32_t control = function_.config_space().space().read(*msix_at_ + cap::msix_control, 2);
  return (control & function_mask) != 0 || (table_word(entry_words * vector + vector_control) & masked_bit) != 0;
}

void FunctionInterrupts::send(unsigned vector) {
  ++counters_.sent;
  if (msix_enabled()) {
    const std::size_t entry = std::size_t{entry_words} * vector;
    const std::uint64_t address = std::uint64_t{table_[entry + address_high]} << 32 | table_[entry + address_low];
    dma_.signal(address, table_[entry + message_data]);
    return;
  }
  const std::uint64_t address =
      std::uint64_t{msi_register(msi_message_address + 4, 4)} << 32 | msi_register(msi_message_address, 4);
  const std::uint32_t data = msi_register(msi_message_data, 2) & ~(vectors() - 1);
  dma_.signal(address, data | vector);
}

void FunctionInterrupts::send_pending() {
  const unsigned usable = vectors();
  for (unsigned vector = 0; vector != usable; ++vector) {
    if (!pending_[vector] || masked(vector)) continue;
    pending_[vector] = false;
    send(vector);
  }
  show_msi_pending();
}

/// The pending bits of MSI are a register of the capability.
void FunctionInterrupts::show_msi_pending() {
  if (!msi_at_ || !msi_masks_ || msix_enabled()) return;
  std::uint32_t bits = 0;
  for (unsigned vector = 0; vector != std::min<std::size_t>(pending_.size(), msi_vectors_max); ++vector) {
    bits |= std::uint32_t{pending_[vector]} << vector;
  }
  function_.config_space().space().set(static_cast<std::uint16_t>(*msi_at_ + msi_pending), bits, 4);
}

bool FunctionInterrupts::holds(unsigned bar, std::uint64_t offset) const {
  return msix_at_ && bar == bar_ && (table_at_.holds(offset) || pending_at_.holds(offset));
}

std::uint64_t FunctionInterrupts::read_byte(std::uint64_t offset) const {
  if (table_at_.holds(offset)) {
    const std::uint64_t at = offset - table_at_.offset;
    return table_word(at / word_bytes) >> 8 * (at % word_bytes) & 0xff;
  }
  std::uint64_t bits = 0;
  if (!pending_at_.holds(offset)) return bits;
  const auto first = static_cast<unsigned>((offset - pending_at_.offset) * 8);
  for (unsigned bit = 0; bit != 8; ++bit) bits |= std::uint64_t{pending(first + bit)} << bit;
  return bits;
}

std::uint64_t FunctionInterrupts::read(std::uint64_t offset, unsigned size) const {
  std::uint64_t value = 0;
  for (unsigned at = 0; at != size; ++at) value |= read_byte(offset + at) << 8 * at;
  return value;
}

void FunctionInterrupts::write(std::uint64_t offset, std::uint64_t value, unsigned size) {
  if (size % word_bytes != 0) return;
  for (unsigned at = 0; at != size; at += word_bytes) {
    if (!table_at_.holds(offset + at)) continue;
    const auto word = static_cast<std::size_t>((offset + at - table_at_.offset) / word_bytes);
    const auto part = static_cast<std::uint32_t>(value >> 8 * at);
    const unsigned which = word % entry_words;
    table_[word] = which == address_low ? part & address_bits_low : which == vector_control ? part & masked_bit : part;
  }
  send_pending();
}

}  // namespace smmusim::platform
