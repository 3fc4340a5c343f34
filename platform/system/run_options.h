// SPDX-License-Identifier: MIT
// What the command line asks of a simulation. The command line fills these, platform/system carries them out.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "platform/config/load.h"
#include "platform/config/platform_config.h"

namespace smmusim {

/// `smmusim run`.
struct RunOptions {
  PlatformConfig config{};     ///< resolved and valid; the trace to play is config.trace.file, not empty
  std::string json_path;       ///< "-": standard output, instead of the summary; empty: no JSON
  std::string out_dir;         ///< empty: none; else it gets stats.json and report.html
  std::string ladder_path;     ///< gets the TLPs of all links as a message sequence chart; empty: none
  std::string ioctl_log_path;  ///< gets the calls to the host, a line each; empty: none
  bool colour = false;         ///< standard output is a terminal and NO_COLOR is not set
  bool progress = false;       ///< standard error is a terminal
};

/// A key of keys.h and its values as text, in the order given; each value is known to be of the key's type and range.
using VaryAxis = std::pair<std::string, std::vector<std::string>>;

/// `smmusim sweep`: the cross product of the axes, the last one fastest, over one configuration. A point is
/// load_config() of `base` with the point's assignments appended; all points are loaded before anything is written.
struct SweepOptions {
  ConfigSource base{};
  std::vector<VaryAxis> axes{};
  std::string out_dir;
  unsigned jobs = 1;
  bool progress = false;
};

/// Returns the exit code of contract.md: 0, or 1 if something that the run was asked to check does not hold. Bad input
/// is an exception: trace::TraceError, or InputError of platform/config/load.h.
int run_simulation(const RunOptions& options);
/// The same for a configuration with NVMe controllers, whose drivers make the traffic (has_device()).
int run_nvme(const RunOptions& options);
/// And with iommu-testdevs.
int run_testdev(const RunOptions& options);
int run_sweep(const SweepOptions& options);

}  // namespace smmusim
