// SPDX-License-Identifier: MIT
// Time changes nothing but time: a small mixed workload gives the same responses and event records untimed, timed, and
// timed with other latencies; and the same run twice gives the same picoseconds.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "tests/support/timing_bench.h"

namespace smmusim {
namespace {

constexpr std::uint64_t va = 0x12'3440'0000;
constexpr std::uint64_t outside_memory = va + 0x20'0000, own_registers = va + 0x40'0000, block = va + 0x60'0000;
constexpr std::uint64_t read_only = raw::af | raw::ng | raw::ap_unprivileged | raw::ap_read_only;
constexpr std::uint64_t privileged_only = raw::af | raw::ng;

void build_tables(TimingBench& bench) {
  for (const std::uint32_t sid : {1u, 2u}) {
    bench.stage1_stream(sid);
    for (unsigned n = 0; n < 8; ++n) {
      bench.map_page(sid, va + 0x1000ull * n, TimingBench::target + 0x10'0000ull * sid + 0x1000ull * n);
    }
    bench.map(sid, va + 0x8000, raw::page(TimingBench::target, read_only));
    bench.map(sid, va + 0x9000, raw::page(TimingBench::target, privileged_only));
    bench.map(sid, va + 0xa000, raw::page(TimingBench::target, raw::ng | raw::ap_unprivileged));  // AF = 0
    bench.map(sid, va + 0xb000, raw::page(std::uint64_t{1} << 47));
    bench.map(sid, outside_memory, 0x1000 | 3, 2);      // aborts after the memory's latency
    bench.map(sid, own_registers, 0x0905'0000 | 3, 2);  // aborts inside the SMMU
    bench.map(sid, block, raw::block(TimingBench::target), 2);
  }
  bench.put_ste(3, raw::Ste{}.with({{raw::ste::V, 1}, {raw::ste::Config, 4}, {raw::ste::SHCFG, 1}}));
  bench.put_ste(4, raw::Ste{}.with({{raw::ste::V, 1}, {raw::ste::Config, 0}}));
  bench.put_ste(6, raw::Ste{}.with({{raw::ste::V, 1}, {raw::ste::Config, 7}}));  // illegal without stage 2
}

/// The transactions of one round: every stream, every kind of page, and addresses out of range.
std::vector<Transaction> round_of(unsigned round) {
  std::vector<Transaction> all;
  for (unsigned n = 0; n < 13; ++n) {
    for (const std::uint32_t sid : {1u, 2u}) {
      const bool write = (n + round) % 3 == 0;
      Transaction t =
          SmmuBench::transaction(sid, va + 0x1000ull * n + 8 * round, write ? AccessType::write : AccessType::read);
      t.privileged = (n + sid) % 4 == 0;
      all.push_back(t);
    }
  }
  for (const std::uint64_t address : {outside_memory, own_registers, block + 0x12'3000}) {
    all.push_back(SmmuBench::transaction(2, address));
  }
  all.push_back(SmmuBench::transaction(3, 0x5555'0000));
  all.push_back(SmmuBench::transaction(4, 0x5555'0000));
  all.push_back(SmmuBench::transaction(6, 0x5555'0000));
  all.push_back(SmmuBench::transaction(9, 0x5555'0000));
  all.push_back(SmmuBench::transaction(0x1'0000, 0));
  all.push_back(SmmuBench::transaction(1, std::uint64_t{1} << 49));
  return all;
}

struct Result {
  std::vector<Response> responses;
  std::vector<std::array<std::uint64_t, 4>> events;  // sorted: their order is a matter of time
  std::vector<Time> times;                           // of answers, accesses, commands
};

Result run(const SmmuConfig& config, const LatencyPortConfig& port) {
  TimingBench bench(config, port);
  build_tables(bench);
  Result result;
  for (unsigned round = 0; round < 3; ++round) {
    for (const Transaction& t : round_of(round)) bench.send(t);
    bench.run();
    for (const raw::Record& record : bench.take_events()) result.events.push_back(record.dw);
    // Between rounds a mapping changes and is invalidated.
    bench.map_page(1, va + 0x1000ull * round, TimingBench::target + 0x70'0000);
    bench.issue(
        raw::command(raw::cmd::TLBI_NH_VA, {{raw::cmd::ASID, 1}, {raw::cmd::Address, (va + 0x1000ull * round) >> 12}}));
    bench.issue(raw::command(raw::cmd::SYNC));
    bench.run();
  }
  for (const auto& request : bench.sent) {
    result.responses.push_back(request.response);
    result.times.push_back(request.answered_at);
  }
  for (const SeenAccess& access : bench.recorder.accesses) result.times.push_back(access.done);
  for (const SeenCommand& command : bench.recorder.commands) result.times.push_back(command.when);
  std::sort(result.events.begin(), result.events.end());
  return result;
}

SmmuConfig untimed_config() {
  SmmuConfig config = TimingBench::prime_config();
  config.timed = false;
  return config;
}

LatencyPortConfig memory_of(Time latency, Time jitter, std::uint64_t seed) {
  LatencyPortConfig port;
  port.latency_ps = latency;
  port.jitter_ps = jitter;
  port.seed = seed;
  return port;
}

void expect_same_answers(const Result& a, const Result& b) {
  ASSERT_EQ(a.responses.size(), b.responses.size());
  for (std::size_t n = 0; n < a.responses.size(); ++n) {
    const Response& x = a.responses[n];
    const Response& y = b.responses[n];
    EXPECT_EQ(x.outcome, y.outcome) << "transaction " << n;
    EXPECT_EQ(x.address, y.address) << "transaction " << n;
    EXPECT_EQ(x.event, y.event) << "transaction " << n;
    EXPECT_EQ(x.attributes, y.attributes) << "transaction " << n;
    EXPECT_EQ(x.page_bits, y.page_bits) << "transaction " << n;
    EXPECT_EQ(x.read_allowed, y.read_allowed) << "transaction " << n;
    EXPECT_EQ(x.write_allowed, y.write_allowed) << "transaction " << n;
  }
  EXPECT_EQ(a.events, b.events);
}

TEST(Equivalence, WorkloadHasEveryKindOfAnswer) {
  const Result result = run(untimed_config(), {});
  std::vector<std::uint64_t> numbers;
  for (const auto& event : result.events) numbers.push_back(event[0] & 0xff);
  using namespace raw::ev;
  for (const std::uint64_t number : {C_BAD_STREAMID, C_BAD_STE, F_WALK_EABT, F_TRANSLATION, F_ACCESS, F_PERMISSION}) {
    EXPECT_NE(std::count(numbers.begin(), numbers.end(), number), 0) << "event " << number;
  }
  const auto proceed = std::count_if(result.responses.begin(), result.responses.end(),
                                     [](const Response& r) { return r.outcome == Outcome::proceed; });
  EXPECT_GT(proceed, 40);
}

TEST(Equivalence, TimedEqualsUntimedWhateverTheLatency) {
  const Result untimed = run(untimed_config(), {});
  for (const LatencyPortConfig& port :
       {memory_of(101'000, 0, 1), memory_of(1, 0, 1), memory_of(40'000, 90'000, 7), memory_of(40'000, 90'000, 8)}) {
    SCOPED_TRACE("latency " + std::to_string(port.latency_ps) + " ps, jitter seed " + std::to_string(port.seed));
    expect_same_answers(run(TimingBench::prime_config(), port), untimed);
  }
}

/// Few of everything: answers come in another order, but are the same.
SmmuConfig tight_config() {
  SmmuConfig config = TimingBench::prime_config();
  config.tbu.translation_slots = 3;
  config.tbu.micro_tlb = {2, 2, Replacement::random};
  config.tbu.stream_cache = {1, 1, Replacement::lru};
  config.tcu.tlb = {4, 2, Replacement::random};
  config.tcu.walk_cache = {2, 2, Replacement::random};
  config.tcu.config_cache = {2, 2, Replacement::random};
  config.tcu.walkers = 1;
  config.tcu.event_buffer = 1;
  return config;
}

TEST(Equivalence, SmallCachesAndFewSlotsChangeNoAnswer) {
  expect_same_answers(run(tight_config(), memory_of(40'000, 30'000, 3)), run(untimed_config(), {}));
}

TEST(Equivalence, NoCachesAtAllChangeNoAnswer) {
  SmmuConfig config = TimingBench::prime_config();
  config.tbu.micro_tlb.entries = config.tbu.stream_cache.entries = 0;
  config.tcu.tlb.entries = config.tcu.walk_cache.entries = config.tcu.config_cache.entries = 0;
  expect_same_answers(run(config, memory_of(40'000, 0, 1)), run(untimed_config(), {}));
}

TEST(Determinism, SameSeedsGiveTheSamePicoseconds) {
  const Result first = run(tight_config(), memory_of(40'000, 30'000, 3));
  const Result second = run(tight_config(), memory_of(40'000, 30'000, 3));
  EXPECT_EQ(first.times, second.times);
  EXPECT_EQ(first.events, second.events);
}

TEST(Determinism, OtherSeedsGiveOtherPicoseconds) {
  EXPECT_NE(run(tight_config(), memory_of(40'000, 30'000, 3)).times,
            run(tight_config(), memory_of(40'000, 30'000, 4)).times);
  SmmuConfig config = tight_config();
  config.seed = 99;  // of random replacement
  EXPECT_NE(run(config, memory_of(40'000, 0, 1)).times, run(tight_config(), memory_of(40'000, 0, 1)).times);
}

}  // namespace
}  // namespace smmusim
