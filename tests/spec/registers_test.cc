// SPDX-License-Identifier: MIT
// Register map, access rules, ID registers and guards (IHI 0070 sections 2.9, 6.1 to 6.3). Pins our choice for
// CONSTRAINED UNPREDICTABLE accesses: RAZ/WI.
#include <gtest/gtest.h>

#include "tests/support/smmu_bench.h"

namespace smmusim {
namespace {

/// A bench with every enable off.
SmmuBench off_bench(const SmmuConfig& config = bench_config()) {
  return SmmuBench(config, 0, false);
}

TEST(SpecRegisters, IdRegistersAdvertiseTheFeatures) {
  RecordProperty("rule", "SM-ID-001 SM-ID-005 SM-ID-007 SM-ID-010");
  SmmuBench bench = off_bench();
  EXPECT_EQ(bench.r32(off::AIDR), 0x01u);  // SMMUv3.1
  const std::uint32_t idr0 = bench.r32(off::IDR0);
  EXPECT_EQ(idr0 & 3, 2u) << "S1P without S2P";
  EXPECT_EQ((idr0 >> 2) & 3, 2u) << "TTF: VMSAv8-64 only";
  EXPECT_EQ((idr0 >> 4) & 1, 1u) << "COHACC";
  EXPECT_EQ((idr0 >> 13) & 1, 1u) << "MSI";
  EXPECT_EQ((idr0 >> 16) & 1, 0u) << "PRI is RES0 without ATS";
  EXPECT_EQ((idr0 >> 17) & 1, 0u) << "VMW is RES0 without S2P";
  EXPECT_EQ((idr0 >> 24) & 3, 1u) << "STALL_MODEL: terminate only";
  EXPECT_EQ((idr0 >> 27) & 3, 1u) << "ST_LEVEL must not be 0 with SIDSIZE >= 7";
  const std::uint32_t idr1 = bench.r32(off::IDR1);
  EXPECT_EQ(idr1 & 0x3f, 16u);
  EXPECT_LE((idr1 >> 6) & 0x1f, 20u);
  EXPECT_LE((idr1 >> 16) & 0x1f, 19u);
  EXPECT_LE((idr1 >> 21) & 0x1f, 19u);
  const std::uint32_t idr5 = bench.r32(off::IDR5);
  EXPECT_EQ(idr5 & 7, 5u) << "OAS 48";
  EXPECT_EQ((idr5 >> 4) & 7, 1u) << "GRAN4K";
}

TEST(SpecRegisters, MandatoryFeaturesOfTheVersion) {
  RecordProperty("rule", "SM-ID-004 SM-ID-008 SM-ID-001");
  SmmuBench bench = off_bench();
  const std::uint32_t minor = bench.r32(off::AIDR) & 0xf;
  const std::uint32_t idr3 = bench.r32(off::IDR3);
  EXPECT_EQ((idr3 >> 2) & 1, 1u) << "HAD from v3.1 with S1P";
  EXPECT_EQ((idr3 >> 10) & 1, 1u) << "RIL: v3.1 may advertise it, v3.2 has to";
  for (const unsigned bit : {13u, 14u, 15u, 16u, 17u, 23u}) {
    EXPECT_EQ((idr3 >> bit) & 1, 0u) << "a v3." << minor << " may not have features of two versions later, bit " << bit;
  }
}

TEST(SpecRegisters, ImpossibleFeaturesAreRefused) {
  RecordProperty("rule", "SM-ID-005 SM-ID-007 SM-ID-010");
  struct Row {
    const char* what;
    void (*edit)(spec::Features&);
  };
  const Row rows[] = {
      {"no stage", [](spec::Features& f) { f.s1p = false; }},
      {"2-level needed", [](spec::Features& f) { f.st_level = 0; }},
      {"SIDSIZE 33", [](spec::Features& f) { f.sidsize = 33; }},
      {"SSIDSIZE 21", [](spec::Features& f) { f.ssidsize = 21; }},
      {"CMDQS 20", [](spec::Features& f) { f.cmdqs = 20; }},
      {"EVENTQS 20", [](spec::Features& f) { f.eventqs = 20; }},
      {"OAS 52 without 64 KiB or DS", [](spec::Features& f) { f.oas = 52; }},
      {"no table format", [](spec::Features& f) { f.ttf_vmsav8_64 = false; }},
      {"PRI without ATS", [](spec::Features& f) { f.pri = true; }},
      {"HYP without stage 2", [](spec::Features& f) { f.hyp = true; }},
      {"VMW without stage 2", [](spec::Features& f) { f.vmw = true; }},
      {"ATSRECERR without ATS", [](spec::Features& f) { f.atsrecerr = true; }},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.what);
    SmmuConfig config = bench_config();
    row.edit(config.features);
    EXPECT_THROW(SmmuBench(config, 0, false), std::invalid_argument);
  }
}

TEST(SpecRegisters, ReadOnlyRegistersIgnoreWrites) {
  RecordProperty("rule", "SM-RG-005 SM-REG-014");
  SmmuBench bench = off_bench();
  for (std::uint32_t offset : {off::IDR0, off::IDR1, 0x8u, off::IDR3, 0x10u, off::IDR5, off::IIDR, off::AIDR,
                               off::CR0ACK, off::STATUSR, off::IRQ_CTRLACK, off::GERROR, 0xfe0u, 0xff0u}) {
    SCOPED_TRACE(offset);
    const std::uint32_t before = bench.r32(offset);
    bench.w32(offset, ~before);
    EXPECT_EQ(bench.r32(offset), before);
  }
  EXPECT_EQ(bench.r32(off::STATUSR), 0u);
}

TEST(SpecRegisters, EachWritableRegisterHasItsOwnOffset) {
  RecordProperty("rule", "SM-RG-007");
  struct Row {
    std::uint32_t offset, value;
  };
  // Page 0 as section 6.2.1 has it: CR1, CR2, GBPA, GERROR_IRQ_CFG0..2, STRTAB_BASE and _CFG, CMDQ_BASE, _PROD and
  // _CONS, EVENTQ_BASE and its IRQ_CFG0..2; of page 1 EVENTQ_PROD and _CONS. Each value is the only one of its kind.
  constexpr Row rows[] = {{0x28, 0x21}, {0x2c, 0x2},         {0x68, 0x10050},     {0x70, 0x31},
                          {0x74, 0x32}, {0x80, 0x1000'0000}, {0x88, 0x9},         {0x90, 0x2000'0005},
                          {0x98, 0x3},  {0x9c, 0x1},         {0xa0, 0x3000'0006}, {0xb0, 0x10060},
                          {0xb8, 0x33}, {0xbc, 0x34},        {0x1'00a8, 0x7},     {0x1'00ac, 0x6}};
  SmmuBench bench = off_bench();
  bench.w32(0x44, 0x8010'0000);  // GBPA, with Update
  for (const Row& row : rows) bench.w32(row.offset, row.value);
  for (const Row& row : rows) EXPECT_EQ(bench.r32(row.offset), row.value) << std::hex << row.offset;
  EXPECT_EQ(bench.r32(0x44), 0x10'0000u);
  EXPECT_EQ(bench.r32(0x20), 0u) << "CR0";
}

TEST(SpecRegisters, IdPageBytes) {
  RecordProperty("rule", "SM-REG-016");
  SmmuConfig config = bench_config();
  config.features.product_id = 0x483;
  config.features.implementer = 0x43b;  // continuation 4, identity 0x3b
  config.features.revision = 2;
  SmmuBench bench = off_bench(config);
  const std::uint32_t expected[][2] = {{0xff0, 0x0d}, {0xff4, 0xf0}, {0xff8, 0x05}, {0xffc, 0xb1},
                                       {0xfe0, 0x83}, {0xfe4, 0xb4}, {0xfe8, 0x2b}, {0xfd0, 0x04},
                                       {0xfd4, 0},    {0xfd8, 0},    {0xfdc, 0}};
  for (const auto& row : expected) EXPECT_EQ(bench.r32(row[0]), row[1]) << std::hex << row[0];
  EXPECT_EQ(bench.r32(off::IIDR), 0x4830243bu);
}

TEST(SpecRegisters, HalvesOf64BitRegisters) {
  RecordProperty("rule", "SM-RG-002 SM-RG-005");
  SmmuBench bench = off_bench();
  struct Row {
    std::uint32_t offset;
    std::uint64_t kept;  // bits that hold what is written, OAS 48
  };
  const Row rows[] = {{off::STRTAB_BASE, 0x4000'ffff'ffff'ffc0},
                      {off::CMDQ_BASE, 0x4000'ffff'ffff'ffff},
                      {off::EVENTQ_BASE, 0x4000'ffff'ffff'ffff},
                      {off::GERROR_IRQ_CFG0, 0x0000'ffff'ffff'fffc},
                      {off::EVENTQ_IRQ_CFG0, 0x0000'ffff'ffff'fffc}};
  for (const Row& row : rows) {
    SCOPED_TRACE(row.offset);
    const std::uint64_t pattern = 0x4000'1234'5678'9adf;
    bench.w64(row.offset, 0);
    bench.w32(row.offset, static_cast<std::uint32_t>(pattern));
    EXPECT_EQ(bench.r64(row.offset), pattern & 0xffff'ffff & row.kept);
    bench.w32(row.offset + 4, static_cast<std::uint32_t>(pattern >> 32));
    EXPECT_EQ(bench.r64(row.offset), pattern & row.kept);
    EXPECT_EQ(bench.r32(row.offset + 4), (pattern & row.kept) >> 32);
    bench.w64(row.offset, 0);
    EXPECT_EQ(bench.r64(row.offset), 0u);
  }
}

TEST(SpecRegisters, IllegalAccessSizesAreRazWi) {
  RecordProperty("rule", "SM-RG-002 SM-RG-003");
  SmmuBench bench = off_bench();
  bench.w64(off::STRTAB_BASE, 0x1234'5678'9a40);
  EXPECT_EQ(bench.smmu.read_register(off::STRTAB_BASE, 1), 0u);
  EXPECT_EQ(bench.smmu.read_register(off::STRTAB_BASE, 2), 0u);
  EXPECT_EQ(bench.smmu.read_register(off::STRTAB_BASE + 2, 4), 0u);
  EXPECT_EQ(bench.smmu.read_register(off::STRTAB_BASE + 4, 8), 0u);
  EXPECT_EQ(bench.smmu.read_register(off::IDR0, 8), 0u) << "two 32-bit registers at once";
  bench.smmu.write_register(off::STRTAB_BASE, 0xff, 1);
  bench.smmu.write_register(off::STRTAB_BASE, 0xffff, 2);
  bench.smmu.write_register(off::STRTAB_BASE + 2, 0xffff'ffff, 4);
  bench.smmu.write_register(off::STRTAB_BASE + 4, ~std::uint64_t{0}, 8);
  EXPECT_EQ(bench.r64(off::STRTAB_BASE), 0x1234'5678'9a40u);
  bench.smmu.write_register(off::CR0, ~std::uint64_t{0}, 8);
  EXPECT_EQ(bench.r32(off::CR0), 0u);
}

TEST(SpecRegisters, UndefinedOffsetsAreRes0) {
  RecordProperty("rule", "SM-RG-001 SM-RG-004 SM-ID-006 SM-SE-001");
  SmmuBench bench = off_bench();
  for (std::uint32_t offset :
       {0x34u,   0x38u,   0x4cu,    0x58u,    0xa8u,    0xacu,    0xc0u,    0xc4u,   0xc8u,   0xccu,
        0xd0u,   0xd8u,   0xdcu,    0x100u,   0x108u,   0x180u,   0x200u,   0x300u,  0x3ffcu, 0xe00u,
        0x8000u, 0x8020u, 0x10000u, 0x10020u, 0x100c8u, 0x100ccu, 0x1fffcu, 0x20000u}) {
    SCOPED_TRACE(offset);
    bench.w32(offset, 0xffff'ffff);
    EXPECT_EQ(bench.r32(offset), 0u);
  }
  EXPECT_EQ(bench.r32(off::CR0), 0u);
  EXPECT_EQ(bench.r32(off::EVENTQ_PROD), 0u) << "0xa8 is no alias of page 1";
}

TEST(SpecRegisters, Agbpa) {
  RecordProperty("rule", "SM-GBP-011");
  SmmuBench bench = off_bench();
  bench.w32(off::AGBPA, 0xffff'ffff);
  EXPECT_EQ(bench.r32(off::AGBPA), 0u);
}

TEST(SpecRegisters, BaseRegistersKeepTheirFields) {
  RecordProperty("rule", "SM-TAB-001 SM-CMQ-001 SM-EVQ-001 SM-ADR-001");
  SmmuBench bench = off_bench();
  bench.w64(off::STRTAB_BASE, ~std::uint64_t{0});
  EXPECT_EQ(bench.r64(off::STRTAB_BASE) & 0x0000'ffff'ffff'ffff, 0x0000'ffff'ffff'ffc0u);
  EXPECT_NE(bench.r64(off::STRTAB_BASE) & (std::uint64_t{1} << 62), 0u) << "RA";
  EXPECT_EQ(bench.r64(off::STRTAB_BASE) & 0xbf00'0000'0000'0000, 0u);
  for (std::uint32_t offset : {off::CMDQ_BASE, off::EVENTQ_BASE}) {
    bench.w64(offset, ~std::uint64_t{0});
    EXPECT_EQ(bench.r64(offset) & 0x0000'ffff'ffff'ffff, 0x0000'ffff'ffff'ffffu) << "LOG2SIZE reads back uncapped";
    EXPECT_NE(bench.r64(offset) & (std::uint64_t{1} << 62), 0u) << "RA, WA";
    EXPECT_EQ(bench.r64(offset) & 0xbf00'0000'0000'0000, 0u);
  }
}

TEST(SpecRegisters, StrtabBaseCfgFields) {
  RecordProperty("rule", "SM-TAB-003 SM-TAB-005");
  SmmuBench bench = off_bench();
  bench.w32(off::STRTAB_BASE_CFG, 0xffff'ffff);
  EXPECT_EQ(bench.r32(off::STRTAB_BASE_CFG), 0x307ffu);
  bench.w32(off::STRTAB_BASE_CFG, 0x10000 | 8 << 6 | 32);
  EXPECT_EQ(bench.r32(off::STRTAB_BASE_CFG), 0x10000u | 8 << 6 | 32);
  SmmuConfig linear_only = bench_config();
  linear_only.features.st_level = 0;
  linear_only.features.sidsize = 6;
  SmmuBench linear = off_bench(linear_only);
  linear.w32(off::STRTAB_BASE_CFG, 0xffff'ffff);
  EXPECT_EQ(linear.r32(off::STRTAB_BASE_CFG), 0x3fu) << "FMT and SPLIT are RES0";
}

TEST(SpecRegisters, QueueIndexRegisters) {
  RecordProperty("rule", "SM-CMQ-003 SM-CMQ-005 SM-EVQ-004 SM-EVQ-005");
  SmmuConfig config = bench_config();
  config.features.cmdqs = 10;
  config.features.eventqs = 12;
  SmmuBench bench = off_bench(config);
  // LOG2SIZE as it is, and above IDR1.CMDQS and EVENTQS, where it acts as those; bits above the wrap flag are RAZ.
  for (const auto& [log2size, cons, prod] : {std::tuple{0u, 0x1u, 0x1u}, {4u, 0x1fu, 0x1fu}, {31u, 0x7ffu, 0x1fffu}}) {
    bench.w64(off::CMDQ_BASE, SmmuBench::cmdq | log2size);
    bench.w32(off::CMDQ_CONS, 0xffff'ffff);
    EXPECT_EQ(bench.r32(off::CMDQ_CONS) & 0x80ff'ffff, cons) << log2size;
    bench.w64(off::EVENTQ_BASE, SmmuBench::eventq | log2size);
    bench.w32(off::EVENTQ_PROD, 0xffff'ffff);
    EXPECT_EQ(bench.r32(off::EVENTQ_PROD), 0x8000'0000u | prod) << log2size;
  }
  // A queue that becomes smaller.
  bench.w64(off::CMDQ_BASE, SmmuBench::cmdq | 2);
  EXPECT_EQ(bench.r32(off::CMDQ_CONS) & 0xfffff, 7u);
  bench.w32(off::EVENTQ_CONS, 0x8000'0123);
  EXPECT_EQ(bench.r32(off::EVENTQ_CONS), 0x8000'0123u);
  bench.w32(off::CMDQ_PROD, 0x7ff);
  EXPECT_EQ(bench.r32(off::CMDQ_PROD) & 0x7ff, 0x7ffu);
}

struct GuardRow {
  const char* name;
  std::uint32_t offset;
  unsigned size;
  std::uint32_t guard;  // CR0 bit that makes it read-only
  std::uint64_t value;
};

TEST(SpecRegisters, GuardedRegistersAreReadOnlyWhileEnabled) {
  RecordProperty("rule", "SM-RG-006 SM-REG-001 SM-REG-008 SM-TAB-001");
  const GuardRow rows[] = {{"STRTAB_BASE", off::STRTAB_BASE, 8, cr0::SMMUEN, 0x1000},
                           {"STRTAB_BASE_CFG", off::STRTAB_BASE_CFG, 4, cr0::SMMUEN, 3},
                           {"CR2", off::CR2, 4, cr0::SMMUEN, 2},
                           {"CR1.TABLE", off::CR1, 4, cr0::SMMUEN, 0xfc0},
                           {"CMDQ_BASE", off::CMDQ_BASE, 8, cr0::CMDQEN, 0x1003},
                           {"CMDQ_CONS", off::CMDQ_CONS, 4, cr0::CMDQEN, 1},
                           {"EVENTQ_BASE", off::EVENTQ_BASE, 8, cr0::EVENTQEN, 0x1003},
                           {"EVENTQ_PROD", off::EVENTQ_PROD, 4, cr0::EVENTQEN, 1},
                           {"CR1.QUEUE by CMDQEN", off::CR1, 4, cr0::CMDQEN, 0x3f},
                           {"CR1.QUEUE by EVENTQEN", off::CR1, 4, cr0::EVENTQEN, 0x3f}};
  for (const GuardRow& row : rows) {
    SCOPED_TRACE(row.name);
    SmmuBench bench = off_bench();
    bench.enable(row.guard);
    bench.smmu.write_register(row.offset, row.value, row.size);
    EXPECT_EQ(bench.smmu.read_register(row.offset, row.size), 0u);
    bench.enable(0);
    bench.smmu.write_register(row.offset, row.value, row.size);
    EXPECT_EQ(bench.smmu.read_register(row.offset, row.size), row.value);
  }
}

TEST(SpecRegisters, Cr1GroupsAreGuardedSeparately) {
  RecordProperty("rule", "SM-REG-001 SM-REG-002 SM-REG-003");
  SmmuBench bench = off_bench();
  bench.enable(cr0::EVENTQEN);
  bench.w32(off::CR1, 0xffff'ffff);
  EXPECT_EQ(bench.r32(off::CR1), 0xfc0u);
  bench.enable(cr0::SMMUEN);
  bench.w32(off::CR1, 0x15);
  EXPECT_EQ(bench.r32(off::CR1), 0xfd5u);
}

TEST(SpecRegisters, Cr2HasOnlyWhatIsImplemented) {
  RecordProperty("rule", "SM-REG-010");
  SmmuBench bench = off_bench();
  bench.w32(off::CR2, 0xffff'ffff);
  EXPECT_EQ(bench.r32(off::CR2), 2u) << "RECINVSID; no E2H, PTM, REC_CFG_ATS";
}

TEST(SpecRegisters, MsiConfigurationIsGuardedByItsEnable) {
  RecordProperty("rule", "SM-IRQ-005 SM-IRQ-006");
  const GuardRow rows[] = {{"GERROR_IRQ_CFG0", off::GERROR_IRQ_CFG0, 8, irq::GERROR, 0x1000},
                           {"GERROR_IRQ_CFG1", off::GERROR_IRQ_CFG1, 4, irq::GERROR, 0xffff'ffff},
                           {"GERROR_IRQ_CFG2", off::GERROR_IRQ_CFG2, 4, irq::GERROR, 0x3f},
                           {"EVENTQ_IRQ_CFG0", off::EVENTQ_IRQ_CFG0, 8, irq::EVENTQ, 0x1000},
                           {"EVENTQ_IRQ_CFG1", off::EVENTQ_IRQ_CFG1, 4, irq::EVENTQ, 0xffff'ffff},
                           {"EVENTQ_IRQ_CFG2", off::EVENTQ_IRQ_CFG2, 4, irq::EVENTQ, 0x3f}};
  for (const GuardRow& row : rows) {
    SCOPED_TRACE(row.name);
    SmmuBench bench = off_bench();
    bench.w32(off::IRQ_CTRL, row.guard);
    bench.smmu.write_register(row.offset, row.value, row.size);
    EXPECT_EQ(bench.smmu.read_register(row.offset, row.size), 0u);
    bench.w32(off::IRQ_CTRL, row.guard ^ 5);  // the other source's enable guards nothing here
    bench.smmu.write_register(row.offset, ~std::uint64_t{0}, row.size);
    const std::uint64_t all = row.size == 8 ? 0x0000'ffff'ffff'fffc : row.value;
    EXPECT_EQ(bench.smmu.read_register(row.offset, row.size), all);
  }
}

TEST(SpecRegisters, MsiConfigurationIsRes0WithoutMsi) {
  RecordProperty("rule", "SM-ID-006 SM-IRQ-005");
  SmmuConfig config = bench_config();
  config.features.msi = false;
  SmmuBench bench = off_bench(config);
  for (std::uint32_t offset : {off::GERROR_IRQ_CFG0, off::GERROR_IRQ_CFG1, off::GERROR_IRQ_CFG2, off::EVENTQ_IRQ_CFG0,
                               off::EVENTQ_IRQ_CFG1, off::EVENTQ_IRQ_CFG2}) {
    bench.w32(offset, 0xffff'ffff);
    EXPECT_EQ(bench.r32(offset), 0u) << offset;
  }
}

TEST(SpecRegisters, AlwaysWritable) {
  RecordProperty("rule", "SM-REG-017 SM-CMQ-003 SM-EVQ-004");
  SmmuBench bench;  // everything enabled
  bench.w32(off::EVENTQ_CONS, 0x8000'0000);
  EXPECT_EQ(bench.r32(off::EVENTQ_CONS), 0x8000'0000u);
  bench.w32(off::IRQ_CTRL, 5);
  EXPECT_EQ(bench.r32(off::IRQ_CTRL), 5u);
  bench.sync();
  EXPECT_EQ(bench.r32(off::CMDQ_PROD), 1u);
  EXPECT_TRUE(bench.all_consumed());
}

TEST(SpecRegisters, PresetTablesAndQueuesAreReadOnly) {
  RecordProperty("rule", "SM-ST-008 SM-TAB-001 SM-CMQ-001 SM-EVQ-001");
  SmmuConfig config = bench_config();
  config.features.tables_preset = true;
  config.features.queues_preset = true;
  SmmuBench bench = off_bench(config);
  for (std::uint32_t offset : {off::STRTAB_BASE, off::CMDQ_BASE, off::EVENTQ_BASE}) {
    bench.w64(offset, ~std::uint64_t{0});
    EXPECT_EQ(bench.r64(offset), 0u) << offset;
  }
  bench.w32(off::STRTAB_BASE_CFG, 0xff);
  EXPECT_EQ(bench.r32(off::STRTAB_BASE_CFG), 0u);
}

TEST(SpecRegisters, AttributesOfPresetTablesAndQueues) {
  RecordProperty("rule", "SM-REG-005 SM-REG-006");
  SmmuConfig config = bench_config();
  config.features.tables_preset = true;
  config.features.queues_preset = true;
  SmmuBench bench = off_bench(config);
  bench.w32(off::CR1, 0xd75);
  const std::uint32_t kept = bench.r32(off::CR1);
  EXPECT_TRUE((kept & 0xfc0) == (0xd75 & 0xfc0) || (kept & 0xfc0) == 0);
  EXPECT_TRUE((kept & 0x3f) == 0x35 || (kept & 0x3f) == 0);
  bench.enable(cr0::SMMUEN | cr0::EVENTQEN | cr0::CMDQEN);
  bench.w32(off::CMDQ_PROD, 1);
  bench.read(0, 0);
  for (const Purpose purpose : {Purpose::STE, Purpose::CMD, Purpose::EVENT}) {
    ASSERT_EQ(bench.memory.count(purpose), 1u) << name_of(purpose);
    EXPECT_EQ(bench.memory.last(purpose).attributes, (MemoryAttributes{0x44, 2})) << name_of(purpose) << " as at reset";
  }
}

}  // namespace
}  // namespace smmusim
