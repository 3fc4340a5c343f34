// SPDX-License-Identifier: MIT
// Read windows: where an untimed walk may read memory without a request (IHI 0070 sections 3.4.3 and 3.13), and that
// such reads count like any other.
#include <gtest/gtest.h>

#include "model/smmu/core.h"
#include "model/smmu/own_access.h"
#include "platform/memory/immediate_port.h"

namespace smmusim {
namespace {

constexpr std::uint64_t base = 0x4000'0000;
constexpr std::uint64_t chunk = SparseMemory::chunk_bytes;

/// Three chunks from `base` on and a last half; the first two and the half are written.
class Windows : public testing::Test {
 protected:
  Windows() : memory_(three_and_a_half()), port_(memory_) {
    for (const std::uint64_t place : {base, base + chunk, base + 3 * chunk}) memory_.store64(Pa(place), place);
    memory_.reset_counters();
  }
  static SparseMemoryConfig three_and_a_half() {
    SparseMemoryConfig config;
    config.ranges = {{Pa(base), 3 * chunk + chunk / 2}};
    config.huge_pages = false;
    return config;
  }
  bool open(std::uint64_t address) { return port_.read_window(Pa(address), window_); }

  SparseMemory memory_;
  ImmediatePort port_;
  ReadWindow window_;
};

TEST_F(Windows, HoldOneChunkAndNoMore) {
  ASSERT_TRUE(open(base + chunk + 0x1238));
  EXPECT_TRUE(window_.holds(Pa(base + chunk)));
  EXPECT_TRUE(window_.holds(Pa(base + 2 * chunk - 8)));
  EXPECT_FALSE(window_.holds(Pa(base + chunk - 8)));
  EXPECT_FALSE(window_.holds(Pa(base + 2 * chunk)));
}

TEST_F(Windows, ReadWhatIsInMemoryAndCount) {
  ASSERT_TRUE(open(base));
  EXPECT_EQ(window_.read(Pa(base)), base);
  memory_.store64(Pa(base + 8), 5);
  EXPECT_EQ(window_.read(Pa(base + 8)), 5u);
  EXPECT_EQ(memory_.counters().reads, 2u);
}

TEST_F(Windows, OpenOnlyWhereEveryReadSucceeds) {
  EXPECT_FALSE(open(base - 8)) << "outside every range";
  EXPECT_FALSE(open(base + 2 * chunk)) << "not there yet";
  EXPECT_FALSE(open(base + 3 * chunk)) << "the range ends in it";
  memory_.inject_abort(Pa(base + 0x1000), 8, true, false);
  EXPECT_FALSE(open(base)) << "an abort is injected";
  EXPECT_TRUE(open(base + chunk));
}

/// What the SMMU may reach: `frame` is where its registers lie.
bool reachable_at(std::uint64_t address, std::uint64_t frame, unsigned oas) {
  SparseMemoryConfig memory_config;
  memory_config.ranges = {{Pa(address & ~(chunk - 1)), chunk}};
  memory_config.huge_pages = false;
  SparseMemory memory(memory_config);
  memory.store64(Pa(address), 1);
  ImmediatePort port(memory);
  Engine engine;
  SmmuConfig config;
  config.timed = false;
  config.features.oas = oas;
  config.frame_base = Pa(frame);
  const Core core(engine, port, nullptr, nullptr, config);
  ReadWindow window;
  const bool opened = reachable_window(core, port, Pa(address), window);
  EXPECT_EQ(opened, window.holds(Pa(address)));
  return opened;
}

TEST(ReachableWindow, HoldsNeitherTheRegistersNorWhatTheOasLacks) {
  EXPECT_TRUE(reachable_at(base, 0x0905'0000, 40));
  EXPECT_FALSE(reachable_at(base, base + 0x10'0000, 40)) << "registers in the middle of the chunk";
  EXPECT_FALSE(reachable_at(base, base - 0x1'0000, 40)) << "the end of the registers";
  EXPECT_TRUE(reachable_at(base, base + chunk, 40)) << "registers behind it";
  EXPECT_TRUE(reachable_at(std::uint64_t{1} << 39, 0x0905'0000, 40));
  EXPECT_FALSE(reachable_at(std::uint64_t{1} << 40, 0x0905'0000, 40));
}

}  // namespace
}  // namespace smmusim
