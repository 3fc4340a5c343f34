// SPDX-License-Identifier: MIT
// Loading configurations: precedence, what is decided for the user, every error at once with its place, what this
// version refuses.
#include "platform/config/load.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "platform/config/keys.h"
#include "platform/config/presets.h"
#include "platform/config/show.h"
#include "tests/cli/process.h"

namespace smmusim {
namespace {

PlatformConfig load(const std::string& toml, const std::vector<std::string>& sets = {},
                    ConfigUse use = ConfigUse::description) {
  ConfigSource source{"f.toml", toml, {}};
  for (const std::string& text : sets) source.assignments.push_back(parse_assignment("--set", text));
  return load_config(source, use);
}

/// The lines of the InputError; empty if there was none.
std::vector<std::string> errors_of(const std::string& toml, const std::vector<std::string>& sets = {},
                                   ConfigUse use = ConfigUse::description) {
  try {
    load(toml, sets, use);
    return {};
  } catch (const InputError& error) {
    return test::lines_of(error.what());
  }
}

TEST(LoadConfig, NothingGivenIsTheDefault) {
  const PlatformConfig config = load_config({});
  EXPECT_EQ(config.mode, Mode::timed);
  EXPECT_EQ(config.smmus.size(), 1u);
  EXPECT_TRUE(config.endpoints.empty());
  EXPECT_EQ(config.smmus[0].config.features, spec::Features{});
}

TEST(LoadConfig, AssignmentsBeatTheFileAndTheFileBeatsThePreset) {
  const std::string toml = "preset = \"gem5-like\"\n[smmu.tcu]\ntlb_entries = 256\nwalkers = 8\n";
  const PlatformConfig config = load(toml, {"smmu.tcu.walkers=4"});
  EXPECT_EQ(config.smmus[0].config.tcu.config_cache.entries, 64u);  // preset
  EXPECT_EQ(config.smmus[0].config.tcu.tlb.entries, 256u);          // file
  EXPECT_EQ(config.smmus[0].config.tcu.walkers, 4u);                // --set
}

TEST(LoadConfig, APresetOfAnAssignmentStillComesFirst) {
  const PlatformConfig config = load("[smmu.tcu]\ntlb_entries = 256\n", {"preset=gem5-like"});
  EXPECT_EQ(config.smmus[0].config.tcu.tlb.entries, 256u);
}

TEST(LoadConfig, TheLastAssignmentWins) {
  EXPECT_EQ(load("", {"seed=1", "seed=0x10"}).seed, 16u);
}

TEST(LoadConfig, ModeAndSeedReachTheSmmus) {
  const PlatformConfig config = load("mode = \"untimed\"\nseed = 7\n");
  EXPECT_FALSE(config.smmus[0].config.timed);
  EXPECT_EQ(config.smmus[0].config.seed, 7u);
}

TEST(LoadConfig, ReadsEndpoints) {
  const PlatformConfig config = load(
      "[[endpoint]]\nname = \"nvme0\"\nbdf = \"00:01.0\"\noutstanding = 32\n"
      "[[endpoint]]\nstream_id = 0x1f0\n");
  ASSERT_EQ(config.endpoints.size(), 2u);
  EXPECT_EQ(config.endpoints[0].name, "nvme0");
  EXPECT_EQ(config.endpoints[0].stream().value, 8u);
  EXPECT_EQ(config.endpoints[0].outstanding, 32u);
  EXPECT_EQ(config.endpoints[1].name, "01:1e.0");
  EXPECT_EQ(config.endpoints[1].stream().value, 0x1f0u);
}

TEST(LoadConfig, AnEndpointTableIsTheTemplate) {
  const PlatformConfig config = load("[endpoint]\noutstanding = 5\n");
  EXPECT_TRUE(config.endpoints.empty());
  EXPECT_EQ(config.endpoint_template.outstanding, 5u);
}

TEST(LoadConfig, AnEndpointAssignmentReachesAllEndpointsAndTheTemplate) {
  const PlatformConfig config = load("[[endpoint]]\nbdf = \"00:01.0\"\n", {"endpoint.outstanding=3"});
  EXPECT_EQ(config.endpoints[0].outstanding, 3u);
  EXPECT_EQ(config.endpoint_template.outstanding, 3u);
}

TEST(LoadConfig, SeveralSmmusHaveNamesAndFramesOfTheirOwn) {
  const PlatformConfig config =
      load("[[endpoint]]\nbdf = \"00:02.0\"\nsmmu = \"gpu\"\n[[smmu]]\n[[smmu]]\nname = \"gpu\"\noas = 44\n");
  ASSERT_EQ(config.smmus.size(), 2u);
  EXPECT_EQ(config.smmus[0].name, "smmu0");
  EXPECT_EQ(config.smmus[1].config.features.oas, 44u);
  EXPECT_EQ(config.smmus[0].config.features.oas, 48u);
  EXPECT_NE(config.smmus[0].config.frame_base, config.smmus[1].config.frame_base);
  EXPECT_EQ(config.endpoints[0].smmu, 1u);
}

TEST(LoadConfig, AutoMeansWhatIsSupported) {
  const PlatformConfig config = load("[smmu]\nssidsize = \"auto\"\nril = \"auto\"\nats = \"auto\"\n");
  EXPECT_EQ(config.smmus[0].config.features, spec::Features{});
}

TEST(LoadConfig, RangeInvalidationFollowsTheVersion) {
  EXPECT_FALSE(load("[smmu]\nversion = \"3.0\"\n").smmus[0].config.features.ril);
  EXPECT_TRUE(load("[smmu]\nversion = \"3.1\"\n").smmus[0].config.features.ril);
}

struct FollowRow {
  const char* toml;   // of [smmu]
  const char* key;    // that was not set
  const char* value;  // that it takes
};

TEST(LoadConfig, FeaturesFollowVersionAndStagesUnlessTheyAreSet) {
  RecordProperty("rule", "SM-ID-004 SM-ID-005 SM-ID-008 SM-ID-010");
  const FollowRow rows[] = {{"", "smmu.xnx", "false"},
                            {"stages = \"nested\"", "smmu.xnx", "true"},
                            {"stages = \"nested\"", "smmu.had", "true"},
                            {"stages = \"nested\"", "smmu.hyp", "false"},
                            {"stages = \"2\"", "smmu.xnx", "true"},
                            {"stages = \"2\"", "smmu.had", "false"},
                            {"stages = \"nested\"\nversion = \"3.0\"", "smmu.xnx", "false"},
                            {"version = \"3.0\"", "smmu.ril", "off"},
                            {"version = \"3.2\"", "smmu.fwb", "true"},
                            {"version = \"3.2\"", "smmu.bbml", "1"},
                            {"version = \"3.2\"", "smmu.hyp", "false"},
                            {"version = \"3.2\"\nstages = \"nested\"", "smmu.hyp", "true"},
                            {"version = \"3.2\"\nstages = \"2\"", "smmu.hyp", "false"},
                            {"version = \"3.3\"", "smmu.e0pd", "true"},
                            {"version = \"3.3\"", "smmu.ptwnnc", "false"},
                            {"version = \"3.3\"\nstages = \"2\"", "smmu.ptwnnc", "true"},
                            {"version = \"3.4\"", "smmu.epan", "true"},
                            {"version = \"3.4\"\nds = true", "smmu.vax", "52"},
                            {"oas = 52\ngranules = [4, 64]", "smmu.vax", "48"},
                            {"version = \"3.2\"\nbbml = 2", "smmu.bbml", "2"},
                            {"version = \"3.1\"\nstages = \"nested\"\nxnx = \"auto\"", "smmu.xnx", "true"}};
  for (const FollowRow& row : rows) {
    PlatformConfig config = load("[smmu]\n" + std::string(row.toml) + "\n");
    EXPECT_EQ(to_text(find_key(row.key)->get({&config, &config.smmus[0]})), row.value) << row.toml << " " << row.key;
  }
}

TEST(LoadConfig, EverySmmuFollowsItsOwnStages) {
  const PlatformConfig config = load("[[smmu]]\n[[smmu]]\nname = \"b\"\nstages = \"nested\"\n");
  EXPECT_FALSE(config.smmus[0].config.features.xnx);
  EXPECT_TRUE(config.smmus[1].config.features.xnx);
}

TEST(LoadConfig, TheDriversStagesFollowTheSmmus) {
  EXPECT_EQ(load("").driver.stages, DriverStages::one);
  EXPECT_EQ(load("", {"smmu.stages=nested"}).driver.stages, DriverStages::one);
  EXPECT_EQ(load("", {"smmu.stages=2"}).driver.stages, DriverStages::two);
  EXPECT_EQ(load("", {"smmu.stages=2", "driver.stages=auto"}).driver.stages, DriverStages::two);
  EXPECT_EQ(load("[[smmu]]\nstages = \"2\"\n[[smmu]]\nname = \"b\"\nstages = \"nested\"\n").driver.stages,
            DriverStages::two);
}

TEST(LoadErrors, SmmusWithoutACommonStageAreRefused) {
  const std::vector<std::string> errors = errors_of("[[smmu]]\n[[smmu]]\nname = \"b\"\nstages = \"2\"\n");
  ASSERT_EQ(errors.size(), 1u) << testing::PrintToString(errors);
  EXPECT_EQ(errors[0].find("f.toml:4:10: driver.stages = 1 is not possible with smmu.stages = 2 of SMMU b; no value"),
            0u)
      << errors[0];
}

TEST(LoadErrors, AFeatureThatWasSetAgainstTheOthersStaysAnError) {
  RecordProperty("rule", "SM-ID-008");
  const std::pair<const char*, const char*> rows[] = {
      {"stages = \"nested\"\nxnx = false\n", "f.toml:3:7: XNX is mandatory"},
      {"stages = \"2\"\nhad = true\n", "f.toml:3:7: HAD needs stage 1"},
      {"version = \"3.2\"\nfwb = false\n", "f.toml:3:7: FWB is mandatory"},
      {"version = \"3.3\"\nstages = \"1\"\nptwnnc = true\n", "f.toml:4:10: PTWNNC needs stage 2"}};
  for (const auto& [toml, begin] : rows) {
    const std::vector<std::string> errors = errors_of("[smmu]\n" + std::string(toml));
    ASSERT_EQ(errors.size(), 1u) << testing::PrintToString(errors);
    EXPECT_EQ(errors[0].find(begin), 0u) << errors[0];
  }
}

TEST(LoadConfig, TheNewestVersionBringsWhatItMakesMandatory) {
  for (const char* stages : {"1", "2", "nested"}) {
    const PlatformConfig config = load("[smmu]\nversion = \"3.4\"\nstages = \"" + std::string(stages) + "\"\n");
    EXPECT_EQ(config.smmus[0].config.features.mteperm, config.smmus[0].config.features.s2p) << stages;
  }
}

TEST(LoadConfig, TheStreamTableFollowsTheSmmu) {
  EXPECT_EQ(load("").driver.stream_table, StreamTableFormat::two_level);
  EXPECT_EQ(load("[smmu]\nst_level = 0\nsidsize = 6\n").driver.stream_table, StreamTableFormat::linear);
}

TEST(LoadConfig, FlagsTakeBooleansAndWords) {
  EXPECT_FALSE(load("[smmu]\nril = false\n").smmus[0].config.features.ril);
  EXPECT_FALSE(load("[smmu]\nmsi = \"off\"\n").smmus[0].config.features.msi);
}

TEST(LoadConfig, WhatTheSimulatedDriverCannotUseIsRefusedForItAlone) {
  const std::string toml = "[[smmu]]\ngranules = [16]\n[[smmu]]\nttendian = \"big\"\ngranules = [4, 64]\n";
  EXPECT_EQ(errors_of(toml), std::vector<std::string>{});
  EXPECT_EQ(errors_of(toml, {}, ConfigUse::simulated_driver),
            (std::vector<std::string>{
                "f.toml:2:12: smmu.granules: the simulated driver makes tables of 4 KiB pages; add 4",
                "f.toml:4:12: smmu.ttendian: the simulated driver's tables are little-endian; use ttendian = "
                "\"little\" or \"mixed\""}));
  EXPECT_EQ(errors_of("", {"smmu.granules=64"}, ConfigUse::simulated_driver),
            (std::vector<std::string>{"--set smmu.granules=64: smmu.granules: the simulated driver makes tables of "
                                      "4 KiB pages; add 4"}));
  EXPECT_EQ(errors_of("[smmu]\nttendian = \"mixed\"\n", {}, ConfigUse::simulated_driver), std::vector<std::string>{});
}

TEST(LoadConfig, WhatAReplayCannotDoWithIsRefusedForItAlone) {
  struct Row {
    const char* toml;
    const char* says;  // nullptr: nothing
  };
  const Row rows[] = {
      {"[smmu]\nstall = \"on\"\nstall_max = 16\n", nullptr},
      {"mode = \"untimed\"\n[smmu]\nstall = \"on\"\nstall_max = 16\n",
       "f.toml:3:9: smmu.stall: untimed devices can't wait for the end of a stall; use stall = \"off\" or mode = "
       "\"timed\""},
      {"[smmu]\nstall = \"forced\"\nstall_max = 16\n",
       "f.toml:2:9: smmu.stall: the simulated driver's streams do not stall, which such an SMMU refuses; use stall = "
       "\"on\" or \"off\""},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(errors_of(row.toml, {}, ConfigUse::simulated_driver), std::vector<std::string>{}) << row.toml;
    const std::vector<std::string> errors = errors_of(row.toml, {}, ConfigUse::replay);
    EXPECT_EQ(errors, row.says == nullptr ? std::vector<std::string>{} : std::vector<std::string>{row.says});
  }
}

TEST(LoadConfig, PresetsLoad) {
  for (const Preset& preset : presets()) {
    EXPECT_EQ(errors_of("preset = \"" + std::string(preset.name) + "\"\n"), std::vector<std::string>{}) << preset.name;
  }
}

TEST(LoadErrors, AllAtOnceInTheOrderOfTheFileWithLineAndColumn) {
  const std::vector<std::string> errors = errors_of(
      "mode = \"tmed\"\n[smmu]\noas = 33\nsidsze = 3\n[smmu.tbu]\nmicro_tlb_entries = 100\nlookup_cycles = -1\n",
      {"smmu.tcu.tlb_entries=x"});
  ASSERT_EQ(errors.size(), 6u);
  const char* begins[] = {"f.toml:1:8: mode = \"tmed\" ",
                          "f.toml:3:7: smmu.oas = 33 is not architected; legal are 32, ",
                          "f.toml:4:1: unknown key \"smmu.sidsze\"; the nearest is smmu.sidsize",
                          "f.toml:6:21: smmu.tbu.micro_tlb_entries = 100 ",
                          "f.toml:7:17: smmu.tbu.lookup_cycles = -1 is negative; ",
                          "--set smmu.tcu.tlb_entries=x: smmu.tcu.tlb_entries = \"x\" is not an integer; "};
  for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(errors[i].find(begins[i]), 0u) << errors[i];
}

struct Wrong {
  const char* toml;
  const char* set;    // empty: none
  const char* error;  // the beginning of the only line
};

class OneError : public testing::TestWithParam<Wrong> {};

TEST_P(OneError, IsReportedAtItsPlace) {
  const Wrong& row = GetParam();
  const std::vector<std::string> errors =
      errors_of(row.toml, *row.set == 0 ? std::vector<std::string>{} : std::vector<std::string>{row.set});
  ASSERT_EQ(errors.size(), 1u) << testing::PrintToString(errors);
  EXPECT_EQ(errors[0].find(row.error), 0u) << errors[0];
  EXPECT_NE(errors[0].find("; "), std::string::npos) << errors[0];
}

const Wrong wrongs[] = {
    {"a = [\n", "", "f.toml:1:7: this is no TOML: "},
    {"[smmu]\noas = 48\noas = 44\n", "", "f.toml:3:7: this is no TOML: "},
    {"foo = 1\n", "", "f.toml:1:1: unknown key \"foo\"; the nearest is mode"},
    {"[memoy]\nlatency_ns = 1\n", "", "f.toml:2:1: unknown key \"memoy.latency_ns\"; the nearest is memory.latency_ns"},
    {"[nothing]\n", "", "f.toml:1:2: unknown key \"nothing\""},
    {"smmu = 3\n", "", "f.toml:1:8: smmu is not a table; "},
    {"endpoint = [1, 2]\n", "", "f.toml:1:12: endpoint is not a table; "},
    {"memory = 3\n", "", "f.toml:1:1: \"memory\" is a table, not a value; write [memory]"},
    {"[[memory]]\nsize = 4096\n", "", "f.toml:1:3: \"memory\" is a table, not a value; write [memory]"},
    {"[[smmu]]\ntbu = \"x\"\n", "", "f.toml:2:1: \"smmu.tbu\" is a table, not a value; write [smmu.tbu]"},
    {"", "smmu.tcu=3", "--set smmu.tcu=3: \"smmu.tcu\" is a table, not a value; "},
    {"[smmu]\noas = \"auto\"\n", "",
     "f.toml:2:7: smmu.oas = \"auto\" is the host's, which only smmu.accel = true has; "},
    {"[[smmu]]\n[[smmu]]\n", "smmu.oas=auto", "--set smmu.oas=auto: smmu.oas = \"auto\" is the host's"},
    {"[smmu]\noas = \"auto\"\naccel = true\n", "", "f.toml:3:9: smmu.accel: "},
    {"[smmu]\noas = \"48\"\n", "", "f.toml:2:7: smmu.oas = \"48\" is not an integer; "},
    {"[smmu]\ncohacc = \"true\"\n", "",
     "f.toml:2:10: smmu.cohacc = \"true\" is a string and not a boolean; legal are true or false"},
    {"[trace]\ncheck = \"false\"\n", "", "f.toml:2:9: trace.check = \"false\" is a string and not a boolean; "},
    {"[smmu]\ngranules = [4, 16, 4]\n", "",
     "f.toml:2:12: smmu.granules = [...] has 4 twice; legal are one or more of 4, 16 or 64"},
    {"", "smmu.granules=4,0x4", "--set smmu.granules=4,0x4: smmu.granules = [...] has 0x4 twice; "},
    {"[memory]\nlatency_ns = 1.5\n", "",
     "f.toml:2:14: memory.latency_ns = a floating-point number is not an integer; "},
    {"[memory]\nlatency_ns = 1979-05-27\n", "", "f.toml:2:14: memory.latency_ns = a date or time is not an integer; "},
    {"[smmu]\ngranules = []\n", "", "f.toml:2:12: smmu.granules = [] is not a list"},
    {"[smmu]\ngranules = [4, 5]\n", "", "f.toml:2:12: smmu.granules = 5 is not architected; "},
    {"[smmu]\nstages = 1\n", "", "f.toml:2:10: smmu.stages = 1 is not a string; "},
    {"[smmu]\nsidsize = 33\n", "", "f.toml:2:11: smmu.sidsize = 33 is out of range; legal is 0 to 32"},
    {"[[endpoint]]\n", "", "f.toml:1:1: the endpoint has no address; "},
    {"[[endpoint]]\nbdf = \"00:01.8\"\n", "", "f.toml:2:7: endpoint.bdf = \"00:01.8\" is no PCI address; "},
    {"[[endpoint]]\nbdf = \"00:20.0\"\n", "", "f.toml:2:7: endpoint.bdf = \"00:20.0\" is no PCI address; "},
    {"[[endpoint]]\nbdf = \"00:01.0\"\nsmmu = \"x\"\n", "",
     "f.toml:3:8: endpoint.smmu = \"x\" names no SMMU; there is smmu0"},
    {"[endpoint]\nbdf = \"00:01.0\"\n", "", "f.toml:2:1: endpoint.bdf belongs to one device; "},
    {"[[endpoint]]\nbdf = \"00:01.0\"\n[[endpoint]]\nname = \"b\"\nstream_id = 8\n", "",
     "f.toml:5:13: two endpoints have StreamID 0x8; "},
    {"[[endpoint]]\nname = \"a\"\nstream_id = 8\n[[endpoint]]\nname = \"a\"\nstream_id = 9\n", "",
     "f.toml:5:8: two endpoints are called a; "},
    {"[[endpoint]]\nstream_id = 0x10000\n", "", "f.toml:2:13: StreamID 0x10000 has more bits than smmu.sidsize = 16; "},
    {"[[smmu]]\n[[smmu]]\n[[endpoint]]\nbdf = \"00:01.0\"\n", "", "f.toml:3:1: there are several SMMUs; "},
    {"[[smmu]]\nname = \"a\"\n[[smmu]]\nname = \"a\"\n", "", "f.toml:4:8: two SMMUs are called a; "},
    {"[[smmu]]\n[[smmu]]\nframe_base = 0x9060000\n", "", "f.toml:3:14: the registers of two SMMUs overlap"},
    {"[smmu]\nframe_base = 0x40000000\n", "", "f.toml:2:14: the SMMU's registers at 0x40000000"},
    {"[smmu]\nframe_base = 0x9050004\n", "", "f.toml:2:14: smmu.frame_base = 0x9050004 is not aligned; "},
    {"[memory]\nbase = 0x40000800\n", "", "f.toml:2:8: memory.base = 0x40000800 is not aligned; "},
    {"", "seed=9223372036854775808", "--set seed=9223372036854775808: seed = 9223372036854775808 is out of range; "},
    {"[endpoint]\noutstanding = 65536\n", "", "f.toml:2:15: endpoint.outstanding = 65536 is out of range; "},
    {"[smmu.tbu]\noutstanding = 65536\n", "", "f.toml:2:15: smmu.tbu.outstanding = 65536 is out of range; "},
    {"[msi]\nbase = 0x40000000\n", "", "f.toml:2:8: the doorbells lie in main memory; "},
    {"[memory]\nsize = 0x100000000000000\n", "", "f.toml:2:8: memory ends beyond 2^56"},
    {"[driver]\ntables_base = 0x10000\n", "", "f.toml:2:15: driver.tables_base = 0x10000 is not in main memory; "},
    {"[driver]\ntables_base = 0xc0000100\n", "", "f.toml:2:15: driver.tables_base = 0xc0000100 is not aligned; "},
    {"[smmu]\ncmdqs = 4\n", "", "f.toml:2:9: driver.command_queue_log2 is above smmu.cmdqs"},
    {"[driver]\nstream_table = \"2-level\"\n[smmu]\nst_level = 0\nsidsize = 6\n", "",
     "f.toml:2:16: driver.stream_table = \"2-level\" needs smmu.st_level = 1"},
    {"", "smmu.name=x", "--set smmu.name=x: smmu.name tells one part from another; "},
    {"", "trace.rplay=closed", "--set trace.rplay=closed: unknown key \"trace.rplay\"; the nearest is trace.replay"},
    {"", "smmu.tcu.tlb_entries=3", "--set smmu.tcu.tlb_entries=3: smmu.tcu.tlb_entries = 3 with "},
};
INSTANTIATE_TEST_SUITE_P(Rows, OneError, testing::ValuesIn(wrongs));

TEST(LoadErrors, AnEarlierErrorOfAKeyIsNotRepeatedByLaterChecks) {
  EXPECT_EQ(errors_of("[smmu.tbu]\nmicro_tlb_entries = 100\nmicro_tlb_ways = 0\n").size(), 1u);
}

TEST(LoadErrors, ABrokenFeatureRuleNamesRuleAndSection) {
  RecordProperty("rule", "SM-ID-010");
  const std::vector<std::string> errors = errors_of("[smmu]\noas = 52\n");
  ASSERT_EQ(errors.size(), 1u) << testing::PrintToString(errors);
  EXPECT_EQ(errors[0].find("f.toml:2:7: "), 0u);
  EXPECT_NE(errors[0].find("(section 6.3.6, SM-ID-010; "), std::string::npos) << errors[0];
}

TEST(LoadErrors, ASetOfHostileKeysStaysOnItsLine) {
  const std::vector<std::string> errors = errors_of("", {"a\nb\x1b[31m=1"});
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(errors[0].find('\x1b'), std::string::npos);
}

TEST(LoadErrors, CreditsBelowTheLargestTlpAreRefusedWithTheOthers) {
  const std::vector<std::string> errors = errors_of(
      "[pcie]\nmps_bytes = 4096\nposted_data_credits = 255\nnon_posted_header_credits = 1\n"
      "[[endpoint]]\nbdf = \"00:01.0\"\ncompletion_data_credits = 8\n",
      {"smmu.tcu.walkers=0"});
  ASSERT_EQ(errors.size(), 4u) << testing::PrintToString(errors);
  for (const char* words : {"smmu.tcu.walkers", "pcie.posted_data_credits = 255 is too few for pcie.mps_bytes = 4096",
                            "pcie.non_posted_header_credits = 1", "endpoint.completion_data_credits = 8"}) {
    const auto told = [&](const std::string& line) { return line.find(words) != std::string::npos; };
    EXPECT_EQ(std::count_if(errors.begin(), errors.end(), told), 1) << words << testing::PrintToString(errors);
  }
  EXPECT_TRUE(
      errors_of("[pcie]\nmps_bytes = 4096\nposted_data_credits = 256\nnon_posted_header_credits = 2\n").empty());
  EXPECT_TRUE(errors_of("[pcie]\nposted_data_credits = 0\nnon_posted_header_credits = 0\n").empty());
}

TEST(LoadErrors, StallsNeedRoomForOne) {
  EXPECT_TRUE(errors_of("[smmu]\nstall = \"on\"\nstall_max = 16\n").empty());
  const std::vector<std::string> errors = errors_of("[smmu]\nstall = \"on\"\n");
  ASSERT_EQ(errors.size(), 1u) << testing::PrintToString(errors);
  EXPECT_NE(errors[0].find("set smmu.stall_max to 1 to 65535"), std::string::npos) << errors[0];
}

/// Values that the contract has and this version does not: refused with a sentence, never ignored.
class NotSupported : public testing::TestWithParam<std::string> {};

TEST_P(NotSupported, IsRefusedWithASentence) {
  const std::vector<std::string> errors = errors_of("", {GetParam()});
  ASSERT_FALSE(errors.empty());
  bool said = false;
  for (const std::string& line : errors) said = said || line.find("this version; use ") != std::string::npos;
  EXPECT_TRUE(said) << testing::PrintToString(errors);
}

INSTANTIATE_TEST_SUITE_P(Rows, NotSupported,
                         testing::Values("smmu.ttf_lpae=true", "smmu.ttf_vmsav8_64=false", "smmu.btm=true",
                                         "smmu.atos=true", "smmu.rme_impl=true", "smmu.ecmdq=true", "smmu.d128=true",
                                         "smmu.aie=true"));

TEST(Accelerated, WhatDoesNotGoTogetherIsRefused) {
  const std::pair<std::vector<std::string>, const char*> rows[] = {
      {{"smmu.accel=true"}, "set host.mode"},
      {{"host.mode=simulated", "smmu.accel=false"}, "smmu.accel = true"},
      {{"host.mode=simulated", "smmu.stages=nested"}, "stage 2 is the host's"},
      {{"host.mode=simulated", "host.oas=56"}, "host.oas"},
      {{"host.mode=simulated", "smmu.batch_max=0"}, "smmu.batch_max"},
  };
  for (const auto& [sets, words] : rows) {
    const std::vector<std::string> errors = errors_of("", sets);
    ASSERT_EQ(errors.size(), 1u) << sets.front() << testing::PrintToString(errors);
    EXPECT_NE(errors[0].find(words), std::string::npos) << errors[0];
  }
}

TEST(Accelerated, AHostAcceleratesUnlessItIsToldNotTo) {
  const PlatformConfig config = load("", {"host.mode=simulated", "smmu.oas=44", "smmu.ats=auto"});
  EXPECT_TRUE(config.smmus[0].accel);
  EXPECT_TRUE(config.smmus[0].acceleration.ats_auto);
  EXPECT_TRUE(config.smmus[0].acceleration.ril_auto);
  EXPECT_FALSE(config.smmus[0].acceleration.oas_auto);
  EXPECT_FALSE(load("").smmus[0].accel);
}

TEST(NotSupported, TheContractsExampleLoads) {
  const PlatformConfig config = load(
      "mode = \"timed\"\n[smmu]\noas = 48\nsidsize = 16\nssidsize = 20\nstages = \"nested\"\ngranules = [4, 16, 64]\n"
      "ril = \"on\"\nats = \"on\"\naccel = false\nversion = \"3.4\"\npri = true\n[[endpoint]]\nname = \"nvme0\"\n"
      "bdf = \"00:01.0\"\nats = \"auto\"\nats_capability = true\nhost_ats = \"supported\"\n[host]\nmode = \"none\"\n"
      "oas_check = \"aperture\"\n[trace]\nreplay = \"closed\"\n");
  const spec::Features& features = config.smmus[0].config.features;
  EXPECT_TRUE(features.ats && features.pri);
}

TEST(NotSupported, ADeviceThatCouldDoAtsMayStandBehindAnSmmuWithout) {
  const PlatformConfig config = load(
      "[[endpoint]]\nname = \"nvme0\"\nbdf = \"00:01.0\"\nats = \"auto\"\nats_capability = true\n"
      "host_ats = \"supported\"\n");
  EXPECT_TRUE(config.endpoints[0].ats_capability);
}

TEST(LoadConfig, SeedsReachAsFarAsIntegersOfToml) {
  EXPECT_EQ(load("seed = 9223372036854775807\n").seed, ~std::uint64_t{0} >> 1);
  EXPECT_EQ(load("", {"seed=9223372036854775807"}).seed, ~std::uint64_t{0} >> 1);
}

TEST(Show, TomlGivesTheSameConfigurationAgain) {
  const std::string files[] = {
      "",
      "preset = \"hypertrio\"\n",
      "[smmu]\nstages = \"nested\"\nversion = \"3.3\"\n[driver]\nstages = \"nested\"\n",
      "[smmu]\nstages = \"2\"\n",
      "[smmu]\noas = 40\n[endpoint]\noutstanding = 9\n",
      "[[smmu]]\n[[smmu]]\nname = \"b\\\"\"\n[[endpoint]]\nbdf = \"03:00.1\"\nsmmu = \"b\\\"\"\n"};
  for (const std::string& file : files) {
    const PlatformConfig config = load(file);
    const std::string shown = config_to_toml(config);
    const PlatformConfig again = load(shown);
    EXPECT_EQ(config_to_json(config), config_to_json(again)) << shown;
    EXPECT_EQ(config_to_toml(again), shown);
  }
}

TEST(Show, JsonIsNestedAsTheKeysAre) {
  const auto json = config_to_json(load("[[endpoint]]\nname = \"n\"\nbdf = \"00:01.0\"\n"));
  EXPECT_EQ(json["mode"], "timed");
  EXPECT_EQ(json["smmu"]["oas"], 48);
  EXPECT_EQ(json["smmu"]["tcu"]["tlb_entries"], 2048);
  EXPECT_EQ(json["smmu"]["granules"], nlohmann::ordered_json::array({4}));
  EXPECT_EQ(json["endpoint"][0]["stream_id"], 8);
}

}  // namespace
}  // namespace smmusim
