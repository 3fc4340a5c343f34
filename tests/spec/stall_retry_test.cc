// SPDX-License-Identifier: MIT
// CMD_RESUME with a retry (IHI 0070 section 3.12.2): the transaction is handled as though it had just arrived, so what
// counts is the configuration of that moment, whatever it makes of the access.
#include <gtest/gtest.h>

#include "tests/support/stall_client.h"

namespace smmusim {
namespace {

namespace ste = raw::ste;
namespace cd = raw::cd;
namespace cmd = raw::cmd;
using namespace raw::ev;
constexpr raw::Bits STAG{79, 64}, cmd_Ac{12, 12}, cmd_STAG{79, 64};
constexpr std::uint64_t RESUME = 0x44, va = 0x1234'5000, target = SmmuBench::target;

/// Stream 1 stalls at stage 1 (A=R=S=1), nothing is mapped.
struct Stalled {
  explicit Stalled(const SmmuConfig& config)
      : bench(config, config.timed ? 50'000 : 0), client(bench), context(bench.stage1_stream(1).with({{cd::S, 1}})) {
    bench.put_cd(1, context);
  }
  void change_cd(std::initializer_list<raw::Edit> edits) { bench.put_cd(1, context.with(edits)); }
  void change_ste(std::initializer_list<raw::Edit> edits) {
    bench.put_ste(1, SmmuBench::stage1_ste(SmmuBench::cd_address(1)).with(edits));
  }
  SmmuBench bench;
  StallClient client;
  raw::Cd context;
};

struct Row {
  const char* what;
  void (*change)(Stalled&);
  Outcome outcome;
  std::uint64_t event;  ///< 0: none
  std::uint64_t address = 0;
};
const Row rows[] = {
    {"A=0: RAZ/WI",
     [](Stalled& s) {
       s.change_cd({{cd::S, 0}, {cd::A, 0}});
     },
     Outcome::raz_wi, F_TRANSLATION},
    {"A=1: abort",
     [](Stalled& s) {
       s.change_cd({{cd::S, 0}, {cd::A, 1}});
     },
     Outcome::abort, F_TRANSLATION},
    {"R=0: no record",
     [](Stalled& s) {
       s.change_cd({{cd::S, 0}, {cd::R, 0}});
     },
     Outcome::abort, 0},
    {"EPD0",
     [](Stalled& s) {
       s.change_cd({{cd::S, 0}, {cd::EPD0, 1}});
     },
     Outcome::abort, F_TRANSLATION},
    {"CD.V=0",
     [](Stalled& s) {
       s.change_cd({{cd::V, 0}});
     },
     Outcome::abort, C_BAD_CD},
    {"STE.V=0", [](Stalled& s) { s.bench.put_ste(1, raw::Ste{}); }, Outcome::abort, C_BAD_STE},
    {"Config=000",
     [](Stalled& s) {
       s.change_ste({{ste::Config, 0}});
     },
     Outcome::abort, 0},
    {"Config=100",
     [](Stalled& s) {
       s.change_ste({{ste::Config, 4}});
     },
     Outcome::proceed, 0, va},
    {"a page", [](Stalled& s) { s.bench.map(SmmuBench::ttb0(s.context), va, raw::page(target)); }, Outcome::proceed, 0,
     target},
    {"a page of nobody's, and S=0",
     [](Stalled& s) {
       s.bench.map(SmmuBench::ttb0(s.context), va, raw::page(target, raw::af | raw::ng));
       s.change_cd({{cd::S, 0}});
     },
     Outcome::abort, F_PERMISSION},
    {"stalls again",
     [](Stalled& s) { s.bench.map(SmmuBench::ttb0(s.context), va, raw::page(target, raw::af | raw::ng)); },
     Outcome::stalled, F_PERMISSION}};

class SpecStallRetry : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(, SpecStallRetry, testing::Bool(),
                         [](const auto& timed) { return timed.param ? "Timed" : "Untimed"; });

TEST_P(SpecStallRetry, TakesTheNewConfiguration) {
  RecordProperty("rule", "SM-FA-011 SM-CC-008");
  SmmuConfig config = GetParam() ? timed_bench_config() : bench_config();
  config.features.stall_model = spec::StallModel::stall_and_terminate;
  config.features.stall_max = 8;
  for (const Row& row : rows) {
    SCOPED_TRACE(row.what);
    Stalled s(config);
    auto& sent = s.client.read(1, va);
    const raw::Record first = s.bench.take_event();
    EXPECT_EQ(first.get(Stall), 1u);
    row.change(s);
    s.bench.invalidate_all();
    EXPECT_FALSE(sent.answered) << "an invalidation does not touch it";
    s.bench.issue(raw::command(RESUME, {{cmd::StreamID, 1}, {cmd_STAG, first.get(STAG)}, {cmd_Ac, 1}}));
    EXPECT_EQ(sent.answered, row.outcome != Outcome::stalled);
    if (sent.answered) {
      EXPECT_EQ(sent.response.outcome, row.outcome);
    }
    if (row.outcome == Outcome::proceed) {
      EXPECT_EQ(sent.response.address, Pa(row.address));
    }
    const std::vector<raw::Record> records = s.bench.take_events();
    ASSERT_EQ(records.size(), row.event != 0 ? 1u : 0u);
    if (row.event == 0) continue;
    EXPECT_EQ(records[0].get(Type), row.event);
    if (row.event >= F_TRANSLATION) {
      EXPECT_EQ(records[0].get(Stall), row.outcome == Outcome::stalled);
    }
  }
}

}  // namespace
}  // namespace smmusim
