// SPDX-License-Identifier: MIT
// The program on traces with PASIDs: one address space for each of a stream's PASIDs, all at the same addresses, so
// that a cache that forgets whose translation it holds shows as a mismatch; what limits them; what becomes of accesses
// without.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/cli/process.h"

namespace smmusim::test {
namespace {

using nlohmann::json;
using Arguments = std::vector<std::string>;

constexpr unsigned spaces = 4, pages = 16, rounds = 200;
constexpr std::uint32_t pasids[spaces] = {0, 1, 2, 0x105};  // 0: without a PASID

std::string hex(std::uint64_t value) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

/// Every space uses the same pages; each page is mapped anew after every fourth access to it.
std::string trace_text() {
  std::string text = "smmusim-trace text 1\n0 config cd sid=0x8 asid=9\n";
  for (unsigned i = 1; i != spaces; ++i) {
    text += "0 config cd sid=0x8 ssid=" + hex(pasids[i]) + " asid=" + std::to_string(9 + i) + "\n";
  }
  for (unsigned round = 0; round != rounds; ++round) {
    for (unsigned i = 0; i != spaces; ++i) {
      const unsigned page = (round * 5 + i) % pages;
      const std::uint64_t iova = 0x1000'0000 + std::uint64_t{page} * 0x1000;
      const std::uint64_t pa = 0x4000'0000 + (std::uint64_t{i} * pages + page + round / 64 * 1000) * 0x1000;
      text += std::string(round % 2 == 0 ? "0 read" : "0 write") + " sid=0x8 ";
      if (i != 0) text += "ssid=" + hex(pasids[i]) + " ";
      text += "addr=" + hex(iova) + " size=64 pa=" + hex(pa) + " perm=rw\n";
      if (round % 64 < 48) continue;  // the last use before the next mapping
      text += "0 invalidate range asid=" + std::to_string(9 + i) + " addr=" + hex(iova) + " granule=4K pages=1 leaf\n";
    }
  }
  return text + "end\n";
}

class Substreams : public testing::Test {
 protected:
  Finished run(const Arguments& sets, const std::string& mode = "untimed") {
    Arguments arguments{"run", "--trace", trace_, "--mode", mode, "--json", "-"};
    for (const std::string& set : sets) arguments.insert(arguments.end(), {"--set", set});
    return run_program(arguments);
  }
  json statistics(const Arguments& sets, const std::string& mode = "untimed") {
    const Finished finished = run(sets, mode);
    EXPECT_EQ(finished.err, "");
    return json::parse(finished.out);
  }

