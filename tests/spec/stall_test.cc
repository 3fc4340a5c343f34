// SPDX-License-Identifier: MIT
// The stall model (IHI 0070 sections 3.12.2, 3.12.5, 4.7.1, 4.7.2, 5.5, 7.2.1): what stalls, its record, and each way
// in which a stall ends. Everything runs untimed and timed.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "tests/support/stall_client.h"

namespace smmusim {
namespace {

namespace cd = raw::cd;
namespace cmd = raw::cmd;
using namespace raw::ev;

constexpr raw::Bits STAG{79, 64}, cmd_Ac{12, 12}, cmd_Ab{13, 13}, cmd_STAG{79, 64};
constexpr std::uint64_t RESUME = 0x44, STALL_TERM = 0x45;
constexpr std::uint64_t va = 0x1234'5000, target = SmmuBench::target;

SmmuConfig stall_config(bool timed, unsigned stall_max = 8) {
  SmmuConfig config = timed ? timed_bench_config() : bench_config();
  config.features.stall_model = spec::StallModel::stall_and_terminate;
  config.features.stall_max = stall_max;
  return config;
}

/// Stream 1 stalls at stage 1 (A=R=S=1), nothing is mapped.
struct StallBench {
  explicit StallBench(bool timed, const SmmuConfig& config)
      : bench(config, timed ? 50'000 : 0), client(bench), context(bench.stage1_stream(1).with({{cd::S, 1}})) {
    bench.put_cd(1, context);
  }
  explicit StallBench(bool timed) : StallBench(timed, stall_config(timed)) {}

  void map(std::uint64_t address) { bench.map(SmmuBench::ttb0(context), address, raw::page(target)); }
  void command(const raw::Command& command) {
    bench.push(command);
    bench.kick();
  }
  void resume(std::uint64_t sid, std::uint64_t stag, bool retry, bool abort = true) {
    command(raw::command(RESUME, {{cmd::StreamID, sid}, {cmd_STAG, stag}, {cmd_Ac, retry}, {cmd_Ab, abort}}));
  }
  /// The STAG of the one record there is; fails if it is no stall.
  std::uint64_t take_stag() {
    const raw::Record record = bench.take_event();
    EXPECT_EQ(record.get(Stall), 1u);
    return record.get(STAG);
  }

