// SPDX-License-Identifier: MIT
// Grouping of log lines: see log_steps.h. QEMU prints a translation's configuration fetch and walk before it, and the
// commands that a register write sets off before the write.
#include "tests/oracle/log_steps.h"

#include "platform/trace/error.h"

namespace smmusim::oracle {
namespace {

using spec::Opcode;
using trace::ConfigScope;
using trace::InvalidateScope;
using trace::Record;

/// Whether `detail` is what QEMU prints about a command `opcode`.
bool detail_of(Opcode opcode, const Record& detail) {
  const bool tlb = detail.kind == trace::Kind::invalidate;
  const bool config = detail.kind == trace::Kind::config;
  switch (opcode) {
    case Opcode::CMD_TLBI_NH_VA:
      return tlb && detail.invalidate_scope == InvalidateScope::range && detail.has_asid;
    case Opcode::CMD_TLBI_NSNH_ALL:
      return tlb && detail.invalidate_scope == InvalidateScope::all;
    case Opcode::CMD_CFGI_STE:
      return config && detail.config_scope == ConfigScope::ste;
    case Opcode::CMD_CFGI_STE_RANGE:
      return config && (detail.config_scope == ConfigScope::ste_range || detail.config_scope == ConfigScope::all);
    case Opcode::CMD_CFGI_CD:
      return config && detail.config_scope == ConfigScope::cd;
    default:
      return false;
  }
}

bool has_detail(Opcode opcode) {
  return opcode != Opcode::CMD_SYNC && opcode != Opcode::CMD_PREFETCH_CONFIG;
}

/// The log clears bit 16 of an offset: what it prints at 0xa8 and 0xac is EVENTQ_PROD and EVENTQ_CONS of page 1.
std::uint64_t frame_offset(std::uint64_t printed) {
  return printed == 0xa8 || printed == 0xac ? printed | 0x10000 : printed;
}

class Grouping {
 public:
  explicit Grouping(const std::string& name) : name_(name) {}

  LogSteps run(const std::vector<Line>& lines) {
    for (const Line& line : lines) {
      line_ = line.number;
      take(line);
    }
    require(!open(), "the log ends within a command, a walk or a configuration fetch");
    out_.lines = lines.size();
    return std::move(out_);
  }

 private:
  void require(bool holds, const char* sentence) const {
    if (!holds) throw trace::TraceError::at_line(name_, line_, sentence);
  }
  bool open() const { return !commands_.empty() || !walk_.empty() || configuration_ || half_fetch_; }

  void take(const Line& line) {
    switch (line.kind) {
      case LineKind::register_read:
      case LineKind::register_write:
        return take_register(line);
      case LineKind::opcode:
      case LineKind::command_detail:
        return take_command(line);
      case LineKind::access:
        return take_access(line);
      case LineKind::device:
        require(!open(), "a device line within a command, a walk or a configuration fetch");
        ++out_.device_lines;
        return;
      case LineKind::get_pte:
      case LineKind::ptw_level:
      case LineKind::ptw_page:
        return take_walk(line);
      default:
        return take_configuration(line);
    }
  }

  void take_register(const Line& line) {
    const bool write = line.kind == LineKind::register_write;
    require(line[mmio::result] == 0, "a register access that QEMU answered with an error");
    require(walk_.empty() && !configuration_ && !half_fetch_, "a register access within a translation");
    require(write || commands_.empty(), "commands that no register write follows");
    if (!commands_.empty()) require_details();
    LogStep& step = out_.steps.emplace_back();
    step.line = line.number;
    step.kind = write ? LogStepKind::register_write : LogStepKind::register_read;
    step.offset = frame_offset(line[mmio::addr]);
    step.value = line[mmio::val];
    step.size = static_cast<unsigned>(line[mmio::size]);
    step.commands.swap(commands_);
  }

  /// The command taken last has the detail lines that its opcode has.
  void require_details() const {
    const LoggedCommand& last = commands_.back();
    require(has_detail(last.opcode) == !last.details.empty(), "a command lacks the line with its operands");
  }

  void take_command(const Line& line) {
    require(walk_.empty() && !configuration_ && !half_fetch_, "a command within a translation");
    if (line.kind == LineKind::opcode) {
      if (!commands_.empty()) require_details();
      commands_.push_back({line.number, static_cast<Opcode>(line[0]), {}});
      return;
    }
    require(!commands_.empty() && detail_of(commands_.back().opcode, line.record),
            "operands that do not belong to the command before them");
    commands_.back().details.push_back(line.record);
  }

  void take_access(const Line& line) {
    require(commands_.empty(), "a translation between a command and the register write that set it off");
    require(!half_fetch_, "smmu_get_pte without smmu_ptw_level");
    require(walk_.empty() || leaf_seen_, "a translation whose walk has no leaf");
    if (leaf_seen_) {
      require(walk_iova_ == line.record.address, "a walk of another address than the translation's");
      require((line.record.output & ~std::uint64_t{0xfff}) == leaf_page_, "the walk's page is not the translation's");
    }
    require(!configuration_ || (next_ == LineKind::find_ste && configuration_->sid == line.record.stream),
            "a configuration fetch that is not complete or of another stream");
    LogStep& step = out_.steps.emplace_back();
    step.line = line.number;
    step.kind = LogStepKind::translation;
    step.access = line.record;
    step.walk.swap(walk_);
    step.configuration.swap(configuration_);
    leaf_seen_ = false;
  }

