// SPDX-License-Identifier: MIT
// TLM initiators as PCIe functions: a plain one that knows nothing of PCIe, one with the extension, one that blocks;
// what their accesses look like on the link, and every way in which one can end.
#include "platform/pcie/tlm_function.h"

#include <algorithm>

#include "tests/tlm/fresh_context.h"
#include "tests/tlm/hostile_machine.h"
#include "tests/tlm/test_modules.h"

namespace smmusim::platform {
namespace {

using systemc::PcieExtension;
using systemc::PcieStatus;

constexpr std::uint32_t bus_master = 4;

/// Calls b_transport from a thread.
struct BlockingInitiator : sc_core::sc_module, tlm::tlm_bw_transport_if<> {
  tlm::tlm_initiator_socket<> out;
  std::vector<tlm::tlm_generic_payload*> work;

  explicit BlockingInitiator(const sc_core::sc_module_name& name) : sc_core::sc_module(name), out("out") {
    out.bind(*this);
    SC_HAS_PROCESS(BlockingInitiator);
    SC_THREAD(run);
  }
  void run() {
    for (tlm::tlm_generic_payload* payload : work) {
      sc_core::sc_time delay = sc_core::sc_time(3, sc_core::SC_NS);
      out->b_transport(*payload, delay);
    }
  }
  tlm::tlm_sync_enum nb_transport_bw(tlm::tlm_generic_payload&, tlm::tlm_phase&, sc_core::sc_time&) override {
    return tlm::TLM_COMPLETED;
  }
  void invalidate_direct_mem_ptr(sc_dt::uint64, sc_dt::uint64) override {}
};

/// HostileMachine with a function in the device's place; page 0x8000 is mapped.
template <class Initiator>
struct FunctionMachine : HostileMachine {
  Initiator initiator{"initiator"};
  TlmFunction function;
  systemc::ProtocolMonitor monitor{"function_monitor"};
  std::vector<Tlp> sent;

