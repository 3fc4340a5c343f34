// SPDX-License-Identifier: MIT
// The two ways in: QEMU's plugin interface, and LD_PRELOAD.
#include <cerrno>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "platform/cosim/device/options.h"
#include "platform/cosim/qemu/boundary.h"
#include "platform/cosim/qemu/machine.h"

#define SMMUSIM_EXPORT extern "C" __attribute__((visibility("default")))

namespace {

using namespace smmusim::cosim;
using namespace smmusim::cosim::qemu;

}  // namespace

/// The version of the plugin interface that QEMU compares with its own range. We call none of its functions, so it is
/// set to one that the running QEMU takes.
SMMUSIM_EXPORT int qemu_plugin_version;
int qemu_plugin_version = 1;

namespace {

/// Whatever QEMU starts is preloaded into as well: only QEMU itself is meant.
__attribute__((constructor)) void loaded() {
  qemu_plugin_version = plugin_interface_version();
  const char* list = std::getenv(options_variable);
  if (list == nullptr || !std::string_view(program_invocation_short_name).starts_with("qemu-system")) return;
  guarded([list] { Machine::create_preloaded(parse_options(split_arguments(list))); });
}

}  // namespace

SMMUSIM_EXPORT int qemu_plugin_install(std::uint64_t, const PluginInfo*, int argc, char** argv) {
  guarded([&] { Machine::create(parse_options(std::vector<std::string>(argv, argv + argc))); });
  return 0;
}
