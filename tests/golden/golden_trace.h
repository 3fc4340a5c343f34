// SPDX-License-Identifier: MIT
// Golden traces: an Observer that writes one line for each thing it is told, with its time, and the comparison with a
// file of tests/golden. SMMUSIM_UPDATE_GOLDEN=1 in the environment rewrites the files instead.
#pragma once

#include <string>
#include <vector>

#include "model/sim/engine.h"
#include "model/smmu/observer.h"

namespace smmusim {

class TraceWriter : public Observer {
 public:
  void access(const MemoryRequest& request) override;
  void lookup(CacheId cache, bool hit) override;
  void fill(CacheId cache) override;
  void event(const spec::Event& event, bool written) override;
  void command(const spec::Command& command, spec::CommandError error) override;
  void response(const Transaction& t, const Response& r) override;
  /// A heading between the parts of a scenario.
  void say(const std::string& text) { lines.push_back("# " + text); }

  Engine* engine = nullptr;  ///< set before anything happens
  std::vector<std::string> lines;

 private:
  void add(const std::string& text);
};

/// Compares with tests/golden/<name>.txt; the failure names the first line that differs and how to update.
void expect_golden(const std::string& name, const std::vector<std::string>& lines);

}  // namespace smmusim
