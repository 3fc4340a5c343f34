// SPDX-License-Identifier: MIT
// AtomicExtension: an AtomicOp of PCI Express as a payload, which is a write of its operand (of CAS, of the new value).
// A target that knows it does the operation and leaves what it found; one that does not writes the operand and leaves
// `done` false. Ignorable. Once a payload has one it keeps it, and `operation` says whether it means anything.
#pragma once

#include <array>
#include <cstdint>
#include <tlm>

namespace smmusim::systemc {

enum class AtomicOperation : std::uint8_t { none, fetch_add, swap, compare_and_swap };

struct AtomicExtension final : tlm::tlm_extension<AtomicExtension> {
  static constexpr unsigned bytes_max = 16;

  AtomicOperation operation = AtomicOperation::none;
  std::array<unsigned char, bytes_max> expected{};  ///< of compare_and_swap, as long as the operand
  std::array<unsigned char, bytes_max> found{};     ///< valid if done
  bool done = false;

  /// The payload's, attached for the rest of its life if it has none yet.
  static AtomicExtension& of(tlm::tlm_generic_payload& payload) {
    auto* extension = payload.get_extension<AtomicExtension>();
    if (extension == nullptr) payload.set_extension(extension = new AtomicExtension);
    return *extension;
  }
  tlm::tlm_extension_base* clone() const override { return new AtomicExtension(*this); }
  void copy_from(const tlm::tlm_extension_base& other) override { *this = static_cast<const AtomicExtension&>(other); }
};

}  // namespace smmusim::systemc
