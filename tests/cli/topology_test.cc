// SPDX-License-Identifier: MIT
// Switches in a configuration: the addresses that follow, what does not fit, and that a run with one shares its link.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "platform/config/load.h"
#include "platform/config/show.h"
#include "tests/cli/process.h"

namespace smmusim {
namespace {

constexpr const char* two_behind_one = R"([[endpoint]]
name = "left"
stream_id = 8
switch = "sw"
bar_bytes = 0x1000
[[endpoint]]
name = "right"
stream_id = 9
switch = "sw"
)";

PlatformConfig load(const std::string& toml) {
  return load_config({"f.toml", toml, {}}, ConfigUse::description);
}

std::string error_of(const std::string& toml) {
  try {
    load(toml);
    return {};
  } catch (const InputError& error) {
    return error.what();
  }
}

TEST(Topology, EndpointsBehindASwitchGetTheAddressesOfEnumeration) {
  const PlatformConfig config = load(std::string(two_behind_one) + "[[endpoint]]\nswitch = \"second\"\n");
  EXPECT_EQ(config.endpoints[0].rid, 0x0300);
  EXPECT_EQ(config.endpoints[1].rid, 0x0400);
  EXPECT_EQ(config.endpoints[2].rid, 0x0700) << "bus 5 is the link to the second switch, 6 is inside";
  EXPECT_EQ(config.endpoints[2].stream().value, 0x0700U);
  EXPECT_EQ(config.endpoints[2].name, "07:00.0");
}

TEST(Topology, WhatIsShownLoadsAgain) {
  const std::string shown = config_to_toml(load(two_behind_one));
  EXPECT_NE(shown.find("switch = \"sw\""), std::string::npos);
  EXPECT_EQ(config_to_toml(load(shown)), shown);
}

TEST(Topology, WhatDoesNotFitIsRefused) {
  struct Row {
    const char* more;
    const char* says;
  };
  for (const Row& row : {
           Row{"[[endpoint]]\nswitch = \"sw\"\nbdf = \"03:00.0\"\n", "the endpoint's address is 05:00.0"},
           Row{"[[endpoint]]\nbdf = \"02:00.0\"\n", "bus 2 is below a switch"},
           Row{"[[endpoint]]\nbdf = \"00:01.0\"\nbar_bytes = 4096\n", "bar_bytes is for endpoints behind a switch"},
       }) {
    const std::string error = error_of(std::string(two_behind_one) + row.more);
    EXPECT_NE(error.find(row.says), std::string::npos) << error;
  }
  EXPECT_EQ(error_of(std::string(two_behind_one) + "[[endpoint]]\nbdf = \"00:1f.0\"\n"), "") << "a root port gives way";
}

TEST(Topology, MoreEndpointsThanPortsOrBusesAreRefused) {
  std::string many;
  for (int i = 0; i != 33; ++i) many += "[[endpoint]]\nswitch = \"sw\"\n";
  EXPECT_NE(error_of(many).find("more than 32 endpoints"), std::string::npos);
  std::string wide;
  for (int i = 0; i != 260; ++i) wide += "[[endpoint]]\nswitch = \"s" + std::to_string(i / 20) + "\"\n";
  EXPECT_NE(error_of(wide).find("more than 255 buses"), std::string::npos);
}

/// The same writes, each device with a root port of its own and both behind one switch: the link that they share is the
/// limit, so that they take twice as long.
TEST(Topology, DevicesBehindASwitchShareTheBandwidthOfItsLink) {
  const test::TemporaryFolder folder;
  const std::string trace = folder.path("two.trace");
  ASSERT_EQ(test::run_program({"trace", "gen", "sequential", "--streams", "2", "--first-stream", "8", "--read-percent",
                               "0", "--size", "4096", "--count", "2000", "-o", trace})
                .exit_code,
            0);
  const auto run = [&](const std::string& toml) {
    const std::string config = folder.write("c.toml", toml);
    const std::string out = folder.path("out.json");
    const test::Finished finished = test::run_program({"run", config, "--trace", trace, "--json", out});
    EXPECT_EQ(finished.exit_code, 0) << finished.err;
    return nlohmann::json::parse(test::read_text(out));
  };
  const nlohmann::json shared = run(two_behind_one);
  const nlohmann::json apart = run("[[endpoint]]\nbdf = \"00:01.0\"\n[[endpoint]]\nbdf = \"00:01.1\"\n");
  const double factor = apart["throughput_gbps"].get<double>() / shared["throughput_gbps"].get<double>();
  EXPECT_NEAR(factor, 2, 0.02);
  const nlohmann::json& fabric = shared["pcie"]["switches"].at(0);
  EXPECT_EQ(fabric["up"], shared["pcie"]["memory_write_tlps"]);
  EXPECT_EQ(fabric["upstream"]["payload_bytes"], 2000 * 4096);
  EXPECT_TRUE(apart["pcie"]["switches"].empty());
}

TEST(Topology, ARunWithAtsThroughASwitchIsCheckedToo) {
  const test::TemporaryFolder folder;
  const std::string trace = folder.path("two.trace");
  ASSERT_EQ(test::run_program({"trace", "gen", "random", "--streams", "2", "--first-stream", "8", "--count", "2000",
                               "--map-per-io", "-o", trace})
                .exit_code,
            0);
  const std::string config = folder.write("c.toml", two_behind_one);
  for (const char* mode : {"mode=timed", "mode=untimed"}) {
    const test::Finished finished = test::run_program(
        {"run", config, "--trace", trace, "--set", mode, "--set", "smmu.ats=true", "--set", "endpoint.ats=on", "--set",
         "endpoint.ats_capability=true", "--set", "endpoint.atc_entries=64", "--ladder", folder.path("ladder.txt")});
    EXPECT_EQ(finished.exit_code, 0) << finished.err;
    EXPECT_NE(finished.out.find("mismatches 0"), std::string::npos) << mode << finished.out;
  }
}

}  // namespace
}  // namespace smmusim
