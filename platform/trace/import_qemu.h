// SPDX-License-Identifier: MIT
// Importer of QEMU's trace log of an SMMUv3 (text, plain or zstd), e.g. made with
//   -d
//   trace:smmuv3_translate_success,trace:smmuv3_range_inval,trace:smmuv3_cmdq_*,trace:pci_nvme_read,trace:pci_nvme_write
//
// smmuv3_translate_success becomes an access with its oracle, smmuv3_range_inval and smmuv3_cmdq_tlbi_* invalidations,
// smmuv3_cmdq_cfgi_* configuration changes. Other events are skipped and counted (also translate_bypass, _disable and
// _abort: a trace knows no state of a stream in which they would replay). pci_nvme_read/write give directions and
// sizes (nvme_infer.h); a log without them gets direction from the permission (write if allowed) and 64 bytes.
//
// QEMU prints a range invalidation as aligned power-of-two pieces; each is a record. The whole log is held in memory
// (64 bytes a record, less than half of the log's text), because the role of a page shows only after its first use.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "platform/trace/nvme_infer.h"
#include "platform/trace/record.h"

namespace smmusim::trace {

struct ImportOptions : InferOptions {
  bool use_device_lines = true;  ///< false: the plain rule for every access
};

struct ImportReport {
  std::uint64_t lines = 0;  ///< of the log
  std::uint64_t accesses = 0;
  std::uint64_t invalidations = 0;
  std::uint64_t configurations = 0;
  std::uint64_t device_lines = 0;  ///< pci_nvme_read and pci_nvme_write
  std::uint64_t skipped = 0;       ///< well-formed lines of other events
  std::map<std::string, std::uint64_t> skipped_by_event;
};

/// Reads a log. Throws TraceError (file and line) for a line that is no trace event, a line of a known event that
/// does not parse, a last line without newline (the log was cut off), and TraceError for options out of range.
std::vector<Record> read_qemu_log(const std::string& path, const ImportOptions& options, ImportReport& report);

}  // namespace smmusim::trace
