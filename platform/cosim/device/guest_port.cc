// SPDX-License-Identifier: MIT
// GuestPort; see the header.
#include "platform/cosim/device/guest_port.h"

#include <atomic>
#include <cstring>
#include <utility>

namespace smmusim::cosim {
namespace {

/// Opcode 0xff is in no version of the architecture (section 4.1.3).
constexpr std::byte no_opcode{0xff};

/// Processors of the guest write the same memory: doublewords are read whole (section 3.21.3).
void copy_out(void* to, const std::byte* from, std::uint32_t size) {
  if (size % sizeof(std::uint64_t) != 0) {
    std::memcpy(to, from, size);
    return;
  }
  for (std::uint32_t at = 0; at != size; at += sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    __atomic_load(reinterpret_cast<const std::uint64_t*>(from + at), &word, __ATOMIC_RELAXED);
    std::memcpy(static_cast<std::byte*>(to) + at, &word, sizeof word);
  }
}

bool compare_and_swap(std::byte* at, MemoryRequest& request) {
  if (request.size != sizeof(std::uint64_t)) return false;
  std::uint64_t desired = 0;
  std::memcpy(&desired, request.data, sizeof desired);
  __atomic_compare_exchange_n(reinterpret_cast<std::uint64_t*>(at), &request.expected, desired, false, __ATOMIC_SEQ_CST,
                              __ATOMIC_SEQ_CST);
  return true;
}

}  // namespace

bool GuestPort::start(MemoryRequest& request) {
  request.status = execute(request) ? MemoryStatus::ok : MemoryStatus::external_abort;
  return true;
}

bool GuestPort::execute(MemoryRequest& request) {
  if (request.purpose == Purpose::MSI) return leave(request);
  const std::uint64_t address = request.address.value;
  std::byte* at = ram_.find(address, request.size);
  if (at == nullptr) return false;
  switch (request.op) {
    case MemoryOp::read:
      copy_out(request.data, at, request.size);
      if (request.purpose == Purpose::CMD) spoil(request);
      return true;
    case MemoryOp::write:
      std::atomic_thread_fence(std::memory_order_release);
      ram_.write(address, request.data, request.size);
      return true;
    case MemoryOp::compare_and_swap:
      return compare_and_swap(at, request);
  }
  return false;
}

bool GuestPort::leave(const MemoryRequest& request) {
  if (request.op != MemoryOp::write || request.size != sizeof(std::uint32_t)) return false;
  MsiWrite message{request.address.value, 0};
  std::memcpy(&message.data, request.data, sizeof message.data);
  messages_.push_back(message);
  return true;
}

void GuestPort::spoil(MemoryRequest& request) {
  constexpr std::uint32_t command_bytes = 16;
  const std::uint64_t first = commands_read_ + 1;
  commands_read_ += request.size / command_bytes;
  if (illegal_command_ < first || illegal_command_ > commands_read_) return;
  static_cast<std::byte*>(request.data)[(illegal_command_ - first) * command_bytes] = no_opcode;
}

bool GuestPort::read_window(Pa address, ReadWindow& window) {
  constexpr std::uint64_t page = 4096;
  const std::uint64_t first = address.value & ~(page - 1);
  window.host = ram_.find(first, page);
  if (window.host == nullptr) return false;
  window.first = first;
  window.size = page;
  window.reads = &window_reads_;
  return true;
}

std::vector<MsiWrite> GuestPort::take_messages() {
  return std::exchange(messages_, {});
}

}  // namespace smmusim::cosim
