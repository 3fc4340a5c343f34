// SPDX-License-Identifier: MIT
// Completions by themselves: which bytes a request is about, where its data is cut, and what a CplD says it brings.
#include <gtest/gtest.h>

#include <numeric>
#include <tuple>
#include <utility>
#include <vector>

#include "platform/pcie/completion.h"

namespace smmusim::platform {
namespace {

Tlp read_of(std::uint64_t address, std::uint32_t size) {
  Tlp tlp;
  const auto before = static_cast<std::uint32_t>(address % 4);
  const std::uint32_t end = before + size;
  tlp.address = address - before;
  tlp.length_dw = static_cast<std::uint16_t>((end + 3) / 4);
  const unsigned head = 0xfU << before & 0xfU, tail = 0xfU >> ((4 - end % 4) % 4);
  tlp.first_be = static_cast<std::uint8_t>(tlp.length_dw == 1 ? head & tail : head);
  tlp.last_be = static_cast<std::uint8_t>(tlp.length_dw == 1 ? 0 : tail);
  tlp.requester_id = 0x0108;
  tlp.tag = 77;
  return tlp;
}

struct EnabledRow {
  unsigned length_dw, first_be, last_be;
  std::uint64_t offset;
  std::uint32_t size;
};

TEST(PcieCompletion, ARequestIsAboutFirstToLastEnabledByte) {
  constexpr EnabledRow rows[] = {
      {1, 0x0, 0x0, 0, 1}, {1, 0x1, 0x0, 0, 1}, {1, 0x8, 0x0, 3, 1}, {1, 0x6, 0x0, 1, 2},       {1, 0x9, 0x0, 0, 4},
      {1, 0xa, 0x0, 1, 3}, {2, 0x8, 0x1, 3, 2}, {2, 0x2, 0x4, 1, 6}, {1024, 0xf, 0xf, 0, 4096},
  };
  for (const EnabledRow& row : rows) {
    Tlp tlp;
    tlp.address = 0x1000;
    tlp.length_dw = static_cast<std::uint16_t>(row.length_dw);
    tlp.first_be = static_cast<std::uint8_t>(row.first_be);
    tlp.last_be = static_cast<std::uint8_t>(row.last_be);
    EXPECT_EQ(bytes_of(tlp).address, 0x1000 + row.offset) << row.length_dw << " " << row.first_be;
    EXPECT_EQ(bytes_of(tlp).size, row.size) << row.length_dw << " " << row.first_be;
    EXPECT_EQ(enables_nothing(tlp), row.first_be == 0);
  }
}

/// Every address in a boundary's worth, many sizes: the parts are the whole, each ends at a boundary but the last, and
/// every field says what it brings.
TEST(PcieCompletion, PartsEndAtBoundariesAndAreTheWhole) {
  TlpPool pool;
  for (const CompletionLimits limits : {CompletionLimits{64, 64}, {128, 64}, {128, 128}, {256, 64}, {4096, 128}}) {
    for (std::uint64_t address = 0x2000; address != 0x2081; address += 1) {
      for (const std::uint32_t size : {1U, 3U, 64U, 65U, 255U, 512U, 1000U}) {
        std::vector<unsigned char> data(size), whole;
        std::iota(data.begin(), data.end(), static_cast<unsigned char>(address));
        const Tlp request = read_of(address, size);
        for (CompletionSplitter splitter(request, 2, limits); !splitter.done();) {
          Tlp& tlp = splitter.next(pool, data);
          const CompletionPart part = part_of(tlp);
          const std::uint64_t at = address + whole.size();
          ASSERT_GT(part.size, 0U);
          ASSERT_LE(tlp.payload_bytes(), limits.payload_bytes);
          ASSERT_EQ(tlp.byte_count, size - whole.size());
          ASSERT_EQ(tlp.lower_address, at & 0x7f);
          ASSERT_EQ(tlp.tag, request.tag);
          ASSERT_EQ(tlp.requester_id, request.requester_id);
          ASSERT_TRUE(splitter.done() || (at + part.size) % limits.rcb_bytes == 0);
          const auto from = tlp.data.begin() + part.skip;
          whole.insert(whole.end(), from, from + part.size);
          pool.give(tlp);
        }
        ASSERT_EQ(whole, data) << std::hex << address << " size " << size;
      }
    }
  }
  EXPECT_EQ(pool.out(), 0U);
}

TEST(PcieCompletion, AnAtomicOpHasOneWithTheOldValue) {
  for (const auto& [type, length_dw, bytes] :
       {std::tuple{TlpType::Swap, 2U, 8U}, {TlpType::FetchAdd, 1U, 4U}, {TlpType::CAS, 8U, 16U}}) {
    TlpPool pool;
    Tlp request;
    request.type = type;
    request.address = 0x203c;
    request.length_dw = static_cast<std::uint16_t>(length_dw);
    request.first_be = request.last_be = 0xf;
    if (length_dw == 1) request.last_be = 0;
    CompletionSplitter splitter(request, 2, {64, 64});
    const std::vector<unsigned char> data(32, 0x33);
    const Tlp& tlp = splitter.next(pool, data);
    EXPECT_TRUE(splitter.done());
    EXPECT_EQ(tlp.byte_count, bytes);
    EXPECT_EQ(tlp.payload_bytes(), bytes);
    EXPECT_EQ(tlp.lower_address, 0U);
  }
}

TEST(PcieCompletion, AnErrorSaysHowMuchIsMissing) {
  TlpPool pool;
  const Tlp& refused = error_completion(pool, read_of(0x1001, 70), 2, CplStatus::UR);
  EXPECT_EQ(refused.type, TlpType::Cpl);
  EXPECT_EQ(refused.status, CplStatus::UR);
  EXPECT_EQ(refused.byte_count, 70U);
  EXPECT_EQ(refused.payload_bytes(), 0U);
  Tlp translation = read_of(0x1000, 8);
  translation.at = AddressType::translation_request;
  EXPECT_EQ(error_completion(pool, translation, 2, CplStatus::CA).byte_count, 8U);
}

TEST(PcieCompletion, WhatContradictsItselfBringsNothing) {
  Tlp tlp;
  tlp.type = TlpType::CplD;
  tlp.length_dw = 2;
  tlp.byte_count = 8;
  tlp.data.assign(8, 0);
  EXPECT_EQ(part_of(tlp).size, 8U);
  tlp.lower_address = 3;
  EXPECT_EQ(part_of(tlp).size, 5U);
  EXPECT_EQ(part_of(tlp).skip, 3U);
  tlp.byte_count = 2;
  EXPECT_EQ(part_of(tlp).size, 2U);
  tlp.data.resize(4);
  EXPECT_EQ(part_of(tlp).size, 0U) << "the data are not as long as Length says";
  tlp.data.clear();
  tlp.length_dw = 0;
  EXPECT_EQ(part_of(tlp).size, 0U) << "no data";
}

}  // namespace
}  // namespace smmusim::platform
