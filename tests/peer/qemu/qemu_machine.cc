// SPDX-License-Identifier: MIT
// The board's command line, its PCI functions, and one case as a driver would
// run it (IHI 0070 sections 3.11, 6.3).
#include "tests/peer/qemu/qemu_machine.h"

#include <fmt/format.h>

#include "model/spec/register_offsets.h"
#include "tests/peer/qemu/setup.h"

namespace smmusim::peer {
namespace {

namespace reg = spec::reg;

// Registers of iommu-testdev and edu (QEMU's include/hw/misc/iommu-testdev.h,
// docs/specs/edu.rst).
namespace testdev {
constexpr std::uint32_t trigger = 0x00, iova_low = 0x04, iova_high = 0x08, length = 0x0c, result = 0x10,
                        doorbell = 0x14;
constexpr std::uint32_t gpa_low = 0x1c, gpa_high = 0x20;
constexpr std::uint64_t result_write_failed = 0xdead0002;
}  // namespace testdev
namespace edu {
constexpr std::uint32_t source = 0x80, destination = 0x88, count = 0x90, command = 0x98;
constexpr std::uint64_t buffer = 0x40000;
constexpr std::uint32_t run = 1, to_memory = 2;
}  // namespace edu

constexpr std::uint32_t gbpa_update = 0x80000000;

std::vector<std::uint32_t> values_of(const std::vector<std::uint64_t>& answers,
                                     const std::vector<std::size_t>& places) {
  std::vector<std::uint32_t> values;
  for (const std::size_t place : places) values.push_back(static_cast<std::uint32_t>(answers[place]));
  return values;
}

std::vector<std::string> command_line(const QemuOptions& options, Stages stages, int ram_file) {
  std::vector<std::string> command = options.launcher;
  const auto add = [&](std::initializer_list<std::string> more) { command.insert(command.end(), more); };
  add({"-display", "none", "-nodefaults", "-monitor", "none", "-serial", "none"});
  add({"-machine",
       "virt,gic-version=3,acpi=off,highmem-mmio=off,highmem-ecam="
       "off,highmem-redists=off,"
       "memory-backend=ram"});
  // The CPU sleeps for good; with icount and no sleep, virtual time jumps to
  // the next timer: edu's DMA needs no wait.
  add({"-cpu", "cortex-a57,start-powered-off=on", "-accel", "tcg", "-icount", "shift=0,sleep=off"});
  add({"-m", fmt::format("{}M", ram_bytes >> 20)});
  add({"-object", fmt::format("memory-backend-file,id=ram,share=on,size={}M,"
                              "mem-path=/proc/self/fd/{}",
                              ram_bytes >> 20, ram_file)});
  add({"-qtest", "stdio", "-qtest-log", "none"});
  add({"-device",
       fmt::format("arm-smmuv3,primary-bus=pcie.0,id=smmu,stage={}", stages_names[static_cast<unsigned>(stages)])});
  for (const Device& device : devices) {
    const unsigned slot = device.sid >> 3;
    const unsigned function = device.sid & 7;
    const std::string kind = device.reads ? "edu,dma_mask=0xffffffffffffffff" : "iommu-testdev";
    add({"-device", fmt::format("{},addr={:#x}.{}{}", kind, slot, function, function == 0 ? ",multifunction=on" : "")});
  }
  return command;
}

}  // namespace

std::uint64_t bar_of(std::uint32_t sid) {
  for (std::size_t i = 0; i < devices.size(); ++i) {
    if (devices[i].sid == sid) return bar_base + i * bar_stride;
  }
  throw std::invalid_argument(fmt::format("no device has StreamID {:#x}; layout.h lists those that exist", sid));
}

QemuMachine::QemuMachine(const QemuOptions& options, Stages stages, Ram& ram)
    : options_(options), stages_(stages), ram_(ram) {}

void QemuMachine::start() {
  qtest_ = std::make_unique<Qtest>(command_line(options_, stages_, ram_.file()), options_.log);
  ++starts_;
  two_level_used_ = false;
  qtest_->intercept("/machine/peripheral/smmu", "sysbus-irq");
  set_up_devices();
}

void QemuMachine::require_process() {
  if (qtest_ == nullptr) start();
}

void QemuMachine::set_up_devices() {
  for (std::size_t i = 0; i < devices.size(); ++i) {
    const std::uint64_t function = ecam_base + (std::uint64_t{devices[i].sid} << 12);
    qtest_->write32(function + 0x10, static_cast<std::uint32_t>(bar_base + i * bar_stride));
    qtest_->write32(function + 0x04, 6);  // memory space, bus master
  }
  qtest_->flush();
}

spec::IdRegisters QemuMachine::id_registers() {
  require_process();
  spec::IdRegisters ids;
  for (unsigned i = 0; i < 6; ++i) {
    ids.idr[i] = static_cast<std::uint32_t>(qtest_->read32_now(smmu_base + reg::IDR0 + 4 * i));
  }
  ids.iidr = static_cast<std::uint32_t>(qtest_->read32_now(smmu_base + reg::IIDR));
  ids.aidr = static_cast<std::uint32_t>(qtest_->read32_now(smmu_base + reg::AIDR));
  return ids;
}

Observation QemuMachine::run(const Case& one) {
  // QEMU forgets a 2-level stream table only at reset (divergence
  // "format-sticky").
  if (two_level_used_ && !one.two_level()) restart();
  require_process();
  two_level_used_ = two_level_used_ || one.two_level();
  Observation seen;
  try {
    for (const RegisterWrite& write : setup_of(one)) this->write(write);
    if (one.access.write) {
      write_access(one.access, {}, seen);
      collect(seen);
    } else {
      read_access(one.access);
      collect(seen);
      fetch_read(one.access, seen);
    }
  } catch (const QemuDied&) {
    seen = {};
    seen.died = true;
    restart();
  }
  return seen;
}

void QemuMachine::begin() {
  require_process();
  smmu32(reg::CR0, 0);
  smmu32(reg::IRQ_CTRL, 0);
  constexpr std::uint32_t offsets[] = {reg::GERROR};
  smmu32(reg::GERRORN, read(offsets)[0]);
}

void QemuMachine::write(const RegisterWrite& one) {
  if (one.offset == reg::STRTAB_BASE_CFG) two_level_used_ = two_level_used_ || (one.value >> 16 & 3) == 1;
  const auto low = static_cast<std::uint32_t>(one.value);
  if (one.offset == reg::CR0) cr0_ = low;
  if (one.offset == reg::GBPA && (low & gbpa_update) != 0) gbpa_ = low;
  if (one.bytes == 8) {
    qtest_->write64(smmu_base + one.offset, one.value);
  } else {
    smmu32(one.offset, low);
  }
}

std::vector<std::size_t> QemuMachine::queue_reads(std::span<const std::uint32_t> offsets) {
  std::vector<std::size_t> places;
  for (const std::uint32_t offset : offsets) places.push_back(qtest_->read32(smmu_base + offset));
  return places;
}

std::vector<std::uint32_t> QemuMachine::read(std::span<const std::uint32_t> offsets) {
  const std::vector<std::size_t> places = queue_reads(offsets);
  return values_of(qtest_->flush(), places);
}

std::vector<std::uint32_t> QemuMachine::access(const Access& one, std::span<const std::uint32_t> offsets,
                                               Observation& seen) {
  if (one.write) return write_access(one, offsets, seen);
  read_access(one);
  std::vector<std::uint32_t> values = read(offsets);
  fetch_read(one, seen);
  smmu32(reg::GBPA, gbpa_ | gbpa_update);
  smmu32(reg::CR0, cr0_);
  return values;
}

std::vector<std::uint32_t> QemuMachine::write_access(const Access& one, std::span<const std::uint32_t> offsets,
                                                     Observation& seen) {
  const std::uint64_t bar = bar_of(one.sid);
  qtest_->write32(bar + testdev::iova_low, static_cast<std::uint32_t>(one.address));
  qtest_->write32(bar + testdev::iova_high, static_cast<std::uint32_t>(one.address >> 32));
  qtest_->write32(bar + testdev::length, one.bytes);
  // The device reads back from here; whether it finds its pattern is not our
  // question.
  qtest_->write32(bar + testdev::gpa_low, static_cast<std::uint32_t>(scratch));
  qtest_->write32(bar + testdev::gpa_high, 0);
  qtest_->write32(bar + testdev::doorbell, 1);
  qtest_->read32(bar + testdev::trigger);
  const std::size_t result = qtest_->read32(bar + testdev::result);
  const std::vector<std::size_t> places = queue_reads(offsets);
  const std::vector<std::uint64_t>& answers = qtest_->flush();
  seen.landed = answers[result] != testdev::result_write_failed;
  return values_of(answers, places);
}

void QemuMachine::edu_transfer(std::uint64_t bar, std::uint64_t from, std::uint64_t to, std::uint32_t bytes,
                               bool to_memory) {
  qtest_->write64(bar + edu::source, from);
  qtest_->write64(bar + edu::destination, to);
  qtest_->write64(bar + edu::count, bytes);
  qtest_->write64(bar + edu::command, edu::run | (to_memory ? edu::to_memory : 0));
  std::size_t status = qtest_->read64(bar + edu::command);
  while ((qtest_->flush()[status] & edu::run) != 0) status = qtest_->read64(bar + edu::command);
}

void QemuMachine::read_access(const Access& one) {
  edu_transfer(bar_of(one.sid), one.address, edu::buffer, one.bytes, false);
}

/// With the SMMU off, edu's buffer goes where we can look at it.
void QemuMachine::fetch_read(const Access& one, Observation& seen) {
  smmu32(reg::CR0, 0);
  smmu32(reg::GBPA, 0x80001000);
  edu_transfer(bar_of(one.sid), edu::buffer, scratch, one.bytes, true);
  seen.read.assign(ram_.at(scratch), ram_.at(scratch) + one.bytes);
}

void QemuMachine::collect(Observation& seen) {
  const std::size_t produced = qtest_->read32(smmu_base + reg::EVENTQ_PROD);
  const std::size_t error = qtest_->read32(smmu_base + reg::GERROR);
  const std::size_t acknowledged = qtest_->read32(smmu_base + reg::GERRORN);
  const std::vector<std::uint64_t>& answers = qtest_->flush();
  seen.gerror = static_cast<std::uint32_t>(answers[error] ^ answers[acknowledged]);
  seen.events = events_in(ram_, static_cast<std::uint32_t>(answers[produced]));
  smmu32(reg::GERRORN, static_cast<std::uint32_t>(answers[error]));
}

}  // namespace smmusim::peer
