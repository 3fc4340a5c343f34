// SPDX-License-Identifier: MIT
// run_linux(); see the header.
#include "platform/cosim/linux/launcher.h"

#include <fmt/format.h>

#include <chrono>
#include <optional>

#include "platform/config/load.h"
#include "platform/config/version.h"
#include "platform/cosim/linux/disk_image.h"
#include "platform/cosim/linux/guest_console.h"
#include "platform/cosim/linux/guest_machine.h"
#include "platform/cosim/linux/guest_scripts.h"
#include "platform/cosim/linux/initramfs.h"
#include "platform/emit/device_tree.h"
#include "platform/programs/errors.h"
#include "platform/trace/files.h"

namespace smmusim::cosim {
namespace {

using nlohmann::ordered_json;

constexpr int exit_check_failed = 1, exit_wrong_input = 2, exit_lacking = 3, exit_defect = 70;
constexpr std::string_view our_prefix = "smmusim: ";

double seconds_since(programs::Clock::time_point begin) {
  return std::chrono::duration<double>(programs::Clock::now() - begin).count();
}

class Launch {
 public:
  explicit Launch(const LinuxOptions& options) : options_(options), files_(folder_) {
    console_.on_line = [this](const std::string& line) {
      if (options_.on_console) options_.on_console(line);
    };
  }

  LinuxOutcome run() {
    // What the user gave comes first, then what the machine lacks, then what takes time.
    script_ = options_.script_path.empty() ? std::string(default_script()) : programs::read_file(options_.script_path);
    require_kernel(options_.kernel, options_.modules);
    if (options_.iommu == Iommu::smmusim) emit::virt_machine_nodes(options_.config);
    require_programs(options_);
    const Qemu qemu = find_qemu(guard_, options_.qemu);
    require_cpu(guard_, qemu, options_, files_);
    if (options_.iommu == Iommu::smmusim) find_shared_object();
    const GuestKernel kernel = find_kernel(fetching_, options_.kernel, options_.modules);
    without_modules_ = kernel.modules.empty();
    write_initramfs(kernel);
    write_machine_files(guard_, qemu, options_, files_);
    boot(guest_command(qemu, options_, kernel, files_));
    judge();
    describe(qemu);
    if (outcome_.exit_code == 0 && !options_.record_path.empty()) record();
    return std::move(outcome_);
  }

 private:
  void write_initramfs(const GuestKernel& kernel) {
    InitramfsParts parts;
    parts.busybox = programs::read_file(find_busybox(fetching_));
    std::vector<std::string> names;
    std::optional<DiskPlan> disk;
    for (const Device& device : options_.devices) {
      for (const std::string_view name : {device.kind->transport, device.kind->module}) {
        if (!name.empty()) names.emplace_back(name);
      }
      if (device.kind->device_class != DeviceClass::disk) continue;
      if (!disk) disk = plan_disk(options_.config.seed);
      write_disk(*disk, files_.disk(device));
    }
    parts.modules = ModuleFolder(guard_, kernel.modules).in_load_order(names);
    parts.devices = options_.devices;
    parts.disk = disk ? &*disk : nullptr;
    parts.script = script_;
    programs::write_file(files_.initramfs, make_initramfs(parts));
  }

  void boot(const std::vector<std::string>& command) {
    constexpr std::chrono::seconds last_wish{5};  // for the statistics, after the time-out
    const programs::Clock::time_point begin = programs::Clock::now();
    programs::Child child(guard_, command);
    const auto out = [&](std::string_view piece) {
      console_.take(piece);
      if (!console_.user_space || boot_seconds_ != 0) return;
      boot_seconds_ = seconds_since(begin);
      boot_cpu_seconds_ = child.cpu_seconds();
    };
    const auto err = [this](std::string_view piece) {
      if (!timed_out_) add_errors(piece);  // what it says of our SIGTERM tells nothing
    };
    timed_out_ = !child.wait(begin + std::chrono::seconds(options_.timeout_seconds), out, err);
    if (timed_out_) {
      child.ask_to_end();
      child.wait(programs::Clock::now() + last_wish, out, err);
    }
    console_.finish();
    qemu_exit_ = child.exit_code();
    host_seconds_ = seconds_since(begin);
  }

  void add_errors(std::string_view piece) {
    for (const char byte : piece.substr(0, error_bytes_max - errors_.size())) {
      errors_ += byte == '\n' ? byte : programs::harmless(byte);
    }
  }

  /// Our shared object's lines on QEMU's standard error, without their prefix.
  std::string our_lines() const {
    std::string ours;
    for (std::size_t begin = 0; begin < errors_.size();) {
      const std::size_t end = std::min(errors_.find('\n', begin), errors_.size());
      const std::string line = errors_.substr(begin, end - begin);
      if (line.starts_with(our_prefix)) ours += (ours.empty() ? "" : "\n") + line.substr(our_prefix.size());
      begin = end + 1;
    }
    return ours;
  }

  void fail(int code, const std::string& text) {
    outcome_.exit_code = code;
    outcome_.complaint = text;
  }

  std::string with_last_lines(const std::string& sentence) const {
    std::string text = sentence;
    if (!errors_.empty()) text += "\nstandard error of QEMU:\n" + errors_;
    if (text.ends_with('\n')) text.pop_back();
    text += fmt::format("\nthe last {} lines of its console:", console_.last_lines().size());
    for (const std::string& line : console_.last_lines()) text += "\n| " + line;
    return text;
  }

