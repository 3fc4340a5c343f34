// SPDX-License-Identifier: MIT
// One side through a scenario: what each step means for its registers, its memory and its devices.
#pragma once

#include <vector>

#include "tests/peer/qemu/scenario_run.h"

namespace smmusim::peer {

/// The bits of an index of a queue with 2^log2 entries, with its wrap bit.
inline std::uint32_t index_mask(unsigned log2) {
  return static_cast<std::uint32_t>(low_mask(log2 + 1));
}

/// What an access gave, apart from where in the queue its records are.
struct Outcome {
  bool landed = false;
  unsigned target = 0;
  std::vector<std::uint8_t> read;
  std::vector<EventRecord> events;
  bool operator==(const Outcome&) const = default;
};

/// One side through a scenario.
class Driver {
 public:
  Driver(const Scenario& scenario, Side& side) : scenario_(scenario), side_(side) {}
  void start();
  /// Carries a step out; `words` is the image as it is.
  void step(const Step& step);

  Snapshot before, after;
  Observation seen;
  Outcome outcome;

 private:
  void write(std::uint32_t offset, std::uint64_t value, unsigned bytes = 4) { side_.write({offset, value, bytes}); }
  void store_command(std::uint32_t index, const spec::Command& command);
  void submit(const Step& step);
  void drain(const Step& step);
  void access(const Step& step);
  void put_back(const Access& access);
  void collect();

  const Scenario& scenario_;
  Side& side_;
  const Access* last_access_ = nullptr;
};

}  // namespace smmusim::peer
