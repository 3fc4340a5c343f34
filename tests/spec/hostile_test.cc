// SPDX-License-Identifier: MIT
// Random bits in every structure, queue and register: an architected outcome, a bounded number of fetches, no fetch
// outside what the structures name, and a machine that works afterwards (issue: Bad input; IHI 0070 section 3.21).
#include <gtest/gtest.h>

#include <random>

#include "tests/support/smmu_bench.h"

namespace smmusim {
namespace {

constexpr std::uint64_t target = SmmuBench::target;
constexpr int rounds = 3000;

SmmuConfig rich_config() {
  SmmuConfig config = bench_config();
  config.features.ssidsize = 20;
  config.features.cd2l = true;
  config.features.attr_types_ovr = true;
  config.features.attr_perms_ovr = true;
  return config;
}

class Hostile {
 public:
  explicit Hostile(std::uint64_t seed) : bench(rich_config()), random_(seed), context_(bench.stage1_stream(1)) {}
  std::uint64_t number() { return random_(); }
  /// Mostly random, mostly valid looking: `sound` with some bits flipped.
  template <class Words>
  Words spoil(Words sound) {
    for (int flips = static_cast<int>(number() % 6); flips >= 0; --flips) {
      sound.dw[number() % sound.dw.size()] ^= std::uint64_t{1} << (number() % 64);
    }
    if (number() % 8 == 0) sound.dw[number() % sound.dw.size()] = number();
    return sound;
  }
  std::uint64_t address() {
    const std::uint64_t raw = number();
    return number() % 2 == 0 ? raw & 0xffff'ffff'ffff : raw >> (number() % 64);
  }
  /// One random access; its answer must be one that the architecture knows.
  void access(std::uint32_t sid) {
    Transaction t = SmmuBench::transaction(sid, address(), static_cast<AccessType>(number() % 3));
    t.privileged = number() % 2 == 0;
    t.instruction = number() % 2 == 0;
    t.substream_valid = number() % 3 == 0;
    t.substream_id = SubstreamId(static_cast<std::uint32_t>(number() & 0xfffff));
    t.attributes = {static_cast<std::uint8_t>(number()), static_cast<std::uint8_t>(number() & 3)};
    const std::size_t before = bench.memory.log.size();
    const Response response = bench.go(t);
    EXPECT_LE(bench.memory.log.size() - before, 12u) << "L1STD, STE, L1CD, CD, four descriptors, a record, an MSI";
    EXPECT_TRUE(response.outcome == Outcome::proceed || response.outcome == Outcome::abort ||
                response.outcome == Outcome::raz_wi);
    if (response.outcome == Outcome::proceed) {
      EXPECT_EQ(response.address.value >> 48, 0u) << "never beyond the OAS";
    }
  }
  void expect_alive() {
    bench.memory.clear_aborts();
    bench.memory.before = nullptr;
    bench.enable(0);
    bench.acknowledge_errors();
    bench.set_up();
    const raw::Cd context = bench.stage1_stream(1);
    bench.map(SmmuBench::ttb0(context), 0x1000, raw::page(target));
    bench.invalidate_all();
    EXPECT_TRUE(bench.all_consumed());
    EXPECT_EQ(bench.read(1, 0x1000).address.value, target);
    EXPECT_TRUE(bench.smmu.idle());
  }
  const raw::Cd& context() const { return context_; }
  SmmuBench bench;

