// SPDX-License-Identifier: MIT
// One line of QEMU's trace log: its time stamp, its event, and what the events that concern a trace say.
// Event formats: QEMU's hw/arm/trace-events and hw/nvme/trace-events, from the first SMMUv3 (3.0) to 11.1.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "platform/trace/record.h"

namespace smmusim::trace {

/// The wall clock of a line. Older `log` back ends print none; then valid is false.
struct LogStamp {
  bool valid = false;
  std::int64_t seconds = 0;       ///< since 1970-01-01
  std::uint64_t picoseconds = 0;  ///< below 10^12
};

struct LogLine {
  LogStamp stamp;
  std::string_view event;      ///< "smmuv3_translate_success"
  std::string_view arguments;  ///< the rest, without leading spaces
};

/// Splits `2026-11-20T11:41:18.648082Z event ...`, `1234@1732102878.648082:event ...` and `event ...`.
/// False if the line is none of these (an event is a word of letters, digits and at least one underscore).
bool split_log_line(std::string_view line, LogLine& out);

enum class LogEvent : std::uint8_t {
  access,         ///< smmuv3_translate_success: stream, address, output and perm of the record are set
  access_detail,  ///< smmusim_access: our own line, which says what QEMU's does not of the access after it
  command,        ///< invalidate or config: the record is complete but for its time
  nvme,           ///< pci_nvme_read or pci_nvme_write
  other,          ///< an event that a trace has no use for
};

struct NvmeCommand {
  bool device_writes = false;  ///< pci_nvme_read: data goes to memory
  std::uint64_t bytes = 0;     ///< of data that the device moves by DMA
};

/// What the line means. A line of an event known here that does not parse gives an error sentence, else "".
/// For access_detail the record holds op, size (0: the line has none), ats, tag, substream and flags.
std::string parse_log_event(const LogLine& line, LogEvent& event, Record& record, NvmeCommand& command);

}  // namespace smmusim::trace