  explicit FunctionMachine(const PayloadRequesterConfig& config = {.requester_id = rid})
      : function("function", world.pump, pool, config, description()) {
    function.connect(link);
    initiator.out.bind(monitor.in);
    monitor.out.bind(function.in);
    function.config_space().space().write(4, bus_master, 2);
    link.on_tlp = [this](Time, const Tlp& tlp, TlpLink::End from) {
      if (from == TlpLink::downstream) sent.push_back(tlp);
    };
    start();
  }
  static FunctionDescription description() {
    FunctionDescription description;
    description.ats = AtsCapability{};
    description.pasid = PasidCapability{.width = 16, .execute = true};
    return description;
  }
  void enable(std::uint16_t id, std::uint16_t offset, std::uint32_t value) {
    function.config_space().space().write(*function.config_space().capability(id, true) + std::uint32_t{offset}, value,
                                          2);
  }
  void run() {
    HostileMachine::run();
    EXPECT_TRUE(monitor.quiet());
    EXPECT_TRUE(function.idle());
    EXPECT_EQ(function.imbalance(), "");
  }
};
using PlainMachine = FunctionMachine<systemc::PlainInitiator>;

PcieExtension& extended(tlm::tlm_generic_payload& payload) {
  auto* extension = new PcieExtension;
  payload.set_extension(extension);
  return *extension;
}

struct TlmFunctionTest : systemc::FreshContext {};

TEST_F(TlmFunctionTest, APlainInitiatorsWriteIsCutAtMaxPayloadSize) {
  PlainMachine m;
  auto& write = m.initiator.add(0x8001, 700, true);
  for (unsigned i = 0; i != 700; ++i) write.get_data_ptr()[i] = static_cast<unsigned char>(i * 7);
  m.run();

  EXPECT_EQ(m.initiator.done.size(), 1U);
  EXPECT_EQ(write.get_response_status(), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(m.sent.size(), 6U) << "127, four times 128, 61 bytes";
  EXPECT_EQ(m.sent[0].first_be, 0xe);
  EXPECT_EQ(m.sent[0].requester_id, rid);
  EXPECT_FALSE(m.sent[0].pasid.present);
  std::vector<unsigned char> memory(700);
  m.world.memory.peek(Pa(ram + 0x5001), memory.data(), memory.size());
  EXPECT_TRUE(std::equal(memory.begin(), memory.end(), write.get_data_ptr()));
}

TEST_F(TlmFunctionTest, ReadsAreCutAtMaxReadRequestSizeAndPages) {
  PlainMachine m;
  for (std::uint64_t i = 0; i != 4096; i += 8) m.world.memory.store64(Pa(ram + 0x5000 + i), i * 0x0101'0101);
  auto& read = m.initiator.add(0x8100, 1500, false);
  m.run();
  EXPECT_EQ(read.get_response_status(), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(m.sent.size(), 3U) << "512, 512, 476 bytes";
  std::vector<unsigned char> memory(1500);
  m.world.memory.peek(Pa(ram + 0x5100), memory.data(), memory.size());
  EXPECT_TRUE(std::equal(memory.begin(), memory.end(), read.get_data_ptr()));
}

TEST_F(TlmFunctionTest, ByteEnablesLeaveBytesAlone) {
  PlainMachine m;
  unsigned char enables[] = {0xff, 0, 0xff};
  m.world.memory.store64(Pa(ram + 0x5000), 0);
  auto& write = m.initiator.add(0x8000, 8, true);
  for (unsigned i = 0; i != 8; ++i) write.get_data_ptr()[i] = static_cast<unsigned char>(0x11 * (i + 1));
  auto& nothing = m.initiator.add(0x8000, 4, true);
  unsigned char none[] = {0};
  write.set_byte_enable_ptr(enables);
  write.set_byte_enable_length(3);
  nothing.set_byte_enable_ptr(none);
  nothing.set_byte_enable_length(1);
  m.run();
  EXPECT_EQ(m.world.memory.load64(Pa(ram + 0x5000)), 0x0077'6600'4433'0011U);
  EXPECT_TRUE(nothing.is_response_ok());
}

TEST_F(TlmFunctionTest, AThreadThatBlocksIsAnswered) {
  FunctionMachine<BlockingInitiator> m;
  std::vector<unsigned char> data(256, 0x5a), back(256);
  tlm::tlm_generic_payload write, read;
  for (auto* payload : {&write, &read}) {
    payload->set_address(0x8000);
    payload->set_data_length(256);
    payload->set_streaming_width(256);
    payload->set_data_ptr(payload == &write ? data.data() : back.data());
    payload->set_command(payload == &write ? tlm::TLM_WRITE_COMMAND : tlm::TLM_READ_COMMAND);
  }
  m.initiator.work = {&write, &read};
  m.run();
  EXPECT_TRUE(write.is_response_ok());
  EXPECT_TRUE(read.is_response_ok());
  EXPECT_EQ(back, data);
}

TEST_F(TlmFunctionTest, TheExtensionChoosesFieldsOfTheRequest) {
  PlainMachine m;
  m.enable(0x1b, cap::pasid_control, 3);
  auto& payload = m.initiator.add(0x8000, 8, false);
  PcieExtension& extension = extended(payload);
  extension.request = {.pasid_valid = true,
                       .pasid = SubstreamId(0x123),
                       .execute = true,
                       .relaxed_ordering = true,
                       .id_ordering = true,
                       .no_snoop = true};
  m.run();
  ASSERT_EQ(m.sent.size(), 1U);
  EXPECT_TRUE(m.sent[0].pasid.present);
  EXPECT_EQ(m.sent[0].pasid.pasid, 0x123U);
  EXPECT_TRUE(m.sent[0].pasid.execute);
  EXPECT_FALSE(m.sent[0].pasid.privileged);
  EXPECT_TRUE(m.sent[0].relaxed_ordering);
  EXPECT_TRUE(m.sent[0].id_ordering);
  EXPECT_TRUE(m.sent[0].no_snoop);
  EXPECT_EQ(extension.status, PcieStatus::completer_abort) << "the stream has no substreams";
  EXPECT_EQ(payload.get_response_status(), tlm::TLM_GENERIC_ERROR_RESPONSE);
  EXPECT_EQ(payload.get_data_ptr()[0], 0xff);
}

TEST_F(TlmFunctionTest, ATranslationRequestBringsItsEntryAndATranslatedAccessUsesIt) {
  PlainMachine m;
  m.enable(0x0f, cap::ats_control, 0x8000);
  auto& ask = m.initiator.add(0x8000, 8, false);
  PcieExtension& asked = extended(ask);
  asked.request.at = AtsType::translation_request;
  asked.request.no_write = true;
  auto& write = m.initiator.add(ram + 0x5040, 8, true);
  extended(write).request.at = AtsType::translated;
  std::fill_n(write.get_data_ptr(), 8, std::uint8_t{0x77});
  m.run();
  EXPECT_EQ(asked.status, PcieStatus::success);
  std::uint64_t bits = 0;
  for (unsigned i = 0; i != 8; ++i) bits = bits << 8 | ask.get_data_ptr()[i];
  const TranslationEntry entry = TranslationEntry::decode(bits);
  EXPECT_EQ(entry.range.address, ram + 0x5000);
  EXPECT_TRUE(entry.read);
  EXPECT_TRUE(m.sent[0].no_write);
  EXPECT_TRUE(write.is_response_ok());
  EXPECT_EQ(m.world.memory.load64(Pa(ram + 0x5040)), 0x7777'7777'7777'7777U);
}

TEST_F(TlmFunctionTest, InvalidateRequestsGoToWhoKeepsTranslations) {
  PlainMachine m;
  m.enable(0x0f, cap::ats_control, 0x8000);
  m.invalidate();
  m.run();
  EXPECT_EQ(m.consumed(), 2U) << "nobody keeps any, so it is answered at once";
  std::vector<InvalidateRequest> came;
  m.function.on_invalidate = [&](const InvalidateRequest& request) { came.push_back(request); };
  m.invalidate();
  sc_core::sc_start(10, sc_core::SC_US);
  ASSERT_EQ(came.size(), 1U);
  EXPECT_EQ(m.consumed(), 3U) << "CMD_SYNC waits";
  {
    const systemc::Pump::Entry entry(m.world.pump);
    m.function.complete_invalidation(came[0]);
  }
  m.run();
  EXPECT_EQ(m.consumed(), 4U);
}

TEST_F(TlmFunctionTest, WhatSoftwareHasNotSwitchedOnIsNotSent) {
  PlainMachine m;
  auto& pasid = m.initiator.add(0x8000, 8, true);
  extended(pasid).request.pasid_valid = true;
  auto& translated = m.initiator.add(0x8000, 8, true);
  extended(translated).request.at = AtsType::translated;
  m.run();
  m.function.config_space().space().write(4, 0, 2);
  EXPECT_EQ(pasid.get_extension<PcieExtension>()->status, PcieStatus::refused);
  EXPECT_EQ(translated.get_extension<PcieExtension>()->status, PcieStatus::refused);
  EXPECT_EQ(translated.get_response_status(), tlm::TLM_GENERIC_ERROR_RESPONSE);
  EXPECT_TRUE(m.sent.empty());
  EXPECT_EQ(m.function.counters().refused, 2U);
}

TEST_F(TlmFunctionTest, WithoutBusMasterNothingIsSent) {
  PlainMachine m;
  m.function.config_space().space().write(4, 0, 2);
  auto& plain = m.initiator.add(0x8000, 8, false);
  m.run();
  EXPECT_EQ(plain.get_response_status(), tlm::TLM_GENERIC_ERROR_RESPONSE);
  EXPECT_TRUE(m.sent.empty());
}

TEST_F(TlmFunctionTest, PayloadsThatAreNoRequestsAreRefused) {
  PlainMachine m;
  std::vector<tlm::tlm_generic_payload*> bad;
  for (int i = 0; i != 5; ++i) bad.push_back(&m.initiator.add(0x8000, 8, i == 4));
  bad[0]->set_data_length(0);
  bad[1]->set_data_ptr(nullptr);
  bad[2]->set_streaming_width(4);
  bad[3]->set_command(tlm::TLM_IGNORE_COMMAND);
  extended(*bad[4]).request.at = AtsType::translation_request;  // a write
  m.run();
  for (const auto* payload : bad) EXPECT_TRUE(payload->is_response_error());
  EXPECT_EQ(m.function.counters().refused, 5U);
  EXPECT_TRUE(m.sent.empty());
}

TEST_F(TlmFunctionTest, AnAtomicSwapBringsWhatWasThere) {
  PlainMachine m;
  auto& swap = m.initiator.add(0x8000, 8, true);
  std::fill_n(swap.get_data_ptr(), 8, std::uint8_t{0x11});
  extended(swap).request.atomic = true;
  m.run();
  ASSERT_EQ(m.sent.size(), 1U);
  EXPECT_EQ(m.sent[0].type, TlpType::Swap);
  EXPECT_TRUE(swap.is_response_ok());
  EXPECT_TRUE(std::all_of(swap.get_data_ptr(), swap.get_data_ptr() + 8, [](std::uint8_t byte) { return byte == 0; }));
  EXPECT_EQ(m.world.memory.load64(Pa(ram + 0x5000)), 0x1111'1111'1111'1111U);
}

TEST_F(TlmFunctionTest, RequestsAndMessagesToItAreUnsupported) {
  PlainMachine m;
  m.root.attach(m.world.smmu.smmu(), 0, 1);
  m.invalidate();  // ATS is off here
  m.run();
  EXPECT_EQ(m.function.counters().unsupported, 1U);
  EXPECT_EQ(m.consumed(), 2U) << "for the SMMU that is an answer (IHI 0070 section 4.5)";
}

/// A link whose other end takes everything and answers nothing.
struct SilentPort final : TlpLink::Port {
  void tlp_arrived(Tlp& tlp, TlpLink& link) override {
    last = tlp;
    link.release(TlpLink::upstream, tlp);
    pool->give(tlp);
  }
  void room_again(FlowClass, TlpLink&) override {}
  TlpPool* pool = nullptr;
  Tlp last{};
};

TEST_F(TlmFunctionTest, AReadThatNobodyAnswersTimesOutAndALateAnswerIsUnexpected) {
  constexpr Time timeout = 50'000'000;
  PlainMachine m({.requester_id = rid, .tags = 4, .completion_timeout_ps = timeout});
  SilentPort silent;
  silent.pool = &m.pool;
  m.link.connect(TlpLink::upstream, silent);
  auto& read = m.initiator.add(0x8000, 8, false);
  m.run();
  ASSERT_EQ(m.initiator.done.size(), 1U);
  EXPECT_EQ(read.get_response_status(), tlm::TLM_GENERIC_ERROR_RESPONSE);
  EXPECT_GE(m.initiator.done[0].at, systemc::from_ps(timeout));
  EXPECT_EQ(m.function.requests().timeouts, 1U);
  Tlp& late = m.pool.take();
  late.type = TlpType::CplD;
  late.requester_id = rid;
  late.tag = silent.last.tag;
  late.length_dw = 2;
  late.byte_count = 8;
  late.data.assign(8, 1);
  {
    const systemc::Pump::Entry entry(m.world.pump);
    m.link.send(TlpLink::upstream, late);
  }
  m.run();
  EXPECT_EQ(m.function.counters().unexpected, 1U);
}

}  // namespace
}  // namespace smmusim::platform
