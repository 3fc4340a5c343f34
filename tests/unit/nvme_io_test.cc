// SPDX-License-Identifier: MIT
// Reads and writes of an NVMe controller: where PRPs say that data is, queues that wrap and fill up, and everything
// that can go wrong on the way.
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <numeric>

#include "tests/unit/nvme_bench.h"

namespace smmusim::platform {
namespace {

using nvme::Status;
namespace reg = nvme::reg;
using Bench = NvmeBench;

constexpr std::uint64_t page = 4096;

/// A buffer in pieces, as PRPs describe it.
struct Scattered {
  std::uint64_t prp1 = 0, prp2 = 0;
  std::vector<std::pair<std::uint64_t, std::size_t>> parts;  // address, bytes

  /// `bytes` from `offset` in the first page on; pages in no order. A list begins at `list`, if one is needed.
  Scattered(Bench& bench, std::uint64_t bytes, std::uint64_t offset, std::uint64_t list) {
    std::vector<std::uint64_t> pages;
    for (std::uint64_t left = bytes, at = offset, i = 0; left != 0; ++i) {
      const std::uint64_t here = std::min(left, page - at);
      const std::uint64_t base = Bench::buffer + (i * 37 % 1024) * page;
      parts.emplace_back(base + at, here);
      pages.push_back(base);
      left -= here;
      at = 0;
    }
    prp1 = parts[0].first;
    if (pages.size() == 2) prp2 = pages[1];
    if (pages.size() <= 2) return;
    prp2 = list;
    for (std::size_t i = 1; i != pages.size(); list += 8) {
      const bool last_of_page = (list + 8) % page == 0;
      std::uint64_t entry = pages[i];
      if (last_of_page && i + 1 != pages.size()) {
        entry = (list & ~(page - 1)) + 3 * page;  // the next list
        bench.memory.store64(Pa(list), entry);
        list = entry - 8;
        continue;
      }
      bench.memory.store64(Pa(list), entry);
      ++i;
    }
  }
  void put(Bench& bench, const std::vector<unsigned char>& data) const {
    std::size_t done = 0;
    for (const auto& [address, bytes] : parts) {
      bench.memory.poke(Pa(address), data.data() + done, bytes);
      done += bytes;
    }
  }
  std::vector<unsigned char> get(Bench& bench) const {
    std::vector<unsigned char> all;
    for (const auto& [address, bytes] : parts) {
      const std::vector<unsigned char> part = bench.bytes_at(address, bytes);
      all.insert(all.end(), part.begin(), part.end());
    }
    return all;
  }
};

TEST(NvmeIo, WhatIsWrittenIsReadBackWhateverItsPrps) {
  struct Row {
    unsigned blocks;
    std::uint64_t offset, list;
  };
  constexpr Row rows[] = {
      {1, 0, 0},      {1, 0xf00, 0},     {8, 0, 0},      {8, 4, 0},
      {16, 0, 0},     {17, 0x800, 0x20}, {64, 0, 0x800}, {128, 0xffc, 0xff0},  // the list continues in another page
      {64, 0, 0xff8},                                                          // that has nothing but the next one
      {1024, 0, 0},   {4096, 0, 0},      {4096, 8, 0},   {4096, 0, 0x10},
  };
  NvmeConfig config;
  config.transfer_pages_log2 = 9;
  for (const Row& row : rows) {
    SCOPED_TRACE(testing::Message() << row.blocks << " blocks, offset " << row.offset << ", list at " << row.list);
    Bench bench(config, 8192);
    bench.start();
    const Scattered from(bench, row.blocks * 512U, row.offset, Bench::lists + row.list);
    const std::vector<unsigned char> data = pattern(row.blocks, row.blocks * 512U);
    from.put(bench, data);
    EXPECT_EQ(bench.status_of(1, bench.io(nvme::io::write, 100, row.blocks, from.prp1, from.prp2)), Status::success);
    std::vector<unsigned char> stored(data.size());
    bench.blocks.read(100, stored);
    EXPECT_TRUE(stored == data);
    from.put(bench, std::vector<unsigned char>(data.size(), 0xee));
    EXPECT_EQ(bench.status_of(1, bench.io(nvme::io::read, 100, row.blocks, from.prp1, from.prp2)), Status::success);
    EXPECT_TRUE(from.get(bench) == data);
    EXPECT_GT(bench.root.relaxed_writes, 0U);
    bench.expect_quiet();
  }
}

/// What was never written reads as zeros; a transfer ends where its data ends.
TEST(NvmeIo, NothingBeyondTheDataIsTouched) {
  Bench bench;
  bench.start();
  bench.memory.poke(Pa(Bench::buffer), pattern(1, 4096).data(), 4096);
  EXPECT_EQ(bench.status_of(1, bench.io(nvme::io::read, 5, 2, Bench::buffer + 512)), Status::success);
  std::vector<unsigned char> expected = pattern(1, 4096);
  std::fill(expected.begin() + 512, expected.begin() + 1536, 0);
  EXPECT_EQ(bench.bytes_at(Bench::buffer, 4096), expected);
}

TEST(NvmeIo, PrpsThatAreNotAlignedAreRefused) {
  Bench bench;
  bench.start();
  const auto status = [&](std::uint32_t blocks, std::uint64_t prp1, std::uint64_t prp2, std::uint8_t opcode) {
    return bench.status_of(1, bench.io(opcode, 0, blocks, prp1, prp2));
  };
  for (const std::uint8_t opcode : {nvme::io::read, nvme::io::write}) {
    EXPECT_EQ(status(1, Bench::buffer + 2, 0, opcode), Status::invalid_prp_offset);
    EXPECT_EQ(status(16, Bench::buffer, Bench::buffer + 0x1200, opcode), Status::invalid_prp_offset);
    EXPECT_EQ(status(64, Bench::buffer, Bench::lists + 4, opcode), Status::invalid_prp_offset);
    bench.memory.store64(Pa(Bench::lists), Bench::buffer + 0x1008);
    EXPECT_EQ(status(64, Bench::buffer, Bench::lists, opcode), Status::invalid_prp_offset);
    bench.memory.store64(Pa(Bench::lists + 0xff8), Bench::lists + 0x2008);  // where the list goes on
    EXPECT_EQ(status(64, Bench::buffer, Bench::lists + 0xff8, opcode), Status::invalid_prp_offset);
  }
  EXPECT_EQ(bench.controller.counters().blocks_written, 0U);
  EXPECT_EQ(bench.controller.counters().failed, 10U);
}

TEST(NvmeIo, BlocksBeyondTheEndAndOtherNamespacesAreRefused) {
  Bench bench({}, 1000);
  bench.start();
  const auto status = [&](std::uint64_t first, std::uint32_t count, std::uint32_t nsid = 1) {
    nvme::Command command = bench.io(nvme::io::read, first, count, Bench::buffer, Bench::buffer + page);
    command.dw[1] = nsid;
    return bench.status_of(1, command);
  };
  EXPECT_EQ(status(999, 1), Status::success);
  EXPECT_EQ(status(1000, 1), Status::lba_out_of_range);
  EXPECT_EQ(status(999, 2), Status::lba_out_of_range);
  EXPECT_EQ(status(~std::uint64_t{0}, 2), Status::lba_out_of_range);
  EXPECT_EQ(status(0, 0x10000), Status::invalid_field);  // more than MDTS
  for (const std::uint32_t nsid : {0U, 2U, ~0U}) EXPECT_EQ(status(0, 1, nsid), Status::invalid_namespace) << nsid;
  EXPECT_EQ(bench.status_of(1, bench.command(nvme::io::flush, 1)), Status::success);
  EXPECT_EQ(bench.status_of(1, bench.command(nvme::io::flush, ~0U)), Status::success);
  EXPECT_EQ(bench.status_of(1, bench.command(nvme::io::flush, 2)), Status::invalid_namespace);
  bench.expect_quiet();
}

/// Each lap has the other phase; the head that a completion reports follows.
TEST(NvmeIo, QueuesWrap) {
  Bench bench;
  bench.enable();
  bench.create_queues(1, 5, 3);
  for (unsigned i = 0; i != 40; ++i) {
    const nvme::Completion completion = bench.done(1, bench.io(nvme::io::read, i, 1, Bench::buffer));
    EXPECT_EQ(completion.status(), Status::success);
    EXPECT_EQ(completion.sq_head, (i + 1) % 5);
  }
  bench.expect_quiet();
}

/// Software that takes no completions gets no more than there is room for, and everything once it does.
TEST(NvmeIo, AFullCompletionQueueHoldsCommandsBack) {
  Bench bench;
  bench.enable();
  bench.create_queues(1, 16, 4);
  for (unsigned i = 0; i != 15; ++i) bench.put(1, bench.io(nvme::io::read, i, 1, Bench::buffer));
  bench.ring(1);
  bench.run();
  EXPECT_EQ(bench.controller.counters().reads, 3U);
  EXPECT_EQ(bench.status_of(0, bench.delete_queue(nvme::admin::delete_sq, 9)), Status::invalid_queue_identifier);
  unsigned taken = 0;
  while (bench.take(1)) {
    ++taken;
    bench.run();
  }
  EXPECT_EQ(taken, 15U);
  bench.expect_quiet();
}

TEST(NvmeIo, AQueueIsDeletedThoughNobodyTakesItsCompletions) {
  Bench bench;
  bench.enable();
  bench.create_queues(1, 16, 4);
  for (unsigned i = 0; i != 15; ++i) bench.put(1, bench.io(nvme::io::read, i, 1, Bench::buffer));
  bench.ring(1);
  bench.run();
  EXPECT_EQ(bench.status_of(0, bench.delete_queue(nvme::admin::delete_sq, 1)), Status::success);
  EXPECT_EQ(bench.controller.counters().reads, 3U);
  bench.expect_quiet();
}

TEST(NvmeIo, DeletingAQueueWaitsForItsCommands) {
  Bench bench;
  bench.start();
  bench.root.holds = [](const Tlp& tlp) { return tlp.type == TlpType::MRd && tlp.address >= Bench::buffer; };
  const nvme::Command write = bench.io(nvme::io::write, 0, 1, Bench::buffer);
  bench.submit(1, write);
  bench.run();
  bench.submit(0, bench.delete_queue(nvme::admin::delete_sq, 1));
  bench.run();
  EXPECT_FALSE(bench.take(0).has_value());
  bench.root.holds = nullptr;
  bench.root.answer_held();
  bench.run();
  ASSERT_TRUE(bench.take(1).has_value());
  const std::optional<nvme::Completion> deleted = bench.take(0);
  ASSERT_TRUE(deleted.has_value());
  EXPECT_EQ(deleted->status(), Status::success);
}

TEST(NvmeIo, EveryCompletionQueueHasItsVector) {
  Bench bench;
  bench.enable();
  bench.create_queues(1);
  bench.create_queues(2);
  bench.root.interrupts.clear();
  bench.done(2, bench.io(nvme::io::read, 0, 1, Bench::buffer));
  bench.done(1, bench.io(nvme::io::read, 0, 1, Bench::buffer));
  EXPECT_EQ(bench.root.interrupts, (std::vector<std::uint32_t>{2, 1}));
  EXPECT_EQ(bench.status_of(0, bench.create_cq(3, 16, 3, 1)), Status::success);  // without interrupts
  EXPECT_EQ(bench.status_of(0, bench.create_sq(3, 16, 3)), Status::success);
  bench.queues.push_back({Bench::io_queues + 3 * 0x8000 + 0x4000, Bench::io_queues + 3 * 0x8000, 16, 16});
  bench.root.interrupts.clear();
  bench.done(3, bench.io(nvme::io::read, 0, 1, Bench::buffer));
  EXPECT_TRUE(bench.root.interrupts.empty());
}

TEST(NvmeIo, TheSameIdentifierTwiceIsAConflict) {
  Bench bench;
  bench.start();
  bench.root.holds = [](const Tlp& tlp) { return tlp.type == TlpType::MRd && tlp.address >= Bench::buffer; };
  const nvme::Command write = bench.io(nvme::io::write, 0, 1, Bench::buffer);
  bench.submit(1, write);
  bench.run();
  EXPECT_EQ(bench.status_of(1, write), Status::command_id_conflict);
  bench.root.holds = nullptr;
  bench.root.answer_held();
  bench.run();
  const std::optional<nvme::Completion> first = bench.take(1);
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->status(), Status::success);
  EXPECT_EQ(bench.status_of(1, write), Status::success);
}

// --- An SMMU that aborts ---------------------------------------------------------------------------------------------

TEST(NvmeAborts, OfDataAndListsAreDataTransferErrors) {
  Bench bench;
  bench.start();
  bench.root.refuses = [](const Tlp& tlp) { return tlp.address >= Bench::buffer + 0x3000; };
  for (const std::uint8_t opcode : {nvme::io::read, nvme::io::write}) {
    const nvme::Completion data = bench.done(1, bench.io(opcode, 0, 1, Bench::buffer + 0x3000));
    EXPECT_EQ(data.status(), Status::data_transfer_error);
    EXPECT_EQ(data.phase_and_status & nvme::Completion::do_not_retry, 0);
    EXPECT_EQ(bench.status_of(1, bench.io(opcode, 0, 16, Bench::buffer, Bench::buffer + 0x3000)),
              Status::data_transfer_error);
    EXPECT_EQ(bench.status_of(1, bench.io(opcode, 0, 64, Bench::buffer, Bench::lists)), Status::data_transfer_error);
    EXPECT_EQ(bench.status_of(1, bench.io(opcode, 0, 1, Bench::buffer)), Status::success);
  }
  EXPECT_EQ(bench.controller.counters().blocks_written, 1U);
  EXPECT_EQ(bench.status(), nvme::csts_ready);
  bench.expect_quiet();
}

TEST(NvmeAborts, AnAddressBeyondTheLastOneIsADataTransferError) {
  Bench bench;
  bench.start();
  EXPECT_EQ(bench.status_of(1, bench.io(nvme::io::write, 0, 1, ~std::uint64_t{3})), Status::data_transfer_error);
  EXPECT_EQ(bench.status_of(1, bench.io(nvme::io::read, 0, 16, Bench::buffer, ~std::uint64_t{0xfff})),
            Status::data_transfer_error);
}

TEST(NvmeAborts, OfCommandsAndCompletionsAreFatalUntilAReset) {
  for (const bool completion : {false, true}) {
    Bench bench;
    bench.start();
    bench.root.refuses = [&](const Tlp& tlp) {
      return completion ? tlp.type == TlpType::MWr && tlp.address < Bench::buffer && tlp.address >= Bench::ram
                        : tlp.type == TlpType::MRd && tlp.address < Bench::buffer;
    };
    bench.submit(1, bench.io(nvme::io::read, 0, 1, Bench::buffer));
    bench.run();
    EXPECT_EQ(bench.status(), nvme::csts_ready | nvme::csts_fatal);
    EXPECT_FALSE(bench.take(1).has_value());
    bench.root.refuses = nullptr;
    bench.submit(1, bench.io(nvme::io::read, 0, 1, Bench::buffer));
    bench.run();
    EXPECT_FALSE(bench.take(1).has_value());
    bench.write(reg::CC, 0);
    EXPECT_EQ(bench.status(), 0U);
    bench.start();
    EXPECT_EQ(bench.status_of(1, bench.io(nvme::io::read, 0, 1, Bench::buffer)), Status::success);
    EXPECT_EQ(bench.controller.counters().fatal_errors, 1U);
  }
}

// --- Resets ----------------------------------------------------------------------------------------------------------

/// RDY stays until the last access has ended, which changes nothing any more.
TEST(NvmeReset, InTheMiddleOfDmaWaitsForItAndForgetsIt) {
  Bench bench;
  bench.start();
  bench.root.holds = [](const Tlp&) { return true; };
  bench.submit(1, bench.io(nvme::io::read, 0, 8, Bench::buffer));
  bench.submit(0, bench.command(nvme::admin::async_event_request));
  bench.run();
  ASSERT_FALSE(bench.root.held.empty());  // fetches
  bench.root.answer_held();
  bench.run();
  ASSERT_FALSE(bench.root.held.empty());  // data
  bench.write(reg::CC, 0);
  EXPECT_EQ(bench.status(), nvme::csts_ready);
  bench.enable();  // too early: it starts when the old has ended
  EXPECT_EQ(bench.status(), nvme::csts_ready);
  bench.root.answer_held();
  bench.run();
  bench.root.holds = nullptr;
  EXPECT_EQ(bench.status(), nvme::csts_ready);
  EXPECT_FALSE(bench.take(0).has_value());
  bench.create_queues(1);
  EXPECT_EQ(bench.status_of(1, bench.io(nvme::io::read, 0, 8, Bench::buffer)), Status::success);
  bench.expect_quiet();
}

TEST(NvmeReset, AtEveryStepOfACommandLeavesNothingBehind) {
  for (unsigned steps = 0; steps != 40; ++steps) {
    SCOPED_TRACE(steps);
    NvmeConfig config;
    config.command_ps = 1000;
    config.read_ps = config.write_ps = 5000;
    config.channels = 1;
    Bench bench(config);
    bench.start();
    for (unsigned i = 0; i != 4; ++i) {
      bench.put(1, bench.io(i % 2 == 0 ? nvme::io::read : nvme::io::write, 0, 64, Bench::buffer, Bench::lists));
    }
    for (std::uint64_t i = 0; i != 7; ++i) bench.memory.store64(Pa(Bench::lists + 8 * i), Bench::buffer + i * page);
    bench.ring(1);
    for (unsigned i = 0; i != steps; ++i) bench.engine.run_next(time_never);
    bench.write(reg::CC, 0);
    bench.run();
    EXPECT_EQ(bench.status(), 0U);
    bench.expect_quiet();
    bench.start();
    EXPECT_EQ(bench.status_of(1, bench.io(nvme::io::read, 0, 8, Bench::buffer)), Status::success);
  }
}

// --- Namespaces ------------------------------------------------------------------------------------------------------

struct TemporaryFile {
  std::string path;
  explicit TemporaryFile(std::size_t bytes)
      : path(testing::TempDir() + "nvme_namespace." + std::to_string(::getpid()) + "." + std::to_string(bytes)) {
    std::ofstream(path) << std::string(bytes, 'x');
  }
  ~TemporaryFile() { std::remove(path.c_str()); }
};

TEST(NvmeNamespaceFile, KeepsWhatIsWritten) {
  const TemporaryFile file(16 * 512);
  {
    Bench bench({}, 9, file.path);
    EXPECT_EQ(bench.blocks.blocks(), 16U);
    bench.start();
    bench.memory.poke(Pa(Bench::buffer), pattern(3, 1024).data(), 1024);
    EXPECT_EQ(bench.status_of(1, bench.io(nvme::io::write, 14, 2, Bench::buffer)), Status::success);
    EXPECT_EQ(bench.status_of(1, bench.command(nvme::io::flush, 1)), Status::success);
    EXPECT_EQ(bench.status_of(1, bench.io(nvme::io::read, 13, 1, Bench::buffer)), Status::success);
    EXPECT_EQ(bench.bytes_at(Bench::buffer, 512), std::vector<unsigned char>(512, 'x'));
  }
  const NvmeNamespace again(9, file.path);
  std::vector<unsigned char> data(1024);
  EXPECT_TRUE(again.read(14, data));
  EXPECT_EQ(data, pattern(3, 1024));
}

TEST(NvmeNamespaceFile, ThatHasBecomeShorterIsAMediumError) {
  const TemporaryFile file(16 * 512);
  Bench bench({}, 9, file.path);
  bench.start();
  std::filesystem::resize_file(file.path, 512);
  EXPECT_EQ(bench.status_of(1, bench.io(nvme::io::read, 8, 1, Bench::buffer)), Status::unrecovered_read_error);
  EXPECT_EQ(bench.status_of(1, bench.io(nvme::io::read, 0, 1, Bench::buffer)), Status::success);
}

TEST(NvmeNamespaceFile, ThatCanNotBeIsRefusedByItsName) {
  const auto sentence = [](unsigned block_bits, const auto& of) -> std::string {
    try {
      const NvmeNamespace made(block_bits, of);
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return {};
  };
  const std::string none = testing::TempDir() + "no such file", folder = testing::TempDir();
  EXPECT_NE(sentence(9, none).find(none), std::string::npos);
  EXPECT_NE(sentence(9, folder).find(folder), std::string::npos);
  EXPECT_NE(sentence(9, std::string("/dev/null")).find("no regular file"), std::string::npos);
  const TemporaryFile odd(513), empty(0);
  EXPECT_NE(sentence(9, odd.path).find("513 bytes"), std::string::npos);
  EXPECT_NE(sentence(9, empty.path), "");
  EXPECT_NE(sentence(13, std::uint64_t{1}), "");
  EXPECT_NE(sentence(9, std::uint64_t{0}), "");
  EXPECT_NE(sentence(9, ~std::uint64_t{0}), "");
}

TEST(NvmeConfig, LimitsAreChecked) {
  for (const NvmeConfig& config :
       {NvmeConfig{.io_queues = 0}, NvmeConfig{.queue_entries = 1}, NvmeConfig{.queue_entries = 0x10001},
        NvmeConfig{.commands = 0}, NvmeConfig{.transfer_pages_log2 = 10}, NvmeConfig{.channels = 0}}) {
    EXPECT_THROW(Bench{config}, std::invalid_argument);
  }
  NvmeConfig many;
  many.io_queues = 255;
  Bench bench(many);
  bench.start();
  EXPECT_EQ(bench.status_of(0, bench.create_cq(255, 16, 255)), Status::success);
}

}  // namespace
}  // namespace smmusim::platform
