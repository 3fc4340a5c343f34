// SPDX-License-Identifier: MIT
// Choices: an aborted write is synchronous; a message that finds PROD and CONS that no queue can have is in overflow;
// without substreams no STE is looked at for an automatic response, which takes a cycle.
#include "model/smmu/pri_queue.h"

#include "model/smmu/core.h"
#include "model/smmu/own_access.h"
#include "model/smmu/translate.h"
#include "model/spec/pri.h"

namespace smmusim {
namespace {

using spec::GERROR;
using spec::PriEntry;

constexpr unsigned entry_log2_bytes = 4;
constexpr std::uint64_t overflow_flag = std::uint64_t{1} << 31;  // PRIQ_PROD.OVFLG and PRIQ_CONS.OVACKFLG

QueueView view_of(const Core& core) {
  return {core.regs.priq_base & low_mask(core.config.features.oas), core.regs.priq_prod, core.regs.priq_cons,
          core.config.features.priqs, entry_log2_bytes};
}

bool delivers(const Core& core) {
  return core.regs.priqen() && (core.regs.active_errors() & GERROR::PRIQ_ABT_ERR::mask) == 0;
}

/// PRIQ_IRQ_CFG2.LO: what counts for the interrupt is the last message of a group.
bool last_only(const Core& core) {
  return as<spec::PRIQ_IRQ_CFG2>(core.regs.priq_irq.cfg2).get<spec::PRIQ_IRQ_CFG2::LO>();
}

PriEntry entry_of(const PageRequest& request, bool substreams) {
  PriEntry entry;
  entry.set<PriEntry::StreamID>(request.stream_id.value)
      .set<PriEntry::R>(request.read)
      .set<PriEntry::W>(request.write)
      .set<PriEntry::Last>(request.last)
      .set<PriEntry::PRGIndex>(request.group)
      .set<PriEntry::Address>(request.address);
  if (request.substream_valid && substreams) {
    entry.set<PriEntry::SSV>(true)
        .set<PriEntry::SubstreamID>(request.substream_id.value)
        .set<PriEntry::X>(request.execute)
        .set<PriEntry::Priv>(request.privileged);
  }
  return entry;
}

/// Looks at an STE, changes no cache; errors are recorded as those of a Translation Request (section 8.1).
constexpr Effects look_at_ste{false, true, false, true, false};

}  // namespace

Scope& PriQueue::scope() {
  return core_.lifetime;
}

bool PriQueue::receive(const PageRequest& request) {
  if (!core_.config.features.pri) return true;  // no such interface: lost
  if (messages_.size() >= waiting_max) return false;
  messages_.push_back(request);
  messages_.back().group &= 0x1ff;
  ++core_.counters.page_requests;
  resume();
  return true;
}

void PriQueue::start() {
  writing_ = true;
  spawn(core_.lifetime, drain());
}

Task<> PriQueue::drain() {
  std::size_t left = messages_.size();
  while (!messages_.empty() && (core_.config.timed || left-- != 0)) {
    const PageRequest request = messages_.front();
    messages_.pop_front();
    co_await process(request);
    if (owed_ != 0 && --owed_ == 0) update_cr0ack(core_);
  }
  writing_ = false;
  owed_ = 0;
  update_cr0ack(core_);
}

Task<> PriQueue::process(PageRequest request) {
  if (!delivers(core_) || request.security != SecurityState::non_secure) {
    co_await send(request, PageResponseCode::response_failure, false);
    co_return;
  }
  const QueueView queue = view_of(core_);
  if (overflowing() || queue.full() || !queue.consistent()) {
    co_await discard(request);
  } else {
    co_await write(request);
  }
}

bool PriQueue::overflowing() const {
  return ((core_.regs.priq_prod ^ core_.regs.priq_cons) & overflow_flag) != 0;
}

Task<> PriQueue::discard(PageRequest request) {
  if (!overflowing()) core_.regs.priq_prod ^= overflow_flag;
  ++core_.counters.page_requests_lost;
  if (request.last && last_only(core_)) core_.interrupts.raise(IrqSource::pri_queue);
  if (!request.last || request.stop_marker()) co_return;
  const Pasid pasid = co_await pasid_of_response(request);
  const bool known = pasid != Pasid::unknown;
  co_await send(request, known ? PageResponseCode::success : PageResponseCode::response_failure, pasid == Pasid::with);
}

Task<PriQueue::Pasid> PriQueue::pasid_of_response(PageRequest request) {
  if (!request.substream_valid || core_.config.features.ssidsize == 0) co_return Pasid::without;
  if (core_.config.features.pps) co_return Pasid::with;
  if (!core_.regs.smmuen()) co_return Pasid::unknown;
  Transaction t;
  t.stream_id = request.stream_id;
  t.substream_valid = true;
  t.substream_id = request.substream_id;
  t.ats = AtsType::translation_request;
  t.address = Va(request.address);
  Response response;
  TranslationOp op(core_, Consultation(t, response, false), look_at_ste, core_.memory, core_.config.timed);
  op.ste_only = true;
  co_await fetch_configuration(core_, op);
  if (!op.failed()) co_return op.own_context->ppar ? Pasid::with : Pasid::without;
  co_await report_fault(core_, op);
  co_return Pasid::unknown;
}

Task<> PriQueue::write(PageRequest request) {
  PriEntry entry = entry_of(request, core_.config.features.ssidsize != 0);
  const std::uint32_t index = view_of(core_).prod();
  OwnAccess access = own_write(core_, Purpose::PRI, view_of(core_).address(index), entry.dw.data(), 16,
                               core_.output_queue_attributes(core_.regs.priq_base));
  const MemoryStatus status = co_await access;
  if (status != MemoryStatus::ok) {
    core_.interrupts.report_global_error(GERROR::PRIQ_ABT_ERR::mask);
    co_await send(request, PageResponseCode::response_failure, false);
    co_return;
  }
  const QueueView queue = view_of(core_);
  core_.regs.priq_prod = (core_.regs.priq_prod & overflow_flag) | queue.next(index);
  ++core_.counters.page_requests_written;
  if (last_only(core_) ? request.last : queue.empty()) core_.interrupts.raise(IrqSource::pri_queue);
}

/// An automatic response. Nobody answers Stop Markers (section 8.2). Timed, it takes a cycle: a device that asks again
/// at once must not stop the time.
Task<> PriQueue::send(PageRequest request, PageResponseCode code, bool with_pasid) {
  if (!send_ || request.stop_marker()) co_return;
  if (core_.config.timed) co_await delay(core_.lifetime, core_.clock.cycles(1));
  PageResponse response{request.stream_id, with_pasid, {}, request.group, code};
  if (with_pasid) response.substream_id = request.substream_id;
  ++core_.counters.automatic_page_responses;
  send_(response);
}

void PriQueue::respond(const spec::Command& command) {
  using spec::Command;
  const bool with_pasid = command.get<Command::SSV>();
  const bool no_such_pasid = with_pasid && core_.config.features.ssidsize == 0;
  if (!send_ || !core_.regs.smmuen() || no_such_pasid) return;
  constexpr PageResponseCode codes[] = {PageResponseCode::response_failure, PageResponseCode::invalid_request,
                                        PageResponseCode::success, PageResponseCode::response_failure};
  PageResponse response;
  response.stream_id = StreamId(command.get<Command::StreamID>());
  response.substream_valid = with_pasid;
  if (with_pasid) response.substream_id = SubstreamId(command.get<Command::SubstreamID>());
  response.group = command.get<Command::PRGIndex>();
  response.code = codes[static_cast<unsigned>(command.get<Command::Resp>()) & 3];
  send_(response);
}

void PriQueue::reset() {
  messages_.clear();
  writing_ = false;
}

}  // namespace smmusim
