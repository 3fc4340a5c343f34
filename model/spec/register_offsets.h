// SPDX-License-Identifier: MIT
// Offsets of the Non-secure programming interface, page 0 and page 1, from the SMMU's base (IHI 0070 section 6.2.1).
// Names as in the specification without the SMMU_ prefix.
#pragma once

#include <cstdint>

namespace smmusim::spec::reg {

inline constexpr std::uint32_t IDR0 = 0x0;
inline constexpr std::uint32_t IDR1 = 0x4;
inline constexpr std::uint32_t IDR2 = 0x8;
inline constexpr std::uint32_t IDR3 = 0xc;
inline constexpr std::uint32_t IDR4 = 0x10;
inline constexpr std::uint32_t IDR5 = 0x14;
inline constexpr std::uint32_t IIDR = 0x18;
inline constexpr std::uint32_t AIDR = 0x1c;
inline constexpr std::uint32_t CR0 = 0x20;
inline constexpr std::uint32_t CR0ACK = 0x24;
inline constexpr std::uint32_t CR1 = 0x28;
inline constexpr std::uint32_t CR2 = 0x2c;
inline constexpr std::uint32_t S2PII = 0x30;
inline constexpr std::uint32_t STATUSR = 0x40;
inline constexpr std::uint32_t GBPA = 0x44;
inline constexpr std::uint32_t AGBPA = 0x48;
inline constexpr std::uint32_t IRQ_CTRL = 0x50;
inline constexpr std::uint32_t IRQ_CTRLACK = 0x54;
inline constexpr std::uint32_t GERROR = 0x60;
inline constexpr std::uint32_t GERRORN = 0x64;
inline constexpr std::uint32_t GERROR_IRQ_CFG0 = 0x68;
inline constexpr std::uint32_t GERROR_IRQ_CFG1 = 0x70;
inline constexpr std::uint32_t GERROR_IRQ_CFG2 = 0x74;
inline constexpr std::uint32_t STRTAB_BASE = 0x80;
inline constexpr std::uint32_t STRTAB_BASE_CFG = 0x88;
inline constexpr std::uint32_t CMDQ_BASE = 0x90;
inline constexpr std::uint32_t CMDQ_PROD = 0x98;
inline constexpr std::uint32_t CMDQ_CONS = 0x9c;
inline constexpr std::uint32_t EVENTQ_BASE = 0xa0;
inline constexpr std::uint32_t EVENTQ_IRQ_CFG0 = 0xb0;
inline constexpr std::uint32_t EVENTQ_IRQ_CFG1 = 0xb8;
inline constexpr std::uint32_t EVENTQ_IRQ_CFG2 = 0xbc;
inline constexpr std::uint32_t PRIQ_BASE = 0xc0;
inline constexpr std::uint32_t PRIQ_IRQ_CFG0 = 0xd0;
inline constexpr std::uint32_t PRIQ_IRQ_CFG1 = 0xd8;
inline constexpr std::uint32_t PRIQ_IRQ_CFG2 = 0xdc;
inline constexpr std::uint32_t GATOS_CTRL = 0x100;
inline constexpr std::uint32_t GATOS_SID = 0x108;
inline constexpr std::uint32_t GATOS_ADDR = 0x110;
inline constexpr std::uint32_t GATOS_PAR = 0x118;
inline constexpr std::uint32_t MPAMIDR = 0x130;
inline constexpr std::uint32_t GMPAM = 0x138;
inline constexpr std::uint32_t GBPMPAM = 0x13c;
inline constexpr std::uint32_t VATOS_SEL = 0x180;
inline constexpr std::uint32_t IDR6 = 0x190;
inline constexpr std::uint32_t DPT_BASE = 0x200;
inline constexpr std::uint32_t DPT_BASE_CFG = 0x208;
inline constexpr std::uint32_t DPT_CFG_FAR = 0x210;
inline constexpr std::uint32_t PIDR4 = 0xfd0;
inline constexpr std::uint32_t PIDR5 = 0xfd4;
inline constexpr std::uint32_t PIDR6 = 0xfd8;
inline constexpr std::uint32_t PIDR7 = 0xfdc;
inline constexpr std::uint32_t PIDR0 = 0xfe0;
inline constexpr std::uint32_t PIDR1 = 0xfe4;
inline constexpr std::uint32_t PIDR2 = 0xfe8;
inline constexpr std::uint32_t PIDR3 = 0xfec;
inline constexpr std::uint32_t CIDR0 = 0xff0;
inline constexpr std::uint32_t CIDR1 = 0xff4;
inline constexpr std::uint32_t CIDR2 = 0xff8;
inline constexpr std::uint32_t CIDR3 = 0xffc;
inline constexpr std::uint32_t CMDQ_CONTROL_PAGE_BASE = 0x4000;
inline constexpr std::uint32_t CMDQ_CONTROL_PAGE_CFG = 0x4008;
inline constexpr std::uint32_t CMDQ_CONTROL_PAGE_STATUS = 0x400c;
inline constexpr std::uint32_t EVENTQ_PROD = 0x100a8;
inline constexpr std::uint32_t EVENTQ_CONS = 0x100ac;
inline constexpr std::uint32_t PRIQ_PROD = 0x100c8;
inline constexpr std::uint32_t PRIQ_CONS = 0x100cc;

/// CMDQ_CONTROL_PAGE_BASE, _CFG and _STATUS repeat this often and this far apart (bytes).
inline constexpr std::uint32_t CMDQ_CONTROL_PAGE_count = 256;
inline constexpr std::uint32_t CMDQ_CONTROL_PAGE_stride = 32;

/// The frame's size: two pages of 64 KiB. VATOS and ECMDQ pages lie beyond it.
inline constexpr std::uint32_t frame_bytes = 0x20000;

}  // namespace smmusim::spec::reg
