// SPDX-License-Identifier: MIT
// CMD_ATC_INV: the message it sends, what CMD_SYNC waits for, and the time-out (IHI 0070
// sections 3.9.1.4, 3.9.1.5, 4.5.1, 4.7.3 and 7.1).
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "platform/pcie/messages.h"
#include "tests/support/ats_bench.h"

namespace smmusim {
namespace {

namespace cmd = raw::cmd;
using raw::ats::AtcSize;
constexpr std::uint32_t cerror_ill = 1, cerror_atc_inv_sync = 3;
constexpr Time latency = 50'000, us = 1'000'000;

SmmuConfig short_timeout() {
  SmmuConfig config = timed(ats_config());
  config.tcu.atc_inv_timeout_us = 7;
  return config;
}

TEST(SpecAtcInvalidation, Spans) {
  RecordProperty("rule", "SM-PC-037");
  struct Row {
    std::uint64_t address, size, sent;
    unsigned bits;
    std::uint64_t body;
  };
  constexpr std::uint64_t high = 0xfedc'ba98'7654'3000;
  const Row rows[] = {{high, 0, high, 12, high},
                      {high, 1, high & ~0x1fffull, 13, (high & ~0x1fffull) | 0x800},
                      {high, 4, high & ~0xffffull, 16, (high & ~0xffffull) | 0x7800},
                      {high, 9, high & ~0x1f'ffffull, 21, (high & ~0x1f'ffffull) | 0xf'f800},
                      {high, 51, 0x8000'0000'0000'0000, 63, 0xbfff'ffff'ffff'f800},
                      {high, 52, 0, 64, 0x7fff'ffff'ffff'f800}};
  for (const Row& row : rows) {
    SCOPED_TRACE(row.size);
    AtsBench b;
    b.answers = true;
    EXPECT_TRUE(b.command({atc_inv(0x4321, {{cmd::Address, row.address >> 12}, {AtcSize, row.size}})}));
    ASSERT_EQ(b.invalidations.size(), 1u);
    const AtcInvalidate& message = b.invalidations[0];
    EXPECT_EQ(message.stream_id.value, 0x4321u);
    EXPECT_EQ(message.address, row.sent);
    EXPECT_EQ(message.span_bits, row.bits);
    EXPECT_EQ((platform::AtsRange{message.address, message.span_bits}.encode()), row.body);
    EXPECT_FALSE(message.substream_valid);
  }
}

TEST(SpecAtcInvalidation, PasidAndGlobal) {
  RecordProperty("rule", "SM-PC-038");
  for (unsigned bits = 0; bits < 8; ++bits) {
    const bool ssv = (bits & 1) != 0, global = (bits & 2) != 0, substreams = (bits & 4) != 0;
    SCOPED_TRACE(bits);
    SmmuConfig config = ats_config();
    config.features.ssidsize = substreams ? 12 : 0;
    AtsBench b(config);
    b.answers = true;
    const raw::Edit edits[] = {{cmd::SSV, ssv}, {raw::ats::G, global}};
    EXPECT_TRUE(b.command({atc_inv(1, {edits[0], edits[1], {cmd::SubstreamID, 0xabc}})}));
    if (ssv && !substreams) {
      EXPECT_TRUE(b.invalidations.empty()) << "no effect (CONSTRAINED UNPREDICTABLE)";
      continue;
    }
    ASSERT_EQ(b.invalidations.size(), 1u);
    EXPECT_EQ(b.invalidations[0].substream_valid, ssv);
    EXPECT_EQ(b.invalidations[0].substream_id.value, ssv ? 0xabcu : 0u);
    EXPECT_EQ(b.invalidations[0].global, ssv && global) << "Global means nothing without a PASID";
  }
}

TEST(SpecAtcInvalidation, IllegalAndIgnored) {
  RecordProperty("rule", "SM-PC-039 SM-RU-009");
  AtsBench b;
  for (const std::uint64_t size : {53u, 63u}) {
    b.bench.issue(atc_inv(1, {{AtcSize, size}}));
    EXPECT_EQ(b.bench.command_error(), cerror_ill);
    b.bench.memory.store(SmmuBench::cmdq + 16ull * b.bench.cons(), raw::command(cmd::SYNC));
    b.bench.acknowledge_errors();
  }
  EXPECT_TRUE(b.invalidations.empty());
  b.cr0(AtsBench::all_on & ~cr0::SMMUEN);
  EXPECT_TRUE(b.command({atc_inv(1)})) << "ignored: nothing to wait for";
  EXPECT_TRUE(b.invalidations.empty());
  SmmuBench without;
  without.issue(atc_inv(1));
  EXPECT_EQ(without.command_error(), cerror_ill) << "IDR0.ATS=0";
}

TEST(SpecAtcInvalidation, ThereIsNoSSec) {
  RecordProperty("rule", "SM-PC-039 SM-PC-041");
  AtsBench b;
  b.answers = true;
  EXPECT_TRUE(b.command({atc_inv(1, {{cmd::SSec, 1}}), raw::command(raw::ats::PRI_RESP, {{cmd::SSec, 1}})}));
  EXPECT_EQ(b.bench.command_error(), 0u);
  EXPECT_EQ(b.invalidations.size(), 1u) << "bit 10 is RES0 here";
  EXPECT_EQ(b.responses.size(), 1u);
}

TEST(SpecAtcInvalidation, WithoutDevicesNothingHangs) {
  RecordProperty("rule", "SM-PC-036");
  for (const bool is_timed : {false, true}) {
    SmmuBench bench(is_timed ? timed(ats_config()) : ats_config());
    for (int i = 0; i < 100; ++i) bench.push(atc_inv(1));
    bench.push(raw::command(raw::ats::PRI_RESP, {{cmd::StreamID, 1}}));
    bench.sync();
    EXPECT_TRUE(bench.all_consumed());
  }
}

TEST(SpecAtcInvalidation, SyncWaitsForTheAnswer) {
  RecordProperty("rule", "SM-PC-040 SM-CS-005 SM-PC-032");
  AtsBench b(timed(ats_config()), latency);
  b.bench.push(atc_inv(1));
  b.bench.push(atc_inv(2));
  b.bench.push(raw::command(cmd::SYNC));
  b.bench.smmu.write_register(off::CMDQ_PROD, b.bench.prod, 4);
  b.bench.engine.run_until(b.bench.engine.now() + 20 * us);
  ASSERT_EQ(b.invalidations.size(), 2u);
  EXPECT_EQ(b.bench.cons() + 1, b.bench.prod) << "the SYNC waits";
  b.bench.smmu.atc_invalidation_completed(b.invalidations[1].tag);
  b.bench.engine.run_until(b.bench.engine.now() + us);
  EXPECT_EQ(b.bench.cons() + 1, b.bench.prod) << "for both";
  b.bench.smmu.atc_invalidation_completed(b.invalidations[0].tag);  // with UR or without: it is complete
  const Time before = b.bench.engine.now();
  b.bench.run();
  EXPECT_TRUE(b.bench.all_consumed());
  EXPECT_LT(b.bench.engine.now() - before, us) << "no timer is left behind";
  EXPECT_TRUE(b.bench.smmu.idle());
}

TEST(SpecAtcInvalidation, TranslatedTrafficIsVisibleFirst) {
  RecordProperty("rule", "SM-PC-040 SM-CS-005");
  AtsBench b(timed(ats_config()), latency);
  b.answers = true;
  TranslationRequest write;
  write.transaction = SmmuBench::transaction(1, AtsBench::pa, AccessType::write);
  write.transaction.ats = AtsType::translated;
  write.fire = [](EventNode&) {};
  b.bench.smmu.submit(0, write);
  b.bench.run();
  ASSERT_EQ(write.response.outcome, Outcome::proceed);
  EXPECT_FALSE(b.command({atc_inv(1)})) << "the write is not yet visible";
  EXPECT_EQ(b.invalidations.size(), 1u);
  b.bench.smmu.retire(write);
  b.bench.run();
  EXPECT_TRUE(b.bench.all_consumed());
}

TEST(SpecAtcInvalidation, TrafficThatComesBeforeTheAnswerIsVisibleFirst) {
  RecordProperty("rule", "SM-PC-040 SM-CS-005");
  AtsBench b(timed(ats_config()), latency);
  b.bench.push(atc_inv(1));
  b.bench.push(raw::command(cmd::SYNC));
  b.bench.smmu.write_register(off::CMDQ_PROD, b.bench.prod, 4);
  b.bench.engine.run_until(b.bench.engine.now() + us);
  ASSERT_EQ(b.invalidations.size(), 1u);
  TranslationRequest write;  // the SYNC waits for the device already
  write.transaction = SmmuBench::transaction(1, AtsBench::pa, AccessType::write);
  write.transaction.ats = AtsType::translated;
  write.fire = [](EventNode&) {};
  b.bench.smmu.submit(0, write);
  b.bench.engine.run_until(b.bench.engine.now() + us);
  ASSERT_EQ(write.response.outcome, Outcome::proceed);
  b.bench.smmu.atc_invalidation_completed(b.invalidations[0].tag);
  b.bench.run();
  EXPECT_FALSE(b.bench.all_consumed()) << "the write is not yet visible";
  b.bench.smmu.retire(write);
  b.bench.run();
  EXPECT_TRUE(b.bench.all_consumed());
}

TEST(SpecAtcInvalidation, OneAnswerCompletesOneRequest) {
  RecordProperty("rule", "SM-PC-040 SM-PC-031");
  AtsBench b;
  b.bench.push(atc_inv(1));
  b.bench.push(atc_inv(2));
  b.bench.kick();
  ASSERT_EQ(b.invalidations.size(), 2u);
  for (int i = 0; i < 3; ++i) b.bench.smmu.atc_invalidation_completed(b.invalidations[1].tag);
  EXPECT_FALSE(b.command({}));
  EXPECT_EQ(b.bench.command_error(), cerror_atc_inv_sync);
}

TEST(SpecAtcInvalidation, TimeOut) {
  RecordProperty("rule", "SM-PC-031 SM-CS-009 SM-CER-002 SM-CER-001");
  for (const bool is_timed : {false, true}) {
    SCOPED_TRACE(is_timed);
    AtsBench b(is_timed ? short_timeout() : ats_config(), is_timed ? latency : 0);
    b.bench.w32(off::IRQ_CTRL, irq::GERROR);
    b.bench.smmu.take_interrupts();
    EXPECT_EQ(b.read(AtsBench::va).address.value, AtsBench::pa);
    b.s2.map(AtsBench::ipa, AtsBench::pa + 0x7000, s2_rw);
    b.bench.push(raw::command(cmd::TLBI_NSNH_ALL));
    b.bench.push(atc_inv(1));
    b.bench.issue(raw::command(cmd::SYNC, {{cmd::CS, 1}}));
    EXPECT_EQ(b.bench.active_errors(), 1u) << "CMDQ_ERR";
    EXPECT_EQ(b.bench.command_error(), cerror_atc_inv_sync);
    EXPECT_EQ(b.bench.cons() + 1, b.bench.prod) << "CONS stays at the SYNC";
    EXPECT_EQ(b.bench.smmu.take_interrupts(), wire_gerror) << "no signal of the SYNC";
    EXPECT_EQ(b.read(AtsBench::va).address.value, AtsBench::pa + 0x7000) << "the TLBI has taken effect";
    b.bench.acknowledge_errors();
    EXPECT_TRUE(b.bench.all_consumed()) << "the same SYNC completes";
    EXPECT_EQ(b.bench.smmu.take_interrupts() & wire_sync, wire_sync);
    b.bench.issue(atc_inv(1));
    EXPECT_EQ(b.invalidations.size(), 2u);
    b.bench.smmu.atc_invalidation_completed(b.invalidations[0].tag);  // too late
    EXPECT_FALSE(b.command({})) << "it answers nothing that came later";
    EXPECT_EQ(b.bench.command_error(), cerror_atc_inv_sync);
  }
}

TEST(SpecAtcInvalidation, AnUntimedMachineDoesNotWait) {
  RecordProperty("rule", "SM-PC-031");
  AtsBench b;
  b.bench.push(atc_inv(1));
  b.bench.push(raw::command(cmd::SYNC));
  b.bench.smmu.write_register(off::CMDQ_PROD, b.bench.prod, 4);  // and no time passes
  EXPECT_EQ(b.bench.command_error(), cerror_atc_inv_sync);
  EXPECT_TRUE(b.bench.smmu.idle());
}

TEST(SpecAtcInvalidation, TheTimeIsTheParameter) {
  RecordProperty("rule", "SM-PC-031");
  for (const unsigned timeout : {3u, 250u}) {
    SmmuConfig config = timed(ats_config());
    config.tcu.atc_inv_timeout_us = timeout;
    AtsBench b(config, latency);
    const Time begin = b.bench.engine.now();
    EXPECT_FALSE(b.command({atc_inv(1)}));
    EXPECT_EQ(b.bench.command_error(), cerror_atc_inv_sync);
    EXPECT_GE(b.bench.engine.now() - begin, timeout * us);
    EXPECT_LT(b.bench.engine.now() - begin, timeout * us + us);
  }
}

TEST(SpecAtcInvalidation, OneThatFailedSpoilsTheSyncOfAll) {
  RecordProperty("rule", "SM-CS-009 SM-PC-031");
  AtsBench b(short_timeout(), latency);
  b.bench.push(atc_inv(1));
  b.bench.issue(atc_inv(2));
  b.bench.smmu.atc_invalidation_completed(b.invalidations[1].tag);
  b.bench.engine.run_until(b.bench.engine.now() + 20 * us);  // the first times out with no SYNC to see it
  b.bench.smmu.atc_invalidation_completed(b.invalidations[0].tag + 100);
  EXPECT_FALSE(b.command({}));
  EXPECT_EQ(b.bench.command_error(), cerror_atc_inv_sync);
  b.bench.acknowledge_errors();
  EXPECT_TRUE(b.bench.all_consumed());
}

TEST(SpecAtcInvalidation, AnswerBetweenCommandAndSync) {
  RecordProperty("rule", "SM-PC-040 SM-PC-032");
  AtsBench b;
  b.bench.issue(atc_inv(1));
  b.bench.smmu.atc_invalidation_completed(b.invalidations[0].tag);
  EXPECT_TRUE(b.command({}));
}

TEST(SpecAtcInvalidation, NoMoreThanTheTagsAreOutstanding) {
  RecordProperty("rule", "SM-PC-037 SM-PC-040");
  AtsBench b(timed(ats_config()), latency);
  for (int i = 0; i < 40; ++i) b.bench.push(atc_inv(1, {{cmd::Address, static_cast<std::uint64_t>(i)}}));
  b.bench.push(raw::command(cmd::SYNC));
  b.bench.smmu.write_register(off::CMDQ_PROD, b.bench.prod, 4);
  b.bench.engine.run_until(b.bench.engine.now() + 20 * us);
  EXPECT_EQ(b.invalidations.size(), 32u) << "the 33rd command waits";
  for (std::size_t i = 0; i < b.invalidations.size(); ++i) {
    b.bench.smmu.atc_invalidation_completed(b.invalidations[i].tag);
    b.bench.engine.run_until(b.bench.engine.now() + us);
  }
  b.bench.run();
  ASSERT_EQ(b.invalidations.size(), 40u);
  for (std::size_t i = 0; i < 40; ++i) EXPECT_EQ(b.invalidations[i].address, i << 12);
  EXPECT_TRUE(b.bench.all_consumed());
  AtsBench untimed;
  for (int i = 0; i < 40; ++i) untimed.bench.push(atc_inv(1));
  untimed.bench.sync();
  EXPECT_EQ(untimed.invalidations.size(), 40u);
  EXPECT_EQ(untimed.bench.command_error(), cerror_atc_inv_sync);
}

TEST(SpecAtcInvalidation, ItagsOfOutstandingRequestsDiffer) {
  RecordProperty("rule", "SM-PC-037");
  AtsBench b(timed(ats_config()), latency);
  for (int i = 0; i < 32; ++i) b.bench.push(atc_inv(1));
  b.bench.smmu.write_register(off::CMDQ_PROD, b.bench.prod, 4);
  b.bench.engine.run_until(b.bench.engine.now() + 20 * us);
  ASSERT_EQ(b.invalidations.size(), 32u);
  for (const std::size_t i : {31u, 7u, 8u, 30u}) b.bench.smmu.atc_invalidation_completed(b.invalidations[i].tag);
  for (int i = 0; i < 4; ++i) b.bench.push(atc_inv(1));
  b.bench.smmu.write_register(off::CMDQ_PROD, b.bench.prod, 4);
  b.bench.engine.run_until(b.bench.engine.now() + 20 * us);
  ASSERT_EQ(b.invalidations.size(), 36u);
  std::set<std::uint32_t> itags, tags;
  for (std::size_t i = 0; i < 36; ++i) {
    tags.insert(b.invalidations[i].tag);
    if (i != 31 && i != 7 && i != 8 && i != 30) itags.insert(b.invalidations[i].tag & 31);
  }
  EXPECT_EQ(itags.size(), 32u);
  EXPECT_EQ(tags.size(), 36u) << "no tag is used again";
}

TEST(SpecAtcInvalidation, AnUntimedMachineGivesUpNothingBeforeTheSync) {
  RecordProperty("rule", "SM-PC-031 SM-PC-040");
  AtsBench b;
  for (int i = 0; i < 100; ++i) b.bench.push(atc_inv(1));
  b.bench.kick();
  ASSERT_EQ(b.invalidations.size(), 100u);
  for (const AtcInvalidate& message : b.invalidations) b.bench.smmu.atc_invalidation_completed(message.tag);
  EXPECT_TRUE(b.command({}));
  EXPECT_EQ(b.bench.command_error(), 0u);
}

TEST(SpecAtcInvalidation, ConfigurationChangesSendNothing) {
  RecordProperty("rule", "SM-PC-034");
  AtsBench b;
  b.request();
  b.edit_ste({{raw::ste::S1CDMax, 4}, {raw::ste::S1DSS, 1}});
  b.reload();
  EXPECT_TRUE(b.invalidations.empty());
  EXPECT_EQ(b.request(AtsBench::ipa).address.value, AtsBench::pa) << "but the next request is answered anew";
}

/// What a device sees of a request under way, a TLBI of its page and the invalidation that follows.
std::string order_at_the_device(unsigned command_cycles, Time memory_latency) {
  struct Request : TranslationRequest {
    std::string seen;
  };
  SmmuConfig config = timed(ats_config());
  config.tcu.command_cycles = command_cycles;
  AtsBench b(config, memory_latency);
  Request request;
  request.transaction = b.request_of(1, AtsBench::va);
  request.fire = [](EventNode& node) { static_cast<Request&>(static_cast<TranslationRequest&>(node)).seen += 'C'; };
  b.bench.smmu.on_atc_invalidate([&](const AtcInvalidate& message) {
    request.seen += 'I';
    b.bench.smmu.atc_invalidation_completed(message.tag);
  });
  EXPECT_FALSE(b.bench.smmu.submit(0, request));
  for (const raw::Command& command : {raw::command(cmd::TLBI_NSNH_ALL), raw::command(cmd::SYNC), atc_inv(1)})
    b.bench.push(command);
  b.bench.smmu.write_register(off::CMDQ_PROD, b.bench.prod, 4);
  b.bench.run();
  b.bench.smmu.on_atc_invalidate(nullptr);
  return request.seen;
}

TEST(SpecAtcInvalidation, ACompletionIsNotOvertaken) {
  RecordProperty("rule", "SM-PC-040 SM-CS-005");
  for (const unsigned cycles : {0u, 1u, 4u}) {
    EXPECT_EQ(order_at_the_device(cycles, 0), "CI") << cycles;
    EXPECT_EQ(order_at_the_device(cycles, latency), "CI") << cycles;
  }
}

TEST(SpecAtcInvalidation, ResetForgets) {
  RecordProperty("rule", "SM-RS-001");
  AtsBench b(timed(ats_config()), latency);
  b.bench.push(atc_inv(1));
  b.bench.push(raw::command(cmd::SYNC));
  b.bench.smmu.write_register(off::CMDQ_PROD, b.bench.prod, 4);
  b.bench.engine.run_until(b.bench.engine.now() + us);
  b.bench.smmu.reset();
  b.bench.run();
  b.bench.set_up();
  EXPECT_TRUE(b.command({})) << "nothing is outstanding";
  b.bench.smmu.atc_invalidation_completed(b.invalidations[0].tag);
  EXPECT_TRUE(b.bench.smmu.idle());
}

TEST(SpecPriResponse, Codes) {
  RecordProperty("rule", "SM-PRQ-018 SM-PC-041");
  struct Row {
    std::uint64_t resp;
    PageResponseCode code;
  };
  for (const Row& row : {Row{0, PageResponseCode::response_failure}, Row{1, PageResponseCode::invalid_request},
                         Row{2, PageResponseCode::success}}) {
    for (const bool pasid : {false, true}) {
      AtsBench b;
      EXPECT_TRUE(b.command({raw::command(raw::ats::PRI_RESP, {{cmd::StreamID, 0x77},
                                                               {cmd::SSV, pasid},
                                                               {cmd::SubstreamID, 9},
                                                               {raw::ats::PRGIndex, 0x1a5},
                                                               {cmd::Resp, row.resp}})}));
      ASSERT_EQ(b.responses.size(), 1u);
      EXPECT_EQ(b.responses[0].stream_id.value, 0x77u);
      EXPECT_EQ(b.responses[0].group, 0x1a5u);
      EXPECT_EQ(b.responses[0].code, row.code);
      EXPECT_EQ(b.responses[0].substream_valid, pasid);
      EXPECT_EQ(b.responses[0].substream_id.value, pasid ? 9u : 0u);
    }
  }
}

TEST(SpecPriResponse, IllegalAndIgnored) {
  RecordProperty("rule", "SM-PC-041 SM-RU-009");
  AtsBench b;
  b.bench.issue(raw::command(raw::ats::PRI_RESP, {{cmd::Resp, 3}}));
  EXPECT_EQ(b.bench.command_error(), cerror_ill);
  b.bench.memory.store(SmmuBench::cmdq + 16ull * b.bench.cons(), raw::command(cmd::SYNC));
  b.bench.acknowledge_errors();
  b.cr0(AtsBench::all_on & ~cr0::SMMUEN);
  EXPECT_TRUE(b.command({raw::command(raw::ats::PRI_RESP, {{cmd::Resp, 2}})}));
  EXPECT_TRUE(b.responses.empty()) << "SMMUEN=0";
  SmmuConfig no_pasid = ats_config();
  no_pasid.features.ssidsize = 0;
  AtsBench c(no_pasid);
  EXPECT_TRUE(c.command({raw::command(raw::ats::PRI_RESP, {{cmd::Resp, 2}, {cmd::SSV, 1}})}));
  EXPECT_TRUE(c.responses.empty()) << "no effect (CONSTRAINED UNPREDICTABLE)";
  SmmuConfig no_pri = ats_config();
  no_pri.features.pri = false;
  AtsBench d(no_pri);
  d.bench.issue(raw::command(raw::ats::PRI_RESP, {{cmd::Resp, 2}}));
  EXPECT_EQ(d.bench.command_error(), cerror_ill) << "IDR0.PRI=0";
}

}  // namespace
}  // namespace smmusim
