// SPDX-License-Identifier: MIT
// run_linux(): boots an unmodified Linux in an unmodified QEMU, with our SMMU in front of QEMU's PCI devices, lets it
// run a script, and says what came of it. The SMMU itself is a shared object that QEMU loads (platform/cosim/qemu).
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "platform/config/platform_config.h"
#include "platform/cosim/linux/devices.h"

namespace smmusim::cosim {

enum class Iommu : std::uint8_t {
  smmusim,  ///< ours
  qemu,     ///< QEMU's SMMUv3, to compare with
  none,     ///< no SMMU, to compare with
};

struct LinuxOptions {
  PlatformConfig config{};  ///< exactly one SMMU
  std::vector<Device> devices{};
  std::string kernel = "6.1";  ///< as find_kernel() takes it
  std::string modules{};       ///< folder of the modules of a kernel that is a file; empty: it has none
  std::string qemu = "qemu-system-aarch64";
  std::string cpu = "cortex-a57";
  unsigned cpus = 1;
  unsigned memory_mib = 1024;
  std::string script_path{};       ///< empty: the tests of the devices
  std::string append{};            ///< to the kernel's command line
  unsigned timeout_seconds = 120;  ///< from QEMU's start to the guest's power-off
  unsigned fetch_seconds = 600;    ///< for each kernel or busybox that is fetched
  Iommu iommu = Iommu::smmusim;
  bool root_port = false;                     ///< each device behind one of its own
  std::string inject{};                       ///< for the shared object; empty: nothing
  std::vector<std::string> qemu_arguments{};  ///< more of them, at the end
  std::string record_path{};
  std::function<void(const std::string& line)> on_console{};    ///< each line of the guest's console
  std::function<void(const std::string& sentence)> progress{};  ///< what takes long
};

struct LinuxOutcome {
  int exit_code = 0;        ///< of smmusim
  std::string complaint{};  ///< why it is not 0; several lines are possible
  nlohmann::ordered_json json{};
};

/// Throws InputError, Lacking and Interrupted. No process and no temporary file is left in any case.
LinuxOutcome run_linux(const LinuxOptions& options);

/// The outcome for people.
std::string linux_summary(const nlohmann::ordered_json& json);

}  // namespace smmusim::cosim
