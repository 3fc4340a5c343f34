// SPDX-License-Identifier: MIT
// Accesses that are more, or less, than reads and writes: cache maintenance, destructive reads, directed prefetch,
// exclusives, speculative reads (IHI 0070 sections 3.14, 3.22, 16.7.2, 16.7.3). A table says which access each counts
// as and what becomes of it; the translation itself is translate.cc's. Nothing here is on the way of a plain access.
#pragma once

#include "model/smmu/transaction.h"
#include "model/smmu/translate.h"

namespace smmusim {

/// Terminated silently, whatever the SMMU's state: barriers, DVM operations, what may not be speculative.
bool ends_on_entry(const Transaction& t);

/// What goes on in place of op.transaction, which the SMMU lets pass: op.response. May be called again.
void settle_operation(const Core& core, Consultation& op);

/// True if the fault of `op` stays without a record: then op.response says what the client sees.
bool settle_faulted_operation(TranslationOp& op);

}  // namespace smmusim
