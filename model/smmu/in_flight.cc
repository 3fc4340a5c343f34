// SPDX-License-Identifier: MIT
// A table of open translations, looked through by every invalidation, and by misses that may have company; it caches
// nothing itself.
#include "model/smmu/in_flight.h"

namespace smmusim {

InFlight::Token InFlight::begin() {
  if (free_.empty()) {
    free_.push_back(static_cast<std::uint32_t>(slots_.size()));
    slots_.emplace_back();
    keys_.emplace_back();
  }
  const Token token{free_.back()};
  free_.pop_back();
  Slot& slot = slots_[token.slot];
  slot.open = true;
  slot.tlb.count = 0;
  slot.config.count = 0;
  return token;
}

void InFlight::end(Token token) {
  if (token.slot >= slots_.size() || !slots_[token.slot].open) return;
  finished(token);
  slots_[token.slot].open = false;
  free_.push_back(token.slot);
}

void InFlight::clear() {
  slots_.clear();
  keys_.clear();
  free_.clear();
  alike_announced_ = {};
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

void InFlight::announce(Token token, const Key& key) {
  Key& own = keys_[token.slot];
  if (own.doing != Doing::nothing) --alike_announced_[digest_of(own)];
  if (key.doing != Doing::nothing) ++alike_announced_[digest_of(key)];
  own = key;
}

bool InFlight::other_does(Token token, const Key& key) const {
  if (alike_announced_[digest_of(key)] == 0) return false;
  for (std::uint32_t i = 0; i < keys_.size(); ++i) {
    if (keys_[i] == key && i != token.slot) return true;
  }
  return false;
}

void InFlight::fetching(Token token, StreamId stream, bool substream_valid, SubstreamId substream) {
  announce(token, fetch_key(stream, substream_valid, substream));
}

void InFlight::walking(Token token, const TlbContext& context, std::uint64_t va) {
  announce(token, walk_key(context, va));
}

void InFlight::finished(Token token) {
  announce(token, Key{});
}

bool InFlight::other_fetches(Token token, StreamId stream, bool substream_valid, SubstreamId substream) const {
  return other_does(token, fetch_key(stream, substream_valid, substream));
}

bool InFlight::other_walks(Token token, const TlbContext& context, std::uint64_t va) const {
  return other_does(token, walk_key(context, va));
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

}  // namespace smmusim