  void judge() {
    const std::string ours = our_lines();
    if (qemu_exit_ == exit_defect) return fail(exit_defect, ours.empty() ? "a defect of smmusim inside QEMU" : ours);
    if ((qemu_exit_ == exit_lacking || qemu_exit_ == exit_wrong_input) && !ours.empty()) return fail(qemu_exit_, ours);
    if (timed_out_) {
      return fail(exit_check_failed,
                  with_last_lines(fmt::format("cosim linux: the guest did not end within {} s (--timeout)",
                                              options_.timeout_seconds)));
    }
    if (console_.lines() == 0) return not_started();
    if (!console_.exit_status) {
      return fail(exit_check_failed,
                  with_last_lines(fmt::format(
                      "cosim linux: the guest ended before its script did (QEMU's exit code {})", qemu_exit_)));
    }
    if (options_.iommu != Iommu::none && console_.driver.empty()) {
      return fail(exit_lacking, with_last_lines("cosim linux: the kernel has no driver of the SMMUv3; build it with "
                                                "CONFIG_ARM_SMMU_V3=y, or choose another with --kernel"));
    }
    judge_script();
  }

  void not_started() {
    if (options_.qemu_arguments.empty()) {
      return fail(exit_lacking,
                  fmt::format("cosim linux: QEMU did not start the guest (exit code {})\n{}", qemu_exit_, errors_));
    }
    // Words that only the user can answer for.
    fail(exit_wrong_input,
         fmt::format("--qemu-arg: QEMU did not start the guest (exit code {}: {}); look at what it says", qemu_exit_,
                     programs::ToolResult{qemu_exit_, "", errors_}.last_line()));
  }

  void judge_script() {
    if (*console_.exit_status == 0 && console_.error_count == 0) return;
    std::string text = fmt::format("cosim linux: the guest's script ended with {}, {} errors", *console_.exit_status,
                                   console_.error_count);
    for (const std::string& error : console_.errors) text += "\n" + error;
    if (without_modules_) text += "\nthe kernel has no modules here; what is not built into it comes from --modules";
    fail(exit_check_failed, text);
  }

  void describe(const Qemu& qemu) {
    constexpr const char* iommus[] = {"smmusim", "qemu", "none"};
    ordered_json devices = ordered_json::array(), groups = ordered_json::array(), measures = ordered_json::array();
    for (const Device& device : options_.devices) devices.push_back(device.kind->name);
    for (const IommuGroup& group : console_.groups) {
      groups.push_back({{"group", group.number}, {"device", group.device}, {"type", group.type}});
    }
    for (const Measure& measure : console_.measures) {
      measures.push_back({{"name", measure.name}, {"count", measure.count}, {"guest_ms", measure.milliseconds}});
    }
    ordered_json& json = outcome_.json;
    json = {{"version", program_version},
            {"qemu", qemu.version},
            {"kernel", console_.kernel},
            {"iommu", iommus[static_cast<unsigned>(options_.iommu)]},
            {"device", devices},
            {"cpus", options_.cpus},
            {"boot_seconds", boot_seconds_},
            {"boot_cpu_seconds", boot_cpu_seconds_},
            {"guest_boot_seconds", console_.guest_seconds},
            {"guest_exit", console_.exit_status ? ordered_json(*console_.exit_status) : ordered_json()},
            {"timed_out", timed_out_},
            {"errors", console_.error_count},
            {"probe", console_.driver},
            {"groups", groups},
            {"measures", measures}};
    if (options_.iommu == Iommu::smmusim) add_statistics(json);
    json["host_seconds"] = host_seconds_;
  }

  void add_statistics(ordered_json& json) {
    std::error_code ignored;
    ordered_json statistics;
    if (std::filesystem::is_regular_file(files_.statistics, ignored)) {
      statistics = ordered_json::parse(programs::read_file(files_.statistics), nullptr, false);
    }
    if (!statistics.is_object() || !statistics.contains("smmu")) {
      if (outcome_.exit_code == 0) fail(exit_defect, "a defect of smmusim: the SMMU inside QEMU left no statistics");
      return;
    }
    for (const char* key : {"translations", "faults", "smmu"}) {
      if (statistics.contains(key)) json[key] = statistics[key];
    }
  }

  void record() {
    const trace::ImportReport report =
        trace::import_file("qemu-log", files_.log, options_.record_path, trace::ImportOptions{});
    outcome_.json["record"] = {{"accesses", report.accesses},
                               {"invalidations", report.invalidations},
                               {"configurations", report.configurations}};
  }

  static constexpr std::size_t error_bytes_max = 8000;

  const LinuxOptions& options_;
  const programs::SignalGuard guard_;  // first of all: what follows is cleaned up before a signal takes effect
  const Fetching fetching_{guard_, options_.progress, options_.fetch_seconds};
  const programs::TemporaryFolder folder_;
  const MachineFiles files_;
  std::string script_;
  GuestConsole console_;
  std::string errors_;  // QEMU's standard error
  bool without_modules_ = false;
  bool timed_out_ = false;
  int qemu_exit_ = 0;
  double boot_seconds_ = 0, boot_cpu_seconds_ = 0, host_seconds_ = 0;
  LinuxOutcome outcome_;
};

}  // namespace

LinuxOutcome run_linux(const LinuxOptions& options) {
  try {
    return Launch(options).run();
  } catch (const std::filesystem::filesystem_error& error) {
    throw programs::Lacking(fmt::format(
        "cosim linux: {}; make room for it, or set XDG_CACHE_HOME and TMPDIR to folders that have", error.what()));
  }
}

}  // namespace smmusim::cosim
