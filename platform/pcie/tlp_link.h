// SPDX-License-Identifier: MIT
// TlpLink: a PCI Express link between two ports, TLP by TLP: transmit queues with the ordering rules (section 2.4.1),
// credits (2.6), serialisation, Ack and UpdateFC DLLPs that take their share of the other direction, SKP ordered sets.
// Lossless: nothing is replayed. It knows no addresses and no routes.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>

#include "platform/pcie/link_rate.h"
#include "platform/pcie/tlp.h"

namespace smmusim::platform {

/// Data units of 16 bytes that a non-posted TLP may need: the two operands of a 16-byte CAS.
inline constexpr unsigned largest_non_posted_units = 2;

/// What a receiver advertises, by class. Headers count TLPs, data units of 16 bytes; 0: infinite.
struct FlowCredits {
  std::array<unsigned, flow_classes> headers{64, 64, 0};
  std::array<unsigned, flow_classes> data{256, 0, 0};
};

/// How far apart a receiver's Acks are, and its UpdateFCs, while TLPs come in. The base specification gives the longest
/// time as a number of symbols (ack_limit_symbols()).
enum class DllpSpacing : std::uint8_t {
  /// One of each for so many symbols on all lanes together, that is bytes. The published bandwidth formulae count so,
  /// and measured adapters agree with them: receivers acknowledge well before they must.
  observed,
  /// One of each for so many symbol times: as late as the specification allows, `lanes` times rarer.
  latest,
};

struct TlpLinkConfig {
  bool timed = true;  ///< false: everything takes no time, and DLLPs are not sent; credits and queues are the same
  unsigned generation = 3;   ///< 1 to 6: 2.5, 5, 8, 16, 32, 64 GT/s a lane
  unsigned lanes = 4;        ///< 1, 2, 4, 8, 12, 16, 32
  unsigned mps_bytes = 256;  ///< Max_Payload_Size: sets the Ack and UpdateFC limits
  DllpSpacing dllp_spacing = DllpSpacing::observed;
  unsigned framing_bytes = 8;         ///< of a TLP beside header, prefix and payload: framing, sequence number, LCRC
  bool ecrc = false;                  ///< 4 bytes more a TLP
  Time propagation_ps = 5'000;        ///< one way
  unsigned transmit_queue = 16;       ///< TLPs of each class that wait in a port
  FlowCredits upstream_receiver{};    ///< of the port nearer to the root complex
  FlowCredits downstream_receiver{};  ///< of the device's port
};

/// Throws std::invalid_argument, with the values that are legal.
void require_valid(const TlpLinkConfig& config);

struct TlpLinkCounters {  // of one direction
  std::uint64_t tlps = 0;
  std::uint64_t tlp_bytes = 0;  ///< on the wire, framing included
  std::uint64_t payload_bytes = 0;
  std::uint64_t dllps = 0;
  Time busy = 0;            ///< the lanes carried TLPs or DLLPs
  Time credit_starved = 0;  ///< a TLP waited for credits while the lanes were idle
};

class LinkDirection;

/// The engine must not run any more once the link is gone. While the link has a TLP, its EventNode and `next_tlp` are
/// the link's.
class TlpLink {
 public:
  enum End : unsigned { upstream = 0, downstream = 1 };  // upstream: the port nearer to the root complex

  /// What is at an end of a link.
  class Port {
   public:
    virtual ~Port() = default;
    /// A TLP has arrived in this end's receive buffer. The port keeps it, and calls release() when it has left the
    /// buffer; at the latest before the TLP goes back to the pool. Until then its type and length_dw stay.
    virtual void tlp_arrived(Tlp& tlp, TlpLink& link) = 0;
    /// room() has become true for this class again. Called from an event of the link, never inside send() or release().
    virtual void room_again(FlowClass flow_class, TlpLink& link) = 0;
  };

  TlpLink(Engine& engine, const TlpLinkConfig& config);
  ~TlpLink();
  TlpLink(const TlpLink&) = delete;
  TlpLink& operator=(const TlpLink&) = delete;

  void connect(End end, Port& port);
  /// True if the port may send() one more TLP of this class.
  bool room(End from, FlowClass flow_class) const;
  /// Takes the TLP; there is room for it. Never arrives inside the call.
  void send(End from, Tlp& tlp);
  /// The TLP has left the receive buffer of `at`: its credits are on their way back.
  void release(End at, const Tlp& tlp);

  const TlpLinkConfig& config() const { return config_; }
  /// Of the TLPs and DLLPs that `from` has sent until now.
  TlpLinkCounters counters(End from) const;
  /// Nothing is queued or under way.
  bool idle() const;
  /// Called for every TLP when its last symbol has arrived, before the port is told. `sent`: when its first symbol
  /// left.
  std::function<void(Time sent, const Tlp& tlp, End from)> on_tlp;
  /// Picoseconds that `bytes` occupy the lanes, line coding included.
  Time serialisation(std::uint64_t bytes) const { return rate_.serialisation(bytes); }

 private:
  friend class LinkDirection;

  Engine& engine_;
  TlpLinkConfig config_;
  LinkRate rate_;
  std::array<Port*, 2> ports_{};
  std::array<std::unique_ptr<LinkDirection>, 2> directions_;  // by the end that sends
};

}  // namespace smmusim::platform
