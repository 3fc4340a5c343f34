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
    options.window_bytes = std::uint64_t{1} << 20;  // with room for rings
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

GenerateOptions ring(Pattern pattern) {
  GenerateOptions options = small(pattern);
  options.window_bytes = std::uint64_t{1} << 20;
  options.ring_entries = 4;
  return options;
}

TEST_F(TraceGenerate, an_nvme_transfer_is_command_list_data_completion_and_unmap) {
  GenerateOptions options = ring(Pattern::nvme_ring);
  options.io_bytes = 3 * page_bytes;
  options.read_percent = 100;
  const std::vector<Record> all = generated(options);
  ASSERT_GE(all.size(), 7u);
  const std::uint64_t base = options.base;
  EXPECT_EQ(all[0], make_access(0, Op::read, 8, base, 64, options.memory_base, 3)) << "the command";
  EXPECT_EQ(all[1].size, 16u) << "a PRP list: two pages more than the command names";
  EXPECT_EQ(all[1].op, Op::read);
  for (std::size_t i = 2; i != 5; ++i) {
    EXPECT_EQ(all[i].op, Op::write) << "reading the drive writes memory";
    EXPECT_EQ(all[i].size, page_bytes);
    EXPECT_EQ(all[i].address, all[2].address + (i - 2) * page_bytes);
  }
  EXPECT_EQ(all[5].address, base + page_bytes) << "the completion queue follows the submission queue";
  EXPECT_EQ(all[5].size, 16u);
  EXPECT_EQ(all[5].op, Op::write);
  EXPECT_EQ(all[6], make_range_invalidation(all[5].time_ps, 1, all[2].address, 3));
}

TEST_F(TraceGenerate, a_page_of_a_ring_device_gets_another_output_after_its_unmap_only) {
  std::map<std::uint64_t, std::uint64_t> outputs, before;  // of pages that are, and that were mapped
  for (const Pattern pattern : {Pattern::nvme_ring, Pattern::nic_ring}) {
    outputs.clear();
    before.clear();
    for (const Record& r : generated(ring(pattern))) {
      if (r.kind == Kind::access) {
        const auto [at, is_new] = outputs.try_emplace(r.address / page_bytes, r.output / page_bytes);
        EXPECT_EQ(at->second, r.output / page_bytes);
        const auto old = before.find(at->first);
        if (is_new && old != before.end()) {
          EXPECT_NE(old->second, at->second);
        }
      } else {
        for (std::uint64_t i = 0; i != r.pages; ++i) {
          const auto gone = outputs.extract(r.address / page_bytes + i);
          if (gone) before[gone.key()] = gone.mapped();
        }
      }
    }
    EXPECT_GE(outputs.size(), 2u) << "rings, and what stays mapped";
    EXPECT_GT(before.size(), 100u) << "data";
  }
}

TEST_F(TraceGenerate, pasids_share_addresses_and_no_output) {
  GenerateOptions options = small(Pattern::gpu);
  options.pasids = 3;
  options.streams = 2;
  const std::vector<Record> all = generated(options);
  std::map<std::uint64_t, std::set<std::uint64_t>> spaces_of_output;
  std::set<std::uint64_t> addresses[2];
  for (std::size_t i = 0; i != all.size(); ++i) {
    const Record& r = all[i];
    if (i < 6) {
      const auto number = static_cast<std::uint16_t>(i);
      EXPECT_EQ(r, make_context_change(0, 8U + number / 3U, number % 3U + 1, static_cast<std::uint16_t>(number + 1)));
      continue;
    }
    ASSERT_TRUE(r.has_substream && r.substream >= 1 && r.substream <= 3);
    spaces_of_output[r.output / page_bytes].insert(std::uint64_t{r.stream} << 32 | r.substream);
    addresses[r.stream - 8].insert(r.address / page_bytes);
  }
  for (const auto& [output, spaces] : spaces_of_output) EXPECT_EQ(spaces.size(), 1u) << output;
  EXPECT_GT(spaces_of_output.size(), addresses[0].size() * 2) << "most pages are used by several PASIDs";
  options.asid = 65531;
  EXPECT_THROW(check_options(options), TraceError);
  options.asid = 65530;
  EXPECT_NO_THROW(check_options(options));
}

}  // namespace
}  // namespace smmusim::trace
