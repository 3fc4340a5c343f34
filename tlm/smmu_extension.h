// SPDX-License-Identifier: MIT
// What a payload can carry beside the TLM generic payload. All three extensions are ignorable: a plain initiator
// sends none of them and gets the defaults of the socket it is bound to (tlm/smmu_module.h).
#pragma once

#include <array>
#include <cstdint>
#include <tlm>

#include "model/base/check.h"
#include "model/base/types.h"
#include "model/sim/memory_port.h"
#include "model/smmu/transaction.h"

namespace smmusim::systemc {

/// What a client device says about an access (IHI 0070 section 3.2), and the defaults of a TBU socket.
struct ClientAttributes {
  StreamId stream_id{};
  SubstreamId substream_id{};    ///< meaningful only if substream_valid
  bool substream_valid = false;  ///< SSV
  SecurityState security = SecurityState::non_secure;
  bool instruction = false;                ///< InD
  bool privileged = false;                 ///< PnU
  bool atomic = false;                     ///< reads and writes in one; the payload is a write of the operand
  AtsType ats = AtsType::untranslated;     ///< of a translation request the payload is a read of 8 bytes for each STU
  bool no_write = false;                   ///< NW of a translation request
  Operation operation = Operation::plain;  ///< the payload is a read or a write, as which the operation counts
  bool speculative = false;
  bool no_snoop = false;  ///< No_snoop of PCIe
  bool pcie = false;      ///< from a PCIe function: faults never stall it
  MemoryAttributes attributes{0xff, 0};
  friend bool operator==(const ClientAttributes&, const ClientAttributes&) = default;
};

/// The client's attributes, and what the SMMU made of the access.
struct SmmuExtension final : tlm::tlm_extension<SmmuExtension> {
  ClientAttributes client{};
  std::uint16_t requester_id = 0;  ///< of a PCIe function; the root complex turns it into client.stream_id

  // Filled by the TBU. Of an access that was split at 4 KiB: the first part's, except outcome and event, which are
  // of the first part that did not proceed, and what reach and the times say.
  bool translated = false;  ///< translated_address is valid
  Pa translated_address{};
  MemoryAttributes translated_attributes{};
  Operation operation = Operation::plain;  ///< what goes on; no_op: nothing does, though all is well
  bool instruction = false;                ///< INST and PRIV as the access goes on
  bool privileged = false;
  MpamIds mpam{};
  Outcome outcome = Outcome::abort;
  Reach reach = Reach::tbu;   ///< of the part that had to go farthest
  Time translation_time = 0;  ///< timed: picoseconds in the TBU until the SMMU's answers, of all parts
  Time memory_time = 0;       ///< timed: from those answers until downstream's responses
  spec::EventType event{};    ///< 0: none
  // With outcome ats_completion: what a Translation Completion says of translated_address. The payload's data stays
  // as it is, because the bits of the message are PCIe's.
  AtsCompletion completion{};
  bool read_allowed = false;
  bool write_allowed = false;
  std::uint8_t page_bits = 0;  ///< log2 of the bytes that it covers

  /// Back to the state after construction.
  void clear() { *this = SmmuExtension(); }
  tlm::tlm_extension_base* clone() const override { return new SmmuExtension(*this); }
  void copy_from(const tlm::tlm_extension_base& other) override { *this = static_cast<const SmmuExtension&>(other); }
};

/// Marks an access as the SMMU's own and says what for. A target that knows it can do the compare-and-swap that the
/// generic payload has no command for: the payload then has TLM_IGNORE_COMMAND and the new value as its data, so that a
/// target that does not know it changes nothing; one that does sets `swap_done`.
struct SmmuAccessExtension final : tlm::tlm_extension<SmmuAccessExtension> {
  Purpose purpose = Purpose::STE;
  std::uint8_t stage = 0;
  std::int8_t level = 0;
  MemoryAttributes attributes{};
  MpamIds mpam{};
  bool compare_and_swap = false;
  bool swap_done = false;
  std::uint64_t expected = 0;  ///< the value to replace; the target leaves the value found

  tlm::tlm_extension_base* clone() const override { return new SmmuAccessExtension(*this); }
  void copy_from(const tlm::tlm_extension_base& other) override {
    *this = static_cast<const SmmuAccessExtension&>(other);
  }
};

/// The way a payload took, for components that must send its response back, and the link of PayloadQueue.
struct PathExtension final : tlm::tlm_extension<PathExtension> {
  static constexpr unsigned hops_max = 8;
  struct Hop {
    std::uint16_t from = 0;  ///< port or slot that the request came in by
    std::uint16_t to = 0;    ///< port it left by
  };

  std::array<Hop, hops_max> hops{};
  std::uint8_t depth = 0;
  Time ready_at = 0;                         ///< when the phase that waits in a queue may go on
  tlm::tlm_generic_payload* next = nullptr;  ///< in a PayloadQueue or a pool's free list

  /// The payload's, attached for the rest of its life if it has none yet.
  static PathExtension& of(tlm::tlm_generic_payload& payload) {
    auto* path = payload.get_extension<PathExtension>();
    return path != nullptr ? *path : attach(payload);
  }
  /// Throws InternalError if the path is longer than hops_max.
  void push(Hop hop) {
    SMMUSIM_CHECK(depth < hops_max);
    hops[depth++] = hop;
  }
  const Hop& top() const { return hops[depth - 1U]; }
  void pop() { --depth; }

  tlm::tlm_extension_base* clone() const override { return new PathExtension; }  // a copy is on no path
  void copy_from(const tlm::tlm_extension_base&) override {}

 private:
  static PathExtension& attach(tlm::tlm_generic_payload& payload);
};

/// First in, first out; a payload is in one queue at most. Allocates nothing.
class PayloadQueue {
 public:
  bool empty() const { return first_ == nullptr; }
  tlm::tlm_generic_payload& front() const { return *first_; }
  void push(tlm::tlm_generic_payload& payload);
  tlm::tlm_generic_payload& pop();

 private:
  tlm::tlm_generic_payload* first_ = nullptr;
  tlm::tlm_generic_payload* last_ = nullptr;
};

}  // namespace smmusim::systemc
