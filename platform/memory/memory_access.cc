// SPDX-License-Identifier: MIT
// The three operations of a MemoryRequest, each one call of SparseMemory; no time.
#include "platform/memory/memory_access.h"

#include <cstring>

namespace smmusim {
namespace {

bool compare_and_swap(SparseMemory& memory, MemoryRequest& request) {
  // Descriptors are doublewords; anything else is no access that this memory can do atomically.
  if (request.size != sizeof(std::uint64_t)) return false;
  std::uint64_t desired = 0;
  std::memcpy(&desired, request.data, sizeof desired);
  return memory.compare_and_swap64(request.address, request.expected, desired);
}

bool execute(SparseMemory& memory, MemoryRequest& request) {
  switch (request.op) {
    case MemoryOp::read:
      return memory.read(request.address, request.data, request.size);
    case MemoryOp::write:
      return memory.write(request.address, request.data, request.size);
    case MemoryOp::compare_and_swap:
      return compare_and_swap(memory, request);
  }
  return false;
}

}  // namespace

void perform(SparseMemory& memory, MemoryRequest& request) {
  request.status = execute(memory, request) ? MemoryStatus::ok : MemoryStatus::external_abort;
}

}  // namespace smmusim
