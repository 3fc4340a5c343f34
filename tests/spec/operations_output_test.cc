// SPDX-License-Identifier: MIT
// How maintenance, exclusives, atomics and plain accesses look when they leave the SMMU (IHI 0070 sections 13.1.2,
// 16.7.2.3, 16.7.3, 16.7.6).
#include <gtest/gtest.h>

#include "tests/spec/operation_bench.h"

namespace smmusim::operations {
namespace {

using enum Operation;

TEST(SpecOperationsOutput, MaintenanceHasNoMemoryType) {
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

TEST(SpecOperationsOutput, SharedExclusivesBecomePlain) {
  RecordProperty("rule", "SM-EXT-010");
  const ExclusiveRow rows[] = {{"WB ISH", 0xff, 3, plain},
                               {"WB OSH", 0xff, 2, plain},
                               {"WB NSH", 0xff, 0, exclusive},
                               {"Device", 0x04, 0, exclusive},
                               {"Non-cacheable", 0x44, 3, exclusive}};
  for (const ExclusiveRow& row : rows) {
    SCOPED_TRACE(row.what);
    for (const AccessType access : {AccessType::read, AccessType::write}) {
      OperationBench machine(rw | row.sh << 8);
      machine.put_cd(1, machine.context.with({{cd::MAIR0, row.mair}}));
      const Response response = machine.go(of(exclusive, access));
      EXPECT_EQ(response.outcome, Outcome::proceed);
      EXPECT_EQ(response.operation, row.out);
    }
  }
}

TEST(SpecOperationsOutput, ExclusivesFaultAsOthers) {
  RecordProperty("rule", "SM-EXT-010");
  OperationBench machine(ro);
  EXPECT_EQ(machine.go(of(exclusive, AccessType::write)).outcome, Outcome::abort);
  EXPECT_EQ(machine.take_event().get(raw::ev::RnW), 0u);
  machine.put_cd(1, machine.context.with({{cd::A, 0}}));
  machine.invalidate_all();
  EXPECT_EQ(machine.go(of(exclusive, AccessType::write)).outcome, Outcome::raz_wi);
}

TEST(SpecOperationsOutput, AtomicsAreData) {
  RecordProperty("rule", "SM-EXT-012");
  OperationBench machine(rw_never_executed);
  Transaction t = of(plain, AccessType::atomic);
  t.instruction = true;
  EXPECT_EQ(machine.go(t).outcome, Outcome::proceed);
  OperationBench read_only(ro);
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

TEST(SpecOperationsOutput, OutputOfInstAndPriv) {
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

TEST(SpecOperationsOutput, PrefetchesOfCachesAreData) {
  RecordProperty("rule", "SM-ATR-009");
  for (const Operation operation : {prefetch, write_prefetch}) {
    for (const std::uint64_t instcfg : {0u, 3u}) {
      SmmuConfig config = bench_config();
      config.features.attr_perms_ovr = true;
      OperationBench machine(rw, true, true, config);
      machine.put_ste(1,
                      SmmuBench::stage1_ste(SmmuBench::cd_address(1)).with({{ste::DCP, 1}, {ste::INSTCFG, instcfg}}));
      Transaction t = of(operation);
      t.instruction = true;
      const Response response = machine.go(t);
      EXPECT_EQ(response.outcome, Outcome::proceed);
      EXPECT_EQ(response.operation, operation);
      EXPECT_FALSE(response.instruction) << "whatever the client and INSTCFG say";
    }
  }
}

}  // namespace
}  // namespace smmusim::operations
