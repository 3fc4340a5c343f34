// SPDX-License-Identifier: MIT
// Router: the base-protocol plumbing of everything that passes payloads on between n clients and m targets. The
// payload itself is forwarded, never a copy; each delay is added to the call's annotation, so a hop costs no event.
// Derived classes say where a payload goes and how long that takes. Requests that find their target busy, and
// responses that find their client busy, wait first in first out: one phase of each kind at a time on each socket.
#pragma once

#include <memory>
#include <optional>
#include <systemc>
#include <tlm>
#include <vector>

#include "model/sim/scope.h"
#include "tlm/pump.h"
#include "tlm/smmu_extension.h"

namespace smmusim::platform {

class Router : public sc_core::sc_module {
 public:
  sc_core::sc_vector<tlm::tlm_target_socket<>> in;
  sc_core::sc_vector<tlm::tlm_initiator_socket<>> out;

  ~Router() override;

 protected:
  Router(const sc_core::sc_module_name& name, systemc::Pump& pump, unsigned inputs, unsigned outputs);

  struct Route {
    unsigned output = 0;
    sc_core::sc_time delay{};                                ///< until the request leaves
    tlm::tlm_response_status status = tlm::TLM_OK_RESPONSE;  ///< anything else: refused, answered after `delay`
    std::uint64_t subtract = 0;                              ///< from the address on its way down
  };
  /// Decides on a request that comes in by input `input` at `arrival`.
  virtual Route route(tlm::tlm_generic_payload& payload, unsigned input, Time arrival) = 0;
  /// How long the response of a payload takes from `at` on, on its way back to `input`.
  virtual sc_core::sc_time response_delay(const tlm::tlm_generic_payload& payload, unsigned input, Time at) = 0;
  /// The same decision for transport_dbg: no delay, nothing counted; it may set
  /// extensions.
  virtual Route debug_route(tlm::tlm_generic_payload& payload, unsigned input) const = 0;

  /// Where direct accesses to payload's address go: clients' addresses [first, last] are `output`'s, less `subtract`.
  struct DirectRoute {
    unsigned output = 0;
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    std::uint64_t subtract = 0;
  };
  /// Empty: this router passes no direct access on (as one that takes time, or tells clients apart).
  virtual std::optional<DirectRoute> direct_route(const tlm::tlm_generic_payload&) const { return std::nullopt; }

  systemc::Pump& pump() { return pump_; }

 private:
  struct Input;
  struct Output;
  struct ChoresNode : EventNode {
    Router* router = nullptr;
    bool posted = false;
  };

  tlm::tlm_sync_enum begin_request(Input& input, tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                   sc_core::sc_time& delay);
  tlm::tlm_sync_enum send(Output& output, tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                          sc_core::sc_time& delay);
  void add_response_delay(const tlm::tlm_generic_payload& payload, unsigned input, sc_core::sc_time& delay);
  tlm::tlm_sync_enum begin_response(Output& output, systemc::PathExtension& path, tlm::tlm_generic_payload& payload,
                                    tlm::tlm_phase& phase, sc_core::sc_time& delay);
  tlm::tlm_sync_enum send_response(Input& input, tlm::tlm_generic_payload& payload, Time when);
  tlm::tlm_sync_enum end_response(Input& input, tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                  sc_core::sc_time& delay);
  void request_accepted(Output& output);
  void serve_requests(Output& output);
  void serve_responses(Input& input);
  void post_chores();
  static void chores(EventNode& node);

  systemc::Pump& pump_;
  std::vector<std::unique_ptr<Input>> inputs_;
  std::vector<std::unique_ptr<Output>> outputs_;
  ChoresNode chores_;
  Scope scope_;
};

}  // namespace smmusim::platform
