// SPDX-License-Identifier: MIT
// Tbu: the client side of one Translation Buffer Unit in TLM. Takes accesses on a target socket, asks the Smmu for
// their translation and sends them on, address replaced, through an initiator socket. Protocol only: what an access
// may do is decided in model/smmu.
//
// - nb_transport: base protocol. END_REQ is withheld while `outstanding` accesses are in flight.
// - b_transport: timed, it waits out the annotated delay, then for the translation; it needs an SC_THREAD.
// - transport_dbg: the same translation without effects; time and counters stand still.
// - An access that crosses a 4 KiB boundary (section 16.7.1) is translated and forwarded in parts, one after the
//   other, all of them even if one fails, or submitted whole for the core to answer with F_UUT (Cross4k). Its status
//   is that of the first part that failed. transport_dbg stops there instead.
// - Byte enables go with the bytes they belong to, a repeating pattern turned to each part's first byte. A streaming
//   width below the length (one address written again and again) is TLM_BURST_ERROR_RESPONSE, and so is an access
//   that passes the top of the 64-bit address space.
// - An ATS Translation Request has no place here, where nothing brings its completion back: it is
//   TLM_COMMAND_ERROR_RESPONSE and reaches no SMMU. Smmu::submit takes it.
// - Responses: proceed: what downstream says. RAZ/WI: TLM_OK_RESPONSE, reads give zeros. Abort:
//   TLM_GENERIC_ERROR_RESPONSE, so that TLM_ADDRESS_ERROR_RESPONSE always means that downstream has no such address.
// - DMI (tbu_dmi.cc): in untimed mode, one mapping of the stream that the socket's defaults name.
#pragma once

#include <cstdint>
#include <memory>
#include <tlm>
#include <vector>

#include "model/sim/scope.h"
#include "model/smmu/smmu.h"
#include "tlm/at_initiator.h"
#include "tlm/payload_pool.h"
#include "tlm/pump.h"
#include "tlm/smmu_extension.h"

namespace smmusim::systemc {

class Tbu final : public tlm::tlm_fw_transport_if<> {
 public:
  /// Binds itself to both sockets.
  Tbu(Pump& pump, Smmu& smmu, unsigned index, tlm::tlm_target_socket<>& client,
      tlm::tlm_initiator_socket<>& downstream);
  ~Tbu() override;

  /// What an access without SmmuExtension is taken for. Takes back what direct access the old ones gave.
  void set_defaults(const ClientAttributes& defaults);
  /// Takes back every direct access that the client was given.
  void revoke_dmi();
  unsigned in_flight() const { return in_flight_; }

  // From the client.
  tlm::tlm_sync_enum nb_transport_fw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                     sc_core::sc_time& delay) override;
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) override;
  unsigned transport_dbg(tlm::tlm_generic_payload& payload) override;
  bool get_direct_mem_ptr(tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi) override;

 private:
  /// The bytes of an access that are translated and forwarded together.
  struct Part {
    std::uint32_t offset = 0;
    std::uint32_t size = 0;
  };
  /// One access in flight. The node of the TranslationRequest serves all its waits, one at a time.
  struct Slot : TranslationRequest {
    Tbu* tbu = nullptr;
    tlm::tlm_generic_payload* payload = nullptr;  // the client's
    SmmuExtension* extension = nullptr;           // the payload's, if it has one
    AtInitiator::Access out;                      // with what goes downstream: the same, or a part of it
    std::uint64_t address = 0;                    // as presented
    Part part{};
    Time since = 0;                               // when what the access now waits for began
    tlm::tlm_response_status status{};            // of the first part that failed
    std::vector<unsigned char> byte_enables;      // of the present part, if they repeat
    std::unique_ptr<sc_core::sc_event> answered;  // wakes a b_transport
    Slot* next = nullptr;                         // in a SlotQueue
  };
  struct SlotQueue {
    Slot* first = nullptr;
    Slot* last = nullptr;
    void push(Slot& slot);
    Slot& pop();
  };
  struct ChoresNode : EventNode {
    Tbu* tbu = nullptr;
    bool posted = false;
  };

  Slot* take_slot();
  void begin(Slot& slot, tlm::tlm_generic_payload& payload, Time arrival);
  void charge(Slot& slot, Time SmmuExtension::*account);
  void finish(Slot& slot);
  void release(Slot& slot);

  // Common to all transports (tbu.cc).
  const ClientAttributes& attributes_of(const tlm::tlm_generic_payload& payload) const;
  Transaction transaction_of(const tlm::tlm_generic_payload& payload, std::uint64_t address, std::uint32_t size) const;
  std::uint32_t part_size(std::uint64_t address, std::uint32_t left) const;
  bool refuse(tlm::tlm_generic_payload& payload) const;
  static void report(tlm::tlm_generic_payload& payload, const Response& response, bool first);
  static tlm::tlm_response_status status_of(const Response& response);
  void prepare(Slot& slot);
  static void note_answer(tlm::tlm_generic_payload& payload, const Response& response, Part part,
                          tlm::tlm_response_status& status);
  tlm::tlm_generic_payload& part_of(tlm::tlm_generic_payload& payload, const Response& response, Part part,
                                    std::vector<unsigned char>& byte_enables);
  void collect_part(Slot& slot);

  // nb_transport (tbu.cc).
  tlm::tlm_sync_enum begin_request(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase, sc_core::sc_time& delay);
  void next_part(Slot& slot);
  void handle_answer(Slot& slot);
  void send(Slot& slot);
  void part_done(Slot& slot);
  void respond(Slot& slot);
  void send_response(Slot& slot);
  void post_chores();
  void do_chores();
  static void arrived(EventNode& node);
  static void answered(EventNode& node);
  static void memory_done(EventNode& node);
  static void chores(EventNode& node);

  // b_transport and transport_dbg (tbu_blocking.cc).
  void transport_untimed(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  Response translate_now(const Transaction& transaction);
  void transport_timed(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  void wait_for_answer(Slot& slot);
  void forward_blocking(Slot& slot, sc_core::sc_time& delay);
  static void wake(EventNode& node);

  // DMI (tbu_dmi.cc).
  bool hints_dmi(const tlm::tlm_generic_payload& payload) const;
  bool direct_from_memory(const tlm::tlm_generic_payload& payload, const Grant& grant, tlm::tlm_dmi& dmi);

  Pump& pump_;
  Smmu& smmu_;
  unsigned index_;
  bool waits_;
  bool split_;
  bool observed_;
  tlm::tlm_target_socket<>& client_;
  tlm::tlm_initiator_socket<>& downstream_;
  AtInitiator initiator_;
  ClientAttributes defaults_{};
  PayloadPool parts_;
  std::vector<std::unique_ptr<Slot>> slots_;
  SlotQueue free_;
  unsigned in_flight_ = 0;

  tlm::tlm_generic_payload* pending_ = nullptr;  // has no slot yet: END_REQ is withheld
  Time pending_at_ = 0;
  unsigned blocked_threads_ = 0;
  sc_core::sc_event slot_freed_;
  SlotQueue requests_;          // wait for initiator_
  Slot* responding_ = nullptr;  // BEGIN_RESP sent to the client, END_RESP not seen
  SlotQueue responses_;
  bool gives_dmi_;          // if the rest allows it
  bool dmi_given_ = false;  // and not revoked
  ChoresNode chores_;
  Scope scope_;
};

}  // namespace smmusim::systemc
