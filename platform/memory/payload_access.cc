// SPDX-License-Identifier: MIT
// A generic payload done in SparseMemory: plain, with byte enables, as an AtomicOp, or as the SMMU's compare-and-swap
// (IEEE 1666-2011 section 14). It knows no time.
#include "platform/memory/payload_access.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "tlm/atomic_extension.h"
#include "tlm/smmu_extension.h"

namespace smmusim::platform {
namespace {

bool move(SparseMemory& memory, Pa address, unsigned char* data, std::size_t size, bool write) {
  return write ? memory.write(address, data, size) : memory.read(address, data, size);
}

/// Byte by byte: sparse enables are rare, and each byte enable repeats over the array's length.
bool move_enabled_bytes(SparseMemory& memory, const tlm::tlm_generic_payload& payload, Pa address) {
  const unsigned char* enables = payload.get_byte_enable_ptr();
  const unsigned enable_length = payload.get_byte_enable_length();
  if (enable_length == 0) return true;
  for (unsigned i = 0; i < payload.get_data_length(); ++i) {
    if (enables[i % enable_length] == TLM_BYTE_DISABLED) continue;
    if (!move(memory, address + i, payload.get_data_ptr() + i, 1, payload.is_write())) return false;
  }
  return true;
}

bool compare_and_swap(SparseMemory& memory, const tlm::tlm_generic_payload& payload,
                      systemc::SmmuAccessExtension& access) {
  std::uint64_t desired = 0;
  if (payload.get_data_length() != sizeof desired) return false;
  std::memcpy(&desired, payload.get_data_ptr(), sizeof desired);
  return memory.compare_and_swap64(Pa(payload.get_address()), access.expected, desired);
}

/// The operand's bytes are one little-endian number. It is one step of simulated time, so nothing comes in between.
bool atomic(SparseMemory& memory, const tlm::tlm_generic_payload& payload, systemc::AtomicExtension& access) {
  const Pa address(payload.get_address());
  const unsigned size = payload.get_data_length();
  const unsigned char* operand = payload.get_data_ptr();
  if (size > access.found.size() || !memory.read(address, access.found.data(), size)) return false;
  std::array<unsigned char, systemc::AtomicExtension::bytes_max> next = access.found;
  if (access.operation == systemc::AtomicOperation::fetch_add) {
    unsigned carry = 0;
    for (unsigned i = 0; i != size; ++i) {
      carry += unsigned{access.found[i]} + operand[i];
      next[i] = static_cast<unsigned char>(carry);
      carry >>= 8;
    }
  } else if (access.operation == systemc::AtomicOperation::swap ||
             std::equal(access.expected.begin(), access.expected.begin() + size, access.found.begin())) {
    std::copy(operand, operand + size, next.begin());
  }
  return memory.write(address, next.data(), size);
}

/// Null: the payload is no AtomicOp.
systemc::AtomicExtension* atomic_of(const tlm::tlm_generic_payload& payload) {
  auto* extension = payload.get_extension<systemc::AtomicExtension>();
  const bool means_one = extension != nullptr && extension->operation != systemc::AtomicOperation::none;
  return means_one && payload.is_write() ? extension : nullptr;
}

}  // namespace

tlm::tlm_response_status payload_access(SparseMemory& memory, tlm::tlm_generic_payload& payload) {
  const Pa address(payload.get_address());
  const unsigned length = payload.get_data_length();
  systemc::SmmuAccessExtension* swap = nullptr;
  if (payload.get_command() == tlm::TLM_IGNORE_COMMAND) {
    swap = payload.get_extension<systemc::SmmuAccessExtension>();
    if (swap == nullptr || !swap->compare_and_swap) return tlm::TLM_OK_RESPONSE;
  }
  if (length == 0 || payload.get_data_ptr() == nullptr || payload.get_streaming_width() < length) {
    return tlm::TLM_BURST_ERROR_RESPONSE;
  }
  bool ok = false;
  if (swap != nullptr) {
    ok = compare_and_swap(memory, payload, *swap);
    swap->swap_done = ok;
  } else if (systemc::AtomicExtension* const access = atomic_of(payload); access != nullptr) {
    ok = atomic(memory, payload, *access);
    access->done = ok;
  } else if (payload.get_byte_enable_ptr() != nullptr) {
    ok = memory.contains(address, length) && move_enabled_bytes(memory, payload, address);
  } else {
    ok = move(memory, address, payload.get_data_ptr(), length, payload.is_write());
  }
  if (ok) return tlm::TLM_OK_RESPONSE;
  return memory.contains(address, length) ? tlm::TLM_GENERIC_ERROR_RESPONSE : tlm::TLM_ADDRESS_ERROR_RESPONSE;
}

unsigned payload_debug_access(SparseMemory& memory, tlm::tlm_generic_payload& payload) {
  const Pa address(payload.get_address());
  const unsigned length = payload.get_data_length();
  if (payload.get_data_ptr() == nullptr) return 0;
  bool ok = false;
  if (payload.is_read()) ok = memory.peek(address, payload.get_data_ptr(), length);
  if (payload.is_write()) ok = memory.poke(address, payload.get_data_ptr(), length);
  return ok ? length : 0;
}

}  // namespace smmusim::platform
