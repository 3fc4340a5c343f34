// SPDX-License-Identifier: MIT
// A switch with everything programmed, and at each of its links a port written by the test: it keeps a copy of every
// TLP that comes, answers reads if told so, and sends what the test wants. For tests of routes and of the switch.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "platform/pcie/completion.h"
#include "platform/pcie/messages.h"
#include "platform/pcie/request_watcher.h"
#include "platform/pcie/switch.h"

namespace smmusim::platform {

/// Bus 1 is the link to the root, bus 2 inside, and the device at downstream port n is 2 + n:00.0. Port n has the
/// addresses [window(n), window(n) + 1 MiB). All may pass, and ACS is off.
struct ProgrammedSwitch {
  static constexpr unsigned primary = 1, inside = 2;
  static constexpr std::uint16_t root_id = 0x0000;
  static std::uint16_t rid(unsigned port) { return static_cast<std::uint16_t>((inside + port) << 8); }
  static std::uint64_t window(unsigned port) { return 0x1000'0000 + (std::uint64_t{port} << 20); }

  static void program_buses(BridgeConfig& bridge, unsigned up, unsigned down, unsigned last) {
    bridge.space().write(bridge_register::primary_bus, up, 1);
    bridge.space().write(bridge_register::secondary_bus, down, 1);
    bridge.space().write(bridge_register::subordinate_bus, last, 1);
  }
  static void program_window(BridgeConfig& bridge, std::uint64_t first, std::uint64_t last) {
    bridge.space().write(bridge_register::memory_base, static_cast<std::uint32_t>(first >> 16), 2);
    bridge.space().write(bridge_register::memory_limit, static_cast<std::uint32_t>(last >> 16), 2);
    bridge.space().write(bridge_register::prefetchable_base, 0xfff0, 2);  // closed
  }
  static void enable(BridgeConfig& bridge, unsigned command = 6) {
    bridge.space().write(bridge_register::command, command, 2);
  }
  static void set_acs(BridgeConfig& bridge, std::initializer_list<Acs> controls) {
    std::uint32_t value = 0;
    for (const Acs control : controls) value |= static_cast<unsigned>(control);
    std::uint32_t at = ConfigSpace::first_extended;
    while (at != 0 && (bridge.space().read(at, 4) & 0xffff) != 0x0d) at = bridge.space().read(at, 4) >> 20;
    ASSERT_NE(at, 0U);
    bridge.space().write(at + cap::acs_control, value, 2);
  }
  static void program(SwitchRoutes& routes) {
    const unsigned last = routes.ports() - 1;
    program_buses(routes.bridge(0), primary, inside, inside + last);
    program_window(routes.bridge(0), window(1), window(last));
    enable(routes.bridge(0));
    for (unsigned port = 1; port <= last; ++port) {
      program_buses(routes.bridge(port), inside, inside + port, inside + port);
      program_window(routes.bridge(port), window(port), window(port));
      enable(routes.bridge(port));
    }
  }
};

/// What is at one link of the switch.
struct ScriptedPort final : TlpLink::Port, RequestWatcher {
  ScriptedPort(TlpPool& tlps, TlpLink& to, TlpLink::End of, std::uint16_t identity)
      : pool(tlps), link(to), end(of), id(identity) {
    link.connect(end, *this);
  }
  void tlp_arrived(Tlp& tlp, TlpLink&) override {
    came.push_back(tlp);
    if (keeps) {
      kept.push_back(&tlp);
      return;
    }
    take_out(tlp);
  }
  void room_again(FlowClass, TlpLink&) override {
    if (on_room) on_room();
  }
  void resolved(std::uint64_t cookie, const RequestResult& result) override { results[cookie] = result; }

