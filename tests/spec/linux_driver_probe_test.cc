// SPDX-License-Identifier: MIT
// What the Linux driver reads before it accepts an SMMU, and its reset sequence from every state it can find one in
// (shared/reference/linux-driver.md sections 1 to 4; IHI 0070 sections 6.3.1 to 6.3.14, 6.3.24 to 6.3.29).
#include <gtest/gtest.h>

#include <random>

#include "tests/support/linux_driver.h"
#include "tests/support/stage2_bench.h"

namespace smmusim::linux_driver {
namespace {

using spec::Features;

struct Machine {
  const char* what;
  void (*change)(Features&);
  const char* refusal;
};

const Machine machines[] = {
    {"both stages, v3.2", [](Features&) {}, ""},
    {"stage 1 only, v3.1", [](Features& f) { f = Features{}; }, ""},
    {"stage 2 only", [](Features& f) { f.s1p = f.hyp = f.had = false; }, ""},
    {"small IDs", [](Features& f) { f.asid16 = f.vmid16 = f.cd2l = f.attr_types_ovr = false; }, ""},
    {"256 streams", [](Features& f) { f.sidsize = 8, f.ssidsize = 20; }, ""},
    {"64 streams, linear only", [](Features& f) { f.sidsize = 6, f.st_level = 0, f.ssidsize = 0; }, ""},
    {"no MSI, no SEV", [](Features& f) { f.msi = f.sev = false; }, ""},
    {"ATS and PRI", [](Features& f) { f.ats = f.pri = true, f.priqs = 10; }, ""},
    {"stalls", [](Features& f) { f.stall_model = spec::StallModel::stall_and_terminate, f.stall_max = 0x1234; }, ""},
    {"stalls only", [](Features& f) { f.stall_model = spec::StallModel::stall_forced, f.stall_max = 1; }, ""},
    {"little-endian tables", [](Features& f) { f.ttendian = spec::Ttendian::little; }, ""},
    {"access flag", [](Features& f) { f.httu = spec::Httu::access; }, ""},
    {"dirty state", [](Features& f) { f.httu = spec::Httu::access_dirty; }, ""},
    {"32 bits", [](Features& f) { f.oas = 32, f.gran16k = f.gran64k = false; }, ""},
    {"44 bits, 64 KiB only", [](Features& f) { f.oas = 44, f.gran4k = f.gran16k = false; }, ""},
    {"52 bits", [](Features& f) { f.oas = 52, f.vax = 52; }, ""},
    {"no ranges", [](Features& f) { f.version_minor = 1, f.ril = f.fwb = false, f.bbml = 0; }, ""},
    {"128 commands, 32 events", [](Features& f) { f.cmdqs = 7, f.eventqs = 5; }, ""},
    {"64 commands", [](Features& f) { f.cmdqs = 6; }, "command queue size <= 64 entries not supported"},
    {"big-endian tables", [](Features& f) { f.ttendian = spec::Ttendian::big; }, "unknown/unsupported TT endianness"},
    {"preset tables", [](Features& f) { f.tables_preset = true; }, "embedded implementation not supported"},
    {"preset queues, relative", [](Features& f) { f.queues_preset = f.rel = true; },
     "embedded implementation not supported"}};

std::uint64_t mapping_sizes(const Features& f) {
  constexpr std::uint64_t mib = 1u << 20, gib = 1u << 30;
  std::uint64_t sizes = 0;
  if (f.gran4k) sizes |= 4096 | 2 * mib | gib;
  if (f.gran16k) sizes |= 16384 | 32 * mib;
  if (f.gran64k) sizes |= 65536 | 512 * mib;
  return f.oas == 52 ? sizes | 4096 * gib : sizes;
}

void expect_probed(const Probed& p, const Features& f) {
  EXPECT_EQ(p.two_level_table, f.st_level == 1 && f.sidsize > 8);
  EXPECT_EQ(p.two_level_cd, f.cd2l);
  EXPECT_EQ(p.stalls, f.stall_model != spec::StallModel::terminate);
  EXPECT_EQ(p.stall_force, f.stall_model == spec::StallModel::stall_forced);
  EXPECT_EQ(p.max_stalls, f.stall_max);
  EXPECT_EQ(p.pri, f.pri);
  EXPECT_EQ(p.ats, f.ats);
  EXPECT_EQ(p.sev, f.sev);
  EXPECT_EQ(p.msi, f.msi);
  EXPECT_EQ(p.hyp, f.hyp);
  EXPECT_EQ(p.s1, f.s1p);
  EXPECT_EQ(p.s2, f.s2p);
  EXPECT_EQ(p.ha, f.httu != spec::Httu::none);
  EXPECT_EQ(p.hd, f.httu == spec::Httu::access_dirty);
  EXPECT_EQ(p.asid_bits, f.asid16 ? 16u : 8u);
  EXPECT_EQ(p.vmid_bits, f.vmid16 ? 16u : 8u);
  EXPECT_EQ(p.sid_bits, f.sidsize);
  EXPECT_EQ(p.ssid_bits, f.ssidsize);
  EXPECT_EQ(p.cmdq_log2, std::min(16u, f.cmdqs));
  EXPECT_EQ(p.evtq_log2, std::min(15u, f.eventqs));
  EXPECT_EQ(p.attr_types_ovr, f.attr_types_ovr);
  EXPECT_EQ(p.ril, f.ril);
  EXPECT_EQ(p.s2fwb, f.fwb);
  EXPECT_EQ(p.bbml2, f.bbml == 2);
  EXPECT_EQ(p.oas, f.oas);
  EXPECT_EQ(p.vax52, f.vax == 52);
  EXPECT_EQ(p.page_sizes, mapping_sizes(f));
}

SmmuConfig machine_config(const Machine& machine) {
  SmmuConfig config = stage2_config();
  config.features.attr_types_ovr = true;
  machine.change(config.features);
  return config;
}

TEST(SpecLinuxDriverProbe, EveryDecision) {
  RecordProperty("rule", "SM-RG-007");
  for (const Machine& machine : machines) {
    SCOPED_TRACE(machine.what);
    const SmmuConfig config = machine_config(machine);
    SmmuBench bench(config, 0, false);
    LinuxDriver driver(bench);
    const Probed probed = driver.probe();
    EXPECT_EQ(probed.refusal, machine.refusal);
    if (probed.refusal.empty()) expect_probed(probed, config.features);
  }
}

constexpr std::uint64_t target = SmmuBench::target;

/// Attaches `sid` to a bypass STE and sends traffic.
void expect_service(LinuxDriver& driver) {
  SmmuBench& bench = driver.bench;
  constexpr std::uint32_t sid = 5, other = 6;
  const raw::Ste bypass = raw::Ste{}.with({{raw::ste::V, 1}, {raw::ste::Config, 4}, {raw::ste::SHCFG, 1}});
  bench.memory.store(driver.ste_address(sid), bypass);
  bench.memory.store(driver.ste_address(other), raw::Ste{}.with({{raw::ste::V, 1}}));
  EXPECT_TRUE(driver.issue({raw::command(raw::cmd::CFGI_STE, {{raw::cmd::StreamID, sid}, {raw::cmd::Leaf, 1}})}));
  EXPECT_EQ(bench.read(sid, target).address.value, target);
  EXPECT_EQ(bench.read(other, target).outcome, Outcome::abort) << "a new STE aborts";
  EXPECT_TRUE(driver.event_thread().empty()) << "without a record";
  Transaction far = SmmuBench::transaction(sid, target);
  far.substream_valid = true;
  EXPECT_EQ(bench.go(far).outcome, Outcome::abort);
  const std::vector<raw::Record> records = driver.event_thread();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].get(raw::ev::Type), raw::ev::C_BAD_SUBSTREAMID);
}

