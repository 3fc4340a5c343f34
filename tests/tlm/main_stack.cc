// SPDX-License-Identifier: MIT
// Under the address sanitizer: tells it, when all tests are done, that the program is on its own stack.
// libsystemc 2.3.4 announces each switch to a thread of SystemC, but not the last one back; the leak checker then looks
// for pointers in the stack of that thread, and its guard page ends the process (about every third run of a test with a
// thread).
#if defined(__SANITIZE_ADDRESS__)
#define SMMUSIM_ADDRESS_SANITIZER
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SMMUSIM_ADDRESS_SANITIZER
#endif
#endif

#ifdef SMMUSIM_ADDRESS_SANITIZER

#include <gtest/gtest.h>
#include <pthread.h>
#include <sanitizer/common_interface_defs.h>

namespace {

class MainStack : public testing::Environment {
 public:
  void TearDown() override {
    pthread_attr_t attributes;
    if (pthread_getattr_np(pthread_self(), &attributes) != 0) return;
    void* bottom = nullptr;
    std::size_t size = 0;
    pthread_attr_getstack(&attributes, &bottom, &size);
    pthread_attr_destroy(&attributes);
    void* fake_stack = nullptr;
    __sanitizer_start_switch_fiber(&fake_stack, bottom, size);
    __sanitizer_finish_switch_fiber(fake_stack, nullptr, nullptr);
  }
};

[[maybe_unused]] const testing::Environment* const main_stack = testing::AddGlobalTestEnvironment(new MainStack);

}  // namespace

#endif
