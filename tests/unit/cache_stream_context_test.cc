// SPDX-License-Identifier: MIT
// StreamCache and ConfigInvalidation: tags by StreamID and SubstreamID (IHI 0070 section 3.17), what each CMD_CFGI_*
// removes (section 4.3), counters.
#include <gtest/gtest.h>

#include "model/smmu/stream_context.h"

namespace smmusim {
namespace {

StreamContext stage1(std::uint32_t sid) {
  StreamContext context;
  context.stream_id = StreamId(sid);
  context.config = spec::SteConfig::stage1;
  return context;
}
StreamContext substream(std::uint32_t sid, std::uint32_t ssid) {
  StreamContext context = stage1(sid);
  context.substream_valid = true;
  context.substream_id = SubstreamId(ssid);
  context.cd_index = ssid;
  return context;
}
StreamContext bypass(std::uint32_t sid) {
  StreamContext context = stage1(sid);
  context.config = spec::SteConfig::bypass;
  return context;
}
StreamCache large() {
  return StreamCache({64, 4, Replacement::lru}, 1);
}

TEST(StreamCache, FindsByStreamIdAndSubstreamId) {
  StreamCache cache = large();
  cache.fill(stage1(7));
  cache.fill(substream(7, 3));
  EXPECT_NE(cache.find(StreamId(7), false, SubstreamId(0), false), nullptr);
  EXPECT_EQ(cache.find(StreamId(7), true, SubstreamId(3), false)->cd_index, 3u);
  EXPECT_EQ(cache.find(StreamId(7), true, SubstreamId(0), false), nullptr);  // not the traffic without SubstreamID
  EXPECT_EQ(cache.find(StreamId(7), true, SubstreamId(4), false), nullptr);
  EXPECT_EQ(cache.find(StreamId(8), false, SubstreamId(0), false), nullptr);
}

TEST(StreamCache, LargestIdentifiersAreTellApart) {
  StreamCache cache = large();
  cache.fill(substream(0xffff'ffff, 0xf'ffff));
  EXPECT_NE(cache.find(StreamId(0xffff'ffff), true, SubstreamId(0xf'ffff), false), nullptr);
  EXPECT_EQ(cache.find(StreamId(0xffff'ffff), true, SubstreamId(0x7'ffff), false), nullptr);
  EXPECT_EQ(cache.find(StreamId(0x7fff'ffff), true, SubstreamId(0xf'ffff), false), nullptr);
}

TEST(StreamCache, SubstreamIdWithoutItsValidBitMeansNothing) {
  StreamCache cache = large();
  cache.fill(stage1(7));
  for (std::uint32_t garbage = 0; garbage < 32; ++garbage) {
    EXPECT_NE(cache.find(StreamId(7), false, SubstreamId(garbage), false), nullptr) << garbage;
  }
}

TEST(StreamCache, FillReplacesTheSameStream) {
  StreamCache cache = large();
  cache.fill(bypass(7));
  cache.fill(stage1(7));
  EXPECT_EQ(cache.find(StreamId(7), false, SubstreamId(0), false)->config, spec::SteConfig::stage1);
  EXPECT_EQ(cache.counters().evictions, 0u);
  EXPECT_TRUE(cache.holds(stage1(7)));
  EXPECT_FALSE(cache.holds(stage1(8)));
}

TEST(StreamCache, CountersCountUsesOnly) {
  StreamCache cache = large();
  cache.find(StreamId(1), false, SubstreamId(0), true);
  cache.fill(stage1(1));
  cache.find(StreamId(1), false, SubstreamId(0), true);
  cache.find(StreamId(1), false, SubstreamId(0), false);
  EXPECT_EQ(cache.counters().lookups, 2u);
  EXPECT_EQ(cache.counters().hits, 1u);
  EXPECT_EQ(cache.counters().fills, 1u);
}

TEST(StreamCache, EvictionsAreCounted) {
  StreamCache cache({2, 2, Replacement::lru}, 1);
  for (std::uint32_t sid = 0; sid < 5; ++sid) cache.fill(stage1(sid));
  EXPECT_EQ(cache.counters().evictions, 3u);
}

using Named = ConfigInvalidation (*)();
struct Row {
  const char* what;
  Named named;
  StreamContext held;
  bool removed;
};
constexpr Named stream7 = [] {
  ConfigInvalidation what;
  what.first = what.last = 7;
  return what;
};
constexpr Named streams4to7 = [] {
  ConfigInvalidation what;
  what.first = 4, what.last = 7;
  return what;
};
constexpr Named everything = [] { return ConfigInvalidation{}; };
constexpr Named cd3_of_7 = [] {
  ConfigInvalidation what = stream7();
  what.cds_only = what.one_cd = true;
  what.cd_index = 3;
  return what;
};
constexpr Named cds_of_7 = [] {
  ConfigInvalidation what = stream7();
  what.cds_only = true;
  return what;
};

TEST(ConfigInvalidation, RemovesWhatItNamesAndNothingElse) {
  const Row rows[] = {
      {"CFGI_STE, its stream", stream7, stage1(7), true},
      {"CFGI_STE, its substreams", stream7, substream(7, 3), true},
      {"CFGI_STE, a stream that bypasses", stream7, bypass(7), true},
      {"CFGI_STE, another stream", stream7, stage1(8), false},
      {"STE_RANGE, first", streams4to7, stage1(4), true},
      {"STE_RANGE, last", streams4to7, stage1(7), true},
      {"STE_RANGE, before", streams4to7, stage1(3), false},
      {"STE_RANGE, behind", streams4to7, stage1(8), false},
      {"ALL", everything, substream(0xffff'ffff, 5), true},
      {"CFGI_CD, its CD", cd3_of_7, substream(7, 3), true},
      {"CFGI_CD, another CD", cd3_of_7, substream(7, 4), false},
      {"CFGI_CD, another stream", cd3_of_7, substream(8, 3), false},
      {"CFGI_CD, a stream without CDs", cd3_of_7, bypass(7), false},
      {"CFGI_CD_ALL", cds_of_7, substream(7, 4), true},
      {"CFGI_CD_ALL, a stream without CDs", cds_of_7, bypass(7), false},
      {"CFGI_CD_ALL, another stream", cds_of_7, stage1(8), false},
  };
  for (const Row& row : rows) {
    StreamCache cache = large();
    cache.fill(row.held);
    EXPECT_EQ(row.named().matches(row.held), row.removed) << row.what;
    cache.invalidate(row.named());
    EXPECT_EQ(cache.holds(row.held), !row.removed) << row.what;
    EXPECT_EQ(cache.counters().invalidated, row.removed ? 1u : 0u) << row.what;
  }
}

TEST(ConfigInvalidation, ContextWhoseStage1IsBypassedHoldsNoCd) {
  StreamContext context = stage1(7);
  context.s1_bypassed = true;
  EXPECT_FALSE(cds_of_7().matches(context));
  EXPECT_TRUE(stream7().matches(context));
}

}  // namespace
}  // namespace smmusim
