// SPDX-License-Identifier: MIT
// Hardware update of the access flag and the dirty state of stage 1 (IHI 0070 section 3.13): what a descriptor in
// memory is after an access, and what the access gets.
#include <gtest/gtest.h>

#include "model/smmu/grants.h"
#include "tests/support/smmu_bench.h"

namespace smmusim {
namespace {

namespace cd = raw::cd;
using namespace raw::ev;

constexpr std::uint64_t va = 0x1234'5000, target = SmmuBench::target;
constexpr std::uint64_t dbm = std::uint64_t{1} << 51;
constexpr raw::Bits HAFT{67, 67};

SmmuConfig httu_config(spec::Httu level, bool timed = false) {
  SmmuConfig config = timed ? timed_bench_config() : bench_config();
  config.features.httu = level;
  if (level == spec::Httu::access_dirty_table) {  // a feature of v3.4, and so possible from v3.3 on
    config.features.version_minor = 3;
    config.features.fwb = config.features.e0pd = true;
    config.features.bbml = 1;
  }
  return config;
}

/// Stream 1 with these bits in its CD, and a page.
struct HttuBench {
  HttuBench(std::initializer_list<raw::Edit> edits, std::uint64_t flags,
            const SmmuConfig& config = httu_config(spec::Httu::access_dirty), Time latency_ps = 0)
      : bench(config, latency_ps), context(bench.stage1_stream(1).with(edits)) {
    bench.put_cd(1, context);
    bench.map(SmmuBench::ttb0(context), va, raw::page(target, flags));
    at = bench.descriptor_at(SmmuBench::ttb0(context), va, 3);
  }
  /// What the access changed in the descriptor.
  std::uint64_t changed(std::uint64_t flags) const { return bench.memory.read64(at) ^ raw::page(target, flags); }

