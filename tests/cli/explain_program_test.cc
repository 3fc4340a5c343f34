// SPDX-License-Identifier: MIT
// `smmusim explain` from outside: dumps, the driver's tables, batches, and everything that is wrong input.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/cli/explain_world.h"
#include "tests/cli/process.h"

namespace smmusim::test {
namespace {

using Arguments = std::vector<std::string>;

/// A World as files, and the arguments that name them.
struct DumpFiles {
  explicit DumpFiles(const World& world = {})
      : image(folder.write("dump.pages", world.pages_text())),
        registers(folder.write("registers.txt", world.registers_text())) {}
  Arguments arguments(const Arguments& more = {}) const {
    Arguments all{"explain", "--image", image, "--registers", registers};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  TemporaryFolder folder;
  std::string image;
  std::string registers;
};

const Arguments the_access{"--sid", "8", "--address", "0x12345678"};

Arguments operator+(Arguments a, const Arguments& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

void expect_refused(const Finished& finished, const std::string& says) {
  EXPECT_EQ(finished.exit_code, 2);
  EXPECT_EQ(finished.out, "");
  const std::vector<std::string> lines = lines_of(finished.err);
  ASSERT_EQ(lines.size(), 1u) << finished.err;
  EXPECT_EQ(lines[0].find("smmusim: "), 0u) << lines[0];
  EXPECT_NE(lines[0].find("; "), std::string::npos) << lines[0];
  EXPECT_NE(lines[0].find(says), std::string::npos) << lines[0];
}

TEST(ExplainProgram, TellsADumpAsTheLibraryDoes) {
  World world;
  const Finished finished = run_program(DumpFiles(world).arguments(the_access));
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_EQ(finished.err, "");
  EXPECT_EQ(finished.out, explain::to_text(world.tell(), false));
}

TEST(ExplainProgram, AFaultIsToldWithExitCodeZero) {
  World world;
  world.put(world.stage2_descriptor(World::page, 3), 0);
  const Finished finished = run_program(DumpFiles(world).arguments(the_access + Arguments{"--write", "--json"}));
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  const auto json = nlohmann::json::parse(finished.out);
  EXPECT_EQ(json["outcome"], "abort");
  EXPECT_EQ(json["event"]["name"], "F_TRANSLATION");
  EXPECT_EQ(json["request"]["access"], "write");
}

TEST(ExplainProgram, EveryOptionOfTheAccessArrives) {
  const DumpFiles files;
  const Finished finished = run_program(
      files.arguments(the_access + Arguments{"--ssid", "3", "--size", "8", "--instruction", "--privileged", "--json"}));
  const auto request = nlohmann::json::parse(finished.out)["request"];
  EXPECT_EQ(request["ssid"], 3);
  EXPECT_EQ(request["size"], 8);
  EXPECT_EQ(request["instruction"], true);
  EXPECT_EQ(request["privileged"], true);
}

TEST(ExplainProgram, AnAbsentPageReadsAsZeroAndStrictMakesItAnAbort) {
  World world;
  for (std::uint64_t at = 0; at != 64; at += 8) world.forget(World::contexts + World::offset + at);
  const DumpFiles files(world);
  const Finished lenient = run_program(files.arguments(the_access));
  EXPECT_NE(lenient.out.find("\nC_BAD_CD: "), std::string::npos) << lenient.out << lenient.err;
  const Finished strict = run_program(files.arguments(the_access + Arguments{"--strict"}));
  EXPECT_NE(strict.out.find("\nF_CD_FETCH: there is no memory at 0x150000000"), std::string::npos) << strict.out;
}

TEST(ExplainProgram, TheSmmusOwnFrameCantBeRead) {
  const DumpFiles files;
  const Finished finished = run_program(files.arguments(the_access + Arguments{"--frame", "0x40000000"}));
  EXPECT_NE(finished.out.find("\nF_STE_FETCH: 0x40000200 lies in the SMMU's own registers"), std::string::npos)
      << finished.out;
}

TEST(ExplainProgram, TheRealDumpTranslatesAsQemuLogged) {
  const std::string data = std::string(SMMUSIM_SOURCE_DIR) + "/tests/oracle/data/";
  const TemporaryFolder folder;
  const std::string registers =
      folder.write("registers.txt",
                   "IDR0 = 0xd44101a\nIDR1 = 0x2730010\n0xc = 0x1404\nIDR5 = 0x74\n"
                   "CR1 = 0xd75\nCR2 = 6\nSTRTAB_BASE = 0x400000004195d000\n"
                   "STRTAB_BASE_CFG = 0x10210\nCMDQ_BASE = 0x4000000041c00012\nCMDQ_PROD = 5\n"
                   "EVENTQ_BASE = 0x4000000042000011\nCR0 = 0xd\n");
  const Finished finished = run_program({"explain", "--image", data + "linux72-nvme-mixed-full.pages.zst",
                                         "--registers", registers, "--sid", "8", "--address", "0xffffd000"});
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  // smmuv3_get_ste, smmuv3_get_cd, smmu_get_pte and smmuv3_translate_success of the log.
  for (const char* part : {"STE @0x412c8200", "CD @0x41964000", "descriptor @0x41963000", "descriptor @0x413ef018",
                           "descriptor @0x413f0ff8", "descriptor @0x413f1fe8", "proceed, PA 0x413f3000"}) {
    EXPECT_NE(finished.out.find(part), std::string::npos) << part << "\n" << finished.out;
  }
}

TEST(ExplainProgram, WithoutADumpTheDriversTablesAreTold) {
  const Finished finished = run_program({"explain", "--sid", "0", "--address", "0x1000"});
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_NE(finished.out.find("the driver's tables and registers before any mapping"), std::string::npos)
      << finished.out;
  EXPECT_NE(finished.out.find("\nF_TRANSLATION, stage 1: "), std::string::npos) << finished.out;
}

TEST(ExplainProgram, ATraceFillsTheDriversTables) {
  const TemporaryFolder folder;
  const std::string trace = folder.path("t.trace");
  ASSERT_EQ(run_program({"trace", "gen", "sequential", "--count", "16", "--size", "4096", "-o", trace}).exit_code, 0);
  const Finished first = run_program({"explain", "--trace", trace, "--sid", "8", "--address", "0x10000010"});
  EXPECT_EQ(first.exit_code, 0) << first.err;
  EXPECT_NE(first.out.find("as record 1 of "), std::string::npos) << first.out;
  EXPECT_NE(first.out.find("\nthe access proceeds to PA 0x"), std::string::npos) << first.out;
  const Finished before =
      run_program({"explain", "--trace", trace, "--record", "1", "--sid", "8", "--address", "0x10001000"});
  EXPECT_NE(before.out.find("\nF_TRANSLATION, stage 1: "), std::string::npos) << before.out;
  expect_refused(run_program({"explain", "--trace", trace, "--record", "99", "--sid", "8", "--address", "0"}),
                 "has 16 records");
}

struct BadCall {
  Arguments arguments;
  const char* says;
};
class ExplainBadCall : public testing::TestWithParam<BadCall> {};

TEST_P(ExplainBadCall, IsExitTwo) {
  expect_refused(run_program(Arguments{"explain"} + GetParam().arguments), GetParam().says);
}

const BadCall bad_calls[] = {
    {{}, "explain: there is no stream; give --sid N"},
    {{"--sid", "1"}, "explain: there is no address; give --address A"},
    {{"--sid", "0x100000000", "--address", "0"}, "--sid \"0x100000000\""},
    {{"--sid", "0", "--address", "0", "--ssid", "0x100000"}, "--ssid \"0x100000\""},
    {{"--sid", "0", "--address", "0xfff", "--size", "2"}, "crosses a 4 KiB boundary"},
    {{"--sid", "0", "--address", "0", "--write", "--atomic"}, "one of --write and --atomic"},
    {{"--sid", "0", "--address", "0", "--image", "a"}, "give both"},
    {{"--sid", "0", "--address", "0", "--registers", "a"}, "give both"},
    {{"--sid", "0", "--address", "0", "--strict"}, "--strict and --frame are for a dump"},
    {{"--sid", "0", "--address", "0", "--record", "1"}, "--record: there is no trace"},
    {{"--sid", "0", "--address", "0", "--smmu", "smmu7"}, "--smmu smmu7: there is no such SMMU; there are smmu0"},
    {{"--sid", "0", "--address", "0", "--image", "a", "--registers", "b", "--trace", "c"},
     "leave them out with a dump"},
    {{"--batch", "a", "--sid", "0"}, "the lines of --batch say which accesses"},
    {{"--batch", "no/such.jsonl"}, "no/such.jsonl: "},
    {{"--sid", "0", "--address", "0", "--trace", "no/such.trace"}, "no/such.trace: "},
    {{"no/such.toml", "--sid", "0", "--address", "0"}, "no/such.toml: "},
};
INSTANTIATE_TEST_SUITE_P(Every, ExplainBadCall, testing::ValuesIn(bad_calls));

TEST(ExplainFiles, ATruncatedRecordIsNamedByItsOffset) {
  const World world;
  DumpFiles files(world);
  const std::string pages = world.pages_text();
  files.image = files.folder.write("cut.pages", pages.substr(0, 4104 + 100));
  expect_refused(run_program(files.arguments(the_access)),
                 "cut.pages: byte 4104: the record that begins here has 100 bytes");
}

TEST(ExplainFiles, AnUnalignedOrRepeatedPageIsRefused) {
  const World world;
  DumpFiles files(world);
  std::string pages = world.pages_text().substr(0, 4104);
  files.image = files.folder.write("twice.pages", pages + pages);
  expect_refused(run_program(files.arguments(the_access)), "twice.pages: byte 4104: page 0x40000000 is there twice");
  pages[0] = 1;
  files.image = files.folder.write("odd.pages", pages);
  expect_refused(run_program(files.arguments(the_access)), "odd.pages: byte 0: 0x40000001 is no address of a page");
}

TEST(ExplainFiles, RegisterLinesAreRefusedWithTheirNumber) {
  const std::pair<const char*, const char*> lines[] = {{"NOSUCH = 1", ":3: unknown register \"NOSUCH\""},
                                                       {"CR0 = x", ":3: \"x\" is no number"},
                                                       {"CR0 1", ":3: no register line: \"CR0 1\""},
                                                       {"CR1 = 2", ":3: CR1 is there twice"}};
  for (const auto& [line, says] : lines) {
    DumpFiles files;
    files.registers = files.folder.write("r.txt", std::string("CR1 = 1\n\n") + line + "\n");
    expect_refused(run_program(files.arguments(the_access)), std::string("r.txt") + says);
  }
}

TEST(ExplainFiles, ContradictoryIdRegistersAreRefusedWithTheFile) {
  DumpFiles files;
  files.registers = files.folder.write("r.txt", "IDR1 = 0x3f\n");  // SIDSIZE 63
  expect_refused(run_program(files.arguments(the_access)), "r.txt: the ID registers contradict each other: ");
}

TEST(ExplainFiles, EachContradictionOfIdRegistersNamesTheFile) {
  DumpFiles files;
  files.registers = files.folder.write("r.txt", "IDR0 = 0\nIDR1 = 0x3f\nIDR5 = 0\n");
  const Finished finished = run_program(files.arguments(the_access));
  EXPECT_EQ(finished.exit_code, 2);
  const std::vector<std::string> lines = lines_of(finished.err);
  EXPECT_GT(lines.size(), 1u);
  for (const std::string& line : lines) {
    EXPECT_TRUE(line.starts_with("smmusim: " + files.registers + ": the ID registers contradict each other: ")) << line;
  }
}

std::string question(const World& world) {
  nlohmann::json line{{"sid", 8}, {"ssid", nullptr}, {"address", "0x12345678"}, {"write", true}};
  for (const auto& [name, value] : world.registers) line["registers"][name] = value;
  const spec::IdRegisters ids = spec::id_registers(world.features);
  for (const int n : {0, 1, 3, 5}) line["registers"]["IDR" + std::to_string(n)] = ids.idr[n];
  const std::string pages = world.pages_text();
  for (std::size_t at = 0; at != pages.size(); at += 4104) {
    const auto word = [&](std::size_t where) {
      std::uint64_t value = 0;
      for (unsigned i = 0; i != 8; ++i) value |= std::uint64_t{static_cast<unsigned char>(pages[where + i])} << (8 * i);
      return value;
    };
    for (std::size_t i = 0; i != 4096; i += 8) {
      const std::uint64_t value = word(at + 8 + i);
      if (value != 0) line["words"][fmt::format("0x{:x}", word(at) + i)] = fmt::format("0x{:x}", value);
    }
  }
  return line.dump() + "\n";
}

TEST(ExplainBatch, EachLineIsAnsweredFromItsOwnWords) {
  World broken;
  broken.put(broken.stage1_descriptor(3), 0);
  const TemporaryFolder folder;
  const std::string file = folder.write("b.jsonl", question(World()) + question(broken) + "\n" + question(World()));
  const Finished finished = run_program({"explain", "--batch", file});
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  const std::vector<std::string> lines = lines_of(finished.out);
  ASSERT_EQ(lines.size(), 3u) << finished.out;
  EXPECT_EQ(lines[0], R"({"outcome":"proceed","pa":"0x160000678","event":null})");
  EXPECT_EQ(lines[1], R"({"outcome":"abort","pa":null,"event":["0x800000010","0x20000000000","0x12345678","0x0"]})");
  EXPECT_EQ(lines[2], lines[0]);
}

TEST(ExplainBatch, LinesLieOverTheDump) {
  World world;
  const DumpFiles files(world);
  const std::string spoiled = fmt::format("{{\"sid\":8,\"address\":\"0x12345678\",\"words\":{{\"0x{:x}\":\"0x0\"}}}}\n",
                                          world.stage1_descriptor(3));
  const std::string file =
      files.folder.write("b.jsonl", "{\"sid\":8,\"address\":305419896}\n" + spoiled +
                                        "{\"sid\":8,\"address\":\"0x12345678\",\"registers\":{\"CR0\":0}}\n");
  const Finished finished = run_program(files.arguments({"--batch", file}));
  const std::vector<std::string> lines = lines_of(finished.out);
  ASSERT_EQ(lines.size(), 3u) << finished.out << finished.err;
  EXPECT_EQ(lines[0], R"({"outcome":"proceed","pa":"0x160000678","event":null})");
  EXPECT_EQ(lines[1].find(R"({"outcome":"abort","pa":null,"event":["0x800000010",)"), 0u) << lines[1];
  EXPECT_EQ(lines[2], R"({"outcome":"proceed","pa":"0x12345678","event":null})");
}

TEST(ExplainBatch, AFlagThatIsFalseIsAsIfItWereAbsent) {
  const World world;
  const DumpFiles files(world);
  const std::string access = "{\"sid\":8,\"address\":\"0x12345678\"";
  const std::string file = files.folder.write("b.jsonl", access + ",\"write\":false,\"atomic\":true}\n" + access +
                                                             ",\"atomic\":false,\"write\":true}\n" + access +
                                                             ",\"words\":{\"0x8\":0},\"registers\":{}}\n");
  const Finished finished = run_program(files.arguments({"--batch", file}));
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_EQ(lines_of(finished.out).size(), 3u);
}

class ExplainBadBatch : public testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(ExplainBadBatch, IsRefusedWithItsLine) {
  const auto& [line, says] = GetParam();
  const TemporaryFolder folder;
  const std::string file = folder.write("b.jsonl", std::string("{\"sid\":8,\"address\":0}\n") + line + "\n");
  expect_refused(run_program({"explain", "--batch", file}), std::string("b.jsonl:2: ") + says);
}

const std::pair<const char*, const char*> bad_lines[] = {
    {"{\"sid\":8", "column 9 is no JSON"},
    {"[]", "the line is no JSON object"},
    {"{\"sid\":8}", "there is no \"address\""},
    {"{\"address\":8}", "there is no \"sid\""},
    {"{\"sid\":-1,\"address\":8}", "\"sid\" is -1"},
    {"{\"sid\":1.5,\"address\":8}", "\"sid\" is 1.5"},
    {"{\"sid\":8,\"address\":\"0x1ffffffffffffffff\"}", "\"address\" is"},
    {"{\"sid\":8,\"address\":8,\"ssid\":1048576}", "\"ssid\" is 1048576"},
    {"{\"sid\":8,\"address\":8,\"write\":1}", "\"write\" is 1; it is true or false"},
    {"{\"sid\":8,\"address\":8,\"wirte\":true}", "unknown key \"wirte\""},
    {"{\"sid\":8,\"address\":8,\"words\":{\"0x4\":0}}", "words: \"0x4\" is no address of a doubleword"},
    {"{\"sid\":8,\"address\":8,\"sid\":9}", "\"sid\" is there twice"},
    {"{\"sid\":8,\"address\":8,\"words\":{\"0x8\":0,\"0x10\":1,\"0x8\":0}}", "\"0x8\" is there twice"},
    {"{\"sid\":8,\"address\":8,\"words\":{\"0x8\":0,\"0x10\":1,\"8\":0}}", "words: 0x8 is there twice"},
    {"{\"sid\":8,\"address\":8,\"registers\":{\"CR0\":0,\"0x20\":1}}", "CR0 is there twice"},
    {"{\"sid\":8,\"address\":8,\"registers\":{\"CR0\":0,\"CR0\":0}}", "\"CR0\" is there twice"},
    {"{\"sid\":8,\"address\":8,\"write\":true,\"atomic\":true}", "\"write\" and \"atomic\" are both true"},
    {"{\"sid\":8,\"address\":8,\"words\":7}", "\"words\" is no object"},
    {"{\"sid\":8,\"address\":8,\"registers\":{\"IDR0\":0}}", "the ID registers contradict each other"},
};
INSTANTIATE_TEST_SUITE_P(Every, ExplainBadBatch, testing::ValuesIn(bad_lines));

TEST(ExplainProgram, HelpHasAnExampleThatWorks) {
  const Finished help = run_program({"explain", "--help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_NE(help.out.find("smmusim explain --sid 0 --address 0x1000 --write"), std::string::npos) << help.out;
  EXPECT_EQ(run_program({"explain", "--sid", "0", "--address", "0x1000", "--write"}).exit_code, 0);
}

}  // namespace
}  // namespace smmusim::test
