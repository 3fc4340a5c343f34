// SPDX-License-Identifier: MIT
// Random scenarios: scenario `index` of a seed is the same on every machine.
#pragma once

#include <cstdint>

#include "tests/peer/qemu/scenario.h"
#include "tests/peer/qemu/scenario_world.h"

namespace smmusim::peer {

Scenario make_scenario(Kind kind, std::uint64_t seed, std::uint64_t index, Stages stages);

/// What the generators of the kinds share: a scenario under construction.
class Script {
 public:
  Script(Random& random, Kind kind, Stages stages);

  Random& random;
  Scenario scenario;
  World world;

  Step& add(Do what);
  void write(std::uint32_t offset, std::uint64_t value, unsigned bytes = 4);
  void submit(std::vector<spec::Command> commands);
  /// Lets `bad` commands be dealt with; does nothing where none was refused.
  void recover();
  Access access(const Stream& stream, const Page& page);
  const Stream& any_stream() { return world.streams[random.below(world.streams.size())]; }
  const Page& any_page() { return world.pages[random.below(world.pages.size())]; }
};

/// A command with random parameters; `strange`: also those that are illegal, or whose opcode is reserved.
spec::Command random_command(Script& script, bool strange);

// The generators of the kinds: they add the steps.
void script_commands(Script& script);
void script_invalidation(Script& script);
void script_queues(Script& script);

}  // namespace smmusim::peer
