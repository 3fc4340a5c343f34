// SPDX-License-Identifier: MIT
// The core without time: what a TLB hit, a cold walk and a command cost, each beside a loop that does the least that
// the same work needs, measured in the same run. `ratio_to_calibration` is time per item over the loop's.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <numeric>
#include <vector>

#include "bench/calibration.h"
#include "model/sim/engine.h"
#include "model/smmu/smmu.h"
#include "model/spec/command.h"
#include "model/spec/registers.h"
#include "platform/driver/table_builder.h"
#include "platform/memory/immediate_port.h"
#include "platform/memory/sparse_memory.h"

namespace {

using namespace smmusim;
namespace reg = spec::reg;

constexpr std::uint64_t memory_base = 0x40000000;
constexpr StreamId stream{8};
constexpr std::uint64_t data_base = memory_base + (std::uint64_t{8} << 30);

enum class Stages { one, nested };

/// One stream, `pages` consecutive pages from IOVA 0. Nested: stage 2 maps every IPA to itself, in pages too.
class UntimedMachine {
 public:
  UntimedMachine(std::size_t pages, unsigned cache_entries, Stages stages = Stages::one)
      : port_(memory_),
        pages_(Pa(memory_base), std::uint64_t{1} << 32),
        streams_(StreamTable::linear(memory_, pages_, 8)),
        contexts_(memory_, pages_, 0),
        table_(memory_, pages_, Geometry{}),
        stage2_(memory_, pages_, Geometry{}, TableStage::two),
        smmu_(engine_, port_, nullptr, config(cache_entries, stages)),
        queue_(pages_.allocate(256 * 16, 256 * 16)) {
    table_.map(0, Pa(data_base), pages * 4096, MapOptions{});
    contexts_.write(0, make_stage1_cd(table_, Asid(1)));
    if (stages == Stages::nested) {
      const std::uint64_t tables_end = pages_.allocate(4096, 4096).value;  // stage 1 allocates no more
      stage2_.map(memory_base, Pa(memory_base), tables_end - memory_base, MapOptions{});
      stage2_.map(data_base, Pa(data_base), pages * 4096, MapOptions{});
    }
    streams_.write(
        stream, stages == Stages::nested ? make_nested_ste(contexts_, stage2_, Vmid(1)) : make_stage1_ste(contexts_));
    smmu_.write_register(reg::STRTAB_BASE, streams_.base_register(), 8);
    smmu_.write_register(reg::STRTAB_BASE_CFG, streams_.base_cfg_register(), 4);
    smmu_.write_register(reg::CMDQ_BASE, queue_.value | 8, 8);
    smmu_.write_register(reg::CR0, spec::CR0::SMMUEN::mask | spec::CR0::CMDQEN::mask, 4);
    transaction_.stream_id = stream;
    transaction_.size = 64;
  }

  /// The output address of an access at `iova`; 1 if it does not proceed.
  std::uint64_t access(std::uint64_t iova) {
    transaction_.address = Va(iova);
    const Response response = smmu_.translate(0, transaction_);
    return response.outcome == Outcome::proceed ? response.address.value : 1;
  }
  void command(const spec::Command& command) {
    const Pa place = queue_ + std::uint64_t{produced_ & 255} * 16;
    memory_.store64(place, command.dw[0]);
    memory_.store64(place + 8, command.dw[1]);
    produced_ = (produced_ + 1) & 511;
    smmu_.write_register(reg::CMDQ_PROD, produced_, 4);
  }
  void invalidate_all() {
    spec::Command command;
    command.set<spec::Command::OP>(spec::Opcode::CMD_TLBI_NSNH_ALL);
    this->command(command);
  }
  const SmmuCounters& counters() const { return smmu_.counters(); }

 private:
  static SmmuConfig config(unsigned cache_entries, Stages stages) {
    SmmuConfig config;
    config.timed = false;
    config.features.s2p = config.features.xnx = stages == Stages::nested;
    config.tcu.walk_cache.entries = cache_entries;
    config.tcu.ipa_cache.entries = cache_entries;
    config.tbu.micro_tlb = {2048, 4};  // as the bare loop
    return config;
  }

