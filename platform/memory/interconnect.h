// SPDX-License-Identifier: MIT
// Interconnect: passes accesses of n initiators to memory, register frames and doorbells by an address map. An
// address that no row holds, or an access that leaves its row, is a decode error: TLM_ADDRESS_ERROR_RESPONSE.
#pragma once

#include <cstdint>
#include <vector>

#include "model/base/types.h"
#include "platform/router.h"

namespace smmusim::platform {

/// Addresses [base, base + size) go to out[output].
struct AddressMapRow {
  Pa base{};
  std::uint64_t size = 0;
  unsigned output = 0;
  bool relative = false;  ///< the target sees offsets from base (a register frame)
};

struct InterconnectConfig {
  std::vector<AddressMapRow> map;
  Time request_latency_ps = 5'000;
  Time response_latency_ps = 5'000;
};

class Interconnect : public Router {
 public:
  /// Throws std::invalid_argument for rows that are empty, overlap, pass 2^64 or name no output.
  Interconnect(const sc_core::sc_module_name& name, systemc::Pump& pump, unsigned inputs, unsigned outputs,
               const InterconnectConfig& config);

  std::uint64_t decode_errors() const { return decode_errors_; }

 protected:
  Route route(tlm::tlm_generic_payload& payload, unsigned input, Time arrival) override;
  sc_core::sc_time response_delay(const tlm::tlm_generic_payload& payload, unsigned input, Time at) override;
  Route debug_route(tlm::tlm_generic_payload& payload, unsigned input) const override;
  /// Only without latencies: a direct access has none.
  std::optional<DirectRoute> direct_route(const tlm::tlm_generic_payload& payload) const override;

 private:
  const AddressMapRow* row_of(std::uint64_t address) const;
  Route route_in(const AddressMapRow* row, const tlm::tlm_generic_payload& payload) const;

  InterconnectConfig config_;  // the map sorted by base
  sc_core::sc_time request_delay_;
  sc_core::sc_time response_delay_;
  const AddressMapRow* recent_ = nullptr;  // the row that route() found last
  std::uint64_t decode_errors_ = 0;
};

}  // namespace smmusim::platform
