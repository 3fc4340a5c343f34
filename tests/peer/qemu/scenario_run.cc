// SPDX-License-Identifier: MIT
// See scenario_run.h. Event records are those that a step adds to the Event queue. An access that comes between a
// change and its invalidation is judged later: each side may have given its own answer of before or of after.
#include "tests/peer/qemu/scenario_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "model/spec/register_offsets.h"
#include "tests/peer/qemu/compare.h"
#include "tests/peer/qemu/layout.h"
#include "tests/peer/qemu/qtest.h"
#include "tests/peer/qemu/scenario_driver.h"
#include "tests/peer/qemu/scenario_rows.h"

namespace smmusim::peer {
namespace {

namespace reg = spec::reg;

constexpr std::uint32_t cmdq_error = 1, eventq_error = 4, smmuen = 1, eventqen = 4, cmdqen = 8;
constexpr unsigned wires_compared = 1 << 0 | 1 << 2 | 1 << 3;  // Event queue, CMD_SYNC, GERROR
constexpr std::uint32_t bit31 = 0x80000000u;

/// The comparison of the two sides through a scenario.
class Pairing {
 public:
  Pairing(const Scenario& scenario, Side& model, Side& qemu)
      : scenario_(scenario), model_side_(model), qemu_side_(qemu), model_(scenario, model), qemu_(scenario, qemu) {}
  ScenarioVerdict run();

 private:
  void compare_registers(std::vector<Difference>& out) const;
  void compare_access(const Step& step, std::vector<Difference>& out);
  void check_earlier(const Step& step, std::vector<Difference>& out);
  bool judge(const Step& step, std::vector<Difference> found, ScenarioVerdict& verdict);
  spec::Command command_at_cons() const;

