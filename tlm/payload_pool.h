// SPDX-License-Identifier: MIT
// PayloadPool: generic payloads that are used again and again, their extensions attached for good. Allocates only
// until the most payloads in flight have been seen.
#pragma once

#include <cstddef>
#include <memory>
#include <tlm>
#include <vector>

namespace smmusim::systemc {

class PayloadPool final : public tlm::tlm_mm_interface {
 public:
  PayloadPool() = default;
  PayloadPool(const PayloadPool&) = delete;
  PayloadPool& operator=(const PayloadPool&) = delete;
  ~PayloadPool() override = default;

  /// A payload with cleared attributes and a cleared SmmuExtension, acquired once; release() gives it back.
  tlm::tlm_generic_payload& take();
  void free(tlm::tlm_generic_payload* payload) override;

  std::size_t created() const { return all_.size(); }

 private:
  tlm::tlm_generic_payload* free_ = nullptr;
  std::vector<std::unique_ptr<tlm::tlm_generic_payload>> all_;
};

}  // namespace smmusim::systemc
