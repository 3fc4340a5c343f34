// SPDX-License-Identifier: MIT
// FramePool: where coroutine frames come from. Freed frames are kept by size class and handed out again, so a
// translation in steady state allocates nothing. Under the address sanitizer every frame is a fresh allocation, so
// that a use after free is seen.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace smmusim {

class FramePool {
 public:
  FramePool() = default;
  FramePool(const FramePool&) = delete;
  FramePool& operator=(const FramePool&) = delete;
  ~FramePool();

  void* allocate(std::size_t bytes);
  /// Gives `frame` back to the pool that allocated it.
  static void release(void* frame);

 private:
  static constexpr std::size_t class_bytes_ = 64;
  static constexpr std::size_t classes_ = 64;  // frames up to 4 KiB are pooled

  struct alignas(16) Header {
    FramePool* pool;   // null: not pooled
    std::size_t kind;  // size class
  };
  struct FreeFrame {
    FreeFrame* next;
  };
  std::array<FreeFrame*, classes_> free_{};
};

}  // namespace smmusim