  Tlp& make(TlpType type, std::uint64_t address = 0, unsigned bytes = 4) {
    Tlp& tlp = pool.take();
    tlp.type = type;
    tlp.requester_id = id;
    tlp.tag = next_tag++;
    tlp.address = address;
    tlp.length_dw = static_cast<std::uint16_t>(bytes / 4);
    tlp.last_be = bytes > 4 ? 0xf : 0;
    if (tlp.has_data()) tlp.data.assign(bytes, 0xab);
    if (tlp.is_completion()) {
      tlp.completer_id = id;
      tlp.byte_count = static_cast<std::uint16_t>(bytes);
    } else {
      tlp.watcher = this;
      tlp.cookie = tlp.tag;
    }
    return tlp;
  }
  template <class Message>
  Tlp& make_message(const Message& message) {
    Tlp& tlp = pool.take();
    put(tlp, message);
    return tlp;
  }
  /// A CplD for a request that came.
  Tlp& answer_to(const Tlp& request) {
    Tlp& tlp = make(TlpType::CplD, 0, request.length_dw * 4U);
    tlp.requester_id = request.requester_id;
    tlp.tag = request.tag;
    return tlp;
  }
  bool room(FlowClass flow_class) const { return link.room(end, flow_class); }
  std::uint16_t send(Tlp& tlp) {
    const std::uint16_t tag = tlp.tag;
    link.send(end, tlp);
    return tag;
  }
  void take_out(Tlp& tlp) {
    link.release(end, tlp);
    pool.give(tlp);
  }
  void take_out_kept() {
    keeps = false;
    for (Tlp* tlp : std::exchange(kept, {})) take_out(*tlp);
  }
  /// Type and tag of what came, as text.
  std::string told() const {
    std::string text;
    for (const Tlp& tlp : came) {
      text += (text.empty() ? "" : " ") + std::string(name_of(tlp.type)) + std::to_string(tlp.tag);
    }
    return text;
  }

  TlpPool& pool;
  TlpLink& link;
  TlpLink::End end;
  std::uint16_t id;
  std::uint16_t next_tag = 0;
  bool keeps = false;
  std::vector<Tlp> came;
  std::vector<Tlp*> kept;
  std::map<std::uint64_t, RequestResult> results;
  std::function<void()> on_room;
};

struct SwitchBench {
  Engine engine;
  TlpPool pool;
  Switch fabric;
  std::vector<std::unique_ptr<TlpLink>> links;       // by port
  std::vector<std::unique_ptr<ScriptedPort>> ports;  // by port; 0 is the root
  explicit SwitchBench(unsigned downstream = 3, const TlpLinkConfig& link = untimed(), Time processing = 0)
      : fabric(engine, pool, config_of(downstream, processing, link)) {
    for (unsigned port = 0; port <= downstream; ++port) {
      links.push_back(std::make_unique<TlpLink>(engine, link));
      if (port == 0) {
        fabric.connect_upstream(*links[0]);
        ports.push_back(std::make_unique<ScriptedPort>(pool, *links[0], TlpLink::upstream, ProgrammedSwitch::root_id));
      } else {
        fabric.connect(port, *links[port], nullptr);
        ports.push_back(
            std::make_unique<ScriptedPort>(pool, *links[port], TlpLink::downstream, ProgrammedSwitch::rid(port)));
      }
    }
    ProgrammedSwitch::program(fabric.routes());
  }
  static SwitchConfig config_of(unsigned downstream, Time processing, const TlpLinkConfig& link) {
    SwitchConfig config;
    config.bridges.downstream_ports = downstream;
    config.processing_ps = processing;
    config.mps_bytes = link.mps_bytes;
    return config;
  }
  static TlpLinkConfig untimed() {
    TlpLinkConfig config;
    config.timed = false;
    return config;
  }
  ScriptedPort& root() { return *ports[0]; }
  ScriptedPort& device(unsigned port) { return *ports[port]; }
  BridgeConfig& bridge(unsigned port) { return fabric.routes().bridge(port); }
  /// Until nothing happens any more; nothing is left anywhere then.
  void run() {
    engine.run();
    EXPECT_TRUE(fabric.idle());
    EXPECT_EQ(fabric.imbalance(), "");
    for (const auto& link : links) EXPECT_TRUE(link->idle());
    EXPECT_EQ(pool.out(), 0U);
  }
};

}  // namespace smmusim::platform
