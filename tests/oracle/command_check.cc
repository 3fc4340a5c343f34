// SPDX-License-Identifier: MIT
// Operands of a command against the log: see command_check.h. QEMU prints StreamIDs as numbers of 32 bits, an ASID or
// VMID that it does not look at as -1 (then there is nothing to compare), and no operands of CMD_SYNC and
// CMD_PREFETCH_CONFIG.
#include "tests/oracle/command_check.h"

#include <fmt/format.h>

namespace smmusim::oracle {
namespace {

using spec::Command;
using spec::Opcode;
using trace::Record;

std::string differ(const char* operand, std::uint64_t ours, std::uint64_t logged) {
  if (ours == logged) return {};
  return fmt::format(" {} {:#x}, logged {:#x};", operand, ours, logged);
}

/// The pieces are one range without gaps, which is the command's.
std::string compare_range(const Command& command, const std::vector<Record>& pieces) {
  std::string wrong;
  std::uint64_t pages = 0;
  for (const Record& piece : pieces) {
    wrong += differ("address", command.get<Command::Address>() + pages * 4096, piece.address);
    wrong += differ("ASID", command.get<Command::ASID>(), piece.asid);
    wrong += piece.has_vmid ? differ("VMID", command.get<Command::VMID>(), piece.vmid) : "";
    wrong += differ("TTL", command.get<Command::TTL>(), piece.ttl);
    wrong += differ("Leaf", command.get<Command::Leaf>(), piece.leaf);
    wrong += differ("TG", command.get<Command::TG>() == spec::TlbiTg::kib4 ? 12 : 0, piece.granule_log2);
    pages += piece.pages;
  }
  const std::uint64_t ours = (std::uint64_t{command.get<Command::NUM>()} + 1) << command.get<Command::SCALE>();
  return wrong + differ("number of pages", ours, pages);
}

/// First and last StreamID of a CMD_CFGI_STE_RANGE (4.3.2).
std::string compare_streams(const Command& command, const Record& logged) {
  const bool all = logged.config_scope == trace::ConfigScope::all;
  const std::uint64_t low = low_mask(command.get<Command::Range>() + 1);
  const std::uint64_t stream = command.get<Command::StreamID>();
  return differ("first StreamID", stream & ~low, logged.stream) +
         differ("last StreamID", stream | low, all ? low_mask(32) : logged.stream_last);
}

std::string compare_operands(const Command& command, const LoggedCommand& logged) {
  if (logged.opcode == Opcode::CMD_TLBI_NH_VA) return compare_range(command, logged.details);
  if (logged.details.size() > 1) return " more than one line of operands;";
  switch (logged.opcode) {
    case Opcode::CMD_CFGI_STE_RANGE:
      return compare_streams(command, logged.details[0]);
    case Opcode::CMD_CFGI_STE:
    case Opcode::CMD_CFGI_CD:
      return differ("StreamID", command.get<Command::StreamID>(), logged.details[0].stream);
    default:
      return {};  // TLBI_NSNH_ALL has no operands, those of SYNC and PREFETCH_CONFIG are not in the log
  }
}

}  // namespace

std::string compare_command(const Command& command, const LoggedCommand& logged) {
  const std::string opcode = differ("opcode", static_cast<std::uint64_t>(command.get<Command::OP>()),
                                    static_cast<std::uint64_t>(logged.opcode));
  return opcode.empty() ? compare_operands(command, logged) : opcode;
}

}  // namespace smmusim::oracle
