// SPDX-License-Identifier: MIT
// What belongs together in a QEMU log: a register access with the commands that it made QEMU consume, a translation
// with the configuration fetch and the walk that it needed. Checks that the log agrees with itself; compares nothing
// with smmusim.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/spec/command.h"
#include "tests/oracle/log_lines.h"

namespace smmusim::oracle {

/// Levels of a walk with 4 KiB granule from a 48-bit input: 0 to 3.
inline constexpr int levels = 4;
inline constexpr unsigned level_shift(int level) {
  return 12 + 9 * static_cast<unsigned>(3 - level);
}

struct LoggedCommand {
  std::uint64_t line = 0;
  spec::Opcode opcode{};
  std::vector<trace::Record> details;  ///< a range invalidation is printed as power-of-two pieces
};

/// One decoding of STE and CD.
struct LoggedConfiguration {
  std::uint64_t line = 0;
  std::uint64_t sid = 0, features = 0, sid_split = 0;                                           // smmuv3_find_ste
  std::uint64_t strtab_base = 0, l1ptr = 0, l1_off = 0, l2ptr = 0, l2_off = 0, max_l2_ste = 0;  // _2lvl
  std::uint64_t ste = 0, cd = 0;                                                                // addresses
  std::uint64_t oas = 0;                                                                        // bits, of CD.IPS
  std::uint64_t tsz = 0, ttb = 0, granule_sz = 0, had = 0;                                      // TT[0]; no TT[1]: EPD1
};

/// One descriptor that a walk read.
struct LoggedFetch {
  int level = 0;
  std::uint64_t address = 0;
  std::uint64_t value = 0;
};

enum class LogStepKind : std::uint8_t { register_read, register_write, translation };

struct LogStep {
  std::uint64_t line = 0;
  LogStepKind kind{};
  std::uint64_t offset = 0, value = 0;  ///< of a register access; offset as the frame has it
  unsigned size = 0;                    ///< bytes
  std::vector<LoggedCommand> commands;  ///< of a register write
  trace::Record access{};               ///< of a translation: stream, address, output, perm
  std::optional<LoggedConfiguration> configuration;
  std::vector<LoggedFetch> walk;  ///< empty: QEMU's TLB had it; else one a level
};

struct LogSteps {
  std::uint64_t lines = 0;
  std::uint64_t device_lines = 0;
  std::vector<LogStep> steps;
};

/// Groups `lines`. Throws trace::TraceError at the first line that does not fit the ones before it.
LogSteps group(const std::string& name, const std::vector<Line>& lines);

}  // namespace smmusim::oracle
