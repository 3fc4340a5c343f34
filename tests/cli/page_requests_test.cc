// SPDX-License-Identifier: MIT
// The program with devices that request pages, and with devices and tables that make ATS fail in part: sums that have
// to come out between device, SMMU and driver.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/cli/process.h"

namespace smmusim::test {
namespace {

using nlohmann::json;
using Arguments = std::vector<std::string>;

constexpr unsigned accesses = 4000;
const Arguments ats{"smmu.ats=on", "endpoint.ats_capability=true", "endpoint.atc_entries=64", "smmu.ssidsize=8"};
const Arguments pri{"smmu.pri=true", "endpoint.pri=true"};
const Arguments demand{"driver.demand_paging=100"};

Arguments joined(std::initializer_list<Arguments> parts) {
  Arguments all;
  for (const Arguments& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

class PageRequests : public testing::Test {
 protected:
  /// A generated trace.
  std::string generated(const Arguments& options, const std::string& name = "t.trace") {
    Arguments arguments{"trace", "gen"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    arguments.insert(arguments.end(), {"--count", std::to_string(accesses), "-o", folder_.path(name)});
    const Finished made = run_program(arguments);
    EXPECT_EQ(made.exit_code, 0) << made.err;
    return folder_.path(name);
  }
  Finished run(const std::string& trace, const Arguments& sets, const Arguments& more = {}) {
    Arguments arguments{"run", "--trace", trace, "--json", "-"};
    for (const std::string& set : sets) arguments.insert(arguments.end(), {"--set", set});
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_program(arguments);
  }
  json statistics(const std::string& trace, const Arguments& sets, const Arguments& more = {}) {
    const Finished finished = run(trace, sets, more);
    EXPECT_EQ(finished.err, "");
    return json::parse(finished.out);
  }
  TemporaryFolder& folder() { return folder_; }

 private:
  TemporaryFolder folder_;

 protected:
  std::string zipf_ = generated({"zipf", "--pasids", "3", "--window", "0x100000", "--map-per-io"}, "zipf.trace");
};

/// Of requests that the queue had no room for the SMMU itself answers; what it wrote the driver takes.
void expect_balance(const json& result) {
  const json& p = result["pri"];
  const auto number = [&](const char* name) { return p[name].get<std::uint64_t>(); };
  EXPECT_EQ(number("requests"), number("written") + number("lost"));
  const std::uint64_t commands = result["commands"].value("CMD_PRI_RESP", std::uint64_t{0});
  EXPECT_EQ(number("responses"), commands + number("automatic_responses"));
  EXPECT_EQ(number("written"), commands + number("stop_markers"));
  EXPECT_EQ(result["pcie"]["page_requests"], number("requests"));
  EXPECT_EQ(result["pcie"]["page_responses"], number("responses"));
  EXPECT_EQ(result["pcie"]["unexpected_completions"], 0);
  EXPECT_EQ(result["faults"], 0);
  EXPECT_EQ(result["check"]["checked"], accesses);
  EXPECT_EQ(result["check"]["mismatches"], 0);
}

TEST_F(PageRequests, PagesAreMappedWhenTheirDeviceAsks) {
  std::uint64_t mapped[2];
  for (const bool timed : {false, true}) {
    const json result = statistics(zipf_, joined({ats, pri, demand}), {"--mode", timed ? "timed" : "untimed"});
    expect_balance(result);
    EXPECT_EQ(result["pri"]["lost"], 0);
    EXPECT_EQ(result["pri"]["stop_markers"], 3) << "one for each PASID";
    mapped[timed] = result["pri"]["pages_mapped"];
    if (!timed) continue;
    EXPECT_GE(result["pri"]["mean_service_ns"], 10'000) << "driver.page_fault_ns";
    EXPECT_GT(result["pri"]["mean_wait_ns"], result["pri"]["mean_service_ns"]);
  }
  // Every mapping of the trace is used, and --map-per-io makes one for each access.
  EXPECT_EQ(mapped[0], accesses);
  EXPECT_EQ(mapped[1], accesses);
}

TEST_F(PageRequests, APartOfThePagesCanBeThereBefore) {
  const json result = statistics(zipf_, joined({ats, pri, {"driver.demand_paging=30"}}));
  expect_balance(result);
  EXPECT_GT(result["pri"]["pages_mapped"], accesses / 10);
  EXPECT_LT(result["pri"]["pages_mapped"], accesses / 2);
  const json none = statistics(zipf_, joined({ats, pri}));
  EXPECT_EQ(none["pri"]["pages_mapped"], 0);
  EXPECT_EQ(none["pri"]["requests"], none["pri"]["stop_markers"]);
}

TEST_F(PageRequests, AFullQueueIsAnsweredByTheSmmuAndAskedAgain) {
  const std::string spread = generated({"random", "--window", "0x1000000"}, "random.trace");
  const json result =
      statistics(spread, joined({ats, pri, demand, {"driver.pri_queue_log2=2", "endpoint.pri_retries=65535"}}));
  expect_balance(result);
  EXPECT_GT(result["pri"]["lost"], 0);
  EXPECT_GT(result["pri"]["overflows"], 0);
  EXPECT_EQ(result["pri"]["automatic_responses"], result["pri"]["lost"]) << "no Stop Markers here";
  EXPECT_EQ(result["pri"]["refused"], 0) << "the SMMU says Success, so the device tries again";
}

TEST_F(PageRequests, ADeviceOfLittlePatienceGivesUp) {
  const std::string spread = generated({"random", "--window", "0x1000000"}, "random.trace");
  const json result = statistics(
      spread,
      joined(
          {ats, pri, demand, {"driver.pri_queue_log2=0", "endpoint.pri_retries=1", "driver.page_request_ns=100000"}}));
  EXPECT_GT(result["faults"], 0);
  EXPECT_EQ(result["faults"], result["check"]["mismatches"]);
}

/// STE.PPAR is for the SMMU's own responses, SSV for the driver's: the device takes none without its PASID.
TEST_F(PageRequests, ResponsesHaveThePasidWhereTheDeviceNeedsIt) {
  const Arguments overflowing{"driver.pri_queue_log2=1", "endpoint.pri_retries=65535"};
  for (const bool needed : {false, true}) {
    const std::string ladder = folder().path("ladder.txt");
    const json result =
        statistics(zipf_,
                   joined({ats,
                           pri,
                           demand,
                           overflowing,
                           {std::string("endpoint.pri_response_pasid=") + (needed ? "true" : "false")}}),
                   {"--ladder", ladder});
    expect_balance(result);
    EXPECT_GT(result["pri"]["automatic_responses"], 0);
    std::uint64_t responses = 0, with_pasid = 0;
    for (const std::string& line : lines_of(read_text(ladder))) {
      if (line.find("PRG Response") == std::string::npos) continue;
      ++responses;
      if (line.find("PASID") != std::string::npos) ++with_pasid;
    }
    EXPECT_EQ(responses, result["pri"]["responses"]);
    EXPECT_EQ(with_pasid, needed ? responses : 0);
  }
}

/// A page that nothing maps: the driver says Invalid Request, and that access fails.
TEST_F(PageRequests, APageThatNobodyCanHaveIsRefused) {
  const std::string trace = folder().write("wild.trace",
                                           "smmusim-trace text 1\n0 read sid=8 addr=0x5000 size=64\n"
                                           "0 write sid=8 addr=0x6000 size=64 pa=0x40006000 perm=r\n"
                                           "0 read sid=8 addr=0x7000 size=64 pa=0x40007000 perm=r\nend\n");
  const json result = statistics(trace, joined({ats, pri, demand}));
  EXPECT_EQ(result["faults"], 2);
  EXPECT_EQ(result["pri"]["refused"], 2);
  EXPECT_EQ(result["pri"]["pages_mapped"], 2) << "the second one, but not for writes";
}

TEST_F(PageRequests, WithoutAPriQueueTheDeviceMayNotAsk) {
  const json result = statistics(zipf_, joined({ats, {"endpoint.pri=true", "driver.demand_paging=100"}}));
  EXPECT_EQ(result["pri"]["requests"], 0);
  EXPECT_EQ(result["check"]["mismatches"], 0) << "so everything is mapped at once";
  const Finished nobody = run(zipf_, joined({ats, demand}));
  EXPECT_EQ(nobody.exit_code, 2);
  EXPECT_NE(nobody.err.find("set endpoint.pri = true"), std::string::npos) << nobody.err;
}

TEST_F(PageRequests, TheSummarySaysWhetherADeviceMayAsk) {
  const auto says = [&](const Arguments& sets) {
    Arguments arguments{"run", "--trace", zipf_};
    for (const std::string& set : sets) arguments.insert(arguments.end(), {"--set", set});
    return run_program(arguments).out;
  };
  EXPECT_NE(says(joined({ats, pri})).find("; PRI on\n"), std::string::npos);
  EXPECT_NE(says(joined({ats, {"endpoint.pri=true"}})).find("; PRI off, the SMMU has none (IDR0.PRI = 0)\n"),
            std::string::npos);
  EXPECT_NE(says(joined({ats, pri, {"endpoint.ats=off"}})).find("; PRI off, it needs ATS\n"), std::string::npos);
}

// --- ATS that fails in part ------------------------------------------------------------------------------------------

/// Each CMD_ATC_INV times out, each CMD_SYNC then stops the queue with CERROR_ATC_INV_SYNC; the driver goes on.
TEST_F(PageRequests, InvalidationsThatADeviceNeverCompletesTimeOut) {
  const json result =
      statistics(zipf_, joined({ats, {"endpoint.invalidate_silent=true", "smmu.tcu.atc_inv_timeout_us=1"}}));
  EXPECT_EQ(result["ats"]["timeouts"], result["commands"]["CMD_ATC_INV"]);
  EXPECT_GT(result["ats"]["timeouts"], 0);
  EXPECT_EQ(result["smmus"][0]["command_errors"], result["ats"]["timeouts"]);
  EXPECT_EQ(result["pcie"]["invalidate_completions"], 0);
  EXPECT_GE(result["invalidations"]["mean_ns"], 1000);
  EXPECT_EQ(result["check"]["mismatches"], 0) << "this device does what it does not say";
}

/// The ATC then has intermediate addresses, and every access needs the SMMU for stage 2.
TEST_F(PageRequests, SplitStageAtsGoesThroughStageTwoEachTime) {
  const Arguments nested{"smmu.stages=nested", "driver.stages=nested", "smmu.split_stage_ats=true"};
  const std::string few = generated({"random", "--window", "0x10000"}, "few.trace");
  const json full = statistics(few, joined({ats, nested}));
  const json split = statistics(few, joined({ats, nested, {"driver.ats_split=true"}}));
  for (const json* result : {&full, &split}) {
    EXPECT_EQ((*result)["check"]["mismatches"], 0);
    EXPECT_EQ((*result)["faults"], 0);
  }
  EXPECT_LT(full["micro_tlb"]["lookups"], accesses / 10) << "Translation Requests alone";
  EXPECT_GT(split["micro_tlb"]["lookups"], accesses * 9 / 10) << "some wait for another's miss";
  const Finished wrong = run(zipf_, joined({ats, {"driver.ats_split=true", "smmu.stages=nested"}}));
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_NE(wrong.err.find("set driver.stages = \"nested\""), std::string::npos) << wrong.err;
}

/// Completions that have no room at the device wait at the root port. Nothing is lost; reads take longer.
TEST_F(PageRequests, ADeviceWithLittleRoomForCompletionsReadsSlowly) {
  const std::string reads = generated({"random", "--read-percent", "100", "--size", "256"}, "reads.trace");
  const json roomy = statistics(reads, {});
  const json narrow =
      statistics(reads, {"endpoint.completion_header_credits=1", "endpoint.completion_data_credits=16"});
  EXPECT_EQ(narrow["check"]["mismatches"], 0);
  EXPECT_EQ(roomy["pcie"]["links"][0]["downstream"]["credit_starved_ns"], 0);
  EXPECT_GT(narrow["pcie"]["links"][0]["downstream"]["credit_starved_ns"], 1000);
  EXPECT_LT(narrow["throughput_gbps"], roomy["throughput_gbps"].get<double>() * 0.95);
  const Finished none = run(reads, {"endpoint.completion_data_credits=1"});
  EXPECT_EQ(none.exit_code, 2) << none.err;
}

// --- Patterns of devices ---------------------------------------------------------------------------------------------

struct PatternRow {
  const char* name;
  Arguments options;
};

class DevicePatterns : public PageRequests, public testing::WithParamInterface<PatternRow> {};
INSTANTIATE_TEST_SUITE_P(
    Rows, DevicePatterns,
    testing::Values(PatternRow{"nvme", {"nvme-ring"}},
                    PatternRow{"nvme_lists_pasids",
                               {"nvme-ring", "--io-size", "0x20000", "--pasids", "2", "--streams", "2"}},
                    PatternRow{"nic", {"nic-ring", "--streams", "2", "--ring-entries", "16"}},
                    PatternRow{"nic_jumbo_pasids", {"nic-ring", "--io-size", "9000", "--pasids", "3"}},
                    PatternRow{"gpu", {"gpu", "--pasids", "4", "--window", "0x8000000", "--size", "128"}},
                    PatternRow{"zipf", {"zipf", "--pasids", "5", "--window", "0x80000"}}),
    [](const auto& made) { return std::string(made.param.name); });

TEST_P(DevicePatterns, RunWithoutMismatches) {
  const std::string trace = generated(GetParam().options);
  for (const char* mode : {"timed", "untimed"}) {
    for (const bool with_ats : {false, true}) {
      const json result = statistics(trace, with_ats ? ats : Arguments{"smmu.ssidsize=8"}, {"--mode", mode});
      EXPECT_EQ(result["check"]["checked"], accesses);
      EXPECT_EQ(result["check"]["mismatches"], 0);
      EXPECT_EQ(result["faults"], 0);
      EXPECT_EQ(result["invalidations"]["refused_batches"], 0);
    }
  }
}

TEST_P(DevicePatterns, RunOnDemandToo) {
  expect_balance(statistics(generated(GetParam().options), joined({ats, pri, demand})));
}

TEST_P(DevicePatterns, AreTheSameForTheSameSeed) {
  Arguments other = GetParam().options;
  other.insert(other.end(), {"--seed", "2"});
  const std::string first = read_text(generated(GetParam().options, "a.trace"));
  EXPECT_EQ(first, read_text(generated(GetParam().options, "b.trace")));
  EXPECT_NE(first, read_text(generated(other, "c.trace")));
}

}  // namespace
}  // namespace smmusim::test
