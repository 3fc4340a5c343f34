// SPDX-License-Identifier: MIT
// The reserved bits (RES0) of every structure, as masks written by hand from the specification's tables.
#include <gtest/gtest.h>

#include "model/spec/cd.h"
#include "model/spec/command_table.h"
#include "model/spec/event_table.h"
#include "model/spec/l1.h"
#include "model/spec/pri.h"
#include "model/spec/rows.h"
#include "model/spec/ste.h"

namespace smmusim::spec {
namespace {

struct Row {
  const char* what;
  std::span<const FieldRow> rows;
  unsigned word;
  std::uint64_t reserved;
};

void expect_reserved(std::span<const Row> rows) {
  for (const Row& row : rows) {
    EXPECT_EQ(reserved_of(row.rows, row.word), row.reserved) << row.what << " doubleword " << row.word;
  }
}

TEST(SpecReserved, Ste) {
  const Row rows[] = {
      {"STE", ste_fields, 0, 0x0700000000000000},
      {"STE", ste_fields, 1, 0x00000E0000000000},
      {"STE", ste_fields, 2, 0},
      {"STE", ste_fields, 3, 0x9F00000000000000},
      {"STE", ste_fields, 4, 0x00003F0000000000},
      {"STE", ste_fields, 5, 0xFF00000000000000},
      {"STE", ste_fields, 6, 0x9F00000000000008},
      {"STE", ste_fields, 7, 0},
  };
  expect_reserved(rows);
}

TEST(SpecReserved, Cd) {
  const Row rows[] = {
      {"CD", cd_fields, 0, 0},
      {"CD", cd_fields, 1, 0x0300000000000000},
      {"CD", cd_fields, 2, 0x0300000000000000},
      {"CD", cd_fields, 3, 0},
      {"CD", cd_fields, 4, 0},
      {"CD", cd_fields, 5, 0xFF00000000000000},
      {"CD", cd_fields, 6, 0xFFFF000000000000},
      {"CD", cd_fields, 7, 0xFFFF000000000000},
  };
  expect_reserved(rows);
}

TEST(SpecReserved, SmallStructures) {
  const Row rows[] = {
      {"L1STD", l1std_fields, 0, 0xFF00000000000020},
      {"L1CD", l1cd_fields, 0, 0xFF00000000000FFE},
      {"PRI", pri_fields, 0, 0x03F0000000000000},
      {"PRI", pri_fields, 1, 0x0000000000000E00},
  };
  expect_reserved(rows);
}

TEST(SpecReserved, Commands) {
  const auto of = [](Opcode opcode) { return find_command(static_cast<std::uint8_t>(opcode))->fields; };
  const Row rows[] = {
      {"CFGI_STE", of(Opcode::CMD_CFGI_STE), 0, ~0xFFFFFFFF000004FFU},
      {"CFGI_STE", of(Opcode::CMD_CFGI_STE), 1, ~0x1ULL},
      {"CFGI_ALL", of(Opcode::CMD_CFGI_ALL), 1, ~0x1FULL},
      {"CFGI_CD", of(Opcode::CMD_CFGI_CD), 0, ~0xFFFFFFFFFFFFF4FFU},
      {"PREFETCH_CONFIG", of(Opcode::CMD_PREFETCH_CONFIG), 0, ~0xFFFFFFFFFFFFFCFFU},
      {"TLBI_NH_ASID", of(Opcode::CMD_TLBI_NH_ASID), 0, ~0xFFFFFFFF000000FFU},
      {"TLBI_NH_VA", of(Opcode::CMD_TLBI_NH_VA), 0, ~0xFFFFFFFF01F1F0FFU},
      {"TLBI_NH_VA", of(Opcode::CMD_TLBI_NH_VA), 1, ~0xFFFFFFFFFFFFFF81U},
      {"TLBI_NSNH_ALL", of(Opcode::CMD_TLBI_NSNH_ALL), 0, ~0xFFULL},
      {"TLBI_NSNH_ALL", of(Opcode::CMD_TLBI_NSNH_ALL), 1, ~0ULL},
      {"SYNC", of(Opcode::CMD_SYNC), 0, ~0xFFFFFFFF0FC030FFU},
      {"SYNC", of(Opcode::CMD_SYNC), 1, ~0x00FFFFFFFFFFFFFCU},
      {"RESUME", of(Opcode::CMD_RESUME), 0, ~0xFFFFFFFF000034FFU},
      {"ATC_INV", of(Opcode::CMD_ATC_INV), 1, ~0xFFFFFFFFFFFFF03FU},
  };
  expect_reserved(rows);
}

TEST(SpecReserved, Events) {
  const auto of = [](EventType type) { return find_event(static_cast<std::uint8_t>(type))->fields; };
  const Row rows[] = {
      {"F_TRANSLATION", of(EventType::F_TRANSLATION), 0, 0x700},
      {"F_TRANSLATION", of(EventType::F_TRANSLATION), 1, ~0x000003CE8000FFFFU},
      {"F_TRANSLATION", of(EventType::F_TRANSLATION), 2, 0},
      {"F_TRANSLATION", of(EventType::F_TRANSLATION), 3, 0xFF00000000000FFF},
      {"F_PERMISSION", of(EventType::F_PERMISSION), 1, ~0x000013CE8000FFFFU},
      {"C_BAD_SUBSTREAMID", of(EventType::C_BAD_SUBSTREAMID), 0, 0xF00},
      {"C_BAD_STE", of(EventType::C_BAD_STE), 1, ~0ULL},
      {"F_STREAM_DISABLED", of(EventType::F_STREAM_DISABLED), 0, 0xFFFFFF00},
      {"F_STE_FETCH", of(EventType::F_STE_FETCH), 3, 0xFF00000000000007},
      {"F_BAD_ATS_TREQ", of(EventType::F_BAD_ATS_TREQ), 1, ~0xF000000FULL},
      {"E_PAGE_REQUEST", of(EventType::E_PAGE_REQUEST), 1, ~0x000FF0EE00000000U},
  };
  expect_reserved(rows);
}

}  // namespace
}  // namespace smmusim::spec
