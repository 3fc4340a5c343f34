// SPDX-License-Identifier: MIT
// Cpu; see the header.
#include "platform/system/cpu.h"

#include <fmt/format.h>

#include "model/base/check.h"

namespace smmusim::platform {

Cpu::Cpu(const sc_core::sc_module_name& name) : sc_core::sc_module(name), out("out") {
  out.bind(*this);
}

void Cpu::access(tlm::tlm_command command, Pa address, std::uint64_t& value, unsigned size) {
  payload_.set_command(command);
  payload_.set_address(address.value);
  payload_.set_data_ptr(reinterpret_cast<unsigned char*>(&value));
  payload_.set_data_length(size);
  payload_.set_streaming_width(size);
  payload_.set_byte_enable_ptr(nullptr);
  payload_.set_dmi_allowed(false);
  payload_.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
  sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
  out->b_transport(payload_, delay);
  if (!payload_.is_response_ok()) {
    throw InternalError(
        fmt::format("the CPU's access to 0x{:x} was answered with {}", address.value, payload_.get_response_string()));
  }
}

std::uint64_t Cpu::load(Pa address, unsigned size) {
  std::uint64_t value = 0;
  access(tlm::TLM_READ_COMMAND, address, value, size);
  return value;
}

void Cpu::store(Pa address, std::uint64_t value, unsigned size) {
  access(tlm::TLM_WRITE_COMMAND, address, value, size);
}

RegisterBus Cpu::bus(Pa frame) {
  return {
      [this, frame](std::uint32_t offset, unsigned size) { return load(frame + offset, size); },
      [this, frame](std::uint32_t offset, std::uint64_t value, unsigned size) { store(frame + offset, value, size); }};
}

}  // namespace smmusim::platform