TEST(SpecLinuxDriverReset, EveryMachineThatItAccepts) {
  RecordProperty("rule", "SM-RU-001 SM-TAB-003 SM-CM-003");
  for (const Machine& machine : machines) {
    if (machine.refusal[0] != '\0') continue;
    for (const bool timed : {false, true}) {
      SCOPED_TRACE(testing::Message() << machine.what << ", timed " << timed);
      SmmuConfig config = machine_config(machine);
      config.timed = timed;
      SmmuBench bench(config, timed ? 50'000 : 0, false);
      LinuxDriver driver(bench);
      const Probed probed = driver.probe();
      EXPECT_TRUE(driver.reset(probed));
      EXPECT_TRUE(driver.log.empty()) << driver.log.front();
      EXPECT_EQ(bench.r32(off::CR0ACK), bench.r32(off::CR0));
      EXPECT_EQ(bench.r32(off::CR0) & ~std::uint32_t{cr0::ATSCHK}, 0xdu);
      EXPECT_EQ(bench.r32(off::CR1), 0xd75u);
      EXPECT_EQ(bench.r32(off::CR2) & 2, 2u);
      EXPECT_EQ(bench.r32(off::IRQ_CTRLACK), 5u);
      EXPECT_EQ(bench.r32(off::STRTAB_BASE_CFG), probed.two_level_table ? 0x10200 | probed.sid_bits : probed.sid_bits);
      expect_service(driver);
    }
  }
}

TEST(SpecLinuxDriverReset, TakesOverARunningSmmu) {
  RecordProperty("rule", "SM-GBP-001 SM-GBP-005 SM-ST-006 SM-RU-001");
  for (const bool timed : {false, true}) {
    SmmuConfig config = stage2_config();
    config.timed = timed;
    SmmuBench bench(config, timed ? 50'000 : 0);
    const raw::Cd context = bench.stage1_stream(1);
    bench.map(SmmuBench::ttb0(context), 0x1000, raw::page(target));
    EXPECT_EQ(bench.read(1, 0x1000).address.value, target);
    bench.read(1, 0x7000);  // an event that nobody reads
    TranslationRequest flight;
    flight.transaction = SmmuBench::transaction(1, 0x1000);
    flight.fire = [](EventNode&) {};
    bench.smmu.submit(0, flight);
    LinuxDriver driver(bench);
    const Probed probed = driver.probe();
    EXPECT_TRUE(driver.take_over());
    EXPECT_EQ(driver.log, std::vector<std::string>{"SMMU currently enabled! Resetting..."});
    EXPECT_EQ(bench.read(1, 0x1000).outcome, Outcome::abort) << "a device that still runs gets nowhere";
    bench.smmu.retire(flight);
    EXPECT_TRUE(driver.reset(probed));
    EXPECT_EQ(driver.log.size(), 1u);
    EXPECT_EQ(event_number(bench.read(70'000, 0x1000)), raw::ev::C_BAD_STREAMID) << "nor through the old table";
    EXPECT_EQ(driver.event_thread().size(), 1u) << "the old queue's record is not seen";
    expect_service(driver);
  }
}

TEST(SpecLinuxDriverReset, FromAnyRegisters) {
  RecordProperty("rule", "SM-RST-002");
  std::mt19937 random(11);
  for (int i = 0; i < 40; ++i) {
    SCOPED_TRACE(i);
    SmmuBench bench(stage2_config(), 0, false);
    for (std::uint32_t offset = off::CR1; offset < 0xe0; offset += 4) {
      if (offset != off::GBPA && offset != off::GERRORN) bench.w32(offset, static_cast<std::uint32_t>(random()));
    }
    for (const std::uint32_t offset : {off::EVENTQ_PROD, off::EVENTQ_CONS}) {
      bench.w32(offset, static_cast<std::uint32_t>(random()));
    }
    LinuxDriver driver(bench);
    EXPECT_TRUE(driver.reset(driver.probe()));
    EXPECT_TRUE(driver.log.empty());
    expect_service(driver);
  }
}

TEST(SpecLinuxDriverReset, StaleEntriesAreGone) {
  RecordProperty("rule", "SM-CC-003 SM-TI-023 SM-RS-005");
  SmmuBench bench(stage2_config());
  for (const std::uint64_t strw : {0u, 2u}) {  // EL1 and EL2
    const auto sid = static_cast<std::uint32_t>(strw + 1);
    const raw::Cd context = bench.stage1_stream(sid);
    bench.put_ste(sid, SmmuBench::stage1_ste(SmmuBench::cd_address(sid)).with({{raw::ste::STRW, strw}}));
    bench.map(SmmuBench::ttb0(context), 0x1000, raw::page(target));
    EXPECT_EQ(bench.read(sid, 0x1000).address.value, target);
    bench.map(SmmuBench::ttb0(context), 0x1000, raw::page(target + 0x1000));
  }
  LinuxDriver driver(bench);
  ASSERT_TRUE(driver.reset(driver.probe()));
  EXPECT_EQ(bench.read(1, 0x1000).outcome, Outcome::abort) << "the STE of the old table was dropped";
  for (const std::uint32_t sid : {1u, 3u}) {
    raw::Ste entry;
    for (std::size_t i = 0; i < 8; ++i) entry.dw[i] = bench.memory.read64(SmmuBench::strtab + 64ull * sid + 8 * i);
    bench.memory.store(driver.ste_address(sid), entry);
    EXPECT_TRUE(driver.issue({raw::command(raw::cmd::CFGI_STE, {{raw::cmd::StreamID, sid}, {raw::cmd::Leaf, 1}})}));
    EXPECT_EQ(bench.read(sid, 0x1000).address.value, target + 0x1000);
  }
}

TEST(SpecLinuxDriverReset, TwoLevelTableGrows) {
  RecordProperty("rule", "SM-ST-004 SM-ST-016 SM-ST-002");
  SmmuBench bench(stage2_config(), 0, false);
  LinuxDriver driver(bench);
  ASSERT_TRUE(driver.reset(driver.probe()));
  const raw::Ste bypass = raw::Ste{}.with({{raw::ste::V, 1}, {raw::ste::Config, 4}});
  for (const std::uint32_t sid : {0x0u, 0xffu, 0x100u, 0x1234u, 0xfffeu}) {
    SCOPED_TRACE(sid);
    bench.memory.store(driver.ste_address(sid), bypass);
    EXPECT_TRUE(driver.issue({raw::command(raw::cmd::CFGI_STE, {{raw::cmd::StreamID, sid}, {raw::cmd::Leaf, 1}})}));
    EXPECT_EQ(bench.read(sid, target).address.value, target);
    EXPECT_EQ(bench.memory.last(Purpose::STE).address, driver.ste_address(sid));
    EXPECT_EQ(bench.read(sid ^ 1, target).outcome, Outcome::abort);
  }
  driver.event_thread();
  for (const std::uint32_t sid : {0x200u, 0x8000u, 0x1'0000u}) {
    EXPECT_EQ(event_number(bench.read(sid, target)), raw::ev::C_BAD_STREAMID) << sid;
  }
  EXPECT_EQ(driver.event_thread().size(), 3u) << "CR2.RECINVSID";
}

TEST(SpecLinuxDriverReset, Shutdown) {
  RecordProperty("rule", "SM-RU-001 SM-ST-006");
  SmmuBench bench(stage2_config(), 0, false);
  LinuxDriver driver(bench);
  ASSERT_TRUE(driver.reset(driver.probe()));
  EXPECT_EQ(bench.read(9, target).outcome, Outcome::abort);
  EXPECT_TRUE(driver.shutdown());
  EXPECT_EQ(bench.r32(off::CR0ACK), 0u);
  EXPECT_EQ(bench.read(9, target).address.value, target) << "GBPA of power-on passes";
}

}  // namespace
}  // namespace smmusim::linux_driver
