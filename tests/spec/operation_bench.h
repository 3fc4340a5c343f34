// SPDX-License-Identifier: MIT
// OperationBench: one stream with one page of given permissions, for the tests of what is neither read nor write.
#pragma once

#include "tests/support/smmu_bench.h"

namespace smmusim::operations {

namespace ste = raw::ste;
namespace cd = raw::cd;
inline constexpr std::uint64_t target = SmmuBench::target, va = 0x1000;

// Permissions of the page for unprivileged accesses.
inline constexpr std::uint64_t rw = raw::af | raw::ng | raw::ap_unprivileged;
inline constexpr std::uint64_t ro = rw | raw::ap_read_only;
inline constexpr std::uint64_t execute_only = raw::af | raw::ng;
inline constexpr std::uint64_t nothing = execute_only | raw::uxn;
inline constexpr std::uint64_t rw_never_executed = rw | raw::uxn;

inline Transaction of(Operation operation, AccessType access = AccessType::read) {
  Transaction t = SmmuBench::transaction(1, va, access);
  t.operation = operation;
  return t;
}

/// Stream 1 with one page of these permissions.
struct OperationBench : SmmuBench {
  /// flags 0: nothing is mapped.
  explicit OperationBench(std::uint64_t flags, bool dre = true, bool dcp = true,
                          const SmmuConfig& config = bench_config())
      : SmmuBench(config, config.timed ? 1000 : 0) {
    context = stage1_stream(1);
    put_ste(1, stage1_ste(cd_address(1)).with({{ste::DRE, dre}, {ste::DCP, dcp}}));
    map(ttb0(context), va, flags == 0 ? 0 : raw::page(target, flags));
  }
  raw::Cd context;
};

}  // namespace smmusim::operations
