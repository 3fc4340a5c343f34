// SPDX-License-Identifier: MIT
// The messages of ATS and PRI at the RootComplex: from an SMMU to the function that a StreamID belongs to, and back.
#include <algorithm>

#include "model/smmu/smmu.h"
#include "platform/pcie/root_complex_parts.h"

namespace smmusim::platform {

void RootComplex::attach(Smmu& smmu, unsigned first, unsigned count) {
  for (unsigned i = first; i != first + count; ++i) outputs_[i]->smmu = &smmu;
  smmu.on_atc_invalidate([this, &smmu](const AtcInvalidate& message) { invalidate(smmu, message); }, true);
  smmu.on_page_response([this, &smmu](const PageResponse& message) { respond(smmu, message); });
}

std::optional<std::uint16_t> RootComplex::rid_of(const Smmu& smmu, StreamId stream) const {
  for (const RidMapRow& row : config_.rid_map) {
    if (outputs_[row.output]->smmu != &smmu) continue;
    if (stream < row.stream_base || stream.value - row.stream_base.value >= row.rid_count) continue;
    return static_cast<std::uint16_t>(row.rid_base + (stream.value - row.stream_base.value));
  }
  return std::nullopt;
}

RootComplex::Port* RootComplex::port_of(std::uint16_t rid) const {
  for (const auto& port : ports_) {
    if (port->link != nullptr && port->config.holds(rid)) return port.get();
  }
  return nullptr;
}

void RootComplex::send_message(Port& port, Tlp& tlp) {
  port.messages.push(tlp);
  serve_messages(port);
}

void RootComplex::serve_messages(Port& port) {
  while (!port.messages.empty() && port.link->room(TlpLink::upstream, FlowClass::posted)) {
    port.link->send(TlpLink::upstream, port.messages.pop());
  }
}

/// A StreamID that no function has is answered as an unsupported request: there is nothing to invalidate.
void RootComplex::invalidate(Smmu& smmu, const AtcInvalidate& message) {
  const std::optional<std::uint16_t> rid = rid_of(smmu, message.stream_id);
  Port* port = rid ? port_of(*rid) : nullptr;
  if (port == nullptr) {
    smmu.atc_invalidation_completed(message.tag);
    return;
  }
  Tlp& tlp = pool_.take();
  const unsigned itag = message.tag % itags;
  put(tlp, InvalidateRequest{config_.own_id,
                             *rid,
                             itag,
                             {message.substream_valid, message.substream_id.value, false, false},
                             {message.address, message.span_bits},
                             message.global});
  tlp.watcher = this;
  tlp.cookie = std::uint64_t{*rid} << 32 | itag;
  forget_lost(smmu, *rid, itag);
  invalidations_.push_back({&smmu, message.tag, *rid, itag, 0});
  ++counters_.invalidate_requests;
  send_message(*port, tlp);
}

/// An SMMU takes an ITag that is in use only while all are, so if they are not, the older request with this one has
/// timed out there: a completion that comes now is the new one's.
void RootComplex::forget_lost(const Smmu& smmu, std::uint16_t rid, unsigned itag) {
  const auto of_smmu = std::count_if(invalidations_.begin(), invalidations_.end(),
                                     [&](const Invalidation& i) { return i.smmu == &smmu; });
  if (of_smmu >= itags) return;
  counters_.invalidations_lost +=
      std::erase_if(invalidations_, [&](const Invalidation& i) { return i.rid == rid && i.itag == itag; });
}

/// The function has refused an Invalidate Request: the SMMU takes UR for a completion (IHI 0070 section 4.5).
void RootComplex::resolved(std::uint64_t cookie, const RequestResult&) {
  invalidation_answered(static_cast<std::uint16_t>(cookie >> 32), static_cast<unsigned>(cookie & (itags - 1)), 1);
}

void RootComplex::invalidation_answered(std::uint16_t rid, unsigned itag, unsigned count) {
  const auto found = std::find_if(invalidations_.begin(), invalidations_.end(),
                                  [&](const Invalidation& i) { return i.rid == rid && i.itag == itag; });
  if (found == invalidations_.end()) {
    ++counters_.unexpected_completions;
    return;
  }
  if (++found->received < count) return;
  const Invalidation done = *found;
  invalidations_.erase(found);
  ++counters_.invalidate_completions;
  done.smmu->atc_invalidation_completed(done.tag);
}

void RootComplex::respond(Smmu& smmu, const PageResponse& message) {
  const std::optional<std::uint16_t> rid = rid_of(smmu, message.stream_id);
  Port* port = rid ? port_of(*rid) : nullptr;
  if (port == nullptr) return;
  Tlp& tlp = pool_.take();
  put(tlp, PrgResponse{config_.own_id,
                       *rid,
                       {message.substream_valid, message.substream_id.value, false, false},
                       message.group,
                       static_cast<unsigned>(message.code)});
  ++counters_.page_responses;
  send_message(*port, tlp);
}

bool RootComplex::handle_message(Port& port, Tlp& tlp) {
  if (!is_due(port, tlp)) return false;
  if (tlp.message == MessageCode::Invalidate_Completion) {
    // It counts when the writes before it are visible; the TLP waits there, out of the receive buffer.
    port.link->release(TlpLink::upstream, tlp);
    port.epochs.back().closed = true;
    port.epochs.back().completion = &tlp;
    port.epochs.emplace_back();
    settle(port);
    return true;
  }
  if (tlp.message == MessageCode::Page_Request) {
    if (!offer_page_request(tlp)) {
      wake_at(port, engine_.now() + std::max<Time>(config_.page_request_retry_ps, 1));
      return false;
    }
  } else {
    ++counters_.unsupported_requests;
  }
  drop(port, tlp);
  return true;
}

/// False: the SMMU has no room for it now.
bool RootComplex::offer_page_request(const Tlp& tlp) {
  const RidMapRow* row = row_of(tlp.requester_id);
  Smmu* smmu = row == nullptr ? nullptr : outputs_[row->output]->smmu;
  if (smmu == nullptr || !config_.ats_supported) {
    ++counters_.unsupported_requests;
    return true;
  }
  const PageRequestMessage message = page_request(tlp);
  PageRequest request;
  request.stream_id = *stream_of(tlp.requester_id);
  request.substream_valid = message.pasid.present;
  request.substream_id = SubstreamId(message.pasid.pasid);
  request.privileged = message.pasid.privileged;
  request.execute = message.pasid.execute;
  request.read = message.read;
  request.write = message.write;
  request.last = message.last;
  request.group = message.group;
  request.address = message.address;
  if (!smmu->page_request(request)) return false;
  ++counters_.page_requests;
  return true;
}

void RootComplex::wake_at(Port& port, Time when) {
  if (port.waker.waiting && port.waker.when <= when) return;
  if (port.waker.waiting) engine_.withdraw(port.waker);
  port.waker.waiting = true;
  engine_.schedule_at(when, port.waker);
}

void RootComplex::wake(EventNode& node) {
  auto& self = static_cast<Port::WakeNode&>(node);
  self.waiting = false;
  self.port->posted_blocked = self.port->non_posted_blocked = false;
  self.port->root->serve(*self.port);
}

}  // namespace smmusim::platform
