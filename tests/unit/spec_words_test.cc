// SPDX-License-Identifier: MIT
// In-memory structures as raw words that were worked out by hand from the specification's tables, never from the
// headers: fields read from the words, and words built from the fields.
#include <gtest/gtest.h>

#include "model/spec/cd.h"
#include "model/spec/command.h"
#include "model/spec/descriptors.h"
#include "model/spec/event.h"
#include "model/spec/l1.h"
#include "model/spec/pri.h"
#include "model/spec/ste.h"

namespace smmusim::spec {
namespace {

TEST(SpecWords, SteStage1Fields) {
  Ste ste;
  ste.set<Ste::V>(true).set<Ste::Config>(SteConfig::stage1).set<Ste::S1Fmt>(S1Format::two_level_64k);
  ste.set<Ste::S1ContextPtr>(0x123456000).set<Ste::S1CDMax>(10).set<Ste::S1DSS>(S1Dss::substream0);
  ste.set<Ste::S1CIR>(1).set<Ste::S1COR>(1).set<Ste::S1CSH>(Shareability::inner).set<Ste::MEV>(true);
  ste.set<Ste::S1STALLD>(true).set<Ste::EATS>(Eats::full).set<Ste::STRW>(Strw::el2).set<Ste::SHCFG>(1);
  EXPECT_EQ(ste.dw[0], 0x500000012345602BU);
  EXPECT_EQ(ste.dw[1], 0x00001000980800D6U);
}

TEST(SpecWords, SteStage2Fields) {
  Ste ste;
  ste.set<Ste::S2VMID>(0x1234).set<Ste::S2T0SZ>(20).set<Ste::S2SL0>(2).set<Ste::S2IR0>(1).set<Ste::S2OR0>(1);
  ste.set<Ste::S2SH0>(Shareability::inner).set<Ste::S2TG>(Tg0::kib16).set<Ste::S2PS>(5).set<Ste::S2AA64>(true);
  ste.set<Ste::S2PTW>(true).set<Ste::S2HA>(true).set<Ste::S2R>(true).set<Ste::S2TTB>(0x123456789AB0);
  EXPECT_EQ(ste.dw[2], 0x054DB59400001234U);
  EXPECT_EQ(ste.dw[3], 0x0000123456789AB0U);
}

TEST(SpecWords, SteUpperDoublewords) {
  Ste ste;
  ste.set<Ste::PARTID>(0x5678).set<Ste::PMG>(0x9A).set<Ste::VMSPtr>(0xABCDEF000);
  ste.set<Ste::S_S2TTB>(0xFEDCBA9876540).set<Ste::S2POI<0>>(0xA).set<Ste::S2POI<15>>(0x5);
  EXPECT_EQ(ste.dw[4], 0x0000000056780000U);
  EXPECT_EQ(ste.dw[5], 0x0000000ABCDEF09AU);
  EXPECT_EQ(ste.dw[6], 0x000FEDCBA9876540U);
  EXPECT_EQ(ste.dw[7], 0x500000000000000AU);
}

TEST(SpecWords, SteConfigPredicates) {
  for (unsigned value = 0; value < 8; ++value) {
    const auto config = static_cast<SteConfig>(value);
    EXPECT_EQ(aborts(config), value < 4) << value;
    EXPECT_EQ(has_stage1(config), value == 5 || value == 7) << value;
    EXPECT_EQ(has_stage2(config), value == 6 || value == 7) << value;
  }
}

TEST(SpecWords, CdAsLinuxWritesIt) {
  Cd cd;
  cd.set<Cd::T0SZ>(16).set<Cd::TG0>(Tg0::kib4).set<Cd::IR0>(1).set<Cd::OR0>(1).set<Cd::SH0>(Shareability::inner);
  cd.set<Cd::EPD1>(true).set<Cd::V>(true).set<Cd::IPS>(5).set<Cd::AA64>(true).set<Cd::R>(true).set<Cd::A>(true);
  cd.set<Cd::ASET>(true).set<Cd::ASID>(0x1234).set<Cd::TTB0>(0x48656000).set<Cd::HAD0>(true);
  cd.set<Cd::MAIR0>(0xFF440C04).set<Cd::MAIR1>(0x000000F4);
  EXPECT_EQ(cd.dw[0], 0x1234E205C0003510U);
  EXPECT_EQ(cd.dw[1], 0x0000000048656002U);
  EXPECT_EQ(cd.dw[3], 0x000000F4FF440C04U);
}

TEST(SpecWords, CdSecondTableAndPermissionIndirection) {
  Cd cd;
  cd.set<Cd::T1SZ>(25).set<Cd::TG1>(Tg1::kib4).set<Cd::SH1>(Shareability::outer).set<Cd::TTB1>(0xFFFFFFFFFFFF0);
  cd.set<Cd::HAD1>(true).set<Cd::E0PD1>(true).set<Cd::PIIU<0>>(5).set<Cd::PIIU<15>>(3).set<Cd::PIIP<1>>(7);
  EXPECT_EQ(cd.dw[0], 0x0000000020990000U);
  EXPECT_EQ(cd.dw[2], 0x000FFFFFFFFFFFF6U);
  EXPECT_EQ(cd.dw[6], 0x0000600000000005U);
  EXPECT_EQ(cd.dw[7], 0x0000000000000038U);
}

TEST(SpecWords, LevelOneDescriptors) {
  EXPECT_EQ((L1std{}.set<L1std::Span>(9).set<L1std::L2Ptr>(0x4863C000).dw[0]), 0x000000004863C009U);
  EXPECT_EQ((L1cd{}.set<L1cd::V>(true).set<L1cd::L2Ptr>(0xFFFFFFFFFF000).dw[0]), 0x000FFFFFFFFFF001U);
}

struct CommandWords {
  const char* what;
  Command command;
  std::uint64_t dw0;
  std::uint64_t dw1;
};

TEST(SpecWords, Commands) {
  const auto make = [](Opcode opcode) { return Command{}.set<Command::OP>(opcode); };
  using C = Command;
  const CommandWords rows[] = {
      {"CFGI_STE", make(Opcode::CMD_CFGI_STE).set<C::StreamID>(8).set<C::Leaf>(true), 0x0000000800000003, 1},
      {"CFGI_ALL", make(Opcode::CMD_CFGI_ALL).set<C::Range>(31), 0x4, 0x1F},
      {"CFGI_CD", make(Opcode::CMD_CFGI_CD).set<C::StreamID>(8).set<C::SubstreamID>(0x54321), 0x0000000854321005, 0},
      {"TLBI_NH_ASID", make(Opcode::CMD_TLBI_NH_ASID).set<C::VMID>(0x22).set<C::ASID>(0x33), 0x0033002200000011, 0},
      {"TLBI_NH_VA",
       make(Opcode::CMD_TLBI_NH_VA)
           .set<C::ASID>(1)
           .set<C::NUM>(7)
           .set<C::SCALE>(2)
           .set<C::Leaf>(true)
           .set<C::TTL>(3)
           .set<C::TG>(TlbiTg::kib4)
           .set<C::Address>(0xFFFFFFFFFFFFF000),
       0x0001000000207012, 0xFFFFFFFFFFFFF701},
      {"SYNC",
       make(Opcode::CMD_SYNC)
           .set<C::CS>(SyncSignal::irq)
           .set<C::MSH>(Shareability::inner)
           .set<C::MSIAttr>(15)
           .set<C::MSIData>(0xCAFE)
           .set<C::MSIAddress>(0x8090044),
       0x0000CAFE0FC01046, 0x8090044},
      {"ATC_INV",
       make(Opcode::CMD_ATC_INV)
           .set<C::SSV>(true)
           .set<C::SubstreamID>(0x54321)
           .set<C::StreamID>(0x100)
           .set<C::G>(true)
           .set<C::AtcSize>(52),
       0x0000010054321A40, 52},
      {"PRI_RESP", make(Opcode::CMD_PRI_RESP).set<C::PRGIndex>(0x155).set<C::Resp>(PriResp::Success), 0x41, 0x2155},
      {"RESUME", make(Opcode::CMD_RESUME).set<C::Ac>(true).set<C::Ab>(true).set<C::STAG>(0xABCD), 0x3044, 0xABCD},
      {"PREFETCH_ADDR",
       make(Opcode::CMD_PREFETCH_ADDR).set<C::PrefetchSize>(4).set<C::Stride>(5).set<C::Address>(0x7000), 0x2, 0x70A4},
      {"TLBI_S2_IPA", make(Opcode::CMD_TLBI_S2_IPA).set<C::VMID>(5).set<C::IPA>(0xFFFFFFFFFFF000), 0x000000050000002A,
       0x00FFFFFFFFFFF000},
      {"DPTI_PA", make(Opcode::CMD_DPTI_PA).set<C::DptSize>(9).set<C::DptAddress>(0x200000), 0x73, 0x200900},
  };
  for (const CommandWords& row : rows) {
    EXPECT_EQ(row.command.dw[0], row.dw0) << row.what;
    EXPECT_EQ(row.command.dw[1], row.dw1) << row.what;
  }
}

TEST(SpecWords, TranslationFaultRecord) {
  Event event;
  event.set<Event::Type>(EventType::F_TRANSLATION).set<Event::SSV>(true).set<Event::SubstreamID>(5);
  event.set<Event::StreamID>(0x18).set<Event::STAG>(0xABCD).set<Event::Stall>(true).set<Event::PnU>(true);
  event.set<Event::RnW>(true).set<Event::S2>(true).set<Event::CLASS>(EventClass::IN);
  event.set<Event::InputAddr>(0xFFFF000012345678).set<Event::IPA>(0xABCDEF123000);
  EXPECT_EQ(event.dw[0], 0x0000001800005810U);
  EXPECT_EQ(event.dw[1], 0x0000028A8000ABCDU);
  EXPECT_EQ(event.dw[2], 0xFFFF000012345678U);
  EXPECT_EQ(event.dw[3], 0x0000ABCDEF123000U);
}

TEST(SpecWords, OtherEventFields) {
  EXPECT_EQ((Event{}.set<Event::FetchAddr>(0xFFFFFFFFFFFFF8).dw[3]), 0x00FFFFFFFFFFFFF8U);
  EXPECT_EQ((Event{}.set<Event::InD>(true).set<Event::NSIPA>(true).set<Event::TTRnW>(true).dw[1]), 0x0000104400000000U);
  EXPECT_EQ((Event{}.set<Event::Reason>(0xFFFF).set<Event::GPCF>(true).dw[1]), 0x1FFFFU);
  EXPECT_EQ((Event{}.set<Event::Span>(0xF).set<Event::P>(true).set<Event::W>(true).dw[1]), 0x5000000FU);
  EXPECT_EQ((Event{}.set<Event::X>(true).set<Event::R>(true).dw[1]), 0xA0000000U);
  EXPECT_EQ((Event{}.set<Event::uX>(true).set<Event::pR>(true).set<Event::PageSpan>(0xFF).dw[1]), 0x000FF08200000000U);
  EXPECT_EQ((Event{}.set<Event::InputPage>(0xFFFFFFFFFFFFF000).dw[2]), 0xFFFFFFFFFFFFF000U);
}

TEST(SpecWords, PriQueueEntry) {
  PriEntry entry;
  entry.set<PriEntry::StreamID>(0x18).set<PriEntry::SubstreamID>(0xFFFFF).set<PriEntry::R>(true);
  entry.set<PriEntry::Last>(true).set<PriEntry::SSV>(true).set<PriEntry::PRGIndex>(0x1FF);
  entry.set<PriEntry::Address>(0xABCDE000);
  EXPECT_EQ(entry.dw[0], 0xD00FFFFF00000018U);
  EXPECT_EQ(entry.dw[1], 0x00000000ABCDE1FFU);
}

TEST(SpecWords, Stage1PageAsLinuxWritesIt) {
  S1Leaf leaf;
  leaf.set<S1Leaf::Valid>(true).set<S1Leaf::Type>(true).set<S1Leaf::AttrIndx>(1).set<S1Leaf::AP>(3);
  leaf.set<S1Leaf::SH>(Shareability::inner).set<S1Leaf::AF>(true).set<S1Leaf::nG>(true);
  leaf.set<S1Leaf::OutputAddress>(0x123456789000).set<S1Leaf::Contiguous>(true).set<S1Leaf::UXN>(true);
  EXPECT_EQ(leaf.dw[0], 0x0050123456789FC7U);
}

TEST(SpecWords, Stage2LeafAndStage1Table) {
  S2Leaf leaf;
  leaf.set<S2Leaf::Valid>(true).set<S2Leaf::MemAttr>(15).set<S2Leaf::S2AP>(3).set<S2Leaf::XN>(2).set<S2Leaf::DBM>(true);
  EXPECT_EQ(leaf.dw[0], 0x00480000000000FDU);
  S1Table table;
  table.set<S1Table::Valid>(true).set<S1Table::Type>(true).set<S1Table::NextLevelTable>(0x48657000);
  table.set<S1Table::APTable>(2).set<S1Table::PXNTable>(true).set<S1Table::NSTable>(true);
  EXPECT_EQ(table.dw[0], 0xC800000048657003U);
}

TEST(SpecWords, DescriptorAddressOfEachLayout) {
  const std::uint64_t word = 0xFFFFFFFFFFFFFFFF;
  EXPECT_EQ(descriptor_address(word, 12, AddressLayout::direct_48), 0x0000FFFFFFFFF000U);
  EXPECT_EQ(descriptor_address(word, 21, AddressLayout::direct_48), 0x0000FFFFFFE00000U);
  EXPECT_EQ(descriptor_address(word, 16, AddressLayout::lpa_64k), 0x000FFFFFFFFF0000U);
  EXPECT_EQ(descriptor_address(word, 12, AddressLayout::lpa2), 0x000FFFFFFFFFF000U);
  EXPECT_EQ(descriptor_address(0x3000, 16, AddressLayout::lpa_64k), 0x0003000000000000U);
  EXPECT_EQ(descriptor_address(0x200, 12, AddressLayout::lpa2), 0x0008000000000000U);
}

TEST(SpecWords, AddressSizeCodes) {
  const unsigned bits[] = {32, 36, 40, 42, 44, 48, 52, 56};
  for (unsigned code = 0; code < 8; ++code) {
    EXPECT_EQ(address_bits(code), bits[code]);
    EXPECT_EQ(address_size_code(bits[code]), static_cast<int>(code));
  }
  EXPECT_EQ(address_size_code(45), -1);
}

}  // namespace
}  // namespace smmusim::spec
