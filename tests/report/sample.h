// SPDX-License-Identifier: MIT
// Statistics and results of a sweep such as smmusim writes them, small enough to see through. For the tests of this
// folder only.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace smmusim::report {

/// Of a timed run: 100 accesses of which 90 hit the micro TLB in 400 ns and 10 walked in 1000 to 2000 ns.
nlohmann::ordered_json sample_statistics();

/// results.csv of a sweep over smmu.oas = 40, 44 and endpoint.ats = off, auto.
std::string sample_results();

/// The first line of results.csv behind the keys, and a row with this throughput.
std::string sample_columns();
std::string sample_row(double throughput);

}  // namespace smmusim::report
