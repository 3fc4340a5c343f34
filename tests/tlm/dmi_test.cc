// SPDX-License-Identifier: MIT
// Direct memory access through a TBU: what is granted, what is not, and what ends it (design: a grant covers one page
// of one socket whose StreamID is fixed; any CFGI, TLBI, CR0, GBPA change or reset ends every grant before CMD_SYNC
// completes).
#include <functional>
#include <memory>
#include <optional>

#include "platform/driver/commands.h"
#include "tests/tlm/blocking_modules.h"
#include "tests/tlm/fresh_context.h"
#include "tests/tlm/smmu_world.h"

namespace smmusim::systemc {
namespace {

constexpr std::uint64_t memory_base = 0x40400000;
constexpr std::uint64_t memory_size = 0x400000;
constexpr std::uint64_t page_va = 0x8000;  // to page_pa
constexpr std::uint64_t page_pa = memory_base + 0x5000;
constexpr std::uint64_t read_only_va = 0xa000;
constexpr std::uint64_t block_va = 0x40000000;  // 2 MiB to memory_base + 0x200000
constexpr std::uint64_t unmapped_va = 0xb000;
constexpr StreamId other_stream{3};

/// Asks for direct access and writes down what ends it.
struct Client : sc_core::sc_module, tlm::tlm_bw_transport_if<> {
  tlm::tlm_initiator_socket<> out{"out"};
  unsigned invalidations = 0;
  std::function<void()> on_invalidation;
  std::uint64_t first = 1;
  std::uint64_t last = 0;

  explicit Client(const sc_core::sc_module_name& name) : sc_core::sc_module(name) { out.bind(*this); }
  tlm::tlm_sync_enum nb_transport_bw(tlm::tlm_generic_payload&, tlm::tlm_phase&, sc_core::sc_time&) override {
    return tlm::TLM_COMPLETED;
  }
  void invalidate_direct_mem_ptr(sc_dt::uint64 from, sc_dt::uint64 to) override {
    ++invalidations;
    first = from;
    last = to;
    if (on_invalidation) on_invalidation();
  }
};

SmmuConfig untimed() {
  SmmuConfig config;
  config.timed = false;
  return config;
}

struct Bench {
  SmmuWorld world;
  Client client{"client"};
  ProtocolMonitor upstream{"upstream"};
  ProtocolMonitor downstream{"downstream"};
  DirectMemory memory{"memory", memory_base, memory_size};
  PageTable* table = nullptr;
  std::uint32_t produced = 0;
  Pa queue{};

