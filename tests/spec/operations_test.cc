// SPDX-License-Identifier: MIT
// Cache maintenance, destructive reads, directed prefetch, exclusives, barriers: what goes on, what each needs, how its
// faults are recorded (IHI 0070 sections 3.22, 5.2 DRE and DCP, 16.7.2, 16.7.3, 16.7.6).
#include <gtest/gtest.h>

#include "tests/support/smmu_bench.h"

namespace smmusim {
namespace {

namespace ste = raw::ste;
namespace cd = raw::cd;
using enum Operation;
constexpr std::uint64_t target = SmmuBench::target, va = 0x1000;

// Permissions of the page for unprivileged accesses.
constexpr std::uint64_t rw = raw::af | raw::ng | raw::ap_unprivileged;
constexpr std::uint64_t ro = rw | raw::ap_read_only;
constexpr std::uint64_t execute_only = raw::af | raw::ng;
constexpr std::uint64_t nothing = execute_only | raw::uxn;
constexpr std::uint64_t rw_never_executed = rw | raw::uxn;

SmmuConfig v30() {
  SmmuConfig config = bench_config();
  config.features.version_minor = 0;
  config.features.ril = false;
  return config;
}

Transaction of(Operation operation, AccessType access = AccessType::read) {
  Transaction t = SmmuBench::transaction(1, va, access);
  t.operation = operation;
  return t;
}

/// Stream 1 with one page of these permissions.
struct Machine : SmmuBench {
  /// flags 0: nothing is mapped.
  explicit Machine(std::uint64_t flags, bool dre = true, bool dcp = true, const SmmuConfig& config = bench_config())
      : SmmuBench(config, config.timed ? 1000 : 0) {
    context = stage1_stream(1);
    put_ste(1, stage1_ste(cd_address(1)).with({{ste::DRE, dre}, {ste::DCP, dcp}}));
    map(ttb0(context), va, flags == 0 ? 0 : raw::page(target, flags));
  }
  raw::Cd context;
};

/// What the client sees and what goes on.
enum class Seen { on, done, refused };
Seen seen(const Response& response) {
  if (response.outcome == Outcome::proceed) return Seen::on;
  return response.outcome == Outcome::raz_wi ? Seen::done : Seen::refused;
}

struct Row {
  const char* what;
  Operation in;
  bool dre, dcp;
  std::uint64_t flags;
  Seen result;
  Operation out;  // if it goes on
};

void check(std::initializer_list<Row> rows) {
  for (const bool timed : {false, true}) {
    for (const Row& row : rows) {
      SCOPED_TRACE(testing::Message() << row.what << (timed ? ", timed" : ", untimed"));
      Machine machine(row.flags, row.dre, row.dcp, timed ? timed_bench_config() : bench_config());
      for (unsigned turn = 0; turn != 2; ++turn) {  // by a walk, then by the micro TLB
        const Response response = machine.go(of(row.in));
        EXPECT_EQ(seen(response), row.result);
        if (row.result == Seen::on) {
          EXPECT_EQ(response.operation, row.out);
          EXPECT_EQ(response.address, Pa(target));
        }
        EXPECT_EQ(machine.take_events().size(), row.result == Seen::refused ? 1u : 0u);
      }
    }
  }
}

TEST(SpecOperations, DestructiveReads) {
  RecordProperty("rule", "SM-AT-006 SM-AT-007");
  check({{"RCI passes whatever DRE", read_clean_invalidate, false, false, rw, Seen::on, read_clean_invalidate},
         {"RCI of a read-only page", read_clean_invalidate, true, false, ro, Seen::on, read_clean_invalidate},
         {"RCI without permission", read_clean_invalidate, true, true, nothing, Seen::refused, plain},
         {"DR with DRE", destructive_read, true, false, rw, Seen::on, destructive_read},
         {"DR without DRE", destructive_read, false, true, rw, Seen::on, plain},
         {"DR of a read-only page", destructive_read, true, true, ro, Seen::on, plain},
         {"DR without permission", destructive_read, true, true, nothing, Seen::refused, plain}});
}

TEST(SpecOperations, DirectedPrefetch) {
  RecordProperty("rule", "SM-AT-006 SM-AT-007");
  check({{"W-DCP with DCP", write_prefetch, false, true, rw, Seen::on, write_prefetch},
         {"W-DCP without DCP", write_prefetch, true, false, rw, Seen::on, plain},
         {"W-DCP to a read-only page", write_prefetch, true, true, ro, Seen::refused, plain},
         {"NW-DCP with DCP", prefetch, false, true, rw, Seen::on, prefetch},
         {"NW-DCP without DCP", prefetch, true, false, rw, Seen::done, no_op},
         {"NW-DCP of a read-only page", prefetch, false, true, ro, Seen::on, prefetch},
         {"NW-DCP of a page that may be executed", prefetch, false, true, execute_only, Seen::on, prefetch},
         {"NW-DCP without permission", prefetch, false, true, nothing, Seen::done, no_op},
         {"NW-DCP of what is not mapped", prefetch, false, true, 0, Seen::done, no_op}});
}

TEST(SpecOperations, CacheMaintenance) {
  RecordProperty("rule", "SM-EXT-006");
  for (const Operation operation : {clean, clean_to_persistence, clean_invalidate}) {
    check({{"read and write", operation, false, false, rw, Seen::on, operation},
           {"read only", operation, true, true, ro, Seen::on, operation},
           {"no permission to read", operation, true, true, execute_only, Seen::refused, plain}});
  }
}

TEST(SpecOperations, Invalidate) {
  RecordProperty("rule", "SM-EXT-005 SM-EXT-006 SM-AT-011");
  check({{"with DRE", invalidate, true, false, rw, Seen::on, invalidate},
         {"without DRE", invalidate, false, true, rw, Seen::on, clean_invalidate},
         {"without permission to write", invalidate, true, true, ro, Seen::on, clean_invalidate},
         {"without permission to read", invalidate, true, true, nothing, Seen::refused, plain}});
}

TEST(SpecOperations, DestructiveHints) {
  RecordProperty("rule", "SM-EXT-005 SM-EXT-008");
  check({{"with DRE", destructive_hint, true, false, rw, Seen::on, destructive_hint},
         {"without DRE", destructive_hint, false, true, rw, Seen::done, no_op},
         {"without permission to write", destructive_hint, true, true, ro, Seen::done, no_op},
         {"without permission to read", destructive_hint, true, true, nothing, Seen::done, no_op},
         {"of what is not mapped", destructive_hint, true, true, 0, Seen::done, no_op}});
}

TEST(SpecOperations, HintsAreNeverAborted) {
  RecordProperty("rule", "SM-EXT-008 SM-AT-007");
  for (const Operation hint : {destructive_hint, prefetch}) {
    SmmuBench bench;
    EXPECT_EQ(seen(bench.go(of(hint))), Seen::done) << "STE.V is 0";
    bench.put_ste(1, raw::Ste{}.with({{ste::V, 1}}));
    bench.invalidate_all();
    EXPECT_EQ(seen(bench.go(of(hint))), Seen::done) << "Config=000";
    bench.enable(0);
    bench.w32(off::GBPA, 0x8010'0000);
    EXPECT_EQ(seen(bench.go(of(hint))), Seen::done) << "GBPA.ABORT";
    EXPECT_TRUE(bench.take_events().empty());
  }
}

struct FaultRow {
  Operation operation;
  AccessType presented;
  bool read;
};

TEST(SpecOperations, FaultsAreThoseOfReadsOrWrites) {
  RecordProperty("rule", "SM-AT-008 SM-EXT-007");
  const FaultRow rows[] = {{read_clean_invalidate, AccessType::read, true},
                           {destructive_read, AccessType::read, true},
                           {write_prefetch, AccessType::write, false},
                           {clean, AccessType::write, true},
                           {clean_to_persistence, AccessType::read, true},
                           {clean_invalidate, AccessType::read, true},
                           {invalidate, AccessType::write, true}};
  for (const bool timed : {false, true}) {
    for (const FaultRow& row : rows) {
      Machine machine(0, true, true, timed ? timed_bench_config() : bench_config());
      Transaction t = of(row.operation, row.presented);
      t.instruction = true;
      machine.go(t);
      EXPECT_EQ(machine.take_event(), raw::Record{}.with({{raw::ev::Type, raw::ev::F_TRANSLATION},
                                                          {raw::ev::StreamID, 1},
                                                          {raw::ev::RnW, row.read},
                                                          {raw::ev::InD, row.read},
                                                          {raw::ev::CLASS, 2},
                                                          {raw::ev::InputAddr, va}}))
          << static_cast<unsigned>(row.operation);
    }
  }
}

constexpr Operation passing[] = {read_clean_invalidate, destructive_read, write_prefetch, prefetch,        clean,
                                 clean_to_persistence,  clean_invalidate, invalidate,     destructive_hint};

TEST(SpecOperations, BypassChangesNothing) {
  RecordProperty("rule", "SM-AT-005 SM-EXT-004 SM-EXT-005");
  SmmuConfig config = bench_config();
  config.features.ssidsize = 4;
  for (const Operation operation : passing) {
    SmmuBench bench(config);
    bench.stage1_stream(1);
    bench.put_ste(1, SmmuBench::stage1_ste(SmmuBench::cd_address(1)).with({{ste::S1CDMax, 4}, {ste::S1DSS, 1}}));
    EXPECT_EQ(bench.go(of(operation)).operation, operation) << "S1DSS";
    bench.put_ste(1, raw::Ste{}.with({{ste::V, 1}, {ste::Config, 4}, {ste::SHCFG, 1}}));
    bench.invalidate_all();
    EXPECT_EQ(bench.go(of(operation)).operation, operation) << "Config=100";
    bench.enable(0);
    const Response response = bench.go(of(operation));
    EXPECT_EQ(response.outcome, Outcome::proceed);
    EXPECT_EQ(response.operation, operation) << "SMMUEN=0";
  }
}

TEST(SpecOperations, Version30ConvertsThem) {
  RecordProperty("rule", "SM-AT-005 SM-EXT-004");
  const struct {
    Operation in;
    Seen result;
  } rows[] = {{read_clean_invalidate, Seen::on}, {destructive_read, Seen::on},
              {write_prefetch, Seen::on},        {prefetch, Seen::done},
              {destructive_hint, Seen::done},    {clean, Seen::refused},
              {invalidate, Seen::refused},       {clean_invalidate, Seen::refused}};
  for (const auto& row : rows) {
    SmmuBench bench(v30(), 0, false);
    const Response response = bench.go(of(row.in));
    EXPECT_EQ(seen(response), row.result) << static_cast<unsigned>(row.in);
    if (row.result == Seen::on) {
      EXPECT_EQ(response.operation, plain);
    }
  }
}

TEST(SpecOperations, WhatIsNoAccessIsTerminatedSilently) {
  RecordProperty("rule", "SM-EXT-003 SM-EXT-004");
  for (const bool timed : {false, true}) {
    for (const Operation operation : {dvm, barrier, maintenance_not_by_address, no_op, static_cast<Operation>(200)}) {
      Machine machine(rw, true, true, timed ? timed_bench_config() : bench_config());
      EXPECT_EQ(machine.go(of(operation)).outcome, Outcome::abort);
      machine.put_ste(1, raw::Ste{});
      machine.invalidate_all();
      EXPECT_EQ(machine.go(of(operation)).outcome, Outcome::abort);
      EXPECT_TRUE(machine.take_events().empty());
      machine.enable(0);
      EXPECT_EQ(machine.go(of(operation)).outcome, Outcome::abort) << "SMMUEN=0";
    }
  }
}

TEST(SpecOperations, MaintenanceHasNoMemoryType) {
  RecordProperty("rule", "SM-ATR-025");
  SmmuBench bench(bench_config(), 0, false);
  for (const std::uint8_t shareability : {std::uint8_t{0}, std::uint8_t{2}, std::uint8_t{3}}) {
    Transaction t = of(clean);
    t.attributes = {0x00, shareability};  // Device, which would make it Outer Shareable
    EXPECT_EQ(bench.go(t).attributes.shareability, shareability);
    t.operation = read_clean_invalidate;
    EXPECT_EQ(bench.go(t).attributes.shareability, 2);
  }
}

struct ExclusiveRow {
  const char* what;
  std::uint64_t mair, sh;
  Operation out;
};

TEST(SpecOperations, SharedExclusivesBecomePlain) {
  RecordProperty("rule", "SM-EXT-010");
  const ExclusiveRow rows[] = {{"WB ISH", 0xff, 3, plain},
                               {"WB OSH", 0xff, 2, plain},
                               {"WB NSH", 0xff, 0, exclusive},
                               {"Device", 0x04, 0, exclusive},
                               {"Non-cacheable", 0x44, 3, exclusive}};
  for (const ExclusiveRow& row : rows) {
    SCOPED_TRACE(row.what);
    for (const AccessType access : {AccessType::read, AccessType::write}) {
      Machine machine(rw | row.sh << 8);
      machine.put_cd(1, machine.context.with({{cd::MAIR0, row.mair}}));
      const Response response = machine.go(of(exclusive, access));
      EXPECT_EQ(response.outcome, Outcome::proceed);
      EXPECT_EQ(response.operation, row.out);
    }
  }
}

TEST(SpecOperations, ExclusivesFaultAsOthers) {
  RecordProperty("rule", "SM-EXT-010");
  Machine machine(ro);
  EXPECT_EQ(machine.go(of(exclusive, AccessType::write)).outcome, Outcome::abort);
  EXPECT_EQ(machine.take_event().get(raw::ev::RnW), 0u);
  machine.put_cd(1, machine.context.with({{cd::A, 0}}));
  machine.invalidate_all();
  EXPECT_EQ(machine.go(of(exclusive, AccessType::write)).outcome, Outcome::raz_wi);
}

TEST(SpecOperations, AtomicsAreData) {
  RecordProperty("rule", "SM-EXT-012");
  Machine machine(rw_never_executed);
  Transaction t = of(plain, AccessType::atomic);
  t.instruction = true;
  EXPECT_EQ(machine.go(t).outcome, Outcome::proceed);
  Machine read_only(ro);
  EXPECT_EQ(read_only.go(t).outcome, Outcome::abort);
  const raw::Record record = read_only.take_event();
  EXPECT_EQ(record.get(raw::ev::Type), raw::ev::F_PERMISSION);
  EXPECT_EQ(record.get(raw::ev::RnW), 0u);
  EXPECT_EQ(record.get(raw::ev::InD), 0u);
}

struct OutputRow {
  const char* what;
  AccessType access;
  bool instruction, privileged;
  std::uint64_t instcfg, privcfg;
  bool out_instruction, out_privileged;  // up to v3.3
};

TEST(SpecOperations, OutputOfInstAndPriv) {
  RecordProperty("rule", "SM-ATR-006");
  constexpr AccessType read = AccessType::read, write = AccessType::write;
  const OutputRow rows[] = {{"as it comes", read, true, false, 0, 0, true, false},
                            {"as it comes, privileged", read, false, true, 0, 0, false, true},
                            {"a write is data", write, true, false, 0, 0, false, false},
                            {"overridden to data", read, true, true, 2, 2, false, false},
                            {"overridden to instruction", read, false, false, 3, 3, true, true},
                            {"a write stays data", write, false, false, 3, 3, false, true}};
  for (const unsigned minor : {3u, 4u}) {
    for (const OutputRow& row : rows) {
      SCOPED_TRACE(testing::Message() << row.what << ", v3." << minor);
      SmmuConfig config = bench_config();
      spec::Features& f = config.features;
      f.version_minor = minor;
      f.fwb = f.e0pd = f.attr_perms_ovr = true;
      f.epan = minor == 4;
      f.bbml = 1;
      SmmuBench bench(config);
      const raw::Cd context = bench.stage1_stream(1);
      bench.map(SmmuBench::ttb0(context), va, raw::page(target, raw::af | raw::ng | raw::ap_unprivileged));
      bench.map(SmmuBench::ttb0(context), va + 0x1000, raw::page(target, raw::af | raw::ng));
      const std::initializer_list<raw::Edit> overrides = {{ste::INSTCFG, row.instcfg}, {ste::PRIVCFG, row.privcfg}};
      bench.put_ste(1, SmmuBench::stage1_ste(SmmuBench::cd_address(1)).with(overrides));
      bench.put_ste(2, raw::Ste{}.with({{ste::V, 1}, {ste::Config, 4}, {ste::SHCFG, 1}}).with(overrides));
      Transaction t = of(plain, row.access);
      t.instruction = row.instruction;
      t.privileged = row.privileged;
      // A page that unprivileged accesses may write is not executable by privileged ones.
      if (row.out_instruction && row.out_privileged) t.address = Va(va + 0x1000);
      const auto expect = [&](const Response& response) {
        EXPECT_EQ(response.outcome, Outcome::proceed);
        EXPECT_EQ(response.instruction, minor == 3 && row.out_instruction);
        EXPECT_EQ(response.privileged, minor == 4 || row.out_privileged);
      };
      expect(bench.go(t));
      t.stream_id = StreamId(2);
      expect(bench.go(t));
      bench.enable(0);
      bench.w32(off::GBPA, 0x8000'1000 | static_cast<std::uint32_t>(row.instcfg << 18 | row.privcfg << 16));
      expect(bench.go(t));
    }
  }
}

}  // namespace
}  // namespace smmusim
