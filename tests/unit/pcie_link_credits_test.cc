// SPDX-License-Identifier: MIT
// Credits, and what goes over the lanes beside TLPs: Acks, UpdateFCs, SKP ordered sets; when, how often, and what that
// does to TLPs.
#include <gtest/gtest.h>

#include "tests/unit/pcie_link_fixture.h"

namespace smmusim::platform {
namespace {

constexpr unsigned dllp_bytes = 8;
constexpr unsigned read_bytes = 24;  // an MRd on the wire

TlpLinkConfig gen3_x8() {
  TlpLinkConfig config;
  config.lanes = 8;
  return config;
}

TlpLinkConfig credits(unsigned headers, unsigned data, TlpLinkConfig config = gen3_x8()) {
  config.upstream_receiver.headers = {headers, headers, headers};
  config.upstream_receiver.data = {data, data, data};
  return config;
}

/// Sends `count` TLPs: as many as there is room for, then the rest at each refill().
class Stream {
 public:
  Stream(LinkedPorts& m, TlpLink::End from, TlpType type, unsigned bytes, unsigned count)
      : m_(m), from_(from), type_(type), bytes_(bytes), left_(count) {
    refill();
  }
  void refill() {
    Tlp probe;
    probe.type = type_;
    while (left_ != 0 && m_.link.room(from_, probe.flow_class())) {
      m_.link.send(from_, m_.tlp(type_, left_--, bytes_));
    }
  }

