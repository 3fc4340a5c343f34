// SPDX-License-Identifier: MIT
// ID registers of the Non-secure programming interface (IHI 0070 sections 6.3.1 to 6.3.8 and 6.3.45): positions only.
// features.h derives their values.
#pragma once

#include <cstdint>

#include "model/base/field.h"
#include "model/spec/codes.h"

namespace smmusim::spec {

struct IDR0 : Words<IDR0, 1> {
  using S2P = Field<0, 0, bool>;
  using S1P = Field<1, 1, bool>;
  using TTF = Field<3, 2, unsigned>;
  using COHACC = Field<4, 4, bool>;
  using BTM = Field<5, 5, bool>;
  using HTTU = Field<7, 6, unsigned>;
  using DORMHINT = Field<8, 8, bool>;
  using Hyp = Field<9, 9, bool>;
  using ATS = Field<10, 10, bool>;
  using NS1ATS = Field<11, 11, bool>;  ///< negative: 0 is "supported"
  using ASID16 = Field<12, 12, bool>;
  using MSI = Field<13, 13, bool>;
  using SEV = Field<14, 14, bool>;
  using ATOS = Field<15, 15, bool>;
  using PRI = Field<16, 16, bool>;
  using VMW = Field<17, 17, bool>;
  using VMID16 = Field<18, 18, bool>;
  using CD2L = Field<19, 19, bool>;
  using VATOS = Field<20, 20, bool>;
  using TTENDIAN = Field<22, 21, unsigned>;
  using ATSRECERR = Field<23, 23, bool>;
  using STALL_MODEL = Field<25, 24, unsigned>;
  using TERM_MODEL = Field<26, 26, bool>;
  using ST_LEVEL = Field<28, 27, unsigned>;
  using RME_IMPL = Field<30, 30, bool>;
};
inline constexpr FieldRow idr0_fields[] = {
    field_row<IDR0::S2P>("S2P"),
    field_row<IDR0::S1P>("S1P"),
    field_row<IDR0::TTF>("TTF", "0=reserved 1=LPAE 2=VMSAv8-64 3=both"),
    field_row<IDR0::COHACC>("COHACC"),
    field_row<IDR0::BTM>("BTM"),
    field_row<IDR0::HTTU>("HTTU", "0=none 1=AF 2=AF+dirty 3=AF+dirty+table-AF"),
    field_row<IDR0::DORMHINT>("DORMHINT"),
    field_row<IDR0::Hyp>("Hyp"),
    field_row<IDR0::ATS>("ATS"),
    field_row<IDR0::NS1ATS>("NS1ATS", "0=split-stage 1=no-split-stage"),
    field_row<IDR0::ASID16>("ASID16"),
    field_row<IDR0::MSI>("MSI"),
    field_row<IDR0::SEV>("SEV"),
    field_row<IDR0::ATOS>("ATOS"),
    field_row<IDR0::PRI>("PRI"),
    field_row<IDR0::VMW>("VMW"),
    field_row<IDR0::VMID16>("VMID16"),
    field_row<IDR0::CD2L>("CD2L"),
    field_row<IDR0::VATOS>("VATOS"),
    field_row<IDR0::TTENDIAN>("TTENDIAN", "0=mixed 1=reserved 2=little 3=big"),
    field_row<IDR0::ATSRECERR>("ATSRECERR"),
    field_row<IDR0::STALL_MODEL>("STALL_MODEL", "0=stall+terminate 1=terminate 2=stall-forced 3=reserved"),
    field_row<IDR0::TERM_MODEL>("TERM_MODEL", "0=abort-or-RAZ/WI 1=abort"),
    field_row<IDR0::ST_LEVEL>("ST_LEVEL", "0=linear 1=linear+two-level 2=reserved 3=reserved"),
    field_row<IDR0::RME_IMPL>("RME_IMPL"),
};

struct IDR1 : Words<IDR1, 1> {
  using SIDSIZE = Field<5, 0, unsigned>;
  using SSIDSIZE = Field<10, 6, unsigned>;
  using PRIQS = Field<15, 11, unsigned>;
  using EVENTQS = Field<20, 16, unsigned>;
  using CMDQS = Field<25, 21, unsigned>;
  using ATTR_PERMS_OVR = Field<26, 26, bool>;
  using ATTR_TYPES_OVR = Field<27, 27, bool>;
  using REL = Field<28, 28, bool>;
  using QUEUES_PRESET = Field<29, 29, bool>;
  using TABLES_PRESET = Field<30, 30, bool>;
  using ECMDQ = Field<31, 31, bool>;
};
inline constexpr FieldRow idr1_fields[] = {
    field_row<IDR1::SIDSIZE>("SIDSIZE"),
    field_row<IDR1::SSIDSIZE>("SSIDSIZE"),
    field_row<IDR1::PRIQS>("PRIQS"),
    field_row<IDR1::EVENTQS>("EVENTQS"),
    field_row<IDR1::CMDQS>("CMDQS"),
    field_row<IDR1::ATTR_PERMS_OVR>("ATTR_PERMS_OVR"),
    field_row<IDR1::ATTR_TYPES_OVR>("ATTR_TYPES_OVR"),
    field_row<IDR1::REL>("REL"),
    field_row<IDR1::QUEUES_PRESET>("QUEUES_PRESET"),
    field_row<IDR1::TABLES_PRESET>("TABLES_PRESET"),
    field_row<IDR1::ECMDQ>("ECMDQ"),
};

struct IDR2 : Words<IDR2, 1> {
  using BA_VATOS = Field<9, 0, unsigned>;
};
inline constexpr FieldRow idr2_fields[] = {
    field_row<IDR2::BA_VATOS>("BA_VATOS"),
};

struct IDR3 : Words<IDR3, 1> {
  using HAD = Field<2, 2, bool>;
  using PBHA = Field<3, 3, bool>;
  using XNX = Field<4, 4, bool>;
  using PPS = Field<5, 5, bool>;
  using MPAM = Field<7, 7, bool>;
  using FWB = Field<8, 8, bool>;
  using STT = Field<9, 9, bool>;
  using RIL = Field<10, 10, bool>;
  using BBML = Field<12, 11, unsigned>;
  using E0PD = Field<13, 13, bool>;
  using PTWNNC = Field<14, 14, bool>;
  using DPT = Field<15, 15, bool>;
  using PASIDTT = Field<16, 16, bool>;
  using EPAN = Field<17, 17, bool>;
  using S1PI = Field<18, 18, bool>;
  using S2PI = Field<19, 19, bool>;
  using S2PO = Field<20, 20, bool>;
  using THE = Field<21, 21, bool>;
  using MTEPERM = Field<22, 22, bool>;
  using AIE = Field<23, 23, bool>;
};
inline constexpr FieldRow idr3_fields[] = {
    field_row<IDR3::HAD>("HAD"),
    field_row<IDR3::PBHA>("PBHA"),
    field_row<IDR3::XNX>("XNX"),
    field_row<IDR3::PPS>("PPS"),
    field_row<IDR3::MPAM>("MPAM"),
    field_row<IDR3::FWB>("FWB"),
    field_row<IDR3::STT>("STT"),
    field_row<IDR3::RIL>("RIL"),
    field_row<IDR3::BBML>("BBML", "0=level0 1=level1 2=level2 3=reserved"),
    field_row<IDR3::E0PD>("E0PD"),
    field_row<IDR3::PTWNNC>("PTWNNC"),
    field_row<IDR3::DPT>("DPT"),
    field_row<IDR3::PASIDTT>("PASIDTT"),
    field_row<IDR3::EPAN>("EPAN"),
    field_row<IDR3::S1PI>("S1PI"),
    field_row<IDR3::S2PI>("S2PI"),
    field_row<IDR3::S2PO>("S2PO"),
    field_row<IDR3::THE>("THE"),
    field_row<IDR3::MTEPERM>("MTEPERM"),
    field_row<IDR3::AIE>("AIE"),
};

struct IDR4 : Words<IDR4, 1> {
  using IMPDEF = Field<31, 0, unsigned>;
};
inline constexpr FieldRow idr4_fields[] = {
    field_row<IDR4::IMPDEF>("IMPLEMENTATION_DEFINED"),
};

struct IDR5 : Words<IDR5, 1> {
  using OAS = Field<2, 0, unsigned>;
  using GRAN4K = Field<4, 4, bool>;
  using GRAN16K = Field<5, 5, bool>;
  using GRAN64K = Field<6, 6, bool>;
  using DS = Field<7, 7, bool>;
  using D128 = Field<8, 8, bool>;
  using VAX = Field<11, 10, unsigned>;
  using STALL_MAX = Field<31, 16, unsigned>;
};
inline constexpr FieldRow idr5_fields[] = {
    field_row<IDR5::OAS>("OAS", meaning::address_size),
    field_row<IDR5::GRAN4K>("GRAN4K"),
    field_row<IDR5::GRAN16K>("GRAN16K"),
    field_row<IDR5::GRAN64K>("GRAN64K"),
    field_row<IDR5::DS>("DS"),
    field_row<IDR5::D128>("D128"),
    field_row<IDR5::VAX>("VAX", "0=48bit 1=52bit 2=56bit 3=reserved"),
    field_row<IDR5::STALL_MAX>("STALL_MAX"),
};

struct IDR6 : Words<IDR6, 1> {
  using CMDQ_CONTROL_PAGE_LOG2NUMQ = Field<19, 16, unsigned>;
  using CMDQ_CONTROL_PAGE_LOG2NUMP = Field<27, 24, unsigned>;
};
inline constexpr FieldRow idr6_fields[] = {
    field_row<IDR6::CMDQ_CONTROL_PAGE_LOG2NUMQ>("CMDQ_CONTROL_PAGE_LOG2NUMQ"),
    field_row<IDR6::CMDQ_CONTROL_PAGE_LOG2NUMP>("CMDQ_CONTROL_PAGE_LOG2NUMP"),
};

struct IIDR : Words<IIDR, 1> {
  using Implementer = Field<11, 0, unsigned>;
  using Revision = Field<15, 12, unsigned>;
  using Variant = Field<19, 16, unsigned>;
  using ProductID = Field<31, 20, unsigned>;
};
inline constexpr FieldRow iidr_fields[] = {
    field_row<IIDR::Implementer>("Implementer"),
    field_row<IIDR::Revision>("Revision"),
    field_row<IIDR::Variant>("Variant"),
    field_row<IIDR::ProductID>("ProductID"),
};

struct AIDR : Words<AIDR, 1> {
  using ArchMinorRev = Field<3, 0, unsigned>;
  using ArchMajorRev = Field<7, 4, unsigned>;
};
inline constexpr FieldRow aidr_fields[] = {
    field_row<AIDR::ArchMinorRev>("ArchMinorRev", "0=SMMUv3.0 1=SMMUv3.1 2=SMMUv3.2 3=SMMUv3.3 4=SMMUv3.4"),
    field_row<AIDR::ArchMajorRev>("ArchMajorRev"),
};

}  // namespace smmusim::spec
