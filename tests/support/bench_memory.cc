// SPDX-License-Identifier: MIT
// BenchMemory: accesses take effect when they start and are answered latency_ps later.
#include "tests/support/bench_memory.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace smmusim {

bool BenchMemory::start(MemoryRequest& request) {
  if (before) before(request);
  perform(request);
  std::uint64_t first_word = 0;
  if (request.data != nullptr) std::memcpy(&first_word, request.data, std::min<std::size_t>(request.size, 8));
  log.push_back({request.purpose, request.op, request.address.value, request.size, request.status, request.attributes,
                 first_word, request.stage, request.mpam});
  if (latency_ps == 0) return true;
  engine_.schedule_in(latency_ps, request);
  return false;
}

void BenchMemory::perform(MemoryRequest& request) {
  request.status = aborts(request) ? MemoryStatus::external_abort : MemoryStatus::ok;
  if (request.status != MemoryStatus::ok) return;
  if (request.op == MemoryOp::compare_and_swap) {
    std::uint64_t desired = 0;
    std::memcpy(&desired, request.data, sizeof desired);
    std::uint64_t& word = words_[request.address.value];
    const std::uint64_t found = std::exchange(word, word == request.expected ? desired : word);
    request.expected = found;
    return;
  }
  auto* data = static_cast<std::uint8_t*>(request.data);
  for (std::uint32_t i = 0; i < request.size; ++i) {
    const std::uint64_t address = request.address.value + i;
    if (request.op == MemoryOp::read) data[i] = byte(address);
    if (request.op == MemoryOp::write) set_byte(address, data[i]);
  }
}

std::uint64_t BenchMemory::read64(std::uint64_t address) const {
  const auto found = words_.find(address);
  return found == words_.end() ? 0 : found->second;
}

std::uint8_t BenchMemory::byte(std::uint64_t address) const {
  return static_cast<std::uint8_t>(read64(address & ~std::uint64_t{7}) >> (address % 8 * 8));
}

void BenchMemory::set_byte(std::uint64_t address, std::uint8_t value) {
  std::uint64_t& word = words_[address & ~std::uint64_t{7}];
  const std::uint64_t shift = address % 8 * 8;
  word = (word & ~(std::uint64_t{0xff} << shift)) | std::uint64_t{value} << shift;
}

void BenchMemory::abort_at(std::uint64_t base, std::uint64_t size, bool reads, bool writes) {
  aborts_.push_back({base, base + size - 1, reads, writes});
}

bool BenchMemory::aborts(const MemoryRequest& request) const {
  const std::uint64_t first = request.address.value;
  const std::uint64_t last = first + request.size - 1;
  return std::any_of(aborts_.begin(), aborts_.end(), [&](const Abort& abort) {
    const bool kind = request.op == MemoryOp::read ? abort.reads : abort.writes;
    return kind && first <= abort.last && last >= abort.base;
  });
}

std::size_t BenchMemory::count(Purpose purpose) const {
  return addresses(purpose).size();
}

std::vector<std::uint64_t> BenchMemory::addresses(Purpose purpose) const {
  std::vector<std::uint64_t> found;
  for (const BenchAccess& access : log) {
    if (access.purpose == purpose) found.push_back(access.address);
  }
  return found;
}

const BenchAccess& BenchMemory::last(Purpose purpose) const {
  const auto found = std::find_if(log.rbegin(), log.rend(),
                                  [purpose](const BenchAccess& access) { return access.purpose == purpose; });
  if (found == log.rend()) throw std::logic_error("no such access was made");
  return *found;
}

}  // namespace smmusim
