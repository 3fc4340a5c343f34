// SPDX-License-Identifier: MIT
// Payloads that cross a 4 KiB boundary (IHI 0070 section 16.7.1), the same cases in every transport: split, with byte
// enables and partial failures, or F_UUT; and what no transport takes.
#include <memory>
#include <string>

#include "tests/tlm/blocking_modules.h"
#include "tests/tlm/fresh_context.h"
#include "tests/tlm/smmu_world.h"
#include "tests/tlm/test_modules.h"

namespace smmusim::systemc {
namespace {

enum class Way { non_blocking, blocking_timed, blocking_untimed, debug };
constexpr Way every_way[] = {Way::non_blocking, Way::blocking_timed, Way::blocking_untimed, Way::debug};
constexpr Way transports[] = {Way::non_blocking, Way::blocking_timed, Way::blocking_untimed};
const char* name_of(Way way) {
  constexpr const char* names[] = {"nb_transport", "timed b_transport", "untimed b_transport", "transport_dbg"};
  return names[static_cast<unsigned>(way)];
}

constexpr std::uint64_t memory_base = 0x40002000;
constexpr std::uint64_t first_page = 0x8000;  // to 0x40005000; 0x9000 to 0x40002000; 0xa000 to 0x40004000
constexpr std::uint64_t outside = 0xc000;     // mapped to where there is no memory; 0xb000 is not mapped
constexpr std::uint64_t razwi_stream = 1;     // nothing mapped, CD.A = 0

SmmuConfig config_of(Way way, Cross4k cross_4k) {
  SmmuConfig config;
  config.timed = way == Way::non_blocking || way == Way::blocking_timed;
  config.tbu.cross_4k = cross_4k;
  return config;
}

struct Bench {
  Way way;
  SmmuWorld world;
  ProtocolMonitor upstream{"upstream"};
  ProtocolMonitor downstream{"downstream"};
  DirectMemory memory{"memory", memory_base, 0x4000};
  std::unique_ptr<PlainInitiator> client;
  std::unique_ptr<Cpu> cpu;
  unsigned debug_done = 0;

