// SPDX-License-Identifier: MIT
// Writes a trace as the lines of QEMU's SMMUv3 log that import_qemu.h reads. Accesses and invalidations survive
// export and import unchanged. QEMU's access line has no direction and no size: where the importer's plain rule would
// not give them back, a line of our own, `smmusim_access op=N size=N ...`, stands before it (other readers skip it).
// Not expressible, hence errors: map, unmap, an access without expected address, an access of more than a page.
// Configuration changes lose the SubstreamID and the difference of cd and cd-all, as in QEMU.
#pragma once

#include <string>

#include "platform/trace/record.h"

namespace smmusim::trace {

/// An access of size 0 is one whose size its source does not know: it is written without a size, and the importer
/// infers that, and only that.
///
/// Appends the line or lines of one record, each with its newline. The time stamp counts from 1970-01-01T00:00:00Z.
/// Returns nullptr, or (nothing appended) why the record can't be written, as a sentence.
const char* append_log_lines(const Record& record, std::string& to);

}  // namespace smmusim::trace
