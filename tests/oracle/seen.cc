// SPDX-License-Identifier: MIT
// What an invalidation leaves: see seen.h.
#include "tests/oracle/seen.h"

#include "tests/oracle/log_steps.h"

namespace smmusim::oracle {
namespace {

constexpr std::uint64_t not_global = std::uint64_t{1} << 11;  // nG of a stage-1 leaf

bool is_leaf(int level, std::uint64_t descriptor) {
  return level == 3 || (descriptor & 2) == 0;
}

/// Whether a range command covers the entry that translates [first, last] (section 4.4.1.1).
bool covered(const trace::Record& command, int level, std::uint64_t first, std::uint64_t last,
             const SeenDescriptor& entry) {
  const bool leaf = is_leaf(level, entry.value);
  const bool global = leaf && (entry.value & not_global) == 0;
  if (command.has_asid && command.asid != entry.asid && !global) return false;
  if (leaf ? command.ttl != 0 && command.ttl != level : command.leaf) return false;
  const std::uint64_t end = command.address + (command.pages * command.granule_bytes() - 1);
  return first <= end && command.address <= last;
}

}  // namespace

void SeenDescriptors::note(int level, std::uint64_t iova, const SeenDescriptor& seen) {
  descriptors_[{level, iova >> level_shift(level)}] = seen;
}

const SeenDescriptor* SeenDescriptors::find(int level, std::uint64_t iova) const {
  const auto at = descriptors_.find({level, iova >> level_shift(level)});
  return at == descriptors_.end() ? nullptr : &at->second;
}

void SeenDescriptors::invalidate(const trace::Record& command) {
  if (command.kind != trace::Kind::invalidate) return;
  std::erase_if(descriptors_, [&command](const auto& item) {
    if (command.invalidate_scope != trace::InvalidateScope::range) return true;
    const int level = item.first.first;
    const std::uint64_t first = item.first.second << level_shift(level);
    return covered(command, level, first, first + low_mask(level_shift(level)), item.second);
  });
}

const SeenStructure* SeenStructures::find(std::uint32_t stream, Purpose purpose) const {
  const auto at = structures_.find({stream, purpose});
  return at == structures_.end() ? nullptr : &at->second;
}

void SeenStructures::invalidate(const trace::Record& command) {
  if (command.kind != trace::Kind::config) return;
  using trace::ConfigScope;
  const ConfigScope scope = command.config_scope;
  std::erase_if(structures_, [&command, scope](const auto& item) {
    const auto [stream, purpose] = item.first;
    if (scope == ConfigScope::all) return true;
    const std::uint32_t last = scope == ConfigScope::ste_range ? command.stream_last : command.stream;
    if (stream < command.stream || stream > last) return false;
    const bool cds_only = scope == ConfigScope::cd || scope == ConfigScope::cd_all;
    return !cds_only || purpose == Purpose::CD;
  });
}

}  // namespace smmusim::oracle
