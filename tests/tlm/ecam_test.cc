// SPDX-License-Identifier: MIT
// Configuration space as memory: where a function's registers are, which accesses there are, and what nobody answers.
#include "platform/pcie/ecam.h"

#include "platform/pcie/function_config.h"
#include "tests/tlm/fresh_context.h"

namespace smmusim::platform {
namespace {

struct Cpu : sc_core::sc_module, tlm::tlm_bw_transport_if<> {
  tlm::tlm_initiator_socket<> out;
  explicit Cpu(const sc_core::sc_module_name& name) : sc_core::sc_module(name), out("out") { out.bind(*this); }
  tlm::tlm_sync_enum nb_transport_bw(tlm::tlm_generic_payload&, tlm::tlm_phase&, sc_core::sc_time&) override {
    return tlm::TLM_ACCEPTED;
  }
  void invalidate_direct_mem_ptr(sc_dt::uint64, sc_dt::uint64) override {}
};

struct EcamTest : systemc::FreshContext {
  static constexpr std::uint16_t rid = 0x0108;
  static constexpr std::uint64_t base = Ecam::offset_of(rid, 0);

  Ecam ecam{"ecam", 100'000};
  Cpu cpu{"cpu"};
  FunctionConfig function{FunctionDescription{}};
  sc_core::sc_time delay;

  EcamTest() {
    cpu.out.bind(ecam.in);
    ecam.attach(rid, function.space());
  }

  tlm::tlm_response_status access(tlm::tlm_command command, std::uint64_t address, std::uint64_t& value, unsigned size,
                                  unsigned char* enables = nullptr) {
    tlm::tlm_generic_payload payload;
    payload.set_command(command);
    payload.set_address(address);
    payload.set_data_ptr(reinterpret_cast<unsigned char*>(&value));
    payload.set_data_length(size);
    payload.set_streaming_width(size);
    payload.set_byte_enable_ptr(enables);
    payload.set_byte_enable_length(enables == nullptr ? 0 : size);
    cpu.out->b_transport(payload, delay);
    return payload.get_response_status();
  }
  std::uint64_t read(std::uint64_t address, unsigned size) {
    std::uint64_t value = 0;
    EXPECT_EQ(access(tlm::TLM_READ_COMMAND, address, value, size), tlm::TLM_OK_RESPONSE);
    return value;
  }
  void write(std::uint64_t address, std::uint64_t value, unsigned size) {
    EXPECT_EQ(access(tlm::TLM_WRITE_COMMAND, address, value, size), tlm::TLM_OK_RESPONSE);
  }
};

TEST_F(EcamTest, RegistersAreAtBusDeviceFunctionAndOffset) {
  EXPECT_EQ(base, 0x0010'8000U);
  EXPECT_EQ(read(base, 4), 0x0005'1b36U);
  EXPECT_EQ(read(base, 2), 0x1b36U);
  EXPECT_EQ(read(base + 2, 2), 0x0005U);
  EXPECT_EQ(read(base + 1, 1), 0x1bU);
  EXPECT_EQ(read(base, 8), 0x0010'0000'0005'1b36U);
}

TEST_F(EcamTest, WritesReachTheirBytesOnly) {
  write(base + 4, 6, 2);
  EXPECT_TRUE(function.bus_master());
  write(base + 5, 0xff, 1);
  EXPECT_EQ(read(base + 4, 2), 0x0506U);
  write(base + 4, 0, 1);
  EXPECT_FALSE(function.bus_master());
  EXPECT_EQ(read(base + 4, 2), 0x0500U);
}

TEST_F(EcamTest, WhereNoFunctionIsReadsGiveOnes) {
  for (const std::uint16_t other : std::initializer_list<std::uint16_t>{0x0000, 0x0109, 0xffff}) {
    write(Ecam::offset_of(other, 4), 6, 2);
    EXPECT_EQ(read(Ecam::offset_of(other, 0), 4), 0xffff'ffffU);
  }
  EXPECT_FALSE(function.bus_master());
}

TEST_F(EcamTest, OtherAccessesAreRefused) {
  std::uint64_t value = 0;
  unsigned char enables[4] = {0xff, 0, 0xff, 0xff};
  const auto status = [&](std::uint64_t address, unsigned size) {
    return access(tlm::TLM_READ_COMMAND, address, value, size);
  };
  for (const unsigned size : {0U, 3U, 5U, 16U}) EXPECT_EQ(status(base, size), tlm::TLM_BURST_ERROR_RESPONSE) << size;
  EXPECT_EQ(status(base + 1, 2), tlm::TLM_BURST_ERROR_RESPONSE);
  EXPECT_EQ(status(base + 2, 4), tlm::TLM_BURST_ERROR_RESPONSE);
  EXPECT_EQ(status(base + 4, 8), tlm::TLM_BURST_ERROR_RESPONSE);
  EXPECT_EQ(status(Ecam::bytes, 4), tlm::TLM_BURST_ERROR_RESPONSE);
  EXPECT_EQ(access(tlm::TLM_READ_COMMAND, base, value, 4, enables), tlm::TLM_BURST_ERROR_RESPONSE);
  EXPECT_EQ(status(Ecam::bytes - 4, 4), tlm::TLM_OK_RESPONSE);
}

/// Neither a read nor a write: it asks for nothing and changes nothing.
TEST_F(EcamTest, TheIgnoreCommandDoesNothing) {
  std::uint64_t value = 0x55;
  EXPECT_EQ(access(tlm::TLM_IGNORE_COMMAND, base, value, 4), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(value, 0x55U);
}

TEST_F(EcamTest, AnAccessTakesItsLatency) {
  read(base, 4);
  EXPECT_EQ(delay, sc_core::sc_time(100, sc_core::SC_NS));
}

TEST_F(EcamTest, ADebuggerReadsAndDoesNotWrite) {
  std::uint64_t value = 0;
  tlm::tlm_generic_payload payload;
  payload.set_address(base);
  payload.set_data_ptr(reinterpret_cast<unsigned char*>(&value));
  payload.set_data_length(4);
  payload.set_command(tlm::TLM_READ_COMMAND);
  EXPECT_EQ(cpu.out->transport_dbg(payload), 4U);
  EXPECT_EQ(value, 0x0005'1b36U);
  payload.set_address(base + 4);
  value = 6;
  payload.set_command(tlm::TLM_WRITE_COMMAND);
  EXPECT_EQ(cpu.out->transport_dbg(payload), 0U);
  EXPECT_FALSE(function.bus_master());
}

}  // namespace
}  // namespace smmusim::platform
