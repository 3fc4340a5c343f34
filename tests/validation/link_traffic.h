// SPDX-License-Identifier: MIT
// Traffic for a TlpLink alone, to measure what the link lets through: a device that reads and writes as fast as it may,
// a memory that answers after a fixed time and can write too. No addresses, no SMMU, no root complex.
#pragma once

#include <cstdint>
#include <vector>

#include "model/sim/engine.h"
#include "platform/pcie/tlp_link.h"

namespace smmusim::validation {

/// What one end of the link sends, as fast as the link takes it.
struct EndTraffic {
  unsigned write_bytes = 0;         ///< of a posted write; 0: none. Longer ones go as TLPs of Max_Payload_Size
  unsigned read_bytes = 0;          ///< of a memory read; 0: none. At most 4096
  unsigned tags = 768;              ///< reads under way at most
  unsigned completion_bytes = 256;  ///< the most in one completion that this end answers with
  Time answer_ps = 0;               ///< from a read's arrival to its first completion
  Time hold_ps = 0;                 ///< how long a TLP stays in the receive buffer
};

struct TrafficResult {
  double write_gbps = 0;  ///< payload of posted writes that arrived
  double read_gbps = 0;   ///< payload of completions that arrived
};

/// Runs both ends for `warm_up`, then measures for `length`. results[end]: what `end` has sent.
struct TrafficResults {
  TrafficResult from[2];
};
TrafficResults run_traffic(const platform::TlpLinkConfig& config, const EndTraffic& root, const EndTraffic& device,
                           Time warm_up, Time length);

}  // namespace smmusim::validation
