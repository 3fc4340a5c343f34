// SPDX-License-Identifier: MIT
// HostileMachine: a root complex in front of an SMMU and memory, and at the other end of its link a device that sends
// whatever the test wants. For tests of the root complex; PcieFunction has its own.
#pragma once

#include <functional>
#include <map>
#include <vector>

#include "platform/driver/commands.h"
#include "platform/pcie/root_complex.h"
#include "tests/tlm/protocol_monitor.h"
#include "tests/tlm/smmu_world.h"

namespace smmusim::platform {

inline constexpr std::uint16_t rid = 0x0108, foreign_rid = 0x0208;
inline constexpr std::uint64_t ram = systemc::SmmuWorld::ram;

/// The downstream end of the link. It answers Invalidate Requests if told how.
struct Device final : TlpLink::Port, RequestWatcher {
  Device(systemc::Pump& of, TlpPool& tlps, TlpLink& to) : pump(of), pool(tlps), link(to) {
    link.connect(TlpLink::downstream, *this);
  }
  void tlp_arrived(Tlp& tlp, TlpLink&) override {
    came.push_back(tlp);
    link.release(TlpLink::downstream, tlp);
    pool.give(tlp);
    const Tlp copy = came.back();
    if (copy.is_message() && copy.message == MessageCode::Invalidate_Request && on_invalidate) {
      on_invalidate(invalidate_request(copy));
    }
  }
  void room_again(FlowClass, TlpLink&) override {}
  void resolved(std::uint64_t cookie, const RequestResult& result) override { results[cookie] = result; }

  Tlp& request(TlpType type, std::uint64_t address, unsigned bytes = 4) {
    Tlp& tlp = pool.take();
    tlp.type = type;
    tlp.requester_id = rid;
    tlp.tag = next_tag++;
    tlp.address = address;
    tlp.length_dw = static_cast<std::uint16_t>(bytes / 4);
    tlp.last_be = bytes > 4 ? 0xf : 0;
    if (tlp.has_data()) tlp.data.assign(bytes, 0xab);
    tlp.watcher = this;
    tlp.cookie = tlp.tag;
    return tlp;
  }
  std::uint16_t send(Tlp& tlp) {
    const std::uint16_t tag = tlp.tag;
    systemc::Pump::Entry entry(pump);
    link.send(TlpLink::downstream, tlp);
    return tag;
  }
  template <class Message>
  void send_message(const Message& message) {
    Tlp& tlp = pool.take();
    put(tlp, message);
    send(tlp);
  }
  void complete_invalidation(unsigned itag, unsigned count = 1, std::uint16_t from = rid) {
    send_message(InvalidateCompletion{from, 0, 1U << itag, count});
  }
  std::vector<Tlp> messages(MessageCode code) const {
    std::vector<Tlp> found;
    for (const Tlp& tlp : came) {
      if (tlp.is_message() && tlp.message == code) found.push_back(tlp);
    }
    return found;
  }
  /// The only completion for this tag.
  Tlp completion(std::uint16_t tag) const {
    std::vector<Tlp> found;
    for (const Tlp& tlp : came) {
      if (tlp.is_completion() && tlp.tag == tag) found.push_back(tlp);
    }
    EXPECT_EQ(found.size(), 1U) << "tag " << tag;
    return found.empty() ? Tlp() : found[0];
  }

  systemc::Pump& pump;
  TlpPool& pool;
  TlpLink& link;
  std::uint16_t next_tag = 0;
  std::vector<Tlp> came;
  std::map<std::uint64_t, RequestResult> results;
  std::function<void(const InvalidateRequest&)> on_invalidate;
};

/// An event that runs a function.
struct CallNode : EventNode {
  CallNode() {
    fire = [](EventNode& node) { static_cast<CallNode&>(node).call(); };
  }
  std::function<void()> call;
};

struct HostileMachine {
  static constexpr std::uint64_t command_queue = ram + 0x8000000, pri_queue = ram + 0x8100000;

  systemc::SmmuWorld world;
  MemoryModule memory;
  TlpPool pool;
  RootComplex root;
  TlpLink link;
  systemc::ProtocolMonitor client{"client"}, downstream{"downstream"};
  Device device{world.pump, pool, link};
  std::uint32_t produced = 0;

  explicit HostileMachine(const RootComplexConfig& config = map(), Time memory_ps = 60'000,
                          const SmmuConfig& smmu = with_ats(), const TlpLinkConfig& link_config = deep())
      : world(smmu),
        memory("memory", world.pump, world.memory, {.latency_ps = memory_ps}),
        root("root", world.pump, pool, 1, config),
        link(world.pump.engine(), link_config) {
    root.connect(0, link);
    root.attach(world.smmu.smmu(), 0, 1);
    root.out[0].bind(client.in);
    client.out.bind(world.smmu.tbu_in[0]);
    world.smmu.tbu_out[0].bind(downstream.in);
    downstream.out.bind(memory.in);
  }
  static SmmuConfig with_ats() {
    SmmuConfig config;
    config.features.ats = config.features.pri = true;
    config.features.priqs = 4;
    return config;
  }
  static RootComplexConfig map() {
    RootComplexConfig config;
    config.rid_map = {{0x0100, 0x10, StreamId(0x20), 0}};
    config.ports = {{0x0100, 0x01ff}};
    return config;
  }
  static TlpLinkConfig deep() {
    TlpLinkConfig config;
    config.transmit_queue = 64;
    return config;
  }
  /// Stream 0x28, of `rid`, with ATS and one page at 0x8000; command queue on.
  PageTable& start(bool pri = false) {
    PageTable& table = world.add_stream(0x28);
    table.map(0x8000, Pa(ram + 0x5000), 4096, {});
    world.streams.write(StreamId(0x28), smmusim::with_ats(world.streams.read(StreamId(0x28)), spec::Eats::full));
    world.write(spec::reg::CMDQ_BASE, command_queue | 8, 8);
    world.write(spec::reg::PRIQ_BASE, pri_queue | 4, 8);
    world.enable();
    constexpr std::uint32_t enable = 1, pri_queue_enable = 2, command_queue_enable = 8;
    world.write(spec::reg::CR0, enable | command_queue_enable | (pri ? pri_queue_enable : 0));
    return table;
  }
  void command(const spec::Command& command) {
    world.memory.poke(Pa(command_queue + 16 * std::uint64_t{produced}), command.dw.data(), 16);
    ++produced;
  }
  void ring() { world.write(spec::reg::CMDQ_PROD, produced); }
  /// CMD_ATC_INV of the page, and CMD_SYNC.
  void invalidate() {
    command(make_atc_inv(StreamId(0x28), 0x8000, 0x8fff));
    command(make_sync());
    ring();
  }
  std::uint64_t consumed() { return world.read(spec::reg::CMDQ_CONS) & 0x1ff; }
  void run() {
    sc_core::sc_start();
    world.pump.rethrow_failure();
    EXPECT_TRUE(client.quiet());
    EXPECT_TRUE(downstream.quiet());
    EXPECT_TRUE(root.idle());
    EXPECT_EQ(root.imbalance(), "");
    EXPECT_EQ(pool.out(), 0U);
    EXPECT_TRUE(link.idle());
  }
};

}  // namespace smmusim::platform
