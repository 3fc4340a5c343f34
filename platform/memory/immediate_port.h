// SPDX-License-Identifier: MIT
// ImmediatePort: the MemoryPort of the untimed machine. Every access is done when start() returns; nothing ever
// waits, so there is nothing to abandon.
#pragma once

#include <cstdint>
#include <cstring>

#include "platform/memory/memory_access.h"

namespace smmusim {

class ImmediatePort final : public MemoryPort {
 public:
  explicit ImmediatePort(SparseMemory& memory) : memory_(memory) {}

  bool start(MemoryRequest& request) override {
    if (request.op == MemoryOp::read && request.size == sizeof(std::uint64_t)) [[likely]] {
      std::uint64_t value = 0;
      const bool ok = memory_.read64(request.address, value);
      request.status = ok ? MemoryStatus::ok : MemoryStatus::external_abort;
      if (ok) std::memcpy(request.data, &value, sizeof value);
      return true;
    }
    perform(memory_, request);
    return true;
  }
  void abandon(const Scope&) override {}

 private:
  SparseMemory& memory_;
};

}  // namespace smmusim
