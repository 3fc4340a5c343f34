// SPDX-License-Identifier: MIT
// TlpLink: when a TLP arrives, who passes whom, queues and their room, configurations that are refused. Credits and
// DLLPs have a file of their own.
#include <gtest/gtest.h>

#include <stdexcept>

#include "model/base/check.h"
#include "tests/unit/pcie_link_fixture.h"

namespace smmusim::platform {
namespace {

constexpr unsigned cached = 8;  // TLPs in a test: fewer than any queue or credit of the default

TlpLinkConfig gen3_x8() {
  TlpLinkConfig config;
  config.lanes = 8;
  return config;
}

TlpLinkConfig untimed() {
  TlpLinkConfig config;
  config.timed = false;
  return config;
}

TEST(TlpLink, ALoneTlpTakesItsBytesAndThePropagation) {
  struct Row {
    TlpType type;
    unsigned bytes;       ///< of payload
    unsigned wire_bytes;  ///< with a 64-bit address, or of a completion
  };
  constexpr Row rows[] = {
      {TlpType::MWr, 64, 24 + 64}, {TlpType::MRd, 512, 24}, {TlpType::CplD, 64, 20 + 64}, {TlpType::Cpl, 4, 20}};
  for (const Row& row : rows) {
    LinkedPorts m(gen3_x8());
    m.link.send(TlpLink::downstream, m.tlp(row.type, 0, row.bytes));
    m.engine.run();
    ASSERT_EQ(m.root.arrivals.size(), 1U);
    EXPECT_EQ(m.root.arrivals[0].at, m.link.serialisation(row.wire_bytes) + m.link.config().propagation_ps)
        << name_of(row.type);
  }
}

TEST(TlpLink, EcrcAndPrefixTakeFourBytesEach) {
  TlpLinkConfig config = gen3_x8();
  config.ecrc = true;
  LinkedPorts m(config);
  Tlp& tlp = m.tlp(TlpType::MRd);
  tlp.pasid.present = true;
  m.link.send(TlpLink::downstream, tlp);
  m.engine.run();
  EXPECT_EQ(m.link.counters(TlpLink::downstream).tlp_bytes, 24U + 4 + 4);
}

TEST(TlpLink, TlpsFollowEachOtherWithoutGaps) {
  LinkedPorts m(gen3_x8());
  for (unsigned i = 0; i != cached; ++i) m.link.send(TlpLink::upstream, m.tlp(TlpType::MWr, i, 64));
  m.engine.run();
  ASSERT_EQ(m.device.arrivals.size(), cached);
  for (unsigned i = 0; i != cached; ++i) {
    EXPECT_EQ(m.device.arrivals[i].at, m.link.serialisation(88 * (i + 1)) + m.link.config().propagation_ps);
  }
}

TEST(TlpLink, DirectionsDoNotWaitForEachOther) {
  LinkedPorts m(gen3_x8());
  m.link.send(TlpLink::upstream, m.tlp(TlpType::MWr, 0, 256));
  m.link.send(TlpLink::downstream, m.tlp(TlpType::MWr, 0, 256));
  m.engine.run();
  EXPECT_EQ(m.device.arrivals.at(0).at, m.root.arrivals.at(0).at);
}

TEST(TlpLink, NothingArrivesInsideSend) {
  for (const TlpLinkConfig& config : {gen3_x8(), untimed()}) {
    LinkedPorts m(config);
    m.link.send(TlpLink::downstream, m.tlp(TlpType::MWr));
    EXPECT_TRUE(m.root.arrivals.empty());
    EXPECT_FALSE(m.link.idle());
    m.engine.run();
    EXPECT_EQ(m.root.arrivals.size(), 1U);
    EXPECT_TRUE(m.link.idle());
  }
}

TEST(TlpLink, UntimedEverythingArrivesAtOnceAndInOrder) {
  LinkedPorts m(untimed());
  for (unsigned i = 0; i != cached; ++i) m.link.send(TlpLink::downstream, m.tlp(TlpType::MWr, i, 256));
  m.engine.run();
  EXPECT_EQ(m.root.tags(), "0 1 2 3 4 5 6 7");
  EXPECT_EQ(m.engine.now(), 0U);
  EXPECT_EQ(m.link.counters(TlpLink::upstream).dllps, 0U);
}

TEST(TlpLink, AnAnswerMayBeSentFromTheArrival) {
  for (const TlpLinkConfig& config : {gen3_x8(), untimed()}) {
    LinkedPorts m(config);
    Tlp& answer = m.tlp(TlpType::CplD, 5, 64);
    m.root.then = [&](Tlp&) { m.link.send(TlpLink::upstream, answer); };
    m.link.send(TlpLink::downstream, m.tlp(TlpType::MRd));
    m.engine.run();
    EXPECT_EQ(m.device.tags(), "5");
  }
}

TEST(TlpLink, TheHookHearsOfEveryTlpBeforeThePort) {
  LinkedPorts m(gen3_x8());
  constexpr Time later = 70'000;
  Tlp& tlp = m.tlp(TlpType::MWr, 3, 64);
  unsigned calls = 0;
  m.link.on_tlp = [&](Time sent, const Tlp& seen, TlpLink::End from) {
    ++calls;
    EXPECT_EQ(sent, later);
    EXPECT_EQ(&seen, &tlp);
    EXPECT_EQ(from, TlpLink::downstream);
    EXPECT_TRUE(m.root.arrivals.empty());
    EXPECT_EQ(m.engine.now(), later + m.link.serialisation(88) + m.link.config().propagation_ps);
  };
  m.at(later, [&] { m.link.send(TlpLink::downstream, tlp); });
  m.engine.run();
  EXPECT_EQ(calls, 1U);
}

TEST(TlpLink, CountersOfADirection) {
  LinkedPorts m(gen3_x8());
  m.link.send(TlpLink::downstream, m.tlp(TlpType::MWr, 0, 64));
  m.link.send(TlpLink::downstream, m.tlp(TlpType::MRd, 0, 64));
  m.engine.run();
  const TlpLinkCounters counters = m.link.counters(TlpLink::downstream);
  EXPECT_EQ(counters.tlps, 2U);
  EXPECT_EQ(counters.tlp_bytes, 88U + 24U);
  EXPECT_EQ(counters.payload_bytes, 64U);
  EXPECT_EQ(counters.busy, m.link.serialisation(88 + 24));
  EXPECT_EQ(m.link.counters(TlpLink::upstream).tlps, 0U);
}

// --- Ordering (table 2-40) -----------------------------------------------------------------------------------------

/// A queue whose class `out_of` has no credits left: one header, and tag 0 holds it in the receiver's buffer.
LinkedPorts& starve(LinkedPorts& m, TlpType out_of) {
  m.root.keeps = true;
  m.link.send(TlpLink::downstream, m.tlp(out_of, 0));
  return m;
}

TlpLinkConfig one_header(FlowClass of, TlpLinkConfig config) {
  config.upstream_receiver.headers[static_cast<std::size_t>(of)] = 1;
  return config;
}

class Ordering : public testing::TestWithParam<bool> {
 protected:
  TlpLinkConfig base() const { return GetParam() ? gen3_x8() : untimed(); }
};
INSTANTIATE_TEST_SUITE_P(TimedAndUntimed, Ordering, testing::Bool());

TEST_P(Ordering, PostedPassesNonPostedAndCompletionsThatHaveNoCredits) {
  for (const TlpType blocked : {TlpType::MRd, TlpType::Cpl}) {
    const FlowClass flow_class = blocked == TlpType::MRd ? FlowClass::non_posted : FlowClass::completion;
    LinkedPorts m(one_header(flow_class, base()));
    starve(m, blocked);
    m.link.send(TlpLink::downstream, m.tlp(blocked, 1));
    m.link.send(TlpLink::downstream, m.tlp(TlpType::MWr, 2));
    m.link.send(TlpLink::downstream, m.tlp(TlpType::Msg, 3));
    m.engine.run();
    EXPECT_EQ(m.root.tags(), "0 2 3") << name_of(blocked);
    m.link.release(TlpLink::upstream, *m.root.kept[0]);
    m.engine.run();
    EXPECT_EQ(m.root.tags(), "0 2 3 1") << name_of(blocked);
  }
}

TEST_P(Ordering, CompletionsAndNonPostedPassEachOther) {
  struct Row {
    TlpType blocked, passes;
    FlowClass flow_class;
  };
  for (const Row& row : {Row{TlpType::MRd, TlpType::CplD, FlowClass::non_posted},
                         Row{TlpType::Cpl, TlpType::MRd, FlowClass::completion}}) {
    LinkedPorts m(one_header(row.flow_class, base()));
    starve(m, row.blocked);
    m.link.send(TlpLink::downstream, m.tlp(row.blocked, 1));
    m.link.send(TlpLink::downstream, m.tlp(row.passes, 2));
    m.engine.run();
    EXPECT_EQ(m.root.tags(), "0 2") << name_of(row.passes);
  }
}

struct PassingRow {
  TlpType type;
  bool relaxed, by_id;
  std::uint16_t sender;  ///< the posted ones are of 0x0100 and 0x0200
  bool passes;
};

TEST_P(Ordering, WhatMayPassPostedThatHasNoCredits) {
  constexpr PassingRow rows[] = {
      {TlpType::MRd, false, false, 0x0300, false},  {TlpType::MRd, true, false, 0x0300, false},
      {TlpType::MRd, false, true, 0x0300, true},    {TlpType::MRd, false, true, 0x0100, false},
      {TlpType::MRd, false, true, 0x0200, false},   {TlpType::CplD, false, false, 0x0300, false},
      {TlpType::CplD, true, false, 0x0100, true},   {TlpType::CplD, false, true, 0x0300, true},
      {TlpType::CplD, false, true, 0x0200, false},  {TlpType::CfgWr0, false, false, 0x0300, false},
      {TlpType::Swap, false, false, 0x0300, false},
  };
  for (const PassingRow& row : rows) {
    SCOPED_TRACE(testing::Message() << name_of(row.type) << " RO " << row.relaxed << " IDO " << row.by_id << " sender "
                                    << std::hex << row.sender);
    LinkedPorts m(one_header(FlowClass::posted, base()));
    starve(m, TlpType::MWr);
    Tlp& first = m.tlp(TlpType::MWr, 1);
    Tlp& second = m.tlp(TlpType::MWr, 2);
    Tlp& third = m.tlp(row.type, 3);
    first.requester_id = 0x0100;
    second.requester_id = 0x0200;
    third.relaxed_ordering = row.relaxed;
    third.id_ordering = row.by_id;
    (third.is_completion() ? third.completer_id : third.requester_id) = row.sender;
    for (Tlp* tlp : {&first, &second, &third}) m.link.send(TlpLink::downstream, *tlp);
    m.engine.run();
    EXPECT_EQ(m.root.tags(), row.passes ? "0 3" : "0");
    m.root.keeps = false;
    m.link.release(TlpLink::upstream, *m.root.kept[0]);
    m.engine.run();
    ASSERT_EQ(m.root.arrivals.size(), 4U);
    EXPECT_EQ(std::erase_if(m.root.arrivals, [&](const auto& arrival) { return arrival.tlp == &third; }), 1U);
    EXPECT_EQ(m.root.tags(), "0 1 2");
  }
}

TEST_P(Ordering, PostedThatCameLaterDoesNotCount) {
  LinkedPorts m(one_header(FlowClass::posted, base()));
  starve(m, TlpType::MWr);
  Tlp& earlier = m.tlp(TlpType::MWr, 1);
  Tlp& read = m.tlp(TlpType::MRd, 2);
  Tlp& later = m.tlp(TlpType::MWr, 3);
  earlier.requester_id = 0x0100;
  read.requester_id = later.requester_id = 0x0200;
  read.id_ordering = true;
  for (Tlp* tlp : {&earlier, &read, &later}) m.link.send(TlpLink::downstream, *tlp);
  m.engine.run();
  EXPECT_EQ(m.root.tags(), "0 2");
}

TEST_P(Ordering, WithCredits_TheOldestGoesFirst) {
  LinkedPorts m(base());
  const TlpType types[] = {TlpType::MRd, TlpType::MWr, TlpType::CplD, TlpType::MWr, TlpType::MRd, TlpType::Msg};
  unsigned tag = 0;
  for (const TlpType type : types) {
    Tlp& tlp = m.tlp(type, tag++);
    tlp.relaxed_ordering = true;
    m.link.send(TlpLink::downstream, tlp);
  }
  m.engine.run();
  EXPECT_EQ(m.root.tags(), "0 1 2 3 4 5");
}

TEST_P(Ordering, ALaterPostedDoesNotHoldBackWhatCameBefore) {
  LinkedPorts m(one_header(FlowClass::posted, base()));
  starve(m, TlpType::MWr);
  m.link.send(TlpLink::downstream, m.tlp(TlpType::MRd, 1));
  m.link.send(TlpLink::downstream, m.tlp(TlpType::MWr, 2));
  m.engine.run();
  EXPECT_EQ(m.root.tags(), "0 1");
}

// --- Room ----------------------------------------------------------------------------------------------------------

TEST(TlpLinkRoom, EveryClassHasItsQueue) {
  TlpLinkConfig config = gen3_x8();
  config.transmit_queue = 2;
  LinkedPorts m(config);
  for (unsigned i = 0; i != 3; ++i) {  // the first is on the lanes, two wait
    ASSERT_TRUE(m.link.room(TlpLink::downstream, FlowClass::posted));
    m.link.send(TlpLink::downstream, m.tlp(TlpType::MWr, i));
  }
  EXPECT_FALSE(m.link.room(TlpLink::downstream, FlowClass::posted));
  EXPECT_TRUE(m.link.room(TlpLink::downstream, FlowClass::non_posted));
  EXPECT_TRUE(m.link.room(TlpLink::upstream, FlowClass::posted));
}

TEST(TlpLinkRoom, ThePortHearsOfItOnceAFullQueueHasRoom) {
  TlpLinkConfig config = gen3_x8();
  config.transmit_queue = 2;
  LinkedPorts m(config);
  for (unsigned i = 0; i != 3; ++i) m.link.send(TlpLink::downstream, m.tlp(TlpType::MWr, i));
  EXPECT_TRUE(m.device.rooms.empty());
  m.engine.run();
  EXPECT_EQ(m.device.rooms, std::vector<FlowClass>{FlowClass::posted});
}

TEST(TlpLinkRoom, SendingWithoutRoomIsADefect) {
  TlpLinkConfig config = gen3_x8();
  config.transmit_queue = 1;
  LinkedPorts m(config);
  for (unsigned i = 0; i != 2; ++i) m.link.send(TlpLink::downstream, m.tlp(TlpType::MWr, i));
  EXPECT_THROW(m.link.send(TlpLink::downstream, m.tlp(TlpType::MWr)), InternalError);
}

TEST(TlpLinkRoom, ATlpThatNeverHasTheCreditsIsADefect) {
  TlpLinkConfig config = gen3_x8();
  config.upstream_receiver.data[0] = 16;
  LinkedPorts m(config);
  EXPECT_THROW(m.link.send(TlpLink::downstream, m.tlp(TlpType::MWr, 0, 512)), InternalError);
}

/// Credits come back while nothing else happens, and the next send() finds them: what it starts is another class's,
/// whose port has to hear of the room too.
TEST(TlpLinkRoom, IsToldAlsoWhenAnotherClassIsSent) {
  TlpLinkConfig config = one_header(FlowClass::posted, untimed());
  config.transmit_queue = 1;
  LinkedPorts m(config);
  starve(m, TlpType::MWr);
  m.link.send(TlpLink::downstream, m.tlp(TlpType::MWr, 1));
  m.engine.run();
  ASSERT_FALSE(m.link.room(TlpLink::downstream, FlowClass::posted));
  m.link.release(TlpLink::upstream, *m.root.kept[0]);
  m.link.send(TlpLink::downstream, m.tlp(TlpType::MRd, 2));
  EXPECT_TRUE(m.device.rooms.empty());
  m.engine.run();
  EXPECT_EQ(m.root.tags(), "0 1 2");
  EXPECT_EQ(m.device.rooms, (std::vector<FlowClass>{FlowClass::posted, FlowClass::non_posted}));
}

// --- Configurations ------------------------------------------------------------------------------------------------

TEST(TlpLinkConfig, WhatIsRefused) {
  struct Row {
    const char* word;
    std::function<void(TlpLinkConfig&)> breaks;
  };
  const Row rows[] = {
      {"generation", [](TlpLinkConfig& c) { c.generation = 0; }},
      {"generation", [](TlpLinkConfig& c) { c.generation = 7; }},
      {"lanes", [](TlpLinkConfig& c) { c.lanes = 0; }},
      {"lanes", [](TlpLinkConfig& c) { c.lanes = 3; }},
      {"lanes", [](TlpLinkConfig& c) { c.lanes = 64; }},
      {"mps_bytes", [](TlpLinkConfig& c) { c.mps_bytes = 64; }},
      {"mps_bytes", [](TlpLinkConfig& c) { c.mps_bytes = 8192; }},
      {"mps_bytes", [](TlpLinkConfig& c) { c.mps_bytes = 384; }},
      {"transmit_queue", [](TlpLinkConfig& c) { c.transmit_queue = 0; }},
      {"framing_bytes", [](TlpLinkConfig& c) { c.framing_bytes = 65; }},
      {"propagation_ps", [](TlpLinkConfig& c) { c.propagation_ps = 1'000'000'001; }},
      {"posted data", [](TlpLinkConfig& c) { c.upstream_receiver.data[0] = 15; }},
      {"posted data", [](TlpLinkConfig& c) { c.downstream_receiver.data[0] = 15; }},
      {"non-posted data", [](TlpLinkConfig& c) { c.upstream_receiver.data[1] = 1; }},
      {"completion data", [](TlpLinkConfig& c) { c.downstream_receiver.data[2] = 15; }},
  };
  for (const Row& row : rows) {
    TlpLinkConfig config;
    EXPECT_NO_THROW(require_valid(config));
    row.breaks(config);
    try {
      require_valid(config);
      ADD_FAILURE() << row.word << ": accepted";
    } catch (const std::invalid_argument& error) {
      EXPECT_NE(std::string(error.what()).find(row.word), std::string::npos) << error.what();
    }
  }
}

TEST(TlpLinkConfig, AsManyDataCreditsAsTheLargestTlpNeedsAreEnough) {
  TlpLinkConfig config;
  config.upstream_receiver.data = {16, 2, 16};
  LinkedPorts m(config);
  for (unsigned i = 0; i != cached; ++i) m.link.send(TlpLink::downstream, m.tlp(TlpType::MWr, i, 256));
  m.engine.run();
  EXPECT_EQ(m.root.tags(), "0 1 2 3 4 5 6 7");
}

}  // namespace
}  // namespace smmusim::platform
