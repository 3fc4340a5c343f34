// SPDX-License-Identifier: MIT
// Switch: a PCIe switch of one upstream and several downstream ports, each with a link. A TLP that has arrived waits in
// its port's receive buffer for the processing delay, for the TLPs that it may not pass and for room in its egress
// port; then it goes on as it is. Where it goes is SwitchRoutes'. Nobody's requests are answered here.
//
// Order (PCI Express Base section 2.4.1), kept for each ingress port: posted requests keep theirs, whatever their
// egress; non-posted requests and completions do not pass posted requests that came before them, but for completions
// with Relaxed Ordering; posted requests pass both, and completions pass non-posted requests. So nothing waits for
// what may wait for it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "model/sim/scope.h"
#include "platform/pcie/fabric_route.h"
#include "platform/pcie/switch_routes.h"
#include "platform/pcie/tlp_link.h"
#include "platform/pcie/tlp_rules.h"

namespace smmusim::platform {

struct SwitchConfig {
  SwitchBridges bridges{};
  Time processing_ps = 150'000;  ///< from a TLP's arrival until its egress may have it
  unsigned mps_bytes = 4096;     ///< Max_Payload_Size: longer TLPs are malformed
};

struct SwitchCounters {
  std::uint64_t received = 0;
  std::uint64_t up = 0;          ///< left by the upstream port
  std::uint64_t down = 0;        ///< came from above and left by a downstream port
  std::uint64_t peer = 0;        ///< went from one downstream port to another
  std::uint64_t redirected = 0;  ///< of `up`: for a peer, and sent to the root by ACS
  std::uint64_t unsupported_requests = 0;
  std::uint64_t acs_violations = 0;
  std::uint64_t unexpected_completions = 0;
  std::uint64_t malformed = 0;

  SwitchCounters& operator+=(const SwitchCounters& other);
};

class Switch final : public FabricTarget {
 public:
  /// Throws std::invalid_argument. The pool is the fabric's.
  Switch(Engine& engine, TlpPool& pool, const SwitchConfig& config);
  ~Switch() override;
  Switch(const Switch&) = delete;
  Switch& operator=(const Switch&) = delete;

  /// `link`'s downstream end becomes the upstream port.
  void connect_upstream(TlpLink& link);
  /// `link`'s upstream end becomes downstream port `port`, 1 and up. `below`: what is at its other end, as software
  /// sees it. A port without a link is there, and its link is down.
  void connect(unsigned port, TlpLink& link, FabricTarget* below);

  SwitchRoutes& routes() { return routes_; }
  const SwitchRoutes& routes() const { return routes_; }
  const SwitchCounters& counters() const { return counters_; }
  /// Nothing waits in it.
  bool idle() const;
  /// Empty, or a sentence about a sum that does not come out.
  std::string imbalance() const;

  ConfigSpace* type0(unsigned device_function) override;
  ConfigSpace* type1(std::uint16_t rid) override;
  std::optional<BarPlace> bar_at(std::uint64_t address, std::uint32_t bytes) override;

 private:
  struct Port;

  void arrived(Port& port, Tlp& tlp);
  void serve(Port& port);
  void serve_all(const Port& egress, FlowClass flow_class);
  void serve_answers(Port& port);
  Tlp* next(Port& port);
  /// False: there is no room for it now.
  bool pass(Port& port, Tlp& tlp);
  void refuse(Port& port, Tlp& tlp, SwitchVerdict verdict);
  void drop(Port& port, Tlp& tlp);
  void wake_at(Port& port, Time when);
  std::uint64_t waiting() const;

  Engine& engine_;
  TlpPool& pool_;
  SwitchConfig config_;
  SwitchRoutes routes_;
  Scope scope_;
  std::vector<std::unique_ptr<Port>> ports_;
  SwitchCounters counters_{};
};

}  // namespace smmusim::platform
