// SPDX-License-Identifier: MIT
// Many questions in a file of JSON lines, one short answer each. A line is an object; "sid" and "address" must be
// there:
//   {"registers":{"0x80":"0x.."},"words":{"0xADDR":"0x64BIT"},"sid":8,"ssid":null,"address":"0x..","write":true}
// and optionally "atomic", "instruction", "privileged" (booleans) and "size" (bytes). Numbers are JSON integers or
// strings, decimal or 0x. registers and words hold for their line only, over what the dump has.
#pragma once

#include <string>

#include "platform/explain/image_memory.h"
#include "platform/explain/untimed_smmu.h"

namespace smmusim::explain {

/// The answers, a line each: {"outcome":"proceed","pa":"0x..","event":["0x.." x4] or null}; pa is null unless the
/// access proceeds, event is null unless one is recorded. `registers` and `memory` are what all lines share.
/// Throws trace::TraceError with the line, or the byte offset of a broken file; nothing has been answered then.
std::string answer_batch(const std::string& path, const SmmuConfig& config, const RegisterDump& registers,
                         ImageMemory& memory);

}  // namespace smmusim::explain
