// SPDX-License-Identifier: MIT
// The comparison: see replay.h. Order within a step matters: what a side read before this step is judged before what it
// reads now is noted, and the driver's writes come before the access or command that shows them.
#include "tests/oracle/replay.h"

#include <fmt/format.h>

#include <algorithm>

#include "model/spec/cd.h"
#include "tests/oracle/command_check.h"
#include "tests/oracle/configuration_check.h"
#include "tests/oracle/seen.h"

namespace smmusim::oracle {
namespace {

using spec::Opcode;

constexpr std::uint64_t cmdq_base = 0x90, cmdq_cons = 0x9c, strtab_base = 0x80, strtab_cfg = 0x88;
constexpr std::size_t findings_kept = 20;

/// One side's memory of what it has read.
struct Side {
  SeenDescriptors descriptors;
  SeenStructures structures;
  void invalidate(const trace::Record& command) {
    descriptors.invalidate(command);
    structures.invalidate(command);
  }
};

constexpr Purpose structures[] = {Purpose::L1STD, Purpose::STE, Purpose::CD};
bool is_structure(const Fetch& fetch) {
  return std::find(std::begin(structures), std::end(structures), fetch.purpose) != std::end(structures);
}

class Replay {
 public:
  Replay(const LogSteps& log, const Image& image, const ReplayOptions& options)
      : image_(image), machine_(options.config, image, options.flips), tables_(machine_, log) {}

  Report run(const LogSteps& log) {
    for (const LogStep& step : log.steps) {
      line_ = step.line;
      machine_.recorder.clear();
      take(step);
      for (const spec::Event& event : machine_.recorder.events) {
        find(fmt::format("smmusim reports event {:#04x} for {:#x}; the log has none",
                         static_cast<unsigned>(event.get<spec::Event::Type>()), event.get<spec::Event::InputAddr>()));
      }
    }
    finish();
    return std::move(report_);
  }

 private:
  void find(const std::string& sentence) {
    ++report_.unexplained;
    if (report_.findings.size() < findings_kept)
      report_.findings.push_back(fmt::format("line {}: {}", line_, sentence));
  }
  void expect(const char* what, std::uint64_t ours, std::uint64_t logged) {
    if (ours != logged) find(fmt::format("{} is {:#x}, logged {:#x}", what, ours, logged));
  }

  void take(const LogStep& step) {
    switch (step.kind) {
      case LogStepKind::register_read:
        ++counts_.register_reads;
        if (const std::uint64_t ours = machine_.read_register(step.offset, step.size); ours != step.value) {
          find(fmt::format("register {:#x} reads {:#x}, logged {:#x}", step.offset, ours, step.value));
        }
        return;
      case LogStepKind::register_write:
        ++counts_.register_writes;
        return write_register(step);
      case LogStepKind::translation:
        ++counts_.translations;
        return translate(step);
    }
  }

  // Commands.

  /// A register write, the commands that it sets off, and how far CONS moves.
  void write_register(const LogStep& step) {
    for (const LoggedCommand& command : step.commands) {
      for (const trace::Record& detail : command.details) tables_.unmap(detail);
    }
    const std::uint64_t before = machine_.read_register(cmdq_cons, 4);
    machine_.write_register(step.offset, step.value, step.size);
    if (step.offset != cmdq_cons && step.offset != cmdq_base) {
      expect("CMDQ_CONS", machine_.read_register(cmdq_cons, 4), advanced(before, step.commands.size()));
    }
    constexpr unsigned errors =
        (1u << static_cast<unsigned>(Wire::event_queue)) | (1u << static_cast<unsigned>(Wire::global_error));
    if ((machine_.take_interrupts() & errors) != 0) find("an event or error interrupt; the log has no cause of one");
    compare_commands(step, before);
    take_fetches_of_commands(step, before);
    for (const LoggedCommand& command : step.commands) {
      for (const trace::Record& detail : command.details) {
        ours_.invalidate(detail);
        qemu_.invalidate(detail);
      }
    }
  }

