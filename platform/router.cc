// SPDX-License-Identifier: MIT
// The common case is one call down and one result up: the target completes at once or accepts at once, nothing is
// stored but one hop in the payload's path. Everything else (busy targets and clients) goes through the queues and
// the chores event, which keeps calls of one direction out of calls of the other.
#include "platform/router.h"

#include <algorithm>

#include "model/base/check.h"

namespace smmusim::platform {

using systemc::from_ps;
using systemc::PathExtension;
using systemc::PayloadQueue;
using systemc::Pump;
using systemc::to_ps;
using tlm::tlm_generic_payload;
using tlm::tlm_phase;
using tlm::tlm_sync_enum;

namespace {
constexpr std::uint16_t already_complete = 0xffff;  // Hop::to of a payload that its target is done with
}

struct Router::Input final : tlm::tlm_fw_transport_if<> {
  Router& router;
  unsigned index;
  tlm::tlm_target_socket<>& socket;
  tlm_generic_payload* responding = nullptr;  // BEGIN_RESP sent, END_RESP not seen
  PayloadQueue responses;

  Input(Router& owner, unsigned number) : router(owner), index(number), socket(owner.in[number]) { socket.bind(*this); }

  tlm_sync_enum nb_transport_fw(tlm_generic_payload& payload, tlm_phase& phase, sc_core::sc_time& delay) override {
    Pump::Arrival guard(router.pump_);
    if (phase == tlm::BEGIN_REQ) {
      const sc_core::sc_time annotated = delay;
      const tlm_sync_enum answer = router.begin_request(*this, payload, phase, delay);
      if (answer == tlm::TLM_ACCEPTED) delay = annotated;  // which must not change then
      return answer;
    }
    if (phase == tlm::END_RESP) return router.end_response(*this, payload, phase, delay);
    return tlm::TLM_ACCEPTED;
  }

  void b_transport(tlm_generic_payload& payload, sc_core::sc_time& delay) override {
    const Route route = router.route(payload, index, router.pump_.now() + to_ps(delay));
    delay += route.delay;
    if (route.status == tlm::TLM_OK_RESPONSE) {
      payload.set_address(payload.get_address() - route.subtract);
      router.out[route.output]->b_transport(payload, delay);
      payload.set_address(payload.get_address() + route.subtract);
    } else {
      payload.set_response_status(route.status);
    }
    router.add_response_delay(payload, index, delay);
  }

  unsigned transport_dbg(tlm_generic_payload& payload) override {
    const Route route = router.debug_route(payload, index);
    if (route.status != tlm::TLM_OK_RESPONSE) return 0;
    payload.set_address(payload.get_address() - route.subtract);
    const unsigned done = router.out[route.output]->transport_dbg(payload);
    payload.set_address(payload.get_address() + route.subtract);
    return done;
  }

  bool get_direct_mem_ptr(tlm_generic_payload& payload, tlm::tlm_dmi& dmi) override {
    const std::uint64_t address = payload.get_address();
    const auto route = router.direct_route(payload);
    bool given = false;
    if (route) {
      payload.set_address(address - route->subtract);
      given = router.out[route->output]->get_direct_mem_ptr(payload, dmi);
      payload.set_address(address);
    }
    if (!given) {  // tells no more than it must
      dmi.set_start_address(address);
      dmi.set_end_address(address);
      dmi.allow_read_write();
      return false;
    }
    const std::uint64_t start = dmi.get_start_address() + route->subtract;
    const std::uint64_t first = std::max(start, route->first);
    dmi.set_dmi_ptr(dmi.get_dmi_ptr() + (first - start));
    dmi.set_start_address(first);
    // In offsets: the end plus `subtract` may pass the top.
    dmi.set_end_address(std::min<std::uint64_t>(dmi.get_end_address(), route->last - route->subtract) +
                        route->subtract);
    return true;
  }
};

struct Router::Output final : tlm::tlm_bw_transport_if<> {
  Router& router;
  unsigned index;
  tlm::tlm_initiator_socket<>& socket;
  tlm_generic_payload* requesting = nullptr;  // BEGIN_REQ sent, END_REQ not seen
  PayloadQueue requests;

  Output(Router& owner, unsigned number) : router(owner), index(number), socket(owner.out[number]) {
    socket.bind(*this);
  }

