// SPDX-License-Identifier: MIT
// The bits; see the header.
#include "platform/nested/guest_words.h"

#include "model/base/field.h"
#include "model/spec/ste.h"

namespace smmusim::nested {
namespace {

using spec::Command;
using spec::Opcode;
using spec::Ste;

template <class... Fields>
Command only(const Command& command) {
  Command kept;
  (kept.set<Fields>(command.get<Fields>()), ...);
  return kept;
}

/// The addresses of CMD_TLBI_NH_VA and _VAA: a page, or with TG a range.
void keep_addresses(const Command& command, const spec::Features& guest, Command& kept) {
  kept.set<Command::Leaf>(command.get<Command::Leaf>()).set<Command::Address>(command.get<Command::Address>());
  const auto tg = command.get<Command::TG>();
  if (!guest.ril || tg == spec::TlbiTg::any) return;
  kept.set<Command::TG>(tg).set<Command::NUM>(command.get<Command::NUM>());
  if (guest.ds) {
    kept.set<Command::SCALE_DS>(command.get<Command::SCALE_DS>());
  } else {
    kept.set<Command::SCALE>(command.get<Command::SCALE>());
  }
  const bool level1_of_16k = tg == spec::TlbiTg::kib16 && command.get<Command::TTL>() == 1;
  if (!level1_of_16k || guest.ds) kept.set<Command::TTL>(command.get<Command::TTL>());
}

Command atc_invalidation(const Command& command, const spec::Features& guest) {
  Command kept = only<Command::OP, Command::StreamID, Command::AtcSize, Command::Address>(command);
  if (guest.ssidsize == 0) return kept;
  return kept.set<Command::SSV>(command.get<Command::SSV>())
      .set<Command::G>(command.get<Command::G>())
      .set<Command::SubstreamID>(command.get<Command::SubstreamID>());
}

}  // namespace

host::SteWords stage1_words(const StreamSetting& setting, const spec::Features& guest, bool ats) {
  Ste ste;
  ste.dw[0] = setting.ste[0];
  ste.dw[1] = setting.ste[1];
  Ste kept;
  kept.set<Ste::V>(true).set<Ste::Config>(spec::SteConfig::stage1);
  constexpr unsigned pointer_bits = 52;  // of which the host takes no more
  kept.set<Ste::S1ContextPtr>(ste.get<Ste::S1ContextPtr>() & low_mask(pointer_bits));
  kept.set<Ste::S1CIR>(ste.get<Ste::S1CIR>())
      .set<Ste::S1COR>(ste.get<Ste::S1COR>())
      .set<Ste::S1CSH>(ste.get<Ste::S1CSH>())
      .set<Ste::S1STALLD>(ste.get<Ste::S1STALLD>());
  if (guest.ssidsize != 0 && ste.get<Ste::S1CDMax>() != 0) {
    kept.set<Ste::S1CDMax>(ste.get<Ste::S1CDMax>())
        .set<Ste::S1Fmt>(ste.get<Ste::S1Fmt>())
        .set<Ste::S1DSS>(ste.get<Ste::S1DSS>());
  }
  if (ats && guest.ats && ste.get<Ste::EATS>() == spec::Eats::full) kept.set<Ste::EATS>(spec::Eats::full);
  return {kept.dw[0], kept.dw[1]};
}

host::SteWords bypass_words() {
  Ste ste;
  ste.set<Ste::V>(true).set<Ste::Config>(spec::SteConfig::bypass);
  return {ste.dw[0], 0};
}

host::SteWords abort_words() {
  Ste ste;
  ste.set<Ste::V>(true).set<Ste::Config>(spec::SteConfig::abort);
  return {ste.dw[0], 0};
}

std::optional<Command> forwarded_form(const Command& command, const spec::Features& guest) {
  switch (command.get<Command::OP>()) {
    case Opcode::CMD_TLBI_NSNH_ALL:
    case Opcode::CMD_TLBI_NH_ALL:  // there is one VMID, and the host knows it
      return only<Command::OP>(command);
    case Opcode::CMD_TLBI_NH_ASID:
      return only<Command::OP, Command::ASID>(command);
    case Opcode::CMD_TLBI_NH_VA: {
      Command kept = only<Command::OP, Command::ASID>(command);
      keep_addresses(command, guest, kept);
      return kept;
    }
    case Opcode::CMD_TLBI_NH_VAA: {
      Command kept = only<Command::OP>(command);
      keep_addresses(command, guest, kept);
      return kept;
    }
    case Opcode::CMD_CFGI_CD: {
      Command kept = only<Command::OP, Command::StreamID, Command::Leaf>(command);
      if (guest.ssidsize != 0) kept.set<Command::SubstreamID>(command.get<Command::SubstreamID>());
      return kept;
    }
    case Opcode::CMD_CFGI_CD_ALL:
      return only<Command::OP, Command::StreamID>(command);
    case Opcode::CMD_ATC_INV:
      return atc_invalidation(command, guest);
    default:
      return std::nullopt;
  }
}

bool names_stream(const spec::Command& form) {
  const auto opcode = form.get<spec::Command::OP>();
  return opcode < spec::Opcode::CMD_TLBI_NH_ALL || opcode > spec::Opcode::CMD_TLBI_NSNH_ALL;
}

}  // namespace smmusim::nested