  SparseMemory memory_;
  ImmediatePort port_;
  Engine engine_;
  PageAllocator pages_;
  StreamTable streams_;
  ContextTable contexts_;
  PageTable table_;
  PageTable stage2_;
  Smmu smmu_;
  Pa queue_;
  std::uint32_t produced_ = 0;
  Transaction transaction_;
};

/// The bare loop: a 256-entry 4-way configuration cache looked up by StreamID, then a 2048-entry 4-way TLB with LRU
/// tagged by page and ASID, a permission test and the output address; plain arrays, no calls.
class BareTlb {
 public:
  static constexpr std::size_t ways = 4;
  explicit BareTlb(std::uint64_t pages) : stream_tags_(256), asids_(256), tags_(2048), leaves_(2048), used_(2048) {
    stream_tags_[(stream.value & 63) * ways] = stream.value + 1;
    asids_[(stream.value & 63) * ways] = 1;
    for (std::uint64_t page = 0; page < pages; ++page) {
      const std::size_t slot = (page & 511) * ways + page / 512;
      tags_[slot] = tag(page, 1);
      leaves_[slot] = data_base + (page << 12) + 3;
    }
  }
  bool translate(std::uint32_t sid, std::uint64_t iova, bool write, std::uint64_t& output) {
    std::size_t place = (sid & 63) * ways;
    const std::size_t stream_end = place + ways;
    while (place != stream_end && stream_tags_[place] != sid + 1) ++place;
    if (place == stream_end) return false;
    const std::uint64_t wanted = tag(iova >> 12, asids_[place]);
    const std::size_t set = (iova >> 12 & 511) * ways;
    for (std::size_t slot = set; slot != set + ways; ++slot) {
      if (tags_[slot] != wanted) continue;
      used_[slot] = ++clock_;
      output = (leaves_[slot] & ~std::uint64_t{0xfff}) | (iova & 0xfff);
      return (leaves_[slot] & (write ? 2u : 1u)) != 0;
    }
    return false;
  }

 private:
  static std::uint64_t tag(std::uint64_t page, std::uint64_t asid) { return page << 16 | asid; }
  std::vector<std::uint32_t> stream_tags_;
  std::vector<std::uint64_t> asids_, tags_, leaves_, used_;
  std::uint64_t clock_ = 0;
};

constexpr std::size_t hit_pages = 1024;  // half of the TLB, in random order

std::vector<std::uint64_t> shuffled_pages(std::size_t pages) {
  std::vector<std::uint64_t> order(pages);
  std::iota(order.begin(), order.end(), std::uint64_t{0});
  std::uint64_t state = 1;
  for (std::size_t i = pages - 1; i > 0; --i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    std::swap(order[i], order[(state >> 33) % (i + 1)]);
  }
  return order;
}

// In both hit loops an access is chosen after the answer of the one before it is known, as a client does: the time
// is that of one translation, not the throughput of several that the host overlaps.

/// IOVAs of 64-byte accesses to random pages.
std::vector<std::uint64_t> hit_addresses() {
  std::vector<std::uint64_t> addresses = shuffled_pages(hit_pages);
  for (std::uint64_t& address : addresses) address = address << 12 | (address % 64) * 64;
  return addresses;
}

double bare_hit_seconds(const std::vector<std::uint64_t>& addresses) {
  BareTlb tlb(hit_pages);
  return seconds_per_item(2'000'000, [&](std::size_t items) {
    std::uint64_t output = 0;
    for (std::size_t n = 0; n < items; ++n) {
      benchmark::DoNotOptimize(tlb.translate(stream.value, addresses[(n + (output & 1)) % hit_pages], false, output));
      benchmark::DoNotOptimize(output);
    }
  });
}

void BM_UntimedHit(benchmark::State& state) {
  const std::vector<std::uint64_t> addresses = hit_addresses();
  const double bare = bare_hit_seconds(addresses);
  UntimedMachine machine(hit_pages, 512);
  for (const std::uint64_t address : addresses) machine.access(address);
  std::size_t n = 0;
  std::uint64_t output = 0;
  for (auto _ : state) output = machine.access(addresses[(n++ + (output & 1)) % hit_pages]);
  benchmark::DoNotOptimize(output);
  report_ratio(state, bare);
}
BENCHMARK(BM_UntimedHit);

/// The plain walker: four dependent loads over flat memory, permission bits tested, nothing else.
class PlainWalker {
 public:
  explicit PlainWalker(std::size_t pages) : memory_((pages / 512 + 8) * 512, 0) {
    std::size_t next = 512;
    const auto table_at = [&](std::size_t place) {
      if (memory_[place] == 0) {
        memory_[place] = next << 3 | 3;
        next += 512;
      }
      return static_cast<std::size_t>(memory_[place] >> 3);
    };
    for (std::size_t page = 0; page < pages; ++page) {
      const std::size_t l1 = table_at(page >> 27 & 511);
      const std::size_t l2 = table_at(l1 + (page >> 18 & 511));
      const std::size_t l3 = table_at(l2 + (page >> 9 & 511));
      memory_[l3 + (page & 511)] = page << 12 | 0x743;
    }
  }
  std::uint64_t walk(std::uint64_t iova) const {
    std::size_t table = 0;
    for (unsigned shift = 39;; shift -= 9) {
      const std::uint64_t entry = memory_[table + (iova >> shift & 511)];
      if ((entry & 1) == 0) return 0;
      if (shift == 12) return (entry & 0x440) == 0x440 ? entry : 0;
      table = entry >> 3;
    }
  }

