// SPDX-License-Identifier: MIT
// Told: what the story so far has said, for the sentences that come next; and the table that gives each Step of the
// translation text (model/smmu/observer.h) its sentence, name and section. Nothing here translates: values come from
// the Observer's calls and from structures decoded by model/spec and model/vmsa.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "model/smmu/config.h"
#include "model/smmu/observer.h"
#include "model/smmu/tlb.h"
#include "model/spec/cd.h"
#include "model/spec/ste.h"
#include "model/vmsa/s1_walk.h"
#include "model/vmsa/s2_walk.h"

namespace smmusim::explain {

/// The table that a walk looks in.
struct WalkPlace {
  std::string_view name;  ///< "TTB0", "TTB1", "S2TTB", or "table" below those
  std::uint64_t base = 0;
  int level = 0;
};

struct Told {
  Transaction transaction{};
  SmmuConfig config{};
  spec::Ste ste{};
  spec::Cd cd{};
  StreamWorld world = StreamWorld::ns_el1;
  unsigned split = 0;  ///< 0: the stream table is linear
  bool l1cd_fetched = false;
  std::uint64_t canonical = 0;   ///< input of stage 1
  WalkPlace walk[2]{};           ///< of stage 1 and stage 2
  spec::EventClass klass{};      ///< of the stage 2 under way, or of the last one
  std::uint64_t ipa = 0;         ///< its input
  std::uint64_t descriptor = 0;  ///< the last one fetched, in host order

  const spec::Features& features() const { return config.features; }
  unsigned half() const { return static_cast<unsigned>(transaction.address.value >> 55 & 1); }
  S1TTWParams stage1() const;
  S2TTWParams stage2() const;
  /// "the CD", "the stage-1 level-2 descriptor", "the access": what the stage 2 under way is for.
  std::string purpose() const;
};

struct Sentence {
  Step step;
  std::string_view key;      ///< in JSON; stays
  std::string_view section;  ///< of IHI 0070 unless it says otherwise
  bool of_fetch;             ///< says something about the structure fetched before it
  bool is_cause;             ///< may be why an access does not get through
  std::string (*text)(const Told&, std::uint64_t a, std::uint64_t b);
};
const Sentence& sentence_of(Step step);
/// Sentence::section, or for faults of walks and reads that of the event that they become.
std::string_view section_of(const Sentence& sentence, std::uint64_t a, std::uint64_t b);

/// "unprivileged read+write, privileged read" of permission::….
std::string permissions_text(std::uint64_t granted);

}  // namespace smmusim::explain
