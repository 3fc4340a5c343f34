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
  bool read_window(Pa address, ReadWindow& window) override {
    window.host = memory_.readable_chunk(address, window.reads);
    if (window.host == nullptr) return false;
    window.first = address.value & ~(SparseMemory::chunk_bytes - 1);
    window.size = SparseMemory::chunk_bytes;
    return true;
  }
  void abandon(const Scope&) override {}

 private:
  SparseMemory& memory_;
};

}  // namespace smmusim
