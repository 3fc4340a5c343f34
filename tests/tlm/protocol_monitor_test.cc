// SPDX-License-Identifier: MIT
// The ProtocolMonitor itself: an orderly exchange has no violations, and each rule is broken once by a module that
// misbehaves in that one way.
#include "tests/tlm/protocol_monitor.h"

#include <functional>

#include "tests/tlm/fresh_context.h"
#include "tlm/payload_pool.h"
#include "tlm/smmu_extension.h"

namespace smmusim::systemc {
namespace {

using tlm::tlm_generic_payload;
using tlm::tlm_phase;
using tlm::tlm_sync_enum;

using Transport = std::function<tlm_sync_enum(tlm_generic_payload&, tlm_phase&, sc_core::sc_time&)>;

tlm_sync_enum accept(tlm_generic_payload&, tlm_phase&, sc_core::sc_time&) {
  return tlm::TLM_ACCEPTED;
}

/// An initiator and a target in one, on both sides of a monitor; both react as the test says.
struct Play : sc_core::sc_module, tlm::tlm_fw_transport_if<>, tlm::tlm_bw_transport_if<> {
  tlm::tlm_initiator_socket<> out{"out"};
  tlm::tlm_target_socket<> in{"in"};
  Transport target = accept;
  Transport initiator = accept;
  std::function<void(tlm_generic_payload&, sc_core::sc_time&)> blocking;
  std::function<unsigned(tlm_generic_payload&)> debug;
  std::function<bool(tlm_generic_payload&, tlm::tlm_dmi&)> direct;
  ProtocolMonitor monitor{"monitor"};
  PayloadPool pool;
  unsigned char bytes[2][16] = {};
  unsigned char enables[16] = {};
  tlm_generic_payload& a;
  tlm_generic_payload& b;

  Play() : sc_core::sc_module("play"), a(pool.take()), b(pool.take()) {
    out.bind(*this);
    in.bind(*this);
    out.bind(monitor.in);
    monitor.out.bind(in);
    monitor.expects_violations = true;
    unsigned char* data = bytes[0];
    for (tlm_generic_payload* payload : {&a, &b}) {
      payload->set_write();
      payload->set_address(0x1000);
      payload->set_data_ptr(data);
      payload->set_data_length(16);
      payload->set_streaming_width(16);
      payload->set_byte_enable_ptr(enables);
      payload->set_byte_enable_length(16);
      data += 16;
    }
    sc_core::sc_start(10, sc_core::SC_NS);
  }
  tlm_sync_enum nb_transport_fw(tlm_generic_payload& p, tlm_phase& phase, sc_core::sc_time& delay) override {
    return target(p, phase, delay);
  }
  tlm_sync_enum nb_transport_bw(tlm_generic_payload& p, tlm_phase& phase, sc_core::sc_time& delay) override {
    return initiator(p, phase, delay);
  }
  void b_transport(tlm_generic_payload& p, sc_core::sc_time& delay) override { blocking(p, delay); }
  unsigned transport_dbg(tlm_generic_payload& p) override { return debug(p); }
  bool get_direct_mem_ptr(tlm_generic_payload& p, tlm::tlm_dmi& dmi) override { return direct(p, dmi); }
  void invalidate_direct_mem_ptr(sc_dt::uint64, sc_dt::uint64) override {}

