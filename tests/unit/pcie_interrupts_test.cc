// SPDX-License-Identifier: MIT
// MSI and MSI-X of a function: which write an interrupt is, what masks hold back, and that neither ATS nor relaxed
// ordering touches it.
#include "platform/endpoint/function_interrupts.h"
#include "tests/unit/pcie_function_bench.h"

namespace smmusim::platform {
namespace {

constexpr std::uint64_t doorbell = 0x1'0809'0040;
constexpr unsigned table = 0x800, pending_bits = 0xd00;

FunctionDescription with_interrupts() {
  FunctionDescription description = FunctionBench::with_everything();
  description.msi = MsiCapability{.vectors_log2 = 3, .masking = true};
  description.msix = MsixCapability{.vectors = 70, .bar = 0, .table_offset = table, .pba_offset = pending_bits};
  return description;
}

struct Bench : FunctionBench {
  Scope scope{engine};
  FunctionDma dma{scope, function};
  FunctionInterrupts interrupts{function, dma};

  Bench() : FunctionBench({}, with_interrupts()) {}

  void control_msix(std::uint32_t value) { write_capability(0x11, false, cap::msix_control, value, 2); }
  void enable_msix() { control_msix(1U << 15); }
  void entry(unsigned vector, std::uint64_t address, std::uint32_t data, bool masked = false) {
    interrupts.write(table + 16 * vector, address, 8);
    interrupts.write(table + 16 * vector + 8, data | std::uint64_t{masked} << 32, 8);
  }
  /// With so many vectors allocated.
  void enable_msi(unsigned allocated_log2) {
    write_capability(0x05, false, 4, static_cast<std::uint32_t>(doorbell), 4);
    write_capability(0x05, false, 8, doorbell >> 32, 4);
    write_capability(0x05, false, 12, 0x4d07, 2);
    write_capability(0x05, false, cap::msi_control, 1 | allocated_log2 << 4, 2);
  }
  std::uint32_t msi_register(unsigned offset) {
    return function.config_space().space().read(*function.config_space().capability(0x05, false) + offset, 4);
  }
  std::vector<std::uint32_t> sent() {
    run();
    std::vector<std::uint32_t> all;
    for (const Tlp& tlp : root.of(TlpType::MWr)) {
      std::uint32_t data = 0;
      EXPECT_EQ(tlp.data.size(), sizeof data);
      std::memcpy(&data, tlp.data.data(), sizeof data);
      all.push_back(data);
    }
    return all;
  }
  using Data = std::vector<std::uint32_t>;
};

TEST(FunctionInterrupts, MsixWritesTheEntrysDataToItsAddress) {
  Bench bench;
  bench.enable_msix();
  bench.entry(69, doorbell, 0x1234'5678);
  bench.interrupts.raise(69);
  EXPECT_EQ(bench.sent(), Bench::Data{0x1234'5678});
  const Tlp& tlp = bench.root.came.at(0);
  EXPECT_EQ(tlp.address, doorbell);
  EXPECT_EQ(tlp.first_be, 0xf);
  EXPECT_EQ(tlp.length_dw, 1);
  bench.expect_quiet();
}

TEST(FunctionInterrupts, TableAndPendingBitsAreApartAndInTheirBar) {
  for (const auto& [from, pending] : {std::pair{0x800U, 0xc00U}, {0x800U, 0x7f8U}, {0xc00U, 0U}, {0U, 0xff8U}}) {
    FunctionDescription description = with_interrupts();
    description.msix->table_offset = from;
    description.msix->pba_offset = pending;
    FunctionBench bench({}, description);
    Scope scope{bench.engine};
    FunctionDma dma{scope, bench.function};
    EXPECT_THROW((FunctionInterrupts{bench.function, dma}), std::invalid_argument) << from << " " << pending;
  }
}

TEST(FunctionInterrupts, TheTableReadsAsItWasWritten) {
  Bench bench;
  bench.entry(2, 0x1122'3344'5566'7788, 0x99aa'bbcc);
  EXPECT_EQ(bench.interrupts.read(table + 32, 8), 0x1122'3344'5566'7788U);
  EXPECT_EQ(bench.interrupts.read(table + 40, 4), 0x99aa'bbccU);
  EXPECT_EQ(bench.interrupts.read(table + 33, 1), 0x77U);
  EXPECT_EQ(bench.interrupts.read(table + 44, 4), 0U);
  EXPECT_EQ(bench.interrupts.read(table + 12, 4), 1U);  // of an entry never written: masked
  bench.interrupts.write(table + 33, 0, 1);
  bench.interrupts.write(table + 34, 0, 2);
  EXPECT_EQ(bench.interrupts.read(table + 32, 4), 0x5566'7788U);
  bench.interrupts.write(table + 32, 0xffff'ffff, 4);
  EXPECT_EQ(bench.interrupts.read(table + 32, 4), 0xffff'fffcU);  // of doublewords
  EXPECT_TRUE(bench.interrupts.holds(0, table + 70 * 16 - 1));
  EXPECT_FALSE(bench.interrupts.holds(0, table + 70 * 16));
  EXPECT_FALSE(bench.interrupts.holds(1, table));
  EXPECT_TRUE(bench.interrupts.holds(0, pending_bits + 15));
  EXPECT_FALSE(bench.interrupts.holds(0, pending_bits + 16));
}

TEST(FunctionInterrupts, AMaskedVectorIsPendingAndSentOnceWhenTheMaskGoes) {
  Bench bench;
  bench.enable_msix();
  bench.entry(65, doorbell, 7, true);
  bench.interrupts.raise(65);
  bench.interrupts.raise(65);
  EXPECT_EQ(bench.sent(), Bench::Data{});
  EXPECT_EQ(bench.interrupts.read(pending_bits + 8, 8), 2U);
  EXPECT_EQ(bench.interrupts.read(pending_bits, 8), 0U);
  bench.interrupts.write(pending_bits + 8, 0, 8);  // read-only
  EXPECT_TRUE(bench.interrupts.pending(65));
  bench.interrupts.write(table + 16 * 65 + 12, 0, 4);
  EXPECT_EQ(bench.sent(), Bench::Data{7});
  EXPECT_EQ(bench.interrupts.read(pending_bits + 8, 8), 0U);
  EXPECT_EQ(bench.interrupts.counters().merged, 1U);
}

TEST(FunctionInterrupts, TheFunctionMaskHoldsEveryVector) {
  Bench bench;
  bench.control_msix(3U << 14);
  bench.entry(0, doorbell, 10);
  bench.entry(1, doorbell, 11);
  bench.interrupts.raise(1);
  bench.interrupts.raise(0);
  EXPECT_EQ(bench.sent(), Bench::Data{});
  bench.enable_msix();
  EXPECT_EQ(bench.sent(), (Bench::Data{10, 11}));
}

TEST(FunctionInterrupts, WithoutMsiAndMsixAndBeyondTheTableTheyAreLost) {
  Bench bench;
  bench.interrupts.raise(0);
  bench.enable_msix();
  bench.entry(0, doorbell, 1);
  bench.interrupts.raise(70);
  EXPECT_EQ(bench.sent(), Bench::Data{});
  EXPECT_EQ(bench.interrupts.counters().lost, 2U);
  EXPECT_EQ(bench.interrupts.counters().raised, 2U);
}

/// The low bits of the data are the vector; a device with more vectors than it was given shares them.
TEST(FunctionInterrupts, MsiPutsTheVectorIntoTheData) {
  Bench bench;
  bench.enable_msi(2);
  for (const unsigned vector : {0U, 3U, 6U}) bench.interrupts.raise(vector);
  EXPECT_EQ(bench.sent(), (Bench::Data{0x4d04, 0x4d07, 0x4d06}));
  EXPECT_EQ(bench.root.came.at(0).address, doorbell);
  EXPECT_EQ(bench.interrupts.vectors(), 4U);
  bench.enable_msi(7);  // no such number: as many as there are
  EXPECT_EQ(bench.interrupts.vectors(), 8U);
}

TEST(FunctionInterrupts, MsiHasMaskAndPendingBitsInItsCapability) {
  Bench bench;
  bench.enable_msi(3);
  bench.write_capability(0x05, false, 0x10, 0x28, 4);
  bench.interrupts.raise(3);
  bench.interrupts.raise(5);
  bench.interrupts.raise(4);
  EXPECT_EQ(bench.sent(), Bench::Data{0x4d04});
  EXPECT_EQ(bench.msi_register(0x14), 0x28U);
  bench.write_capability(0x05, false, 0x10, 0x20, 4);
  EXPECT_EQ(bench.sent(), (Bench::Data{0x4d04, 0x4d03}));
  EXPECT_EQ(bench.msi_register(0x14), 0x20U);
}

TEST(FunctionInterrupts, GoUntranslatedWithAtsOn) {
  Bench bench;
  bench.enable_msix();
  bench.enable_ats();
  bench.entry(0, doorbell, 5);
  bench.interrupts.raise(0);
  EXPECT_EQ(bench.sent(), Bench::Data{5});
  EXPECT_TRUE(bench.root.translation_requests().empty());
  EXPECT_EQ(bench.root.came.at(0).at, AddressType::untranslated);
  EXPECT_FALSE(bench.root.came.at(0).relaxed_ordering);
}

TEST(FunctionInterrupts, WithoutBusMasterTheWriteFails) {
  Bench bench;
  bench.write(0x04, 2, 2);
  bench.enable_msix();
  bench.entry(0, doorbell, 5);
  bench.interrupts.raise(0);
  EXPECT_EQ(bench.sent(), Bench::Data{});
  EXPECT_EQ(bench.dma.signals_failed(), 1U);
}

TEST(FunctionInterrupts, AResetForgetsTableAndPendingBits) {
  Bench bench;
  bench.control_msix(3U << 14);
  bench.entry(0, doorbell, 5);
  bench.interrupts.raise(0);
  bench.interrupts.reset();
  bench.enable_msix();
  EXPECT_EQ(bench.sent(), Bench::Data{});
  EXPECT_EQ(bench.interrupts.read(table, 8), 0U);
  EXPECT_EQ(bench.interrupts.read(table + 12, 4), 1U);
}

// --- Attributes of the device's other requests -----------------------------------------------------------------------

TEST(PcieFunctionAttributes, RelaxedOrderingNeedsTheDeviceAndSoftware) {
  for (const bool device : {false, true}) {
    for (const bool software : {false, true}) {
      Bench bench;
      bench.write_capability(0x10, false, cap::pcie_device_control, software ? 1U << 4 : 0, 2);
      DmaWork work = Bench::write_of(0x1000, 64);
      work.relaxed_ordering = device;
      work.user = nullptr;
      bench.function.set_handler({});
      bench.push_and_run(work);
      EXPECT_EQ(bench.root.came.at(0).relaxed_ordering, device && software);
    }
  }
}

TEST(PcieFunctionAttributes, IdOrderingIsSoftwares) {
  Bench bench;
  bench.function.set_handler({});
  bench.push_and_run(Bench::read_of(0x1000, 64));
  bench.write_capability(0x10, false, cap::pcie_device_control_2, 1U << 8, 2);
  bench.push_and_run(Bench::read_of(0x1000, 64));
  EXPECT_FALSE(bench.root.came.at(0).id_ordering);
  EXPECT_TRUE(bench.root.came.at(1).id_ordering);
}

}  // namespace
}  // namespace smmusim::platform
