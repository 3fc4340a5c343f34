// SPDX-License-Identifier: MIT
// FabricMachine: an SMMU, memory, an interconnect and a root complex with two root ports: below the first a switch with
// two functions, below the second a third function. Each has a BAR of memory. Buses are numbered and BARs placed by
// enumerate_buses() through ECAM.
#pragma once

#include <array>
#include <deque>
#include <map>
#include <vector>

#include "platform/endpoint/pcie_function.h"
#include "platform/memory/interconnect.h"
#include "platform/pcie/ecam.h"
#include "platform/pcie/pcie_window.h"
#include "platform/pcie/root_complex.h"
#include "platform/pcie/switch.h"
#include "platform/system/bus_enumeration.h"
#include "platform/system/cpu.h"
#include "tests/tlm/fresh_context.h"
#include "tests/tlm/protocol_monitor.h"
#include "tests/tlm/smmu_world.h"

namespace smmusim::platform {

/// A BAR that is memory.
struct CountedBar final : BarHandler {
  std::uint64_t bar_read(unsigned, std::uint64_t offset, unsigned size) override {
    std::uint64_t value = 0;
    for (unsigned i = 0; i != size; ++i) value |= std::uint64_t{bytes[offset + i]} << 8 * i;
    ++reads;
    return value;
  }
  void bar_write(unsigned, std::uint64_t offset, std::uint64_t value, unsigned size) override {
    for (unsigned i = 0; i != size; ++i) bytes[offset + i] = static_cast<unsigned char>(value >> 8 * i);
    ++writes;
  }
  std::map<std::uint64_t, unsigned char> bytes;
  unsigned reads = 0, writes = 0;
};

struct FabricMachine {
  static constexpr std::uint64_t ram = systemc::SmmuWorld::ram, window_base = 0x1000'0000, window_bytes = 0x1000'0000;
  static constexpr std::uint64_t ecam_base = 0x3000'0000, bar_bytes = 0x10000;
  static constexpr std::uint64_t alias = 0x5000'0000;
  static constexpr std::uint16_t rids[] = {0x0300, 0x0400, 0x0500};  // as enumeration numbers them
  enum : unsigned { a = 0, b = 1, far = 2 };                         // functions
  enum : unsigned { port_a = 1, port_b = 2 };                        // of the switch

  struct Done {
    std::uint64_t tag;
    DmaStatus status;
    std::vector<unsigned char> data;
    Pa address;
  };

  systemc::SmmuWorld world;
  MemoryModule memory{"memory", world.pump, world.memory, {}};
  TlpPool pool;
  std::array<BridgeConfig, 2> root_ports{BridgeConfig{root_port()}, BridgeConfig{root_port()}};
  Switch fabric;
  std::array<CountedBar, 3> bars;
  std::deque<PcieFunction> functions;
  std::deque<FunctionTarget> targets;
  std::deque<TlpLink> links;  // of the switch, of a, of b, of far
  RootBus bus;
  RootComplex root;
  PcieWindow window;
  Ecam ecam{"ecam", 0};
  Cpu cpu{"cpu"};
  Interconnect interconnect;
  systemc::ProtocolMonitor client{"client"}, downstream{"downstream"}, to_window{"to_window"};
  Enumeration found;
  std::vector<Done> done;