 private:
  LinkedPorts& m_;
  TlpLink::End from_;
  TlpType type_;
  unsigned bytes_;
  unsigned left_;
};

TEST(LinkCredits, TheSenderStopsAtTheLastHeader) {
  LinkedPorts m(credits(3, 0));
  m.root.keeps = true;
  for (unsigned i = 0; i != 5; ++i) m.link.send(TlpLink::downstream, m.tlp(TlpType::MRd, i));
  m.engine.run();
  EXPECT_EQ(m.root.tags(), "0 1 2");
  EXPECT_FALSE(m.link.idle());
}

TEST(LinkCredits, TheSenderStopsWhenDataDoNotFit) {
  LinkedPorts m(credits(0, 20));  // of 16 bytes
  m.root.keeps = true;
  m.link.send(TlpLink::downstream, m.tlp(TlpType::MWr, 0, 256));  // 16
  m.link.send(TlpLink::downstream, m.tlp(TlpType::MWr, 1, 52));   // 4, the last one in part
  m.link.send(TlpLink::downstream, m.tlp(TlpType::MWr, 2, 4));    // 1
  m.engine.run();
  EXPECT_EQ(m.root.tags(), "0 1");
}

TEST(LinkCredits, ClassesHaveTheirOwn) {
  LinkedPorts m(credits(1, 0));
  m.root.keeps = true;
  for (const TlpType type : {TlpType::MWr, TlpType::MRd, TlpType::Cpl}) m.link.send(TlpLink::downstream, m.tlp(type));
  m.engine.run();
  EXPECT_EQ(m.root.arrivals.size(), 3U);
}

TEST(LinkCredits, AStarvedSenderGoesOnWhenTheUpdateHasCome) {
  LinkedPorts m(credits(1, 0));
  constexpr Time freed_at = 500'000;
  m.root.keeps = true;
  m.at(freed_at, [&] { m.link.release(TlpLink::upstream, *m.root.kept.at(0)); });
  for (unsigned i = 0; i != 2; ++i) m.link.send(TlpLink::downstream, m.tlp(TlpType::MRd, i));
  m.engine.run();
  ASSERT_EQ(m.root.tags(), "0 1");
  const Time propagation = m.link.config().propagation_ps;
  const Time update_comes = freed_at + m.link.serialisation(dllp_bytes) + propagation;
  EXPECT_EQ(m.root.arrivals[1].at, update_comes + m.link.serialisation(read_bytes) + propagation);
  EXPECT_EQ(m.link.counters(TlpLink::downstream).credit_starved, update_comes - m.link.serialisation(read_bytes));
}

TEST(LinkCredits, AnUpdateWaitsForTheTlpOnItsLanes) {
  LinkedPorts m(credits(1, 0));
  constexpr Time freed_at = 500'000;
  m.root.keeps = true;
  m.at(freed_at - 1'000, [&] { m.link.send(TlpLink::upstream, m.tlp(TlpType::MWr, 0, 256)); });
  m.at(freed_at, [&] { m.link.release(TlpLink::upstream, *m.root.kept.at(0)); });
  for (unsigned i = 0; i != 2; ++i) m.link.send(TlpLink::downstream, m.tlp(TlpType::MRd, i));
  m.engine.run();
  ASSERT_EQ(m.root.tags(), "0 1");
  const Time propagation = m.link.config().propagation_ps;
  const Time lanes_free = freed_at - 1'000 + m.link.serialisation(24 + 256 + dllp_bytes);
  EXPECT_EQ(m.root.arrivals[1].at, lanes_free + propagation + m.link.serialisation(read_bytes) + propagation);
}

TEST(LinkCredits, ASenderWithPlentyHearsOfThemAtTheUsualSpacing) {
  LinkedPorts m(credits(64, 0));
  m.link.send(TlpLink::downstream, m.tlp(TlpType::MRd));
  m.engine.run();
  const Time arrived = m.engine.now();
  const Time spacing = m.link.serialisation(ack_limit_symbols(3, 8, 256));
  m.engine.run_until(arrived + spacing - 1);
  EXPECT_EQ(m.link.counters(TlpLink::upstream).dllps, 0U);
  m.engine.run_until(arrived + spacing);
  EXPECT_EQ(m.link.counters(TlpLink::upstream).dllps, 2U);  // an Ack and an UpdateFC
}

TEST(LinkCredits, ASenderWithLessThanHalfHearsOfThemAtOnce) {
  LinkedPorts m(credits(3, 0));
  m.link.send(TlpLink::downstream, m.tlp(TlpType::MRd, 0));
  m.link.send(TlpLink::downstream, m.tlp(TlpType::MRd, 1));
  m.engine.run();
  EXPECT_EQ(m.link.counters(TlpLink::upstream).dllps, 1U);
}

TEST(LinkCredits, ASenderWithLessThanATlpMayNeedHearsOfThemAtOnce) {
  LinkedPorts m(credits(0, 24));  // of which the largest TLP needs 16
  m.link.send(TlpLink::downstream, m.tlp(TlpType::MWr, 0, 12 * 16));
  m.engine.run();
  EXPECT_EQ(m.link.counters(TlpLink::upstream).dllps, 1U);
}

/// The first to be told is a class that has news, even if the sender has less of another.
TEST(LinkCredits, AnUpdateIsForAClassThatHasNews) {
  LinkedPorts m(credits(4, 0));
  m.root.keeps = true;
  m.link.send(TlpLink::downstream, m.tlp(TlpType::MWr, 0));
  m.link.send(TlpLink::downstream, m.tlp(TlpType::MWr, 1));
  m.link.send(TlpLink::downstream, m.tlp(TlpType::MRd, 2));
  m.engine.run();
  m.link.release(TlpLink::upstream, *m.root.kept.at(2));
  m.engine.run_until(m.engine.now() + 3 * m.link.serialisation(ack_limit_symbols(3, 8, 256)));
  for (unsigned i = 3; i != 7; ++i) m.link.send(TlpLink::downstream, m.tlp(TlpType::MRd, i));
  m.engine.run_until(m.engine.now() + 1'000'000);
  ASSERT_EQ(m.root.tags(), "0 1 2 3 4 5 6");
  EXPECT_LE(m.root.arrivals[6].at - m.root.arrivals[5].at, m.link.serialisation(read_bytes));  // it did not wait
}

/// The sender waits for an update at the usual spacing, of a class that it does not need; then one that it needs gets
/// due earlier, while the lanes are busy.
TEST(LinkCredits, AnEarlierUpdateOvertakesTheOneThatWasWaitedFor) {
  TlpLinkConfig config = credits(64, 0);
  config.upstream_receiver.headers[0] = 1;
  LinkedPorts m(config);
  constexpr Time busy_from = 14'000, freed_at = 15'000;
  m.root.then = [&](Tlp& tlp) { m.root.keeps = tlp.type == TlpType::MRd; };  // not the read, but the write after it
  m.at(busy_from, [&] { m.link.send(TlpLink::upstream, m.tlp(TlpType::MWr, 0, 64)); });
  m.at(freed_at, [&] { m.link.release(TlpLink::upstream, *m.root.kept.at(0)); });
  m.link.send(TlpLink::downstream, m.tlp(TlpType::MRd, 0));
  for (unsigned i = 1; i != 3; ++i) m.link.send(TlpLink::downstream, m.tlp(TlpType::MWr, i, 4));
  m.engine.run();
  ASSERT_EQ(m.root.tags(), "0 1 2");
  const Time propagation = m.link.config().propagation_ps;
  const Time update_comes = busy_from + m.link.serialisation(24 + 64 + dllp_bytes) + propagation;
  ASSERT_LT(update_comes, m.root.arrivals[0].at + m.link.serialisation(ack_limit_symbols(3, 8, 256)));
  EXPECT_EQ(m.root.arrivals[2].at, update_comes + m.link.serialisation(24 + 4) + propagation);
}

TEST(LinkCredits, WhatWasReleasedLateStillReturns) {
  LinkedPorts m(credits(64, 0));
  m.root.keeps = true;
  for (unsigned i = 0; i != 16; ++i) m.link.send(TlpLink::downstream, m.tlp(TlpType::MRd, i));
  m.engine.run();
  for (const Tlp* tlp : m.root.kept) m.link.release(TlpLink::upstream, *tlp);
  m.root.kept.clear();
  m.root.keeps = true;
  m.engine.run_until(1'000'000);
  for (unsigned round = 0; round != 4; ++round) {  // 64 more, with none released
    for (unsigned i = 0; i != 16; ++i) m.link.send(TlpLink::downstream, m.tlp(TlpType::MRd, i));
    m.engine.run();
  }
  EXPECT_EQ(m.root.arrivals.size(), 80U);
}

TEST(LinkCredits, TheReceiverNeverHoldsMoreThanItAdvertised) {
  LinkedPorts m(credits(5, 40));
  std::uint64_t headers = 0, units = 0, headers_most = 0, units_most = 0;
  m.root.keeps = true;
  m.root.then = [&](Tlp& tlp) {
    headers_most = std::max(headers_most, ++headers);
    units_most = std::max(units_most, units += tlp.length_dw / 4);
    m.at(m.engine.now() + 90'000 + 7'000 * (tlp.tag % 5), [&] {
      --headers;
      units -= tlp.length_dw / 4;
      m.link.release(TlpLink::upstream, tlp);
    });
  };
  constexpr unsigned rounds = 30;
  for (unsigned round = 0; round != rounds; ++round) {
    for (unsigned i = 0; i != 10; ++i) m.link.send(TlpLink::downstream, m.tlp(TlpType::MWr, i, 16 + 48 * (i % 6)));
    m.engine.run();
  }
  EXPECT_EQ(m.root.arrivals.size(), rounds * 10U);
  EXPECT_EQ(headers_most, 5U);
  EXPECT_LE(units_most, 40U);
}

TEST(LinkDllps, InfiniteCreditsNeedNoUpdates) {
  LinkedPorts m(credits(0, 0));
  m.link.send(TlpLink::downstream, m.tlp(TlpType::MRd));
  m.engine.run();
  m.engine.run_until(1'000'000);
  EXPECT_EQ(m.link.counters(TlpLink::upstream).dllps, 1U);  // the Ack
}

TEST(LinkDllps, AcksStopWhenNothingComesIn) {
  LinkedPorts m(credits(0, 0));
  for (const Time when : {0U, 10'000'000U}) m.at(when, [&] { m.link.send(TlpLink::downstream, m.tlp(TlpType::MRd)); });
  m.engine.run();
  m.engine.run_until(20'000'000);
  EXPECT_EQ(m.link.counters(TlpLink::upstream).dllps, 2U);
}

TEST(LinkDllps, TheirSpacingIsConstantWhileTlpsComeIn) {
  for (const DllpSpacing spacing : {DllpSpacing::observed, DllpSpacing::latest}) {
    TlpLinkConfig config = credits(0, 0);
    config.dllp_spacing = spacing;
    LinkedPorts m(config);
    constexpr unsigned tlps = 400;
    Stream stream(m, TlpLink::downstream, TlpType::MWr, 256, tlps);
    m.root.then = [&](Tlp&) { stream.refill(); };
    m.engine.run();
    const Time apart =
        m.link.serialisation(std::uint64_t{ack_limit_symbols(3, 8, 256)} * (spacing == DllpSpacing::latest ? 8 : 1));
    const double expected = static_cast<double>(m.engine.now()) / static_cast<double>(apart);
    EXPECT_NEAR(static_cast<double>(m.link.counters(TlpLink::upstream).dllps), expected, 3.0);
  }
}

/// A TLP of this direction that begins while DLLPs are due begins after them; one on the lanes is not cut.
TEST(LinkDllps, GoBetweenTlps) {
  LinkedPorts m(credits(64, 0));
  const Time due = m.link.serialisation(read_bytes) + m.link.config().propagation_ps +
                   m.link.serialisation(ack_limit_symbols(3, 8, 256));
  std::vector<Time> begins;
  m.link.on_tlp = [&](Time sent, const Tlp&, TlpLink::End from) {
    if (from == TlpLink::upstream) begins.push_back(sent);
  };
  m.link.send(TlpLink::downstream, m.tlp(TlpType::MRd));
  m.at(due - 1'000, [&] {
    for (unsigned i = 0; i != 2; ++i) m.link.send(TlpLink::upstream, m.tlp(TlpType::MWr, i, 256));
  });
  m.engine.run();
  ASSERT_EQ(begins.size(), 2U);
  EXPECT_EQ(begins[0], due - 1'000);
  EXPECT_EQ(begins[1], due - 1'000 + m.link.serialisation(280 + 2 * dllp_bytes));
}

/// Also where a TLP is longer than what lies between two of them.
TEST(LinkDllps, SkipOrderedSetsTakeTheirShare) {
  for (const auto& [lanes, mps_bytes] : {std::pair(8U, 256U), std::pair(1U, 4096U)}) {
    TlpLinkConfig config = credits(0, 0);
    config.lanes = lanes;
    config.mps_bytes = mps_bytes;
    LinkedPorts m(config);
    constexpr unsigned tlps = 2'000;
    Stream stream(m, TlpLink::downstream, TlpType::MWr, mps_bytes, tlps);
    m.root.then = [&](Tlp&) { stream.refill(); };
    m.engine.run();
    const Time bytes = m.link.serialisation((24 + mps_bytes) * tlps);
    const Time skip = m.link.serialisation(4 * lanes);
    const double skips =
        static_cast<double>(m.engine.now() - config.propagation_ps - bytes) / static_cast<double>(skip);
    const double tlps_between = 1538.0 * lanes / (24 + mps_bytes);
    EXPECT_NEAR(skips, tlps / tlps_between, 0.005 * tlps) << lanes << " lanes";
    EXPECT_EQ(m.link.counters(TlpLink::downstream).busy, bytes);
  }
}

TEST(LinkDllps, ATlpWaitsForTheSkipOrderedSetOnIdleLanes) {
  LinkedPorts m(gen3_x8());
  m.at(m.link.serialisation(1538 * 8) + 1, [&] { m.link.send(TlpLink::downstream, m.tlp(TlpType::MRd)); });
  m.engine.run();
  EXPECT_EQ(m.root.arrivals.at(0).at,
            m.link.serialisation((1538 + 4) * 8 + read_bytes) + m.link.config().propagation_ps);
}

TEST(LinkDllps, ALongRestCostsNothing) {
  LinkedPorts m(gen3_x8());
  constexpr Time second = 1'000'000'000'000;
  m.at(5 * second, [&] { m.link.send(TlpLink::downstream, m.tlp(TlpType::MRd)); });
  m.engine.run();
  const Time alone = m.link.serialisation(read_bytes) + m.link.config().propagation_ps;
  const Time skip = m.link.serialisation(4 * 8);
  EXPECT_GE(m.root.arrivals.at(0).at, 5 * second + alone);
  EXPECT_LE(m.root.arrivals.at(0).at, 5 * second + alone + skip);
}

TEST(LinkEvents, AtMostTwoForATlpUnderLoad) {
  LinkedPorts m(gen3_x8());
  constexpr unsigned tlps = 1'000;
  Stream up(m, TlpLink::downstream, TlpType::MWr, 64, tlps), down(m, TlpLink::upstream, TlpType::MWr, 64, tlps);
  m.root.then = [&](Tlp&) { up.refill(); };
  m.device.then = [&](Tlp&) { down.refill(); };
  m.engine.run();
  ASSERT_EQ(m.root.arrivals.size() + m.device.arrivals.size(), 2 * tlps);
  CallLater last([] {});
  m.engine.post(last);
  EXPECT_LE(last.order, 2U * 2 * tlps);  // everything that was ever scheduled
  m.engine.run();
}

}  // namespace
}  // namespace smmusim::platform
