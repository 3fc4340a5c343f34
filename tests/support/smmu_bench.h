// SPDX-License-Identifier: MIT
// SmmuBench: one SMMU, a memory and an engine for tests that drive the architecture's own interface: registers by
// offset, structures and commands as raw words, event records as raw words. Untimed by default; a timed configuration
// and a memory latency make it a timed machine.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/smmu/smmu.h"
#include "tests/support/bench_memory.h"
#include "tests/support/raw_words.h"

namespace smmusim {

/// Register offsets of section 6.2.1.
namespace off {
inline constexpr std::uint32_t IDR0 = 0x0, IDR1 = 0x4, IDR3 = 0xc, IDR5 = 0x14, IIDR = 0x18, AIDR = 0x1c, CR0 = 0x20;
inline constexpr std::uint32_t CR0ACK = 0x24, CR1 = 0x28, CR2 = 0x2c, STATUSR = 0x40, GBPA = 0x44, AGBPA = 0x48;
inline constexpr std::uint32_t IRQ_CTRL = 0x50, IRQ_CTRLACK = 0x54, GERROR = 0x60, GERRORN = 0x64;
inline constexpr std::uint32_t GERROR_IRQ_CFG0 = 0x68, GERROR_IRQ_CFG1 = 0x70, GERROR_IRQ_CFG2 = 0x74;
inline constexpr std::uint32_t STRTAB_BASE = 0x80, STRTAB_BASE_CFG = 0x88, CMDQ_BASE = 0x90, CMDQ_PROD = 0x98;
inline constexpr std::uint32_t CMDQ_CONS = 0x9c, EVENTQ_BASE = 0xa0, EVENTQ_IRQ_CFG0 = 0xb0, EVENTQ_IRQ_CFG1 = 0xb8;
inline constexpr std::uint32_t EVENTQ_IRQ_CFG2 = 0xbc, EVENTQ_PROD = 0x100a8, EVENTQ_CONS = 0x100ac;
inline constexpr std::uint32_t MPAMIDR = 0x130, GMPAM = 0x138, GBPMPAM = 0x13c;
}  // namespace off

namespace cr0 {
inline constexpr std::uint32_t SMMUEN = 1, PRIQEN = 2, EVENTQEN = 4, CMDQEN = 8, ATSCHK = 16;
}
namespace gerror {
inline constexpr std::uint32_t CMDQ_ERR = 1, EVENTQ_ABT_ERR = 4, MSI_CMDQ_ABT_ERR = 16, MSI_EVENTQ_ABT_ERR = 32;
inline constexpr std::uint32_t MSI_GERROR_ABT_ERR = 128;
}  // namespace gerror
namespace irq {
inline constexpr std::uint32_t GERROR = 1, EVENTQ = 4;
}
inline constexpr unsigned wire_eventq = 1u << static_cast<unsigned>(Wire::event_queue);
inline constexpr unsigned wire_sync = 1u << static_cast<unsigned>(Wire::command_sync);
inline constexpr unsigned wire_gerror = 1u << static_cast<unsigned>(Wire::global_error);
inline constexpr unsigned wire_sev = 1u << static_cast<unsigned>(Wire::sev);

/// The default machine, untimed.
SmmuConfig bench_config();
/// The same, timed; give the bench a latency.
SmmuConfig timed_bench_config();

class SmmuBench {
 public:
  // Where the set-up puts things. All of them are plain memory.
  static constexpr std::uint64_t strtab = 0x4000'0000, cmdq = 0x4010'0000, eventq = 0x4020'0000;
  static constexpr std::uint64_t cds = 0x4030'0000, target = 0x8000'0000;
  static constexpr unsigned strtab_log2 = 8, cmdq_log2 = 8, eventq_log2 = 7;

  /// Enables everything (queues, SMMUEN, RECINVSID); the stream table is empty.
  explicit SmmuBench(const SmmuConfig& config = bench_config(), Time latency_ps = 0, bool set_up = true);

