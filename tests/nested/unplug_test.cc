// SPDX-License-Identifier: MIT
// A passthrough device that goes away in mid-flight: its accesses under way end as before or in an abort, at whatever
// instant it is unplugged, and nobody else notices.
#include <gtest/gtest.h>

#include <array>

#include "tests/nested/nested_bench.h"

namespace smmusim::nested {
namespace {

constexpr std::uint64_t iova = NestedBench::iova;
constexpr Time step = 25'000;  // picoseconds: a walk takes tens of these

BenchOptions timed() {
  BenchOptions options;
  options.timed = true;
  return options;
}

/// Accesses of one device to the page that its stage 1 maps, all sent before the first is answered.
class Burst {
 public:
  Burst(NestedBench& bench, unsigned device) : smmu_(bench.host().physical_smmu()) {
    for (std::size_t i = 0; i != flights_.size(); ++i) {
      Flight& flight = flights_[i];
      flight.burst = this;
      flight.transaction.stream_id = NestedBench::physical(device);
      flight.transaction.pcie = true;
      flight.transaction.address = Va(iova + 64 * i);
      flight.fire = [](EventNode& node) {
        auto& landed = static_cast<Flight&>(node);
        landed.burst->land(landed);
      };
      if (smmu_.submit(0, flight)) land(flight);
    }
  }
  std::size_t answered() const { return answered_; }
  static constexpr std::size_t size = 8;
  /// How many went where stage 1 and stage 2 lead; the others must have been aborted.
  std::size_t proceeded(std::uint64_t page) const {
    std::size_t count = 0;
    for (std::size_t i = 0; i != flights_.size(); ++i) {
      const Response& response = flights_[i].response;
      if (response.outcome != Outcome::proceed) {
        EXPECT_EQ(response.outcome, Outcome::abort);
        continue;
      }
      EXPECT_EQ(response.address.value, page + NestedBench::moved + 64 * i);
      ++count;
    }
    return count;
  }

 private:
  struct Flight : TranslationRequest {
    Burst* burst = nullptr;
  };
  void land(Flight& flight) {
    ++answered_;
    smmu_.retire(flight);
  }

  Smmu& smmu_;
  std::size_t answered_ = 0;
  std::array<Flight, size> flights_;
};

// The host changes its STE some time after the call; before and after it there is traffic.
TEST(UnplugInMidFlight, AccessesUnderWayEndAndOthersGoOn) {
  std::size_t through = 0, blocked = 0, torn = 0;
  for (unsigned instant = 0; instant != 400; ++instant) {
    SCOPED_TRACE(instant);
    NestedBench bench(timed());
    bench.write_stage1_ste(0);
    bench.write_stage1_ste(1);
    ASSERT_TRUE(bench.enable());
    EXPECT_TRUE(bench.vsmmu().unplug(NestedBench::stream(0)));
    bench.engine().run_until(bench.engine().now() + instant * step);
    const Burst going(bench, 0), staying(bench, 1);
    bench.engine().run();
    ASSERT_EQ(going.answered(), Burst::size);
    ASSERT_EQ(staying.answered(), Burst::size);
    EXPECT_EQ(staying.proceeded(bench.page_of(1)), Burst::size);
    const std::size_t proceeded = going.proceeded(bench.page_of(0));
    ++(proceeded == Burst::size ? through : proceeded == 0 ? blocked : torn);
    EXPECT_EQ(bench.reaches(0, iova), std::nullopt);
    EXPECT_TRUE(bench.events().empty());
    EXPECT_EQ(bench.objects_after_the_end(), 0u);
  }
  // All must have been met, or the instants miss what they are for.
  EXPECT_GT(through, 0u);
  EXPECT_GT(blocked, 0u);
  EXPECT_GT(torn, 0u);
}

TEST(UnplugInMidFlight, ACommandThatWaitsForTheHostStillCompletes) {
  for (unsigned instant = 0; instant != 40; ++instant) {
    SCOPED_TRACE(instant);
    NestedBench bench(timed());
    bench.write_stage1_ste(0);
    bench.write_stage1_ste(1);
    ASSERT_TRUE(bench.enable());
    const Burst traffic(bench, 0);
    struct Unplug : EventNode {
      NestedBench* bench = nullptr;
    } unplug;
    unplug.bench = &bench;
    unplug.fire = [](EventNode& node) {
      EXPECT_TRUE(static_cast<Unplug&>(node).bench->vsmmu().unplug(NestedBench::stream(0)));
    };
    bench.engine().schedule_in(instant * 4 * step, unplug);
    EXPECT_TRUE(bench.execute(
        {make_cfgi_ste(NestedBench::stream(0)), make_tlbi_nsnh_all(), make_cfgi_cd_all(NestedBench::stream(0))}));
    bench.engine().run();
    EXPECT_EQ(traffic.answered(), Burst::size);
    EXPECT_EQ(bench.reaches(0, iova), std::nullopt);
    EXPECT_EQ(bench.reaches(1, iova), bench.page_of(1));
    EXPECT_EQ(bench.objects_after_the_end(), 0u);
  }
}

}  // namespace
}  // namespace smmusim::nested
