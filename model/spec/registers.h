// SPDX-License-Identifier: MIT
// Fields of the registers of the Non-secure programming interface, page 0 and page 1 (IHI 0070 section 6.3).
// A register is one doubleword; 32-bit registers use its bits 31:0. Access, guards and reset values belong to
// model/smmu.
#pragma once

#include <cstdint>

#include "model/base/field.h"
#include "model/spec/codes.h"
#include "model/spec/id_registers.h"
#include "model/spec/register_offsets.h"

namespace smmusim::spec {

struct CR0 : Words<CR0, 1> {
  using SMMUEN = Field<0, 0, bool>;
  using PRIQEN = Field<1, 1, bool>;
  using EVENTQEN = Field<2, 2, bool>;
  using CMDQEN = Field<3, 3, bool>;
  using ATSCHK = Field<4, 4, bool>;
  using VMW = Field<8, 6, unsigned>;
  using DPT_WALK_EN = Field<10, 10, bool>;
};
inline constexpr FieldRow cr0_fields[] = {
    field_row<CR0::SMMUEN>("SMMUEN"),           field_row<CR0::PRIQEN>("PRIQEN"), field_row<CR0::EVENTQEN>("EVENTQEN"),
    field_row<CR0::CMDQEN>("CMDQEN"),           field_row<CR0::ATSCHK>("ATSCHK"), field_row<CR0::VMW>("VMW"),
    field_row<CR0::DPT_WALK_EN>("DPT_WALK_EN"),
};

using CR0ACK = CR0;

struct CR1 : Words<CR1, 1> {
  using QUEUE_IC = Field<1, 0, unsigned>;
  using QUEUE_OC = Field<3, 2, unsigned>;
  using QUEUE_SH = Field<5, 4, Shareability>;
  using TABLE_IC = Field<7, 6, unsigned>;
  using TABLE_OC = Field<9, 8, unsigned>;
  using TABLE_SH = Field<11, 10, Shareability>;
};
inline constexpr FieldRow cr1_fields[] = {
    field_row<CR1::QUEUE_IC>("QUEUE_IC", meaning::cr1_cache), field_row<CR1::QUEUE_OC>("QUEUE_OC", meaning::cr1_cache),
    field_row<CR1::QUEUE_SH>("QUEUE_SH", meaning::sh),        field_row<CR1::TABLE_IC>("TABLE_IC", meaning::cr1_cache),
    field_row<CR1::TABLE_OC>("TABLE_OC", meaning::cr1_cache), field_row<CR1::TABLE_SH>("TABLE_SH", meaning::sh),
};

struct CR2 : Words<CR2, 1> {
  using E2H = Field<0, 0, bool>;
  using RECINVSID = Field<1, 1, bool>;
  using PTM = Field<2, 2, bool>;
  using REC_CFG_ATS = Field<3, 3, bool>;
};
inline constexpr FieldRow cr2_fields[] = {
    field_row<CR2::E2H>("E2H"),
    field_row<CR2::RECINVSID>("RECINVSID"),
    field_row<CR2::PTM>("PTM"),
    field_row<CR2::REC_CFG_ATS>("REC_CFG_ATS"),
};

struct S2PII : Words<S2PII, 1> {
  using S2PII_all = Field<63, 0>;