  unsigned cmdq_log2() { return static_cast<unsigned>(machine_.read_register(cmdq_base, 8) & 0x1f); }
  std::uint64_t advanced(std::uint64_t cons, std::uint64_t commands) {
    return (cons + commands) & low_mask(cmdq_log2() + 1);  // index and wrap bit
  }

  void compare_commands(const LogStep& step, std::uint64_t cons) {
    const auto& ours = machine_.recorder.commands;
    expect("number of commands consumed", ours.size(), step.commands.size());
    const std::size_t both = std::min(ours.size(), step.commands.size());
    for (std::size_t i = 0; i < both; ++i) {
      const std::uint64_t index = advanced(cons, i);
      std::string wrong = compare_command(ours[i].command, step.commands[i]);
      if (ours[i].error != spec::CommandError::CERROR_NONE) wrong += " a command error;";
      if (!wrong.empty()) {
        find(fmt::format("command {:#x} (line {}):{}", index, step.commands[i].line, wrong));
        continue;
      }
      ++counts_.commands[step.commands[i].opcode];
      ++counts_.commands_total;
    }
  }

  /// Each command came from its slot of the queue, once; what else was read is a prefetch of the configuration.
  void take_fetches_of_commands(const LogStep& step, std::uint64_t cons) {
    const bool prefetches = std::any_of(step.commands.begin(), step.commands.end(),
                                        [](const LoggedCommand& c) { return c.opcode == Opcode::CMD_PREFETCH_CONFIG; });
    const std::uint64_t queue = machine_.read_register(cmdq_base, 8) & low_mask(52) & ~low_mask(5);
    std::uint64_t slots = 0;
    for (const Fetch& fetch : machine_.recorder.fetches) {
      if (fetch.purpose == Purpose::CMD) {
        expect("address of a command", fetch.address, queue + 16 * (advanced(cons, slots) & low_mask(cmdq_log2())));
        slots += fetch.size / 16;
      } else if (prefetches && is_structure(fetch)) {
        note_structure(prefetched_stream(step), fetch);
        ++counts_.structures_prefetched;
      } else {
        find(fmt::format("a {} access to {:#x} for a register write", name_of(fetch.purpose), fetch.address));
      }
    }
    expect("number of commands fetched", slots, step.commands.size());
  }

  /// The stream of the step's CMD_PREFETCH_CONFIG; the log does not print it, the queue has it.
  std::uint32_t prefetched_stream(const LogStep& step) {
    for (std::size_t i = 0; i < std::min(step.commands.size(), machine_.recorder.commands.size()); ++i) {
      if (step.commands[i].opcode != Opcode::CMD_PREFETCH_CONFIG) continue;
      return machine_.recorder.commands[i].command.get<spec::Command::StreamID>();
    }
    return 0;
  }

  // Translations.

  void translate(const LogStep& step) {
    if (const std::string wrong = tables_.before(step); !wrong.empty()) find(wrong);
    Transaction transaction;
    transaction.stream_id = StreamId(step.access.stream);
    transaction.address = Va(step.access.address);
    transaction.access = (step.access.perm & trace::perm_write) != 0 ? AccessType::write : AccessType::read;
    compare_response(step, machine_.translate(transaction));
    std::vector<Fetch> configuration, walk;
    for (const Fetch& fetch : machine_.recorder.fetches) {
      if (fetch.op != MemoryOp::read || fetch.status != MemoryStatus::ok) find("an access that is no successful read");
      if (is_structure(fetch)) {
        configuration.push_back(fetch);
      } else if (fetch.purpose == Purpose::TTD && fetch.stage == 1) {
        walk.push_back(fetch);
      } else {
        find(fmt::format("a {} access to {:#x}", name_of(fetch.purpose), fetch.address));
      }
    }
    compare_configurations(step, configuration);
    compare_walks(step, walk);
  }

