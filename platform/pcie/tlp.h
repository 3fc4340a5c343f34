// SPDX-License-Identifier: MIT
// Tlp: one Transaction Layer Packet (PCI Express Base, chapter 2; ATS, PRI and PASID: chapter 10 there), as a value
// with the fields' names, and the pool that TLPs come from. It knows its size on the wire and its flow-control class;
// header bits are tlp_header.h's, routes and times are the fabric's.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "model/sim/engine.h"

namespace smmusim::platform {

class RequestWatcher;

enum class TlpType : std::uint8_t {
  MRd,
  MWr,
  CfgRd0,
  CfgWr0,
  CfgRd1,
  CfgWr1,
  FetchAdd,
  Swap,
  CAS,
  Cpl,
  CplD,
  Msg,
  MsgD
};

/// Bit n: the type with this number carries data.
inline constexpr unsigned types_with_data =
    1U << static_cast<unsigned>(TlpType::MWr) | 1U << static_cast<unsigned>(TlpType::CfgWr0) |
    1U << static_cast<unsigned>(TlpType::CfgWr1) | 1U << static_cast<unsigned>(TlpType::FetchAdd) |
    1U << static_cast<unsigned>(TlpType::Swap) | 1U << static_cast<unsigned>(TlpType::CAS) |
    1U << static_cast<unsigned>(TlpType::CplD) | 1U << static_cast<unsigned>(TlpType::MsgD);

/// The classes of flow control (section 2.6.1).
enum class FlowClass : std::uint8_t { posted, non_posted, completion };
inline constexpr unsigned flow_classes = 3;

/// The AT field of a memory request (section 10.2.2).
enum class AddressType : std::uint8_t { untranslated, translation_request, translated, reserved };

/// Completion Status (section 2.2.9.1): Successful Completion, Unsupported Request, Completer Abort.
enum class CplStatus : std::uint8_t { SC = 0, UR = 1, CA = 4 };

/// The messages of ATS and PRI (section 10.3 and 10.4).
enum class MessageCode : std::uint8_t {
  Invalidate_Request = 1,
  Invalidate_Completion = 2,
  Page_Request = 4,
  PRG_Response = 5,
};

/// The PASID TLP prefix (section 6.20).
struct PasidPrefix {
  bool present = false;
  std::uint32_t pasid = 0;  ///< 20 bits
  bool privileged = false;  ///< Privileged Mode Requested
  bool execute = false;     ///< Execute Requested
};

/// Whoever holds a TLP may use its EventNode.
struct Tlp : EventNode {
  TlpType type = TlpType::MRd;

  // Requests. The tag is the requester's own; 10 bits.
  std::uint16_t requester_id = 0;
  std::uint16_t tag = 0;
  AddressType at = AddressType::untranslated;
  std::uint64_t address = 0;    ///< of the first byte's doubleword: bits [1:0] are 0 (no_write lies there on the wire)
  std::uint16_t length_dw = 1;  ///< 1 to 1024
  std::uint8_t first_be = 0xf, last_be = 0;
  bool no_write = false;  ///< NW of a translation request
  PasidPrefix pasid{};
  bool relaxed_ordering = false, id_ordering = false, no_snoop = false;  ///< Attr[1], Attr[2], Attr[0]
  bool poisoned = false;                                                 ///< EP

  // Completions, with requester_id and tag of the request.
  std::uint16_t completer_id = 0;
  CplStatus status = CplStatus::SC;
  std::uint16_t byte_count = 0;    ///< left to come, this one's included: 1 to 4096
  std::uint8_t lower_address = 0;  ///< 7 bits, of the first byte

  // Messages: which, to whom, and the third and fourth doubleword of the header as one big-endian number.
  MessageCode message = MessageCode::Invalidate_Request;
  std::uint16_t target_id = 0;  ///< of messages routed by ID
  std::uint64_t body = 0;       ///< what those doublewords carry beside target_id (see messages.h)

  /// length_dw doublewords of types with data, else empty.
  std::vector<unsigned char> data{};

  // Not on the wire.
  RequestWatcher* watcher = nullptr;  ///< of a memory request; null: nobody asks
  std::uint64_t cookie = 0;           ///< the watcher's
  Tlp* next_tlp = nullptr;            ///< in the pool's list or in a TlpQueue
  void* holder = nullptr;             ///< for `fire` of whoever holds it
  std::uint64_t arrival = 0;          ///< its holder's: its place among the others that came
  Time ready_at = 0;                  ///< its holder's: when what it was held for is over

  bool has_data() const { return (types_with_data >> static_cast<unsigned>(type) & 1) != 0; }
  bool is_completion() const { return type == TlpType::Cpl || type == TlpType::CplD; }
  bool is_message() const { return type == TlpType::Msg || type == TlpType::MsgD; }
  bool is_atomic() const { return type == TlpType::FetchAdd || type == TlpType::Swap || type == TlpType::CAS; }
  bool is_translation_request() const { return type == TlpType::MRd && at == AddressType::translation_request; }
  FlowClass flow_class() const {
    if (type == TlpType::MWr || is_message()) return FlowClass::posted;
    return is_completion() ? FlowClass::completion : FlowClass::non_posted;
  }
  /// A header of four doublewords: a 64-bit address, or a message.
  bool long_header() const;
  std::uint32_t payload_bytes() const { return has_data() ? length_dw * 4U : 0; }
  /// Header, prefix and payload: without framing, sequence number and LCRC.
  std::uint32_t tlp_bytes() const;

  /// Back to the state after construction; the data's memory is kept.
  void clear();
};

std::string_view name_of(TlpType type);

/// First in, first out; a TLP is in one queue at most. Allocates nothing.
class TlpQueue {
 public:
  bool empty() const { return first_ == nullptr; }
  std::size_t size() const { return size_; }
  Tlp& front() const { return *first_; }
  void push(Tlp& tlp) {
    tlp.next_tlp = nullptr;
    (last_ == nullptr ? first_ : last_->next_tlp) = &tlp;
    last_ = &tlp;
    ++size_;
  }
  void push_front(Tlp& tlp) {
    tlp.next_tlp = first_;
    first_ = &tlp;
    if (last_ == nullptr) last_ = &tlp;
    ++size_;
  }
  Tlp& pop() {
    Tlp& tlp = *first_;
    first_ = tlp.next_tlp;
    if (first_ == nullptr) last_ = nullptr;
    --size_;
    return tlp;
  }

 private:
  Tlp* first_ = nullptr;
  Tlp* last_ = nullptr;
  std::size_t size_ = 0;
};

/// Where TLPs come from and go back to. It grows by what is needed at a time and never shrinks.
class TlpPool {
 public:
  /// A cleared one.
  Tlp& take();
  void give(Tlp& tlp);
  /// How many are out.
  std::size_t out() const { return out_; }

 private:
  std::vector<std::unique_ptr<Tlp>> all_;
  Tlp* free_ = nullptr;
  std::size_t out_ = 0;
};

}  // namespace smmusim::platform
