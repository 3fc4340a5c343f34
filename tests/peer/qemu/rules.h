// SPDX-License-Identifier: MIT
// The predicates of the explained divergences: what of a case's input makes QEMU differ. One for each row of
// divergences.cc, of the same name. They see the input and the facts about it, never an outcome.
#pragma once

#include "tests/peer/qemu/case.h"
#include "tests/peer/qemu/facts.h"

namespace smmusim::peer::rules {

using Rule = bool(const Case&, const Facts&);

// Stream table and STE.
Rule recinvsid, l2_span, split_reserved, l2ptr_bits, table_alignment, s1cdmax, s1stalld, context_pointer, bypass_size;
Rule s2aa64, s2t0sz_ps, s2_start_level, s2ha_s2hd, input_ias;
// CD and stage 1.
Rule cd_fetch_address, ips_reserved, tbi1, unprivileged, aptable_early, table_size, block_level, leaf_priority;
// Stage 2 and nesting.
Rule concatenation, s2ptw, nested, nested_write, ttb_early, ttb_truncated, split_table, table_fault_record;

}  // namespace smmusim::peer::rules
