// SPDX-License-Identifier: MIT
// The table of operations.
//
// IMPLEMENTATION DEFINED choices: a destructive read becomes a plain read; in v3.0 cache maintenance is terminated;
// the system takes every operation, whatever its memory type, but for exclusives, which it takes as ACE-Lite does.
#include "model/smmu/operations.h"

#include <iterator>

#include "model/smmu/core.h"
#include "model/vmsa/attributes.h"

namespace smmusim {
namespace {

enum class Counts : std::uint8_t { as_presented, as_read, as_write };
/// The bit of the STE that lets an operation pass where a stage translates.
enum class Control : std::uint8_t { none, dre, dcp };
enum class Kind : std::uint8_t {
  access,       ///< transfers data
  maintenance,  ///< cache maintenance by address
  hint,         ///< maintenance that never faults and is never aborted
  prefetch,     ///< as a hint, but with a memory type
  ended,        ///< not supported: terminated silently
};

struct OperationRow {
  Operation operation;
  Kind kind;
  Counts counts;
  Control control;
  bool needs_write;      ///< to pass unchanged, besides what its access needs
  Operation downgraded;  ///< what it becomes otherwise
  Operation in_v30;      ///< what it always becomes in SMMUv3.0; its own if later versions do the same
};

using enum Operation;
constexpr OperationRow rows[] = {
    {plain, Kind::access, Counts::as_presented, Control::none, false, plain, plain},
    {exclusive, Kind::access, Counts::as_presented, Control::none, false, plain, exclusive},
    {read_clean_invalidate, Kind::access, Counts::as_read, Control::none, false, plain, plain},
    {destructive_read, Kind::access, Counts::as_read, Control::dre, true, plain, plain},
    {write_prefetch, Kind::access, Counts::as_write, Control::dcp, false, plain, plain},
    {prefetch, Kind::prefetch, Counts::as_read, Control::dcp, false, no_op, no_op},
    {clean, Kind::maintenance, Counts::as_read, Control::none, false, clean, no_op},
    {clean_to_persistence, Kind::maintenance, Counts::as_read, Control::none, false, clean_to_persistence, no_op},
    {clean_invalidate, Kind::maintenance, Counts::as_read, Control::none, false, clean_invalidate, no_op},
    {invalidate, Kind::maintenance, Counts::as_read, Control::dre, true, clean_invalidate, no_op},
    {destructive_hint, Kind::hint, Counts::as_read, Control::dre, true, no_op, no_op},
    {maintenance_not_by_address, Kind::ended, Counts::as_read, Control::none, false, no_op, no_op},
    {dvm, Kind::ended, Counts::as_read, Control::none, false, no_op, no_op},
    {barrier, Kind::ended, Counts::as_read, Control::none, false, no_op, no_op},
    {no_op, Kind::ended, Counts::as_read, Control::none, false, no_op, no_op},
};

consteval bool in_order() {
  for (std::size_t i = 0; i != std::size(rows); ++i) {
    if (rows[i].operation != static_cast<Operation>(i)) return false;
  }
  return true;
}
static_assert(in_order(), "row_of() counts on it");

const OperationRow& row_of(Operation operation) {
  const auto number = static_cast<std::size_t>(operation);
  return rows[number < std::size(rows) ? number : std::size(rows) - 1];
}

bool never_aborted(const OperationRow& row) {
  return row.kind == Kind::hint || row.kind == Kind::prefetch;
}

bool translated(const Consultation& op) {
  return op.context != nullptr && (op.context->translates_stage1() || op.context->translates_stage2());
}

/// Where a stage translates: the STE's control and the permissions. The rest is the bus's, see exclusives.
bool passes_unchanged(const OperationRow& row, const Consultation& op) {
  if (row.operation == exclusive) {
    // Neither Inner nor Outer Shareable; Device and Non-cacheable go out System Shareable, as which it is legal.
    const MemoryAttributes& out = op.response.attributes;
    return is_device(out.type) || out.type == mair_normal_nc || out.shareability == shareability_non;
  }
  if (!translated(op)) return true;
  if (row.control == Control::dre && !op.context->dre) return false;
  if (row.control == Control::dcp && !op.context->dcp) return false;
  return !row.needs_write || op.response.write_allowed;
}

/// No_snoop takes a cacheable access off the caches, after all else (section 13.6.1.1).
void apply_no_snoop(const Transaction& t, Response& response) {
  if (!t.no_snoop || response.outcome != Outcome::proceed || is_device(response.attributes.type)) return;
  response.attributes = {mair_normal_nc, shareability_outer};
}

/// The client sees success; nothing goes on.
void complete_as_no_op(Response& response) {
  response.outcome = Outcome::raz_wi;
  response.operation = no_op;
}

}  // namespace

Transaction as_it_counts(const Transaction& t) {
  const OperationRow& row = row_of(t.operation);
  Transaction counts = t;
  if (row.counts == Counts::as_read) counts.access = AccessType::read;
  if (row.counts == Counts::as_write) counts.access = AccessType::write;
  const bool has_type = row.kind == Kind::access || row.kind == Kind::prefetch;
  if (!has_type) counts.attributes.type = mair_normal_wb;
  return counts;
}

bool ends_on_entry(const Transaction& t) {
  const OperationRow& row = row_of(t.operation);
  if (row.kind == Kind::ended) return true;
  if (!t.speculative || never_aborted(row)) return false;  // a hint may be speculative, and ends in no abort
  return t.operation != plain || t.access != AccessType::read;
}

void settle_operation(const Core& core, Consultation& op) {
  Response& response = op.response;
  const OperationRow& row = row_of(op.transaction.operation);
  if (response.outcome != Outcome::proceed) {
    if (never_aborted(row)) complete_as_no_op(response);
    return;
  }
  if (core.config.features.version_minor == 0 && row.in_v30 != row.operation) {
    response.operation = row.in_v30;
  } else {
    response.operation = passes_unchanged(row, op) ? row.operation : row.downgraded;
  }
  apply_no_snoop(op.transaction, response);
  if (response.operation != no_op) return;
  if (row.kind == Kind::maintenance) {
    response.outcome = Outcome::abort;
  } else {
    complete_as_no_op(response);
  }
}

bool settle_faulted_operation(TranslationOp& op) {
  if (never_aborted(row_of(op.transaction.operation))) {
    complete_as_no_op(op.response);
    return true;
  }
  if (!op.transaction.speculative) return false;
  if (op.response.outcome != Outcome::ats_completion) op.response.outcome = Outcome::abort;
  return true;
}

}  // namespace smmusim
