// SPDX-License-Identifier: MIT
// Backbone, hostile leg: memory that answers every read with random bits, random registers, random commands. Nothing
// is compared: nothing may crash, throw, hang, or read more than a walk can need.
#include <gtest/gtest.h>

#include <cstring>
#include <deque>
#include <map>

#include "model/smmu/smmu.h"
#include "model/spec/register_offsets.h"
#include "tests/random/backbone_compare.h"

namespace smmusim {
namespace {

namespace reg = spec::reg;

/// Memory of random words, the same at the same address until written. Structures get, by `sense` percent, the bits
/// that let a walk go on; otherwise hardly any would.
class NoisePort final : public MemoryPort {
 public:
  NoisePort(Engine& engine, std::uint64_t seed, bool timed)
      : engine_(engine), random_(seed), seed_(seed), timed_(timed) {
    sense_ = static_cast<unsigned>(random_.percent(75) ? 80 + random_.below(21) : random_.below(101));
    aborts_ = random_.percent(50) ? 0 : static_cast<unsigned>(random_.below(20));
  }

  bool start(MemoryRequest& request) override {
    ++accesses;
    request.status = random_.percent(aborts_) ? MemoryStatus::external_abort : MemoryStatus::ok;
    if (request.op == MemoryOp::read) fill(request);
    if (!timed_) return true;
    engine_.schedule_in(random_.below(300'000), request);
    return false;
  }
  void abandon(const Scope& scope) override { engine_.cancel(scope); }

  /// From now on reads of commands at this address give CMD_SYNC.
  void replace_command(std::uint64_t address) { replaced_.insert(address); }
  void calm() { aborts_ = 0; }

  std::uint64_t accesses = 0;
  std::uint64_t last_command = 0;

 private:
  void fill(MemoryRequest& request) {
    std::array<std::uint64_t, 8> words{};
    TestRandom noise(seed_ ^ (request.address.value * 0x2545f4914f6cdd1d));
    for (std::uint64_t& word : words) word = noise.next();
    if (noise.percent(sense_)) make_sensible(request, words, noise);
    if (request.purpose == Purpose::CMD) last_command = request.address.value;
    if (request.purpose == Purpose::CMD && replaced_.count(request.address.value) != 0) words = {0x46, 0};
    std::memcpy(request.data, words.data(), request.size);
  }
  /// First word of a CD: V, AA64, A, IPS of 48 bits, TxSZ 25 with 4 KiB tables at both ends, no HTTU and no stall.
  static std::uint64_t make_sensible_cd(std::uint64_t word, bool short_asid) {
    constexpr std::uint64_t size_and_granule = 0xff;
    constexpr std::uint64_t decided =
        size_and_granule | size_and_granule << 16 | std::uint64_t{0x7} << 32 | std::uint64_t{0x7} << 42;
    constexpr std::uint64_t wanted = 0x19 | 0x99 << 16 | std::uint64_t{5} << 32;
    constexpr std::uint64_t set = 0x80000000 | std::uint64_t{1} << 41 | std::uint64_t{1} << 46;
    const std::uint64_t asid = short_asid ? std::uint64_t{0xff00} << 48 : 0;
    return (word & ~decided & ~asid) | wanted | set;
  }
  void make_sensible(const MemoryRequest& request, std::array<std::uint64_t, 8>& words, TestRandom& noise) const {
    constexpr std::uint64_t low_address = low_mask(32) & ~low_mask(6);
    constexpr std::uint64_t opcodes[] = {1, 2, 3, 4, 5, 6, 0x10, 0x11, 0x12, 0x13, 0x20, 0x30, 0x46};
    switch (request.purpose) {
      case Purpose::L1STD:
        words[0] = (words[0] & low_address) | (1 + noise.below(11));
        break;
      case Purpose::STE:
        words[0] = (words[0] & (low_address | 0x30)) | 0xb;
        words[1] &= ~(std::uint64_t{1} << 27);
        break;
      case Purpose::L1CD:
        words[0] = (words[0] & low_mask(32)) | 1;
        break;
      case Purpose::CD:
        words[0] = make_sensible_cd(words[0], noise.percent(50));
        words[1] &= low_mask(32);
        words[2] &= low_mask(32);
        break;
      case Purpose::TTD:
        words[0] = (words[0] & (low_mask(32) | 0x7ff0000000000000)) | (noise.percent(70) ? 3 : 1);
        break;
      case Purpose::CMD:
        words[0] = (words[0] & ~std::uint64_t{0x4ff}) | opcodes[noise.below(std::size(opcodes))];
        break;
      default:
        break;
    }
  }

  Engine& engine_;
  TestRandom random_;
  std::uint64_t seed_;
  bool timed_;
  unsigned sense_ = 0;
  unsigned aborts_ = 0;
  std::set<std::uint64_t> replaced_;
};

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

struct Hostile {
  explicit Hostile(std::uint64_t seed)
      : random(seed), case_(backbone_case(seed)), timed(random.percent(50)), port(engine, seed, timed) {
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

/// A walk of stage 1 has at most four levels; a configuration is an L1STD, STE, L1CD and CD.
void check_bounds(const Smmu& smmu) {
  const SmmuCounters& c = smmu.counters();
  EXPECT_LE(c.walk_fetches, 4 * c.walks);
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
  for_each_seed(3000, [&depth](std::uint64_t seed) {
    Hostile hostile(seed);
    run_hostile(hostile);
    depth.add(*hostile.smmu);
  });
  if (seeds(3000).count < 3000) return;
  for (const std::uint64_t reached :
       {depth.walks, depth.leaves, depth.proceeds, depth.commands, depth.command_errors, depth.events, depth.syncs}) {
    EXPECT_GT(reached, 100u) << "walks " << depth.walks << " leaves " << depth.leaves << " proceeds " << depth.proceeds
                             << " commands " << depth.commands << " command errors " << depth.command_errors
                             << " events " << depth.events << " syncs " << depth.syncs;
  }
}

}  // namespace
}  // namespace smmusim