  explicit Bench(Way how, Cross4k cross_4k = Cross4k::split) : way(how), world(config_of(how, cross_4k)) {
    if (way == Way::non_blocking) {
      client = std::make_unique<PlainInitiator>("client");
      client->out.bind(upstream.in);
    } else {
      cpu = std::make_unique<Cpu>("cpu", way == Way::blocking_timed);
      cpu->dma.bind(upstream.in);
      cpu->registers.bind(world.smmu.registers);
    }
    upstream.out.bind(world.smmu.tbu_in[0]);
    world.smmu.tbu_out[0].bind(downstream.in);
    downstream.out.bind(memory.in);
    PageTable& table = world.add_stream(0);
    table.map(0x8000, Pa(0x40005000), 4096, {});
    table.map(0x9000, Pa(0x40002000), 4096, {});
    table.map(0xa000, Pa(0x40004000), 4096, {});
    table.map(outside, Pa(0x50000000), 4096, {});
    world.add_stream(razwi_stream, false);
    world.enable();
  }
  void run(tlm::tlm_generic_payload& payload) {
    if (client) {
      client->add(payload);
      sc_core::sc_start();
    } else {
      cpu->body = [&] {
        sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
        if (way == Way::debug) {
          debug_done = cpu->dma->transport_dbg(payload);
        } else {
          cpu->dma->b_transport(payload, delay);
        }
      };
      sc_core::sc_start();
    }
    world.pump.rethrow_failure();
    for (const ProtocolMonitor* monitor : {&upstream, &downstream, &world.tcu_monitor}) {
      EXPECT_TRUE(monitor->quiet()) << monitor->name();
    }
    EXPECT_TRUE(world.smmu.smmu().idle());
    EXPECT_EQ(world.smmu.tbu(0).in_flight(), 0U);
  }
};

/// A payload for any transport: from a pool, with its data.
struct Data {
  PayloadPool pool;
  tlm::tlm_generic_payload& payload = pool.take();
  std::vector<unsigned char> bytes;
  Data(bool write, std::uint64_t address, unsigned size) : bytes(size) {
    for (unsigned i = 0; i < size; ++i) bytes[i] = static_cast<unsigned char>(write ? 0x80 + i : 0);
    payload.set_command(write ? tlm::TLM_WRITE_COMMAND : tlm::TLM_READ_COMMAND);
    payload.set_address(address);
    payload.set_data_ptr(bytes.data());
    payload.set_data_length(size);
    payload.set_streaming_width(size);
  }
};

struct CrossingTest : FreshContext {
  /// Runs `check(way)` in a kernel of its own for each way.
  template <std::size_t N, class Check>
  static void for_each(const Way (&ways)[N], const Check& check) {
    for (const Way way : ways) {
      SCOPED_TRACE(name_of(way));
      const auto context = std::make_unique<sc_core::sc_simcontext>();
      sc_core::sc_simcontext* const before = std::exchange(sc_core::sc_curr_simcontext, context.get());
      check(way);
      sc_core::sc_curr_simcontext = before;
    }
  }
};

TEST_F(CrossingTest, WriteGoesToThePagesOfItsParts) {
  for_each(every_way, [](Way way) {
    Data data(true, first_page + 0xffc, 4 + 4096 + 2);
    Bench bench(way);
    bench.run(data.payload);
    for (unsigned i = 0; i != 4; ++i) EXPECT_EQ(bench.memory.at(0x40005ffc + i), data.bytes[i]) << i;
    for (unsigned i = 0; i != 4096; ++i) ASSERT_EQ(bench.memory.at(0x40002000 + i), data.bytes[4 + i]) << i;
    for (unsigned i = 0; i != 2; ++i) EXPECT_EQ(bench.memory.at(0x40004000 + i), data.bytes[4100 + i]) << i;
    EXPECT_EQ(bench.memory.at(0x40004002), 2U) << "behind the last part";
    EXPECT_EQ(data.payload.get_address(), first_page + 0xffc);
    if (way == Way::debug) {
      EXPECT_EQ(bench.debug_done, data.bytes.size());
    } else {
      EXPECT_TRUE(data.payload.is_response_ok());
    }
  });
}

TEST_F(CrossingTest, ReadComesFromThePagesOfItsParts) {
  for_each(every_way, [](Way way) {
    Data data(false, first_page + 0xffe, 4);
    Bench bench(way);
    bench.run(data.payload);
    EXPECT_EQ(data.bytes, (std::vector<unsigned char>{0xfe, 0xff, 0x00, 0x01}));
  });
}

struct EnableRow {
  const char* what;
  std::vector<unsigned char> enables;
};

TEST_F(CrossingTest, ByteEnablesGoWithTheirBytes) {
  const EnableRow rows[] = {
      {"one for each byte", {0xff, 0, 0, 0xff, 0xff, 0, 0, 0xff, 0, 0xff}},
      {"a pattern that the boundary does not divide", {0xff, 0, 0}},
      {"a pattern of one", {0xff}},
      {"none enabled", {0}},
      {"more of them than bytes", {0, 0xff, 0xff, 0, 0, 0xff, 0xff, 0, 0xff, 0, 0, 0, 0xff}},
  };
  for (const EnableRow& row : rows) {
    SCOPED_TRACE(row.what);
    for_each(transports, [&row](Way way) {
      std::vector<unsigned char> enables = row.enables;
      Data data(true, first_page + 0xffc, 10);
      data.payload.set_byte_enable_ptr(enables.data());
      data.payload.set_byte_enable_length(static_cast<unsigned>(enables.size()));
      Bench bench(way);
      bench.run(data.payload);
      EXPECT_TRUE(data.payload.is_response_ok());
      for (unsigned i = 0; i != 10; ++i) {
        const std::uint64_t address = i < 4 ? 0x40005ffc + i : 0x40002000 + i - 4;
        const bool enabled = enables[i % enables.size()] == TLM_BYTE_ENABLED;
        EXPECT_EQ(bench.memory.at(address), enabled ? data.bytes[i] : address & 0xff) << i;
      }
    });
  }
}

TEST_F(CrossingTest, RazWiClearsOnlyTheBytesThatAreEnabled) {
  for_each(transports, [](Way way) {
    std::vector<unsigned char> enables{0xff, 0, 0};
    Data data(false, first_page + 0xffe, 6);
    std::fill(data.bytes.begin(), data.bytes.end(), static_cast<unsigned char>(0x55));
    data.payload.get_extension<SmmuExtension>()->client.stream_id = StreamId(razwi_stream);
    data.payload.set_byte_enable_ptr(enables.data());
    data.payload.set_byte_enable_length(3);
    Bench bench(way);
    bench.run(data.payload);
    EXPECT_TRUE(data.payload.is_response_ok());
    EXPECT_EQ(data.bytes, (std::vector<unsigned char>{0, 0x55, 0x55, 0, 0x55, 0x55}));
    EXPECT_EQ(bench.memory.accesses, 0U);
  });
}

struct FailureRow {
  const char* what;
  std::uint64_t address;
  unsigned size;
  tlm::tlm_response_status status;
  Outcome outcome;
  unsigned accesses;    ///< parts that reach memory
  unsigned debug_done;  ///< transport_dbg stops at the first part that fails
};

TEST_F(CrossingTest, FirstFailedPartGivesTheStatusAndTheOthersStillHappen) {
  const FailureRow rows[] = {
      {"last part not mapped", 0xaff0, 32, tlm::TLM_GENERIC_ERROR_RESPONSE, Outcome::abort, 1, 16},
      {"first part not mapped", 0x7ff0, 32, tlm::TLM_GENERIC_ERROR_RESPONSE, Outcome::abort, 1, 0},
      {"middle part not mapped", 0xaff0, 16 + 4096 + 8, tlm::TLM_GENERIC_ERROR_RESPONSE, Outcome::abort, 2, 16},
      {"first not mapped, then nothing there", 0xbff0, 32, tlm::TLM_GENERIC_ERROR_RESPONSE, Outcome::abort, 1, 0},
      {"nothing there, then not mapped", 0xcff0, 32, tlm::TLM_ADDRESS_ERROR_RESPONSE, Outcome::abort, 1, 0},
  };
  for (const FailureRow& row : rows) {
    SCOPED_TRACE(row.what);
    for_each(every_way, [&row](Way way) {
      Data data(true, row.address, row.size);
      Bench bench(way);
      bench.run(data.payload);
      if (way == Way::debug) {
        EXPECT_EQ(bench.debug_done, row.debug_done);
        return;
      }
      EXPECT_EQ(data.payload.get_response_status(), row.status);
      EXPECT_EQ(data.payload.get_extension<SmmuExtension>()->outcome, row.outcome);
      EXPECT_EQ(bench.memory.accesses, row.accesses);
      EXPECT_EQ(data.payload.get_address(), row.address);
    });
  }
}

TEST_F(CrossingTest, ConfiguredSoACrossingAccessIsFUut) {
  for_each(every_way, [](Way way) {
    Data data(true, first_page + 0xffc, 8);
    Bench bench(way, Cross4k::f_uut);
    bench.run(data.payload);
    EXPECT_EQ(bench.memory.accesses, 0U);
    EXPECT_EQ(bench.memory.at(0x40005ffc), 0xfcU);
    EXPECT_EQ(bench.debug_done, 0U);
    if (way == Way::debug) return;
    EXPECT_EQ(data.payload.get_response_status(), tlm::TLM_GENERIC_ERROR_RESPONSE);
    EXPECT_EQ(data.payload.get_extension<SmmuExtension>()->event, spec::EventType::F_UUT);
    EXPECT_EQ(bench.world.smmu.smmu().counters().transactions, 1U);
  });
}

TEST_F(CrossingTest, AccessUpToTheBoundaryIsNotFUut) {
  for_each(every_way, [](Way way) {
    Data data(true, first_page + 0xff8, 8);
    Bench bench(way, Cross4k::f_uut);
    bench.run(data.payload);
    EXPECT_EQ(bench.memory.at(0x40005fff), data.bytes[7]);
  });
}

struct RefusedRow {
  const char* what;
  void (*change)(tlm::tlm_generic_payload&);
  tlm::tlm_response_status status;
};

TEST_F(CrossingTest, WhatIsNoMemoryAccessIsRefusedInEveryTransport) {
  static unsigned char enables[1] = {0xff};
  const RefusedRow rows[] = {
      {"no command", [](auto& p) { p.set_command(tlm::TLM_IGNORE_COMMAND); }, tlm::TLM_COMMAND_ERROR_RESPONSE},
      {"no data", [](auto& p) { p.set_data_ptr(nullptr); }, tlm::TLM_BURST_ERROR_RESPONSE},
      {"no bytes", [](auto& p) { p.set_data_length(0); }, tlm::TLM_BURST_ERROR_RESPONSE},
      {"streaming", [](auto& p) { p.set_streaming_width(4); }, tlm::TLM_BURST_ERROR_RESPONSE},
      {"streaming width 0", [](auto& p) { p.set_streaming_width(0); }, tlm::TLM_BURST_ERROR_RESPONSE},
      {"past the top", [](auto& p) { p.set_address(~std::uint64_t{0} - 3); }, tlm::TLM_BURST_ERROR_RESPONSE},
      {"enables without length", [](auto& p) { p.set_byte_enable_ptr(enables); }, tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE},
  };
  for (const RefusedRow& row : rows) {
    SCOPED_TRACE(row.what);
    for_each(transports, [&row](Way way) {
      Data data(true, first_page + 0xffc, 8);
      row.change(data.payload);
      Bench bench(way);
      bench.run(data.payload);
      EXPECT_EQ(data.payload.get_response_status(), row.status);
      EXPECT_EQ(bench.memory.accesses, 0U);
      EXPECT_EQ(bench.world.smmu.smmu().counters().transactions, 0U);
    });
  }
}

TEST_F(CrossingTest, StreamingWidthAboveTheLengthIsNoStreaming) {
  for_each(transports, [](Way way) {
    Data data(true, first_page + 0xffc, 8);
    data.payload.set_streaming_width(64);
    Bench bench(way);
    bench.run(data.payload);
    EXPECT_TRUE(data.payload.is_response_ok());
    EXPECT_EQ(bench.memory.at(0x40002003), data.bytes[7]);
  });
}

TEST_F(CrossingTest, DebugAccessPastTheTopDoesNothing) {
  Data data(true, ~std::uint64_t{0} - 3, 8);
  Bench bench(Way::debug);
  bench.run(data.payload);
  EXPECT_EQ(bench.debug_done, 0U);
}

/// Nothing in the tree knows it.
struct Foreign final : tlm::tlm_extension<Foreign> {
  tlm::tlm_extension_base* clone() const override { return new Foreign; }
  void copy_from(const tlm::tlm_extension_base&) override {}
};

TEST_F(CrossingTest, ExtensionsAreIgnorable) {
  for_each(transports, [](Way way) {
    Data data(true, first_page + 0xffc, 8);
    Foreign foreign;
    data.payload.set_extension(&foreign);
    auto* own = data.payload.get_extension<SmmuExtension>();
    data.payload.clear_extension<SmmuExtension>();
    Bench bench(way);
    bench.run(data.payload);
    EXPECT_TRUE(data.payload.is_response_ok());
    EXPECT_EQ(bench.memory.at(0x40002003), data.bytes[7]);
    EXPECT_EQ(data.payload.get_extension<Foreign>(), &foreign);
    data.payload.clear_extension<Foreign>();
    data.payload.set_extension(own);
  });
}

}  // namespace
}  // namespace smmusim::systemc
