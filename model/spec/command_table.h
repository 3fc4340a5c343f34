// SPDX-License-Identifier: MIT
// Which command has which fields (IHI 0070 chapter 4): one row per command, for decode and the reserved-bit masks.
// The NS flag of CMD_TLBI_S_S2_IPA and MSI_NS of CMD_SYNC (Secure and Realm queues only) have no row: their positions
// are not established. SCALE is listed with 5 bits; IDR5.DS=1 widens it to Command::SCALE_DS.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "model/base/field.h"
#include "model/spec/command.h"

namespace smmusim::spec {

namespace command_fields {
// Rows that several commands share.
namespace row {
inline constexpr FieldRow OP = field_row<Command::OP>("OP");
inline constexpr FieldRow SSec = field_row<Command::SSec>("SSec");
inline constexpr FieldRow SSV = field_row<Command::SSV>("SSV");
inline constexpr FieldRow SubstreamID = field_row<Command::SubstreamID>("SubstreamID");
inline constexpr FieldRow StreamID = field_row<Command::StreamID>("StreamID");
inline constexpr FieldRow PrefetchSize = field_row<Command::PrefetchSize>("Size");
inline constexpr FieldRow Stride = field_row<Command::Stride>("Stride");
inline constexpr FieldRow NS = field_row<Command::NS>("NS");
inline constexpr FieldRow Address = field_row<Command::Address>("Address");
inline constexpr FieldRow Leaf = field_row<Command::Leaf>("Leaf", "0=all-levels 1=last-level");
inline constexpr FieldRow Range = field_row<Command::Range>("Range");
inline constexpr FieldRow VMID = field_row<Command::VMID>("VMID");
inline constexpr FieldRow ASID = field_row<Command::ASID>("ASID");
inline constexpr FieldRow NUM = field_row<Command::NUM>("NUM");
inline constexpr FieldRow SCALE = field_row<Command::SCALE>("SCALE");
inline constexpr FieldRow TTL128 = field_row<Command::TTL128>("TTL128");
inline constexpr FieldRow TTL = field_row<Command::TTL>("TTL");
inline constexpr FieldRow TG = field_row<Command::TG>("TG", meaning::tlbi_tg);
inline constexpr FieldRow IPA = field_row<Command::IPA>("Address");
inline constexpr FieldRow G = field_row<Command::G>("G");
inline constexpr FieldRow AtcSize = field_row<Command::AtcSize>("Size");
inline constexpr FieldRow PRGIndex = field_row<Command::PRGIndex>("PRGIndex");
inline constexpr FieldRow Resp =
    field_row<Command::Resp>("Resp", "0=ResponseFailure 1=InvalidRequest 2=Success 3=reserved");
inline constexpr FieldRow Ac = field_row<Command::Ac>("Ac", "0=terminate 1=retry");
inline constexpr FieldRow Ab = field_row<Command::Ab>("Ab", "0=RAZ/WI 1=abort");
inline constexpr FieldRow STAG = field_row<Command::STAG>("STAG");
inline constexpr FieldRow CS = field_row<Command::CS>("CS", "0=none 1=IRQ 2=SEV 3=reserved");
inline constexpr FieldRow MSH = field_row<Command::MSH>("MSH", meaning::sh);
inline constexpr FieldRow MSIAttr = field_row<Command::MSIAttr>("MSIAttr");
inline constexpr FieldRow MSIData = field_row<Command::MSIData>("MSIData");
inline constexpr FieldRow MSIAddress = field_row<Command::MSIAddress>("MSIAddress");
inline constexpr FieldRow DptSize = field_row<Command::DptSize>("SIZE");
inline constexpr FieldRow DptAddress = field_row<Command::DptAddress>("Address");
}  // namespace row

inline constexpr FieldRow prefetch_config[] = {row::OP, row::SSec, row::SSV, row::SubstreamID, row::StreamID};
inline constexpr FieldRow prefetch_addr[] = {row::OP,           row::SSec,   row::SSV, row::SubstreamID, row::StreamID,
                                             row::PrefetchSize, row::Stride, row::NS,  row::Address};
inline constexpr FieldRow cfgi_ste[] = {row::OP, row::SSec, row::StreamID, row::Leaf};
inline constexpr FieldRow cfgi_ste_range[] = {row::OP, row::SSec, row::StreamID, row::Range};
inline constexpr FieldRow cfgi_cd[] = {row::OP, row::SSec, row::SubstreamID, row::StreamID, row::Leaf};
inline constexpr FieldRow cfgi_cd_all[] = {row::OP, row::SSec, row::StreamID};
inline constexpr FieldRow cfgi_vms_pidm[] = {row::OP, row::SSec, row::VMID};
inline constexpr FieldRow tlbi_nh_all[] = {row::OP, row::VMID};
inline constexpr FieldRow tlbi_nh_asid[] = {row::OP, row::VMID, row::ASID};
inline constexpr FieldRow tlbi_nh_va[] = {row::OP,   row::NUM,    row::SCALE, row::VMID, row::ASID,
                                          row::Leaf, row::TTL128, row::TTL,   row::TG,   row::Address};
inline constexpr FieldRow tlbi_nh_vaa[] = {row::OP,     row::NUM, row::SCALE, row::VMID,   row::Leaf,
                                           row::TTL128, row::TTL, row::TG,    row::Address};
inline constexpr FieldRow tlbi_el3_all[] = {row::OP};
inline constexpr FieldRow tlbi_el3_va[] = {row::OP,     row::NUM, row::SCALE, row::Leaf,
                                           row::TTL128, row::TTL, row::TG,    row::Address};
inline constexpr FieldRow tlbi_el2_asid[] = {row::OP, row::ASID};
inline constexpr FieldRow tlbi_el2_va[] = {row::OP,     row::NUM, row::SCALE, row::ASID,   row::Leaf,
                                           row::TTL128, row::TTL, row::TG,    row::Address};
inline constexpr FieldRow tlbi_s2_ipa[] = {row::OP,     row::NUM, row::SCALE, row::VMID, row::Leaf,
                                           row::TTL128, row::TTL, row::TG,    row::IPA};
inline constexpr FieldRow atc_inv[] = {row::OP,       row::G,       row::SSV,    row::SubstreamID,
                                       row::StreamID, row::AtcSize, row::Address};
inline constexpr FieldRow pri_resp[] = {row::OP, row::SSV, row::SubstreamID, row::StreamID, row::PRGIndex, row::Resp};
inline constexpr FieldRow resume[] = {row::OP, row::SSec, row::Ac, row::Ab, row::StreamID, row::STAG};
inline constexpr FieldRow sync[] = {row::OP, row::CS, row::MSH, row::MSIAttr, row::MSIData, row::MSIAddress};
inline constexpr FieldRow dpti_pa[] = {row::OP, row::Leaf, row::DptSize, row::DptAddress};
}  // namespace command_fields

struct CommandInfo {
  Opcode opcode;
  std::string_view name;
  std::span<const FieldRow> fields;  ///< what no row covers is RES0
};

/// Every architected command, by opcode.
inline constexpr CommandInfo command_table[] = {
    {Opcode::CMD_PREFETCH_CONFIG, "CMD_PREFETCH_CONFIG", command_fields::prefetch_config},
    {Opcode::CMD_PREFETCH_ADDR, "CMD_PREFETCH_ADDR", command_fields::prefetch_addr},
    {Opcode::CMD_CFGI_STE, "CMD_CFGI_STE", command_fields::cfgi_ste},
    {Opcode::CMD_CFGI_STE_RANGE, "CMD_CFGI_STE_RANGE", command_fields::cfgi_ste_range},
    {Opcode::CMD_CFGI_CD, "CMD_CFGI_CD", command_fields::cfgi_cd},
    {Opcode::CMD_CFGI_CD_ALL, "CMD_CFGI_CD_ALL", command_fields::cfgi_cd_all},
    {Opcode::CMD_CFGI_VMS_PIDM, "CMD_CFGI_VMS_PIDM", command_fields::cfgi_vms_pidm},
    {Opcode::CMD_TLBI_NH_ALL, "CMD_TLBI_NH_ALL", command_fields::tlbi_nh_all},
    {Opcode::CMD_TLBI_NH_ASID, "CMD_TLBI_NH_ASID", command_fields::tlbi_nh_asid},
    {Opcode::CMD_TLBI_NH_VA, "CMD_TLBI_NH_VA", command_fields::tlbi_nh_va},
    {Opcode::CMD_TLBI_NH_VAA, "CMD_TLBI_NH_VAA", command_fields::tlbi_nh_vaa},
    {Opcode::CMD_TLBI_EL3_ALL, "CMD_TLBI_EL3_ALL", command_fields::tlbi_el3_all},
    {Opcode::CMD_TLBI_EL3_VA, "CMD_TLBI_EL3_VA", command_fields::tlbi_el3_va},
    {Opcode::CMD_TLBI_EL2_ALL, "CMD_TLBI_EL2_ALL", command_fields::tlbi_el3_all},
    {Opcode::CMD_TLBI_EL2_ASID, "CMD_TLBI_EL2_ASID", command_fields::tlbi_el2_asid},
    {Opcode::CMD_TLBI_EL2_VA, "CMD_TLBI_EL2_VA", command_fields::tlbi_el2_va},
    {Opcode::CMD_TLBI_EL2_VAA, "CMD_TLBI_EL2_VAA", command_fields::tlbi_el3_va},
    {Opcode::CMD_TLBI_S12_VMALL, "CMD_TLBI_S12_VMALL", command_fields::tlbi_nh_all},
    {Opcode::CMD_TLBI_S2_IPA, "CMD_TLBI_S2_IPA", command_fields::tlbi_s2_ipa},
    {Opcode::CMD_TLBI_NSNH_ALL, "CMD_TLBI_NSNH_ALL", command_fields::tlbi_el3_all},
    {Opcode::CMD_ATC_INV, "CMD_ATC_INV", command_fields::atc_inv},
    {Opcode::CMD_PRI_RESP, "CMD_PRI_RESP", command_fields::pri_resp},
    {Opcode::CMD_RESUME, "CMD_RESUME", command_fields::resume},
    {Opcode::CMD_STALL_TERM, "CMD_STALL_TERM", command_fields::cfgi_cd_all},
    {Opcode::CMD_SYNC, "CMD_SYNC", command_fields::sync},
    {Opcode::CMD_TLBI_S_EL2_ALL, "CMD_TLBI_S_EL2_ALL", command_fields::tlbi_el3_all},
    {Opcode::CMD_TLBI_S_EL2_ASID, "CMD_TLBI_S_EL2_ASID", command_fields::tlbi_el2_asid},
    {Opcode::CMD_TLBI_S_EL2_VA, "CMD_TLBI_S_EL2_VA", command_fields::tlbi_el2_va},
    {Opcode::CMD_TLBI_S_EL2_VAA, "CMD_TLBI_S_EL2_VAA", command_fields::tlbi_el3_va},
    {Opcode::CMD_TLBI_S_S12_VMALL, "CMD_TLBI_S_S12_VMALL", command_fields::tlbi_nh_all},
    {Opcode::CMD_TLBI_S_S2_IPA, "CMD_TLBI_S_S2_IPA", command_fields::tlbi_s2_ipa},
    {Opcode::CMD_TLBI_SNH_ALL, "CMD_TLBI_SNH_ALL", command_fields::tlbi_el3_all},
    {Opcode::CMD_DPTI_ALL, "CMD_DPTI_ALL", command_fields::tlbi_el3_all},
    {Opcode::CMD_DPTI_PA, "CMD_DPTI_PA", command_fields::dpti_pa},
};

/// The row of an opcode; nullptr for reserved and IMPLEMENTATION DEFINED opcodes.
constexpr const CommandInfo* find_command(std::uint8_t opcode) {
  for (const CommandInfo& info : command_table) {
    if (static_cast<std::uint8_t>(info.opcode) == opcode) return &info;
  }
  return nullptr;
}

}  // namespace smmusim::spec
