// SPDX-License-Identifier: MIT
// Cpu: where the simulated driver's register accesses come from, an initiator at the interconnect. It runs no
// instructions: the driver is C++ (platform/driver), and its accesses take no simulated time of their own.
#pragma once

#include <cstdint>
#include <systemc>
#include <tlm>

#include "platform/driver/guest_driver.h"

namespace smmusim::platform {

class Cpu : public sc_core::sc_module, public tlm::tlm_bw_transport_if<> {
 public:
  tlm::tlm_initiator_socket<> out;

  explicit Cpu(const sc_core::sc_module_name& name);

  /// Loads and stores of 4 or 8 bytes. Throws InternalError if nothing answers at `address`.
  std::uint64_t load(Pa address, unsigned size);
  void store(Pa address, std::uint64_t value, unsigned size);

  /// A driver's view of the register frame at `frame`.
  RegisterBus bus(Pa frame);

  tlm::tlm_sync_enum nb_transport_bw(tlm::tlm_generic_payload&, tlm::tlm_phase&, sc_core::sc_time&) override {
    return tlm::TLM_ACCEPTED;  // it uses b_transport only
  }
  void invalidate_direct_mem_ptr(sc_dt::uint64, sc_dt::uint64) override {}

 private:
  void access(tlm::tlm_command command, Pa address, std::uint64_t& value, unsigned size);

  tlm::tlm_generic_payload payload_;
};

}  // namespace smmusim::platform