  SmmuBench bench;
  StallClient client;
  raw::Cd context;
};

class SpecStall : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(, SpecStall, testing::Bool(),
                         [](const auto& timed) { return timed.param ? "Timed" : "Untimed"; });

TEST_P(SpecStall, RecordAndNoAnswerUntilResumed) {
  RecordProperty("rule", "SM-FA-010 SM-FA-006 SM-EVR-027 SM-FA-018");
  StallBench s(GetParam());
  auto& sent = s.client.read(1, va + 0x678);
  EXPECT_FALSE(sent.answered);
  const raw::Record record = s.bench.take_event();
  EXPECT_EQ(record.with({{STAG, 0}, {IPA, 0}}),
            raw::Record{}.with(
                {{Type, F_TRANSLATION}, {StreamID, 1}, {Stall, 1}, {RnW, 1}, {CLASS, 2}, {InputAddr, va + 0x678}}));
  s.map(va);  // no early retry
  s.bench.run();
  EXPECT_FALSE(sent.answered);
  s.resume(1, record.get(STAG), true);
  EXPECT_TRUE(sent.answered);
  EXPECT_EQ(sent.response.outcome, Outcome::proceed);
  EXPECT_EQ(sent.response.address.value, target + 0x678);
  EXPECT_TRUE(s.bench.take_events().empty());
}

struct EndRow {
  bool retry, abort, term_model;
  Outcome outcome;
};
constexpr EndRow end_rows[] = {{false, true, false, Outcome::abort},
                               {false, false, false, Outcome::raz_wi},
                               {false, false, true, Outcome::abort},
                               {true, false, false, Outcome::proceed},
                               {true, true, false, Outcome::proceed}};

TEST_P(SpecStall, ResumeActions) {
  RecordProperty("rule", "SM-FA-025 SM-FA-029 SM-FA-036 SM-FA-019");
  for (const EndRow& row : end_rows) {
    SCOPED_TRACE(testing::Message() << row.retry << row.abort << row.term_model);
    SmmuConfig config = stall_config(GetParam());
    config.features.term_model = row.term_model;
    StallBench s(GetParam(), config);
    auto& sent = s.client.write(1, va);
    const std::uint64_t stag = s.take_stag();
    if (row.retry) s.map(va);
    s.resume(1, stag, row.retry, row.abort);
    EXPECT_TRUE(sent.answered);
    EXPECT_EQ(sent.response.outcome, row.outcome);
    s.command(raw::command(cmd::SYNC));
    EXPECT_TRUE(s.bench.take_events().empty());  // no second record
  }
}

TEST_P(SpecStall, ResumeNeedsStreamAndTag) {
  RecordProperty("rule", "SM-FA-012 SM-FA-027 SM-FA-028");
  StallBench s(GetParam());
  auto& sent = s.client.read(1, va);
  const std::uint64_t stag = s.take_stag();
  s.resume(2, stag, false);
  s.resume(1, stag ^ 1, false);
  s.resume(1, 0xffff, false);
  EXPECT_FALSE(sent.answered);
  EXPECT_EQ(s.bench.command_error(), 0u);
  EXPECT_EQ(s.bench.active_errors(), 0u);
  s.resume(1, stag, false);
  EXPECT_TRUE(sent.answered);
  s.resume(1, stag, false);  // again: nothing is there
  EXPECT_EQ(s.bench.active_errors(), 0u);
}

TEST_P(SpecStall, RetryMayStallAgain) {
  RecordProperty("rule", "SM-FA-017 SM-STL-002");
  StallBench s(GetParam());
  auto& sent = s.client.read(1, va);
  const std::uint64_t first = s.take_stag();
  s.resume(1, first, true);
  EXPECT_FALSE(sent.answered);
  const std::uint64_t second = s.take_stag();  // a record of its own
  s.map(va);
  s.resume(1, second, true);
  EXPECT_EQ(sent.response.outcome, Outcome::proceed);
}

TEST_P(SpecStall, TagsAreUniqueAndResumedInAnyOrder) {
  RecordProperty("rule", "SM-STL-002 SM-FA-013 SM-FA-035");
  StallBench s(GetParam());
  std::vector<StallClient::Sent*> sent;
  for (unsigned n = 0; n < 8; ++n) sent.push_back(&s.client.read(1, va + 0x1000 * n));
  std::map<std::uint64_t, std::uint64_t> stag_of;  // input address -> STAG
  std::set<std::uint64_t> stags;
  for (const raw::Record& record : s.bench.take_events()) {
    stag_of[record.get(InputAddr)] = record.get(STAG);
    stags.insert(record.get(STAG));
  }
  ASSERT_EQ(stags.size(), 8u);
  s.client.read(1, va + 0x1000 * 8);
  EXPECT_TRUE(s.bench.take_events().empty());  // STALL_MAX are unacknowledged
  for (unsigned n : {5u, 0u, 7u, 2u}) {
    s.resume(1, stag_of[va + 0x1000 * n], false);
    EXPECT_TRUE(sent[n]->answered);
  }
  for (unsigned n : {1u, 3u, 4u, 6u}) EXPECT_FALSE(sent[n]->answered);
  const raw::Record ninth = s.bench.take_event();  // its tag came free
  EXPECT_EQ(ninth.get(InputAddr), va + 0x1000 * 8);
  for (unsigned n : {1u, 3u, 4u, 6u}) EXPECT_NE(ninth.get(STAG), stag_of[va + 0x1000 * n]);
}

TEST_P(SpecStall, DuplicatesShareARecord) {
  RecordProperty("rule", "SM-FA-016");
  StallBench s(GetParam());
  auto& first = s.client.read(1, va);
  auto& second = s.client.read(1, va + 8);
  const std::uint64_t stag = s.take_stag();
  s.resume(1, stag, false);
  EXPECT_EQ(first.response.outcome, Outcome::abort);
  EXPECT_FALSE(second.answered);  // was retried, and now has a record of its own
  s.map(va);
  s.resume(1, s.take_stag(), true);
  EXPECT_EQ(second.response.outcome, Outcome::proceed);
}

struct DifferentRow {
  const char* what;
  void (*change)(Transaction&);
};
const DifferentRow different_rows[] = {
    {"page", [](Transaction& t) { t.address = Va(va + 0x1000); }},
    {"type", [](Transaction& t) { t.access = AccessType::write; }},
    {"privilege", [](Transaction& t) { t.privileged = true; }},
    {"instruction", [](Transaction& t) { t.instruction = true; }},
};

TEST_P(SpecStall, OnlyTrueDuplicatesShareARecord) {
  RecordProperty("rule", "SM-FA-016");
  for (const DifferentRow& row : different_rows) {
    SCOPED_TRACE(row.what);
    StallBench s(GetParam());
    s.client.read(1, va);
    s.take_stag();
    Transaction other = SmmuBench::transaction(1, va);
    row.change(other);
    s.client.send(other);
    EXPECT_EQ(s.bench.take_events().size(), 1u);
  }
}

TEST_P(SpecStall, SuppressionCanBeSwitchedOff) {
  RecordProperty("rule", "SM-FA-016");
  SmmuConfig config = stall_config(GetParam());
  config.tcu.suppress_duplicate_stalls = false;
  StallBench s(GetParam(), config);
  s.client.read(1, va);
  s.client.read(1, va);
  EXPECT_EQ(s.bench.take_events().size(), 2u);
}

TEST_P(SpecStall, FullQueueRetriesWhenItDrains) {
  RecordProperty("rule", "SM-FA-014 SM-EVQ-009 SM-EVT-003 SM-QU-006");
  for (const bool repaired : {false, true}) {
    SCOPED_TRACE(repaired);
    StallBench s(GetParam(), stall_config(GetParam(), 256));
    const unsigned entries = 1u << SmmuBench::eventq_log2;
    for (unsigned n = 0; n < entries; ++n) s.client.read(1, va + 0x1000 * (n + 1));
    auto& late = s.client.read(1, va);
    EXPECT_EQ((s.bench.r32(off::EVENTQ_PROD) ^ s.bench.r32(off::EVENTQ_CONS)) >> 31, 0u);  // no overflow
    if (repaired) s.map(va);
    EXPECT_FALSE(late.answered);
    EXPECT_EQ(s.bench.take_events().size(), entries);  // makes room
    s.bench.run();
    EXPECT_EQ(late.answered, repaired);
    EXPECT_EQ(s.bench.take_events().size(), repaired ? 0u : 1u);
  }
}

TEST_P(SpecStall, UnrecordedStallSeesInvalidations) {
  RecordProperty("rule", "SM-EVQ-008 SM-CS-007 SM-QU-008 SM-FA-020");
  StallBench s(GetParam());
  s.bench.enable(cr0::SMMUEN | cr0::CMDQEN);  // EVENTQEN = 0
  auto& sent = s.client.read(1, va);
  s.map(va);
  s.bench.memory.write64(s.bench.descriptor_at(SmmuBench::ttb0(s.context), va, 3), raw::page(target, raw::ng));  // AF=0
  s.bench.invalidate_all();
  EXPECT_FALSE(sent.answered);
  s.bench.enable(cr0::SMMUEN | cr0::CMDQEN | cr0::EVENTQEN);
  const raw::Record record = s.bench.take_event();
  EXPECT_EQ(record.get(Type), F_ACCESS);  // the new fault, not the old one
  EXPECT_EQ(record.get(Stall), 1u);
  EXPECT_FALSE(sent.answered);
}

TEST_P(SpecStall, UnrecordedStallMayTerminateUnderNewConfiguration) {
  RecordProperty("rule", "SM-EVQ-009");
  StallBench s(GetParam());
  s.bench.enable(cr0::SMMUEN | cr0::CMDQEN);
  auto& sent = s.client.read(1, va);
  s.bench.put_cd(1, s.context.with({{cd::S, 0}}));
  s.bench.invalidate_all();
  s.bench.enable(cr0::SMMUEN | cr0::CMDQEN | cr0::EVENTQEN);
  EXPECT_EQ(sent.response.outcome, Outcome::abort);
  EXPECT_EQ(s.bench.take_event().get(Stall), 0u);
}

TEST_P(SpecStall, StallTermEndsTheStreamsStalls) {
  RecordProperty("rule", "SM-FA-030 SM-FA-036");
  StallBench s(GetParam());
  s.bench.put_cd(2, s.bench.stage1_stream(2).with({{cd::S, 1}}));
  auto& one = s.client.read(1, va);
  auto& behind = s.client.read(1, va + 4);
  auto& two = s.client.write(1, va);
  auto& other = s.client.read(2, va);
  EXPECT_EQ(s.bench.take_events().size(), 3u);
  s.bench.put_ste(1, raw::Ste{}.with({{raw::ste::V, 1}}));  // Config=000
  s.bench.invalidate_all();
  s.command(raw::command(STALL_TERM, {{cmd::StreamID, 1}}));
  EXPECT_EQ(one.response.outcome, Outcome::abort);
  EXPECT_EQ(two.response.outcome, Outcome::abort);
  EXPECT_TRUE(behind.answered);
  EXPECT_EQ(behind.response.outcome, Outcome::abort);
  EXPECT_FALSE(other.answered);
  EXPECT_TRUE(s.bench.take_events().empty());
}

TEST_P(SpecStall, StallTermEndsUnrecordedOnes) {
  RecordProperty("rule", "SM-FA-030 SM-STL-003");
  StallBench s(GetParam());
  s.bench.enable(cr0::SMMUEN | cr0::CMDQEN);
  auto& sent = s.client.read(1, va);
  s.command(raw::command(STALL_TERM, {{cmd::StreamID, 2}}));
  EXPECT_FALSE(sent.answered);
  s.command(raw::command(STALL_TERM, {{cmd::StreamID, 1}}));
  EXPECT_EQ(sent.response.outcome, Outcome::abort);
  s.bench.enable(cr0::SMMUEN | cr0::CMDQEN | cr0::EVENTQEN);
  EXPECT_TRUE(s.bench.take_events().empty());
}

TEST_P(SpecStall, DisablingEndsEveryStall) {
  RecordProperty("rule", "SM-RU-012 SM-STL-003 SM-FA-013");
  StallBench s(GetParam(), stall_config(GetParam(), 2));
  auto& one = s.client.read(1, va);
  auto& two = s.client.read(1, va + 0x1000);
  auto& unrecorded = s.client.read(1, va + 0x2000);
  s.bench.enable(cr0::CMDQEN | cr0::EVENTQEN);
  for (auto* sent : {&one, &two, &unrecorded}) {
    EXPECT_TRUE(sent->answered);
    EXPECT_EQ(sent->response.outcome, Outcome::abort);
  }
  s.bench.take_events();
  s.bench.enable(cr0::SMMUEN | cr0::CMDQEN | cr0::EVENTQEN);
  s.client.read(1, va);
  s.client.read(1, va + 0x1000);
  EXPECT_EQ(s.bench.take_events().size(), 2u);  // both STAGs are free again
}

TEST_P(SpecStall, LostRecordKeepsItsTag) {
  RecordProperty("rule", "SM-STL-003 SM-EVQ-011");
  StallBench s(GetParam(), stall_config(GetParam(), 1));
  s.bench.memory.abort_at(SmmuBench::eventq, 0x1000);
  auto& lost = s.client.read(1, va);
  EXPECT_EQ(s.bench.active_errors(), gerror::EVENTQ_ABT_ERR);
  s.bench.memory.clear_aborts();
  s.bench.acknowledge_errors();
  EXPECT_FALSE(lost.answered);
  EXPECT_TRUE(s.bench.take_events().empty());
  auto& next = s.client.read(1, va + 0x1000);
  EXPECT_TRUE(s.bench.take_events().empty());  // the only STAG is not free
  s.command(raw::command(STALL_TERM, {{cmd::StreamID, 1}}));
  EXPECT_EQ(lost.response.outcome, Outcome::abort);
  EXPECT_EQ(next.response.outcome, Outcome::abort);
}

TEST_P(SpecStall, OthersPassAndSyncDoesNotWait) {
  RecordProperty("rule", "SM-FA-015 SM-CS-006");
  StallBench s(GetParam());
  s.client.read(1, va);
  s.map(va + 0x1000);
  EXPECT_EQ(s.client.read(1, va + 0x1000).response.outcome, Outcome::proceed);
  s.command(raw::command(cmd::TLBI_NSNH_ALL));
  s.command(raw::command(cmd::SYNC));
  EXPECT_TRUE(s.bench.all_consumed());
}

TEST_P(SpecStall, OtherFaultsNeverStall) {
  RecordProperty("rule", "SM-FA-002 SM-STL-001 SM-EVR-013");
  struct Row {
    std::uint64_t event;
    bool stalls;
    void (*spoil)(StallBench&);
  };
  using S = StallBench;
  for (const Row& row :
       {Row{F_TRANSLATION, true, [](S&) {}},
        Row{F_WALK_EABT, false, [](S& s) { s.bench.memory.abort_at(SmmuBench::ttb0(s.context), 0x1000); }},
        Row{C_BAD_CD, false,
            [](S& s) {
              s.bench.put_cd(1, s.context.with({{cd::V, 0}}));
            }},
        Row{F_CD_FETCH, false, [](S& s) { s.bench.memory.abort_at(SmmuBench::cd_address(1), 64); }},
        Row{C_BAD_STE, false, [](S& s) { s.bench.put_ste(1, raw::Ste{}); }},
        Row{F_STE_FETCH, false, [](S& s) { s.bench.memory.abort_at(SmmuBench::strtab, 0x1000); }}}) {
    SCOPED_TRACE(row.event);
    StallBench s(GetParam());
    row.spoil(s);
    const auto& sent = s.client.read(1, va);
    EXPECT_EQ(sent.answered, !row.stalls);
    if (sent.answered) {
      EXPECT_EQ(sent.response.outcome, Outcome::abort);
    }
    const raw::Record record = s.bench.take_event();
    EXPECT_EQ(record.get(Type), row.event);
    EXPECT_EQ(record.get(Stall), row.stalls);
  }
}

TEST_P(SpecStall, StallIgnoresRAndA) {
  RecordProperty("rule", "SM-FA-033");
  for (unsigned ar = 0; ar < 4; ++ar) {
    StallBench s(GetParam());
    s.bench.put_cd(1, s.context.with({{cd::A, ar & 1}, {cd::R, ar >> 1}}));
    EXPECT_FALSE(s.client.read(1, va).answered);
    EXPECT_EQ(s.bench.take_event().get(Stall), 1u);
  }
}

TEST_P(SpecStall, StalledAtomic) {
  RecordProperty("rule", "SM-STL-004 SM-EXT-012 SM-ATR-001");
  StallBench s(GetParam());
  const std::uint64_t ttb = SmmuBench::ttb0(s.context);
  s.bench.map(ttb, va, raw::page(target, raw::af | raw::ng | raw::ap_unprivileged | raw::ap_read_only));
  auto& sent = s.client.send(SmmuBench::transaction(1, va, AccessType::atomic));
  const raw::Record record = s.bench.take_event();
  EXPECT_EQ(record.get(Type), F_PERMISSION);
  EXPECT_EQ(record.get(RnW), 0u);  // the write is missing
  s.bench.map(ttb, va, raw::page(target));
  s.bench.invalidate_all();
  s.resume(1, record.get(STAG), true);
  EXPECT_EQ(sent.response.outcome, Outcome::proceed);
  EXPECT_TRUE(sent.response.write_allowed && sent.response.read_allowed);
}

struct ForcedRow {
  bool cd_s;
  bool legal;
};

TEST_P(SpecStall, ForcedModelNeedsS) {
  RecordProperty("rule", "SM-FA-006 SM-CD-012");
  for (const ForcedRow& row : {ForcedRow{false, false}, ForcedRow{true, true}}) {
    SmmuConfig config = stall_config(GetParam());
    config.features.stall_model = spec::StallModel::stall_forced;
    StallBench s(GetParam(), config);
    s.bench.put_cd(1, s.context.with({{cd::S, row.cd_s}}));
    s.client.read(1, va);
    EXPECT_EQ(s.bench.take_event().get(Type), row.legal ? F_TRANSLATION : C_BAD_CD);
  }
}

TEST_P(SpecStall, RetryAfterSmmuenHasBeenOffIsAnAbort) {
  RecordProperty("rule", "SM-RU-012");
  for (const bool recorded : {false, true}) {
    for (const bool again : {false, true}) {
      SCOPED_TRACE(testing::Message() << recorded << again);
      StallBench s(GetParam());
      if (!recorded) s.bench.enable(cr0::SMMUEN | cr0::CMDQEN);
      auto& sent = s.client.write(1, va);
      // Released for a retry, which has not begun when SMMUEN falls: nothing runs in between.
      if (recorded) {
        const std::uint64_t stag = s.take_stag();
        s.bench.push(raw::command(RESUME, {{cmd::StreamID, 1}, {cmd_STAG, stag}, {cmd_Ac, 1}}));
        s.bench.smmu.write_register(off::CMDQ_PROD, s.bench.prod, 4);
        while (!s.bench.all_consumed()) s.bench.engine.run_until(s.bench.engine.next_event());
      } else {
        s.bench.smmu.write_register(off::CR0, cr0::SMMUEN | cr0::CMDQEN | cr0::EVENTQEN, 4);
      }
      s.bench.smmu.write_register(off::CR0, cr0::CMDQEN | cr0::EVENTQEN, 4);
      if (again) s.bench.smmu.write_register(off::CR0, cr0::SMMUEN | cr0::CMDQEN | cr0::EVENTQEN, 4);
      s.bench.run();
      EXPECT_TRUE(sent.answered);
      EXPECT_EQ(sent.response.outcome, Outcome::abort);
    }
  }
}

TEST_P(SpecStall, AcknowledgedQueueErrorLetsUnrecordedOnesRetry) {
  RecordProperty("rule", "SM-EVQ-009 SM-FA-014");
  StallBench s(GetParam());
  s.bench.memory.abort_at(SmmuBench::eventq, 0x1000);
  s.client.read(1, va);  // its record is lost
  auto& waiting = s.client.read(1, va + 0x1000);
  s.bench.memory.clear_aborts();
  s.map(va + 0x1000);
  EXPECT_FALSE(waiting.answered);
  s.bench.acknowledge_errors();
  EXPECT_EQ(waiting.response.outcome, Outcome::proceed);
}

TEST_P(SpecStall, TermOfAnotherStreamFreesATag) {
  RecordProperty("rule", "SM-FA-030 SM-FA-014");
  StallBench s(GetParam(), stall_config(GetParam(), 1));
  s.bench.put_cd(2, s.bench.stage1_stream(2).with({{cd::S, 1}}));
  s.client.read(1, va);
  EXPECT_EQ(s.bench.take_events().size(), 1u);
  s.client.read(2, va);
  EXPECT_TRUE(s.bench.take_events().empty());
  s.command(raw::command(STALL_TERM, {{cmd::StreamID, 1}}));
  EXPECT_EQ(s.bench.take_event().get(StreamID), 2u);
}

TEST_P(SpecStall, WithoutAnyTagFaultsTerminate) {
  RecordProperty("rule", "SM-FA-035");
  StallBench s(GetParam(), stall_config(GetParam(), 0));
  EXPECT_EQ(s.client.read(1, va).response.outcome, Outcome::abort);
  EXPECT_EQ(s.bench.take_event().get(Stall), 0u);
}

TEST(SpecStallCommands, NeedTheStallModel) {
  RecordProperty("rule", "SM-FA-026");
  for (const std::uint64_t opcode : {RESUME, STALL_TERM}) {
    for (const bool stalls : {false, true}) {
      SmmuBench bench(stalls ? stall_config(false) : bench_config());
      bench.push(raw::command(opcode, {{cmd::StreamID, 1}}));
      bench.kick();
      EXPECT_EQ(bench.command_error(), stalls ? 0u : 1u);
    }
  }
}

TEST(SpecStallReset, ForgetsStalls) {
  RecordProperty("rule", "SM-PW-001");
  for (const bool timed : {false, true}) {
    StallBench s(timed, stall_config(timed, 1));
    auto& recorded = s.client.read(1, va);
    auto& behind = s.client.read(1, va);
    auto& unrecorded = s.client.read(1, va + 0x1000);
    s.bench.smmu.reset();
    s.bench.run();
    for (auto* sent : {&recorded, &behind, &unrecorded}) EXPECT_EQ(sent->response.outcome, Outcome::abort);
    EXPECT_TRUE(s.bench.smmu.idle());
    s.bench.set_up();
    s.bench.take_events();
    s.client.read(1, va);
    EXPECT_EQ(s.bench.take_events().size(), 1u);  // the only STAG is free
  }
}

}  // namespace
}  // namespace smmusim
