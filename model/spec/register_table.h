// SPDX-License-Identifier: MIT
// The registers of page 0 and page 1 as a table {name, offset, width, fields}, by offset: for decode and for the
// register file of model/smmu, which adds access, guard and reset.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "model/base/field.h"
#include "model/spec/registers.h"
#include "model/spec/registers_optional.h"

namespace smmusim::spec {

struct RegisterRow {
  std::string_view name;  ///< without the SMMU_ prefix
  std::uint32_t offset;   ///< bytes from the SMMU's base
  unsigned width_bits;    ///< 32 or 64
  std::span<const FieldRow> fields;
  std::uint32_t count = 1;   ///< how often it repeats ...
  std::uint32_t stride = 0;  ///< ... and how far apart, in bytes
};

inline constexpr RegisterRow register_table[] = {
    {"IDR0", reg::IDR0, 32, idr0_fields},
    {"IDR1", reg::IDR1, 32, idr1_fields},
    {"IDR2", reg::IDR2, 32, idr2_fields},
    {"IDR3", reg::IDR3, 32, idr3_fields},
    {"IDR4", reg::IDR4, 32, idr4_fields},
    {"IDR5", reg::IDR5, 32, idr5_fields},
    {"IIDR", reg::IIDR, 32, iidr_fields},
    {"AIDR", reg::AIDR, 32, aidr_fields},
    {"CR0", reg::CR0, 32, cr0_fields},
    {"CR0ACK", reg::CR0ACK, 32, cr0_fields},
    {"CR1", reg::CR1, 32, cr1_fields},
    {"CR2", reg::CR2, 32, cr2_fields},
    {"S2PII", reg::S2PII, 64, s2pii_fields},
    {"STATUSR", reg::STATUSR, 32, statusr_fields},
    {"GBPA", reg::GBPA, 32, gbpa_fields},
    {"AGBPA", reg::AGBPA, 32, agbpa_fields},
    {"IRQ_CTRL", reg::IRQ_CTRL, 32, irq_ctrl_fields},
    {"IRQ_CTRLACK", reg::IRQ_CTRLACK, 32, irq_ctrl_fields},
    {"GERROR", reg::GERROR, 32, gerror_fields},
    {"GERRORN", reg::GERRORN, 32, gerror_fields},
    {"GERROR_IRQ_CFG0", reg::GERROR_IRQ_CFG0, 64, gerror_irq_cfg0_fields},
    {"GERROR_IRQ_CFG1", reg::GERROR_IRQ_CFG1, 32, gerror_irq_cfg1_fields},
    {"GERROR_IRQ_CFG2", reg::GERROR_IRQ_CFG2, 32, gerror_irq_cfg2_fields},
    {"STRTAB_BASE", reg::STRTAB_BASE, 64, strtab_base_fields},
    {"STRTAB_BASE_CFG", reg::STRTAB_BASE_CFG, 32, strtab_base_cfg_fields},
    {"CMDQ_BASE", reg::CMDQ_BASE, 64, cmdq_base_fields},
    {"CMDQ_PROD", reg::CMDQ_PROD, 32, cmdq_prod_fields},
    {"CMDQ_CONS", reg::CMDQ_CONS, 32, cmdq_cons_fields},
    {"EVENTQ_BASE", reg::EVENTQ_BASE, 64, eventq_base_fields},
    {"EVENTQ_IRQ_CFG0", reg::EVENTQ_IRQ_CFG0, 64, gerror_irq_cfg0_fields},
    {"EVENTQ_IRQ_CFG1", reg::EVENTQ_IRQ_CFG1, 32, gerror_irq_cfg1_fields},
    {"EVENTQ_IRQ_CFG2", reg::EVENTQ_IRQ_CFG2, 32, gerror_irq_cfg2_fields},
    {"PRIQ_BASE", reg::PRIQ_BASE, 64, eventq_base_fields},
    {"PRIQ_IRQ_CFG0", reg::PRIQ_IRQ_CFG0, 64, gerror_irq_cfg0_fields},
    {"PRIQ_IRQ_CFG1", reg::PRIQ_IRQ_CFG1, 32, gerror_irq_cfg1_fields},
    {"PRIQ_IRQ_CFG2", reg::PRIQ_IRQ_CFG2, 32, priq_irq_cfg2_fields},
    {"GATOS_CTRL", reg::GATOS_CTRL, 32, gatos_ctrl_fields},
    {"GATOS_SID", reg::GATOS_SID, 64, gatos_sid_fields},
    {"GATOS_ADDR", reg::GATOS_ADDR, 64, gatos_addr_fields},
    {"GATOS_PAR", reg::GATOS_PAR, 64, gatos_par_fields},
    {"MPAMIDR", reg::MPAMIDR, 32, mpamidr_fields},
    {"GMPAM", reg::GMPAM, 32, gmpam_fields},
    {"GBPMPAM", reg::GBPMPAM, 32, gbpmpam_fields},
    {"VATOS_SEL", reg::VATOS_SEL, 32, vatos_sel_fields},
    {"IDR6", reg::IDR6, 32, idr6_fields},
    {"DPT_BASE", reg::DPT_BASE, 64, dpt_base_fields},
    {"DPT_BASE_CFG", reg::DPT_BASE_CFG, 32, dpt_base_cfg_fields},
    {"DPT_CFG_FAR", reg::DPT_CFG_FAR, 64, dpt_cfg_far_fields},
    {"PIDR4", reg::PIDR4, 32, pidr4_fields},
    {"PIDR5", reg::PIDR5, 32, {}},
    {"PIDR6", reg::PIDR6, 32, {}},
    {"PIDR7", reg::PIDR7, 32, {}},
    {"PIDR0", reg::PIDR0, 32, pidr0_fields},
    {"PIDR1", reg::PIDR1, 32, pidr1_fields},
    {"PIDR2", reg::PIDR2, 32, pidr2_fields},
    {"PIDR3", reg::PIDR3, 32, pidr3_fields},
    {"CIDR0", reg::CIDR0, 32, cidr0_fields},
    {"CIDR1", reg::CIDR1, 32, cidr1_fields},
    {"CIDR2", reg::CIDR2, 32, cidr2_fields},
    {"CIDR3", reg::CIDR3, 32, cidr3_fields},
    {"CMDQ_CONTROL_PAGE_BASE", reg::CMDQ_CONTROL_PAGE_BASE, 64, cmdq_control_page_base_fields,
     reg::CMDQ_CONTROL_PAGE_count, reg::CMDQ_CONTROL_PAGE_stride},
    {"CMDQ_CONTROL_PAGE_CFG", reg::CMDQ_CONTROL_PAGE_CFG, 32, cmdq_control_page_cfg_fields,
     reg::CMDQ_CONTROL_PAGE_count, reg::CMDQ_CONTROL_PAGE_stride},
    {"CMDQ_CONTROL_PAGE_STATUS", reg::CMDQ_CONTROL_PAGE_STATUS, 32, cmdq_control_page_status_fields,
     reg::CMDQ_CONTROL_PAGE_count, reg::CMDQ_CONTROL_PAGE_stride},
    {"EVENTQ_PROD", reg::EVENTQ_PROD, 32, eventq_prod_fields},
    {"EVENTQ_CONS", reg::EVENTQ_CONS, 32, eventq_cons_fields},
    {"PRIQ_PROD", reg::PRIQ_PROD, 32, eventq_prod_fields},
    {"PRIQ_CONS", reg::PRIQ_CONS, 32, eventq_cons_fields},
};

/// The register that holds byte `offset` of the frame (either half of a 64-bit one); nullptr if none does.
constexpr const RegisterRow* find_register(std::uint32_t offset) {
  for (const RegisterRow& row : register_table) {
    if (offset < row.offset) continue;
    const std::uint32_t distance = offset - row.offset;
    if (row.stride == 0 ? distance < row.width_bits / 8
                        : distance / row.stride < row.count && distance % row.stride < row.width_bits / 8) {
      return &row;
    }
  }
  return nullptr;
}

/// The register of that name, with or without the SMMU_ prefix; nullptr if there is none.
constexpr const RegisterRow* find_register(std::string_view name) {
  constexpr std::string_view prefix = "SMMU_";
  if (name.starts_with(prefix)) name.remove_prefix(prefix.size());
  for (const RegisterRow& row : register_table) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

}  // namespace smmusim::spec
