// SPDX-License-Identifier: MIT
// InFlight: what an invalidation does to fills of translations under way (design.md, "Invalidation against walks in
// flight"; IHI 0070 section 4.7), and which misses count as the same.
#include <gtest/gtest.h>

#include "model/smmu/in_flight.h"

namespace smmusim {
namespace {

const TlbContext regime{StreamWorld::ns_el1, true, Asid(5), Vmid(3)};

TlbEntry page(std::uint64_t va) {
  TlbEntry entry;
  entry.context = regime;
  entry.va_page = va & ~low_mask(12);
  return entry;
}
TlbInvalidation by_page(std::uint64_t va) {
  TlbInvalidation what;
  what.worlds = world_bit(StreamWorld::ns_el1);
  what.by_va = true;
  what.first = va & ~low_mask(12);
  what.last = va | low_mask(12);
  return what;
}
StreamContext stream(std::uint32_t sid) {
  StreamContext context;
  context.stream_id = StreamId(sid);
  context.config = spec::SteConfig::stage1;
  return context;
}
ConfigInvalidation by_stream(std::uint32_t sid) {
  ConfigInvalidation what;
  what.first = what.last = sid;
  return what;
}

TEST(InFlight, FillWithoutInvalidationIsAllowed) {
  InFlight in_flight;
  const auto token = in_flight.begin();
  EXPECT_TRUE(in_flight.may_fill(token, page(0x1000)));
  EXPECT_TRUE(in_flight.may_fill(token, stream(1)));
}

TEST(InFlight, FillThatAnInvalidationOvertookIsRefused) {
  InFlight in_flight;
  const auto token = in_flight.begin();
  in_flight.note(by_page(0x1000));
  EXPECT_FALSE(in_flight.may_fill(token, page(0x1000)));
  EXPECT_TRUE(in_flight.may_fill(token, page(0x2000)));
}

TEST(InFlight, InvalidationBeforeTheTokenDoesNotCount) {
  InFlight in_flight;
  in_flight.note(by_page(0x1000));
  const auto token = in_flight.begin();
  EXPECT_TRUE(in_flight.may_fill(token, page(0x1000)));
}

TEST(InFlight, ReusedSlotStartsAfresh) {
  InFlight in_flight;
  const auto old = in_flight.begin();
  in_flight.note(by_page(0x1000));
  in_flight.note(by_stream(1));
  in_flight.end(old);
  const auto token = in_flight.begin();
  EXPECT_TRUE(in_flight.may_fill(token, page(0x1000)));
  EXPECT_TRUE(in_flight.may_fill(token, stream(1)));
}

TEST(InFlight, EveryOpenTokenLearnsOfAnInvalidation) {
  InFlight in_flight;
  const auto first = in_flight.begin();
  const auto second = in_flight.begin();
  in_flight.note(by_page(0x1000));
  const auto third = in_flight.begin();
  EXPECT_FALSE(in_flight.may_fill(first, page(0x1000)));
  EXPECT_FALSE(in_flight.may_fill(second, page(0x1000)));
  EXPECT_TRUE(in_flight.may_fill(third, page(0x1000)));
}

TEST(InFlight, FourInvalidationsAreToldApart) {
  InFlight in_flight;
  const auto token = in_flight.begin();
  for (std::uint64_t n = 1; n <= 4; ++n) in_flight.note(by_page(n << 12));
  for (std::uint64_t n = 1; n <= 4; ++n) EXPECT_FALSE(in_flight.may_fill(token, page(n << 12))) << n;
  EXPECT_TRUE(in_flight.may_fill(token, page(5 << 12)));
}

TEST(InFlight, BeyondFourInvalidationsEverythingCountsAsOvertaken) {
  InFlight in_flight;
  const auto token = in_flight.begin();
  for (std::uint64_t n = 1; n <= 5; ++n) in_flight.note(by_page(n << 12));
  EXPECT_FALSE(in_flight.may_fill(token, page(5 << 12)));  // the fifth, which is not remembered
  EXPECT_FALSE(in_flight.may_fill(token, page(99 << 12)));
}

TEST(InFlight, TranslationAndConfigurationAreOvertakenSeparately) {
  InFlight in_flight;
  const auto token = in_flight.begin();
  in_flight.note(by_stream(7));
  EXPECT_FALSE(in_flight.may_fill(token, stream(7)));
  EXPECT_TRUE(in_flight.may_fill(token, stream(8)));
  EXPECT_TRUE(in_flight.may_fill(token, page(0x1000)));
  for (int n = 0; n < 5; ++n) in_flight.note(by_page(0x1000));
  EXPECT_TRUE(in_flight.may_fill(token, stream(8)));
}

TEST(InFlight, OpenCountsTokens) {
  InFlight in_flight;
  const auto first = in_flight.begin();
  const auto second = in_flight.begin();
  EXPECT_EQ(in_flight.open(), 2u);
  in_flight.end(first);
  EXPECT_EQ(in_flight.open(), 1u);
  in_flight.end(second);
  EXPECT_EQ(in_flight.open(), 0u);
}

TEST(InFlight, EndOfATokenThatAResetForgotIsHarmless) {
  InFlight in_flight;
  const auto token = in_flight.begin();
  in_flight.clear();
  in_flight.end(token);
  EXPECT_EQ(in_flight.open(), 0u);
}

// Which walks and fetches count as the same.

struct WalkRow {
  const char* what;
  TlbContext context;
  std::uint64_t va;
  bool same;
};

TEST(InFlight, WalksOfOnePageInOneRegimeAreTheSame) {
  const WalkRow rows[] = {
      {"same page, other offset", regime, 0x7000'1fff, true},
      {"next page", regime, 0x7000'2000, false},
      {"other ASID", {StreamWorld::ns_el1, true, Asid(6), Vmid(3)}, 0x7000'1000, false},
      {"other VMID", {StreamWorld::ns_el1, true, Asid(5), Vmid(4)}, 0x7000'1000, false},
      {"other ASET", {StreamWorld::ns_el1, false, Asid(5), Vmid(3)}, 0x7000'1000, false},
      {"other StreamWorld", {StreamWorld::ns_el2_e2h, true, Asid(5), Vmid(3)}, 0x7000'1000, false},
  };
  for (const WalkRow& row : rows) {
    InFlight in_flight;
    const auto walker = in_flight.begin();
    const auto asker = in_flight.begin();
    in_flight.walking(walker, regime, 0x7000'1234);
    EXPECT_EQ(in_flight.other_walks(asker, row.context, row.va), row.same) << row.what;
    EXPECT_FALSE(in_flight.other_walks(walker, regime, 0x7000'1234)) << "a walk does not wait for itself";
  }
}

struct FetchRow {
  const char* what;
  std::uint32_t sid;
  bool substream_valid;
  std::uint32_t ssid;
  bool same;
};

TEST(InFlight, FetchesOfOneStreamAndSubstreamAreTheSame) {
  const FetchRow rows[] = {
      {"same", 7, true, 3, true},
      {"other stream", 8, true, 3, false},
      {"other substream", 7, true, 4, false},
      {"no substream", 7, false, 3, false},
  };
  for (const FetchRow& row : rows) {
    InFlight in_flight;
    const auto fetcher = in_flight.begin();
    const auto asker = in_flight.begin();
    in_flight.fetching(fetcher, StreamId(7), true, SubstreamId(3));
    EXPECT_EQ(in_flight.other_fetches(asker, StreamId(row.sid), row.substream_valid, SubstreamId(row.ssid)), row.same)
        << row.what;
    EXPECT_FALSE(in_flight.other_fetches(fetcher, StreamId(7), true, SubstreamId(3)));
  }
}

TEST(InFlight, FetchesWithoutSubstreamAreTheSameWhateverTheirSubstreamIdHolds) {
  InFlight in_flight;
  const auto fetcher = in_flight.begin();
  const auto asker = in_flight.begin();
  in_flight.fetching(fetcher, StreamId(7), false, SubstreamId(0));
  EXPECT_TRUE(in_flight.other_fetches(asker, StreamId(7), false, SubstreamId(5)));
}

TEST(InFlight, FinishedOrEndedWorkIsNotWaitedFor) {
  InFlight in_flight;
  const auto asker = in_flight.begin();
  const auto finished = in_flight.begin();
  in_flight.walking(finished, regime, 0x1000);
  in_flight.finished(finished);
  EXPECT_FALSE(in_flight.other_walks(asker, regime, 0x1000));
  const auto ended = in_flight.begin();
  in_flight.fetching(ended, StreamId(7), false, SubstreamId(0));
  in_flight.end(ended);
  EXPECT_FALSE(in_flight.other_fetches(asker, StreamId(7), false, SubstreamId(0)));
}

TEST(InFlight, WalkThatFollowsAFetchReplacesIt) {
  InFlight in_flight;
  const auto asker = in_flight.begin();
  const auto worker = in_flight.begin();
  in_flight.fetching(worker, StreamId(7), false, SubstreamId(0));
  in_flight.walking(worker, regime, 0x1000);
  EXPECT_FALSE(in_flight.other_fetches(asker, StreamId(7), false, SubstreamId(0)));
  EXPECT_TRUE(in_flight.other_walks(asker, regime, 0x1000));
}

}  // namespace
}  // namespace smmusim