  SmmuBench bench;
  raw::Cd context;
  std::uint64_t at = 0;
};

constexpr std::uint64_t user = raw::ap_unprivileged | raw::ng;
constexpr std::uint64_t clean = user | dbm | raw::ap_read_only;

/// The six cases of 3.13.2 and 3.13.3.1 and around them.
struct Row {
  const char* what;
  unsigned ha, hd;
  std::uint64_t flags;
  AccessType access;
  std::uint64_t event;    ///< 0: proceeds
  std::uint64_t changed;  ///< bits of the descriptor
};
const Row rows[] = {
    {"AF by a read", 1, 0, user, AccessType::read, 0, raw::af},
    {"AF by a write", 1, 0, user, AccessType::write, 0, raw::af},
    {"AF without HA", 0, 0, user, AccessType::read, F_ACCESS, 0},
    {"HD alone is off", 0, 1, user, AccessType::read, F_ACCESS, 0},
    {"HD alone does not mark dirty", 0, 1, clean | raw::af, AccessType::write, F_PERMISSION, 0},
    {"AF is set already", 1, 1, user | raw::af, AccessType::write, 0, 0},
    {"dirty by a write", 1, 1, clean | raw::af, AccessType::write, 0, raw::ap_read_only},
    {"dirty and AF at once", 1, 1, clean, AccessType::write, 0, raw::ap_read_only | raw::af},
    {"dirty by an atomic", 1, 1, clean | raw::af, AccessType::atomic, 0, raw::ap_read_only},
    {"not dirty by a read", 1, 1, clean | raw::af, AccessType::read, 0, 0},
    {"AF by a read of a clean page", 1, 1, clean, AccessType::read, 0, raw::af},
    {"not without DBM", 1, 1, user | raw::af | raw::ap_read_only, AccessType::write, F_PERMISSION, 0},
    {"not without HD", 1, 0, clean | raw::af, AccessType::write, F_PERMISSION, 0},
    {"writable-dirty stays", 1, 1, user | dbm | raw::af, AccessType::write, 0, 0},
};

TEST(SpecHttu, FlagsOfALeaf) {
  RecordProperty("rule", "SM-HT-002 SM-HT-004 SM-EVR-016");
  for (const Row& row : rows) {
    for (const bool timed : {false, true}) {
      SCOPED_TRACE(testing::Message() << row.what << (timed ? ", timed" : ""));
      HttuBench h({{cd::HA, row.ha}, {cd::HD, row.hd}}, row.flags, httu_config(spec::Httu::access_dirty, timed),
                  timed ? 30'000 : 0);
      const Response response = h.bench.go(SmmuBench::transaction(1, va, row.access));
      EXPECT_EQ(response.outcome, row.event == 0 ? Outcome::proceed : Outcome::abort);
      EXPECT_EQ(event_number(response), row.event);
      EXPECT_EQ(h.changed(row.flags), row.changed);
      EXPECT_EQ(h.bench.memory.log.back().op == MemoryOp::compare_and_swap, row.changed != 0);
      EXPECT_EQ(h.bench.take_events().size(), row.event == 0 ? 0u : 1u);
    }
  }
}

TEST(SpecHttu, PermissionFaultLeavesTheDescriptorAlone) {
  RecordProperty("rule", "SM-HT-003 SM-HT-004");
  // Privileged only (AP[1]=0), clean: an unprivileged write has more against it than AP[2].
  const std::uint64_t flags = raw::ng | dbm | raw::ap_read_only;
  HttuBench h({{cd::HA, 1}, {cd::HD, 1}}, flags);
  EXPECT_EQ(event_number(h.bench.write(1, va)), F_PERMISSION);
  EXPECT_EQ(h.changed(flags), 0u);
}

TEST(SpecHttu, HierarchicalWriteProtectionIsNoCleanPage) {
  RecordProperty("rule", "SM-HT-004 SM-HT-005");
  HttuBench h({{cd::HA, 1}, {cd::HD, 1}}, clean | raw::af);
  const std::uint64_t above = h.bench.descriptor_at(SmmuBench::ttb0(h.context), va, 2);
  h.bench.memory.write64(above, h.bench.memory.read64(above) | raw::ap_table_no_write);
  EXPECT_EQ(event_number(h.bench.write(1, va)), F_PERMISSION);
  EXPECT_EQ(h.changed(clean | raw::af), 0u);
}

TEST(SpecHttu, CachedCleanPageIsMarkedByTheFirstWrite) {
  RecordProperty("rule", "SM-HT-004 SM-HT-005");
  HttuBench h({{cd::HA, 1}, {cd::HD, 1}}, clean);
  const Response read = h.bench.read(1, va);
  EXPECT_TRUE(read.read_allowed);
  EXPECT_FALSE(read.write_allowed);
  EXPECT_EQ(h.bench.read(1, va).outcome, Outcome::proceed);  // cached
  EXPECT_EQ(h.changed(clean), raw::af);
  EXPECT_EQ(h.bench.write(1, va).outcome, Outcome::proceed);
  EXPECT_EQ(h.changed(clean), raw::af | raw::ap_read_only);  // DBM as it was
  h.bench.memory.log.clear();
  EXPECT_EQ(h.bench.write(1, va).outcome, Outcome::proceed);
  EXPECT_EQ(h.bench.memory.count(Purpose::TTD), 0u);  // the dirty page is cached
}

TEST(SpecHttu, UpdatesAreSwaps) {
  RecordProperty("rule", "SM-HT-024");
  struct Change {
    const char* what;
    std::uint64_t descriptor;
    std::uint64_t event;
    std::uint64_t after;
  };
  const std::uint64_t elsewhere = target + 0x7000;
  const Change changes[] = {
      {"another page", raw::page(elsewhere, user | raw::af), 0, raw::page(elsewhere, user | raw::af)},
      {"another page without AF", raw::page(elsewhere, user), 0, raw::page(elsewhere, user | raw::af)},
      {"unmapped", 0, F_TRANSLATION, 0},
      {"read-only", raw::page(target, user | raw::ap_read_only), F_PERMISSION,
       raw::page(target, user | raw::ap_read_only)},
  };
  for (const Change& change : changes) {
    for (const bool timed : {false, true}) {
      SCOPED_TRACE(testing::Message() << change.what << timed);
      HttuBench h({{cd::HA, 1}, {cd::HD, 1}}, clean, httu_config(spec::Httu::access_dirty, timed), timed ? 30'000 : 0);
      bool first = true;
      h.bench.memory.before = [&](const MemoryRequest& request) {
        if (request.op != MemoryOp::compare_and_swap || !first) return;
        first = false;
        h.bench.memory.write64(h.at, change.descriptor);
      };
      const Response response = h.bench.write(1, va);
      EXPECT_FALSE(first);
      EXPECT_EQ(event_number(response), change.event);
      if (change.event == 0) {
        EXPECT_EQ(response.address.value, elsewhere);
      }
      EXPECT_EQ(h.bench.memory.read64(h.at), change.after);
      h.bench.memory.before = {};
    }
  }
}

TEST(SpecHttu, BigEndianTables) {
  RecordProperty("rule", "SM-HT-002 SM-HT-004");
  SmmuConfig config = httu_config(spec::Httu::access_dirty);
  config.features.ttendian = spec::Ttendian::mixed;
  HttuBench h({{cd::HA, 1}, {cd::HD, 1}, {cd::ENDI, 1}}, clean, config);
  for (int level = 0; level <= 3; ++level) {  // turn the tables over
    const std::uint64_t at = h.bench.descriptor_at(SmmuBench::ttb0(h.context), va, level);
    h.bench.memory.write64(at, h.bench.memory.read64(at));
  }
  std::uint64_t at[4];
  for (int level = 0; level <= 3; ++level) at[level] = h.bench.descriptor_at(SmmuBench::ttb0(h.context), va, level);
  for (const std::uint64_t each : at) h.bench.memory.write64(each, __builtin_bswap64(h.bench.memory.read64(each)));
  EXPECT_EQ(h.bench.write(1, va).outcome, Outcome::proceed);
  EXPECT_EQ(__builtin_bswap64(h.bench.memory.read64(h.at)),
            (raw::page(target, clean) | raw::af) & ~std::uint64_t{raw::ap_read_only});
}

TEST(SpecHttu, AbortedUpdate) {
  RecordProperty("rule", "SM-EVR-013");
  HttuBench h({{cd::HA, 1}}, user);
  h.bench.memory.abort_at(h.at, 8, false, true);
  EXPECT_EQ(h.bench.read(1, va).outcome, Outcome::abort);
  const raw::Record record = h.bench.take_event();
  EXPECT_EQ(record.get(Type), F_WALK_EABT);
  EXPECT_EQ(record.get(FetchAddr) << 3, h.at);
  EXPECT_EQ(record.get(RnW), 1u);  // the client's access
}

TEST(SpecHttu, ContiguousPagesHaveTheirOwnFlags) {
  RecordProperty("rule", "SM-HT-001 SM-HT-002");
  constexpr std::uint64_t run = 0x1235'0000;  // aligned as its output is, so that the bit promises something
  for (const bool dirty : {false, true}) {
    const std::uint64_t flags = (dirty ? clean : user) | raw::contiguous;
    HttuBench h({{cd::HA, 1}, {cd::HD, 1}}, 0);
    for (std::uint64_t page = 0; page < 16; ++page) {
      h.bench.map(SmmuBench::ttb0(h.context), run + (page << 12), raw::page(target + (page << 12), flags));
    }
    const std::uint64_t first = h.bench.descriptor_at(SmmuBench::ttb0(h.context), run, 3);
    const std::uint64_t marked = dirty ? flags & ~std::uint64_t{raw::ap_read_only} : flags;
    for (std::uint64_t page = 0; page < 16; ++page) {
      EXPECT_EQ(h.bench.memory.read64(first + 8 * page), raw::page(target + (page << 12), flags)) << page;
      const Response response = dirty ? h.bench.write(1, run + (page << 12)) : h.bench.read(1, run + (page << 12));
      EXPECT_EQ(response.outcome, Outcome::proceed);
      EXPECT_EQ(h.bench.memory.read64(first + 8 * page), raw::page(target + (page << 12), marked | raw::af)) << page;
    }
  }
}

TEST(SpecHttu, ExecutionCountsACleanPageAsWritable) {
  RecordProperty("rule", "SM-HT-015 SM-AT-017");
  for (const bool hd : {false, true}) {
    HttuBench h({{cd::HA, 1}, {cd::HD, hd}, {cd::WXN, 1}}, clean | raw::af | raw::pxn);
    Transaction t = SmmuBench::transaction(1, va);
    t.instruction = true;
    EXPECT_EQ(event_number(h.bench.go(t)), hd ? F_PERMISSION : 0u);
    EXPECT_EQ(h.changed(clean | raw::af | raw::pxn), 0u);
  }
}

TEST(SpecHttu, AccessFlagBeforePermission) {
  RecordProperty("rule", "SM-HT-001 SM-EVP-002");
  HttuBench h({}, clean);
  EXPECT_EQ(event_number(h.bench.write(1, va)), F_ACCESS);
  h.bench.memory.write64(h.at, raw::page(target, clean | raw::af));
  EXPECT_EQ(event_number(h.bench.write(1, va)), F_PERMISSION);  // AF=0 was not cached
}

TEST(SpecHttu, AffdIsIgnoredWithHa) {
  RecordProperty("rule", "SM-HT-021");
  for (const bool ha : {false, true}) {
    HttuBench h({{cd::HA, ha}, {cd::AFFD, 1}}, user);
    EXPECT_EQ(h.bench.read(1, va).outcome, Outcome::proceed);
    EXPECT_EQ(h.changed(user), ha ? raw::af : 0u);
  }
}

TEST(SpecHttu, PrefetchSetsAfAndNeverDirty) {
  RecordProperty("rule", "SM-CM-016");
  HttuBench h({{cd::HA, 1}, {cd::HD, 1}}, clean);
  h.bench.push(raw::command(raw::cmd::PREFETCH_ADDR, {{raw::cmd::StreamID, 1}, {raw::cmd::Address, va >> 12}}));
  h.bench.kick();
  EXPECT_EQ(h.changed(clean), raw::af);
}

TEST(SpecHttu, NothingIsUpdatedWithSmmuenOff) {
  RecordProperty("rule", "SM-RU-010");
  HttuBench h({{cd::HA, 1}}, user);
  h.bench.enable(cr0::CMDQEN | cr0::EVENTQEN);
  h.bench.read(1, va);
  EXPECT_EQ(h.changed(user), 0u);
}

TEST(SpecHttu, VisibleAfterSync) {
  RecordProperty("rule", "SM-HT-007 SM-TL-019");
  HttuBench h({{cd::HA, 1}}, user, httu_config(spec::Httu::access, true), 60'000);
  TranslationRequest request;
  request.transaction = SmmuBench::transaction(1, va);
  request.fire = [](EventNode&) {};
  h.bench.smmu.submit(0, request);
  h.bench.push(raw::command(raw::cmd::TLBI_NSNH_ALL));
  h.bench.push(raw::command(raw::cmd::SYNC));
  h.bench.smmu.write_register(off::CMDQ_PROD, h.bench.prod, 4);
  while (!h.bench.all_consumed() && h.bench.engine.next_event() != time_never) {
    h.bench.engine.run_until(h.bench.engine.next_event());
    if (request.response.outcome == Outcome::proceed) h.bench.smmu.retire(request);
  }
  EXPECT_TRUE(h.bench.all_consumed());
  EXPECT_EQ(h.changed(user), raw::af);
}

TEST(SpecHttu, DebugAccessChangesNothing) {
  HttuBench h({{cd::HA, 1}, {cd::HD, 1}}, clean);
  const Response response = h.bench.smmu.translate(0, SmmuBench::transaction(1, va, AccessType::write), debug_effects);
  EXPECT_EQ(response.outcome, Outcome::proceed);  // what would happen
  EXPECT_EQ(h.changed(clean), 0u);
}

TEST(SpecHttu, NoGrantBeforeTheFlagsAreSet) {
  HttuBench h({{cd::HA, 1}, {cd::HD, 1}}, clean);
  const Transaction read = SmmuBench::transaction(1, va);
  EXPECT_FALSE(h.bench.smmu.grant(0, read));
  h.bench.read(1, va);
  auto grant = h.bench.smmu.grant(0, read);
  ASSERT_TRUE(grant);
  EXPECT_TRUE(grant->read);
  EXPECT_FALSE(grant->write);
  h.bench.write(1, va);
  grant = h.bench.smmu.grant(0, read);
  ASSERT_TRUE(grant);
  EXPECT_TRUE(grant->write);
}

TEST(SpecHttu, TableDescriptors) {
  RecordProperty("rule", "SM-HT-010");
  struct TableRow {
    unsigned ha, haft;
    bool marked;
  };
  for (const TableRow& row : {TableRow{0, 0, false}, TableRow{1, 0, false}, TableRow{1, 1, true}}) {
    for (const bool timed : {false, true}) {
      SCOPED_TRACE(testing::Message() << row.ha << row.haft << timed);
      HttuBench h({{cd::HA, row.ha}, {HAFT, row.haft}}, user | raw::af,
                  httu_config(spec::Httu::access_dirty_table, timed), timed ? 30'000 : 0);
      EXPECT_EQ(h.bench.read(1, va).outcome, Outcome::proceed);
      for (int level = 0; level < 3; ++level) {
        const std::uint64_t at = h.bench.descriptor_at(SmmuBench::ttb0(h.context), va, level);
        EXPECT_EQ((h.bench.memory.read64(at) & raw::af) != 0, row.marked) << level;
      }
      EXPECT_EQ(h.bench.smmu.counters().walk_fetches, 4u);
    }
  }
}

TEST(SpecHttu, TableDescriptorThatLeadsNowhereIsLeftAlone) {
  RecordProperty("rule", "SM-HT-010");
  HttuBench h({{cd::HA, 1}, {HAFT, 1}, {cd::IPS, 2}}, user | raw::af, httu_config(spec::Httu::access_dirty_table));
  const std::uint64_t at = h.bench.descriptor_at(SmmuBench::ttb0(h.context), va, 2);
  const std::uint64_t beyond = (std::uint64_t{1} << 40) | 3;
  h.bench.memory.write64(at, beyond);
  EXPECT_EQ(event_number(h.bench.read(1, va)), F_ADDR_SIZE);
  EXPECT_EQ(h.bench.memory.read64(at), beyond);
}

TEST(SpecHttu, WalkAttributesDoNotMatter) {
  RecordProperty("rule", "SM-HT-016");
  HttuBench h({{cd::HA, 1}, {cd::HD, 1}, {cd::IR0, 0}, {cd::OR0, 0}}, clean);  // Non-cacheable
  EXPECT_EQ(h.bench.write(1, va).outcome, Outcome::proceed);
  EXPECT_EQ(h.changed(clean), raw::af | raw::ap_read_only);
  EXPECT_EQ(h.bench.memory.log.back().op, MemoryOp::compare_and_swap);
  EXPECT_EQ(h.bench.memory.log.back().attributes.type, 0x44);
}

TEST(SpecHttu, RefusedPageWithoutAfIsNotCached) {
  RecordProperty("rule", "SM-HT-001 SM-HT-003");
  HttuBench h({{cd::HA, 1}}, raw::ng);  // privileged only
  Transaction t = SmmuBench::transaction(1, va);
  EXPECT_EQ(event_number(h.bench.go(t)), F_PERMISSION);
  EXPECT_EQ(h.changed(raw::ng), 0u);
  t.privileged = true;
  EXPECT_EQ(h.bench.go(t).outcome, Outcome::proceed);
  EXPECT_EQ(h.changed(raw::ng), raw::af);
}

TEST(SpecHttu, WriteToACachedCleanPageCountsAsAMiss) {
  HttuBench h({{cd::HA, 1}, {cd::HD, 1}}, clean);
  h.bench.read(1, va);
  h.bench.smmu.reset_counters();
  h.bench.write(1, va);
  for (const CacheId cache : {CacheId::micro_tlb, CacheId::tlb}) {
    EXPECT_EQ(h.bench.smmu.cache_counters(cache).hits, 0u);
    EXPECT_EQ(h.bench.smmu.cache_counters(cache).missed, 1u);
  }
}

TEST(SpecHttu, AbortedUpdateOfATableCountsOnce) {
  RecordProperty("rule", "SM-EVR-013");
  HttuBench h({{cd::HA, 1}, {HAFT, 1}}, user | raw::af, httu_config(spec::Httu::access_dirty_table));
  h.bench.memory.abort_at(h.bench.descriptor_at(SmmuBench::ttb0(h.context), va, 1), 8, false, true);
  EXPECT_EQ(event_number(h.bench.read(1, va)), F_WALK_EABT);
  EXPECT_EQ(h.bench.smmu.counters().external_aborts, 1u);
}

}  // namespace
}  // namespace smmusim
