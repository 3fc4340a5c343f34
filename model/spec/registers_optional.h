// SPDX-License-Identifier: MIT
// Fields of the registers that exist only with optional features (ATOS, MPAM, DPT, ECMDQ) and of the CoreSight
// identification registers (IHI 0070 sections 6.3.37 to 6.3.51). Access, guards and reset belong to model/smmu.
#pragma once

#include <cstdint>

#include "model/base/field.h"
#include "model/spec/codes.h"
#include "model/spec/register_offsets.h"

namespace smmusim::spec {

struct GATOS_CTRL : Words<GATOS_CTRL, 1> {
  using RUN = Field<0, 0, bool>;
};
inline constexpr FieldRow gatos_ctrl_fields[] = {
    field_row<GATOS_CTRL::RUN>("RUN"),
};

struct GATOS_SID : Words<GATOS_SID, 1> {
  using STREAMID = Field<31, 0, std::uint32_t>;
  using SUBSTREAMID = Field<51, 32, std::uint32_t>;
  using SSID_VALID = Field<52, 52, bool>;
};
inline constexpr FieldRow gatos_sid_fields[] = {
    field_row<GATOS_SID::STREAMID>("STREAMID"),
    field_row<GATOS_SID::SUBSTREAMID>("SUBSTREAMID"),
    field_row<GATOS_SID::SSID_VALID>("SSID_VALID"),
};

struct GATOS_ADDR : Words<GATOS_ADDR, 1> {
  using HTTUI = Field<6, 6, bool>;
  using InD = Field<7, 7, bool>;
  using RnW = Field<8, 8, bool>;
  using PnU = Field<9, 9, bool>;
  using TYPE = Field<11, 10, unsigned>;
  using ADDR = Field<63, 12, std::uint64_t, 12>;
};
inline constexpr FieldRow gatos_addr_fields[] = {
    field_row<GATOS_ADDR::HTTUI>("HTTUI"),
    field_row<GATOS_ADDR::InD>("InD", "0=data 1=instruction"),
    field_row<GATOS_ADDR::RnW>("RnW", "0=write 1=read"),
    field_row<GATOS_ADDR::PnU>("PnU", "0=unprivileged 1=privileged"),
    field_row<GATOS_ADDR::TYPE>("TYPE", "0=reserved 1=stage1 2=stage2 3=stage1+stage2"),
    field_row<GATOS_ADDR::ADDR>("ADDR"),
};

struct GATOS_PAR : Words<GATOS_PAR, 1> {
  using FAULT = Field<0, 0, bool>;
  using SH = Field<9, 8, Shareability>;
  using Size = Field<11, 11, bool>;
  using ADDR = Field<55, 12, std::uint64_t, 12>;
  using ATTR = Field<63, 56, unsigned>;

