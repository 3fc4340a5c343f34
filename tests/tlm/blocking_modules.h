// SPDX-License-Identifier: MIT
// What tests of blocking, debug and direct access put around an SMMU: a process that runs a function, a payload with
// its data, and a memory of a few pages that gives direct access.
#pragma once

#include <tlm_utils/simple_initiator_socket.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <systemc>
#include <tlm>
#include <vector>

namespace smmusim::systemc {

/// Runs one function in an SC_THREAD (or an SC_METHOD), with sockets of its own.
struct Cpu : sc_core::sc_module {
  tlm_utils::simple_initiator_socket<Cpu> dma;
  tlm_utils::simple_initiator_socket<Cpu> registers;
  std::function<void()> body;

  Cpu(const sc_core::sc_module_name& name, bool thread) : sc_core::sc_module(name), dma("dma"), registers("registers") {
    SC_HAS_PROCESS(Cpu);
    if (thread) {
      SC_THREAD(run);
    } else {
      SC_METHOD(run);
    }
  }
  void run() { body(); }
};

struct Access {
  tlm::tlm_generic_payload payload;
  std::vector<unsigned char> data;
  sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
  Access(bool write, std::uint64_t address, unsigned size, std::uint64_t value = 0) : data(std::max(size, 8U)) {
    std::memcpy(data.data(), &value, 8);
    payload.set_command(write ? tlm::TLM_WRITE_COMMAND : tlm::TLM_READ_COMMAND);
    payload.set_address(address);
    payload.set_data_ptr(data.data());
    payload.set_data_length(size);
    payload.set_streaming_width(size);
  }
  std::uint64_t value() const {
    std::uint64_t result = 0;
    std::memcpy(&result, data.data(), 8);
    return result;
  }
};

/// Bytes [base, base + size), each of them at first the low byte of its address. Direct access inside
/// [direct_first, direct_last], of the kind that direct_access says; none if that is DMI_ACCESS_NONE.
class DirectMemory : public sc_core::sc_module, public tlm::tlm_fw_transport_if<> {
 public:
  tlm::tlm_target_socket<> in;
  std::vector<unsigned char> bytes;
  std::uint64_t base;
  std::uint64_t direct_first;
  std::uint64_t direct_last;
  tlm::tlm_dmi::dmi_access_e direct_access = tlm::tlm_dmi::DMI_ACCESS_READ_WRITE;
  unsigned accesses = 0;

  DirectMemory(const sc_core::sc_module_name& name, std::uint64_t first, std::uint64_t size)
      : sc_core::sc_module(name), in("in"), bytes(size), base(first), direct_first(first) {
    direct_last = base + (size - 1);
    for (std::uint64_t i = 0; i < size; ++i) bytes[i] = static_cast<unsigned char>(base + i);
    in.bind(*this);
  }
  unsigned char& at(std::uint64_t address) { return bytes.at(address - base); }

  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time&) override {
    ++accesses;
    payload.set_response_status(move(payload) ? tlm::TLM_OK_RESPONSE : tlm::TLM_ADDRESS_ERROR_RESPONSE);
    payload.set_dmi_allowed(direct_access != tlm::tlm_dmi::DMI_ACCESS_NONE);
  }
  tlm::tlm_sync_enum nb_transport_fw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                     sc_core::sc_time& delay) override {
    if (phase != tlm::BEGIN_REQ) return tlm::TLM_ACCEPTED;
    b_transport(payload, delay);
    return tlm::TLM_COMPLETED;
  }
  unsigned transport_dbg(tlm::tlm_generic_payload& payload) override {
    return move(payload) ? payload.get_data_length() : 0;
  }
  bool get_direct_mem_ptr(tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi) override {
    const std::uint64_t address = payload.get_address();
    const unsigned wanted = payload.is_write() ? tlm::tlm_dmi::DMI_ACCESS_WRITE : tlm::tlm_dmi::DMI_ACCESS_READ;
    if (address < direct_first || address > direct_last || (direct_access & wanted) == 0) return false;
    dmi.set_start_address(direct_first);
    dmi.set_end_address(direct_last);
    dmi.set_dmi_ptr(&at(direct_first));
    dmi.set_granted_access(direct_access);
    dmi.set_read_latency(sc_core::sc_time(7, sc_core::SC_NS));
    return true;
  }

 private:
  bool move(tlm::tlm_generic_payload& payload) {
    const std::uint64_t offset = payload.get_address() - base;
    const unsigned length = payload.get_data_length();
    if (offset >= bytes.size() || length > bytes.size() - offset) return false;
    const unsigned char* enables = payload.get_byte_enable_ptr();
    for (unsigned i = 0; i < length; ++i) {
      if (enables != nullptr && enables[i % payload.get_byte_enable_length()] == TLM_BYTE_DISABLED) continue;
      unsigned char& place = bytes[offset + i];
      unsigned char& data = payload.get_data_ptr()[i];
      payload.is_write() ? place = data : data = place;
    }
    return true;
  }
};

}  // namespace smmusim::systemc
