// SPDX-License-Identifier: MIT
// Vsmmu: the host's event queue, into the guest's. The host gives the StreamID that the guest knows, and the rest of
// the record as its SMMU wrote it.
#include <limits>

#include "platform/nested/vsmmu.h"

namespace smmusim::nested {

using spec::Event;
using spec::EventType;

Task<> Vsmmu::serve_events() {
  while (true) {
    co_await news_.wait();
    drain_events();
  }
}

void Vsmmu::drain_events() {
  if (veventq_ == nullptr) return;
  // A host that never ends to have records does not keep the guest from going on.
  constexpr unsigned reads_max = 64;
  std::vector<host::Vevent> records;
  for (unsigned i = 0; i != reads_max; ++i) {
    records.clear();
    const auto got = veventq_->read(records);
    for (const host::Vevent& record : records) take(record);
    if (!got) {
      ++counters_.vevents.bad_reads;
      return;
    }
    if (*got == 0) return;
  }
}

/// Sequence numbers run from 0 to the largest positive int and around.
void Vsmmu::note_sequence(std::uint32_t sequence) {
  constexpr std::uint32_t numbers_mask = std::numeric_limits<std::int32_t>::max();
  const std::uint32_t missing = last_sequence_ ? (sequence - *last_sequence_ - 1) & numbers_mask : 0;
  last_sequence_ = sequence;
  if (missing == 0) return;
  ++counters_.vevents.gaps;
  counters_.vevents.lost += missing;
  if (guest_ != nullptr) guest_->events_lost();
}

void Vsmmu::take(const host::Vevent& record) {
  VeventCounters& count = counters_.vevents;
  if (record.lost_events) {
    ++count.overflows;
    last_sequence_.reset();
    if (guest_ != nullptr) guest_->events_lost();
    return;
  }
  ++count.records;
  note_sequence(record.sequence);
  const Device* device = find(StreamId(record.event.get<Event::StreamID>()));
  if (device == nullptr || device->disabled) {  // nothing translates with SMMUEN = 0 (section 6.3.9.6)
    ++count.foreign;
    return;
  }
  if (guest_ == nullptr) return;
  const Event event = as_guest_sees(*device, record.event);
  count.synthesised += event == record.event ? 0 : 1;
  ++count.delivered;
  guest_->record_event(event);
}

/// The trap's CD is not valid, and it has no substreams: one of two events, whatever the access.
Event Vsmmu::as_guest_sees(const Device& device, const Event& event) const {
  const auto type = event.get<Event::Type>();
  const bool of_substream = type == EventType::C_BAD_SUBSTREAMID;
  if (device.attached != Attached::trap || (type != EventType::C_BAD_CD && !of_substream)) return event;
  // A stream whose CD is out of reach has no substreams either, and that comes first.
  if (of_substream && device.trapped.event == EventType::F_CD_FETCH) return event;
  Event shown;
  shown.set<Event::Type>(device.trapped.event).set<Event::StreamID>(device.stream.value);
  shown.set<Event::SSV>(of_substream || event.get<Event::SSV>());
  shown.set<Event::SubstreamID>(event.get<Event::SubstreamID>());
  const bool fetch = device.trapped.event == EventType::F_STE_FETCH || device.trapped.event == EventType::F_CD_FETCH;
  if (fetch) shown.set<Event::FetchAddr>(device.trapped.fetch_address);
  return shown;
}

}  // namespace smmusim::nested