  TemporaryFolder folder_;
  std::string trace_ = folder_.write("pasids.trace", trace_text());
};

struct LayoutRow {
  const char* name;
  Arguments sets;
};

class SubstreamLayouts : public Substreams,
                         public testing::WithParamInterface<std::tuple<LayoutRow, const char*, bool>> {};
INSTANTIATE_TEST_SUITE_P(
    Rows, SubstreamLayouts,
    testing::Combine(testing::Values(LayoutRow{"linear", {"driver.context_table=linear"}},
                                     LayoutRow{"leaves_of_4K", {"smmu.cd2l=true", "driver.context_table=4K"}},
                                     LayoutRow{"leaves_of_64K", {"smmu.cd2l=true", "endpoint.pasid_bits=14"}},
                                     LayoutRow{"nested", {"smmu.stages=nested", "driver.stages=nested"}}),
                     testing::Values("untimed", "timed"), testing::Bool()),
    [](const auto& made) {
      return std::string(std::get<0>(made.param).name) + "_" + std::get<1>(made.param) +
             (std::get<2>(made.param) ? "_ats" : "");
    });

TEST_P(SubstreamLayouts, EachPasidHasAnAddressSpaceOfItsOwn) {
  const auto& [row, mode, ats] = GetParam();
  Arguments sets = row.sets;
  sets.push_back("smmu.ssidsize=16");
  if (ats) sets.insert(sets.end(), {"smmu.ats=on", "endpoint.ats_capability=true", "endpoint.atc_entries=64"});
  const json result = statistics(sets, mode);
  EXPECT_EQ(result["check"]["checked"], spaces * rounds);
  EXPECT_EQ(result["check"]["mismatches"], 0);
  EXPECT_EQ(result["faults"], 0);
  EXPECT_EQ(result["commands"]["CMD_CFGI_CD"], spaces);
  EXPECT_EQ(result["invalidations"]["refused_batches"], 0);
  const json& substreams = result["streams"][0]["substreams"];
  ASSERT_EQ(substreams.size(), spaces - 1);
  EXPECT_EQ(substreams[2]["ssid"], 0x105);
  EXPECT_EQ(substreams[2]["asid"], 12);
  if (ats) {
    EXPECT_GT(result["atc"]["hits"], 0);
    EXPECT_EQ(result["commands"]["CMD_ATC_INV"], result["commands"]["CMD_TLBI_NH_VA"]);
  }
}

TEST_F(Substreams, S1dssDecidesOverAccessesWithoutPasid) {
  const json terminated = statistics({"smmu.ssidsize=16", "driver.s1dss=terminate"});
  EXPECT_EQ(terminated["events"]["F_STREAM_DISABLED"], rounds);
  EXPECT_EQ(terminated["faults"], rounds);
  const json bypassed = statistics({"smmu.ssidsize=16", "driver.s1dss=bypass"});
  // They go where they say, where there is no memory: that is a device's error, not the SMMU's.
  EXPECT_EQ(bypassed["events"], json::object());
  EXPECT_EQ(bypassed["faults"], rounds);
  EXPECT_EQ(bypassed["memory"]["decode_errors"], rounds);
}

TEST_F(Substreams, PasidZeroIsReservedWhereCdZeroIsForAccessesWithoutPasid) {
  const std::string zero = folder_.write(
      "zero.trace", "smmusim-trace text 1\n0 read sid=0x8 ssid=0 addr=0x10000000 size=64 pa=0x40000000 perm=rw\nend\n");
  trace_ = zero;
  EXPECT_EQ(statistics({"smmu.ssidsize=16"})["events"]["F_STREAM_DISABLED"], 1);
  const json usable = statistics({"smmu.ssidsize=16", "driver.s1dss=terminate"});
  EXPECT_EQ(usable["faults"], 0);
  EXPECT_EQ(usable["check"]["mismatches"], 0);
}

TEST_F(Substreams, AccessesBeyondTheCapabilityNeverLeaveTheDevice) {
  const json result = statistics({"smmu.ssidsize=16", "endpoint.pasid_bits=4"});
  EXPECT_EQ(result["faults"], rounds);  // those of PASID 0x105
  EXPECT_EQ(result["events"], json::object());
  EXPECT_EQ(statistics({"smmu.ssidsize=16", "endpoint.pasid_bits=0"})["faults"], rounds * (spaces - 1));
}

TEST_F(Substreams, AccessesBeyondTheSmmusSubstreamsAreFaults) {
  const json result = statistics({"smmu.ssidsize=4", "endpoint.pasid_bits=16"});
  EXPECT_EQ(result["events"]["C_BAD_SUBSTREAMID"], rounds);
  EXPECT_EQ(result["faults"], rounds);
}

TEST_F(Substreams, ATraceThatNeedsMoreSubstreamsThanThereAreIsRefused) {
  const Finished finished = run({"smmu.ssidsize=8"});
  EXPECT_EQ(finished.exit_code, 2);
  EXPECT_NE(finished.err.find("substream 0x105"), std::string::npos) << finished.err;
  EXPECT_NE(finished.err.find("raise smmu.ssidsize to at least 9"), std::string::npos) << finished.err;
}

TEST_F(Substreams, TwoLevelsOfContextsNeedTheFeature) {
  const Finished finished = run({"smmu.ssidsize=16", "driver.context_table=4K"});
  EXPECT_EQ(finished.exit_code, 2);
  EXPECT_NE(finished.err.find("smmu.cd2l"), std::string::npos) << finished.err;
}

TEST_F(Substreams, StageTwoAloneHasNone) {
  const json result = statistics({"smmu.stages=2", "driver.stages=2", "smmu.ssidsize=0", "endpoint.pasid_bits=16"});
  EXPECT_EQ(result["faults"], rounds * (spaces - 1));
}

TEST_F(Substreams, TwoAsidsForOneContextAreRefused) {
  trace_ = folder_.write("twice.trace",
                         "smmusim-trace text 1\n0 config cd sid=0x8 ssid=1 asid=3\n"
                         "0 config cd sid=0x8 ssid=1 asid=4\nend\n");
  const Finished finished = run({"smmu.ssidsize=8"});
  EXPECT_EQ(finished.exit_code, 2);
  EXPECT_NE(finished.err.find("record 2: ASID 4 for a CD that has ASID 3"), std::string::npos) << finished.err;
}

TEST_F(Substreams, ExplainTellsTheSubstreamsTranslation) {
  const auto explain = [&](const Arguments& more) {
    Arguments arguments{"explain", "--trace", trace_,      "--set",     "smmu.ssidsize=16",
                        "--sid",   "8",       "--address", "0x10000000"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Finished finished = run_program(arguments);
    EXPECT_EQ(finished.exit_code, 0) << finished.err;
    return finished.out;
  };
  // The first round in which a space uses page 0 has the space's first output for it.
  EXPECT_NE(explain({"--ssid", "0x105"}).find("the access proceeds to PA 0x40030000"), std::string::npos);
  EXPECT_NE(explain({"--ssid", "1"}).find("the access proceeds to PA 0x40010000"), std::string::npos);
  EXPECT_NE(explain({}).find("the access proceeds to PA 0x40000000"), std::string::npos);
}

}  // namespace
}  // namespace smmusim::test
