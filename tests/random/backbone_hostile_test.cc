// SPDX-License-Identifier: MIT
// Backbone, hostile leg: memory that answers every read with random bits, random registers, random commands. Nothing
// is compared: nothing may crash, throw, hang, or read more than a walk can need.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <optional>

#include "model/smmu/smmu.h"
#include "model/spec/register_offsets.h"
#include "tests/random/backbone_compare.h"
#include "tests/random/backbone_noise.h"
#include "tests/random/case_structures.h"

namespace smmusim {
namespace {

namespace reg = spec::reg;

constexpr std::uint32_t writable[] = {reg::CR0,
                                      reg::CR1,
                                      reg::CR2,
                                      reg::GBPA,
                                      reg::IRQ_CTRL,
                                      reg::GERRORN,
                                      reg::STRTAB_BASE,
                                      reg::STRTAB_BASE_CFG,
                                      reg::CMDQ_BASE,
                                      reg::CMDQ_PROD,
                                      reg::CMDQ_CONS,
                                      reg::EVENTQ_BASE,
                                      0x100a8,
                                      0x100ac,
                                      reg::GERROR_IRQ_CFG0,
                                      reg::GERROR_IRQ_CFG1,
                                      reg::GERROR_IRQ_CFG2,
                                      reg::EVENTQ_IRQ_CFG0,
                                      reg::EVENTQ_IRQ_CFG1,
                                      reg::EVENTQ_IRQ_CFG2};

refwalk::Case small_case(std::uint64_t seed) {
  refwalk::CaseOptions options = backbone_options(seed);
  options.accesses = 6;
  return refwalk::generate_case(seed, options);
}

struct Hostile {
  explicit Hostile(std::uint64_t seed)
      : random(seed),
        case_(small_case(seed)),
        timed(random.percent(50)),
        port(engine, seed, timed, refwalk::features_of(case_.registers).oas) {
    MachineOptions options{timed, true, seed};
    SmmuConfig config = config_of_case(case_, options);
    config.features.cmdqs = static_cast<unsigned>(random.below(6));
    config.features.eventqs = static_cast<unsigned>(random.below(6));
    config.tcu.tlb.entries = std::min(config.tcu.tlb.entries, config.tcu.tlb.ways * 4);
    // The frame where random addresses may meet it.
    config.frame_base = Pa(random.next() & low_mask(config.features.oas) & ~low_mask(17));
    smmu = std::make_unique<Smmu>(engine, port, nullptr, config);
  }

  void write_registers() {
    for (const std::uint32_t offset : writable) {
      if (random.percent(15)) continue;
      const bool is64 = offset == reg::STRTAB_BASE || offset == reg::CMDQ_BASE || offset == reg::EVENTQ_BASE ||
                        offset == reg::GERROR_IRQ_CFG0 || offset == reg::EVENTQ_IRQ_CFG0;
      std::uint64_t value = random.next();
      if (offset == reg::CR0) continue;
      if (offset == reg::GBPA) value |= 0x80000000;
      if (is64 && random.percent(85)) value &= low_mask(32);
      if (offset == reg::STRTAB_BASE_CFG && random.percent(80))
        value = (value & 0x3ffc0) | (random.below(2) << 16) | 20;
      smmu->write_register(offset, value, is64 ? 8 : 4);
    }
    smmu->write_register(reg::CR0, random.percent(95) ? 0xd : random.next(), 4);
  }

  void any_register_access() {
    const auto offset = static_cast<std::uint32_t>(random.percent(60) ? writable[random.below(std::size(writable))]
                                                                      : random.below(0x20000));
    const unsigned size = random.percent(90) ? (random.percent(50) ? 4 : 8) : static_cast<unsigned>(random.below(17));
    if (random.percent(60)) smmu->write_register(offset, random.next(), size);
    smmu->read_register(offset, size);
  }

  refwalk::Access any_access() {
    if (random.percent(40)) return case_.accesses[random.below(case_.accesses.size())];
    refwalk::Access access;
    access.sid = static_cast<std::uint32_t>(random.next() & low_mask(static_cast<unsigned>(random.below(33))));
    if (random.percent(80)) access.sid &= static_cast<std::uint32_t>(low_mask(smmu->config().features.sidsize));
    access.ssv = random.percent(30);
    access.ssid = static_cast<std::uint32_t>(random.next() & low_mask(static_cast<unsigned>(random.below(21))));
    access.address = random.next() & low_mask(static_cast<unsigned>(random.below(65)));
    if (random.percent(30)) access.address = ~access.address;
    access.write = random.percent(50);
    access.instruction = random.percent(30);
    access.privileged = random.percent(50);
    return access;
  }

