// SPDX-License-Identifier: MIT
// Runs a scenario on both sides in step, compares after every step, and ends at the first difference that no row
// explains, or whose row says that the sides have parted for good.
#pragma once

#include <array>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/peer/qemu/scenario.h"
#include "tests/peer/qemu/side.h"

namespace smmusim::peer {

/// The registers that are compared after every step.
struct Snapshot {
  std::uint32_t cr0 = 0, cr0ack = 0, gbpa = 0, irq_ctrl = 0, irq_ctrlack = 0, gerror = 0, gerrorn = 0;
  std::uint32_t cmdq_prod = 0, cmdq_cons = 0, eventq_prod = 0, eventq_cons = 0, strtab_base_cfg = 0;
  unsigned wires = 0;  ///< interrupts that pulsed in the step
  std::uint32_t active() const { return gerror ^ gerrorn; }
};

/// What can differ after a step.
enum class Part : std::uint8_t {
  access,
  memory,
  stale,
  events,
  eventq_prod,
  ovflg,
  eventq_error,
  commands,
  registers,
  wires
};
inline constexpr unsigned part_bit(Part part) {
  return 1u << static_cast<unsigned>(part);
}

struct Difference {
  Part part;
  std::string text;
};

/// A step, the state before it, and what the two sides made of it: what a row of scenario_rows.cc looks at.
struct StepView {
  const Scenario& scenario;
  const Step& step;
  const Case& now;      ///< the image as it is, with the step's access
  const Case& earlier;  ///< the same before the last store
  const Snapshot& before;
  const Snapshot& model_after;
  const Snapshot& qemu_after;
  const Observation& model;
  const Observation& qemu;
  const Ram& model_ram;
  const Ram& qemu_ram;
  /// The first command that was not consumed before the step and that a row knows; all zero if there is none.
  spec::Command at_model_cons;
  unsigned parts = 0;  ///< that differ
  bool stale = false;  ///< QEMU gave the answer of before the change
};

struct ScenarioVerdict {
  bool died = false;
  std::size_t steps_done = 0;
  std::vector<std::string> differences;  ///< unexplained ones of the last step
  std::set<std::string> rows;            ///< what explained differences on the way
  std::string last_step;
  Observation model;  ///< what the model gave in the last step
  Snapshot model_after;
  std::set<std::uint64_t> touched;  ///< where the model's accesses went
  bool faulted = false;             ///< a record or an active error was seen
  bool unexplained() const { return died || !differences.empty(); }
};

ScenarioVerdict run_scenario(const Scenario& scenario, Side& model, Side& qemu);

}  // namespace smmusim::peer