  std::uint32_t r32(std::uint32_t offset) { return static_cast<std::uint32_t>(smmu.read_register(offset, 4)); }
  std::uint64_t r64(std::uint32_t offset) { return smmu.read_register(offset, 8); }
  void w32(std::uint32_t offset, std::uint32_t value);  ///< and lets the engine run
  void w64(std::uint32_t offset, std::uint64_t value);
  void set_up();
  /// Writes CR0 and lets the engine run.
  void enable(std::uint32_t cr0) { w32(off::CR0, cr0); }

  // Structures.
  static raw::Ste stage1_ste(std::uint64_t cd_address);
  /// A stage-1 CD with both halves at 48 bits, 4 KiB, IPS 48, R=A=1 and fresh empty tables.
  raw::Cd stage1_cd(std::uint64_t asid);
  void put_ste(std::uint32_t sid, const raw::Ste& ste) { memory.store(strtab + 64ull * sid, ste); }
  static std::uint64_t cd_address(std::uint32_t sid) { return cds + 64ull * sid; }
  void put_cd(std::uint32_t sid, const raw::Cd& cd) { memory.store(cd_address(sid), cd); }
  /// STE and CD of a stage-1 stream with ASID `sid`; returns the CD as written.
  raw::Cd stage1_stream(std::uint32_t sid);

  // Translation tables, 4 KiB granule.
  std::uint64_t new_table();
  /// Address of the descriptor for `va` at `level`, making tables from `start_level` on as needed.
  std::uint64_t descriptor_at(std::uint64_t ttb, std::uint64_t va, int level, int start_level = 0);
  void map(std::uint64_t ttb, std::uint64_t va, std::uint64_t descriptor, int level = 3, int start_level = 0) {
    memory.write64(descriptor_at(ttb, va, level, start_level), descriptor);
  }
  static std::uint64_t ttb0(const raw::Cd& cd) { return cd.get(raw::cd::TTB0) << 4; }
  static std::uint64_t ttb1(const raw::Cd& cd) { return cd.get(raw::cd::TTB1) << 4; }

  // Traffic. In a timed machine the engine runs until the answer is there.
  Response go(const Transaction& transaction);
  Response read(std::uint32_t sid, std::uint64_t va) { return go(transaction(sid, va)); }
  Response write(std::uint32_t sid, std::uint64_t va) { return go(transaction(sid, va, AccessType::write)); }
  static Transaction transaction(std::uint32_t sid, std::uint64_t va, AccessType access = AccessType::read);

  // Commands.
  void push(const raw::Command& command);  ///< into memory, PROD not written
  void kick();                             ///< writes CMDQ_PROD and lets the engine run
  void issue(const raw::Command& command) {
    push(command);
    kick();
  }
  void sync() { issue(raw::command(raw::cmd::SYNC)); }
  /// True if all that was pushed is consumed and there is no command error.
  bool all_consumed();
  std::uint32_t cons() { return r32(off::CMDQ_CONS) & 0xfffff; }
  std::uint32_t command_error() { return (r32(off::CMDQ_CONS) >> 24) & 0x7f; }
  std::uint32_t active_errors() { return r32(off::GERROR) ^ r32(off::GERRORN); }
  void acknowledge_errors() { w32(off::GERRORN, r32(off::GERROR)); }
  /// CFGI_ALL, TLBI_NSNH_ALL, SYNC.
  void invalidate_all();

  /// The records between CONS and PROD; CONS is moved behind them.
  std::vector<raw::Record> take_events();
  /// The one record that is there, or a record of zeros if there is not exactly one.
  raw::Record take_event();

  void run() { engine.run(); }

  Engine engine;
  BenchMemory memory;
  Smmu smmu;
  std::uint32_t prod = 0;  ///< what the next kick() writes

 private:
  std::uint64_t next_table_ = 0x5000'0000;
};

/// The event number that `response` carries, for readable failures.
inline std::uint64_t event_number(const Response& response) {
  return static_cast<std::uint64_t>(response.event);
}

}  // namespace smmusim
