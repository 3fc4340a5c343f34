// SPDX-License-Identifier: MIT
// The non-blocking transport of a TBU, between a plain initiator and a slow target that know nothing of the Engine.
#include "tests/tlm/fresh_context.h"
#include "tests/tlm/protocol_monitor.h"
#include "tests/tlm/smmu_world.h"
#include "tests/tlm/test_modules.h"

namespace smmusim::systemc {
namespace {

struct Bench {
  SmmuWorld world;
  PlainInitiator client{"client"};
  ProtocolMonitor upstream{"upstream"};
  ProtocolMonitor downstream{"downstream"};
  SlowTarget target{"target"};

  explicit Bench(const SmmuConfig& config = {}) : world(config) {
    client.out.bind(upstream.in);
    upstream.out.bind(world.smmu.tbu_in[0]);
    world.smmu.tbu_out[0].bind(downstream.in);
    downstream.out.bind(target.in);
  }
  void run() {
    sc_core::sc_start();
    world.pump.rethrow_failure();
    for (const ProtocolMonitor* monitor : {&upstream, &downstream, &world.tcu_monitor}) {
      EXPECT_TRUE(monitor->quiet()) << monitor->name();
    }
    EXPECT_TRUE(world.smmu.smmu().idle());
    EXPECT_EQ(world.smmu.tbu(0).in_flight(), 0U);
  }
};

struct TbuTest : FreshContext {
  static SmmuConfig outstanding(unsigned accesses) {
    SmmuConfig config;
    config.tbu.outstanding = accesses;
    return config;
  }
};

TEST_F(TbuTest, TranslatesAnAccessAndGivesTheAddressBack) {
  Bench bench;
  bench.world.add_stream(0).map(0x8000, Pa(0x40005000), 4096, {});
  bench.world.enable();
  const auto& payload = bench.client.add(0x8010, 64, false);
  bench.run();
  EXPECT_EQ(bench.target.addresses, (std::vector<std::uint64_t>{0x40005010}));
  EXPECT_EQ(payload.get_address(), 0x8010U);
  EXPECT_EQ(payload.get_data_ptr()[63], 0xab);
  EXPECT_TRUE(payload.is_response_ok());
}

TEST_F(TbuTest, TellsTheOutputAddressInTheExtension) {
  Bench bench;
  bench.world.add_stream(0).map(0x8000, Pa(0x40005000), 4096, {});
  bench.world.enable();
  const auto& payload = bench.client.add(0x8010, 64, true);
  bench.run();
  const auto& extension = *payload.get_extension<SmmuExtension>();
  EXPECT_TRUE(extension.translated);
  EXPECT_EQ(extension.translated_address, Pa(0x40005010));
  EXPECT_EQ(extension.outcome, Outcome::proceed);
}

TEST_F(TbuTest, TakesTheStreamFromTheExtension) {
  Bench bench;
  bench.world.add_stream(3).map(0x8000, Pa(0x40003000), 4096, {});
  bench.world.add_stream(4).map(0x8000, Pa(0x40004000), 4096, {});
  bench.world.enable();
  bench.client.add(0x8000, 8, false).get_extension<SmmuExtension>()->client.stream_id = StreamId(3);
  bench.client.add(0x8000, 8, false).get_extension<SmmuExtension>()->client.stream_id = StreamId(4);
  bench.run();
  EXPECT_EQ(bench.target.addresses, (std::vector<std::uint64_t>{0x40003000, 0x40004000}));
}

TEST_F(TbuTest, TakesTheSocketsDefaultsWithoutAnExtension) {
  Bench bench;
  bench.world.add_stream(3).map(0x8000, Pa(0x40003000), 4096, {});
  bench.world.enable();
  ClientAttributes defaults;
  defaults.stream_id = StreamId(3);
  bench.world.smmu.set_defaults(0, defaults);
  auto& payload = bench.client.add(0x8000, 8, false);
  auto* extension = payload.get_extension<SmmuExtension>();
  payload.clear_extension<SmmuExtension>();
  bench.run();
  EXPECT_EQ(bench.target.addresses, (std::vector<std::uint64_t>{0x40003000}));
  payload.set_extension(extension);
}

TEST_F(TbuTest, AbortIsAGenericErrorAndGoesNowhere) {
  Bench bench;
  bench.world.abort_all();
  const auto& payload = bench.client.add(0x8000, 8, false);
  bench.run();
  EXPECT_EQ(payload.get_response_status(), tlm::TLM_GENERIC_ERROR_RESPONSE);
  EXPECT_TRUE(bench.target.addresses.empty());
  EXPECT_FALSE(payload.get_extension<SmmuExtension>()->translated);
}

TEST_F(TbuTest, RazWiReadsZerosWithoutError) {
  Bench bench;
  bench.world.add_stream(0, false);  // CD.A = 0, nothing mapped
  bench.world.enable();
  auto& payload = bench.client.add(0x8000, 8, false);
  std::memset(payload.get_data_ptr(), 0xff, 8);
  bench.run();
  EXPECT_EQ(payload.get_response_status(), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(std::vector<unsigned char>(payload.get_data_ptr(), payload.get_data_ptr() + 8),
            std::vector<unsigned char>(8, 0));
  EXPECT_TRUE(bench.target.addresses.empty());
}

TEST_F(TbuTest, RazWiDropsAWriteWithoutError) {
  Bench bench;
  bench.world.add_stream(0, false);
  bench.world.enable();
  const auto& payload = bench.client.add(0x8000, 8, true);
  bench.run();
  EXPECT_EQ(payload.get_response_status(), tlm::TLM_OK_RESPONSE);
  EXPECT_TRUE(bench.target.addresses.empty());
}

TEST_F(TbuTest, DownstreamErrorComesBackAsItIs) {
  Bench bench;
  bench.target.answer = tlm::TLM_ADDRESS_ERROR_RESPONSE;
  const auto& payload = bench.client.add(0x8000, 8, false);
  bench.run();
  EXPECT_EQ(payload.get_response_status(), tlm::TLM_ADDRESS_ERROR_RESPONSE);
}

TEST_F(TbuTest, WithholdsEndReqAtTheOutstandingLimit) {
  constexpr unsigned limit = 4;
  Bench bench(outstanding(limit));
  bench.target.accept = sc_core::SC_ZERO_TIME;
  for (unsigned i = 0; i != 20; ++i) bench.client.add(0x1000 * i, 8, i % 2 != 0);
  bench.run();
  EXPECT_EQ(bench.client.done.size(), 20U);
  EXPECT_EQ(bench.client.in_flight_most, limit + 1);  // and the one whose END_REQ is withheld
  EXPECT_GT(bench.upstream.withheld, 0U);
}

TEST_F(TbuTest, KeepsTheProtocolWithAClientThatHoldsEndRespBack) {
  Bench bench(outstanding(4));
  bench.client.end_response_delay = sc_core::sc_time(40, sc_core::SC_NS);
  for (unsigned i = 0; i != 20; ++i) bench.client.add(0x1000 * i, 8, false);
  bench.run();
  EXPECT_EQ(bench.client.done.size(), 20U);
}

TEST_F(TbuTest, SplitsAnAccessAt4KiB) {
  Bench bench;
  PageTable& table = bench.world.add_stream(0);
  table.map(0x8000, Pa(0x40005000), 4096, {});
  table.map(0x9000, Pa(0x40002000), 4096, {});
  table.map(0xa000, Pa(0x40009000), 4096, {});
  bench.world.enable();
  const auto& payload = bench.client.add(0x8ff0, 16 + 4096 + 8, false);
  bench.run();
  EXPECT_EQ(bench.target.addresses, (std::vector<std::uint64_t>{0x40005ff0, 0x40002000, 0x40009000}));
  EXPECT_EQ(bench.target.sizes, (std::vector<unsigned>{16, 4096, 8}));
  EXPECT_TRUE(payload.is_response_ok());
  EXPECT_EQ(payload.get_data_ptr()[16 + 4096 + 7], 0xab);
}

TEST_F(TbuTest, OneFailedPartFailsTheAccessAndTheOthersStillHappen) {
  Bench bench;
  PageTable& table = bench.world.add_stream(0);
  table.map(0x9000, Pa(0x40002000), 4096, {});
  bench.world.enable();
  const auto& payload = bench.client.add(0x8ff0, 32, true);
  bench.run();
  EXPECT_EQ(payload.get_response_status(), tlm::TLM_GENERIC_ERROR_RESPONSE);
  EXPECT_EQ(bench.target.addresses, (std::vector<std::uint64_t>{0x40002000}));
}

TEST_F(TbuTest, CrossingAccessIsUnsupportedIfConfiguredSo) {
  SmmuConfig config;
  config.tbu.cross_4k = Cross4k::f_uut;
  Bench bench(config);
  PageTable& table = bench.world.add_stream(0);
  table.map(0x8000, Pa(0x40005000), 8192, {});
  bench.world.enable();
  const auto& payload = bench.client.add(0x8ff0, 32, false);
  bench.run();
  EXPECT_EQ(payload.get_response_status(), tlm::TLM_GENERIC_ERROR_RESPONSE);
  EXPECT_EQ(payload.get_extension<SmmuExtension>()->event, spec::EventType::F_UUT);
  EXPECT_TRUE(bench.target.addresses.empty());
}

TEST_F(TbuTest, RefusesWhatIsNoMemoryAccess) {
  Bench bench;
  auto& ignore = bench.client.add(0, 8, false);
  ignore.set_command(tlm::TLM_IGNORE_COMMAND);
  auto& empty = bench.client.add(0, 8, false);
  empty.set_data_length(0);
  auto& streaming = bench.client.add(0, 8, false);
  streaming.set_streaming_width(4);
  bench.run();
  EXPECT_EQ(ignore.get_response_status(), tlm::TLM_COMMAND_ERROR_RESPONSE);
  EXPECT_EQ(empty.get_response_status(), tlm::TLM_BURST_ERROR_RESPONSE);
  EXPECT_EQ(streaming.get_response_status(), tlm::TLM_BURST_ERROR_RESPONSE);
}

TEST_F(TbuTest, AnswersTranslationRequestsItself) {
  SmmuConfig config;
  config.features.ats = true;
  Bench bench(config);
  bench.world.add_stream(0).map(0x8000, Pa(0x40005000), 4096, {});
  bench.world.enable();
  auto& request = bench.client.add(0x8000, 8, false);
  auto& extension = *request.get_extension<SmmuExtension>();
  extension.client.ats = AtsType::translation_request;
  bench.run();
  EXPECT_EQ(request.get_response_status(), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(extension.outcome, Outcome::ats_completion);
  EXPECT_EQ(extension.completion.status, AtsStatus::unsupported_request) << "STE.EATS is 0";
  EXPECT_TRUE(bench.target.addresses.empty());
}

TEST_F(TbuTest, RefusesMalformedTranslationRequests) {
  Bench bench;
  auto& write = bench.client.add(0x8000, 8, true);
  auto& half = bench.client.add(0x8000, 4, false);
  for (auto* payload : {&write, &half}) {
    payload->get_extension<SmmuExtension>()->client.ats = AtsType::translation_request;
  }
  bench.run();
  EXPECT_EQ(write.get_response_status(), tlm::TLM_COMMAND_ERROR_RESPONSE);
  EXPECT_EQ(half.get_response_status(), tlm::TLM_BURST_ERROR_RESPONSE);
  EXPECT_EQ(bench.world.smmu.smmu().counters().translation_requests, 0U);
}

TEST_F(TbuTest, TakesAndTellsTheOperation) {
  Bench bench;
  bench.world.add_stream(0).map(0x8000, Pa(0x40005000), 4096, {});
  bench.world.enable();
  auto& invalidate = *bench.client.add(0x8000, 64, false).get_extension<SmmuExtension>();
  invalidate.client.operation = Operation::invalidate;
  auto& speculative = bench.client.add(0x8000, 64, true);
  speculative.get_extension<SmmuExtension>()->client.speculative = true;
  bench.run();
  EXPECT_EQ(invalidate.operation, Operation::clean_invalidate) << "STE.DRE is 0";
  EXPECT_EQ(speculative.get_response_status(), tlm::TLM_GENERIC_ERROR_RESPONSE);
  EXPECT_EQ(bench.target.addresses.size(), 1U);
}

TEST_F(TbuTest, RefusesAPayloadThatDoesOtherThanItsOperation) {
  Bench bench;
  bench.world.add_stream(0).map(0x8000, Pa(0x40005000), 4096, {});
  bench.world.enable();
  auto& clean = bench.client.add(0x8000, 64, true);
  clean.get_extension<SmmuExtension>()->client.operation = Operation::clean;
  auto& prefetch = bench.client.add(0x8000, 64, false);
  prefetch.get_extension<SmmuExtension>()->client.operation = Operation::write_prefetch;
  bench.run();
  EXPECT_EQ(clean.get_response_status(), tlm::TLM_COMMAND_ERROR_RESPONSE);
  EXPECT_EQ(prefetch.get_response_status(), tlm::TLM_COMMAND_ERROR_RESPONSE);
  EXPECT_TRUE(bench.target.addresses.empty());
}

TEST_F(TbuTest, TellsThePartitionOfAnAccess) {
  SmmuConfig config;
  config.features.mpam = true;
  config.features.partid_max = 7;
  config.features.pmg_max = 3;
  Bench bench(config);
  bench.world.write(spec::reg::GBPMPAM, 0x8002'0005);
  auto& extension = *bench.client.add(0x40005000, 64, false).get_extension<SmmuExtension>();
  bench.run();
  EXPECT_EQ(extension.outcome, Outcome::proceed);
  EXPECT_EQ(extension.mpam, (MpamIds{5, 2}));
}

TEST_F(TbuTest, UntimedSmmuCompletesInTheCall) {
  SmmuConfig config;
  config.timed = false;
  Bench bench(config);
  bench.world.add_stream(0).map(0x8000, Pa(0x40005000), 4096, {});
  bench.world.enable();
  bench.client.add(0x8010, 64, false);
  bench.run();
  EXPECT_EQ(bench.upstream.early_completions, 1U);
  EXPECT_EQ(bench.target.addresses, (std::vector<std::uint64_t>{0x40005010}));
}

TEST_F(TbuTest, ModuleCanGoWhileAccessesAreInFlight) {
  Bench bench;
  bench.world.add_stream(0).map(0x8000, Pa(0x40005000), 4096, {});
  bench.world.enable();
  for (int i = 0; i != 8; ++i) bench.client.add(0x8000, 8, false);
  sc_core::sc_start(30, sc_core::SC_NS);
  EXPECT_GT(bench.world.smmu.tbu(0).in_flight(), 0U);
}

}  // namespace
}  // namespace smmusim::systemc
