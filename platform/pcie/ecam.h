// SPDX-License-Identifier: MIT
// Ecam: the configuration space of every function below the root complex as memory (PCI Express Base section 7.2.2):
// address bits [27:20] bus, [19:15] device, [14:12] function, [11:0] register. The accesses take the time of a round
// trip through the root complex and travel on no link.
#pragma once

#include <cstdint>
#include <map>
#include <systemc>
#include <tlm>

#include "model/sim/engine.h"
#include "platform/pcie/fabric_route.h"

namespace smmusim::platform {

class Ecam : public sc_core::sc_module, public tlm::tlm_fw_transport_if<> {
 public:
  static constexpr std::uint64_t bytes = std::uint64_t{1} << 28;
  /// Of a register of a function, from the first byte of the window.
  static constexpr std::uint64_t offset_of(std::uint16_t rid, std::uint32_t reg) {
    return std::uint64_t{rid} << 12 | reg;
  }

  tlm::tlm_target_socket<> in;  ///< addresses are offsets in the window

  Ecam(const sc_core::sc_module_name& name, Time latency_ps);

  /// `space` answers for this function; where none does, reads give ones and writes go nowhere.
  void attach(std::uint16_t rid, ConfigSpace& space) { spaces_[rid] = &space; }
  /// Functions that are not attached themselves are found through the bridges on this bus.
  void attach(const RootBus& bus) { bus_ = &bus; }

  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) override;
  tlm::tlm_sync_enum nb_transport_fw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                     sc_core::sc_time& delay) override;
  /// A debugger only reads.
  unsigned transport_dbg(tlm::tlm_generic_payload& payload) override;
  bool get_direct_mem_ptr(tlm::tlm_generic_payload&, tlm::tlm_dmi&) override { return false; }

 private:
  void access(tlm::tlm_generic_payload& payload);
  ConfigSpace* find(std::uint16_t rid) const;

  Time latency_;
  std::map<std::uint16_t, ConfigSpace*> spaces_;
  const RootBus* bus_ = nullptr;
};

}  // namespace smmusim::platform
