// SPDX-License-Identifier: MIT
// Loading a random case (IHI 0070 sections 3.11, 6.3): what a driver does between reset and SMMUEN, nothing else.
#include "tests/random/backbone_machine.h"

#include <algorithm>
#include <stdexcept>

#include "model/spec/features.h"
#include "model/spec/register_offsets.h"

namespace smmusim {
namespace {

namespace reg = spec::reg;
using spec::Command;
using spec::Opcode;

constexpr std::uint64_t event_queue_offset = 0x10000;
constexpr std::uint32_t event_prod = 0x100a8;
constexpr std::uint32_t event_cons = 0x100ac;

SparseMemoryConfig memory_config(unsigned oas) {
  SparseMemoryConfig config;
  config.ranges = {{Pa(0), std::uint64_t{1} << oas}};
  config.huge_pages = false;
  return config;
}

LatencyPortConfig latency_config(std::uint64_t seed) {
  TestRandom random(seed);
  LatencyPortConfig config;
  config.latency_ps = 1'000 + random.below(80'000);
  config.jitter_ps = random.percent(20) ? 0 : random.below(200'000);
  config.seed = random.next();
  config.bandwidth_gbit_per_s = random.percent(50) ? 0 : 1 + random.below(256);
  return config;
}

CacheConfig any_cache(TestRandom& random, unsigned most_log2) {
  CacheConfig cache;
  if (random.percent(15)) return cache;
  cache.ways = static_cast<unsigned>(1 + random.below(6));
  cache.entries = cache.ways << random.below(most_log2 + 1);
  cache.replacement = static_cast<Replacement>(random.below(3));
  return cache;
}

/// 2 MiB whose surroundings (the largest table of a case is far smaller) hold nothing of the case.
std::uint64_t unused_block(const refwalk::Case& one, unsigned oas) {
  constexpr std::uint64_t block = 0x200000;
  const std::uint64_t blocks = (std::uint64_t{1} << oas) / block;
  for (std::uint64_t i = blocks / 2; i < blocks; ++i) {
    const std::uint64_t low = (i - 1) * block;
    const std::uint64_t high = (i + 2) * block;
    const auto word = one.memory.words.lower_bound(low);
    const bool words = word != one.memory.words.end() && word->first < high;
    const bool aborts = std::any_of(one.memory.aborting.begin(), one.memory.aborting.end(), [&](const auto& range) {
      return range.first < high && low < range.first + range.second;
    });
    if (!words && !aborts) return i * block;
  }
  throw std::runtime_error("the case leaves no 2 MiB of memory unused; it would have to");
}

}  // namespace

std::uint64_t TestRandom::next() {
  state_ += 0x9e3779b97f4a7c15;
  std::uint64_t mixed = state_;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
  return mixed ^ (mixed >> 31);
}

SmmuConfig config_of_case(const refwalk::Case& one, const MachineOptions& options) {
  const refwalk::Registers& r = one.registers;
  spec::IdRegisters ids;
  ids.idr[0] = r.idr0;
  ids.idr[1] = r.idr1;
  ids.idr[3] = r.idr3;
  ids.idr[5] = r.idr5;
  ids.aidr = r.aidr;
  SmmuConfig config;
  config.features = spec::features_from(ids);
  // refwalk has no queues.
  config.features.cmdqs = 10;
  config.features.eventqs = 12;
  config.features.msi = true;
  config.features.sev = true;
  TestRandom random(options.seed);
  config.tbus = static_cast<unsigned>(1 + random.below(3));
  config.tbu.micro_tlb = any_cache(random, 3);
  config.tbu.stream_cache = any_cache(random, 2);
  config.tbu.translation_slots = static_cast<unsigned>(1 + random.below(32));
  config.tcu.tlb = any_cache(random, 6);
  config.tcu.walk_cache = any_cache(random, 5);
  config.tcu.ipa_cache = any_cache(random, 5);
  config.tcu.config_cache = any_cache(random, 4);
  if (!options.caches) {
    for (CacheConfig* cache : {&config.tbu.micro_tlb, &config.tbu.stream_cache, &config.tcu.tlb, &config.tcu.walk_cache,
                               &config.tcu.ipa_cache, &config.tcu.config_cache}) {
      cache->entries = 0;
    }
  }
  config.tcu.walkers = static_cast<unsigned>(1 + random.below(16));
  config.tcu.event_buffer = static_cast<unsigned>(1 + random.below(16));
  config.timed = options.timed;
  config.seed = random.next();
  // Otherwise the frame lies above every OAS of these cases, where nothing can meet it.
  config.frame_base = Pa(one.memory.frame != 0 ? one.memory.frame : std::uint64_t{1} << 54);
  return config;
}

CaseMachine::CaseMachine(const refwalk::Case& one, const MachineOptions& options)
    : config(config_of_case(one, options)),
      memory(memory_config(config.features.oas)),
      immediate_(memory),
      latency_(engine, memory, latency_config(options.seed)),
      recorder(config.features.oas),
      smmu(engine, options.timed ? static_cast<MemoryPort&>(latency_) : immediate_,
           options.caches ? nullptr : &recorder, config, &immediate_) {
  load(one);
  set_up(one);
}

void CaseMachine::load(const refwalk::Case& one) {
  for (const auto& [address, word] : one.memory.words) store(address, word);
  for (const auto& [base, bytes] : one.memory.aborting) {
    if (base != one.memory.frame) memory.inject_abort(Pa(base), bytes, true, true);
  }
}

void CaseMachine::set_up(const refwalk::Case& one) {
  queues_ = unused_block(one, config.features.oas);
  const refwalk::Registers& r = one.registers;
  write32(reg::GBPA, r.gbpa | std::uint32_t{1} << 31);
  write32(reg::CR1, 0xd75);
  write32(reg::CR2, r.cr2);
  smmu.write_register(reg::STRTAB_BASE, r.strtab_base, 8);
  write32(reg::STRTAB_BASE_CFG, r.strtab_base_cfg);
  smmu.write_register(reg::CMDQ_BASE, queues_ | command_entries_log2, 8);
  write32(reg::CMDQ_PROD, 0);
  write32(reg::CMDQ_CONS, 0);
  smmu.write_register(reg::EVENTQ_BASE, (queues_ + event_queue_offset) | event_entries_log2, 8);
  write32(event_prod, 0);
  write32(event_cons, 0);
  for (const std::uint32_t cr0 : {8u, 12u, 12u | r.cr0}) {
    write32(reg::CR0, cr0);
    engine.run();
    if (read32(reg::CR0ACK) != cr0) throw std::runtime_error("CR0ACK does not follow CR0; it would have to");
    if (cr0 == 12) invalidate_all();
  }
}

Transaction CaseMachine::transaction_of(const refwalk::Access& access) {
  Transaction t;
  t.stream_id = StreamId(access.sid);
  t.substream_valid = access.ssv;
  t.substream_id = SubstreamId(access.ssid);
  t.access = access.write ? AccessType::write : AccessType::read;
  t.instruction = access.instruction;
  t.privileged = access.privileged;
  t.address = Va(access.address);
  t.attributes = attributes_of(access.attributes);
  return t;
}

bool CaseMachine::push(const Command& command) {
  constexpr std::uint32_t entries = 1u << command_entries_log2;
  if (((producer_ - consumer()) & (2 * entries - 1)) == entries) return false;
  const std::uint64_t address = queues_ + std::uint64_t{producer_ & (entries - 1)} * 16;
  store(address, command.dw[0]);
  store(address + 8, command.dw[1]);
  producer_ = (producer_ + 1) & (2 * entries - 1);
  return true;
}

void CaseMachine::ring() {
  write32(reg::CMDQ_PROD, producer_);
}

bool CaseMachine::command_error() const {
  return ((smmu.read_register(reg::GERROR, 4) ^ smmu.read_register(reg::GERRORN, 4)) & 1) != 0;
}

void CaseMachine::execute(const std::vector<Command>& commands) {
  for (const Command& command : commands) {
    if (push(command)) continue;
    ring();
    engine.run();
    if (!push(command)) throw std::runtime_error("the command queue stays full; its commands would be consumed");
  }
  ring();
  engine.run();
  if (!commands_done()) throw std::runtime_error("commands were not consumed; all of them are legal");
}

void CaseMachine::invalidate_all() {
  std::vector<Command> commands{cfgi_all(), command_of(Opcode::CMD_TLBI_NSNH_ALL)};
  if (config.features.hyp) commands.push_back(command_of(Opcode::CMD_TLBI_EL2_ALL));
  commands.push_back(command_of(Opcode::CMD_SYNC));
  execute(commands);
}

bool CaseMachine::end_stalls(const std::vector<EventRecord>& records) {
  constexpr std::uint64_t stall_bit = std::uint64_t{1} << 31;
  constexpr std::uint64_t resume_and_abort = 0x44 | std::uint64_t{1} << 13;
  std::vector<Command> commands;
  for (const EventRecord& record : records) {
    const std::uint64_t type = record[0] & 0xff;
    if (type < 0x10 || type > 0x13 || (record[1] & stall_bit) == 0) continue;  // others have no such bit
    Command command;
    command.dw[0] = resume_and_abort | (record[0] & ~low_mask(32));  // StreamID
    command.dw[1] = record[1] & 0xffff;                              // STAG
    commands.push_back(command);
  }
  if (!commands.empty()) execute(commands);
  return !commands.empty();
}

std::vector<EventRecord> CaseMachine::run_to_end() {
  std::vector<EventRecord> all;
  for (;;) {
    engine.run();
    const std::vector<EventRecord> records = take_events();
    all.insert(all.end(), records.begin(), records.end());
    if (!end_stalls(records)) return all;
  }
}

std::vector<EventRecord> CaseMachine::take_events() {
  constexpr std::uint32_t entries = 1u << event_entries_log2;
  const std::uint32_t prod = read32(event_prod) & (2 * entries - 1);
  std::uint32_t cons = read32(event_cons) & (2 * entries - 1);
  std::vector<EventRecord> records;
  for (; cons != prod; cons = (cons + 1) & (2 * entries - 1)) {
    EventRecord record{};
    const std::uint64_t address = queues_ + event_queue_offset + std::uint64_t{cons & (entries - 1)} * 32;
    if (!memory.peek(Pa(address), record.data(), sizeof record)) {
      throw std::runtime_error("the event queue can't be read; it lies in memory");
    }
    records.push_back(record);
  }
  write32(event_cons, prod);
  return records;
}

MemoryAttributes attributes_of(const refwalk::MemoryAttributes& attributes) {
  if (attributes.device) return {static_cast<std::uint8_t>(attributes.device_type << 2), attributes.sh};
  const auto nibble = [](const refwalk::CacheLevel& level) -> unsigned {
    if (level.type == refwalk::Cacheability::NC) return 4;
    const unsigned hints = (level.read_allocate ? 2u : 0u) | (level.write_allocate ? 1u : 0u);
    const bool transient = level.transient && hints != 0;
    return (transient ? 0u : 8u) | (level.type == refwalk::Cacheability::WB ? 4u : 0u) | hints;
  };
  return {static_cast<std::uint8_t>(nibble(attributes.outer) << 4 | nibble(attributes.inner)), attributes.sh};
}

Command command_of(Opcode opcode) {
  Command command;
  command.set<Command::OP>(opcode);
  return command;
}

Command cfgi_all() {
  return command_of(Opcode::CMD_CFGI_STE_RANGE).set<Command::Range>(spec::cfgi_all_range);
}

}  // namespace smmusim
