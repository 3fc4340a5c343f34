// SPDX-License-Identifier: MIT
// The transports of MemoryModule, and the booking of the channel and of a place among the outstanding accesses that
// gives each access its delay.
#include "platform/memory/memory_module.h"

#include <algorithm>
#include <stdexcept>

#include "platform/memory/payload_access.h"

namespace smmusim::platform {

MemoryModule::MemoryModule(const sc_core::sc_module_name& name, systemc::Pump& pump, SparseMemory& memory,
                           const MemoryModuleConfig& config)
    : sc_core::sc_module(name),
      in("in"),
      pump_(pump),
      memory_(memory),
      config_(config),
      rate_(rate_of_gbit(config.bandwidth_gbit_per_s)) {
  if (config.outstanding == 0) throw std::invalid_argument("memory.outstanding is 0; give at least 1");
  answers_.resize(config.outstanding, 0);
  in.bind(*this);
}

Time MemoryModule::book(Time arrival, std::uint32_t bytes) {
  Time& slot = answers_[oldest_];  // free again when the access that last had it is answered
  if (++oldest_ == answers_.size()) oldest_ = 0;
  channel_free_ = std::max({arrival, channel_free_, slot}) + rate_.time_of(bytes);
  slot = channel_free_ + config_.latency_ps;
  return slot;
}

void MemoryModule::serve(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  payload.set_dmi_allowed(!config_.timed);
  payload.set_response_status(payload_access(memory_, payload));
  if (!config_.timed) return;
  const Time now = pump_.now();
  delay = systemc::from_ps(book(now + systemc::to_ps(delay), payload.get_data_length()) - now);
}

tlm::tlm_sync_enum MemoryModule::nb_transport_fw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                                 sc_core::sc_time& delay) {
  if (phase != tlm::BEGIN_REQ) return tlm::TLM_ACCEPTED;
  serve(payload, delay);
  return tlm::TLM_COMPLETED;
}

void MemoryModule::b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  serve(payload, delay);
}

bool MemoryModule::get_direct_mem_ptr(tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi) {
  dmi.allow_read_write();  // if denied: what is denied
  if (config_.timed) return false;
  const sc_dt::uint64 offsets = SparseMemory::chunk_bytes - 1;
  const sc_dt::uint64 first = payload.get_address() & ~offsets;
  dmi.set_start_address(first);
  dmi.set_end_address(first + offsets);
  dmi.set_dmi_ptr(reinterpret_cast<unsigned char*>(memory_.direct_chunk(Pa(first))));
  return dmi.get_dmi_ptr() != nullptr;
}

unsigned MemoryModule::transport_dbg(tlm::tlm_generic_payload& payload) {
  return payload_debug_access(memory_, payload);
}

}  // namespace smmusim::platform