  struct History {
    std::optional<std::array<Outcome, 2>> settled;
    std::vector<std::array<Outcome, 2>> open;
    bool stale = false;
  };
  const Scenario& scenario_;
  Side& model_side_;
  Side& qemu_side_;
  Driver model_;
  Driver qemu_;
  Case now_;
  Case earlier_;  ///< before the last store
  std::map<std::pair<std::uint32_t, std::uint64_t>, History> history_;
  std::uint32_t ahead_ = 0;  ///< records that QEMU wrote more than the model, in accesses where either may be right
  bool apart_ = false;       ///< ahead_ was not 0 once: EVENTQ_CONS follows only with the next drain
  unsigned masked_ = 0;      ///< parts that an explained difference leaves different for good
};

void add(std::vector<Difference>& out, Part part, const char* name, std::uint32_t model, std::uint32_t qemu,
         std::uint32_t mask) {
  if (((model ^ qemu) & mask) == 0) return;
  out.push_back({part, fmt::format("{}: model {:#x}, QEMU {:#x}", name, model & mask, qemu & mask)});
}

void Pairing::compare_registers(std::vector<Difference>& out) const {
  const Snapshot& m = model_.after;
  const Snapshot& q = qemu_.after;
  const std::uint32_t enables = smmuen | eventqen | cmdqen;
  add(out, Part::registers, "CR0", m.cr0, q.cr0, enables);
  add(out, Part::registers, "CR0ACK", m.cr0ack, q.cr0ack, enables);
  // The attributes read as 0 or as written without IDR1.ATTR_TYPES_OVR and ATTR_PERMS_OVR (6.3.14).
  add(out, Part::registers, "GBPA", m.gbpa, q.gbpa, 0x80100000u);
  add(out, Part::registers, "IRQ_CTRL", m.irq_ctrl, q.irq_ctrl, 5);
  add(out, Part::registers, "IRQ_CTRLACK", m.irq_ctrlack, q.irq_ctrlack, 5);
  add(out, Part::registers, "STRTAB_BASE_CFG", m.strtab_base_cfg, q.strtab_base_cfg, 0x307ff);
  add(out, Part::eventq_error, "GERROR ^ GERRORN", m.active(), q.active(), eventq_error);
  add(out, Part::commands, "GERROR ^ GERRORN", m.active(), q.active(), cmdq_error);
  add(out, Part::registers, "GERROR ^ GERRORN", m.active(), q.active(), ~(cmdq_error | eventq_error));
  add(out, Part::commands, "CMDQ_PROD", m.cmdq_prod, q.cmdq_prod, index_mask(scenario_.cmdq_log2));
  add(out, Part::commands, "CMDQ_CONS.RD", m.cmdq_cons, q.cmdq_cons, index_mask(scenario_.cmdq_log2));
  if ((m.active() & q.active() & cmdq_error) != 0) {
    add(out, Part::commands, "CMDQ_CONS.ERR", m.cmdq_cons, q.cmdq_cons, 0x7f000000);
  }
  const std::uint32_t indexes = index_mask(scenario_.eventq_log2);
  add(out, Part::eventq_prod, "EVENTQ_PROD.WR", m.eventq_prod, q.eventq_prod - ahead_, indexes);
  add(out, Part::ovflg, "EVENTQ_PROD.OVFLG", m.eventq_prod, q.eventq_prod, bit31);
  const std::uint32_t cons = (apart_ ? 0 : indexes) | ((masked_ & part_bit(Part::ovflg)) != 0 ? 0 : bit31);
  add(out, Part::registers, "EVENTQ_CONS", m.eventq_cons, q.eventq_cons, cons);
}

void Pairing::check_earlier(const Step& step, std::vector<Difference>& out) {
  History& history = history_[{step.access.sid, step.access.address}];
  const std::array<Outcome, 2> fresh{model_.outcome, qemu_.outcome};
  if (!step.definite) {
    history.open.push_back(fresh);
    return;
  }
  constexpr const char* names[] = {"the model", "QEMU"};
  for (const auto& open : history.open) {
    for (unsigned side = 0; side < 2; ++side) {
      const bool old = history.settled && open[side] == (*history.settled)[side];
      if (old || open[side] == fresh[side] || !history.settled) continue;
      out.push_back(
          {Part::stale, fmt::format("between change and invalidation {} gave neither the old nor the new "
                                    "answer: landed {}, target {:#x}, {} events{}",
                                    names[side], open[side].landed, open[side].target, open[side].events.size(),
                                    open[side].events.empty() ? "" : " " + text_of(open[side].events[0]))});
    }
  }
  history.stale = !history.settled || ((*history.settled)[1] == fresh[1] && !((*history.settled)[0] == fresh[0]));
  history.settled = fresh;
  history.open.clear();
}

void Pairing::compare_access(const Step& step, std::vector<Difference>& out) {
  check_earlier(step, out);
  if (!step.definite) return;
  Case one = now_;
  one.access = step.access;
  for (const std::string& text : differences({one, model_.seen, qemu_.seen, model_side_.ram(), qemu_side_.ram()})) {
    out.push_back({text.starts_with("event")    ? Part::events
                   : text.starts_with("memory") ? Part::memory
                                                : Part::access,
                   text});
  }
}

spec::Command Pairing::command_at_cons() const {
  spec::Command command;
  const std::uint32_t index = model_.after.cmdq_cons & (index_mask(scenario_.cmdq_log2) >> 1);
  const std::uint64_t at = scenario_command_queue + 16 * std::uint64_t{index};
  command.dw = {model_side_.ram().load(at), model_side_.ram().load(at + 8)};
  return command;
}

/// True if the scenario goes on.
bool Pairing::judge(const Step& step, std::vector<Difference> found, ScenarioVerdict& verdict) {
  std::erase_if(found, [this](const Difference& one) { return (masked_ & part_bit(one.part)) != 0; });
  if (found.empty()) return true;
  unsigned parts = 0;
  for (const Difference& one : found) parts |= part_bit(one.part);
  Case one = now_;
  one.access = step.access;
  earlier_.access = step.access;
  const StepView view{scenario_,
                      step,
                      one,
                      earlier_,
                      model_.before,
                      model_.after,
                      qemu_.after,
                      model_.seen,
                      qemu_.seen,
                      model_side_.ram(),
                      qemu_side_.ram(),
                      command_at_cons(),
                      parts,
                      history_[{step.access.sid, step.access.address}].stale};
  if (const std::vector<const ScenarioRow*> rows = explain(view); !rows.empty()) {
    bool more = true;
    for (const ScenarioRow* row : rows) {
      verdict.rows.insert(row->name);
      masked_ |= row->masks;
      more = more && !row->parts_for_good;
    }
    return more;
  }
  if (const char* name = explain_access(view); name != nullptr) {
    verdict.rows.insert(name);
    return (parts & part_bit(Part::eventq_prod)) == 0;
  }
  for (const Difference& difference : found) verdict.differences.push_back(difference.text);
  return false;
}

ScenarioVerdict Pairing::run() {
  ScenarioVerdict verdict;
  now_ = earlier_ = scenario_.image;
  model_.start();
  qemu_.start();
  for (const Step& step : scenario_.steps) {
    if (step.what == Do::store) earlier_ = now_;
    for (const auto& [address, word] : step.stores) now_.words[address] = word;
    if (step.what == Do::write && step.offset == reg::GBPA && (step.value & bit31) != 0)
      now_.gbpa = static_cast<std::uint32_t>(step.value & ~std::uint64_t{bit31});
    model_.step(step);
    qemu_.step(step);
    now_.enabled = (model_.after.cr0 & smmuen) != 0;
    if (!step.definite) ahead_ = qemu_.after.eventq_prod - model_.after.eventq_prod;
    apart_ = apart_ || ahead_ != 0;
    std::vector<Difference> found;
    compare_registers(found);
    if (step.definite) add(found, Part::wires, "interrupts", model_.after.wires, qemu_.after.wires, wires_compared);
    if (step.what == Do::access) compare_access(step, found);
    verdict.faulted = verdict.faulted || !model_.seen.events.empty() || model_.after.active() != 0;
    if (model_.seen.address_known) verdict.touched.insert(model_.seen.address);
    verdict.last_step = text_of(step);
    verdict.model = model_.seen;
    verdict.model_after = model_.after;
    const bool more = judge(step, std::move(found), verdict);
    if (!more) break;
    ++verdict.steps_done;
  }
  qemu_side_.begin();  // the next case may be one that acknowledges no errors
  return verdict;
}

}  // namespace

ScenarioVerdict run_scenario(const Scenario& scenario, Side& model, Side& qemu) {
  try {
    return Pairing(scenario, model, qemu).run();
  } catch (const QemuDied&) {
    ScenarioVerdict verdict;
    verdict.died = true;
    return verdict;
  }
}

}  // namespace smmusim::peer
