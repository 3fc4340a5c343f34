// SPDX-License-Identifier: MIT
// Hardware updates of descriptors over TLM (IHI 0070 section 3.13): the compare-and-swap that the generic payload has
// no command for, seen between the TCU and its memory, where others can come in between.
#include <functional>

#include "tests/tlm/fresh_context.h"
#include "tests/tlm/protocol_monitor.h"
#include "tests/tlm/smmu_world.h"
#include "tests/tlm/test_modules.h"

namespace smmusim::systemc {
namespace {

/// Passes everything on to memory, but asks `swapping` before a compare-and-swap: false: it has been answered.
class SwapWatch : public sc_core::sc_module, public tlm::tlm_fw_transport_if<>, public tlm::tlm_bw_transport_if<> {
 public:
  tlm::tlm_target_socket<> in;
  tlm::tlm_initiator_socket<> out;
  std::function<bool(tlm::tlm_generic_payload&, SmmuAccessExtension&)> swapping;
  unsigned swaps = 0;

  explicit SwapWatch(const sc_core::sc_module_name& name) : sc_core::sc_module(name), in("in"), out("out") {
    in.bind(*this);
    out.bind(*this);
  }
  tlm::tlm_sync_enum nb_transport_fw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                     sc_core::sc_time& delay) override {
    if (phase == tlm::BEGIN_REQ && !pass(payload)) return tlm::TLM_COMPLETED;
    return out->nb_transport_fw(payload, phase, delay);
  }
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) override {
    if (pass(payload)) out->b_transport(payload, delay);
  }
  tlm::tlm_sync_enum nb_transport_bw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                     sc_core::sc_time& delay) override {
    return in->nb_transport_bw(payload, phase, delay);
  }
  unsigned transport_dbg(tlm::tlm_generic_payload& payload) override { return out->transport_dbg(payload); }
  bool get_direct_mem_ptr(tlm::tlm_generic_payload&, tlm::tlm_dmi&) override { return false; }
  void invalidate_direct_mem_ptr(sc_dt::uint64, sc_dt::uint64) override {}

 private:
  bool pass(tlm::tlm_generic_payload& payload) {
    auto& access = *payload.get_extension<SmmuAccessExtension>();
    EXPECT_EQ(access.compare_and_swap, payload.get_command() == tlm::TLM_IGNORE_COMMAND);
    if (!access.compare_and_swap) return true;
    ++swaps;
    EXPECT_FALSE(access.swap_done) << "left from the one before";
    EXPECT_EQ(access.purpose, Purpose::TTD);
    EXPECT_EQ(payload.get_data_length(), 8U);
    return !swapping || swapping(payload, access);
  }
};

/// Stream 0 with HA and HD, and one clean page that has not been used.
struct Bench {
  static constexpr std::uint64_t va = 0x8000, pa = 0x4000'5000, other = 0x4000'7000;
  static constexpr std::uint64_t tables = 0x4100'0000, leaf = tables + 0x3000 + 8 * 8;
  static constexpr std::uint64_t af = 1U << 10, read_only = 1U << 7, dbm = std::uint64_t{1} << 51;
  static constexpr std::uint64_t usual = 3 | 1U << 2 | 1U << 6 | 3U << 8 | 1U << 11;  // page, WB, unprivileged, ISH, nG
  static constexpr std::uint64_t clean = usual | read_only | dbm, dirty = usual | dbm | af;

  SwapWatch watch{"watch"};
  SmmuWorld world;
  PlainInitiator client{"client"};
  SlowTarget target{"target"};

  explicit Bench(bool timed) : world(config(timed), &watch.in, &watch.out) {
    client.out.bind(world.smmu.tbu_in[0]);
    world.smmu.tbu_out[0].bind(target.in);
    for (std::uint64_t level = 0; level != 3; ++level) {
      world.memory.store64(Pa(tables + 0x1000 * level), (tables + 0x1000 * (level + 1)) | 3);
    }
    store(pa | clean);
    const PageTable& unused = world.add_stream(0);
    ContextTable contexts(world.memory, world.pages, 0);
    spec::Cd cd = make_stage1_cd(unused, Asid(0));
    contexts.write(0, cd.set<spec::Cd::TTB0>(tables).set<spec::Cd::HA>(true).set<spec::Cd::HD>(true));
    world.streams.write(StreamId(0), make_stage1_ste(contexts));
    world.enable();
  }
  static SmmuConfig config(bool timed) {
    SmmuConfig chosen;
    chosen.timed = timed;
    chosen.features.httu = spec::Httu::access_dirty;
    return chosen;
  }
  std::uint64_t load() { return world.memory.load64(Pa(leaf)); }
  void store(std::uint64_t descriptor) { world.memory.store64(Pa(leaf), descriptor); }
  /// One access of the client.
  const tlm::tlm_generic_payload& access(bool write) {
    const tlm::tlm_generic_payload& payload = client.add(va, 8, write);
    sc_core::sc_start();
    world.pump.rethrow_failure();
    EXPECT_EQ(client.done.size(), 1U);
    EXPECT_TRUE(world.smmu.smmu().idle());
    return payload;
  }
  static spec::EventType event_of(const tlm::tlm_generic_payload& payload) {
    return payload.get_extension<SmmuExtension>()->event;
  }
};

