// SPDX-License-Identifier: MIT
// What the counters of an SMMU say, as the statistics of a run and of a co-simulation both print it: times in
// nanoseconds, names of events and commands the specification's. Knows nothing of the platform around the SMMU.
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

#include "model/smmu/counters.h"
#include "model/smmu/smmu.h"

namespace smmusim {

/// A simulated time in nanoseconds; the mean of `count` times that add up to `sum`, 0 of nothing.
double to_ns(Time time);
double mean_ns(Time sum, std::uint64_t count);

nlohmann::ordered_json cache_json(const CacheCounters& cache);
/// By name; what did not occur is left out, as in commands_json and walks_json.
nlohmann::ordered_json events_json(const SmmuCounters& counters);
nlohmann::ordered_json commands_json(const SmmuCounters& counters);
nlohmann::ordered_json walks_json(const SmmuCounters& counters);

/// One SMMU: an element of the statistics' `smmus`.
nlohmann::ordered_json smmu_json(const Smmu& smmu, std::string_view name, std::string_view role = "guest");

}  // namespace smmusim