  void compare_response(const LogStep& step, const Response& response) {
    if (response.outcome != Outcome::proceed) {
      return find(fmt::format("{:#x} does not proceed: event {:#04x}", step.access.address,
                              static_cast<unsigned>(response.event)));
    }
    expect("output address", response.address.value, step.access.output);
    expect("read permission", response.read_allowed, (step.access.perm & trace::perm_read) != 0);
    expect("write permission", response.write_allowed, (step.access.perm & trace::perm_write) != 0);
    expect("log2 of the mapping", response.page_bits, 12);
  }

  void note_structure(std::uint32_t stream, const Fetch& fetch) {
    ours_.structures.note(stream, fetch.purpose, {fetch.address, fetch.words});
  }

  void compare_configurations(const LogStep& step, const std::vector<Fetch>& fetched) {
    const std::uint32_t stream = step.access.stream;
    counts_.configurations.count(!fetched.empty(), step.configuration.has_value());
    for (const Fetch& fetch : fetched) note_structure(stream, fetch);
    if (step.configuration) {
      logged_configurations_[stream] = *step.configuration;
      for (const Purpose purpose : structures) qemu_.structures.note(stream, purpose, {});
    }
    for (const Purpose purpose : structures) {
      if (qemu_.structures.find(stream, purpose) == nullptr) {
        find(fmt::format("QEMU uses a {} that it has not read since it was invalidated", name_of(purpose)));
      }
      if (ours_.structures.find(stream, purpose) == nullptr) {
        return find(fmt::format("smmusim uses a {} that it has not read since it was invalidated", name_of(purpose)));
      }
    }
    const auto logged = logged_configurations_.find(stream);
    if (logged == logged_configurations_.end() || (fetched.empty() && !step.configuration)) return;
    const auto seen = [this, stream](Purpose purpose) { return *ours_.structures.find(stream, purpose); };
    const StreamTableRegisters registers{machine_.read_register(strtab_base, 8), machine_.read_register(strtab_cfg, 4)};
    const auto wrong =
        compare_configuration(logged->second, registers, machine_.smmu().config().features.oas, seen(Purpose::L1STD),
                              seen(Purpose::STE), seen(Purpose::CD), counts_.span_bound_of_qemu);
    for (const std::string& sentence : wrong) find(sentence);
    if (wrong.empty()) counts_.structures_compared += std::size(structures);
  }

  std::uint16_t asid_of(std::uint32_t stream) const {
    const SeenStructure* cd = ours_.structures.find(stream, Purpose::CD);
    return cd == nullptr ? std::uint16_t{0} : spec::Cd::ASID::get(cd->words[spec::Cd::ASID::word]);
  }

  /// What QEMU read at `level` for this address, now or before; null if that was invalidated or never read.
  const SeenDescriptor* qemus(int level, std::uint64_t iova) const { return qemu_.descriptors.find(level, iova); }

  void compare_walks(const LogStep& step, const std::vector<Fetch>& walk) {
    const std::uint64_t iova = step.access.address;
    const std::uint16_t asid = asid_of(step.access.stream);
    counts_.walks.count(!walk.empty(), !step.walk.empty());
    counts_.qemu_walked_again += !step.walk.empty() && qemus(3, iova) != nullptr ? 1 : 0;
    for (const LoggedFetch& fetch : step.walk) {
      qemu_.descriptors.note(fetch.level, iova, {fetch.address, fetch.value, asid});
    }
    if (qemus(3, iova) == nullptr) find("QEMU hits its TLB without a walk since the last invalidation");
    if (walk.empty()) return judge_hit(iova);
    counts_.we_walked_again += ours_.descriptors.find(3, iova) != nullptr ? 1 : 0;
    const int start = walk.front().level;
    for (int level = 0; level < start; ++level) judge_kept(level, iova);
    for (std::size_t i = 0; i < walk.size(); ++i) {
      expect("level of a descriptor", static_cast<std::uint64_t>(walk[i].level), static_cast<std::uint64_t>(start) + i);
      compare_descriptor(walk[i], iova);
      ours_.descriptors.note(walk[i].level, iova, {walk[i].address, walk[i].words[0], asid});
    }
    expect("level of the last descriptor", static_cast<std::uint64_t>(walk.back().level), levels - 1);
  }