 private:
  std::vector<std::uint64_t> memory_;
};

/// Seconds per cold walk over `order`, best of five.
double cold_walk_seconds(UntimedMachine& machine, const std::vector<std::uint64_t>& order) {
  double best = 1e9;
  for (int round = 0; round < 5; ++round) {
    machine.invalidate_all();
    const auto begin = std::chrono::steady_clock::now();
    for (const std::uint64_t page : order) benchmark::DoNotOptimize(machine.access(page << 12));
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    best = std::min(best, took.count() / static_cast<double>(order.size()));
  }
  return best;
}

/// Cold walks of all pages, beside the plain walker of one stage.
void walk_cold(benchmark::State& state, Stages stages) {
  const auto pages = static_cast<std::size_t>(state.range(0));
  const std::vector<std::uint64_t> order = shuffled_pages(pages);
  const PlainWalker plain(pages);
  const double bare = seconds_per_item(pages, [&](std::size_t items) {
    for (std::size_t n = 0; n < items; ++n) benchmark::DoNotOptimize(plain.walk(order[n] << 12));
  });
  UntimedMachine few_pages(512, 0, stages);
  const double few = cold_walk_seconds(few_pages, shuffled_pages(512));
  UntimedMachine machine(pages, 0, stages);
  for (auto _ : state) {
    state.PauseTiming();
    machine.invalidate_all();
    state.ResumeTiming();
    for (const std::uint64_t page : order) benchmark::DoNotOptimize(machine.access(page << 12));
  }
  report_ratio(state, bare, pages);
  state.counters["slower_than_512_pages"] = benchmark::Counter(
      few * static_cast<double>(pages), benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
  state.counters["fetches_per_walk"] = static_cast<double>(machine.counters().walk_fetches) /
                                       static_cast<double>(std::max<std::uint64_t>(machine.counters().walks, 1));
}

void BM_Stage1WalkCold(benchmark::State& state) {
  walk_cold(state, Stages::one);
}
BENCHMARK(BM_Stage1WalkCold)->Arg(512)->Arg(32 << 10)->Arg(256 << 10);

/// 4 levels of stage 1 over 4 levels of stage 2: 24 fetches.
void BM_NestedWalkCold(benchmark::State& state) {
  walk_cold(state, Stages::nested);
}
BENCHMARK(BM_NestedWalkCold)->Arg(512);

/// CMD_TLBI_NH_VA and CMD_SYNC in turn, as a strict unmap issues them.
void BM_CommandStream(benchmark::State& state) {
  const std::vector<std::uint64_t> addresses = hit_addresses();
  const double bare = bare_hit_seconds(addresses);
  UntimedMachine machine(hit_pages, 512);
  spec::Command invalidate;
  invalidate.set<spec::Command::OP>(spec::Opcode::CMD_TLBI_NH_VA).set<spec::Command::ASID>(1);
  spec::Command sync;
  sync.set<spec::Command::OP>(spec::Opcode::CMD_SYNC);
  std::size_t n = 0;
  for (auto _ : state) {
    invalidate.set<spec::Command::Address>(addresses[n++ % hit_pages]);
    machine.command(invalidate);
    machine.command(sync);
  }
  report_ratio(state, bare, 2);
}
BENCHMARK(BM_CommandStream);

}  // namespace
