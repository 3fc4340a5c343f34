// SPDX-License-Identifier: MIT
// ProtocolMonitor: stands between an initiator and a target and checks the TLM-2.0 base protocol (IEEE 1666-2011
// clauses 11, 14 and 15.2) in both directions: order and exclusion of phases, what each answer may say, times that
// never go back, what of a payload may change and what may not, reference counts, extensions, direct memory access.
// A violation is a sentence; one that no test expects fails the test. It changes nothing on the way through.
#pragma once

#include <map>
#include <string>
#include <systemc>
#include <tlm>
#include <vector>

namespace smmusim::systemc {

class ProtocolMonitor : public sc_core::sc_module,
                        public tlm::tlm_fw_transport_if<>,
                        public tlm::tlm_bw_transport_if<> {
 public:
  tlm::tlm_target_socket<> in;
  tlm::tlm_initiator_socket<> out;
  std::vector<std::string> violations;
  bool expects_violations = false;  ///< a test of the monitor itself
  bool checks_times = true;         ///< false where the Engine runs ahead of SystemC's time
  unsigned requests = 0;
  unsigned completions = 0;
  unsigned early_completions = 0;
  unsigned withheld = 0;  // BEGIN_REQs that were answered with TLM_ACCEPTED
  unsigned blocking = 0;
  unsigned debug = 0;
  unsigned dmi_grants = 0;
  unsigned dmi_invalidations = 0;

  explicit ProtocolMonitor(const sc_core::sc_module_name& name);
  ~ProtocolMonitor() override;

  /// Every request has had its response.
  bool quiet() const { return open_.empty() && requests == completions; }

  tlm::tlm_sync_enum nb_transport_fw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                     sc_core::sc_time& delay) override;
  tlm::tlm_sync_enum nb_transport_bw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                     sc_core::sc_time& delay) override;
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) override;
  unsigned transport_dbg(tlm::tlm_generic_payload& payload) override;
  bool get_direct_mem_ptr(tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi) override;
  void invalidate_direct_mem_ptr(sc_dt::uint64 first, sc_dt::uint64 last) override;

 private:
  enum class State { requested, accepted, responding };
  /// What nobody but the initiator may change while a transaction is under way.
  struct Fixed {
    explicit Fixed(tlm::tlm_generic_payload& payload);
    tlm::tlm_command command;
    const unsigned char* data;
    unsigned length;
    const unsigned char* enables;
    unsigned enables_length;
    unsigned streaming_width;
    std::vector<unsigned char> written;  // of a write: the data
    std::vector<unsigned char> enable_bytes;
    std::vector<tlm::tlm_extension_base*> extensions;
  };
  struct Open {
    State state;
    Fixed fixed;
    int references;
    sc_core::sc_time latest;  // effective time of its latest phase
  };

  void check(bool condition, const char* sentence);
  void check_new(const tlm::tlm_generic_payload& payload);
  void check_unchanged(const Fixed& fixed, tlm::tlm_generic_payload& payload);
  void check_references(const Open& open, const tlm::tlm_generic_payload& payload);
  void check_answered(const Fixed& fixed, tlm::tlm_generic_payload& payload);
  void advance(Open& open, const sc_core::sc_time& delay);
  void begin_request(tlm::tlm_generic_payload& payload, const sc_core::sc_time& delay);
  void note_answer(tlm::tlm_generic_payload& payload, tlm::tlm_sync_enum answer, const tlm::tlm_phase& phase,
                   const sc_core::sc_time& delay, const sc_core::sc_time& delay_before);
  void end_request(tlm::tlm_generic_payload& payload, const sc_core::sc_time& delay);
  void begin_response(tlm::tlm_generic_payload& payload, const sc_core::sc_time& delay);
  void note_response_answer(const tlm::tlm_generic_payload* payload, tlm::tlm_sync_enum answer,
                            const tlm::tlm_phase& phase, bool same_delay);
  void end_response(const tlm::tlm_generic_payload* payload);

  std::map<const tlm::tlm_generic_payload*, Open> open_;
  const tlm::tlm_generic_payload* requesting_ = nullptr;
  const tlm::tlm_generic_payload* responding_ = nullptr;
  bool in_forward_ = false;
  bool in_backward_ = false;
};

}  // namespace smmusim::systemc
