// SPDX-License-Identifier: MIT
// What becomes of a fault: the outcome for the client (IHI 0070 sections 3.12 and 5.5) and the event record (section
// 7.3). Where a stalled transaction waits is stalls.cc's business.
#include "model/smmu/ats.h"
#include "model/smmu/core.h"
#include "model/smmu/operations.h"
#include "model/smmu/translate.h"

namespace smmusim {
namespace {

using spec::Event;
using spec::EventType;

/// F_TRANSLATION, F_ADDR_SIZE, F_ACCESS, F_PERMISSION: the faults that A, R and S govern, but for that of a bypass.
bool configurable(const Fault& fault) {
  return fault.type >= EventType::F_TRANSLATION && fault.type <= EventType::F_PERMISSION && !fault.terminate_always;
}

bool stalls(const TranslationOp& op) {
  return configurable(op.fault) && (op.fault.stage2 ? op.context->s2_s : op.context->cd_s);
}

void set_stream(Event& event, const Transaction& t) {
  event.set<Event::StreamID>(t.stream_id.value);
  const EventType type = event.get<Event::Type>();
  if (type == EventType::F_STREAM_DISABLED || type == EventType::F_TRANSL_FORBIDDEN) return;
  // C_BAD_SUBSTREAMID always carries the SubstreamID and has no SSV.
  const bool has_ssv = type != EventType::C_BAD_SUBSTREAMID;
  if (has_ssv) event.set<Event::SSV>(t.substream_valid);
  if (t.substream_valid) event.set<Event::SubstreamID>(t.substream_id.value);
}

/// PnU and InD after the STE's overrides; for F_UUT as they came in (7.3.2).
void set_access(Event& event, const TranslationOp& op) {
  const Transaction& t = op.transaction;
  const bool incoming = op.fault.type == EventType::F_UUT;
  event.set<Event::PnU>(incoming ? t.privileged : op.privileged);
  event.set<Event::InD>(!t.writes() && (incoming ? t.instruction : op.instruction));
  const bool read = !t.writes() || (t.access == AccessType::atomic && op.fault.read_failed);
  event.set<Event::RnW>(read);
  event.set<Event::InputAddr>(t.address.value);
}

Event compose(const Core& core, const TranslationOp& op) {
  Event event;
  event.set<Event::Type>(op.fault.type);
  set_stream(event, op.transaction);
  const std::uint64_t fetch_address = op.fault.fetch_address & low_mask(core.config.features.oas);
  switch (op.fault.type) {
    case EventType::F_UUT:
      set_access(event, op);
      break;
    case EventType::F_BAD_ATS_TREQ:
      describe_request(event, op.transaction);
      break;
    case EventType::F_TRANSL_FORBIDDEN:
      event.set<Event::RnW>(!op.transaction.writes()).set<Event::InputAddr>(op.transaction.address.value);
      break;
    case EventType::F_STE_FETCH:
    case EventType::F_CD_FETCH:
    case EventType::F_VMS_FETCH:
      event.set<Event::FetchAddr>(fetch_address);
      break;
    case EventType::F_WALK_EABT:
      set_access(event, op);
      event.set<Event::S2>(op.fault.stage2).set<Event::CLASS>(op.fault.klass).set<Event::FetchAddr>(fetch_address);
      break;
    case EventType::F_TRANSLATION:
    case EventType::F_ADDR_SIZE:
    case EventType::F_ACCESS:
    case EventType::F_PERMISSION:
      set_access(event, op);
      event.set<Event::S2>(op.fault.stage2)
          .set<Event::CLASS>(op.fault.klass)
          .set<Event::IPA>(op.fault.ipa & ~core.beyond_oas & ~low_mask(12));
      if (op.response.outcome == Outcome::stalled) {
        event.set<Event::Stall>(true).set<Event::STAG>(op.response.stag == no_stag ? 0 : op.response.stag);
      }
      if (op.fault.type == EventType::F_PERMISSION && op.fault.klass == spec::EventClass::TT)
        event.set<Event::TTRnW>(!op.fault.table_write);
      break;
    default:
      break;
  }
  return event;
}

bool recorded(const Core& core, const TranslationOp& op) {
  if (const std::optional<bool> ats = ats_fault_recorded(core, op)) return *ats;
  if (op.fault.type == EventType::C_BAD_STREAMID) return core.regs.recinvsid();
  if (!configurable(op.fault) || stalls(op)) return true;
  return op.fault.stage2 ? op.context->s2_r : op.context->cd_r;
}

Outcome outcome_of(const TranslationOp& op) {
  if (!configurable(op.fault)) return Outcome::abort;
  if (stalls(op)) return op.transaction.pcie ? Outcome::abort : Outcome::stalled;
  return op.fault.stage2 || op.context->cd_a ? Outcome::abort : Outcome::raz_wi;
}

/// Whether equal records may become one (section 7.3.1): as STE.MEV says; of those that come before the STE, always.
bool may_merge(const TranslationOp& op) {
  if (op.fault.type <= EventType::C_BAD_STE) return true;
  return op.context != nullptr && op.context->mev && op.response.outcome != Outcome::stalled;
}

/// The stall's STAG into the response; false if there is nothing to record now. No stall begins after SMMUEN, and none
/// at all in an SMMU that has no STAG: it terminates, which section 3.12 permits.
bool enter_stall(Core& core, TranslationOp& op) {
  if (!core.regs.smmuen()) {
    op.response.outcome = Outcome::abort;
    return false;
  }
  if (core.config.features.stall_max == 0) {
    op.response.outcome = Outcome::abort;
    return true;
  }
  op.response.stag = core.stalls.enter(op.transaction, op.parks);
  return op.response.stag != no_stag;
}

}  // namespace

Task<> report_fault(Core& core, TranslationOp& op) {
  op.response.outcome = outcome_of(op);
  if (is_translation_request(op.transaction) && core.config.features.ats) complete_fault(core, op);
  op.response.event = op.fault.type;
  const bool wanted = !settle_faulted_operation(op) && recorded(core, op);
  if (core.observer != nullptr) core.observer->fault(compose(core, op), wanted);
  if (!op.effects.record || !wanted) co_return;
  if (op.response.outcome == Outcome::stalled && !enter_stall(core, op)) co_return;
  Event event = compose(core, op);
  ++core.counters.events[static_cast<std::size_t>(op.fault.type)];
  co_await core.event_queue.record(event, may_merge(op));
}

Task<> record_foreign(Core& core, Event event) {
  const auto type = event.get<Event::Type>();
  const bool wanted = type != EventType::C_BAD_STREAMID || core.regs.recinvsid();
  if (core.observer != nullptr) core.observer->fault(event, wanted);
  if (!wanted) co_return;
  ++core.counters.events[static_cast<std::size_t>(type)];
  co_await core.event_queue.record(event, false);
}

}  // namespace smmusim
