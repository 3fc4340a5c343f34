// SPDX-License-Identifier: MIT
// AtomicOps of a device through the SMMU: what they leave in memory, what comes back, and what has no answer.
#include "tests/tlm/fresh_context.h"
#include "tests/tlm/hostile_machine.h"
#include "tests/tlm/test_modules.h"

namespace smmusim::platform {
namespace {

struct AtomicTest : systemc::FreshContext {};

constexpr std::uint64_t va = 0x8000, pa = ram + 0x5000;

/// One AtomicOp of 64-bit or 32-bit operands.
struct Op {
  TlpType type;
  unsigned operand_bytes;
  std::uint64_t before;
  std::uint64_t operand;  // of CAS: what is expected
  std::uint64_t second;   // of CAS: what is new
  std::uint64_t after;
};

Tlp& request(Device& device, const Op& op, std::uint64_t address) {
  const unsigned operands = op.type == TlpType::CAS ? 2 : 1;
  Tlp& tlp = device.request(op.type, address, operands * op.operand_bytes);
  std::memcpy(tlp.data.data(), &op.operand, op.operand_bytes);
  if (operands == 2) std::memcpy(tlp.data.data() + op.operand_bytes, &op.second, op.operand_bytes);
  return tlp;
}

TEST_F(AtomicTest, MemoryHasTheResultAndTheDeviceWhatWasThere) {
  constexpr std::uint64_t big = 0xfedc'ba98'7654'3210;
  constexpr Op rows[] = {
      {TlpType::FetchAdd, 8, big, 0x1111, 0, big + 0x1111},
      {TlpType::FetchAdd, 8, ~std::uint64_t{0}, 2, 0, 1},
      {TlpType::FetchAdd, 4, 0xaaaa'aaaa'ffff'ffff, 3, 0, 0xaaaa'aaaa'0000'0002},
      {TlpType::Swap, 8, big, 0x1234, 0, 0x1234},
      {TlpType::Swap, 4, big, 0x1234, 0, 0xfedc'ba98'0000'1234},
      {TlpType::CAS, 8, big, big, 77, 77},
      {TlpType::CAS, 8, big, big + 1, 77, big},
      {TlpType::CAS, 4, big, 0x7654'3210, 77, 0xfedc'ba98'0000'004d},
      {TlpType::CAS, 4, big, 0x7654'3211, 77, big},
  };
  HostileMachine machine;
  machine.start();
  std::uint64_t at = 0;
  for (const Op& op : rows) {
    SCOPED_TRACE(testing::Message() << name_of(op.type) << " " << op.operand_bytes << " on " << std::hex << op.before);
    at += 0x10;
    machine.world.memory.store64(Pa(pa + at), op.before);
    const std::uint16_t tag = machine.device.send(request(machine.device, op, va + at));
    machine.run();
    const Tlp completion = machine.device.completion(tag);
    EXPECT_EQ(completion.status, CplStatus::SC);
    EXPECT_EQ(completion.byte_count, op.operand_bytes);
    ASSERT_EQ(completion.data.size(), op.operand_bytes);
    EXPECT_EQ(std::memcmp(completion.data.data(), &op.before, op.operand_bytes), 0);
    EXPECT_EQ(machine.world.memory.load64(Pa(pa + at)), op.after);
    EXPECT_EQ(machine.device.results.at(tag).address, Pa(pa + at));
  }
}

TEST_F(AtomicTest, CompareAndSwapOfSixteenBytes) {
  for (const bool equal : {true, false}) {
    const auto context = std::make_unique<sc_core::sc_simcontext>();
    sc_core::sc_simcontext* const before = std::exchange(sc_core::sc_curr_simcontext, context.get());
    {
      HostileMachine machine;
      machine.start();
      machine.world.memory.store64(Pa(pa), 1);
      machine.world.memory.store64(Pa(pa + 8), 2);
      Tlp& tlp = machine.device.request(TlpType::CAS, va, 32);
      const std::uint64_t words[4] = {1, equal ? 2U : 3U, 10, 20};
      std::memcpy(tlp.data.data(), words, sizeof words);
      const std::uint16_t tag = machine.device.send(tlp);
      machine.run();
      const Tlp completion = machine.device.completion(tag);
      ASSERT_EQ(completion.data.size(), 16U);
      const std::uint64_t old[2] = {1, 2};
      EXPECT_EQ(std::memcmp(completion.data.data(), old, sizeof old), 0);
      EXPECT_EQ(machine.world.memory.load64(Pa(pa)), equal ? 10U : 1U);
      EXPECT_EQ(machine.world.memory.load64(Pa(pa + 8)), equal ? 20U : 2U);
    }
    sc_core::sc_curr_simcontext = before;
  }
}

/// Every one of them counts: nothing comes in between.
TEST_F(AtomicTest, ManyAddsAtATimeLoseNone) {
  HostileMachine machine;
  machine.start();
  constexpr unsigned adds = 40;
  std::vector<std::uint16_t> tags;
  for (unsigned i = 0; i != adds; ++i) {
    tags.push_back(machine.device.send(request(machine.device, {TlpType::FetchAdd, 8, 0, 1, 0, 0}, va)));
  }
  machine.run();
  std::vector<std::uint64_t> found;
  for (const std::uint16_t tag : tags) {
    std::uint64_t value = 0;
    std::memcpy(&value, machine.device.completion(tag).data.data(), sizeof value);
    found.push_back(value);
  }
  std::sort(found.begin(), found.end());
  for (unsigned i = 0; i != adds; ++i) EXPECT_EQ(found[i], i);
  EXPECT_EQ(machine.world.memory.load64(Pa(pa)), adds);
}

/// It reads and writes: a page that is read-only will not do. An ordinary write after it is one again.
TEST_F(AtomicTest, NeedsWritePermission) {
  HostileMachine machine;
  PageTable& table = machine.start();
  table.map(0x9000, Pa(pa), 4096, {.write = false});
  machine.world.memory.store64(Pa(pa), 5);
  Device& device = machine.device;
  const std::uint16_t refused = device.send(request(device, {TlpType::FetchAdd, 8, 0, 1, 0, 0}, 0x9000));
  machine.run();
  EXPECT_EQ(device.completion(refused).status, CplStatus::CA);
  EXPECT_EQ(machine.world.memory.load64(Pa(pa)), 5U);
  const std::uint16_t done = device.send(request(device, {TlpType::FetchAdd, 8, 0, 1, 0, 0}, va));
  machine.run();
  EXPECT_EQ(device.completion(done).status, CplStatus::SC);
  device.send(device.request(TlpType::MWr, va, 8));
  machine.run();
  EXPECT_EQ(machine.world.memory.load64(Pa(pa)), 0xabab'abab'abab'ababU);
}

TEST_F(AtomicTest, OutsideMemoryAndWithAnAbortThereIsNoAnswer) {
  HostileMachine machine;
  PageTable& table = machine.start();
  table.map(0xa000, Pa(0x2000'0000), 4096, {});
  machine.world.memory.inject_abort(Pa(pa), 8, false, true);
  Device& device = machine.device;
  const std::uint16_t nowhere = device.send(request(device, {TlpType::Swap, 8, 0, 1, 0, 0}, 0xa000));
  const std::uint16_t aborted = device.send(request(device, {TlpType::Swap, 8, 0, 1, 0, 0}, va));
  machine.run();
  EXPECT_EQ(device.completion(nowhere).status, CplStatus::UR);
  EXPECT_EQ(device.completion(aborted).status, CplStatus::CA);
}

}  // namespace
}  // namespace smmusim::platform
