// SPDX-License-Identifier: MIT
// TimingBench: registers and structures as a driver would write them, requests that note when they were answered.
#include "tests/support/timing_bench.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace smmusim {
namespace {

SparseMemoryConfig small_memory() {
  SparseMemoryConfig config;
  config.huge_pages = false;
  return config;
}

void note_answer(EventNode& node) {
  auto& sent = static_cast<TimingBench::Sent&>(node);
  sent.answered = true;
  sent.answered_at = sent.bench->engine.now();
  if (!sent.hold && sent.bench->smmu != nullptr) sent.bench->smmu->retire(sent);
}

}  // namespace

void Recorder::access(const MemoryRequest& request) {
  accesses.push_back({engine_.now(), request.purpose, request.op, request.address.value, request.level});
}

void Recorder::forget() {
  accesses.clear();
  responses.clear();
  commands.clear();
  events.clear();
}

std::size_t Recorder::count(Purpose purpose) const {
  return static_cast<std::size_t>(
      std::count_if(accesses.begin(), accesses.end(), [purpose](const SeenAccess& a) { return a.purpose == purpose; }));
}

Time Recorder::done(Purpose purpose, std::size_t nth) const {
  for (const SeenAccess& access : accesses) {
    if (access.purpose == purpose && nth-- == 0) return access.done;
  }
  ADD_FAILURE() << "too few accesses of purpose " << name_of(purpose);
  return 0;
}

bool CountingPort::start(MemoryRequest& request) {
  starts.push_back({engine_.now(), request.purpose, request.address.value});
  return next_.start(request);
}

unsigned CountingPort::most_at_once(Purpose purpose, Time latency) const {
  unsigned most = 0;
  for (const Start& start : starts) {
    if (start.purpose != purpose) continue;
    most = std::max(most, static_cast<unsigned>(std::count_if(starts.begin(), starts.end(), [&](const Start& other) {
                      return other.purpose == purpose && other.when <= start.when && start.when < other.when + latency;
                    })));
  }
  return most;
}

ExpectedTimes::ExpectedTimes(const SmmuConfig& config, const LatencyPortConfig& port)
    : cycle(1'000'000 / config.tcu.clock_mhz),
      memory(port.latency_ps),
      lookup(cycle * config.tbu.lookup_cycles),
      lookup_interval(cycle * config.tbu.lookup_interval_cycles),
      link(cycle * config.tbu.link_cycles),
      tcu_lookup(cycle * (config.tcu.config_cycles + config.tcu.tlb_cycles)),
      walk_cache(cycle * config.tcu.walk_cache_cycles),
      walk_step(cycle * config.tcu.walk_step_cycles),
      command(cycle * config.tcu.command_cycles) {}

SmmuConfig TimingBench::prime_config() {
  SmmuConfig config;
  config.timed = true;
  config.tbu.lookup_cycles = 2;
  config.tbu.lookup_interval_cycles = 1;
  config.tbu.link_cycles = 7;
  config.tcu.config_cycles = 5;
  config.tcu.tlb_cycles = 11;
  config.tcu.walk_cache_cycles = 13;
  config.tcu.walk_step_cycles = 3;
  config.tcu.command_cycles = 17;
  return config;
}

LatencyPortConfig TimingBench::prime_memory() {
  LatencyPortConfig port;
  port.latency_ps = 101'000;
  return port;
}

TimingBench::TimingBench(const SmmuConfig& config, const LatencyPortConfig& port_config, Observer* observer)
    : memory(small_memory()),
      latency(engine, memory, port_config),
      immediate(memory),
      port(engine, config.timed ? static_cast<MemoryPort&>(latency) : immediate),
      recorder(engine),
      smmu(std::make_unique<Smmu>(engine, port, observer != nullptr ? observer : &recorder, config)),
      times(config, port_config) {
  set_up();
}

void TimingBench::set_up() {
  w32(off::CR1, 0xd75);
  w32(off::CR2, 2);  // RECINVSID
  w64(off::STRTAB_BASE, strtab);
  w32(off::STRTAB_BASE_CFG, strtab_log2);
  w64(off::CMDQ_BASE, cmdq | cmdq_log2);
  w32(off::CMDQ_PROD, 0);
  w32(off::CMDQ_CONS, 0);
  w64(off::EVENTQ_BASE, eventq | eventq_log2);
  w32(off::EVENTQ_PROD, 0);
  w32(off::EVENTQ_CONS, 0);
  prod_ = 0;
  w32(off::CR0, cr0::CMDQEN | cr0::EVENTQEN);
  w32(off::CR0, cr0::CMDQEN | cr0::EVENTQEN | cr0::SMMUEN);
  run();
}

