// SPDX-License-Identifier: MIT
// Which basic blocks each test runs: the callback of -fsanitize-coverage=trace-pc and a GoogleTest listener that writes
// one line per test, `Suite.Name OFFSET OFFSET ...` in hexadecimal, to the file that SMMUSIM_BLOCKS names. Without that
// variable it does nothing. Linked into the programs of tests/mutation only.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

extern "C" {
extern char __executable_start;
extern char etext;
void __sanitizer_cov_trace_pc();
}

namespace {

/// The blocks of the running test, each once. The lock is spun on only for a block that is seen for the first time.
struct Seen {
  explicit Seen(std::size_t size) : flags(size) { order.reserve(1 << 16); }
  void add(std::size_t offset) {
    if (flags[offset].load(std::memory_order_relaxed) != 0) return;
    while (lock.test_and_set(std::memory_order_acquire)) {
    }
    if (flags[offset].exchange(1, std::memory_order_relaxed) == 0) order.push_back(offset);
    lock.clear(std::memory_order_release);
  }
  void forget() {
    for (const std::size_t offset : order) flags[offset].store(0, std::memory_order_relaxed);
    order.clear();
  }

  std::vector<std::atomic<std::uint8_t>> flags;
  std::vector<std::size_t> order;
  std::atomic_flag lock = ATOMIC_FLAG_INIT;
};

Seen* seen = nullptr;

class Writer : public testing::EmptyTestEventListener {
 public:
  explicit Writer(const char* path) : file_(std::fopen(path, "w")) {
    if (file_ == nullptr) std::abort();
  }
  ~Writer() override { std::fclose(file_); }
  void OnTestStart(const testing::TestInfo&) override { seen->forget(); }
  void OnTestEnd(const testing::TestInfo& test) override {
    std::fprintf(file_, "%s.%s", test.test_suite_name(), test.name());
    for (const std::size_t offset : seen->order) std::fprintf(file_, " %zx", offset);
    std::fputc('\n', file_);
  }

 private:
  std::FILE* file_;
};

/// Before main, and so before gtest_main's InitGoogleTest, which keeps listeners.
const bool installed = [] {
  const char* path = std::getenv("SMMUSIM_BLOCKS");
  if (path == nullptr) return false;
  static Seen blocks(static_cast<std::size_t>(&etext - &__executable_start));
  seen = &blocks;
  testing::UnitTest::GetInstance()->listeners().Append(std::make_unique<Writer>(path).release());
  return true;
}();

}  // namespace

extern "C" void __sanitizer_cov_trace_pc() {
  if (seen == nullptr) return;
  const auto* here = static_cast<const char*>(__builtin_return_address(0));
  seen->add(static_cast<std::size_t>(here - &__executable_start));
}
