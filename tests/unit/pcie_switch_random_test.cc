// SPDX-License-Identifier: MIT
// Random trees of switches, enumerated as a PCI core does it, with small buffers and random ACS, and traffic between
// everything in them: every read is answered exactly once to who asked, every write ends once, nothing is left, and
// nothing stops.
#include <random>

#include "platform/system/bus_enumeration.h"
#include "tests/unit/pcie_switch_bench.h"

namespace smmusim::platform {
namespace {

constexpr std::uint64_t host_memory = 0x8000'0000;
constexpr BridgeWindow mmio{0x1000'0000, 0x2fff'ffff};

struct Traffic {
  std::uint64_t reads = 0, answers = 0, writes = 0, ended = 0, refused = 0;
};

/// A device, or the root: it sends what is due as there is room, and answers what comes.
struct Party final : TlpLink::Port, RequestWatcher {
  Party(TlpPool& tlps, TlpLink& to, TlpLink::End of, Traffic& all) : pool(tlps), link(to), end(of), traffic(all) {
    link.connect(end, *this);
  }
  void tlp_arrived(Tlp& tlp, TlpLink&) override {
    const Tlp came = tlp;
    link.release(end, tlp);
    pool.give(tlp);
    if (came.is_completion() && came.requester_id == id) {
      ASSERT_LT(came.tag, waits.size());
      ASSERT_TRUE(waits[came.tag]) << "a second answer";
      waits[came.tag] = false;
      ++traffic.answers;
      traffic.refused += came.status == CplStatus::SC ? 0 : 1;
      next();
    } else if (came.is_completion()) {
      ASSERT_TRUE(is_root()) << "it is another's";
      Tlp& again = pool.take();  // ACS has sent it up for a peer
      again.type = came.type;
      again.requester_id = came.requester_id;
      again.tag = came.tag;
      again.completer_id = came.completer_id;
      again.status = came.status;
      again.byte_count = came.byte_count;
      again.length_dw = came.length_dw;
      again.data = came.data;
      push(again);
    } else if (came.type == TlpType::MRd) {
      Tlp& answer = pool.take();
      answer.type = TlpType::CplD;
      answer.requester_id = came.requester_id;
      answer.tag = came.tag;
      answer.completer_id = id;
      answer.relaxed_ordering = came.relaxed_ordering;
      answer.length_dw = came.length_dw;
      answer.byte_count = static_cast<std::uint16_t>(came.length_dw * 4U);
      answer.data.assign(came.length_dw * 4U, 1);
      push(answer);
    } else if (came.watcher != nullptr) {
      came.watcher->resolved(came.cookie, {});
    }
  }
  void room_again(FlowClass, TlpLink&) override { send(); }
  void resolved(std::uint64_t, const RequestResult&) override {
    ++traffic.ended;
    next();
  }
  bool is_root() const { return end == TlpLink::upstream; }
  void push(Tlp& tlp) {
    out[static_cast<std::size_t>(tlp.flow_class())].push(tlp);
    send();
  }
  void send() {
    for (TlpQueue& queue : out) {
      while (!queue.empty() && link.room(end, queue.front().flow_class())) link.send(end, queue.pop());
    }
  }
  /// One more request, if any is left.
  void next() {
    if (left == 0) return;
    --left;
    auto& random = *source;
    const bool read = random() % 2 == 0;
    Tlp& tlp = pool.take();
    tlp.type = read ? TlpType::MRd : TlpType::MWr;
    tlp.requester_id = id;
    tlp.address = targets[random() % targets.size()] + random() % 16 * 64;
    tlp.length_dw = static_cast<std::uint16_t>(1 + random() % 16);
    tlp.last_be = tlp.length_dw > 1 ? 0xf : 0;
    tlp.at = random() % 3 == 0 ? AddressType::translated : AddressType::untranslated;
    tlp.relaxed_ordering = random() % 4 == 0;
    if (read) {
      tlp.tag = static_cast<std::uint16_t>(waits.size());
      waits.push_back(true);
      ++traffic.reads;
    } else {
      tlp.data.assign(tlp.length_dw * 4U, 2);
      tlp.watcher = this;
      ++traffic.writes;
    }
    push(tlp);
  }

  TlpPool& pool;
  TlpLink& link;
  TlpLink::End end;
  Traffic& traffic;
  std::uint16_t id = 0;
  unsigned left = 0;
  std::mt19937_64* source = nullptr;
  std::vector<std::uint64_t> targets;
  std::vector<bool> waits;  // by tag
  TlpQueue out[flow_classes];
};

class RandomFabric {
 public:
  explicit RandomFabric(std::uint64_t seed) : random_(seed) {
    const Node top = node(0);
    root = std::make_unique<Party>(pool, *top.link, TlpLink::upstream, traffic);
    root_bus.attach(0, {&root_port, top.target});
    const Enumeration found = enumerate();
    std::vector<std::uint64_t> targets{host_memory, mmio.last - 0xffff};
    for (const FoundFunction& function : found.functions) {
      for (const FoundBar& bar : function.bars) targets.push_back(bar.address);
      for (Leaf& leaf : leaves) {
        if (&leaf.function->space() == root_bus.find(function.rid)) leaf.party->id = function.rid;
      }
    }
    for (Leaf& leaf : leaves) all_.push_back(leaf.party.get());
    all_.push_back(root.get());
    for (Party* party : all_) {
      party->left = 200;
      party->source = &random_;
      party->targets = targets;
    }
  }

