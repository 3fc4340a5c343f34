// SPDX-License-Identifier: MIT
// The program behind tests/peer/qemu/run, which starts it with QEMU's launcher and version. Usage errors are run's.
#include <fmt/format.h>

#include <chrono>
#include <cstring>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <stdexcept>

#include "tests/peer/qemu/runner.h"
#include "tests/peer/qemu/show.h"
#include "tests/peer/qemu/vectors.h"

namespace smmusim::peer {
namespace {

struct Options {
  std::string launcher, version, log, readme;
  std::uint64_t cases = 2000;
  std::uint64_t seed = 1;
  std::optional<Stages> stages;
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
    else if (name == "--stage") {
      const std::string stage = text(i);
      options.stages = stage == "1" ? Stages::stage1 : stage == "2" ? Stages::stage2 : Stages::nested;
    } else
      throw std::invalid_argument(fmt::format("unknown argument '{}'; run knows them", name));
  }
  return options;
}

struct Tally {
  std::uint64_t cases = 0, agree = 0, explained = 0, unexplained = 0;
  std::uint64_t deep = 0;  ///< faulted, or went through two stages
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

void run_random(Runner& runner, const Options& options, Tally& tally) {
  constexpr std::uint64_t shown_max = 10;
  const auto start = std::chrono::steady_clock::now();
  for (std::uint64_t index = 0; index < options.cases; ++index) {
    const Case one = runner.find_case(options.seed, index, stages_of(options, index));
    const Verdict verdict = runner.run(one);
    count(one, verdict, tally);
    if (!verdict.unexplained() || tally.unexplained > shown_max) continue;
    fmt::print("case {} of seed {}{}:\n", index, options.seed,
               options.stages ? fmt::format(", --stage {}", stages_names[static_cast<unsigned>(*options.stages)]) : "");
    for (const std::string& note : one.notes) fmt::print("  mutation: {}\n", note);
    print_sides(verdict);
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  for (const auto& [name, times] : tally.by_row) fmt::print("explained by {}: {}\n", name, times);
  fmt::print("faulted or through two stages: {} of {}\n", tally.deep, tally.cases);
  fmt::print("{:.0f} cases/s, QEMU started {} times\n", static_cast<double>(tally.cases) / seconds, runner.starts());
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
  return text;
}

bool readme_matches(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str().find(table_text()) != std::string::npos;
}

int show(Runner& runner, const Options& options) {
  const Case one = runner.find_case(options.seed, *options.show, stages_of(options, *options.show));
  const Verdict verdict = runner.run(one);
  fmt::print("{}", text_of(one));
  print_sides(verdict);
  Tally tally;
  count(one, verdict, tally);
  fmt::print("{}\n", verdict.differences.empty() ? "the sides agree"
                     : verdict.divergence == nullptr
                         ? "unexplained"
                         : fmt::format("explained: {} ({})", verdict.divergence->name, verdict.divergence->section));
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
  if (options.vectors) run_vectors(runner, by_hand);
  if (!options.random) return fmt::print("cases {}", totals(by_hand)), by_hand.unexplained == 0 ? 0 : 1;
  if (options.vectors) fmt::print("vectors {}", totals(by_hand));
  Tally random;
  run_random(runner, options, random);
  // A generator that no longer reaches faults and nested walks would make agreement cheap.
  const bool shallow = random.cases >= 200 && !options.stages && 2 * random.deep < random.cases;
  if (shallow)
    fmt::print("fewer than half of the cases fault or go through two stages; the generator has to be mended\n");
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
