// SPDX-License-Identifier: MIT
// What both sides do with a case before and after its access: the register
// writes, the commands that lie in the Command queue, the records of the Event
// queue. One text for both, so that they can't differ.
#pragma once

#include <cstdint>
#include <vector>

#include "tests/peer/qemu/case.h"
#include "tests/peer/qemu/ram.h"

namespace smmusim::peer {

struct RegisterWrite {
  std::uint32_t offset;
  std::uint64_t value;
  unsigned bytes;
};

/// From the end of the previous case to the state in which the case's access is
/// made (IHI 0070 section 3.11): disable, queues empty, CMD_CFGI_ALL and
/// CMD_TLBI_NSNH_ALL, then the case's registers.
std::vector<RegisterWrite> setup_of(const Case& one);

/// Puts the words of the case and the commands into RAM.
void load(const Case& one, Ram& ram);
/// Makes what the case may have touched zero again, `also` being addresses
/// outside its words.
void unload(const Case& one, const std::vector<std::uint64_t>& also, Ram& ram);

/// The records that an Event queue with this PROD holds, at most as many as it
/// has entries.
std::vector<EventRecord> events_in(const Ram& ram, std::uint32_t prod);

}  // namespace smmusim::peer
