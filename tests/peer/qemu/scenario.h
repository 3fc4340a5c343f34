// SPDX-License-Identifier: MIT
// A scenario: a memory image, queues of its own, and steps that a driver and devices make one after the other: stores,
// commands, register writes, accesses. Values only; what the sides make of it is in scenario_run.h.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "model/spec/command.h"
#include "tests/peer/qemu/case.h"

namespace smmusim::peer {

/// What a random case exercises: one access (walk; structures: fields that no translation depends on), or a scenario.
enum class Kind : std::uint8_t { walk, structures, commands, invalidation, queues };
inline constexpr const char* kind_names[] = {"walk", "structures", "commands", "invalidation", "queues"};
inline constexpr bool is_scenario(Kind kind) {
  return kind >= Kind::commands;
}

enum class Do : std::uint8_t {
  access,       ///< a device's access
  store,        ///< words into memory
  submit,       ///< commands into the free slots of the Command queue, then CMDQ_PROD
  write,        ///< a register
  acknowledge,  ///< GERRORN = GERROR
  repair,       ///< if CMDQ_ERR is active: commands[0] in place of the command at CMDQ_CONS.RD
  withdraw,     ///< if CMDQ_ERR is active: CMDQ_PROD = CMDQ_CONS.RD
  drain,        ///< EVENTQ_CONS moves by `count` records, at most to EVENTQ_PROD; OVACKFLG = OVFLG
};

/// What a store changed, for the rows that know where QEMU keeps too much (scenario_rows.cc).
enum class Changed : std::uint8_t { nothing, s1_leaf, s1_table, s2_leaf, s2_root, ste, cd, l1std };

/// Input facts about the last store, and about the invalidations of the accessed page so far.
struct Round {
  Changed changed = Changed::nothing;
  bool global_other_asid = false;  ///< only CMD_TLBI_NH_VA with another ASID than the global page's streams have
  bool other_part = false;         ///< the invalidation names another page of the stage-1 block
  bool root = false;               ///< the stage-2 leaf of the stage-1 root has changed
  bool tagged = false;             ///< the access has a tag in VA[63:56], the invalidation has none
};

struct Step {
  Do what = Do::access;
  Access access{};
  /// Every change of a structure before it was followed by its invalidation and CMD_SYNC: the sides have to agree.
  /// Otherwise each side may give the answer of before the change or that of after it.
  bool definite = true;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> stores{};
  std::vector<spec::Command> commands{};
  std::uint32_t offset = 0;
  std::uint64_t value = 0;
  unsigned bytes = 4;
  unsigned count = 0;
  Round round{};
};

struct Scenario {
  Kind kind = Kind::commands;
  Case image;  ///< enabled: whether SMMUEN is set at the start; its access is not used
  unsigned cmdq_log2 = 4, eventq_log2 = 4;
  std::uint32_t cmdq_index = 0, eventq_index = 0;  ///< PROD and CONS at the start, with the wrap bit
  bool overflow_flags = false;                     ///< OVFLG and OVACKFLG at the start
  std::vector<std::uint64_t> targets;              ///< where accesses may land: aligned words
  std::vector<Step> steps;
};

std::string text_of(const Scenario& scenario);
std::string text_of(const Step& step);

}  // namespace smmusim::peer
