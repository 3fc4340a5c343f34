// SPDX-License-Identifier: MIT
// A table of open translations, looked through by every miss and every invalidation; it caches nothing itself.
#include "model/smmu/in_flight.h"

namespace smmusim {
InFlight::Token InFlight::begin() {
  std::uint32_t free = 0;
  while (free < slots_.size() && slots_[free].open) ++free;
  if (free == slots_.size()) {
    slots_.emplace_back();
    keys_.emplace_back();
  }
  Slot& slot = slots_[free];
  slot.open = true;
  slot.tlb.count = 0;
  slot.config.count = 0;
  return {free};
}

void InFlight::end(Token token) {
  if (token.slot >= slots_.size()) return;
  slots_[token.slot].open = false;
  keys_[token.slot] = Key{};
}

InFlight::Key InFlight::fetch_key(StreamId stream, bool substream_valid, SubstreamId substream) {
  Key key;
  key.doing = Doing::fetching;
  key.substream_valid = substream_valid;
  key.what = std::uint64_t{substream_valid ? substream.value : 0} << 32 | stream.value;
  return key;
}

InFlight::Key InFlight::walk_key(const TlbContext& context, std::uint64_t va) {
  Key key;
  key.doing = Doing::walking;
  key.context = context;
  key.what = va >> 12;
  return key;
}

bool InFlight::other_does(Token token, const Key& key) const {
  for (std::uint32_t i = 0; i < keys_.size(); ++i) {
    if (keys_[i] == key && i != token.slot) return true;
  }
  return false;
}

void InFlight::note(const TlbInvalidation& what) {
  for (Slot& slot : slots_) {
    if (slot.open) slot.tlb.add(what);
  }
}

void InFlight::note(const ConfigInvalidation& what) {
  for (Slot& slot : slots_) {
    if (slot.open) slot.config.add(what);
  }
}

bool InFlight::may_fill(Token token, const TlbEntry& entry) const {
  return !slots_[token.slot].tlb.covers(entry);
}

bool InFlight::may_fill(Token token, const StreamContext& context) const {
  return !slots_[token.slot].config.covers(context);
}

std::size_t InFlight::open() const {
  std::size_t count = 0;
  for (const Slot& slot : slots_) count += slot.open ? 1 : 0;
  return count;
}

}  // namespace smmusim
