// SPDX-License-Identifier: MIT
// The timed path of one request through its TBU, and the epochs that CMD_SYNC waits for (section 4.7). What a
// translation means is translate.cc's.
#include "model/smmu/tbu.h"

#include "model/smmu/core.h"
#include "model/smmu/translate.h"

namespace smmusim {

Tbu::Tbu(Core& core, const TbuConfig& config, std::uint64_t seed)
    : stream_cache(config.stream_cache, seed),
      micro_tlb(config.micro_tlb, seed + 1),
      core_(core),
      translation_slots_(core.lifetime, config.translation_slots),
      lookup_(core.lifetime, core.clock, config.lookup_cycles, config.lookup_interval_cycles),
      link_time_(core.clock.cycles(config.link_cycles)) {}

Scope& Tbu::scope() {
  return core_.lifetime;
}

void Tbu::reset() {
  lookup_.reset();
  stream_cache.clear();
  micro_tlb.clear();
}

void Tbu::keep(TranslationOp& op) {
  const Outcome outcome = op.response.outcome;
  if ((outcome != Outcome::proceed && outcome != Outcome::ats_completion) || op.failed()) return;
  const InFlight& in_flight = core_.tcu.in_flight;
  if (op.context != nullptr && !stream_cache.holds(*op.context) && may_fill(in_flight, op, *op.context)) {
    stream_cache.fill(*op.context);
  }
  if (op.leaf == nullptr) return;
  if (may_fill(in_flight, op, *op.leaf)) {
    micro_tlb.fill(*op.leaf);
  } else if (op.effects.fill) {
    micro_tlb.count_dropped_fill();
  }
}

Task<> Tbu::serve(TranslationRequest& request) {
  unsigned era = core_.stalls.era();
  for (bool again = false;; again = true) {
    if (core_.config.timed) {
      co_await translation_slots_.acquire();
      SlotHold slot(translation_slots_);
      request.response = Response{};
      TranslationOp op(core_, Consultation(request.transaction, request.response, true), ordinary_effects, core_.memory,
                       true);
      op.parks = true;
      co_await lookup_.pass();
      if (again && era != core_.stalls.era()) break;  // an abort: SMMUEN has been 0 since it stalled
      era = core_.stalls.era();
      const Progress progress = consult(core_, op, stream_cache, micro_tlb);
      if (progress != Progress::answered) {
        op.token = core_.tcu.in_flight.begin();
        if (op.failed() && op.context != nullptr) op.keep_context();
        co_await delay(core_.lifetime, link_time_ + core_.lookup_time);
        co_await translate_in_tcu(core_, op);
        co_await delay(core_.lifetime, link_time_);
        keep(op);
        end_in_tcu(core_, op.token);
      }
    } else if (again) {
      if (era != core_.stalls.era()) {
        request.response = Response{};
        break;
      }
      request.response = translate_now(core_, *this, request.transaction);
    }
    if (request.response.outcome != Outcome::stalled) break;
    core_.requests.leave_epoch(core_, request);
    Stalls::Parked parked = core_.stalls.park(request.transaction, request.response.stag, era);
    const Resolution end = co_await parked;
    core_.requests.enter_epoch(request);
    if (end != Resolution::retry) {
      request.response.outcome = end == Resolution::abort ? Outcome::abort : Outcome::raz_wi;
      break;
    }
    ++core_.counters.stall_retries;
  }
  core_.requests.answered(core_, request);
}

void Requests::admit(Core& core, TranslationRequest& request) {
  request.submitted_at = core.lifetime.engine().now();
  enter_epoch(request);
  inside_.push_back(request);
}

void Requests::enter_epoch(TranslationRequest& request) {
  request.ticket = (generation_ << 2) | live_ | epoch_;
  ++in_epoch_[epoch_];
}

void Requests::answered(Core& core, TranslationRequest& request) {
  inside_.erase(inside_.iterator_to(request));
  count_response(core, request.transaction, request.response);
  core.lifetime.engine().post(request);  // first: an invalidation must not overtake a completion (section 3.9.1)
  if (request.response.outcome != Outcome::proceed) retire(core, request);
}

void Requests::retire(Core& core, TranslationRequest& request) {
  const std::uint32_t ticket = request.ticket;
  request.ticket = 0;
  if ((ticket & live_) == 0 || ticket >> 2 != generation_) return;
  if (--in_epoch_[ticket & 1] == 0) core.command_queue.progress();
}

void Requests::abort_all(Engine& engine) {
  while (!inside_.empty()) {
    auto& request = static_cast<TranslationRequest&>(inside_.front());
    inside_.pop_front();
    request.response = Response{};
    if (request.transaction.ats == AtsType::translation_request) {
      request.response.outcome = Outcome::ats_completion;
      request.response.ats.status = AtsStatus::completer_abort;
    }
    request.ticket = 0;
    engine.post(request);
  }
  generation_ = (generation_ + 1) & 0x3fffffff;
  in_epoch_[0] = in_epoch_[1] = 0;
}

}  // namespace smmusim
