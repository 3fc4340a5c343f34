// SPDX-License-Identifier: MIT
// `smmusim nested`: accelerated nested mode.
#include "platform/cli/commands.h"

namespace smmusim::cli {

void add_nested(CLI::App& app, Action& action) {
  CLI::App& nested = add_command(app, "nested",
                                 "accelerated nested mode: DMA goes through a host's SMMU, stage 1 of the guest over "
                                 "stage 2 of the host",
                                 "smmusim nested run --trace traces/linux72-nvme-mixed.trace");
  nested.require_subcommand(1);
  add_nested_run(nested, action);
}

}  // namespace smmusim::cli
