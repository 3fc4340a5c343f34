// SPDX-License-Identifier: MIT
// A device and a driver that do anything with ATS and PRI: every message has an architected answer, nothing hangs, and
// the machine works afterwards (issue: Bad input; IHI 0070 sections 3.9 and 8).
#include <gtest/gtest.h>

#include <random>

#include "tests/support/ats_bench.h"

namespace smmusim {
namespace {

namespace ste = raw::ste;
constexpr std::uint64_t dbm = std::uint64_t{1} << 51;
constexpr Time us = 1'000'000;

class AtsHostile {
 public:
  AtsHostile(const SmmuConfig& config, std::uint64_t seed, Time latency) : b(config, latency), random_(seed) {
    const bool marks = config.features.httu != spec::Httu::none;  // S2HD and S2HA, HD and HA
    b.edit_cd({{raw::cd::HD, marks}, {raw::cd::HA, marks}});
    b.edit_ste({{ste::S1CDMax, 1}, {ste::S1DSS, 2}, {raw::Bits{183, 183}, marks}, {raw::Bits{184, 184}, marks}});
    b.s1.map(AtsBench::va, AtsBench::ipa, raw::ap_unprivileged | raw::ng | (marks ? raw::ap_read_only | dbm : raw::af));
    b.bench.memory.store(Stage2Bench::cd_pa + 64, b.cd);
    sound_ = b.ste;
  }
  std::uint64_t number() { return random_(); }
  bool percent(unsigned chance) { return number() % 100 < chance; }

  std::uint64_t address() {
    constexpr std::uint64_t known[] = {AtsBench::va, AtsBench::ipa, AtsBench::pa, Stage2Bench::cd_ipa};
    if (percent(70)) return known[number() % 4] + (number() & 0xfff);
    return number() >> (number() % 64);
  }
  int pasid() { return percent(50) ? -1 : static_cast<int>(percent(80) ? number() % 3 : number() & 0xfffff); }

  void access() {
    Transaction t = SmmuBench::transaction(percent(90) ? 1 : static_cast<std::uint32_t>(number()), address(),
                                           static_cast<AccessType>(number() % 3));
    t.ats = static_cast<AtsType>(number() % 3);
    const int tag = pasid();
    t.substream_valid = tag >= 0;
    t.substream_id = SubstreamId(static_cast<std::uint32_t>(tag) & 0xfffff);
    t.no_write = percent(50);
    t.instruction = percent(50);
    t.privileged = percent(50);
    t.source_cxl = percent(50);
    t.stus = static_cast<std::uint8_t>(number());
    t.size = static_cast<std::uint32_t>(percent(90) ? 8 : number() & 0xffff);
    if (percent(5)) t.security = static_cast<SecurityState>(number() % 4);
    const Response response = b.bench.go(t);
    if (t.ats == AtsType::translation_request) {
      EXPECT_EQ(response.outcome, Outcome::ats_completion);
      EXPECT_FALSE(response.ats.global);
      EXPECT_TRUE(response.ats.status == AtsStatus::success || !(response.read_allowed || response.write_allowed));
      EXPECT_TRUE(response.read_allowed || !response.ats.execute) << "Exe implies R";
      EXPECT_EQ(response.address.value >> 48, 0u);
    } else {
      EXPECT_TRUE(response.outcome == Outcome::proceed || response.outcome == Outcome::abort ||
                  response.outcome == Outcome::raz_wi);
      EXPECT_TRUE(response.outcome != Outcome::proceed || response.address.value >> 48 == 0);
    }
  }
  void page() {
    PageRequest request;
    request.stream_id = StreamId(percent(80) ? 1 : static_cast<std::uint32_t>(number()));
    request.substream_valid = percent(50);
    request.substream_id = SubstreamId(static_cast<std::uint32_t>(number()));
    if (percent(5)) request.security = static_cast<SecurityState>(number() % 4);
    const std::uint64_t bits = number();
    request.privileged = (bits & 1) != 0;
    request.execute = (bits & 2) != 0;
    request.read = (bits & 4) != 0;
    request.write = (bits & 8) != 0;
    request.last = (bits & 16) != 0;
    request.group = static_cast<unsigned>(number());
    request.address = number();
    const std::size_t before = b.responses.size();
    b.page_request(request);
    EXPECT_LE(b.responses.size() - before, 1u);
  }
  void command() {
    raw::Command c = raw::command(percent(60) ? raw::ats::ATC_INV : raw::ats::PRI_RESP, {{raw::cmd::StreamID, 1}});
    for (int flips = static_cast<int>(number() % 5); flips > 0; --flips)
      c.dw[number() % 2] ^= 1ull << (8 + number() % 56);
    b.answers = percent(60);
    b.bench.push(c);
    b.bench.sync();
    recover();
  }
  /// As a driver does: skips what can't be consumed.
  void recover() {
    for (int turn = 0; turn < 8 && (b.bench.active_errors() & 1) != 0; ++turn) {
      b.bench.memory.store(SmmuBench::cmdq + 16ull * (b.bench.cons() & 0xff), raw::command(raw::cmd::SYNC));
      b.bench.acknowledge_errors();
    }
    EXPECT_EQ(b.bench.cons(), b.bench.prod);
  }
  void driver() {
    raw::Ste changed = sound_;
    if (percent(60)) changed.put(ste::EATS, number() % 4);
    if (percent(30)) changed.dw[number() % 4] ^= 1ull << (number() % 64);
    b.bench.put_ste(1, changed);
    if (percent(50)) b.bench.w32(off::PRIQ_CONS, static_cast<std::uint32_t>(number()));
    if (percent(50)) b.bench.w32(off::PRIQ_PROD, static_cast<std::uint32_t>(number()));
    if (percent(30)) b.set_cr2(static_cast<std::uint32_t>(number()));
    b.cr0(static_cast<std::uint32_t>(number() & 0x13) | cr0::CMDQEN | cr0::EVENTQEN);
    b.bench.smmu.atc_invalidation_completed(static_cast<std::uint32_t>(number()));
    b.bench.invalidate_all();
    recover();
    b.bench.take_events();
  }
  void expect_alive() {
    b.cr0(0);
    b.bench.acknowledge_errors();
    b.answers = true;
    b.bench.set_up();
    b.bench.w32(off::PRIQ_PROD, 0);
    b.bench.w32(off::PRIQ_CONS, 0);
    b.cr0(AtsBench::all_on);
    b.bench.put_ste(1, sound_.with({{ste::EATS, 1}}));
    b.bench.invalidate_all();
    EXPECT_TRUE(b.command({atc_inv(1)}));
    EXPECT_EQ(describe(b.request()), "success R W");
    b.page_request(ordinary_page_request());
    EXPECT_EQ(b.priq_prod(), 1u);
    EXPECT_TRUE(b.bench.smmu.idle());
  }
  void run(int rounds) {
    for (int i = 0; i < rounds; ++i) {
      const std::uint64_t what = number() % 10;
      if (what < 5) {
        access();
      } else if (what < 7) {
        page();
      } else if (what < 9) {
        command();
      } else {
        driver();
      }
    }
    expect_alive();
  }
  AtsBench b;