  tlm_sync_enum nb_transport_bw(tlm_generic_payload& payload, tlm_phase& phase, sc_core::sc_time& delay) override {
    Pump::Arrival guard(router.pump_);
    const bool current = requesting == &payload;
    if (current && (phase == tlm::END_REQ || phase == tlm::BEGIN_RESP)) router.request_accepted(*this);
    PathExtension& path = PathExtension::of(payload);
    if (path.depth == 0) return tlm::TLM_ACCEPTED;
    if (phase == tlm::BEGIN_RESP) return router.begin_response(*this, path, payload, phase, delay);
    if (!current || phase != tlm::END_REQ) return tlm::TLM_ACCEPTED;
    return router.in[path.top().from]->nb_transport_bw(payload, phase, delay);
  }

  /// Of any part of a target: everything, so that no address has to be turned back.
  void invalidate_direct_mem_ptr(sc_dt::uint64, sc_dt::uint64) override {
    for (std::size_t i = 0; i < router.in.size(); ++i) router.in[i]->invalidate_direct_mem_ptr(0, ~sc_dt::uint64{0});
  }
};

Router::Router(const sc_core::sc_module_name& name, Pump& pump, unsigned inputs, unsigned outputs)
    : sc_core::sc_module(name), in("in", inputs), out("out", outputs), pump_(pump), scope_(pump.engine()) {
  SMMUSIM_CHECK(inputs < already_complete && outputs < already_complete);
  for (unsigned i = 0; i < inputs; ++i) inputs_.push_back(std::make_unique<Input>(*this, i));
  for (unsigned i = 0; i < outputs; ++i) outputs_.push_back(std::make_unique<Output>(*this, i));
  chores_.router = this;
  chores_.scope = &scope_;
  chores_.fire = &chores;
}

Router::~Router() = default;

void Router::add_response_delay(const tlm_generic_payload& payload, unsigned input, sc_core::sc_time& delay) {
  delay += response_delay(payload, input, pump_.now() + to_ps(delay));
}

inline tlm_sync_enum Router::send(Output& output, tlm_generic_payload& payload, tlm_phase& phase,
                                  sc_core::sc_time& delay) {
  const tlm_sync_enum answer = output.socket->nb_transport_fw(payload, phase, delay);
  if (answer == tlm::TLM_ACCEPTED) output.requesting = &payload;
  return answer;
}

inline tlm_sync_enum Router::begin_request(Input& input, tlm_generic_payload& payload, tlm_phase& phase,
                                           sc_core::sc_time& delay) {
  const Time now = pump_.now();
  const Route decision = route(payload, input.index, now + to_ps(delay));
  delay += decision.delay;
  if (decision.status != tlm::TLM_OK_RESPONSE) {
    payload.set_response_status(decision.status);
    add_response_delay(payload, input.index, delay);
    return tlm::TLM_COMPLETED;
  }
  PathExtension& path = PathExtension::of(payload);
  path.push({static_cast<std::uint16_t>(input.index), static_cast<std::uint16_t>(decision.output)});
  payload.set_address(payload.get_address() - decision.subtract);
  Output& output = *outputs_[decision.output];
  if (output.requesting != nullptr || !output.requests.empty()) {
    path.ready_at = now + to_ps(delay);
    output.requests.push(payload);
    return tlm::TLM_ACCEPTED;
  }
  const tlm_sync_enum answer = send(output, payload, phase, delay);
  if (answer == tlm::TLM_COMPLETED) {
    payload.set_address(payload.get_address() + decision.subtract);
    path.pop();
    add_response_delay(payload, input.index, delay);
  } else if (answer == tlm::TLM_UPDATED && phase == tlm::BEGIN_RESP) {
    if (input.responding == nullptr) {
      input.responding = &payload;
      add_response_delay(payload, input.index, delay);
    } else {
      path.ready_at = now + to_ps(delay);
      input.responses.push(payload);
      phase = tlm::END_REQ;
    }
  }
  return answer;
}

void Router::request_accepted(Output& output) {
  output.requesting = nullptr;
  if (!output.requests.empty()) post_chores();
}

/// Sends what waited for END_REQ; its client has been told TLM_ACCEPTED, so results go back as calls.
void Router::serve_requests(Output& output) {
  while (!output.requests.empty() && output.requesting == nullptr) {
    tlm_generic_payload& payload = output.requests.pop();
    PathExtension& path = PathExtension::of(payload);
    Input& input = *inputs_[path.top().from];
    const Time now = pump_.now();
    tlm_phase phase = tlm::BEGIN_REQ;
    sc_core::sc_time delay = from_ps(std::max(path.ready_at, now) - now);
    const tlm_sync_enum answer = send(output, payload, phase, delay);
    if (answer == tlm::TLM_ACCEPTED) return;
    if (answer == tlm::TLM_UPDATED && phase == tlm::END_REQ) {
      input.socket->nb_transport_bw(payload, phase, delay);
      continue;
    }
    if (answer == tlm::TLM_COMPLETED) path.hops[path.depth - 1U].to = already_complete;
    path.ready_at = now + to_ps(delay);
    input.responses.push(payload);  // BEGIN_RESP will stand for END_REQ as well
    serve_responses(input);
  }
}

tlm_sync_enum Router::begin_response(Output& output, PathExtension& path, tlm_generic_payload& payload,
                                     tlm_phase& phase, sc_core::sc_time& delay) {
  const PathExtension::Hop hop = path.top();
  if (hop.to != output.index || hop.from >= inputs_.size()) return tlm::TLM_COMPLETED;
  Input& input = *inputs_[hop.from];
  if (input.responding != nullptr || !input.responses.empty()) {
    path.ready_at = pump_.now() + to_ps(delay);
    input.responses.push(payload);
    return tlm::TLM_ACCEPTED;
  }
  const sc_core::sc_time annotated = delay;
  add_response_delay(payload, input.index, delay);
  path.pop();  // now: once the client has the response, the payload may be gone
  const tlm_sync_enum answer = input.socket->nb_transport_bw(payload, phase, delay);
  if (answer == tlm::TLM_ACCEPTED) {
    delay = annotated;  // which must not change then
    path.push(hop);
    input.responding = &payload;
  }
  return answer;
}

/// A response whose target was told TLM_ACCEPTED, or is done already.
tlm_sync_enum Router::send_response(Input& input, tlm_generic_payload& payload, Time when) {
  PathExtension& path = PathExtension::of(payload);
  const PathExtension::Hop hop = path.top();
  const Time now = pump_.now();
  tlm_phase phase = tlm::BEGIN_RESP;
  sc_core::sc_time delay = from_ps(std::max(when, now) - now);
  add_response_delay(payload, input.index, delay);
  if (payload.has_mm()) payload.acquire();  // the client may let go of it before the target hears END_RESP
  path.pop();
  const tlm_sync_enum answer = input.socket->nb_transport_bw(payload, phase, delay);
  if (answer == tlm::TLM_ACCEPTED) {
    path.push(hop);
    input.responding = &payload;
  } else if (hop.to != already_complete) {
    phase = tlm::END_RESP;
    delay = sc_core::SC_ZERO_TIME;
    out[hop.to]->nb_transport_fw(payload, phase, delay);
  }
  if (payload.has_mm()) payload.release();
  return answer;
}

void Router::serve_responses(Input& input) {
  while (!input.responses.empty() && input.responding == nullptr) {
    tlm_generic_payload& payload = input.responses.pop();
    send_response(input, payload, PathExtension::of(payload).ready_at);
  }
}

tlm_sync_enum Router::end_response(Input& input, tlm_generic_payload& payload, tlm_phase& phase,
                                   sc_core::sc_time& delay) {
  if (input.responding != &payload) return tlm::TLM_ACCEPTED;
  input.responding = nullptr;
  if (!input.responses.empty()) post_chores();
  PathExtension& path = PathExtension::of(payload);
  const PathExtension::Hop hop = path.top();
  path.pop();
  if (hop.to == already_complete) return tlm::TLM_COMPLETED;
  return out[hop.to]->nb_transport_fw(payload, phase, delay);
}

void Router::post_chores() {
  if (chores_.posted) return;
  chores_.posted = true;
  pump_.schedule_in(0, chores_);
}

void Router::chores(EventNode& node) {
  auto& self = static_cast<ChoresNode&>(node);
  self.posted = false;
  for (const auto& output : self.router->outputs_) self.router->serve_requests(*output);
  for (const auto& input : self.router->inputs_) self.router->serve_responses(*input);
}

}  // namespace smmusim::platform