struct SwapTest : FreshContext, testing::WithParamInterface<bool> {};
INSTANTIATE_TEST_SUITE_P(, SwapTest, testing::Bool(),
                         [](const auto& timed) { return timed.param ? "Timed" : "Untimed"; });

TEST_P(SwapTest, AWriteMarksThePageDirtyAtOnce) {
  Bench bench(GetParam());
  bench.watch.swapping = [&](tlm::tlm_generic_payload& payload, SmmuAccessExtension& access) {
    EXPECT_EQ(payload.get_address(), Bench::leaf);
    EXPECT_EQ(access.expected, Bench::pa | Bench::clean);
    EXPECT_EQ(access.stage, 1U);
    EXPECT_EQ(access.level, 3);
    return true;
  };
  EXPECT_TRUE(bench.access(true).is_response_ok());
  EXPECT_EQ(bench.target.addresses, (std::vector<std::uint64_t>{Bench::pa}));
  EXPECT_EQ(bench.load(), Bench::pa | Bench::dirty);
  EXPECT_EQ(bench.watch.swaps, 1U);
}

TEST_P(SwapTest, AReadSetsTheAccessFlagAlone) {
  Bench bench(GetParam());
  EXPECT_TRUE(bench.access(false).is_response_ok());
  EXPECT_EQ(bench.load(), Bench::pa | Bench::clean | Bench::af);
  EXPECT_EQ(bench.watch.swaps, 1U);
}

TEST_P(SwapTest, ALostRaceIsRunAgainWithWhatIsThereNow) {
  Bench bench(GetParam());
  bench.watch.swapping = [&](tlm::tlm_generic_payload&, SmmuAccessExtension& access) {
    if (bench.watch.swaps == 1) bench.store(Bench::other | Bench::clean);
    if (bench.watch.swaps == 2) {
      EXPECT_EQ(access.expected, Bench::other | Bench::clean);
    }
    return true;
  };
  EXPECT_TRUE(bench.access(true).is_response_ok());
  EXPECT_EQ(bench.target.addresses, (std::vector<std::uint64_t>{Bench::other}));
  EXPECT_EQ(bench.load(), Bench::other | Bench::dirty);
  EXPECT_EQ(bench.watch.swaps, 2U);
}

TEST_P(SwapTest, ALostRaceMayLeaveNothingToAccess) {
  Bench bench(GetParam());
  bench.watch.swapping = [&](tlm::tlm_generic_payload&, SmmuAccessExtension&) {
    bench.store(0);
    return true;
  };
  const auto& payload = bench.access(true);
  EXPECT_EQ(payload.get_response_status(), tlm::TLM_GENERIC_ERROR_RESPONSE);
  EXPECT_EQ(Bench::event_of(payload), spec::EventType::F_TRANSLATION);
  EXPECT_TRUE(bench.target.addresses.empty());
  EXPECT_EQ(bench.load(), 0U);
}

TEST_P(SwapTest, AnErrorResponseIsAnExternalAbort) {
  Bench bench(GetParam());
  bench.watch.swapping = [](tlm::tlm_generic_payload& payload, SmmuAccessExtension& access) {
    access.swap_done = true;
    payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
    return false;
  };
  const auto& payload = bench.access(true);
  EXPECT_EQ(payload.get_response_status(), tlm::TLM_GENERIC_ERROR_RESPONSE);
  EXPECT_EQ(Bench::event_of(payload), spec::EventType::F_WALK_EABT);
  EXPECT_TRUE(bench.target.addresses.empty());
  EXPECT_EQ(bench.watch.swaps, 1U);
}

/// A target that takes the payload for one without a command: all is well, and nothing has happened.
TEST_P(SwapTest, ATargetThatKnowsNoSwapsIsAnExternalAbort) {
  Bench bench(GetParam());
  bench.watch.swapping = [](tlm::tlm_generic_payload& payload, SmmuAccessExtension&) {
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
    return false;
  };
  const auto& payload = bench.access(true);
  EXPECT_EQ(Bench::event_of(payload), spec::EventType::F_WALK_EABT);
  EXPECT_TRUE(bench.target.addresses.empty());
  EXPECT_EQ(bench.load(), Bench::pa | Bench::clean);
}

}  // namespace
}  // namespace smmusim::systemc