  Transaction any_transaction() {
    Transaction t = CaseMachine::transaction_of(any_access());
    if (random.percent(10)) t.access = AccessType::atomic;
    if (random.percent(5)) t.ats = static_cast<AtsType>(random.below(3));
    if (random.percent(5)) t.security = static_cast<SecurityState>(random.below(4));
    if (random.percent(5)) t.size = static_cast<std::uint32_t>(1 + random.below(8192));
    t.attributes = {static_cast<std::uint8_t>(random.next()), static_cast<std::uint8_t>(random.below(4))};
    return t;
  }

  /// As a driver: makes the command that failed a CMD_SYNC, or moves a queue that can't be read, and acknowledges.
  /// False if there is no error.
  bool acknowledge_errors() {
    const std::uint64_t gerror = smmu->read_register(reg::GERROR, 4);
    const std::uint64_t active = gerror ^ smmu->read_register(reg::GERRORN, 4);
    if (active == 0) return false;
    const std::uint64_t reason = smmu->read_register(reg::CMDQ_CONS, 4) >> 24 & 0x7f;
    if ((active & 1) != 0 && reason == static_cast<std::uint64_t>(spec::CommandError::CERROR_ABT)) {
      const std::uint64_t cr0 = smmu->read_register(reg::CR0, 4);
      smmu->write_register(reg::CR0, cr0 & ~std::uint64_t{8}, 4);
      engine.run();
      smmu->write_register(reg::CMDQ_BASE, (random.next() & low_mask(32) & ~low_mask(10)) | 5, 8);
      smmu->write_register(reg::CR0, cr0, 4);
    } else {
      port.replace_command(port.last_command);
    }
    smmu->write_register(reg::GERRORN, gerror, 4);
    return true;
  }

