// SPDX-License-Identifier: MIT
// Runner: one case on both sides, compared and judged. It owns the two memories, the models and the QEMU processes: for
// each kind of machine one for linear and one for 2-level stream tables, since QEMU forgets the latter only at reset.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/peer/qemu/divergences.h"
#include "tests/peer/qemu/model_machine.h"
#include "tests/peer/qemu/qemu_machine.h"
#include "tests/peer/qemu/scenario_run.h"

namespace smmusim::peer {

struct Verdict {
  Observation model;
  Observation qemu;
  std::vector<std::string> differences;    ///< empty: the sides agree
  const Divergence* divergence = nullptr;  ///< what explains them
  bool unexplained() const { return !differences.empty() && divergence == nullptr; }
};

class Runner {
 public:
  explicit Runner(const QemuOptions& options);

  Verdict run(const Case& one);
  ScenarioVerdict run(const Scenario& scenario);
  /// The case of this seed and index: the first attempt that stays within the machine that both sides have.
  Case find_case(Kind kind, std::uint64_t seed, std::uint64_t index, Stages stages);
  unsigned starts() const;

 private:
  struct Pair {
    std::unique_ptr<ModelMachine> model;
    std::array<std::unique_ptr<QemuMachine>, 2> qemu;  // linear, 2-level
  };
  Pair& pair(Stages stages);
  Verdict judge(const Case& one, Observation model, QemuMachine& qemu);
  void clean(const Case& one, const Verdict& verdict);

  QemuOptions options_;
  Ram model_ram_;
  Ram qemu_ram_;
  std::array<Pair, 3> pairs_;
};

}  // namespace smmusim::peer
