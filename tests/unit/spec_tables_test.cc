// SPDX-License-Identifier: MIT
// The field tables of model/spec as tables: rows lie within their structure, do not overlap, have meanings that
// decode can read, and read back what is written to them alone.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "model/spec/cd.h"
#include "model/spec/command_table.h"
#include "model/spec/decode.h"
#include "model/spec/descriptors.h"
#include "model/spec/event_table.h"
#include "model/spec/l1.h"
#include "model/spec/pri.h"
#include "model/spec/register_table.h"
#include "model/spec/rows.h"
#include "model/spec/ste.h"

namespace smmusim::spec {
namespace {

struct Table {
  std::string name;
  unsigned bits;
  std::span<const FieldRow> rows;
};

std::vector<Table> all_tables() {
  std::vector<Table> tables = {
      {"STE", 512, ste_fields},       {"CD", 512, cd_fields},         {"L1STD", 64, l1std_fields},
      {"L1CD", 64, l1cd_fields},      {"PRI", 128, pri_fields},       {"S1Table", 64, s1_table_fields},
      {"S1Leaf", 64, s1_leaf_fields}, {"S2Leaf", 64, s2_leaf_fields}, {"GATOS_PAR fault", 64, gatos_par_fault_fields}};
  for (const CommandInfo& info : command_table) tables.push_back({std::string(info.name), 128, info.fields});
  for (const EventInfo& info : event_table) tables.push_back({std::string(info.name), 256, info.fields});
  for (const RegisterRow& row : register_table) tables.push_back({std::string(row.name), row.width_bits, row.fields});
  return tables;
}

/// Tables whose rows overlay rows of another table by intention.
std::vector<Table> overlay_tables() {
  return {{"CD of VMSAv9-128", 512, cd_overlay_fields}, {"descriptor overlays", 64, descriptor_overlay_fields}};
}

TEST(SpecTables, EveryRowLiesInsideItsStructureAndInOneDoubleword) {
  std::vector<Table> tables = all_tables();
  for (const Table& table : overlay_tables()) tables.push_back(table);
  for (const Table& table : tables) {
    for (const FieldRow& row : table.rows) {
      EXPECT_LE(row.lo, row.hi) << table.name << "." << row.name;
      EXPECT_LT(row.hi, table.bits) << table.name << "." << row.name;
      EXPECT_EQ(row.lo / 64, row.hi / 64) << table.name << "." << row.name;
      EXPECT_FALSE(row.name.empty()) << table.name;
    }
  }
}

TEST(SpecTables, RowsOfOneStructureDoNotOverlap) {
  for (const Table& table : all_tables()) {
    std::map<unsigned, std::string_view> owner;
    for (const FieldRow& row : table.rows) {
      for (unsigned bit = row.lo; bit <= row.hi; ++bit) {
        const auto [place, is_new] = owner.emplace(bit, row.name);
        EXPECT_TRUE(is_new) << table.name << " bit " << bit << ": " << row.name << " and " << place->second;
      }
    }
  }
}

TEST(SpecTables, NamesOfOneStructureAreUnique) {
  for (const Table& table : all_tables()) {
    std::set<std::string_view> names;
    for (const FieldRow& row : table.rows) EXPECT_TRUE(names.insert(row.name).second) << table.name << "." << row.name;
  }
}

TEST(SpecTables, EveryCdOverlayRowCoversOnlyBitsThatCdRowsDefine) {
  for (const FieldRow& overlay : cd_overlay_fields) {
    EXPECT_EQ(mask_of(overlay) & reserved_of(cd_fields, word_of(overlay)), 0U) << overlay.name;
  }
}

TEST(SpecTables, ARowWrittenAloneReadsBackAndTouchesNoOtherRow) {
  for (const Table& table : all_tables()) {
    for (const FieldRow& row : table.rows) {
      std::vector<std::uint64_t> words(table.bits < 64 ? 1 : table.bits / 64);
      words[word_of(row)] = mask_of(row);
      for (const FieldRow& other : table.rows) {
        const std::uint64_t expected = &other == &row ? low_mask(row.hi - row.lo + 1) : 0;
        EXPECT_EQ(raw_value(other, words), expected) << table.name << "." << row.name << " seen by " << other.name;
      }
    }
  }
}

TEST(SpecTables, MeaningsNameOnlyValuesThatFitTheField) {
  for (const Table& table : all_tables()) {
    for (const FieldRow& row : table.rows) {
      if (row.meaning.empty()) continue;
      std::size_t pairs = 0;
      for (const char c : row.meaning) pairs += c == '=' ? 1 : 0;
      std::size_t named = 0;
      ASSERT_LE(row.hi - row.lo, 7U) << table.name << "." << row.name;
      for (std::uint64_t value = 0; value <= low_mask(row.hi - row.lo + 1); ++value) {
        named += row.meaning.find(std::to_string(value) + "=") != std::string_view::npos ? 1 : 0;
        EXPECT_FALSE(meaning_of(row.meaning, value).empty());
      }
      EXPECT_GE(named, pairs) << table.name << "." << row.name;
    }
  }
}

TEST(SpecTables, CommandsAreSortedByOpcodeAndFound) {
  int last = -1;
  for (const CommandInfo& info : command_table) {
    const auto opcode = static_cast<std::uint8_t>(info.opcode);
    EXPECT_GT(opcode, last) << info.name;
    last = opcode;
    EXPECT_EQ(find_command(opcode), &info);
    EXPECT_TRUE(info.name.starts_with("CMD_")) << info.name;
  }
}

TEST(SpecTables, EventsAreSortedByNumberAndFound) {
  int last = -1;
  for (const EventInfo& info : event_table) {
    const auto number = static_cast<std::uint8_t>(info.type);
    EXPECT_GT(number, last) << info.name;
    last = number;
    EXPECT_EQ(find_event(number), &info);
  }
}

TEST(SpecTables, UnknownNumbersAreNotFound) {
  for (const unsigned opcode : {0x00U, 0x08U, 0x14U, 0x29U, 0x47U, 0x71U, 0x80U, 0xFFU}) {
    EXPECT_EQ(find_command(static_cast<std::uint8_t>(opcode)), nullptr) << opcode;
  }
  for (const unsigned number : {0x00U, 0x0CU, 0x14U, 0x22U, 0x26U, 0xE0U}) {
    EXPECT_EQ(find_event(static_cast<std::uint8_t>(number)), nullptr) << number;
  }
}

TEST(SpecTables, RegistersAreSortedAndDoNotOverlap) {
  std::uint32_t end = 0;
  for (const RegisterRow& row : register_table) {
    if (row.stride != 0) continue;  // the ECMDQ page registers interleave
    EXPECT_GE(row.offset, end) << row.name;
    EXPECT_EQ(row.offset % (row.width_bits / 8), 0U) << row.name;
    end = row.offset + row.width_bits / 8;
    EXPECT_LE(end, reg::frame_bytes) << row.name;
  }
}

TEST(SpecTables, ARegisterIsFoundByEitherHalfAndByName) {
  EXPECT_EQ(find_register(0x84U), find_register("SMMU_STRTAB_BASE"));
  EXPECT_EQ(find_register(0x100A8U), find_register("EVENTQ_PROD"));
  EXPECT_EQ(find_register(0x4000U + 32 * 255 + 0xC), find_register("CMDQ_CONTROL_PAGE_STATUS"));
  EXPECT_EQ(find_register(0x6000U), nullptr);
  EXPECT_EQ(find_register(0x38U), nullptr);
  EXPECT_EQ(find_register("CR9"), nullptr);
}

}  // namespace
}  // namespace smmusim::spec
