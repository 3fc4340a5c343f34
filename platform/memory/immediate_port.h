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
    perform(memory_, request);
    return true;
  }
  bool read_at_once(Pa address, std::uint64_t& word, MemoryStatus& status) override {
    status = memory_.read64(address, word) ? MemoryStatus::ok : MemoryStatus::external_abort;
    return true;
  }
  void abandon(const Scope&) override {}

 private:
  SparseMemory& memory_;
};

}  // namespace smmusim
