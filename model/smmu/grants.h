// SPDX-License-Identifier: MIT
// Grants: which pages a client may access without asking for each access (TLM's direct memory interface), and the one
// way in which that ends: all at once. The architecture knows no such thing, so a grant must be what a TLB entry may
// be: it goes with CMD_CFGI_*, CMD_TLBI_*, writes to CR0 and GBPA, and reset (IHI 0070 sections 3.11, 4.3 and 4.4),
// when the command is executed and so before its CMD_SYNC completes. It knows no host addresses.
#pragma once

#include <cstdint>
#include <functional>
#include <utility>

#include "model/base/types.h"

namespace smmusim {

struct Core;

/// One page, or the whole mapping that holds it, of one client.
struct Grant {
  std::uint64_t first = 0;  ///< addresses as the client gives them, both included
  std::uint64_t last = 0;
  Pa address{};  ///< output address of `first`; the rest follows linearly
  bool read = false;
  bool write = false;
};

/// What revokes grants. Costs one test where none was given.
class Grants {
 public:
  using Revoke = std::function<void()>;

  /// Who is told that every grant has ended. It must not ask for a grant before it returns.
  void set_revoke(Revoke revoke) { revoke_ = std::move(revoke); }
  void note_given() { given_ = true; }
  void revoke_all() {
    if (!given_) return;
    given_ = false;
    if (revoke_) revoke_();
  }

 private:
  Revoke revoke_;
  bool given_ = false;
};

/// Ends every grant; to be called when the caches and registers are new already.
void revoke_grants(Core& core);

}  // namespace smmusim
