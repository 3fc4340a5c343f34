// SPDX-License-Identifier: MIT
// Every named field of the STE, the CD and the control and ID registers against the positions in the field headings of
// IHI 0070 (sections 5.2, 5.4 and 6.3): completeness in both directions, so that no two fields can change places.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "model/spec/cd.h"
#include "model/spec/register_table.h"
#include "model/spec/ste.h"

namespace smmusim::spec {
namespace {

struct Position {
  const char* name;
  unsigned hi;
  unsigned lo;
};

constexpr Position ste_positions[] = {
    {"V", 0, 0},
    {"Config", 3, 1},
    {"S1Fmt", 5, 4},
    {"S1ContextPtr", 55, 6},
    {"S1CDMax", 63, 59},
    {"S1DSS", 65, 64},
    {"S1CIR", 67, 66},
    {"S1COR", 69, 68},
    {"S1CSH", 71, 70},
    {"S2HWU59", 72, 72},
    {"S2HWU60", 73, 73},
    {"S2HWU61", 74, 74},
    {"S2HWU62", 75, 75},
    {"DRE", 76, 76},
    {"CONT", 80, 77},
    {"DCP", 81, 81},
    {"PPAR", 82, 82},
    {"MEV", 83, 83},
    {"SW_RESERVED", 87, 84},
    {"S1PIE", 88, 88},
    {"S2FWB", 89, 89},
    {"S1MPAM", 90, 90},
    {"S1STALLD", 91, 91},
    {"EATS", 93, 92},
    {"STRW", 95, 94},
    {"MemAttr", 99, 96},
    {"MTCFG", 100, 100},
    {"ALLOCCFG", 104, 101},
    {"SHCFG", 109, 108},
    {"NSCFG", 111, 110},
    {"PRIVCFG", 113, 112},
    {"INSTCFG", 115, 114},
    {"IMPLEMENTATION_DEFINED[127:116]", 127, 116},
    {"S2VMID", 143, 128},
    {"IMPLEMENTATION_DEFINED[159:144]", 159, 144},
    {"S2T0SZ", 165, 160},
    {"S2SL0", 167, 166},
    {"S2IR0", 169, 168},
    {"S2OR0", 171, 170},
    {"S2SH0", 173, 172},
    {"S2TG", 175, 174},
    {"S2PS", 178, 176},
    {"S2AA64", 179, 179},
    {"S2ENDI", 180, 180},
    {"S2AFFD", 181, 181},
    {"S2PTW", 182, 182},
    {"S2HD", 183, 183},
    {"S2HA", 184, 184},
    {"S2S", 185, 185},
    {"S2R", 186, 186},
    {"S2HAFT", 187, 187},
    {"S2PIE", 188, 188},
    {"S2POE", 189, 189},
    {"DPT_VMATCH", 191, 190},
    {"S2NSW", 192, 192},
    {"S2NSA", 193, 193},
    {"S2SL0_2", 194, 194},
    {"S2DS", 195, 195},
    {"S2TTB", 247, 196},
    {"S2SKL", 254, 253},
    {"IMPLEMENTATION_DEFINED[271:256]", 271, 256},
    {"PARTID", 287, 272},
    {"S_S2T0SZ", 293, 288},
    {"S_S2SL0", 295, 294},
    {"S_S2TG", 303, 302},
    {"MECID", 319, 304},
    {"PMG", 327, 320},
    {"MPAM_NS", 328, 328},
    {"AssuredOnly", 329, 329},
    {"TL0", 330, 330},
    {"TL1", 331, 331},
    {"VMSPtr", 375, 332},
    {"S2SW", 384, 384},
    {"S2SA", 385, 385},
    {"S_S2SL0_2", 386, 386},
    {"S_S2TTB", 439, 388},
    {"S_S2SKL", 446, 445},
    {"S2POI<0..15>", 511, 448},
};

constexpr Position cd_positions[] = {
    {"T0SZ", 5, 0},
    {"TG0", 7, 6},
    {"IR0", 9, 8},
    {"OR0", 11, 10},
    {"SH0", 13, 12},
    {"EPD0", 14, 14},
    {"ENDI", 15, 15},
    {"T1SZ", 21, 16},
    {"TG1", 23, 22},
    {"IR1", 25, 24},
    {"OR1", 27, 26},
    {"SH1", 29, 28},
    {"EPD1", 30, 30},
    {"IPS", 34, 32},
    {"V", 31, 31},
    {"AFFD", 35, 35},
    {"WXN", 36, 36},
    {"UWXN", 37, 37},
    {"TBI0", 38, 38},
    {"TBI1", 39, 39},
    {"PAN", 40, 40},
    {"AA64", 41, 41},
    {"HD", 42, 42},
    {"HA", 43, 43},
    {"ASET", 47, 47},
    {"S", 44, 44},
    {"R", 45, 45},
    {"A", 46, 46},
    {"ASID", 63, 48},
    {"NSCFG0", 64, 64},
    {"HAD0", 65, 65},
    {"E0PD0", 66, 66},
    {"HAFT", 67, 67},
    {"TTB0", 119, 68},
    {"PnCH", 122, 122},
    {"EPAN", 123, 123},
    {"HWU059", 124, 124},
    {"HWU060", 125, 125},
    {"HWU061", 126, 126},
    {"HWU062", 127, 127},
    {"NSCFG1", 128, 128},
    {"HAD1", 129, 129},
    {"E0PD1", 130, 130},
    {"AIE", 131, 131},
    {"TTB1", 183, 132},
    {"DS", 186, 186},
    {"PIE", 187, 187},
    {"HWU159", 188, 188},
    {"HWU160", 189, 189},
    {"HWU161", 190, 190},
    {"HWU162", 191, 191},
    {"MAIR0", 223, 192},
    {"MAIR1", 255, 224},
    {"AMAIR0", 287, 256},
    {"AMAIR1", 319, 288},
    {"IMPLEMENTATION_DEFINED[351:320]", 351, 320},
    {"PARTID", 367, 352},
    {"PMG", 375, 368},
    {"PIIU<0..15>", 431, 384},
    {"PIIP<0..15>", 495, 448},
};

constexpr Position cd_overlay_positions[] = {
    {"DisCH0", 65, 65},
    {"SKL0", 127, 126},
    {"DisCH1", 129, 129},
    {"SKL1", 191, 190},
};

constexpr Position register_positions[] = {
    {"IDR0.RME_IMPL", 30, 30},
    {"IDR0.ST_LEVEL", 28, 27},
    {"IDR0.TERM_MODEL", 26, 26},
    {"IDR0.STALL_MODEL", 25, 24},
    {"IDR0.ATSRECERR", 23, 23},
    {"IDR0.TTENDIAN", 22, 21},
    {"IDR0.VATOS", 20, 20},
    {"IDR0.CD2L", 19, 19},
    {"IDR0.VMID16", 18, 18},
    {"IDR0.VMW", 17, 17},
    {"IDR0.PRI", 16, 16},
    {"IDR0.ATOS", 15, 15},
    {"IDR0.SEV", 14, 14},
    {"IDR0.MSI", 13, 13},
    {"IDR0.ASID16", 12, 12},
    {"IDR0.NS1ATS", 11, 11},
    {"IDR0.ATS", 10, 10},
    {"IDR0.Hyp", 9, 9},
    {"IDR0.DORMHINT", 8, 8},
    {"IDR0.HTTU", 7, 6},
    {"IDR0.BTM", 5, 5},
    {"IDR0.COHACC", 4, 4},
    {"IDR0.TTF", 3, 2},
    {"IDR0.S1P", 1, 1},
    {"IDR0.S2P", 0, 0},
    {"IDR1.ECMDQ", 31, 31},
    {"IDR1.TABLES_PRESET", 30, 30},
    {"IDR1.QUEUES_PRESET", 29, 29},
    {"IDR1.REL", 28, 28},
    {"IDR1.ATTR_TYPES_OVR", 27, 27},
    {"IDR1.ATTR_PERMS_OVR", 26, 26},
    {"IDR1.CMDQS", 25, 21},
    {"IDR1.EVENTQS", 20, 16},
    {"IDR1.PRIQS", 15, 11},
    {"IDR1.SSIDSIZE", 10, 6},
    {"IDR1.SIDSIZE", 5, 0},
    {"IDR2.BA_VATOS", 9, 0},
    {"IDR3.AIE", 23, 23},
    {"IDR3.MTEPERM", 22, 22},
    {"IDR3.THE", 21, 21},
    {"IDR3.S2PO", 20, 20},
    {"IDR3.S2PI", 19, 19},
    {"IDR3.S1PI", 18, 18},
    {"IDR3.EPAN", 17, 17},
    {"IDR3.PASIDTT", 16, 16},
    {"IDR3.DPT", 15, 15},
    {"IDR3.PTWNNC", 14, 14},
    {"IDR3.E0PD", 13, 13},
    {"IDR3.BBML", 12, 11},
    {"IDR3.RIL", 10, 10},
    {"IDR3.STT", 9, 9},
    {"IDR3.FWB", 8, 8},
    {"IDR3.MPAM", 7, 7},
    {"IDR3.PPS", 5, 5},
    {"IDR3.XNX", 4, 4},
    {"IDR3.PBHA", 3, 3},
    {"IDR3.HAD", 2, 2},
    {"IDR5.STALL_MAX", 31, 16},
    {"IDR5.VAX", 11, 10},
    {"IDR5.D128", 8, 8},
    {"IDR5.DS", 7, 7},
    {"IDR5.GRAN64K", 6, 6},
    {"IDR5.GRAN16K", 5, 5},
    {"IDR5.GRAN4K", 4, 4},
    {"IDR5.OAS", 2, 0},
    {"IIDR.ProductID", 31, 20},
    {"IIDR.Variant", 19, 16},
    {"IIDR.Revision", 15, 12},
    {"IIDR.Implementer", 11, 0},
    {"AIDR.ArchMajorRev", 7, 4},
    {"AIDR.ArchMinorRev", 3, 0},
    {"CR0.DPT_WALK_EN", 10, 10},
    {"CR0.VMW", 8, 6},
    {"CR0.ATSCHK", 4, 4},
    {"CR0.CMDQEN", 3, 3},
    {"CR0.EVENTQEN", 2, 2},
    {"CR0.PRIQEN", 1, 1},
    {"CR0.SMMUEN", 0, 0},
    {"CR1.TABLE_SH", 11, 10},
    {"CR1.TABLE_OC", 9, 8},
    {"CR1.TABLE_IC", 7, 6},
    {"CR1.QUEUE_SH", 5, 4},
    {"CR1.QUEUE_OC", 3, 2},
    {"CR1.QUEUE_IC", 1, 0},
    {"CR2.REC_CFG_ATS", 3, 3},
    {"CR2.PTM", 2, 2},
    {"CR2.RECINVSID", 1, 1},
    {"CR2.E2H", 0, 0},
    {"GBPA.Update", 31, 31},
    {"GBPA.ABORT", 20, 20},
    {"GBPA.INSTCFG", 19, 18},
    {"GBPA.PRIVCFG", 17, 16},
    {"GBPA.SHCFG", 13, 12},
    {"GBPA.ALLOCCFG", 11, 8},
    {"GBPA.MTCFG", 4, 4},
    {"GBPA.MemAttr", 3, 0},
    {"IRQ_CTRL.EVENTQ_IRQEN", 2, 2},
    {"IRQ_CTRL.PRIQ_IRQEN", 1, 1},
    {"IRQ_CTRL.GERROR_IRQEN", 0, 0},
    {"GERROR.DPT_ERR", 10, 10},
    {"GERROR.CMDQP_ERR", 9, 9},
    {"GERROR.SFM_ERR", 8, 8},
    {"GERROR.MSI_GERROR_ABT_ERR", 7, 7},
    {"GERROR.MSI_PRIQ_ABT_ERR", 6, 6},
    {"GERROR.MSI_EVENTQ_ABT_ERR", 5, 5},
    {"GERROR.MSI_CMDQ_ABT_ERR", 4, 4},
    {"GERROR.PRIQ_ABT_ERR", 3, 3},
    {"GERROR.EVENTQ_ABT_ERR", 2, 2},
    {"GERROR.CMDQ_ERR", 0, 0},
    {"STRTAB_BASE.RA", 62, 62},
    {"STRTAB_BASE.ADDR", 55, 6},
    {"STRTAB_BASE_CFG.FMT", 17, 16},
    {"STRTAB_BASE_CFG.SPLIT", 10, 6},
    {"STRTAB_BASE_CFG.LOG2SIZE", 5, 0},
    {"CMDQ_BASE.RA", 62, 62},
    {"CMDQ_BASE.ADDR", 55, 5},
    {"CMDQ_BASE.LOG2SIZE", 4, 0},
    {"CMDQ_CONS.ERR", 30, 24},
    {"CMDQ_CONS.RD", 19, 0},
    {"EVENTQ_BASE.WA", 62, 62},
    {"EVENTQ_BASE.ADDR", 55, 5},
    {"EVENTQ_BASE.LOG2SIZE", 4, 0},
    {"PRIQ_IRQ_CFG2.LO", 31, 31},
    {"PRIQ_IRQ_CFG2.SH", 5, 4},
    {"PRIQ_IRQ_CFG2.MemAttr", 3, 0},
    {"GATOS_SID.SSID_VALID", 52, 52},
    {"GATOS_SID.SUBSTREAMID", 51, 32},
    {"GATOS_SID.STREAMID", 31, 0},
    {"GATOS_ADDR.ADDR", 63, 12},
    {"GATOS_ADDR.TYPE", 11, 10},
    {"GATOS_ADDR.PnU", 9, 9},
    {"GATOS_ADDR.RnW", 8, 8},
    {"GATOS_ADDR.InD", 7, 7},
    {"GATOS_ADDR.HTTUI", 6, 6},
    {"MPAMIDR.PMG_MAX", 23, 16},
    {"MPAMIDR.PARTID_MAX", 15, 0},
    {"GMPAM.Update", 31, 31},
    {"GMPAM.SO_PMG", 23, 16},
    {"GMPAM.SO_PARTID", 15, 0},
    {"GBPMPAM.Update", 31, 31},
    {"GBPMPAM.GBP_PMG", 23, 16},
    {"GBPMPAM.GBP_PARTID", 15, 0},
    {"IDR6.CMDQ_CONTROL_PAGE_LOG2NUMP", 27, 24},
    {"IDR6.CMDQ_CONTROL_PAGE_LOG2NUMQ", 19, 16},
    {"DPT_BASE.RA", 62, 62},
    {"DPT_BASE.BADDR", 55, 12},
    {"DPT_BASE_CFG.L0DPTSZ", 23, 20},
    {"DPT_BASE_CFG.DPTGS", 15, 14},
    {"DPT_BASE_CFG.DPTPS", 2, 0},
    {"DPT_CFG_FAR.FADDR", 55, 12},
    {"DPT_CFG_FAR.DPT_FAULTCODE", 7, 4},
    {"DPT_CFG_FAR.LEVEL", 1, 1},
    {"DPT_CFG_FAR.FAULT", 0, 0},
};

std::string text(std::string_view name, unsigned hi, unsigned lo) {
  return std::string(name) + " [" + std::to_string(hi) + ":" + std::to_string(lo) + "]";
}

std::vector<std::string> sorted_texts(std::span<const FieldRow> rows) {
  std::vector<std::string> out;
  for (const FieldRow& row : rows) out.push_back(text(row.name, row.hi, row.lo));
  std::ranges::sort(out);
  return out;
}

std::vector<std::string> sorted_texts(std::span<const Position> rows) {
  std::vector<std::string> out;
  for (const Position& row : rows) out.push_back(text(row.name, row.hi, row.lo));
  std::ranges::sort(out);
  return out;
}

TEST(SpecPositions, Ste) {
  EXPECT_EQ(sorted_texts(ste_fields), sorted_texts(ste_positions));
}

TEST(SpecPositions, Cd) {
  EXPECT_EQ(sorted_texts(cd_fields), sorted_texts(cd_positions));
  EXPECT_EQ(sorted_texts(cd_overlay_fields), sorted_texts(cd_overlay_positions));
}

TEST(SpecPositions, Registers) {
  std::size_t found = 0;
  for (const Position& position : register_positions) {
    const std::string name = position.name;
    const std::size_t dot = name.find('.');
    const RegisterRow* row = find_register(std::string_view(name).substr(0, dot));
    ASSERT_NE(row, nullptr) << name;
    for (const FieldRow& field : row->fields) {
      if (field.name != name.substr(dot + 1)) continue;
      EXPECT_EQ(text(name, field.hi, field.lo), text(name, position.hi, position.lo));
      ++found;
    }
  }
  EXPECT_EQ(found, std::size(register_positions));
}

}  // namespace
}  // namespace smmusim::spec
