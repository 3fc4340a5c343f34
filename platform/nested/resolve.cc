// SPDX-License-Identifier: MIT
// Which host; see the header. A simulated host is asked on an engine of its own: the one of the machine comes later.
#include "platform/nested/resolve.h"

#include <fmt/format.h>

#include "model/sim/engine.h"
#include "platform/host/probe.h"
#include "platform/host/real_system.h"
#include "platform/memory/immediate_port.h"
#include "platform/nested/nested_machine.h"
#include "platform/nested/simulated.h"

namespace smmusim::nested {
namespace {

/// Says why, always: the devices of a trace are simulated, and no machine with the hardware has been met.
[[noreturn]] void refuse_hardware() {
  host::RealSystem system;
  const host::ProbeResult probed = host::probe(system);
  std::string why;
  for (const std::string& reason : probed.reasons) why += (why.empty() ? "" : "; ") + reason;
  if (probed.nested_possible()) {
    why = "this machine could do it, but a trace's devices are simulated and can't do their DMA through its SMMU";
  }
  if (why.empty()) why = "no device of this machine can be used";
  throw HostRefusal(
      fmt::format("host.mode = hardware: {}; `smmusim host probe` has the details, host.mode = simulated "
                  "does without",
                  why));
}

}  // namespace

PlatformConfig on_its_host(const PlatformConfig& config) {
  if (config.host.mode == HostMode::none) return config;
  if (config.host.mode == HostMode::hardware) refuse_hardware();
  PlatformConfig simulated = config;
  simulated.host.mode = HostMode::simulated;
  PlatformConfig asked = simulated;
  asked.mode = Mode::untimed;
  Engine engine;
  const HostMemory own = host_memory(config);
  SparseMemoryConfig ranges;
  ranges.ranges = {{Pa(own.base), own.bytes()}, {Pa(config.memory.base), config.memory.size}};
  SparseMemory memory(ranges);
  ImmediatePort port(memory);
  host::SimulatedHost system(engine, memory, port, simulated_host_config(asked));
  const NestedMachine machine(engine, system, asked, std::make_shared<host::IoctlLog>());
  return machine.resolved(simulated);
}

}  // namespace smmusim::nested
