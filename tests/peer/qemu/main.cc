// SPDX-License-Identifier: MIT
// The program behind tests/peer/qemu/run, which starts it with QEMU's launcher and version. Usage errors are run's.
#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cstring>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <stdexcept>

#include "tests/peer/qemu/runner.h"
#include "tests/peer/qemu/scenario_generator.h"
#include "tests/peer/qemu/scenario_rows.h"
#include "tests/peer/qemu/scenario_vectors.h"
#include "tests/peer/qemu/show.h"
#include "tests/peer/qemu/vectors.h"

namespace smmusim::peer {
namespace {

struct Options {
  std::string launcher, version, log, readme;
  std::uint64_t cases = 2000;
  std::uint64_t seed = 1;
  std::optional<Stages> stages;
  std::optional<Kind> kind;
  bool vectors = true, random = true, table = false;
  std::optional<std::uint64_t> show;
};

Options options_from(int argc, char** argv) {
  Options options;
  const auto text = [&](int& i) -> std::string {
    if (i + 1 >= argc) throw std::invalid_argument(fmt::format("{} lacks its value; run knows them", argv[i]));
    return argv[++i];
  };
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--launcher")
      options.launcher = text(i);
    else if (name == "--version")
      options.version = text(i);
    else if (name == "--log")
      options.log = text(i);
    else if (name == "--readme")
      options.readme = text(i);
    else if (name == "--cases")
      options.cases = std::stoull(text(i));
    else if (name == "--seed")
      options.seed = std::stoull(text(i));
    else if (name == "--show")
      options.show = std::stoull(text(i));
    else if (name == "--vectors")
      options.random = false;
    else if (name == "--no-vectors")
      options.vectors = false;
    else if (name == "--divergences")
      options.table = true;
    else if (name == "--kind") {
      const std::string kind = text(i);
      for (unsigned k = 0; k < std::size(kind_names); ++k) {
        if (kind == kind_names[k]) options.kind = static_cast<Kind>(k);
      }
    } else if (name == "--stage") {
      const std::string stage = text(i);
      options.stages = stage == "1" ? Stages::stage1 : stage == "2" ? Stages::stage2 : Stages::nested;
    } else
      throw std::invalid_argument(fmt::format("unknown argument '{}'; run knows them", name));
  }
  return options;
}

struct Tally {
  std::uint64_t cases = 0, agree = 0, explained = 0, unexplained = 0;
  std::uint64_t deep = 0;   ///< faulted, or went through two stages
  std::uint64_t steps = 0;  ///< of scenarios
  double seconds = 0;
  std::map<std::string, std::uint64_t> by_row;
};

void print_sides(const Verdict& verdict) {
  for (const std::string& line : verdict.differences) fmt::print("  {}\n", line);
  fmt::print("  model: {}\n  QEMU: {}\n", text_of(verdict.model), text_of(verdict.qemu));
}

void count(const Case& one, const Verdict& verdict, Tally& tally) {
  ++tally.cases;
  const bool fault = !verdict.model.events.empty() || !verdict.model.address_known;
  if (fault || facts_of(one).walks2.size() > 1) ++tally.deep;
  if (verdict.differences.empty())
    ++tally.agree;
  else if (verdict.unexplained())
    ++tally.unexplained;
  else
    ++tally.explained, ++tally.by_row[verdict.divergence->name];
}

Stages stages_of(const Options& options, std::uint64_t index) {
  return options.stages.value_or(static_cast<Stages>(index % 3));
}

/// Two of three cases are single accesses: they are the fastest.
Kind kind_of(const Options& options, std::uint64_t index) {
  constexpr Kind pattern[] = {Kind::walk, Kind::commands,   Kind::walk, Kind::walk,   Kind::invalidation,
                              Kind::walk, Kind::structures, Kind::walk, Kind::queues, Kind::structures};
  return options.kind.value_or(pattern[index / 3 % std::size(pattern)]);
}

std::string name_of(const Options& options, std::uint64_t index) {
  std::string text = fmt::format("case {} of seed {}", index, options.seed);
  if (options.stages) text += fmt::format(", --stage {}", stages_names[static_cast<unsigned>(*options.stages)]);
  if (options.kind) text += fmt::format(", --kind {}", kind_names[static_cast<unsigned>(*options.kind)]);
  return text;
}

constexpr std::uint64_t shown_max = 10;

void run_access(Runner& runner, const Options& options, std::uint64_t index, Tally& tally) {
  const Case one = runner.find_case(kind_of(options, index), options.seed, index, stages_of(options, index));
  const Verdict verdict = runner.run(one);
  count(one, verdict, tally);
  if (!verdict.unexplained() || tally.unexplained > shown_max) return;
  fmt::print("{}:\n", name_of(options, index));
  for (const std::string& note : one.notes) fmt::print("  mutation: {}\n", note);
  print_sides(verdict);
}

void count(const ScenarioVerdict& verdict, Tally& tally) {
  ++tally.cases;
  tally.steps += verdict.steps_done;
  if (verdict.faulted) ++tally.deep;
  if (verdict.unexplained())
    ++tally.unexplained;
  else if (verdict.rows.empty())
    ++tally.agree;
  else
    ++tally.explained;
  for (const std::string& row : verdict.rows) ++tally.by_row[row];
}

void print_sides(const ScenarioVerdict& verdict) {
  if (verdict.died) fmt::print("  QEMU stopped\n");
  fmt::print("  after step {}: {}\n", verdict.steps_done, verdict.last_step);
  for (const std::string& line : verdict.differences) fmt::print("  {}\n", line);
}

void run_scenario(Runner& runner, const Options& options, std::uint64_t index, Tally& tally) {
  const Scenario scenario = make_scenario(kind_of(options, index), options.seed, index, stages_of(options, index));
  const ScenarioVerdict verdict = runner.run(scenario);
  count(verdict, tally);
  if (!verdict.unexplained() || tally.unexplained > shown_max) return;
  fmt::print("{}, {}:\n", name_of(options, index), kind_names[static_cast<unsigned>(scenario.kind)]);
  print_sides(verdict);
}

void run_random(Runner& runner, const Options& options, std::array<Tally, std::size(kind_names)>& tallies) {
  const auto start = std::chrono::steady_clock::now();
  for (std::uint64_t index = 0; index < options.cases; ++index) {
    const Kind kind = kind_of(options, index);
    Tally& tally = tallies[static_cast<unsigned>(kind)];
    const auto before = std::chrono::steady_clock::now();
    if (is_scenario(kind)) {
      run_scenario(runner, options, index, tally);
    } else {
      run_access(runner, options, index, tally);
    }
    tally.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - before).count();
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::map<std::string, std::uint64_t> by_row;
  for (const Tally& tally : tallies) {
    for (const auto& [name, times] : tally.by_row) by_row[name] += times;
  }
  for (const auto& [name, times] : by_row) fmt::print("explained by {}: {}\n", name, times);
  for (unsigned k = 0; k < tallies.size(); ++k) {
    const Tally& tally = tallies[k];
    if (tally.cases == 0) continue;
    fmt::print(
        "{}: {} cases, {:.0f}/s, agree {} explained {} unexplained {}, {} faulted or went through two stages{}\n",
        kind_names[k], tally.cases, static_cast<double>(tally.cases) / tally.seconds, tally.agree, tally.explained,
        tally.unexplained, tally.deep, tally.steps == 0 ? "" : fmt::format(", {} steps", tally.steps));
  }
  fmt::print("{:.0f} cases/s, QEMU started {} times\n", static_cast<double>(options.cases) / seconds, runner.starts());
}

/// What is wrong with a hand-made case's answers, or nothing.
std::string vector_error(const Vector& vector, const Verdict& verdict) {
  const unsigned event = verdict.model.events.empty() ? 0 : static_cast<unsigned>(verdict.model.events[0][0] & 0xff);
  if (event != vector.event || verdict.model.landed != vector.lands) return "the model does not give the right answer";
  if (vector.lands && verdict.model.address != vector_target) return "the model writes to the wrong address";
  if (vector.divergence == nullptr) return verdict.differences.empty() ? "" : "the sides have to agree";
  if (verdict.differences.empty()) return fmt::format("QEMU no longer shows {}", vector.divergence);
  if (verdict.divergence == nullptr) return "no row explains the difference";
  return std::strcmp(verdict.divergence->name, vector.divergence) == 0
             ? ""
             : fmt::format("{} explains the difference, not {}", verdict.divergence->name, vector.divergence);
}

std::string vector_error(const ScenarioVector& vector, const ScenarioVerdict& verdict) {
  if (verdict.unexplained()) return "no row explains the difference";
  if (!vector.right(verdict.model, verdict.model_after)) return "the model does not give the right answer";
  if (vector.row == nullptr) return verdict.rows.empty() ? "" : "the sides have to agree";
  if (verdict.rows.empty()) return fmt::format("QEMU no longer shows {}", vector.row);
  return verdict.rows.size() == 1 && *verdict.rows.begin() == vector.row
             ? ""
             : fmt::format("{} explains the difference, not {}", *verdict.rows.begin(), vector.row);
}

void run_scenario_vectors(Runner& runner, Tally& tally) {
  std::set<std::string> tested;
  for (const ScenarioVector& vector : scenario_vectors()) {
    const ScenarioVerdict verdict = runner.run(scenario_of(vector));
    const std::string error = vector_error(vector, verdict);
    ++tally.cases;
    if (error.empty()) {
      ++(vector.row == nullptr ? tally.agree : tally.explained);
      if (vector.row != nullptr) tested.insert(vector.row);
      continue;
    }
    ++tally.unexplained;
    fmt::print("vector {}: {}\n", vector.name, error);
    print_sides(verdict);
  }
  for (const ScenarioRow& row : scenario_rows()) {
    if (tested.count(row.name) != 0) continue;
    ++tally.unexplained;
    fmt::print("divergence {} has no vector that shows it\n", row.name);
  }
}

void run_vectors(Runner& runner, Tally& tally) {
  std::set<std::string> tested;
  for (const Vector& vector : vectors()) {
    const Verdict verdict = runner.run(case_of(vector));
    const std::string error = vector_error(vector, verdict);
    ++tally.cases;
    if (error.empty()) {
      ++(vector.divergence == nullptr ? tally.agree : tally.explained);
      if (vector.divergence != nullptr) tested.insert(vector.divergence);
      continue;
    }
    ++tally.unexplained;
    fmt::print("vector {}: {}\n", vector.name, error);
    print_sides(verdict);
  }
  for (const Divergence& row : divergences()) {
    if (tested.count(row.name) != 0) continue;
    ++tally.unexplained;
    fmt::print("divergence {} has no vector that shows it\n", row.name);
  }
}

/// The rows of README.md's table, as this program prints them.
std::string table_text() {
  std::string text;
  for (const Divergence& row : divergences()) {
    text += fmt::format("| {} | {} | {} |\n", row.name, row.section, row.sentence);
  }
  for (const ScenarioRow& row : scenario_rows()) {
    text += fmt::format("| {} | {} | {} |\n", row.name, row.section, row.sentence);
  }
  return text;
}

bool readme_matches(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str().find(table_text()) != std::string::npos;
}

int show_access(Runner& runner, const Options& options) {
  const Kind kind = kind_of(options, *options.show);
  const Case one = runner.find_case(kind, options.seed, *options.show, stages_of(options, *options.show));
  const Verdict verdict = runner.run(one);
  fmt::print("{}", text_of(one));
  print_sides(verdict);
  fmt::print("{}\n", verdict.differences.empty() ? "the sides agree"
                     : verdict.divergence == nullptr
                         ? "unexplained"
                         : fmt::format("explained: {} ({})", verdict.divergence->name, verdict.divergence->section));
  return verdict.unexplained() ? 1 : 0;
}

int show(Runner& runner, const Options& options) {
  const Kind kind = kind_of(options, *options.show);
  if (!is_scenario(kind)) return show_access(runner, options);
  const Scenario scenario = make_scenario(kind, options.seed, *options.show, stages_of(options, *options.show));
  const ScenarioVerdict verdict = runner.run(scenario);
  fmt::print("{}", text_of(scenario));
  print_sides(verdict);
  for (const std::string& row : verdict.rows) fmt::print("explained: {}\n", row);
  fmt::print("{}\n", verdict.unexplained() ? "unexplained" : verdict.rows.empty() ? "the sides agree" : "explained");
  return verdict.unexplained() ? 1 : 0;
}

std::string totals(const Tally& tally) {
  return fmt::format("{} agree {} explained {} unexplained {}\n", tally.cases, tally.agree, tally.explained,
                     tally.unexplained);
}

int run(const Options& options) {
  if (options.table) return fmt::print("{}", table_text()), 0;
  if (!version_known(options.version)) {
    fmt::print("SKIPPED: the divergences of QEMU {} are not known; those of 11.1 are\n", options.version);
    return 0;
  }
  if (!options.readme.empty() && !readme_matches(options.readme)) {
    fmt::print("{} does not have the rows of run --divergences; paste them there\n", options.readme);
    return 1;
  }
  Runner runner({{options.launcher}, options.log});
  if (options.show) return show(runner, options);
  Tally by_hand;
  if (options.vectors) run_vectors(runner, by_hand), run_scenario_vectors(runner, by_hand);
  if (!options.random) return fmt::print("cases {}", totals(by_hand)), by_hand.unexplained == 0 ? 0 : 1;
  if (options.vectors) fmt::print("vectors {}", totals(by_hand));
  std::array<Tally, std::size(kind_names)> tallies;
  run_random(runner, options, tallies);
  Tally random;
  bool shallow = false;
  for (const Tally& tally : tallies) {
    random.cases += tally.cases;
    random.agree += tally.agree;
    random.explained += tally.explained;
    random.unexplained += tally.unexplained;
    // A generator that no longer reaches faults and nested walks would make agreement cheap.
    shallow = shallow || (tally.cases >= 200 && !options.stages && 5 * tally.deep < 2 * tally.cases);
  }
  if (shallow) fmt::print("too few cases fault or go through two stages; the generator has to be mended\n");
  fmt::print("cases {}", totals(random));
  return random.unexplained + by_hand.unexplained == 0 && !shallow ? 0 : 1;
}

}  // namespace
}  // namespace smmusim::peer

int main(int argc, char** argv) {
  try {
    return smmusim::peer::run(smmusim::peer::options_from(argc, argv));
  } catch (const std::invalid_argument& error) {
    fmt::print(stderr, "tests/peer/qemu/run: {}\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    fmt::print(stderr, "tests/peer/qemu/run: {}\n", error.what());
    return 70;
  }
}
