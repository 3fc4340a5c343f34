// SPDX-License-Identifier: MIT
// Random traffic over random links: every TLP arrives, posted ones in order, nothing passes a posted one that must not,
// receivers never hold more than they advertised, and the link comes to rest.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "tests/unit/pcie_link_fixture.h"

namespace smmusim::platform {
namespace {

class RandomLink {
 public:
  explicit RandomLink(std::uint64_t seed) : random_(seed), m_(config()) {
    for (RecordingPort* port : {&m_.root, &m_.device}) {
      port->keeps = true;
      port->then = [this, port](Tlp& tlp) { arrived(*port, tlp); };
    }
  }

  /// Returns how many TLPs were sent.
  std::size_t run() {
    for (unsigned burst = 0; burst != 20; ++burst) {
      const Time start = m_.engine.now() + number(0, 300'000);
      for (unsigned i = 0; i != 40; ++i) {
        const auto from = static_cast<TlpLink::End>(number(0, 1));
        m_.at(start + number(0, number(0, 1) == 0 ? 5'000 : 500'000), [this, from] { offer(from); });
      }
      if (number(0, 3) == 0) m_.engine.run();
    }
    m_.engine.run();
    EXPECT_TRUE(m_.link.idle());
    EXPECT_EQ(m_.root.arrivals.size() + m_.device.arrivals.size(), sent_);
    return sent_;
  }

 private:
  Time number(Time low, Time high) { return std::uniform_int_distribution<Time>(low, high)(random_); }

  FlowCredits credits(unsigned mps_bytes) {
    FlowCredits made;
    for (unsigned& headers : made.headers) headers = static_cast<unsigned>(number(0, 6));
    for (unsigned& data : made.data) {
      data = number(0, 2) == 0 ? 0 : mps_bytes / 16 + static_cast<unsigned>(number(0, 40));
    }
    return made;
  }

  TlpLinkConfig config() {
    TlpLinkConfig made;
    made.timed = number(0, 4) != 0;
    made.generation = static_cast<unsigned>(number(1, 6));
    made.lanes = 1U << number(0, 5);
    made.mps_bytes = 128U << number(0, 2);
    made.propagation_ps = number(0, 1) * number(0, 400'000);
    made.transmit_queue = static_cast<unsigned>(number(1, 8));
    made.dllp_spacing = number(0, 1) == 0 ? DllpSpacing::observed : DllpSpacing::latest;
    made.upstream_receiver = credits(made.mps_bytes);
    made.downstream_receiver = credits(made.mps_bytes);
    return made;
  }

  void offer(TlpLink::End from) {
    constexpr TlpType types[] = {TlpType::MWr, TlpType::MRd, TlpType::CplD, TlpType::Msg, TlpType::Cpl, TlpType::CAS};
    const TlpType type = types[number(0, 5)];
    const unsigned bytes =
        type == TlpType::CAS ? 32 : 4 * static_cast<unsigned>(number(1, m_.link.config().mps_bytes / 4));
    Tlp& tlp = m_.tlp(type, next_tag_, bytes);
    if (!m_.link.room(from, tlp.flow_class())) return;
    tlp.relaxed_ordering = number(0, 3) == 0;
    next_tag_ = (next_tag_ + 1) % 0xffff;
    in_order_[from].push_back(&tlp);
    ++sent_;
    m_.link.send(from, tlp);
  }

  /// Nothing that was sent before is posted and still on its way, unless this may pass it.
  void check_order(TlpLink::End from, const Tlp& tlp) {
    std::vector<const Tlp*>& waiting = in_order_[from];
    const auto self = std::find(waiting.begin(), waiting.end(), &tlp);
    ASSERT_NE(self, waiting.end()) << "arrived twice";
    const bool passed =
        std::any_of(waiting.begin(), self, [](const Tlp* t) { return t->flow_class() == FlowClass::posted; });
    EXPECT_FALSE(passed && !(tlp.is_completion() && tlp.relaxed_ordering)) << name_of(tlp.type);
    const bool overtook_own =
        std::any_of(waiting.begin(), self, [&](const Tlp* t) { return t->flow_class() == tlp.flow_class(); });
    EXPECT_FALSE(overtook_own) << name_of(tlp.type);
    waiting.erase(self);
  }

  void arrived(RecordingPort& at, Tlp& tlp) {
    check_order(static_cast<TlpLink::End>(1 - at.end), tlp);
    const std::size_t index = static_cast<std::size_t>(tlp.flow_class());
    const FlowCredits& limit =
        at.end == TlpLink::upstream ? m_.link.config().upstream_receiver : m_.link.config().downstream_receiver;
    const unsigned units = tlp.has_data() ? (tlp.length_dw + 3U) / 4 : 0;
    held_headers_[at.end][index] += 1;
    held_units_[at.end][index] += units;
    EXPECT_TRUE(limit.headers[index] == 0 || held_headers_[at.end][index] <= limit.headers[index]);
    EXPECT_TRUE(limit.data[index] == 0 || held_units_[at.end][index] <= limit.data[index]);
    m_.at(m_.engine.now() + number(0, number(0, 1) == 0 ? 1'000 : 400'000), [this, &at, &tlp, index, units] {
      held_headers_[at.end][index] -= 1;
      held_units_[at.end][index] -= units;
      m_.link.release(at.end, tlp);
    });
  }

  std::mt19937_64 random_;
  LinkedPorts m_;
  unsigned next_tag_ = 0;
  std::size_t sent_ = 0;
  std::array<std::vector<const Tlp*>, 2> in_order_;
  std::array<std::array<unsigned, flow_classes>, 2> held_headers_{}, held_units_{};
};

TEST(LinkRandom, EverythingArrivesWithinTheRules) {
  const std::uint64_t first = std::random_device{}();
  std::size_t sent = 0;
  for (std::uint64_t seed = first; seed != first + 200 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    sent += RandomLink(seed).run();
  }
  EXPECT_GT(sent, 20'000U);
}

}  // namespace
}  // namespace smmusim::platform
