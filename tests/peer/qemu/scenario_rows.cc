// SPDX-License-Identifier: MIT
// The rows. Each has a scenario of its own in scenario_vectors.cc.
#include "tests/peer/qemu/scenario_rows.h"

#include <algorithm>

#include "model/spec/register_offsets.h"
#include "tests/peer/qemu/divergences.h"
#include "tests/peer/qemu/facts.h"

namespace smmusim::peer {
namespace {

namespace reg = spec::reg;
using spec::Command;
using spec::Opcode;

constexpr std::uint32_t smmuen = 1, eventqen = 4, cmdqen = 8, bit31 = 0x80000000u;
constexpr std::uint32_t cmdq_error = 1, eventq_error = 4;

// --- Commands that QEMU takes and the architecture does not: the model stands at such a command.

bool refused(const StepView& v) {
  constexpr unsigned ill = static_cast<unsigned>(spec::CommandError::CERROR_ILL);
  return (v.model_after.active() & cmdq_error) != 0 && (v.model_after.cmdq_cons >> 24 & 0x7f) == ill;
}
Opcode opcode(const StepView& v) {
  return v.at_model_cons.get<Command::OP>();
}
bool sync_cs(const StepView& v) {
  return refused(v) && opcode(v) == Opcode::CMD_SYNC &&
         v.at_model_cons.get<Command::CS>() == spec::SyncSignal::reserved;
}
bool absent_feature(const StepView& v) {
  constexpr Opcode opcodes[] = {Opcode::CMD_TLBI_EL3_ALL,  Opcode::CMD_TLBI_EL3_VA, Opcode::CMD_TLBI_EL2_ALL,
                                Opcode::CMD_TLBI_EL2_ASID, Opcode::CMD_TLBI_EL2_VA, Opcode::CMD_TLBI_EL2_VAA,
                                Opcode::CMD_ATC_INV,       Opcode::CMD_PRI_RESP,    Opcode::CMD_RESUME,
                                Opcode::CMD_STALL_TERM};
  return refused(v) && std::count(std::begin(opcodes), std::end(opcodes), opcode(v)) != 0;
}
bool prefetch_ssec(const StepView& v) {
  const bool prefetch = opcode(v) == Opcode::CMD_PREFETCH_CONFIG || opcode(v) == Opcode::CMD_PREFETCH_ADDR;
  return refused(v) && prefetch && v.at_model_cons.get<Command::SSec>();
}
bool empty_range(const StepView& v) {
  const Opcode op = opcode(v);
  const bool by_address =
      op == Opcode::CMD_TLBI_NH_VA || op == Opcode::CMD_TLBI_NH_VAA || op == Opcode::CMD_TLBI_S2_IPA;
  const Command& c = v.at_model_cons;
  const auto tg = c.get<Command::TG>();
  const unsigned ttl = c.get<Command::TTL>();
  return refused(v) && by_address && tg != spec::TlbiTg::any && c.get<Command::NUM>() == 0 &&
         c.get<Command::SCALE>() == 0 && (ttl == 0 || (tg == spec::TlbiTg::kib16 && ttl == 1));
}
bool cfgi_cd_stage2(const StepView& v) {
  const bool cd = opcode(v) == Opcode::CMD_CFGI_CD || opcode(v) == Opcode::CMD_CFGI_CD_ALL;
  return refused(v) && cd && v.scenario.image.stages == Stages::stage2;
}

// --- The Event queue.

bool queue_full(const StepView& v) {
  const std::uint32_t wrap = std::uint32_t{1} << v.scenario.eventq_log2;
  const std::uint32_t mask = 2 * wrap - 1;
  return ((v.before.eventq_prod - v.before.eventq_cons) & mask) == wrap;
}
bool overflow(const StepView& v) {
  return v.step.what == Do::access && queue_full(v) && (v.before.cr0 & eventqen) != 0 && v.qemu.events.empty() &&
         v.model.events.empty();
}
bool ovflg_cleared(const StepView& v) {
  return v.step.what == Do::access && (v.before.eventq_prod & bit31) != 0 && !v.qemu.events.empty();
}
bool abort_active(const StepView& v) {
  return v.step.what == Do::access && (v.before.active() & eventq_error) != 0;
}

bool event_irq(const StepView& v) {
  const std::uint32_t mask = (std::uint32_t{2} << v.scenario.eventq_log2) - 1;
  const bool empty = ((v.before.eventq_prod ^ v.before.eventq_cons) & mask) == 0;
  const unsigned differ = (v.model_after.wires ^ v.qemu_after.wires) & 0xd;
  return v.step.what == Do::access && !v.qemu.events.empty() && !empty && differ == 1 && (v.before.irq_ctrl & 4) != 0;
}

// --- Registers.

bool guarded(const StepView& v) {
  if (v.step.what != Do::write) return false;
  switch (v.step.offset) {
    case reg::CMDQ_BASE:
    case reg::CMDQ_CONS:
      return (v.before.cr0 & cmdqen) != 0;
    case reg::EVENTQ_BASE:
    case reg::EVENTQ_PROD:
      return (v.before.cr0 & eventqen) != 0;
    case reg::STRTAB_BASE:
    case reg::STRTAB_BASE_CFG:
    case reg::CR2:
      return (v.before.cr0 & smmuen) != 0;
    default:
      return false;
  }
}

// --- Caches.

bool root_frozen(const StepView& v) {
  return v.stale && v.step.round.root;
}
bool global_asid(const StepView& v) {
  return v.stale && v.step.round.global_other_asid;
}
bool tagged(const StepView& v) {
  return v.stale && v.step.round.tagged;
}

bool other_part(const StepView& v) {
  return v.stale && v.step.round.other_part;
}
/// The last stage-2 descriptor of the access's data, leaf or not; 0 if there is none.
std::uint64_t stage2_leaf(const StepView& v, const Facts& facts) {
  if (v.step.what != Do::access || facts.walks2.empty() || facts.walks2.back().visits.empty()) return 0;
  return facts.walks2.back().use == Use::data ? facts.walks2.back().last().word : 0;
}
/// The leaf refuses what `bit` permits: now or, for an access between change and invalidation, before the change.
bool leaf_refuses(const StepView& v, unsigned bit, bool with_stage1, bool without_stage1) {
  for (const Case* image : {&v.now, &v.earlier}) {
    const Facts facts = facts_of(*image);
    const std::uint64_t leaf = stage2_leaf(v, facts);
    if (leaf != 0 && (leaf >> bit & 1) == 0 && (facts.stage1 ? with_stage1 : without_stage1)) return true;
    if (v.parts != part_bit(Part::stale)) break;
  }
  return false;
}
bool unrecorded(const StepView& v) {
  return v.qemu.events.empty() || v.parts == part_bit(Part::stale);
}
bool hit_stage(const StepView& v) {
  return v.step.access.write && unrecorded(v) && leaf_refuses(v, 7, false, true);
}
bool hit_read(const StepView& v) {
  return !v.step.access.write && unrecorded(v) && leaf_refuses(v, 6, true, true);
}
bool hit_ipa(const StepView& v) {
  return v.step.access.write && leaf_refuses(v, 7, true, false);
}

constexpr unsigned answer = part_bit(Part::access) | part_bit(Part::memory) | part_bit(Part::events) |
                            part_bit(Part::eventq_prod) | part_bit(Part::stale);
constexpr unsigned command_parts = part_bit(Part::commands) | part_bit(Part::wires);

// clang-format off
constexpr ScenarioRow rows[] = {
    {"sync-cs", "4.7.3", "takes CMD_SYNC with CS=0b11", sync_cs, command_parts, true},
    {"absent-feature", "4.1.3, 7.1", "takes commands of features that it does not have: EL2, EL3, ATS, PRI, stall", absent_feature, command_parts, true},
    {"prefetch-ssec", "4.1.6", "takes prefetch commands with SSec=1", prefetch_ssec, command_parts, true},
    {"empty-range", "4.4.1.1", "takes a range invalidation with TG but without NUM, SCALE and TTL", empty_range, command_parts, true},
    {"cfgi-cd-stage2", "4.3.3", "takes CMD_CFGI_CD and CMD_CFGI_CD_ALL without stage 1 where no device has the StreamID", cfgi_cd_stage2, command_parts, true},
    {"event-overflow", "7.4", "answers a full Event queue with GERROR.EVENTQ_ABT_ERR, not with OVFLG", overflow, part_bit(Part::ovflg) | part_bit(Part::eventq_error) | part_bit(Part::wires), false, part_bit(Part::ovflg) | part_bit(Part::eventq_error) | part_bit(Part::wires)},
    {"ovflg-cleared", "6.3.95", "clears OVFLG with every record", ovflg_cleared, part_bit(Part::ovflg), false, part_bit(Part::ovflg)},
    {"event-after-abort", "7.2.1, 7.5", "records events while EVENTQ_ABT_ERR is active", abort_active, answer | part_bit(Part::ovflg) | part_bit(Part::wires), true},
    {"event-irq", "3.18.2", "pulses the Event queue's interrupt with every record, not only when the queue was empty", event_irq, part_bit(Part::wires), false},
    {"write-guard", "6.3.9", "lets registers be written while what they configure is enabled", guarded, ~0u, true},
    {"s2-root-frozen", "4.4.3", "keeps the stage-2 translation of TTBx until the configuration is invalidated", root_frozen, answer, true},
    {"global-asid", "4.4.2.4", "keeps global pages when CMD_TLBI_NH_VA names another ASID", global_asid, answer, true},
    {"tlb-tag", "4.4.2, DDI 0487 D8.9", "keeps entries of tagged addresses when an invalidation names the address without tag", tagged, answer, true},
    {"split-leaf", "4.4.1.1, 4.4.2", "keeps the rest of a stage-1 block that stage 2 splits when an invalidation names one page of it", other_part, answer, true},
    {"hit-stage", "7.3.16, 5.2 S2R", "takes CD.R for S2R where a TLB entry of stage 2 alone refuses a write", hit_stage, answer, true},
    {"hit-ipa", "7.3.16", "leaves out the IPA where a TLB entry of both stages refuses a write for stage 2", hit_ipa, part_bit(Part::events) | part_bit(Part::stale), false},
    {"hit-read", "DDI 0487 D8.4", "lets reads pass that a TLB entry, filled by a write, refuses", hit_read, answer, true},
};
// clang-format on

}  // namespace

std::span<const ScenarioRow> scenario_rows() {
  return rows;
}

std::vector<const ScenarioRow*> explain(const StepView& view) {
  std::vector<const ScenarioRow*> several;
  unsigned left = view.parts;
  for (const ScenarioRow& row : rows) {
    if ((view.parts & row.parts) == 0 || !row.holds(view)) continue;
    if ((view.parts & ~row.parts) == 0) return {&row};
    if (row.parts_for_good) continue;
    several.push_back(&row);
    left &= ~row.parts;
  }
  return left == 0 ? several : std::vector<const ScenarioRow*>{};
}

const char* explain_access(const StepView& view) {
  constexpr unsigned possible = part_bit(Part::access) | part_bit(Part::memory) | part_bit(Part::events) |
                                part_bit(Part::eventq_prod) | part_bit(Part::wires);
  if (view.step.what != Do::access || !view.step.definite || (view.parts & ~possible) != 0) return nullptr;
  const Divergence* row = explain({view.now, view.model, view.qemu, view.model_ram, view.qemu_ram});
  return row == nullptr ? nullptr : row->name;
}

}  // namespace smmusim::peer
