// SPDX-License-Identifier: MIT
// Where a switch sends a TLP: by address, by ID, to the root; what ACS changes; what nobody claims.
#include <optional>

#include "tests/unit/pcie_switch_bench.h"

namespace smmusim::platform {
namespace {

using enum SwitchVerdict;
using Bench = ProgrammedSwitch;

struct Routed {
  SwitchRoutes routes{SwitchBridges{.downstream_ports = 3}};
  Tlp tlp{};

  Routed() { Bench::program(routes); }
  static Tlp memory(unsigned from, std::uint64_t address, AddressType at = AddressType::untranslated,
                    TlpType type = TlpType::MRd) {
    Tlp made;
    made.type = type;
    made.requester_id = from == 0 ? Bench::root_id : Bench::rid(from);
    made.address = address;
    made.at = at;
    return made;
  }
  static Tlp completion_for(std::uint16_t requester, bool relaxed = false) {
    Tlp made;
    made.type = TlpType::CplD;
    made.requester_id = requester;
    made.relaxed_ordering = relaxed;
    return made;
  }
  template <class Message>
  static Tlp message(const Message& message) {
    Tlp made;
    put(made, message);
    return made;
  }
  void expect(unsigned ingress, const Tlp& made, unsigned egress, bool redirected = false) const {
    const SwitchRoute route = routes.route(ingress, made);
    EXPECT_EQ(route.verdict, forward);
    EXPECT_EQ(route.egress, egress);
    EXPECT_EQ(route.redirected, redirected);
  }
  void expect(unsigned ingress, const Tlp& made, SwitchVerdict verdict) const {
    EXPECT_EQ(routes.route(ingress, made).verdict, verdict);
  }
  void acs(unsigned port, std::initializer_list<Acs> controls) { Bench::set_acs(routes.bridge(port), controls); }
};

constexpr std::uint64_t host_memory = 0x4000'0000;

TEST(PcieSwitchRoutes, MemoryRequestsGoByAddress) {
  const Routed r;
  for (const TlpType type : {TlpType::MRd, TlpType::MWr, TlpType::Swap}) {
    const auto at = AddressType::untranslated;
    r.expect(0, Routed::memory(0, Bench::window(2), at, type), 2);
    r.expect(1, Routed::memory(1, host_memory, at, type), 0);
    r.expect(1, Routed::memory(1, Bench::window(3) + 0xf'fffc, at, type), 3);
  }
  r.expect(0, Routed::memory(0, host_memory), unsupported_request);
  r.expect(1, Routed::memory(1, Bench::window(1)), unsupported_request);
}

TEST(PcieSwitchRoutes, AnAddressOfTheSwitchThatNoPortClaimsIsUnsupported) {
  Routed r;
  Bench::program_window(r.routes.bridge(2), 0xfff0'0000, 0);
  r.expect(0, Routed::memory(0, Bench::window(2)), unsupported_request);
  r.expect(1, Routed::memory(1, Bench::window(2)), unsupported_request);
}

TEST(PcieSwitchRoutes, APortWhoseWindowTheUpstreamPortLeavesOutIsReachedByPeersOnly) {
  Routed r;
  Bench::program_window(r.routes.bridge(0), Bench::window(1), Bench::window(2));
  r.expect(0, Routed::memory(0, Bench::window(3)), unsupported_request);
  r.expect(1, Routed::memory(1, Bench::window(3)), 3);
}

TEST(PcieSwitchRoutes, WhereWindowsOverlapTheLowerPortWins) {
  Routed r;
  Bench::program_window(r.routes.bridge(3), Bench::window(1), Bench::window(3));
  r.expect(0, Routed::memory(0, Bench::window(2)), 2);
  r.expect(3, Routed::memory(3, Bench::window(2)), 2);
  r.expect(2, Routed::memory(2, Bench::window(3)), 3);
}

TEST(PcieSwitchRoutes, WithoutBusMasterNothingPassesUp) {
  for (const unsigned off : {0U, 1U}) {
    Routed r;
    Bench::enable(r.routes.bridge(off), 2);
    r.expect(1, Routed::memory(1, host_memory), unsupported_request);
    r.expect(1, Routed::completion_for(Bench::root_id), 0);
    r.expect(1, Routed::message(PageRequestMessage{Bench::rid(1), {}, 0x9000, 0, true, false, true}), 0);
  }
  Routed r;
  Bench::enable(r.routes.bridge(0), 2);
  r.expect(1, Routed::memory(1, Bench::window(2)), 2);  // a peer is not above
}

TEST(PcieSwitchRoutes, WithoutMemorySpaceNothingIsClaimed) {
  Routed r;
  Bench::enable(r.routes.bridge(2), 4);
  r.expect(0, Routed::memory(0, Bench::window(2)), unsupported_request);
  r.expect(1, Routed::memory(1, Bench::window(2)), unsupported_request);
  Bench::enable(r.routes.bridge(0), 4);
  r.expect(0, Routed::memory(0, Bench::window(1)), unsupported_request);
  r.expect(1, Routed::memory(1, Bench::window(2)), 0);
}

TEST(PcieSwitchRoutes, CompletionsGoByRequester) {
  const Routed r;
  r.expect(0, Routed::completion_for(Bench::rid(2)), 2);
  r.expect(1, Routed::completion_for(Bench::root_id), 0);
  r.expect(1, Routed::completion_for(Bench::rid(3)), 3);
  r.expect(0, Routed::completion_for(0x0700), unexpected_completion);
  r.expect(0, Routed::completion_for(Bench::root_id), unexpected_completion);
  r.expect(1, Routed::completion_for(Bench::rid(1)), unexpected_completion);
  r.expect(1, Routed::completion_for(0x0208), unexpected_completion);
  r.expect(1, Routed::completion_for(0x0100), unexpected_completion);
}

TEST(PcieSwitchRoutes, MessagesGoByIdOrToTheRoot) {
  const Routed r;
  r.expect(0, Routed::message(InvalidateRequest{Bench::root_id, Bench::rid(2), 0, {}, {0x1000, 12}, false}), 2);
  r.expect(0, Routed::message(PrgResponse{Bench::root_id, Bench::rid(3), {}, 0, 0}), 3);
  r.expect(0, Routed::message(PrgResponse{Bench::root_id, 0x0900, {}, 0, 0}), unsupported_request);
  r.expect(0, Routed::message(InvalidateRequest{Bench::root_id, 0x0208, 0, {}, {}, false}), unsupported_request);
  r.expect(2, Routed::message(InvalidateCompletion{Bench::rid(2), Bench::root_id, 1, 1}), 0);
  const Tlp page = Routed::message(PageRequestMessage{Bench::rid(2), {}, 0x9000, 0, true, false, true});
  r.expect(2, page, 0);
  r.expect(0, page, unsupported_request);  // to the root, from the root
  Tlp unknown = page;
  unknown.message = static_cast<MessageCode>(0x50);
  r.expect(2, unknown, unsupported_request);
}

TEST(PcieSwitchRoutes, ConfigurationRequestsOfDevicesAreUnsupported) {
  const Routed r;
  for (const TlpType type : {TlpType::CfgRd0, TlpType::CfgWr0, TlpType::CfgRd1, TlpType::CfgWr1}) {
    Tlp tlp;
    tlp.type = type;
    r.expect(1, tlp, unsupported_request);
  }
}

// --- ACS -------------------------------------------------------------------------------------------------------------

TEST(PcieSwitchRoutes, SourceValidationRefusesForeignRequesters) {
  Routed r;
  r.expect(1, Routed::memory(2, host_memory), 0);  // off
  r.acs(1, {Acs::source_validation});
  r.expect(1, Routed::memory(1, host_memory), 0);
  r.expect(1, Routed::memory(2, host_memory), acs_violation);
  r.expect(1, Routed::message(PageRequestMessage{Bench::rid(2), {}, 0, 0, true, false, true}), acs_violation);
  r.expect(1, Routed::completion_for(Bench::root_id), 0);
  r.expect(0, Routed::memory(0, Bench::window(1)), 1);  // what comes from above is not validated
}

TEST(PcieSwitchRoutes, TranslationBlockingRefusesOtherAddressTypes) {
  Routed r;
  r.acs(1, {Acs::translation_blocking});
  r.expect(1, Routed::memory(1, host_memory), 0);
  r.expect(1, Routed::memory(1, host_memory, AddressType::translated), acs_violation);
  r.expect(1, Routed::memory(1, host_memory, AddressType::translation_request), acs_violation);
  r.expect(2, Routed::memory(2, host_memory, AddressType::translated), 0);
}

TEST(PcieSwitchRoutes, RequestRedirectSendsPeersRequestsToTheRoot) {
  Routed r;
  r.acs(1, {Acs::p2p_request_redirect});
  for (const AddressType at : {AddressType::untranslated, AddressType::translated, AddressType::translation_request}) {
    r.expect(1, Routed::memory(1, Bench::window(2), at), 0, true);
  }
  r.expect(1, Routed::message(InvalidateRequest{Bench::rid(1), Bench::rid(2), 0, {}, {}, false}), 0, true);
  r.expect(1, Routed::memory(1, host_memory), 0);
  r.expect(2, Routed::memory(2, Bench::window(1)), 1);  // each port's own control
  r.expect(1, Routed::completion_for(Bench::rid(2)), 2);
  Bench::enable(r.routes.bridge(0), 2);
  r.expect(1, Routed::memory(1, Bench::window(2)), unsupported_request);  // nothing passes up
}

TEST(PcieSwitchRoutes, DirectTranslatedLetsTranslatedRequestsThrough) {
  Routed r;
  r.acs(1, {Acs::p2p_request_redirect, Acs::direct_translated_p2p});
  r.expect(1, Routed::memory(1, Bench::window(2), AddressType::translated), 2);
  r.expect(1, Routed::memory(1, Bench::window(2)), 0, true);
  r.expect(1, Routed::memory(1, Bench::window(2), AddressType::translation_request), 0, true);
}

TEST(PcieSwitchRoutes, CompletionRedirectLeavesRelaxedOnesAlone) {
  Routed r;
  r.acs(1, {Acs::p2p_completion_redirect});
  r.expect(1, Routed::completion_for(Bench::rid(2)), 0, true);
  r.expect(1, Routed::completion_for(Bench::rid(2), true), 2);
  r.expect(1, Routed::memory(1, Bench::window(2)), 2);
}

TEST(PcieSwitchRoutes, UpstreamForwardingSendsUpWhatIsForItsOwnPort) {
  Routed r;
  r.acs(1, {Acs::upstream_forwarding});
  r.expect(1, Routed::memory(1, Bench::window(1)), 0, true);
  r.expect(1, Routed::completion_for(Bench::rid(1)), 0, true);
  r.expect(1, Routed::memory(1, Bench::window(2)), 2);
}

// --- Hostile bus numbers ---------------------------------------------------------------------------------------------

/// Whatever is written there, what comes from above goes down or nowhere: nothing goes round.
TEST(PcieSwitchRoutes, NoBusNumbersSendAnythingFromAboveBackUp) {
  Routed r;
  for (unsigned primary = 0; primary != 4; ++primary) {
    for (unsigned secondary = 0; secondary != 5; ++secondary) {
      for (unsigned subordinate = 0; subordinate != 6; ++subordinate) {
        Bench::program_buses(r.routes.bridge(0), primary, secondary, subordinate);
        Bench::program_buses(r.routes.bridge(1), secondary, primary, subordinate);
        for (unsigned bus = 0; bus != 8; ++bus) {
          const SwitchRoute route = r.routes.route(0, Routed::completion_for(static_cast<std::uint16_t>(bus << 8)));
          ASSERT_TRUE(route.verdict == unexpected_completion || route.egress != 0);
        }
      }
    }
  }
}

TEST(PcieSwitchRoutes, BeforeBusesAreNumberedEverythingFromBelowGoesUp) {
  SwitchRoutes routes(SwitchBridges{.downstream_ports = 2});
  for (unsigned port = 0; port != 3; ++port) Bench::enable(routes.bridge(port));
  EXPECT_EQ(routes.route(1, Routed::completion_for(0x0300)).egress, 0U);
  EXPECT_EQ(routes.route(1, Routed::memory(1, host_memory)).egress, 0U);
  EXPECT_EQ(routes.route(0, Routed::completion_for(0x0300)).verdict, unexpected_completion);
}

TEST(PcieSwitchRoutes, ImpossibleNumbersOfPortsAreRefused) {
  EXPECT_THROW(SwitchRoutes(SwitchBridges{.downstream_ports = 0}), std::invalid_argument);
  EXPECT_THROW(SwitchRoutes(SwitchBridges{.downstream_ports = 33}), std::invalid_argument);
}

}  // namespace
}  // namespace smmusim::platform
