// SPDX-License-Identifier: MIT
// The program from outside: exit codes, what goes to which stream, one line per error, help, decode, traces.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "platform/config/version.h"
#include "tests/cli/process.h"

namespace smmusim::test {
namespace {

using Arguments = std::vector<std::string>;

struct BadCall {
  Arguments arguments;
  const char* says;
};

class BadInput : public testing::TestWithParam<BadCall> {};

TEST_P(BadInput, IsExitTwoWithOneLineAndNothingElse) {
  const Finished finished = run_program(GetParam().arguments);
  EXPECT_EQ(finished.exit_code, 2);
  EXPECT_EQ(finished.out, "");
  const std::vector<std::string> lines = lines_of(finished.err);
  ASSERT_EQ(lines.size(), 1u) << finished.err;
  EXPECT_EQ(lines[0].find("smmusim: "), 0u) << lines[0];
  EXPECT_NE(lines[0].find("; "), std::string::npos) << lines[0];
  EXPECT_NE(lines[0].find(GetParam().says), std::string::npos) << lines[0];
}

const BadCall bad_calls[] = {
    {{}, "see smmusim --help"},
    {{"runn"}, "unknown command \"runn\"; known are run, sweep, report, trace, decode, config"},
    {{"trace", "impot"}, "unknown command \"impot\"; known are import, info, gen, export"},
    {{"trace"}, "see smmusim trace --help"},
    {{"config"}, "see smmusim config --help"},
    {{"run"}, "there is no trace to replay; give --trace FILE"},
    {{"run", "--foo"}, "--foo"},
    {{"run", "--trace"}, "see smmusim run --help"},
    {{"run", "--trace", "no/such.trace"}, "no/such.trace: "},
    {{"run", "no/such.toml"}, "no/such.toml: No such file"},
    {{"run", "--trace", "t", "--mode", "tmed"},
     "--mode tmed: mode = \"tmed\" is not possible; legal are timed or untimed"},
    {{"run", "--trace", "t", "--seed", "-1"}, "--seed -1: seed = \"-1\" is not an integer"},
    {{"run", "--trace", "t", "--set", "smmu.oass=48"},
     "--set smmu.oass=48: unknown key \"smmu.oass\"; the nearest is smmu.oas"},
    {{"run", "--trace", "t", "--set", "smmu.oas"}, "write --set KEY=VALUE"},
    {{"sweep", "--out", "d"}, "--vary"},
    {{"sweep", "--vary", "seed=1,2"}, "--out"},
    {{"sweep", "--vary", "seed", "--out", "d"}, "write --vary KEY=VALUE"},
    {{"sweep", "--vary", "smmu.oas=32,33", "--out", "d"}, "smmu.oas = 33 is not architected"},
    {{"sweep", "--vary", "smmu.oss=32", "--out", "d"}, "the nearest is smmu.oas"},
    {{"sweep", "--vary", "seed=1", "--out", "d", "--jobs", "0"}, "--jobs \"0\""},
    {{"decode", "stee", "0"}, "unknown kind \"stee\"; known are ste, cd, "},
    {{"decode", "ste", "0", "1"}, "2 words are given; ste is 8 words of 64 bits"},
    {{"decode", "cd"}, "see smmusim decode --help"},
    {{"decode", "command", "0x1", "xyz"}, "\"xyz\" is no hexadecimal number of 64 bits"},
    {{"decode", "command", "0x1", "0x10000000000000000"}, "is no hexadecimal number of 64 bits"},
    {{"decode", "idr0", "0x100000000"}, "32"},
    {{"trace", "export", "--to", "text", "no/such.trace"}, "no/such.trace: "},
    {{"sweep", "--trace", "no/such.trace", "--vary", "seed=1", "--out", "d"}, "no/such.trace: "},
    {{"sweep", "--vary", "seed=1,2", "--vary", "seed=3", "--out", "d"}, "seed is varied twice"},
    {{"sweep", "--vary", "seed=1", "--out", "d", "--executor", "cloud"}, "known are local, slurm"},
    {{"config", "show", "no/such.toml"}, "no/such.toml: "},
    {{"trace", "info", "no/such.trace"}, "no/such.trace: "},
    {{"trace", "gen", "zigzag", "-o", "no/such/folder/out.trace"}, "unknown pattern 'zigzag'"},
    {{"trace", "gen", "random", "-o", "no/such/folder/out.trace", "--count", "ten"}, "--count \"ten\""},
    {{"trace", "import", "--from", "punch-cards", "in", "-o", "no/such/folder/out.trace"},
     "unknown format 'punch-cards'"},
};
INSTANTIATE_TEST_SUITE_P(Rows, BadInput, testing::ValuesIn(bad_calls));

TEST(BadInputFiles, EveryErrorOfAConfigurationIsOneLineWithItsPlace) {
  const TemporaryFolder folder;
  const std::string path = folder.write("c.toml", "mode = 1\n[smmu]\nsidsze = 3\noas = 33\n");
  const Finished finished = run_program({"config", "show", path});
  EXPECT_EQ(finished.exit_code, 2);
  EXPECT_EQ(finished.out, "");
  const std::vector<std::string> lines = lines_of(finished.err);
  ASSERT_EQ(lines.size(), 3u) << finished.err;
  EXPECT_EQ(lines[0].find("smmusim: " + path + ":1:8: "), 0u);
  EXPECT_EQ(lines[1].find("smmusim: " + path + ":3:1: "), 0u);
  EXPECT_EQ(lines[2].find("smmusim: " + path + ":4:7: "), 0u);
}

TEST(BadInputFiles, AFolderIsNoConfiguration) {
  const TemporaryFolder folder;
  EXPECT_EQ(run_program({"config", "show", folder.path("")}).exit_code, 2);
}

TEST(BadInputFiles, GarbageIsNoConfiguration) {
  const TemporaryFolder folder;
  const std::string path = folder.write("c.toml", std::string("\x00\xff\xfe[[[\x1b", 7));
  EXPECT_EQ(run_program({"config", "show", path}).exit_code, 2);
}

TEST(BadInputFiles, ARunThatIsRefusedWritesNoFile) {
  const TemporaryFolder folder;
  const std::string trace = folder.write("t.trace", "this is no trace\n");
  const Finished finished = run_program({"run", "--trace", trace, "--json", folder.path("out.json")});
  EXPECT_EQ(finished.exit_code, 2);
  EXPECT_EQ(finished.out, "");
  EXPECT_EQ(folder.list(), std::vector<std::string>{"t.trace"});
}

TEST(BadInputFiles, ASweepWithAnImpossiblePointWritesNothing) {
  const TemporaryFolder folder;
  ASSERT_EQ(run_program({"trace", "gen", "random", "--count", "10", "-o", folder.path("t.trace")}).exit_code, 0);
  const Finished finished =
      run_program({"sweep", "--trace", folder.path("t.trace"), "--vary", "smmu.oas=48,52", "--out", folder.path("d")});
  EXPECT_EQ(finished.exit_code, 2);
  EXPECT_EQ(folder.list(), std::vector<std::string>{"t.trace"});
}

TEST(Help, EveryCommandHasOneWithAnExample) {
  for (const Arguments& command : {Arguments{},
                                   {"run"},
                                   {"sweep"},
                                   {"trace"},
                                   {"trace", "import"},
                                   {"trace", "info"},
                                   {"trace", "gen"},
                                   {"trace", "export"},
                                   {"decode"},
                                   {"config"},
                                   {"config", "keys"},
                                   {"config", "show"}}) {
    Arguments arguments = command;
    arguments.push_back("--help");
    const Finished finished = run_program(arguments);
    EXPECT_EQ(finished.exit_code, 0);
    EXPECT_EQ(finished.err, "");
    EXPECT_NE(finished.out.find("Example:\n  smmusim "), std::string::npos) << finished.out;
  }
}

TEST(Help, ImportListsTheFormats) {
  EXPECT_NE(run_program({"trace", "import", "--help"}).out.find("qemu-log: "), std::string::npos);
}

TEST(Version, IsThatOfTheBuild) {
  const std::string version(program_version);
  EXPECT_EQ(run_program({"--version"}).out, "smmusim " + version + "\n");
  EXPECT_NE(read_text(SMMUSIM_SOURCE_DIR "/CMakeLists.txt").find("project(smmusim VERSION " + version + " "),
            std::string::npos);
}

TEST(Colour, NeverReachesAFileNorWithNoColor) {
  for (const char* variable : {"NO_COLOR=1", "TERM=xterm-256color"}) {
    for (const Arguments& arguments : {Arguments{"config", "keys"}, {"decode", "idr5", "0x55"}, {"run"}, {"--help"}}) {
      const Finished finished = run_program(arguments, {variable});
      EXPECT_EQ((finished.out + finished.err).find('\x1b'), std::string::npos);
    }
  }
}

TEST(ConfigKeys, JsonHasEveryColumn) {
  const Finished finished = run_program({"config", "keys", "--json"});
  EXPECT_EQ(finished.exit_code, 0);
  const auto keys = nlohmann::json::parse(finished.out);
  ASSERT_GT(keys.size(), 100u);
  for (const auto& row : keys) {
    for (const char* column : {"key", "type", "default", "unit", "range", "meaning", "origin"}) {
      EXPECT_TRUE(row.contains(column)) << row;
    }
  }
}

TEST(ConfigKeys, TextNamesTheSameKeys) {
  const std::string text = run_program({"config", "keys"}).out;
  for (const auto& row : nlohmann::json::parse(run_program({"config", "keys", "--json"}).out)) {
    EXPECT_NE(text.find(row["key"].get<std::string>() + " = "), std::string::npos) << row;
  }
}

TEST(ConfigShow, TellsWhetherEachEndpointDoesAts) {
  const Finished masked = run_program(
      {"config", "show", "--set", "endpoint.ats_capability=true", "--set", "endpoint.host_ats=not-supported"});
  EXPECT_NE(masked.out.find("# every endpoint: ATS off, the host kernel reports"), std::string::npos) << masked.out;
  EXPECT_NE(masked.out.find("; warning: "), std::string::npos);
  const Finished json = run_program({"config", "show", "--json", "--set", "endpoint.ats_capability=true"});
  EXPECT_EQ(nlohmann::json::parse(json.out)["ats_outcome"].size(), 1u);
}

TEST(ExplainAts, NamesWhatStopsIt) {
  const Finished finished = run_program(
      {"explain", "--ats", "--sid", "8", "--json", "--set", "endpoint.ats_capability=true", "--set", "smmu.ats=off"});
  ASSERT_EQ(finished.exit_code, 0) << finished.err;
  const auto told = nlohmann::json::parse(finished.out);
  EXPECT_FALSE(told["ats"]);
  std::vector<bool> holds;
  for (const auto& one : told["conditions"]) holds.push_back(one["holds"]);
  EXPECT_EQ(holds, (std::vector<bool>{true, true, false, true, false, false}));
}

TEST(ExplainAts, IsAboutOneDevice) {
  EXPECT_EQ(run_program({"explain", "--ats"}).exit_code, 2);
  EXPECT_EQ(run_program({"explain", "--ats", "--sid", "8", "--address", "0"}).exit_code, 2);
}

TEST(RunLadder, HasALineForEveryTlp) {
  const TemporaryFolder folder;
  const std::string trace = folder.write("two.trace",
                                         "smmusim-trace text 1\n"
                                         "0 read sid=8 addr=0x1000 size=64 pa=0x41000000 perm=rw\n"
                                         "1 write sid=8 addr=0x1040 size=64 pa=0x41000040 perm=rw\nend\n");
  const std::string ladder = folder.path("ladder.txt");
  ASSERT_EQ(run_program({"run", "--trace", trace, "--ladder", ladder}).exit_code, 0);
  std::ifstream file(ladder);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  EXPECT_NE(text.find("MRd 0x1000 64B"), std::string::npos) << text;
  EXPECT_NE(text.find("CplD"), std::string::npos) << text;
  EXPECT_NE(text.find("MWr 0x1040 64B"), std::string::npos) << text;
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 4) << text;
}

TEST(ConfigShow, PrintsTheResolvedConfiguration) {
  const TemporaryFolder folder;
  const std::string path = folder.write("c.toml", "[smmu]\noas = 44\n");
  const Finished finished = run_program({"config", "show", path, "--set", "seed=0x20"});
  EXPECT_EQ(finished.exit_code, 0);
  EXPECT_NE(finished.out.find("\noas = 44\n"), std::string::npos);
  EXPECT_NE(finished.out.find("seed = 32\n"), std::string::npos);
}

TEST(ConfigShow, TakesItsOwnOutput) {
  const TemporaryFolder folder;
  const std::string shown = run_program({"config", "show", "--set", "preset=mmu600-like"}).out;
  EXPECT_EQ(run_program({"config", "show", folder.write("c.toml", shown)}).out, shown);
}

struct Sample {
  Arguments arguments;
  std::vector<const char*> lines;
};

class Decode : public testing::TestWithParam<Sample> {};

TEST_P(Decode, PrintsFieldsWithMeaning) {
  Arguments arguments = GetParam().arguments;
  arguments.insert(arguments.begin(), "decode");
  const Finished finished = run_program(arguments);
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  for (const char* line : GetParam().lines)
    EXPECT_NE(finished.out.find(line), std::string::npos) << line << "\n" << finished.out;
}

// Made by hand from the bit positions of IHI 0070.
const Sample samples[] = {
    // V=1, Config=0b101, S1ContextPtr=0x12345000
    {{"ste", "0x1234500b", "0", "0", "0", "0", "0", "0", "0"},
     {"Config = 0x5", "S1ContextPtr = 0x12345000", "V = 0x1"}},
    // TTB0=0x41387000 in the second doubleword, bits [119:68]
    {{"cd", "0x0", "0x41387000", "0", "0", "0", "0", "0", "0"}, {"TTB0 = 0x41387000"}},
    // L2Ptr=0x80000000, Span=9
    {{"l1std", "0x80000009"}, {"Span = 0x9", "L2Ptr = 0x80000000"}},
    // CMD_TLBI_NH_VA: ASID=2, VMID=0, Leaf=1, Address=0xffffd000
    {{"command", "0x2000000000012", "0xffffd001"},
     {"CMD_TLBI_NH_VA", "ASID = 0x2", "Leaf = 0x1", "Address = 0xffffd000"}},
    // the same as 32-bit words, lower halves first
    {{"command", "12", "20000", "ffffd001", "0"}, {"CMD_TLBI_NH_VA", "ASID = 0x2", "Address = 0xffffd000"}},
    // CMD_SYNC, CS=1
    {{"command", "0x1046", "0"}, {"CMD_SYNC", "CS = 0x1 (IRQ)"}},
    // F_TRANSLATION (0x10) of StreamID 8
    {{"event", "0x800000010", "0", "0xffffd000", "0"}, {"F_TRANSLATION", "StreamID = 0x8", "InputAddr = 0xffffd000"}},
    // OAS=5, GRAN4K, GRAN64K
    {{"idr5", "0x55"}, {"OAS = 0x5 (48bit)", "GRAN64K = 0x1", "GRAN16K = 0x0"}},
    // a reserved bit
    {{"l1std", "0x8000000000000009"}, {"reserved bits set: 63"}},
};
INSTANTIATE_TEST_SUITE_P(Rows, Decode, testing::ValuesIn(samples));

TEST(DecodeJson, HoldsTheFields) {
  const auto json = nlohmann::json::parse(run_program({"decode", "idr5", "0x55", "--json"}).out);
  EXPECT_EQ(json["kind"], "idr5");
  EXPECT_EQ(json["fields"][0]["name"], "OAS");
  EXPECT_EQ(json["fields"][0]["value"], "0x5");
  EXPECT_EQ(json["fields"][0]["meaning"], "48bit");
  EXPECT_EQ(json["fields"][0]["bits"], "2:0");
}

TEST(TraceCommands, GenerateInfoExportImport) {
  const TemporaryFolder folder;
  const std::string made = folder.path("a.trace");
  EXPECT_EQ(run_program({"trace", "gen", "random", "--count", "0x64", "-o", made}).exit_code, 0);
  EXPECT_EQ(nlohmann::json::parse(run_program({"trace", "info", made, "--json"}).out)["records"], 100);
  EXPECT_EQ(run_program({"trace", "export", "--to", "text", made, "-o", folder.path("a.txt")}).exit_code, 0);
  EXPECT_EQ(
      run_program({"trace", "import", "--from", "text", folder.path("a.txt"), "-o", folder.path("b.trace")}).exit_code,
      0);
  EXPECT_EQ(read_text(folder.path("b.trace")), read_text(made));
}

}  // namespace
}  // namespace smmusim::test