  void compare_descriptor(const Fetch& fetch, std::uint64_t iova) {
    const SeenDescriptor* logged = qemus(fetch.level, iova);
    if (logged == nullptr) return find(fmt::format("a descriptor of level {} that QEMU has not read", fetch.level));
    if (fetch.address == logged->address && fetch.words[0] == logged->value && fetch.size == 8) {
      ++counts_.descriptors_compared;
      return;
    }
    find(fmt::format("descriptor of level {} for {:#x} is {:#x} at {:#x}, logged {:#x} at {:#x}", fetch.level, iova,
                     fetch.words[0], fetch.address, logged->value, logged->address));
  }

  /// A TLB hit of smmusim: its last walk of this page must be one that no invalidation has covered.
  void judge_hit(std::uint64_t iova) {
    const SeenDescriptor* leaf = ours_.descriptors.find(3, iova);
    if (leaf == nullptr) return find("smmusim hits a TLB without a walk since the last invalidation");
    if (const SeenDescriptor* logged = qemus(3, iova)) expect("descriptor of a TLB hit", leaf->value, logged->value);
  }

  /// A level above the start of smmusim's walk: the walk cache must have it from an earlier walk.
  void judge_kept(int level, std::uint64_t iova) {
    const SeenDescriptor* ours = ours_.descriptors.find(level, iova);
    const SeenDescriptor* logged = qemus(level, iova);
    if (ours == nullptr || logged == nullptr) {
      return find(fmt::format("smmusim skips level {} without having read its descriptor", level));
    }
    expect("address of a kept descriptor", ours->address, logged->address);
    expect("kept descriptor", ours->value, logged->value);
    ++counts_.descriptors_kept;
  }

  void finish() {
    for (const std::string& sentence : tables_.compare_with(image_)) find(sentence);
    if (!machine_.smmu().idle()) find("smmusim is not idle after the last line");
    counts_.tables = tables_.counts();
    report_.smmu = machine_.smmu().counters();
    for (const CacheId cache : {CacheId::micro_tlb, CacheId::tlb}) {
      report_.tlb_hits += machine_.smmu().cache_counters(cache).hits;
    }
  }

  const Image& image_;
  Machine machine_;
  DriverTables tables_;
  Side ours_, qemu_;
  std::map<std::uint32_t, LoggedConfiguration> logged_configurations_;
  std::uint64_t line_ = 0;
  Report report_;
  Counts& counts_ = report_.counts;
};

}  // namespace

std::string Report::text() const {
  std::string text = fmt::format("{} unexplained\n", unexplained);
  for (const std::string& finding : findings) text += finding + "\n";
  return text;
}

spec::Features features_of(const LogSteps& log) {
  spec::IdRegisters id;
  id.aidr = 1;  // SMMUv3.1
  for (const LogStep& step : log.steps) {
    if (step.kind != LogStepKind::register_read) continue;
    if (step.offset < 0x18) id.idr[step.offset / 4] = static_cast<std::uint32_t>(step.value);
    if (step.offset == 0x18) id.iidr = static_cast<std::uint32_t>(step.value);
    if (step.offset == 0x1c) id.aidr = static_cast<std::uint32_t>(step.value);
  }
  return spec::features_from(id);
}

Report replay(const LogSteps& log, const Image& image, const ReplayOptions& options) {
  ReplayOptions with_features = options;
  with_features.config.features = features_of(log);
  return Replay(log, image, with_features).run(log);
}

}  // namespace smmusim::oracle
