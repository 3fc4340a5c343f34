// SPDX-License-Identifier: MIT
// Comparison of final memory, word by word; runs of contiguous descriptors as a whole. It decides no update.
#include "tests/random/backbone_memory.h"

#include <fmt/format.h>

namespace smmusim {
namespace {

std::uint64_t word_in(const refwalk::Case& one, std::uint64_t address) {
  const auto word = one.memory.words.find(address);
  return word == one.memory.words.end() ? 0 : word->second;
}

/// The machine's word; the case's own where nothing can be read.
std::uint64_t word_in(CaseMachine& machine, const refwalk::Case& one, std::uint64_t address) {
  std::uint64_t word = 0;
  return machine.memory.peek(Pa(address), &word, sizeof word) ? word : word_in(one, address);
}

}  // namespace

void CaseMemory::apply(const refwalk::Result& result) {
  for (const refwalk::Update& update : result.updates) {
    one_.memory.words[update.address] = update.after;
    if (update.run == 1) continue;
    Run& run = runs_[update.address & ~(std::uint64_t{update.run} * 8 - 1)];
    run.count = update.run;
    run.set |= ~update.before & update.after;
    run.cleared |= update.before & ~update.after;
  }
}

void CaseMemory::apply_all(const std::vector<Question>& questions) {
  for (const Question& question : questions) apply(answer_of(one_, question).result);
}

const CaseMemory::Run* CaseMemory::run_of(std::uint64_t address, std::uint64_t& first) const {
  auto next = runs_.upper_bound(address);
  if (next == runs_.begin()) return nullptr;
  --next;
  first = next->first;
  return address < first + 8 * next->second.count ? &next->second : nullptr;
}

bool CaseMemory::runs_agree(CaseMachine& machine, std::uint64_t first, const Run& run) const {
  std::uint64_t any_wanted = 0;
  std::uint64_t any_got = 0;
  std::uint64_t all_wanted = run.cleared;
  std::uint64_t all_got = run.cleared;
  for (std::uint64_t address = first; address < first + 8 * run.count; address += 8) {
    const std::uint64_t wanted = word_in(one_, address);
    const std::uint64_t got = word_in(machine, one_, address);
    any_wanted |= wanted & run.set;
    any_got |= got & run.set;
    all_wanted &= wanted;
    all_got &= got;
  }
  return any_wanted == any_got && all_wanted == all_got;
}

std::string CaseMemory::difference(CaseMachine& machine, std::uint64_t address) const {
  const std::uint64_t wanted = word_in(one_, address);
  const std::uint64_t got = word_in(machine, one_, address);
  if (wanted == got) return "";
  std::uint64_t first = 0;
  const Run* run = run_of(address, first);
  const bool within_run = run != nullptr && ((wanted ^ got) & ~(run->set | run->cleared)) == 0;
  if (within_run && runs_agree(machine, first, *run)) return "";
  return fmt::format("\n  memory at {:#x}: {:016x}, refwalk {:016x}{}", address, got, wanted,
                     run != nullptr ? " (contiguous run)" : "");
}

std::string CaseMemory::difference(CaseMachine& machine) const {
  std::string text;
  for (const auto& [address, word] : one_.memory.words) text += difference(machine, address);
  return text;
}

std::string CaseMemory::difference(CaseMachine& machine, const refwalk::Result& result) const {
  std::string text;
  for (const refwalk::Update& update : result.updates) text += difference(machine, update.address);
  return text;
}

std::string CaseMemory::adopt(CaseMachine& machine, const std::vector<refwalk::Result>& before,
                              const std::vector<refwalk::Result>& after) {
  std::map<std::uint64_t, std::uint64_t> changeable;
  for (const auto* results : {&before, &after}) {
    for (const refwalk::Result& result : *results) {
      for (const refwalk::Update& update : result.updates) {
        // Any descriptor of a run.
        const std::uint64_t first = update.address & ~(std::uint64_t{update.run} * 8 - 1);
        for (unsigned i = 0; i < update.run; ++i) changeable[first + 8 * i] |= update.before ^ update.after;
      }
    }
  }
  std::string text;
  for (auto& [address, word] : one_.memory.words) {
    const std::uint64_t got = word_in(machine, one_, address);
    const auto bits = changeable.find(address);
    if (((word ^ got) & ~(bits == changeable.end() ? 0 : bits->second)) != 0) text += difference(machine, address);
    word = got;
  }
  return text;
}

}  // namespace smmusim
