// SPDX-License-Identifier: MIT
// CosimSmmu; see the header.
#include "platform/cosim/device/cosim_smmu.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "model/base/check.h"
#include "platform/cosim/device/trace_records.h"
#include "platform/system/smmu_statistics.h"
#include "platform/trace/export_qemu.h"

namespace smmusim::cosim {
namespace {

constexpr std::uint64_t page_mask = trace::page_bytes - 1;

SmmuConfig untimed(SmmuConfig config) {
  config.timed = false;
  config.tbus = 1;
  return config;
}

Transaction transaction_of(StreamId stream, std::uint64_t address, DeviceAccess access) {
  Transaction transaction;
  transaction.stream_id = stream;
  transaction.address = Va(address);
  transaction.access = access == DeviceAccess::write ? AccessType::write : AccessType::read;
  return transaction;
}

/// Which addresses of some device an invalidation may cover; a notification that covers more than it must is allowed.
void append_unmapped(const trace::Record& record, std::vector<Unmapped>& to) {
  // A range of IPAs says nothing about the addresses of a device that has a stage 1 too. Without TG one page of any
  // size is meant, and devices have it in pieces of 4 KiB.
  if (record.invalidate_scope != trace::InvalidateScope::range || record.granule_log2 == 0) {
    constexpr std::uint64_t half = std::uint64_t{1} << 63;
    to.insert(to.end(), {{0, half - 1}, {half, half - 1}});
    return;
  }
  std::uint64_t first = record.address & ~(record.granule_bytes() - 1);
  std::uint64_t granules = record.pages;
  while (granules != 0) {
    const unsigned bits = std::min(first == 0 ? 63u : static_cast<unsigned>(std::countr_zero(first)), 63u);
    const std::uint64_t aligned = std::max<std::uint64_t>((std::uint64_t{1} << bits) / record.granule_bytes(), 1);
    const std::uint64_t piece = std::min(aligned, std::bit_floor(granules));
    to.push_back({first, piece * record.granule_bytes() - 1});
    granules -= piece;
    first += piece * record.granule_bytes();
    if (first == 0) return;  // past the end of the address space
  }
}

trace::Record access_record(const Transaction& transaction, const Response& response) {
  trace::Record record;
  record.stream = transaction.stream_id.value;
  record.address = transaction.address.value;
  record.output = response.address.value;
  record.op = transaction.writes() ? trace::Op::write : trace::Op::read;
  record.perm = static_cast<std::uint8_t>((response.read_allowed ? trace::perm_read : 0) |
                                          (response.write_allowed ? trace::perm_write : 0));
  record.has_expected = true;
  return record;
}

}  // namespace

CosimSmmu::CosimSmmu(const SmmuConfig& config, GuestRam& ram, CosimOptions options)
    : options_(std::move(options)),
      port_(ram, options_.injection.illegal_command),
      smmu_(engine_, port_, this, untimed(config)) {}

std::uint64_t CosimSmmu::read_register(std::uint32_t offset, unsigned size) {
  const std::lock_guard lock(mutex_);
  return smmu_.read_register(offset, size);
}

Consequences CosimSmmu::write_register(std::uint32_t offset, std::uint64_t value, unsigned size) {
  const std::lock_guard lock(mutex_);
  smmu_.write_register(offset, value, size);
  engine_.run();
  return consequences();
}

Translation CosimSmmu::translate(StreamId stream, std::uint64_t address, DeviceAccess access,
                                 Consequences& consequences) {
  const std::lock_guard lock(mutex_);
  const Transaction transaction = transaction_of(stream, address, access);
  const bool look = access == DeviceAccess::look;
  const Response response = smmu_.translate(0, transaction, look ? debug_effects : ordinary_effects);
  engine_.run();
  consequences = this->consequences();
  // A stalled transaction cannot wait here: it ends as if it were terminated. PCIe streams do not stall (section 16.4).
  const bool allowed = response.outcome == Outcome::proceed;
  if (!look) {
    ++translations_;
    faults_ += allowed ? 0 : 1;
    SMMUSIM_CHECK(translations_ != options_.injection.defect);
    // What bypasses is recorded as mapped to itself, which is what a player's tables can say.
    if (allowed) log(access_record(transaction, response));
  }
  if (!allowed) return {};
  return {true, response.address.value & ~page_mask, response.read_allowed, response.write_allowed};
}

void CosimSmmu::reset() {
  const std::lock_guard lock(mutex_);
  smmu_.reset();
  engine_.run();
  consequences();
}

nlohmann::ordered_json CosimSmmu::statistics(const std::string& name) {
  const std::lock_guard lock(mutex_);
  return {{"translations", translations_}, {"faults", faults_}, {"smmu", smmu_json(smmu_, name)}};
}

void CosimSmmu::command(const spec::Command& command, spec::CommandError error) {
  if (error != spec::CommandError::CERROR_NONE) return;
  const std::optional<trace::Record> record = record_of(command, smmu_.config().features);
  if (!record) return;
  if (record->kind == trace::Kind::invalidate) append_unmapped(*record, unmapped_);
  log(*record);
}

Consequences CosimSmmu::consequences() {
  return {smmu_.take_interrupts(), port_.take_messages(), std::exchange(unmapped_, {})};
}

void CosimSmmu::log(trace::Record record) {
  if (!options_.log) return;
  record.time_ps = options_.time_ps();
  std::string lines;
  if (trace::append_log_lines(record, lines) == nullptr) options_.log(lines);
}

}  // namespace smmusim::cosim
