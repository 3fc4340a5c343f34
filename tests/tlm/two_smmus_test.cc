// SPDX-License-Identifier: MIT
// One Engine and one Pump shared by two SMMUs (design: one of each per simulation): both translate, neither sees the
// other's tables or resets, and their events have one order, the same in every run.
#include <string>
#include <utility>

#include "model/spec/register_offsets.h"
#include "platform/driver/table_builder.h"
#include "platform/memory/memory_module.h"
#include "tests/tlm/fresh_context.h"
#include "tests/tlm/protocol_monitor.h"
#include "tests/tlm/test_modules.h"
#include "tlm/smmu_module.h"

namespace smmusim::systemc {
namespace {

enum class What : std::uint8_t { access, event, response };
struct Step {
  unsigned smmu;
  What what;
  std::uint64_t address;
  Time when;
  friend bool operator==(const Step&, const Step&) = default;
};

/// Writes down what one SMMU does in a log that both share.
class Log : public Observer {
 public:
  Log(Engine& engine, std::vector<Step>& steps, unsigned smmu) : engine_(engine), steps_(steps), smmu_(smmu) {}
  void access(const MemoryRequest& request) override { note(What::access, request.address.value); }
  void event(const spec::Event&, bool) override { note(What::event, 0); }
  void response(const Transaction& t, const Response&) override { note(What::response, t.address.value); }

 private:
  void note(What what, std::uint64_t address) { steps_.push_back({smmu_, what, address, engine_.now()}); }

  Engine& engine_;
  std::vector<Step>& steps_;
  unsigned smmu_;
};

constexpr std::uint64_t ram = 0x40000000;
constexpr std::uint64_t page_va = 0x8000;

/// One SMMU with tables of its own in the common memory; page_va goes to `target`.
struct Unit {
  Log log;
  SmmuModule smmu;
  PageAllocator pages;
  StreamTable streams;
  PageTable table;
  PlainInitiator client;
  ProtocolMonitor upstream;
  ProtocolMonitor downstream;
  ProtocolMonitor tcu;
  platform::MemoryModule tables;
  SlowTarget memory;

  static std::string name(const char* part, unsigned number) { return part + std::to_string(number); }
  static SmmuConfig at_frame(unsigned number) {
    SmmuConfig config;
    config.frame_base = Pa(0x9050000 + 0x100000ULL * number);
    return config;
  }
  Unit(Pump& pump, SparseMemory& ram_memory, std::vector<Step>& steps, unsigned number, std::uint64_t target)
      : log(pump.engine(), steps, number),
        smmu(name("smmu", number).c_str(), pump, at_frame(number), {}, &log),
        pages(Pa(ram + 0x10000000ULL * (number + 1)), 16 << 20),
        streams(StreamTable::linear(ram_memory, pages, 6)),
        table(ram_memory, pages, Geometry{}),
        client(name("client", number).c_str()),
        upstream(name("upstream", number).c_str()),
        downstream(name("downstream", number).c_str()),
        tcu(name("tcu", number).c_str()),
        tables(name("tables", number).c_str(), pump, ram_memory),
        memory(name("memory", number).c_str()) {
    smmu.tcu_out.bind(tcu.in);
    tcu.out.bind(tables.in);
    client.out.bind(upstream.in);
    upstream.out.bind(smmu.tbu_in[0]);
    smmu.tbu_out[0].bind(downstream.in);
    downstream.out.bind(memory.in);
    ContextTable contexts(ram_memory, pages, 0);
    contexts.write(0, make_stage1_cd(table, Asid(1)));
    streams.write(StreamId(0), make_stage1_ste(contexts));
    table.map(page_va, Pa(target), 4096, {});
    const Pump::Entry entry(pump);
    smmu.smmu().write_register(spec::reg::STRTAB_BASE, streams.base_register(), 8);
    smmu.smmu().write_register(spec::reg::STRTAB_BASE_CFG, streams.base_cfg_register(), 4);
    smmu.smmu().write_register(spec::reg::CR0, 1, 4);  // SMMUEN
  }
};

struct Pair {
  Engine engine;
  Pump pump{"pump", engine};
  SparseMemory memory;
  std::vector<Step> steps;
  Unit first{pump, memory, steps, 0, ram + 0x5000};
  Unit second{pump, memory, steps, 1, ram + 0x6000};

