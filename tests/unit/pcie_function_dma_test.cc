// SPDX-License-Identifier: MIT
// The DMA engine of a PCIe function: how accesses become TLPs, how completions become data again, and what a function
// does not do because software has not switched it on. Without ATS.
#include <algorithm>
#include <set>

#include "platform/pcie/tlp_rules.h"
#include "tests/unit/pcie_function_bench.h"

namespace smmusim::platform {
namespace {

using Bench = FunctionBench;

/// The bytes that a TLP of the device is about, as (address, size).
std::vector<std::pair<std::uint64_t, std::uint32_t>> ranges_of(const std::vector<Tlp>& tlps) {
  std::vector<std::pair<std::uint64_t, std::uint32_t>> ranges;
  for (const Tlp& tlp : tlps) ranges.emplace_back(bytes_of(tlp).address, bytes_of(tlp).size);
  return ranges;
}
using Ranges = std::vector<std::pair<std::uint64_t, std::uint32_t>>;

struct EnablesRow {
  std::uint64_t address;
  std::uint32_t size;
  unsigned first_be, last_be, length_dw;
};

TEST(PcieFunctionDma, ByteEnablesSayWhichBytes) {
  constexpr EnablesRow rows[] = {
      {0x1000, 1, 0x1, 0, 1},   {0x1001, 1, 0x2, 0, 1},   {0x1003, 1, 0x8, 0, 1},   {0x1001, 2, 0x6, 0, 1},
      {0x1000, 4, 0xf, 0, 1},   {0x1003, 2, 0x8, 0x1, 2}, {0x1001, 4, 0xe, 0x1, 2}, {0x1002, 4, 0xc, 0x3, 2},
      {0x1000, 8, 0xf, 0xf, 2}, {0x1003, 8, 0x8, 0x7, 3}, {0x1002, 7, 0xc, 0x1, 3},
  };
  for (const bool write : {false, true}) {
    for (const EnablesRow& row : rows) {
      SCOPED_TRACE(testing::Message() << std::hex << row.address << " size " << row.size << " write " << write);
      Bench bench;
      bench.push_and_run(write ? Bench::write_of(row.address, row.size) : Bench::read_of(row.address, row.size));
      ASSERT_EQ(bench.root.came.size(), 1U);
      const Tlp& tlp = bench.root.came[0];
      EXPECT_EQ(tlp.address, 0x1000U);
      EXPECT_EQ(tlp.first_be, row.first_be);
      EXPECT_EQ(tlp.last_be, row.last_be);
      EXPECT_EQ(tlp.length_dw, row.length_dw);
      bench.expect_quiet();
    }
  }
}

TEST(PcieFunctionDma, WritesAreCutAtMaxPayloadSizeAnd4Kib) {
  Bench bench;
  bench.set_device_control(1, 2, true);  // 256 and 512 bytes
  bench.push_and_run(Bench::write_of(0x1f01, 0x300, 5));
  const std::vector<Tlp> writes = bench.root.of(TlpType::MWr);
  EXPECT_EQ(ranges_of(writes), (Ranges{{0x1f01, 0xff}, {0x2000, 0x100}, {0x2100, 0x100}, {0x2200, 1}}));
  std::vector<unsigned char> sent, expected(0x300);
  for (const Tlp& tlp : writes) {
    const auto from = tlp.data.begin() + static_cast<std::ptrdiff_t>(bytes_of(tlp).address % 4);
    sent.insert(sent.end(), from, from + bytes_of(tlp).size);
    EXPECT_LE(tlp.payload_bytes(), 256U);
  }
  fill_pattern(5, expected);
  EXPECT_EQ(sent, expected);
  EXPECT_EQ(bench.statuses(), std::vector{DmaStatus::ok});
  bench.expect_quiet();
}

TEST(PcieFunctionDma, ReadsAreCutAtMaxReadRequestSizeAnd4Kib) {
  Bench bench;
  bench.set_device_control(0, 2, true);  // 128 and 512 bytes
  bench.push_and_run(Bench::read_of(0x1e03, 0x500));
  EXPECT_EQ(ranges_of(bench.root.reads()), (Ranges{{0x1e03, 0x1fd}, {0x2000, 0x200}, {0x2200, 0x103}}));
  EXPECT_EQ(bench.done.at(0).data, bytes_from(0x1e03, 0x500));
}

TEST(PcieFunctionDma, CompletionsCutAtTheBoundaryAreOneReadAgain) {
  for (const std::uint32_t boundary : {64U, 128U}) {
    Bench bench;
    bench.root.limits = {256, boundary};
    bench.set_device_control(5, 5, true);
    bench.push_and_run(Bench::read_of(0x103d, 0xf00));
    ASSERT_EQ(bench.done.size(), 1U);
    EXPECT_EQ(bench.done[0].status, DmaStatus::ok);
    EXPECT_EQ(bench.done[0].data, bytes_from(0x103d, 0xf00));
    EXPECT_EQ(bench.root.reads().size(), 1U);
    bench.expect_quiet();
  }
}

TEST(PcieFunctionDma, CompletionsOfSeveralReadsMayMix) {
  Bench bench;
  bench.root.holds = [](const Tlp&) { return true; };
  bench.push(Bench::read_of(0x1000, 128, 1));
  bench.push_and_run(Bench::read_of(0x2000, 128, 2));
  std::reverse(bench.root.held.begin(), bench.root.held.end());
  bench.root.limits = {64, 64};
  bench.root.answer_held();
  bench.run();
  ASSERT_EQ(bench.done.size(), 2U);
  EXPECT_EQ(bench.done[0].tag, 2U);
  EXPECT_EQ(bench.done[0].data, bytes_from(0x2000, 128));
  EXPECT_EQ(bench.done[1].data, bytes_from(0x1000, 128));
}

/// Every tag that is out is another one, and no more are out than may be.
TEST(PcieFunctionDma, TagsLimitTheReadsUnderWay) {
  for (const auto& [extended, configured, limit] : {std::tuple{false, 256U, 32U}, {true, 256U, 256U}, {true, 7U, 7U}}) {
    PcieFunctionConfig config;
    config.outstanding = 1000;
    config.tags = configured;
    Bench bench(config);
    bench.set_device_control(0, 0, extended);
    bench.root.holds = [](const Tlp&) { return true; };
    for (std::uint64_t i = 0; i != 300; ++i) bench.push(Bench::read_of(i << 12, 64, i));
    bench.run();
    std::set<unsigned> tags;
    for (const Tlp& tlp : bench.root.held) tags.insert(tlp.tag);
    EXPECT_EQ(bench.root.held.size(), limit);
    EXPECT_EQ(tags.size(), limit);
    EXPECT_EQ(*tags.rbegin(), limit - 1);
    bench.root.holds = nullptr;
    bench.root.answer_held();
    bench.run();
    EXPECT_EQ(bench.done.size(), 300U);
    bench.expect_quiet();
  }
}

TEST(PcieFunctionDma, ReadsWithoutTagsDoNotHoldUpWrites) {
  PcieFunctionConfig config;
  config.tags = 1;
  Bench bench(config);
  bench.root.holds = [](const Tlp& tlp) { return tlp.type == TlpType::MRd; };
  bench.push(Bench::read_of(0x1000, 64, 1));
  bench.push(Bench::read_of(0x2000, 64, 2));
  bench.push_and_run(Bench::write_of(0x3000, 64, 3));
  ASSERT_EQ(bench.done.size(), 1U);
  EXPECT_EQ(bench.done[0].tag, 3U);
}

TEST(PcieFunctionDma, AnErrorCompletionEndsTheRead) {
  for (const CplStatus status : {CplStatus::UR, CplStatus::CA}) {
    Bench bench;
    bench.root.holds = [](const Tlp&) { return true; };
    bench.push_and_run(Bench::read_of(0x1000, 64));
    bench.root.fail(bench.root.held.at(0), status);
    bench.run();
    EXPECT_EQ(bench.statuses(), std::vector{DmaStatus::aborted});
    EXPECT_TRUE(bench.done[0].data.empty());
    bench.expect_quiet();
  }
}

TEST(PcieFunctionDma, OneFailedPartFailsTheAccessOnceAllHaveEnded) {
  Bench bench;
  bench.set_device_control(0, 0, true);
  bench.root.holds = [](const Tlp&) { return true; };
  bench.push_and_run(Bench::read_of(0x1000, 384));
  ASSERT_EQ(bench.root.held.size(), 3U);
  bench.root.complete(bench.root.held[0]);
  bench.root.fail(bench.root.held[1], CplStatus::CA);
  bench.run();
  EXPECT_TRUE(bench.done.empty());
  bench.root.complete(bench.root.held[2]);
  bench.run();
  EXPECT_EQ(bench.statuses(), std::vector{DmaStatus::aborted});
  bench.expect_quiet();
}

TEST(PcieFunctionDma, AnAtomicOpIsOneRequestWithOneCompletion) {
  Bench bench;
  bench.enable_atomics();
  DmaWork swap = Bench::write_of(0x1008, 8, 3);
  swap.atomic = true;
  bench.push_and_run(swap);
  const std::vector<Tlp> swaps = bench.root.of(TlpType::Swap);
  ASSERT_EQ(swaps.size(), 1U);
  EXPECT_EQ(swaps[0].length_dw, 2U);
  EXPECT_EQ(bench.done.at(0).data, bytes_from(0x1008, 8));
}

/// The data of a compare-and-swap are two operands, and one comes back.
TEST(PcieFunctionDma, EveryAtomicOpCarriesItsOperands) {
  struct Row {
    AtomicOp op;
    std::uint32_t size;
    TlpType type;
    unsigned length_dw;
  };
  constexpr Row rows[] = {
      {AtomicOp::swap, 4, TlpType::Swap, 1},
      {AtomicOp::fetch_add, 4, TlpType::FetchAdd, 1},
      {AtomicOp::fetch_add, 8, TlpType::FetchAdd, 2},
      {AtomicOp::compare_and_swap, 4, TlpType::CAS, 2},
      {AtomicOp::compare_and_swap, 8, TlpType::CAS, 4},
      {AtomicOp::compare_and_swap, 16, TlpType::CAS, 8},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(testing::Message() << name_of(row.type) << " " << row.size);
    Bench bench;
    bench.enable_atomics();
    DmaWork work = Bench::write_of(0x1010, row.size);
    work.atomic = true;
    work.atomic_op = row.op;
    std::vector<unsigned char> operands(work.data_bytes());
    fill_pattern(9, operands);
    ASSERT_TRUE(bench.function.push(work, operands));
    bench.run();
    const std::vector<Tlp> sent = bench.root.of(row.type);
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(sent[0].length_dw, row.length_dw);
    EXPECT_EQ(sent[0].data, operands);
    EXPECT_EQ(judge(sent[0], {}), TlpFault::none);
    EXPECT_EQ(bench.done.at(0).data, bytes_from(0x1010, row.size));
    EXPECT_THROW(bench.function.push(work, std::span(operands).first(row.size / 2)), std::invalid_argument);
    bench.expect_quiet();
  }
}

// --- What is not switched on -----------------------------------------------------------------------------------------

TEST(PcieFunctionRefuses, EverythingWithoutBusMaster) {
  Bench bench;
  bench.write(0x04, 2, 2);
  bench.push_and_run(Bench::write_of(0x1000, 64));
  EXPECT_EQ(bench.statuses(), std::vector{DmaStatus::refused});
  EXPECT_TRUE(bench.root.came.empty());
  bench.expect_quiet();
}

TEST(PcieFunctionRefuses, PasidsThatAreNotEnabledOrTooWide) {
  Bench bench;
  bench.push_and_run(Bench::with_pasid(Bench::read_of(0x1000, 64), 1));
  bench.enable_pasid();
  bench.push_and_run(Bench::with_pasid(Bench::read_of(0x1000, 64), 0x10000));
  bench.push_and_run(Bench::with_pasid(Bench::read_of(0x1000, 64), 0xffff));
  EXPECT_EQ(bench.statuses(), (std::vector{DmaStatus::refused, DmaStatus::refused, DmaStatus::ok}));
  ASSERT_EQ(bench.root.came.size(), 1U);
  EXPECT_TRUE(bench.root.came[0].pasid.present);
  EXPECT_EQ(bench.root.came[0].pasid.pasid, 0xffffU);
}

TEST(PcieFunctionRefuses, AnAccessBeyondTheLastAddress) {
  Bench bench;
  bench.push_and_run(Bench::read_of(~std::uint64_t{0} - 7, 9));
  bench.push_and_run(Bench::read_of(~std::uint64_t{0} - 7, 8));
  EXPECT_EQ(bench.statuses(), (std::vector{DmaStatus::refused, DmaStatus::ok}));
}

TEST(PcieFunctionRefuses, AtomicOpsOfOtherSizesOrUnaligned) {
  for (const auto& [address, size] : {std::pair{0x1000U, 2U}, {0x1000U, 16U}, {0x1004U, 8U}}) {
    Bench bench;
    bench.enable_atomics();
    DmaWork swap = Bench::write_of(address, size);
    swap.atomic = true;
    bench.push_and_run(swap);
    EXPECT_EQ(bench.statuses(), std::vector{DmaStatus::refused}) << address << " " << size;
  }
}

TEST(PcieFunctionRefuses, AtomicOpsThatAreNotEnabled) {
  Bench bench;
  DmaWork swap = Bench::write_of(0x1000, 8);
  swap.atomic = true;
  bench.push_and_run(swap);
  bench.enable_atomics();
  bench.push_and_run(swap);
  EXPECT_EQ(bench.statuses(), (std::vector{DmaStatus::refused, DmaStatus::ok}));
}

TEST(PcieFunctionPrefix, HasOnlyWhatSoftwareAllows) {
  Bench bench;
  DmaWork work = Bench::with_pasid(Bench::read_of(0x1000, 64), 5);
  work.privileged = work.instruction = true;
  for (const unsigned control : {1U, 3U, 5U, 7U}) {  // Enable, Execute, Privileged
    bench.write_capability(0x1b, true, cap::pasid_control, control, 2);
    bench.push_and_run(work);
    EXPECT_EQ(bench.root.came.back().pasid.execute, (control & 2) != 0);
    EXPECT_EQ(bench.root.came.back().pasid.privileged, (control & 4) != 0);
  }
}

}  // namespace
}  // namespace smmusim::platform
