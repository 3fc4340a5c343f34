// SPDX-License-Identifier: MIT
// TLPs as bytes on the wire (PCI Express Base section 2.2), without framing, sequence number and LCRC: prefix, header,
// data. The simulation carries Tlp objects; this is for what looks at bytes. An ECRC is neither made nor checked.
#pragma once

#include <span>
#include <vector>

#include "platform/pcie/tlp_rules.h"

namespace smmusim::platform {

/// The bytes of a TLP that breaks no rule. Configuration requests: `target_id` is the function, `address` the offset of
/// the register.
std::vector<unsigned char> encode(const Tlp& tlp);

/// Reads `bytes` into a cleared TLP. If it is at fault, what was understood until then is in there.
TlpFault decode(std::span<const unsigned char> bytes, const TlpLimits& limits, Tlp& tlp);

}  // namespace smmusim::platform