  template <unsigned P>
  using index = Field<4 * P + 3, 4 * P, unsigned>;  ///< P is 0 to 15
};
inline constexpr FieldRow s2pii_fields[] = {
    field_row<S2PII::S2PII_all>("S2PII<0..15>"),
};

struct STATUSR : Words<STATUSR, 1> {
  using DORMANT = Field<0, 0, bool>;
};
inline constexpr FieldRow statusr_fields[] = {
    field_row<STATUSR::DORMANT>("DORMANT"),
};

struct GBPA : Words<GBPA, 1> {
  using MemAttr = Field<3, 0, unsigned>;
  using MTCFG = Field<4, 4, bool>;
  using ALLOCCFG = Field<11, 8, unsigned>;
  using SHCFG = Field<13, 12, unsigned>;
  using PRIVCFG = Field<17, 16, unsigned>;
  using INSTCFG = Field<19, 18, unsigned>;
  using ABORT = Field<20, 20, bool>;
  using Update = Field<31, 31, bool>;
};
inline constexpr FieldRow gbpa_fields[] = {
    field_row<GBPA::MemAttr>("MemAttr"),
    field_row<GBPA::MTCFG>("MTCFG"),
    field_row<GBPA::ALLOCCFG>("ALLOCCFG"),
    field_row<GBPA::SHCFG>("SHCFG", meaning::shcfg),
    field_row<GBPA::PRIVCFG>("PRIVCFG", meaning::privcfg),
    field_row<GBPA::INSTCFG>("INSTCFG", meaning::instcfg),
    field_row<GBPA::ABORT>("ABORT"),
    field_row<GBPA::Update>("Update"),
};

struct AGBPA : Words<AGBPA, 1> {
  using IMPDEF = Field<31, 0, unsigned>;
};
inline constexpr FieldRow agbpa_fields[] = {
    field_row<AGBPA::IMPDEF>("IMPLEMENTATION_DEFINED"),
};

struct IRQ_CTRL : Words<IRQ_CTRL, 1> {
  using GERROR_IRQEN = Field<0, 0, bool>;
  using PRIQ_IRQEN = Field<1, 1, bool>;
  using EVENTQ_IRQEN = Field<2, 2, bool>;
};
inline constexpr FieldRow irq_ctrl_fields[] = {
    field_row<IRQ_CTRL::GERROR_IRQEN>("GERROR_IRQEN"),
    field_row<IRQ_CTRL::PRIQ_IRQEN>("PRIQ_IRQEN"),
    field_row<IRQ_CTRL::EVENTQ_IRQEN>("EVENTQ_IRQEN"),
};

using IRQ_CTRLACK = IRQ_CTRL;

struct GERROR : Words<GERROR, 1> {
  using CMDQ_ERR = Field<0, 0, bool>;
  using EVENTQ_ABT_ERR = Field<2, 2, bool>;
  using PRIQ_ABT_ERR = Field<3, 3, bool>;
  using MSI_CMDQ_ABT_ERR = Field<4, 4, bool>;
  using MSI_EVENTQ_ABT_ERR = Field<5, 5, bool>;
  using MSI_PRIQ_ABT_ERR = Field<6, 6, bool>;
  using MSI_GERROR_ABT_ERR = Field<7, 7, bool>;
  using SFM_ERR = Field<8, 8, bool>;
  using CMDQP_ERR = Field<9, 9, bool>;
  using DPT_ERR = Field<10, 10, bool>;
};
inline constexpr FieldRow gerror_fields[] = {
    field_row<GERROR::CMDQ_ERR>("CMDQ_ERR"),
    field_row<GERROR::EVENTQ_ABT_ERR>("EVENTQ_ABT_ERR"),
    field_row<GERROR::PRIQ_ABT_ERR>("PRIQ_ABT_ERR"),
    field_row<GERROR::MSI_CMDQ_ABT_ERR>("MSI_CMDQ_ABT_ERR"),
    field_row<GERROR::MSI_EVENTQ_ABT_ERR>("MSI_EVENTQ_ABT_ERR"),
    field_row<GERROR::MSI_PRIQ_ABT_ERR>("MSI_PRIQ_ABT_ERR"),
    field_row<GERROR::MSI_GERROR_ABT_ERR>("MSI_GERROR_ABT_ERR"),
    field_row<GERROR::SFM_ERR>("SFM_ERR"),
    field_row<GERROR::CMDQP_ERR>("CMDQP_ERR"),
    field_row<GERROR::DPT_ERR>("DPT_ERR"),
};

using GERRORN = GERROR;

struct GERROR_IRQ_CFG0 : Words<GERROR_IRQ_CFG0, 1> {
  using ADDR = Field<55, 2, std::uint64_t, 2>;  ///< 0 = no MSI
};
inline constexpr FieldRow gerror_irq_cfg0_fields[] = {
    field_row<GERROR_IRQ_CFG0::ADDR>("ADDR"),
};

struct GERROR_IRQ_CFG1 : Words<GERROR_IRQ_CFG1, 1> {
  using DATA = Field<31, 0, std::uint32_t>;
};
inline constexpr FieldRow gerror_irq_cfg1_fields[] = {
    field_row<GERROR_IRQ_CFG1::DATA>("DATA"),
};

struct GERROR_IRQ_CFG2 : Words<GERROR_IRQ_CFG2, 1> {
  using MemAttr = Field<3, 0, unsigned>;
  using SH = Field<5, 4, Shareability>;
};
inline constexpr FieldRow gerror_irq_cfg2_fields[] = {
    field_row<GERROR_IRQ_CFG2::MemAttr>("MemAttr"),
    field_row<GERROR_IRQ_CFG2::SH>("SH", meaning::sh),
};

struct STRTAB_BASE : Words<STRTAB_BASE, 1> {
  using ADDR = Field<55, 6, std::uint64_t, 6>;
  using RA = Field<62, 62, bool>;
};
inline constexpr FieldRow strtab_base_fields[] = {
    field_row<STRTAB_BASE::ADDR>("ADDR"),
    field_row<STRTAB_BASE::RA>("RA"),
};

struct STRTAB_BASE_CFG : Words<STRTAB_BASE_CFG, 1> {
  using LOG2SIZE = Field<5, 0, unsigned>;
  using SPLIT = Field<10, 6, unsigned>;
  using FMT = Field<17, 16, unsigned>;
};
inline constexpr FieldRow strtab_base_cfg_fields[] = {
    field_row<STRTAB_BASE_CFG::LOG2SIZE>("LOG2SIZE"),
    field_row<STRTAB_BASE_CFG::SPLIT>("SPLIT", "6=4KiB-leaves 8=16KiB-leaves 10=64KiB-leaves"),
    field_row<STRTAB_BASE_CFG::FMT>("FMT", "0=linear 1=two-level"),
};

struct CMDQ_BASE : Words<CMDQ_BASE, 1> {
  using LOG2SIZE = Field<4, 0, unsigned>;
  using ADDR = Field<55, 5, std::uint64_t, 5>;
  using RA = Field<62, 62, bool>;
};
inline constexpr FieldRow cmdq_base_fields[] = {
    field_row<CMDQ_BASE::LOG2SIZE>("LOG2SIZE"),
    field_row<CMDQ_BASE::ADDR>("ADDR"),
    field_row<CMDQ_BASE::RA>("RA"),
};

struct CMDQ_PROD : Words<CMDQ_PROD, 1> {
  using WR = Field<19, 0, std::uint32_t>;
};
inline constexpr FieldRow cmdq_prod_fields[] = {
    field_row<CMDQ_PROD::WR>("WR"),
};

struct CMDQ_CONS : Words<CMDQ_CONS, 1> {
  using RD = Field<19, 0, std::uint32_t>;
  using ERR = Field<30, 24, CommandError>;
};
inline constexpr FieldRow cmdq_cons_fields[] = {
    field_row<CMDQ_CONS::RD>("RD"),
    field_row<CMDQ_CONS::ERR>("ERR", meaning::cerror),
};

struct EVENTQ_BASE : Words<EVENTQ_BASE, 1> {
  using LOG2SIZE = Field<4, 0, unsigned>;
  using ADDR = Field<55, 5, std::uint64_t, 5>;
  using WA = Field<62, 62, bool>;
};
inline constexpr FieldRow eventq_base_fields[] = {
    field_row<EVENTQ_BASE::LOG2SIZE>("LOG2SIZE"),
    field_row<EVENTQ_BASE::ADDR>("ADDR"),
    field_row<EVENTQ_BASE::WA>("WA"),
};

using EVENTQ_IRQ_CFG0 = GERROR_IRQ_CFG0;

using EVENTQ_IRQ_CFG1 = GERROR_IRQ_CFG1;

using EVENTQ_IRQ_CFG2 = GERROR_IRQ_CFG2;

using PRIQ_BASE = EVENTQ_BASE;

using PRIQ_IRQ_CFG0 = GERROR_IRQ_CFG0;

using PRIQ_IRQ_CFG1 = GERROR_IRQ_CFG1;

struct PRIQ_IRQ_CFG2 : Words<PRIQ_IRQ_CFG2, 1> {
  using MemAttr = Field<3, 0, unsigned>;
  using SH = Field<5, 4, Shareability>;
  using LO = Field<31, 31, bool>;
};
inline constexpr FieldRow priq_irq_cfg2_fields[] = {
    field_row<PRIQ_IRQ_CFG2::MemAttr>("MemAttr"),
    field_row<PRIQ_IRQ_CFG2::SH>("SH", meaning::sh),
    field_row<PRIQ_IRQ_CFG2::LO>("LO", "0=non-empty 1=last"),
};

}  // namespace smmusim::spec
