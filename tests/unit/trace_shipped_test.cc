// SPDX-License-Identifier: MIT
// The shipped traces: their counts, and that their oracle can fail. The replay here is a dictionary, no SMMU: it shows
// what a TLB without bound would answer if the invalidations were ignored, and that with them nothing is stale.
#include <map>
#include <utility>

#include "platform/trace/info.h"
#include "tests/unit/trace_test_files.h"

namespace smmusim::trace {
namespace {

struct Expected {
  const char* name;
  std::uint64_t accesses, ranges, stale;
};

class TraceShipped : public ::testing::TestWithParam<Expected> {};

/// Accesses whose output page differs from the remembered one, which is that of the page's first use.
std::uint64_t stale_pairs(const std::vector<Record>& records, bool obey_invalidations) {
  std::map<std::pair<std::uint32_t, std::uint64_t>, std::uint64_t> remembered;
  std::uint64_t stale = 0;
  for (const Record& r : records) {
    if (r.kind == Kind::access) {
      const std::uint64_t output_page = r.expected_pa() / page_bytes;
      const auto [at, is_new] = remembered.try_emplace({r.stream, r.address / page_bytes}, output_page);
      if (!is_new && at->second != output_page) ++stale;
    } else if (obey_invalidations) {
      std::erase_if(remembered, [&](const auto& entry) { return r.covers(entry.first.second * page_bytes); });
    }
  }
  return stale;
}

TEST_P(TraceShipped, has_the_counts_of_its_log) {
  const auto records = records_of(shipped(GetParam().name));
  std::uint64_t accesses = 0, ranges = 0;
  for (const Record& r : records) {
    accesses += r.kind == Kind::access && r.has_expected ? 1 : 0;
    ranges += r.is_range() ? 1 : 0;
  }
  EXPECT_EQ(accesses, GetParam().accesses);
  EXPECT_EQ(ranges, GetParam().ranges);
}

TEST_P(TraceShipped, has_stale_pairs_if_invalidations_are_ignored) {
  EXPECT_EQ(stale_pairs(records_of(shipped(GetParam().name)), false), GetParam().stale);
}

TEST_P(TraceShipped, has_no_stale_pair_if_invalidations_are_obeyed) {
  EXPECT_EQ(stale_pairs(records_of(shipped(GetParam().name)), true), 0u);
}

TEST_P(TraceShipped, is_small) {
  EXPECT_LT(std::filesystem::file_size(shipped(GetParam().name)), 1'000'000u);
}

TEST_P(TraceShipped, info_counts_it) {
  const Summary s = info_of(shipped(GetParam().name));
  EXPECT_EQ(s.by_kind[0], GetParam().accesses);
  EXPECT_EQ(s.with_expected, GetParam().accesses);
  EXPECT_EQ(s.streams.size(), 1u);
  EXPECT_EQ(s.streams.begin()->first, 8u);
  EXPECT_EQ(s.bytes_read + s.bytes_written, s.streams.at(8).bytes);
  EXPECT_NE(to_json(s).find("\"records\": " + std::to_string(s.records)), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(all, TraceShipped,
                         ::testing::Values(Expected{"randread", 50256, 6011, 21955},
                                           Expected{"seqwrite", 8185, 211, 6704},
                                           Expected{"mixed", 23728, 2271, 12162}),
                         [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace smmusim::trace
