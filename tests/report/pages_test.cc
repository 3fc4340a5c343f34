// SPDX-License-Identifier: MIT
// Pages of runs and of sweeps: which parts there are for which results, and that names stay names.
#include <gtest/gtest.h>

#include "platform/config/load.h"
#include "platform/report/report.h"
#include "tests/report/sample.h"

namespace smmusim::report {
namespace {

using nlohmann::ordered_json;

std::string run_page_of(const ordered_json& json) {
  return run_page(Document("d/stats.json", json));
}

std::string sweep_page_of(const std::string& csv) {
  return sweep_page(parse_results("r.csv", csv), Document("d/points/000000.json", sample_statistics()));
}

std::size_t count(const std::string& text, const std::string& piece) {
  std::size_t n = 0;
  for (std::size_t at = text.find(piece); at != std::string::npos; at = text.find(piece, at + 1)) ++n;
  return n;
}

bool holds(const std::string& text, const std::string& piece) {
  return text.find(piece) != std::string::npos;
}

TEST(RunPage, HasAPictureOfEachKind) {
  const std::string page = run_page_of(sample_statistics());
  for (const char* title :
       {"Throughput over simulated time", "Mean latency over simulated time", "Distribution of latency by outcome",
        "Tail of the latency by outcome", "Where the time of an access went", "Hit rates of the caches"}) {
    EXPECT_TRUE(holds(page, std::string("aria-label=\"") + title)) << title;
  }
  EXPECT_EQ(count(page, "<svg"), 6u);
}

TEST(RunPage, ClassesThatDidNotOccurAreLeftOut) {
  const std::string page = run_page_of(sample_statistics());
  EXPECT_TRUE(holds(page, "micro TLB hit (90 %)"));
  EXPECT_TRUE(holds(page, "walk (10 %)"));
  EXPECT_FALSE(holds(page, "fault (0"));
}

TEST(RunPage, ClassThatIsNewHereHasItsOwnName) {
  ordered_json json = sample_statistics();
  json["latency_by_class"]["<b>atc"] = json["latency_by_class"]["walk"];
  EXPECT_TRUE(holds(run_page_of(json), "&lt;b&gt;atc"));
}

TEST(RunPage, TablesHaveTheNumbersOfTheStatistics) {
  const std::string page = run_page_of(sample_statistics());
  EXPECT_TRUE(
      holds(page, "<td>walk</td><td class=\"n\">10</td><td class=\"n\">10.00</td><td class=\"n\">1,500.0</td>"));
  EXPECT_TRUE(holds(page,
                    "<td>micro TLB</td><td class=\"n\">100</td><td class=\"n\">90</td><td class=\"n\">10</td>"
                    "<td class=\"n\">90.00</td>"));
  EXPECT_TRUE(holds(page, "<td>CMD_TLBI_NH_VA</td><td class=\"n\">11</td>"));
  EXPECT_TRUE(holds(page, "<td>stage 1, level 3</td><td class=\"n\">10</td>"));
}

TEST(RunPage, OfAnOlderProgramHasFewerPictures) {
  ordered_json json = sample_statistics();
  for (const char* key : {"latency_by_class", "timeline", "mean_time_ns"}) json.erase(key);
  EXPECT_EQ(count(run_page_of(json), "<svg"), 1u) << "of the caches";
}

TEST(RunPage, UntimedHasNoTimes) {
  ordered_json json = sample_statistics();
  json["latency_ns"]["mean"] = 0.0;
  json["mode"] = "untimed";
  const std::string page = run_page_of(json);
  EXPECT_EQ(count(page, "<svg"), 1u);
  EXPECT_FALSE(holds(page, ", ns</th>") && holds(page, "p99, ns"));
}

TEST(RunPage, MismatchesCannotBeMissed) {
  ordered_json json = sample_statistics();
  EXPECT_FALSE(holds(run_page_of(json), "class=\"warning\""));
  json["check"]["mismatches"] = 3;
  EXPECT_TRUE(holds(run_page_of(json), "<p class=\"warning\">3 of 100 checked translations differ"));
}

TEST(RunPage, AtsIsShownWhenThereIsAny) {
  ordered_json json = sample_statistics();
  EXPECT_TRUE(holds(run_page_of(json), "Nothing to count: ATS"));
  json["ats"]["requests"] = 12;
  json["ats"]["mean_request_ns"] = 345.25;
  const std::string page = run_page_of(json);
  EXPECT_TRUE(holds(page, "<td>requests</td><td class=\"n\">12</td>"));
  EXPECT_TRUE(holds(page, "<td>mean request</td><td class=\"n\">345.2</td><td>ns</td>"));
}

TEST(RunPage, ListsWhatDiffersFromTheDefaults) {
  ordered_json json = sample_statistics();
  json["config"]["smmu"]["oas"] = 44;
  json["config"]["memory"]["latency_ns"] = 61;
  const std::string page = run_page_of(json);
  EXPECT_TRUE(holds(page, "<td>smmu.oas</td><td>44 bit</td><td>48 bit</td>"));
  EXPECT_TRUE(holds(page, "<td>memory.latency_ns</td><td>61 ns</td><td>60 ns</td>"));
  EXPECT_FALSE(holds(page, "<td>smmu.vax</td>"));
}

TEST(RunPage, NamesOfTheUserStayText) {
  const std::string evil = "\"><script>alert('x')</script>`'{{<!--";
  ordered_json json = sample_statistics();
  json["config"]["trace"]["file"] = "a/" + evil;
  json["config"]["endpoint"] = {{{"name", evil}}};
  json["streams"][0]["endpoint"] = evil;
  json["streams"][0]["smmu"] = evil;
  json["commands"][evil.substr(0, 20)] = 1;
  json["mode"] = evil;
  json["version"] = evil;
  const std::string page = run_page_of(json);
  EXPECT_FALSE(holds(page, "<script"));
  EXPECT_FALSE(holds(page, "<!--"));
  EXPECT_TRUE(holds(page, "&quot;&gt;&lt;script&gt;"));
}

TEST(RunPage, HasNothingOfTheHostOrTheDay) {
  ordered_json json = sample_statistics();
  const std::string before = run_page_of(json);
  json["host_seconds"] = 12.34;
  json["transactions_per_host_second"] = 56789.0;
  EXPECT_EQ(run_page_of(json), before);
}

TEST(RunPage, NumbersThatDoNotFitTogetherAreRefused) {
  struct Row {
    const char *pointer, *expect;
    ordered_json value;
  };
  const Row rows[] = {{"/timeline/bytes", "timeline", {1}},
                      {"/timeline/bytes", "timeline", ordered_json::array()},
                      {"/timeline/interval_ns", "timeline.interval_ns", 0},
                      {"/timeline/mean_latency_ns", "timeline.mean_latency_ns", {"x", 1, 1, 1}},
                      {"/latency_by_class/walk/bars/count", "latency_by_class.walk.bars", {1}},
                      {"/latency_by_class/walk/count", "latency_by_class.walk.count", "x"},
                      {"/commands", "commands", 3},
                      {"/commands/CMD_SYNC", "commands.CMD_SYNC", nullptr},
                      {"/memory/by_purpose", "memory.by_purpose", ordered_json::array()}};
  for (const Row& row : rows) {
    ordered_json json = sample_statistics();
    json[ordered_json::json_pointer(row.pointer)] = row.value;
    try {
      run_page_of(json);
      ADD_FAILURE() << row.pointer;
    } catch (const InputError& error) {
      EXPECT_TRUE(std::string(error.what()).starts_with(std::string("d/stats.json: ") + row.expect)) << error.what();
    }
  }
}

TEST(SweepPage, TwoKeysGiveAHeatMapPerMeasure) {
  const std::string page = sweep_page_of(sample_results());
  for (const char* title : {"throughput, Gbit/s by smmu.oas and endpoint.ats",
                            "mean latency, ns by smmu.oas and "
                            "endpoint.ats",
                            "p99 latency, µs by smmu.oas and endpoint.ats"}) {
    EXPECT_TRUE(holds(page, std::string("aria-label=\"") + title)) << title;
  }
  EXPECT_TRUE(holds(page, "From 6.400 Gbit/s at oas = 40, ats = off to 8 Gbit/s at oas = 44, ats = auto."));
}

TEST(SweepPage, OneKeyOfNumbersGivesALine) {
  const std::string page = sweep_page_of("memory.latency_ns," + sample_columns() + "60," + sample_row(1) + "120," +
                                         sample_row(2) + "240," + sample_row(3));
  EXPECT_TRUE(holds(page, "aria-label=\"throughput, Gbit/s over memory.latency_ns\""));
  EXPECT_EQ(count(page, "<circle"), 9u) << "three points in three measures";
}

TEST(SweepPage, OneKeyOfNamesGivesBars) {
  const std::string page =
      sweep_page_of("preset," + sample_columns() + "minimal," + sample_row(1) + "gem5-like," + sample_row(2));
  EXPECT_TRUE(holds(page, "aria-label=\"throughput, Gbit/s by preset\""));
}

TEST(SweepPage, ThreeKeysGiveAHeatMapForEachValueOfTheFirst) {
  std::string csv = "smmu.tcu.walkers,smmu.oas,endpoint.ats," + sample_columns();
  double throughput = 1;
  for (const char* walkers : {"1", "2", "4"}) {
    for (const char* oas : {"40", "44"}) {
      for (const char* ats : {"off", "auto"}) {
        csv += std::string(walkers) + "," + oas + "," + ats + "," + sample_row(throughput);
        throughput += 1;
      }
    }
  }
  const std::string page = sweep_page_of(csv);
  EXPECT_EQ(count(page, "aria-label=\"throughput, Gbit/s by smmu.oas and endpoint.ats, walkers = "), 3u);
}

TEST(SweepPage, KeyWithOneValueMakesNoDimension) {
  const std::string page = sweep_page_of("smmu.oas,memory.latency_ns," + sample_columns() + "44,60," + sample_row(1) +
                                         "44,120," + sample_row(2));
  EXPECT_TRUE(holds(page, "aria-label=\"throughput, Gbit/s over memory.latency_ns\""));
}

TEST(SweepPage, OfOnePointHasItsTable) {
  const std::string page = sweep_page_of("smmu.oas," + sample_columns() + "44," + sample_row(5));
  EXPECT_TRUE(holds(page, "<td class=\"n\">44</td><td class=\"n\">5</td>"));
}

TEST(SweepPage, TableHasEveryPointAndTheBestInBold) {
  const std::string page = sweep_page_of(sample_results());
  const std::string table = page.substr(page.find("All points</h2>"));
  EXPECT_EQ(count(table.substr(0, table.find("</table>")), "<tr"), 5u);
  EXPECT_TRUE(
      holds(table, "<tr class=\"strong\"><td class=\"n\">44</td><td class=\"n\">auto</td><td class=\"n\">8</td>"));
}

TEST(SweepPage, ConstantMeasureSaysSo) {
  EXPECT_TRUE(holds(sweep_page_of(sample_results()), "The same at every point: 2 µs."));
}

TEST(SweepPage, TooManyValuesForAPictureStayInTheTable) {
  std::string csv = "seed,smmu.oas," + sample_columns();
  for (int seed = 0; seed != 80; ++seed) {
    for (const char* oas : {"40", "44"}) csv += std::to_string(seed) + "," + oas + "," + sample_row(1 + seed);
  }
  const std::string page = sweep_page_of(csv);
  EXPECT_EQ(count(page, "<svg"), 0u);
  EXPECT_TRUE(holds(page, "Too many values for a picture"));
}

TEST(SweepPage, ValuesOfTheUserStayText) {
  const std::string page = sweep_page_of("endpoint.ats,smmu.oas," + sample_columns() + "<script>1</script>,\"'`a`\"," +
                                         sample_row(1) + "<script>1</script>,44," + sample_row(2) + "off,\"'`a`\"," +
                                         sample_row(3) + "off,44," + sample_row(4));
  EXPECT_FALSE(holds(page, "<script"));
  EXPECT_GE(count(page, "&lt;script&gt;1&lt;/script&gt;"), 3u) << "keys, picture, table";
}

}  // namespace
}  // namespace smmusim::report