 private:
  std::mt19937_64 random_;
  raw::Ste sound_;
};

TEST(SpecAtsHostile, Untimed) {
  RecordProperty("rule", "SM-PC-031 SM-PC-036 SM-PRQ-008");
  AtsHostile plain(ats_config(), 31, 0);
  plain.run(4000);
  AtsHostile with_pasids(pasidtt_config(), 32, 0);
  with_pasids.run(4000);
  SmmuConfig marking = pasidtt_config();
  marking.features.httu = spec::Httu::access_dirty;
  AtsHostile with_flags(marking, 34, 0);
  with_flags.run(4000);
}

TEST(SpecAtsHostile, Timed) {
  RecordProperty("rule", "SM-PC-031 SM-PRQ-008");
  SmmuConfig config = timed(pasidtt_config());
  config.tcu.atc_inv_timeout_us = 2;
  AtsHostile h(config, 33, 30'000);
  h.run(1500);
}

/// A device that sends another message from within every response: the call returns, and time passes.
TEST(SpecAtsHostile, ARequestForEveryResponse) {
  RecordProperty("rule", "SM-PRQ-008 SM-PRQ-015");
  for (const bool is_timed : {false, true}) {
    for (const bool overflow : {false, true}) {
      SCOPED_TRACE(testing::Message() << is_timed << overflow);
      AtsBench b(is_timed ? timed(ats_config()) : ats_config());
      if (!overflow) b.cr0(AtsBench::all_on & ~cr0::PRIQEN);
      for (int i = 0; overflow && i < 4; ++i) b.page_request(ordinary_page_request());
      int answered = 0;
      b.bench.smmu.on_page_response([&b, &answered](const PageResponse&) {
        ++answered;
        EXPECT_TRUE(b.bench.smmu.page_request(ordinary_page_request()));
      });
      b.bench.smmu.page_request(ordinary_page_request());
      EXPECT_EQ(answered, is_timed ? 0 : 1);
      if (is_timed) {
        const Time cycle = us / b.bench.smmu.config().tcu.clock_mhz;
        b.bench.engine.run_until(b.bench.engine.now() + 100 * cycle);
        EXPECT_GE(answered, 99);
        EXPECT_LE(answered, 100);
        continue;
      }
      b.bench.w32(off::PRIQ_CONS, 2);  // each call from outside takes what came before it
      EXPECT_EQ(answered, 2);
      TranslationRequest access;
      access.transaction = SmmuBench::transaction(1, AtsBench::va);
      EXPECT_TRUE(b.bench.smmu.submit(0, access));
      EXPECT_EQ(answered, 3);
      b.page_request(ordinary_page_request());
      EXPECT_EQ(answered, 5) << "the one that waited and the new one";
    }
  }
}

TEST(SpecAtsHostile, WithoutReceivers) {
  RecordProperty("rule", "SM-PC-036");
  AtsBench b;
  b.bench.smmu.on_atc_invalidate(nullptr);
  b.bench.smmu.on_page_response(nullptr);
  for (int i = 0; i < 50; ++i) {
    b.page_request(ordinary_page_request());
    EXPECT_TRUE(b.command({atc_inv(1), raw::command(raw::ats::PRI_RESP, {{raw::cmd::Resp, 2}})}));
  }
  EXPECT_EQ(b.priq_prod(), 0x8000'0004u) << "one overflow";
  EXPECT_TRUE(b.responses.empty());
  EXPECT_TRUE(b.bench.smmu.idle());
}

TEST(SpecAtsHostile, MessagesThatWaitAreLimited) {
  RecordProperty("rule", "SM-PRQ-007");
  AtsBench b(timed(ats_config()), 30'000);
  int taken = 0;
  while (taken < 100'000 && b.bench.smmu.page_request(ordinary_page_request())) ++taken;
  EXPECT_EQ(taken, 1025) << "one is on its way";
  b.bench.run();
  EXPECT_EQ(b.responses.size(), 1025u - 4u) << "whoever was taken is answered or queued";
  EXPECT_TRUE(b.bench.smmu.page_request(ordinary_page_request()));
}

}  // namespace
}  // namespace smmusim
