// SPDX-License-Identifier: MIT
// What one side (QEMU or smmusim) has read and no invalidation has covered since: all that its caches may hold
// (IHI 0070 section 3.17, and 4.3, 4.4 for what a command covers). A hit that this does not explain is a defect.
// Knows nothing of sizes or replacement: an entry may be evicted at any time.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "model/sim/memory_port.h"
#include "platform/trace/record.h"

namespace smmusim::oracle {

struct SeenDescriptor {
  std::uint64_t address = 0;
  std::uint64_t value = 0;
  std::uint16_t asid = 0;
};

/// Descriptors by level and by the input addresses that they cover; one address space a ASID, of 4 KiB granule.
class SeenDescriptors {
 public:
  void note(int level, std::uint64_t iova, const SeenDescriptor& seen);
  const SeenDescriptor* find(int level, std::uint64_t iova) const;
  /// Forgets what the TLB invalidation covers.
  void invalidate(const trace::Record& command);

 private:
  std::map<std::pair<int, std::uint64_t>, SeenDescriptor> descriptors_;  // {level, address >> shift of the level}
};

struct SeenStructure {
  std::uint64_t address = 0;
  std::array<std::uint64_t, 8> words{};
};

/// Structures by stream: L1STD, STE and CD (of substream 0).
class SeenStructures {
 public:
  void note(std::uint32_t stream, Purpose purpose, const SeenStructure& seen) { structures_[{stream, purpose}] = seen; }
  const SeenStructure* find(std::uint32_t stream, Purpose purpose) const;
  /// Forgets what the configuration invalidation covers.
  void invalidate(const trace::Record& command);

 private:
  std::map<std::pair<std::uint32_t, Purpose>, SeenStructure> structures_;
};

}  // namespace smmusim::oracle
