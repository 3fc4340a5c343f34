// SPDX-License-Identifier: MIT
// A PCIe function whose root lies, or whose peers do: nothing crashes, nothing hangs, every access ends, and what
// nobody asked for is counted.
#include <random>

#include "tests/unit/pcie_function_bench.h"

namespace smmusim::platform {
namespace {

using Bench = FunctionBench;
using Root = ScriptedRoot;

struct PcieFunctionHostile : testing::Test {
  Bench bench;
  Root& root = bench.root;
  const FunctionCounters& counters = bench.function.tlp_counters();

  /// The read of 128 bytes at 0x1000 that waits for its completion.
  Tlp open_read() {
    root.holds = [](const Tlp&) { return true; };
    bench.push_and_run(Bench::read_of(0x1000, 128));
    const Tlp request = root.held.at(0);
    root.held.clear();
    return request;
  }
  /// A CplD of `bytes` for it.
  Tlp& completion(const Tlp& request, unsigned bytes, unsigned byte_count) {
    Tlp& tlp = bench.pool.take();
    tlp.type = TlpType::CplD;
    tlp.requester_id = request.requester_id;
    tlp.tag = request.tag;
    tlp.length_dw = static_cast<std::uint16_t>(bytes / 4);
    tlp.byte_count = static_cast<std::uint16_t>(byte_count);
    tlp.data.assign(bytes, 0x5a);
    return tlp;
  }
  void send_and_run(Tlp& tlp) {
    root.send(tlp);
    bench.run();
  }
};

TEST_F(PcieFunctionHostile, CompletionsThatNobodyWaitsForAreDropped) {
  const Tlp request = open_read();
  Tlp other_tag = request, huge_tag = request, other_requester = request;
  other_tag.tag = 200;
  huge_tag.tag = 1023;
  other_requester.requester_id = 0x0109;
  for (const Tlp& wrong : {other_tag, huge_tag, other_requester}) root.complete(wrong);
  bench.run();
  EXPECT_EQ(counters.unexpected, 3U);
  EXPECT_TRUE(bench.done.empty());
  root.complete(request);
  root.complete(request);
  bench.run();
  EXPECT_EQ(counters.unexpected, 4U) << "the second has nobody any more";
  EXPECT_EQ(bench.done.at(0).data, bytes_from(0x1000, 128));
  bench.expect_quiet();
}

struct LieRow {
  const char* what;
  unsigned bytes, byte_count;
};

TEST_F(PcieFunctionHostile, ACompletionThatIsNotWhatComesNextEndsTheAccess) {
  constexpr LieRow rows[] = {
      {"too long", 256, 256},
      {"longer than its count", 256, 128 - 4},
      {"count too small", 64, 64},
      {"count too large", 64, 132},
      {"count of nothing", 64, 0},
      {"no data", 0, 128},
      {"the greatest of all", 4096, 4096},
  };
  for (const LieRow& row : rows) {
    SCOPED_TRACE(row.what);
    Bench lied;
    lied.root.holds = [](const Tlp&) { return true; };
    lied.push_and_run(Bench::read_of(0x1000, 128));
    Tlp& tlp = lied.pool.take();
    tlp.type = TlpType::CplD;
    tlp.requester_id = Bench::rid;
    tlp.tag = lied.root.held.at(0).tag;
    tlp.length_dw = static_cast<std::uint16_t>(row.bytes / 4);
    tlp.byte_count = static_cast<std::uint16_t>(row.byte_count);
    tlp.data.assign(row.bytes, 0x5a);
    lied.root.send(tlp);
    lied.run();
    EXPECT_EQ(lied.function.tlp_counters().unexpected, 1U);
    EXPECT_EQ(lied.statuses(), std::vector{DmaStatus::aborted});
    lied.expect_quiet();
  }
}

TEST_F(PcieFunctionHostile, TheFirstHalfTwiceIsNotTheWhole) {
  const Tlp request = open_read();
  root.send(completion(request, 64, 128));
  root.send(completion(request, 64, 128));
  root.send(completion(request, 64, 64));
  bench.run();
  EXPECT_EQ(counters.unexpected, 2U);
  EXPECT_EQ(bench.statuses(), std::vector{DmaStatus::aborted});
  bench.expect_quiet();
}

TEST_F(PcieFunctionHostile, DataThatContradictsItsLengthIsNotRead) {
  Tlp& tlp = completion(open_read(), 128, 128);
  tlp.data.resize(8);
  send_and_run(tlp);
  EXPECT_EQ(bench.statuses(), std::vector{DmaStatus::aborted});
  bench.expect_quiet();
}

TEST_F(PcieFunctionHostile, ACompletionWithoutDataIsNoAnswerToARead) {
  Tlp& tlp = completion(open_read(), 0, 128);
  tlp.type = TlpType::Cpl;
  send_and_run(tlp);
  EXPECT_EQ(counters.unexpected, 1U);
  EXPECT_EQ(bench.statuses(), std::vector{DmaStatus::aborted});
  bench.expect_quiet();
}

// --- Translation Completions -----------------------------------------------------------------------------------------

TEST_F(PcieFunctionHostile, TranslationCompletionsOfOtherSizesAreNoAnswer) {
  bench.enable_ats();
  for (const std::size_t entries : {0U, 2U, 8U}) {
    root.holds = [](const Tlp& tlp) { return tlp.is_translation_request(); };
    bench.push_and_run(Bench::read_of(0x5000, 64));
    const Tlp request = std::exchange(root.held, {}).at(0);
    root.complete_translation(request, std::vector<TranslationEntry>(entries, Root::page_entry(0x9000)));
    bench.run();
    EXPECT_EQ(bench.done.back().status, DmaStatus::aborted) << entries;
  }
  EXPECT_EQ(counters.unexpected, 3U);
  EXPECT_EQ(counters.translation_completions, 3U);
  EXPECT_EQ(bench.function.atc().size(), 0U);
  bench.expect_quiet();
}

TEST_F(PcieFunctionHostile, ATranslationOfHalfAnEntryIsNoAnswer) {
  bench.enable_ats();
  root.holds = [](const Tlp&) { return true; };
  bench.push_and_run(Bench::read_of(0x5000, 64));
  send_and_run(completion(root.held.at(0), 12, 12));
  EXPECT_EQ(counters.unexpected, 1U);
  EXPECT_EQ(bench.statuses(), std::vector{DmaStatus::aborted});
  bench.expect_quiet();
}

/// Half of the unit would have no answer, and the access may lie in it.
TEST_F(PcieFunctionHostile, ATranslationSmallerThanTheUnitIsNotUsed) {
  bench.enable_ats(4);
  bench.push_and_run(Bench::read_of(0x1f000, 64));
  EXPECT_EQ(counters.unexpected, 1U);
  EXPECT_TRUE(root.reads().empty());
  EXPECT_EQ(bench.statuses(), std::vector{DmaStatus::aborted});
  bench.expect_quiet();
}

TEST_F(PcieFunctionHostile, ATranslationOfEverythingIsNotUsed) {
  bench.enable_ats();
  root.translate = [](const Tlp&) { return TranslationEntry{.range = {0, 64}, .write = true, .read = true}; };
  bench.push_and_run(Bench::read_of(0x5000, 64));
  EXPECT_EQ(counters.unexpected, 1U);
  EXPECT_EQ(bench.statuses(), std::vector{DmaStatus::aborted});
}

// --- Messages and requests -------------------------------------------------------------------------------------------

TEST_F(PcieFunctionHostile, AnInvalidateRequestWithoutItsDataIsMalformed) {
  bench.enable_ats();
  for (const unsigned bytes : {0U, 4U, 16U}) {
    Tlp& tlp = bench.pool.take();
    put(tlp, InvalidateRequest{Root::own_id, Bench::rid, 3, {}, {0x5000, 12}, false});
    tlp.data.resize(bytes);
    tlp.length_dw = static_cast<std::uint16_t>(bytes / 4);
    if (bytes == 0) tlp.type = TlpType::Msg;
    send_and_run(tlp);
  }
  EXPECT_EQ(counters.malformed, 3U);
  EXPECT_EQ(counters.invalidate_requests, 0U);
  EXPECT_TRUE(root.came.empty());
  bench.expect_quiet();
}

TEST_F(PcieFunctionHostile, OneItagTwiceIsAnsweredTwice) {
  bench.enable_ats();
  for (int i = 0; i != 2; ++i) bench.invalidate(0x5000, 12, 9);
  bench.run();
  EXPECT_EQ(root.messages(MessageCode::Invalidate_Completion).size(), 2U);
  bench.expect_quiet();
}

TEST_F(PcieFunctionHostile, MessagesOfTheOtherDirectionAreUnsupported) {
  root.send_message(InvalidateCompletion{Root::own_id, Bench::rid, 1, 1});
  root.send_message(PageRequestMessage{Root::own_id, {}, 0x1000, 0, true, true, true});
  bench.run();
  EXPECT_EQ(counters.unsupported, 2U);
  bench.expect_quiet();
}

/// 4 KiB of bytes that notes what was written, in order.
struct Bytes final : BarHandler {
  std::uint64_t bar_read(unsigned, std::uint64_t offset, unsigned size) override {
    EXPECT_LE(offset + size, 0x1000U);
    EXPECT_EQ(offset % size, 0U);
    reads += size;
    std::uint64_t value = 0;
    for (unsigned i = 0; i != size; ++i) value |= std::uint64_t{byte_at(offset + i)} << 8 * i;
    return value;
  }
  void bar_write(unsigned, std::uint64_t offset, std::uint64_t value, unsigned size) override {
    EXPECT_LE(offset + size, 0x1000U);
    EXPECT_EQ(offset % size, 0U);
    for (unsigned i = 0; i != size; ++i) written[offset + i] = static_cast<unsigned char>(value >> 8 * i);
  }
  std::map<std::uint64_t, unsigned char> written;
  unsigned reads = 0;
};

struct PcieFunctionBar : PcieFunctionHostile {
  static constexpr std::uint64_t base = 0x2000'0000;
  Bytes bytes;