  void run() {
    for (Party* party : all_) {
      for (int i = 0; i != 12; ++i) party->next();
    }
    engine.run();
    for (const auto& fabric : switches) {
      EXPECT_TRUE(fabric->idle());
      EXPECT_EQ(fabric->imbalance(), "");
      counters += fabric->counters();
    }
    for (const auto& link : links) EXPECT_TRUE(link->idle());
    for (const Party* party : all_) EXPECT_EQ(party->left, 0U) << "it stopped";
    EXPECT_EQ(traffic.reads, traffic.answers);
    EXPECT_EQ(traffic.writes, traffic.ended);
    EXPECT_EQ(pool.out(), 0U);
  }

  Engine engine;
  TlpPool pool;
  Traffic traffic;
  SwitchCounters counters{};
  BridgeConfig root_port{BridgeDescription{.pcie = {.port = PortType::root_port}, .acs_controls = 0x5f}};
  RootBus root_bus;
  struct Leaf {
    std::unique_ptr<FunctionConfig> function;
    std::unique_ptr<BarHandler> bars;
    std::unique_ptr<FunctionTarget> target;
    std::unique_ptr<Party> party;
  };
  std::vector<std::unique_ptr<TlpLink>> links;
  std::vector<std::unique_ptr<Switch>> switches;
  std::vector<Leaf> leaves;
  std::unique_ptr<Party> root;

 private:
  struct Node {
    TlpLink* link = nullptr;
    FabricTarget* target = nullptr;
  };
  std::uint64_t below(std::uint64_t end) { return random_() % end; }

  TlpLinkConfig link_config() {
    TlpLinkConfig config;
    config.timed = below(4) != 0;
    config.generation = 3 + static_cast<unsigned>(below(2));
    config.lanes = 1U << below(3);
    config.transmit_queue = 1 + static_cast<unsigned>(below(3));
    for (FlowCredits* credits : {&config.upstream_receiver, &config.downstream_receiver}) {
      for (unsigned& headers : credits->headers) headers = 1 + static_cast<unsigned>(below(3));
      credits->data = {16, 2, 16};
    }
    return config;
  }

  Node node(unsigned depth) {
    TlpLink& link = *links.emplace_back(std::make_unique<TlpLink>(engine, link_config()));
    if (depth != 0 && (depth == 3 || below(3) != 0)) return {&link, leaf(link)};
    SwitchConfig config;
    config.bridges.downstream_ports = 1 + static_cast<unsigned>(below(4));
    config.processing_ps = below(2) * 50'000;
    Switch& made = *switches.emplace_back(std::make_unique<Switch>(engine, pool, config));
    made.connect_upstream(link);
    for (unsigned port = 1; port <= config.bridges.downstream_ports; ++port) {
      if (below(8) == 0) continue;  // nothing is plugged in
      const Node child = node(depth + 1);
      made.connect(port, *child.link, child.target);
    }
    return {&link, &made};
  }

  FabricTarget* leaf(TlpLink& link) {
    FunctionDescription description;
    description.bars[0] = {std::uint64_t{0x1000} << below(11), below(2) == 0, false};
    description.bars[0].prefetchable = description.bars[0].is_64_bit;
    Leaf& made = leaves.emplace_back();
    made.function = std::make_unique<FunctionConfig>(description);
    made.target = std::make_unique<FunctionTarget>(*made.function, nullptr);
    made.party = std::make_unique<Party>(pool, link, TlpLink::downstream, traffic);
    return made.target.get();
  }

  Enumeration enumerate() {
    // Redirects need Upstream Forwarding: what one switch sends up comes to the next from the port that it is for.
    constexpr std::uint32_t redirects[] = {0, 0x1d, 0x5d, 0x15, 0x18};
    PciAccess access;
    access.read = [this](std::uint16_t rid, std::uint32_t offset, unsigned size) {
      ConfigSpace* space = root_bus.find(rid);
      return space == nullptr ? ~std::uint32_t{0} >> (32 - 8 * size) : space->read(offset, size);
    };
    access.write = [this](std::uint16_t rid, std::uint32_t offset, std::uint32_t value, unsigned size) {
      if (ConfigSpace* space = root_bus.find(rid)) space->write(offset, value, size);
    };
    const Enumeration found = enumerate_buses(access, {mmio, redirects[below(5)], 256});
    EXPECT_TRUE(found.problems.empty());
    return found;
  }

  std::mt19937_64 random_;
  std::vector<Party*> all_;
};

TEST(PcieSwitchRandom, EverythingEndsOnceInRandomTrees) {
  constexpr std::uint64_t seeds = 200;
  SwitchCounters sum;
  Traffic traffic;
  std::size_t switches = 0;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    RandomFabric fabric(seed);
    fabric.run();
    sum += fabric.counters;
    traffic.reads += fabric.traffic.reads;
    traffic.refused += fabric.traffic.refused;
    switches += fabric.switches.size();
    if (testing::Test::HasFailure()) break;
  }
  // All that can become of a TLP was seen.
  EXPECT_GT(switches, 2 * seeds);
  EXPECT_GT(sum.up, 10'000U);
  EXPECT_GT(sum.down, 10'000U);
  EXPECT_GT(sum.peer, 1'000U);
  EXPECT_GT(sum.redirected, 1'000U);
  EXPECT_GT(sum.unsupported_requests, 1'000U);
  EXPECT_EQ(sum.unexpected_completions, 0U);
  EXPECT_GT(traffic.refused, 1'000U);
  EXPECT_GT(traffic.reads, 2 * traffic.refused);
}

}  // namespace
}  // namespace smmusim::platform
