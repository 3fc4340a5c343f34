// SPDX-License-Identifier: MIT
// The lines of a full trace log of QEMU's SMMUv3 (every event of hw/arm/trace-events that such a log holds), each with
// its numbers. A line of any other event is an error that names the line: nothing is skipped. Says nothing about what
// belongs together (log_steps.h).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "platform/trace/record.h"

namespace smmusim::oracle {

enum class LineKind : std::uint8_t {
  register_read,   ///< smmuv3_read_mmio
  register_write,  ///< smmuv3_write_mmio, printed after everything that the write caused
  opcode,          ///< smmuv3_cmdq_opcode: a command is consumed
  command_detail,  ///< smmuv3_range_inval, smmuv3_cmdq_*: its operands, in `record`
  access,          ///< smmuv3_translate_success, in `record`
  device,          ///< pci_nvme_read, pci_nvme_write: what the device was doing
  find_ste,
  find_ste_2lvl,
  get_ste,
  get_cd,
  decode_cd,
  decode_cd_tt,
  get_pte,    ///< smmu_get_pte
  ptw_level,  ///< smmu_ptw_level
  ptw_page,   ///< smmu_ptw_page_pte
};

// Places of the numbers in Line::values, in the order in which QEMU prints them.
namespace mmio {
enum Value : std::size_t { addr, val, size, result };
}
namespace find_ste {
enum Value : std::size_t { sid, features, sid_split };
}
namespace find_ste_2lvl {
enum Value : std::size_t { strtab_base, l1ptr, l1_off, l2ptr, l2_off, max_l2_ste };
}
namespace decode_cd_tt {
enum Value : std::size_t { index, tsz, ttb, granule_sz, had };
}
namespace get_pte {
enum Value : std::size_t { baseaddr, index, pteaddr, pte };
}
namespace ptw_level {
enum Value : std::size_t { stage, level, iova, subpage_sz, baseaddr, offset, pte };
}
namespace ptw_page {
enum Value : std::size_t { stage, level, iova, base, pteaddr, pte, page };
}

struct Line {
  std::uint64_t number = 0;  ///< in the file, from 1
  LineKind kind{};
  trace::Record record{};                 ///< of command_detail and access
  std::array<std::uint64_t, 7> values{};  ///< of the others; opcode, get_ste, get_cd, decode_cd: one number
  std::uint64_t operator[](std::size_t i) const { return values[i]; }
};

/// The contents of a file, plain or zstd. Throws trace::TraceError.
std::string read_contents(const std::string& path);

/// Every line of `text`. Throws trace::TraceError with `name` and the line's number for a line that is not
/// understood, and if the last line is cut off.
std::vector<Line> parse_lines(const std::string& name, std::string_view text);

}  // namespace smmusim::oracle