  explicit Bench(const SmmuConfig& config = untimed(), bool enable = true) : world(config) {
    client.out.bind(upstream.in);
    upstream.out.bind(world.smmu.tbu_in[0]);
    world.smmu.tbu_out[0].bind(downstream.in);
    downstream.out.bind(memory.in);
    table = &world.add_stream(0);
    table->map(page_va, Pa(page_pa), 4096, {});
    MapOptions read_only;
    read_only.write = false;
    table->map(read_only_va, Pa(page_pa + 0x1000), 4096, read_only);
    MapOptions block;
    block.blocks = true;
    table->map(block_va, Pa(memory_base + 0x200000), 0x200000, block);
    world.add_stream(other_stream.value).map(page_va, Pa(page_pa + 0x2000), 4096, {});
    queue = world.pages.allocate(256 * 16, 256 * 16);
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
    if (!enable) return;
    world.write(spec::reg::CMDQ_BASE, queue.value | 8, 8);
    world.enable();
    world.write(spec::reg::CR0, spec::CR0::SMMUEN::mask | spec::CR0::CMDQEN::mask);
  }
  std::optional<tlm::tlm_dmi> ask(std::uint64_t address, bool write = false,
                                  const std::function<void(tlm::tlm_generic_payload&)>& change = {}) {
    tlm::tlm_generic_payload payload;
    payload.set_command(write ? tlm::TLM_WRITE_COMMAND : tlm::TLM_READ_COMMAND);
    payload.set_address(address);
    if (change) change(payload);
    tlm::tlm_dmi dmi;
    if (!client.out->get_direct_mem_ptr(payload, dmi)) return std::nullopt;
    return dmi;
  }
  /// True if b_transport told the client that direct access is possible.
  bool hint(std::uint64_t address, StreamId stream = StreamId(0)) {
    PayloadPool pool;
    tlm::tlm_generic_payload& payload = pool.take();
    payload.get_extension<SmmuExtension>()->client.stream_id = stream;
    unsigned char data[8];
    payload.set_read();
    payload.set_address(address);
    payload.set_data_ptr(data);
    payload.set_data_length(8);
    payload.set_streaming_width(8);
    sc_core::sc_time delay;
    client.out->b_transport(payload, delay);
    return payload.is_dmi_allowed();
  }
  void command(const spec::Command& command) {
    put(command);
    world.write(spec::reg::CMDQ_PROD, produced);
  }
  void put(const spec::Command& command) {
    world.memory.store64(queue + std::uint64_t{produced} * 16, command.dw[0]);
    world.memory.store64(queue + std::uint64_t{produced} * 16 + 8, command.dw[1]);
    ++produced;
  }
};

struct DmiTest : FreshContext {
  template <class Check>
  static void in_own_kernel(const Check& check) {
    const auto context = std::make_unique<sc_core::sc_simcontext>();
    sc_core::sc_simcontext* const before = std::exchange(sc_core::sc_curr_simcontext, context.get());
    check();
    sc_core::sc_curr_simcontext = before;
  }
};

TEST_F(DmiTest, GrantCoversThePageAndPointsToItsOutput) {
  Bench bench;
  const auto dmi = bench.ask(page_va + 0x123);
  ASSERT_TRUE(dmi);
  EXPECT_EQ(dmi->get_start_address(), page_va);
  EXPECT_EQ(dmi->get_end_address(), page_va + 0xfff);
  EXPECT_EQ(dmi->get_dmi_ptr(), &bench.memory.at(page_pa));
  EXPECT_TRUE(dmi->is_read_write_allowed());
  EXPECT_EQ(dmi->get_read_latency(), sc_core::sc_time(7, sc_core::SC_NS)) << "the memory's";
}

TEST_F(DmiTest, DirectWriteIsWhatBTransportReads) {
  Bench bench;
  const auto dmi = bench.ask(page_va + 8, true);
  ASSERT_TRUE(dmi);
  dmi->get_dmi_ptr()[page_va + 8 - dmi->get_start_address()] = 0x77;
  Access access(false, page_va + 8, 8);
  bench.client.out->b_transport(access.payload, access.delay);
  EXPECT_EQ(access.data[0], 0x77);
}

TEST_F(DmiTest, ReadOnlyPageIsGrantedForReadingOnly) {
  Bench bench;
  const auto dmi = bench.ask(read_only_va);
  ASSERT_TRUE(dmi);
  EXPECT_TRUE(dmi->is_read_allowed());
  EXPECT_FALSE(dmi->is_write_allowed());
  EXPECT_FALSE(bench.ask(read_only_va, true));
}

TEST_F(DmiTest, BlockIsGrantedWhole) {
  Bench bench;
  const auto dmi = bench.ask(block_va + 0x123456);
  ASSERT_TRUE(dmi);
  EXPECT_EQ(dmi->get_start_address(), block_va);
  EXPECT_EQ(dmi->get_end_address(), block_va + 0x1fffff);
  EXPECT_EQ(dmi->get_dmi_ptr(), &bench.memory.at(memory_base + 0x200000));
}

TEST_F(DmiTest, BypassIsGrantedBy4KiB) {
  Bench bench(untimed(), false);
  const auto dmi = bench.ask(page_pa + 0x123);
  ASSERT_TRUE(dmi);
  EXPECT_EQ(dmi->get_start_address(), page_pa);
  EXPECT_EQ(dmi->get_end_address(), page_pa + 0xfff);
  EXPECT_EQ(dmi->get_dmi_ptr(), &bench.memory.at(page_pa));
}

struct WindowRow {
  const char* what;
  std::uint64_t first;  ///< of what memory gives
  std::uint64_t last;
  bool granted;
  std::uint64_t granted_first;
  std::uint64_t granted_last;
};

TEST_F(DmiTest, GrantIsCutToWhatMemoryGives) {
  const WindowRow rows[] = {
      {"all of the page and more", page_pa - 0x10, page_pa + 0x2000, true, page_va, page_va + 0xfff},
      {"its middle", page_pa + 0x100, page_pa + 0x1ff, true, page_va + 0x100, page_va + 0x1ff},
      {"from before to its middle", page_pa - 0x10, page_pa + 0x1ff, true, page_va, page_va + 0x1ff},
      {"from its middle on", page_pa + 0x100, page_pa + 0x2000, true, page_va + 0x100, page_va + 0xfff},
      {"another part of it", page_pa + 0x200, page_pa + 0x2ff, false, 0, 0},
  };
  for (const WindowRow& row : rows) {
    SCOPED_TRACE(row.what);
    in_own_kernel([&row] {
      Bench bench;
      bench.memory.direct_first = row.first;
      bench.memory.direct_last = row.last;
      const auto dmi = bench.ask(page_va + 0x180);
      ASSERT_EQ(dmi.has_value(), row.granted);
      if (!row.granted) return;
      EXPECT_EQ(dmi->get_start_address(), row.granted_first);
      EXPECT_EQ(dmi->get_end_address(), row.granted_last);
      EXPECT_EQ(dmi->get_dmi_ptr(), &bench.memory.at(page_pa + (row.granted_first - page_va)));
    });
  }
}

TEST_F(DmiTest, MemoryThatGivesReadingOnlyLimitsTheGrant) {
  Bench bench;
  bench.memory.direct_access = tlm::tlm_dmi::DMI_ACCESS_READ;
  const auto dmi = bench.ask(page_va);
  ASSERT_TRUE(dmi);
  EXPECT_FALSE(dmi->is_write_allowed());
  EXPECT_FALSE(bench.ask(page_va, true));
}

struct NoGrantRow {
  const char* what;
  std::function<void(SmmuConfig&)> configure;
  std::function<void(Bench&)> prepare;
  std::function<void(tlm::tlm_generic_payload&)> change;
  bool write = false;
  std::uint64_t address = page_va;
};

/// The extension of a payload that has one of its own.
ClientAttributes& attributes(tlm::tlm_generic_payload& payload) {
  auto* extension = new SmmuExtension;  // the payload deletes it
  payload.set_extension(extension);
  return extension->client;
}

TEST_F(DmiTest, NoGrant) {
  const NoGrantRow rows[] = {
      {"timed mode", [](SmmuConfig& c) { c.timed = true; }, {}, {}},
      {"an SMMU with ATS", [](SmmuConfig& c) { c.features.ats = true; }, {}, {}},
      {"another stream", {}, {}, [](auto& p) { attributes(p).stream_id = other_stream; }},
      {"a substream", {}, {}, [](auto& p) { attributes(p).substream_valid = true; }},
      {"another privilege", {}, {}, [](auto& p) { attributes(p).privileged = true; }},
      {"no command", {}, {}, [](auto& p) { p.set_command(tlm::TLM_IGNORE_COMMAND); }},
      {"not mapped", {}, {}, {}, false, unmapped_va},
      {"memory gives none", {}, [](Bench& b) { b.memory.direct_access = tlm::tlm_dmi::DMI_ACCESS_NONE; }, {}},
      {"everything aborts", {}, [](Bench& b) { b.world.write(spec::reg::CR0, 0), b.world.abort_all(); }, {}},
  };
  for (const NoGrantRow& row : rows) {
    SCOPED_TRACE(row.what);
    in_own_kernel([&row] {
      SmmuConfig config = untimed();
      if (row.configure) row.configure(config);
      Bench bench(config);
      if (row.prepare) row.prepare(bench);
      EXPECT_FALSE(bench.ask(row.address, row.write, row.change));
      EXPECT_EQ(bench.upstream.dmi_grants, 0U);
    });
  }
}

TEST_F(DmiTest, ExtensionThatSaysWhatTheSocketSaysGetsAGrant) {
  Bench bench;
  ClientAttributes defaults;
  defaults.stream_id = other_stream;
  bench.world.smmu.set_defaults(0, defaults);
  const auto dmi = bench.ask(page_va, false, [](auto& p) { attributes(p).stream_id = other_stream; });
  ASSERT_TRUE(dmi);
  EXPECT_EQ(dmi->get_dmi_ptr(), &bench.memory.at(page_pa + 0x2000));
  EXPECT_FALSE(bench.ask(page_va, false, [](auto& p) { attributes(p).stream_id = StreamId(0); }));
}

TEST_F(DmiTest, ObservedSmmuGrantsNothing) {
  Engine engine;
  Pump pump("observed_pump", engine);
  Observer observer;
  SmmuModule observed("observed", pump, untimed(), {}, &observer);
  EXPECT_FALSE(observed.smmu().grants_possible());
}

TEST_F(DmiTest, AskingChangesNothing) {
  Bench bench;
  const auto counters = [&bench] {
    const SmmuCounters& c = bench.world.smmu.smmu().counters();
    const CacheCounters t = bench.world.smmu.smmu().cache_counters(CacheId::micro_tlb);
    return std::tuple(c.transactions, c.walks, c.events, c.events_lost, c.events_written, t.lookups, t.fills);
  };
  const auto before = counters();
  EXPECT_TRUE(bench.ask(page_va));
  EXPECT_FALSE(bench.ask(unmapped_va));
  EXPECT_EQ(counters(), before);
  EXPECT_EQ(bench.memory.accesses, 0U);
}

struct EndRow {
  const char* what;
  std::function<void(Bench&)> end;
};

TEST_F(DmiTest, EveryInvalidationAndChangeEndsIt) {
  TlbiRange range;
  range.address = 0x123000;  // elsewhere: every grant ends all the same
  std::vector<spec::Command> by_address;
  append_tlbi_range(by_address, range, false);
  const EndRow rows[] = {
      {"CMD_CFGI_STE", [](Bench& b) { b.command(make_cfgi_ste(StreamId(9))); }},
      {"CMD_CFGI_ALL", [](Bench& b) { b.command(make_cfgi_all()); }},
      {"CMD_CFGI_CD", [](Bench& b) { b.command(make_cfgi_cd(StreamId(0), SubstreamId(0))); }},
      {"CMD_CFGI_CD_ALL", [](Bench& b) { b.command(make_cfgi_cd_all(StreamId(0))); }},
      {"CMD_TLBI_NH_ALL", [](Bench& b) { b.command(make_tlbi_nh_all(Vmid(0))); }},
      {"CMD_TLBI_NH_ASID", [](Bench& b) { b.command(make_tlbi_nh_asid(Vmid(0), Asid(0))); }},
      {"CMD_TLBI_NH_VA", [&](Bench& b) { b.command(by_address.front()); }},
      {"CMD_TLBI_NSNH_ALL", [](Bench& b) { b.command(make_tlbi_nsnh_all()); }},
      {"CR0", [](Bench& b) { b.world.write(spec::reg::CR0, 0); }},
      {"GBPA", [](Bench& b) { b.world.abort_all(); }},
      {"reset",
       [](Bench& b) {
         const Pump::Entry entry(b.world.pump);
         b.world.smmu.smmu().reset();
       }},
      {"other defaults of the socket",
       [](Bench& b) {
         ClientAttributes defaults;
         defaults.stream_id = other_stream;
         b.world.smmu.set_defaults(0, defaults);
       }},
      {"memory's own invalidation", [](Bench& b) { b.memory.in->invalidate_direct_mem_ptr(page_pa, page_pa); }},
  };
  for (const EndRow& row : rows) {
    SCOPED_TRACE(row.what);
    in_own_kernel([&row] {
      Bench bench;
      ASSERT_TRUE(bench.ask(page_va));
      EXPECT_EQ(bench.client.invalidations, 0U);
      row.end(bench);
      EXPECT_EQ(bench.client.invalidations, 1U);
      EXPECT_LE(bench.client.first, page_va);
      EXPECT_GE(bench.client.last, page_va + 0xfff);
    });
  }
}

TEST_F(DmiTest, WhatChangesNothingEndsNothing) {
  const EndRow rows[] = {
      {"CR0 as it was",
       [](Bench& b) { b.world.write(spec::reg::CR0, spec::CR0::SMMUEN::mask | spec::CR0::CMDQEN::mask); }},
      {"GBPA without Update", [](Bench& b) { b.world.write(spec::reg::GBPA, 1U << 20); }},
      {"CMD_SYNC alone", [](Bench& b) { b.command(make_sync()); }},
      {"an access",
       [](Bench& b) {
         Access access(false, page_va, 8);
         b.client.out->b_transport(access.payload, access.delay);
       }},
  };
  for (const EndRow& row : rows) {
    SCOPED_TRACE(row.what);
    in_own_kernel([&row] {
      Bench bench;
      ASSERT_TRUE(bench.ask(page_va));
      row.end(bench);
      EXPECT_EQ(bench.client.invalidations, 0U);
    });
  }
}

TEST_F(DmiTest, EndsBeforeTheFollowingCmdSyncCompletes) {
  Bench bench;
  ASSERT_TRUE(bench.ask(page_va));
  std::uint64_t consumed_at_the_call = ~std::uint64_t{0};
  bench.client.on_invalidation = [&] {
    consumed_at_the_call = bench.world.smmu.smmu().read_register(spec::reg::CMDQ_CONS, 4);
  };
  bench.put(make_tlbi_nsnh_all());
  bench.command(make_sync());
  EXPECT_LE(consumed_at_the_call, 1U) << "CMD_SYNC, the second command, was consumed already";
  EXPECT_EQ(bench.world.read(spec::reg::CMDQ_CONS), 2U);
}

TEST_F(DmiTest, NobodyIsToldWhereNothingWasGranted) {
  Bench bench;
  bench.command(make_tlbi_nsnh_all());
  EXPECT_FALSE(bench.ask(unmapped_va));
  bench.command(make_tlbi_nsnh_all());
  EXPECT_EQ(bench.client.invalidations, 0U);
}

TEST_F(DmiTest, EachGrantIsEndedOnce) {
  Bench bench;
  ASSERT_TRUE(bench.ask(page_va));
  bench.command(make_tlbi_nsnh_all());
  bench.command(make_tlbi_nsnh_all());
  EXPECT_EQ(bench.client.invalidations, 1U);
}

TEST_F(DmiTest, NextGrantFollowsTheNewMapping) {
  Bench bench;
  ASSERT_TRUE(bench.ask(page_va));
  bench.table->unmap(page_va, 4096);
  bench.table->map(page_va, Pa(page_pa + 0x3000), 4096, {});
  bench.command(make_tlbi_nsnh_all());
  const auto dmi = bench.ask(page_va);
  ASSERT_TRUE(dmi);
  EXPECT_EQ(dmi->get_dmi_ptr(), &bench.memory.at(page_pa + 0x3000));
}

TEST_F(DmiTest, HintIsMemorysWhereAGrantIsPossible) {
  Bench bench;
  EXPECT_TRUE(bench.hint(page_va));
  EXPECT_FALSE(bench.hint(page_va, other_stream));
  EXPECT_FALSE(bench.hint(unmapped_va));
  bench.memory.direct_access = tlm::tlm_dmi::DMI_ACCESS_NONE;
  EXPECT_FALSE(bench.hint(page_va));
}

}  // namespace
}  // namespace smmusim::systemc
