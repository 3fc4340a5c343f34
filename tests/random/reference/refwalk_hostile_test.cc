// SPDX-License-Identifier: MIT
// Hostile input for the reference walker: random structures and tables, tables that point to themselves, reads that
// abort. It must end, with few fetches, and with an outcome. These tests say nothing about model/.
#include <random>
#include <string>
#include <vector>

#include "tests/random/reference/refwalk_chain.h"

namespace refwalk {
namespace {

// L1STD, STE; L1CD, CD and five stage-1 levels each with a stage-2 walk of five; the last stage-2 walk.
constexpr size_t kMostFetches = 2 + 2 * 6 + 5 * 6 + 5;

// Every read below 2^20 is a word of a fixed random image, above it the same image again.
struct RandomMemory : Memory {
  std::vector<uint64_t> words = std::vector<uint64_t>(1u << 12);
  bool read(uint64_t pa, void* data, size_t n) const override {
    for (size_t i = 0; i < n; i += 8) {
      const uint64_t word = words[((pa + i) / 8) % words.size()];
      for (unsigned b = 0; b < 8; ++b)
        static_cast<unsigned char*>(data)[i + b] = static_cast<unsigned char>(word >> (8 * b));
    }
    return (pa >> 6) % 61 != 7;
  }
};

TEST(RefwalkHostile, RandomStructures) {
  const uint64_t seed = 20261120;
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  RandomMemory memory;
  unsigned proceeded = 0;
  for (unsigned i = 0; i < 30000; ++i) {
    for (unsigned n = 0; n < 64; ++n) {
      // Mostly leaves and tables, so that walks go on.
      memory.words[random() % memory.words.size()] = (random() & random()) | (random() % 4 == 0 ? 0 : 3 | (1u << 10));
    }
    Registers r;
    r.idr0 = static_cast<uint32_t>(random()) & ~((1u << 2) | (3u << 6) | (1u << 30));
    r.idr0 |= (1u << 3) | 3;
    r.idr1 = static_cast<uint32_t>(random());
    r.idr3 = static_cast<uint32_t>(random()) & ~((15u << 18) | (1u << 23));
    r.idr5 = (static_cast<uint32_t>(random()) & ~((1u << 8) | 7u)) | static_cast<uint32_t>(random() % 7);
    r.aidr = static_cast<uint32_t>(random() % 5);
    r.cr0 = random() % 16 != 0;
    r.cr2 = static_cast<uint32_t>(random());
    r.strtab_base = random();
    r.strtab_base_cfg = static_cast<uint32_t>(random());
    Access a;
    a.sid = static_cast<uint32_t>(random() & random());
    a.ssv = random() % 2 == 0;
    a.ssid = static_cast<uint32_t>(random());
    a.address = random() >> (random() % 64);
    a.write = random() % 2 == 0;
    const Result result = translate(r, memory, a);
    EXPECT_LE(result.fetch_list.size(), kMostFetches);
    EXPECT_EQ(result.fetch_list.size(), result.fetches);
    proceeded += result.outcome == Outcome::Proceed ? 1 : 0;
  }
  EXPECT_GT(proceeded, 0u);
}

TEST_F(RefwalkWide, TablesThatPointToThemselves) {
  // One table at every level of both stages: each level is read once.
  const Chain chain{0, 12, 52, -1};
  use_stage1(chain, true);
  use_stage2(chain, 7, 4, true);
  const uint64_t table = chain.table(-1);
  m.words[table] = table | kPlain2;
  m.set(kSte, 55, 6, 0);
  a.address = 0;
  const Result result = run();
  EXPECT_EQ(number(result), 0x0Au) << "stage 2 maps the CD to the table itself";
  EXPECT_EQ(result.fetches, 1u + 5 + 1);
  use_stage2(chain, 6, 4, true);
  EXPECT_EQ(run().pa, table);
  EXPECT_EQ(levels(run(), 2), "-1 0 1 2 3");
}

}  // namespace
}  // namespace refwalk
