// SPDX-License-Identifier: MIT
// Cache maintenance, destructive reads, directed prefetch, barriers: what goes on, what each needs, how its faults are
// recorded (IHI 0070 sections 3.22, 5.2 DRE and DCP, 16.7.2).
#include <gtest/gtest.h>

#include "tests/spec/operation_bench.h"
#include "tests/support/stage2_bench.h"

namespace smmusim::operations {
namespace {

using enum Operation;

SmmuConfig v30() {
  SmmuConfig config = bench_config();
  config.features.version_minor = 0;
  config.features.ril = false;
  return config;
}

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
      OperationBench machine(row.flags, row.dre, row.dcp, timed ? timed_bench_config() : bench_config());
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
      OperationBench machine(0, true, true, timed ? timed_bench_config() : bench_config());
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

TEST(SpecOperations, MaintenanceIsTranslatedAndTlbInvalidationGoesNowhere) {
  RecordProperty("rule", "SM-AT-004");
  constexpr std::uint64_t config_nested = 7, config_stage2 = 6, config_stage1 = 5, config_bypass = 4;
  constexpr std::uint64_t input = 0x12'3456'7040, page = input & ~std::uint64_t{0xfff}, ipa = 0x8'7654'3000;
  struct Config {
    std::uint64_t ste;
    std::uint64_t output;
  };
  for (const auto& [config, output] : {Config{config_nested, target + 0x40}, Config{config_stage2, target + 0x2040},
                                       Config{config_stage1, ipa + 0x40}, Config{config_bypass, input}}) {
    SCOPED_TRACE(config);
    Stage2Bench b;
    b.s1.map(page, ipa, rw);
    b.s2.map(ipa, target, s2_rw);
    b.s2.map(page, target + 0x2000, s2_rw);
    if (config == config_stage1) {  // with tables at physical addresses
      const raw::Cd plain = b.bench.stage1_cd(1);
      b.bench.put_cd(1, plain);
      b.bench.map(SmmuBench::ttb0(plain), page, raw::page(ipa, rw));
      b.edit_ste({{ste::S1ContextPtr, SmmuBench::cd_address(1) >> 6}});
    }
    b.edit_ste({{ste::Config, config}, {ste::DRE, 1}});
    for (const Operation operation : {clean, clean_to_persistence, clean_invalidate, invalidate, destructive_hint}) {
      Transaction t = of(operation);
      t.address = Va(input);
      const Response response = b.bench.go(t);
      EXPECT_EQ(seen(response), Seen::on) << static_cast<unsigned>(operation);
      EXPECT_EQ(response.operation, operation);
      EXPECT_EQ(response.address, Pa(output)) << static_cast<unsigned>(operation);
    }
    Transaction t = of(dvm);
    t.address = Va(input);
    EXPECT_EQ(seen(b.bench.go(t)), Seen::refused);
    EXPECT_TRUE(b.bench.take_events().empty());
    b.bench.enable(0);
    EXPECT_EQ(seen(b.bench.go(t)), Seen::refused) << "SMMUEN=0";
  }
}

TEST(SpecOperations, WhatIsNoAccessIsTerminatedSilently) {
  RecordProperty("rule", "SM-EXT-003 SM-EXT-004");
  for (const bool timed : {false, true}) {
    for (const Operation operation : {dvm, barrier, maintenance_not_by_address, no_op, static_cast<Operation>(200)}) {
      OperationBench machine(rw, true, true, timed ? timed_bench_config() : bench_config());
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

}  // namespace
}  // namespace smmusim::operations
