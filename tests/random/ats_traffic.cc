// SPDX-License-Identifier: MIT
// The machine is a Platform with its usual driver; what the player does in a run is done here without its hazards.
#include "tests/random/ats_traffic.h"

#include <fmt/format.h>

#include <vector>

#include "platform/driver/commands.h"
#include "platform/system/endpoint_setup.h"
#include "platform/system/machine_setup.h"
#include "platform/system/platform.h"
#include "platform/trace/random.h"

namespace smmusim::random_test {
namespace {

constexpr std::uint64_t page_bytes = 4096;
constexpr std::uint64_t first_va = 0x10'0000;
constexpr std::uint64_t first_pa = 0x5000'0000;
constexpr std::uint32_t access_bytes = 64;

PlatformConfig config_of(const AtsTraffic& traffic) {
  PlatformConfig config;
  config.seed = traffic.seed;
  config.smmus[0].config.features.ats = true;
  config.pcie.processing_ns = traffic.processing_ns;
  config.memory.latency_ns = traffic.memory_ns;
  for (unsigned i = 0; i != traffic.devices; ++i) {
    EndpointConfig endpoint;
    endpoint.name = fmt::format("device{}", i);
    endpoint.rid = static_cast<std::uint16_t>((i + 1) << 3);
    endpoint.ats_capability = true;
    endpoint.atc.entries = traffic.atc_entries;
    endpoint.atc.prefetch_pages = traffic.prefetch_pages;
    endpoint.atc.invalidate_ns = traffic.invalidate_ns;
    endpoint.tags = traffic.tags;
    endpoint.outstanding = 32;
    config.endpoints.push_back(endpoint);
  }
  return config;
}

PlayPlan plan_of(const PlatformConfig& config) {
  PlayPlan plan;
  std::uint16_t asid = 1;
  for (const EndpointConfig& endpoint : config.endpoints) {
    PlannedStream stream;
    stream.stream = endpoint.stream().value;
    stream.asid = asid++;
    plan.streams.push_back(stream);
  }
  return plan;
}

/// What the watch knows of a page of a device.
struct Page {
  std::uint64_t changes = 0;  ///< begun and ended ones both count, so that a change under way is odd
  bool mapped = false;
  std::uint64_t pa = 0;  ///< if mapped
};

class Race {
 public:
  explicit Race(const AtsTraffic& traffic)
      : traffic_(traffic),
        config_(config_of(traffic)),
        plan_(plan_of(config_)),
        platform_(config_),
        setup_(platform_, config_, plan_),
        scope_(platform_.engine()),
        random_(traffic.seed),
        pages_(traffic.devices, std::vector<Page>(traffic.pages)) {
    for (unsigned i = 0; i != traffic_.devices; ++i) {
      platform_.endpoint(i).set_handler([this, i](const platform::DmaCompletion& done) { judge(i, done); });
    }
    start_.race = this;
    start_.scope = &scope_;
    start_.fire = [](EventNode& node) {
      Race& race = *static_cast<Start&>(node).race;
      spawn(race.scope_, race.drive());
    };
    platform_.engine().post(start_);
  }

  AtsTrafficResult run() {
    platform_.run();
    for (unsigned i = 0; i != traffic_.devices; ++i) {
      result_.stale_completions += platform_.endpoint(i).tlp_counters().stale_completions;
      result_.atc_hits += platform_.endpoint(i).atc().counters().hits;
      if (!platform_.endpoint(i).idle()) violate("a device has work left when nothing is left to happen");
    }
    const std::string imbalance = platform_.imbalance();
    if (!imbalance.empty()) violate(imbalance);
    return result_;
  }

  Scope& scope() { return scope_; }

 private:
  struct Start : EventNode {
    Race* race = nullptr;
  };

  void violate(const std::string& what) {
    if (result_.violation.empty()) result_.violation = what;
  }

  std::uint64_t va_of(unsigned page) const { return first_va + page * page_bytes; }

  void push(unsigned device) {
    if (pushed_ == traffic_.accesses) return;
    ++pushed_;
    const auto page = static_cast<unsigned>(random_.below(traffic_.pages));
    platform::DmaWork work;
    work.address = Va(va_of(page) + random_.below(page_bytes / access_bytes) * access_bytes);
    work.size = access_bytes;
    work.write = random_.below(2) != 0;
    work.tag = pages_[device][page].changes;  // how the page stood when the access began
    platform_.endpoint(device).push(work);
  }