  explicit FabricMachine(RootComplexConfig config = {}, const PcieFunctionConfig& function = {},
                         const TlpLinkConfig& link = {})
      : world(with_ats()),
        fabric(world.engine, pool, switch_config()),
        root("root", world.pump, pool, 1, complete(config, root_ports)),
        window("window", world.pump, root, bus, 20'000),
        interconnect("interconnect", world.pump, 2, 3, map()) {
    for (unsigned i = 0; i != 4; ++i) links.emplace_back(world.engine, link);
    for (unsigned i = 0; i != 3; ++i) {
      PcieFunctionConfig here = function;
      here.requester_id = rids[i];
      functions.emplace_back(world.engine, pool, here, description());
      functions[i].set_bars(bars[i]);
      functions[i].connect(links[1 + i]);
      functions[i].set_handler([this](const DmaCompletion& d) {
        done.push_back({d.work.tag, d.status, {d.data.begin(), d.data.end()}, d.smmu.address});
      });
      targets.emplace_back(functions[i].config_space(), &bars[i]);
    }
    fabric.connect_upstream(links[0]);
    fabric.connect(port_a, links[1], &targets[a]);
    fabric.connect(port_b, links[2], &targets[b]);
    root.connect(0, links[0]);
    root.connect(1, links[3]);
    root.attach(world.smmu.smmu(), 0, 1);
    bus.attach(0x08, {&root_ports[0], &fabric});
    bus.attach(0x10, {&root_ports[1], &targets[far]});
    ecam.attach(bus);
    root.out[0].bind(client.in);
    client.out.bind(world.smmu.tbu_in[0]);
    world.smmu.tbu_out[0].bind(downstream.in);
    downstream.out.bind(interconnect.in[0]);
    cpu.out.bind(interconnect.in[1]);
    interconnect.out[0].bind(memory.in);
    interconnect.out[1].bind(to_window.in);
    to_window.out.bind(window.in);
    interconnect.out[2].bind(ecam.in);
  }

  static BridgeDescription root_port() {
    BridgeDescription bridge;
    bridge.pcie.port = PortType::root_port;
    bridge.acs_controls = 0x5f;
    return bridge;
  }
  static SwitchConfig switch_config() {
    SwitchConfig config;
    config.bridges.downstream_ports = 2;
    return config;
  }
  static SmmuConfig with_ats() {
    SmmuConfig config;
    config.features.ats = config.features.pri = true;
    config.features.priqs = 4;
    return config;
  }
  static FunctionDescription description() {
    FunctionDescription description;
    description.bars[0] = {bar_bytes, false, false};
    description.ats = AtsCapability{};
    description.pri = PriCapability{};
    return description;
  }
  static RootComplexConfig complete(RootComplexConfig config, const std::array<BridgeConfig, 2>& bridges) {
    // StreamIDs: 3, 4 and 5 are the buses.
    for (unsigned i = 0; i != 3; ++i) config.rid_map.push_back({rids[i], 1, StreamId(3 + i), 0});
    for (const BridgeConfig& bridge : bridges) config.ports.push_back({.bridge = &bridge});
    config.posted_reserve = 1;
    return config;
  }
  static InterconnectConfig map() {
    InterconnectConfig map;
    map.map = {{Pa(ram), std::uint64_t{1} << 32, 0, false},
               {Pa(window_base), window_bytes, 1, false},
               {Pa(ecam_base), Ecam::bytes, 2, true}};
    return map;
  }

  PciAccess access() {
    PciAccess access;
    const auto at = [](std::uint16_t rid, std::uint32_t offset) {
      return Pa(ecam_base + Ecam::offset_of(rid, offset));
    };
    access.read = [this, at](std::uint16_t rid, std::uint32_t offset, unsigned size) {
      return static_cast<std::uint32_t>(cpu.load(at(rid, offset), size));
    };
    access.write = [this, at](std::uint16_t rid, std::uint32_t offset, std::uint32_t value, unsigned size) {
      cpu.store(at(rid, offset), value, size);
    };
    return access;
  }
  /// Enumerates, and maps for each stream 64 KiB of memory at 0x8000 and of every BAR at its own address and `alias`
  /// above it.
  void start(std::uint32_t acs = 0, bool ats = false) {
    found = enumerate_buses(access(), {{window_base, window_base + window_bytes - 1}, acs, 256});
    EXPECT_TRUE(found.problems.empty());
    for (unsigned i = 0; i != 3; ++i) {
      PageTable& table = world.add_stream(3 + i);
      for (std::uint64_t page = 0; page != 16; ++page) {
        table.map(0x8000 + page * 4096, Pa(ram + 0x5000 + page * 4096), 4096, {});
        for (unsigned of = 0; of != 3; ++of) {
          const std::uint64_t at = bar(of) + page * 4096;
          for (const std::uint64_t address : {at, at + alias}) table.map(address, Pa(at), 4096, {});
        }
      }
      if (!ats) continue;
      world.streams.write(StreamId(3 + i), smmusim::with_ats(world.streams.read(StreamId(3 + i)), spec::Eats::full));
      ConfigSpace& space = functions[i].config_space().space();
      space.write(*functions[i].config_space().capability(0x0f, true) + cap::ats_control, 0x8000U, 2);
    }
    world.enable();
  }
  std::uint64_t bar(unsigned function) { return *functions[function].config_space().bar_address(0); }
  BridgeConfig& port(unsigned number) { return fabric.routes().bridge(number); }

  void push(unsigned function, std::uint64_t address, std::uint32_t size, bool write, std::uint64_t tag = 0) {
    DmaWork work;
    work.address = Va(address);
    work.size = size;
    work.write = write;
    work.tag = tag;
    const systemc::Pump::Entry entry(world.pump);
    EXPECT_TRUE(functions[function].push(work));
  }
  void run() {
    sc_core::sc_start();
    world.pump.rethrow_failure();
    for (const auto* monitor : {&client, &downstream, &to_window}) EXPECT_TRUE(monitor->quiet()) << monitor->name();
    EXPECT_TRUE(root.idle());
    EXPECT_EQ(root.imbalance(), "");
    EXPECT_TRUE(fabric.idle());
    EXPECT_EQ(fabric.imbalance(), "");
    for (const PcieFunction& function : functions) {
      EXPECT_TRUE(function.idle());
      EXPECT_EQ(function.imbalance(), "");
    }
    for (const TlpLink& link : links) EXPECT_TRUE(link.idle());
    EXPECT_EQ(pool.out(), 0U);
  }
};

}  // namespace smmusim::platform