  tlm_sync_enum forward(tlm_generic_payload& p, const tlm_phase& what, unsigned delay_ns = 0) {
    tlm_phase phase = what;
    sc_core::sc_time delay(delay_ns, sc_core::SC_NS);
    return out->nb_transport_fw(p, phase, delay);
  }
  tlm_sync_enum backward(tlm_generic_payload& p, const tlm_phase& what, unsigned delay_ns = 0) {
    tlm_phase phase = what;
    sc_core::sc_time delay(delay_ns, sc_core::SC_NS);
    return in->nb_transport_bw(p, phase, delay);
  }
  void respond(tlm_generic_payload& p, unsigned delay_ns = 0) {
    p.set_response_status(tlm::TLM_OK_RESPONSE);
    backward(p, tlm::BEGIN_RESP, delay_ns);
  }
  void block(const std::function<void(tlm_generic_payload&, sc_core::sc_time&)>& what) {
    blocking = what;
    sc_core::sc_time delay(5, sc_core::SC_NS);
    out->b_transport(a, delay);
  }
  void ask_for_dmi() {
    tlm::tlm_dmi dmi;
    out->get_direct_mem_ptr(a, dmi);
  }
  /// A request, END_REQ and BEGIN_RESP, with `between` done by the target in the middle.
  void exchange(const std::function<void(tlm_generic_payload&)>& between) {
    forward(a, tlm::BEGIN_REQ);
    between(a);
    respond(a);
  }
};

/// Answers a forward call as the target does that completes or begins its response at once.
Transport at_once(tlm_sync_enum answer, const tlm_phase& next, tlm::tlm_response_status status) {
  return [=](tlm_generic_payload& p, tlm_phase& phase, sc_core::sc_time&) {
    p.set_response_status(status);
    phase = next;
    return answer;
  };
}

struct Row {
  const char* violation;  ///< the sentence, and what the row does
  void (*misbehave)(Play&);
};

struct ProtocolMonitorTest : FreshContext {
  /// Runs each row in a kernel of its own.
  static void run(const std::vector<Row>& rows) {
    for (const Row& row : rows) {
      const auto context = std::make_unique<sc_core::sc_simcontext>();
      sc_core::sc_simcontext* const before = std::exchange(sc_core::sc_curr_simcontext, context.get());
      {
        Play play;
        row.misbehave(play);
        ASSERT_FALSE(play.monitor.violations.empty()) << row.violation;
        EXPECT_EQ(play.monitor.violations.front(), row.violation);
      }
      sc_core::sc_curr_simcontext = before;
    }
  }
};

TEST_F(ProtocolMonitorTest, OrderlyExchangesHaveNoViolations) {
  Play play;
  play.forward(play.a, tlm::BEGIN_REQ);
  play.backward(play.a, tlm::END_REQ);
  play.forward(play.b, tlm::BEGIN_REQ);
  play.respond(play.b);
  play.forward(play.b, tlm::END_RESP);
  play.respond(play.a, 3);
  play.forward(play.a, tlm::END_RESP, 3);
  EXPECT_EQ(play.monitor.violations, std::vector<std::string>{});
  EXPECT_EQ(play.monitor.completions, 2U);
  EXPECT_TRUE(play.monitor.quiet());
}

TEST_F(ProtocolMonitorTest, SeesPhasesOutOfOrder) {
  run({
      {"BEGIN_REQ before END_REQ of the request before",
       [](Play& play) {
         play.forward(play.a, tlm::BEGIN_REQ);
         play.forward(play.b, tlm::BEGIN_REQ);
       }},
      {"a request with a payload that is under way",
       [](Play& play) {
         play.forward(play.a, tlm::BEGIN_REQ);
         play.backward(play.a, tlm::END_REQ);
         play.forward(play.a, tlm::BEGIN_REQ);
       }},
      {"END_REQ of a payload that is not in its request phase",
       [](Play& play) {
         play.forward(play.a, tlm::BEGIN_REQ);
         play.backward(play.a, tlm::END_REQ);
         play.backward(play.a, tlm::END_REQ);
       }},
      {"BEGIN_RESP without a request", [](Play& play) { play.respond(play.a); }},
      {"BEGIN_RESP before END_RESP of the response before",
       [](Play& play) {
         play.exchange([](tlm_generic_payload&) {});
         play.forward(play.b, tlm::BEGIN_REQ);
         play.respond(play.b);
       }},
      {"END_RESP of a payload that is not in its response phase",
       [](Play& play) {
         play.forward(play.a, tlm::BEGIN_REQ);
         play.forward(play.a, tlm::END_RESP);
       }},
      {"a phase that only the target may send", [](Play& play) { play.forward(play.a, tlm::BEGIN_RESP); }},
      {"a phase that only the initiator may send", [](Play& play) { play.backward(play.a, tlm::BEGIN_REQ); }},
      {"a phase before the one that precedes it",
       [](Play& play) {
         play.forward(play.a, tlm::BEGIN_REQ, 20);
         play.backward(play.a, tlm::END_REQ, 19);
       }},
  });
}

TEST_F(ProtocolMonitorTest, SeesCallsInsideCallsOfTheOtherDirection) {
  run({
      {"nb_transport_bw inside nb_transport_fw",
       [](Play& play) {
         play.target = [&play](tlm_generic_payload& p, tlm_phase&, sc_core::sc_time&) {
           play.backward(p, tlm::END_REQ);
           return tlm::TLM_ACCEPTED;
         };
         play.forward(play.a, tlm::BEGIN_REQ);
       }},
      {"nb_transport_fw inside nb_transport_bw",
       [](Play& play) {
         play.initiator = [&play](tlm_generic_payload&, tlm_phase&, sc_core::sc_time&) {
           play.forward(play.b, tlm::BEGIN_REQ);
           return tlm::TLM_ACCEPTED;
         };
         play.forward(play.a, tlm::BEGIN_REQ);
         play.backward(play.a, tlm::END_REQ);
       }},
  });
}

TEST_F(ProtocolMonitorTest, SeesAnswersThatThePhaseDoesNotAllow) {
  run({
      {"TLM_ACCEPTED with another phase or delay",
       [](Play& play) {
         play.target = at_once(tlm::TLM_ACCEPTED, tlm::END_REQ, tlm::TLM_INCOMPLETE_RESPONSE);
         play.forward(play.a, tlm::BEGIN_REQ);
       }},
      {"TLM_UPDATED with a phase that is not the target's",
       [](Play& play) {
         play.target = at_once(tlm::TLM_UPDATED, tlm::END_RESP, tlm::TLM_OK_RESPONSE);
         play.forward(play.a, tlm::BEGIN_REQ);
       }},
      {"TLM_UPDATED with a phase that is not the initiator's",
       [](Play& play) {
         play.initiator = at_once(tlm::TLM_UPDATED, tlm::BEGIN_REQ, tlm::TLM_OK_RESPONSE);
         play.exchange([](tlm_generic_payload&) {});
       }},
      {"END_REQ was answered with something else than TLM_ACCEPTED",
       [](Play& play) {
         play.initiator = at_once(tlm::TLM_COMPLETED, tlm::END_REQ, tlm::TLM_INCOMPLETE_RESPONSE);
         play.forward(play.a, tlm::BEGIN_REQ);
         play.backward(play.a, tlm::END_REQ);
       }},
      {"TLM_UPDATED in answer to END_RESP",
       [](Play& play) {
         play.exchange([](tlm_generic_payload&) {});
         play.target = at_once(tlm::TLM_UPDATED, tlm::END_RESP, tlm::TLM_OK_RESPONSE);
         play.forward(play.a, tlm::END_RESP);
       }},
      {"a response without a response status",
       [](Play& play) {
         play.target = at_once(tlm::TLM_COMPLETED, tlm::BEGIN_REQ, tlm::TLM_INCOMPLETE_RESPONSE);
         play.forward(play.a, tlm::BEGIN_REQ);
       }},
      {"a response without a response status",
       [](Play& play) {
         play.forward(play.a, tlm::BEGIN_REQ);
         play.backward(play.a, tlm::BEGIN_RESP);
       }},
  });
}

TEST_F(ProtocolMonitorTest, SeesRequestsThatAreNotAsNew) {
  run({
      {"a request whose response status is not TLM_INCOMPLETE_RESPONSE",
       [](Play& play) {
         play.a.set_response_status(tlm::TLM_OK_RESPONSE);
         play.forward(play.a, tlm::BEGIN_REQ);
       }},
      {"a request with the DMI hint set",
       [](Play& play) {
         play.a.set_dmi_allowed(true);
         play.block([](tlm_generic_payload& p, sc_core::sc_time&) { p.set_response_status(tlm::TLM_OK_RESPONSE); });
       }},
      {"nb_transport of a payload without a memory manager",
       [](Play& play) {
         tlm_generic_payload payload;
         play.forward(payload, tlm::BEGIN_REQ);
       }},
      {"nb_transport of a payload that nobody has acquired",
       [](Play& play) {
         tlm_generic_payload payload(&play.pool);
         play.forward(payload, tlm::BEGIN_REQ);
       }},
  });
}

TEST_F(ProtocolMonitorTest, SeesPayloadsThatWereChanged) {
  run({
      {"the command was changed", [](Play& play) { play.exchange([](auto& p) { p.set_read(); }); }},
      {"the data pointer was changed",
       [](Play& play) { play.exchange([](auto& p) { p.set_data_ptr(p.get_data_ptr() + 1); }); }},
      {"the data length was changed", [](Play& play) { play.exchange([](auto& p) { p.set_data_length(8); }); }},
      {"the byte enables were changed",
       [](Play& play) { play.exchange([](auto& p) { p.set_byte_enable_ptr(nullptr); }); }},
      {"the byte enables were changed",
       [](Play& play) { play.exchange([](auto& p) { p.get_byte_enable_ptr()[3] ^= 0xff; }); }},
      {"the streaming width was changed", [](Play& play) { play.exchange([](auto& p) { p.set_streaming_width(4); }); }},
      {"the data of a write were changed",
       [](Play& play) { play.exchange([](auto& p) { p.get_data_ptr()[15] ^= 1; }); }},
      {"an extension was taken away",
       [](Play& play) {
         SmmuExtension* taken = nullptr;
         play.exchange([&taken](auto& p) {
           taken = p.template get_extension<SmmuExtension>();
           p.template clear_extension<SmmuExtension>();
         });
         play.a.set_extension(taken);
       }},
      {"a reference that somebody else holds was released",
       [](Play& play) {
         play.a.acquire();
         play.exchange([](auto& p) { p.release(); });
       }},
  });
}

TEST_F(ProtocolMonitorTest, SeesBlockingCallsThatMisbehave) {
  run({
      {"a response without a response status", [](Play& play) { play.block([](auto&, auto&) {}); }},
      {"the data of a write were changed",
       [](Play& play) {
         play.block([](auto& p, auto&) {
           p.get_data_ptr()[0] ^= 1;
           p.set_response_status(tlm::TLM_OK_RESPONSE);
         });
       }},
      {"b_transport came back before it was called",
       [](Play& play) {
         play.block([](auto& p, auto& delay) {
           delay = sc_core::SC_ZERO_TIME;
           p.set_response_status(tlm::TLM_OK_RESPONSE);
         });
       }},
      {"b_transport kept or released a reference",
       [](Play& play) {
         play.block([](auto& p, auto&) {
           p.acquire();
           p.set_response_status(tlm::TLM_OK_RESPONSE);
         });
       }},
      {"transport_dbg did more bytes than it was asked for",
       [](Play& play) {
         play.debug = [](tlm_generic_payload& p) { return p.get_data_length() + 1; };
         play.out->transport_dbg(play.a);
       }},
  });
}

TEST_F(ProtocolMonitorTest, SeesDirectMemoryAnswersThatMisbehave) {
  run({
      {"a DMI answer for a range that does not hold the address",
       [](Play& play) {
         play.direct = [](tlm_generic_payload&, tlm::tlm_dmi& dmi) {
           dmi.set_start_address(0x1001);
           return false;
         };
         play.ask_for_dmi();
       }},
      {"a DMI grant without a pointer",
       [](Play& play) {
         play.direct = [](tlm_generic_payload&, tlm::tlm_dmi& dmi) {
           dmi.allow_read_write();
           return true;
         };
         play.ask_for_dmi();
       }},
      {"a DMI grant without the access asked for",
       [](Play& play) {
         play.direct = [&play](tlm_generic_payload&, tlm::tlm_dmi& dmi) {
           dmi.set_dmi_ptr(play.bytes[0]);
           dmi.allow_read();
           return true;
         };
         play.ask_for_dmi();
       }},
      {"a DMI invalidation whose range is reversed", [](Play& play) { play.in->invalidate_direct_mem_ptr(2, 1); }},
  });
}

}  // namespace
}  // namespace smmusim::systemc
