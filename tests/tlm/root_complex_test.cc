// SPDX-License-Identifier: MIT
// The root complex in front of an SMMU, and a device that sends Requester IDs that are not its own, TLPs that break
// rules, answers that nobody asked for. Each has its outcome, and nothing stops.
#include <random>

#include "tests/tlm/fresh_context.h"
#include "tests/tlm/hostile_machine.h"

namespace smmusim::platform {
namespace {

struct RootComplexTest : systemc::FreshContext {};

// --- Requests --------------------------------------------------------------------------------------------------------

/// ACS Source Validation: a Completer Abort where there is an answer at all.
TEST_F(RootComplexTest, RequesterIdsOfAnotherPortAreAcsViolations) {
  HostileMachine machine;
  machine.start();
  Device& device = machine.device;
  Tlp& read = device.request(TlpType::MRd, 0x8000);
  Tlp& write = device.request(TlpType::MWr, 0x8000);
  read.requester_id = write.requester_id = foreign_rid;
  const std::uint16_t read_tag = device.send(read), write_tag = device.send(write);
  device.send_message(PageRequestMessage{foreign_rid, {}, 0x9000, 0, true, false, true});
  device.complete_invalidation(0, 1, foreign_rid);
  machine.run();
  EXPECT_EQ(device.completion(read_tag).status, CplStatus::CA);
  EXPECT_EQ(device.completion(read_tag).requester_id, foreign_rid);
  EXPECT_EQ(device.results.at(read_tag).status, DmaStatus::aborted);
  EXPECT_EQ(device.results.at(write_tag).status, DmaStatus::aborted);
  EXPECT_EQ(device.came.size(), 1U);
  EXPECT_EQ(machine.root.counters().acs_violations, 4U);
  EXPECT_EQ(machine.root.counters().unexpected_completions, 0U);
  EXPECT_EQ(machine.world.smmu.smmu().counters().transactions, 0U);
}

TEST_F(RootComplexTest, WithoutAtsSupportItsRequestsAreUnsupported) {
  RootComplexConfig config = HostileMachine::map();
  config.ats_supported = false;
  HostileMachine machine(config);
  machine.start();
  Device& device = machine.device;
  std::vector<std::uint16_t> reads;
  for (const AddressType at : {AddressType::translation_request, AddressType::translated}) {
    Tlp& tlp = device.request(TlpType::MRd, 0x8000, 8);
    tlp.at = at;
    reads.push_back(device.send(tlp));
  }
  Tlp& write = device.request(TlpType::MWr, 0x8000, 8);
  write.at = AddressType::translated;
  const std::uint16_t write_tag = device.send(write);
  device.send_message(PageRequestMessage{rid, {}, 0x9000, 0, true, false, true});
  machine.run();
  for (const std::uint16_t tag : reads) EXPECT_EQ(device.completion(tag).status, CplStatus::UR);
  EXPECT_EQ(device.results.at(write_tag).status, DmaStatus::aborted);
  EXPECT_EQ(machine.root.counters().unsupported_requests, 4U);
  EXPECT_EQ(machine.world.smmu.smmu().counters().transactions, 0U);
}

TEST_F(RootComplexTest, RequestsOfOtherKindsAreUnsupported) {
  HostileMachine machine;
  machine.start();
  Device& device = machine.device;
  Tlp& reserved = device.request(TlpType::MRd, 0x8000);
  reserved.at = AddressType::reserved;
  Tlp& written = device.request(TlpType::MWr, 0x8000);
  written.at = AddressType::translation_request;
  const std::uint16_t tags[] = {device.send(reserved), device.send(device.request(TlpType::CfgRd0, 0))};
  const std::uint16_t write_tag = device.send(written);
  machine.run();
  for (const std::uint16_t tag : tags) EXPECT_EQ(device.completion(tag).status, CplStatus::UR);
  EXPECT_EQ(device.results.at(write_tag).status, DmaStatus::aborted);
  EXPECT_EQ(machine.root.counters().unsupported_requests, 3U);
  EXPECT_EQ(machine.world.smmu.smmu().counters().transactions, 0U);
}

TEST_F(RootComplexTest, MalformedTlpsAreDropped) {
  const std::function<void(Tlp&)> rows[] = {
      [](Tlp& t) { t.data.clear(); },
      [](Tlp& t) { t.length_dw = 0; },
      [](Tlp& t) { t.address = 0x8fc0; },
      [](Tlp& t) { t.first_be = 0; },
      [](Tlp& t) { t.last_be = 0; },
      [](Tlp& t) { t.last_be = 0x5; },
      [](Tlp& t) { t.address = 0x8001; },
      [](Tlp& t) { t.no_write = true; },
      [](Tlp& t) {
        t.pasid = {true, 1U << 20, false, false};
      },
      [](Tlp& t) { t.type = TlpType::MRd; },
      [](Tlp& t) { t.type = TlpType::Swap; },
  };
  HostileMachine machine;
  machine.start();
  Device& device = machine.device;
  std::vector<std::uint16_t> tags;
  for (const auto& breaks : rows) {
    Tlp& tlp = device.request(TlpType::MWr, 0x8000, 128);
    breaks(tlp);
    tags.push_back(device.send(tlp));
  }
  Tlp& half = device.request(TlpType::MRd, 0x8000, 4);
  half.at = AddressType::translation_request;
  device.send(half);
  machine.run();
  EXPECT_EQ(machine.root.counters().malformed, std::size(rows) + 1);
  EXPECT_TRUE(device.came.empty());
  for (const std::uint16_t tag : tags) EXPECT_EQ(device.results.at(tag).status, DmaStatus::refused) << tag;
  EXPECT_EQ(machine.world.memory.load64(Pa(ram + 0x5000)), 0U);
}

TEST_F(RootComplexTest, CompletionsAreUnexpected) {
  HostileMachine machine;
  machine.start();
  for (const TlpType type : {TlpType::Cpl, TlpType::CplD}) {
    Tlp& tlp = machine.device.request(type, 0, type == TlpType::CplD ? 64 : 0);
    tlp.watcher = nullptr;
    machine.device.send(tlp);
  }
  machine.run();
  EXPECT_EQ(machine.root.counters().unexpected_completions, 2U);
  EXPECT_TRUE(machine.device.came.empty());
}

TEST_F(RootComplexTest, AReadOfNoByteIsAnsweredAndAWriteOfNoneChangesNothing) {
  HostileMachine machine;
  machine.start();
  Device& device = machine.device;
  machine.world.memory.store64(Pa(ram + 0x5000), 0x1122334455667788);
  Tlp& read = device.request(TlpType::MRd, 0x8000);
  Tlp& write = device.request(TlpType::MWr, 0x8000);
  read.first_be = write.first_be = 0;
  const std::uint16_t write_tag = device.send(write), read_tag = device.send(read);
  machine.run();
  EXPECT_EQ(device.completion(read_tag).status, CplStatus::SC);
  EXPECT_EQ(device.completion(read_tag).byte_count, 1U);
  EXPECT_EQ(device.completion(read_tag).length_dw, 1U);
  EXPECT_EQ(device.results.at(write_tag).status, DmaStatus::ok);
  EXPECT_EQ(machine.world.memory.load64(Pa(ram + 0x5000)), 0x1122334455667788U);
}

/// Every set of bytes that one doubleword, or an aligned quadword, may enable.
TEST_F(RootComplexTest, OnlyTheEnabledBytesAreWritten) {
  HostileMachine machine;
  Device& device = machine.device;
  machine.world.write(spec::reg::GBPA, std::uint64_t{1} << 31);  // bypass
  const auto expect = [&](unsigned length, unsigned first, unsigned last) {
    machine.world.memory.store64(Pa(ram), 0);
    Tlp& tlp = device.request(TlpType::MWr, ram, 4 * length);
    tlp.first_be = static_cast<std::uint8_t>(first);
    tlp.last_be = static_cast<std::uint8_t>(last);
    for (unsigned i = 0; i != 4 * length; ++i) tlp.data[i] = static_cast<unsigned char>(i + 1);
    device.send(tlp);
    machine.run();
    std::uint64_t expected = 0;
    for (unsigned i = 0; i != 4 * length; ++i) {
      if (((first | last << 4) >> i & 1) != 0) expected |= std::uint64_t{i + 1} << 8 * i;
    }
    EXPECT_EQ(machine.world.memory.load64(Pa(ram)), expected) << length << " " << first << " " << last;
  };
  for (unsigned first = 0; first != 16; ++first) expect(1, first, 0);
  for (unsigned enables = 0; enables != 256; ++enables) {
    if ((enables & 0xf) != 0 && enables >> 4 != 0) expect(2, enables & 0xf, enables >> 4);
  }
  EXPECT_EQ(machine.root.counters().malformed, 0U);
}

/// What goes on when a slot comes free may want the room that its completion was to have.
TEST_F(RootComplexTest, ARefusalBehindABlockedReadWaitsForRoom) {
  RootComplexConfig config = HostileMachine::map();
  config.outstanding = 1;
  TlpLinkConfig link;
  link.transmit_queue = 1;
  HostileMachine machine(config, 60'000, HostileMachine::with_ats(), link);
  Device& device = machine.device;
  const auto send = [&](std::uint16_t from) {
    while (!machine.link.room(TlpLink::downstream, FlowClass::non_posted)) sc_core::sc_start(1, sc_core::SC_NS);
    Tlp& read = device.request(TlpType::MRd, ram, 64);
    read.requester_id = from;
    return device.send(read);
  };
  std::vector<std::uint16_t> good, bad;
  for (int i = 0; i != 16; ++i) {
    good.push_back(send(rid));
    for (int j = 0; j != 2; ++j) bad.push_back(send(foreign_rid));
  }
  machine.run();
  for (const std::uint16_t tag : good) EXPECT_EQ(device.completion(tag).status, CplStatus::SC);
  for (const std::uint16_t tag : bad) EXPECT_EQ(device.completion(tag).status, CplStatus::CA);
}

// --- Messages --------------------------------------------------------------------------------------------------------

TEST_F(RootComplexTest, MessagesOfUnknownKindsAreUnsupported) {
  HostileMachine machine;
  machine.start();
  for (const unsigned code : {0U, 5U, 0x50U, 0x7fU}) {  // 5: a PRG Response, which devices do not send
    Tlp& tlp = machine.device.pool.take();
    put(tlp, PageRequestMessage{rid, {}, 0x9000, 0, true, false, true});
    tlp.message = static_cast<MessageCode>(code);
    machine.device.send(tlp);
  }
  machine.run();
  EXPECT_EQ(machine.root.counters().unsupported_requests, 4U);
  EXPECT_TRUE(machine.device.came.empty());
}

TEST_F(RootComplexTest, APageRequestWhilePriIsOffIsAnsweredWithAFailure) {
  HostileMachine machine;
  machine.start(false);
  machine.device.send_message(PageRequestMessage{rid, {}, 0x9000, 7, true, false, true});
  machine.run();
  const std::vector<Tlp> answers = machine.device.messages(MessageCode::PRG_Response);
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(prg_response(answers[0]).group, 7U);
  EXPECT_EQ(prg_response(answers[0]).code, 15U);
}

TEST_F(RootComplexTest, APageRequestReachesTheQueue) {
  HostileMachine machine;
  machine.start(true);
  machine.device.send_message(PageRequestMessage{rid, {}, 0x9000, 7, true, false, true});
  machine.run();
  EXPECT_EQ(machine.root.counters().page_requests, 1U);
  EXPECT_EQ(machine.world.read(spec::reg::PRIQ_PROD), 1U);
}

// --- Invalidations ---------------------------------------------------------------------------------------------------

TEST_F(RootComplexTest, InvalidateCompletionsWithNothingUnderWayAreUnexpected) {
  HostileMachine machine;
  machine.start();
  machine.device.send_message(InvalidateCompletion{rid, 0, 0xffff'ffff, 1});
  machine.device.send_message(InvalidateCompletion{rid, 0, 0, 1});
  machine.run();
  EXPECT_EQ(machine.root.counters().unexpected_completions, 32U);
}

TEST_F(RootComplexTest, OnlyTheRightItagOfTheRightFunctionCompletes) {
  HostileMachine machine;
  machine.start();
  Device& device = machine.device;
  std::uint64_t before_the_right_one = 99;
  CallNode later;
  unsigned itag = 0;
  later.call = [&] {
    before_the_right_one = machine.consumed();
    device.complete_invalidation(itag);
    device.complete_invalidation(itag);
  };
  device.on_invalidate = [&](const InvalidateRequest& request) {
    itag = request.itag;
    device.complete_invalidation((itag + 1) % 32);
    device.complete_invalidation(itag, 1, rid + 1);
    machine.world.engine.schedule_in(5'000'000, later);
  };
  machine.invalidate();
  machine.run();
  EXPECT_LT(before_the_right_one, 2U);
  EXPECT_EQ(machine.consumed(), 2U);
  EXPECT_EQ(machine.root.counters().unexpected_completions, 3U) << "the duplicate too";
  EXPECT_EQ(machine.root.counters().invalidate_completions, 1U);
}

TEST_F(RootComplexTest, AsManyCompletionsAsTheyCountMakeOne) {
  HostileMachine machine;
  machine.start();
  Device& device = machine.device;
  std::uint64_t after_two = 99;
  CallNode last;
  last.call = [&] {
    after_two = machine.consumed();
    device.complete_invalidation(0, 3);
  };
  device.on_invalidate = [&](const InvalidateRequest& request) {
    EXPECT_EQ(request.itag, 0U);
    for (int i = 0; i != 2; ++i) device.complete_invalidation(0, 3);
    machine.world.engine.schedule_in(5'000'000, last);
  };
  machine.invalidate();
  machine.run();
  EXPECT_LT(after_two, 2U);
  EXPECT_EQ(machine.consumed(), 2U);
  EXPECT_EQ(machine.root.counters().unexpected_completions, 0U);
}

/// CMD_SYNC means that the writes which the device sent before its answer are visible. The SMMU's own wait for the
/// accesses that it has seen is not enough: some may be on their way to it. So the answer itself has to wait.
TEST_F(RootComplexTest, AnInvalidateCompletionWaitsForTheWritesBeforeIt) {
  constexpr Time slow = 20'000'000;
  HostileMachine machine(HostileMachine::map(), slow);
  machine.start();
  Device& device = machine.device;
  std::vector<std::uint16_t> writes;
  device.on_invalidate = [&](const InvalidateRequest& request) {
    for (int i = 0; i != 4; ++i) writes.push_back(device.send(device.request(TlpType::MWr, 0x8000, 64)));
    device.complete_invalidation(request.itag);
  };
  machine.invalidate();
  bool waited = false;
  for (int i = 0; i != 1000 && machine.consumed() != 2; ++i) {
    sc_core::sc_start(100, sc_core::SC_NS);
    waited = waited || (!writes.empty() && device.results.empty() && machine.consumed() < 2);
    ASSERT_EQ(machine.root.counters().invalidate_completions, device.results.size() == 4 ? 1U : 0U);
  }
  EXPECT_EQ(machine.consumed(), 2U);
  EXPECT_TRUE(waited);
  ASSERT_EQ(writes.size(), 4U);
  for (const std::uint16_t tag : writes) EXPECT_EQ(device.results.count(tag), 1U);
  machine.run();
}

/// The SMMU takes the ITag again, and the answer to that is not the lost one's.
TEST_F(RootComplexTest, AnItagWhoseInvalidationWasLostCanBeUsedAgain) {
  HostileMachine machine;
  machine.start();
  Device& device = machine.device;
  unsigned seen = 0;
  device.on_invalidate = [&](const InvalidateRequest& request) {
    if (seen++ == 0) return;  // lost
    device.complete_invalidation(request.itag);
  };
  machine.invalidate();
  sc_core::sc_start(1, sc_core::SC_MS);
  EXPECT_EQ(machine.consumed(), 1U) << "CERROR_ATC_INV_SYNC";
  machine.world.write(spec::reg::GERRORN, machine.world.read(spec::reg::GERROR));
  for (std::uint64_t i = 0; i != 64; ++i) {
    machine.invalidate();
    sc_core::sc_start(10, sc_core::SC_US);
    EXPECT_EQ(machine.consumed(), 4 + 2 * i);
  }
  EXPECT_EQ(seen, 65U);
  EXPECT_EQ(machine.root.counters().invalidate_completions, 64U);
  EXPECT_EQ(machine.root.counters().invalidations_lost, 1U);
  EXPECT_EQ(machine.root.counters().unexpected_completions, 0U);
  machine.run();
}

// --- Anything --------------------------------------------------------------------------------------------------------

Tlp& random_tlp(std::mt19937_64& random, Device& device) {
  const auto below = [&](std::uint64_t end) { return random() % end; };
  const bool tame = below(4) != 0;
  const auto type = static_cast<TlpType>(below(tame ? 2 : 13));
  const auto bytes = static_cast<unsigned>(4 * (1 + below(tame ? 16 : 300)));
  Tlp& tlp = device.request(type, 0x8000 | (below(4096) & ~std::uint64_t{3}), bytes);
  if (tlp.length_dw > 1 && tame) tlp.address = 0x8000;
  if (below(8) == 0) tlp.requester_id = static_cast<std::uint16_t>(below(4) == 0 ? random() : rid ^ 1);
  if (below(4) == 0) tlp.at = static_cast<AddressType>(below(4));
  if (below(8) == 0) tlp.first_be = static_cast<std::uint8_t>(below(16));
  if (below(8) == 0) tlp.last_be = static_cast<std::uint8_t>(below(16));
  if (below(8) == 0) tlp.pasid = {true, static_cast<std::uint32_t>(below(1 << 21)), below(2) == 0, below(2) == 0};
  if (below(16) == 0) tlp.no_write = true;
  if (below(16) == 0) tlp.poisoned = true;
  if (tlp.is_message()) {
    tlp.message = static_cast<MessageCode>(below(8));
    tlp.body = random();
    tlp.watcher = nullptr;
    if (tlp.type == TlpType::Msg) tlp.length_dw = 0;
  }
  return tlp;
}

TEST_F(RootComplexTest, ArbitraryTlpsStopNothing) {
  constexpr std::uint64_t seed = 20261130;
  constexpr int steps = 4000;
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  HostileMachine machine;
  machine.start(true);
  Device& device = machine.device;
  device.on_invalidate = [&](const InvalidateRequest& request) { device.complete_invalidation(request.itag); };
  for (int i = 0; i != steps; ++i) {
    if (device.next_tag == 1024) device.next_tag = 0;
    Tlp& tlp = random_tlp(random, device);
    if (machine.link.room(TlpLink::downstream, tlp.flow_class())) {
      device.send(tlp);
    } else {
      device.pool.give(tlp);
    }
    if (random() % 16 == 0) {
      sc_core::sc_start(2, sc_core::SC_US);
      machine.world.write(spec::reg::PRIQ_CONS, machine.world.read(spec::reg::PRIQ_PROD));
    }
    device.came.clear();
  }
  sc_core::sc_start(1, sc_core::SC_MS);
  machine.invalidate();
  machine.run();
  EXPECT_EQ(machine.consumed(), 2U);
  EXPECT_GT(machine.root.counters().malformed, 100U);
  EXPECT_GT(machine.root.counters().memory_requests, 100U);
}

}  // namespace
}  // namespace smmusim::platform
