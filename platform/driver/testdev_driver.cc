// SPDX-License-Identifier: MIT
// TestdevDriver; see the header.
#include "platform/driver/testdev_driver.h"

#include <fmt/format.h>

#include <algorithm>

#include "platform/endpoint/iommu_testdev.h"

namespace smmusim {
namespace {

namespace testdev = platform::testdev;

constexpr std::uint32_t command = 0x04, first_bar = 0x10, memory_and_master = 6;
constexpr unsigned char untouched = 0xa5;
constexpr std::size_t complaints_max = 8;

}  // namespace

std::string_view describe(TestdevStatus status) {
  switch (status) {
    case TestdevStatus::ok:
      return "done";
    case TestdevStatus::not_testdev:
      return "the function is no iommu-testdev";
    case TestdevStatus::not_armed:
      return "DMA_RESULT is not BUSY after the device was armed";
    case TestdevStatus::timed_out:
      return "DMA_RESULT has stayed BUSY";
    case TestdevStatus::smmu_failed:
      return "the SMMU has refused an invalidation, or did not answer";
  }
  return "unknown status";
}

TestdevDriver::TestdevDriver(Engine& engine, SparseMemory& memory, PageAllocator& pages, DmaMapper& mapper,
                             RegisterBus config_space, RegisterBus registers, const TestdevDriverConfig& config)
    : scope_(engine),
      memory_(memory),
      mapper_(mapper),
      config_space_(std::move(config_space)),
      registers_(std::move(registers)),
      config_(config),
      random_(config.seed) {
  config_.poll_interval = std::max<Time>(config_.poll_interval, 1);
  // One page more than the longest write has, because it may begin at a page's end.
  const std::uint64_t count = (config.bytes_max + DmaMapper::page_bytes - 1) / DmaMapper::page_bytes + 1;
  const Pa first = pages.allocate(count * DmaMapper::page_bytes, DmaMapper::page_bytes);
  for (std::uint64_t page = 0; page != count; ++page) buffer_.push_back(first + page * DmaMapper::page_bytes);
}

bool TestdevDriver::enable_function() {
  const platform::FunctionDescription expected = platform::iommu_testdev_function();
  if (config_space_.read(0, 4) != (std::uint32_t{expected.device} << 16 | expected.vendor)) return false;
  config_space_.write(first_bar, config_.bar, 4);
  config_space_.write(command, memory_and_master, 2);
  return true;
}

Task<> TestdevDriver::run() {
  if (!enable_function()) status_ = TestdevStatus::not_testdev;
  for (std::uint64_t number = 0; number != config_.writes && status_ == TestdevStatus::ok; ++number) {
    co_await write_once(number);
  }
  done_ = true;
}

Task<> TestdevDriver::write_once(std::uint64_t number) {
  const auto offset = static_cast<std::uint32_t>(random_.next() % DmaMapper::page_bytes);
  const auto bytes = static_cast<std::uint32_t>(1 + random_.next() % config_.bytes_max);
  const std::vector<unsigned char> blank(buffer_.size() * DmaMapper::page_bytes, untouched);
  memory_.write(buffer_[0], blank.data(), blank.size());
  const std::uint64_t first = mapper_.map(buffer_, true);
  std::uint32_t result = co_await trigger(first + offset, buffer_[0] + offset, bytes);
  if (status_ != TestdevStatus::ok) co_return;
  ++counters_.writes;
  counters_.bytes += bytes;
  if (result != 0) {
    ++counters_.failed;
    complain(number, first + offset, bytes, fmt::format("DMA_RESULT is {:#x}", result));
  } else if (!buffer_holds(offset, bytes)) {
    ++counters_.mismatches;
    complain(number, first + offset, bytes, "the pattern is not where it should be, or not only there");
  }
  const DriverStatus unmapped = co_await mapper_.unmap(first, buffer_.size());
  if (unmapped != DriverStatus::ok) status_ = TestdevStatus::smmu_failed;
  if (status_ != TestdevStatus::ok || number % config_.stale_every != 0) co_return;
  result = co_await trigger(first + offset, buffer_[0] + offset, bytes);
  ++counters_.stale;
  if (status_ != TestdevStatus::ok || result == testdev::write_failed) co_return;
  ++counters_.reached;
  complain(number, first + offset, bytes, fmt::format("DMA_RESULT is {:#x} after unmapping", result));
}

/// Arms and triggers; the value of DMA_RESULT at the end.
Task<std::uint32_t> TestdevDriver::trigger(std::uint64_t untranslated, Pa physical, std::uint32_t bytes) {
  const auto set = [this](std::uint64_t at, std::uint64_t value) {
    registers_.write(static_cast<std::uint32_t>(at), value & 0xffff'ffff, 4);
  };
  const auto result_now = [this] {
    return static_cast<std::uint32_t>(registers_.read(static_cast<std::uint32_t>(testdev::DMA_RESULT), 4));
  };
  set(testdev::DMA_GVA_LO, untranslated);
  set(testdev::DMA_GVA_HI, untranslated >> 32);
  set(testdev::DMA_GPA_LO, physical.value);
  set(testdev::DMA_GPA_HI, physical.value >> 32);
  set(testdev::DMA_LEN, bytes);
  set(testdev::DMA_DBELL, 1);
  std::uint32_t result = result_now();
  if (result != testdev::busy) {
    status_ = TestdevStatus::not_armed;
    co_return result;
  }
  registers_.read(static_cast<std::uint32_t>(testdev::DMA_TRIGGERING), 4);
  const Time deadline = scope_.engine().now() + config_.timeout;
  for (result = result_now(); result == testdev::busy; result = result_now()) {
    if (scope_.engine().now() >= deadline) {
      status_ = TestdevStatus::timed_out;
      break;
    }
    co_await delay(scope_, config_.poll_interval);
  }
  co_return result;
}

/// The pattern, and nothing else was touched.
bool TestdevDriver::buffer_holds(std::uint32_t offset, std::uint32_t bytes) const {
  std::vector<unsigned char> found(buffer_.size() * DmaMapper::page_bytes);
  if (!memory_.peek(buffer_[0], found.data(), found.size())) return false;
  for (std::size_t at = 0; at != found.size(); ++at) {
    const bool written = at >= offset && at - offset < bytes;
    const auto pattern = static_cast<unsigned char>(testdev::pattern >> 8 * ((at - offset) % 4));
    if (found[at] != (written ? pattern : untouched)) return false;
  }
  return true;
}

void TestdevDriver::complain(std::uint64_t number, std::uint64_t address, std::uint32_t bytes,
                             const std::string& what) {
  if (complaints_.size() == complaints_max) return;
  complaints_.push_back(fmt::format("write {}, {} bytes at {:#x}: {}", number, bytes, address, what));
}

}  // namespace smmusim
