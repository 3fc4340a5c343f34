// SPDX-License-Identifier: MIT
// SmmuWorld: an Engine, a pump, an SMMU module, memory for its tables, and what a driver would have written there.
#pragma once

#include <deque>

#include "model/spec/register_offsets.h"
#include "model/spec/registers.h"
#include "platform/driver/table_builder.h"
#include "platform/memory/memory_module.h"
#include "tests/tlm/protocol_monitor.h"
#include "tlm/smmu_module.h"

namespace smmusim::systemc {

struct SmmuWorld {
  static constexpr std::uint64_t ram = 0x40000000;

  Engine engine;
  Pump pump{"pump", engine};
  SparseMemory memory;
  SmmuModule smmu;
  ProtocolMonitor tcu_monitor{"tcu_monitor"};
  platform::MemoryModule tables{"tables", pump, memory};  // what the TCU sees
  PageAllocator pages{Pa(ram + 0x10000000), 64 << 20};
  StreamTable streams = StreamTable::linear(memory, pages, 6);
  std::deque<PageTable> page_tables;

  /// `between_in`, `between_out`: of a module of the test's between the TCU and its memory.
  explicit SmmuWorld(const SmmuConfig& config = {}, tlm::tlm_target_socket<>* between_in = nullptr,
                     tlm::tlm_initiator_socket<>* between_out = nullptr)
      : smmu("smmu", pump, config) {
    smmu.tcu_out.bind(tcu_monitor.in);
    tcu_monitor.out.bind(between_in != nullptr ? *between_in : tables.in);
    if (between_out != nullptr) between_out->bind(tables.in);
  }

  std::uint64_t read(std::uint32_t offset, unsigned size = 4) { return smmu.smmu().read_register(offset, size); }
  void write(std::uint32_t offset, std::uint64_t value, unsigned size = 4) {
    Pump::Entry entry(pump);
    smmu.smmu().write_register(offset, value, size);
  }

  /// A stage-1 stream with one context; returns its page table to map in.
  PageTable& add_stream(std::uint32_t stream, bool faults_abort = true, bool faults_stall = false) {
    PageTable& table = page_tables.emplace_back(memory, pages, Geometry{});
    ContextTable contexts(memory, pages, 0);
    spec::Cd cd = make_stage1_cd(table, Asid(static_cast<std::uint16_t>(stream)));
    cd.set<spec::Cd::A>(faults_abort).set<spec::Cd::S>(faults_stall);
    contexts.write(0, cd);
    streams.write(StreamId(stream), make_stage1_ste(contexts));
    return table;
  }
  void enable() {
    write(spec::reg::STRTAB_BASE, streams.base_register(), 8);
    write(spec::reg::STRTAB_BASE_CFG, streams.base_cfg_register());
    write(spec::reg::CR0, 1);  // SMMUEN
  }
  void abort_all() { write(spec::reg::GBPA, std::uint64_t{1} << 31 | 1U << 20); }  // Update, ABORT
};

}  // namespace smmusim::systemc
