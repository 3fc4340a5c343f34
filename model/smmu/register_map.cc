// SPDX-License-Identifier: MIT
// CONSTRAINED UNPREDICTABLE choices: accesses that are not aligned accesses of 4 or 8 bytes, 8-byte accesses to 32-bit
// registers, and the Page 0 aliases of Page 1 registers are RAZ/WI.
#include "model/smmu/register_map.h"

#include <algorithm>
#include <bit>
#include <iterator>

#include "model/smmu/acceleration.h"
#include "model/smmu/core.h"
#include "model/smmu/grants.h"
#include "model/smmu/mpam.h"
#include "model/spec/registers_optional.h"

namespace smmusim {
namespace {

namespace reg = spec::reg;
using namespace spec;

// What guards a register (section 6.3.9): an enable counts until its Update has completed.
std::uint64_t enabled(const Core& core, std::uint64_t bits) {
  return (core.regs.cr0 | core.regs.cr0ack) & bits;
}
bool smmu_off(const Core& core) {
  return enabled(core, CR0::SMMUEN::mask) == 0;
}
bool cmdq_off(const Core& core) {
  return enabled(core, CR0::CMDQEN::mask) == 0;
}
bool eventq_off(const Core& core) {
  return enabled(core, CR0::EVENTQEN::mask) == 0;
}
bool priq_off(const Core& core) {  // as written, not as effective (6.3.9.5)
  return enabled(core, CR0::PRIQEN::mask) == 0;
}
bool irq_off(const Core& core, std::uint64_t bit) {
  return ((core.regs.irq_ctrl | core.regs.irq_ctrlack) & bit) == 0;
}

std::uint64_t when(bool condition, std::uint64_t mask) {
  return condition ? mask : 0;
}
const Features& features(const Core& core) {
  return core.config.features;
}

/// Address bits that a base register stores: [51:x], [55:x] with D128 (v3.4).
std::uint64_t address_bits_stored(const Core& core) {
  return low_mask(features(core).d128 ? 56 : 52);
}
std::uint64_t index_bits(unsigned log2_entries) {
  return low_mask(log2_entries + 1) & low_mask(20);
}
constexpr std::uint64_t bit31 = std::uint64_t{1} << 31;
constexpr std::uint64_t bit62 = std::uint64_t{1} << 62;

std::uint64_t writable_cr0(const Core& core) {
  const Features& f = features(core);
  const std::uint64_t present = CR0::SMMUEN::mask | CR0::EVENTQEN::mask | CR0::CMDQEN::mask |
                                when(f.pri, CR0::PRIQEN::mask) | when(f.ats, CR0::ATSCHK::mask) |
                                when(f.vmw, CR0::VMW::mask);
  return present & ~(core.regs.cr0 ^ core.regs.cr0ack);  // a field in transition ignores new values
}
void written_cr0(Core& core, std::uint64_t before) {
  if ((before & ~core.regs.cr0 & (CR0::SMMUEN::mask | CR0::PRIQEN::mask)) != 0) core.pri_queue.disabling();
  if (((core.regs.cr0 ^ before) & CR0::SMMUEN::mask) != 0) accelerate_registers(core);
  update_cr0ack(core);
  if (core.regs.cr0 != before) revoke_grants(core);
  if ((before & CR0::SMMUEN::mask) != 0 && !core.regs.smmuen()) core.stalls.terminate_all();
  core.stalls.look_again();
  core.command_queue.kick();
}

std::uint64_t writable_cr1(const Core& core) {
  const std::uint64_t table = CR1::TABLE_SH::mask | CR1::TABLE_OC::mask | CR1::TABLE_IC::mask;
  const std::uint64_t queue = CR1::QUEUE_SH::mask | CR1::QUEUE_OC::mask | CR1::QUEUE_IC::mask;
  const bool queues_off = enabled(core, CR0::CMDQEN::mask | CR0::EVENTQEN::mask | CR0::PRIQEN::mask) == 0;
  const bool tables_free = smmu_off(core) && !features(core).tables_preset;
  return when(tables_free, table) | when(queues_off && !features(core).queues_preset, queue);
}

std::uint64_t writable_cr2(const Core& core) {
  const Features& f = features(core);
  const std::uint64_t present = CR2::RECINVSID::mask | when(f.hyp, CR2::E2H::mask) | when(f.btm, CR2::PTM::mask) |
                                when(f.atsrecerr, CR2::REC_CFG_ATS::mask);
  return when(smmu_off(core), present);
}

std::uint64_t writable_irq_ctrl(const Core& core) {
  const std::uint64_t present = IRQ_CTRL::GERROR_IRQEN::mask | IRQ_CTRL::EVENTQ_IRQEN::mask |
                                when(features(core).pri, IRQ_CTRL::PRIQ_IRQEN::mask);
  return present & ~(core.regs.irq_ctrl ^ core.regs.irq_ctrlack);
}
void written_irq_ctrl(Core& core, std::uint64_t) {
  core.interrupts.update_ack();
}

std::uint64_t writable_gerrorn(const Core& core) {
  const Features& f = features(core);
  const std::uint64_t msi =
      GERROR::MSI_CMDQ_ABT_ERR::mask | GERROR::MSI_EVENTQ_ABT_ERR::mask | GERROR::MSI_GERROR_ABT_ERR::mask;
  return GERROR::CMDQ_ERR::mask | GERROR::EVENTQ_ABT_ERR::mask | GERROR::SFM_ERR::mask | when(f.msi, msi) |
         when(f.pri, GERROR::PRIQ_ABT_ERR::mask) | when(f.pri && f.msi, GERROR::MSI_PRIQ_ABT_ERR::mask);
}
void written_gerrorn(Core& core, std::uint64_t) {
  core.stalls.look_again();
  core.command_queue.kick();
}

// GBPA (6.3.14), GMPAM and GBPMPAM (6.3.42, 6.3.43): a write counts only if it sets Update, and none does until that is
// clear again.
constexpr std::uint64_t update_flag = GBPA::Update::mask;
static_assert(GMPAM::Update::mask == update_flag && GBPMPAM::Update::mask == update_flag);

std::uint64_t when_settled(std::uint64_t stored, std::uint64_t mask) {
  return when((stored & update_flag) == 0, mask);
}
/// The flag falls when every TBU has heard of the new value.
Task<> settle(Core& core, std::uint64_t& stored) {
  co_await delay(core.lifetime, core.clock.cycles(core.config.tbu.link_cycles));
  while (!accelerator_settled(core)) co_await core.accelerator_progress.wait();
  stored &= ~update_flag;
}
/// True if a write has changed the register; the value counts from now on. `obey` makes it so where that is work.
bool begin_update(Core& core, std::uint64_t& stored, std::uint64_t before, void (*obey)(Core&) = nullptr) {
  if ((before & update_flag) != 0) return false;
  if ((stored & update_flag) == 0) stored = before;
  const bool changed = ((stored ^ before) & ~update_flag) != 0;
  if (changed && obey != nullptr) obey(core);
  if ((stored & update_flag) != 0) spawn(core.lifetime, settle(core, stored));
  return changed;
}

std::uint64_t writable_gbpa(const Core& core) {
  const Features& f = features(core);
  const std::uint64_t types = GBPA::MemAttr::mask | GBPA::MTCFG::mask | GBPA::ALLOCCFG::mask | GBPA::SHCFG::mask;
  return when_settled(core.regs.gbpa, GBPA::Update::mask | GBPA::ABORT::mask | when(f.attr_types_ovr, types) |
                                          when(f.attr_perms_ovr, GBPA::PRIVCFG::mask | GBPA::INSTCFG::mask));
}
void written_gbpa(Core& core, std::uint64_t before) {
  const auto obey = [](Core& c) {
    if (!c.regs.smmuen()) accelerate_registers(c);
  };
  if (begin_update(core, core.regs.gbpa, before, obey)) revoke_grants(core);
}

/// Bits above the widths that MPAMIDR gives are RES0.
std::uint64_t mpam_fields(const Core& core) {
  const Features& f = features(core);
  const std::uint64_t partid = low_mask(static_cast<unsigned>(std::bit_width(f.partid_max)));
  const std::uint64_t pmg = low_mask(static_cast<unsigned>(std::bit_width(f.pmg_max)));
  return when(f.mpam, GMPAM::Update::mask | GMPAM::SO_PARTID::set(0, static_cast<unsigned>(partid)) |
                          GMPAM::SO_PMG::set(0, static_cast<unsigned>(pmg)));
}
std::uint64_t writable_gmpam(const Core& core) {
  return when_settled(core.regs.gmpam, mpam_fields(core));
}
std::uint64_t writable_gbpmpam(const Core& core) {
  return when_settled(core.regs.gbpmpam, mpam_fields(core));
}
void written_gmpam(Core& core, std::uint64_t before) {
  if (begin_update(core, core.regs.gmpam, before)) update_mpam(core);
}
void written_gbpmpam(Core& core, std::uint64_t before) {
  if (!begin_update(core, core.regs.gbpmpam, before)) return;
  update_mpam(core);
  revoke_grants(core);
}

std::uint64_t writable_strtab_base(const Core& core) {
  const std::uint64_t fields = (STRTAB_BASE::ADDR::mask & address_bits_stored(core)) | bit62;
  return when(smmu_off(core) && !features(core).tables_preset, fields);
}
std::uint64_t writable_strtab_base_cfg(const Core& core) {
  const std::uint64_t fields =
      STRTAB_BASE_CFG::LOG2SIZE::mask |
      when(features(core).st_level != 0, STRTAB_BASE_CFG::SPLIT::mask | STRTAB_BASE_CFG::FMT::mask);
  return when(smmu_off(core) && !features(core).tables_preset, fields);
}
std::uint64_t queue_base_fields(const Core& core) {
  return CMDQ_BASE::LOG2SIZE::mask | (CMDQ_BASE::ADDR::mask & address_bits_stored(core)) | bit62;
}
std::uint64_t writable_cmdq_base(const Core& core) {
  return when(cmdq_off(core) && !features(core).queues_preset, queue_base_fields(core));
}
std::uint64_t writable_cmdq_prod(const Core& core) {
  return index_bits(features(core).cmdqs);
}
void written_cmdq_prod(Core& core, std::uint64_t) {
  core.command_queue.kick();
}
std::uint64_t writable_cmdq_cons(const Core& core) {
  return when(cmdq_off(core), index_bits(features(core).cmdqs) | CMDQ_CONS::ERR::mask);
}
std::uint64_t writable_eventq_base(const Core& core) {
  return when(eventq_off(core) && !features(core).queues_preset, queue_base_fields(core));
}
std::uint64_t writable_eventq_prod(const Core& core) {
  return when(eventq_off(core), index_bits(features(core).eventqs) | bit31);
}
std::uint64_t writable_eventq_cons(const Core& core) {
  return index_bits(features(core).eventqs) | bit31;
}
void written_eventq_cons(Core& core, std::uint64_t) {
  core.stalls.look_again();
}

std::uint64_t writable_priq_base(const Core& core) {
  return when(features(core).pri && priq_off(core) && !features(core).queues_preset, queue_base_fields(core));
}
std::uint64_t writable_priq_prod(const Core& core) {
  return when(features(core).pri && priq_off(core), index_bits(features(core).priqs) | bit31);
}
std::uint64_t writable_priq_cons(const Core& core) {
  return when(features(core).pri, index_bits(features(core).priqs) | bit31);
}

// MSI configuration (6.3.21 to 6.3.23): exists with IDR0.MSI; addresses beyond the OAS are not stored.
template <std::uint64_t Enable>
std::uint64_t writable_irq_cfg0(const Core& core) {
  const std::uint64_t stored = GERROR_IRQ_CFG0::ADDR::mask & low_mask(features(core).oas);
  return when(features(core).msi && irq_off(core, Enable), stored);
}
template <std::uint64_t Enable>
std::uint64_t writable_irq_cfg1(const Core& core) {
  return when(features(core).msi && irq_off(core, Enable), low_mask(32));
}
template <std::uint64_t Enable>
std::uint64_t writable_irq_cfg2(const Core& core) {
  return when(features(core).msi && irq_off(core, Enable), GERROR_IRQ_CFG2::MemAttr::mask | GERROR_IRQ_CFG2::SH::mask);
}
constexpr std::uint64_t gerror_irqen = IRQ_CTRL::GERROR_IRQEN::mask;
constexpr std::uint64_t eventq_irqen = IRQ_CTRL::EVENTQ_IRQEN::mask;
constexpr std::uint64_t priq_irqen = IRQ_CTRL::PRIQ_IRQEN::mask;
template <std::uint64_t (*Writable)(const Core&)>
std::uint64_t with_pri(const Core& core) {
  return when(features(core).pri, Writable(core));
}
/// LO is about the wired interrupt too, and so stays without MSIs.
std::uint64_t writable_priq_irq_cfg2(const Core& core) {
  return when(features(core).pri, when(irq_off(core, priq_irqen), bit31) | writable_irq_cfg2<priq_irqen>(core));
}

template <unsigned N>
std::uint64_t read_idr(const Core& core) {
  return core.ids.idr[N];
}

// PIDR: part and designer as in IIDR (6.3.170). CIDR: the fixed preamble.
std::uint64_t read_pidr0(const Core& core) {
  return features(core).product_id & 0xff;
}
std::uint64_t read_pidr1(const Core& core) {
  return (features(core).product_id >> 8 & 0xf) | (features(core).implementer & 0xf) << 4;
}
std::uint64_t read_pidr2(const Core& core) {
  return (features(core).implementer >> 4 & 0x7) | 0x8 | (features(core).revision & 0xf) << 4;
}
std::uint64_t read_pidr4(const Core& core) {
  return features(core).implementer >> 8 & 0xf;
}
template <std::uint64_t Value>
std::uint64_t read_constant(const Core&) {
  return Value;
}

/// An index that the SMMU moves is RAZ above the wrap flag of a queue of this size (6.3.28, 6.3.95, 6.3.97).
std::uint64_t moved_index(std::uint64_t value, std::uint64_t base, unsigned log2_max) {
  const unsigned log2_entries = std::min(static_cast<unsigned>(base & 0x1f), log2_max);
  return value & ~(low_mask(20) & ~index_bits(log2_entries));
}
std::uint64_t read_cmdq_cons(const Core& core) {
  return moved_index(core.regs.cmdq_cons, core.regs.cmdq_base, features(core).cmdqs);
}
std::uint64_t read_eventq_prod(const Core& core) {
  return moved_index(core.regs.eventq_prod, core.regs.eventq_base, features(core).eventqs);
}
std::uint64_t read_priq_prod(const Core& core) {
  return moved_index(core.regs.priq_prod, core.regs.priq_base, features(core).priqs);
}

template <std::uint64_t RegisterFile::*Member>
std::uint64_t read_member(const Core& core) {
  return core.regs.*Member;
}
template <std::uint64_t RegisterFile::*Member>
std::uint64_t& member(RegisterFile& regs) {
  return regs.*Member;
}
template <IrqConfig RegisterFile::*Irq, std::uint64_t IrqConfig::*Member>
std::uint64_t read_irq(const Core& core) {
  return core.regs.*Irq.*Member;
}
template <IrqConfig RegisterFile::*Irq, std::uint64_t IrqConfig::*Member>
std::uint64_t& irq_member(RegisterFile& regs) {
  return regs.*Irq.*Member;
}

using Read = std::uint64_t (*)(const Core&);
using Written = void (*)(Core&, std::uint64_t);

constexpr RegisterBehaviour read_only(std::uint32_t offset, Read read) {
  return {offset, 32, read, nullptr, nullptr, nullptr};
}
template <std::uint64_t RegisterFile::*Member>
constexpr RegisterBehaviour stored(std::uint32_t offset, unsigned width, Read writable, Written written = nullptr) {
  return {offset, width, read_member<Member>, member<Member>, writable, written};
}
template <std::uint64_t RegisterFile::*Member>
constexpr RegisterBehaviour moved(std::uint32_t offset, Read read, Read writable) {
  return {offset, 32, read, member<Member>, writable, nullptr};
}
template <IrqConfig RegisterFile::*Irq, std::uint64_t IrqConfig::*Member>
constexpr RegisterBehaviour irq_stored(std::uint32_t offset, unsigned width, Read writable) {
  return {offset, width, read_irq<Irq, Member>, irq_member<Irq, Member>, writable, nullptr};
}

using R = RegisterFile;
constexpr RegisterBehaviour table[] = {
    read_only(reg::IDR0, read_idr<0>),
    read_only(reg::IDR1, read_idr<1>),
    read_only(reg::IDR2, read_idr<2>),
    read_only(reg::IDR3, read_idr<3>),
    read_only(reg::IDR4, read_idr<4>),
    read_only(reg::IDR5, read_idr<5>),
    read_only(reg::IIDR, [](const Core& core) -> std::uint64_t { return core.ids.iidr; }),
    read_only(reg::AIDR, [](const Core& core) -> std::uint64_t { return core.ids.aidr; }),
    stored<&R::cr0>(reg::CR0, 32, writable_cr0, written_cr0),
    read_only(reg::CR0ACK, read_member<&R::cr0ack>),
    stored<&R::cr1>(reg::CR1, 32, writable_cr1),
    stored<&R::cr2>(reg::CR2, 32, writable_cr2),
    read_only(reg::STATUSR, read_constant<0>),  // DORMANT promises nothing
    stored<&R::gbpa>(reg::GBPA, 32, writable_gbpa, written_gbpa),
    stored<&R::irq_ctrl>(reg::IRQ_CTRL, 32, writable_irq_ctrl, written_irq_ctrl),
    read_only(reg::IRQ_CTRLACK, read_member<&R::irq_ctrlack>),
    read_only(reg::GERROR, read_member<&R::gerror>),
    stored<&R::gerrorn>(reg::GERRORN, 32, writable_gerrorn, written_gerrorn),
    irq_stored<&R::gerror_irq, &IrqConfig::cfg0>(reg::GERROR_IRQ_CFG0, 64, writable_irq_cfg0<gerror_irqen>),
    irq_stored<&R::gerror_irq, &IrqConfig::cfg1>(reg::GERROR_IRQ_CFG1, 32, writable_irq_cfg1<gerror_irqen>),
    irq_stored<&R::gerror_irq, &IrqConfig::cfg2>(reg::GERROR_IRQ_CFG2, 32, writable_irq_cfg2<gerror_irqen>),
    stored<&R::strtab_base>(reg::STRTAB_BASE, 64, writable_strtab_base),
    stored<&R::strtab_base_cfg>(reg::STRTAB_BASE_CFG, 32, writable_strtab_base_cfg),
    stored<&R::cmdq_base>(reg::CMDQ_BASE, 64, writable_cmdq_base),
    stored<&R::cmdq_prod>(reg::CMDQ_PROD, 32, writable_cmdq_prod, written_cmdq_prod),
    moved<&R::cmdq_cons>(reg::CMDQ_CONS, read_cmdq_cons, writable_cmdq_cons),
    stored<&R::eventq_base>(reg::EVENTQ_BASE, 64, writable_eventq_base),
    irq_stored<&R::eventq_irq, &IrqConfig::cfg0>(reg::EVENTQ_IRQ_CFG0, 64, writable_irq_cfg0<eventq_irqen>),
    irq_stored<&R::eventq_irq, &IrqConfig::cfg1>(reg::EVENTQ_IRQ_CFG1, 32, writable_irq_cfg1<eventq_irqen>),
    irq_stored<&R::eventq_irq, &IrqConfig::cfg2>(reg::EVENTQ_IRQ_CFG2, 32, writable_irq_cfg2<eventq_irqen>),
    stored<&R::priq_base>(reg::PRIQ_BASE, 64, writable_priq_base),
    irq_stored<&R::priq_irq, &IrqConfig::cfg0>(reg::PRIQ_IRQ_CFG0, 64, with_pri<writable_irq_cfg0<priq_irqen>>),
    irq_stored<&R::priq_irq, &IrqConfig::cfg1>(reg::PRIQ_IRQ_CFG1, 32, with_pri<writable_irq_cfg1<priq_irqen>>),
    irq_stored<&R::priq_irq, &IrqConfig::cfg2>(reg::PRIQ_IRQ_CFG2, 32, writable_priq_irq_cfg2),
    read_only(reg::MPAMIDR, [](const Core& core) -> std::uint64_t { return core.ids.mpamidr; }),
    stored<&R::gmpam>(reg::GMPAM, 32, writable_gmpam, written_gmpam),
    stored<&R::gbpmpam>(reg::GBPMPAM, 32, writable_gbpmpam, written_gbpmpam),
    read_only(reg::PIDR4, read_pidr4),
    read_only(reg::PIDR0, read_pidr0),
    read_only(reg::PIDR1, read_pidr1),
    read_only(reg::PIDR2, read_pidr2),
    read_only(reg::CIDR0, read_constant<0x0d>),
    read_only(reg::CIDR1, read_constant<0xf0>),
    read_only(reg::CIDR2, read_constant<0x05>),
    read_only(reg::CIDR3, read_constant<0xb1>),
    moved<&R::eventq_prod>(reg::EVENTQ_PROD, read_eventq_prod, writable_eventq_prod),
    stored<&R::eventq_cons>(reg::EVENTQ_CONS, 32, writable_eventq_cons, written_eventq_cons),
    moved<&R::priq_prod>(reg::PRIQ_PROD, read_priq_prod, writable_priq_prod),
    stored<&R::priq_cons>(reg::PRIQ_CONS, 32, writable_priq_cons),
};

/// One access as the part of a register that it touches; `row` is null if it touches none.
struct Target {
  const RegisterBehaviour* row = nullptr;
  unsigned shift = 0;
  std::uint64_t mask = 0;
};
Target target_of(std::uint32_t offset, unsigned size) {
  const bool sound = (size == 4 || size == 8) && offset % size == 0;
  const RegisterBehaviour* row = sound ? find_register_behaviour(offset) : nullptr;
  if (row == nullptr || size * 8 > row->width_bits) return {};
  const unsigned shift = (offset - row->offset) * 8;
  return {row, shift, low_mask(size * 8) << shift};
}

}  // namespace

const RegisterBehaviour* find_register_behaviour(std::uint32_t offset) {
  const auto after = std::upper_bound(std::begin(table), std::end(table), offset,
                                      [](std::uint32_t o, const RegisterBehaviour& row) { return o < row.offset; });
  if (after == std::begin(table)) return nullptr;
  const RegisterBehaviour& row = *std::prev(after);
  return offset < row.offset + row.width_bits / 8 ? &row : nullptr;
}

std::uint64_t read_mmio(Core& core, std::uint32_t offset, unsigned size) {
  const Target target = target_of(offset, size);
  return target.row == nullptr ? 0 : (target.row->read(core) & target.mask) >> target.shift;
}

void write_mmio(Core& core, std::uint32_t offset, std::uint64_t value, unsigned size) {
  const Target target = target_of(offset, size);
  if (target.row == nullptr || target.row->storage == nullptr) return;
  const std::uint64_t changes = target.row->writable(core) & target.mask;
  std::uint64_t& storage = target.row->storage(core.regs);
  const std::uint64_t before = storage;
  storage = (before & ~changes) | ((value << target.shift) & changes);
  if (target.row->written != nullptr) target.row->written(core, before);
}

void reset_registers(Core& core) {
  core.regs = RegisterFile{};
  const std::uint64_t use_incoming = when(features(core).attr_types_ovr, GBPA::SHCFG::set(0, 1));
  core.regs.gbpa = use_incoming | when(core.config.gbpa_abort_at_reset, GBPA::ABORT::mask);
  update_mpam(core);
}

}  // namespace smmusim
