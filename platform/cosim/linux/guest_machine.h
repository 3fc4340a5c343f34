// SPDX-License-Identifier: MIT
// QEMU as the guest's machine: which program it is, its command line, and the device tree with our SMMU.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "platform/cosim/linux/guest_kernel.h"
#include "platform/cosim/linux/launcher.h"
#include "platform/programs/temporary_folder.h"

namespace smmusim::cosim {

struct Qemu {
  std::string program;
  std::string version;  ///< "7.2.22"
};

/// Throws Lacking, which names all of them, if a program that a guest machine needs is not there: QEMU, called
/// `options.qemu`, and dtc where the SMMU is ours.
void require_programs(const LinuxOptions& options);
/// Throws Lacking if QEMU does not say its version.
Qemu find_qemu(const programs::SignalGuard& guard, const std::string& name);

/// The shared object beside the running program, or in ../lib/smmusim of it. Throws Lacking.
std::filesystem::path find_shared_object();

/// Names of the files in the temporary folder.
struct MachineFiles {
  explicit MachineFiles(const programs::TemporaryFolder& folder);
  std::string config, statistics, device_tree, initramfs, log;
  std::string disk(const Device& device) const;

 private:
  std::string folder_;
};

/// Throws InputError if QEMU's machine works with another processor, but not with options.cpu. Linux for arm64 needs
/// one of 64 bits.
void require_cpu(const programs::SignalGuard& guard, const Qemu& qemu, const LinuxOptions& options,
                 const MachineFiles& files);

/// The configuration and, for our SMMU, the device tree: QEMU's own of these options, with our nodes. Throws InputError
/// for a configuration that can't be had in QEMU, Lacking without dtc.
void write_machine_files(const programs::SignalGuard& guard, const Qemu& qemu, const LinuxOptions& options,
                         const MachineFiles& files);

/// Program and arguments of the guest.
std::vector<std::string> guest_command(const Qemu& qemu, const LinuxOptions& options, const GuestKernel& kernel,
                                       const MachineFiles& files);

}  // namespace smmusim::cosim
