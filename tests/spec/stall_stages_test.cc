// SPDX-License-Identifier: MIT
// Stalls with stage 2, where the stage whose tables fault decides, and of substreams (IHI 0070 sections 3.12
// and 3.12.5).
#include <gtest/gtest.h>

#include "tests/support/stage2_bench.h"
#include "tests/support/stall_client.h"

namespace smmusim {
namespace {

namespace cd = raw::cd;
namespace cmd = raw::cmd;
using namespace raw::ev;

constexpr raw::Bits STAG{79, 64}, cmd_Ac{12, 12}, cmd_STAG{79, 64};
constexpr std::uint64_t RESUME = 0x44, va = 0x1234'5000, target = SmmuBench::target;

Stage2Bench::Options stalling() {
  Stage2Bench::Options options;
  options.config.features.stall_model = spec::StallModel::stall_and_terminate;
  options.config.features.stall_max = 4;
  return options;
}

/// Both stages of stream 1; whose fault it is decides.
struct TwoStageRow {
  bool s1_stalls, s2_stalls;
  bool fault_at_stage2;
  bool stalled;
};
constexpr TwoStageRow two_stage_rows[] = {
    {false, false, false, false}, {false, false, true, false}, {false, true, false, false}, {false, true, true, true},
    {true, false, false, true},   {true, false, true, false},  {true, true, false, true},   {true, true, true, true}};

TEST(SpecStallTwoStages, TheFaultingStageDecides) {
  RecordProperty("rule", "SM-FA-022 SM-FA-004");
  for (const TwoStageRow& row : two_stage_rows) {
    SCOPED_TRACE(testing::Message() << row.s1_stalls << row.s2_stalls << row.fault_at_stage2);
    Stage2Bench b(stalling());
    StallClient client(b.bench);
    b.edit_cd({{cd::S, row.s1_stalls}});
    b.edit_ste({{raw::s2::S2S, row.s2_stalls}, {raw::s2::S2R, 1}});
    const std::uint64_t ipa = Stage2Bench::ipa_offset + target;
    if (row.fault_at_stage2) b.s1.map(va, ipa, raw::af | raw::ng | raw::ap_unprivileged);
    const auto& sent = client.read(Stage2Bench::sid, va);
    const raw::Record record = b.bench.take_event();
    EXPECT_EQ(record.get(S2), row.fault_at_stage2 ? 1u : 0u);
    EXPECT_EQ(record.get(InputAddr), va);
    if (row.fault_at_stage2) {
      EXPECT_EQ(record.get(IPA), ipa >> 12);
    }
    EXPECT_EQ(record.get(Stall), row.stalled ? 1u : 0u);
    EXPECT_EQ(sent.answered, !row.stalled);
  }
}

TEST(SpecStallTwoStages, CdAndTableFetchesStallAtStage2) {
  RecordProperty("rule", "SM-FA-022 SM-CLS-003");
  Stage2Bench b(stalling());
  StallClient client(b.bench);
  b.edit_ste({{raw::s2::S2S, 1}});
  b.s2.set(Stage2Bench::cd_ipa, 3, 0);  // the CD's page is not there
  b.s1.map(va, Stage2Bench::ipa_offset + target, raw::af | raw::ng | raw::ap_unprivileged);
  b.cover(Stage2Bench::ipa_offset + target, 0x1000);
  auto& sent = client.read(Stage2Bench::sid, va);
  const raw::Record record = b.bench.take_event();
  EXPECT_EQ(record.get(CLASS), 0u);
  EXPECT_EQ(record.get(Stall), 1u);
  b.cover(Stage2Bench::cd_ipa & ~std::uint64_t{0xfff}, 0x1000);
  b.command({raw::command(RESUME, {{cmd::StreamID, Stage2Bench::sid}, {cmd_STAG, record.get(STAG)}, {cmd_Ac, 1}})});
  EXPECT_EQ(sent.response.outcome, Outcome::proceed);
  EXPECT_EQ(sent.response.address.value, target);
}

TEST(SpecStallBypass, AddressSizeFaultOfABypassNeverStalls) {
  RecordProperty("rule", "SM-FA-003");
  Stage2Bench b(stalling());
  StallClient client(b.bench);
  b.edit_ste({{raw::ste::Config, 6}, {raw::s2::S2S, 1}});
  const auto& sent = client.read(Stage2Bench::sid, std::uint64_t{1} << 50);
  EXPECT_EQ(sent.response.outcome, Outcome::abort);
  const raw::Record record = b.bench.take_event();
  EXPECT_EQ(record.get(Type), F_ADDR_SIZE);
  EXPECT_EQ(record.get(Stall), 0u);
}

TEST(SpecStallSubstreams, AreNoDuplicatesOfEachOther) {
  RecordProperty("rule", "SM-FA-016");
  SmmuConfig config = stalling().config;
  config.features.ssidsize = 4;
  SmmuBench bench(config);
  StallClient client(bench);
  const raw::Cd context = bench.stage1_stream(2).with({{cd::S, 1}});
  bench.put_cd(2, context);  // the CDs of the two substreams lie one behind the other
  bench.put_cd(3, context);
  bench.put_ste(1, SmmuBench::stage1_ste(SmmuBench::cd_address(2)).with({{raw::ste::S1CDMax, 1}}));
  Transaction t = SmmuBench::transaction(1, va);
  t.substream_valid = true;
  for (std::uint32_t substream = 0; substream < 2; ++substream) {
    t.substream_id = SubstreamId(substream);
    client.send(t);
    const raw::Record record = bench.take_event();
    EXPECT_EQ(record.get(Stall), 1u);
    EXPECT_EQ(record.get(SubstreamID), substream);
    client.send(t);
    EXPECT_TRUE(bench.take_events().empty()) << "a true duplicate";
  }
}

}  // namespace
}  // namespace smmusim