 private:
  std::mt19937_64 random_;
  raw::Cd context_;
};

TEST(SpecHostile, StreamTableEntries) {
  RecordProperty("rule", "SM-ST-009 SM-ST-011 SM-ST-015");
  Hostile h(11);
  for (int i = 0; i < rounds; ++i) {
    h.bench.put_ste(1, h.spoil(SmmuBench::stage1_ste(SmmuBench::cd_address(1))));
    h.bench.invalidate_all();
    h.access(1);
    h.bench.take_events();
  }
  h.expect_alive();
}

TEST(SpecHostile, ContextDescriptors) {
  RecordProperty("rule", "SM-CD-001 SM-ST-009");
  Hostile h(12);
  for (int i = 0; i < rounds; ++i) {
    h.bench.put_cd(1, h.spoil(h.context()));
    h.bench.invalidate_all();
    h.access(1);
    h.bench.take_events();
  }
  h.expect_alive();
}

TEST(SpecHostile, TranslationTables) {
  RecordProperty("rule", "SM-TR-014 SM-AS-024");
  Hostile h(13);
  const std::uint64_t ttb = SmmuBench::ttb0(h.context());
  for (int i = 0; i < rounds; ++i) {
    h.bench.invalidate_all();
    // Random descriptors along one path, the tables mostly reachable.
    std::uint64_t table = ttb;
    const std::uint64_t va = h.number() & 0xffff'ffff'ffff;
    for (int level = 0; level <= 3; ++level) {
      const std::uint64_t at = table + ((va >> (39 - 9 * level)) & 0x1ff) * 8;
      const bool sound = level < 3 && h.number() % 4 != 0;
      table = 0x6000'0000 + 0x1000 * (h.number() % 16);
      h.bench.memory.write64(at, sound ? table | 3 : h.number());
    }
    Transaction t = SmmuBench::transaction(1, va, static_cast<AccessType>(h.number() % 3));
    const std::size_t before = h.bench.memory.log.size();
    h.bench.go(t);
    EXPECT_LE(h.bench.memory.log.size() - before, 12u);
    h.bench.take_events();
  }
  h.expect_alive();
}

TEST(SpecHostile, TablesThatPointAtThemselves) {
  RecordProperty("rule", "SM-TR-014");
  Hostile h(14);
  const std::uint64_t ttb = SmmuBench::ttb0(h.context());
  for (std::uint64_t i = 0; i < 512; ++i) h.bench.memory.write64(ttb + 8 * i, ttb | 3 | raw::af | raw::ap_unprivileged);
  for (int i = 0; i < 100; ++i) h.access(1);
  EXPECT_EQ(h.bench.read(1, 0x1234'5678).address.value, ttb | 0x678) << "level 3 takes it as a page";
  h.expect_alive();
}

TEST(SpecHostile, StreamTablesOfGarbage) {
  RecordProperty("rule", "SM-ST-002 SM-ST-016 SM-AS-021");
  Hostile h(15);
  for (int i = 0; i < rounds; ++i) {
    h.bench.enable(cr0::CMDQEN | cr0::EVENTQEN);
    h.bench.w64(off::STRTAB_BASE, h.number());
    h.bench.w32(off::STRTAB_BASE_CFG, static_cast<std::uint32_t>(h.number()));
    h.bench.enable(0xd);
    const std::uint32_t sid = static_cast<std::uint32_t>(h.number()) >> (h.number() % 32);
    h.bench.memory.before = [&](const MemoryRequest& request) {
      if (request.op == MemoryOp::read && request.purpose != Purpose::CMD) {
        h.bench.memory.write64(request.address.value & ~std::uint64_t{7}, h.number());  // garbage at every address
      }
    };
    h.access(sid);
    h.bench.memory.before = nullptr;
    h.bench.take_events();
    h.bench.invalidate_all();
  }
  h.expect_alive();
}

TEST(SpecHostile, Commands) {
  RecordProperty("rule", "SM-CM-001 SM-CM-006 SM-CM-009 SM-CM-012");
  Hostile h(16);
  for (int i = 0; i < rounds; ++i) {
    raw::Command command{{h.number(), h.number()}};
    constexpr std::uint64_t opcodes[] = {1, 2, 3, 4, 5, 6, 0x10, 0x11, 0x12, 0x13, 0x30, 0x46};
    if (h.number() % 4 != 0) command.put(raw::cmd::OP, opcodes[h.number() % 12]).put(raw::cmd::SSec, 0);
    // MSIs go where nothing else is.
    if (command.get(raw::cmd::OP) == 0x46) command.put(raw::cmd::MSIAddress, 0x7777'0000 >> 2);
    h.bench.issue(command);
    if (h.bench.active_errors() != 0) {
      EXPECT_EQ(h.bench.active_errors(), gerror::CMDQ_ERR);
      EXPECT_EQ(h.bench.command_error(), 1u);
      h.bench.memory.store(SmmuBench::cmdq + 16ull * (h.bench.cons() & 0xff), raw::command(raw::cmd::SYNC));
      h.bench.acknowledge_errors();
    }
    ASSERT_TRUE(h.bench.all_consumed());
  }
  EXPECT_TRUE(h.bench.take_events().empty()) << "commands make no events";
  h.expect_alive();
}

TEST(SpecHostile, QueueIndexes) {
  RecordProperty("rule", "SM-QU-003 SM-CQ-002 SM-EVQ-004");
  Hostile h(17);
  h.bench.memory.write64(0, 0);
  for (int i = 0; i < rounds; ++i) {
    h.bench.w32(off::CMDQ_PROD, static_cast<std::uint32_t>(h.number()));
    h.bench.w32(off::EVENTQ_CONS, static_cast<std::uint32_t>(h.number()));
    h.bench.acknowledge_errors();
    h.access(3);
    h.bench.memory.log.clear();
  }
  h.expect_alive();
}

TEST(SpecHostile, Registers) {
  RecordProperty("rule", "SM-RG-004 SM-RG-006 SM-RU-014");
  Hostile h(18);
  for (int i = 0; i < rounds; ++i) {
    constexpr unsigned sizes[] = {1, 2, 4, 8, 4, 8, 3, 16};
    const auto offset = static_cast<std::uint32_t>(h.number() % (h.number() % 4 == 0 ? 0x20008 : 0x100));
    h.bench.smmu.write_register(offset, h.number(), sizes[h.number() % 8]);
    h.bench.smmu.read_register(static_cast<std::uint32_t>(h.number()), sizes[h.number() % 8]);
    h.bench.run();
    if (i % 7 == 0) h.access(static_cast<std::uint32_t>(h.number() % 512));
    h.bench.memory.log.clear();
  }
  h.bench.w32(off::IRQ_CTRL, 0);
  h.bench.w32(off::GBPA, 0x8000'0000);
  h.expect_alive();
}

TEST(SpecHostile, AbortsEverywhere) {
  RecordProperty("rule", "SM-EXT-011 SM-RAS-001");
  Hostile h(19);
  h.bench.map(SmmuBench::ttb0(h.context()), 0x1000, raw::page(target));
  constexpr std::uint64_t bases[] = {SmmuBench::strtab, SmmuBench::cmdq, SmmuBench::eventq,
                                     SmmuBench::cds,    0x5000'0000,     0x7777'0000};
  h.bench.w64(off::EVENTQ_IRQ_CFG0, 0x7777'0000);
  h.bench.w32(off::IRQ_CTRL, 5);
  for (int i = 0; i < 500; ++i) {
    h.bench.memory.clear_aborts();
    for (const std::uint64_t base : bases) {
      if (h.number() % 3 == 0) h.bench.memory.abort_at(base, 0x8000, h.number() % 2 == 0, h.number() % 2 == 0);
    }
    h.bench.push(raw::command(raw::cmd::TLBI_NSNH_ALL));
    h.bench.issue(raw::command(raw::cmd::CFGI_STE_RANGE, {{raw::cmd::Range, 31}}));
    h.access(1);
    h.access(3);
    h.bench.acknowledge_errors();
  }
  h.bench.w32(off::IRQ_CTRL, 0);
  h.expect_alive();
}

TEST(SpecHostile, OwnRegistersAreNoMemory) {
  RecordProperty("rule", "SM-EXT-011");
  SmmuConfig config = bench_config();
  config.frame_base = Pa(0x4000'0000);  // the stream table would lie in the SMMU's registers
  SmmuBench bench(config);
  EXPECT_EQ(event_number(bench.read(3, 0)), raw::ev::F_STE_FETCH);
  EXPECT_EQ(bench.memory.count(Purpose::STE), 0u);
}

}  // namespace
}  // namespace smmusim
