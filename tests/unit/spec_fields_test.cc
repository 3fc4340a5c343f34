// SPDX-License-Identifier: MIT
// Every typed field of every structure alone: the largest value and every single bit that the field can hold read back,
// land at the field's place and leave all other bits as they were, whether those were 0 or 1.
#include <gtest/gtest.h>

#include "model/spec/cd.h"
#include "model/spec/command.h"
#include "model/spec/descriptors.h"
#include "model/spec/event.h"
#include "model/spec/l1.h"
#include "model/spec/pri.h"
#include "model/spec/registers.h"
#include "model/spec/registers_optional.h"
#include "model/spec/ste.h"

namespace smmusim::spec {
namespace {

template <class S>
S filled(std::uint64_t pattern) {
  S words;
  words.dw.fill(pattern);
  return words;
}

/// Writes `raw` (unshifted) to F of a structure full of `background` and checks every doubleword.
template <class S, class F>
void expect_written(std::uint64_t raw, std::uint64_t background) {
  S words = filled<S>(background);
  words.template set<F>(static_cast<typename F::type>(raw << F::shift));
  EXPECT_EQ(static_cast<std::uint64_t>(words.template get<F>()), raw << F::shift) << F::hi << ":" << F::lo;
  for (unsigned word = 0; word < S::size_dw; ++word) {
    std::uint64_t expected = background;
    for (unsigned bit = 0; bit < 64; ++bit) {
      const unsigned position = word * 64 + bit;
      if (position < F::lo || position > F::hi) continue;
      expected &= ~(std::uint64_t{1} << bit);
      expected |= (raw >> (position - F::lo) & 1) << bit;
    }
    EXPECT_EQ(words.dw[word], expected) << F::hi << ":" << F::lo << " doubleword " << word;
  }
}

template <class S, class F>
void round_trip() {
  for (const std::uint64_t background : {std::uint64_t{0}, ~std::uint64_t{0}}) {
    expect_written<S, F>(low_mask(F::width), background);
    expect_written<S, F>(0, background);
    for (unsigned bit = 0; bit < F::width; ++bit) expect_written<S, F>(std::uint64_t{1} << bit, background);
  }
}

template <class S, class... Fields>
void round_trips() {
  (round_trip<S, Fields>(), ...);
}

TEST(SpecFields, Ste) {
  round_trips<Ste, Ste::V, Ste::Config, Ste::S1Fmt, Ste::S1ContextPtr, Ste::S1CDMax, Ste::S1DSS, Ste::S1CIR, Ste::S1COR,
              Ste::S1CSH, Ste::S2HWU59, Ste::S2HWU60, Ste::S2HWU61, Ste::S2HWU62, Ste::DRE, Ste::CONT, Ste::DCP,
              Ste::PPAR, Ste::MEV, Ste::SW_RESERVED, Ste::S1PIE, Ste::S2FWB, Ste::S1MPAM, Ste::S1STALLD, Ste::EATS,
              Ste::STRW, Ste::MemAttr, Ste::MTCFG, Ste::ALLOCCFG, Ste::SHCFG, Ste::NSCFG, Ste::PRIVCFG, Ste::INSTCFG,
              Ste::IMPDEF1, Ste::S2VMID, Ste::IMPDEF2, Ste::S2T0SZ, Ste::S2SL0, Ste::S2IR0, Ste::S2OR0, Ste::S2SH0,
              Ste::S2TG, Ste::S2PS, Ste::S2AA64, Ste::S2ENDI, Ste::S2AFFD, Ste::S2PTW, Ste::S2HD, Ste::S2HA, Ste::S2S,
              Ste::S2R, Ste::S2HAFT, Ste::S2PIE, Ste::S2POE, Ste::DPT_VMATCH, Ste::S2NSW, Ste::S2NSA, Ste::S2SL0_2,
              Ste::S2DS, Ste::S2TTB, Ste::S2SKL, Ste::IMPDEF3, Ste::PARTID, Ste::S_S2T0SZ, Ste::S_S2SL0, Ste::S_S2TG,
              Ste::MECID, Ste::PMG, Ste::MPAM_NS, Ste::AssuredOnly, Ste::TL0, Ste::TL1, Ste::VMSPtr, Ste::S2SW,
              Ste::S2SA, Ste::S_S2SL0_2, Ste::S_S2TTB, Ste::S_S2SKL, Ste::S2POI_all, Ste::S2POI<0>, Ste::S2POI<7>,
              Ste::S2POI<15>>();
}

TEST(SpecFields, Cd) {
  round_trips<Cd, Cd::T0SZ, Cd::TG0, Cd::IR0, Cd::OR0, Cd::SH0, Cd::EPD0, Cd::ENDI, Cd::T1SZ, Cd::TG1, Cd::IR1, Cd::OR1,
              Cd::SH1, Cd::EPD1, Cd::V, Cd::IPS, Cd::AFFD, Cd::WXN, Cd::UWXN, Cd::TBI0, Cd::TBI1, Cd::PAN, Cd::AA64,
              Cd::HD, Cd::HA, Cd::S, Cd::R, Cd::A, Cd::ASET, Cd::ASID, Cd::NSCFG0, Cd::HAD0, Cd::E0PD0, Cd::HAFT,
              Cd::TTB0, Cd::PnCH, Cd::EPAN, Cd::HWU059, Cd::HWU060, Cd::HWU061, Cd::HWU062, Cd::NSCFG1, Cd::HAD1,
              Cd::E0PD1, Cd::AIE, Cd::TTB1, Cd::DS, Cd::PIE, Cd::HWU159, Cd::HWU160, Cd::HWU161, Cd::HWU162, Cd::MAIR0,
              Cd::MAIR1, Cd::AMAIR0, Cd::AMAIR1, Cd::IMPDEF1, Cd::PARTID, Cd::PMG, Cd::PIIU_all, Cd::PIIP_all,
              Cd::DisCH0, Cd::SKL0, Cd::DisCH1, Cd::SKL1, Cd::PIIU<0>, Cd::PIIU<15>, Cd::PIIP<0>, Cd::PIIP<8>,
              Cd::PIIP<15>>();
}

TEST(SpecFields, L1std) {
  round_trips<L1std, L1std::Span, L1std::L2Ptr>();
}

TEST(SpecFields, L1cd) {
  round_trips<L1cd, L1cd::V, L1cd::L2Ptr>();
}

TEST(SpecFields, Command) {
  round_trips<Command, Command::OP, Command::SSec, Command::SSV, Command::SubstreamID, Command::StreamID, Command::VMID,
              Command::ASID, Command::NUM, Command::SCALE, Command::SCALE_DS, Command::Leaf, Command::TTL128,
              Command::TTL, Command::TG, Command::Address, Command::IPA, Command::Range, Command::PrefetchSize,
              Command::Stride, Command::NS, Command::G, Command::AtcSize, Command::PRGIndex, Command::Resp, Command::Ac,
              Command::Ab, Command::STAG, Command::CS, Command::MSH, Command::MSIAttr, Command::MSIData,
              Command::MSIAddress, Command::DptSize, Command::DptAddress>();
}

TEST(SpecFields, Event) {
  round_trips<Event, Event::Type, Event::SSV, Event::SubstreamID, Event::StreamID, Event::STAG, Event::Reason,
              Event::GPCF, Event::Stall, Event::PnU, Event::InD, Event::RnW, Event::NSIPA, Event::S2, Event::CLASS,
              Event::TTRnW, Event::InputAddr, Event::FetchAddr, Event::IPA, Event::Span, Event::P, Event::X, Event::W,
              Event::R, Event::InputPage, Event::uX, Event::uW, Event::uR, Event::pX, Event::pW, Event::pR,
              Event::PageSpan>();
}

TEST(SpecFields, PriEntry) {
  round_trips<PriEntry, PriEntry::StreamID, PriEntry::SubstreamID, PriEntry::Priv, PriEntry::X, PriEntry::R,
              PriEntry::W, PriEntry::Last, PriEntry::SSV, PriEntry::PRGIndex, PriEntry::Address>();
}

TEST(SpecFields, S1Table) {
  round_trips<S1Table, S1Table::Valid, S1Table::Type, S1Table::IGNORED1, S1Table::AF, S1Table::IGNORED2,
              S1Table::NextLevelTable, S1Table::IGNORED3, S1Table::PXNTable, S1Table::XNTable, S1Table::APTable,
              S1Table::NSTable>();
}

TEST(SpecFields, S1Leaf) {
  round_trips<S1Leaf, S1Leaf::Valid, S1Leaf::Type, S1Leaf::AttrIndx, S1Leaf::NS, S1Leaf::AP, S1Leaf::SH, S1Leaf::AF,
              S1Leaf::nG, S1Leaf::OutputAddress, S1Leaf::GP, S1Leaf::DBM, S1Leaf::Contiguous, S1Leaf::PXN, S1Leaf::UXN,
              S1Leaf::SW, S1Leaf::PBHA, S1Leaf::IGNORED>();
}

TEST(SpecFields, S2Leaf) {
  round_trips<S2Leaf, S2Leaf::Valid, S2Leaf::Type, S2Leaf::MemAttr, S2Leaf::S2AP, S2Leaf::SH, S2Leaf::AF,
              S2Leaf::OutputAddress, S2Leaf::DBM, S2Leaf::Contiguous, S2Leaf::XN, S2Leaf::SW, S2Leaf::PBHA,
              S2Leaf::IGNORED>();
}

TEST(SpecFields, Registers) {
  round_trips<CR0, CR0::SMMUEN, CR0::PRIQEN, CR0::EVENTQEN, CR0::CMDQEN, CR0::ATSCHK, CR0::VMW, CR0::DPT_WALK_EN>();
  round_trips<CR1, CR1::QUEUE_IC, CR1::QUEUE_OC, CR1::QUEUE_SH, CR1::TABLE_IC, CR1::TABLE_OC, CR1::TABLE_SH>();
  round_trips<CR2, CR2::E2H, CR2::RECINVSID, CR2::PTM, CR2::REC_CFG_ATS>();
  round_trips<S2PII, S2PII::S2PII_all, S2PII::index<0>, S2PII::index<15>>();
  round_trips<STATUSR, STATUSR::DORMANT>();
  round_trips<GBPA, GBPA::MemAttr, GBPA::MTCFG, GBPA::ALLOCCFG, GBPA::SHCFG, GBPA::PRIVCFG, GBPA::INSTCFG, GBPA::ABORT,
              GBPA::Update>();
  round_trips<AGBPA, AGBPA::IMPDEF>();
  round_trips<IRQ_CTRL, IRQ_CTRL::GERROR_IRQEN, IRQ_CTRL::PRIQ_IRQEN, IRQ_CTRL::EVENTQ_IRQEN>();
  round_trips<GERROR, GERROR::CMDQ_ERR, GERROR::EVENTQ_ABT_ERR, GERROR::PRIQ_ABT_ERR, GERROR::MSI_CMDQ_ABT_ERR,
              GERROR::MSI_EVENTQ_ABT_ERR, GERROR::MSI_PRIQ_ABT_ERR, GERROR::MSI_GERROR_ABT_ERR, GERROR::SFM_ERR,
              GERROR::CMDQP_ERR, GERROR::DPT_ERR>();
  round_trips<GERROR_IRQ_CFG0, GERROR_IRQ_CFG0::ADDR>();
  round_trips<GERROR_IRQ_CFG1, GERROR_IRQ_CFG1::DATA>();
  round_trips<GERROR_IRQ_CFG2, GERROR_IRQ_CFG2::MemAttr, GERROR_IRQ_CFG2::SH>();
  round_trips<STRTAB_BASE, STRTAB_BASE::ADDR, STRTAB_BASE::RA>();
  round_trips<STRTAB_BASE_CFG, STRTAB_BASE_CFG::LOG2SIZE, STRTAB_BASE_CFG::SPLIT, STRTAB_BASE_CFG::FMT>();
  round_trips<CMDQ_BASE, CMDQ_BASE::LOG2SIZE, CMDQ_BASE::ADDR, CMDQ_BASE::RA>();
  round_trips<CMDQ_PROD, CMDQ_PROD::WR>();
  round_trips<CMDQ_CONS, CMDQ_CONS::RD, CMDQ_CONS::ERR>();
  round_trips<EVENTQ_BASE, EVENTQ_BASE::LOG2SIZE, EVENTQ_BASE::ADDR, EVENTQ_BASE::WA>();
  round_trips<PRIQ_IRQ_CFG2, PRIQ_IRQ_CFG2::MemAttr, PRIQ_IRQ_CFG2::SH, PRIQ_IRQ_CFG2::LO>();
  round_trips<GATOS_CTRL, GATOS_CTRL::RUN>();
  round_trips<GATOS_SID, GATOS_SID::STREAMID, GATOS_SID::SUBSTREAMID, GATOS_SID::SSID_VALID>();
  round_trips<GATOS_ADDR, GATOS_ADDR::HTTUI, GATOS_ADDR::InD, GATOS_ADDR::RnW, GATOS_ADDR::PnU, GATOS_ADDR::TYPE,
              GATOS_ADDR::ADDR>();
  round_trips<GATOS_PAR, GATOS_PAR::FAULT, GATOS_PAR::SH, GATOS_PAR::Size, GATOS_PAR::ADDR, GATOS_PAR::ATTR,
              GATOS_PAR::REASON, GATOS_PAR::FAULTCODE, GATOS_PAR::FADDR>();
  round_trips<MPAMIDR, MPAMIDR::PARTID_MAX, MPAMIDR::PMG_MAX>();
  round_trips<GMPAM, GMPAM::SO_PARTID, GMPAM::SO_PMG, GMPAM::Update>();
  round_trips<GBPMPAM, GBPMPAM::GBP_PARTID, GBPMPAM::GBP_PMG, GBPMPAM::Update>();
  round_trips<VATOS_SEL, VATOS_SEL::VMID>();
  round_trips<DPT_BASE, DPT_BASE::BADDR, DPT_BASE::RA>();
  round_trips<DPT_BASE_CFG, DPT_BASE_CFG::DPTPS, DPT_BASE_CFG::DPTGS, DPT_BASE_CFG::L0DPTSZ>();
  round_trips<DPT_CFG_FAR, DPT_CFG_FAR::FAULT, DPT_CFG_FAR::LEVEL, DPT_CFG_FAR::DPT_FAULTCODE, DPT_CFG_FAR::FADDR>();
  round_trips<PIDR4, PIDR4::DES_2, PIDR4::SIZE>();
  round_trips<PIDR0, PIDR0::PART_0>();
  round_trips<PIDR1, PIDR1::PART_1, PIDR1::DES_0>();
  round_trips<PIDR2, PIDR2::DES_1, PIDR2::JEDEC, PIDR2::REVISION>();
  round_trips<PIDR3, PIDR3::CMOD, PIDR3::REVAND>();
  round_trips<CIDR0, CIDR0::PRMBL_0>();
  round_trips<CIDR1, CIDR1::PRMBL_1, CIDR1::CLASS>();
  round_trips<CIDR2, CIDR2::PRMBL_2>();
  round_trips<CIDR3, CIDR3::PRMBL_3>();
  round_trips<CMDQ_CONTROL_PAGE_BASE, CMDQ_CONTROL_PAGE_BASE::CMDQ_CONTROL_PAGE_PRESET, CMDQ_CONTROL_PAGE_BASE::CMDQGS,
              CMDQ_CONTROL_PAGE_BASE::ADDR>();
  round_trips<CMDQ_CONTROL_PAGE_CFG, CMDQ_CONTROL_PAGE_CFG::EN>();
  round_trips<CMDQ_CONTROL_PAGE_STATUS, CMDQ_CONTROL_PAGE_STATUS::ENACK>();
  round_trips<EVENTQ_PROD, EVENTQ_PROD::WR, EVENTQ_PROD::OVFLG>();
  round_trips<EVENTQ_CONS, EVENTQ_CONS::RD, EVENTQ_CONS::OVACKFLG>();
  round_trips<IDR0, IDR0::S2P, IDR0::S1P, IDR0::TTF, IDR0::COHACC, IDR0::BTM, IDR0::HTTU, IDR0::DORMHINT, IDR0::Hyp,
              IDR0::ATS, IDR0::NS1ATS, IDR0::ASID16, IDR0::MSI, IDR0::SEV, IDR0::ATOS, IDR0::PRI, IDR0::VMW,
              IDR0::VMID16, IDR0::CD2L, IDR0::VATOS, IDR0::TTENDIAN, IDR0::ATSRECERR, IDR0::STALL_MODEL,
              IDR0::TERM_MODEL, IDR0::ST_LEVEL, IDR0::RME_IMPL>();
  round_trips<IDR1, IDR1::SIDSIZE, IDR1::SSIDSIZE, IDR1::PRIQS, IDR1::EVENTQS, IDR1::CMDQS, IDR1::ATTR_PERMS_OVR,
              IDR1::ATTR_TYPES_OVR, IDR1::REL, IDR1::QUEUES_PRESET, IDR1::TABLES_PRESET, IDR1::ECMDQ>();
  round_trips<IDR2, IDR2::BA_VATOS>();
  round_trips<IDR3, IDR3::HAD, IDR3::PBHA, IDR3::XNX, IDR3::PPS, IDR3::MPAM, IDR3::FWB, IDR3::STT, IDR3::RIL,
              IDR3::BBML, IDR3::E0PD, IDR3::PTWNNC, IDR3::DPT, IDR3::PASIDTT, IDR3::EPAN, IDR3::S1PI, IDR3::S2PI,
              IDR3::S2PO, IDR3::THE, IDR3::MTEPERM, IDR3::AIE>();
  round_trips<IDR4, IDR4::IMPDEF>();
  round_trips<IDR5, IDR5::OAS, IDR5::GRAN4K, IDR5::GRAN16K, IDR5::GRAN64K, IDR5::DS, IDR5::D128, IDR5::VAX,
              IDR5::STALL_MAX>();
  round_trips<IDR6, IDR6::CMDQ_CONTROL_PAGE_LOG2NUMQ, IDR6::CMDQ_CONTROL_PAGE_LOG2NUMP>();
  round_trips<IIDR, IIDR::Implementer, IIDR::Revision, IIDR::Variant, IIDR::ProductID>();
  round_trips<AIDR, AIDR::ArchMinorRev, AIDR::ArchMajorRev>();
}

TEST(SpecFields, BitsThatAFieldCannotHoldAreDropped) {
  EXPECT_EQ((Ste{}.set<Ste::S2T0SZ>(0xFF).dw[2]), 0x0000003F00000000U);
  EXPECT_EQ((Cd{}.set<Cd::TTB0>(0xFF0000000000000F).dw[1]), 0U);
}

}  // namespace
}  // namespace smmusim::spec
