// SPDX-License-Identifier: MIT
// AtInitiator, which sends what the endpoint, the TBU and the TCU send, against each way in which a target may answer.
#include "tlm/at_initiator.h"

#include "model/sim/scope.h"
#include "tests/tlm/fresh_context.h"
#include "tests/tlm/protocol_monitor.h"
#include "tests/tlm/test_modules.h"

namespace smmusim::systemc {
namespace {

constexpr Time serve = 20'000;
constexpr unsigned accesses = 3;

/// Begins its response in the return path, or completes if END_RESP of the one before is still due.
struct EagerTarget : sc_core::sc_module, tlm::tlm_fw_transport_if<> {
  tlm::tlm_target_socket<> in{"in"};
  const tlm::tlm_generic_payload* responding = nullptr;
  unsigned begun = 0;
  unsigned ended = 0;
  explicit EagerTarget(const sc_core::sc_module_name& name) : sc_core::sc_module(name) { in.bind(*this); }
  tlm::tlm_sync_enum nb_transport_fw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                     sc_core::sc_time& delay) override {
    if (phase == tlm::END_RESP) {
      ended += responding == &payload ? 1 : 0;
      responding = nullptr;
      return tlm::TLM_COMPLETED;
    }
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
    delay += from_ps(serve);
    if (responding != nullptr) return tlm::TLM_COMPLETED;
    responding = &payload;
    ++begun;
    phase = tlm::BEGIN_RESP;
    return tlm::TLM_UPDATED;
  }
  void b_transport(tlm::tlm_generic_payload&, sc_core::sc_time&) override {}
  unsigned transport_dbg(tlm::tlm_generic_payload&) override { return 0; }
  bool get_direct_mem_ptr(tlm::tlm_generic_payload&, tlm::tlm_dmi&) override { return false; }
};

/// Sends `accesses` payloads as soon as it may.
struct Sender : sc_core::sc_module {
  struct Slot : EventNode {
    Sender* sender = nullptr;
    AtInitiator::Access out;
  };
  tlm::tlm_initiator_socket<> out{"out"};
  Pump& pump;
  PayloadPool pool;
  Slot slots[accesses];
  Slot start;
  std::vector<Time> done;
  unsigned next = 0;
  unsigned accepted = 0;
  AtInitiator initiator;
  Scope scope;

  Sender(const sc_core::sc_module_name& name, Pump& the_pump, Time own_time)
      : sc_core::sc_module(name),
        pump(the_pump),
        initiator(the_pump, out,
                  [this] {
                    ++accepted;
                    pump.schedule_in(0, start);
                  }),
        scope(the_pump.engine()) {
    start.sender = this;
    start.scope = &scope;
    start.fire = [](EventNode& node) { static_cast<Slot&>(node).sender->send(); };
    for (Slot& slot : slots) {
      slot.sender = this;
      slot.scope = &scope;
      slot.out.done = &slot;
      slot.out.own_time = own_time;
      slot.fire = [](EventNode& node) { static_cast<Slot&>(node).sender->finish(static_cast<Slot&>(node)); };
      initiator.add(slot.out);
    }
    pump.engine().schedule_at(0, start);
  }
  void send() {
    while (next != accesses && !initiator.busy()) {
      Slot& slot = slots[next++];
      slot.out.carry(pool.take());
      slot.out.payload()->set_read();
      initiator.begin(slot.out);
    }
  }
  void finish(Slot& slot) {
    done.push_back(pump.now());
    initiator.end(slot.out);
    EXPECT_EQ(PathExtension::of(*slot.out.payload()).depth, 0);
    slot.out.payload()->release();
    slot.out.carry_nothing();
  }
};

struct AtInitiatorTest : FreshContext {
  Engine engine;
  Pump pump{"pump", engine};
  ProtocolMonitor monitor{"monitor"};
  template <class Target>
  void run(Sender& sender, Target& target) {
    sender.out.bind(monitor.in);
    monitor.out.bind(target.in);
    sc_core::sc_start();
    pump.rethrow_failure();
    EXPECT_TRUE(monitor.quiet());
    EXPECT_EQ(sender.done.size(), accesses);
  }
};

TEST_F(AtInitiatorTest, EndsEachResponseThatBeganInTheReturnPath) {
  Sender sender("sender", pump, 0);
  EagerTarget target("target");
  run(sender, target);
  EXPECT_GT(target.begun, 0U);
  EXPECT_EQ(target.ended, target.begun);
  EXPECT_EQ(sender.done, std::vector<Time>(accesses, serve));
}

TEST_F(AtInitiatorTest, AddsTheOwnersTimeToTheResponse) {
  Sender sender("sender", pump, 700);
  EagerTarget target("target");
  run(sender, target);
  EXPECT_EQ(sender.done, std::vector<Time>(accesses, serve + 700));
}

TEST_F(AtInitiatorTest, WaitsForEndReqAndTellsTheOwner) {
  Sender sender("sender", pump, 0);
  SlowTarget target("target");
  run(sender, target);
  EXPECT_EQ(sender.accepted, accesses);
  const Time accept = to_ps(target.accept);
  const Time later = to_ps(target.serve);
  EXPECT_EQ(sender.done, (std::vector<Time>{accept + later, 2 * accept + later, 3 * accept + later}));
}

}  // namespace
}  // namespace smmusim::systemc