  // When FAULT is 1:
  using REASON = Field<2, 1, unsigned>;
  using FAULTCODE = Field<11, 4, unsigned>;
  using FADDR = Field<55, 12, std::uint64_t, 12>;
};
inline constexpr FieldRow gatos_par_fields[] = {
    field_row<GATOS_PAR::FAULT>("FAULT"), field_row<GATOS_PAR::SH>("SH", meaning::sh),
    field_row<GATOS_PAR::Size>("Size"),   field_row<GATOS_PAR::ADDR>("ADDR"),
    field_row<GATOS_PAR::ATTR>("ATTR"),
};
/// GATOS_PAR when FAULT is 1.
inline constexpr FieldRow gatos_par_fault_fields[] = {
    field_row<GATOS_PAR::FAULT>("FAULT"),         field_row<GATOS_PAR::REASON>("REASON", "0=stage1 1=CD 2=TT 3=IN"),
    field_row<GATOS_PAR::FAULTCODE>("FAULTCODE"), field_row<GATOS_PAR::FADDR>("FADDR"),
    {"IMPLEMENTATION_DEFINED", 63, 60, 0, ""},
};

struct MPAMIDR : Words<MPAMIDR, 1> {
  using PARTID_MAX = Field<15, 0, unsigned>;
  using PMG_MAX = Field<23, 16, unsigned>;
};
inline constexpr FieldRow mpamidr_fields[] = {
    field_row<MPAMIDR::PARTID_MAX>("PARTID_MAX"),
    field_row<MPAMIDR::PMG_MAX>("PMG_MAX"),
};

struct GMPAM : Words<GMPAM, 1> {
  using SO_PARTID = Field<15, 0, unsigned>;
  using SO_PMG = Field<23, 16, unsigned>;
  using Update = Field<31, 31, bool>;
};
inline constexpr FieldRow gmpam_fields[] = {
    field_row<GMPAM::SO_PARTID>("SO_PARTID"),
    field_row<GMPAM::SO_PMG>("SO_PMG"),
    field_row<GMPAM::Update>("Update"),
};

struct GBPMPAM : Words<GBPMPAM, 1> {
  using GBP_PARTID = Field<15, 0, unsigned>;
  using GBP_PMG = Field<23, 16, unsigned>;
  using Update = Field<31, 31, bool>;
};
inline constexpr FieldRow gbpmpam_fields[] = {
    field_row<GBPMPAM::GBP_PARTID>("GBP_PARTID"),
    field_row<GBPMPAM::GBP_PMG>("GBP_PMG"),
    field_row<GBPMPAM::Update>("Update"),
};

struct VATOS_SEL : Words<VATOS_SEL, 1> {
  using VMID = Field<15, 0, std::uint16_t>;
};
inline constexpr FieldRow vatos_sel_fields[] = {
    field_row<VATOS_SEL::VMID>("VMID"),
};

struct DPT_BASE : Words<DPT_BASE, 1> {
  using BADDR = Field<55, 12, std::uint64_t, 12>;
  using RA = Field<62, 62, bool>;
};
inline constexpr FieldRow dpt_base_fields[] = {
    field_row<DPT_BASE::BADDR>("BADDR"),
    field_row<DPT_BASE::RA>("RA"),
};

struct DPT_BASE_CFG : Words<DPT_BASE_CFG, 1> {
  using DPTPS = Field<2, 0, unsigned>;
  using DPTGS = Field<15, 14, Tg0>;
  using L0DPTSZ = Field<23, 20, unsigned>;
};
inline constexpr FieldRow dpt_base_cfg_fields[] = {
    field_row<DPT_BASE_CFG::DPTPS>("DPTPS", meaning::address_size),
    field_row<DPT_BASE_CFG::DPTGS>("DPTGS", meaning::tg0),
    field_row<DPT_BASE_CFG::L0DPTSZ>("L0DPTSZ"),
};

struct DPT_CFG_FAR : Words<DPT_CFG_FAR, 1> {
  using FAULT = Field<0, 0, bool>;
  using LEVEL = Field<1, 1, bool>;
  using DPT_FAULTCODE = Field<7, 4, unsigned>;
  using FADDR = Field<55, 12, std::uint64_t, 12>;
};
inline constexpr FieldRow dpt_cfg_far_fields[] = {
    field_row<DPT_CFG_FAR::FAULT>("FAULT"),
    field_row<DPT_CFG_FAR::LEVEL>("LEVEL"),
    field_row<DPT_CFG_FAR::DPT_FAULTCODE>("DPT_FAULTCODE", "0=DISABLED 1=WALK_FAULT 2=GPC_FAULT 3=EABT"),
    field_row<DPT_CFG_FAR::FADDR>("FADDR"),
};

struct PIDR4 : Words<PIDR4, 1> {
  using DES_2 = Field<3, 0, unsigned>;
  using SIZE = Field<7, 4, unsigned>;
};
inline constexpr FieldRow pidr4_fields[] = {
    field_row<PIDR4::DES_2>("DES_2"),
    field_row<PIDR4::SIZE>("SIZE"),
};

struct PIDR0 : Words<PIDR0, 1> {
  using PART_0 = Field<7, 0, unsigned>;
};
inline constexpr FieldRow pidr0_fields[] = {
    field_row<PIDR0::PART_0>("PART_0"),
};

struct PIDR1 : Words<PIDR1, 1> {
  using PART_1 = Field<3, 0, unsigned>;
  using DES_0 = Field<7, 4, unsigned>;
};
inline constexpr FieldRow pidr1_fields[] = {
    field_row<PIDR1::PART_1>("PART_1"),
    field_row<PIDR1::DES_0>("DES_0"),
};

struct PIDR2 : Words<PIDR2, 1> {
  using DES_1 = Field<2, 0, unsigned>;
  using JEDEC = Field<3, 3, bool>;
  using REVISION = Field<7, 4, unsigned>;
};
inline constexpr FieldRow pidr2_fields[] = {
    field_row<PIDR2::DES_1>("DES_1"),
    field_row<PIDR2::JEDEC>("JEDEC"),
    field_row<PIDR2::REVISION>("REVISION"),
};

struct PIDR3 : Words<PIDR3, 1> {
  using CMOD = Field<3, 0, unsigned>;
  using REVAND = Field<7, 4, unsigned>;
};
inline constexpr FieldRow pidr3_fields[] = {
    field_row<PIDR3::CMOD>("CMOD"),
    field_row<PIDR3::REVAND>("REVAND"),
};

struct CIDR0 : Words<CIDR0, 1> {
  using PRMBL_0 = Field<7, 0, unsigned>;
};
inline constexpr FieldRow cidr0_fields[] = {
    field_row<CIDR0::PRMBL_0>("PRMBL_0"),
};

struct CIDR1 : Words<CIDR1, 1> {
  using PRMBL_1 = Field<3, 0, unsigned>;
  using CLASS = Field<7, 4, unsigned>;
};
inline constexpr FieldRow cidr1_fields[] = {
    field_row<CIDR1::PRMBL_1>("PRMBL_1"),
    field_row<CIDR1::CLASS>("CLASS"),
};

struct CIDR2 : Words<CIDR2, 1> {
  using PRMBL_2 = Field<7, 0, unsigned>;
};
inline constexpr FieldRow cidr2_fields[] = {
    field_row<CIDR2::PRMBL_2>("PRMBL_2"),
};

struct CIDR3 : Words<CIDR3, 1> {
  using PRMBL_3 = Field<7, 0, unsigned>;
};
inline constexpr FieldRow cidr3_fields[] = {
    field_row<CIDR3::PRMBL_3>("PRMBL_3"),
};

struct CMDQ_CONTROL_PAGE_BASE : Words<CMDQ_CONTROL_PAGE_BASE, 1> {
  using CMDQ_CONTROL_PAGE_PRESET = Field<0, 0, bool>;
  using CMDQGS = Field<2, 1, unsigned>;
  using ADDR = Field<55, 16, std::uint64_t, 16>;
};
inline constexpr FieldRow cmdq_control_page_base_fields[] = {
    field_row<CMDQ_CONTROL_PAGE_BASE::CMDQ_CONTROL_PAGE_PRESET>("CMDQ_CONTROL_PAGE_PRESET"),
    field_row<CMDQ_CONTROL_PAGE_BASE::CMDQGS>("CMDQGS"),
    field_row<CMDQ_CONTROL_PAGE_BASE::ADDR>("ADDR"),
};

struct CMDQ_CONTROL_PAGE_CFG : Words<CMDQ_CONTROL_PAGE_CFG, 1> {
  using EN = Field<0, 0, bool>;
};
inline constexpr FieldRow cmdq_control_page_cfg_fields[] = {
    field_row<CMDQ_CONTROL_PAGE_CFG::EN>("EN"),
};

struct CMDQ_CONTROL_PAGE_STATUS : Words<CMDQ_CONTROL_PAGE_STATUS, 1> {
  using ENACK = Field<0, 0, bool>;
};
inline constexpr FieldRow cmdq_control_page_status_fields[] = {
    field_row<CMDQ_CONTROL_PAGE_STATUS::ENACK>("ENACK"),
};

struct EVENTQ_PROD : Words<EVENTQ_PROD, 1> {
  using WR = Field<19, 0, std::uint32_t>;
  using OVFLG = Field<31, 31, bool>;
};
inline constexpr FieldRow eventq_prod_fields[] = {
    field_row<EVENTQ_PROD::WR>("WR"),
    field_row<EVENTQ_PROD::OVFLG>("OVFLG"),
};

struct EVENTQ_CONS : Words<EVENTQ_CONS, 1> {
  using RD = Field<19, 0, std::uint32_t>;
  using OVACKFLG = Field<31, 31, bool>;
};
inline constexpr FieldRow eventq_cons_fields[] = {
    field_row<EVENTQ_CONS::RD>("RD"),
    field_row<EVENTQ_CONS::OVACKFLG>("OVACKFLG"),
};

using PRIQ_PROD = EVENTQ_PROD;

using PRIQ_CONS = EVENTQ_CONS;

}  // namespace smmusim::spec
