// SPDX-License-Identifier: MIT
// Simulated hosts that cannot be: each a sentence.
#include <gtest/gtest.h>

#include <stdexcept>

#include "tests/host/host_bench.h"

namespace smmusim::host {
namespace {

struct BadRow {
  const char* what;
  void (*change)(SimulatedHostConfig& config);
  const char* sentence;  ///< part of it
};

TEST(SimulatedHostConfig, ImpossibleOnesAreRefusedWithASentence) {
  const BadRow rows[] = {
      {"kernel", [](SimulatedHostConfig& c) { c.kernel = "5.4"; }, "there are 6.1, 6.12, 6.13, 7.1, 7.2, 7.4"},
      {"no SMMU", [](SimulatedHostConfig& c) { c.smmus.clear(); }, "needs one at least"},
      {"page size", [](SimulatedHostConfig& c) { c.page_bits = 13; }, "12, 14 or 16"},
      {"times", [](SimulatedHostConfig& c) { (c.smmus.push_back(c.smmus[0]), c.smmus[1].timed = true); },
       "the one or the other"},
      {"SMMU of a device", [](SimulatedHostConfig& c) { c.devices[1].smmu = 1; },
       "vfio1 is behind SMMU 1; there are 1"},
      {"wide stream", [](SimulatedHostConfig& c) { c.devices[0].stream = StreamId(0x10000); },
       "its SMMU takes 16 bits"},
      {"same name", [](SimulatedHostConfig& c) { c.devices[1].name = "vfio0"; }, "names differ"},
      {"same stream", [](SimulatedHostConfig& c) { c.devices[1].stream = c.devices[0].stream; }, "each has its own"},
      {"part of a page", [](SimulatedHostConfig& c) { c.windows[0].bytes = 100; }, "whole pages"},
      {"high memory", [](SimulatedHostConfig& c) { c.windows[0].physical = Pa(1ull << 52); }, "below 2^52"},
      {"high tables", [](SimulatedHostConfig& c) { c.tables_base = Pa(1ull << 48); }, "below 2^48"},
      {"overlap", [](SimulatedHostConfig& c) { c.tables_base = Pa(guest_physical + 0x1000); }, "must not overlap"},
      {"no stage", [](SimulatedHostConfig& c) { c.smmus[0].features.ttf_vmsav8_64 = false; }, ""},
  };
  for (const BadRow& row : rows) {
    SimulatedHostConfig config = bench_config();
    row.change(config);
    try {
      const HostBench bench(config);
      ADD_FAILURE() << row.what;
    } catch (const std::invalid_argument& wrong) {
      EXPECT_NE(std::string(wrong.what()).find(row.sentence), std::string::npos) << row.what << ": " << wrong.what();
    }
  }
}

}  // namespace
}  // namespace smmusim::host
