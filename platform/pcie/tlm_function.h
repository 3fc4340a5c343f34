// SPDX-License-Identifier: MIT
// TlmFunction: a TLM initiator as a PCIe function. What it sends to `in`, blocking or not, leaves as TLPs in the name
// of the function and comes back as the payload's response. A plain initiator needs to know nothing of PCIe; one with a
// PcieExtension chooses address type, PASID, No Write and attributes, and is told how its access ended.
//
// Software switches the function on as any other: until Bus Master Enable is set it sends nothing. It has no BARs.
#pragma once

#include <functional>
#include <systemc>
#include <tlm>

#include "platform/pcie/function_config.h"
#include "platform/pcie/messages.h"
#include "platform/pcie/payload_requester.h"
#include "platform/pcie/payload_target.h"
#include "platform/pcie/tlp_link.h"

namespace smmusim::platform {

struct TlmFunctionCounters {
  std::uint64_t refused = 0;      ///< payloads that software has not allowed, or that are no memory requests
  std::uint64_t unexpected = 0;   ///< completions for nobody
  std::uint64_t unsupported = 0;  ///< requests and messages to the function
  std::uint64_t malformed = 0;
  std::uint64_t invalidations = 0;
};

class TlmFunction : public sc_core::sc_module, private PayloadTarget::Owner, private TlpLink::Port {
 public:
  tlm::tlm_target_socket<> in;

  /// Throws std::invalid_argument.
  TlmFunction(const sc_core::sc_module_name& name, systemc::Pump& pump, TlpPool& pool,
              const PayloadRequesterConfig& config, const FunctionDescription& description);

  /// `link`'s downstream end becomes the function's.
  void connect(TlpLink& link);
  FunctionConfig& config_space() { return function_; }

  /// With ATS enabled: called for each Invalidate Request, on the wheel. Whoever keeps translations drops what the
  /// request covers, waits for its accesses that use it, and calls complete_invalidation(). Without it the function
  /// keeps none, and answers at once.
  std::function<void(const InvalidateRequest&)> on_invalidate;
  void complete_invalidation(const InvalidateRequest& request);

  const TlmFunctionCounters& counters() const { return counters_; }
  const RequesterCounters& requests() const { return requester_.counters(); }
  bool idle() const { return requester_.idle() && answers_.empty() && messages_.empty(); }
  std::string imbalance() const { return requester_.imbalance(); }

 private:
  // From the initiator.
  bool refuses(tlm::tlm_generic_payload& payload) override;
  void payload_arrived(PayloadTarget::Access& access) override;
  bool serve_at_once(tlm::tlm_generic_payload&) override { return false; }
  void ended(PayloadTarget::Access& access, systemc::PcieStatus status);
  bool may_send(const systemc::PcieAttributes& attributes) const;

  // From the link.
  void tlp_arrived(Tlp& tlp, TlpLink& link) override;
  void room_again(FlowClass flow_class, TlpLink& link) override;
  void request_arrived(const Tlp& tlp);
  void send_waiting();

  TlpPool& pool_;
  std::uint16_t requester_id_;
  FunctionConfig function_;
  PayloadRequester requester_;
  PayloadTarget target_;
  TlpLink* link_ = nullptr;
  TlpQueue answers_, messages_;  // wait for room
  TlmFunctionCounters counters_{};
};

}  // namespace smmusim::platform
