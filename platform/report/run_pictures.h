// SPDX-License-Identifier: MIT
// The pictures of a run's page: which numbers of the statistics go where.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "platform/report/document.h"

namespace smmusim::report {

struct CacheWords {
  const char* name;  ///< in the statistics
  const char* words;
};
/// The caches that were asked at least once.
std::vector<CacheWords> caches_of(const Document& statistics);

enum class RunPicture : unsigned char { throughput, load, latency, tail, time, caches };

class RunPictures {
 public:
  /// Draws all that the statistics have numbers for.
  explicit RunPictures(const Document& statistics);
  /// The figure; empty if there is nothing to show.
  std::string markup(RunPicture picture) const { return markup_[static_cast<std::size_t>(picture)]; }

 private:
  std::array<std::string, 6> markup_;
};

}  // namespace smmusim::report
