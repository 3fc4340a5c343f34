// SPDX-License-Identifier: MIT
// Comparison of what two sides made of one case: where the write landed or what
// was read, every other word of memory that the case has, event records,
// GERROR. Which bits of an event are not compared, and why, stands in
// compare.cc.
#pragma once

#include <string>
#include <vector>

#include "tests/peer/qemu/case.h"
#include "tests/peer/qemu/ram.h"

namespace smmusim::peer {

/// A case and what both sides made of it.
struct Sides {
  const Case& one;
  const Observation& model;
  const Observation& qemu;
  const Ram& model_ram;
  const Ram& qemu_ram;
};

/// What differs, one line each; empty if the sides agree. Bits of `ignored` are not compared in event records.
std::vector<std::string> differences(const Sides& sides, const EventRecord& ignored = {});

/// The bits of an event record that are compared.
EventRecord event_mask(const EventRecord& record);

/// "F_TRANSLATION SID=0x8 ..." with all fields of the record.
std::string text_of(const EventRecord& record);
/// One line about a side.
std::string text_of(const Observation& seen);

}  // namespace smmusim::peer