std::uint64_t TimingBench::new_table() {
  const std::uint64_t table = next_table_;
  next_table_ += 0x1000;
  return table;
}

void TimingBench::stage1_stream(std::uint32_t sid) {
  using namespace raw;
  ttb_.at(sid) = new_table();
  const std::uint64_t cd_address = cds + 64ull * sid;
  put_ste(sid, Ste{}.with({{ste::V, 1}, {ste::Config, 5}, {ste::S1ContextPtr, cd_address >> 6}, {ste::SHCFG, 1}}));
  store(cd_address, Cd{}.with({{cd::T0SZ, 16},
                               {cd::EPD1, 1},
                               {cd::V, 1},
                               {cd::IPS, 5},
                               {cd::AA64, 1},
                               {cd::R, 1},
                               {cd::A, 1},
                               {cd::ASID, sid},
                               {cd::TTB0, ttb_[sid] >> 4},
                               {cd::MAIR0, 0xff}}));
}

void TimingBench::map(std::uint32_t sid, std::uint64_t va, std::uint64_t descriptor, int level) {
  std::uint64_t table = ttb_.at(sid);
  for (int at = 0;; ++at) {
    const unsigned shift = 39 - 9 * static_cast<unsigned>(at);
    const Pa address(table + ((va >> shift) & 0x1ff) * 8);
    if (at == level) {
      memory.store64(address, descriptor);
      return;
    }
    if (memory.load64(address) == 0) memory.store64(address, new_table() | 3);
    table = memory.load64(address) & 0xffff'ffff'f000;
  }
}

TimingBench::Sent& TimingBench::send(std::uint32_t sid, std::uint64_t va, AccessType type, bool hold) {
  return send(SmmuBench::transaction(sid, va, type), hold);
}

TimingBench::Sent& TimingBench::send(const Transaction& transaction, bool hold) {
  Sent& request = sent.emplace_back();
  request.transaction = transaction;
  request.bench = this;
  request.hold = hold;
  request.fire = note_answer;
  if (smmu->submit(0, request)) note_answer(request);
  return request;
}

TimingBench::Sent& TimingBench::go(std::uint32_t sid, std::uint64_t va, AccessType type) {
  Sent& request = send(sid, va, type);
  run();
  return request;
}

void TimingBench::settle() {
  run();
  // To a clock edge, so that what follows does not first wait for one.
  engine.run_until((engine.now() / times.cycle + 10) * times.cycle);
  recorder.forget();
  port.starts.clear();
  smmu->reset_counters();
}

void TimingBench::push(const raw::Command& command) {
  store(cmdq + 16ull * (prod_ & ((1u << cmdq_log2) - 1)), command);
  prod_ = (prod_ + 1) & ((2u << cmdq_log2) - 1);
}

std::vector<raw::Record> TimingBench::take_events() {
  std::vector<raw::Record> records;
  constexpr std::uint32_t wrap = (2u << eventq_log2) - 1;
  const std::uint32_t flag = r32(off::EVENTQ_CONS) & 0x8000'0000;
  std::uint32_t index = r32(off::EVENTQ_CONS) & wrap;
  for (; index != (r32(off::EVENTQ_PROD) & wrap); index = (index + 1) & wrap) {
    raw::Record record;
    const std::uint64_t address = eventq + 32ull * (index & (wrap >> 1));
    for (std::size_t i = 0; i < 4; ++i) record.dw[i] = memory.load64(Pa(address + 8 * i));
    records.push_back(record);
  }
  w32(off::EVENTQ_CONS, index | flag);
  return records;
}

void expect_gap(const CountingPort& port, Purpose a, Purpose b, Time gap) {
  const auto& all = port.starts;
  const auto first = std::find_if(all.begin(), all.end(), [a](const auto& start) { return start.purpose == a; });
  ASSERT_NE(first, all.end()) << "no access of purpose " << name_of(a);
  const auto second = std::find_if(first + 1, all.end(), [b](const auto& start) { return start.purpose == b; });
  ASSERT_NE(second, all.end()) << "no access of purpose " << name_of(b) << " after the first " << name_of(a);
  EXPECT_EQ(second->when - first->when, gap) << "from " << name_of(a) << " to " << name_of(b);
}

}  // namespace smmusim
