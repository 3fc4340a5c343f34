// SPDX-License-Identifier: MIT
// LinuxDriver: register accesses in the driver's order. Bit positions are those of IHI 0070 chapters 4 and 6.
#include "tests/support/linux_driver.h"

#include <algorithm>
#include <bit>

namespace smmusim::linux_driver {
namespace {

namespace cmd = raw::cmd;

constexpr std::uint32_t field(std::uint32_t value, unsigned hi, unsigned lo) {
  return (value >> lo) & ((1u << (hi - lo + 1)) - 1);
}
constexpr bool bit(std::uint32_t value, unsigned n) {
  return ((value >> n) & 1) != 0;
}

constexpr std::uint32_t cr1_isw = 0xd75;  // tables and queues: Inner Shareable, Write-Back
constexpr std::uint32_t cr2_ptm_recinvsid = 6;
constexpr std::uint64_t allocate = std::uint64_t{1} << 62;
constexpr std::uint32_t gbpa_update = 1u << 31, gbpa_abort = 1u << 20;
constexpr unsigned split = 8, span = 9;
constexpr std::uint32_t wrap_flag = 1u << 31;
constexpr std::uint32_t gerror_known = 0x1fd;

void probe_idr0(std::uint32_t idr0, Probed& p) {
  p.two_level_table = field(idr0, 28, 27) == 1;
  p.stalls = field(idr0, 25, 24) == 0 || field(idr0, 25, 24) == 2;
  p.stall_force = field(idr0, 25, 24) == 2;
  const std::uint32_t endian = field(idr0, 22, 21);
  if (endian != 0 && endian != 2) p.refusal = "unknown/unsupported TT endianness";
  p.two_level_cd = bit(idr0, 19);
  p.vmid_bits = bit(idr0, 18) ? 16 : 8;
  p.pri = bit(idr0, 16);
  p.sev = bit(idr0, 14);
  p.msi = bit(idr0, 13);
  p.asid_bits = bit(idr0, 12) ? 16 : 8;
  p.ats = bit(idr0, 10);
  p.hyp = bit(idr0, 9);
  p.ha = field(idr0, 7, 6) != 0;
  p.hd = field(idr0, 7, 6) == 2;
  if ((field(idr0, 3, 2) & 2) == 0) p.refusal = "AArch64 table format not supported";
  p.s1 = bit(idr0, 1);
  p.s2 = bit(idr0, 0);
  if (!p.s1 && !p.s2) p.refusal = "no translation support";
}

void probe_idr1(std::uint32_t idr1, Probed& p) {
  if (field(idr1, 30, 28) != 0) p.refusal = "embedded implementation not supported";
  p.attr_types_ovr = bit(idr1, 27);
  p.cmdq_log2 = std::min(16u, field(idr1, 25, 21));
  if (p.cmdq_log2 <= 6) p.refusal = "command queue size <= 64 entries not supported";
  p.evtq_log2 = std::min(15u, field(idr1, 20, 16));
  p.ssid_bits = field(idr1, 10, 6);
  p.sid_bits = field(idr1, 5, 0);
  if (p.sid_bits <= split) p.two_level_table = false;
}

void probe_idr5(std::uint32_t idr5, Probed& p) {
  p.max_stalls = field(idr5, 31, 16);
  constexpr std::uint64_t one = 1;
  if (bit(idr5, 6)) p.page_sizes |= one << 16 | one << 29;
  if (bit(idr5, 5)) p.page_sizes |= one << 14 | one << 25;
  if (bit(idr5, 4)) p.page_sizes |= one << 12 | one << 21 | one << 30;
  p.vax52 = field(idr5, 11, 10) == 1;
  constexpr unsigned sizes[] = {32, 36, 40, 42, 44, 48, 52, 48};
  p.oas = sizes[field(idr5, 2, 0)];
  if (p.oas == 52) p.page_sizes |= one << 42;
}

}  // namespace

std::vector<raw::Command> range_commands(const raw::Command& base, std::uint64_t iova, std::uint64_t size, unsigned tg,
                                         unsigned granule, bool leaf) {
  std::vector<raw::Command> commands;
  std::uint64_t pages = size >> tg;
  const std::uint64_t ttl = leaf ? 4 - (granule - 3) / (tg - 3) : 0;
  if (!leaf && (pages & 31) == 1) ++pages;  // never NUM, SCALE and TTL all 0
  while (pages != 0) {
    const auto scale = static_cast<unsigned>(std::countr_zero(pages));
    const std::uint64_t blocks = (pages >> scale) & 31;
    commands.push_back(base.with({{cmd::NUM, blocks - 1},
                                  {cmd::SCALE, scale},
                                  {cmd::Leaf, leaf},
                                  {cmd::TTL, ttl},
                                  {cmd::TG, (tg - 10) / 2},
                                  {cmd::Address, iova >> 12}}));
    iova += blocks << (scale + tg);
    pages -= blocks << scale;
  }
  return commands;
}

std::vector<raw::Command> page_commands(const raw::Command& base, std::uint64_t iova, std::uint64_t size,
                                        unsigned granule, bool leaf) {
  std::vector<raw::Command> commands;
  for (std::uint64_t at = iova; at < iova + size; at += std::uint64_t{1} << granule) {
    commands.push_back(base.with({{cmd::Leaf, leaf}, {cmd::Address, at >> 12}}));
  }
  return commands;
}

Probed LinuxDriver::probe() {
  Probed p;
  probe_idr0(bench.r32(off::IDR0), p);
  probe_idr1(bench.r32(off::IDR1), p);
  const std::uint32_t idr3 = bench.r32(off::IDR3);
  p.ril = bit(idr3, 10);
  p.s2fwb = bit(idr3, 8);
  p.bbml2 = field(idr3, 12, 11) == 2;
  probe_idr5(bench.r32(off::IDR5), p);
  bench.r32(off::IIDR);
  return p;
}

bool LinuxDriver::poll(const char* what, std::uint32_t offset, std::uint32_t mask, std::uint32_t value) {
  for (int microseconds = 0; microseconds < 1000; ++microseconds) {
    if ((bench.r32(offset) & mask) == value) return true;
    bench.engine.run_until(bench.engine.now() + 1'000'000);
  }
  log.push_back(std::string("timeout: ") + what);
  return false;
}

bool LinuxDriver::enable_sync(std::uint32_t offset, std::uint32_t ack, std::uint32_t value) {
  bench.smmu.write_register(offset, value, 4);
  return poll(ack == off::CR0ACK ? "CR0ACK" : "IRQ_CTRLACK", ack, ~std::uint32_t{0}, value);
}

void LinuxDriver::set_gbpa_abort() {
  log.push_back("SMMU currently enabled! Resetting...");
  poll("GBPA", off::GBPA, gbpa_update, 0);
  bench.smmu.write_register(off::GBPA, bench.r32(off::GBPA) | gbpa_abort | gbpa_update, 4);
  poll("GBPA", off::GBPA, gbpa_update, 0);
}

bool LinuxDriver::take_over() {
  if ((bench.r32(off::CR0) & cr0::SMMUEN) != 0) set_gbpa_abort();
  return shutdown();
}

bool LinuxDriver::reset(const Probed& probed) {
  cmdq_log2 = probed.cmdq_log2;
  evtq_log2 = probed.evtq_log2;
  two_level_ = probed.two_level_table;
  sid_bits_ = probed.sid_bits;
  bool fine = take_over();
  bench.w32(off::CR1, cr1_isw);
  bench.w32(off::CR2, cr2_ptm_recinvsid);
  bench.w64(off::STRTAB_BASE, allocate | l1_table);
  bench.w32(off::STRTAB_BASE_CFG, two_level_ ? 1u << 16 | split << 6 | std::min(sid_bits_, 25u) : sid_bits_);
  bench.w64(off::CMDQ_BASE, allocate | cmdq | cmdq_log2);
  bench.w32(off::CMDQ_PROD, 0);
  bench.w32(off::CMDQ_CONS, 0);
  prod = 0;
  std::uint32_t enables = cr0::CMDQEN;
  fine = enable_sync(off::CR0, off::CR0ACK, enables) && fine;
  fine = issue({raw::command(cmd::CFGI_STE_RANGE, {{cmd::Range, 31}})}) && fine;
  if (probed.hyp) fine = issue({raw::command(cmd::TLBI_EL2_ALL)}) && fine;
  fine = issue({raw::command(cmd::TLBI_NSNH_ALL)}) && fine;
  bench.w64(off::EVENTQ_BASE, allocate | evtq | evtq_log2);
  bench.w32(off::EVENTQ_PROD, 0);
  bench.w32(off::EVENTQ_CONS, 0);
  evtq_cons = 0;
  fine = enable_sync(off::CR0, off::CR0ACK, enables |= cr0::EVENTQEN) && fine;
  if (probed.ats) fine = enable_sync(off::CR0, off::CR0ACK, enables |= cr0::ATSCHK) && fine;
  fine = enable_sync(off::IRQ_CTRL, off::IRQ_CTRLACK, 0) && fine;
  bench.w64(off::GERROR_IRQ_CFG0, 0);
  bench.w64(off::EVENTQ_IRQ_CFG0, 0);
  if (msis_[0] != 0) set_msis(msis_[0], msi_data_[0], msis_[1], msi_data_[1]);
  fine = enable_sync(off::IRQ_CTRL, off::IRQ_CTRLACK, irq::EVENTQ | irq::GERROR) && fine;
  return enable_sync(off::CR0, off::CR0ACK, enables | cr0::SMMUEN) && fine;
}

void LinuxDriver::set_msis(std::uint64_t evtq_doorbell, std::uint32_t evtq_data, std::uint64_t gerror_doorbell,
                           std::uint32_t gerror_data) {
  msis_[0] = evtq_doorbell, msi_data_[0] = evtq_data;
  msis_[1] = gerror_doorbell, msi_data_[1] = gerror_data;
  constexpr std::uint64_t doorbell_bits = 0xf'ffff'ffff'fffc;
  constexpr std::uint32_t device_ngnre = 1;
  bench.w64(off::EVENTQ_IRQ_CFG0, evtq_doorbell & doorbell_bits);
  bench.w32(off::EVENTQ_IRQ_CFG1, evtq_data);
  bench.w32(off::EVENTQ_IRQ_CFG2, device_ngnre);
  bench.w64(off::GERROR_IRQ_CFG0, gerror_doorbell & doorbell_bits);
  bench.w32(off::GERROR_IRQ_CFG1, gerror_data);
  bench.w32(off::GERROR_IRQ_CFG2, device_ngnre);
}

std::uint64_t LinuxDriver::ste_address(std::uint32_t sid) {
  if (!two_level_) return l1_table + 64ull * sid;
  const std::uint64_t descriptor = l1_table + 8ull * (sid >> split);
  const std::uint64_t table = l2_tables + (std::uint64_t{sid >> split} << (split + 6));
  if (bench.memory.read64(descriptor) == 0) {
    for (unsigned i = 0; i < 1u << split; ++i) {
      bench.memory.store(table + 64ull * i, raw::Ste{}.with({{raw::ste::V, 1}}));
    }
    bench.memory.write64(descriptor, table | span);
  }
  return table + 64ull * (sid & ((1u << split) - 1));
}

void LinuxDriver::store(const raw::Command& command) {
  bench.memory.store(slot(prod), command);
  prod = (prod + 1) & ((2u << cmdq_log2) - 1);
}

raw::Command LinuxDriver::sync_by_msi() const {
  return raw::command(cmd::SYNC,
                      {{cmd::CS, 1}, {cmd::MSH, 3}, {cmd::MSIAttr, 0xf}, {cmd::MSIAddress, slot(prod) >> 2}});
}

raw::Command LinuxDriver::sync_by_sev() {
  return raw::command(cmd::SYNC, {{cmd::CS, 2}, {cmd::MSH, 3}, {cmd::MSIAttr, 0xf}});
}

bool LinuxDriver::issue(const std::vector<raw::Command>& batch) {
  for (const raw::Command& command : batch) store(command);
  const std::uint64_t sync_slot = slot(prod);
  store(poll_by_msi ? sync_by_msi() : sync_by_sev());
  bench.smmu.write_register(off::CMDQ_PROD, prod, 4);
  for (int microseconds = 0; microseconds < 1000; ++microseconds) {
    const bool done = poll_by_msi ? (bench.memory.read64(sync_slot) & 0xffff'ffff) == 0
                                  : (bench.r32(off::CMDQ_CONS) & 0xfffff) == prod;
    if (done) return true;
    bench.engine.run_until(bench.engine.now() + 1'000'000);
  }
  log.emplace_back("CMD_SYNC timeout");
  return false;
}

std::vector<raw::Record> LinuxDriver::event_thread() {
  std::vector<raw::Record> records;
  const std::uint32_t wrap = (2u << evtq_log2) - 1;
  for (;;) {
    std::uint32_t where = bench.r32(off::EVENTQ_PROD);
    while (((where ^ evtq_cons) & wrap) != 0) {
      raw::Record record;
      const std::uint64_t at = evtq + 32ull * (evtq_cons & (wrap >> 1));
      for (std::size_t i = 0; i < 4; ++i) record.dw[i] = bench.memory.read64(at + 8 * i);
      records.push_back(record);
      evtq_cons = ((evtq_cons + 1) & wrap) | (evtq_cons & wrap_flag);
    }
    where = bench.r32(off::EVENTQ_PROD);
    if (((where ^ evtq_cons) & wrap_flag) != 0) log.emplace_back("EVTQ overflow detected -- events lost");
    if (((where ^ evtq_cons) & wrap) == 0) {
      evtq_cons = (evtq_cons & ~wrap_flag) | (where & wrap_flag);
      bench.w32(off::EVENTQ_CONS, evtq_cons);
      return records;
    }
  }
}

void LinuxDriver::gerror_handler() {
  const std::uint32_t raised = bench.r32(off::GERROR);
  const std::uint32_t active = (raised ^ bench.r32(off::GERRORN)) & gerror_known;
  if (active == 0) return;
  constexpr std::pair<unsigned, const char*> names[] = {{2, "EVTQ write aborted"},     {3, "PRIQ write aborted"},
                                                        {4, "CMDQ MSI write aborted"}, {5, "EVTQ MSI write aborted"},
                                                        {6, "PRIQ MSI write aborted"}, {7, "GERROR MSI write aborted"}};
  if (bit(active, 8)) {
    log.emplace_back("device has entered Service Failure Mode!");
    shutdown();
  }
  for (const auto& [n, name] : names) {
    if (bit(active, n)) log.emplace_back(name);
  }
  if (bit(active, 0)) skip_command_error();
  bench.w32(off::GERRORN, raised);
}

void LinuxDriver::skip_command_error() {
  const std::uint32_t cons = bench.r32(off::CMDQ_CONS);
  switch (field(cons, 30, 24)) {
    case 1:
      log.emplace_back("CMDQ error: Illegal command");
      bench.memory.store(slot(cons), sync_by_sev());
      return;
    case 2:
      log.emplace_back("CMDQ error: retrying command fetch");
      return;
    case 3:
      log.emplace_back("CMDQ error: ATC invalidate timeout");
      return;
    default:
      log.emplace_back("CMDQ error: unknown");
  }
}

}  // namespace smmusim::linux_driver
