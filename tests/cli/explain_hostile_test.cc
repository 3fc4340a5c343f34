// SPDX-License-Identifier: MIT
// Dumps with random bits in registers and structures: every one of them is a story with an end, and text and JSON tell
// the same.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "tests/cli/explain_world.h"

namespace smmusim::test {
namespace {

using Random = std::mt19937_64;

std::uint64_t bit(Random& random) {
  return std::uint64_t{1} << (random() % 64);
}

/// One to six bits of STE, CD, descriptors or registers inverted.
void spoil(World& world, Random& random) {
  const std::uint64_t flips = 1 + random() % 6;
  for (std::uint64_t i = 0; i != flips; ++i) {
    switch (random() % 6) {
      case 0:
        world.ste.dw[random() % 4] ^= bit(random);
        break;
      case 1:
        world.cd.dw[random() % 4] ^= bit(random);
        break;
      case 2:
        world.put(world.stage1_descriptor(1 + static_cast<int>(random() % 3)), random());
        break;
      case 3:
        world.put(world.stage2_descriptor(World::page, 3), random());
        break;
      case 4:
        world.registers["STRTAB_BASE_CFG"] = random() & 0x3'07ff;
        break;
      default:
        world.registers["STRTAB_BASE"] ^= bit(random);
        break;
    }
  }
  world.write();
}

Transaction any_access(Random& random) {
  Transaction t = World::access();
  if (random() % 8 == 0) t.address = Va(random() & ~std::uint64_t{0xfff});
  if (random() % 8 == 0) t.stream_id = StreamId(static_cast<std::uint32_t>(random()));
  t.substream_valid = random() % 4 == 0;
  t.substream_id = SubstreamId(static_cast<std::uint32_t>(random() & 0xfffff));
  t.access = static_cast<AccessType>(random() % 3);
  t.instruction = random() % 4 == 0;
  t.privileged = random() % 2 == 0;
  return t;
}

TEST(ExplainHostile, RandomBitsAlwaysGiveAStoryWithAnEnd) {
  constexpr std::uint64_t seed = 20260;
  constexpr std::size_t cases = 3000;
  constexpr std::size_t steps_max = 64;  // nested walks of five levels each, and the configuration
  Random random(seed);
  std::size_t faults = 0;
  for (std::size_t n = 0; n != cases; ++n) {
    SCOPED_TRACE("seed " + std::to_string(seed) + ", case " + std::to_string(n));
    World world;
    world.strict = random() % 2 == 0;
    const Transaction transaction = any_access(random);
    spoil(world, random);
    const explain::Story story = world.tell(transaction);
    const std::string text = explain::to_text(story, false);
    const auto json = nlohmann::json::parse(explain::to_json(story));
    ASSERT_LE(story.steps.size(), steps_max) << text;
    ASSERT_FALSE(story.verdict.empty());
    ASSERT_EQ(json["outcome"], explain::name_of(story.response.outcome));
    ASSERT_EQ(json["verdict"], story.verdict);
    ASSERT_NE(text.find("\n" + story.verdict + "\n"), std::string::npos) << text;
    // Whoever does not get through is told why.
    ASSERT_EQ(story.verdict.find(": ; "), std::string::npos) << text;
    ASSERT_FALSE(story.verdict.ends_with(": ")) << text;
    faults += story.event.has_value() ? 1 : 0;
  }
  EXPECT_GT(faults, cases / 4);
  EXPECT_LT(faults, cases);
}

}  // namespace
}  // namespace smmusim::test
