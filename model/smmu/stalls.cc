// SPDX-License-Identifier: MIT
// STAGs and the three places where a stalled transaction waits: under its own STAG, behind the one that stands for it,
// or unrecorded (IHI 0070 sections 3.12.2 and 7.2.1).
#include "model/smmu/stalls.h"

#include "model/smmu/core.h"

namespace smmusim {

Stalls::Stalls(Core& core) : core_(core), entries_(core.config.features.stall_max) {}

Stalls::Access Stalls::access_of(const Transaction& t) {
  Access access;
  access.stream = t.stream_id.value;
  access.substream_valid = t.substream_valid;
  access.substream = t.substream_valid ? t.substream_id.value : 0;
  access.privileged = t.privileged;
  access.instruction = t.instruction && !t.writes();
  access.type = t.access;
  access.page = t.address.value >> 12;
  return access;
}

Stalls::Parked Stalls::park(const Transaction& transaction, std::uint16_t stag, unsigned era) {
  Parked parked;
  parked.scope = &core_.lifetime;
  parked.stalls = this;
  parked.access = access_of(transaction);
  parked.stag = stag;
  parked.era = era;
  return parked;
}

/// The stall of this access that has `stag`, and not a later one that has it now.
Stalls::Entry* Stalls::entry_with(std::uint16_t stag, const Access& access) {
  if (stag >= entries_.size()) return nullptr;
  Entry& entry = entries_[stag];
  const bool to_be_parked = entry.state == State::coming || entry.state == State::over;
  return to_be_parked && entry.access == access ? &entry : nullptr;
}

Stalls::Entry* Stalls::standing_for(const Access& access) {
  if (!core_.config.tcu.suppress_duplicate_stalls) return nullptr;
  for (Entry& entry : entries_) {
    if (entry.stalled() && entry.access == access) return &entry;
  }
  return nullptr;
}

bool Stalls::can_record() const {
  return busy_ != entries_.size() && core_.event_queue.has_room();
}

std::uint16_t Stalls::enter(const Transaction& transaction, bool awaited) {
  const Access access = access_of(transaction);
  if (!can_record() || standing_for(access) != nullptr) return no_stag;
  while (entries_[next_].state != State::free) next_ = (next_ + 1) % entries_.size();
  Entry& entry = entries_[next_];
  entry.state = awaited ? State::coming : State::detached;
  entry.access = access;
  ++busy_;
  ++core_.counters.stalls;
  const auto stag = static_cast<std::uint16_t>(next_);
  next_ = (next_ + 1) % entries_.size();
  return stag;
}

/// Whether there is nothing to wait for any more; parked.resolution says how it ended.
bool Stalls::over_already(Parked& parked) {
  Entry* own = entry_with(parked.stag, parked.access);
  if (own != nullptr && own->state == State::over) {
    parked.resolution = own->resolution;
    own->state = State::free;
    --busy_;
    look_again();
    return true;
  }
  if (own != nullptr) return false;
  if (parked.era != era_) {
    parked.resolution = Resolution::abort;
    return true;
  }
  // Its record was refused, or the reason for having none is gone: again from the start.
  return standing_for(parked.access) == nullptr && can_record();
}

void Stalls::place(Parked& parked) {
  if (Entry* own = entry_with(parked.stag, parked.access); own != nullptr) {
    own->state = State::parked;
    own->transaction = &parked;
  } else if (Entry* other = standing_for(parked.access); other != nullptr) {
    ++core_.counters.stalls_suppressed;
    other->suppressed.push_back(parked);
  } else {
    unrecorded_.push_back(parked);
  }
}

void Stalls::wake(Parked& parked, Resolution resolution) {
  parked.resolution = resolution;
  core_.lifetime.engine().post(parked);
}

/// Ends a stall and gives its STAG back; `others` is for those that its record stands for.
void Stalls::end(Entry& entry, Resolution own, Resolution others) {
  while (!entry.suppressed.empty()) {
    auto& parked = static_cast<Parked&>(entry.suppressed.front());
    entry.suppressed.pop_front();
    wake(parked, others);
  }
  core_.event_queue.withdraw_stall(static_cast<std::uint16_t>(&entry - entries_.data()));
  if (entry.state == State::coming) {
    entry.state = State::over;
    entry.resolution = own;
    return;
  }
  if (entry.state == State::parked) wake(*entry.transaction, own);
  entry.transaction = nullptr;
  entry.state = State::free;
  --busy_;
}

void Stalls::not_recorded(std::uint16_t stag) {
  if (stag < entries_.size() && entries_[stag].stalled()) {
    end(entries_[stag], Resolution::retry, Resolution::retry);
  }
}

void Stalls::resume(StreamId stream, std::uint16_t stag, Resolution resolution) {
  if (stag >= entries_.size()) return;
  Entry& entry = entries_[stag];
  if (!entry.stalled() || entry.access.stream != stream.value) return;
  end(entry, resolution, Resolution::retry);
  look_again();
}

template <class Which>
void Stalls::end_all(Which which) {
  for (Entry& entry : entries_) {
    if (entry.stalled() && which(entry.access)) end(entry, Resolution::abort, Resolution::abort);
  }
  for (auto node = unrecorded_.begin(); node != unrecorded_.end();) {
    auto& parked = static_cast<Parked&>(*node);
    if (!which(parked.access)) {
      ++node;
      continue;
    }
    node = unrecorded_.erase(node);
    wake(parked, Resolution::abort);
  }
}

void Stalls::terminate(StreamId stream) {
  end_all([stream](const Access& access) { return access.stream == stream.value; });
  look_again();
}

void Stalls::terminate_all() {
  ++era_;
  end_all([](const Access&) { return true; });
}

void Stalls::look_again() {
  if (!can_record()) return;
  while (!unrecorded_.empty()) {
    auto& parked = static_cast<Parked&>(unrecorded_.front());
    unrecorded_.pop_front();
    wake(parked, Resolution::retry);
  }
}

bool Stalls::idle() const {
  for (const Entry& entry : entries_) {
    if (entry.state == State::parked || !entry.suppressed.empty()) return false;
  }
  return unrecorded_.empty();
}

void Stalls::reset() {
  for (Entry& entry : entries_) {
    entry.state = State::free;
    entry.transaction = nullptr;
    entry.suppressed.clear();
  }
  unrecorded_.clear();
  next_ = 0;
  busy_ = 0;
}

}  // namespace smmusim
