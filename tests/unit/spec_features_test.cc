// SPDX-License-Identifier: MIT
// ID registers from Features and back, against values worked out by hand and against those of a real guest.
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include "model/spec/features.h"

namespace smmusim::spec {
namespace {

struct BoolBit {
  bool Features::*member;
  unsigned idr;
  unsigned bit;
};

constexpr BoolBit bool_bits[] = {
    {&Features::s2p, 0, 0},
    {&Features::s1p, 0, 1},
    {&Features::ttf_lpae, 0, 2},
    {&Features::ttf_vmsav8_64, 0, 3},
    {&Features::cohacc, 0, 4},
    {&Features::btm, 0, 5},
    {&Features::dormhint, 0, 8},
    {&Features::hyp, 0, 9},
    {&Features::ats, 0, 10},
    {&Features::asid16, 0, 12},
    {&Features::msi, 0, 13},
    {&Features::sev, 0, 14},
    {&Features::atos, 0, 15},
    {&Features::pri, 0, 16},
    {&Features::vmw, 0, 17},
    {&Features::vmid16, 0, 18},
    {&Features::cd2l, 0, 19},
    {&Features::vatos, 0, 20},
    {&Features::atsrecerr, 0, 23},
    {&Features::term_model, 0, 26},
    {&Features::rme_impl, 0, 30},
    {&Features::attr_perms_ovr, 1, 26},
    {&Features::attr_types_ovr, 1, 27},
    {&Features::rel, 1, 28},
    {&Features::queues_preset, 1, 29},
    {&Features::tables_preset, 1, 30},
    {&Features::ecmdq, 1, 31},
    {&Features::had, 3, 2},
    {&Features::pbha, 3, 3},
    {&Features::xnx, 3, 4},
    {&Features::pps, 3, 5},
    {&Features::mpam, 3, 7},
    {&Features::fwb, 3, 8},
    {&Features::stt, 3, 9},
    {&Features::ril, 3, 10},
    {&Features::e0pd, 3, 13},
    {&Features::ptwnnc, 3, 14},
    {&Features::dpt, 3, 15},
    {&Features::pasidtt, 3, 16},
    {&Features::epan, 3, 17},
    {&Features::s1pi, 3, 18},
    {&Features::s2pi, 3, 19},
    {&Features::s2po, 3, 20},
    {&Features::the, 3, 21},
    {&Features::mteperm, 3, 22},
    {&Features::aie, 3, 23},
    {&Features::gran4k, 5, 4},
    {&Features::gran16k, 5, 5},
    {&Features::gran64k, 5, 6},
    {&Features::ds, 5, 7},
    {&Features::d128, 5, 8},
};

struct NumberField {
  unsigned Features::*member;
  unsigned idr;
  unsigned lowest_bit;
  unsigned value;
};

constexpr NumberField number_fields[] = {
    {&Features::st_level, 0, 27, 1},
    {&Features::sidsize, 1, 0, 33},
    {&Features::ssidsize, 1, 6, 21},
    {&Features::priqs, 1, 11, 11},
    {&Features::eventqs, 1, 16, 12},
    {&Features::cmdqs, 1, 21, 13},
    {&Features::ba_vatos, 2, 0, 0x2aa},
    {&Features::bbml, 3, 11, 2},
    {&Features::stall_max, 5, 16, 0xabcd},
    {&Features::cmdq_control_page_log2numq, 6, 16, 5},
    {&Features::cmdq_control_page_log2nump, 6, 24, 6},
};

/// Features all of whose bits in the ID registers are 0.
Features nothing() {
  return features_from(IdRegisters{});
}

TEST(SpecFeatures, TheDefaultIsPossible) {
  EXPECT_TRUE(check(Features{}).empty());
  EXPECT_NO_THROW(require_valid(Features{}));
}

TEST(SpecFeatures, RegistersOfTheDefault) {
  const IdRegisters registers = id_registers(Features{});
  EXPECT_EQ(registers.idr[0], 0x0940701AU);
  EXPECT_EQ(registers.idr[1], 0x02730010U);
  EXPECT_EQ(registers.idr[2], 0U);
  EXPECT_EQ(registers.idr[3], 0x00000404U);
  EXPECT_EQ(registers.idr[4], 0U);
  EXPECT_EQ(registers.idr[5], 0x00000015U);
  EXPECT_EQ(registers.idr[6], 0U);
  EXPECT_EQ(registers.iidr, 0U);
  EXPECT_EQ(registers.aidr, 1U);
}

TEST(SpecFeatures, RegistersOfANestedSmmuV34) {
  Features f;
  f.version_minor = 4;
  f.s2p = f.hyp = f.ats = f.pri = f.vmid16 = f.cd2l = true;
  f.httu = Httu::access_dirty;
  f.stall_model = StallModel::stall_and_terminate;
  f.stall_max = 8;
  f.ssidsize = 20;
  f.priqs = 10;
  f.xnx = f.fwb = f.e0pd = f.ptwnnc = f.epan = f.mteperm = true;
  f.bbml = 2;
  f.oas = 52;
  f.gran64k = true;
  EXPECT_TRUE(check(f).empty());
  const IdRegisters registers = id_registers(f);
  EXPECT_EQ(registers.idr[0], 0x084D7E9BU);
  EXPECT_EQ(registers.idr[1], 0x02735510U);
  EXPECT_EQ(registers.idr[3], 0x00427514U);
  EXPECT_EQ(registers.idr[5], 0x00080056U);
  EXPECT_EQ(registers.aidr, 4U);
  EXPECT_EQ(features_from(registers), f);
}

TEST(SpecFeatures, Ns1atsIsTheNegativeOfSplitStageAtsAndOtherwiseRes0) {
  RecordProperty("rule", "SM-ID-005");
  constexpr std::uint32_t ns1ats = 1U << 11;
  Features f;
  f.ats = true;
  EXPECT_EQ(id_registers(f).idr[0] & ns1ats, 0U) << "stage 1 only: RES0";
  f.s2p = true;
  EXPECT_EQ(id_registers(f).idr[0] & ns1ats, ns1ats);
  f.split_stage_ats = true;
  EXPECT_EQ(id_registers(f).idr[0] & ns1ats, 0U);
}

TEST(SpecFeatures, QemusRegistersGoThroughFeaturesUnchanged) {
  IdRegisters registers;
  registers.idr[0] = 0x0D44101A;
  registers.idr[1] = 0x02730010;
  registers.idr[3] = 0x00001404;
  registers.idr[5] = 0x00000074;
  registers.aidr = 1;
  const Features f = features_from(registers);
  EXPECT_TRUE(f.s1p && !f.s2p && f.ttf_vmsav8_64 && !f.ttf_lpae && f.cohacc && f.asid16 && f.vmid16 && f.term_model);
  EXPECT_EQ(f.ttendian, Ttendian::little);
  EXPECT_EQ(f.stall_model, StallModel::terminate);
  EXPECT_EQ(f.oas, 44U);
  EXPECT_EQ(f.cmdqs, 19U);
  EXPECT_EQ(f.eventqs, 19U);
  EXPECT_EQ(f.sidsize, 16U);
  EXPECT_EQ(f.bbml, 2U);
  EXPECT_TRUE(f.gran4k && f.gran16k && f.gran64k && f.had && f.ril);
  EXPECT_TRUE(check(f).empty());
  EXPECT_EQ(id_registers(f), registers);
}

TEST(SpecFeatures, EveryDefinedIdBitSurvivesTheRoundTrip) {
  IdRegisters registers;
  registers.idr[0] = 0x5FFFF7FF;  // NS1ATS apart, which follows from other bits when they are all set
  registers.idr[1] = 0xFFFFFFFF;
  registers.idr[2] = 0x000003FF;
  registers.idr[3] = 0x00FFFFBC;
  registers.idr[4] = 0x12345678;
  registers.idr[5] = 0xFFFF09F7;  // VAX = 2
  registers.idr[6] = 0x0F0F0000;
  registers.iidr = 0xFFFFFFFF;
  registers.aidr = 0xFF;
  registers.mpamidr = 0x00FFFFFF;
  EXPECT_EQ(id_registers(features_from(registers)), registers);
}

TEST(SpecFeatures, EachBooleanMemberIsItsBitAndNoOther) {
  for (const BoolBit& row : bool_bits) {
    Features f = nothing();
    f.*row.member = true;
    IdRegisters expected;
    expected.idr[row.idr] = 1U << row.bit;
    EXPECT_EQ(id_registers(f), expected) << "IDR" << row.idr << " bit " << row.bit;
    EXPECT_EQ(features_from(expected), f) << "IDR" << row.idr << " bit " << row.bit;
  }
}

TEST(SpecFeatures, EachNumberIsInItsField) {
  for (const NumberField& row : number_fields) {
    Features f = nothing();
    f.*row.member = row.value;
    IdRegisters expected;
    expected.idr[row.idr] = row.value << row.lowest_bit;
    EXPECT_EQ(id_registers(f), expected) << "IDR" << row.idr << " from bit " << row.lowest_bit;
    EXPECT_EQ(features_from(expected), f) << "IDR" << row.idr << " from bit " << row.lowest_bit;
  }
}

TEST(SpecFeatures, IdentificationRegisters) {
  Features f;
  f.product_id = 0x487;
  f.variant = 2;
  f.revision = 1;
  f.implementer = 0x43B;
  f.version_minor = 3;
  EXPECT_EQ(id_registers(f).iidr, 0x4872143BU);
  EXPECT_EQ(id_registers(f).aidr, 3U);
}

TEST(SpecFeatures, AReservedVaxIsReportedNotGuessed) {
  RecordProperty("rule", "SM-ID-010");
  IdRegisters registers = id_registers(Features{});
  registers.idr[5] |= 3U << 10;
  const Features f = features_from(registers);
  EXPECT_EQ(f.vax, 0U);
  EXPECT_FALSE(check(f).empty());
}

TEST(SpecFeatures, ANumberThatDoesNotFitItsFieldIsRefused) {
  Features f;
  f.cmdqs = 32;
  EXPECT_THROW(id_registers(f), std::invalid_argument);
  f = {};
  f.oas = 45;
  EXPECT_THROW(id_registers(f), std::invalid_argument);
  f = {};
  f.vax = 49;
  EXPECT_THROW(id_registers(f), std::invalid_argument);
}

TEST(SpecFeatures, RequireValidListsEveryErrorOnALineOfItsOwn) {
  Features f;
  f.pri = true;
  f.oas = 45;
  try {
    require_valid(f);
    FAIL() << "accepted";
  } catch (const std::invalid_argument& error) {
    EXPECT_STREQ(error.what(),
                 "PRI needs ATS; set ats or clear pri (section 6.3.1, SM-ID-005)\n"
                 "oas is not an architected size; legal are 32, 36, 40, 42, 44, 48, 52 and 56 bits "
                 "(section 6.3.6, SM-ID-010)");
  }
}

}  // namespace
}  // namespace smmusim::spec