  /// What an access got, against what its page was all the while.
  void judge(unsigned device, const platform::DmaCompletion& done) {
    ++result_.completed;
    const Page& page = pages_[device][(done.work.address.value - first_va) / page_bytes];
    const bool fine = done.status == platform::DmaStatus::ok;
    const std::uint64_t went_to = done.smmu.address.value & ~(page_bytes - 1);
    const bool stable = page.changes == done.work.tag && page.changes % 2 == 0;
    if (stable) {
      ++result_.stable;
      if (!page.mapped) ++result_.after_unmap;
      if (fine != page.mapped || (fine && went_to != page.pa)) {
        violate(fmt::format("device {} at 0x{:x}: {} 0x{:x}, but the page is {} 0x{:x} since before it began", device,
                            done.work.address.value, fine ? "went to" : "failed", went_to,
                            page.mapped ? "mapped to" : "not mapped, was", page.pa));
      }
    } else if (fine && page.changes % 2 == 0 && !page.mapped) {
      // The CMD_SYNC of its unmapping has completed: nothing may end on the old page any more.
      violate(fmt::format("device {} at 0x{:x}: went to 0x{:x} after its invalidation completed", device,
                          done.work.address.value, went_to));
    }
    push(device);
  }

  Task<> drive() {
    DriverStatus status = setup_.driver(0).probe();
    if (status == DriverStatus::ok) status = co_await setup_.driver(0).enable(setup_.streams(0));
    if (status != DriverStatus::ok) {
      violate("the driver could not enable the SMMU");
      co_return;
    }
    for (const EndpointConfig& endpoint : config_.endpoints) enumerate(platform_.cpu(), config_, endpoint);
    for (unsigned device = 0; device != traffic_.devices; ++device) {
      for (unsigned i = 0; i != config_.endpoints[device].outstanding; ++i) push(device);
    }
    while (result_.completed != traffic_.accesses) {
      const auto device = static_cast<unsigned>(random_.below(traffic_.devices));
      const auto page = static_cast<unsigned>(random_.below(traffic_.pages));
      if (pages_[device][page].mapped) {
        co_await unmap(device, page);
      } else {
        map(device, page);
      }
      co_await delay(scope_, 1 + random_.below(400'000));
    }
  }

  /// From not mapped to mapped nothing has to be invalidated; every time to another place.
  void map(unsigned device, unsigned number) {
    Page& page = pages_[device][number];
    page.pa = first_pa + next_page_++ % (std::uint64_t{1} << 16) * page_bytes;
    setup_.spaces()[device].table->map(va_of(number), Pa(page.pa), page_bytes, {});
    page.mapped = true;
    page.changes += 2;
  }

  Task<> unmap(unsigned device, unsigned number) {
    Page& page = pages_[device][number];
    ++page.changes;
    const std::uint64_t va = va_of(number);
    setup_.spaces()[device].table->unmap(va, page_bytes);
    std::vector<spec::Command> commands;
    TlbiRange range;
    range.asid = Asid(setup_.spaces()[device].asid);
    range.address = va;
    append_tlbi_range(commands, range, false);
    DriverStatus status = co_await setup_.driver(0).execute(commands);
    const spec::Command atc = make_atc_inv(config_.endpoints[device].stream(), va, va + page_bytes - 1);
    commands.assign(1, atc);
    if (status == DriverStatus::ok) status = co_await setup_.driver(0).execute(commands);
    if (status != DriverStatus::ok) violate("a command failed");
    page.mapped = false;
    ++page.changes;
    ++result_.invalidations;
  }

  AtsTraffic traffic_;
  PlatformConfig config_;
  PlayPlan plan_;
  Platform platform_;
  MachineSetup setup_;
  Scope scope_;
  trace::Xoshiro256 random_;
  std::vector<std::vector<Page>> pages_;
  AtsTrafficResult result_{};
  Start start_{};
  std::uint64_t pushed_ = 0;
  std::uint64_t next_page_ = 0;
};

}  // namespace

AtsTrafficResult run_ats_traffic(const AtsTraffic& traffic) {
  Race race(traffic);
  return race.run();
}

}  // namespace smmusim::random_test
