// SPDX-License-Identifier: MIT
// FramePool: sizes, alignment, reuse by size class (not under the address sanitizer, where each frame is fresh), and a
// frame that outlives its neighbours.
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <vector>

#include "model/sim/frame_pool.h"

namespace smmusim {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool pooling = false;
#elif defined(__has_feature)
constexpr bool pooling = !__has_feature(address_sanitizer);
#else
constexpr bool pooling = true;
#endif

TEST(FramePool, FramesOfEverySizeAreAlignedAndTheirOwn) {
  FramePool pool;
  std::vector<void*> frames;
  for (std::size_t bytes = 1; bytes <= 6000; bytes += 97) {
    void* frame = pool.allocate(bytes);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(frame) % 16, 0u);
    std::memset(frame, static_cast<int>(frames.size()), bytes);
    frames.push_back(frame);
  }
  for (std::size_t n = 0; n < frames.size(); ++n) {
    EXPECT_EQ(*static_cast<unsigned char*>(frames[n]), static_cast<unsigned char>(n));  // nobody wrote over it
    FramePool::release(frames[n]);
  }
}

TEST(FramePool, FreedFrameIsHandedOutAgainForItsSizeClass) {
  if (!pooling) GTEST_SKIP() << "every frame is fresh under the address sanitizer";
  FramePool pool;
  void* first = pool.allocate(100);
  FramePool::release(first);
  void* other_class = pool.allocate(300);
  EXPECT_NE(other_class, first);
  void* same_class = pool.allocate(120);
  EXPECT_EQ(same_class, first);
  FramePool::release(other_class);
  FramePool::release(same_class);
}

TEST(FramePool, ReusedFrameIsLargeEnoughForItsWholeClass) {
  FramePool pool;
  for (std::size_t bytes = 65; bytes <= 128; ++bytes) {
    void* frame = pool.allocate(bytes);
    std::memset(frame, 0xab, bytes);  // the address sanitizer and valgrind see a short one
    FramePool::release(frame);
  }
}

TEST(FramePool, FreedFramesComeBackLastInFirstOut) {
  if (!pooling) GTEST_SKIP() << "every frame is fresh under the address sanitizer";
  FramePool pool;
  void* a = pool.allocate(64);
  void* b = pool.allocate(64);
  FramePool::release(a);
  FramePool::release(b);
  EXPECT_EQ(pool.allocate(64), b);
  EXPECT_EQ(pool.allocate(64), a);
  FramePool::release(a);
  FramePool::release(b);
}

}  // namespace
}  // namespace smmusim
