// SPDX-License-Identifier: MIT
// The messages of ATS and PRI and the entries of Translation Completions: where each field lies, and back.
#include <gtest/gtest.h>

#include <array>

#include "platform/pcie/messages.h"

namespace smmusim::platform {
namespace {

struct RangeRow {
  std::uint64_t bits;
  std::uint64_t address;
  unsigned span_bits;
};

constexpr RangeRow range_rows[] = {
    {0x0000'0000'0000'0000, 0, 12},
    {0x0000'7654'3210'f000, 0x0000'7654'3210'f000, 12},
    {0x0000'7654'3210'e800, 0x0000'7654'3210'e000, 13},
    {0x0000'0000'0000'7800, 0, 16},
    {0x0000'0000'dead'7800, 0x0000'0000'dead'0000, 16},
    {0x0000'0000'400f'f800, 0x0000'0000'4000'0000, 21},
    {0x3fff'ffff'ffff'f800, 0, 63},
    {0xbfff'ffff'ffff'f800, 0x8000'0000'0000'0000, 63},
    {0x7fff'ffff'ffff'f800, 0, 64},
};

TEST(AtsRange, SizesLieInTheAddress) {
  for (const RangeRow& row : range_rows) {
    SCOPED_TRACE(testing::Message() << std::hex << row.bits);
    EXPECT_EQ((AtsRange{row.address, row.span_bits}.encode()), row.bits);
    EXPECT_EQ(AtsRange::decode(row.bits), (AtsRange{row.address, row.span_bits}));
  }
}

TEST(AtsRange, AnAddressInsideTheRangeNamesItToo) {
  EXPECT_EQ((AtsRange{0x4012'3456, 21}.encode()), (AtsRange{0x4000'0000, 21}.encode()));
}

TEST(AtsRange, AllOnesIsEverything) {
  EXPECT_EQ(AtsRange::decode(0xffff'ffff'ffff'f800), (AtsRange{0, 64}));
}

TEST(TranslationEntry, EveryFlagHasItsBit) {
  struct Row {
    bool TranslationEntry::*flag;
    unsigned bit;
  };
  constexpr Row rows[] = {
      {&TranslationEntry::read, 0},    {&TranslationEntry::write, 1},       {&TranslationEntry::untranslated_only, 2},
      {&TranslationEntry::execute, 3}, {&TranslationEntry::privileged, 4},  {&TranslationEntry::global, 5},
      {&TranslationEntry::cxl_io, 9},  {&TranslationEntry::non_snooped, 10}};
  for (const Row& row : rows) {
    TranslationEntry entry;
    entry.range.address = 0x1234'5000;
    entry.*row.flag = true;
    EXPECT_EQ(entry.encode(), 0x1234'5000U | std::uint64_t{1} << row.bit) << row.bit;
    EXPECT_EQ(TranslationEntry::decode(entry.encode()), entry) << row.bit;
  }
}

TEST(TranslationEntry, ACompletionHoldsThemBigEndian) {
  std::array<TranslationEntry, 2> entries;
  entries[0].range = {0x0000'4321'0000'0000, 12};
  entries[0].read = true;
  entries[1].range = {0x8000, 13};
  entries[1].write = true;
  Tlp tlp;
  put(tlp, entries);
  EXPECT_EQ(tlp.type, TlpType::CplD);
  EXPECT_EQ(tlp.length_dw, 4);
  EXPECT_EQ(tlp.data, (std::vector<unsigned char>{0, 0, 0x43, 0x21, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0x88, 2}));
  ASSERT_EQ(translation_entries(tlp), 2U);
  EXPECT_EQ(translation_entry(tlp, 0), entries[0]);
  EXPECT_EQ(translation_entry(tlp, 1), entries[1]);
}

TEST(TranslationEntry, HalfAnEntryIsNone) {
  Tlp tlp;
  tlp.data.resize(12);
  EXPECT_EQ(translation_entries(tlp), 1U);
}

TEST(AtsMessages, InvalidateRequest) {
  Tlp tlp;
  put(tlp, InvalidateRequest{.requester_id = 0x0010,
                             .target_id = 0x0123,
                             .itag = 21,
                             .pasid = {.present = true, .pasid = 0x54321},
                             .range = {0x0000'0000'4000'0000, 21},
                             .global = true});
  EXPECT_EQ(tlp.type, TlpType::MsgD);
  EXPECT_EQ(tlp.message, MessageCode::Invalidate_Request);
  EXPECT_EQ(tlp.length_dw, 2);
  EXPECT_EQ(tlp.tag, 21);
  EXPECT_EQ(tlp.body, 0U);
  EXPECT_EQ(tlp.data, (std::vector<unsigned char>{0, 0, 0, 0, 0x40, 0x0f, 0xf8, 0x01}));
  const InvalidateRequest back = invalidate_request(tlp);
  EXPECT_EQ(back.requester_id, 0x0010);
  EXPECT_EQ(back.target_id, 0x0123);
  EXPECT_EQ(back.itag, 21U);
  EXPECT_TRUE(back.pasid.present);
  EXPECT_EQ(back.pasid.pasid, 0x54321U);
  EXPECT_EQ(back.range, (AtsRange{0x4000'0000, 21}));
  EXPECT_TRUE(back.global);
}

TEST(AtsMessages, InvalidateCompletion) {
  for (unsigned count = 1; count != 9; ++count) {
    Tlp tlp;
    put(tlp, InvalidateCompletion{.requester_id = 0x0123, .target_id = 0x0010, .itags = 0x8020'0001, .count = count});
    EXPECT_EQ(tlp.type, TlpType::Msg);
    EXPECT_EQ(tlp.message, MessageCode::Invalidate_Completion);
    EXPECT_EQ(tlp.body, std::uint64_t{count % 8} << 32 | 0x8020'0001);
    const InvalidateCompletion back = invalidate_completion(tlp);
    EXPECT_EQ(back.requester_id, 0x0123);
    EXPECT_EQ(back.target_id, 0x0010);
    EXPECT_EQ(back.itags, 0x8020'0001U);
    EXPECT_EQ(back.count, count);
  }
}

TEST(PriMessages, PageRequest) {
  struct Row {
    bool last, write, read;
    std::uint64_t bits;
  };
  for (const Row& row : {Row{true, false, false, 4}, Row{false, true, false, 2}, Row{false, false, true, 1}}) {
    Tlp tlp;
    put(tlp, PageRequestMessage{.requester_id = 0x0123,
                                .pasid = {.present = true, .pasid = 7, .privileged = true, .execute = true},
                                .address = 0xffff'0000'1234'5678,
                                .group = 0x155,
                                .last = row.last,
                                .write = row.write,
                                .read = row.read});
    EXPECT_EQ(tlp.type, TlpType::Msg);
    EXPECT_EQ(tlp.message, MessageCode::Page_Request);
    EXPECT_EQ(tlp.body, 0xffff'0000'1234'5000 | 0x155 << 3 | row.bits);
    const PageRequestMessage back = page_request(tlp);
    EXPECT_EQ(back.requester_id, 0x0123);
    EXPECT_TRUE(back.pasid.present && back.pasid.privileged && back.pasid.execute);
    EXPECT_EQ(back.address, 0xffff'0000'1234'5000U);
    EXPECT_EQ(back.group, 0x155U);
    EXPECT_EQ(back.last, row.last);
    EXPECT_EQ(back.write, row.write);
    EXPECT_EQ(back.read, row.read);
  }
}

TEST(PriMessages, PrgResponse) {
  for (const unsigned code : {0U, 1U, 15U}) {
    Tlp tlp;
    put(tlp, PrgResponse{.requester_id = 0x0010, .target_id = 0x0123, .pasid = {}, .group = 0x1ff, .code = code});
    EXPECT_EQ(tlp.type, TlpType::Msg);
    EXPECT_EQ(tlp.message, MessageCode::PRG_Response);
    EXPECT_EQ(tlp.body, (std::uint64_t{code} << 12 | 0x1ff) << 32);
    const PrgResponse back = prg_response(tlp);
    EXPECT_EQ(back.target_id, 0x0123);
    EXPECT_FALSE(back.pasid.present);
    EXPECT_EQ(back.group, 0x1ffU);
    EXPECT_EQ(back.code, code);
  }
}

}  // namespace
}  // namespace smmusim::platform