  void run() {
    sc_core::sc_start();
    pump.rethrow_failure();
    for (Unit* unit : {&first, &second}) {
      for (const ProtocolMonitor* monitor : {&unit->upstream, &unit->downstream, &unit->tcu}) {
        EXPECT_TRUE(monitor->quiet()) << monitor->name();
      }
      EXPECT_TRUE(unit->smmu.smmu().idle());
      EXPECT_EQ(unit->smmu.tbu(0).in_flight(), 0U);
    }
  }
};

struct TwoSmmusTest : FreshContext {
  static std::vector<Step> steps_of_a_run() {
    const std::unique_ptr<sc_core::sc_simcontext> context = std::make_unique<sc_core::sc_simcontext>();
    sc_core::sc_simcontext* const before = std::exchange(sc_core::sc_curr_simcontext, context.get());
    std::vector<Step> steps;
    {
      Pair pair;
      for (unsigned n = 0; n != 6; ++n) {
        pair.first.client.add(page_va + 0x1000 * (n % 3), 8, false);  // the second and third page are not mapped
        pair.second.client.add(page_va + 0x1000 * (n % 2), 8, true);
      }
      pair.run();
      steps = pair.steps;
    }
    sc_core::sc_curr_simcontext = before;
    return steps;
  }
};

TEST_F(TwoSmmusTest, EachTranslatesByItsOwnTables) {
  Pair pair;
  pair.first.client.add(page_va + 8, 8, false);
  pair.second.client.add(page_va + 8, 8, false);
  pair.run();
  EXPECT_EQ(pair.first.memory.addresses, (std::vector<std::uint64_t>{ram + 0x5008}));
  EXPECT_EQ(pair.second.memory.addresses, (std::vector<std::uint64_t>{ram + 0x6008}));
  EXPECT_EQ(pair.first.smmu.smmu().counters().transactions, 1U);
  EXPECT_EQ(pair.second.smmu.smmu().counters().transactions, 1U);
}

TEST_F(TwoSmmusTest, TakeTheSameTimeSideBySideAsEachAlone) {
  Pair pair;
  pair.first.client.add(page_va, 8, false);
  pair.second.client.add(page_va, 8, false);
  pair.run();
  ASSERT_EQ(pair.first.client.done.size(), 1U);
  ASSERT_EQ(pair.second.client.done.size(), 1U);
  EXPECT_EQ(pair.first.client.done[0].at, pair.second.client.done[0].at);
}

TEST_F(TwoSmmusTest, ResetOfOneLeavesTheOther) {
  Pair pair;
  const auto& lost = pair.first.client.add(page_va, 8, false);
  const auto& kept = pair.second.client.add(page_va, 8, false);
  struct Reset : EventNode {
    Smmu* smmu = nullptr;
  } reset;
  reset.smmu = &pair.first.smmu.smmu();
  reset.fire = [](EventNode& node) { static_cast<Reset&>(node).smmu->reset(); };
  pair.engine.schedule_at(200'000, reset);  // in the middle of both walks
  pair.run();
  EXPECT_EQ(lost.get_response_status(), tlm::TLM_GENERIC_ERROR_RESPONSE);
  EXPECT_TRUE(kept.is_response_ok());
}

TEST_F(TwoSmmusTest, EventsOfBothHaveOneOrderTheSameInEveryRun) {
  const std::vector<Step> once = steps_of_a_run();
  EXPECT_EQ(once, steps_of_a_run());
  unsigned changes = 0;
  for (std::size_t n = 1; n < once.size(); ++n) {
    EXPECT_LE(once[n - 1].when, once[n].when) << n;
    changes += once[n - 1].smmu != once[n].smmu ? 1U : 0U;
  }
  EXPECT_GT(changes, 10U) << "the two work side by side, not one after the other";
}

}  // namespace
}  // namespace smmusim::systemc
