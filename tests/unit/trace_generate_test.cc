// SPDX-License-Identifier: MIT
// Synthetic traces: determinism, the patterns, and options out of range.
#include <map>
#include <set>

#include "platform/trace/error.h"
#include "platform/trace/files.h"
#include "platform/trace/generate.h"
#include "platform/trace/random.h"
#include "tests/unit/trace_test_files.h"

namespace smmusim::trace {
namespace {

class TraceGenerate : public TraceTest {};

std::vector<Record> generated(const GenerateOptions& options) {
  std::vector<Record> all;
  generate(options, [&](const Record& r) { all.push_back(r); });
  return all;
}

GenerateOptions small(Pattern pattern) {
  GenerateOptions options;
  options.pattern = pattern;
  options.count = 4000;
  options.window_bytes = 64 * page_bytes;
  return options;
}

TEST_F(TraceGenerate, the_generator_gives_the_published_sequence) {
  Xoshiro256 random(0);
  EXPECT_EQ(random.next(), 0x99ec5f36cb75f2b4u);
  EXPECT_EQ(random.next(), 0xbf6e1f784956452au);
}

TEST_F(TraceGenerate, equal_options_give_equal_files_and_another_seed_another) {
  GenerateOptions options = small(Pattern::zipf);
  generate_file(options, path("a"));
  generate_file(options, path("b"));
  options.seed = 2;
  generate_file(options, path("c"));
  EXPECT_TRUE(bytes_of(path("a")) == bytes_of(path("b")));
  EXPECT_FALSE(bytes_of(path("a")) == bytes_of(path("c")));
}

TEST_F(TraceGenerate, every_record_of_every_pattern_is_legal_and_inside_its_window) {
  for (const std::string_view name : pattern_names()) {
    GenerateOptions options = small(parse_pattern(name));
    options.streams = 3;
    options.size = 100;
    options.map_per_io = true;
    for (const Record& r : generated(options)) {
      ASSERT_EQ(check_record(r), nullptr) << name;
      if (r.kind != Kind::access) continue;
      const std::uint64_t window = options.base + (r.stream - options.first_stream) * options.window_bytes;
      ASSERT_GE(r.address, window) << name;
      ASSERT_LE(r.address + r.size, window + options.window_bytes) << name;
    }
  }
}

TEST_F(TraceGenerate, sequential_goes_on_and_starts_again) {
  const auto records = generated(small(Pattern::sequential));
  const std::uint64_t slots = 64 * page_bytes / 64;
  for (std::size_t i = 0; i < records.size(); ++i) ASSERT_EQ(records[i].address, 0x10000000 + i % slots * 64);
}

TEST_F(TraceGenerate, stride_steps_by_its_stride) {
  GenerateOptions options = small(Pattern::stride);
  options.streams = 2;
  options.stride_bytes = 3 * page_bytes;
  const auto records = generated(options);
  EXPECT_EQ(records[2].address - records[0].address, 3 * page_bytes);
  EXPECT_EQ(records[3].address - records[1].address, 3 * page_bytes);
}

TEST_F(TraceGenerate, random_reaches_every_page_and_keeps_the_read_fraction) {
  GenerateOptions options = small(Pattern::random);
  options.read_percent = 25;
  std::set<std::uint64_t> pages;
  std::uint64_t reads = 0;
  for (const Record& r : generated(options)) {
    pages.insert(r.address / page_bytes);
    reads += r.op == Op::read ? 1 : 0;
  }
  EXPECT_EQ(pages.size(), 64u);
  EXPECT_NEAR(static_cast<double>(reads), 1000.0, 150.0);
}

TEST_F(TraceGenerate, zipf_prefers_its_first_ranks) {
  std::map<std::uint64_t, std::uint64_t> uses;
  for (const Record& r : generated(small(Pattern::zipf))) ++uses[r.address / page_bytes];
  std::uint64_t most = 0;
  for (const auto& [page, count] : uses) most = std::max(most, count);
  EXPECT_NEAR(static_cast<double>(most), 4000 / 4.74, 120.0);  // the 64th harmonic number is 4.74
}

TEST_F(TraceGenerate, strict_mode_invalidates_each_page_and_maps_it_elsewhere_next_time) {
  GenerateOptions options = small(Pattern::sequential);
  options.window_bytes = page_bytes;
  options.map_per_io = true;
  options.count = 3;
  const auto records = generated(options);
  ASSERT_EQ(records.size(), 6u);
  EXPECT_TRUE(records[1].covers(records[0].address));
  EXPECT_NE(records[0].expected_pa() / page_bytes, records[2].expected_pa() / page_bytes);
}

TEST_F(TraceGenerate, options_out_of_range_are_refused_and_nothing_is_written) {
  const auto refused = [&](auto change) {
    GenerateOptions options = small(Pattern::stride);
    change(options);
    EXPECT_THROW(generate_file(options, path("t")), TraceError);
    EXPECT_TRUE(folder_is_empty());
  };
  refused([](GenerateOptions& o) { o.count = 0; });
  refused([](GenerateOptions& o) { o.size = 0; });
  refused([](GenerateOptions& o) { o.size = 4097; });
  refused([](GenerateOptions& o) { o.window_bytes = 100; });
  refused([](GenerateOptions& o) { o.window_bytes = 0; });
  refused([](GenerateOptions& o) { o.read_percent = 101; });
  refused([](GenerateOptions& o) { o.streams = 0; });
  refused([](GenerateOptions& o) { o.base = 1; });
  refused([](GenerateOptions& o) { o.base = ~std::uint64_t{0xfff}; });
  refused([](GenerateOptions& o) { o.stride_bytes = 0; });
  refused([](GenerateOptions& o) { o.memory_bytes = 0; });
  refused([](GenerateOptions& o) { o.interval_ns = ~std::uint64_t{0}; });
  refused([](GenerateOptions& o) { o.asid = 65535, o.streams = 2; });
  EXPECT_THROW(parse_pattern("zigzag"), TraceError);
}

}  // namespace
}  // namespace smmusim::trace
