// SPDX-License-Identifier: MIT
// The driver's writes to its leaf descriptors, which no log line shows. The image has only their last values, so they
// are rebuilt: a descriptor that QEMU read was written before that; one that an invalidation covers was cleared before
// it (strict invalidation). Tables above the leaves, STEs, CDs and commands come from the image alone.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/oracle/log_steps.h"
#include "tests/oracle/machine.h"

namespace smmusim::oracle {

struct TableCounts {
  std::uint64_t descriptors = 0;    ///< leaf descriptors that the log names
  std::uint64_t mapped = 0;         ///< times that the driver wrote one
  std::uint64_t unmapped = 0;       ///< times that it cleared one
  std::uint64_t as_in_image = 0;    ///< that end as the image has them
  std::uint64_t mapped_unused = 0;  ///< empty here, valid in the image: mapped after their last use in the log
};

class DriverTables {
 public:
  /// Clears in the machine's memory every leaf descriptor that a walk of the log reads.
  DriverTables(Machine& machine, const LogSteps& log);

  /// Makes the leaf that `step`'s walk read what it was then. "" or why the log can't be true of a driver that breaks
  /// before it makes.
  std::string before(const LogStep& step);
  /// Clears the leaves that the invalidation covers.
  void unmap(const trace::Record& invalidation);
  /// Compares all leaves with the image: sentences of what disagrees.
  std::vector<std::string> compare_with(const Image& image);

  const TableCounts& counts() const { return counts_; }

 private:
  struct Leaf {
    std::uint64_t iova = 0;
    std::uint64_t value = 0;
  };
  Machine& machine_;
  std::map<std::uint64_t, Leaf> leaves_;  ///< by the descriptor's address
  TableCounts counts_;
};

}  // namespace smmusim::oracle
