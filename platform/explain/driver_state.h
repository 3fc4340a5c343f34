// SPDX-License-Identifier: MIT
// DriverState: the machine of a PlatformConfig as the simulated driver has set it up: stream tables, contexts and page
// tables in memory, registers. Without a trace the page tables are empty; with one they hold what the driver had mapped
// when a record of the trace was played. No device does anything.
//
// It builds a Platform, of which there can be one in a process.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "platform/config/platform_config.h"
#include "platform/explain/register_dump.h"
#include "platform/memory/immediate_port.h"
#include "platform/system/machine_setup.h"

namespace smmusim::explain {

/// What decides which SMMU, and which moment of the trace, is meant.
struct Moment {
  std::uint32_t stream = 0;
  std::optional<std::uint32_t> substream;
  std::uint64_t address = 0;
  std::string smmu;  ///< its name; empty: that of the stream's endpoint, else the first
  std::optional<std::uint64_t>
      record;  ///< number in the trace, from 1; absent: the first access of stream, substream and page
};

class DriverState {
 public:
  /// Throws InputError, trace::TraceError.
  DriverState(const PlatformConfig& config, const Moment& moment);
  ~DriverState();

  MemoryPort& memory() { return *port_; }
  const SmmuConfig& smmu_config() const { return config_.smmus[smmu_].config; }
  const RegisterDump& registers() const { return registers_; }
  /// What was set up, for the reader: sentences.
  const std::string& note() const { return note_; }

 private:
  void boot();
  void play(const Moment& moment);
  void apply(const trace::Record& record);
  void read_registers();

  PlatformConfig config_;
  PlayPlan plan_;
  std::size_t smmu_ = 0;
  std::unique_ptr<Platform> platform_;
  std::unique_ptr<MachineSetup> setup_;
  std::unique_ptr<ImmediatePort> port_;
  RegisterDump registers_;
  std::string note_;
};

}  // namespace smmusim::explain
