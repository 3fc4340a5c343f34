// SPDX-License-Identifier: MIT
// Size classes of 64 bytes; a frame carries a small header that says where it goes back to.
#include "model/sim/frame_pool.h"

#include <new>

namespace smmusim {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool pooling = false;
#elif defined(__has_feature)
constexpr bool pooling = !__has_feature(address_sanitizer);
#else
constexpr bool pooling = true;
#endif

}  // namespace

FramePool::~FramePool() {
  for (FreeFrame* frame : free_) {
    while (frame != nullptr) {
      FreeFrame* next = frame->next;
      ::operator delete(reinterpret_cast<std::byte*>(frame) - sizeof(Header));
      frame = next;
    }
  }
}

void* FramePool::allocate(std::size_t bytes) {
  const std::size_t kind = (bytes + class_bytes_ - 1) / class_bytes_;
  const bool pooled = pooling && kind < classes_;
  if (pooled && free_[kind] != nullptr) {
    FreeFrame* frame = free_[kind];
    free_[kind] = frame->next;
    return frame;
  }
  auto* memory = static_cast<std::byte*>(::operator new(sizeof(Header) + (pooled ? kind * class_bytes_ : bytes)));
  new (memory) Header{pooled ? this : nullptr, kind};
  return memory + sizeof(Header);
}

void FramePool::release(void* frame) {
  auto* header = reinterpret_cast<Header*>(static_cast<std::byte*>(frame) - sizeof(Header));
  if (header->pool == nullptr) {
    ::operator delete(header);
    return;
  }
  auto* entry = new (frame) FreeFrame{header->pool->free_[header->kind]};
  header->pool->free_[header->kind] = entry;
}

}  // namespace smmusim
