// SPDX-License-Identifier: MIT
// Registers and the one DMA of IommuTestdev.
#include "platform/endpoint/iommu_testdev.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace smmusim::platform {
namespace {

constexpr unsigned register_bytes = 4;
constexpr std::uint32_t step_bytes = 1U << 16;  // of DMA at a time
constexpr std::uint32_t arm_bit = 1;
// DMA_ATTRS: secure, space (two bits), and whether space is valid.
constexpr std::uint32_t secure_bit = 1, space_valid_bit = 8;
constexpr unsigned space_shift = 1, space_mask = 3, space_secure = 0, space_non_secure = 1;

unsigned char pattern_byte(std::uint64_t at) {
  return static_cast<unsigned char>(testdev::pattern >> 8 * (at % register_bytes));
}
void set_half(std::uint64_t& value, bool upper, std::uint64_t part) {
  value = upper ? (value & 0xffff'ffff) | part << 32 : (value >> 32) << 32 | part;
}

}  // namespace

FunctionDescription iommu_testdev_function() {
  FunctionDescription function;
  function.vendor = 0x1b36;
  function.device = 0x0005;
  function.class_code = 0xff0000;
  function.bars[0] = {0x1000, false, false};
  return function;
}

IommuTestdev::IommuTestdev(Engine& engine, PcieFunction& function, ReadMemory read_memory)
    : scope_(engine), dma_(scope_, function), read_memory_(std::move(read_memory)) {
  function.set_bars(*this);
  reset();
}

void IommuTestdev::reset() {
  scope_.cancel();
  untranslated_ = physical_ = 0;
  bytes_ = 0;
  result_ = testdev::idle;
  attributes_ = space_non_secure << space_shift;
  armed_ = running_ = false;
}

std::uint64_t IommuTestdev::bar_read(unsigned bar, std::uint64_t offset, unsigned size) {
  if (bar != 0 || size != register_bytes) return 0;
  switch (offset) {
    case testdev::DMA_TRIGGERING:
      trigger();
      return 0;
    case testdev::DMA_GVA_LO:
      return untranslated_ & 0xffff'ffff;
    case testdev::DMA_GVA_HI:
      return untranslated_ >> 32;
    case testdev::DMA_GPA_LO:
      return physical_ & 0xffff'ffff;
    case testdev::DMA_GPA_HI:
      return physical_ >> 32;
    case testdev::DMA_LEN:
      return bytes_;
    case testdev::DMA_RESULT:
      return result_;
    case testdev::DMA_ATTRS:
      return attributes_;
    default:
      return 0;
  }
}

void IommuTestdev::bar_write(unsigned bar, std::uint64_t offset, std::uint64_t value, unsigned size) {
  if (bar != 0 || size != register_bytes) return;
  const auto word = static_cast<std::uint32_t>(value);
  switch (offset) {
    case testdev::DMA_GVA_LO:
    case testdev::DMA_GVA_HI:
      set_half(untranslated_, offset == testdev::DMA_GVA_HI, word);
      break;
    case testdev::DMA_GPA_LO:
    case testdev::DMA_GPA_HI:
      set_half(physical_, offset == testdev::DMA_GPA_HI, word);
      break;
    case testdev::DMA_LEN:
      bytes_ = word;
      break;
    case testdev::DMA_RESULT:
      result_ = word;
      break;
    case testdev::DMA_DBELL:
      armed_ = (word & arm_bit) != 0;
      result_ = armed_ ? testdev::busy : testdev::idle;
      break;
    case testdev::DMA_ATTRS:
      attributes_ = word;
      break;
    default:
      break;
  }
}

/// A DMA under way goes on: what was armed meanwhile stays armed.
void IommuTestdev::trigger() {
  if (running_) return;
  if (!armed_) {
    result_ = testdev::not_armed;
    return;
  }
  armed_ = false;
  running_ = true;
  spawn(scope_, run());
}

bool IommuTestdev::attributes_contradict() const {
  const unsigned space = attributes_ >> space_shift & space_mask;
  const bool known = (attributes_ & space_valid_bit) != 0 && (space == space_secure || space == space_non_secure);
  return known && ((attributes_ & secure_bit) != 0) != (space == space_secure);
}

bool IommuTestdev::non_secure() const {
  return (attributes_ & space_valid_bit) == 0 || (attributes_ >> space_shift & space_mask) == space_non_secure;
}

Task<> IommuTestdev::run() {
  std::uint32_t result = 0;
  if (bytes_ == 0) {
    result = testdev::bad_length;
  } else if (attributes_contradict()) {
    result = testdev::bad_attributes;
  } else if (!non_secure()) {
    result = testdev::write_failed;
  } else {
    result = co_await write_pattern();
  }
  result_ = result;
  running_ = false;
}

/// The registers are looked at when it begins.
Task<std::uint32_t> IommuTestdev::write_pattern() {
  const std::uint64_t address = untranslated_, physical = physical_;
  const std::uint32_t bytes = bytes_;
  std::vector<unsigned char> data(std::min(bytes, step_bytes));
  for (std::size_t i = 0; i != data.size(); ++i) data[i] = pattern_byte(i);
  for (std::uint32_t done = 0; done != bytes;) {
    const std::uint32_t step = std::min(bytes - done, step_bytes);
    FunctionDma::Transfer transfer(dma_);
    transfer.write(address + done, std::span<const unsigned char>(data).first(step), false);
    const DmaStatus status = co_await transfer.end();
    if (status != DmaStatus::ok) co_return testdev::write_failed;
    done += step;
  }
  co_return compare(physical, bytes);
}

/// Beside the IOMMU.
std::uint32_t IommuTestdev::compare(std::uint64_t physical, std::uint32_t bytes) const {
  std::vector<unsigned char> found(std::min(bytes, step_bytes));
  for (std::uint32_t done = 0; done != bytes;) {
    const std::uint32_t step = std::min(bytes - done, step_bytes);
    if (!read_memory_(physical + done, std::span(found).first(step))) return testdev::read_failed;
    for (std::uint32_t i = 0; i != step; ++i) {
      if (found[i] != pattern_byte(i)) return testdev::mismatch;
    }
    done += step;
  }
  return 0;
}

}  // namespace smmusim::platform
