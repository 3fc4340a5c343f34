// SPDX-License-Identifier: MIT
// The queues of an NvmeController as the controller sees them (NVM Express Base Specification 1.4, section 4.1). State
// only; who moves what is nvme_controller.cc's.
#pragma once

#include <cstdint>

#include "model/sim/resources.h"

namespace smmusim::platform {

struct NvmeCompletionQueue {
  NvmeCompletionQueue(Scope& scope, unsigned number, std::uint64_t address, unsigned entries)
      : id(number), base(address), size(entries), room(scope) {}

  unsigned id;
  std::uint64_t base;
  unsigned size;  ///< entries
  bool interrupts = true;
  unsigned vector = 0;
  unsigned head = 0, tail = 0;
  bool phase = true;      ///< of the entry that comes next
  unsigned users = 0;     ///< submission queues
  unsigned promised = 0;  ///< entries that commands under way will fill: what is full never gets an entry more
  Gate room;              ///< opened when full() may have become false

  bool full() const { return used() + promised >= size - 1; }
  /// Entries that software has not taken yet.
  unsigned used() const { return (tail + size - head) % size; }
  void advance() {
    if (++tail != size) return;
    tail = 0;
    phase = !phase;
  }
};

struct NvmeSubmissionQueue {
  NvmeSubmissionQueue(Scope& scope, unsigned number, std::uint64_t address, unsigned entries,
                      NvmeCompletionQueue& completions)
      : id(number), base(address), size(entries), cq(completions), quiet(scope) {}

  unsigned id;
  std::uint64_t base;
  unsigned size;
  NvmeCompletionQueue& cq;
  unsigned head = 0, tail = 0;
  bool fetching = false;
  bool deleting = false;
  unsigned in_flight = 0;  ///< commands taken whose completion has not been written
  Gate quiet;              ///< opened when one of these, or fetching, ends

  unsigned used() const { return (tail + size - head) % size; }
};

}  // namespace smmusim::platform
