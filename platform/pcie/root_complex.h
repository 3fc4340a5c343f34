// SPDX-License-Identifier: MIT
// RootComplex: takes the TLPs of PCIe functions, each function on its own link, and hands them to the SMMU's TBUs
// with the StreamID that belongs to their RequesterID. The rows are Linux's `iommu-map`: a RID inside
// [rid_base, rid_base + rid_count) gets stream_base + (rid - rid_base). The link is a part of its own (link.h).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "model/base/types.h"
#include "platform/pcie/link.h"
#include "platform/router.h"

namespace smmusim::platform {

struct RidMapRow {
  std::uint16_t rid_base = 0;
  std::uint32_t rid_count = 0;  ///< 1 to 65536
  StreamId stream_base{};
  unsigned output = 0;  ///< which TBU
};

struct RootComplexConfig {
  std::vector<RidMapRow> rid_map;
  std::uint16_t rid_mask = 0xffff;  ///< `iommu-map-mask`: applied to the RID before the rows
  PcieLinkConfig link{};            ///< of every port
  Time request_processing_ps = 20'000;
  Time response_processing_ps = 20'000;
};

class RootComplex : public Router {
 public:
  /// `ports`: links with one function each; in[n] is the root complex's end of link n. Throws std::invalid_argument.
  RootComplex(const sc_core::sc_module_name& name, systemc::Pump& pump, unsigned ports, unsigned outputs,
              const RootComplexConfig& config);

  /// The RID of payloads that come in by `port` without SmmuExtension (which then gets attached for good).
  void set_default_rid(unsigned port, std::uint16_t rid) { default_rids_[port] = rid; }

  /// The StreamID of a RID; empty: no row holds it.
  std::optional<StreamId> stream_of(std::uint16_t rid) const;
  /// Requests whose RID is in no row: completed as unsupported requests (TLM_GENERIC_ERROR_RESPONSE), not passed on.
  std::uint64_t unsupported_requests() const { return unsupported_requests_; }

 protected:
  Route route(tlm::tlm_generic_payload& payload, unsigned input, Time arrival) override;
  sc_core::sc_time response_delay(const tlm::tlm_generic_payload& payload, unsigned input, Time at) override;
  Route debug_route(tlm::tlm_generic_payload& payload, unsigned input) const override;

 private:
  const RidMapRow* row_of(std::uint16_t rid) const;
  systemc::SmmuExtension& extension_of(tlm::tlm_generic_payload& payload, unsigned input) const;

  RootComplexConfig config_;
  std::vector<PcieLink> links_;
  std::vector<std::uint16_t> default_rids_;
  std::uint64_t unsupported_requests_ = 0;
};

}  // namespace smmusim::platform
