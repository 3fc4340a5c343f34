// SPDX-License-Identifier: MIT
#include "model/smmu/in_flight.h"

namespace smmusim {
namespace {

bool same_regime(const TlbContext& a, const TlbContext& b) {
  return a.world == b.world && a.asid == b.asid && a.vmid == b.vmid && a.aset == b.aset;
}

}  // namespace

InFlight::Token InFlight::begin() {
  std::uint32_t free = 0;
  while (free < slots_.size() && slots_[free].open) ++free;
  if (free == slots_.size()) slots_.emplace_back();
  Slot& slot = slots_[free];
  slot.open = true;
  slot.doing = Doing::nothing;
  slot.tlb.count = 0;
  slot.config.count = 0;
  return {free};
}

void InFlight::end(Token token) {
  if (token.slot < slots_.size()) slots_[token.slot].open = false;
}

void InFlight::fetching(Token token, StreamId stream, bool substream_valid, SubstreamId substream) {
  Slot& slot = slots_[token.slot];
  slot.doing = Doing::fetching;
  slot.stream = stream;
  slot.substream_valid = substream_valid;
  slot.substream = substream;
}

void InFlight::walking(Token token, const TlbContext& context, std::uint64_t va) {
  Slot& slot = slots_[token.slot];
  slot.doing = Doing::walking;
  slot.context = context;
  slot.page = va >> 12;
}

bool InFlight::other_fetches(Token token, StreamId stream, bool substream_valid, SubstreamId substream) const {
  for (std::uint32_t i = 0; i < slots_.size(); ++i) {
    const Slot& slot = slots_[i];
    if (i != token.slot && slot.open && slot.doing == Doing::fetching && slot.stream == stream &&
        slot.substream_valid == substream_valid && slot.substream == substream) {
      return true;
    }
  }
  return false;
}

bool InFlight::other_walks(Token token, const TlbContext& context, std::uint64_t va) const {
  for (std::uint32_t i = 0; i < slots_.size(); ++i) {
    const Slot& slot = slots_[i];
    if (i != token.slot && slot.open && slot.doing == Doing::walking && slot.page == va >> 12 &&
        same_regime(slot.context, context)) {
      return true;
    }
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
