// SPDX-License-Identifier: MIT
// SmmuBench: register writes let the engine run until nothing is left to do, so a test reads as a sequence.
#include "tests/support/smmu_bench.h"

namespace smmusim {

SmmuConfig bench_config() {
  SmmuConfig config;
  config.timed = false;
  return config;
}

SmmuConfig timed_bench_config() {
  SmmuConfig config;
  config.timed = true;
  return config;
}

SmmuBench::SmmuBench(const SmmuConfig& config, Time latency_ps, bool with_set_up)
    : memory(engine), smmu(engine, memory, nullptr, config) {
  memory.latency_ps = latency_ps;
  if (with_set_up) set_up();
}

void SmmuBench::w32(std::uint32_t offset, std::uint32_t value) {
  smmu.write_register(offset, value, 4);
  run();
}

void SmmuBench::w64(std::uint32_t offset, std::uint64_t value) {
  smmu.write_register(offset, value, 8);
  run();
}

void SmmuBench::set_up() {
  w32(off::CR1, 0xd75);  // tables and queues: Inner Shareable, write-back
  w32(off::CR2, 2);      // RECINVSID
  w64(off::STRTAB_BASE, strtab);
  w32(off::STRTAB_BASE_CFG, strtab_log2);
  w64(off::CMDQ_BASE, cmdq | cmdq_log2);
  w32(off::CMDQ_PROD, 0);
  w32(off::CMDQ_CONS, 0);
  w64(off::EVENTQ_BASE, eventq | eventq_log2);
  w32(off::EVENTQ_PROD, 0);
  w32(off::EVENTQ_CONS, 0);
  prod = 0;
  enable(cr0::CMDQEN | cr0::EVENTQEN);
  enable(cr0::CMDQEN | cr0::EVENTQEN | cr0::SMMUEN);
}

raw::Ste SmmuBench::stage1_ste(std::uint64_t cd_address) {
  using namespace raw;
  return Ste{}.with({{ste::V, 1}, {ste::Config, 5}, {ste::S1ContextPtr, cd_address >> 6}, {ste::SHCFG, 1}});
}

raw::Cd SmmuBench::stage1_cd(std::uint64_t asid) {
  using namespace raw;
  return Cd{}.with({{cd::T0SZ, 16},
                    {cd::TG0, 0},
                    {cd::T1SZ, 16},
                    {cd::TG1, 2},
                    {cd::V, 1},
                    {cd::IPS, 5},
                    {cd::AA64, 1},
                    {cd::R, 1},
                    {cd::A, 1},
                    {cd::ASID, asid},
                    {cd::TTB0, new_table() >> 4},
                    {cd::TTB1, new_table() >> 4},
                    {cd::MAIR0, 0x000444ff},
                    {cd::MAIR1, 0x0c08bbf4}});
}

raw::Cd SmmuBench::stage1_stream(std::uint32_t sid) {
  const raw::Cd cd = stage1_cd(sid);
  put_cd(sid, cd);
  put_ste(sid, stage1_ste(cd_address(sid)));
  return cd;
}

std::uint64_t SmmuBench::new_table() {
  const std::uint64_t table = next_table_;
  next_table_ += 0x1000;
  return table;
}

std::uint64_t SmmuBench::descriptor_at(std::uint64_t ttb, std::uint64_t va, int level, int start_level) {
  std::uint64_t table = ttb;
  for (int at = start_level;; ++at) {
    const unsigned shift = 12 + 9 * static_cast<unsigned>(3 - at);
    const std::uint64_t address = table + ((va >> shift) & 0x1ff) * 8;
    if (at == level) return address;
    if ((memory.read64(address) & 3) != 3) memory.write64(address, new_table() | 3);
    table = memory.read64(address) & 0xffff'ffff'f000;
  }
}

Transaction SmmuBench::transaction(std::uint32_t sid, std::uint64_t va, AccessType access) {
  Transaction t;
  t.stream_id = StreamId(sid);
  t.address = Va(va);
  t.access = access;
  return t;
}

Response SmmuBench::go(const Transaction& transaction) {
  if (!smmu.config().timed) {
    const Response response = smmu.translate(0, transaction);
    run();
    return response;
  }
  TranslationRequest request;
  request.transaction = transaction;
  request.fire = [](EventNode&) {};
  smmu.submit(0, request);
  run();
  smmu.retire(request);
  run();
  return request.response;
}

void SmmuBench::push(const raw::Command& command) {
  memory.store(cmdq + 16ull * (prod & ((1u << cmdq_log2) - 1)), command);
  prod = (prod + 1) & ((2u << cmdq_log2) - 1);
}

void SmmuBench::kick() {
  w32(off::CMDQ_PROD, prod);
}

bool SmmuBench::all_consumed() {
  return cons() == prod && (active_errors() & gerror::CMDQ_ERR) == 0;
}

void SmmuBench::invalidate_all() {
  push(raw::command(raw::cmd::CFGI_STE_RANGE, {{raw::cmd::Range, 31}}));
  push(raw::command(raw::cmd::TLBI_NSNH_ALL));
  sync();
}

std::vector<raw::Record> SmmuBench::take_events() {
  std::vector<raw::Record> records;
  const std::uint32_t wrap = (2u << eventq_log2) - 1;
  std::uint32_t index = r32(off::EVENTQ_CONS);
  const std::uint32_t flag = index & 0x8000'0000;
  index &= wrap;
  while (index != (r32(off::EVENTQ_PROD) & wrap)) {
    raw::Record record;
    const std::uint64_t address = eventq + 32ull * (index & (wrap >> 1));
    for (std::size_t i = 0; i < 4; ++i) record.dw[i] = memory.read64(address + 8 * i);
    records.push_back(record);
    index = (index + 1) & wrap;
  }
  w32(off::EVENTQ_CONS, index | flag);
  return records;
}

raw::Record SmmuBench::take_event() {
  const std::vector<raw::Record> records = take_events();
  return records.size() == 1 ? records[0] : raw::Record{};
}

}  // namespace smmusim