  void take_walk(const Line& line) {
    require(commands_.empty() && !leaf_seen_, "a walk goes on after its leaf or starts within a command");
    if (line.kind == LineKind::get_pte) {
      require(!half_fetch_, "smmu_get_pte twice");
      require(line[get_pte::pteaddr] == line[get_pte::baseaddr] + 8 * line[get_pte::index],
              "pteaddr is not baseaddr + 8 * index");
      half_fetch_ = line;
    } else if (line.kind == LineKind::ptw_level) {
      take_level(line);
    } else {
      require(!walk_.empty() && !half_fetch_, "a leaf without a walk");
      const LoggedFetch& last = walk_.back();
      require(line[ptw_page::stage] == 1 && line[ptw_page::level] == 3 && last.level == 3, "a leaf above level 3");
      require(line[ptw_page::pteaddr] == last.address && line[ptw_page::pte] == last.value &&
                  line[ptw_page::iova] == walk_iova_,
              "the leaf is not the descriptor that was read last");
      leaf_page_ = line[ptw_page::page];
      leaf_seen_ = true;
    }
  }

  void take_level(const Line& line) {
    require(half_fetch_.has_value(), "smmu_ptw_level without smmu_get_pte");
    const Line& fetch = *half_fetch_;
    require(line[ptw_level::baseaddr] == fetch[get_pte::baseaddr] && line[ptw_level::offset] == fetch[get_pte::index] &&
                line[ptw_level::pte] == fetch[get_pte::pte],
            "smmu_ptw_level and smmu_get_pte disagree");
    const int level = static_cast<int>(walk_.size());
    require(line[ptw_level::stage] == 1 && level < levels && line[ptw_level::level] == walk_.size(),
            "a walk that is not one of stage 1 from level 0 down");
    require(line[ptw_level::subpage_sz] == std::uint64_t{1} << level_shift(level), "another granule than 4 KiB");
    require(walk_.empty() || line[ptw_level::iova] == walk_iova_, "the address changes within a walk");
    walk_iova_ = line[ptw_level::iova];
    walk_.push_back({level, fetch[get_pte::pteaddr], fetch[get_pte::pte]});
    half_fetch_.reset();
  }

  void take_configuration(const Line& line) {
    require(commands_.empty() && walk_.empty() && !half_fetch_, "a configuration fetch within something else");
    require(line.kind == next_, "the lines of a configuration fetch are not in QEMU's order");
    if (line.kind == LineKind::find_ste) {
      require(!configuration_, "two configuration fetches for one translation");
      configuration_.emplace();
      configuration_->line = line.number;
    }
    LoggedConfiguration& c = *configuration_;
    next_ = static_cast<LineKind>(static_cast<unsigned>(line.kind) + 1);
    switch (line.kind) {
      case LineKind::find_ste:
        c.sid = line[find_ste::sid], c.features = line[find_ste::features], c.sid_split = line[find_ste::sid_split];
        return;
      case LineKind::find_ste_2lvl:
        c.strtab_base = line[find_ste_2lvl::strtab_base], c.l1ptr = line[find_ste_2lvl::l1ptr];
        c.l1_off = line[find_ste_2lvl::l1_off], c.l2ptr = line[find_ste_2lvl::l2ptr];
        c.l2_off = line[find_ste_2lvl::l2_off], c.max_l2_ste = line[find_ste_2lvl::max_l2_ste];
        return;
      case LineKind::get_ste:
        c.ste = line[0];
        return;
      case LineKind::get_cd:
        c.cd = line[0];
        return;
      case LineKind::decode_cd:
        c.oas = line[0];
        return;
      default:
        require(line[decode_cd_tt::index] == 0, "a TT[1]; this comparison knows only CDs with EPD1");
        c.tsz = line[decode_cd_tt::tsz], c.ttb = line[decode_cd_tt::ttb];
        c.granule_sz = line[decode_cd_tt::granule_sz], c.had = line[decode_cd_tt::had];
        next_ = LineKind::find_ste;
        return;
    }
  }

  const std::string& name_;
  std::uint64_t line_ = 0;
  LogSteps out_;
  std::vector<LoggedCommand> commands_;
  std::optional<LoggedConfiguration> configuration_;
  LineKind next_ = LineKind::find_ste;  ///< of the lines of a configuration fetch
  std::optional<Line> half_fetch_;      ///< smmu_get_pte whose smmu_ptw_level is to come
  std::vector<LoggedFetch> walk_;
  std::uint64_t walk_iova_ = 0, leaf_page_ = 0;
  bool leaf_seen_ = false;
};

}  // namespace

LogSteps group(const std::string& name, const std::vector<Line>& lines) {
  return Grouping(name).run(lines);
}

}  // namespace smmusim::oracle
