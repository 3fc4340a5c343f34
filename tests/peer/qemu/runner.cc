// SPDX-License-Identifier: MIT
// See runner.h. A difference that nothing explains is tried again on a fresh QEMU: what an earlier case left behind in
// QEMU is not a property of this one.
#include "tests/peer/qemu/runner.h"

#include <stdexcept>
#include <utility>

#include "tests/peer/qemu/compare.h"
#include "tests/peer/qemu/generator.h"
#include "tests/peer/qemu/setup.h"

namespace smmusim::peer {
namespace {

/// One case in so many may make QEMU abort: each costs a start.
constexpr std::uint64_t kill_interval = 50;
constexpr unsigned attempts_max = 100;

}  // namespace

Runner::Runner(const QemuOptions& options)
    : options_(options), model_ram_("smmusim-model"), qemu_ram_("smmusim-qemu") {}

Runner::Pair& Runner::pair(Stages stages) {
  Pair& found = pairs_[static_cast<unsigned>(stages)];
  if (found.model == nullptr) {
    for (auto& machine : found.qemu) machine = std::make_unique<QemuMachine>(options_, stages, qemu_ram_);
    spec::Features features = spec::features_from(found.qemu[0]->id_registers());
    // QEMU advertises HAD even without stage 1 (6.3.4); no model can be built from that, and nothing follows from it.
    features.had = features.had && features.s1p;
    found.model = std::make_unique<ModelMachine>(features, model_ram_);
  }
  return found;
}

unsigned Runner::starts() const {
  unsigned sum = 0;
  for (const Pair& one : pairs_) {
    for (const auto& machine : one.qemu) sum += machine == nullptr ? 0 : machine->starts();
  }
  return sum;
}

Case Runner::find_case(Kind kind, std::uint64_t seed, std::uint64_t index, Stages stages) {
  ModelMachine& model = *pair(stages).model;
  for (unsigned attempt = 0; attempt < attempts_max; ++attempt) {
    Case one = generate(kind, seed, index, attempt, stages, index % kill_interval == 0);
    load(one, model_ram_);
    const Observation seen = model.run(one);
    unload(one, {seen.address}, model_ram_);
    if (!seen.outside) return one;
  }
  throw std::runtime_error("the generator found no case within the machine; most attempts would be");
}

Verdict Runner::judge(const Case& one, Observation model, QemuMachine& qemu) {
  Verdict verdict;
  verdict.model = std::move(model);
  load(one, qemu_ram_);
  verdict.qemu = qemu.run(one);
  const Sides sides{one, verdict.model, verdict.qemu, model_ram_, qemu_ram_};
  verdict.differences = differences(sides);
  if (!verdict.differences.empty()) verdict.divergence = explain(sides);
  return verdict;
}

Verdict Runner::run(const Case& one) {
  Pair& machines = pair(one.stages);
  QemuMachine& qemu = *machines.qemu[one.two_level() ? 1 : 0];
  load(one, model_ram_);
  const Observation model = machines.model->run(one);
  Verdict verdict = judge(one, model, qemu);
  if (verdict.unexplained()) {
    qemu_ram_.clear();
    qemu.restart();
    verdict = judge(one, model, qemu);
  }
  clean(one, verdict);
  return verdict;
}

ScenarioVerdict Runner::run(const Scenario& scenario) {
  Pair& machines = pair(scenario.image.stages);
  QemuMachine& qemu = *machines.qemu[scenario.image.two_level() ? 1 : 0];
  ScenarioVerdict verdict = run_scenario(scenario, *machines.model, qemu);
  if (verdict.unexplained()) {
    model_ram_.clear();
    qemu_ram_.clear();
    qemu.restart();
    verdict = run_scenario(scenario, *machines.model, qemu);
    if (verdict.unexplained()) qemu.restart();
  }
  Case touched = scenario.image;
  for (const std::uint64_t page : {scenario_command_queue, scenario_event_queue}) touched.words[page] = 0;
  for (const std::uint64_t page : scenario.targets) touched.words[page] = 0;
  for (const std::uint64_t address : verdict.touched) touched.words[address & ~std::uint64_t{0xfff}] = 0;
  for (Ram* ram : {&model_ram_, &qemu_ram_}) unload(touched, {}, *ram);
  // Where QEMU wrote is known only if it agrees.
  if (!verdict.rows.empty() || verdict.unexplained()) qemu_ram_.clear();
  return verdict;
}

void Runner::clean(const Case& one, const Verdict& verdict) {
  unload(one, {verdict.model.address}, model_ram_);
  // Where QEMU wrote is known only if it agrees.
  if (verdict.differences.empty()) {
    unload(one, {verdict.model.address}, qemu_ram_);
  } else {
    qemu_ram_.clear();
  }
}

}  // namespace smmusim::peer