  TestRandom random;
  Engine engine;
  refwalk::Case case_;
  bool timed;
  NoisePort port;
  std::unique_ptr<Smmu> smmu;
};

struct HostileClient : TranslationRequest {
  Smmu* smmu = nullptr;
  bool answered = false;
  static void fired(EventNode& node) {
    auto& self = static_cast<HostileClient&>(static_cast<TranslationRequest&>(node));
    self.answered = true;
    self.smmu->retire(self);
  }
};

/// Descriptors of one translation: five levels of stage 1 with five of stage 2 before each, five for its output and
/// five each for an L1CD and a CD. A configuration is an L1STD, STE, L1CD and CD.
/// With HTTU each stage-1 descriptor may be updated, by one more walk of stage 2, and read again if it has changed.
constexpr std::uint64_t most_descriptors = (5 * 6 + 5 + 2 * 5) * (backbone_httu == 0 ? 1 : 3);

void check_bounds(const Smmu& smmu) {
  const SmmuCounters& c = smmu.counters();
  EXPECT_LE(c.walk_fetches, most_descriptors * (c.walks + c.config_fetches));
  for (const Purpose purpose : {Purpose::L1STD, Purpose::STE, Purpose::L1CD, Purpose::CD}) {
    EXPECT_LE(c.reads_by_purpose[static_cast<std::size_t>(purpose)], c.config_fetches);
  }
}

void settle(Hostile& hostile) {
  hostile.engine.run();
  for (unsigned i = 0; i < 200 && hostile.acknowledge_errors(); ++i) {
    if (i == 100) hostile.port.calm();
    hostile.engine.run();
  }
}

void run_hostile(Hostile& hostile) {
  hostile.write_registers();
  std::deque<HostileClient> clients;
  for (unsigned i = 0; i < 40; ++i) {
    if (hostile.random.percent(10)) hostile.any_register_access();
    if (hostile.random.percent(10)) hostile.acknowledge_errors();
    if (hostile.random.percent(2)) {
      hostile.smmu->reset();
      hostile.write_registers();
    }
    HostileClient& client = clients.emplace_back();
    client.smmu = hostile.smmu.get();
    client.fire = &HostileClient::fired;
    client.transaction = hostile.any_transaction();
    const auto tbu = static_cast<unsigned>(hostile.random.below(hostile.smmu->config().tbus));
    if (hostile.smmu->submit(tbu, client)) HostileClient::fired(client);
    if (hostile.random.percent(50)) hostile.engine.run_until(hostile.engine.now() + hostile.random.below(500'000));
  }
  settle(hostile);
  const auto waits = [](const HostileClient& client) { return !client.answered; };
  if (backbone_stall && std::any_of(clients.begin(), clients.end(), waits)) {
    // Nobody resumes what has stalled; SMMUEN = 0 ends it (6.3.9.6).
    hostile.smmu->write_register(reg::CR0, 0, 4);
    settle(hostile);
  }
  for (const HostileClient& client : clients) EXPECT_TRUE(client.answered);
  EXPECT_EQ(hostile.engine.waiting(), 0u);
  EXPECT_TRUE(hostile.smmu->idle());
  check_bounds(*hostile.smmu);
  EXPECT_LT(hostile.port.accesses, 200'000u);
}

/// How deep the noise gets; without this the leg could pass by never leaving the stream table.
struct Depth {
  std::uint64_t walks = 0, leaves = 0, proceeds = 0, commands = 0, command_errors = 0, events = 0, syncs = 0;
  void add(const Smmu& smmu) {
    const SmmuCounters& c = smmu.counters();
    leaves += smmu.cache_counters(CacheId::tlb).fills;
    walks += c.walks;
    proceeds += c.transactions - c.aborts - c.raz_wi;
    for (const std::uint64_t n : c.commands) commands += n;
    command_errors += c.command_errors;
    events += c.events_written;
    syncs += c.syncs;
  }
};

TEST(BackboneHostile, RandomStructuresRegistersAndCommandsEndInArchitectedOutcomes) {
  Depth depth;
  for_each_seed(1500, [&depth](std::uint64_t seed) {
    Hostile hostile(seed);
    run_hostile(hostile);
    depth.add(*hostile.smmu);
  });
  if (seeds(1500).count < 1500) return;
  for (const std::uint64_t reached :
       {depth.walks, depth.leaves, depth.proceeds, depth.commands, depth.command_errors, depth.events, depth.syncs}) {
    EXPECT_GT(reached, 100u) << "walks " << depth.walks << " leaves " << depth.leaves << " proceeds " << depth.proceeds
                             << " commands " << depth.commands << " command errors " << depth.command_errors
                             << " events " << depth.events << " syncs " << depth.syncs;
  }
}

/// One SMMU with random features and registers, without time and commands; its memory changes with every access.
struct Structures {
  explicit Structures(std::uint64_t seed) : random(seed) {
    refwalk::Rng rng(seed);
    refwalk::make_registers(rng, backbone_options(seed), case_.registers);
    SmmuConfig config = config_of_case(case_, {false, random.percent(50), seed});
    config.tcu.tlb.entries = std::min(config.tcu.tlb.entries, config.tcu.tlb.ways * 4);
    oas = config.features.oas;
    port.emplace(engine, seed, false, oas);
    config.frame_base = Pa(random.next() & low_mask(random.percent(50) ? 32 : oas) & ~low_mask(17));
    smmu.emplace(engine, *port, nullptr, config);
    smmu->write_register(reg::CR2, case_.registers.cr2, 4);
    smmu->write_register(reg::STRTAB_BASE, random.next() & low_mask(random.percent(90) ? 32 : 52), 8);
    smmu->write_register(reg::STRTAB_BASE_CFG, 20 | (random.below(32) << 6) | (random.below(2) << 16), 4);
    smmu->write_register(reg::CR0, 1, 4);
    engine.run();
  }

  Transaction any_transaction() {
    Transaction t;
    t.stream_id = StreamId(static_cast<std::uint32_t>(random.next() & low_mask(smmu->config().features.sidsize)));
    t.substream_valid = random.percent(30);
    t.substream_id = SubstreamId(static_cast<std::uint32_t>(random.next() & low_mask(20)));
    t.access = random.percent(40) ? AccessType::write : AccessType::read;
    t.instruction = random.percent(20);
    t.privileged = random.percent(50);
    const std::uint64_t address = random.next() & low_mask(static_cast<unsigned>(12 + random.below(53)));
    t.address = Va(random.percent(25) ? ~address : address);
    return t;
  }

  /// Translates with new memory; the answer must be architected and the reads bounded.
  Response access() {
    port->renew(random.next());
    const std::uint64_t structures = port->structures;
    const std::uint64_t descriptors = port->descriptors;
    const Response response = smmu->translate(0, any_transaction());
    EXPECT_LE(port->structures - structures, 4u);
    EXPECT_LE(port->descriptors - descriptors, most_descriptors);
    EXPECT_TRUE(response.outcome != Outcome::proceed || fits(response.address.value, oas));
    EXPECT_TRUE(backbone_stall || response.outcome != Outcome::stalled);
    return response;
  }

  TestRandom random;
  refwalk::Case case_;
  Engine engine;
  unsigned oas = 0;
  std::optional<NoisePort> port;
  std::optional<Smmu> smmu;
};

TEST(BackboneHostile, RandomBitsInEveryStructureEndInArchitectedOutcomes) {
  constexpr unsigned accesses = 250;
  std::array<std::uint64_t, 256> events{};
  std::uint64_t proceeds = 0;
  for_each_seed(4000, [&](std::uint64_t seed) {
    Structures one(seed);
    const CaseFailures failures;
    for (unsigned i = 0; i < accesses && !failures.any(); ++i) {
      const Response response = one.access();
      ++events[static_cast<unsigned>(response.event) & 0xff];
      proceeds += response.outcome == Outcome::proceed ? 1 : 0;
    }
  });
  if (seeds(4000).count < 4000) return;
  EXPECT_GT(proceeds, 1000u);
  for (const unsigned event : {2u, 3u, 4u, 6u, 8u, 9u, 10u, 11u, 16u, 17u, 18u, 19u})
    EXPECT_GT(events[event], 100u) << event;
}

}  // namespace
}  // namespace smmusim
