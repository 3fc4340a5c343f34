// SPDX-License-Identifier: MIT
// How the Linux driver rewrites a live STE or CD (Linux 7.1, as shared/reference describes it; written from those
// facts): which bits an SMMU may look at decides in which order the 64-bit words are stored, with CFGI and CMD_SYNC
// after each step. Raw words only; nothing here may use the model.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "tests/support/raw_words.h"

namespace smmusim::linux_driver {

/// An STE or a CD.
using Entry = raw::Words<8>;

/// The two kinds of entry differ in the bits that count.
struct EntryKind {
  Entry (*used)(const Entry& entry);                  ///< the bits that an SMMU may look at, as a mask
  Entry (*safe)(const Entry& from, const Entry& to);  ///< the bits that may change at any time, as a mask
};
extern const EntryKind stream_table_entry, context_descriptor;

struct Store {
  std::size_t word;
  std::uint64_t value;
};
/// Stores that the driver makes before it asks for one CFGI and one CMD_SYNC.
using Step = std::vector<Store>;

struct Update {
  std::vector<Step> steps;
  bool hitless;  ///< no step makes the entry invalid that was valid and will be
};
Update plan_update(const EntryKind& kind, const Entry& from, const Entry& to);

/// True if an SMMU can't tell `image` from `end`.
bool looks_like(const EntryKind& kind, const Entry& image, const Entry& end, const Entry& safe);

}  // namespace smmusim::linux_driver
