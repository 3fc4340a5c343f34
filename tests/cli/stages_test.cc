// SPDX-License-Identifier: MIT
// The program with each value of driver.stages: what a trace's replay checks, what the statistics show of the two
// stages, and what is refused.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/cli/process.h"

namespace smmusim::test {
namespace {

using nlohmann::json;
using Arguments = std::vector<std::string>;

const std::string shipped = SMMUSIM_SOURCE_DIR "/traces/linux72-nvme-seqwrite.trace";

Finished run(const std::string& trace, const Arguments& sets, const std::string& mode = "untimed") {
  Arguments arguments{"run", "--trace", trace, "--mode", mode, "--json", "-"};
  for (const std::string& set : sets) arguments.insert(arguments.end(), {"--set", set});
  return run_program(arguments);
}

/// The statistics of a run that must succeed.
json statistics(const std::string& trace, const Arguments& sets, const std::string& mode = "untimed") {
  const Finished finished = run(trace, sets, mode);
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  return json::parse(finished.out);
}

std::uint64_t fetches(const json& result, char stage) {
  std::uint64_t sum = 0;
  for (const auto& [name, count] : result["walks"]["by_stage_level"].items()) {
    if (name[1] == stage) sum += count.get<std::uint64_t>();
  }
  return sum;
}

struct StageRow {
  const char* stages;
  bool first, second;  // stages that walks show
};

class Stages : public testing::TestWithParam<std::tuple<StageRow, const char*>> {};
INSTANTIATE_TEST_SUITE_P(Rows, Stages,
                         testing::Combine(testing::Values(StageRow{"1", true, false}, StageRow{"2", false, true},
                                                          StageRow{"nested", true, true}),
                                          testing::Values("untimed", "timed")),
                         [](const auto& made) {
                           return "stages_" + std::string(std::get<0>(made.param).stages) + "_" +
                                  std::get<1>(made.param);
                         });

TEST_P(Stages, AShippedTraceAgreesWithItsSource) {
  const auto& [row, mode] = GetParam();
  const json result = statistics(shipped, {"smmu.stages=nested", std::string("driver.stages=") + row.stages}, mode);
  EXPECT_EQ(result["check"]["checked"], 8185);
  EXPECT_EQ(result["check"]["mismatches"], 0);
  EXPECT_EQ(result["faults"], 0);
  EXPECT_EQ(result["invalidations"]["refused_batches"], 0);
  EXPECT_EQ(result["config"]["driver"]["stages"], row.stages);
  EXPECT_EQ(fetches(result, '1') > 0, row.first);
  EXPECT_EQ(fetches(result, '2') > 0, row.second);
  EXPECT_EQ(result["ipa_cache"]["lookups"] > 0, row.first && row.second);
}

TEST_P(Stages, AnSmmuWithNoMoreThanTheStagesNeedIsEnough) {
  const auto& [row, mode] = GetParam();
  const std::string stages = row.stages;
  EXPECT_EQ(statistics(shipped, {"smmu.stages=" + stages, "driver.stages=" + stages}, mode)["check"]["mismatches"], 0);
}

TEST(StagesOfTheDriver, NestedStatisticsShowStage2AndItsCache) {
  const json result = statistics(shipped, {"smmu.stages=nested", "driver.stages=nested"}, "timed");
  const json& cache = result["ipa_cache"];
  EXPECT_GT(cache["hits"], 0);
  EXPECT_GT(cache["misses"], 0);
  EXPECT_EQ(cache["hits"].get<std::uint64_t>() + cache["misses"].get<std::uint64_t>(), cache["lookups"]);
  EXPECT_TRUE(cache.contains("evictions"));
  EXPECT_GT(result["walks"]["by_stage_level"]["s2l2"], 0);  // the 2 MiB leaves
  EXPECT_GT(result["walks"]["by_stage_level"]["s2l3"], 0);  // the doorbell's page
}

TEST(StagesOfTheDriver, NestedWalksWithoutAnIpaCacheFetchMore) {
  const Arguments nested{"smmu.stages=nested", "driver.stages=nested"};
  Arguments without = nested;
  without.emplace_back("smmu.tcu.ipa_cache_entries=0");
  const json with_cache = statistics(shipped, nested, "timed");
  const json without_cache = statistics(shipped, without, "timed");
  EXPECT_GT(fetches(without_cache, '2'), 10 * fetches(with_cache, '2'));
  EXPECT_GT(without_cache["walks"]["mean_ns"], with_cache["walks"]["mean_ns"]);
  EXPECT_EQ(without_cache["check"]["mismatches"], 0);
}

TEST(StagesOfTheDriver, TheLargestLeafDecidesWhereStage2WalksEnd) {
  struct Row {
    const char* leaf;
    const char* level;  // of most stage-2 fetches; the walk cache holds the tables above
  };
  for (const Row row : {Row{"4K", "s2l3"}, {"2M", "s2l2"}, {"1G", "s2l1"}}) {
    const json result =
        statistics(shipped, {"smmu.stages=nested", "driver.stages=nested", "smmu.tcu.ipa_cache_entries=0",
                             std::string("driver.stage2_leaf=") + row.leaf});
    const json& levels = result["walks"]["by_stage_level"];
    EXPECT_EQ(result["check"]["mismatches"], 0) << row.leaf;
    for (const char* level : {"s2l1", "s2l2", "s2l3"}) {
      EXPECT_EQ(levels[level] > 1000, level == std::string(row.level)) << row.leaf << " " << level;
    }
  }
}

TEST(StagesOfTheDriver, SmmuStagesAloneIsEnough) {
  for (const char* stages : {"1", "2", "nested"}) {
    const json result = statistics(shipped, {std::string("smmu.stages=") + stages});
    EXPECT_EQ(result["check"]["mismatches"], 0) << stages;
    EXPECT_EQ(result["config"]["driver"]["stages"], std::string(stages) == "2" ? "2" : "1");
  }
}

TEST(StagesOfTheDriver, EverySizeOfAddressesWorks) {
  for (const char* oas : {"32", "36", "40", "42", "44", "48"}) {
    for (const char* stages : {"2", "nested"}) {
      const json result = statistics(
          shipped, {"smmu.stages=nested", std::string("smmu.oas=") + oas, std::string("driver.stages=") + stages});
      EXPECT_EQ(result["check"]["mismatches"], 0) << oas << " " << stages;
      EXPECT_EQ(result["faults"], 0) << oas << " " << stages;
    }
  }
}

struct RefusedRow {
  const char* smmu;
  const char* driver;
  const char* says;
};

TEST(StagesOfTheDriver, StagesThatTheSmmuLacksAreRefused) {
  const RefusedRow rows[] = {
      {"1", "2", "driver.stages = 2 is not possible with smmu.stages = 1 of SMMU smmu0; legal here are 1 or auto"},
      {"1", "nested", "driver.stages = nested is not possible with smmu.stages = 1 of SMMU smmu0; legal here are 1 or"},
      {"2", "1", "driver.stages = 1 is not possible with smmu.stages = 2 of SMMU smmu0; legal here are 2 or auto"},
      {"2", "nested", "driver.stages = nested is not possible with smmu.stages = 2"},
      {"nested", "3", "driver.stages = \"3\" is not possible; legal are 1, 2, nested or auto"}};
  for (const RefusedRow& row : rows) {
    const Finished finished =
        run(shipped, {std::string("smmu.stages=") + row.smmu, std::string("driver.stages=") + row.driver});
    EXPECT_EQ(finished.exit_code, 2);
    EXPECT_EQ(finished.out, "");
    EXPECT_NE(finished.err.find(row.says), std::string::npos) << finished.err;
    EXPECT_EQ(lines_of(finished.err).size(), 1u) << finished.err;
  }
}

TEST(StagesOfTheDriver, Stage2TablesThatGrowTooLargeAreRefused) {
  const Finished finished = run(shipped, {"smmu.stages=nested", "driver.stages=nested", "driver.stage2_leaf=4K",
                                          "driver.tables_base=0x3000000000"});
  EXPECT_EQ(finished.exit_code, 2);
  EXPECT_NE(finished.err.find("driver.stage2_leaf = 4K"), std::string::npos) << finished.err;
  EXPECT_NE(finished.err.find("256 MiB; set driver.stage2_leaf = 2M or 1G"), std::string::npos) << finished.err;
}

TEST(StagesOfTheDriver, AnAsidThatIsNoVmidIsRefused) {
  const TemporaryFolder folder;
  const std::string trace =
      folder.write("t.trace",
                   "smmusim-trace text 1\n0 read sid=8 addr=0x1000 size=64 pa=0x41000000 perm=rw\n"
                   "1 invalidate range asid=256 addr=0x1000 granule=4K pages=1\nend\n");
  const Finished finished = run(trace, {"smmu.stages=2"});
  EXPECT_EQ(finished.exit_code, 2);
  EXPECT_NE(finished.err.find("set smmu.vmid16 = true"), std::string::npos) << finished.err;
  EXPECT_EQ(run(trace, {"smmu.stages=2", "smmu.vmid16=true"}).exit_code, 0);
}

/// The translation is right, the access fails: there is no memory. So with one stage, so with two.
TEST(StagesOfTheDriver, OutputsBeyondMemoryAreExternalAbortsInEveryStage) {
  const TemporaryFolder folder;
  const std::string trace =
      folder.write("t.trace",
                   "smmusim-trace text 1\n0 read sid=8 addr=0x1000 size=64 pa=0x20000000 perm=rw\n"
                   "1 read sid=8 addr=0x2000 size=64 pa=0xffffff000000 perm=rw\nend\n");
  for (const char* stages : {"1", "2", "nested"}) {
    const json result = statistics(trace, {"smmu.stages=nested", std::string("driver.stages=") + stages});
    EXPECT_EQ(result["check"]["mismatches"], 0) << stages;
    EXPECT_EQ(result["memory"]["decode_errors"], 2) << stages;
  }
}

TEST(StagesOfTheDriver, SeveralSmmusHaveAStage2Each) {
  const TemporaryFolder folder;
  const std::string trace =
      folder.write("t.trace",
                   "smmusim-trace text 1\n0 read sid=8 addr=0x1000 size=64 pa=0x41000000 perm=rw\n"
                   "1 write sid=9 addr=0x1000 size=64 pa=0x42000000 perm=rw\nend\n");
  const std::string config = folder.write("c.toml",
                                          "[[smmu]]\nstages = \"nested\"\n[[smmu]]\nname = \"b\"\nstages = \"nested\"\n"
                                          "[[endpoint]]\nstream_id = 8\nsmmu = \"smmu0\"\n"
                                          "[[endpoint]]\nstream_id = 9\nsmmu = \"b\"\n[driver]\nstages = \"nested\"\n");
  const Finished finished = run_program({"run", config, "--trace", trace, "--json", "-"});
  ASSERT_EQ(finished.exit_code, 0) << finished.err;
  const json result = json::parse(finished.out);
  EXPECT_EQ(result["check"]["checked"], 2);
  for (const json& smmu : result["smmus"]) EXPECT_TRUE(smmu["walks"]["by_stage_level"].contains("s2l2"));
}

}  // namespace
}  // namespace smmusim::test
