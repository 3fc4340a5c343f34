// SPDX-License-Identifier: MIT
// decode(): the right table is chosen, values and meanings are right, set reserved bits are listed, and a wrong number
// of words is refused.
#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include "model/spec/decode.h"

namespace smmusim::spec {
namespace {

using Words64 = std::vector<std::uint64_t>;

const DecodedField& field(const Decoded& decoded, std::string_view name) {
  const auto found = std::ranges::find(decoded.fields, name, &DecodedField::name);
  if (found == decoded.fields.end()) throw std::runtime_error("no field " + std::string(name));
  return *found;
}

TEST(SpecDecode, EveryKindHasANameAndASize) {
  const std::pair<const char*, std::size_t> kinds[] = {
      {"ste", 8},    {"cd", 8},   {"l1std", 1}, {"l1cd", 1}, {"command", 2}, {"event", 4}, {"pri", 2},  {"pte-s1", 1},
      {"pte-s2", 1}, {"idr0", 1}, {"idr1", 1},  {"idr2", 1}, {"idr3", 1},    {"idr4", 1},  {"idr5", 1}, {"idr6", 1}};
  ASSERT_EQ(kind_names().size(), std::size(kinds));
  for (const auto& [name, size] : kinds) {
    const std::optional<Kind> kind = kind_from(name);
    ASSERT_TRUE(kind.has_value()) << name;
    EXPECT_EQ(words_of(*kind), size) << name;
    EXPECT_FALSE(decode(*kind, Words64(size)).name.empty()) << name;
  }
  EXPECT_FALSE(kind_from("STE").has_value());
  EXPECT_FALSE(kind_from("").has_value());
}

TEST(SpecDecode, Ste) {
  const Decoded ste = decode(Kind::ste, Words64{0x500000012345602B, 0x00001000980800D6, 0, 0, 0, 0, 0, 0});
  EXPECT_EQ(ste.name, "STE");
  EXPECT_EQ(field(ste, "V").meaning, "valid");
  EXPECT_EQ(field(ste, "Config").value, 5U);
  EXPECT_EQ(field(ste, "Config").meaning, "stage1");
  EXPECT_EQ(field(ste, "S1ContextPtr").value, 0x123456000U);
  EXPECT_EQ(field(ste, "S1ContextPtr").hi, 55U);
  EXPECT_EQ(field(ste, "S1ContextPtr").lo, 6U);
  EXPECT_EQ(field(ste, "S1CDMax").meaning, "");
  EXPECT_EQ(field(ste, "STRW").meaning, "EL2");
  EXPECT_TRUE(ste.reserved_bits_set.empty());
}

TEST(SpecDecode, ReservedBitsAreListedByPosition) {
  const Decoded ste = decode(Kind::ste, Words64{1ULL << 56, 1ULL << 41, 0, 1ULL << 63, 0, 0, 8, 0});
  EXPECT_EQ(ste.reserved_bits_set, (std::vector<unsigned>{56, 64 + 41, 255, 384 + 3}));
}

TEST(SpecDecode, Cd) {
  const Decoded cd = decode(Kind::cd, Words64{0x1234E205C0003510, 0x48656000, 0, 0, 0, 0, 0, 0});
  EXPECT_EQ(field(cd, "ASID").value, 0x1234U);
  EXPECT_EQ(field(cd, "IPS").meaning, "48bit");
  EXPECT_EQ(field(cd, "TG1").meaning, "reserved");
  EXPECT_EQ(field(cd, "TTB0").value, 0x48656000U);
}

TEST(SpecDecode, ACommandHasOnlyItsOwnFields) {
  const Decoded sync = decode(Kind::command, Words64{0x0000CAFE0FC01046, 0x8090044});
  EXPECT_EQ(sync.name, "CMD_SYNC");
  EXPECT_EQ(field(sync, "MSIAddress").value, 0x8090044U);
  EXPECT_EQ(field(sync, "CS").meaning, "IRQ");
  EXPECT_THROW(field(sync, "StreamID"), std::runtime_error);
  EXPECT_TRUE(sync.reserved_bits_set.empty());
}

TEST(SpecDecode, CfgiAllIsTheRangeOf31) {
  EXPECT_EQ(decode(Kind::command, Words64{4, 31}).name, "CMD_CFGI_ALL");
  EXPECT_EQ(decode(Kind::command, Words64{4, 30}).name, "CMD_CFGI_STE_RANGE");
}

TEST(SpecDecode, ACommandsForeignFieldsAreReserved) {
  EXPECT_EQ(decode(Kind::command, Words64{0x30 | 1ULL << 32, 2}).reserved_bits_set, (std::vector<unsigned>{32, 65}));
}

TEST(SpecDecode, UnknownCommandsAndEventsAreNamedAsSuch) {
  EXPECT_EQ(decode(Kind::command, Words64{0x85, ~0ULL}).name, "IMPLEMENTATION DEFINED");
  EXPECT_EQ(decode(Kind::command, Words64{0x00, ~0ULL}).name, "reserved");
  EXPECT_TRUE(decode(Kind::command, Words64{0x00, ~0ULL}).reserved_bits_set.empty());
  EXPECT_EQ(decode(Kind::event, Words64{0xE1, 0, 0, 0}).name, "IMPLEMENTATION DEFINED");
  EXPECT_EQ(decode(Kind::event, Words64{0x14, 0, 0, 0}).name, "reserved");
}

TEST(SpecDecode, Event) {
  const Decoded event =
      decode(Kind::event, Words64{0x0000001800005810, 0x0000028A8000ABCD, 0xFFFF000012345678, 0xABCDEF123000});
  EXPECT_EQ(event.name, "F_TRANSLATION");
  EXPECT_EQ(field(event, "StreamID").value, 0x18U);
  EXPECT_EQ(field(event, "CLASS").meaning, "IN");
  EXPECT_EQ(field(event, "RnW").meaning, "read");
  EXPECT_EQ(field(event, "InputAddr").value, 0xFFFF000012345678U);
  EXPECT_EQ(field(event, "IPA").value, 0xABCDEF123000U);
  EXPECT_TRUE(event.reserved_bits_set.empty());
}

TEST(SpecDecode, DescriptorsAreNamedByTheirType) {
  const std::pair<std::uint64_t, const char*> rows[] = {
      {0x0, "invalid"}, {0x2, "invalid"}, {0x40000701, "block"}, {0x48657003, "page or table"}};
  for (const auto& [word, name] : rows) {
    EXPECT_EQ(decode(Kind::pte_s1, Words64{word}).name, std::string("stage-1 ") + name);
    EXPECT_EQ(decode(Kind::pte_s2, Words64{word}).name, std::string("stage-2 ") + name);
  }
}

TEST(SpecDecode, AStage1DescriptorOfType3ListsPageAndTableFields) {
  const Decoded page = decode(Kind::pte_s1, Words64{0x8050123456789FC7});
  EXPECT_EQ(field(page, "OutputAddress").value, 0x123456789000U);
  EXPECT_EQ(field(page, "NextLevelTable").value, 0x123456789000U);
  EXPECT_EQ(field(page, "AttrIndx").value, 1U);
  EXPECT_EQ(field(page, "AP").meaning, "RO-all");
  EXPECT_EQ(field(page, "NSTable").value, 1U);
  EXPECT_EQ(std::ranges::count(page.fields, "Valid", &DecodedField::name), 1);
}

TEST(SpecDecode, AnInvalidDescriptorsContentIsIgnored) {
  const Decoded invalid = decode(Kind::pte_s1, Words64{0xFFFFFFFFFFFFFFFE});
  EXPECT_EQ(invalid.fields.size(), 1U);
  EXPECT_TRUE(invalid.reserved_bits_set.empty());
}

TEST(SpecDecode, IdRegister) {
  const Decoded idr0 = decode(Kind::idr0, Words64{0x0D44101A | 1U << 29});
  EXPECT_EQ(idr0.name, "SMMU_IDR0");
  EXPECT_EQ(field(idr0, "TTENDIAN").meaning, "little");
  EXPECT_EQ(field(idr0, "ST_LEVEL").meaning, "linear+two-level");
  EXPECT_EQ(idr0.reserved_bits_set, (std::vector<unsigned>{29}));
}

TEST(SpecDecode, AWrongNumberOfWordsIsRefusedWithTheRightOne) {
  try {
    decode(Kind::ste, Words64{1, 2, 3});
    FAIL() << "accepted";
  } catch (const std::invalid_argument& error) {
    EXPECT_STREQ(error.what(), "3 words given for ste; it has 8 words of 64 bits");
  }
  EXPECT_THROW(decode(Kind::command, Words64{}), std::invalid_argument);
  EXPECT_THROW(decode(Kind::idr5, Words64{0x100000000}), std::invalid_argument);
}

TEST(SpecDecode, MeaningOfAValue) {
  EXPECT_EQ(meaning_of("0=abort 4=bypass", 4), "bypass");
  EXPECT_EQ(meaning_of("0=abort 4=bypass", 1), "reserved");
  EXPECT_EQ(meaning_of("1=a 11=b", 11), "b");
  EXPECT_EQ(meaning_of("", 3), "");
}

}  // namespace
}  // namespace smmusim::spec
