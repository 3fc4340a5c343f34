// SPDX-License-Identifier: MIT
// CaseMemory: what memory must hold after the accesses of a case, by refwalk's updates of descriptors (IHI 0070 3.13),
// and whether a machine's memory holds it. Of a contiguous run any descriptor may carry an update (DDI 0487 D8.5.3).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/random/backbone_machine.h"

namespace smmusim {

class CaseMemory {
 public:
  /// `one`'s memory is kept as refwalk would leave it.
  explicit CaseMemory(refwalk::Case& one) : one_(one) {}

  /// The updates of an access, which must have been translated in this state of the case's memory.
  void apply(const refwalk::Result& result);
  /// Asks every question in turn and applies its updates: what is left after all of them in any order.
  void apply_all(const std::vector<Question>& questions);

  /// "" if the machine's memory holds what the case's does, else the words that differ.
  std::string difference(CaseMachine& machine) const;
  /// The same for one word, or for the descriptors that `result` updates.
  std::string difference(CaseMachine& machine, std::uint64_t address) const;
  std::string difference(CaseMachine& machine, const refwalk::Result& result) const;

  /// After accesses that raced with a change of memory: `before` and `after` are what refwalk answers on either side.
  /// Takes over the bits that an update of either changes; "" if the machine's memory differs in nothing else.
  std::string adopt(CaseMachine& machine, const std::vector<refwalk::Result>& before,
                    const std::vector<refwalk::Result>& after);

 private:
  struct Run {
    std::uint64_t count = 0;
    std::uint64_t set = 0, cleared = 0;  ///< bits that updates change
  };

  const Run* run_of(std::uint64_t address, std::uint64_t& first) const;
  bool runs_agree(CaseMachine& machine, std::uint64_t first, const Run& run) const;

  refwalk::Case& one_;
  std::map<std::uint64_t, Run> runs_;  ///< by the address of the first descriptor
};

}  // namespace smmusim
