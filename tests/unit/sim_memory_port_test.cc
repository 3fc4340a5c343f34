// SPDX-License-Identifier: MIT
// MemoryAccess over ports that answer at once and later, and the two ports that sit on SparseMemory: what they do to
// memory and when they answer.
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "model/sim/memory_port.h"
#include "model/sim/task.h"
#include "platform/memory/immediate_port.h"
#include "platform/memory/latency_port.h"

namespace smmusim {
namespace {

constexpr Pa address(0x8000'0000);

struct World {
  Scope& scope() { return lifetime; }
  Engine engine;
  SparseMemory memory;
  Scope lifetime{engine};
  std::vector<Time> answered;
  MemoryStatus status = MemoryStatus::ok;
};

MemoryAccess access_of(World& world, MemoryPort& port, MemoryOp op, Pa where, void* data, std::uint32_t size) {
  MemoryAccess access;
  access.scope = &world.lifetime;
  access.port = &port;
  access.op = op;
  access.address = where;
  access.data = data;
  access.size = size;
  return access;
}

Task<> read_word(World& world, MemoryPort& port, Pa where, std::uint64_t& word) {
  MemoryAccess access = access_of(world, port, MemoryOp::read, where, &word, 8);
  world.status = co_await access;
  world.answered.push_back(world.engine.now());
}
Task<> swap_word(World& world, MemoryPort& port, std::uint64_t& expected, std::uint64_t desired) {
  MemoryAccess access = access_of(world, port, MemoryOp::compare_and_swap, address, &desired, 8);
  access.expected = expected;
  world.status = co_await access;
  expected = access.expected;
}

TEST(ImmediatePort, AnswersInsideTheCall) {
  World world;
  ImmediatePort port(world.memory);
  world.memory.store64(address, 0x1122334455667788);
  std::uint64_t word = 0;
  spawn(world.lifetime, read_word(world, port, address, word));
  EXPECT_EQ(word, 0x1122334455667788u);
  EXPECT_EQ(world.answered, std::vector<Time>{0});
  EXPECT_EQ(world.engine.waiting(), 0u);
}

TEST(ImmediatePort, OutsideMemoryIsAnExternalAbort) {
  World world;
  ImmediatePort port(world.memory);
  std::uint64_t word = 77;
  spawn(world.lifetime, read_word(world, port, Pa(0x100), word));
  EXPECT_EQ(world.status, MemoryStatus::external_abort);
  EXPECT_EQ(word, 77u);
}

TEST(LatencyPort, AnswersItsLatencyLater) {
  World world;
  LatencyPortConfig config;
  config.latency_ps = 12'345;
  LatencyPort port(world.engine, world.memory, config);
  world.memory.store64(address, 5);
  std::uint64_t word = 0;
  spawn(world.lifetime, read_word(world, port, address, word));
  EXPECT_TRUE(world.answered.empty());
  world.engine.run();
  EXPECT_EQ(world.answered, std::vector<Time>{config.latency_ps});
  EXPECT_EQ(word, 5u);
}

Task<> read_and_digest(World& world, MemoryPort& port, std::uint64_t& word, Time own_time) {
  MemoryAccess access = access_of(world, port, MemoryOp::read, address, &word, 8);
  access.own_time = own_time;
  world.status = co_await access;
  world.answered.push_back(world.engine.now());
}

TEST(LatencyPort, HandsOverAfterTheRequestersOwnTimeWithoutOccupyingTheChannel) {
  World world;
  LatencyPortConfig config;
  config.latency_ps = 1000;
  config.bandwidth_gbit_per_s = 64;  // 8 bytes in 1 ns
  LatencyPort port(world.engine, world.memory, config);
  std::uint64_t words[2] = {};
  spawn(world.lifetime, read_and_digest(world, port, words[0], 5000));
  spawn(world.lifetime, read_and_digest(world, port, words[1], 0));
  world.engine.run();
  EXPECT_EQ(world.answered, (std::vector<Time>{3000, 7000}));
}

TEST(LatencyPort, BandwidthSpacesAnswers) {
  World world;
  LatencyPortConfig config;
  config.latency_ps = 1000;
  config.bandwidth_gbit_per_s = 64;  // 8 bytes in 1 ns
  LatencyPort port(world.engine, world.memory, config);
  std::uint64_t words[3] = {};
  for (std::uint64_t& word : words) spawn(world.lifetime, read_word(world, port, address, word));
  world.engine.run();
  EXPECT_EQ(world.answered, (std::vector<Time>{2000, 3000, 4000}));
}

TEST(LatencyPort, JitterIsBoundedAndRepeatsWithItsSeed) {
  const auto run = [](std::uint64_t seed) {
    World world;
    LatencyPortConfig config;
    config.latency_ps = 1000;
    config.jitter_ps = 500;
    config.seed = seed;
    LatencyPort port(world.engine, world.memory, config);
    std::uint64_t words[64] = {};
    for (std::uint64_t& word : words) spawn(world.lifetime, read_word(world, port, address, word));
    world.engine.run();
    return world.answered;
  };
  const std::vector<Time> first = run(1);
  for (const Time t : first) {
    EXPECT_GE(t, 1000u);
    EXPECT_LE(t, 1500u);
  }
  EXPECT_EQ(run(1), first);
  EXPECT_NE(run(2), first);
}

TEST(LatencyPort, AbandonedRequestsAreNeverAnswered) {
  World world;
  LatencyPort port(world.engine, world.memory);
  std::uint64_t word = 0;
  spawn(world.lifetime, read_word(world, port, address, word));
  port.abandon(world.lifetime);
  world.lifetime.cancel();
  world.engine.run();
  EXPECT_TRUE(world.answered.empty());
}

TEST(MemoryPorts, CompareAndSwapTellsWhatItFound) {
  World world;
  ImmediatePort port(world.memory);
  world.memory.store64(address, 10);
  std::uint64_t expected = 9;
  spawn(world.lifetime, swap_word(world, port, expected, 20));
  EXPECT_EQ(expected, 10u);
  EXPECT_EQ(world.memory.load64(address), 10u);
  spawn(world.lifetime, swap_word(world, port, expected, 20));
  EXPECT_EQ(expected, 10u);
  EXPECT_EQ(world.memory.load64(address), 20u);
}

TEST(Purpose, EveryPurposeHasItsOwnName) {
  std::set<std::string> names;
  for (std::size_t n = 0; n < purposes; ++n) names.insert(name_of(static_cast<Purpose>(n)));
  EXPECT_EQ(names.size(), purposes);
}

}  // namespace
}  // namespace smmusim