  PcieFunctionBar() {
    bench.write(0x10, base, 4);
    bench.function.set_bars(bytes);
  }
  Tlp& request(TlpType type, std::uint64_t offset, unsigned length_dw, unsigned first_be, unsigned last_be) {
    Tlp& tlp = bench.pool.take();
    tlp.type = type;
    tlp.requester_id = 0x0200;
    tlp.tag = 5;
    tlp.address = base + offset;
    tlp.length_dw = static_cast<std::uint16_t>(length_dw);
    tlp.first_be = static_cast<std::uint8_t>(first_be);
    tlp.last_be = static_cast<std::uint8_t>(last_be);
    if (type == TlpType::MWr) {
      for (unsigned i = 0; i != length_dw * 4; ++i) tlp.data.push_back(static_cast<unsigned char>(i + 1));
    }
    return tlp;
  }
};

TEST_F(PcieFunctionBar, AReadIsAnswered) {
  send_and_run(request(TlpType::MRd, 0x104, 3, 0xe, 0x1));
  ASSERT_EQ(root.came.size(), 1U);
  const Tlp& tlp = root.came[0];
  EXPECT_EQ(tlp.status, CplStatus::SC);
  EXPECT_EQ(tlp.requester_id, 0x0200U);
  EXPECT_EQ(tlp.tag, 5U);
  EXPECT_EQ(tlp.byte_count, 8U);
  EXPECT_EQ(std::vector<unsigned char>(tlp.data.begin() + 1, tlp.data.begin() + 9), bytes_from(0x105, 8));
  bench.expect_quiet();
}

/// Whatever a doubleword or an aligned quadword enables, and no other byte.
TEST_F(PcieFunctionBar, WritesTouchTheEnabledBytesOnly) {
  for (const unsigned length : {1U, 2U}) {
    for (unsigned first = length - 1; first != 16; ++first) {
      for (unsigned last = length - 1; last != (length == 1 ? 1U : 16U); ++last) {
        bytes.written.clear();
        send_and_run(request(TlpType::MWr, 0x208, length, first, last));
        std::map<std::uint64_t, unsigned char> expected;
        for (unsigned i = 0; i != 4 * length; ++i) {
          if (((first | last << 4) >> i & 1) != 0) expected[0x208 + i] = static_cast<unsigned char>(i + 1);
        }
        EXPECT_EQ(bytes.written, expected) << length << " " << first << " " << last;
      }
    }
  }
  bench.expect_quiet();
}

TEST_F(PcieFunctionBar, AReadOfNoByteIsAnsweredAndReadsNothing) {
  send_and_run(request(TlpType::MRd, 0x100, 1, 0, 0));
  ASSERT_EQ(root.came.size(), 1U);
  EXPECT_EQ(root.came[0].byte_count, 1U);
  EXPECT_EQ(bytes.reads, 0U);
  bench.expect_quiet();
}

TEST_F(PcieFunctionBar, WhatLeavesTheBarIsUnsupported) {
  bench.write(0x10, base + 0x1000, 4);
  bench.write(0x10, base, 4);
  send_and_run(request(TlpType::MRd, 0xffc, 1, 0xf, 0));
  EXPECT_EQ(counters.unsupported, 0U);
  send_and_run(request(TlpType::MRd, 0x1000, 1, 0xf, 0));
  EXPECT_EQ(root.came.back().status, CplStatus::UR);
  send_and_run(request(TlpType::MWr, 0x1000, 1, 0xf, 0));
  EXPECT_EQ(counters.unsupported, 2U);
  EXPECT_TRUE(bytes.written.empty());
  bench.expect_quiet();
}

TEST_F(PcieFunctionBar, ARequestThatEndsBehindASmallBarIsUnsupported) {
  FunctionDescription description = Bench::with_everything();
  description.bars[0] = {16, false, false};
  Bench small({}, description);
  Bytes handler;
  small.function.set_bars(handler);
  small.write(0x10, base, 4);
  Tlp& tlp = small.pool.take();
  tlp.address = base;
  tlp.length_dw = 32;
  tlp.last_be = 0xf;
  small.root.send(tlp);
  small.run();
  EXPECT_EQ(small.root.came.at(0).status, CplStatus::UR);
  EXPECT_EQ(handler.reads, 0U);
  small.expect_quiet();
}

TEST_F(PcieFunctionBar, OtherRequestsAreUnsupported) {
  send_and_run(request(TlpType::Swap, 0x100, 1, 0, 0));  // without its operand it is malformed
  EXPECT_EQ(counters.malformed, 1U);
  Tlp& swap = request(TlpType::Swap, 0x100, 1, 0, 0);
  swap.data.assign(4, 0);
  send_and_run(swap);
  Tlp& translation = request(TlpType::MRd, 0x100, 2, 0xf, 0xf);
  translation.at = AddressType::translation_request;
  send_and_run(translation);
  EXPECT_EQ(counters.unsupported, 2U);
  ASSERT_EQ(root.came.size(), 2U);
  for (const Tlp& tlp : root.came) EXPECT_EQ(tlp.status, CplStatus::UR);
  bench.expect_quiet();
}

TEST_F(PcieFunctionBar, AWriteWithoutItsDataIsMalformed) {
  Tlp& tlp = request(TlpType::MWr, 0x100, 16, 0xf, 0xf);
  tlp.data.resize(4);
  send_and_run(tlp);
  EXPECT_EQ(counters.malformed, 1U);
  EXPECT_TRUE(bytes.written.empty());
  bench.expect_quiet();
}

/// A root that answers at random: lies of every kind among the truth. Every access ends once it has stopped.
TEST(PcieFunctionRandomRoot, EveryAccessEnds) {
  constexpr std::uint64_t seed = 20261130;
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  Bench bench;
  bench.enable_pri();
  bench.enable_ats();
  const auto below = [&](std::uint64_t end) { return random() % end; };
  bench.root.holds = [](const Tlp& tlp) { return tlp.flow_class() == FlowClass::non_posted; };
  bench.root.translate = [&](const Tlp& t) {
    TranslationEntry entry = Root::page_entry(t.address + Root::offset, below(4) != 0, below(4) != 0);
    entry.range.span_bits = static_cast<unsigned>(12 + below(below(8) == 0 ? 53 : 3));
    entry.untranslated_only = below(8) == 0;
    entry.global = below(8) == 0;
    return entry;
  };
  std::vector<Tlp> late;
  const auto lie = [&](Tlp request) {
    switch (below(6)) {
      case 0:
        late.push_back(request);
        request.tag = static_cast<std::uint16_t>(below(1024));
        break;
      case 1:
        request.length_dw = static_cast<std::uint16_t>(1 + below(1024));
        request.last_be = request.length_dw == 1 ? 0 : 0xf;
        break;
      case 2:
        request.address += 1 + below(64);
        break;
      default:
        break;
    }
    if (below(8) == 0) {
      bench.root.fail(request, below(2) == 0 ? CplStatus::UR : CplStatus::CA);
    } else if (below(6) == 0) {
      bench.root.complete_translation(request, std::vector<TranslationEntry>(below(4)));
    } else {
      bench.root.answer(request);
    }
  };
  std::uint64_t pushed = 0;
  for (int step = 0; step != 5000; ++step) {
    for (std::uint64_t i = below(4); i != 0; --i) {
      const std::uint64_t address = below(64) << 12 | below(4096);
      const auto size = static_cast<std::uint32_t>(1 + below(600));
      if (bench.function.push(below(2) == 0 ? Bench::read_of(address, size) : Bench::write_of(address, size))) ++pushed;
    }
    bench.run();
    for (const Tlp& request : std::exchange(bench.root.held, {})) lie(request);
    if (below(2) == 0) {
      for (const Tlp& request : std::exchange(late, {})) bench.root.answer(request);
    }
    for (std::uint64_t i = below(16); i != 0; --i) {
      bench.root.send_message(PrgResponse{1, Bench::rid, {}, static_cast<unsigned>(below(70)), 0});
    }
    if (below(8) == 0) bench.invalidate(below(64) << 12, 12 + static_cast<unsigned>(below(5)));
    bench.root.came.clear();
  }
  bench.root.translate = [](const Tlp& t) { return Root::page_entry(t.address + Root::offset); };
  for (const Tlp& request : late) bench.root.answer(request);
  for (int round = 0; round != 100 && !bench.function.idle(); ++round) {
    bench.run();
    for (const Tlp& request : std::exchange(bench.root.held, {})) bench.root.answer(request);
    for (unsigned group = 0; group != 64; ++group) {
      bench.root.send_message(PrgResponse{1, Bench::rid, {}, group, 0});
    }
  }
  bench.run();
  EXPECT_EQ(bench.done.size(), pushed);
  EXPECT_GT(bench.function.tlp_counters().unexpected, 100U);
  EXPECT_GT(bench.function.counters().completed, bench.function.counters().failed);
  bench.expect_quiet();
}

}  // namespace
}  // namespace smmusim::platform
